"""Mathematics in words that a user wrote: what stands between two `$` is a formula, where it can be read as one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.formula import read_formula, write_formula
from symbolic_mem.base.symbols import table
from symbolic_mem.document.prose import Chain, Prose

# A sign of a price is none: nothing is open before a space, and nothing closed after one or before a digit.
_PAIR = re.compile(r"\$(?! )([^$\n]{1,200})(?<! )\$(?!\d)")
_RELATION = re.compile(r"(<=|>=|≤|≥|≈|=|<|>)")
_SIGNS = {"<=": "≤", ">=": "≥"}


def marked(words: str, names: Mapping[str, sp.Symbol] | None = None) -> Prose:
    """Return words as a sentence, with the formulas between its `$` as mathematics; what is no formula stays as it is.

    Formulas are those of a study, over its symbols and the `names` that it has besides; one relation may stand in each.

    >>> marked("at most $4*d_model$ of $x = 1$, for $5 or $6").parts
    ('at most ', 4*d_model, ' of $x = 1$, for $5 or $6')
    """
    if "$" not in words:
        return Prose((words,))
    known = {name.symbol.name: name.symbol for name in table()} | dict(names or {})
    parts: list[Any] = []
    start = at = 0
    while (found := _PAIR.search(words, at)) is not None:
        formula = _read(found[1], known)
        if formula is None:
            at = found.start() + 1
            continue
        parts += [words[start : found.start()], formula]
        start = at = found.end()
    return Prose(tuple(part for part in (*parts, words[start:]) if part != ""))


def unmarked(words: str, names: Mapping[str, sp.Symbol] | None = None) -> str:
    """Return the words without the `$` around their formulas, for a place that knows plain text alone.

    >>> unmarked("the smallest $n_fsdp$ under $80")
    'the smallest n_fsdp under $80'
    """

    def plain(part: Any) -> str:
        if isinstance(part, Chain):
            return " ".join((plain(part.left), *(f"{sign} {plain(side)}" for sign, side in part.links)))
        return part if isinstance(part, str) else write_formula(part)

    return "".join(map(plain, marked(words, names).parts))


def _read(formula: str, names: Mapping[str, sp.Symbol]) -> sp.Expr | Chain | None:
    """A formula, or two with a relation between them; None where it is neither."""
    left, *rest = _RELATION.split(formula)
    try:
        sides = [read_formula(side, names) for side in (left, *rest[1::2])]
    except BadInput:
        return None
    if len(sides) > 2:
        return None
    return sides[0] if not rest else Chain(sides[0], ((_SIGNS.get(rest[0], rest[0]), sides[1]),), asked=True)
