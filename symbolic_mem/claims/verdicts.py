"""What `check` found, in words and as JSON: right or wrong, by how much, and the slip that gives the claimed number."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from symbolic_mem.base.rational import symbolic
from symbolic_mem.claims.check import Explanation, Verdict
from symbolic_mem.document.prose import Amount, Prose, say, text
from symbolic_mem.document.words import about, listed, sentences

MAX_EXPLANATIONS = 6


def verdict_words(verdict: Verdict) -> Prose:
    """Say in one paragraph whether the claim is right, by how much it is off, and which slips give it.

    >>> from symbolic_mem.claims.check import check
    >>> from symbolic_mem.render.text import plain_prose
    >>> from symbolic_mem.library.read import load_study
    >>> plain_prose(verdict_words(check(load_study("cs336-a2-xxl"), "static=3276 GiB")))
    'static = 3276 GiB is right: it is the exact number.'
    """
    return sentences(_verdict(verdict), *verdict.beside)


def _verdict(verdict: Verdict) -> Prose:
    claim, label = verdict.claim, verdict.question
    stated = f"{claim.name} = {claim.text}"
    pieces = {"claim": text(stated if label is None else f"{stated} (question {label})")}
    if verdict.right and claim.number is None:
        return say("{claim} is right: {none}.", none=_none(verdict), **pieces)
    if verdict.right and verdict.claimed.measures == "devices" and claim.whole:
        return say("{claim} is right: it is the exact number, and what is kept fits there.", **pieces)
    if verdict.right and not verdict.rounded:
        return say("{claim} is right: it is the exact number.", **pieces)
    if verdict.right:
        return say("{claim} is right, rounded: the exact number is {n}.", n=_exact(verdict, verdict.truth), **pieces)
    return sentences(_wrong(verdict, pieces), _slips(verdict))


def _wrong(verdict: Verdict, pieces: dict[str, Any]) -> Prose:
    if verdict.expected is None:
        return say("{claim} is wrong: {none}.", none=_none(verdict), **pieces)
    number = verdict.expected if verdict.claim.number is None else verdict.truth
    pieces |= {"n": _exact(verdict, number)}
    if verdict.difference is None or verdict.claim.value is None:
        return say("{claim} is wrong: the number exists, and it is {n}.", **pieces)
    few, many = ("too few", "too many") if verdict.claimed.whole else ("too little", "too much")
    pieces |= {"off": _exact(verdict, abs(verdict.difference)), "side": few if verdict.difference < 0 else many}
    if not verdict.ratio:
        return say("{claim} is wrong: it is {n}, so the claim is {off} {side}.", **pieces)
    percent = f"{float(100 * (verdict.ratio - 1)):+.2g} %"
    return say("{claim} is wrong: it is {n}, so the claim is {off} {side} ({percent}).", percent=percent, **pieces)


def _none(verdict: Verdict) -> str:
    """That there is no number, in words."""
    if verdict.claimed.measures == "devices":
        return "no number of devices is enough"
    return "no batch is large enough" if verdict.claimed.measures == "tokens" else "there is no such number"


def _exact(verdict: Verdict, value: Fraction | None) -> Prose:
    number = symbolic(value or Fraction(0))
    if verdict.claimed.measures == "bytes":
        return about(Amount(number, verdict.claim.unit or "bytes", digits=6))
    return about(Amount(number, digits=6))


def _slips(verdict: Verdict) -> Prose:
    found = verdict.explanations
    if not found:
        return text("No known slip, and no pair of them, gives this number.")
    names = [_named(one) for one in found[:MAX_EXPLANATIONS]]
    if len(found) == 1 and len(found[0].slips) == 1:
        return say("One slip gives it: {names}.", names=text(names[0]))
    listing = text("; ".join(names))
    if all(len(one.slips) == 1 for one in found):
        return say(
            "Each of these slips alone gives it, and the number cannot tell which: {names}.",
            names=listing,
        )
    if len(found) == 1:
        return say("No single slip gives it, but two together do: {names}.", names=listing)
    more = len(found) - MAX_EXPLANATIONS
    if more > 0:
        return say("No single slip gives it; these pairs do: {names}; and {more} more pairs.", names=listing, more=more)
    return say("No single slip gives it; these pairs do: {names}.", names=listing)


def _named(explanation: Explanation) -> str:
    return listed([f"“{slip.name}” ({slip.sentence})" for slip in explanation.slips])


def verdict_record(study: str, verdict: Verdict) -> Mapping[str, Any]:
    """Return a checked claim as ``check --json`` lists it; bytes or counts, exact where they are whole."""
    return {
        "study": study,
        "question": verdict.question,
        "claim": f"{verdict.claim.name}={verdict.claim.text}",
        "quantity": verdict.claim.name,
        "measures": verdict.claimed.measures,
        "right": verdict.right,
        "rounded": verdict.rounded,
        "claimed": verdict.claim.value,
        "expected": verdict.expected,
        "quotient": verdict.quotient,
        "difference": verdict.difference,
        "explanations": [
            {
                "slips": [{"name": slip.name, "sentence": slip.sentence, "source": slip.source} for slip in one.slips],
                "value": one.value,
            }
            for one in verdict.explanations
        ],
        "assumptions": verdict.beside,
        "sentence": verdict_words(verdict),
    }
