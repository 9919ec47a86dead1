"""`Bound`: the smallest degree n with U + P/n under a capacity, in closed form, with its condition, exactly."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from symbolic_mem.accounts.terms import Memory
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import Values, evaluate


@dataclass(frozen=True)
class Bound:
    """Per-device memory U + P/n held under `capacity` (bytes): ``at most``, or ``less than`` when `strict`.

    The bound is n >= P/(C - U) under the condition C > U; without it no number of devices is enough.
    """

    memory: Memory
    symbol: sp.Symbol
    divided: sp.Expr
    fixed: sp.Expr
    capacity: sp.Expr
    strict: bool = False

    @property
    def quotient(self) -> sp.Expr:
        """The real number that n must reach: P/(C - U)."""
        return sp.Mul(self.divided, sp.Pow(self.capacity - self.fixed, -1, evaluate=False), evaluate=False)

    @property
    def formula(self) -> sp.Expr:
        """The smallest whole degree, where the condition holds."""
        if self.divided == 0:
            return sp.S.One
        return sp.floor(self.quotient, evaluate=False) + 1 if self.strict else sp.ceiling(self.quotient, evaluate=False)

    @property
    def condition(self) -> sp.Rel:
        """When such a degree exists at all."""
        if self.divided == 0 and not self.strict:
            return sp.GreaterThan(self.capacity, self.fixed, evaluate=False)
        return sp.StrictGreaterThan(self.capacity, self.fixed, evaluate=False)

    @property
    def limit(self) -> sp.Expr:
        """Bytes that remain on every device as the degree grows without end: what no sharding removes."""
        return self.fixed

    def per_device(self, n: sp.Expr) -> sp.Expr:
        """Bytes on one device at degree `n`."""
        return self.fixed + self.divided / n

    def at(self, values: Values | None = None, **by_name: int) -> Answer:
        """Solve for whole devices at exact `values` (by symbol, or by name as keywords)."""
        exact = dict(values or {}) | _by_name(by_name)
        divided = evaluate(self.divided, exact, "the bound")
        fixed = evaluate(self.fixed, exact, "the bound")
        capacity = evaluate(self.capacity, exact, "the bound")
        fits = fixed < capacity or (fixed == capacity and divided == 0 and not self.strict)
        if not fits:
            return Answer(self, False, None, None, divided, fixed, capacity)
        quotient = divided / (capacity - fixed) if divided else sp.S.Zero
        whole = int(sp.floor(quotient)) + 1 if self.strict else int(sp.ceiling(quotient))
        return Answer(self, True, max(whole, 1), quotient, divided, fixed, capacity)

    def _repr_latex_(self) -> str:
        from symbolic_mem.render.latex import latex

        return f"$\\displaystyle {latex(self.symbol)} \\ge {latex(self.quotient)}$"


@dataclass(frozen=True)
class Answer:
    """A bound at numbers: the smallest whole degree and its neighbours in bytes, or why there is none."""

    bound: Bound
    feasible: bool
    value: int | None
    quotient: sp.Expr | None
    divided: sp.Expr
    fixed: sp.Expr
    capacity: sp.Expr

    def per_device(self, n: int) -> sp.Expr:
        """Exact bytes on one device at degree `n`."""
        return self.fixed + self.divided / n

    @property
    def per_device_bytes(self) -> int | None:
        """Bytes on one device at `value`, rounded up to a whole byte."""
        return None if self.value is None else int(sp.ceiling(self.per_device(self.value)))

    @property
    def at_value_minus_one_bytes(self) -> int | None:
        """Bytes on one device with one device less, which do not fit; None when one device is enough."""
        return None if self.value is None or self.value == 1 else int(sp.ceiling(self.per_device(self.value - 1)))


def solve(memory: Memory, symbol: sp.Symbol, capacity: sp.Expr | int, *, strict: bool = False) -> Bound:
    """Bound the degree `symbol` so that the per-device `memory` is at most (`strict`: less than) `capacity` bytes.

    Raises `BadInput` when the memory does not contain the symbol as a degree.

    >>> from symbolic_mem import account, ffn, n_fsdp, over, recipe
    >>> placed = account(ffn(), recipe("cs336")).of("weights").place(weights=over(n_fsdp))
    >>> solve(placed, n_fsdp, 95 * 2**30).formula
    ceiling((8*L*d_ff*d_model)/102005473280)
    """
    divided, fixed = memory.split(symbol)
    if not len(divided):
        degrees = sorted({str(s) for term in memory for s in term.degree.free_symbols})
        known = f"it is divided by {', '.join(degrees)}" if degrees else "nothing is divided: place a kind over it"
        raise BadInput(f"no term of the memory is divided by {symbol}; {known}")
    numerator = sp.Add(*(term.bytes * symbol for term in divided))
    if numerator.has(symbol) or fixed.total.has(symbol):
        raise BadInput(f"the memory depends on {symbol} in another way than U + P/{symbol}")
    return Bound(memory, symbol, numerator, fixed.total, sp.sympify(capacity), strict)


def _by_name(values: dict[str, int]) -> dict[sp.Symbol, sp.Rational]:
    from symbolic_mem.base.formula import read_number
    from symbolic_mem.base.symbols import lookup

    exact = {}
    for name, value in values.items():
        symbol = lookup(name)
        if symbol is None:
            raise BadInput(f"unknown symbol {name!r}")
        exact[symbol] = read_number(str(value), name)
    return exact
