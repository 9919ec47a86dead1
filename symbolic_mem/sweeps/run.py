"""Pieces answered one after the other, or by an executor, in order; what a dead worker had is done again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from typing import Any

from symbolic_mem.sweeps.engine import Piece


def answered(pieces: Iterable[Piece], executor: Executor | None) -> Iterator[tuple[Piece, dict[str, Any]]]:
    """Yield each piece with its columns, in order."""
    if executor is None:
        for piece in pieces:
            yield piece, piece.answer()
        return
    waiting: deque[tuple[Piece, Any]] = deque()
    for piece in pieces:
        waiting.append((piece, executor.submit(Piece.answer, piece)))
        if len(waiting) > 16:
            first, future = waiting.popleft()
            yield first, future.result()
    for piece, future in waiting:
        yield piece, future.result()
