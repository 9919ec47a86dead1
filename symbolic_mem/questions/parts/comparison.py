"""What a comparison found: both variants, and the terms and tensors that explain the gap between them, with bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import sympy as sp

from symbolic_mem.accounts.gaps import Gap, factored
from symbolic_mem.accounts.tensor_gaps import TensorGap
from symbolic_mem.base.errors import MissingValue
from symbolic_mem.base.exact import Values, at, missing
from symbolic_mem.base.formula import write_formula
from symbolic_mem.base.ledger import Ledger, Line
from symbolic_mem.base.rational import rounded_up
from symbolic_mem.base.symbols import local
from symbolic_mem.base.values import dataclass
from symbolic_mem.questions.parts.peaks import Fullest, fullest, peak
from symbolic_mem.questions.parts.sides import Variant
from symbolic_mem.study.found import Found

FIRST, SECOND = local("M", "first"), local("M", "second")
DIFFERENCE = local("difference", "")
G = TypeVar("G", Gap, TensorGap)


@dataclass(frozen=True)
class Sized(Generic[G]):
    """A gap, its difference as a formula, and that many bytes; of each side, too. None while a symbol has no value."""

    gap: G
    formula: sp.Expr
    bytes: sp.Rational | None
    first: sp.Rational | None
    second: sp.Rational | None


def sized(gap: G, values: Values) -> Sized[G]:
    """Give a gap its bytes."""
    return Sized(gap, factored(gap.difference), *(at(size, values) for size in (gap.difference, *gap.sides)))


@dataclass(frozen=True, repr=False)
class FoundGaps(Found):
    """Two variants with their bytes, the terms that differ, and inside the activations the tensors that differ.

    `difference` is what the second needs more than the first; the differences of the terms sum to it. They are terms of what is
    kept; the `peaks` of a step on one device stand beside them, where its instants are known on both sides.
    """

    a: Variant
    b: Variant
    a_bytes: sp.Rational | None
    b_bytes: sp.Rational | None
    terms: tuple[Sized[Gap], ...]
    tensors: tuple[Sized[TensorGap], ...]
    difference: sp.Expr
    bytes: sp.Rational | None
    peaks: tuple[Fullest, Fullest] | None = None

    @property
    def same(self) -> bool:
        """Whether nothing that is compared is left to tell the sides apart."""
        return not (self.a.set_apart or self.b.set_apart)

    @property
    def instead(self) -> tuple[str, ...]:
        """What the caller changed, in words, where the question itself changes it between its sides."""
        last = {change.aspect: change.words for change in self.study.caller}
        aspects = dict.fromkeys(change.aspect for change in self.question.otherwise)
        return tuple(last[aspect] for aspect in aspects if aspect in last)

    @property
    def values(self) -> Values:
        """The numbers of both sides, which are those of the study."""
        return self.a.study.values

    @property
    def value(self) -> Any:
        """Bytes that the second side needs more than the first; None while a symbol has no value."""
        return self.bytes

    @property
    def largest(self) -> Sized[Gap] | None:
        """The term that differs most; None where nothing differs, or a symbol has no value."""
        if any(term.bytes is None for term in self.terms):
            return None
        return max(self.terms, key=lambda term: abs(term.bytes or sp.S.Zero), default=None)

    def totals(self) -> tuple[sp.Rational, sp.Rational]:
        """Bytes of both sides; raises `MissingValue` naming the symbols without a value."""
        if self.a_bytes is None or self.b_bytes is None:
            raise MissingValue(self.absent, f"question {self.question.label}")
        return self.a_bytes, self.b_bytes

    @property
    def absent(self) -> tuple[str, ...]:
        """The symbols without a value that both totals need."""
        return missing(self.a.memory.total + self.b.memory.total, self.values)

    @property
    def ledger(self) -> Ledger:
        """Both totals, and their difference."""
        lines = (
            Line(FIRST, self.a.memory.total, "bytes", self.a.name),
            Line(SECOND, self.b.memory.total, "bytes", self.b.name),
            Line(DIFFERENCE, SECOND - FIRST, "bytes", "what the second needs more than the first"),
        )
        return Ledger(lines, self.values)

    @property
    def facts(self) -> Mapping[str, Any]:
        """Both totals, the difference, and every term and tensor with its formula and bytes."""
        return {
            "first": _side(self.a, self.a_bytes, self.peaks and self.peaks[0]),
            "second": _side(self.b, self.b_bytes, self.peaks and self.peaks[1]),
            "per_device": self.a.placed,
            "difference_formula": write_formula(self.difference),
            "difference_bytes": self.bytes,
            "gaps": [{"term": term.gap.name, "kind": term.gap.kind, **_gap(term)} for term in self.terms],
            "tensors": [{"layer": each.gap.layer, "tensor": each.gap.tensor, **_gap(each)} for each in self.tensors],
        }


def peak_of(side: Variant) -> Fullest | None:
    """The fullest instant of a step on one device; None where the whole memory is compared, or no instants are known."""
    if not side.placed:
        return None
    try:
        found = fullest([side.study.seen_at(one) for one in side.study.timeline], side.study.values)
    except MissingValue:
        return None
    return peak(found) if found else None


def _side(side: Variant, size: sp.Rational | None, most: Fullest | None) -> dict[str, Any]:
    peaks = {} if most is None else {"peak_bytes": rounded_up(most.bytes), "instant": most.words}
    return {"name": side.name, "formula": write_formula(side.memory.total), "bytes": size, **peaks}


def _gap(each: Sized[Any]) -> dict[str, Any]:
    sides = {"first_bytes": each.first, "second_bytes": each.second}
    return {"formula": write_formula(each.formula), **sides, "bytes": each.bytes, "reason": each.gap.reason}
