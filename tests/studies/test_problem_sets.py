"""The problem sets of this package: every variant against plain arithmetic, sheets that give nothing away, one key."""

from __future__ import annotations

import csv
import io
import json
from math import ceil, floor

import pytest
from sampled import sampled
from test_set import asked, given, says

from symbolic_mem.base.errors import BadInput
from symbolic_mem.documents.sheet import key, keyed, sheet
from symbolic_mem.hardware.catalogue import load_devices
from symbolic_mem.library.read import load_study
from symbolic_mem.render.document import render
from symbolic_mem.render.json import document_json
from symbolic_mem.render.text import plain_prose

SETS = ("set-states", "set-activations", "set-sharding", "set-communication", "set-inference")
CAPACITY = {"h100-80gb": 80 * 2**30, "h200": 141 * 2**30}


def plain(study):
    """The values of a study in plain numbers, and the device that its caller set."""
    values = {str(symbol): value for symbol, value in study.values.items()}
    numbers = {name: int(value) if value == int(value) else float(value) for name, value in values.items()}
    return numbers, study.device.name


def states(v, _device):
    heads, keys = v["n_heads"] * v["d_head"], v["n_kv"] * v["d_head"]
    block = 2 * v["d_model"] * heads + 2 * v["d_model"] * keys + 3 * v["d_model"] * v["d_ff"] + 2 * v["d_model"]
    parameters = v["L"] * block + 2 * v["V"] * v["d_model"] + v["d_model"]
    return {"a": 16 * parameters, "b": ceil(16 * parameters / CAPACITY["h100-80gb"])}


def activations(v, _device):
    parameters = 2 * v["L"] * v["d_model"] * v["d_ff"]
    block = 2 * v["B"] * v["S"] * (v["d_model"] + v["d_ff"])
    half = v["L"] // 2 * (2 * v["B"] * v["S"] * v["d_model"] + block)  # every depth here is even
    whole = v["L"] * block
    least = [ceil((16 * parameters + kept) / CAPACITY["h100-80gb"]) for kept in (whole, half)]
    return {"a": whole, "b": least[0], "c": least[1]}


def sharding(v, device):
    states = 32 * v["L"] * v["d_model"] * v["d_ff"]
    half = v["B"] * v["S"] * v["L"] * (v["d_model"] + v["d_ff"])
    room = CAPACITY[device or "h100-80gb"]
    kept = ceil((states + half) / (room - half)) if room > half else None
    return {"a": kept, "b": ceil((states + half) / room), "c": None if kept is None else 8 * ceil(kept / 8)}


def communication(v, _device):
    alpha = v["C"] / v["W"]
    busy = v["d_ff"] * v["M_Y"] / (v["Y"] * alpha)  # the products over what is sent along Y
    return {
        "a": floor(v["X"] * alpha / v["M_X"]) + 1 if busy > 1 else None,
        "b": floor(v["X"] * alpha / v["M_X"] / (1 - 1 / busy)) + 1 if busy > 1 else None,
    }


