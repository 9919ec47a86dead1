"""`Spelled`: a number as people write it, read exactly: grouped digits, powers of ten, a unit or words after it."""

from __future__ import annotations

import re
from fractions import Fraction

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.values import dataclass

MAX_LENGTH = 200
_GROUPED = r"[0-9]{1,3}(?:(?P<by>[,_\u00a0\u2009\u202f ])[0-9]{3}(?:(?P=by)[0-9]{3})*)(?![0-9])"
_POWER = r"(?:[eE](?P<e>[+-]?[0-9]{1,3})|\s*[×x*·⋅]\s*10(?:\^|\*\*)\{?(?P<power>[+-]?[0-9]{1,3})\}?)"
_NUMBER = re.compile(
    rf"(?:[≈~∼]\s*)?(?P<sign>[+-]?)\s*(?P<whole>{_GROUPED}|[0-9]+|(?=\.[0-9]))"
    rf"(?:\.(?P<places>[0-9]*))?{_POWER}?(?![0-9,_])\s*(?P<rest>.*)",
    re.DOTALL,
)
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺−", "0123456789-+-")
_EXPONENT = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+")
_HYPHENED = r"[A-Za-z][a-z]{2,}(?:-[a-z]{3,})+"
_UNIT = re.compile(rf"(?:{_HYPHENED}|(?:[^\W\d_]|%)[^\W_%]*)(?:[ /](?:{_HYPHENED}|[^\W\d_][^\W_]*))*|")
_ILL_GROUPED = re.compile(
    r"[≈~∼+\s-]*(?![0-9]{1,3}(?:,[0-9]{3})+(?![0-9,]))[0-9][0-9,]*,[0-9,]*(?:[.\s].*|[^\W\d].*|)", re.DOTALL
)


@dataclass(frozen=True)
class Spelled:
    """An exact `number`, the figures that are `shown`, and the `unit` or words after it (empty: none).

    Zeros at the end of a whole number are no figures that are shown; those after a decimal point are.
    """

    number: Fraction
    shown: int
    unit: str = ""


def spelled(text: str) -> Spelled | None:
    """Read a number as it is spelt; None where the text is no number (a formula, words).

    Raises `BadInput` for a comma that does not stand before three digits, which could be a decimal point.

    >>> [str(spelled(text).number) for text in ("46", "46.0", "4.6e1", "4.6 × 10^1", "≈ 46 devices", "1,277.78")]
    ['46', '46', '46', '46', '46', '63889/50']
    >>> spelled("0.880 TB"), spelled("12*L") is None
    (Spelled(number=Fraction(22, 25), shown=3, unit='TB'), True)
    """
    if len(text) > MAX_LENGTH:
        return None
    match = _NUMBER.fullmatch(_EXPONENT.sub(lambda raised: f"^{raised[0]}", text.strip()).translate(RAISED))
    if match is None or not _UNIT.fullmatch(match["rest"].rstrip()):
        if _ILL_GROUPED.fullmatch(text):
            raise BadInput(
                f"{text!r}: a comma stands only before groups of three digits, as in 3,276; a decimal point is a dot"
            )
        return None
    whole, places = re.sub(r"[^0-9]", "", match["whole"]), match["places"] or ""
    exponent = int(match["e"] or match["power"] or 0)
    number = Fraction(int(whole + places or "0")) * Fraction(10) ** (exponent - len(places))
    digits = (whole + places).lstrip("0") if places else whole.strip("0")
    return Spelled(-number if match["sign"] == "-" else number, len(digits), match["rest"].rstrip())


def figures(number: Fraction) -> int:
    """Return the figures of a decimal number, without the zeros at either end.

    >>> figures(Fraction(880)), figures(Fraction(35176, 10)), figures(Fraction(0))
    (2, 5, 0)
    """
    digits = number.numerator * 10 ** _places(number.denominator) // number.denominator
    return len(str(abs(digits)).strip("0"))


def _places(denominator: int) -> int:
    places = 0
    while 10**places % denominator:
        places += 1
    return places
