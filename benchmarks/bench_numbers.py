"""Time of numbers as ratios to bare Python integers beside them: run as `python benchmarks/bench_numbers.py`.

Pairs as in bench_cli.py, in one process: one run of the floor and one of the package, one after the other; the median
of the pairs' ratios is held against the bar. Exit status 1 when a bar is missed.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import prod

from symbolic_mem.accounts.account import account
from symbolic_mem.base.exact import Numbers
from symbolic_mem.base.symbols import B, S, n_fsdp
from symbolic_mem.library.read import load_study
from symbolic_mem.models.tensors import Model
from symbolic_mem.solvers.bound import solve
from symbolic_mem.solvers.region import region
from symbolic_mem.study.study import Study

PAIRS = 15
CAPACITY = 80 * 2**30
ROWS, COLUMNS = range(1, 101), range(1024, 1124)
STUDIES = ("cs336-a2-xxl", "llama-3.1-8b", "deepseek-v3")


@dataclass(frozen=True)
class Bar:
    """What is timed, how many of it one run does, the run and its floor, and the largest ratio allowed."""

    name: str
    count: int
    run: Callable[[], object]
    floor: Callable[[], object]
    most: float


def given(study: Study) -> dict:
    return {symbol: int(value) for symbol, value in {B: 4, S: 4096, **study.values}.items()}


def answers(name: str, most: float) -> Bar:
    """The smallest degree at new values, against the same integer polynomial and one division in a bare loop."""
    study = load_study(name)
    bound, values = solve(study.placed(), n_fsdp, CAPACITY), given(study)
    call, numbers = bound.compiled.call, bound.compiled.arguments(values)
    place = bound.compiled.symbols.index(B)

    def run() -> None:
        for batch in range(1, 2001):
            values[B] = batch
            _ = bound.at(values).value

    def floor() -> None:
        for batch in range(1, 2001):
            numbers[place] = batch
            divided, fixed, capacity = call(*numbers)
            _ = -(-divided // (capacity - fixed)) if capacity > fixed else None

    return Bar(f"answer {name}", 2000, run, floor, most)


def regions(name: str, most: float) -> Bar:
    """A region of 100 x 100, with its compilation, against the ready integer polynomial in a bare loop."""
    study = load_study(name)
    memory, values = study.placed(), given(study)
    call = solve(memory, n_fsdp, CAPACITY).partial(values, (B, S)).call

    def floor() -> None:
        for row in ROWS:
            for column in COLUMNS:
                divided, fixed, capacity = call(row, column)
                _ = -(-divided // (capacity - fixed)) if capacity > fixed else None

    return Bar(
        f"region {name}", 1, lambda: region(memory, n_fsdp, CAPACITY, values, (B, ROWS), (S, COLUMNS)), floor, most
    )


def without_one_tensor(model: Model, times: int) -> Iterator[Model]:
    for position, layer in enumerate(model.layers):
        for tensor in layer.saved:
            fewer = replace(layer, saved=tuple(one for one in layer.saved if one is not tensor), source=f"run {times}")
            yield replace(model, layers=(*model.layers[:position], fewer, *model.layers[position + 1 :]))


def accounts(name: str, most: float) -> Bar:
    """The account of a model without one saved tensor and its bytes, against the ready products of all parts."""
    study = load_study(name)
    numbers, times = Numbers(given(study)), iter(range(10**9))
    parts = [
        [(numbers[part.copies], *(numbers[size] for size in part.shape)) for part in term.parts]
        for term in study.memory
    ]
    count = sum(1 for _ in without_one_tensor(study.model, 0))

    def run() -> None:
        for model in without_one_tensor(study.model, next(times)):
            account(model, study.recipe).at(numbers)

    def floor() -> None:
        for _ in range(count):
            sum(sum(map(prod, sizes)) for sizes in parts)

    return Bar(f"changed account {name}", count, run, floor, most)


def seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def main(pairs: int = PAIRS) -> int:
    bars = [
        *(answers(name, 10.0) for name in STUDIES),
        *(regions(name, 6.0) for name in STUDIES),
        accounts("llama-3.1-8b", 40.0),
        accounts("deepseek-v3", 60.0),
    ]
    missed = 0
    print(f"{'numbers':<30}  {'per second':>12}  {'ratio':>6}  {'bar':>5}")
    for bar in bars:
        bar.run(), bar.floor()
        times = [(seconds(bar.run), seconds(bar.floor)) for _ in range(pairs)]
        found = statistics.median(slow / fast for slow, fast in times)
        over = found > bar.most
        missed += over
        rate = bar.count / statistics.median(slow for slow, _ in times)
        print(f"{bar.name:<30}  {rate:12,.0f}  {found:6.2f}  {bar.most:5.1f}{'  MISSED' if over else ''}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS))
