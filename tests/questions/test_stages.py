"""ZeRO's tables: every cell against arithmetic by hand."""

from dataclasses import replace

import pytest

from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.base.symbols import Psi, n_fsdp, n_tp
from symbolic_mem.document.steps import Bullets, Paragraph, Step, Table
from symbolic_mem.documents.documents import homework, report
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.stages import Stages
from symbolic_mem.render.text import plain_chain, plain_prose
from symbolic_mem.study.changed_device import use_capacity
from symbolic_mem.study.keys import At

ONE, TWO = load_study("zero-table-1"), load_study("zero-table-2")


def asked(**keys):
    return Stages.read(keys, At("my.toml", editions={"v1": "the paper, version 1 of 2 May 2024"}), "x")


def answered(question, study):
    return question.answer(study.under(question))


def test_the_cells_are_the_bytes_of_one_device():
    # 16 bytes for each of 10^9 parameters: 12, 14 or 16 of them divided by 4
    question = asked(values={"Psi": 10**9}, rows={"n_fsdp": [4]}, stages=[0, 1, 2, 3])
    found = answered(question, ONE)
    assert [cell.value for cell in found.cells] == [16 * 10**9, 7 * 10**9, 55 * 10**8, 4 * 10**9]
    assert found["M_stage 1"].value is None and found["M_stage 1"].at(n_fsdp=4) == 7 * 10**9
    assert found["M_stage 1"].formula == 4 * Psi + 12 * Psi / n_fsdp
    assert plain_prose(question.sentence(found)) == (
        "With n_fsdp = 4, one device holds 16 GB without, 7 GB in stage 1, 5.5 GB in stage 2 and 4 GB in stage 3."
    )
    claims = question.claims(ONE.under(question))
    assert found.value is None and {name: claim.value for name, claim in claims.items()} == {
        "baseline": 16 * 10**9,
        "stage_1": 7 * 10**9,
        "stage_2": 55 * 10**8,
        "stage_3": 4 * 10**9,
    }


def test_the_largest_model_is_solved_for_in_every_stage():
    # 32 GB hold 2 x 10^9 parameters of 16 bytes; two-way tensor parallelism doubles that
    question = asked(**{"for": "Psi"}, stages=[0], rows={"n_tp": [1, 2]}, capacity="32 GB")
    found = answered(question, TWO)
    assert [cell.value for cell in found.cells] == [2 * 10**9, 4 * 10**9]
    assert (found.rows, found.unit) == (n_tp, "parameters")
    strict = answered(asked(**{"for": "Psi"}, stages=[0], rows={"n_tp": [1]}, capacity="32 GB", strict=True), TWO)
    assert strict.cells[0].value == 2 * 10**9 - 1
    said = [plain_prose(block.statement) for block in strict.question.steps(strict) if isinstance(block, Step)]
    assert said[-1].startswith("Less than C_mem on one device")


def test_the_lines_of_a_stage_are_those_of_the_ledger():
    (question, *_) = ONE.questions
    found = answered(question, ONE)
    step = [block for block in question.steps(found) if isinstance(block, Step)][-1]
    assert [plain_chain(chain).split(" = ")[0] for chain in step.chains] == [str(line.symbol) for line in found.lines]


def test_printed_figures_are_counted_and_those_that_are_off_are_listed():
    question = asked(
        values={"Psi": 10**9},
        rows={"n_fsdp": [3]},
        stages=[0, 1, 2],
        printed=[["16", "8", "6.6"]],
        edition="v1",
        printed_note="Notes keep their {braces}.",
    )
    *_, words, items = question.steps(answered(question, ONE))
    # 4 + 12/3 is 8; 2 + 14/3 is 6.67, cut to 6.6
    assert plain_prose(words.prose) == (
        "Of the 3 printed figures (the paper, version 1 of 2 May 2024) 2 are exact or rightly rounded and 1 is cut off instead of rounded. "
        "Notes keep their {braces}."
    )
    assert isinstance(words, Paragraph) and isinstance(items, Bullets)
    assert [plain_prose(item) for item in items.items] == [
        "printed 6.6, and it is ≈ 6.66667 GB: ≈ 0.0666667 GB too little"
    ]
    (table,) = (block for block in question.steps(answered(question, ONE)) if isinstance(block, Table))
    assert plain_prose(table.rows[0][-1]) == "6.6 (cut)"


def test_where_the_caller_changed_the_study_nothing_is_held_against_the_source():
    study = TWO.called([use_capacity("80 GB")])
    (question,) = study.questions
    found = answered(question, study)
    *_, table, words = question.steps(found)
    assert isinstance(table, Table) and len(table.columns) == 1 + len(found.stages)
    assert (
        plain_prose(words.prose)
        == "The 20 printed figures (arXiv:1910.02054v3 of 13 May 2020) are for the study as it stands."
    )
    assert all(fact["printed"] is None and "verdict" not in fact for fact in found.facts["cells"])


