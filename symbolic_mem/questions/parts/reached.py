"""What an answer has reached where its unknown ends, or where the memory stops to grow with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp

from symbolic_mem.base.exact import number
from symbolic_mem.base.symbols import f_load, n_ep
from symbolic_mem.document.prose import Prose, say, text
from symbolic_mem.plans.rests import most_load
from symbolic_mem.study.study import Study


def reached(
    study: Study, symbol: sp.Symbol, value: int | None, windows: tuple[sp.Expr, ...], known: Mapping[sp.Symbol, Any]
) -> tuple[Prose, ...]:
    """Say what a largest `value` has reached: the end of the sliding `windows`, or a load that no rank exceeds."""
    if value is None:
        return ()
    return _load(study, value) if symbol == f_load else _windows(windows, value, known)


def _windows(windows: tuple[sp.Expr, ...], value: int, known: Mapping[sp.Symbol, Any]) -> tuple[Prose, ...]:
    """Say whether the sliding `windows` are full at so many tokens, where the memory grows up to them only."""
    if not windows:
        return ()
    window = sp.Max(*windows)
    full = value >= number(window, known, "the sliding window")
    words = "are full, and their caches no longer grow" if full else "are not full yet, and their caches still grow"
    return (say("At the answer the sliding windows of {window} tokens {words}.", window=window, words=text(words)),)


def _load(study: Study, load: int) -> tuple[Prose, ...]:
    """Say whether any load of the routed experts fits, or not all rows that there are."""
    most = None if study.plan is None else most_load(dict(study.plan.cuts), study.built, study.values)
    if most is None:
        return ()
    pieces = {"most": most, "ranks": study.values[n_ep]}
    if load >= most:
        return (
            say("All rows of the {ranks} ranks that share the experts are {most} percent: any load fits.", **pieces),
        )
    return (
        say("All rows of the {ranks} ranks that share the experts are {most} percent, which do not fit.", **pieces),
    )
