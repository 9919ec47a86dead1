"""`--help` and `--version` answer at once: neither imports SymPy or Jinja2."""

from __future__ import annotations

import subprocess
import sys

import pytest

from symbolic_mem.cli.main import VERBS

HEAVY = ("sympy", "jinja2", "mpmath", "symbolic_mem.study", "symbolic_mem.base.symbols")


def imported(*arguments: str) -> set[str]:
    """Names of all modules that a run of the command line imports."""
    code = (
        "import sys\n"
        "from symbolic_mem.cli.main import main\n"
        f"status = main({list(arguments)!r})\n"
        "print('imported:', *sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].removeprefix("imported:").split())


def heavy_imports(*arguments: str) -> set[str]:
    """The heavy ones among them."""
    return imported(*arguments) & set(HEAVY)


@pytest.mark.parametrize("arguments", [("--version",), ("--help",), (), ("nope",)], ids=str)
def test_the_group_imports_nothing_heavy(arguments):
    assert heavy_imports(*arguments) == set()


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_imports_nothing_heavy(verb):
    assert heavy_imports(verb, "--help") == set()


def test_the_package_itself_imports_nothing_heavy():
    code = f"import sys, symbolic_mem; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_this_test_sees_a_heavy_import():
    assert {"sympy", "symbolic_mem.study"} <= heavy_imports("account", "cs336-a2-xxl")
    assert "jinja2" in heavy_imports("homework", "cs336-a2-xxl")


def engines(modules: set[str]) -> set[str]:
    """The modules that only an answer needs: solvers, but for what a device holds, and the classes of answers."""
    answering = ("symbolic_mem.solvers.", "symbolic_mem.questions.parts.found_")
    return {name for name in modules if name.startswith(answering)} - {"symbolic_mem.solvers.capacity"}


@pytest.mark.parametrize("study", ["cs336-a2-xxl", "llama-3.1-8b", "deepseek-v3"])
def test_reading_a_study_of_memory_imports_no_engine(study):
    assert engines(imported("account", study)) == set()


def test_an_answer_imports_its_engine():
    asked = engines(imported("solve", "cs336-a2-xxl"))
    assert {"symbolic_mem.solvers.degree", "symbolic_mem.questions.parts.found_degree"} <= asked
    assert "symbolic_mem.solvers.critical" not in asked
