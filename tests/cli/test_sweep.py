"""`symbolic-mem sweep`: what it prints, what it writes, and what it refuses before anything is written."""

from __future__ import annotations

import csv
import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from symbolic_mem.cli.main import main
from symbolic_mem.sweeps import write
from symbolic_mem.sweeps.sweep import sweep

AXES = ["--vary", "B=1,2,4", "--vary", "S=4096:16385:4096", "--vary", "device=h100-80gb,b200"]
STUDY = "llama-3.1-8b"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def found():
    return sweep(STUDY, B=[1, 2, 4], S=range(4096, 16385, 4096), device=["h100-80gb", "b200"])


def rows_in(path):
    return list(csv.DictReader(Path(path).read_text(encoding="utf-8").splitlines()))


def expected(found, row):
    one = found.at(B=int(row["B"]), S=int(row["S"]), device=row["device"])
    if not one["fits"]:
        return {"n_fsdp": "", "fits": "false", "peak": "", "left": "", "instant": ""}
    return {name: "true" if value is True else str(value) for name, value in one.items()}


def test_a_csv_has_every_configuration_once(found, capsys):
    assert main(["sweep", STUDY, *AXES, "-o", "all.csv"]) == 0
    assert capsys.readouterr().out == "all.csv: 24 configurations\n"
    rows = rows_in("all.csv")
    assert len({(row["B"], row["S"], row["device"]) for row in rows}) == len(rows) == 24
    for row in rows:
        assert {name: row[name] for name in found.columns} == expected(found, row)


def test_small_pieces_write_the_same_file(monkeypatch):
    whole = [*AXES, "--vary", "L=1,2,3,32"]
    assert main(["sweep", STUDY, *whole, "-o", "whole.csv"]) == 0
    from symbolic_mem.cli import sweep as verb

    monkeypatch.setattr(verb, "STREAMED", 5)
    assert main(["sweep", STUDY, *whole, "-o", "pieces.csv"]) == 0
    assert Path("whole.csv").read_bytes() == Path("pieces.csv").read_bytes()


def test_a_parquet_has_the_same_rows_with_nulls():
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is optional")
    assert main(["sweep", STUDY, *AXES, "-o", "all.parquet"]) == 0
    assert main(["sweep", STUDY, *AXES, "-o", "all.csv"]) == 0
    table = parquet.read_table("all.parquet").to_pylist()
    said = {None: "", True: "true", False: "false"}
    assert [{n: said.get(v) if (v in (None, True, False) and not isinstance(v, int)) or isinstance(v, bool) else str(v) for n, v in row.items()} for row in table] == rows_in("all.csv")  # fmt: skip


def test_an_npz_has_the_axes_and_the_arrays(found):
    assert main(["sweep", STUDY, *AXES, "-o", "all.npz"]) == 0
    with np.load("all.npz") as data:
        assert data["dims"].tolist() == ["B", "S", "device"]
        assert data["B"].tolist() == [1, 2, 4]
        assert data["words"].tolist() == list(found.words)
        for name, column in found.columns.items():
            assert np.array_equal(data[name], column), name


