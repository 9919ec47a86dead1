"""What `check` found, in words: right or wrong, by how much, and the slip that gives the claimed number."""

from __future__ import annotations

from fractions import Fraction

import sympy as sp

from symbolic_mem.claims.check import Explanation, Verdict
from symbolic_mem.document.prose import Amount, Prose, say, text
from symbolic_mem.document.words import about, listed

MAX_EXPLANATIONS = 6


def verdict_words(verdict: Verdict) -> Prose:
    """Say in one paragraph whether the claim is right, by how much it is off, and which slips give it.

    >>> from symbolic_mem.claims.check import check
    >>> from symbolic_mem.render.text import plain_prose
    >>> from symbolic_mem.library.read import load_study
    >>> plain_prose(verdict_words(check(load_study("cs336-a2-xxl"), "static=3276 GiB")))
    'static = 3276 GiB is right: it is the exact number.'
    """
    claim = verdict.claim
    where = f" (question {verdict.question})" if verdict.question is not None else ""
    start = f"{claim.name} = {claim.text}{where}"
    if verdict.right:
        if claim.number is None:
            return text(f"{start} is right: no number of devices is enough.")
        if not verdict.rounded:
            return text(f"{start} is right: it is the exact number.")
        return say(f"{start} is right, rounded: the exact number is {{n}}.", n=_exact(verdict, _truth(verdict)))
    if verdict.expected is None:
        start = f"{start} is wrong: no number of devices is enough."
        return say("{start} {why}", start=text(start), why=_slips(verdict))
    expected = _exact(verdict, _truth(verdict))
    if verdict.difference is None or claim.value is None:
        return say(f"{start} is wrong: the number exists, and it is {{n}}. {{why}}", n=expected, why=_slips(verdict))
    off = _exact(verdict, abs(verdict.difference))
    words = ("too few", "too many") if verdict.quantity.counted else ("too little", "too much")
    side = words[0] if verdict.difference < 0 else words[1]
    ratio = "" if not verdict.ratio else f" ({float(100 * (verdict.ratio - 1)):+.2g} %)"
    return say(
        f"{start} is wrong: it is {{n}}, so the claim is {{off}} {side}{ratio}. {{why}}",
        n=expected,
        off=off,
        why=_slips(verdict),
    )


def _truth(verdict: Verdict) -> Fraction:
    exact = verdict.quantity.counted and not verdict.claim.whole and verdict.quotient is not None
    found = verdict.quotient if exact else verdict.expected
    assert found is not None
    return found


def _exact(verdict: Verdict, value: Fraction) -> Prose:
    number = sp.Rational(value.numerator, value.denominator)
    if verdict.quantity.measures == "bytes":
        return about(Amount(number, verdict.claim.unit or "bytes", digits=6))
    return about(Amount(number, digits=6))


def _slips(verdict: Verdict) -> Prose:
    found = verdict.explanations
    if not found:
        return text("No known slip, and no pair of them, gives this number.")
    if len(found) == 1 and len(found[0].slips) == 1:
        return text(f"One slip gives it: {_named(found[0])}.")
    if all(len(one.slips) == 1 for one in found):
        words = [_named(one) for one in found[:MAX_EXPLANATIONS]]
        return text(f"Each of these slips alone gives it, and the number cannot tell which: {'; '.join(words)}.")
    words = [_named(one) for one in found[:MAX_EXPLANATIONS]]
    more = f"; and {len(found) - MAX_EXPLANATIONS} more pairs" if len(found) > MAX_EXPLANATIONS else ""
    start = (
        "No single slip gives it, but two together do" if len(found) == 1 else "No single slip gives it; these pairs do"
    )
    return text(f"{start}: {'; '.join(words)}{more}.")


def _named(explanation: Explanation) -> str:
    if len(explanation.slips) == 1:
        slip = explanation.slips[0]
        return f"“{slip.name}” ({slip.sentence})"
    return listed([f"“{slip.name}” ({slip.sentence})" for slip in explanation.slips])
