"""`Claim`: what somebody states of a quantity: a number as it is spelt, a formula, or that there is none."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.units import BYTES_PER
from symbolic_mem.base.values import dataclass
from symbolic_mem.claims.measures import PERCENT, factor, share_of
from symbolic_mem.claims.spelled import Spelled
from symbolic_mem.study.claimed import Claimed

NEVER = ("none", "infeasible", "impossible", "not possible", "no solution", "no such number", "no number", "never")
INFINITE = ("infinite", "infinity", "infinitely many", "inf", "∞", "unbounded")
_AMOUNT = re.compile(rf"(?:{'|'.join(sorted(BYTES_PER.keys() - {'B'}))}|\bbytes?)\s*$")
MANY_FIGURES = 7  # so many of a whole number are those of bytes
_SIGNS, _STRICT = (">", "<", "≥", "≤", "≈", "=>", "=<"), {"more": "least", "fewer": "most"}
_COUNTED = re.compile(r"[×*·⋅].*[0-9]B")


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
    def in_bytes(self) -> bool:
        """Whether it says that it is an amount of memory, by a unit at its end."""
        return bool(_AMOUNT.search(self.text)) and not self.each

    @property
    def never(self) -> bool:
        """Whether it is that there is no such number."""
        return self.spelled is None and not self.formula

    def refuse_infinite(self, claimed: Claimed) -> None:
        """Refuse of what is the largest of something that it is infinite: that is not that there is none."""
        if self.text.lower() in INFINITE and claimed.extreme == "most":
            raise BadInput(
                f"claim {self.stated!r}: {claimed.meaning} is a number, or there is none; claim that, or none"
            )

    def refuse_each(self, claimed: Claimed) -> None:
        """Refuse the words that say that it is of one device where the quantity is that of all."""
        if self.each and claimed.of_one != "device":
            raise BadInput(
                f"claim {self.stated!r}: {claimed.meaning} is not counted {self.each}; claim the {'formula' if self.formula else 'number'} alone"
            )

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

    def is_in_bytes(self, exact: Fraction) -> bool:
        """Whether a number without a unit is one of bytes: exactly that amount, or so many figures near it that it is nothing else."""
        if self.spelled is None or self.unit or not exact:
            return False
        many = self.spelled.number.denominator == 1 and self.spelled.shown >= MANY_FIGURES
        return self.number == exact or (many and Fraction(1, 1000) < self.spelled.number / Fraction(exact) < 1000)

    def scale(self, claimed: Claimed) -> Fraction:
        """What one of the claim's unit is in the unit of the quantity; raises `BadInput` for a unit of something else.

        Raises `BadInput` for a unit of something else; a number of devices without a name is no degree that counts groups.
        """
        assert self.spelled is not None, "only a number has a unit"
        if self.bare and self.spelled.unit and claimed.each != 1:
            raise BadInput(f"claim {self.text!r}: {self.name} counts {claimed.each} devices each")
        unit, quoted = self.spelled.unit, f"claim {self.stated}"
        if not unit and claimed.measures == "bytes" and self.is_in_bytes(claimed.value):
            return Fraction(1)
        if self.each and " per " in claimed.unit:
            return factor(f"{unit} {self.each}" if unit else "", claimed, quoted, self.name)
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
        self.refuse_each(claimed)
        if (
            self.spelled is not None
            and self.spelled.unit == "B"
            and claimed.measures == "bytes"
            and _COUNTED.search(self.text)
        ):
            raise BadInput(f"claim {self.stated!r}: B after a number is bytes here; write 219.8e9 for billions")
