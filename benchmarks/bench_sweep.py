"""Sweeps as ratios to floors of the same run: `python benchmarks/bench_sweep.py`, with `--write` into benchmarks/README.md.

After these it measures those that numba compiles (`bench_compiled.py`). Pairs as in bench_cli.py, in one process: one run of the floor and one of the sweep, one after the other, in seconds of
the processor; the median of the pairs' ratios is told. Nothing is a gate. Peers are measured where they are installed:
`pip install deepspeed llm-analysis`, the second with a transformers before 5 or, as here, without its requirements.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one thread against one thread

import importlib.metadata
import logging
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from symbolic_mem.base.first import first_degree
from symbolic_mem.base.symbols import B, S, n_fsdp
from symbolic_mem.library.read import load_study
from symbolic_mem.solvers.bound import solve
from symbolic_mem.sweeps.engine import Piece
from symbolic_mem.sweeps.plan import plan

PAIRS = 7
README = Path(__file__).with_name("README.md")
ROWS = 1_000_000
LOOP = 20_000


@dataclass(frozen=True)
class Case:
    """What is timed against what; `floor_share` is the share of the floor's work that its run does."""

    name: str
    floor_name: str
    points: int
    run: Callable[[], object]
    floor: Callable[[], object]
    floor_share: float = 1.0
    aim: str = ""


def answer(pieces: list[Piece]) -> Callable[[], None]:
    def run() -> None:
        for piece in pieces:
            piece.answer()

    return run


def fill(points: int) -> Callable[[], None]:
    def run() -> None:
        np.empty(points, dtype=np.int64).fill(7)

    return run


def grid(name: str, column: str, aim: str, **axes: range) -> Case:
    planned = plan(name, columns=[column], axes=axes)
    pieces = list(planned.pieces(1 << 20))
    instants = len(planned.cases.cases[0].instants)
    words = f"grid of {planned.points:,}: {column}, {name}, {instants} instant{'s' if instants > 1 else ''}"
    return Case(words, "np.fill of the output", planned.points, answer(pieces), fill(planned.points), aim=aim)


def columns(aim: str) -> Case:
    """What is held, of rows with their own values, against six columns read and one written."""
    rng = np.random.default_rng(0)
    sizes = {"B": 64, "S": 8192, "L": 128, "d_model": 16384, "d_ff": 53248, "n_fsdp": 1024}
    rows = {name: rng.integers(1, most, ROWS) for name, most in sizes.items()}
    planned = plan("cs336-a2-xxl", rows=rows, columns=["peak"])
    six = [values.astype(float) for values in rows.values()]

    def floor() -> None:
        total = six[0] + six[1]
        for one in six[2:]:
            np.add(total, one, out=total)

    pieces = list(planned.pieces(1 << 20))
    name = f"{ROWS:,} rows of six columns: peak, cs336-a2-xxl"
    return Case(name, "six columns read, one written", ROWS, answer(pieces), floor, aim=aim)


def degrees(most: int, rest: str, aim: str) -> Case:
    """The smallest degree of rows, evaluation included, against the compiled Python integers in a loop."""
    rng = np.random.default_rng(1)
    batch, length = rng.integers(1, most, ROWS), rng.integers(64, 4096, ROWS)
    study = load_study("cs336-a2-xxl").change(rest=rest)
    planned = plan(study, rows={"B": batch, "S": length}, columns=["n_fsdp"])
    pieces = list(planned.pieces(1 << 20))
    found = np.concatenate([piece.answer()["degree"].ravel() for piece in pieces])
    question = study.question("b")
    seen = study.under(question)
    bound = solve(seen.placed(), n_fsdp, seen.capacity.counted, strict=question.strict)
    call = bound.partial(seen.values, (B, S)).call
    pairs = list(zip(batch[:LOOP].tolist(), length[:LOOP].tolist(), strict=True))

    def floor() -> list[int]:
        return [first_degree(*call(one, two), strict=question.strict) or 0 for one, two in pairs]

    assert floor() == found[:LOOP].tolist()
    name = f"{ROWS:,} rows: n_fsdp, cs336-a2-xxl, {100 * np.mean(found > 0):.0f} % feasible"
    return Case(name, "compiled Python integers in a loop", ROWS, answer(pieces), floor, LOOP / ROWS, aim)


def instants(aim: str) -> Case:
    """The peak over all instants of a step, against the same over one of them."""
    axes = {"B": range(1, 65), "S": range(64, 64 * 129, 64), "V": range(1024, 1024 * 65, 1024)}
    planned = plan("deepseek-v3", columns=["peak"], axes={**axes, "n_fsdp": [2048]})
    pieces = list(planned.pieces(1 << 20))
    one = [replace(piece, case=replace(piece.case, instants=piece.case.instants[:1])) for piece in pieces]
    number = len(planned.cases.cases[0].instants)
    name = f"grid of {planned.points:,}: peak, deepseek-v3, {number} instants"
    return Case(name, "one instant", planned.points, answer(pieces), answer(one), aim=aim)


