"""Time of the command line as a ratio to a floor measured beside it: run as `python benchmarks/bench_cli.py`.

The time is that of the processor, for a whole process. A pair is one run of the floor and one of the command, one after
the other, so that a slow minute of the machine hits both; a bar is compared with the median of the pairs' ratios. Four
bars of `account` and `solve` are what these commands took before questions were values, and a twentieth more; that of
Llama 8B has been 1.4 since its account has the instants of a step. The last row is the law of one answer, all its tests
in one process: it has a bar in seconds. Exit status 1 when a bar is missed.
"""

from __future__ import annotations

import compileall
import contextlib
import importlib.util
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

STUDY = "cs336-a2-xxl"
PAIRS = 15
LAW = 60.0
PDF = 60.0


@dataclass(frozen=True)
class Bar:
    """A command, its floor (a Python program, or another command), and the largest ratio allowed."""

    command: tuple[str, ...]
    floor: str | tuple[str, ...]
    most: float

    @property
    def beside(self) -> str:
        """The floor as it is printed."""
        return self.floor if isinstance(self.floor, str) else " ".join(self.floor)


WRONG = (
    ("cs336-a2-xxl", "n_fsdp=99"),
    ("deepseek-v3", "n_fsdp=38"),
    ("llama-3.1-8b", "n_fsdp=9"),
    ("llama-3.1-70b", "n_fsdp=99"),
    ("llama-3.1-70b", "n_fsdp=7"),
    ("llama-3.1-405b", "n_fsdp=999"),
    ("mixtral-8x7b", "n_fsdp=99"),
    ("mixtral-8x7b", "n_fsdp=3"),
    ("qwen3-30b-a3b", "n_fsdp=99"),
)
BARS = (
    Bar(("--version",), "pass", 6.0),
    Bar(("--help",), "pass", 6.0),
    *(
        Bar(("list", catalogue), "pass", 6.0)
        for catalogue in ("studies", "devices", "recipes", "optimizers", "profiles", "plans", "caches", "symbols")
    ),
    Bar(("show", STUDY), "pass", 6.0),
    *(
        Bar(("account", *asked), "pass", 6.0)
        for asked in (("nope",), (STUDY, "--device", "nope"), (STUDY, "--recipe", "nope"), (STUDY, "--plan", "nope"))
    ),
    Bar(("account", STUDY, "--nope"), "pass", 6.0),
    Bar(("account", STUDY, "--json"), "pass", 4.0),
    Bar(("account", "llama-3.1-8b", "--set", "n_fsdp=8", "--json"), "pass", 4.0),
    Bar(("account", "deepseek-v3", "--device", "b200", "--json"), "pass", 4.0),
    Bar(("account", "qwen3-30b-a3b", "--capacity", "80 GiB", "--json"), "pass", 4.0),
    Bar(("solve", STUDY, "--json"), "pass", 4.0),
    Bar(("solve", "llama-3.1-8b", "--json"), "pass", 4.0),
    Bar(("solve", "qwen3-30b-a3b", "--device", "b200", "--json"), "pass", 4.0),
    Bar(("solve", "llama-3.1-8b", "--capacity", "1 GB", "--json"), "pass", 4.0),
    Bar(("solve", STUDY), "import sympy", 1.2),
    Bar(("solve", "llama-3.1-8b"), "import sympy", 1.3),
    Bar(("account", STUDY), "import sympy", 1.15),
    Bar(("account", "llama-3.1-8b"), "import sympy", 1.4),
    Bar(("account", "deepseek-v3"), "import sympy", 1.3),
    Bar(("account", "cluster-deepseek-v3", "--set", "n_tp=2"), "import sympy", 1.6),
    Bar(("fit", "llama-3.1-8b", "--on", "8x h100-80gb"), "import sympy", 2.0),
    Bar(("homework", STUDY, "-o", "x.tex"), "import sympy, jinja2", 1.6),
    Bar(("report", "deepseek-v3", "-o", "x.tex"), "import sympy, jinja2", 1.6),
    Bar(("homework", "100.toml", "--key", "-o", "x.tex"), ("homework", "1.toml", "--key", "-o", "x.tex"), 3.0),
    *(Bar(("check", study, "--claim", claim), ("solve", study), 1.5) for study, claim in WRONG),
)


# The set whose questions take the longest, with so many variants.
SET = Path(__file__).parents[1] / "symbolic_mem/library/studies/set-communication.toml"
CHOICES = "{ X = [2, 4, 8, 16, 32, 64], Y = [1, 2, 4, 8, 16, 32], d_ff = [24576, 28672, 32768] }"


def varied(folder: Path, count: int) -> None:
    """Write a set with so many variants into a folder, under that number."""
    drawn = f"[variants]\ncount = {count}\nseed = 3\nchoices = {CHOICES}\n\n["
    written = re.sub(r"\[variants\].*?\n\[", lambda _: drawn, SET.read_text(encoding="utf-8"), flags=re.DOTALL)
    (folder / f"{count}.toml").write_text(written, encoding="utf-8")


