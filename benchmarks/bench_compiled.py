"""What compiling sweeps would give: `python benchmarks/bench_compiled.py`, with `--write` into benchmarks/README.md.

A kernel of numba does in one pass over a grid what NumPy does in one pass for each operation: the polynomials of the instants that
can bind, their quotients, the smallest degree. Its answers are held against those of a sweep, all of them. Seconds are those of
the processor, of two threads together, the least of several runs; what numba takes to compile is told beside.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import platform
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numba
import numpy as np

from symbolic_mem.sweeps.arrays import Layout, Matrix, Values
from symbolic_mem.sweeps.case import Case
from symbolic_mem.sweeps.plan import plan
from symbolic_mem.sweeps.polynomial import Polynomial

RUNS = 7
TERMS = 4  # of a polynomial along a row, which the kernel writes out
STRIP = 2048
README = Path(__file__).with_name("README.md")
MANY = {"B": range(1, 257), "S": range(64, 64 * 257, 64)}
GRIDS = (
    ("cs336-a2-xxl", {**MANY, "d_ff": range(1024, 1024 * 65, 1024)}),
    ("llama-3.1-8b", {**MANY, "V": range(1024, 1024 * 33, 1024)}),
)


@numba.njit(parallel=True, error_model="numpy")
def degrees(divided, room, first, strict, degree):
    """`divided` and `room` are pairs: factors of each polynomial at each row, and its terms along the row.

    Rooms of what divides the same stand together, each lot from its `first` on. Minima are written out: so they are vectorised.
    """
    (above, over), (below, under) = divided, room
    rows, columns = degree.shape
    for i in numba.prange(rows):
        least, spare, reach = np.empty(STRIP), np.empty(STRIP), np.empty(STRIP)
        for start in range(0, columns, STRIP):
            size = min(STRIP, columns - start)
            u0, u1, u2, u3 = under[0, start:], under[1, start:], under[2, start:], under[3, start:]
            o0, o1, o2, o3 = over[0, start:], over[1, start:], over[2, start:], over[3, start:]
            spare[:size], reach[:size] = np.inf, 0.0
            for g in range(len(above)):
                k = first[g]
                a, b, c, d = below[k, i, 0], below[k, i, 1], below[k, i, 2], below[k, i, 3]
                for j in range(size):
                    least[j] = a * u0[j] + b * u1[j] + c * u2[j] + d * u3[j]
                for k in range(first[g] + 1, first[g + 1]):
                    a, b, c, d = below[k, i, 0], below[k, i, 1], below[k, i, 2], below[k, i, 3]
                    for j in range(size):
                        value = a * u0[j] + b * u1[j] + c * u2[j] + d * u3[j]
                        least[j] = value if value < least[j] else least[j]
                a, b, c, d = above[g, i, 0], above[g, i, 1], above[g, i, 2], above[g, i, 3]
                for j in range(size):
                    quotient = (a * o0[j] + b * o1[j] + c * o2[j] + d * o3[j]) / least[j]
                    reach[j] = quotient if quotient > reach[j] else reach[j]
                    spare[j] = least[j] if least[j] < spare[j] else spare[j]
            for j in range(size):
                whole = np.floor(reach[j]) + 1.0 if strict else np.ceil(reach[j])
                degree[i, start + j] = np.int64(whole if spare[j] > 0 else 0.0)


def stacked(case: Case, polynomials: Sequence[Polynomial]) -> tuple[np.ndarray, np.ndarray]:
    """The factors of each polynomial at each row, and the terms along a row that they all share."""
    layout = Layout(case)
    values = Values(layout, np.float64)
    along: list[np.ndarray] = []
    factors = np.zeros((len(polynomials), layout.rows, TERMS))
    for k, polynomial in enumerate(polynomials):
        matrix = Matrix(polynomial, values)
        each = np.broadcast_to(matrix.factors(0, layout.rows, {}), (layout.rows, len(matrix.monomials)))
        for column, term in zip(each.T, matrix.monomials, strict=True):
            place = next((p for p, one in enumerate(along) if np.array_equal(one, term)), len(along))
            along += [term] if place == len(along) else []
            factors[k, :, place] = column
    terms = np.zeros((TERMS, layout.columns))
    terms[: len(along)] = along
    return factors, terms


def prepared(case: Case) -> tuple[object, ...]:
    rooms: dict[frozenset[object], list[Polynomial]] = {}
    divided: dict[frozenset[object], Polynomial] = {}
    assert case.capacity is not None
    for one in (case.instants[k] for k in case.binding):
        key = frozenset(one.divided)
        divided[key] = one.divided
        rooms.setdefault(key, []).append(case.capacity - one.fixed)
    first = np.cumsum([0, *map(len, rooms.values())])
    room = [each for lot in rooms.values() for each in lot]
    return stacked(case, list(divided.values())), stacked(case, room), first, case.strict


def rate(points: int, run: Callable[[], object]) -> float:
    """Millions of points in a second of the processor."""

    def seconds() -> float:
        start = time.process_time()
        run()
        return time.process_time() - start

    return points / min(seconds() for _ in range(RUNS)) / 1e6


def measured(name: str, axes: dict[str, range], threads: ThreadPoolExecutor) -> list[str]:
    planned = plan(name, columns=["n_fsdp"], axes=axes)
    (case,) = planned.cases.cases
    pieces, given = list(planned.pieces(1 << 20)), prepared(case)
    shape = Layout(case).rows, Layout(case).columns

    def compiled() -> np.ndarray:
        made = np.empty(shape, dtype=np.int64)
        degrees(*given, made)
        return made

    def ours() -> list[np.ndarray]:
        return list(threads.map(lambda piece: piece.answer()["degree"], pieces))

    def fill() -> None:
        made, half = np.empty(planned.points, dtype=np.int64), planned.points // 2
        list(threads.map(lambda part: part.fill(7), (made[:half], made[half:])))

    start = time.process_time()
    same = np.array_equal(compiled(), np.concatenate(ours()))
    compiling = time.process_time() - start
    assert same
    rates = [rate(planned.points, run) for run in (fill, ours, compiled)]
    words = f"grid of {planned.points:,}: n_fsdp, {name}, {len(case.binding)} of {len(case.instants)} instants"
    told = f"{compiling:.1f}" if compiling > 1 else "– (compiled above)"
    return [words, *(f"{one:,.0f}" for one in rates), f"{rates[0] / rates[2]:.1f}", told]


def main() -> None:
    numba.set_num_threads(2)
    heads = ["what", "np.fill, M/s", "NumPy, M/s", "numba, M/s", "np.fill / numba", "compiling, s"]
    with ThreadPoolExecutor(2) as threads:
        rows = [measured(name, axes, threads) for name, axes in GRIDS]
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
