"""The command line as a program: help, streams, encodings, completion."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from symbolic_mem import __version__
from symbolic_mem.cli.main import VERBS

STUDY = "cs336-a2-xxl"


def program(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "symbolic_mem", *arguments],
        check=False,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        **{"stdout": subprocess.PIPE, **options},
    )


def test_version(run):
    assert run("--version").out == f"symbolic-mem {__version__}\n"


def test_no_arguments_is_a_wrong_call_that_shows_the_help(run):
    done = run()
    assert (done.status, done.out) == (2, "") and "Usage: symbolic-mem" in done.err


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_and_its_first_sentence_ends(run, verb):
    done = run(verb, "--help")
    assert done.status == 0 and f"symbolic-mem {verb}" in done.out.splitlines()[0]
    assert "." in done.out


def test_tables_line_up(run):
    lines = run("account", STUDY).out.splitlines()
    rules = [line for line in lines if line.startswith("─")]
    assert len(rules) == 2 and len(set(rules)) == 1
    assert max(map(len, lines[lines.index(rules[0]) - 1 :][:7])) <= len(rules[0])


def test_a_pipe_that_closes_is_no_error():
    process = subprocess.Popen(
        [sys.executable, "-m", "symbolic_mem", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    error = process.stderr.read()
    process.stderr.close()
    assert (process.wait(60), error) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize("arguments", [("account", STUDY), ("list", "--json"), ("homework", STUDY)])
def test_a_full_disk_behind_standard_output(arguments):
    with Path("/dev/full").open("wb") as full:
        done = program(*arguments, stdout=full)
    assert done.returncode == 2
    assert (
        done.stderr == b"symbolic-mem: standard output: cannot be written (No space left on device); make room there\n"
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_an_error_that_cannot_be_an_object_is_a_line():
    with Path("/dev/full").open("wb") as full:
        done = program("list", "nothing", "--json", stdout=full)
    assert done.returncode == 2 and done.stderr.startswith(b"symbolic-mem: ") and done.stderr.count(b"\n") == 1


def test_a_terminal_that_lacks_our_signs_gets_a_question_mark():
    done = program("account", STUDY, env={**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"})
    assert done.returncode == 0 and b"?????" in done.stdout
    assert b"5,817,533,202,432" in done.stdout


def test_json_and_documents_are_utf8_whatever_the_terminal():
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    assert "“cs336”" in program("account", STUDY, "--json", env=environment).stdout.decode("utf-8")
    assert "⁰" in program("homework", STUDY, env=environment).stdout.decode("utf-8")


def completion(**variables):
    """Run the installed script as a shell's completion does."""
    script = Path(sys.executable).with_name("symbolic-mem")
    done = subprocess.run([script], check=False, env={**os.environ, **variables}, capture_output=True, text=True)
    return done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell):
    assert "_SYMBOLIC_MEM_COMPLETE" in completion(_SYMBOLIC_MEM_COMPLETE=f"{shell}_source")


def test_completion_offers_the_verbs():
    typed = {"COMP_WORDS": "symbolic-mem so", "COMP_CWORD": "1"}
    assert completion(_SYMBOLIC_MEM_COMPLETE="bash_complete", **typed) == "plain,solve\n"


@pytest.mark.parametrize(("capacity", "other"), [("80 GB", "iB"), ("80 GiB", "GB")])
def test_an_account_has_one_family_of_units_that_of_the_device(run, capacity, other):
    done = run("account", "llama-3.1-8b", "--plan", "fsdp2", "--set", "n_fsdp=4", "--capacity", capacity)
    assert done.status == 0 and f"the {capacity} of one device" in done.out
    assert not re.search(rf"[0-9] [KMGT]?{other}\b", done.out)