def inference(v, _device):
    heads, keys = v["n_heads"] * v["d_head"], v["n_kv"] * v["d_head"]
    block = 2 * v["d_model"] * heads + 2 * v["d_model"] * keys + 3 * v["d_model"] * v["d_ff"] + 2 * v["d_model"]
    parameters = v["L"] * block + 2 * v["V"] * v["d_model"] + v["d_model"]
    sequence = v["S"] * v["b"] * v["L"] * 2 * keys
    return {"b": (v["n_gpus"] * v["C_gpu"] - 2 * parameters) // sequence}


RECOMPUTED = dict(zip(SETS, (states, activations, sharding, communication, inference), strict=True))


@pytest.mark.parametrize("name", SETS)
def test_every_variant_has_the_numbers_of_plain_arithmetic(name):
    study = load_study(name)
    varied = list(keyed(study))
    assert len(varied) == len(study.variants) >= 5
    seen = set()
    for each in varied:
        expected = RECOMPUTED[name](*plain(each.study))
        found = {one.question.label: one.value for one in each.found}
        assert {label: found[label] for label in expected} == expected, plain_prose(each.sets)
        seen.add(tuple(found.items()))
    assert len(seen) > 1


@pytest.mark.parametrize("name", [*SETS, "cs336-a2-xxl"])
def test_a_sheet_asks_and_answers_nothing(name):
    study = load_study(name)
    asked = sheet(study.varied(1) if study.variants else study)
    written = json.dumps(document_json(asked), ensure_ascii=False)
    solved = keyed(study)[0]
    for found in solved.found:
        assert f"({found.question.label})" in written
        assert plain_prose(found.question.sentence(found)) not in written
    assert document_json(asked)["answers"] == document_json(asked)["questions"] == []
    assert "≥" not in written and "⌈" not in written


@pytest.mark.parametrize(
    ("name", "symbol"), sampled([(name, symbol) for name in SETS for symbol in given(name)], every=4)
)
def test_another_value_changes_every_answer_or_is_refused(name, symbol):
    other = 2 * int(given(name)[symbol])
    status, said = asked(name, **{symbol: other})
    if status == 2:
        assert symbol in str(said) and any(words in str(said) for words in ("nothing that", "does not divide")), said
        return
    expected = RECOMPUTED[name](plain(load_study(name))[0] | {symbol: other}, None)
    study = load_study(name).change(values={symbol: other})
    found = {one.label: one.answer(study.under(one)).value for one in study.questions}
    assert {label: found[label] for label in expected} == expected
    for label, number in expected.items():
        sentence = next(
            each for one, each in zip(said["questions"], said["answers"], strict=True) if one["question"] == label
        )
        assert number is None or says(sentence, number)


def test_the_device_that_a_question_takes_stands_on_the_sheet():
    assert (
        "Take here: device Google TPU v5p; binary reading."
        in render(sheet(load_study("cs336-a2-xxl")), "homework", "md").decode()
    )


@pytest.mark.parametrize("name", ["set-activations", "set-sharding", "cs336-a2-xxl"])
def test_a_device_is_told_by_its_name_on_a_sheet_and_in_a_key(name):
    study = load_study(name)
    told = [render(written(study), "homework", "md").decode() for written in (sheet, key)]
    assert [one for one in load_devices() for page in told if one in page] == []


def test_the_same_seed_draws_the_same_variants():
    words = [[change.words for change in each] for each in load_study("set-states").variants]
    assert words[0] == ["L = 48", "d_model = 5120", "d_ff = 14336"]
    assert len({tuple(each) for each in words}) == len(words)


def test_a_variant_is_named_in_its_document():
    said = render(sheet(load_study("set-states").varied(2)), "homework", "md").decode()
    assert r"This is variant 2: $L = 48$; $d_{\mathrm{model}} = 4096$; $d_{\mathrm{ff}} = 11\,008$." in said


def table(extra):
    return f'title = "T"\n[model]\nkind = "parameters"\n[values]\nPsi = 8\n[variants]\n{extra}\n'


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ('list = [{ X = "many" }]', "number 1"),
        ("list = [{ nothing = 3 }]", "nothing"),
        ("list = []", "the list has no variant"),
        ("list = [{ Psi = 8 }, { Psi = 9 }, { Psi = 8 }]", "number 3 sets what number 1 does"),
        ("choices = { Psi = [8, 8] }\ncount = 2", "Psi has 8 twice"),
        ("list = [{}]", "must be a table that sets something"),
        ("count = 2", "give either list"),
        ("choices = { Psi = [8, 9] }\ncount = 3", "there are 2 different combinations"),
        ("choices = { Psi = 8 }\ncount = 1", "is no list of values"),
        ("list = [{ Psi = 8 }]\nseed = 1", "seed draws from choices"),
    ],
)
def test_a_variant_that_cannot_be_is_refused_in_one_line(tmp_path, given, complaint):
    path = tmp_path / "s.toml"
    path.write_text(table(given), encoding="utf-8")
    with pytest.raises(BadInput, match="variants") as refused:
        load_study(str(path))
    assert complaint in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize("sets", ['device = "h100-80gb"', 'loss = "fused"'])
def test_a_variant_that_no_question_can_take_is_refused_with_its_number(tmp_path, sets):
    from symbolic_mem.documents.sheet import key

    path = tmp_path / "s.toml"
    asked = '[[question]]\nlabel = "a"\nask = "account"\n'
    path.write_text(table(f"list = [{{ Psi = 8 }}, {{ {sets} }}]") + asked, encoding="utf-8")
    with pytest.raises(BadInput, match=r"^variant 2: "):
        key(load_study(str(path)))


def test_a_number_that_is_no_variant_is_refused():
    with pytest.raises(BadInput, match="has no variant 9; give a number from 1 to 6"):
        load_study("set-states").varied(9)
    with pytest.raises(BadInput, match="has no variants"):
        load_study("cs336-a2-xxl").varied(1)


def test_the_key_as_csv_holds_every_answer_of_every_variant():
    from symbolic_mem.documents.sheet import key_csv

    study = load_study("set-sharding")
    rows = list(csv.DictReader(io.StringIO(key_csv(study))))
    assert [row["variant"] for row in rows] == [str(n) for n in range(1, 6) for _ in "abc"]
    assert [row["value"] for row in rows if row["question"] == "c"] == [
        "" if (n := one.found[2].value) is None else str(n) for one in keyed(study)
    ]
