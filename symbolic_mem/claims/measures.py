"""What a claimed number is counted in: units of memory, multipliers such as M or billion, words for things, rates."""

from __future__ import annotations

import re
from fractions import Fraction

from symbolic_mem.base.errors import BadInput, at_place
from symbolic_mem.base.units import BYTES_PER, parse_bytes
from symbolic_mem.claims.things import of_things
from symbolic_mem.study.claimed import Claimed

MULTIPLIERS = {"k": 3, "K": 3, "thousand": 3, "M": 6, "million": 6, "B": 9, "G": 9, "billion": 9, "bn": 9}
MULTIPLIERS |= {"T": 12, "trillion": 12, "P": 15, "E": 18, "Z": 21}
IN_BYTES = {**BYTES_PER, "byte": 1, "bytes": 1}
PERCENT = ("%", "percent")
_PREFIXES = {"n": -9, "µ": -6, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18, "Z": 21}
_PREFIXED = ("FLOP", "s")
_SAME = {
    **dict.fromkeys(("gpu", "chip", "tpu", "accelerator", "card"), "device"),
    **dict.fromkeys(("sample", "example"), "sequence"),
    **dict.fromkeys(("param", "weight"), "parameter"),
    **dict.fromkeys(("layer",), "block"),
    **dict.fromkeys(("tok",), "token"),
    **dict.fromkeys(("micro-batch", "micro-batche", "microbatche"), "microbatch"),
    **dict.fromkeys(("operation", "op"), "FLOP"),
    **dict.fromkeys(("byte", "bytes"), "B"),
    **dict.fromkeys(("second", "seconds", "sec"), "s"),
    **dict.fromkeys(("FLOPs", "flop", "flops", "Flop", "Flops"), "FLOP"),
    **dict.fromkeys(("times", "x", "fold"), ""),
}
_SECONDS = {"minute": 60, "min": 60, "hour": 3600, "hr": 3600, "h": 3600, "day": 86400, "week": 604800}
_LIKE_BYTES, _DIGITS = re.compile(r"[kmgtpe]i?b", re.IGNORECASE), re.compile(r"[0-9]+(?:\.[0-9]+)?")
_PER = re.compile(r"\s*/\s*|\s+per\s+")


def factor(unit: str, claimed: Claimed, claim: str, name: str) -> Fraction:
    """Return what one `unit` of a claim is in the unit of the quantity; a number without a unit is in that unit itself.

    Raises `BadInput` where memory has no unit, and for the unit of something else; `claim` is what the message quotes.

    >>> factor("TB", Claimed(1, "bytes", ""), "", ""), factor("M", Claimed(1, "number", "", unit="parameters"), "", "")
    (Fraction(1000000000000, 1), Fraction(1000000, 1))
    """
    unit = _without(unit, claimed)
    if claimed.measures == "bytes":
        return _bytes(unit, claim, name, claimed.meaning)
    if not unit:
        return Fraction(1)
    base, size = _reduced(claimed.unit)
    read, multiplied = _reduced(unit), _multiplied(unit)
    if read[0] == base:
        return read[1] / size
    if multiplied is not None and multiplied[0] in ("", base):
        return multiplied[1] / size
    if of_things(unit, claimed.meaning):
        return 1 / size
    counted = f"is in {claimed.unit}" if claimed.unit else "has no unit"
    if unit in BYTES_PER:
        raise BadInput(f"{claim} has a unit of memory, and {claimed.meaning} {counted}; leave it out")
    raise BadInput(f"{claim}: unknown unit {unit!r}; {claimed.meaning} {counted}")


def share_of(number: Fraction, percent: Fraction) -> Fraction:
    """What one of a number without a unit is in per cent, where an exact share is `percent`: a number up to 1 may be the share itself.

    >>> [str(share_of(Fraction(number), Fraction("66.91"))) for number in ("66.9", "0.669", "5")]
    ['1', '100', '1']
    """
    if not (0 < number <= 1 and percent > 0):
        return Fraction(1)
    return min((Fraction(1), Fraction(100)), key=lambda each: max(each * number / percent, percent / (each * number)))


