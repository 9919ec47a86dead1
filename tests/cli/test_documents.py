"""`homework` and `report`: what must stand in them, what a user writes is printed and not run, whole files only."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

STUDY = "cs336-a2-xxl"
DATA = json.loads((Path(__file__).parents[1] / "data" / "cs336.json").read_text(encoding="utf-8"))
# Every figure of the notebook that this project grew from, and the exact bytes behind them.
NOTEBOOK = ("219848638464", "819", "1638", "3276", "2142", "131072", "0.0163421630859375", "68", "46")
EXACT = ("3517578215424", "2299954987008", "17547264", "1071", "5418", "5817533202432")
TEXTS = ("tex", "md", "html")


def figures(text: str) -> set[str]:
    """Every number of a text, without the signs that group its digits."""
    joined = re.sub(r"(?<=\d)(?:\\,|&#8239;|&thinsp;|\{,\}|[,\u2009\u202f\u00a0])(?=\d{3})", "", text)
    return set(re.findall(r"(?<![\d.])\d+(?:\.\d+)?", joined))


@pytest.fixture
def written(run, tmp_path):
    def call(verb, ending, *options):
        done = run(verb, STUDY, "-o", f"x.{ending}", *options)
        assert done.status == 0, done.err
        assert done.err.startswith(f"wrote x.{ending} (")
        assert [path.name for path in tmp_path.iterdir()] == [f"x.{ending}"]
        return (tmp_path / f"x.{ending}").read_bytes()

    return call


@pytest.mark.parametrize("verb", ["homework", "report"])
@pytest.mark.parametrize("ending", [*TEXTS, "json"])
def test_every_figure_of_the_notebook_stands_in_the_solution(written, verb, ending):
    found = figures(written(verb, ending).decode())
    assert {*NOTEBOOK, *EXACT} <= found


def test_the_terminal_gets_the_same_markdown(run, written):
    assert run("homework", STUDY).out.encode() == written("homework", "md")


def test_both_readings_of_the_other_half_and_what_would_help(written):
    answers = json.loads(written("homework", "json"))["answers"]
    assert len(answers) >= 3
    assert "68 devices" in answers[0] and "5418 GiB" in answers[0]
    assert "46" in answers[1]
    assert "no number of devices" in answers[2] and "11,626 tokens" in answers[2]


def degree(tokens: int, capacity: int) -> int:
    """The smallest n with kept + divided/n < capacity, in plain whole numbers, by the handout's formulas."""
    by_id = {case["id"]: case["value"] for case in DATA["cases"]}
    half = by_id["cs336-a2-comm-a-act-per-token"] * tokens // 2
    n = 1
    while half + (by_id["cs336-a2-comm-a-states"] + half) / n >= capacity:
        n += 1
    return n


def test_degrees_by_tokens_per_device_are_those_of_plain_arithmetic(written):
    document = json.loads(written("homework", "json"))
    tables = [block for section in document["sections"] for block in section["blocks"] if block["kind"] == "table"]
    found = next(block for block in tables if "tokens" in block["columns"][0])
    rows = {row[0]: row[1:] for row in found["rows"]}
    assert [rows[tokens] for tokens in ("512", "1024", "2048")] == [["39", "37"], ["41", "38"], ["46", "43"]]
    for tokens in (512, 1024, 2048):
        expected = [str(degree(tokens, 95 * 10**9)), str(degree(tokens, 95 * 2**30))]
        assert rows[str(tokens)] == expected


def devices(per_parameter: int, tokens: int, capacity: int) -> str:
    """Devices of `capacity` bytes for all states and activations, in plain whole numbers."""
    by_id = {case["id"]: case["value"] for case in DATA["cases"]}
    total = per_parameter * by_id["cs336-a2-comm-a-params"] + by_id["cs336-a2-comm-a-act-per-token"] * tokens
    return f"{-(-total // capacity)} devices"


def sharded(per_parameter: int, tokens: int, capacity: int, halves: int = 1) -> str:
    """The smallest degree with (states + half, or all, of the activations)/n below `capacity`."""
    by_id = {case["id"]: case["value"] for case in DATA["cases"]}
    divided = per_parameter * by_id["cs336-a2-comm-a-params"]
    divided += by_id["cs336-a2-comm-a-act-per-token"] * tokens * halves // 2
    return str(divided // capacity + 1)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), (devices(16, 2**17, 80 * 2**30), sharded(16, 2**17, 95 * 2**30))),
        (("--reading", "marketed"), (devices(16, 2**17, 80 * 10**9), sharded(16, 2**17, 95 * 10**9))),
        (
            ("--reading", "reported", "--device", "h100-80gb"),
            (devices(16, 2**17, 81559 * 2**20), sharded(16, 2**17, 81559 * 2**20)),
        ),
        (("--capacity", "141 GB"), (devices(16, 2**17, 141 * 10**9), sharded(16, 2**17, 141 * 10**9))),
        (("--set", "B=1", "--set", "S=1"), (devices(16, 1, 80 * 2**30), sharded(16, 1, 95 * 2**30))),
        (("--place", "activations=1"), (devices(16, 2**17, 80 * 2**30), sharded(16, 2**17, 95 * 2**30, 2))),
        (("--recipe", "scaling-book-10"), (devices(10, 2**17, 80 * 2**30), sharded(10, 2**17, 95 * 2**30))),
    ],
)
def test_an_option_changes_the_solution(written, options, expected):
    answers = json.loads(written("homework", "json", *options))["answers"]
    assert expected[0] in answers[0]
    assert f"he smallest n_fsdp is {expected[1]}: on {expected[1]} devices" in answers[1]


