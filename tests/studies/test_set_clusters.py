"""Every given value of the studies of clusters and of fine-tuning, set to another one, changes every answer, or is refused."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import Any

import pytest
from plain_clusters import DEVICES, PEAKS, TUNED, sizes
from sampled import sampled
from test_set import asked, given, plain, says

from symbolic_mem.library.bundled import bundled

FACTORS = (2, Fraction(1, 2))
REFUSED = (
    "does not divide",
    "does not come out",
    "give at most that many",
    "layers gives 16 stages",
    "this model has none",
)
MOST = 4096


def known(name: str, called: dict[str, Any]) -> dict[str, Any]:
    return {str(symbol): plain(value) for symbol, value in given(name).items()} | called


def peak(name: str, instant: str, values: dict[str, Any]) -> Fraction:
    assert instant in PEAKS[name], f"no plain formula of {instant!r}"
    return PEAKS[name][instant](sizes(values))


def of_meshes(name: str, found: dict[str, Any], values: dict[str, Any]) -> list[str]:
    """What differs in a table of meshes: a peak, or which of them fit."""
    wrong, fitting = [], []
    for row in found["meshes"]:
        if row["refused"] is not None:
            continue
        right = peak(name, row["instant"], values | row["degrees"])
        if row["peak_bytes"] != ceil(right) or row["fits"] != (right <= DEVICES[name]):
            wrong.append(f"{row['degrees']}: {row['peak_bytes']}, not {ceil(right)}")
        fitting += [row["degrees"]] if right <= DEVICES[name] else []
    axis = found.get("for")
    right = (
        len(fitting)
        if len(found["meshes"][0]["degrees"]) > 1
        else next((d for one in fitting for d in one.values()), None)
    )
    return wrong + ([] if found["value"] == right else [f"{axis} = {found['value']}, not {right}"])


def of_degree(name: str, found: dict[str, Any], values: dict[str, Any]) -> list[str]:
    """What differs in the smallest data-parallel degree, and in what one device then holds."""
    instant = found["instant"]
    fits = (n for n in range(1, MOST) if peak(name, instant, values | {"n_fsdp": n}) <= DEVICES[name])
    right = next(fits, None)
    wrong = [] if found["value"] == right else [f"n_fsdp = {found['value']}, not {right}"]
    held = None if right is None else ceil(peak(name, instant, values | {"n_fsdp": right}))
    return wrong + ([] if found["per_device_bytes"] == held else [f"{found['per_device_bytes']} bytes, not {held}"])


def of_size(name: str, found: dict[str, Any], values: dict[str, Any]) -> list[str]:
    """What differs in the largest batch or length of a run on one device."""
    assert found["instant"] == "the loss, when the backward pass begins", f"no plain formula of {found['instant']!r}"
    held, room = TUNED[name]
    symbol, value = found["for"], found["value"]
    at = [held(sizes(values | {symbol: value + more}, pad=False)) for more in (0, 1)]
    wrong = [] if at[0] <= room < at[1] else [f"{symbol} = {value}: {at} beside {room}"]
    return wrong + ([] if found["per_device_bytes"] == at[0] else [f"{found['per_device_bytes']} bytes, not {at[0]}"])


def differing(name: str, **called: Any) -> list[str]:
    status, document = asked(name, **called)
    assert status == 0, document
    values, wrong = known(name, called), []
    for found, sentence in zip(document["questions"], document["answers"], strict=True):
        of = of_size if name in TUNED else of_meshes if "meshes" in found else of_degree
        wrong += [f"{found['question']}: {one}" for one in of(name, found, values)]
        if found["value"] is not None and not says(sentence, found["value"]):
            wrong.append(f"{found['question']}: {found['value']} is not in {sentence!r}")
    return wrong


@pytest.mark.parametrize("name", [*PEAKS, *TUNED])
def test_a_study_as_it_stands_answers_what_the_plain_formulas_say(name):
    assert differing(name) == []


CASES = [(name, symbol) for name in (*PEAKS, *TUNED) for symbol in given(name)]


@pytest.mark.parametrize(("name", "symbol"), sampled(CASES, every=13))
def test_another_value_changes_every_answer_or_is_refused(name, symbol):
    value, refused = plain(given(name)[symbol]), ""
    for factor in FACTORS:
        other = value * factor
        if Fraction(other).denominator != 1:
            continue
        status, said = asked(name, **{symbol: int(other)})
        if status == 0:
            assert differing(name, **{symbol: int(other)}) == []
            return
        refused = str(said)
        assert any(words in refused for words in REFUSED), refused
    assert refused, f"no other value of {symbol} is a whole number"


def test_every_study_of_a_cluster_and_of_fine_tuning_is_among_them():
    assert {name for name in bundled() if name.startswith(("cluster", "lora", "qlora"))} == {*PEAKS, *TUNED}
