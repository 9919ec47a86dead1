"""Every given value of the studies of one model, set to another one, changes the account and every answer as plain arithmetic says."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from fractions import Fraction
from math import ceil
from typing import Any

import pytest
from plain_models import ACCOUNTS
from plain_papers import At
from plain_steps import ASKED, BEYOND, H100, instants, smallest, total
from sampled import sampled
from test_set import asked, given, plain, says

from symbolic_mem.cli.main import main

FACTORS = (2, Fraction(1, 2), Fraction(5, 2))


def accounted(name: str, **called: Any) -> dict[str, Any] | None:
    """The JSON of the account with other values, None where no such model can be."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    options = [part for symbol, value in called.items() for part in ("--set", f"{symbol}={value}")]
    with redirect_stdout(out):
        status = main(["account", name, "--recompute", "none", *options, "--json"])
    return json.loads(out.buffer.getvalue()) if status == 0 else None


def at(name: str, called: dict[str, Any]) -> At:
    return At({symbol: plain(value) for symbol, value in given(name).items()}, called)


def differing(name: str, **called: Any) -> list[str] | None:
    found = accounted(name, **called)
    if found is None:
        return None
    right = ACCOUNTS[name](at(name, called))
    wanted = {"parameters": right.parameters, "static_bytes": right.static, "activation_bytes": right.kept}
    return [f"{key} = {found[key]}, not {number}" for key, number in wanted.items() if found[key] != number]


@pytest.mark.parametrize("name", ACCOUNTS)
def test_a_model_as_published_keeps_what_plain_arithmetic_says(name):
    assert differing(name) == []


@pytest.mark.parametrize(("name", "symbol"), [(name, symbol) for name in ACCOUNTS for symbol in given(name)])
def test_another_value_changes_the_account(name, symbol, capsys):
    value = plain(given(name)[symbol])
    others = [int(value * factor) for factor in FACTORS if Fraction(value * factor).denominator == 1]
    found = next((wrong for other in others if (wrong := differing(name, **{symbol: other})) is not None), None)
    if found is None:  # a width that no layer of the model has
        assert main(["account", name, "--set", f"{symbol}={others[0]}"]) == 2
        assert f"nothing that {name} asks reads {symbol}" in capsys.readouterr().err
        return
    assert found == []


def of_devices(
    name: str, found: dict[str, Any], sentence: str, values: At, room: int, every: int
) -> dict[str, tuple[Any, Any]]:
    """How many devices hold what is kept, spread evenly: each number beside what it must be."""
    right = total(name, values, every)
    number = ceil(Fraction(right, room))
    each = ceil(Fraction(right, number))
    said = (says(sentence, right), True)
    return {"devices": (found["value"], number), "each": (found["per_device_bytes"], each), "said": said}


def of_degree(
    name: str, found: dict[str, Any], sentence: str, values: At, room: int, every: int
) -> dict[str, tuple[Any, Any]]:
    """The smallest degree and the peak of its fullest instant; where there is none, what is whole on each device."""
    peaks = dict(instants(name, values, every))
    right = smallest(list(peaks.values()), room)
    wanted = {"n_fsdp": (found["value"], right)}
    if right is None:
        whole = [ceil(peak(BEYOND)) for peak in peaks.values() if peak(BEYOND) > room]
        return wanted | {"whole on each": (any(says(sentence, held) for held in whole), True)}
    at_peak = peaks.get(found["instant"])
    assert at_peak is not None, f"no plain formula of {found['instant']!r}"
    held = ceil(at_peak(right))
    return wanted | {"peak": (found["peak_bytes"], held), "said": (says(sentence, held), True)}


def of_room(name: str, found: dict[str, Any], values: At, room: int) -> dict[str, tuple[Any, Any]]:
    """What stays free on the given devices, and how far each size can grow."""

    def peak(**called: Any) -> int:
        each = instants(name, At(values.values, called), 0)
        return ceil(max(held(found["devices"]) for _, held in each))

    used = peak()
    wanted = {"used": (found["used_bytes"], used), "free": (found["value"], room - used if used <= room else None)}
    for one in found["largest"]:
        symbol, most = one["symbol"], one["value"]
        fits = most is None or peak(**{symbol: most}) <= room
        more = peak(**{symbol: 1 if most is None else most + 1}) > room
        wanted |= {f"largest {symbol}": ((most, fits, more), (most, True, True))}
    return wanted


def answered(name: str, **called: Any) -> list[str]:
    """What differs in the answers of all questions, and the numbers of an answer that its sentence does not say."""
    status, document = asked(name, **called)
    assert status == 0, document
    values, wrong = at(name, called), []
    for found, sentence in zip(document["questions"], document["answers"], strict=True):
        room, every = ASKED[name][found["question"]]
        if name == "headroom":
            numbers = of_room(name, found, values, room)
        elif found["for"] == "N_devices":
            numbers = of_devices(name, found, sentence, values, room, every)
        else:
            numbers = of_degree(name, found, sentence, values, room, every)
        wrong += [
            f"{found['question']}: {key} {one}, not {right}" for key, (one, right) in numbers.items() if one != right
        ]
        if found["value"] is not None and not says(sentence, found["value"]):
            wrong.append(f"{found['question']}: {found['value']} is not in {sentence!r}")
    return wrong


@pytest.mark.parametrize("name", sampled(ASKED, every=4))
def test_a_study_as_it_stands_answers_what_plain_arithmetic_says(name):
    assert answered(name) == []


@pytest.mark.parametrize(("name", "symbol"), sampled([(name, one) for name in ASKED for one in given(name)], every=13))
def test_another_value_changes_every_answer_or_is_refused(name, symbol):
    value = plain(given(name)[symbol])
    for other in (value * factor for factor in FACTORS if Fraction(value * factor).denominator == 1):
        status, said = asked(name, **{symbol: other})
        if status == 0:
            assert answered(name, **{symbol: int(other)}) == []
            return
        refusals = ("does not divide", "give at most that many", f"nothing that {name} asks reads {symbol}")
        assert any(words in str(said) for words in refusals), said


def test_every_study_of_one_model_is_asked():
    assert list(ASKED) == list(ACCOUNTS) and all(room >= H100 for asks in ASKED.values() for room, _ in asks.values())
