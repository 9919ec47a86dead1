"""Mathematics between `$` in what a study says: set as mathematics in every format, as it stands where it is none."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from symbolic_mem.base.symbols import d_ff, d_model, n_fsdp
from symbolic_mem.document.marked import marked, unmarked
from symbolic_mem.document.prose import Chain
from symbolic_mem.documents.documents import homework, report
from symbolic_mem.documents.sheet import sheet
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study, read_study
from symbolic_mem.render.document import render

HOSTILE = (
    r"\input{x}",
    "<script>alert(1)</script>",
    "__import__('os')",
    "9**9**9",
    "x" * 300,
    "",
    " B",
    "B ",
    "\\",
    "B = = S",
)
STUDY = """
title = "The bound of $n_fsdp$ for $5"
source = "none"
text = "Choose $n_fsdp$ so that $4*d_model*d_ff <= C_mem$; $MFU$ is own."
notes = ["Here $d_ff = 4*d_model$."]
[model]
kind = "ffn"
[given]
MFU = { value = "1/2", meaning = "a part" }
[values]
d_model = 4096
d_ff = 16384
L = 8
B = 1
S = 128
[recipe]
preset = "cs336"
[placement]
weights = {}
gradients = {}
optimizer = {}
[[question]]
label = "a"
ask = "min_degree"
title = "How small $n_fsdp$ may be"
text = "Find $n_fsdp$."
capacity = "16 GiB"
"""


@pytest.fixture
def study():
    return read_study(tomllib.loads(STUDY), "m.toml", "m", Path())


def test_a_formula_and_a_relation_are_mathematics():
    assert marked("so $n_fsdp$, and $d_ff >= 4*d_model$.").parts == (
        "so ",
        n_fsdp,
        ", and ",
        Chain(d_ff, (("≥", 4 * d_model),), asked=True),
        ".",
    )


@pytest.mark.parametrize("inner", HOSTILE)
def test_what_is_no_formula_stays_as_it_is(inner):
    words = f"a ${inner}$ b"
    assert marked(words).parts == (words,) and unmarked(words) == words


def test_prices_are_no_mathematics_and_hide_none():
    assert marked("$5 and $6, then $B$").parts[0] == "$5 and $6, then "
    assert unmarked("$5 and $6, then $B$") == "$5 and $6, then B"


@pytest.mark.parametrize(
    ("ending", "shown"),
    [
        (
            "tex",
            (r"\(n_{\mathrm{fsdp}}\) may be", r"\(4 \, d_{\mathrm{model}} \, d_{\mathrm{ff}} \le C_{\mathrm{mem}}\)"),
        ),
        ("md", (r"$n_{\mathrm{fsdp}}$ may be", r"$d_{\mathrm{ff}} = 4 \, d_{\mathrm{model}}$.")),
        ("html", ("<msub><mi>n</mi><mtext>fsdp</mtext></msub></math> may be", "<mi>MFU</mi></math> is own")),
    ],
)
@pytest.mark.parametrize("build", [homework, report])
def test_every_format_sets_what_stands_in_text_notes_and_titles(study, build, ending, shown):
    written = render(build(study), build.__name__, ending).decode()
    assert all(one in written for one in shown)
    assert "$n_fsdp" not in written and "n_fsdp$" not in written


def test_titles_of_documents_and_sheets_are_plain_words(study):
    assert homework(study).title == sheet(study).title == "The bound of n_fsdp for $5"
    assert study.title == "The bound of $n_fsdp$ for $5"


@pytest.mark.system
def test_tex_sets_mathematics_in_headings(study, needs, tmp_path):
    needs("pdflatex")
    (tmp_path / "m.tex").write_bytes(render(homework(study), "homework", "tex"))
    subprocess.run(
        ["pdflatex", "-draftmode", "-interaction=nonstopmode", "-halt-on-error", "m.tex"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        check=True,
    )


def test_statements_and_notes_of_lines_are_set_as_well_and_plain_where_only_words_are_known():
    study = load_study("utilisation")
    shown = render(report(study), "report", "md").decode()
    assert r"Forward and backward, $72 \, B \, S \, L \, d_{\mathrm{model}}^{2}" in shown
    question = study.questions[0]
    said = [claimed.meaning for claimed in question.claims(study.under(question)).values()]
    assert any(one.startswith("Forward and backward, 72*B*") for one in said) and "$" not in "".join(said)


@pytest.mark.parametrize("name", sorted(bundled()))
def test_no_symbol_of_a_bundled_study_stands_in_its_words_as_plain_text(name):
    study = load_study(name)
    symbols = {symbol.name for symbol in study.values} | {each.symbol.name for each in study.names}
    said = (study.text, *study.notes, *(words for asked in study.questions for words in (asked.title, asked.text)))
    plain = re.findall(r"(?<![\w'/-])[A-Za-z]\w*(?![\w'/-])", re.sub(r"\$[^$]+\$|\{\w+\}", "", " ".join(said)))
    assert symbols.intersection(plain) == set()
