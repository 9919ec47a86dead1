"""What all tests share: how a test says that it needs a program of the machine, and how processes share the tests."""

from __future__ import annotations

import gc
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest

# One process sees many studies, each with expressions of its own: more of what SymPy found is kept than by default.
os.environ.setdefault("SYMPY_CACHE_SIZE", "20000")
# What SymPy keeps is no garbage: to look through it after every 700 new objects took seven percent of a run.
gc.set_threshold(100_000, 50, 100)

collect_ignore_glob = ["data/*.py"]  # what measured the cases: it needs the engines


def pytest_configure() -> None:
    """Let the programs that tests start be interrupted, also where the tests run behind a shell that ignores it for them."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure() -> None:
    """Let what is kept go with the process: to look through all of it at the end took a tenth of a run."""
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Take the tests that run longest first, so that processes which share the tests end together."""
    items.sort(key=lambda item: item.path.name != "test_one_answer.py")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each process neighbouring tests, which ask about the same things; what is left at the end is shared."""
    if config.getvalue("dist") != "load":
        return None
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log)


@pytest.fixture
def verdicts_alone() -> Iterator[None]:
    """`check` without its search for slips, which takes seconds and decides nothing about right and wrong."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_module("symbolic_mem.claims.explain").Search, "explanations", lambda *_: ())
        yield


@pytest.fixture(scope="session")
def needs() -> Callable[..., None]:
    """Give `needs("latexmk", "pdffonts")`: skip the test when one is absent, or fail if SYMBOLIC_MEM_NO_SKIP=1."""

    def check(*programs: str) -> None:
        absent = [program for program in programs if shutil.which(program) is None]
        if not absent:
            return
        message = f"needs {', '.join(absent)} on the PATH"
        if os.environ.get("SYMBOLIC_MEM_NO_SKIP") == "1":
            pytest.fail(f"{message}, and SYMBOLIC_MEM_NO_SKIP=1 forbids skipping")
        pytest.skip(message)

    return check
