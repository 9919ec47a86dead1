"""Pieces answered one after the other, or by an executor, in order; what a dead worker had is done again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import Any

from symbolic_mem.sweeps.engine import Piece

Answered = tuple[Piece, dict[str, Any]]
PIECE = 1 << 20
"""Configurations of a piece: so many that handing them over is little beside answering them."""
AHEAD = 16


def answered(pieces: Iterable[Piece], executor: Executor | None = None) -> Iterator[Answered]:
    """Yield each piece with its columns, in order; an executor is kept busy with a few pieces ahead.

    A piece whose worker died, or that an executor which broke does not take, is answered here: none is lost, and none
    is yielded twice. What is wrong with the piece itself is raised here, too.
    """
    if executor is None:
        yield from ((piece, piece.answer()) for piece in pieces)
        return
    waiting: deque[tuple[Piece, Future[dict[str, Any]] | None]] = deque()
    try:
        for piece in pieces:
            waiting.append((piece, _submitted(executor, piece)))
            if len(waiting) > AHEAD:
                yield _result(*waiting.popleft())
        while waiting:
            yield _result(*waiting.popleft())
    finally:
        for _, future in waiting:
            if future is not None:
                future.cancel()


def _submitted(executor: Executor, piece: Piece) -> Future[dict[str, Any]] | None:
    try:
        return executor.submit(Piece.answer, piece)
    except RuntimeError:  # broken, or shut down
        return None


def _result(piece: Piece, future: Future[dict[str, Any]] | None) -> Answered:
    if future is None:
        return piece, piece.answer()
    try:
        return piece, future.result()
    except Exception:  # noqa: BLE001 - executors name the loss of a worker as they like
        return piece, piece.answer()
