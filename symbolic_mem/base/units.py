"""Exact byte units: GB is 10^9 bytes, GiB is 2^30, and a number is converted only where it is shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from symbolic_mem.base.errors import BadInput

_PREFIXES = "kMGTPE"
BYTES_PER: dict[str, int] = {"B": 1}
BYTES_PER |= {f"{prefix}B": 1000 ** (i + 1) for i, prefix in enumerate(_PREFIXES)}
BYTES_PER |= {f"{prefix.upper()}iB": 1024 ** (i + 1) for i, prefix in enumerate(_PREFIXES)}

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
    match = _AMOUNT.fullmatch(text)
    if not match:
        raise BadInput(f"{text!r} is not an amount of memory: write a positive number and a unit, for example 80 GiB")
    number, unit = match.groups()
    if unit not in BYTES_PER:
        raise BadInput(_unit_message(text, number, unit))
    value = Fraction(number.replace("_", "").replace(",", "")) * BYTES_PER[unit]
    if value <= 0:
        raise BadInput(f"{text!r} is not an amount of memory: it must be more than zero")
    return value.numerator if value.denominator == 1 else value


def _unit_message(text: str, number: str, unit: str) -> str:
    letter = unit[:1].lower()
    prefix = next((p for p in _PREFIXES if p.lower() == letter), None)
    looks_like_bytes = unit.lower() in {letter, f"{letter}b", f"{letter}ib", f"{letter}i"}
    if prefix and looks_like_bytes:
        power = _PREFIXES.index(prefix) + 1
        return (
            f"{text.strip()!r} does not say which unit: write {number} {prefix}B (10^{3 * power} bytes each) "
            f"or {number} {prefix.upper()}iB (2^{10 * power} bytes each)"
        )
    if not unit:
        return f"{text.strip()!r} has no unit: write {number} B, {number} GB (10^9 bytes) or {number} GiB (2^30 bytes)"
    return f"{text.strip()!r} has an unknown unit {unit!r}; known: {', '.join(BYTES_PER)}"


def in_unit(amount: int | Fraction, unit: str) -> Fraction:
    """Convert bytes to `unit`, exactly.

    >>> in_unit(3517578215424, "GiB")
    Fraction(3276, 1)
    """
    if unit not in BYTES_PER:
        raise BadInput(f"unknown unit {unit!r}; known: {', '.join(BYTES_PER)}")
    return Fraction(amount) / BYTES_PER[unit]


@dataclass(frozen=True)
class Decimal:
    """A number as it is printed: its digits, and whether they are the whole truth or rounded."""

    text: str
    exact: bool


def decimal(value: int | Fraction, digits: int = 4, *, full: bool = False) -> Decimal:
    """Write `value` in decimals: exactly when that takes few figures (or `full` is asked for), else rounded.

    Integers are always exact. `digits` counts significant figures of a rounded number;
    at least its whole part is kept.

    >>> decimal(Fraction(3276)), decimal(Fraction(1, 3)), decimal(Fraction(43969727693, 10**9))
    (Decimal(text='3276', exact=True), Decimal(text='0.3333', exact=False), Decimal(text='43.97', exact=False))
    >>> decimal(Fraction(17547264, 2**30), full=True).text
    '0.0163421630859375'
    """
    value = Fraction(value)
    if value.denominator == 1:
        return Decimal(str(value.numerator), True)
    places = _terminating_places(value.denominator)
    if places is not None and (full or len(_figures(value, places)) <= digits + 2):
        return Decimal(_fixed(value, places), True)
    whole = whole_figures(value)
    leading = _leading_zeros(value) if abs(value) < 1 else 0
    shown = max(digits - whole, 1) if abs(value) >= 1 else digits + leading
    return Decimal(_fixed(value, shown), False)


def whole_figures(value: int | Fraction) -> int:
    """How many figures stand before the decimal point.

    >>> whole_figures(Fraction(8192, 5)), whole_figures(-31), whole_figures(Fraction(1, 2))
    (4, 2, 1)
    """
    return len(str(int(abs(value))))


def show_bytes(amount: int | Fraction, unit: str = "GiB") -> str:
    """Write bytes in a named unit, with a sign of approximation when the figures are rounded.

    >>> show_bytes(3517578215424), show_bytes(3517578215424, "GB")
    ('3276 GiB', '≈ 3517.6 GB')
    """
    shown = decimal(in_unit(amount, unit))
    return f"{shown.text} {unit}" if shown.exact else f"≈ {shown.text} {unit}"


def grouped(digits: str, separator: str = ",") -> str:
    """Group the whole part of a decimal number by thousands, from five digits on.

    >>> grouped("219848638464"), grouped("1024"), grouped("10222.2222")
    ('219,848,638,464', '1024', '10,222.2222')
    """
    whole, dot, rest = digits.partition(".")
    sign, whole = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    if len(whole) > 4:
        whole = f"{int(whole):,}".replace(",", separator)
    return sign + whole + dot + rest


def _terminating_places(denominator: int) -> int | None:
    twos = fives = 0
    while denominator % 2 == 0:
        denominator //= 2
        twos += 1
    while denominator % 5 == 0:
        denominator //= 5
        fives += 1
    return max(twos, fives) if denominator == 1 else None


def _fixed(value: Fraction, places: int) -> str:
    scaled = round(abs(value) * 10**places)
    sign = "-" if value < 0 and scaled else ""
    text = str(scaled).rjust(places + 1, "0")
    return f"{sign}{text[:-places]}.{text[-places:]}" if places else f"{sign}{text}"


def _figures(value: Fraction, places: int) -> str:
    return _fixed(value, places).lstrip("-").replace(".", "").lstrip("0")


def _leading_zeros(value: Fraction) -> int:
    zeros, scaled = 0, abs(value) * 10
    while scaled < 1:
        scaled *= 10
        zeros += 1
    return zeros
