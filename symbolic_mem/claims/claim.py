"""`Claim`: a number that somebody states, with its unit and its figures, read exactly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.units import BYTES_PER, parse_bytes, whole_figures

NEVER = ("none", "infeasible", "impossible")
_CLAIM = re.compile(r"\s*([A-Za-z_][A-Za-z_0-9]*)\s*=\s*(\S.*?)\s*")
_NUMBER = re.compile(r"([0-9][0-9_,]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?)\s*([A-Za-z]*)")
_LEAST_FIGURES = 3


@dataclass(frozen=True)
class Claim:
    """`number` of `unit` (empty for a count) claimed for the quantity `name`; None claims that there is no number.

    `step` is the place of its last figure: 1/10 for 102.1, and 1 for 3520, whose zero may also be a rounded figure.
    """

    name: str
    number: Fraction | None
    unit: str
    step: Fraction
    text: str

    @property
    def value(self) -> Fraction | None:
        """The claimed value: bytes where the claim has a unit."""
        return None if self.number is None else self.number * BYTES_PER.get(self.unit, 1)

    @property
    def whole(self) -> bool:
        """Whether the claim is a whole number written without decimals or a power of ten."""
        return self.number is not None and self.step == 1

    def figures(self) -> int:
        """Significant figures of the claim as written."""
        return 0 if not self.number else whole_figures(self.number / self.step)

    def agrees(self, exact: Fraction, *, cut: bool = False) -> Fraction | None:
        """Return the step to which `exact` (in the claim's unit) gives the claim when rounded, or None.

        `cut` drops the further figures instead. Zeros at the end may be rounded figures while three others are left.

        >>> read_claim("total=3520 GB").agrees(Fraction(35176, 10)), read_claim("total=3517 GB").agrees(Fraction(35176, 10))
        (Fraction(10, 1), None)
        """
        if self.number is None:
            return None
        step, figures = self.step, self.figures()
        while True:
            below = floor(exact / step) * step
            nearest = {below} if 2 * (exact - below) < step else {below + step}
            if 2 * (exact - below) == step:
                nearest.add(below)  # a half may be rounded either way
            if self.number in ({below} if cut else nearest):
                return step
            if step < 1 or figures <= _LEAST_FIGURES or self.number % (step * 10) != 0:
                return None
            step, figures = step * 10, figures - 1


def read_claim(text: str) -> Claim:
    """Read a claim such as ``n_fsdp=38``, ``static = 3276 GB`` or ``n_fsdp=none``.

    Raises `BadInput` for anything else, and for a unit that does not say which of two meanings is meant.

    >>> read_claim("activations=102.1 GB").value
    Fraction(102100000000, 1)
    """
    match = _CLAIM.fullmatch(text)
    if not match:
        raise BadInput(f"claim {text!r} is not NAME=VALUE; write for example n_fsdp=38 or static=3276GiB")
    name, stated = match.groups()
    if stated.lower() in NEVER:
        return Claim(name, None, "", Fraction(1), stated)
    number = _NUMBER.fullmatch(stated)
    if not number:
        raise BadInput(f"claim {text!r}: {stated!r} is not a positive number; write for example 38, 3276 GiB or none")
    digits, unit = number.groups()
    if unit and unit not in BYTES_PER:
        parse_bytes(f"{digits} {unit}")  # explains the unit
        raise BadInput(f"claim {text!r}: unknown unit {unit!r}; known: {', '.join(BYTES_PER)}")
    exact = Decimal(digits.replace("_", "").replace(",", ""))
    exponent = exact.as_tuple().exponent
    step = Fraction(10) ** int(exponent)
    return Claim(name, Fraction(exact), unit, step, stated)
