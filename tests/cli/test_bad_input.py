"""Whatever is wrong with a call: one line that says what to do, exit status 2, nothing written, no traceback."""

from __future__ import annotations

import errno
import os
import re
import tracemalloc

import pytest

from symbolic_mem.cli.main import main

STUDY = "cs336-a2-xxl"
GOOD = """\
title = "A study"
[model]
kind = "ffn"
[values]
d_model = 8
d_ff = 32
L = 2
B = 4
S = 16
"""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("solve", "cs336-a2-xx"), "unknown study 'cs336-a2-xx'; did you mean 'cs336-a2-xxl'?"),
        (("solve", ""), "unknown study ''"),
        (("solve", "no.toml"), "no.toml: there is no such file"),
        (("solve", "/"), "/ is a folder"),
        (("solve",), "Missing argument 'STUDY'; see `symbolic-mem solve --help`"),
        (("hamework", STUDY), "unknown verb 'hamework'; did you mean 'homework'?"),
        (("solve", STUDY, "--frob"), "--frob"),
        (("solve", STUDY, "extra"), "unexpected extra argument (extra)"),
        (("solve", STUDY, "--set", "L"), "--set 'L' is not a pair: write --set NAME=VALUE"),
        (("solve", STUDY, "--set", "L="), "--set 'L=' is not a pair"),
        (("solve", STUDY, "--set", "d_mode=8"), "--set: unknown symbol 'd_mode'; did you mean 'd_model'?"),
        (("solve", STUDY, "--set", "P=8"), "--set: unknown symbol 'P'"),
        (("solve", STUDY, "--device", "tpu-v5q"), "unknown device 'tpu-v5q'; did you mean 'tpu-v5p'?"),
        (("solve", STUDY, "--reading", "bin"), "unknown reading 'bin'; did you mean 'binary'?"),
        (("solve", STUDY, "--recipe", "cs33"), "unknown recipe 'cs33'; did you mean 'cs336'?"),
        (("solve", STUDY, "--capacity", "80G"), "write 80 GB (10^9 bytes each) or 80 GiB (2^30 bytes each)"),
        (("solve", STUDY, "--capacity", "80gb"), "write 80 GB (10^9 bytes each) or 80 GiB (2^30 bytes each)"),
        (("solve", STUDY, "--capacity", "80"), "has no unit"),
        (("solve", STUDY, "--capacity", "0 GiB"), "must be more than zero"),
        (("solve", STUDY, "--place", "weigts=1/2"), "unknown kind 'weigts' of memory; did you mean 'weights'?"),
        (("solve", STUDY, "--place", "weights=3/2"), "fraction 3/2 is more than 1"),
        (("solve", STUDY, "--place", "weights=1/0"), "more than zero"),
        (("solve", STUDY, "--rest", "keep"), "unknown 'keep'; did you mean 'kept'?"),
        (("solve", STUDY, "--kind", "weight"), "unknown kind 'weight' of memory; did you mean 'weights'?"),
        (("solve", STUDY, "--for", "n_fsd"), "did you mean 'n_fsdp'?"),
        (("solve", STUDY, "--question", "z"), "no question 'z'"),
        (("solve", STUDY, "--devices", "no.toml"), "no.toml: there is no such file"),
        (("homework", STUDY, "--templates", "no"), "'no' is not a folder"),
        (("homework", STUDY, "--templates", ".", "-o", "a.json"), "no template sets .json or .csv; leave it out"),
        (("list", "device"), "'device' is not one of 'studies', 'devices', 'recipes'"),
    ],
)
def test_a_wrong_call_says_what_is_allowed(refused, arguments, said):
    assert said in refused(*arguments)


@pytest.mark.parametrize("value", ["0", "-3", "1.5", "nan", "inf", "1e400", "true", "four", "2*4", "f(2)"])
def test_a_symbol_takes_positive_whole_numbers_only(refused, value):
    said = refused("solve", STUDY, "--set", f"L={value}")
    assert said.startswith("--set: L = ") and "give a positive whole number, as in L = 128" in said


