"""Numbers of a study's own, names of the model in formulas, and values that nothing reads."""

from pathlib import Path

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.documents.documents import homework
from symbolic_mem.library.read import load_study
from symbolic_mem.render.text import plain_prose

CONFIGS = Path(__file__).parents[2] / "symbolic_mem/library/studies/configs"

STUDY = """
title = "Days"
[model]
kind = "transformer"
d_head = "d_model/n_heads"
n_kv = "n_heads"
gated = false
[values]
B = 2
S = 8
L = 3
V = 11
d_model = 4
n_heads = 2
d_ff = 16
[given]
n_gpus = {{ value = 8, unit = "GPUs", meaning = "number of GPUs" }}
t_step = {{ value = "0.5", unit = "s", meaning = "time of a step" }}
[[question]]
label = "a"
ask = "evaluate"
{keys}
"""


@pytest.fixture
def study(tmp_path):
    def load(keys):
        path = tmp_path / "my.toml"
        path.write_text(STUDY.format(keys=keys), encoding="utf-8")
        return load_study(str(path))

    return load


def said(study):
    (found,) = homework(study).found
    return plain_prose(found.question.sentence(found))


def test_a_number_of_its_own_is_listed_and_can_be_set(study):
    loaded = study('steps = [{ name = "t", formula = "t_step*n_gpus", unit = "s", statement = "GPU seconds" }]')
    rows = [[plain_prose(cell) for cell in row] for row in homework(loaded).sections[0].blocks[-1].rows]
    assert rows[-2:] == [["n_gpus", "number of GPUs", "GPUs", "8"], ["t_step", "time of a step", "s", "0.5"]]
    assert said(loaded) == "GPU seconds: t = 4 s."
    assert said(loaded.change(values={"n_gpus": 3, "t_step": "0.25"})) == "GPU seconds: t = 0.75 s."
    assert homework(loaded).found[0]["t"].at(n_gpus=100) == 50


def test_a_question_and_a_case_may_give_it_another_value(study):
    loaded = study(
        'values = { t_step = "0.1" }\ncases = [{ name = "x", n_gpus = 1 }, { name = "y", n_gpus = 2 }]\n'
        'steps = [{ name = "t", formula = "t_step*n_gpus", unit = "s", statement = "GPU seconds" }]'
    )
    assert said(loaded) == "GPU seconds: 0.1 s for x and 0.2 s for y."


@pytest.mark.parametrize(
    ("name", "value", "refused"),
    [
        ("n_gpus", "1.5", "--set: n_gpus = '1.5' is not allowed; give a positive whole number"),
        ("n_gpu", "2", "--set: unknown symbol 'n_gpu'; did you mean 'n_gpus'"),
        ("t_step", "0", "--set: t_step '0' must be more than zero"),
        ("t_step", "x", "--set: t_step 'x' is not a positive number"),
    ],
)
def test_another_value_is_read_like_the_first(study, name, value, refused):
    loaded = study('steps = [{ name = "t", formula = "t_step*n_gpus" }]')
    with pytest.raises(BadInput) as error:
        loaded.change(values={name: value})
    assert refused in str(error.value)


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ("x = 3", "[given] x: give a table"),
        ("x = { value = 3 }", "[given] x: meaning must be given"),
        ('L = { value = 3, meaning = "m" }', "[given] L: 'L' is the name of a symbol of every study"),
        ('"x y" = { value = 3, meaning = "m" }', "[given] x y: 'x y' is not a name"),
        ('x = { value = -3, meaning = "m" }', "[given] x: x = -3 is not allowed"),
        ('x = { value = true, meaning = "m" }', "is not"),
        ('x = { value = 3, meaning = "m", units = "s" }', "unknown key 'units'; did you mean 'unit'?"),
    ],
)
def test_a_number_that_cannot_be_read_is_refused_with_its_place(tmp_path, given, refused):
    path = tmp_path / "my.toml"
    path.write_text(f'title = "x"\n[model]\nkind = "ffn"\n[given]\n{given}\n', encoding="utf-8")
    with pytest.raises(BadInput) as error:
        load_study(str(path))
    assert refused in str(error.value)


def test_formulas_ask_the_model_by_name(study):
    names = (
        "parameters",
        "parameters_mlp",
        "forward_flops",
        "flops_attention_scores",
        "flops_head",
        "kv_cache_per_token",
    )
    steps = ", ".join(f'{{ name = "x{n}", formula = "{name}" }}' for n, name in enumerate(names))
    (found,) = homework(study(f"steps = [{steps}]")).found
    mlp, attention, norms = 3 * 2 * 4 * 16, 3 * 4 * 4 * 4, 3 * 2 * 4 + 4
    scores = 3 * 2 * 2 * (2 * 2 * 8) * 2 * 8  # layers, products, multiply and add, B heads S rows, d_head, S
    rows = 2 * 8
    everything = 2 * rows * (mlp + attention) + scores + 2 * rows * 4 * 11
    assert [found[f"x{n}"].value for n in range(len(names))] == [
        mlp + attention + norms + 2 * 11 * 4,
        mlp,
        everything,
        scores,
        2 * rows * 4 * 11,
        3 * 2 * 4,
    ]
    with pytest.raises(BadInput, match="question a, x: the decoder-only transformer has no parameters experts: leave"):
        homework(study('steps = [{ name = "x", formula = "parameters_experts" }]'))


def test_a_case_may_have_a_model_of_its_own(study):
    cases = ", ".join(
        f'{{ name = "{name}", model = {{ config = "{CONFIGS / name}.json" }} }}'
        for name in ("deepseek-v3", "llama-3.1-8b")
    )
    loaded = study(
        f'cases = [{cases}]\nsteps = [{{ name = "c", formula = "2*kv_cache_per_token", unit = "bytes", statement = "Cache" }}]'
    )
    assert said(loaded) == "Cache: 70,272 bytes for deepseek-v3 and 131,072 bytes for llama-3.1-8b."
    with pytest.raises(
        BadInput, match=r"--set L: L is fixed in my: question 'a' gives or finds it itself; what can be set"
    ):
        homework(loaded.change(values={"L": 4}))


def test_a_value_that_nothing_reads_is_refused(study):
    loaded = study('steps = [{ name = "t", formula = "t_step*n_gpus" }]')
    with pytest.raises(BadInput, match="--set L: nothing that my asks reads L; it reads n_gpus, t_step"):
        homework(loaded.change(values={"L": 4}))
    with pytest.raises(
        BadInput, match=r"--set d_c: nothing that llama-3\.1-8b asks reads d_c; it reads B, L, S, V, d_ff"
    ):
        homework(load_study("llama-3.1-8b").change(values={"d_c": 4}))
    assert homework(load_study("llama-3.1-8b").change(values={"n_tp": 4})).found  # a degree is told beside the answer
