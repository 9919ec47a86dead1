"""A sweep given to threads, processes or a cluster is the sweep of one process; what a dead worker had is done again."""

from __future__ import annotations

import multiprocessing
import os
import signal
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

from symbolic_mem.sweeps import run
from symbolic_mem.sweeps.engine import Piece
from symbolic_mem.sweeps.plan import plan
from symbolic_mem.sweeps.run import answered
from symbolic_mem.sweeps.sweep import sweep

STUDY = "llama-3.1-8b"
AXES = {"B": range(1, 9), "S": range(512, 8193, 512), "L": [1, 2, 3, *range(8, 33)], "device": ["h100-80gb", "b200"]}
SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture(scope="module")
def alone():
    return sweep(STUDY, **AXES)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(run, "PIECE", 50)
    monkeypatch.setattr(run, "AHEAD", 4)


def same(one, other):
    assert one.dims == other.dims and one.words == other.words and list(one.columns) == list(other.columns)
    for name, column in one.columns.items():
        assert np.array_equal(column, other[name]), name


def test_threads(alone):
    with ThreadPoolExecutor(3) as executor:
        same(sweep(STUDY, executor=executor, **AXES), alone)


@pytest.mark.slow
def test_processes(alone):
    with ProcessPoolExecutor(2, mp_context=SPAWN) as executor:
        same(sweep(STUDY, executor=executor, **AXES), alone)


@pytest.mark.slow
def test_a_cluster(alone):
    distributed = pytest.importorskip("distributed", reason="Dask is optional")
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None)
    with cluster, distributed.Client(cluster) as client:
        same(sweep(STUDY, executor=client.get_executor(), **AXES), alone)


class Killing(Executor):
    """Processes of which one is killed once the third piece was handed over."""

    def __init__(self) -> None:
        self.pool = ProcessPoolExecutor(2, mp_context=SPAWN)
        self.handed = 0

    def submit(self, fn, /, *args, **kwargs):
        future = self.pool.submit(fn, *args, **kwargs)
        self.handed += 1
        if self.handed == 3:
            os.kill(next(iter(self.pool._processes)), signal.SIGKILL)
        return future

    def shutdown(self, wait=True, *, cancel_futures=False):
        self.pool.shutdown(wait, cancel_futures=cancel_futures)


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_nothing(alone):
    with Killing() as executor:
        found = sweep(STUDY, executor=executor, **AXES)
        assert executor.handed >= 3
        with pytest.raises(RuntimeError):
            executor.pool.submit(print)
    same(found, alone)


@pytest.mark.slow
def test_each_piece_comes_once_and_in_order_whatever_fails():
    pieces = list(plan(STUDY, axes=AXES).pieces(50))
    assert len(pieces) > 20

    class Failing(Executor):
        """Every third piece is lost, and from the tenth on none is taken."""

        def __init__(self) -> None:
            self.taken = 0

        def submit(self, fn, /, *args, **kwargs):
            self.taken += 1
            if self.taken > 10:
                raise RuntimeError("broken")
            future: Future = Future()
            if self.taken % 3:
                future.set_result(fn(*args, **kwargs))
            else:
                future.set_exception(OSError("lost"))
            return future

    found = list(answered(pieces, Failing()))
    assert [piece for piece, _ in found] == pieces
    for piece, columns in found:
        own = piece.answer()
        assert all(np.array_equal(columns[name], own[name]) for name in own)


def test_what_is_wrong_with_a_piece_is_raised_here(monkeypatch):
    def fail(self):
        raise ZeroDivisionError("a fault of the piece")

    monkeypatch.setattr(Piece, "answer", fail)
    with ThreadPoolExecutor(2) as executor, pytest.raises(ZeroDivisionError, match="a fault of the piece"):
        sweep(STUDY, executor=executor, **AXES)
