"""What a size must be beside that it fits: rules of the model, its plan and its loss for a largest value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import gcd

import sympy as sp

from symbolic_mem.base.symbols import B, L, S, T, f_load, n_ep
from symbolic_mem.models.described import demands
from symbolic_mem.plans.rests import COPIED, FILLED, most_load
from symbolic_mem.questions.parts.grown import stages
from symbolic_mem.solvers.rules import AtLeast, AtMost, Divides, MultipleOf, Rule
from symbolic_mem.study.study import Study

Known = Mapping[sp.Symbol, sp.Rational]


def size_rules(study: Study, symbol: sp.Symbol) -> tuple[Rule, ...]:
    """Return what a value of `symbol` must be, so that the study takes it: `Study.change` refuses another.

    >>> from symbolic_mem.base.symbols import n_heads, n_kv
    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("llama-3.1-8b")
    >>> [rule.words for size in (n_kv, n_heads) for rule in size_rules(study, size)]
    ['a divisor of 32 (n_kv divides n_heads)', 'a multiple of 8 (n_kv divides n_heads)']
    """
    known = {each: value for each, value in study.values.items() if each != symbol}
    found = (*_of_model(study, symbol, known), *_of_plan(study, symbol, known), *_of_loss(study, symbol, known))
    return tuple(dict.fromkeys(found))


def _of_model(study: Study, symbol: sp.Symbol, known: Known) -> Iterator[Rule]:
    if study.built.architecture is None:
        return
    for demand in demands(study.built.architecture):
        size, other = demand.size.xreplace(known), demand.other.xreplace(known)
        if demand.kind == "at most" and size == symbol and other.is_Integer:
            yield AtMost(other, demand.of)
        elif demand.kind == "at most" and other == symbol and size.is_Integer and size > 0:
            yield AtLeast(size, demand.name)
        elif demand.kind == "whole":
            yield from _whole(size, symbol, f"{demand.name} = {demand.size} is whole")
        elif demand.kind == "divides":
            yield from _whole(other / size, symbol, f"{demand.name} divides {demand.of}")


def _of_plan(study: Study, symbol: sp.Symbol, known: Known) -> Iterator[Rule]:
    plan, built = study.plan, study.built
    if plan is None:
        return
    for each in plan.pieces(known, built):
        if each.how not in (COPIED, FILLED) and each.dimension != "layers":
            yield from _whole(
                each.size.size.xreplace(known) / each.by, symbol, f"cut into {each.by} by plan {plan.name}"
            )
    if symbol == L and not plan.layers and (pieces := stages(study)) > 1:
        yield MultipleOf(pieces, f"{pieces} equal stages")
    most = most_load(dict(plan.cuts), built, known) if symbol == f_load else None
    if most is not None:
        yield AtMost(most, f"all rows of the {known[n_ep]} ranks that share the experts")


def _of_loss(study: Study, symbol: sp.Symbol, known: Known) -> Iterator[Rule]:
    chunks = study.built.chunks
    if chunks == 1 or symbol not in (B, S, T):
        return
    others = known.get(S if symbol == B else B) if symbol != T else None
    factor = chunks if others is None else chunks // gcd(chunks, int(others))
    if factor > 1:
        yield MultipleOf(factor, f"the loss cuts the tokens into {chunks} parts")


def _whole(size: sp.Expr, symbol: sp.Symbol, why: str) -> Iterator[Rule]:
    """The rule under which a size that is `symbol` times a number, or a number over it, is whole."""
    if (factor := size / symbol).is_Rational:
        if factor.q > 1:
            yield MultipleOf(int(factor.q), why)
    elif (number := size * symbol).is_Integer:
        yield Divides(int(number), why)
