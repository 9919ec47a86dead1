"""What is said of a number that depends on what one counts, such as the operations of an optimizer for each parameter."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from symbolic_mem.base.rational import symbolic
from symbolic_mem.base.values import dataclass
from symbolic_mem.claims.explain import Explanation
from symbolic_mem.claims.rule import right_to
from symbolic_mem.claims.verdict import Verdict
from symbolic_mem.document.prose import Amount, Prose, say, text
from symbolic_mem.document.words import about
from symbolic_mem.study.claimed import Counts


@dataclass(frozen=True)
class Counting:
    """The `counts` that a `verdict` depends on: so many for each are `claimed`, and so many the study has `here`."""

    verdict: Verdict
    counts: Counts
    claimed: Fraction
    here: Fraction

    @property
    def otherwise(self) -> bool:
        """Whether the claim is right, and counts otherwise than the study."""
        verdict = self.verdict
        if not verdict.right or verdict.stated.number is None or self.claimed == self.here:
            return False
        exact = self.here * Fraction(self.counts.each) / verdict.stated.scale
        return verdict.compared is not None or right_to(exact, verdict.stated.number) is None

    def right(self, figures: str, exact: Prose, **pieces: Any) -> Prose:
        """Say that it is right by another count, and what the study has."""
        return say(
            "{claim} is right{figures} with {count} {words}. The study counts {here}, and has {n}; its source does not settle what counts.",
            count=text(str(round(self.claimed))),
            figures=text(f" to {figures}" if figures else ""),
            words=text(self.counts.words),
            here=_each(self.here),
            n=exact,
            **pieces,
        )

    @property
    def wrong(self) -> Prose:
        """Say of a wrong claim which counts would be right, and how many it has for each."""
        return say(
            "Its source does not settle what counts: from {least} to {most} {words} are right; the study counts {here}, and the claim has {there}.",
            least=text(str(self.counts.least)),
            most=text(str(self.counts.most)),
            words=text(self.counts.words),
            here=_each(self.here),
            there=_each(self.claimed),
        )

    def of(self, explanation: Explanation) -> str:
        """With how many for each an explanation gives the claim, where the study has another number."""
        if not explanation.value or self.verdict.value is None:
            return ""
        count = round(self.here * self.verdict.value / explanation.value)
        return f", with {count} {self.counts.words}" if count != self.here else ""


def counting(verdict: Verdict) -> Counting | None:
    """Return what a verdict depends on; None where nothing is left open.

    >>> from symbolic_mem.claims.check import check
    >>> from symbolic_mem.library.read import load_study
    >>> found = counting(check(load_study("cs336-a1-adamw"), "F_adamw=21.27e9"))
    >>> round(found.claimed), int(found.here), found.otherwise
    (10, 14, True)
    """
    counts = verdict.claimed.counts
    if counts is None or verdict.value is None or verdict.expected is None:
        return None
    each = Fraction(counts.each)
    return Counting(verdict, counts, verdict.value / each, verdict.expected / each)


def _each(number: Fraction) -> Prose:
    return about(Amount(symbolic(number), digits=3))
