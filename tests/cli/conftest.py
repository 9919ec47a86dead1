"""The command line, run in this process: exit status, standard output, standard error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from symbolic_mem.cli.main import main


@dataclass(frozen=True)
class Done:
    """What one call of the command line returned and printed."""

    status: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Give `run("solve", "cs336-a2-xxl")`, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Done:
        status = main(list(arguments))
        printed = capsys.readouterr()
        return Done(status, printed.out, printed.err)

    return call


@pytest.fixture
def refused(run: Callable[..., Done], tmp_path: Path) -> Callable[..., str]:
    """Give `refused(*arguments)`: the one line of a call that fails as bad input does and writes nothing."""

    def call(*arguments: str, status: int = 2) -> str:
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        done = run(*arguments)
        assert done.status == status, done
        assert done.out == ""
        assert done.err.count("\n") == 1 and done.err.startswith("symbolic-mem: "), done.err
        assert "Traceback" not in done.err
        assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
        return done.err.removeprefix("symbolic-mem: ").strip()

    return call
