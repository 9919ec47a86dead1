"""The bundled studies of real models and of published formulas: totals, answers, and every face of their documents."""

from __future__ import annotations

import json
from pathlib import Path

import derived
import pytest
import sympy as sp
from sampled import sampled

from symbolic_mem.base.units import BYTES_PER
from symbolic_mem.document.steps import Step
from symbolic_mem.documents import documents
from symbolic_mem.documents.account import Account
from symbolic_mem.documents.derivation import Derivation
from symbolic_mem.documents.parts import part
from symbolic_mem.library.read import load_study
from symbolic_mem.models.counts import active_parameters, parameters_by_group
from symbolic_mem.render.arrange import PAPER, arrange
from symbolic_mem.render.document import render
from symbolic_mem.render.json import jsonable
from symbolic_mem.render.rows import rows
from symbolic_mem.render.text import plain_prose, width
from symbolic_mem.study.changed_recipe import use_recompute

DATA = Path(__file__).parents[1] / "data"
COUNTS = {
    case["config"].removesuffix(".json"): case for case in json.loads((DATA / "params.json").read_text())["models"]
}
LITERATURE = json.loads((DATA / "literature_models.json").read_text())["cases"]
# The total that the Hugging Face hub shows for the weights of Llama 3.1 70B.
PUBLISHED = {"llama-3.1-70b": 70_553_706_496}
MODELS = (
    "llama-3.1-8b",
    "llama-3.1-70b",
    "llama-3.1-405b",
    "mixtral-8x7b",
    "qwen3-30b-a3b",
    "deepseek-v3",
    "gpt2-xl",
)
FORMULAS = (
    "korthikanti",
    "ptd-p-table-1",
    "playbook",
    "flops-palm-chinchilla",
    "kv-cache",
    "cs336-a1-transformer",
    "cs336-a1-2026-transformer",
    "cs336-a2-memory",
    "cs336-a2-2026-memory",
)
# A sentence that each document must hold, written by hand from the publication or from the golden counts.
SAID = {
    "llama-3.1-8b": "8,030,261,248",
    "llama-3.1-70b": "70,553,706,496",
    "llama-3.1-405b": "405,853,388,800",
    "mixtral-8x7b": "12,879,925,248",
    "qwen3-30b-a3b": "30,532,122,624",
    "deepseek-v3": "671,026,404,352",
    "gpt2-xl": "1,557,611,200",
    "korthikanti": "2736",
    "ptd-p-table-1": "1,008,038,758,400",
    "playbook": "275.41",
    "flops-palm-chinchilla": "477,731,225,600",
    "kv-cache": "516,096",
    "cs336-a1-transformer": "2,127,057,600",
    "cs336-a1-2026-transformer": "1,640,452,800",
    "cs336-a2-memory": "1,998,235,200",
    "cs336-a2-2026-memory": "8,125,698,048",
}


def digits(text: str) -> str:
    """The text without what stands between the digits of a number in any of the formats."""
    for mark in ("\\,", "\\;", "\N{NARROW NO-BREAK SPACE}", "\N{THIN SPACE}", "\N{NO-BREAK SPACE}", ","):
        text = text.replace(mark, "")
    return text


@pytest.mark.parametrize("name", MODELS)
def test_parameters_are_those_of_the_published_model(name):
    study = load_study(name)
    found = study.model.parameters.xreplace(dict(study.values))
    assert found == (PUBLISHED[name] if name in PUBLISHED else COUNTS[name]["parameters"])


@pytest.mark.parametrize("name", ["mixtral-8x7b", "qwen3-30b-a3b", "deepseek-v3"])
def test_active_parameters_are_those_of_the_engine(name):
    study = load_study(name)
    active = active_parameters(study.model, study.built.architecture)
    assert active.xreplace(dict(study.values)) == COUNTS[name]["active"]


@pytest.mark.parametrize("name", [name for name in MODELS if name not in PUBLISHED])
def test_groups_are_those_of_the_engine(name):
    study = load_study(name)
    groups = {group: int(n.xreplace(dict(study.values))) for group, n in parameters_by_group(study.model).items()}
    assert groups == COUNTS[name]["groups"]


@pytest.mark.parametrize("layout", ["homework", "report"])
@pytest.mark.parametrize("name", sampled([*MODELS, *FORMULAS], 4))
def test_every_face_of_the_document_says_the_figure(name, layout):
    derivation = getattr(documents, layout)(load_study(name))
    for ending in ("tex", "md", "html", "json"):
        assert SAID[name].replace(",", "") in digits(render(derivation, layout, ending).decode()), ending


@pytest.mark.parametrize("name", [*MODELS, *FORMULAS])
def test_displayed_lines_fit_the_page(name):
    derivation = arrange(documents.homework(load_study(name), "full"))
    for chain in chains(derivation):
        for row in rows([chain], PAPER):
            lead = width(chain.left) + sum(3 if isinstance(part, str) else width(part) for part in row.parts)
            assert lead <= 100, row


def chains(derivation: Derivation):
    for section in derivation.sections:
        for block in section.blocks:
            if isinstance(block, Step):
                yield from block.chains


@pytest.mark.parametrize("name", ["llama-3.1-8b", "llama-3.1-70b", "llama-3.1-405b"])
def test_a_llama_is_about_ten_lines(name):
    derivation = arrange(documents.homework(load_study(name), "full"))
    steps = [block for block in derivation.sections[1].blocks if isinstance(block, Step)]
    assert max(len(rows(step.chains, PAPER)) for step in steps) <= 16
    assert max(len(step.chains) for step in steps) <= 10