@pytest.mark.parametrize(
    "value", ["0", "-3", "1.5", "nan", "inf", "-inf", "true", '"four"', '"f(2)"', "[1]", "{ a = 1 }", "2026-11-23"]
)
def test_the_same_in_a_file_with_its_place(refused, tmp_path, value):
    (tmp_path / "my.toml").write_text(GOOD.replace("L = 2", f"L = {value}"))
    said = refused("account", "my.toml")
    assert said.startswith("my.toml [values]: L = ") and "give a positive whole number" in said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("d_ff = 32", "d_f = 32", "my.toml [values]: unknown symbol 'd_f'; did you mean 'd_ff'?"),
        ("[values]", "[value]", "my.toml: unknown key 'value'; did you mean 'values'?"),
        ('kind = "ffn"', 'kind = "fnn"', "my.toml [model]: unknown kind 'fnn' of model; did you mean 'ffn'?"),
        ('title = "A study"', "", "my.toml: title is missing; give text"),
        ('title = "A study"', "title = 3", "my.toml: title must be text, not a whole number"),
        ("L = 2", "L = ", "my.toml: is not valid TOML: Invalid value (at line 7, column 5)"),
        ("L = 2", "L = 2\nL = 3", "my.toml: is not valid TOML: Cannot overwrite a value (at line 8, column 6)"),
        ("[values]", '[recipe]\npreset = "cs33"\n[values]', "unknown recipe 'cs33'; did you mean 'cs336'?"),
        (
            "[values]",
            "[placement]\nweights = { fraction = 2 }\n[values]",
            "my.toml [placement] weights: fraction 2 is more than 1",
        ),
        (
            "[values]",
            '[placement]\nweights = { over = "open(1)" }\n[values]',
            "my.toml [placement] weights: over 'open(1)': column 1: 'open' cannot be called",
        ),
        (
            "[values]",
            '[placement]\nweights = { rest = "keep" }\n[values]',
            "my.toml [placement] weights: unknown rest 'keep'; did you mean 'kept'?",
        ),
        (
            "[values]",
            '[[question]]\nask = "min_degre"\n[values]',
            "my.toml [[question]] number 1: unknown ask 'min_degre'; did you mean 'min_degree'?",
        ),
        (
            "[values]",
            '[[question]]\nask = "min_degree"\ndevise = "h200"\n[values]',
            "my.toml [[question]] number 1: unknown key 'devise'; did you mean 'device'?",
        ),
        (
            "[values]",
            '[[question]]\nask = "min_degree"\nstrict = "yes"\n[values]',
            "my.toml [[question]] number 1: strict = 'yes' has the wrong type",
        ),
        (
            "[values]",
            '[[question]]\nask = "min_degree"\nreading = "label"\n[values]',
            "my.toml [[question]] number 1: reading: unknown reading 'label'; known: binary, marketed, reported",
        ),
        (
            "[values]",
            '[placement]\nweights = { over = "n_fsdp**2" }\n[values]',
            "my.toml [placement] weights: over 'n_fsdp**2' is not a degree; give one, or a product of different ones",
        ),
        (
            "[values]",
            '[[question]]\nlabel = "a"\nask = "min_degree"\n[[question]]\nlabel = "a"\nask = "min_degree"\n[values]',
            "my.toml [[question]] number 2: label 'a' is that of an earlier question",
        ),
        ("d_ff = 32", "Q = 32", "my.toml [values]: unknown symbol 'Q'; known: d_cq, B, C, E, L; "),
    ],
)
def test_a_faulty_study_says_where_and_what_is_known(refused, tmp_path, old, new, said):
    assert GOOD.count(old) == 1
    (tmp_path / "my.toml").write_text(GOOD.replace(old, new))
    assert said in refused("account", "my.toml")


def test_the_study_that_the_faults_are_put_into_is_good(run, tmp_path):
    (tmp_path / "my.toml").write_text(GOOD)
    assert run("account", "my.toml").status == 0


def test_a_file_that_is_not_utf8(refused, tmp_path):
    (tmp_path / "my.toml").write_bytes(GOOD.replace("A study", "caf\xe9").encode("latin-1"))
    assert "my.toml: is not UTF-8 text (line 1); save it as UTF-8" in refused("account", "my.toml")


def test_a_file_of_a_hundred_megabytes_is_not_read(run, tmp_path):
    with (tmp_path / "my.toml").open("wb") as file:
        file.truncate(100_000_000)
    tracemalloc.start()
    try:
        done = run("account", "my.toml")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (done.status, done.out) == (2, "")
    assert "my.toml: is larger than 1,000,000 bytes, the most that is read" in done.err
    assert peak < 20_000_000