def compiled(name: str) -> None:
    """Compile package `name` and assert that its bytecode is there: without it a run times the compiler."""
    spec = importlib.util.find_spec(name)
    assert spec is not None and spec.origin is not None, f"{name} is not installed"
    folder = Path(spec.origin).parent
    compileall.compile_dir(folder, quiet=2)
    for source in folder.rglob("*.py"):
        if "test" not in str(source.relative_to(folder)):
            code = Path(importlib.util.cache_from_source(str(source)))
            assert code.is_file(), f"{source} has no bytecode at {code}"


def seconds(command: list[str], folder: str | Path, wrong: Sequence[int] = (1, 2)) -> float:
    """Run a command, and return the seconds that the processor spent on it; not on Windows, which does not count them.

    Status 0 is right, and those which say that a claim is `wrong`, or a name.
    """
    start = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, stdin=subprocess.DEVNULL)
    assert done.returncode in (0, *wrong), done.stderr.decode()
    end = resource.getrusage(resource.RUSAGE_CHILDREN)
    return end.ru_utime - start.ru_utime + end.ru_stime - start.ru_stime


def installed(folder: Path) -> list[str]:
    """Build the wheel from the sources, unpack it into `folder` with its bytecode, and return the command that runs it.

    It is what a user has: a checkout has no accounts ready.
    """
    from hatchling.build import build_wheel

    with contextlib.chdir(Path(__file__).parents[1]):
        wheel = build_wheel(str(folder))
    zipfile.ZipFile(folder / wheel).extractall(folder / "wheel")
    compileall.compile_dir(folder / "wheel", quiet=2)
    program = folder / "program.py"
    program.write_text(
        f"import sys\nsys.path.insert(0, {str(folder / 'wheel')!r})\nfrom symbolic_mem.cli.entry import run\nrun()\n"
    )
    return [sys.executable, str(program)]


def ratio(bar: Bar, program: Sequence[str], folder: str, pairs: int) -> tuple[float, float, float]:
    """Return the median ratio of the pairs, and the median seconds of command and floor."""
    command = [*program, *bar.command]
    floor = [sys.executable, "-c", bar.floor] if isinstance(bar.floor, str) else [*program, *bar.floor]
    seconds(floor, folder), seconds(command, folder)
    times = [(seconds(command, folder), seconds(floor, folder)) for _ in range(pairs)]
    return (
        statistics.median(slow / fast for slow, fast in times),
        statistics.median(slow for slow, _ in times),
        statistics.median(fast for _, fast in times),
    )


def law() -> float:
    """The seconds of the law that one question has one answer, of every bundled and generated study in one process."""
    law = ["tests/test_one_answer.py", "-m", "not system", "-k", "has_one_answer"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *law]
    return seconds(command, Path(__file__).parents[1], wrong=())


def typeset(program: Sequence[str], folder: str, pairs: int) -> float:
    """What a PDF by Typst costs beside its LaTeX source, in times of ``python -c pass``: the median of the pairs."""
    homework, found = [*program, "homework", STUDY, "-o"], []
    for _ in range(pairs):
        made = seconds([*homework, "x.pdf", "--pdf-route", "typst"], folder, wrong=())
        source = seconds([*homework, "x.tex"], folder, wrong=())
        found.append((made - source) / seconds([sys.executable, "-c", "pass"], folder))
    return statistics.median(found)


def main(pairs: int = PAIRS) -> int:
    for name in ("symbolic_mem", "sympy", "jinja2", "click"):
        compiled(name)
    missed = 0
    print(f"{'command':<41}  {'floor':<20}  {'s':>6}  {'ratio':>6}  {'bar':>5}")
    with tempfile.TemporaryDirectory() as folder:
        program = installed(Path(folder))
        for count in (1, 100):
            varied(Path(folder), count)
        for bar in BARS:
            found, slow, _ = ratio(bar, program, folder, pairs)
            over = found > bar.most
            missed += over
            print(
                f"{' '.join(bar.command):<41}  {bar.beside:<20}  {slow:6.3f}  {found:6.2f}  {bar.most:5.2f}"
                f"{'  MISSED' if over else ''}",
                flush=True,
            )
        over = (found := typeset(program, folder, pairs)) > PDF
        missed += over
        print(
            f"{'homework -o x.pdf over -o x.tex':<41}  {'pass':<20}  {'':>6}  {found:6.2f}  {PDF:5.2f}{'  MISSED' if over else ''}"
        )
    spent = law()
    missed += spent > LAW
    print(
        f"{'the law of tests/test_one_answer.py, seconds':<63}  {spent:6.1f}  {'':>6}  {LAW:5.0f}{'  MISSED' if spent > LAW else ''}"
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS))