@pytest.mark.parametrize("case", LITERATURE, ids=lambda case: case["id"])
def test_published_formulas_have_the_recomputed_value(case):
    study = load_study(case["study"])
    (question,) = [question for question in study.questions if question.label == case["question"]]
    found = question.answer(study.under(question))[case["name"]].value / BYTES_PER.get(case["unit"], 1)
    tolerance = case["tolerance"]
    if tolerance["type"] == "exact":
        assert found == sp.Rational(str(case["value"]))
    else:
        bound = tolerance["value"] * (abs(case["value"]) if tolerance["type"] == "rel" else 1)
        assert abs(float(found) - case["value"]) <= bound


@pytest.mark.parametrize(
    ("study", "question", "name", "verdict"),
    [
        ("kv-cache", "models", "r_token, Llama 3.1 405B", "different"),  # 7.28 is printed, 516,096 / 70,272 = 7.344
        ("kv-cache", "models", "r_token, Qwen2.5 72B", "rounded"),
        ("ptd-p-table-1", "days", "t_1008 billion", "rounded"),  # 84 days are printed, 83.2 with 10^12 parameters
        ("korthikanti", "scores", "r_GPT-3", "exact"),
        ("cs336-a2-2026-memory", "3.2", "M_four", "exact"),
        ("flops-palm-chinchilla", "Chinchilla", "r_blocks, 73M", "rounded"),
        ("utilisation", "table 5", "u_hardware, 530B", "different"),
    ],
)
def test_printed_figures_are_judged(study, question, name, verdict):
    loaded = load_study(study)
    asked = loaded.question(question)
    lines = {str(symbol): each for symbol, each in asked.answer(loaded.under(asked)).numbers}
    assert [held.verdict for held in lines[name].held] == [verdict]


def test_all_ten_sizes_of_ptd_p_are_printed_rounded():
    study = load_study("ptd-p-table-1")
    cases = study.questions[0].answer(study).facts["cases"]
    assert [case["P"]["verdict"] for case in cases.values()] == ["rounded"] * 10


def test_table_a4_of_chinchilla_comes_out_to_the_printed_decimals_without_embedding_and_logits():
    study = load_study("flops-palm-chinchilla")
    cases = study.question("Chinchilla").answer(study).facts["cases"]
    assert [case["r_blocks"]["verdict"] for case in cases.values()] == ["rounded"] * 6
    assert all(round(float(case["r_all"]["value"]), 2) != float(case["r_blocks"]["printed"]) for case in cases.values())


def test_ptd_p_forgets_the_two_vectors_of_the_last_norm():
    study = load_study("ptd-p-table-1")
    exact = study.questions[1].answer(study)["P_layers"].value
    assert exact == study.model.parameters.xreplace(dict(study.values))


def test_the_layers_of_korthikanti_are_the_first_row():
    # s b h (34 + 5 a s / h) of one layer, against the account of 96 layers
    study = load_study("korthikanti")
    ends = ("embedding", "final norm", "head and loss")
    terms = [t for t in study.memory.of("activations") if not t.name.endswith(ends)]
    row = study.questions[0].answer(study)["M_none"].value
    assert sum(term.bytes for term in terms).xreplace(dict(study.values)) == 96 * row


def test_every_second_layer_of_the_homework_keeps_1323_gib_and_needs_49():
    study = load_study("cs336-a2-xxl")
    (question,) = [one for one in study.questions if one.ask == "recompute"]
    found = question.answer(study.under(question))
    section = part(found)
    assert found.value == 49
    kept = study.called([use_recompute({"every": 2})]).memory.of("activations").total.xreplace(dict(study.values))
    assert kept == 1323 * 2**30
    said = [plain_prose(block.prose) for block in section.blocks if hasattr(block, "prose")]
    assert any("1323" in line or "not half" in line for line in said)
    assert "49" in said[-1]


@pytest.mark.parametrize("name", MODELS)
def test_a_degree_that_fits_is_the_smallest(name):
    for found in derived.homework(name).found:
        answer = found.degree.ideal
        if answer.feasible:
            assert answer.per_device(answer.value) <= answer.capacity
            assert answer.value == 1 or answer.per_device(answer.value - 1) > answer.capacity
        else:
            assert answer.fixed >= answer.capacity and found.reason is not None


@pytest.mark.parametrize("name", ["mixtral-8x7b", "deepseek-v3"])
def test_the_json_of_an_account_has_groups_and_active_parameters(name):
    found = jsonable(Account(load_study(name)).record)
    assert found["parameters_by_group"] == COUNTS[name]["groups"]
    assert found["active_parameters"] == COUNTS[name]["active"]


def test_the_compiled_block_of_2026_keeps_what_was_measured():
    """Hooks on saved tensors of the handout's module (9d95f3b) under torch.compile, PyTorch 2.13, CPU: 1,924,608 bytes."""
    study = load_study("cs336-a2-2026-memory").change(
        values={"B": 3, "S": 64, "d_model": 96, "d_ff": 400, "n_heads": 4}
    )
    found = documents.answer(study, "3.2")
    assert found["M_block"].value == 1_924_608
    listed = {"M_wide": 8 * 73_728, "M_inner": 3 * 307_200, "M_scores": 2 * 196_608, "M_rows": 2 * 3072 + 6144}
    listed |= {"M_norms": 2 * 768, "M_rope": 2 * 3072}
    assert {name: int(found[name].value) for name in listed} == listed
