"""What all layers keep, in few terms: what one repetition of them keeps, times how many repetitions there are."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from symbolic_mem.accounts.terms import Memory
from symbolic_mem.base.factors import common_factors_first
from symbolic_mem.base.symbols import B, S, local
from symbolic_mem.document.prose import Brief, Chain, Side, Total, amount
from symbolic_mem.document.work import Work
from symbolic_mem.models.tensors import Layer

_SHORT = 2  # terms of what one repetition keeps that are written where they are repeated


def summed(
    memory: Memory, layers: Sequence[Layer], work: Work, *, of: str = ""
) -> tuple[list[Chain], tuple[sp.Expr, ...]]:
    """The terms of a memory as few terms of a formula, in bytes; `layers` have its activations.

    What is repeated as often is collected. Where that is long, it is named m, after the block or the layers whose it is,
    and after the side `of` which it is where there are two; lines that say what it is come first. A term that is known by
    the parameters stands so.
    """
    counts = frozenset(symbol for layer in layers for symbol in sp.sympify(layer.repeat).free_symbols)
    named: list[Chain] = []
    by_parameters = sp.Add(*(term.short / term.degree for term in memory.terms if term.short is not None))
    formula = [] if by_parameters == 0 else [*sp.Add.make_args(by_parameters)]
    for repeat, found in _by_repeat(memory, counts).items():
        each = sp.expand(sp.Add(*(size for sizes in found.values() for size in sizes)))
        parts = _products(each)
        if repeat == 1 or len(sp.Add.make_args(each)) <= _SHORT:
            formula += (repeat * part for part in parts)
            continue
        alike = [layer for layer in layers if (layer.repeat - repeat).is_number]  # at an instant some blocks are done
        name = _name([*found], alike)
        one = local("m", f"{name}, {of}" if of else name)
        numbers = Brief(Total(tuple(map(work.put, parts))))
        named.append(Chain(one, (("=", Total(parts)), ("=", numbers), amount(work.define(one, each), "bytes"))))
        formula.append(repeat * one)
    return named, tuple(formula)


def added(parts: Sequence[sp.Expr], work: Work) -> list[tuple[str, Side]]:
    """A sum as a formula, and with numbers put in."""
    return [("=", Total(tuple(parts))), ("=", Total(tuple(map(work.put, parts))))]


def _by_repeat(memory: Memory, counts: frozenset[sp.Basic]) -> dict[sp.Expr, dict[str, list[sp.Expr]]]:
    """What one repetition of each layer keeps, by how often it is repeated, in the `counts` of layers; what is there once comes first."""
    found: dict[sp.Expr, dict[str, list[sp.Expr]]] = {}
    for term in (term for term in memory.terms if term.short is None):
        for part in sp.Add.make_args(term.bytes):
            factors = (one for one in sp.Mul.make_args(part) if one.free_symbols and one.free_symbols <= counts)
            repeat = sp.Mul(*factors)
            found.setdefault(repeat, {}).setdefault(term.layer or term.name, []).append(part / repeat)
    once = found.pop(sp.S.One, None)
    return found if once is None else {sp.S.One: once, **found}


def _products(size: sp.Expr) -> tuple[sp.Expr, ...]:
    """What grows with the tokens of all sequences, then what does with those of one, then the rest, each one product."""
    parts: dict[int, list[sp.Expr]] = {}
    for term in sp.Add.make_args(size):
        parts.setdefault(2 - len(term.free_symbols & {B, S}), []).append(term)
    return tuple(common_factors_first(sp.Add(*terms)) for _, terms in sorted(parts.items()))


def _name(names: list[str], layers: Sequence[Layer]) -> str:
    """The block that the named ones of `layers` are, which are repeated as often, or the first and the last of them."""
    (block, *more) = {layer.block for layer in layers if layer.name in names} or {""}
    of_block = {layer.name for layer in layers if layer.block == block and layer.saved}
    if block and not more and len(names) > 1 and of_block == set(names):
        return block
    return names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
