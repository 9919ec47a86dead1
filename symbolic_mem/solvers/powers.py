"""The memory as a polynomial in one unknown: coefficients by power, each in the author's form where it can be kept."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from math import inf

import sympy as sp

from symbolic_mem.accounts.terms import Memory, Term, Times
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import Numbers
from symbolic_mem.base.rational import Number
from symbolic_mem.base.symbols import B, P, S, T
from symbolic_mem.models.tensors import STATIC

MAX_POWER = 64


def powers_of(memory: Memory, symbol: sp.Symbol) -> tuple[tuple[int, sp.Expr], ...]:
    """Return pairs (k, a_k) with the per-device bytes equal to the sum of a_k symbol^k, without zero coefficients.

    Raises `BadInput` when the memory does not contain the symbol, or is not a polynomial in it.

    >>> from symbolic_mem import account, ffn, recipe
    >>> from symbolic_mem.base.symbols import L
    >>> dict(powers_of(account(ffn(), recipe("cs336")), L))[1]
    2*B*S*(d_ff + d_model) + 32*d_ff*d_model
    """
    need_contained(memory, symbol)
    expressions, unknown = _written_with(memory, symbol)
    found: dict[int, list[sp.Expr]] = {}
    for expr in expressions:
        for power, coefficient in _powers(expr, unknown, str(symbol)):
            found.setdefault(power, []).append(coefficient)
    summed = ((power, sp.Add(*coefficients)) for power, coefficients in sorted(found.items()))
    return tuple((power, coefficient) for power, coefficient in summed if coefficient != 0)


def powers_at(memory: Memory, symbol: sp.Symbol, numbers: Numbers) -> tuple[tuple[int, Number], ...]:
    """Return the same pairs as numbers: many memories that share their terms ask for the number of each but once.

    >>> from symbolic_mem import account, ffn, recipe
    >>> from symbolic_mem.base.symbols import B, L, S, d_ff, d_model
    >>> powers_at(account(ffn(), recipe("cs336")), L, Numbers({B: 1, S: 2, d_ff: 3, d_model: 4}))
    ((1, 412),)
    """
    expressions, unknown = _written_with(memory, symbol)
    asked, found = str(symbol), dict[int, Number]()
    for expr in expressions:
        for power, coefficient in _powers(expr, unknown, asked):
            found[power] = found.get(power, 0) + numbers[coefficient]
    return tuple(sorted(found.items()))


def highest_power(memories: Iterable[Memory], symbol: sp.Symbol) -> int | None:
    """The highest power of a symbol in the bytes of memories, which are polynomials in it; -1 where they are all u + p/symbol.

    None where they are neither. It is read from the parts that they are of, of which nothing is written.

    >>> from symbolic_mem import account, ffn, recipe
    >>> from symbolic_mem.base.symbols import L, n_fsdp
    >>> from symbolic_mem.plans.placement import Placed
    >>> kept = account(ffn(), recipe("cs336"))
    >>> highest_power([kept], L), highest_power([kept.placed({"weights": Placed(n_fsdp)})], n_fsdp), highest_power([kept], n_fsdp)
    (1, -1, 0)
    """
    terms = {id(term): term for memory in memories for term in memory.terms}
    known: dict[int, float] = {}
    above, below = (
        max((find(term, symbol, known) for term in terms.values()), default=0) for find in (_numerator, _denominator)
    )
    if below:
        return -1 if (above, below) == (0, 1) else None
    return None if above == inf else int(above)


def _numerator(term: Term, symbol: sp.Symbol, known: dict[int, float]) -> float:
    if term.part_of is not None:
        fraction, whole = term.part_of
        return _highest(fraction, symbol) + _numerator(whole, symbol, known)
    if not term.parts and not term.times:
        return _highest(term.bytes_per_element, symbol) + _highest(term.elements, symbol)
    most = 0.0
    for number, parts, _ in term.times or (Times(sp.S.One, term.parts),):
        if id(parts) not in known:
            each = (sum(_highest(factor, symbol) for factor in (part.copies, *part.shape)) for part in parts)
            known[id(parts)] = max(each, default=0)
        most = max(most, _highest(number, symbol) + known[id(parts)])
    return _highest(term.bytes_per_element, symbol) + most


def _denominator(term: Term, symbol: sp.Symbol, known: dict[int, float]) -> float:
    return _highest(term.degree, symbol)


@lru_cache(maxsize=8192)
def _highest(expr: sp.Expr, symbol: sp.Symbol) -> float:
    """The highest power of a symbol in a polynomial; infinite in what is none."""
    if symbol not in expr.free_symbols:
        return 0
    if expr == symbol:
        return 1
    if isinstance(expr, sp.Add):
        return max(_highest(part, symbol) for part in expr.args)
    if isinstance(expr, sp.Mul):
        return sum(_highest(part, symbol) for part in expr.args)
    if isinstance(expr, sp.Pow) and expr.exp.is_Integer and expr.exp > 0:
        return int(expr.exp) * _highest(expr.base, symbol)
    return inf


def contained(memory: Memory) -> tuple[str, ...]:
    """Name the unknowns that a question about this memory can ask for, sorted."""
    return tuple(sorted(symbol.name for symbol in _unknowns(memory)))


def need_contained(memory: Memory, symbol: sp.Symbol) -> None:
    """Raise `BadInput` when a question about this memory cannot ask for the symbol, naming those that it can."""
    if not contains(memory, symbol):
        raise BadInput.unknown(f"the memory does not contain {symbol}", str(symbol), contained(memory))


def contains(memory: Memory, symbol: sp.Symbol) -> bool:
    """Whether a question about this memory can ask for the symbol."""
    return symbol in _unknowns(memory)


def _unknowns(memory: Memory) -> set[sp.Symbol]:
    symbols = set().union(*(term.symbols for term in memory))
    if {B, S} <= symbols:
        symbols.add(T)
    if any(term.short is not None and term.short.has(P) for term in memory):
        symbols.add(P)
    return symbols


def _written_with(memory: Memory, symbol: sp.Symbol) -> tuple[list[sp.Expr], sp.Symbol]:
    """The bytes of each term, written with the unknown: tokens in place of B S, parameters in place of the shapes."""
    if symbol == T:
        return [_in_tokens(term.bytes, term.name) for term in memory], T
    if symbol == P:
        return [
            term.bytes if term.short is None or not term.short.has(P) else term.short / term.degree for term in memory
        ], P
    return [term.bytes for term in memory], symbol


def _in_tokens(expr: sp.Expr, name: str) -> sp.Expr:
    if not expr.has(B, S):
        return expr
    per_token = expr / (B * S)
    if not per_token.has(B, S):
        return per_token * T
    terms = []
    refused = f"{name} is no polynomial in B and S, as where caches are kept in pages: no number of tokens alone bounds it; ask for B or for S"
    for (of_b, of_s), coefficient in _polynomial(expr, (B, S), refused).terms():
        if of_b != of_s:
            raise BadInput(
                f"{name} depends on B and S in another way than through the tokens B S: it has B^{of_b} S^{of_s}; "
                "ask for B or for S"
            )
        terms.append(coefficient.as_expr() * T**of_b)
    return sp.Add(*terms)


@lru_cache(maxsize=4096)
def _powers(expr: sp.Expr, unknown: sp.Symbol, asked: str) -> tuple[tuple[int, sp.Expr], ...]:
    if not expr.has(unknown):
        return ((0, expr),)
    power = sp.sympify(expr.as_powers_dict().get(unknown, 0))
    if power.is_Integer and 0 < power <= MAX_POWER and not (rest := expr / unknown**power).has(unknown):
        return ((int(power), rest),)
    if expr.is_Add:
        return tuple(pair for part in sp.Add.make_args(expr) for pair in _powers(part, unknown, asked))
    message = f"the memory is not a polynomial in {asked}; ask about another symbol, or give a degree to `solve`"
    found = _polynomial(expr, (unknown,), message)
    return tuple((power, coefficient.as_expr()) for (power,), coefficient in found.terms())


def _polynomial(expr: sp.Expr, unknowns: tuple[sp.Symbol, ...], message: str) -> sp.Poly:
    try:
        found = sp.Poly(sp.expand(expr), *unknowns)
    except sp.PolynomialError:
        raise BadInput(message) from None
    if any(coefficient.has(*unknowns) for coefficient in found.coeffs()):
        raise BadInput(message)
    return found


def written_coefficients(
    memory: Memory, symbol: sp.Symbol, powers: Iterable[int], *, with_p: bool
) -> dict[int, tuple[sp.Expr, ...]]:
    """Return for each of the `powers` its coefficient as the author's parts: the states together, then each other term.

    With `with_p` states that do not depend on the unknown are written with the parameters P.
    """
    return {k: _parts(memory, symbol, k, with_p) for k in powers}


def _parts(memory: Memory, symbol: sp.Symbol, k: int, with_p: bool) -> tuple[sp.Expr, ...]:
    parts: list[sp.Expr] = []
    states: list[sp.Expr] = []
    for term in memory.terms:
        if k == 0 and with_p and term.short is not None and not term.bytes.has(symbol):
            states.append(term.short / term.degree)
            continue
        alone = Memory((term,), memory.definitions)
        here = contains(alone, symbol)
        coefficient = dict(powers_of(alone, symbol)).get(k) if here else (term.bytes if k == 0 else None)
        if coefficient is not None and coefficient != 0:
            (states if term.kind in STATIC else parts).append(coefficient)
    return (*_together(states), *parts)


def _together(states: list[sp.Expr]) -> tuple[sp.Expr, ...]:
    """The states as one part for each number of devices that share them; what the shapes have in common in front.

    >>> from symbolic_mem.base.symbols import V, d_model, n_fsdp
    >>> _together([(4 * V * d_model + 4 * d_model) / n_fsdp, (2 * V * d_model + 2 * d_model) / n_fsdp])
    (6*d_model*(V + 1)/n_fsdp,)
    """
    whole = sp.Add(*states)
    if len(sp.Add.make_args(whole)) == 1 or whole.has(P):
        return (whole,) if states else ()
    shared: dict[sp.Expr, list[sp.Expr]] = {}
    for part in sp.Add.make_args(whole):
        above, below = sp.fraction(part)
        shared.setdefault(below, []).append(above)
    return tuple(sp.factor_terms(sp.expand(sp.Add(*above))) / below for below, above in shared.items())
