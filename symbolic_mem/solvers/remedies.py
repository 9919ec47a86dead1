"""What would make an impossible bound possible: less of a symbol, a part divided, or a larger device; as data."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import sympy as sp

from symbolic_mem.accounts.terms import Memory
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import Values, exact_values, fraction
from symbolic_mem.base.symbols import B, S, T, named
from symbolic_mem.solvers.bound import Answer, solve
from symbolic_mem.solvers.inverse import upper


@dataclass(frozen=True)
class Remedy:
    """One change that alone makes the bound possible.

    ``lower``: `symbol` at most `value` (tokens too). ``divide``: the kept term `name`, of `bytes`, also divided, needs
    degree `value`. ``capacity``: more than `bytes` on each device.
    """

    kind: str
    symbol: sp.Symbol | None = None
    value: int | None = None
    name: str = ""
    bytes: Fraction | None = None


def remedies(answer: Answer, values: Values) -> tuple[Remedy, ...]:
    """List the single changes under which an infeasible bound has an answer; empty when it has one already.

    >>> from symbolic_mem import account, ffn, n_fsdp, over, recipe
    >>> from symbolic_mem.base.symbols import L, d_ff, d_model
    >>> given = {d_model: 16384, d_ff: 53248, L: 126, B: 128, S: 1024}
    >>> values = {symbol: sp.Integer(value) for symbol, value in given.items()}
    >>> memory = account(ffn(), recipe("cs336"))
    >>> placed = memory.place(**dict.fromkeys(("weights", "gradients", "optimizer"), over(n_fsdp)),
    ...     activations=over(n_fsdp, "1/2"))
    >>> answer = solve(placed, n_fsdp, 95 * 10**9, strict=True).at(values)
    >>> [(str(r.symbol), r.value) for r in remedies(answer, values) if r.kind == "lower"]
    [('B', 10), ('S', 84), ('L', 10), ('T', 10827)]
    """
    if answer.feasible:
        return ()
    exact = exact_values(values)
    bound = answer.bound
    _, kept = bound.memory.split(bound.symbol)
    strict = bound.strict or bound.divided != 0
    found = []
    for symbol in _unknowns(kept):
        try:
            most = upper(kept, symbol, bound.capacity, strict=strict).at(exact)
        except BadInput:
            continue  # no largest value of this symbol is defined
        if most.value is not None:
            found.append(Remedy("lower", symbol=symbol, value=most.value))
    found += _divided(bound.memory, answer, exact)
    return (*found, Remedy("capacity", bytes=fraction(answer.fixed)))


def _unknowns(kept: Memory) -> tuple[sp.Symbol, ...]:
    present = {symbol for symbol in kept.total.free_symbols if isinstance(symbol, sp.Symbol)}
    ordered = tuple(sorted(present, key=lambda symbol: named(symbol).rank))
    return (*ordered, T) if {B, S} <= present else ordered


def _divided(memory: Memory, answer: Answer, values: dict[sp.Symbol, sp.Expr]) -> list[Remedy]:
    """Each kept term that is large enough to matter, divided like the rest."""
    bound = answer.bound
    found = []
    for position, term in enumerate(memory.terms):
        if term.degree.has(bound.symbol):
            continue
        divided = term.scaled(sp.S.One, term.name, term.degree * bound.symbol)
        terms = (*memory.terms[:position], divided, *memory.terms[position + 1 :])
        then = solve(Memory(terms, memory.definitions), bound.symbol, bound.capacity, strict=bound.strict).at(values)
        if then.value is not None:
            size = fraction(term.bytes.xreplace(values))
            found.append(Remedy("divide", name=term.name, value=then.value, bytes=size))
    return found
