"""Real cases from people who do this job, as they would type them: what each of them must print.

A case names its theme by a plain word; `right` are cases that always held.
"""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from sampled import sampled

CASES = json.loads((Path(__file__).parents[1] / "data" / "wild.json").read_text(encoding="utf-8"))["cases"]
THEMES = {
    *("right", "check", "claims by symbol", "studies", "dtypes", "input forms", "silent fields"),
    *("encoders", "families", "handwritten modules", "heads", "wrappers"),
    *("values that nothing reads", "adapters", "optimizer step", "one device", "peak"),
}
UNITS = {"GiB": 2**30, "GB": 10**9}
BETWEEN_DIGITS = re.compile(r"(?<=\d)(?:\\,|,|\u202f|\u00a0)(?=\d{3})")


def test_every_case_names_its_theme_and_what_must_hold():
    assert len(CASES) == 104 and len({case["id"] for case in CASES}) == 104
    assert {case["theme"] for case in CASES} == THEMES
    assert all(case["source"] and case["want"] and case["holds"] for case in CASES)
    assert all(set(case["holds"]) <= set(CHECKS) | {"or refused"} for case in CASES)


@pytest.mark.parametrize("case", sampled([pytest.param(case, id=case["id"]) for case in CASES], 2))
def test_a_real_case_is_right(case, run, tmp_path):
    for name, content in case["input"].get("files", {}).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    program, *arguments = shlex.split(case["input"]["command"])
    assert program == "symbolic-mem"
    done = run(*arguments)
    holds = case["holds"]
    assert (done.status != 0) == ("refused" in holds) or (done.status != 0 and holds.get("or refused")), done.err
    assert "Traceback" not in done.err and done.err.count("\n") <= 1
    text = BETWEEN_DIGITS.sub("", done.out + done.err)
    told = json.loads(run(*arguments, "--json").out) if set(holds) & NUMBERS else None
    for what, right in holds.items():
        if what in CHECKS:
            CHECKS[what](right, text, told)


def within(value: Any, right: Any) -> bool:
    return right[0] <= value <= right[1] if isinstance(right, list) else value == right


def parameters(right, text, told):
    assert within(told["parameters"], right)


def amounts(unit):
    def check(right, text, told):
        for name, bounds in right.items():
            assert within(amount(told, name) / UNITS[unit], bounds), (name, amount(told, name) / UNITS[unit])

    return check


def amount(told: dict[str, Any], name: str) -> int:
    if name in ("static", "total"):
        return told[f"{name}_bytes"]
    if name == "activations":
        return told["activation_bytes"]
    if name == "block activations":
        names = [f"activations of the {layer}" for layer in ("attention norm", "attention", "MLP norm", "MLP")]
        return sum(term["bytes"] for term in told["terms"] if term["name"] in names)
    return sum(term["bytes"] for term in told["terms"] if term["kind"] == name)


def value(right, text, told):
    assert within(told["value"], right)


def told_at(*path):
    def check(right, text, told):
        found = told
        for key in path:
            found = found[key]
        assert within(found / UNITS["GiB"], right), found / UNITS["GiB"]

    return check


def saved(right, text, told):
    first, second = (told[side]["peak_bytes"] for side in ("first", "second"))
    assert within((first - second) / UNITS["GiB"], right)


def verdicts(right, text, told):
    assert [verdict["right"] for verdict in told] == right


def slips(right, text, told):
    found = [sorted(slip["name"] for slip in each["slips"]) for verdict in told for each in verdict["explanations"]]
    assert sorted(right) in found, found


def assumes(right, text, told):
    assert right in told["assumptions"]


def says(right, text, told):
    assert all(re.search(pattern, text) for pattern in right), text


def says_not(right, text, told):
    assert not any(re.search(pattern, text) for pattern in right), text


CHECKS = {
    "parameters": parameters,
    "GiB": amounts("GiB"),
    "GB": amounts("GB"),
    "GiB of the answer": told_at("per_device_bytes"),
    "GiB kept": told_at("total_bytes"),
    "GiB at the peak": told_at("per_device", "peak_bytes"),
    "GiB saved": saved,
    "value": value,
    "verdicts": verdicts,
    "slips": slips,
    "assumes": assumes,
    "says": says,
    "says not": says_not,
    "refused": says,
}
NUMBERS = set(CHECKS) - {"says", "says not", "refused"}
