"""How much more ten times as much costs, as a whole command with its start: run as `python benchmarks/bench_growth.py`.

Pairs as in bench_cli.py: the floor is the same command with 100 questions, or 100 kinds of layers, and what is timed has
1,000 of them. A start costs the same for both, so that work in line with the size costs less than ten times as much. The
median of the pairs' ratios is held against the bar. Exit status 1 when a bar is missed.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from bench_cli import compiled, installed, seconds

PAIRS = 5
FEW, MANY = 100, 1000
STUDY = """
title = "A small stack"
[model]
kind = "ffn"
[values]
d_model = 512
d_ff = 2048
L = 4
B = 16
S = 256
[recipe]
preset = "cs336"
[placement]
weights = { over = "n_fsdp" }
"""
QUESTION = """
[[question]]
label = "q{i}"
ask = "device_count"
capacity = "{size} MiB"
"""
# No file describes so many kinds of layers: the one of a study is repeated under other names.
KINDS = """
import sys
from dataclasses import replace
from symbolic_mem.documents.account import Account
from symbolic_mem.documents.documents import report
from symbolic_mem.library.read import load_study
from symbolic_mem.render.document import render
from symbolic_mem.render.json import record_json

what, number = sys.argv[1], int(sys.argv[2])
study = load_study("few.toml")
(layer,) = study.built.model.layers
model = replace(study.built.model, layers=tuple(replace(layer, name=f"kind {i}") for i in range(number)))
study = replace(study, built=replace(study.built, model=model), questions=study.questions[:1])
print(len(record_json(Account(study).record)["terms"]) if what == "account" else render(report(study), "report", "md"))
"""


@dataclass(frozen=True)
class Growth:
    """A command for each of the two sizes, and how much more the larger may cost."""

    name: str
    few: Sequence[str]
    many: Sequence[str]
    most: float


def asked(name: str, most: float, *more: str) -> Growth:
    """A verb that answers every question of a study."""
    few, many = ((*name.split(), f"{size}.toml", *more) for size in ("few", "many"))
    return Growth(" ".join((name, *more)), few, many, most)


def of_kinds(what: str, most: float) -> Growth:
    """What one study of many kinds of layers costs."""
    return Growth(f"{what}, kinds of layers", (what, str(FEW)), (what, str(MANY)), most)


QUESTIONS = (
    asked("homework", 5.0),
    asked("homework", 5.0, "-o", "x.tex"),
    asked("homework", 5.0, "-o", "x.json"),
    asked("report", 5.0, "-o", "x.tex"),
)
LAYERS = (of_kinds("account", 4.0), of_kinds("report", 5.5))


def ratio(bar: Growth, program: Sequence[str], folder: str, pairs: int) -> tuple[float, float, float]:
    """Return the median ratio of the pairs, and the median seconds of both sizes."""
    few, many = [*program, *bar.few], [*program, *bar.many]
    seconds(few, folder, wrong=())
    times = [(seconds(many, folder, wrong=()), seconds(few, folder, wrong=())) for _ in range(pairs)]
    return (
        statistics.median(slow / fast for slow, fast in times),
        statistics.median(slow for slow, _ in times),
        statistics.median(fast for _, fast in times),
    )


def main(pairs: int = PAIRS) -> int:
    for name in ("symbolic_mem", "sympy", "jinja2", "click"):
        compiled(name)
    missed = 0
    print(f"{'what':<28}  {f'{FEW}, s':>7}  {f'{MANY}, s':>7}  {'ratio':>6}  {'bar':>5}")
    with tempfile.TemporaryDirectory() as folder:
        for name, number in (("few", FEW), ("many", MANY)):
            questions = "".join(QUESTION.format(i=i, size=64 + i) for i in range(number))
            (Path(folder) / f"{name}.toml").write_text(STUDY + questions)
        program = installed(Path(folder))
        kinds = Path(folder) / "kinds.py"
        kinds.write_text(f"import sys\nsys.path.insert(0, {str(Path(folder) / 'wheel')!r})\n{KINDS}")
        of_layers = [sys.executable, str(kinds)]
        for bar, run in [*((bar, program) for bar in QUESTIONS), *((bar, of_layers) for bar in LAYERS)]:
            found, slow, fast = ratio(bar, run, folder, pairs)
            over = found > bar.most
            missed += over
            print(
                f"{bar.name:<28}  {fast:7.3f}  {slow:7.3f}  {found:6.2f}  {bar.most:5.1f}{'  MISSED' if over else ''}",
                flush=True,
            )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS))
