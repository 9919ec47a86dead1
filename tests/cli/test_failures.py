"""What fails for a reason that is no bad input: defects, streams that are closed, terminals that know ASCII only."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from symbolic_mem.base.errors import SymbolicMemError
from symbolic_mem.cli import account
from symbolic_mem.cli.main import main

STUDY = "cs336-a2-xxl"
posix = pytest.mark.skipif(os.name != "posix", reason="descriptors are closed by a POSIX shell here")


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a line of a shell in which $SM is the program."""
    program = {"SM": f"{sys.executable} -m symbolic_mem", "STUDY": STUDY}
    return subprocess.run(
        ["sh", "-c", line], env={**os.environ, **program, **environment}, capture_output=True, check=False
    )


def test_a_defect_is_one_line_with_the_file_of_its_trace(refused, monkeypatch, tmp_path_factory):
    kept = tmp_path_factory.mktemp("kept")
    monkeypatch.setattr("tempfile.tempdir", str(kept))

    def broken(*_):
        raise KeyError("no such name")

    monkeypatch.setattr(account, "chosen_study", broken)
    said = refused("account", STUDY, status=70)
    assert re.match(
        r"this is a defect of symbolic-mem \S+, not of your input: KeyError in account\.py, line \d+; ", said
    )
    (trace,) = kept.iterdir()
    assert f"its trace is in {trace}; report it" in said
    assert "Traceback (most recent call last)" in trace.read_text() and "no such name" in trace.read_text()
    monkeypatch.setattr("tempfile.tempdir", str(kept / "none"))
    assert "its trace could not be written (No such file or directory)" in refused("account", STUDY, status=70)


def test_a_lack_of_memory_is_said(refused, monkeypatch):
    def greedy(*_):
        raise MemoryError

    monkeypatch.setattr(account, "chosen_study", greedy)
    assert "needs more memory than there is" in refused("account", STUDY)


@posix
@pytest.mark.parametrize("verb", ["account $STUDY", "list --json", "homework $STUDY", "--help"])
def test_closed_standard_output_is_said(verb):
    done = shell(f"$SM {verb} >&-")
    assert done.returncode == 2
    assert done.stderr == b"symbolic-mem: standard output: cannot be written (Bad file descriptor); it is closed\n"


@posix
def test_closed_streams_keep_their_status_and_no_file_takes_their_place(tmp_path):
    assert shell("$SM account nope 2>&-").returncode == 2
    assert shell("$SM account $STUDY 2>&-").returncode == 0
    assert shell("$SM account $STUDY <&-").returncode == 0
    path = tmp_path / "x.md"
    assert shell(f"$SM homework $STUDY -o {path} >&- 2>&-").returncode == 0
    assert path.read_text().startswith("# CS336")
    assert shell("$SM account nope >&- 2>&- <&-").returncode == 2


@posix
@pytest.mark.parametrize("arguments", ["account $STUDY", "homework $STUDY", "solve $STUDY --for В", "list devices"])
def test_a_terminal_that_knows_ascii_only(arguments):
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    done = shell(f"$SM {arguments}", **ascii_only)
    assert done.returncode == (2 if "В" in arguments else 0), done.stderr
    assert b"Traceback" not in done.stderr
    assert (done.stdout + done.stderr).decode()  # click writes UTF-8 where the terminal claims to know ASCII only


def test_an_argument_with_what_a_terminal_obeys(refused):
    said = refused("account", "a\x1b[31m")
    assert said == "argument 2, 'a\\x1b[31m', holds a control character (U+001B, the 2nd of its characters); remove it"
    assert "what is no character (U+DCE9" in refused("account", "caf\udce9")


def test_a_name_however_long_is_cut(capsys):
    for option in (
        "--set",
        "--recipe",
        "--optimizer",
        "--recompute",
        "--device",
        "--capacity",
        "--plan",
        "--rest",
        "--for",
    ):
        assert main(["solve", STUDY, option, "y" * 100_000]) == 2
        assert len(capsys.readouterr().err) < 2_100
    for verb in ("y" * 100_000, "--" + "y" * 100_000):
        assert main([verb]) == 2
        assert len(capsys.readouterr().err) < 2_100
    assert main(["solve", "y" * 300]) == 2
    said = capsys.readouterr().err
    assert len(said) < 300 and str(Path(__file__).parent) not in said and "300 characters long" in said


def test_the_page_has_every_status_and_every_kind_of_error(run):
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    rows = {
        line.split("|")[1].strip() for line in page.split("## Exit status")[1].splitlines() if line.startswith("| ")
    }
    ours = [SymbolicMemError, *walked(SymbolicMemError)]
    assert rows - {"status", "---"} == {"0", "1", "70", "130", "that of a signal"} | {
        str(error.exit_status) for error in ours
    }
    (said,) = re.findall(r"`kind` is (.*?):", page, re.DOTALL)
    kinds = json.loads(run("schema", "error").out)["properties"]["error"]["properties"]["kind"]["enum"]
    assert set(re.findall(r"`([a-z-]+)`", said)) == set(kinds) >= {error.kind for error in ours}


def walked(kind: type) -> list[type]:
    return [each for one in kind.__subclasses__() for each in (one, *walked(one))]
