"""Pieces for a paper: complete without a preamble, as wide as they are asked for, with the numbers of the answer."""

from __future__ import annotations

import contextlib
import csv
import io
import re
import subprocess

import pytest

from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.cli.main import main
from symbolic_mem.documents.account import Account
from symbolic_mem.documents.documents import answer
from symbolic_mem.documents.fragment import PARTS, Fragment, fragment
from symbolic_mem.library.read import load_study

COLUMN = "3.3in"
ARTICLE = r"""\documentclass[twocolumn]{article}
\setlength{\textwidth}{492.96pt}\setlength{\columnsep}{16pt}
%s
\begin{document}
%s
\end{document}
"""


def pieces(name: str) -> list[tuple[str, Fragment]]:
    """One piece of each part of each question that has it."""
    study = load_study(name)
    found = [("account", fragment(study, "account"))]
    for question in study.questions:
        picks = [("figure", pick) for pick in question.drawn]
        for part, pick in (("bound", None), ("derivation", None), *picks):
            try:
                found.append((f"{part} {question.label}", fragment(study, part, question.label, pick)))
            except BadInput as error:
                assert f"has no {part}" in str(error)
    return found


def test_a_piece_names_its_command_its_version_and_its_packages_and_has_no_preamble():
    shown = fragment(load_study("cs336-a2-xxl"), "account").tex(COLUMN)
    first, second, *rest = shown.splitlines()
    assert re.fullmatch(r"% symbolic-mem \d\S*: fragment\('cs336-a2-xxl', 'account'\)", first)
    assert second == r"% needs: \usepackage{booktabs}"
    assert not re.search(r"\\documentclass|\\usepackage|\\begin\{document\}|longtable", "\n".join(rest))
    assert r"\caption{" in shown and r"\label{tab:cs336-a2-xxl-account}" in shown and r"\toprule" in shown


def test_the_head_says_the_command_as_it_was_given(capsys):
    words = ["fragment", "cs336-a2-xxl", "--set", "B=64", "--part", "bound", "--question", "b", "--width", COLUMN]
    assert main(words) == 0
    assert capsys.readouterr().out.splitlines()[0].endswith(f": symbolic-mem {' '.join(words)}")


def test_the_account_has_the_bytes_of_the_account():
    study = load_study("cs336-a2-xxl")
    head, *rows = csv.reader(io.StringIO(fragment(study, "account").csv))
    found = {row[0]: row[head.index("bytes")].replace(",", "") for row in rows}
    account = Account(study)
    assert found.pop("total") == str(account.record["total_bytes"])
    assert list(found.values()) == [str(row.bytes) for row in account.rows]


def test_the_bound_ends_with_the_answer():
    study = load_study("cs336-a2-xxl").change(values={"B": 64})
    value = answer(study, "b").value
    shown = fragment(study, "bound", "b").tex()
    assert rf"\right\rfloor  + 1 = {value}" in shown and r"\label{eq:cs336-a2-xxl-b-bound}" in shown
    assert r"C_{\mathrm{mem}} &= 95~\mathrm{GiB}" in shown


