"""What a page of play holds fast: the degrees of a plan, and the sizes that decide how it cuts a model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy as sp

from symbolic_mem.accounts.units import units
from symbolic_mem.base.exact import at
from symbolic_mem.base.nodes import Nodes
from symbolic_mem.base.symbols import S, n_chunks, n_fsdp, n_group, n_micro, n_replica
from symbolic_mem.models.cut import DIMENSIONS
from symbolic_mem.plans.plan import AXES, NO_GROUP, NO_RESHARD
from symbolic_mem.plans.rests import HALVES, IN_PIECES, NOT_OUT, sizes
from symbolic_mem.study.study import Study

HELD = "this page holds {name} = {own}, which decides how the model is cut; the command gives other values"
DEGREES = (*AXES, n_replica, n_micro, n_chunks, n_group)
ALONG = ("tokens", "stream", "inputs")  # dimensions of the length: it stays free where it must come out


def held(study: Study, n: sp.Symbol) -> tuple[sp.Symbol, ...]:
    """Return the symbols whose values stay as they are: of another of them the accounts would be others.

    >>> from symbolic_mem.base.symbols import n_fsdp
    >>> from symbolic_mem.library.read import load_study
    >>> held(load_study("cluster-gpt-3-175b"), n_fsdp)[:4], held(load_study("llama-3.1-8b"), n_fsdp)
    ((n_tp, n_pp, n_cp, n_ep), ())
    """
    found: dict[sp.Basic, None] = dict.fromkeys(DEGREES)
    cut, rests = study.rank.cut, {} if study.plan is None else dict(study.plan.rests)
    shares = {} if cut is None else dict(cut.shares)
    for dimension, size in sizes(study.built):
        padded = study.plan is not None and study.plan.padded != 1 and dimension == "vocabulary"
        if padded or (dimension in shares and (dimension not in ALONG or rests.get(dimension, HALVES) != HALVES)):
            found |= dict.fromkeys(size.size.free_symbols)
    if study.plan is not None and study.plan.engine:
        for unit in units(study.built.model).blocks:
            found |= dict.fromkeys(unit.count.free_symbols | unit.start.free_symbols | unit.end.free_symbols)
    return tuple(symbol for symbol in study.values if symbol in found and symbol != n)


def lengths(study: Study, nodes: Nodes) -> Iterator[list[Any]]:
    """Yield that the length must come out where a plan divides it, as demands with the words of the refusal."""
    plan = study.plan
    if plan is None or study.rank.cut is None:
        return
    cuts, shares, rests = dict(plan.cuts), dict(study.rank.cut.shares), dict(plan.rests)
    for dimension in ALONG:
        if dimension not in shares:
            continue
        inside = cuts["tokens"] if dimension != "tokens" and "tokens" in cuts else sp.S.One
        halves = rests.get(dimension) == HALVES
        degree = cuts[dimension] * inside * (2 if halves else 1)
        value = degree.xreplace({axis: study.values.get(axis, sp.S.One) for axis in degree.free_symbols})
        words = IN_PIECES if halves else NOT_OUT
        what = {"plan": plan.name, "name": "S", "what": DIMENSIONS[dimension], "degree": degree, "by": value}
        yield ["plan", "S", nodes.add(S), "", nodes.add(value), words.format(**what, size="{size}")]


def groups(study: Study) -> list[list[Any]]:
    """Return of what a degree that is given must be a multiple, as ``[p, q, words, number?]``: p/q of it is whole.

    The words are those of the refusal, with ``{found}`` for that part of it, or for the `number` itself.
    """
    plan, found = study.plan, []
    if plan is None:
        return []
    experts = "experts" in dict(sizes(study.built))
    for what, group in plan.groups if experts else [one for one in plan.groups if one[0] != "experts"]:
        degree = group / plan.instances
        share = at(degree.xreplace({n_fsdp: sp.S.One}), {**plan.given({}), **study.values})
        if share is not None:
            words = NO_GROUP.format(plan=plan.name, what=what, degree=degree, found="{found}")
            found.append([str(share.p), str(share.q), words, False])
    if plan.keep.q != 1:
        words = NO_RESHARD.format(plan=plan.name, among=plan.keep.q, found="{found}")
        found.append(["1", str(plan.multiple(study.values, study.built)), words, True])
    return found