def test_a_value_that_is_missing_is_named(refused, tmp_path):
    study = GOOD.replace("B = 4\n", "") + '[placement]\nactivations = { over = "n_fsdp" }\n'
    (tmp_path / "my.toml").write_text(study)
    said = refused("solve", "my.toml", "--device", "h200")
    assert "needs a value for B; give it under [values] in the study, as --set B=..., or in Python as B=..." in said
    assert "needs a value for B" in refused("report", "my.toml")


def test_a_question_without_a_capacity_says_how_to_give_one(refused, tmp_path):
    (tmp_path / "my.toml").write_text(GOOD + '[placement]\nweights = { over = "n_fsdp" }\n')
    assert "add --device NAME or --capacity AMOUNT" in refused("solve", "my.toml")


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("no/x.tex", "-o 'no/x.tex': there is no folder 'no'; make it first"),
        (
            "x.doc",
            "-o 'x.doc': the ending says the format, and '.doc' is unknown; use .tex, .pdf, .html, .md, .ipynb, .json",
        ),
        ("x", "-o 'x': the ending says the format, and there is none"),
        (".", "-o '.' is a folder; name a file in it"),
    ],
)
def test_an_output_that_cannot_be(refused, output, said):
    assert said in refused("homework", STUDY, "-o", "good.tex", "-o", output)


def test_a_folder_that_is_not_writable(refused, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    assert "the folder '.' is not writable; choose another" in refused("homework", STUDY, "-o", "x.tex")


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_as_it_was(refused, tmp_path, monkeypatch, call):
    (tmp_path / "x.tex").write_text("old")

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if call == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr("pathlib.Path.replace", full)
    said = refused("homework", STUDY, "-o", "x.tex")
    assert said == "-o 'x.tex': cannot be written (No space left on device); nothing was changed there"


def test_a_message_names_no_line_of_our_code(refused):
    assert not re.search(r"\.py\b|line \d+, in", refused("solve", STUDY, "--set", "L=x"))


def test_no_place_for_temporary_files(refused, monkeypatch):
    def none(*_, **__):
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/nowhere']")

    monkeypatch.setattr("tempfile.mkdtemp", none)
    assert "No usable temporary directory found" in refused("homework", STUDY, "-o", "x.pdf")


def test_a_control_character_in_a_title_never_reaches_the_terminal(tmp_path, capsys):
    study = tmp_path / "my.toml"
    study.write_text('title = "\\u001b[31mred"\n[model]\nkind = "ffn"\n', encoding="utf-8")
    assert main(["account", str(study)]) == 2
    shown = capsys.readouterr()
    assert "title holds a control character (U+001B, the 1st of its characters); remove it" in shown.err
    assert "\x1b" not in shown.out + shown.err


def test_messages_name_the_option_the_limit_and_the_labels(capsys):
    for arguments, said in (
        (["--capacity", "80G"], "--capacity: '80G' does not say which unit"),
        (["--set", "B=" + "9" * 40], "is too large; at most 10^30 is read"),
        (["--question", "z"], "has no question 'z' to solve; known: 'a', 'b', 'b, literally', 'b, remark'"),
        (
            ["--question", "c"],
            "question 'c' of study 'cs336-a2-xxl' is compute_bound, which homework and report answer",
        ),
    ):
        assert main(["solve", "cs336-a2-xxl", *arguments]) == 2
        assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("call", "near", "command"),
    [
        (("solve", "cs336-a2-xl"), "cs336-a2-xxl", "list studies"),
        (("solve", "cs336-a2-xxl", "--device", "h100"), "h100-80gb", "list devices"),
        (("solve", "cs336-a2-xxl", "--recipe", "fsdp"), "fsdp2", "list recipes"),
        (("solve", "llama-3.1-8b", "--plan", "megatrn"), "megatron", "list plans"),
        (("solve", "llama-3.1-8b", "--profile", "hf-cuda"), "hf-cuda-bf16", "list profiles"),
        (("solve", "llama-3.1-8b", "--set", "n_head=3"), "n_heads", "list symbols"),
    ],
)
def test_of_many_names_the_nearest_are_said_and_the_command_that_lists_all(run, call, near, command):
    said = run(*call).err
    assert len(said) < 400 and said.count(",") < 8
    assert re.search(rf"did you mean '{near}'\? known: {near}, .*; \d+ more: symbolic-mem {command}\b", said)
    assert near in run(*command.split()).out
