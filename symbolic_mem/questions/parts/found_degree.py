"""`FoundDegree`: the answer to a question about a number of devices, for JSON, claims, tables and documents alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from symbolic_mem.base.exact import symbolic
from symbolic_mem.base.ledger import Ledger, Line
from symbolic_mem.base.limit import Limit
from symbolic_mem.base.symbols import M_device, M_fixed
from symbolic_mem.document.prose import Chain, Prose, Typeset, amount, say, text
from symbolic_mem.plans.placement import Placed
from symbolic_mem.questions.parts.assumptions import assumptions
from symbolic_mem.questions.parts.bounded import TOO_MUCH, bound_summary, held_at, infeasible_words
from symbolic_mem.questions.parts.instants import instant_words
from symbolic_mem.questions.parts.lines import account_lines, degree_lines
from symbolic_mem.questions.parts.rules import reason_words
from symbolic_mem.questions.parts.tokens import TokensThatFit
from symbolic_mem.questions.parts.uncounted import uncounted_lines, uncounted_records
from symbolic_mem.questions.parts.words import capacity_summary, placement_sentences
from symbolic_mem.solvers.capacity import Capacity
from symbolic_mem.solvers.degree import Degree
from symbolic_mem.study.question import Claimed, Found


@dataclass(frozen=True, repr=False)
class FoundDegree(Found):
    """The degree under the rules, and where no number of devices is enough the tokens at which one would be."""

    capacity: Capacity
    degree: Degree
    lacking: TokensThatFit | None = None

    @property
    def value(self) -> int | None:
        """The smallest degree that obeys every rule and fits."""
        return self.degree.value

    @property
    def feasible(self) -> bool:
        """Whether there is such a degree."""
        return self.value is not None

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of memory that are kept and counted."""
        return self.study.memory.of(*self.question.counted).kinds

    @property
    def placement(self) -> Mapping[str, Placed]:
        """Where those kinds live."""
        return {kind: placed for kind, placed in self.study.placement.items() if kind in self.kinds}

    @property
    def reason(self) -> Prose | None:
        """Why there is no degree, and what would help."""
        if not self.degree.ideal.feasible:
            return infeasible_words(self.degree.ideal, self.capacity, self.lacking)
        return reason_words(self.degree)

    @property
    def assumptions(self) -> tuple[Prose, ...]:
        """What the answer takes for granted."""
        said = (*assumptions(self.study), *placement_sentences(self.kinds, self.placement))
        return (*said, *instant_words(self.study)) if "gradients" in self.question.counted else said

    @property
    def ledger(self) -> Ledger:
        """The account, what is divided and what is not, and what one device holds."""
        lines = (*account_lines(self.study, self.kinds), *degree_lines(self.degree.ideal.bound, self.capacity))
        return Ledger(lines if self.degree.profile.even else (*lines[:-1], self._held), self._known)

    @property
    def _held(self) -> Line:
        """What one device holds in whole sequences or rows."""
        return Line(M_device, self.degree.profile.written(self.symbol), "bytes", "what one device holds, in whole rows")

    @property
    def _known(self) -> dict[sp.Symbol, Any]:
        """The numbers of the study, with the answer in its place."""
        return {**self.study.values} if self.value is None else {**self.study.values, self.symbol: self.value}

    @property
    def symbol(self) -> sp.Symbol:
        """The degree that was solved for."""
        return self.degree.ideal.bound.symbol

    @property
    def summary(self) -> Iterator[tuple[str, Prose]]:
        """The bound, its condition, the capacity, each rule, and the neighbours of the answer in bytes."""
        solved, ideal = self.degree, self.degree.ideal
        yield from bound_summary(ideal)
        yield from capacity_summary(self.capacity)
        if not ideal.feasible:
            yield "", say("{why} {m}.", why=text(TOO_MUCH), m=Chain(M_fixed, (amount(symbolic(ideal.fixed), "GiB"),)))
        elif solved.rules:
            yield "no rule", text(str(ideal.value))
            for step in solved.steps:
                reached = "no such number" if step.after is None else str(step.after)
                pieces = {"rule": text(step.rule.words), "before": step.before, "reached": reached}
                yield "rule", say("{rule}: {before} → {reached}", **pieces)
        if solved.value is not None:
            yield held_at(solved.value, solved.profile.at(solved.value), fits=True)
        below = solved.largest_below
        if below is not None:
            yield held_at(below, solved.profile.at(below), fits=False)
        yield from uncounted_lines(self.study, self._known)
        for said in self.assumptions:
            yield "assumed", said

    @property
    def facts(self) -> Mapping[str, Any]:
        """The answer of a bound as ``solve --json`` prints it, with what the rules change."""
        ideal, bound = self.degree.ideal, self.degree.ideal.bound
        plain = {
            "for": str(bound.symbol),
            "feasible": ideal.feasible,
            "value": ideal.value,
            "formula": bound.formula,
            "latex": Typeset(bound.formula),
            "condition": bound.condition,
            "strict": bound.strict,
            "capacity_bytes": int(self.capacity.counted),
            "reading": self.capacity.reading,
            "device": self.capacity.device.name if self.capacity.device else None,
            "per_device_bytes": ideal.per_device_bytes,
            "at_value_minus_one_bytes": ideal.at_value_minus_one_bytes,
            "not_counted": uncounted_records(self.study, self._known),
            "assumptions": self.assumptions,
            "reason": self.reason,
        }
        return plain | _under_rules(self.degree) if ideal.feasible and self.degree.rules else plain


def _under_rules(solved: Degree) -> dict[str, Any]:
    """What the rules change: the answer, its neighbours, and each rule with the degree before and after it."""
    return {
        "feasible": solved.feasible,
        "value": solved.value,
        "per_device_bytes": solved.per_device_bytes,
        "at_value_minus_one_bytes": solved.at_value_minus_one_bytes,
        "largest_allowed_below": solved.largest_below,
        "at_largest_allowed_below_bytes": solved.at_largest_below_bytes,
        "value_without_rules": solved.ideal.value,
        "rules": [
            {"rule": step.rule.words, "before": step.before, "after": step.after, "changed": step.changed}
            for step in solved.steps
        ],
    }


def hardness(found: FoundDegree) -> float:
    """How much an answer asks for: the more devices, the more; most of all where no number is enough."""
    return float("inf") if found.value is None else found.value


def degree_claim(solved: Sequence[Degree], meaning: str) -> Claimed:
    """What can be claimed of a degree that was solved for at several instants: the one that asks for most counts."""
    chosen = max(solved, key=lambda one: float("inf") if one.value is None else one.value)
    ideal = chosen.ideal
    parts = None if chosen.rules else (ideal.divided, ideal.fixed, Limit(ideal.capacity, ideal.bound.strict))
    quotient = None if chosen.rules else ideal.quotient
    return Claimed(chosen.value, "devices", meaning, quotient=quotient, parts=parts)
