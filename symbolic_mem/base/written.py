"""A number as it is written: the one reader of digits, with a bound on how many there are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from symbolic_mem.base.errors import BadInput

if TYPE_CHECKING:
    from fractions import Fraction

MAX_DIGITS = 100
MOST_COUNTED = 9  # digits of a count
NO_COUNT = f"is no whole number from 1 to {10**MOST_COUNTED - 1:,}"
MAX_VALUE = 10**30  # of a number that is given
MAX_BITS = 14_000  # of a result: what Python surely writes as decimals
TOO_LONG = "{what} {text}... is {length} characters long; a number has at most {most} digits"
_NUMBER = re.compile(r"(?=\.?[0-9])(?:[0-9]+(?:_[0-9]+)*)?(?:\.(?:[0-9]+(?:_[0-9]+)*)?)?(?:[eE][+-]?[0-9]{1,3})?")


def decimal(text: str) -> Fraction | None:
    """Read decimal digits with a point and a power of ten, exactly; None for anything else.

    A hexadecimal number, digits of other scripts, more than 100 digits and powers from 10^1000 on are nothing of it.

    >>> decimal("4.6e14"), decimal("0x10"), decimal("1e99999"), decimal("１２")
    (Fraction(460000000000000, 1), None, None, None)
    """
    if len(text) > 2 * MAX_DIGITS or not _NUMBER.fullmatch(text):
        return None
    written = text.replace("_", "")
    if sum(sign.isdigit() for sign in written.lower().partition("e")[0]) > MAX_DIGITS:
        return None
    from fractions import Fraction  # which costs a run that reads no number a tenth

    return Fraction(written)


def signed(text: str) -> Fraction | None:
    """Read a number as `decimal` does, perhaps after a minus; None for anything else.

    >>> signed("-0.5"), signed("--1"), signed("-１")
    (Fraction(-1, 2), None, None)
    """
    found = decimal(text.removeprefix("-"))
    return -found if found is not None and text.startswith("-") else found


def counted(text: str) -> int | None:
    """Read a count: at most 9 decimal digits and nothing else; None for anything else.

    >>> counted("12"), counted("１２"), counted("-1"), counted("1234567890")
    (12, None, None, None)
    """
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MOST_COUNTED else None


def short(text: str, what: str) -> str:
    """Return what should be a number as it is; raises `BadInput` for one that is too long to be one.

    >>> short("80 GiB", "amount")
    '80 GiB'
    """
    if len(text) > 2 * MAX_DIGITS:
        raise BadInput(TOO_LONG.format(what=what, text=repr(text[:40]), length=len(text), most=MAX_DIGITS))
    return text


def bits(number: int | Fraction) -> int:
    """Return how many bits a number has, above and below its bar.

    >>> from fractions import Fraction
    >>> bits(255), bits(Fraction(1, 3))
    (9, 3)
    """
    return number.numerator.bit_length() + number.denominator.bit_length()
