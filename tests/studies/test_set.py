"""Every given value of a bundled study, set to another one, changes every answer as plain formulas say, or is refused."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from fractions import Fraction
from functools import lru_cache
from typing import Any

import pytest
from plain_formulas import RECOMPUTED
from sampled import sampled

from symbolic_mem.cli.main import main
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study

UNITS = {
    "B": 1,
    "bytes": 1,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
NUMBER = re.compile(r"(?<![\w.,])(\d+(?:,\d{3})*)(\.\d+)?(?:\s×\s10([⁰¹²³⁴⁵⁶⁷⁸⁹]+))?(?:\s([A-Za-z]+))?")
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


@lru_cache(maxsize=16)
def asked(name: str, **given: Any) -> tuple[int, Any]:
    """Status and JSON of the worked solution with other values; one that was just asked is not asked again."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    options = [part for symbol, value in given.items() for part in ("--set", f"{symbol}={value}")]
    with redirect_stdout(out), redirect_stderr(err):
        status = main(["homework", name, *options, "--json"])
    printed = out.buffer.getvalue().decode()
    return status, json.loads(printed) if printed else err.buffer.getvalue().decode()


def flat(found: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every number of an answer under the name that `plain_formulas` gives it."""
    for name in ("value", "critical_batch_tokens", "per_chip", "interval", "first_batch_tokens", "first_batch_degree"):
        if name in found:
            yield name, found[name]
    for name in ("buckets", "bucket_bytes", "whole_buckets"):
        if name in found:
            yield name, found[name]
    for name, value in found.get("parts", {}).items():
        yield name, value["value"]
    for name, value in found.get("values", {}).items():
        yield name, value["value"] if isinstance(value, dict) else value
    for case, inside in found.get("cases", {}).items():
        inside = inside if "parts" in inside else {"values": inside}
        yield from ((f"{case}/{name}", number) for name, number in flat(inside))
    for cell in found.get("cells", ()):
        yield f"stage {cell['stage']}, {cell['n_fsdp']}", cell["value"]
    yield from found.get("ways", {}).items()
    for name, axes in found.get("whole", {}).items():
        if axes:
            yield f"whole {name}", axes[0] * (axes[1] if len(axes) > 1 else 1)
    for name in ("first", "second"):
        if name in found:
            yield name, found[name]["bytes"]
    if "difference_bytes" in found:
        yield "difference_bytes", found["difference_bytes"]
    if "crossover" in found:
        yield "crossover", found["crossover"]["first"]
    for row in found.get("left_over", ()):
        yield f"used on each of {row['devices']}", row["used_bytes"]
    for reading in found.get("readings", ()):
        yield f"reading {reading['reading']}", reading["values"][-1]


def close(found: Any, wanted: Any) -> bool:
    """Exactly equal where the formula is exact, else to nine figures."""
    if wanted is None or found is None or isinstance(wanted, list | str):
        return found == wanted
    if isinstance(found, int) and not isinstance(wanted, float):
        return found == wanted
    return abs(float(found) - float(wanted)) <= 1e-9 * abs(float(wanted))


def says(sentence: str, value: Any) -> bool:
    """Whether a sentence holds the number, rounded to the figures that it is printed with."""
    for whole, decimals, power, unit in NUMBER.findall(sentence.replace("\N{NO-BREAK SPACE}", " ")):
        scale = Fraction(10) ** int(power.translate(RAISED) or 0) * UNITS.get(unit, 1)
        last = scale / 10 ** (len(decimals) - 1) if decimals else scale
        if abs(Fraction(whole.replace(",", "") + decimals) * scale - Fraction(value)) <= last / 2:
            return True
    return False


def given(name: str) -> dict[str, Any]:
    return {str(symbol): value for symbol, value in load_study(name).values.items()}


def settable(name: str) -> dict[str, Any]:
    """Every symbol that the study, or one of its questions, gives a value."""
    study = load_study(name)
    under = {str(s): value for one in study.questions for s, value in study.under(one).values.items()}
    return under | given(name)


def plain(value: Any) -> Any:
    return int(value) if value.is_Integer else Fraction(int(value.p), int(value.q))


def differing(name: str, **changed: Any) -> list[str]:
    """The numbers in which the answers differ from the plain formulas at these values, and those that no sentence says."""
    status, found = asked(name, **changed)
    assert status == 0, found
    values = {symbol: plain(value) for symbol, value in given(name).items()} | changed
    wrong = []
    recomputed = RECOMPUTED[name](values)
    assert [question["question"] for question in found["questions"]] == list(recomputed)
    for question, sentence in zip(found["questions"], found["answers"], strict=True):
        numbers = dict(flat(question))
        for number, wanted in recomputed[question["question"]].items():
            if number not in numbers or not close(numbers[number], wanted):
                wrong.append(f"{question['question']}: {number} = {numbers.get(number)}, not {wanted}")
        wrong += [
            f"no plain formula of {number}" for number in numbers if number not in recomputed[question["question"]]
        ]
        value = question.get("value")
        if isinstance(value, int) and not says(sentence, value):
            wrong.append(f"{question['question']}: {value} is not in {sentence!r}")
    return wrong


@pytest.mark.parametrize("name", RECOMPUTED)
def test_a_study_as_it_stands_answers_what_the_plain_formulas_say(name):
    assert differing(name) == []


@pytest.mark.parametrize(
    ("name", "symbol"), sampled([(name, symbol) for name in RECOMPUTED for symbol in settable(name)])
)
def test_another_value_changes_every_answer_or_is_refused(name, symbol):
    other = 2 * plain(settable(name)[symbol])
    status, found = asked(name, **{symbol: other})
    if status == 2:
        assert "is fixed in" in str(found)
        return
    assert differing(name, **{symbol: other}) == []


def test_every_handout_has_its_plain_formulas():
    assert {name for name in bundled() if name.startswith("cs336")} <= set(RECOMPUTED)
