"""What a claim can be about: each quantity of a study, and its number in a `Case`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

import sympy as sp

from symbolic_mem.base.exact import number
from symbolic_mem.base.symbols import B, S
from symbolic_mem.claims.case import Case
from symbolic_mem.models.tensors import KINDS, STATIC

_BEFORE_FIGURES = 3


@dataclass(frozen=True)
class Result:
    """A quantity in a case: its `value` (None: there is none) and, of a count, the `quotient` before rounding.

    `inputs` are the numbers that it came from; two cases with the same inputs cannot differ.
    """

    value: Fraction | None
    quotient: Fraction | None = None
    inputs: tuple = ()


@dataclass(frozen=True)
class Quantity:
    """Something that a study derives: its `name`, what it `measures` and how to compute it.

    `measures` is ``bytes`` (a claim needs a unit), ``number``, or ``devices`` and ``tokens``: whole numbers, rounded up.
    """

    name: str
    measures: str
    meaning: str
    compute: Callable[[Case], Result]

    @property
    def counted(self) -> bool:
        """Whether it is a whole number that comes from a quotient."""
        return self.measures in ("devices", "tokens")

    @property
    def needs_capacity(self) -> bool:
        """Whether a question with a capacity must say what a device holds."""
        return self.measures == "devices"


def quantities(degrees: tuple[sp.Symbol, ...]) -> dict[str, Quantity]:
    """Return what can be claimed about a study that divides its memory over `degrees`, by name.

    >>> from symbolic_mem.base.symbols import n_fsdp
    >>> list(quantities((n_fsdp,)))[-3:]
    ['activations_per_token', 'devices', 'n_fsdp']
    """
    found = [Quantity("parameters", "number", "number of parameters", _parameters)]
    found += [Quantity(kind, "bytes", f"bytes of the {kind}", _amount(kind)) for kind in KINDS]
    found += [
        Quantity("static", "bytes", "bytes of weights, gradients and optimizer state", _amount(*STATIC)),
        Quantity("total", "bytes", "bytes of everything that is counted", _total),
        Quantity("bytes_per_parameter", "number", "bytes of state for one parameter", _per_parameter),
        Quantity("activations_per_token", "bytes", "bytes of activations for one token", _per_token),
        Quantity("devices", "devices", "devices that hold everything, spread evenly", _devices),
    ]
    found += [Quantity(str(n), "devices", f"the smallest degree {n} that fits", _degree(n)) for n in degrees]
    return {quantity.name: quantity for quantity in found}


def _parameters(case: Case) -> Result:
    return Result(case.parameters, inputs=(case.parameters, case.shown))


def _amount(*kinds: str) -> Callable[[Case], Result]:
    def compute(case: Case) -> Result:
        value = case.bytes_of(*kinds)
        return Result(value, inputs=(value, case.shown, case.cut))

    return compute


def _total(case: Case) -> Result:
    return _amount(*case.kinds)(case)


def _per_parameter(case: Case) -> Result:
    value = case.bytes_of(*STATIC) / case.parameters
    return Result(value, inputs=(value,))


def _per_token(case: Case) -> Result:
    value = case.bytes_of("activations") / number(B * S, case.at, "activations_per_token")
    return Result(value, inputs=(value, case.shown, case.cut))


def _devices(case: Case) -> Result:
    return _count(case, case.bytes_of(*case.kinds), Fraction(0))


def _degree(symbol: sp.Symbol) -> Callable[[Case], Result]:
    return lambda case: _count(case, *case.over(symbol))


def _count(case: Case, divided: Fraction, fixed: Fraction) -> Result:
    capacity = case.counted
    assert capacity is not None
    inputs = (divided, fixed, capacity, case.strict, case.rounding, case.before, case.cut)
    if case.before != "exact":
        divided, fixed = (_few_figures(amount, cut=case.before == "cut") for amount in (divided, fixed))
    if fixed > capacity or (fixed == capacity and (divided > 0 or case.strict)):
        return Result(None, inputs=inputs)
    quotient = divided / (capacity - fixed) if divided else Fraction(0)
    whole = {
        "up": floor(quotient) + 1 if case.strict else ceil(quotient),
        "down": floor(quotient),
        "nearest": floor(quotient + Fraction(1, 2)),
    }[case.rounding]
    return Result(Fraction(max(whole, 1)), quotient, inputs)


def _few_figures(amount: Fraction, *, cut: bool) -> Fraction:
    """The amount in three figures, as somebody would copy it from a page."""
    if amount == 0:
        return amount
    step = Fraction(10) ** (len(str(int(amount))) - _BEFORE_FIGURES)
    return (floor(amount / step) if cut else floor(amount / step + Fraction(1, 2))) * step
