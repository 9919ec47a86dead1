"""Pieces answered one after the other, or by an executor, in order; what a dead worker had is done again."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

from symbolic_mem.sweeps.engine import Piece
from symbolic_mem.sweeps.plan import Plan

Answered = tuple[Piece, dict[str, Any]]
PIECE = 1 << 20
"""Configurations of a piece: so many that handing them over is little beside answering them."""
AHEAD = 16


def answers(plan: Plan, size: int, executor: Executor | None = None) -> Iterator[Answered]:
    """Yield the pieces of a plan with their columns; compiled ones, which leave the interpreter, on all cores by threads."""
    if executor is not None or plan.engine != "numba":
        yield from answered(plan.pieces(size), executor)
        return
    with ThreadPoolExecutor(cores()) as threads:
        yield from answered(plan.pieces(size), threads, 2 * cores())


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def answered(pieces: Iterable[Piece], executor: Executor | None = None, ahead: int = 0) -> Iterator[Answered]:
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
            if len(waiting) > (ahead or AHEAD):
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
