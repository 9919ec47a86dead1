"""A checked claim as JSON."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from symbolic_mem.claims.check import Verdict
from symbolic_mem.render.text import plain_prose


def verdict_json(study: str, verdict: Verdict) -> dict[str, Any]:
    """Return a checked claim as ``check --json`` lists it; bytes or counts, exact where they are whole."""
    from symbolic_mem.claims.verdicts import verdict_words

    return {
        "study": study,
        "question": verdict.question,
        "claim": f"{verdict.claim.name}={verdict.claim.text}",
        "quantity": verdict.quantity.name,
        "measures": verdict.quantity.measures,
        "right": verdict.right,
        "rounded": verdict.rounded,
        "claimed": _plain_number(verdict.claim.value),
        "expected": _plain_number(verdict.expected),
        "quotient": _plain_number(verdict.quotient),
        "difference": _plain_number(verdict.difference),
        "explanations": [
            {
                "slips": [{"name": slip.name, "sentence": slip.sentence, "source": slip.source} for slip in one.slips],
                "value": _plain_number(one.value),
            }
            for one in verdict.explanations
        ],
        "sentence": plain_prose(verdict_words(verdict)),
    }


def _plain_number(value: Fraction | None) -> int | float | None:
    if value is None:
        return None
    return int(value) if value.denominator == 1 else float(value)
