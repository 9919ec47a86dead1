"""Steps and sentences of an upper bound: memory by powers of an unknown, the bound, the number and its neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sympy as sp

from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.base.rational import Number, symbolic
from symbolic_mem.base.symbols import C_mem, M_device, P, local, named
from symbolic_mem.document.prose import Amount, Brief, Chain, Prose, Side, Total, amount, apart, say, text
from symbolic_mem.document.steps import Block, Bullets, Column, Step, Table
from symbolic_mem.document.words import gib, inside_brackets, listed
from symbolic_mem.document.work import Work
from symbolic_mem.plans.placement import Placed
from symbolic_mem.questions.parts.assumptions import divided_model, whose
from symbolic_mem.questions.parts.memory import kept_table, parameter_steps
from symbolic_mem.questions.parts.words import few_figures, placement_sentences, reading_of
from symbolic_mem.recipes.recompute import recompute
from symbolic_mem.solvers.capacity import Capacity
from symbolic_mem.solvers.inverse import Upper, UpperBound
from symbolic_mem.study.study import Study


def account_steps(
    study: Study, bound: UpperBound, work: Work, *, first: bool, cut: tuple[Prose, ...] = ()
) -> Iterator[Block]:
    """Parameters where they are a number, what is kept, where it lives and how it is `cut`, and the terms of one device as formulas."""
    x, memory, parameters = bound.symbol, bound.memory, study.model.parameters
    known = not parameters.has(x) and x != P
    if first and known:
        yield from parameter_steps(study.model, work, whose(study))
    if known and not parameters.free_symbols - set(work.values):
        work.define(P, parameters)
    saving = [layer for layer in recompute(study.model, study.recipe.recompute).layers if layer.saved]
    if first and saving and "activations" in memory.kinds:
        yield kept_table(saving, study.recipe, now=study.at is not None)
    if study.placement:
        yield Step(text("Where the memory lives:"))
        yield Bullets((*divided_model(study), *placement_sentences(memory.kinds, study.placement, whose(study)), *cut))
    yield _terms(memory, "The terms of the memory of one device", with_p=known or x == P)


def formula_blocks(study: Study) -> Iterator[Block]:
    """The account of a study whose unknown has no value yet: what is kept, and every term as a formula."""
    saving = [layer for layer in recompute(study.model, study.recipe.recompute).layers if layer.saved]
    known = not study.model.parameters.free_symbols - set(study.values)
    if known:
        yield from parameter_steps(study.model, Work(study.values), whose(study))
    if saving:
        yield kept_table(saving, study.recipe, now=study.at is not None)
    yield _terms(study.memory, "The terms of the memory of the whole model", with_p=known)


def _terms(memory: Memory, caption: str, *, with_p: bool) -> Table:
    rows = tuple((text(term.name), say("{f}", f=_shown(term, with_p))) for term in memory.terms)
    return Table(text(caption), (Column(text("term")), Column(text("bytes"))), rows)


def _shown(term: Term, with_p: bool) -> sp.Expr:
    """The bytes of a term on one device: with the parameters as P where that is asked for and can be."""
    return term.short / term.degree if with_p and term.short is not None else term.bytes


def power_steps(bound: UpperBound, written: Mapping[int, tuple[sp.Expr, ...]], work: Work) -> list[Block]:
    """Collect the memory by powers of the unknown, each coefficient with its number."""
    x = bound.symbol
    named_powers, chains = [], []
    for k, coefficient in sorted(bound.powers, reverse=True):
        symbol = local("a", str(k))
        parts = written[k]
        value = work.define(symbol, coefficient)
        links: list[tuple[str, Side]] = [("=", parts[0] if len(parts) == 1 else Total(parts))]
        if coefficient.free_symbols:
            puts = tuple(work.put(part) if part.free_symbols else part for part in parts)
            links.append(("=", puts[0] if len(puts) == 1 else Total(puts)))
            links.append(amount(value, "bytes", digits=14))
        chains.append(Chain(symbol, tuple(links)))
        named_powers.append(symbol * x**k)
    total = sp.Add(*(coefficient * x**k for k, coefficient in bound.powers))
    work.define(M_device, total)
    whole = Total(tuple(named_powers)) if len(named_powers) > 1 else named_powers[0]
    return [
        work.step(
            say("Collected by powers of {x}, the memory of one device is", x=x)
            if bound.degree
            else say("The memory of one device does not depend on {x} at this moment:", x=x),
            Chain(M_device, (("=", whole),)),
            *chains,
        )
    ]


def power_summary(upper: Upper) -> Iterator[tuple[str, Prose]]:
    """The bound and its condition at a glance, with the powers of the unknown by name where they are too long, and their bytes."""
    bound = upper.bound
    x, sign, a = bound.symbol, bound.limit.sign, {k: local("a", str(k)) for k, _ in bound.powers}
    room = C_mem - a[0] if 0 in a else C_mem
    if bound.quotient is not None:
        present = [k for k in a if k > 0]
        short = room / a[1] if present == [1] else sp.sqrt(room / a[2]) if present == [2] else None
        named_parts = (
            say("{q}; --json has it in full", q=short) if short is not None else text("long; --json has it in full")
        )
        yield "bound", say("{x} {sign} {q}", x=x, sign=sign, q=Brief(bound.quotient, otherwise=named_parts))
    line = say("{one} {sign} {capacity}", one=bound.condition.lhs, sign=sign, capacity=bound.capacity)
    parts = say("{one} {sign} {capacity}", one=a.get(0, sp.S.Zero), sign=sign, capacity=C_mem)
    yield "condition", Prose((Brief(line, otherwise=parts),))
    for k, coefficient in sorted(upper.coefficients):
        size = Amount(symbolic(coefficient), "GiB")
        if k == 0:
            yield str(a[k]), say("{size} on one device, whatever {x} is", size=size, x=x)
        else:
            yield str(a[k]), say("{size} for each {power}", size=size, power=x**k)


def requirement(bound: UpperBound) -> Step:
    """What one device holds against its memory, solved for the unknown where there is a closed form."""
    x, relation = bound.symbol, bound.limit.sign
    present = sorted(k for k, _ in bound.powers if k > 0)
    a = {k: local("a", str(k)) for k, _ in bound.powers}
    left = [a[k] * x**k for k in sorted(a, reverse=True)]
    closed = _closed(present, a)
    lines = [Chain(Total(tuple(left)) if len(left) > 1 else left[0], ((relation, C_mem),), asked=True)]
    if not present:
        reason = say("Nothing of this depends on {x}.", x=x)
    elif present == [1]:
        reason = say("The factor {a} is positive, so dividing by it keeps the sign.", a=a[1])
    elif present == [2]:
        reason = say("The square grows with {x}, so taking the root keeps the sign.", x=x)
    elif present == [1, 2]:
        reason = say(
            "No factor is negative, so the left side grows with {x}: it reaches {c} once, at the positive root of the "
            "quadratic equation.",
            x=x,
            c=C_mem,
        )
    else:
        reason = say(
            "No factor is negative, so the left side grows with {x}: it crosses {c} once. A polynomial of this degree "
            "has no short closed form, so the last whole number before that is found by halving an interval, in whole "
            "numbers, without rounding.",
            x=x,
            c=C_mem,
        )
    if closed is not None:
        lines.append(Chain(x, ((relation, closed),), asked=True))
    return Step(say("This must be {words} the memory of one device:", words=bound.limit.words), tuple(lines), reason)


def _closed(present: list[int], a: Mapping[int, sp.Symbol]) -> sp.Expr | None:
    """Where the capacity is reached, for the powers of the unknown that are `present`; None without a short closed form."""
    room = C_mem - a[0] if 0 in a else C_mem
    match present:
        case [1]:
            return room / a[1]
        case [2]:
            return sp.sqrt(room / a[2])
        case [1, 2]:
            return (sp.sqrt(a[1] ** 2 + 4 * a[2] * room) - a[1]) / (2 * a[2])
    return None


def _at_least(answer: Upper) -> tuple[int, Side, sp.Expr]:
    """The smallest value of the unknown, what one device then holds by the coefficients, and in bytes."""
    value = answer.smallest or 1
    return value, _at(answer.bound, value), symbolic(answer.per_device(value))


def _at(bound: UpperBound, value: int) -> Side:
    a = [local("a", str(k)) * sp.Integer(value) ** k for k, _ in sorted(bound.powers, reverse=True)]
    return Total(tuple(a)) if len(a) > 1 else a[0]


def value_steps(answer: Upper, work: Work, what: str = "what is kept") -> Iterator[Block]:
    """That one fits, the real bound and its whole part (or where the halving ends), and a check of both neighbours."""
    bound, limit = answer.bound, answer.bound.limit
    x, value = bound.symbol, answer.value or 1
    least, held, one = _at_least(answer)
    yield work.step(
        say("A value exists if {what} at {x} = {least} fits. It does:", what=what, x=x, least=least),
        Chain(held, (amount(one, "bytes", digits=14), (limit.sign, C_mem))),
    )
    work.define(x, sp.Integer(value))
    work.define(M_device, bound.bytes_at(x))
    if answer.most is not None and answer.quotient is None:
        yield work.step(text("The halving ends at"), Chain(x, (amount(answer.most),)))
    elif answer.quotient is not None:
        real = local(str(x), "max")
        work.values[real] = symbolic(answer.quotient)
        a = {k: local("a", str(k)) for k, _ in answer.coefficients}
        work.values |= {a[k]: symbolic(coefficient) for k, coefficient in answer.coefficients}
        closed = _closed(sorted(k for k, size in answer.coefficients if k > 0 and size), a)
        put = () if closed is None else (("=", closed), ("=", work.put(closed)))
        yield work.step(
            say("The right side is {real}, and {x} is the last whole number below it:", real=real, x=x)
            if limit.strict
            else say("The right side is {real}, and {x} is its whole part:", real=real, x=x),
            Chain(real, (*put, amount(symbolic(answer.quotient), digits=8))),
            *(() if answer.rules else (Chain(x, (("=", limit.last(real)), amount(value))),)),
        )
    for rule in answer.rules:
        yield work.step(
            say("{x} must be {rule}: the last such number is", x=x, rule=rule.words), Chain(x, (amount(value),))
        )
    if answer.ended:
        yield work.step(
            say("No number after it is allowed. A check that {what} fits, in bytes on each device:", what=what),
            _filled(answer, value, limit.sign, work),
        )
        return
    yield work.step(
        say("A check that {what} fits and that with the next number it does not, in bytes on each device:", what=what)
        if answer.rules
        else say("A check that {what} fits and that with one more it does not, in bytes on each device:", what=what),
        _filled(answer, value, limit.sign, work),
        _filled(answer, answer.above, limit.fails, work),
    )


def _filled(answer: Upper, value: int, relation: str, work: Work) -> Chain:
    sides: list[Side] = []
    for k, a in sorted(answer.coefficients, reverse=True):
        factor, times = local("a", str(k)), local("x", str(value))
        work.values[times] = sp.Integer(value)
        if a:
            sides.append(work.put(factor * times**k) if k else symbolic(a))
    total = symbolic(answer.per_device(value))
    capacity = C_mem if not work.values[C_mem].is_Integer else work.values[C_mem]
    left = Total(tuple(sides)) if len(sides) > 1 else sides[0]
    return Chain(left, (amount(total, digits=14), (relation, capacity)))


def none_steps(answer: Upper, work: Work, what: str = "what is kept") -> Iterator[Block]:
    """That even one does not fit, where that is why there is no value."""
    if answer.unbounded or answer.smallest is None:
        return
    bound = answer.bound
    least, held, one = _at_least(answer)
    yield work.step(
        say("A value exists if {what} at {x} = {least} fits. It does not:", what=what, x=bound.symbol, least=least),
        Chain(held, (amount(one, "bytes", digits=14), (bound.limit.fails, C_mem))),
    )


def none_words(answer: Upper, what: str = "what is kept") -> Prose:
    """Why there is no largest value, and what would help."""
    x = answer.bound.symbol
    if answer.unbounded:
        return say("the memory does not grow with {x} at these numbers: {what} fits at every value", what=what, x=x)
    constant = symbolic(answer.constant_bytes)
    least, _, one = _at_least(answer)
    if answer.smallest is None:
        return say("no {x} is {rules}", x=x, rules=" and ".join(rule.words for rule in answer.rules))
    if constant >= answer.capacity:
        return say(
            "what does not depend on {x} already takes {c}, and one device has {room}; take a larger device, divide the "
            "memory over more devices, or choose a smaller model",
            x=x,
            **dict(zip(("c", "room"), apart(gib(constant), gib(answer.capacity)), strict=True)),
        )
    if least > 1:
        return say(
            "even {x} = {least}, the smallest that is possible ({x} must be {rules}), takes {c}, and one device has {room}; take a "
            "larger device, divide the memory over more devices, or choose a smaller model",
            x=x,
            least=least,
            rules=" and ".join(rule.words for rule in answer.least_rules),
            **dict(zip(("c", "room"), apart(gib(one), gib(answer.capacity)), strict=True)),
        )
    return say(
        "even {x} = 1 takes {c}, and one device has {room}; take a larger device, divide the memory over more devices, "
        "or choose a smaller model",
        x=x,
        **dict(zip(("c", "room"), apart(gib(one), gib(answer.capacity)), strict=True)),
    )


def answer_words(
    answer: Upper,
    placement: Mapping[str, Placed],
    capacity: Capacity,
    reason: Prose | None,
    held: Number | None,
    one: str = "what one device then keeps",
) -> Prose:
    """The answer in one sentence: the largest value and what one device then keeps, or why there is none."""
    x, reading = answer.bound.symbol, reading_of(placement)
    pieces: dict[str, Any] = {
        "reading": reading or "",
        "x": x,
        "reason": reason or "",
        "meaning": inside_brackets(named(x).meaning),
    }
    if answer.value is None and answer.unbounded:
        if reading is not None:
            return say("With {reading}, there is no largest {x}: {reason}.", **pieces)
        return say("There is no largest {x}: {reason}.", **pieces)
    if answer.value is None or held is None:
        if reading is not None:
            return say("With {reading}, there is no such {x}: {reason}.", **pieces)
        return say("There is no such {x}: {reason}.", **pieces)
    share, counted = apart(Amount(symbolic(held), capacity.unit), Amount(capacity.counted, capacity.unit, beside=True))
    pieces |= {
        "value": Amount(sp.Integer(answer.value)),
        "share": share,
        "counted": few_figures(capacity) or counted,
        "more": Amount(sp.Integer(answer.above)),
        "one": one,
        "rules": listed([rule.words for rule in answer.last_rules]) if answer.ended else "",
    }
    if answer.ended:
        if reading is not None:
            return say(
                "With {reading}, the largest {x} ({meaning}) is {value}: {one}, {share}, fits its {counted}, and no larger one is "
                "possible, because {x} must be {rules}.",
                **pieces,
            )
        return say(
            "The largest {x} ({meaning}) is {value}: {one}, {share}, fits its {counted}, and no larger one is possible, because "
            "{x} must be {rules}.",
            **pieces,
        )
    if reading is not None:
        return say(
            "With {reading}, the largest {x} ({meaning}) is {value}: {one}, {share}, fits its "
            "{counted}, and at {more} it would not.",
            **pieces,
        )
    return say(
        "The largest {x} ({meaning}) is {value}: {one}, {share}, fits its {counted}, and at {more} it would not.",
        **pieces,
    )