def test_rows_are_chosen_sorted_and_cut(capsys):
    assert main(["sweep", STUDY, *AXES, "-o", "all.csv"]) == 0
    fitting = [row for row in rows_in("all.csv") if row["fits"] == "true" and int(row["S"]) >= 8192]
    best = sorted(fitting, key=lambda row: -int(row["left"]))[:3]
    asked = ["--where", "fits", "--where", "S>=8192", "--sort", "-left", "--top", "3"]
    assert main(["sweep", STUDY, *AXES, *asked, "-o", "best.csv"]) == 0
    assert rows_in("best.csv") == best
    assert main(["sweep", STUDY, *AXES, "--where", "left > 100 GiB", "-o", "roomy.csv"]) == 0
    assert rows_in("roomy.csv") == [r for r in rows_in("all.csv") if r["left"] and int(r["left"]) > 100 * 2**30]
    assert (
        main(["sweep", STUDY, *AXES, "--where", "device!=b200", "--where", "instant=the optimizer step", "-o", "o.csv"])
        == 0
    )
    assert rows_in("o.csv") == [
        r for r in rows_in("all.csv") if r["device"] != "b200" and r["instant"] == "the optimizer step"
    ]
    assert main(["sweep", STUDY, *AXES, "--where", "left<10 GiB", "--sort", "left", "-o", "tight.csv"]) == 0
    tight = [int(row["left"]) for row in rows_in("all.csv") if row["left"] and int(row["left"]) < 10 * 2**30]
    assert [int(row["left"]) for row in rows_in("tight.csv")] == sorted(tight)
    assert main(["sweep", STUDY, *AXES, "--sort", "-n_fsdp", "-o", "sorted.csv"]) == 0
    degrees = [row["n_fsdp"] for row in rows_in("sorted.csv")]
    assert degrees == sorted(degrees, key=lambda one: -int(one or 0)) and degrees[-1] == "" != degrees[0]
    capsys.readouterr()
    assert main(["sweep", STUDY, *AXES, *asked, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [str(row["left"]) for row in printed["rows"]] == [row["left"] for row in best]
    assert (printed["points"], printed["more"]) == (24, 0)


def test_a_front_is_what_no_other_row_beats(monkeypatch):
    from symbolic_mem.cli import sweep as verb

    monkeypatch.setattr(verb, "STREAMED", 16)
    axes = ["--vary", "B=1:9", "--vary", "S=512:8193:512", "--vary", "L=8,16,32"]
    assert main(["sweep", STUDY, *axes, "-o", "all.csv"]) == 0
    assert main(["sweep", STUDY, *axes, "--pareto", "n_fsdp,-left", "-o", "front.csv"]) == 0
    points = [(int(r["n_fsdp"]), -int(r["left"])) for r in rows_in("all.csv") if r["n_fsdp"]]
    best = {p for p in points if not any(q != p and q[0] <= p[0] and q[1] <= p[1] for q in points)}
    front = [(int(row["n_fsdp"]), -int(row["left"])) for row in rows_in("front.csv")]
    assert front == sorted(best) and len(front) > 1


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is read as Linux tells it")
def test_memory_does_not_grow_with_the_grid(here):
    code = (
        "import re, sys\n"
        "from symbolic_mem.cli.main import main\n"
        "axes = ['--vary', 'B=1:2049', '--vary', 'S=1:4097', '--where', 'n_fsdp=7', '--where', 'left<0']\n"
        f"status = main(['sweep', {STUDY!r}, *axes, '-o', 'none.csv'])\n"
        "told = open('/proc/self/status').read()\n"  # getrusage would tell the peak of who started it, if that is more
        "print(int(re.search(r'VmHWM:\\s+(\\d+) kB', told)[1]) // 1024)\n"
        "sys.exit(status)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=here, capture_output=True, text=True, check=True)
    said, peak = done.stdout.splitlines()
    assert said == "none.csv: 0 of 8,388,608 configurations"
    assert int(peak) < 300  # MiB; its columns would take 350 by themselves
    assert Path("none.csv").read_text() == "B,S,n_fsdp,fits,peak,left,instant\n"


def test_rules_kinds_and_changes_count(capsys):
    assert (
        main(
            [
                "sweep",
                STUDY,
                "--vary",
                "B=1,2",
                "--multiple-of",
                "8",
                "--capacity",
                "192 GB",
                "--set",
                "S=8192",
                "-o",
                "a.csv",
            ]
        )
        == 0
    )
    assert [row["n_fsdp"] for row in rows_in("a.csv")] == ["8", "8"]
    assert main(["sweep", STUDY, "--vary", "n_fsdp=1,2", "--kind", "weights", "--terms", "-o", "b.csv"]) == 0
    assert [row["term: FP32 parameters"] == row["peak"] for row in rows_in("b.csv")] == [True, True]


WRONG = [
    (["--vary", "B"], "--vary 'B' gives no values: write --vary B=1,2,4 or --vary B=1:65:8"),
    (["--vary", "B="], "--vary 'B=' gives no values"),
    (["--vary", "B=1", "--vary", "B=2"], "--vary B is given twice; give all its values at once"),
    (["--vary", "B=1:9:0"], "--vary B=1:9:0: the step is 0, which leads nowhere; give for example 8"),
    (["--vary", "B=9:1:2"], "--vary B=9:1:2 takes no value: a step of 2 leads away from 1; the start counts, and the stop"),
    (["--vary", "B=1:9:-2"], "--vary B=1:9:-2 takes no value: a step of -2 leads away from 9"),
    (["--vary", "B=4:4"], "--vary B=4:4 takes no value: there is nothing between them"),
    (["--vary", "B=:4"], "--vary B=:4: a range has a start and a stop"),
    (["--vary", "B=1.5"], "--vary B: '1.5' is no whole number; give whole numbers"),
    (["--vary", "B=１:4"], "--vary B: '１' is no whole number"),
    (["--vary", "B=1e99999999"], "--vary B: '1e99999999' is no whole number"),
    (["--vary", "B=1,,2"], "--vary B: '' is no whole number"),
    (["--vary", "B=0"], "--vary: B = 0 is not allowed; give positive whole numbers"),
    (["--vary", "Q=1"], "--vary: 'Q' cannot be varied; known: "),
    (["--vary", "E=1,2"], "sweep: nothing that is asked reads E; it reads B, L, S, V"),
    ([], "nothing is varied; add for example --vary B=1,2,4"),
    (["--vary", "B=1:1000001", "--vary", "S=1:1000001", "--vary", "V=1:1001"], "sweep: 1,000,000,000,000,000 configurations take about"),
    (["--vary", "B=1", "--where", "peek<1"], "--where 'peek<1': there is no column 'peek'; did you mean 'peak'?"),
    (["--vary", "B=1", "--where", "peak"], "--where 'peak' compares nothing: write for example --where 'peak <= 64'"),
    (["--vary", "B=1", "--where", "peak<much"], "--where 'peak<much': 'much' is no number and no amount such as 2 GiB"),
    (["--vary", "B=1", "--where", "peak<1e99999999"], "--where 'peak<1e99999999': '1e99999999' is no number and no amount"),
    (["--vary", "B=1", "--where", "B>１"], "--where 'B>１': '１' is no number and no amount"),
    (["--vary", "B=1", "--where", "fits<true"], "--where 'fits<true': fits is a word and is = or != one of them"),
    (["--vary", "B=1", "--sort", "-peek"], "--sort '-peek': there is no column 'peek'; did you mean 'peak'?"),
    (["--vary", "B=1", "--pareto", "peak"], "--pareto 'peak': name two columns, as in --pareto n_fsdp,-B"),
    (["--vary", "B=1", "--pareto", "peak,fits"], "--pareto 'peak,fits': 'fits' is no column of numbers; did you mean 'left'? known: B"),
    (["--vary", "B=1", "--column", "peek"], "--column: there is no column 'peek' here; did you mean 'peak'?"),
    (["--vary", "B=1", "-o", "a.xlsx"], "-o 'a.xlsx': the ending says the format, and '.xlsx' is unknown; use .csv, .parquet, .npz"),
    (["--vary", "B=1", "-o", "no/a.csv"], "-o 'no/a.csv': there is no folder 'no'; make it first"),
    (["--vary", "B=1", "-o", "."], "-o '.' is a folder; name a file in it"),
    (["--vary", "B=1", "--top", "2", "-o", "a.npz"], "--where, --pareto, --sort and --top choose rows, and an .npz file holds whole"),
    (["--vary", "B=1", "--padded-rows"], "a sweep does not cut into whole pieces"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "says"), WRONG, ids=lambda one: " ".join(one)[:40] if isinstance(one, list) else "")
def test_what_cannot_be_asked_is_one_line(given, says, here, capsys):
    assert main(["sweep", STUDY, *given]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(f"symbolic-mem: {says}")
    assert printed.err.count("\n") == 1 and printed.out == ""
    assert list(here.iterdir()) == []


def test_a_full_disk_is_said_before_a_file_is_mapped(monkeypatch, here, capsys):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    assert main(["sweep", STUDY, "--vary", "B=1,2", "-o", "a.npz"]) == 2
    assert "cannot be written (No space left on device); nothing was changed there" in capsys.readouterr().err
    assert list(here.iterdir()) == []


def test_without_pyarrow_it_is_said_what_to_install(monkeypatch, here, capsys):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    assert main(["sweep", STUDY, "--vary", "B=1", "-o", "a.parquet"]) == 3
    assert "a .parquet file needs pyarrow, which is not installed; `pip install pyarrow`" in capsys.readouterr().err
    assert list(here.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="pipes and permissions are POSIX")
def test_what_must_not_be_replaced_is_refused(here, capsys):
    (here / "kept.csv").write_text("kept")
    (here / "kept.csv").chmod(0o444)
    os.mkfifo(here / "pipe.csv")
    for name, says in (("kept.csv", "may not be written"), ("pipe.csv", "no regular file but a device or a pipe")):
        assert main(["sweep", STUDY, "--vary", "B=1", "-o", name]) == 2
        assert says in capsys.readouterr().err


def test_a_file_that_is_replaced_keeps_its_permissions_and_any_name_will_do(here):
    path = here / f"{'a' * 240}.csv"
    path.write_text("old")
    path.chmod(0o640)
    assert main(["sweep", "cs336-a2-xxl", "--vary", "B=1", "-o", path.name]) == 0
    assert path.stat().st_mode & 0o777 == 0o640 and path.read_text().startswith("B,n_fsdp")
    assert list(here.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_file(monkeypatch, here, capsys):
    (here / "a.csv").write_text("old")

    def full(self, rows):
        self.file.write("half a row")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(write.Csv, "write", full)
    assert main(["sweep", STUDY, "--vary", "B=1", "-o", "a.csv"]) == 2
    assert (
        "-o 'a.csv': cannot be written (No space left on device); nothing was changed there" in capsys.readouterr().err
    )
    assert [(path.name, path.read_text()) for path in here.iterdir()] == [("a.csv", "old")]


@pytest.mark.parametrize(("ending", "number"), [("csv", signal.SIGTERM), ("npz", signal.SIGINT)])
def test_a_signal_leaves_no_half_file(here, ending, number):
    call = [
        sys.executable,
        "-m",
        "symbolic_mem",
        "sweep",
        STUDY,
        "--vary",
        "B=1:1025",
        "--vary",
        "S=1:1000001",
        "--yes",
    ]
    process = subprocess.Popen([*call, "-o", f"a.{ending}"], cwd=here, stderr=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + 120
        while not list(here.iterdir()):
            assert time.monotonic() < end and process.poll() is None
            time.sleep(0.05)
        time.sleep(0.5)
        process.send_signal(number)
        _, said = process.communicate(timeout=120)
    finally:
        process.kill()
    status, word = (130, "interrupted") if number == signal.SIGINT else (143, "ended by SIGTERM")
    assert process.returncode == status
    assert said.strip() == f"symbolic-mem: {word}; no file was left half-written"
    assert list(here.iterdir()) == []