def test_the_caller_s_rest_makes_part_b_infeasible(written):
    answers = json.loads(written("homework", "json", "--rest", "kept"))["answers"]
    assert "no number of devices" in answers[1]
    assert not any("is 46" in answer for answer in answers)


@pytest.mark.parametrize("ending", TEXTS)
def test_what_a_user_writes_is_printed_and_not_run(run, tmp_path, ending):
    title = (
        r"\input{secret} & <script>alert(1)</script> {{ 765*101 }} << 765*101 >> $x$ % #1 ~^_ `c` **b** [l](http://u)"
    )
    (tmp_path / "secret.tex").write_text("the secret")
    study = f"title = {json.dumps(title)}\ntext = {json.dumps(title)}\n"
    study += '[model]\nkind = "ffn"\n[values]\nd_model = 8\nd_ff = 32\nL = 2\nB = 4\nS = 16\n'
    study += f'[[question]]\nask = "device_count"\ncapacity = "1 MiB"\ntitle = {json.dumps(title)}\n'
    (tmp_path / "my.toml").write_text(study)
    assert run("homework", "my.toml", "-o", f"x.{ending}").status == 0
    text = (tmp_path / f"x.{ending}").read_text(encoding="utf-8")
    assert "77265" not in text
    assert "the secret" not in text
    if ending == "tex":
        assert r"\input" not in text and "$x$" not in text
        assert re.search(r"\\textbackslash(\{\}| )?input\\\{secret\\\} \\& ", text)
    else:
        assert "<script" not in text.replace(r"\<script", "")
        assert ("&lt;script&gt;" if ending == "html" else r"\<script\>") in text


def test_a_document_is_the_same_bytes_every_time(run, tmp_path):
    for name in ("x.tex", "y.tex"):
        assert run("homework", STUDY, "-o", name).status == 0
    assert (tmp_path / "x.tex").read_bytes() == (tmp_path / "y.tex").read_bytes()


def test_several_files_at_once_and_an_old_one_is_replaced(run, tmp_path):
    (tmp_path / "x.tex").write_text("old")
    done = run("homework", STUDY, "-o", "x.tex", "-o", "x.md", "-o", "x.json")
    assert done.status == 0
    assert [line.split()[1] for line in done.err.splitlines()] == ["x.tex", "x.md", "x.json"]
    assert (tmp_path / "x.tex").read_text(encoding="utf-8").startswith("\\documentclass")


def test_without_any_pdf_program_the_tex_is_written_and_both_ways_are_named(run, tmp_path, monkeypatch):
    monkeypatch.setattr("symbolic_mem.render.tex_engine.engines", list)
    monkeypatch.setattr("symbolic_mem.render.typst.is_installed", lambda: False)
    done = run("homework", STUDY, "-o", "x.pdf", "-o", "y.md")
    assert done.status == 3
    last = done.err.splitlines()[-1]
    assert "TeX Live" in last and "symbolic-mem[documents]" in last and "x.tex" in last
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.tex", "y.md"]


def test_the_route_to_a_pdf_is_chosen(run, tmp_path, monkeypatch):
    pypdf = pytest.importorskip("pypdf")
    done = run("homework", STUDY, "-o", "x.pdf", "--pdf-route", "typst")
    assert done.status == 0, done.err
    assert "Typst" in pypdf.PdfReader(tmp_path / "x.pdf").metadata.creator
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run("homework", STUDY, "-o", "y.pdf", "--pdf-route", "tex")
    assert done.status == 3 and "no TeX engine is on the PATH" in done.err and (tmp_path / "y.tex").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("-o", "x.pdf", "--pdf-route", "word"), "--pdf-route: route 'word' is not known; known: tex, typst"),
        (("-o", "x.md", "--pdf-route", "typst"), "says how a .pdf is made, and none is; add -o FILE.pdf"),
    ],
)
def test_a_route_that_leads_nowhere_is_refused(run, tmp_path, options, said):
    done = run("report", STUDY, *options)
    assert done.status == 2 and said in done.err and not list(tmp_path.iterdir())


def test_ctrl_c_in_the_middle_of_a_pdf_leaves_nothing(tmp_path):
    """The engine is a program that hangs; Ctrl-C reaches us while it runs."""
    programs = tmp_path / "bin"
    programs.mkdir()
    started = tmp_path / "started"
    for name in ("latexmk", "pdflatex", "lualatex", "tectonic"):
        fake = programs / name
        fake.write_text(f"#!/bin/sh\n: > {started}\nsleep 60\n")
        fake.chmod(0o755)
    scratch, folder = tmp_path / "tmp", tmp_path / "work"
    scratch.mkdir()
    folder.mkdir()
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "TMPDIR": str(scratch)}
    process = subprocess.Popen(
        [sys.executable, "-m", "symbolic_mem", "homework", STUDY, "-o", "x.pdf"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    limit = time.monotonic() + 60
    while not started.exists() and process.poll() is None and time.monotonic() < limit:
        time.sleep(0.02)
    assert started.exists()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert (out, err.strip()) == ("", "symbolic-mem: interrupted; no file was left half-written")
    assert list(folder.iterdir()) == [] and list(scratch.iterdir()) == []
