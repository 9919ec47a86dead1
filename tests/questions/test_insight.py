"""What a person asks next, against plain arithmetic on the reference problem."""

from __future__ import annotations

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.insight import Insight
from symbolic_mem.render.json import jsonable
from symbolic_mem.render.text import plain_chain, plain_prose

D, F, LAYERS, BATCH, LENGTH = 16384, 53248, 126, 128, 1024
STATES, PER_TOKEN = 32 * LAYERS * D * F, 2 * LAYERS * (D + F)


def ask(**options):
    study = load_study("cs336-a2-xxl")
    question = Insight.read(options, "here", "x")
    return jsonable(question.answer(study.under(question)).facts)


def test_the_floor_is_the_kept_half_of_the_activations():
    found = ask(rest="kept")
    assert found["floor_bytes"] == PER_TOKEN * BATCH * LENGTH // 2 and len(found["floor_terms"]) == 1
    assert ask()["floor_bytes"] == 0


def test_the_crossover_is_the_first_number_of_tokens_with_larger_activations():
    first = ask()["crossover"]["first"]
    assert PER_TOKEN * first > STATES >= PER_TOKEN * (first - 1)


def test_one_percent_more_of_each_symbol():
    added = {one["symbol"]: one["added_bytes"] for one in ask()["sensitivities"]}
    tokens = PER_TOKEN * BATCH * LENGTH
    assert added["L"] == pytest.approx((STATES + tokens) / 100, rel=1e-12)
    assert added["B"] == pytest.approx(tokens / 100, rel=1e-12) and added["B"] == added["S"]
    assert added["d_ff"] == pytest.approx((STATES + tokens * F / (D + F)) / 100, rel=1e-12)


def test_the_region_against_a_plain_loop():
    rows, columns, most = [1, 8, 16], [512, 4096], 95 * 2**30
    found = ask(rest="kept", capacity="95 GiB", rows={"B": rows}, columns={"S": columns})["region"]
    for row, line in zip(rows, found["entries"], strict=True):
        for column, entry in zip(columns, line, strict=True):
            half = PER_TOKEN * row * column // 2
            n = 1
            while half < most and (half + (STATES + half) / n) > most:
                n += 1
            assert entry == (None if half >= most else n)


def test_what_is_left_over():
    one = ask(capacity="95 GiB", devices=[64])["left_over"][0]
    used = (STATES + PER_TOKEN * BATCH * LENGTH // 2) / 64
    assert (one["used_bytes"], one["free_bytes_each"], one["fits"]) == (used, 95 * 2**30 - used, True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"about": ["flor"]}, "did you mean 'floor'"),
        ({"about": ["region"]}, "here: rows is missing; give one symbol with its values"),
        ({"about": ["region"], "rows": {"B": [1]}, "columns": {"S": [1]}}, "the memory of one device is not given"),
        ({"rows": {"B": [1]}, "columns": {"B": [2]}}, "here: rows and columns are both over B; give two symbols"),
        ({"about": ["left_over"]}, "here: devices is missing; give whole numbers"),
        ({"devices": [64]}, "the memory of one device is not given"),
        ({"about": ["region"], "capacity": "1 GiB"}, "give one symbol with its values"),
        ({"devices": [0], "capacity": "1 GiB"}, "give whole numbers"),
    ],
)
def test_refusals(options, said):
    with pytest.raises(BadInput, match=said):
        ask(**options)


@pytest.mark.parametrize(("width", "first", "said"), [(8192, 133_515, "133,515 tokens"), (10**10, 1, "1 token")])
def test_the_crossover_has_its_unit(width, first, said):
    assert first == 700 * 10**9 // (2 * 80 * width * 4) + 1  # 10 bytes of 70e9 parameters, four checkpoints of 2 bytes
    study = load_study("scaling-book-chips").change(values={"d_model": width})
    question = study.question("b")
    found = question.answer(study.under(question))
    assert f"larger than the states from {said} on" in plain_prose(question.sentence(found))
    chains = [one for step in question.steps(found) for one in getattr(step, "chains", ())]
    assert any(plain_chain(one).endswith(" tokens") for one in chains)
