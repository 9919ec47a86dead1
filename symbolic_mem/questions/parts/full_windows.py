"""Whether the sliding windows are full at an answer, where the memory stops to grow with the unknown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sympy as sp

from symbolic_mem.base.exact import number
from symbolic_mem.document.prose import Prose, say, text


def full_windows(windows: tuple[sp.Expr, ...], value: int | None, known: Mapping[sp.Symbol, Any]) -> Iterator[Prose]:
    """Say whether the sliding `windows` are full at so many tokens, where the memory grows up to them only."""
    if value is None or not windows:
        return
    window = sp.Max(*windows)
    full = value >= number(window, known, "the sliding window")
    words = "are full, and their caches no longer grow" if full else "are not full yet, and their caches still grow"
    yield say("At the answer the sliding windows of {window} tokens {words}.", window=window, words=text(words))
