"""How a number is shown, in every face: its figures, its unit, and whether they are the whole truth or rounded."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from symbolic_mem.base.told import grouped
from symbolic_mem.base.units import BYTES_PER, in_unit

FAMILIES = {"GiB": ("GiB", "MiB", "KiB"), "GB": ("GB", "MB", "kB")}
ONE_OF = {
    "axes": "axis",
    "buckets": "bucket",
    "bytes": "byte",
    "chips": "chip",
    "devices": "device",
    "elements": "element",
    "groups": "group",
    "microbatches": "microbatch",
    "parameters": "parameter",
    "percentage points": "percentage point",
    "pods": "pod",
    "sequences": "sequence",
    "stages": "stage",
    "tokens": "token",
}
_MEASURES = {  # further units of studies: a claim in one of them is no count
    "GPUs": "GPU",
    "blocks": "block",
    "checkpoints": "checkpoint",
    "days": "day",
    "hours": "hour",
    "levels": "level",
    "steps": "step",
    "tokens per GPU": "token per GPU",
    "tokens per chip": "token per chip",
    "tokens per pod": "token per pod",
}
_SINGULAR = ONE_OF | _MEASURES
_LONG = 9  # whole figures from which a rounded number needs no decimals


class Shown(NamedTuple):
    """A number as it is printed; `exact` says that its figures are the whole truth, else it is marked with ≈."""

    figures: str
    unit: str
    exact: bool

    @property
    def plain(self) -> str:
        """The number with its mark, digits grouped, and unit, where no other face is asked for.

        >>> shown(3517578215424, "GB").plain, shown(1, "devices").plain
        ('≈ 3517.6 GB', '1 device')
        """
        mark, unit = "" if self.exact else "≈ ", f" {self.unit}" if self.unit else ""
        return f"{mark}{grouped(self.figures)}{unit}"


def shown(value: int | Fraction, unit: str = "", digits: int = 5, *, fixed: bool = False, full: bool = False) -> Shown:
    """Decide how `value` is printed; an amount of memory is given in bytes.

    It is written exactly where that takes few figures (or `full` is asked for), else with `digits` significant ones.
    GiB and GB name a family: an amount below one of them is shown in the largest unit of the family that is not larger
    than it, unless the unit is `fixed`, being that of a source or of a label. One thing has no plural.

    >>> shown(3517578215424, "GiB"), shown(768, "GiB"), shown(7 * 2**20, "GiB")
    (Shown(figures='3276', unit='GiB', exact=True), Shown(figures='768', unit='bytes', exact=True), Shown(figures='7', unit='MiB', exact=True))
    >>> shown(Fraction(1, 3)).plain, shown(Fraction(206871860461, 2), "bytes", 14).plain
    ('≈ 0.33333', '103,435,930,230.5 bytes')
    """
    value = Fraction(value)
    unit = unit if fixed or unit not in FAMILIES else _fitting(value, unit)
    scaled = in_unit(value, unit) if unit in BYTES_PER else value
    figures, exact = _figures(scaled, digits, full=full)
    unit = "bytes" if unit == "B" else unit
    return Shown(figures, _SINGULAR.get(unit, unit) if abs(scaled) == 1 else unit, exact)


def bytes_words(size: object) -> str:
    """Write the bytes of one element, whole or a fraction, as words of a name.

    >>> bytes_words(1), bytes_words(Fraction(33, 32)), bytes_words("4")
    ('1 byte', '33/32 bytes', '4 bytes')
    """
    return f"{size} byte" if str(size) == "1" else f"{size} bytes"


def apart(one: int | Fraction, other: int | Fraction, unit: str = "", digits: int = 5) -> int:
    """Return how many digits show two numbers as different, where they are; at least `digits`.

    >>> apart(Fraction(79999996, 1000000), 80), apart(1, 2)
    (6, 5)
    """
    while one != other and _read(shown(one, unit, digits)) == _read(shown(other, unit, digits)):
        digits += 1
    return digits


def _read(number: Shown) -> tuple[Fraction, str]:
    """What a reader makes of a number."""
    return Fraction(number.figures), number.unit


def _fitting(value: Fraction, family: str) -> str:
    """The largest unit of a family that an amount of bytes is not below."""
    return next((unit for unit in FAMILIES[family] if abs(value) >= BYTES_PER[unit]), "B")


def _figures(value: Fraction, digits: int, *, full: bool) -> tuple[str, bool]:
    """The figures of a number, and whether they are all of it."""
    if value.denominator == 1:
        return str(value.numerator), True
    places = _terminating_places(value.denominator)
    if places is not None and (full or len(_fixed(value, places).strip("-0.").replace(".", "")) <= digits + 2):
        return _fixed(value, places), True
    whole = len(str(int(abs(value))))
    places = digits + _leading_zeros(value) if abs(value) < 1 else max(digits - whole, 0 if whole >= _LONG else 1)
    figures = _fixed(value, places)
    return figures, Fraction(figures) == value


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


def _leading_zeros(value: Fraction) -> int:
    zeros, scaled = 0, abs(value) * 10
    while scaled < 1:
        scaled *= 10
        zeros += 1
    return zeros
