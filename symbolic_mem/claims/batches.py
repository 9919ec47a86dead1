"""Claims about the compute-bound batch: in tokens of the whole batch, per chip, per FSDP rank, or in sequences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import ceil, floor

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import evaluate, fraction, number
from symbolic_mem.base.symbols import N_devices, S, X
from symbolic_mem.claims.case import Case
from symbolic_mem.claims.quantities import Quantity, Result
from symbolic_mem.questions.parts.setting import setting
from symbolic_mem.solvers.critical import critical
from symbolic_mem.solvers.optimum import best_mesh

_DIGITS = 50
UNITS = ("batch", "chip", "rank", "sequence")
_NAMES = {"batch": "batch_tokens", "chip": "batch_tokens_per_chip", "rank": "batch_tokens_per_rank"}
_MEANINGS = {
    "batch": "tokens in the smallest compute-bound batch",
    "chip": "tokens per chip (B/N) in the smallest compute-bound batch",
    "rank": "tokens per FSDP rank (B/X) in the smallest compute-bound batch",
    "sequence": "sequences in the smallest compute-bound batch",
}


def batches() -> dict[str, Quantity]:
    """Return what can be claimed about the compute-bound batch of a study with a network, by name.

    >>> list(batches())
    ['batch_tokens', 'batch_tokens_per_chip', 'batch_tokens_per_rank', 'batch_sequences']
    """
    names = _NAMES | {"sequence": "batch_sequences"}
    found = (Quantity(names[unit], "tokens", _MEANINGS[unit], _per(unit)) for unit in UNITS)
    return {quantity.name: quantity for quantity in found}


def _per(unit: str) -> Callable[[Case], Result]:
    def compute(case: Case) -> Result:
        tokens, by = _tokens(case)
        inputs = (tokens, case.per, case.first, case.rounding)
        if tokens is None:
            return Result(None, inputs=inputs)
        if case.first and tokens > 0:
            tokens = (floor(tokens / by[case.first]) + 1) * by[case.first]
            quotient = tokens / by[case.per or unit]
            return Result(Fraction(ceil(quotient)), quotient, inputs)
        quotient = tokens / by[case.per or unit]
        whole = {"up": floor(quotient) + 1, "down": floor(quotient), "nearest": floor(quotient + Fraction(1, 2))}
        return Result(Fraction(whole[case.rounding]), quotient, inputs)

    return compute


def _tokens(case: Case) -> tuple[Fraction | None, dict[str, Fraction]]:
    """Tokens that the batch must exceed (None: no batch is enough), and tokens of one of each unit."""
    study = case.study
    if study is None or study.network is None:
        raise BadInput("a claim about the compute-bound batch needs a study with a [network]")
    found = setting(replace(study, values=case.at), *case.scheme)
    values = {symbol: sp.sympify(value) for symbol, value in found.values.items()}
    ranks = values.get(X, sp.S.One)
    if case.axes == "optimal":
        best = best_mesh(found.roofline)
        tokens: sp.Expr | None = evaluate(best.tokens(case.overlap), values, "the critical batch")
        ranks = evaluate(best.x_at(case.overlap), values, "the best mesh")
    else:
        tokens = critical(found.roofline, case.overlap).at(values)
    by = {"batch": Fraction(1), "chip": fraction(number(N_devices, values, "the claim")), "rank": _close(ranks)}
    by["sequence"] = fraction(number(S, values, "the claim in sequences")) if S in values else Fraction(1)
    return None if tokens is None else _close(tokens), by


def _close(number: sp.Expr) -> Fraction:
    """The number exactly, or to 50 figures where it has a root: only how a claim is rounded depends on it."""
    return fraction(number) if number.is_Rational else Fraction(str(sp.N(number, _DIGITS)))
