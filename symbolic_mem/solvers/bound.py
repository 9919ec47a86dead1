"""`Bound`: the smallest degree n with U + P/n under a capacity, in closed form, with its condition, exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import sympy as sp

from symbolic_mem.accounts.terms import Memory
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import Compiled, Given, compiled_together, partial_together
from symbolic_mem.base.first import first_degree
from symbolic_mem.base.formula import write_formula
from symbolic_mem.base.limit import Limit
from symbolic_mem.base.named import put_in
from symbolic_mem.base.rational import Number, ratio, symbolic
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Chain, Prose, apart, say, text
from symbolic_mem.document.steps import Paragraph, Step


@dataclass(frozen=True, repr=False)
class Bound:
    """Per-device memory U + P/n held under a `limit` of bytes.

    The bound is n >= P/(C - U) under the condition C > U; without it no number of devices is enough.
    """

    memory: Memory
    symbol: sp.Symbol
    limit: Limit

    @cached_property
    def divided(self) -> sp.Expr:
        """Bytes that are divided over the devices: P."""
        return self._free(sp.Add(*(term.bytes * self.symbol for term in self._split[0])))

    @cached_property
    def fixed(self) -> sp.Expr:
        """Bytes that every device holds in full: U."""
        return self._free(self.kept.total)

    @property
    def kept(self) -> Memory:
        """What every device holds in full, term by term."""
        return self._split[1]

    @cached_property
    def _split(self) -> tuple[Memory, Memory]:
        return self.memory.split(self.symbol)

    def _free(self, part: sp.Expr) -> sp.Expr:
        if part.has(self.symbol):
            raise BadInput(f"the memory depends on {self.symbol} in another way than U + P/{self.symbol}")
        return part

    @property
    def capacity(self) -> sp.Expr:
        """Bytes of one device that count."""
        return self.limit.expr

    @property
    def strict(self) -> bool:
        """Whether the memory must stay below the capacity."""
        return self.limit.strict

    @property
    def quotient(self) -> sp.Expr:
        """The real number that n must reach: P/(C - U)."""
        return sp.Mul(self.divided, sp.Pow(self.capacity - self.fixed, -1, evaluate=False), evaluate=False)

    @property
    def formula(self) -> sp.Expr:
        """The smallest whole degree, where the condition holds."""
        return sp.S.One if self.divided == 0 else self.limit.first(self.quotient)

    @property
    def condition(self) -> sp.Rel:
        """When such a degree exists at all."""
        if self.divided == 0 and not self.strict:
            return sp.GreaterThan(self.capacity, self.fixed, evaluate=False)
        return sp.StrictGreaterThan(self.capacity, self.fixed, evaluate=False)

    @property
    def floor(self) -> sp.Expr:
        """Bytes that remain on every device as the degree grows without end: what no sharding removes."""
        return self.fixed

    def per_device(self, n: sp.Expr) -> sp.Expr:
        """Bytes on one device at degree `n`."""
        return self.fixed + self.divided / n

    def under(self, capacity: sp.Expr | Number) -> Bound:
        """The same bound with another capacity."""
        return replace(self, limit=replace(self.limit, capacity=capacity))

    @cached_property
    def compiled(self) -> Compiled:
        """Divided bytes, fixed bytes and capacity as one function of the numbers of all symbols."""
        return compiled_together(*self._parts)

    def partial(self, values: Given, free: tuple[sp.Symbol, ...]) -> Compiled:
        """The same three numbers as a function of the `free` symbols alone, the others at `values`."""
        return partial_together(self._parts, values, free)

    @property
    def _parts(self) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
        return self.divided, self.fixed, self.capacity

    def at(self, values: Mapping[Any, Any] | None = None, **named: Any) -> Solved:
        """Solve for whole devices at exact `values`, by symbol or by name."""
        given = put_in(values, named)
        divided, fixed, capacity = self.compiled.at(given, "the bound")
        return Solved(self, first_degree(divided, fixed, capacity, strict=self.strict), divided, fixed, capacity)

    @property
    def _needed(self) -> Chain:
        """The condition: what every device holds in full leaves room."""
        return Chain(self.capacity, ((">" if self.divided != 0 or self.strict else "≥", self.fixed),), asked=True)

    @property
    def _reached(self) -> Chain:
        """What the degree must reach."""
        return Chain(self.symbol, ((self.limit.reach, self.quotient if self.divided != 0 else sp.S.One),), asked=True)

    def __repr__(self) -> str:
        from symbolic_mem.render.notebook import short

        return short(f"<bound {self.symbol} {self.limit.reach} {write_formula(self.quotient)}>")

    def _repr_latex_(self) -> str:
        from symbolic_mem.render.latex import latex

        signs = {"≥": "\\ge", ">": ">"}
        lines = [self._reached, *([self._needed] if self.fixed != 0 else [])]
        shown = (f"{latex(line.left)} {signs[sign]} {latex(side)}" for line in lines for sign, side in line.links)
        where = r" \quad\text{where } "
        return f"$\\displaystyle {where.join(shown)}$"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        from symbolic_mem.render.notebook import bundle

        statement = say(
            "One device holds {words} its {capacity} bytes when", words=self.limit.words, capacity=self.capacity
        )
        if self.fixed == 0:
            reason = text("Nothing is held in full by every device, so there is always such a number.")
        else:
            reason = say("This needs {line}; otherwise no number is enough.", line=self._needed)
        return bundle(repr(self), [Step(statement, (self._reached,), reason)], latex=self._repr_latex_())


@dataclass(frozen=True, repr=False)
class Solved:
    """A bound at numbers: the smallest whole degree and its neighbours in bytes, or None where no degree is enough."""

    bound: Bound
    value: int | None
    divided: Number
    fixed: Number
    capacity: Number

    @property
    def feasible(self) -> bool:
        """Whether some degree is enough."""
        return self.value is not None

    @property
    def quotient(self) -> Number | None:
        """The real number that the degree must reach, None where there is none."""
        if self.value is None:
            return None
        return ratio(self.divided, self.capacity - self.fixed) if self.divided else 0

    def per_device(self, n: int) -> Number:
        """Exact bytes on one device at degree `n`."""
        return ratio(self.fixed * n + self.divided, n)

    @property
    def per_device_bytes(self) -> int | None:
        """Bytes on one device at `value`, rounded up to a whole byte."""
        return None if self.value is None else -(-self.per_device(self.value) // 1)

    @property
    def at_value_minus_one_bytes(self) -> int | None:
        """Bytes on one device with one device less, which do not fit; None when one device is enough."""
        return None if self.value is None or self.value == 1 else -(-self.per_device(self.value - 1) // 1)

    @property
    def sentence(self) -> Prose:
        """The number and what one device then holds, or why there is none."""
        pieces = {"n": self.bound.symbol, "room": Amount(symbolic(self.capacity), "GiB")}
        if self.value is None:
            fixed = Amount(symbolic(self.fixed), "GiB")
            return say(
                "There is no such {n}: every device holds {fixed} in full and has {room}.", fixed=fixed, **pieces
            )
        held, counted = apart(Amount(symbolic(self.per_device(self.value)), "GiB"), pieces["room"])
        return say(
            "The smallest {n} is {value}: each device then holds {held} of its {room}.",
            n=self.bound.symbol,
            value=self.value,
            held=held,
            room=counted,
        )

    def __repr__(self) -> str:
        if self.value is None:
            return f"<no {self.bound.symbol} is enough>"
        return f"<{self.bound.symbol} = {self.value}: {self.per_device_bytes} bytes on each device>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        from symbolic_mem.render.notebook import bundle

        return bundle(repr(self), [Paragraph(self.sentence)])


def solve(memory: Memory, symbol: sp.Symbol, capacity: sp.Expr | Number | None, *, strict: bool = False) -> Bound:
    """Bound the degree `symbol` so that the per-device `memory` is at most (`strict`: less than) `capacity` bytes.

    Raises `BadInput` when the memory does not contain the symbol as a degree, and for the None of a device without such a reading.

    >>> from symbolic_mem import account, ffn, n_fsdp, over, recipe
    >>> placed = account(ffn(), recipe("cs336")).of("weights").place(weights=over(n_fsdp))
    >>> solve(placed, n_fsdp, 95 * 2**30).formula
    ceiling((8*L*d_ff*d_model)/102005473280)
    """
    if capacity is None:
        raise BadInput(
            "the capacity is None: the device has no such reading; give a number of bytes, or another reading"
        )
    bound = bound_of(memory, symbol, Limit(capacity, strict))
    _ = bound.divided, bound.fixed  # refused here where they depend on the symbol
    return bound


def bound_of(memory: Memory, symbol: sp.Symbol, limit: Limit) -> Bound:
    """Bound a degree under a `limit`, its formulas written when they are first asked for.

    Raises `BadInput` when the memory does not contain the symbol as a degree.

    >>> from symbolic_mem import account, ffn, n_fsdp, recipe
    >>> bound_of(account(ffn(), recipe("cs336")), n_fsdp, Limit(80))
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: no term of the memory is divided by n_fsdp; place a kind over it, or ask what fits one device: the account with a device, the largest B
    """
    need_divided(symbol, memory)
    return Bound(memory, symbol, limit)


def need_divided(symbol: sp.Symbol, *memories: Memory, cut: Sequence[sp.Symbol] = ()) -> None:
    """Raise `BadInput` when the degree `symbol` divides no term of any of the `memories`: those of all instants.

    A plan may `cut` the model over other degrees. A `Bound` on a memory of which nothing is divided is one that fits at every degree, or at none.
    """
    if any(is_divided(memory, symbol) for memory in memories):
        return
    degrees = sorted({str(s) for memory in memories for term in memory for s in term.degree.free_symbols})
    known = "place a kind over it, or ask what fits one device: the account with a device, the largest B"
    if degrees:
        known = f"it is divided by {', '.join(degrees)}"
    elif cut:
        known = f"the plan cuts the model over {', '.join(map(str, cut))}: ask for that degree, or place a kind over {symbol}"
    raise BadInput(f"no term of the memory is divided by {symbol}; {known}")


def is_divided(memory: Memory, symbol: sp.Symbol) -> bool:
    """Whether some term is divided by the degree."""
    return any(term.degree is symbol or term.degree.has(symbol) for term in memory)
