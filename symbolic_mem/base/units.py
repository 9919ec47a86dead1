"""Exact byte units: GB is 10^9 bytes, GiB is 2^30, and a number is converted only where it is shown."""

from __future__ import annotations

import re
from fractions import Fraction

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.written import short

_PREFIXES = "kMGTPE"
BYTES_PER: dict[str, int] = {"B": 1}
BYTES_PER |= {f"{prefix}B": 1000 ** (i + 1) for i, prefix in enumerate(_PREFIXES)}
BYTES_PER |= {f"{prefix.upper()}iB": 1024 ** (i + 1) for i, prefix in enumerate(_PREFIXES)}

NOT_AN_AMOUNT = "{text} is not an amount of memory: write a positive number and a unit, for example 80 GiB"
NOT_POSITIVE = "{text} is not an amount of memory: it must be more than zero"
WHICH_UNIT = "{text} does not say which unit: write {number} {decimal} (10^{ten} bytes each) or {number} {binary} (2^{two} bytes each)"
NO_UNIT = "{text} has no unit: write {number} B, {number} GB (10^9 bytes) or {number} GiB (2^30 bytes)"
UNKNOWN_UNIT = "{text} has an unknown unit {unit}; known: {known}"

_AMOUNT = re.compile(r"\s*([0-9]+(?:[_,][0-9]{3})*(?:\.[0-9]+)?(?:[eE][+]?[0-9]{1,2})?)\s*([A-Za-z]*)\s*")


def parse_bytes(text: str) -> int | Fraction:
    """Read an amount of memory such as ``80 GB``, ``80 GiB`` or ``81559 MiB`` into exact bytes.

    An amount that was printed rounded, such as the ``15.77 GiB`` of an out-of-memory message, is taken at its word: as a
    fraction where it is no whole number of bytes. Raises `BadInput` for a unit that does not say which of the two
    meanings is meant.

    >>> parse_bytes("80 GB"), parse_bytes("80 GiB"), parse_bytes("81559 MiB")
    (80000000000, 85899345920, 85520809984)
    >>> parse_bytes("15.77 GiB")
    Fraction(423322714112, 25)
    >>> parse_bytes("80G")
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: '80G' does not say which unit: write 80 GB (10^9 bytes each) or 80 GiB (2^30 bytes each)
    """
    return read_amount(text)[0]


def read_amount(text: str) -> tuple[int | Fraction, str]:
    """Read an amount of memory as `parse_bytes` does: its bytes, and the unit in which it is written.

    >>> read_amount("1 EiB")
    (1152921504606846976, 'EiB')
    """
    match = _AMOUNT.fullmatch(short(text, "amount of memory"))
    if not match:
        raise BadInput(NOT_AN_AMOUNT.format(text=repr(text)))
    number, unit = match.groups()
    if unit not in BYTES_PER:
        raise _without_unit(text, number, unit)
    digits = number.replace("_", "").replace(",", "")
    value = (int(digits) if digits.isdecimal() else Fraction(digits)) * BYTES_PER[unit]
    if value <= 0:
        raise BadInput(NOT_POSITIVE.format(text=repr(text)))
    return (value.numerator if value.denominator == 1 else value), unit


def _without_unit(text: str, number: str, unit: str) -> BadInput:
    letter = unit[:1].lower()
    prefix = next((p for p in _PREFIXES if p.lower() == letter), None)
    looks_like_bytes = unit.lower() in {letter, f"{letter}b", f"{letter}ib", f"{letter}i"}
    said = {"text": repr(text.strip()), "number": number}
    if prefix and looks_like_bytes:
        power = _PREFIXES.index(prefix) + 1
        units = {"decimal": f"{prefix}B", "binary": f"{prefix.upper()}iB"}
        return BadInput(WHICH_UNIT.format(**said, **units, ten=3 * power, two=10 * power), units.values())
    if not unit:
        return BadInput(NO_UNIT.format(**said))
    return BadInput(UNKNOWN_UNIT.format(**said, unit=repr(unit), known=", ".join(BYTES_PER)), BYTES_PER)


def in_unit(amount: int | Fraction, unit: str) -> Fraction:
    """Convert bytes to `unit`, exactly.

    >>> in_unit(3517578215424, "GiB")
    Fraction(3276, 1)
    """
    if unit not in BYTES_PER:
        raise BadInput.one_of(f"unknown unit {unit!r}", BYTES_PER)
    return Fraction(amount) / BYTES_PER[unit]


def whole_figures(value: int | Fraction) -> int:
    """How many figures stand before the decimal point.

    >>> whole_figures(Fraction(8192, 5)), whole_figures(-31), whole_figures(Fraction(1, 2))
    (4, 2, 1)
    """
    return len(str(int(abs(value))))
