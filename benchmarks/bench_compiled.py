"""Compiled sweeps beside two-thread floors: `python benchmarks/bench_compiled.py`, with `--write` into benchmarks/README.md.

The engine numba and the engine numpy answer the same pieces, each by two threads, and what they answer is held equal, all of it.
Floors are two threads that write the output once (`np.fill`), or read six columns and write one, in pieces of the same sizes. Pairs in one run, in seconds
of the processor, both threads together; the median of the pairs' ratios is told. What numba takes to compile is told beside.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numba
import numpy as np

from symbolic_mem.sweeps.engine import Piece
from symbolic_mem.sweeps.plan import plan

PAIRS, THREADS, ROWS = 7, 2, 4_000_000
README = Path(__file__).with_name("README.md")
MANY = {"B": range(1, 257), "S": range(64, 64 * 257, 64)}


@dataclass(frozen=True)
class Case:
    """A sweep, and the floor that it is held against: of a grid the output written once, of rows six columns read and one written."""

    study: str
    column: str
    axes: Mapping[str, Any]
    rows: Mapping[str, Any] | None = None
    aim: str = ""


def six() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    sizes = {"B": 64, "S": 8192, "L": 128, "d_model": 16384, "d_ff": 53248, "n_fsdp": 1024}
    return {name: rng.integers(1, most, ROWS) for name, most in sizes.items()}


def cases() -> list[Case]:
    return [
        Case("cs336-a2-xxl", "peak", {**MANY, "n_fsdp": range(1, 129)}, aim="at most 1.3"),
        Case("cs336-a2-xxl", "peak", {}, six(), aim="at most 1.3"),
        Case("cs336-a2-xxl", "n_fsdp", {**MANY, "d_ff": range(1024, 1024 * 65, 1024)}),
        Case("llama-3.1-8b", "peak", {**MANY, "n_fsdp": range(1, 65)}),
        Case("llama-3.1-8b", "n_fsdp", {**MANY, "V": range(1024, 1024 * 33, 1024)}),
        Case("deepseek-v3", "peak", {**MANY, "n_fsdp": range(1024, 1024 + 32)}),
    ]


def floor(case: Case, sizes: list[int], threads: ThreadPoolExecutor) -> Callable[[], list[Any]]:
    """The floor in pieces of the same sizes, each into memory that is asked for anew, as the answers are."""
    if case.rows is None:

        def filled(size: int) -> np.ndarray:
            made = np.empty(size, dtype=np.int64)
            made.fill(7)
            return made

        return lambda: list(threads.map(filled, sizes))
    columns = [np.asarray(values, dtype=np.int64) for values in case.rows.values()]

    @numba.njit(nogil=True)
    def add(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, out: Any) -> None:
        for i in range(out.size):
            out[i] = a[i] + b[i] + c[i] + d[i] + e[i] + f[i]

    def added(stop: int, size: int) -> np.ndarray:
        made = np.empty(size, dtype=np.int64)
        add(*(one[stop - size : stop] for one in columns), made)
        return made

    added(sizes[0], sizes[0])
    return lambda: list(threads.map(added, accumulate(sizes), sizes))


def answered(pieces: list[Piece], threads: ThreadPoolExecutor) -> Callable[[], list[Any]]:
    return lambda: list(threads.map(Piece.answer, pieces))


def seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def measured(case: Case, threads: ThreadPoolExecutor) -> list[str]:
    given: dict[str, Any] = {"columns": [case.column], "axes": case.axes, "rows": case.rows}
    plans = [plan(case.study, engine=engine, **given) for engine in ("numpy", "numba")]
    points = plans[0].points
    numpy_run, numba_run = (answered(list(each.pieces(1 << 20)), threads) for each in plans)
    start = time.perf_counter()
    ours = numba_run()
    compiling = time.perf_counter() - start
    for one, other in zip(numpy_run(), ours, strict=True):
        assert one.keys() == other.keys() and all(np.array_equal(column, other[name]) for name, column in one.items())
    sizes = [next(iter(one.values())).size for one in ours]
    runs = (floor(case, sizes, threads), numpy_run, numba_run)
    times = [[seconds(run) for run in runs] for _ in range(PAIRS)]
    ratios = [statistics.median(one[k] / one[0] for one in times) for k in (1, 2)]
    rates = [points / statistics.median(one[k] for one in times) / 1e6 for k in range(3)]
    instants = len(plans[0].cases.cases[0].instants)
    what = "grid" if case.rows is None else "rows of six columns"
    words = f"{what} of {points:,}: {case.column}, {case.study}, {instants} instant{'s' * (instants > 1)}"
    return [
        words,
        *(f"{one:,.0f}" for one in rates),
        *(f"{one:.2g}" for one in ratios),
        case.aim or "–",
        f"{compiling:.1f}",
    ]


def main() -> None:
    heads = ["what", "floor, M/s", "numpy, M/s", "numba, M/s", "numpy / floor", "numba / floor", "aim", "first run, s"]
    with ThreadPoolExecutor(THREADS) as threads:
        rows = [measured(case, threads) for case in cases()]
    table = "".join(f"| {' | '.join(row)} |\n" for row in (heads, ["---"] * len(heads), *rows))
    print(table)
    if "--write" in sys.argv[1:]:
        text = README.read_text(encoding="utf-8")
        start, end = "<!-- measured: compiled -->\n", "<!-- end -->"
        head, rest = text.split(start)
        machine = f"{platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}, numba {numba.__version__}"
        README.write_text(
            f"{head}{start}\n{machine}, two threads:\n\n{table}\n{end}{rest.split(end, 1)[1]}", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