def cases() -> list[Case]:
    many = {"B": range(1, 257), "S": range(64, 64 * 257, 64)}
    return [
        grid("cs336-a2-xxl", "peak", "at most 4", **many, n_fsdp=range(1, 129)),
        grid("cs336-a2-xxl", "n_fsdp", "at most 4", **many, d_ff=range(1024, 1024 * 65, 1024)),
        grid("llama-3.1-8b", "n_fsdp", "", **many, V=range(1024, 1024 * 33, 1024)),
        columns("at most 8"),
        degrees(512, "dropped", "at most 1/35"),
        degrees(512, "kept", "at most 1/35"),
        instants("at most 10"),
    ]


def peers() -> list[Case]:
    """A million rows, of which each is solved at all instants, against what peers that are installed tell of one configuration."""
    rng = np.random.default_rng(2)
    batch, length = rng.integers(1, 64, ROWS), rng.integers(64, 8192, ROWS)
    planned = plan("llama-3.1-8b", rows={"B": batch, "S": length}, columns=["n_fsdp"])
    ours = answer(list(planned.pieces(1 << 20)))
    name = f"{ROWS:,} rows: n_fsdp, llama-3.1-8b, {len(planned.cases.cases[0].instants)} instants"
    pairs = list(zip(batch.tolist(), length.tolist(), strict=True))
    found = []
    for package, make, number in (
        ("deepspeed", states_by_deepspeed, LOOP),
        ("llm-analysis", training_by_llm_analysis, 100),
    ):
        try:
            version = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            print(f"{package} is not installed, and not measured")
            continue
        words, call = make()

        def floor(call: Callable[[int, int], object] = call, number: int = number) -> None:
            for one, two in pairs[:number]:
                call(one, two)

        found.append(Case(name, f"{package} {version}: {words}, in a loop", ROWS, ours, floor, number / ROWS))
    return found


def states_by_deepspeed() -> tuple[str, Callable[[int, int], object]]:
    """Its function of the parameters alone: what a batch keeps is not in it."""
    from deepspeed.runtime.zero.stage3 import estimate_zero3_model_states_mem_needs as states

    return "model states under ZeRO-3", lambda one, _: states(8_030_261_248, 525_336_576, one, 1, False, False, True)


def training_by_llm_analysis() -> tuple[str, Callable[[int, int], object]]:
    """Memory and latency of a training step of a model of that size, with an MLP four times as wide: it takes whole times alone."""
    logging.disable(logging.CRITICAL)
    from llm_analysis.analysis import DSZeRO, LLMAnalysis
    from llm_analysis.config import GPUConfig, ModelConfig

    model = ModelConfig("llama", 32, 32, 4096, 128_256, 1 << 20, 8, ffn_embed_dim=16_384)
    analysis = LLMAnalysis(model, GPUConfig("h100", 1e9, 3350, 450, 1e-6, 989))

    def call(batch: int, length: int) -> object:
        return analysis.training(batch, 1, seq_len=length, ds_zero=DSZeRO.STAGE_3, mlp_gated_linear_units=True)

    return "memory and latency of a step", call


def seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def measured(case: Case) -> list[str]:
    pairs = [(seconds(case.floor) / case.floor_share, seconds(case.run)) for _ in range(PAIRS)]
    ratio = statistics.median(ours / floor for floor, ours in pairs)
    floor, ours = (case.points / statistics.median(one) / 1e6 for one in zip(*pairs, strict=True))
    told = f"{ratio:.1f}" if ratio >= 1 else f"1/{1 / ratio:.0f}"
    return [
        case.name,
        case.floor_name,
        *(f"{one:,.1f}" if one >= 0.1 else f"{one:.4f}" for one in (floor, ours)),
        told,
        case.aim or "–",
    ]


def main() -> None:
    rows = []
    for case in (*cases(), *peers()):
        rows.append(measured(case))
        print("  ".join(rows[-1]), flush=True)
    heads = ["what", "floor", "floor, M/s", "ours, M/s", "ours / floor", "aim"]
    table = "".join(f"| {' | '.join(row)} |\n" for row in (heads, ["---"] * len(heads), *rows))
    if "--write" in sys.argv[1:]:
        text = README.read_text(encoding="utf-8")
        start, end = "<!-- measured: sweep -->\n", "<!-- end -->"
        head, rest = text.split(start)
        machine = f"{platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}, one thread"
        README.write_text(f"{head}{start}\n{machine}:\n\n{table}\n{end}{rest.split(end, 1)[1]}", encoding="utf-8")
    from bench_compiled import main as compiled

    compiled()


if __name__ == "__main__":
    main()
