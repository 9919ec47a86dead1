"""Amounts of memory as people write and copy them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.units import parse_bytes
from symbolic_mem.base.written import decimal
from symbolic_mem.hardware.catalogue import parse_rate
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.parts.words import capacity_words
from symbolic_mem.render.text import plain_prose
from symbolic_mem.solvers.capacity import capacity_from

COPIED = ("15.77 GiB", "23.65 GiB", "79.15 GiB", "1002.00 MiB", "23.69 GB", "0.1 KiB")


@pytest.mark.parametrize("written", COPIED)
def test_an_amount_copied_from_a_message_is_taken_at_its_word(written):
    number, unit = written.split()
    each = {"GiB": 2**30, "MiB": 2**20, "KiB": 2**10, "GB": 10**9}[unit]
    assert parse_bytes(written) == Fraction(number) * each
    assert capacity_from(written).counted == Fraction(number) * each


def test_a_whole_number_of_bytes_stays_whole():
    assert type(parse_bytes("15.75 GiB")) is int
    assert type(parse_bytes("15.77 GB")) is int


def test_such_an_amount_is_read_everywhere():
    assert parse_rate("1.0001 KiB/s") == Fraction(10001 * 1024, 10000)
    study = load_study("cs336-a2-xxl").change(capacity="15.77 GiB")
    assert study.capacity.counted == Fraction(1577, 100) * 2**30

    reserved = replace(study, device=replace(study.device, reserved=parse_bytes("1.23 GiB")))
    assert reserved.capacity.counted == Fraction(1577 - 123, 100) * 2**30


def test_bytes_that_are_not_whole_are_exact():
    assert plain_prose(capacity_words(capacity_from("15.77 GiB"))) == (
        "Each device has 15.77 GiB: 16,932,908,564.48 bytes."
    )


def test_an_amount_too_long_to_be_one_is_called_that():
    with pytest.raises(BadInput, match=r"^amount of memory '9{40}'\.\.\. is 301 characters long"):
        parse_bytes("9" * 301)


def test_digits_may_be_grouped():
    assert (decimal("1_000.2_5"), decimal("1__0"), decimal("_1")) == (Fraction(100025, 100), None, None)
