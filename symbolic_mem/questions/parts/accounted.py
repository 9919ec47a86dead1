"""What a formula may ask of a study's account by name: the bytes of each kind of memory, before it is placed."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import local
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.study.study import Study

ACCOUNTED = {kind: local(kind, "") for kind in KINDS}


def counted(expr: sp.Expr, study: Study) -> sp.Expr:
    """Put the bytes of the study's account in place of the names of kinds; raises `BadInput` for one that is not kept.

    >>> from symbolic_mem.library.read import load_study
    >>> counted(ACCOUNTED["gradients"] / 2, load_study("cs336-a2-xxl"))
    4*L*d_ff*d_model
    """
    asked = {}
    for kind, symbol in ACCOUNTED.items():
        if symbol in expr.free_symbols:
            asked[symbol] = study.memory.of(kind).total
            if asked[symbol] == 0:
                raise BadInput(f"no {kind} are kept here: leave {kind} out of the formula")
    return expr.xreplace(asked)
