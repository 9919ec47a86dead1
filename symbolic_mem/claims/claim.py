"""`Claim`: what somebody states of a quantity: a number as it is spelt, a formula, or that there is none."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.units import BYTES_PER
from symbolic_mem.base.values import dataclass
from symbolic_mem.claims.measures import IN_BYTES, MULTIPLIERS, PERCENT, factor, share_of
from symbolic_mem.claims.reckoned import in_bytes, reckoned
from symbolic_mem.claims.rule import right_to
from symbolic_mem.claims.said import Said, bounded, chained, multiplied, plain, said, separated
from symbolic_mem.claims.spelled import Spelled, spelled
from symbolic_mem.study.claimed import Claimed

MAX_LENGTH = 2000
_RESTATED = re.compile(r"(?P<first>[^()]+?)\s*\(\s*(?:=|≈|~|or|i\.e\.,?|that is,?)?\s*(?P<again>[^()]+?)\s*\)")
_SYMBOLS = "CDELNPST"  # behind a number rather a symbol than a multiplier
_ANSWER = re.compile(r"[^\W\d][\w ]*[:=]\s*")
NEVER = ("none", "infeasible", "impossible", "no solution")
_BESIDE = re.compile(rf"\s*(?P<name>[^\W\d][\w -]*?)\s+(?P<amount>[0-9][0-9.,]*\s*(?:{'|'.join(IN_BYTES)}))\s*")
_NUMBER = r"[0-9][0-9.,]*(?:[eE][+-]?[0-9]+)?"
_OF = re.compile(
    rf"(?P<amount>{_NUMBER}\s*(?:{'|'.join(sorted(IN_BYTES.keys() - {'B'}))}))\s+(?:(?:of|for|in)\s+)?(?:(?:all|the)\s+)*"
    r"(?P<name>(?!.*\bper\b)(?!(?:all|the|of|per|for|in|on|at|by|each|an?|total|device|memory)\b)[^\W\d][\w -]*)"
)
_OF_PARAMETERS = re.compile(
    rf"(?P<amount>{_NUMBER}(?:\s*(?:{'|'.join(MULTIPLIERS)}))?)\s+(?:of\s+)?(?P<name>(?:active|activated|trainable|trained)"
    r"(?:\s+(?:parameters|params|weights))?)(?:\s+per\s+token)?"
)
_IN_PERCENT = re.compile(
    rf"(?P<amount>{_NUMBER}\s*(?:%|percent))\s+(?:(?:for|are|is)\s+)?(?:the\s+)?(?P<name>(?!of\b)[^\W\d][\w -]*)"
)
_PERCENT_OF = re.compile(r"(?P<value>.*\d\s*(?:%|percent))\s+of\s+(?:(?:the|all|our|its)\b\s*)*(?P<of>.*)", re.DOTALL)
_OF_MEMORY = re.compile(r"(?<=B)\s+(?:of\s+)?(?:(?:device|GPU)\s+)?(?:memory|HBM|VRAM)$")
_SIGNS, _STRICT = (">", "<", "≥", "≤", "≈", "=>", "=<"), {"more": "least", "fewer": "most"}
_COUNTED = re.compile(r"[×*·⋅].*[0-9]B")
_RANGE = re.compile(r"[0-9][0-9.,]*\s*(?:-|–|—|to)\s*[0-9][0-9.,]*\s*[^\W\d]*$")
_SHORTENED, _IN_BYTES = re.compile(r"[0-9]B(?=\s*[×*·⋅])|[×*·⋅]\s*[0-9][0-9.,]*B\s*$"), re.compile(r"\bbytes?\b")
_FORMULA = re.compile(r"[\w\s.+*/^()\[\]{},·⋅×÷√⌈⌉⌊⌋−⁻⁺-]*[\w)\]⌉⌋]", re.DOTALL)

_OPERATES = re.compile(r"[*/+^×·⋅÷√⌈⌊]")


class NotABound(BadInput):
    """A bound where there is one number."""


@dataclass(frozen=True)
class Claim:
    """What is claimed of the quantity `name`, as the `text` has it: a number as it is `spelled`, or a `formula`.

    Where it is neither, the claim is that there is no such number. A `bare` one was stated without a name. `bound` is
    "least" or "most" where it was said to be one, "more" or "fewer" where the number itself is not in it; `each` are the words that
    say that it is of one device, `of` those that say of what a number in per cent is a share.
    """

    name: str
    text: str
    spelled: Spelled | None = None
    formula: str = ""
    bare: bool = False
    bound: str = ""
    each: str = ""
    of: str = ""

    @property
    def stated(self) -> str:
        """The claim as it was given."""
        if self.bare:
            return self.text
        return f"{self.name} {self.text}" if self.text.startswith(_SIGNS) else f"{self.name}={self.text}"

    @property
    def number(self) -> Fraction | None:
        """The number as it is written, in its own unit."""
        return None if self.spelled is None else self.spelled.number

    @property
    def unit(self) -> str:
        """The unit or the words after the number; empty where there are none."""
        return "" if self.spelled is None else self.spelled.unit

    @property
    def percent(self) -> bool:
        """Whether it is a number in per cent."""
        return self.unit in PERCENT

    @property
    def never(self) -> bool:
        """Whether it is that there is no such number."""
        return self.spelled is None and not self.formula

    def before_rounding(self, scale: Fraction, claimed: Claimed) -> Claimed:
        """What a bound is held against: of one between two whole numbers of things the quotient from which theirs is rounded."""
        between = self.number is not None and (self.number * scale).denominator != 1
        if not (self.bound and between and claimed.whole and claimed.quotient is not None):
            return claimed
        return replace(claimed, value=claimed.quotient, measures="number", quotient=None)

    def within(self, scale: Fraction, claimed: Claimed) -> Fraction | None:
        """The number of things of which each is `scale` that the claim comes to: more than 45 devices are 46 at least."""
        step = {"more": 1, "fewer": -1}.get(self.bound, 0)
        if self.number is None or not step or not claimed.whole:
            return self.number
        return self.number + step / scale

    def scale(self, claimed: Claimed) -> Fraction:
        """What one of the claim's unit is in the unit of the quantity; raises `BadInput` for a unit of something else.

        Raises `BadInput` for a unit of something else; a number of devices without a name is no degree that counts groups.
        """
        assert self.spelled is not None, "only a number has a unit"
        if self.bare and self.spelled.unit and claimed.each != 1:
            raise BadInput(f"claim {self.text!r}: {self.name} counts {claimed.each} devices each")
        unit, quoted = self.spelled.unit, f"claim {self.stated}"
        if not unit and claimed.measures == "bytes" and self.number == claimed.value:
            return Fraction(1)  # exactly these bytes
        if self.each and " per " in claimed.unit:
            return factor(f"{unit} {self.each}", claimed, quoted, self.name)
        if not self.bare and unit and claimed.unit.startswith(f"{unit} per "):
            unit = claimed.unit  # what it is for one of, its name says
        self._fits(claimed)
        if claimed.unit == "%" and not unit and claimed.value is not None:
            return share_of(self.spelled.number, claimed.value)
        return factor(unit, claimed, quoted, self.name)

    def _fits(self, claimed: Claimed) -> None:
        """Refuse words round a number that are not those of the quantity."""
        extreme = "least" if claimed.measures == "devices" else claimed.extreme
        strict = self.bound in _STRICT
        exact = claimed.whole and (claimed.quotient is not None or self.number is None or self.number.denominator == 1)
        if self.bound and (_STRICT.get(self.bound, self.bound) != extreme or (strict and not exact)):
            raise NotABound(
                f"claim {self.stated!r}: {claimed.meaning} is one number, not a bound; claim the number alone"
            )
        if self.each and claimed.of_one != "device":
            raise BadInput(
                f"claim {self.stated!r}: {claimed.meaning} is not counted {self.each}; claim the number alone"
            )
        if (
            self.spelled is not None
            and self.spelled.unit == "B"
            and claimed.measures == "bytes"
            and _COUNTED.search(self.text)
        ):
            raise BadInput(f"claim {self.stated!r}: B after a number is bytes here; write 219.8e9 for billions")


def read_claim(text: str) -> Claim:
    """Read a claim such as ``n_fsdp=38``, ``M_static = 3,276 GB``, ``n_fsdp=none``, ``P=2*L*d_model*d_ff`` or ``46 GPUs``.

    A number or a formula without a name has an empty one. Raises `BadInput` for anything else.

    >>> read_claim("activations=102.1 GB").spelled
    Spelled(number=Fraction(1021, 10), shown=4, unit='GB')
    >>> read_claim("P = 2*L*d_model*d_ff").formula, read_claim("n_fsdp=none").never
    ('2*L*d_model*d_ff', True)
    >>> read_claim("46 devices").name, read_claim("46 devices").spelled.unit
    ('', 'devices')
    """
    if not text.strip():
        raise BadInput("nothing is claimed; write for example 46, 3276 GiB or none")
    named = separated(plain(text))
    if named is None:
        read = said(_unnamed(plain(text)))
        read, whole = _of_a_whole(replace(read, value=_OF_MEMORY.sub("", read.value)))
        if of := _OF.fullmatch(read.value) or _OF_PARAMETERS.fullmatch(read.value) or _IN_PERCENT.fullmatch(read.value):
            return replace(read_claim(f"{of['name']} = {of['amount']}"), bound=read.bound, each=read.each)
        if named_bound := bounded(read.value):
            return read_claim(" = ".join(named_bound))
        alone = None if "=" in read.value else spelled(read.value)
        if alone is None and (beside := _BESIDE.fullmatch(plain(text))):
            return read_claim(f"{beside['name']} = {beside['amount']}")
        formula = "" if alone is not None else in_bytes(multiplied(read.value))
        if alone is None and not (_FORMULA.fullmatch(formula) and _OPERATES.search(formula)):
            raise BadInput(
                f"claim {text!r} is not NAME=VALUE; write for example n_fsdp=38, static=3276GiB, or a number with its "
                "unit alone, as in '46 devices'"
            )
        return Claim("", text.strip(), alone, formula, bare=True, bound=read.bound, each=read.each, of=whole)
    name, whole = named
    if _RANGE.match(said(whole).value):
        raise BadInput(f"claim {text!r}: {whole!r} is a range; claim one number")
    *before, stated = chained(whole) or [whole]
    if any(_is_formula(part) for part in before):
        each = " and ".join(parted(text))
        raise BadInput(f"claim {text!r} says several things: check each by itself, {each}")
    if len(stated) > MAX_LENGTH:
        raise BadInput(f"claim {text[:40]!r}... is {len(stated)} characters long; at most {MAX_LENGTH} are read")
    if stated.lower() in NEVER:
        return Claim(name, stated)
    read, of = _of_a_whole(said(stated))
    try:
        number = _restated(read.value) or spelled(read.value) or reckoned(multiplied(read.value))
    except BadInput as error:
        raise BadInput(f"claim {text!r}: {error}", error.known) from None
    if number is not None:
        return Claim(name, stated, number, bound=read.bound, each=read.each, of=of)
    formula = in_bytes(multiplied(read.value))
    if _SHORTENED.search(formula) and _IN_BYTES.search(formula):
        raise BadInput(f"claim {text!r}: B after a number is bytes here; write 8.03e9 for billions")
    if not _FORMULA.fullmatch(formula):
        raise BadInput(
            f"claim {text!r}: {stated!r} is neither a number nor a formula; write for example 38, 3276 GiB, "
            "16*P or none"
        )
    return Claim(name, stated, formula=formula, bound=read.bound, each=read.each)


def parted(text: str) -> tuple[str, ...]:
    """Return the claims of which one claim is made: a formula and the number that it is said to come to are two.

    >>> parted("static = 16 P = 3276 GiB"), parted("n_fsdp = 45.76 = 46")
    (('static=16 P', 'static=3276 GiB'), ('n_fsdp = 45.76 = 46',))
    """
    named = separated(plain(text))
    if named is None:
        return (text,)
    *before, last = chained(named[1]) or [named[1]]
    formulas = [part for part in before if _is_formula(part)]
    return tuple(f"{named[0]}={part}" for part in (*formulas, last)) if formulas else (text,)


def _is_formula(text: str) -> bool:
    try:
        number = spelled(said(text).value)
        symbol = number is not None and len(number.unit) == 1 and number.unit in _SYMBOLS
        return symbol or (number is None and reckoned(multiplied(text)) is None)
    except BadInput:
        return False


def _of_a_whole(read: Said) -> tuple[Said, str]:
    """A number in per cent without the words that say of what it is a share, and these words."""
    match = _PERCENT_OF.fullmatch(read.value)
    return (read, "") if match is None else (replace(read, value=match["value"]), match["of"])


def _unnamed(text: str) -> str:
    """A value behind a word that names no quantity, such as "Answer: 46 devices"."""
    return _ANSWER.sub("", text, count=1) if _ANSWER.match(text) else text


def _restated(text: str) -> Spelled | None:
    """The first of an amount and the same one in another unit, in brackets; None where it is not said twice.

    Raises `BadInput` where the two are not the same.
    """
    match = _RESTATED.fullmatch(text)
    if match is None:
        return None
    first, again = spelled(match["first"]), spelled(match["again"])
    if first is None or again is None or not {first.unit, again.unit} <= BYTES_PER.keys():
        return None
    one, other = (each.number * BYTES_PER[each.unit] for each in (first, again))
    if (
        right_to(one / BYTES_PER[again.unit], again.number) is None
        and right_to(other / BYTES_PER[first.unit], first.number) is None
    ):
        raise BadInput(f"{match['first']} and {match['again']} are two amounts; claim one of them")
    return first