def test_a_table_of_stages_names_the_value_that_it_lacks():
    with pytest.raises(MissingValue, match="question x needs a value for Psi"):
        answered(asked(rows={"n_fsdp": [1, 2]}), TWO)


def test_a_printed_figure_where_nothing_fits_is_told_apart():
    question = replace(TWO.questions[0], capacity=(use_capacity("1 B"),))
    found = answered(question, TWO)
    assert found.feasible and found.cells[0].value is None  # one byte holds a share of a parameter in stage 3
    items = [plain_prose(item) for block in question.steps(found) for item in getattr(block, "items", ())]
    assert "printed 2B, and what is kept fits at no value" in items


def test_a_symbol_that_the_states_do_not_contain_is_refused():
    with pytest.raises(BadInput, match=r"my\.toml: for = 'S' is not in the memory"):
        answered(asked(**{"for": "S"}, capacity="1 GB"), TWO)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"stages": []}, "my.toml: stages = []; give a list of 0 (baseline), 1, 2 and 3"),
        ({"stages": [4]}, "my.toml: stages = [4]; give a list"),
        ({"stages": [True]}, "my.toml: stages = [True]; give a list"),
        ({"stages": [1, 1]}, "names a stage twice"),
        ({"stages": 1}, "my.toml: stages = 1 has the wrong type"),
        ({"rows": {"B": [1]}}, "my.toml: rows = {'B': [1]}; give n_fsdp or n_tp"),
        ({"rows": {"n_tp": []}}, "give n_fsdp or n_tp with whole numbers"),
        ({"rows": {"n_tp": [1], "n_fsdp": [1]}}, "give n_fsdp or n_tp with whole numbers"),
        ({"rows": [1]}, "give n_fsdp or n_tp with whole numbers"),
        ({"rows": {"n_tp": [0]}}, "give n_fsdp or n_tp with whole numbers"),
        ({"rows": {"n_tp": [2, 2]}}, "names a number twice"),
        ({"unit": "gb"}, "my.toml: unit: unknown unit 'gb'"),
        ({"printed": [["1"]]}, "my.toml: printed must have 1 rows of 3 figures"),
        ({"printed": [["1", "2", "x"]]}, "'x' is not a figure"),
        ({"printed": [["1", "2", "3"]]}, "my.toml: the printed figures are not dated; declare the edition"),
        ({"printed": "1"}, "my.toml: printed = '1' has the wrong type"),
        ({"for": "Phi"}, "my.toml: for: unknown symbol 'Phi'; known: "),
        ({"for": "Psi", "unit": "GB"}, "my.toml: unit is that of memory"),
        ({"capacity": "32 GB"}, "my.toml: capacity would count for the largest model"),
        ({"strict": True}, "my.toml: strict would count for the largest model"),
        ({"device": "h100"}, "my.toml: device: unknown device"),
        ({"rest": "kept"}, "unknown key 'rest'"),
    ],
)
def test_what_cannot_be_tabulated_is_refused_with_its_place(content, said):
    with pytest.raises(BadInput) as refused:
        Stages.read(content, "my.toml", "x")
    assert said in str(refused.value)


FREED = """
title = "Freed"
[model]
kind = "ffn"
[values]
d_model = 100
d_ff = 100
{depth}
B = 1
S = 1
[recipe]
preset = "cs336"
gradients_persist = false
[[question]]
label = "a"
ask = "stages"
rows = {{ n_fsdp = [2] }}
{keys}
"""


@pytest.mark.parametrize(
    ("depth", "keys", "values"),
    [
        ("L = 1", 'stages = [0, 1, 2, 3]\nunit = "B"', [320_000, 240_000, 200_000, 160_000]),
        ("", 'stages = [0, 3]\nfor = "L"\ncapacity = "300000 B"', [None, 1]),
    ],
)
def test_gradients_that_do_not_persist_are_counted_as_the_table_of_zero_does(depth, keys, values, tmp_path):
    # 2 d_model d_ff = 20,000 parameters for each layer, of 4 + 4 + 8 bytes
    path = tmp_path / "freed.toml"
    path.write_text(FREED.format(depth=depth, keys=keys), encoding="utf-8")
    study = load_study(str(path))
    (question,) = study.questions
    found = answered(question, study)
    assert [cell.value for cell in found.cells] == values
    said = [plain_prose(one) for one in question.beside(found)]
    assert said == ["What is counted is the optimizer step, with all gradients and no activations."]
    assert homework(study).sections and report(study).sections