def test_the_sources_are_entries_of_bibtex():
    shown = fragment(load_study("llama-3.1-8b"), "account").bib
    keys = re.findall(r"^@misc\{(\S+),$", shown, re.MULTILINE)
    assert keys[0] == "llama-3-1-8b-1" and keys[-1] == "symbolic-mem" and len(set(keys)) == len(keys)
    assert shown.count("{") == shown.count("}")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--part", "picture"), "unknown part 'picture'; did you mean|unknown part 'picture'; known"),
        (("--part", "account", "--width", "1in"), "needs .* and the width is 72pt; give a larger --width"),
        (("--part", "account", "--width", "wide"), "is not a width; write a number and a unit"),
        (("--part", "account", "--question", "b"), "leave --question and --pick out"),
        (("--part", "figure", "--question", "b", "--pick", "pie"), "no figure 'pie'; known: bound, device, step"),
        (("--part", "figure", "--question", "b", "--width", "1in"), "too narrow"),
        (("--part", "bound", "--question", "z"), "no question 'z'"),
        (("--part", "bound", "--question", "d"), "question d has no bound"),
        (("--part", "table", "--question", "c"), "has 3 tables; pick one: 1 "),
        (("--part", "table", "--question", "c", "--pick", "9"), "no table '9'"),
        (("--part", "account", "-o", "x.pdf"), "'.pdf' is unknown; use .tex, .bib, .svg, .csv"),
        (("--part", "account", "-o", "x.svg"), "the account is not written as .svg; use .tex, .csv, .bib"),
    ],
    ids=str,
)
def test_what_there_is_not_is_refused_in_one_line(arguments, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["fragment", "cs336-a2-xxl", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == "" and re.search(said, err) and err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_files_are_written_each_by_its_ending(tmp_path, capsys):
    names = ["b.tex", "b.svg", "b.csv", "b.bib"]
    outputs = [word for name in names for word in ("-o", str(tmp_path / name))]
    assert main(["fragment", "cs336-a2-xxl", "--part", "figure", "--pick", "bound", "--width", COLUMN, *outputs]) == 0
    shown = {name: (tmp_path / name).read_text(encoding="utf-8") for name in names}
    assert r"\begin{picture}(237" in shown["b.tex"] and 'width="237' in shown["b.svg"]
    assert "\n46,101468602368,yes\n" in shown["b.csv"] and "@misc{" in shown["b.bib"]
    capsys.readouterr()


def test_a_notebook_shows_a_piece():
    shown = fragment(load_study("cs336-a2-xxl"), "figure", "b", "bound")._repr_html_()
    assert '<svg class="drawing"' in shown and "<script" not in shown


def test_words_of_a_user_run_nothing_and_end_no_comment(tmp_path, capsys):
    study = tmp_path / "odd\nname.toml"
    source = r"50% of {it} \input{x} & more"
    study.write_text(
        f"""title = 't'
source = '{source}'
[model]
kind = "ffn"
[values]
d_model = 4
d_ff = 8
L = 2
B = 1
S = 4
[recipe]
preset = "cs336"
"""
    )
    assert main(["fragment", str(study), "--part", "account"]) == 0
    shown = capsys.readouterr().out
    assert all(line.startswith("%") for line in shown.splitlines()[:2]) and shown.splitlines()[2] == r"\begin{table}"
    assert r"50\% of \{it\}  input\{x\} \& more" in fragment(load_study(str(study)), "account").bib


@pytest.mark.system
@pytest.mark.parametrize("name", ["cs336-a2-xxl", "llama-3.1-8b"])
def test_in_two_columns_nothing_is_too_wide(name, needs, tmp_path):
    needs("pdflatex")
    shown, needed = [], set()
    for said, piece in pieces(name):
        tex = piece.tex(COLUMN)
        needed |= set(re.findall(r"\\usepackage\{\w+\}", tex.splitlines()[1]))
        here = tex.replace(r"\begin{table}", r"\begin{table}[h!]").replace(r"\begin{figure}", r"\begin{figure}[h!]")
        shown.append(rf"\typeout{{piece {said}}}" + f"\n{here}\n" + r"\clearpage")
    assert {piece.part for _, piece in pieces(name)} >= {*PARTS} - {"table"}
    (tmp_path / "paper.tex").write_text(ARTICLE % ("\n".join(sorted(needed)), "\n".join(shown)))
    subprocess.run(["pdflatex", "-interaction=nonstopmode", "paper.tex"], cwd=tmp_path, capture_output=True, check=True)
    log = (tmp_path / "paper.log").read_text(errors="replace")
    wide = [float(size) for size in re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\)", log)]
    assert [size for size in wide if size > 1] == []


def tables(name: str) -> list[Fragment]:
    """The account of a study, where it has numbers, and every table of every question."""
    study, found = load_study(name), []
    with contextlib.suppress(MissingValue):
        found.append(fragment(study, "account"))
    for question in study.questions:
        for pick in range(1, 30):
            try:
                found.append(fragment(study, "table", question.label, pick))
            except BadInput:
                break
    return found


@pytest.mark.system
def test_every_table_of_the_bundled_studies_fits_a_column_of_a_paper(needs, tmp_path):
    needs("pdflatex")
    shown, needed = [], set()
    for name in ("cluster-llama-3-405b", "cluster-mixtral-8x7b", "scaling-book-inference", "flops-palm-chinchilla"):
        for piece in tables(name):
            tex = piece.tex(COLUMN)
            needed |= set(re.findall(r"\\usepackage\{\w+\}", tex.splitlines()[1]))
            shown.append(f"\\typeout{{piece {piece.label}}}\n{tex}\n\\clearpage")
    assert len(shown) > 20 and any(r"\begin{itemize}" in one for one in shown)
    (tmp_path / "paper.tex").write_text(ARTICLE % ("\n".join(sorted(needed)), "\n".join(shown)))
    subprocess.run(["pdflatex", "-interaction=nonstopmode", "paper.tex"], cwd=tmp_path, capture_output=True, check=True)
    log = (tmp_path / "paper.log").read_text(errors="replace")
    wide = [float(size) for size in re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\)", log)]
    assert [size for size in wide if size > 1] == []


def test_a_table_that_is_too_wide_is_folded_with_all_that_it_says():
    study = load_study("cluster-mixtral-8x7b")
    piece = fragment(study, "table", "a")
    (table,) = piece.blocks
    folded, whole = piece.tex(COLUMN), piece.tex("20in")
    assert r"\begin{tabular}" in whole and r"\begin{tabular}" not in folded
    assert folded.count(r"\item") == len(table.rows)
    numbers = re.compile(r"\d+\.\d+")
    listed = folded.partition(r"\begin{itemize}")[2]
    assert numbers.findall(listed) == numbers.findall(piece.csv) and len(numbers.findall(listed)) > 10
