"""What can be claimed about the compute-bound batch: tokens of the whole batch, per chip, per FSDP rank, or sequences."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

import sympy as sp

from symbolic_mem.base.exact import Values
from symbolic_mem.base.rational import fraction
from symbolic_mem.base.symbols import N_devices, S
from symbolic_mem.study.claimed import Claimed

if TYPE_CHECKING:
    from symbolic_mem.questions.parts.conventions import Threshold

_DIGITS = 50
_UNITS = {"sequence": "sequences"}
NAMES = {
    "batch_tokens": ("batch", "tokens in the smallest compute-bound batch"),
    "batch_tokens_per_chip": ("chip", "tokens per chip (T/N) in the smallest compute-bound batch"),
    "batch_tokens_per_rank": ("rank", "tokens per FSDP rank (T/X) in the smallest compute-bound batch"),
    "batch_sequences": ("sequence", "sequences in the smallest compute-bound batch"),
}
BOUNDS = {
    "T_min": ("batch", "tokens", "tokens that a compute-bound batch must exceed"),
    "T_min_per_chip": ("chip", "tokens per chip", "tokens per chip (T/N) that a compute-bound batch must exceed"),
    "T_min_per_rank": ("rank", "tokens per rank", "tokens per FSDP rank (T/X) that a compute-bound batch must exceed"),
}


def batch_claims(used: Threshold, known: Values) -> dict[str, Claimed]:
    """Return every way to count the batch of a threshold, in whole numbers above the bound, and the bound itself.

    A batch is counted in sequences only where the length S of one is `known`.
    """
    sizes = {"batch": Fraction(1), "chip": close(known[N_devices]), "rank": close(used.x or sp.S.One)}
    if S in known:
        sizes["sequence"] = close(known[S])
    whole = {
        name: _claimed(used.tokens, unit, meaning, sizes) for name, (unit, meaning) in NAMES.items() if unit in sizes
    }
    if used.tokens is None:
        return whole
    exact = close(used.tokens)
    return whole | {
        name: Claimed(exact / sizes[counted], "number", meaning, unit=unit)
        for name, (counted, unit, meaning) in BOUNDS.items()
    }


def _claimed(tokens: sp.Expr | None, unit: str, meaning: str, sizes: Mapping[str, Fraction]) -> Claimed:
    if tokens is None:
        return Claimed(
            None, "tokens", meaning, per=sizes, counted=unit, unit=_UNITS.get(unit, "tokens"), extreme="least"
        )
    exact = close(tokens)
    quotient = exact / sizes[unit]
    whole = floor(quotient) + 1
    counts = _UNITS.get(unit, "tokens")
    return Claimed(
        whole, "tokens", meaning, quotient, tokens=exact, per=sizes, counted=unit, unit=counts, extreme="least"
    )


def close(number: sp.Expr) -> Fraction:
    """Return a number exactly, or to 50 figures where it has a root: only how a claim is rounded depends on it.

    >>> close(sp.Rational(184000, 9))
    Fraction(184000, 9)
    """
    return fraction(number) if number.is_Rational else Fraction(str(sp.N(number, _DIGITS)))
