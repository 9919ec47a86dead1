"""How a study writes its symbols holds in every face, and for that study alone."""

from __future__ import annotations

import json

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import d_model, table
from symbolic_mem.cli.main import main
from symbolic_mem.documents.documents import homework, report
from symbolic_mem.documents.fragment import fragment
from symbolic_mem.library.read import load_study
from symbolic_mem.render.document import render
from symbolic_mem.render.latex import latex
from symbolic_mem.study.values import read_written

STUDY = """
title = "Own symbols"
[model]
kind = "ffn"
[values]
d_model = 16384
d_ff = 53248
L = 126
B = 128
S = 1024
[recipe]
preset = "cs336"
[placement]
weights = { fraction = "1", over = "n_fsdp" }
gradients = { fraction = "1", over = "n_fsdp" }
optimizer = { fraction = "1", over = "n_fsdp" }
activations = { fraction = "1", over = "n_fsdp" }
[symbols]
d_model = "h"
n_fsdp = "N_gpu"
[[question]]
label = "a"
ask = "min_degree"
device = "tpu-v5p"
figures = ["bound"]
"""


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text(STUDY)
    return str(file)


@pytest.mark.parametrize("ending", ["tex", "html", "md", "json"])
@pytest.mark.parametrize("build", [homework, report])
def test_every_document_writes_them(path, build, ending):
    shown = render(build(load_study(path)), build.__name__, ending).decode()
    ours = {"tex": r"N_{\mathrm{gpu}}", "html": "<mi>h</mi>", "md": r"N_{\mathrm{gpu}}", "json": "N_gpu"}
    theirs = {
        "tex": r"d_{\mathrm{model}}",
        "html": "<mtext>model</mtext>",
        "md": r"d_{\mathrm{model}}",
        "json": "}_fsdp",
    }
    assert ours[ending] in shown and theirs[ending] not in shown
    assert build is not homework or ending != "html" or ">gpu</tspan>" in shown


def test_pieces_and_figures_write_them(path):
    study = load_study(path)
    assert r"\, h \," in fragment(study, "derivation", "a").tex()
    assert ">gpu</tspan>" in fragment(study, "figure", "a", "bound").svg()
    assert "4 P" in fragment(study, "account").csv and "d_model" not in fragment(study, "account").csv


@pytest.mark.parametrize("verb", ["account", "solve", "homework"])
def test_the_terminal_writes_them_and_programs_read_the_names(path, verb, capsys):
    assert main([verb, path]) == 0
    shown = capsys.readouterr().out
    told = [line for line in shown.splitlines() if not line.startswith("missing")]  # an option takes the usual names
    assert "gpu" in shown and not any("fsdp" in line for line in told)
    assert main([verb, path, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    if verb == "account":
        assert "d_model" in said["terms"][0]["formula"] and "h" in said["terms"][0]["latex"]


def test_another_study_and_the_python_that_follows_write_the_usual_names(path, capsys):
    usual = latex(d_model)
    assert main(["solve", path]) == 0
    render(homework(load_study(path)), "homework", "tex")
    assert latex(d_model) == usual == r"d_{\mathrm{model}}"
    assert main(["solve", "cs336-a2-xxl"]) == 0
    assert "n_fsdp" in capsys.readouterr().out.split("Own symbols")[-1]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"d_modle": "h"}, "unknown symbol 'd_modle'; did you mean 'd_model'"),
        ({"d_model": "B"}, "d_model = 'B' is how B is written; choose another"),
        ({"d_model": "h", "d_ff": "h"}, "d_ff = 'h' is how d_model is written"),
        ({"d_model": "GiB"}, "d_model = 'GiB' is how a unit is written; choose another"),
        ({"d_model": "max"}, "d_model = 'max' is how a function is written; choose another"),
        ({"d_model": "h" * 25}, "d_model has 25 signs; a symbol has at most 24"),
        ({"d_model": "h_a_b"}, "is not a name"),
        ({"d_model": r"\input{x}"}, "is not a name"),
        ({"d_model": 3}, "is not a name"),
    ],
    ids=str,
)
def test_what_cannot_be_written_is_refused(given, said):
    with pytest.raises(BadInput, match=said.replace("\\", r"\\")):
        read_written(given, (), "my.toml [symbols]")


def test_two_symbols_may_change_places():
    assert len(read_written({"B": "L", "L": "B"}, (), "my.toml [symbols]")) == 2


def test_no_two_symbols_of_the_table_are_written_alike():
    spelt = [(name.base, name.sub) for name in table()]
    assert len(set(spelt)) == len(spelt)
