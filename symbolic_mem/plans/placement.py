"""Which fraction of each kind is divided over which degree, and whether the rest is kept everywhere or dropped."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.values import dataclass

RESTS = ("kept", "dropped")


@dataclass(frozen=True)
class Placed:
    """`fraction` of a kind is divided over `degree`; the rest is ``kept`` on every device or ``dropped``.

    What belongs to routed `experts` is divided over another group of devices, if that is given.
    """

    degree: sp.Expr
    fraction: sp.Rational = sp.S.One
    rest: str = "kept"
    experts: sp.Expr | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.fraction <= 1:
            raise BadInput(f"the fraction that is divided is {self.fraction}; it must lie between 0 and 1")
        if self.rest not in RESTS:
            raise BadInput.unknown(f"the rest is {self.rest!r}", self.rest, RESTS)


def over(degree: sp.Expr, fraction: sp.Rational | int | str = 1, rest: str = "kept") -> Placed:
    """Divide `fraction` of a kind over `degree` devices; each device also keeps the rest, unless it is ``dropped``.

    >>> from symbolic_mem.base.symbols import n_fsdp
    >>> over(n_fsdp, "1/2", rest="dropped").fraction
    1/2
    """
    from symbolic_mem.base.formula import read_number

    exact = sp.Rational(0) if str(fraction) == "0" else read_number(str(fraction), "fraction")
    return Placed(degree, exact, rest)