def known_unit(text: str, unit: str) -> None:
    """Raise `BadInput` where a unit is one of memory that does not say which, such as KB or Gb, and say the two.

    >>> known_unit("70 devices", "devices")
    >>> known_unit("70.272 KB", "KB")
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: claim '70.272 KB': '70.272 KB' does not say which unit: write 70.272 kB (10^3 bytes each) or 70.272 KiB (2^10 bytes each)
    """
    unit, number = _PER.split(unit, maxsplit=1)[0], _DIGITS.search(text.replace(",", ""))
    if number is not None and unit not in BYTES_PER and _LIKE_BYTES.fullmatch(unit):
        with at_place(f"claim {text!r}"):
            parse_bytes(f"{number[0]} {unit}")


def is_time(unit: str) -> bool:
    """Whether a unit is one of time.

    >>> [is_time(unit) for unit in ("days", "h", "ms", "tokens")]
    [True, True, True, False]
    """
    return _single(unit)[0] == "s"


def _without(unit: str, claimed: Claimed) -> str:
    """The unit without what the quantity is for one of anyway, as bytes per parameter of the bytes for one parameter."""
    above, *below = _PER.split(unit.strip(), maxsplit=1)
    return above if below and claimed.of_one == _single(below[0])[0] else unit


def _bytes(unit: str, claim: str, name: str, meaning: str) -> Fraction:
    if not unit:
        stated = claim.removeprefix("claim ")
        raise BadInput(f"{claim} has no unit; write {stated} B, {stated} GB (10^9 bytes) or {stated} GiB (2^30 bytes)")
    times, _, things = unit.rpartition(" ")
    if things in ("byte", "bytes") and (not times or times in MULTIPLIERS):
        return Fraction(10) ** MULTIPLIERS.get(times, 0)  # 3.5 trillion bytes
    above, *below = _PER.split(unit, maxsplit=1)
    if below and (above in BYTES_PER or above in ("byte", "bytes")):
        times = " × P" if _single(below[0])[0] == "parameter" else " × the number of them"
        raise BadInput(
            f"{claim} is for one {_single(below[0])[0]}, and {name} is {meaning}: write {claim.removeprefix('claim ')}{times}"
        )
    if unit not in BYTES_PER:
        number = claim.partition("=")[2].removesuffix(unit).strip().replace(",", "")
        parse_bytes(f"{number} {unit}")  # explains the unit
    return Fraction(BYTES_PER[unit])


def _reduced(unit: str) -> tuple[str, Fraction]:
    """What is counted, in one word for all its names, and how many of it the unit is."""
    above, *below = _PER.split(unit.strip(), maxsplit=1)
    base, size = _single(above)
    if not below:
        return base, size
    under, by = _reduced(below[0])
    return f"{base}/{under}", size / by


def _single(unit: str) -> tuple[str, Fraction]:
    if unit in BYTES_PER:
        return "B", Fraction(BYTES_PER[unit])
    if unit in PERCENT:
        return "", Fraction(1, 100)
    if unit in _SAME:
        return _SAME[unit], Fraction(1)
    for base in _PREFIXED:
        for name in (base, *(word for word, same in _SAME.items() if same == base)):
            if unit.endswith(name) and unit.removesuffix(name) in _PREFIXES:
                return base, Fraction(10) ** _PREFIXES[unit.removesuffix(name)]
    first, _, rest = unit.partition(" ")
    if first in MULTIPLIERS and rest:
        base, size = _single(rest)
        return base, size * Fraction(10) ** MULTIPLIERS[first]
    word = unit.removesuffix("s") if len(unit) > 2 else unit
    if word.lower() in _SECONDS:
        return "s", Fraction(_SECONDS[word.lower()])
    return _SAME.get(word.lower(), word.lower() if word.isalpha() else word), Fraction(1)


def _multiplied(unit: str) -> tuple[str, Fraction] | None:
    """A number of things in short: 8.03B, 1.5 M, 20 billion, 219.8B parameters."""
    first, _, rest = unit.partition(" ")
    if first not in MULTIPLIERS:
        return None
    base = _reduced(rest)[0] if rest else ""
    return base, Fraction(10) ** MULTIPLIERS[first]
