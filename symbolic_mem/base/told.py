"""Records of plain values as JSON has them: exact whole numbers, floats where a number is none, and which are rounded.

It needs no SymPy: what a face makes of expressions before it is text and numbers here, however they were found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

_WHOLE = re.compile(r"(?<![\w.,])\d{5,}(?![\w.,]*\d)(?!\w)")


class RoundedUp(int):
    """A whole number that stands for one a little smaller, so that a face can say so."""


def told(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record as one JSON object that names under ``approximate`` each number in it that is rounded.

    >>> told({"seconds": Fraction(1, 3), "sent": {"bytes": RoundedUp(3), "half": Fraction(1, 2)}})
    {'seconds': 0.3333333333333333, 'sent': {'bytes': 3, 'half': 0.5}, 'approximate': ['seconds', 'sent/bytes']}
    """
    rounded = list(_rounded(record, ""))
    return as_json(record) | ({"approximate": rounded} if rounded else {})


def as_json(value: Any) -> Any:
    """Return a value as JSON has it: a fraction as a whole number or a float, all others as they are.

    >>> as_json(["n", (Fraction(4, 2), Fraction(1, 2))])
    ['n', [2, 0.5]]
    """
    match value:
        case Mapping():
            return {key: as_json(item) for key, item in value.items()}
        case tuple() | list():
            return [as_json(item) for item in value]
        case Fraction():
            return number(value)
    return value


def number(value: Fraction | int) -> int | float:
    """Return an exact whole number, or a float where the number is none; beyond 10^308 the whole part is nearer than that.

    >>> number(Fraction(6, 2)), number(Fraction(1, 4)), number(Fraction(3 * 10**400, 7)) == 3 * 10**400 // 7
    (3, 0.25, True)
    """
    if value == int(value):
        return int(value)
    try:
        return float(value)
    except OverflowError:
        return int(value)


def grouped(figures: str, separator: str = ",") -> str:
    """Group the whole part of a decimal number by thousands, from five digits on.

    >>> grouped("219848638464"), grouped("1024"), grouped("10222.2222")
    ('219,848,638,464', '1024', '10,222.2222')
    """
    whole, dot, rest = figures.partition(".")
    sign, whole = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    if len(whole) > 4:
        whole = f"{int(whole):,}".replace(",", separator)
    return sign + whole + dot + rest


def grouped_words(words: str) -> str:
    """Group the whole numbers that stand in words, as in the name of a case.

    >>> grouped_words("scores, 16384 tokens"), grouped_words("v1.12345 of 2048 tokens")
    ('scores, 16,384 tokens', 'v1.12345 of 2048 tokens')
    """
    return _WHOLE.sub(lambda match: grouped(match[0]), words)


def short_power(digits: str) -> tuple[str, int] | None:
    """Return the mantissa and the exponent of a whole number that is set as a short power of ten; None where it is not.

    >>> short_power("80000000000"), short_power("85520809984")
    (('8', 10), None)
    """
    significant = digits.rstrip("0")
    if len(digits) <= 9 or len(significant) > 4:
        return None
    return significant[0] + ("." + significant[1:] if significant[1:] else ""), len(digits) - 1


def _rounded(value: Any, path: str) -> Iterator[str]:
    """The places of the numbers that JSON does not show exactly: names and positions, joined by ``/``."""
    match value:
        case Mapping() | tuple() | list():
            for key, item in value.items() if isinstance(value, Mapping) else enumerate(value):
                yield from _rounded(item, f"{path}/{key}".lstrip("/"))
        case float() | RoundedUp():
            yield path
        case Fraction() if Fraction(repr(number(value))) != value:
            yield path
