"""Which fraction of each kind is divided over which degree, and whether the rest is kept everywhere or dropped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy as sp

from symbolic_mem.errors import BadInput, nearest
from symbolic_mem.terms import KINDS, Memory, Term

RESTS = ("kept", "dropped")


@dataclass(frozen=True)
class Placed:
    """`fraction` of a kind is divided over `degree`; the rest is ``kept`` on every device or ``dropped``."""

    degree: sp.Expr
    fraction: sp.Rational = sp.S.One
    rest: str = "kept"

    def __post_init__(self) -> None:
        if not 0 <= self.fraction <= 1:
            raise BadInput(f"the fraction that is divided is {self.fraction}; it must lie between 0 and 1")
        if self.rest not in RESTS:
            raise BadInput(f"the rest is {self.rest!r}; {nearest(self.rest, RESTS)}")


def over(degree: sp.Expr, fraction: sp.Rational | int | str = 1, rest: str = "kept") -> Placed:
    """Divide `fraction` of a kind over `degree` devices; each device also keeps the rest, unless it is ``dropped``.

    >>> from symbolic_mem.symbols import n_fsdp
    >>> over(n_fsdp, "1/2", rest="dropped").fraction
    1/2
    """
    from symbolic_mem.formula import read_number

    exact = sp.Rational(0) if str(fraction) == "0" else read_number(str(fraction), "fraction")
    return Placed(degree, exact, rest)


def place(memory: Memory, placements: Mapping[str, Placed]) -> Memory:
    """Return the memory of one device; a kind without a placement stays whole on every device.

    ZeRO stages 1, 2, 3 (Rajbhandari et al., 2020, section 5) divide the optimizer state, then also the gradients,
    then also the weights; CS336's half of the activations is fraction 1/2.
    """
    for kind in placements:
        if kind not in KINDS:
            raise BadInput(f"unknown kind {kind!r} of memory; {nearest(kind, KINDS)}")
    terms: list[Term] = []
    for term in memory.terms:
        terms += _placed(term, placements.get(term.kind))
    return Memory(tuple(terms), memory.definitions)


def _placed(term: Term, placed: Placed | None) -> list[Term]:
    if placed is None:
        return [term]
    whole = placed.fraction == 1
    terms = []
    if placed.fraction != 0:
        name = term.name if whole else f"{term.name}, divided part"
        terms.append(term.scaled(placed.fraction, name, term.degree * placed.degree))
    if not whole and placed.rest == "kept":
        name = term.name if placed.fraction == 0 else f"{term.name}, kept part"
        terms.append(term.scaled(1 - placed.fraction, name, term.degree))
    return terms
