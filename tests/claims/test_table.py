"""Files of claims: what is read from csv, with the place of every fault, and the verdicts that are written."""

import csv
import io
import re

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.claims.follow import NAME
from symbolic_mem.claims.table import WRITTEN, Row, check_rows, read_claims, written
from symbolic_mem.claims.verdict import Unread, Verdict
from symbolic_mem.library.read import load_study


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "claims.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


def test_the_name_is_of_the_quantity_or_of_the_person(file):
    rows = read_claims(file('name,claim\nn_fsdp,46\n"static","3,276 GiB"\nAnn,n_fsdp=38\n\nBo,"static=3,276 GB"\n'))
    assert rows == (
        Row("n_fsdp=46"),
        Row("static=3,276 GiB"),
        Row("n_fsdp=38", None, "Ann"),
        Row("static=3,276 GB", None, "Bo"),
    )


def test_columns_in_any_order_with_question_and_person(file):
    rows = read_claims(file('﻿Person, Claim, Question, Name\r\nAnn,68,a,devices\r\nAnn,none,"b, literally",n_fsdp\r\n'))
    assert rows == (Row("devices=68", "a", "Ann"), Row("n_fsdp=none", "b, literally", "Ann"))


@pytest.mark.parametrize("by", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_what_a_spreadsheet_writes_is_read(file, by, end, mark):
    lines = (("name", "claim"), ("n_fsdp", "46"), ("static", '"3,276 GiB"'), ("$P$", '"2 \\times 109.9B"'))
    rows = read_claims(file(mark + end.join(by.join(cells) for cells in lines) + end))
    assert rows == (Row("n_fsdp=46"), Row("static=3,276 GiB"), Row("$P$=2 \\times 109.9B"))


def test_a_row_that_claims_nothing_silences_no_other(file):
    rows = read_claims(file("name,claim,question\nn_fsdp,46,b\nFi,,b\n,46,\n"))
    good, blank, bare = (verdict for _, verdict in check_rows(load_study("cs336-a2-xxl"), rows))
    assert good.right
    assert isinstance(blank, Unread) and "nothing is claimed; write for example 46" in str(blank.error)
    assert isinstance(bare, Unread) and "give its unit" in str(bare.error)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "name,claim\nn_fsdp,46\nstatic,3,276 GiB\n",
            r"^3 cells for 2 columns in line 3 of .*; quote a cell with a comma",
        ),
        (
            "name;claim\nn_fsdp;46\nstatic;3276;GiB\n",
            r"^3 cells for 2 columns in line 3 of .*; quote a cell with a semicolon",
        ),
        ("name,claim\nn_fsdp,46\nstatic\n", r"^1 cell for 2 columns in line 3 of .*; leave a cell empty"),
        ("claim\nn_fsdp=46\nn_fsdp,46\n", "^2 cells for one column in line 3 of"),
        ("name,claim\nn_fsdp,46\nstatic,\a3276 GiB\n", r"^line 3 of .*: claim holds a control character \(U\+0007"),
    ],
)
def test_a_row_that_cannot_be_read_silences_no_other(file, content, message):
    good, bad = (verdict for _, verdict in check_rows(load_study("cs336-a2-xxl"), read_claims(file(content))))
    assert isinstance(good, Verdict) and good.right
    assert isinstance(bad, Unread) and re.search(message, str(bad.error))
    assert bad.text.isprintable()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty; write the heads name,claim"),
        ("name,claim\n", "holds no claims"),
        ("name,value\nn_fsdp,46\n", "column 'value'"),
        ("name,name\n", "column 'name': stands twice"),
        ("name\nn_fsdp\n", "there is no column 'claim'"),
        ('name,"claim\nn_fsdp,46\n', "is not csv"),
        (b"name,claim\nn_fsdp,\xff\n", "is not UTF-8"),
    ],
)
def test_faults_of_a_file_have_a_place(file, content, message):
    with pytest.raises(BadInput, match=rf"claims\.csv.*{message}"):
        read_claims(file(content))


def test_a_claim_with_its_unit_or_its_question_needs_no_name(file):
    rows = read_claims(file("claim,question\n46 devices,\n46,b\n"))
    assert rows == (Row("46 devices"), Row("46", "b"))
    assert all(verdict.right for _, verdict in check_rows(load_study("cs336-a2-xxl"), rows))


def test_claims_of_one_person_stand_together_and_those_of_others_do_not():
    study = load_study("cs336-a2-xxl")
    said = ["static=3276 GB", "activations=2142 GB", "total=5418 GB"]
    rows = [Row(said[0], None, "Ann"), Row(said[2], None, "Bo"), Row(said[1], None, "Ann"), Row(said[2], None, "Ann")]
    checked = check_rows(study, rows)
    assert [row for row, _ in checked] == rows
    first = [[slip.name for slip in verdict.explanations[0].slips] for _, verdict in checked]
    assert first == [["GiB printed as GB"], ["GiB printed as GB"], ["GiB printed as GB"], [NAME]]


def test_a_claim_that_cannot_be_read_silences_no_other_and_everything_is_written():
    rows = [Row("n_fsdp=46"), Row("speed=3", None, "=Ann"), Row("static=3276"), Row("total=6 TB", None, "Bo")]
    checked = check_rows(load_study("cs336-a2-xxl"), rows)
    assert [isinstance(verdict, Unread) for _, verdict in checked] == [False, True, True, False]
    table = list(csv.DictReader(io.StringIO(written(checked))))
    assert tuple(table[0]) == WRITTEN
    assert [row["verdict"] for row in table] == ["right", "error", "error", "wrong"]
    assert (table[0]["claimed"], table[0]["expected"], table[0]["difference"]) == ("46", "46", "0")
    assert table[1]["person"] == "'=Ann" and "unknown quantity 'speed'" in table[1]["sentence"]
    assert table[3]["expected"] == "5817533202432"


@pytest.mark.parametrize("claim", ["static ≈ 3276 GiB", "static: 3276 GiB", "static is 3276 GiB", "static = 3276 GiB"])
def test_a_claim_with_a_name_of_its_own_is_so_however_it_says_what_it_is(claim, tmp_path):
    file = tmp_path / "answers.csv"
    file.write_text(f"name,claim\nAnn,{claim}\nstatic,≈ 3276 GiB\nn_fsdp,>= 46\n")
    rows = read_claims(str(file))
    assert [(row.person, row.claim) for row in rows] == [
        ("Ann", claim),
        ("", "static=≈ 3276 GiB"),
        ("", "n_fsdp=>= 46"),
    ]
    assert all(verdict.right for _, verdict in check_rows(load_study("cs336-a2-xxl"), rows))


def test_a_strict_bound_in_a_cell_is_one(tmp_path):
    file = tmp_path / "answers.csv"
    file.write_text("name,claim\nn_fsdp,> 45\nn_fsdp,>45\n")
    assert all(verdict.right for _, verdict in check_rows(load_study("cs336-a2-xxl"), read_claims(str(file))))
