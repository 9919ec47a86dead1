"""The question `largest`: the largest batch, length, depth, width or model that fits, by powers of the unknown."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.base.errors import BadInput, nearest
from symbolic_mem.base.exact import rational
from symbolic_mem.base.symbols import C_mem, M_device, P, local, lookup, named
from symbolic_mem.document.prose import Amount, Chain, Prose, Side, Total, amount, say, text
from symbolic_mem.document.steps import Answer, Block, Bullets, Column, Section, Step, Table
from symbolic_mem.document.words import about, gib
from symbolic_mem.document.work import Work
from symbolic_mem.models.tensors import KINDS, STATIC
from symbolic_mem.questions.parts.assumptions import assumptions
from symbolic_mem.questions.parts.facts import FoundLargest
from symbolic_mem.questions.parts.memory import kept_table, parameter_steps
from symbolic_mem.questions.parts.printed import printed_blocks
from symbolic_mem.questions.parts.words import capacity_blocks, placement_sentences, reading_words
from symbolic_mem.recipes.recompute import recompute
from symbolic_mem.solvers.capacity import Capacity
from symbolic_mem.solvers.inverse import Upper, UpperBound, upper
from symbolic_mem.solvers.powers import contained, powers_of
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

ALIASES = {"tokens": "T", "parameters": "P"}


def largest(study: Study, question: Question) -> tuple[Section, FoundLargest]:
    """Derive the largest whole value of a symbol at which one device's share fits, or why there is none.

    Raises `BadInput` for a symbol that the memory does not contain, and `MissingValue` for a value that it needs.
    """
    study = study.under(question)
    kinds = tuple(question.get("kinds") or KINDS)
    memory = study.placed(question.get("rest"), kinds)
    x = unknown(question, memory)
    capacity = study.capacity(question)
    strict = bool(question.get("strict", False))
    bound = upper(memory, x, capacity.counted, strict=strict)
    values = {symbol: value for symbol, value in study.values.items() if symbol != x}
    answer = bound.at(values)

    work = Work(values)
    blocks = _account(study, question, memory, x, work)
    blocks += _powers(memory, bound, work)
    blocks += [*capacity_blocks(capacity, work), _requirement(bound, work)]
    if answer.value is not None:
        blocks += _value(bound, answer, work)
        blocks += printed_blocks(question, sp.Integer(answer.value), named(x).unit)
        reason = None
    else:
        reason, more = _none(bound, answer, work)
        blocks += more
    blocks.append(_answer(study, capacity, bound, answer, reason))
    title = question.get("title", f"The largest {named(x).meaning} that fits")
    placement = {kind: placed for kind, placed in study.placement.items() if kind in memory.kinds}
    said = (*assumptions(study), *placement_sentences(memory.kinds, placement))
    section = Section(text(f"({question.label}) {title}"), tuple(blocks))
    return section, FoundLargest(study.name, question.label, capacity, answer, said, reason)


def unknown(question: Question, memory: Memory) -> sp.Symbol:
    """Return the symbol that a question solves for: a name of the memory, or ``tokens`` or ``parameters``.

    Raises `BadInput` naming the symbols that the memory contains.
    """
    name = str(question.get("for", "B"))
    symbol = lookup(ALIASES.get(name, name))
    if symbol is None or ALIASES.get(name, name) not in contained(memory):
        raise BadInput(
            f"{question.where or 'solve'}: for = {name!r} is not in the memory; {nearest(name, contained(memory))}"
        )
    return symbol


def _account(study: Study, question: Question, memory: Memory, x: sp.Symbol, work: Work) -> list[Block]:
    """Parameters where they are a number, what is kept, and the terms of one device as formulas."""
    known = not study.model.parameters.has(x) and x != P
    first = study.questions[:1] == (question,) or question.label == "solve"
    blocks: list[Block] = [*parameter_steps(study.model, work)] if first and known else []
    if known and not study.model.parameters.free_symbols - set(work.values):
        work.define(P, study.model.parameters)
    saving = [layer for layer in recompute(study.model, study.recipe.recompute).layers if layer.saved]
    if first and saving and "activations" in memory.kinds:
        blocks.append(kept_table(saving, study))
    if study.placement:
        blocks += [Step(text("Where the memory lives:")), Bullets(placement_sentences(memory.kinds, study.placement))]
    blocks.append(_terms(memory, with_p=known or x == P))
    return blocks


def formula_blocks(study: Study) -> list[Block]:
    """The account of a study whose unknown has no value yet: what is kept, and every term as a formula."""
    saving = [layer for layer in recompute(study.model, study.recipe.recompute).layers if layer.saved]
    known = not study.model.parameters.free_symbols - set(study.values)
    blocks: list[Block] = [*parameter_steps(study.model, Work(study.values))] if known else []
    blocks += [kept_table(saving, study)] if saving else []
    return [*blocks, _terms(study.memory, with_p=known, where="the whole model")]


def _terms(memory: Memory, *, with_p: bool, where: str = "one device") -> Table:
    rows = tuple((text(term.name), say("{f}", f=shown(term, with_p))) for term in memory.terms)
    heads = (Column(text("term")), Column(text("bytes")))
    return Table(text(f"The terms of the memory of {where}"), heads, rows)


def shown(term: Term, with_p: bool) -> sp.Expr:
    """The bytes of a term on one device: with the parameters as P where that is asked for and can be."""
    return term.short / term.degree if with_p and term.short is not None else term.bytes


def _powers(memory: Memory, bound: UpperBound, work: Work) -> list[Block]:
    """Collect the memory by powers of the unknown, each coefficient with its number."""
    x = bound.symbol
    named_powers, chains = [], []
    for k, coefficient in sorted(bound.powers, reverse=True):
        symbol = local("a", str(k))
        parts = _coefficient(memory, x, k, work)
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
    written = Total(tuple(named_powers)) if len(named_powers) > 1 else named_powers[0]
    return [
        work.step(
            say("Collected by powers of {x}, the memory of one device is", x=x),
            Chain(M_device, (("=", written),)),
            *chains,
        )
    ]


def _coefficient(memory: Memory, x: sp.Symbol, k: int, work: Work) -> tuple[sp.Expr, ...]:
    """The parts of a coefficient in the author's order: the states together, then each other term."""
    parts: list[sp.Expr] = []
    states: list[sp.Expr] = []
    for term in memory.terms:
        if k == 0 and P in work.values and term.short is not None and not term.bytes.has(x):
            states.append(term.short / term.degree)
            continue
        alone = Memory((term,), memory.definitions)
        contains = str(x) in contained(alone) or term.bytes.has(x)
        coefficient = dict(powers_of(alone, x)).get(k) if contains else (term.bytes if k == 0 else None)
        if coefficient is not None and coefficient != 0:
            (states if term.kind in STATIC else parts).append(coefficient)
    together = sp.Add(*states)
    return (*((together,) if states else ()), *parts)


def _requirement(bound: UpperBound, work: Work) -> Step:
    x, relation = bound.symbol, "<" if bound.strict else "≤"
    present = sorted(k for k, _ in bound.powers if k > 0)
    a = {k: local("a", str(k)) for k, _ in bound.powers}
    left = [a[k] * x**k for k in sorted(a, reverse=True)]
    room = C_mem - a[0] if 0 in a else C_mem
    lines = [Chain(Total(tuple(left)) if len(left) > 1 else left[0], ((relation, C_mem),), asked=True)]
    if present == [1]:
        lines.append(Chain(x, ((relation, room / a[1]),), asked=True))
        reason = say("The factor {a} is positive, so dividing by it keeps the sign.", a=a[1])
    elif present == [2]:
        lines.append(Chain(x, ((relation, sp.sqrt(room / a[2])),), asked=True))
        reason = say("The square grows with {x}, so taking the root keeps the sign.", x=x)
    elif present == [1, 2]:
        root = (sp.sqrt(a[1] ** 2 + 4 * a[2] * room) - a[1]) / (2 * a[2])
        lines.append(Chain(x, ((relation, root),), asked=True))
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
    words = "less than" if bound.strict else "at most"
    return Step(text(f"This must be {words} the memory of one device:"), tuple(lines), reason)


def _condition(bound: UpperBound) -> tuple[Side, str]:
    a = [local("a", str(k)) for k, _ in sorted(bound.powers, reverse=True)]
    return Total(tuple(a)) if len(a) > 1 else a[0], "<" if bound.strict else "≤"


def _value(bound: UpperBound, answer: Upper, work: Work) -> list[Block]:
    x, value = bound.symbol, answer.value or 1
    at_one, relation = _condition(bound)
    one = sum((rational(a) for _, a in answer.coefficients), sp.S.Zero)
    blocks: list[Block] = [
        work.step(
            say("A value exists if {x} = 1 fits. It does:", x=x),
            Chain(at_one, (amount(one, "bytes", digits=14), (relation, C_mem))),
        )
    ]
    work.define(x, sp.Integer(value))
    work.define(M_device, bound.bytes_at(x))
    if answer.quotient is not None:
        real = local(str(x), "max")
        work.values[real] = answer.quotient
        step = "the last whole number below it" if bound.strict else "its whole part"
        rounded = sp.ceiling(real, evaluate=False) - 1 if bound.strict else sp.floor(real, evaluate=False)
        blocks.append(
            work.step(
                say(f"The right side is {{real}}, and {{x}} is {step}:", real=real, x=x),
                Chain(real, (amount(answer.quotient, digits=8),)),
                Chain(x, (("=", rounded), amount(value))),
            )
        )
    else:
        blocks.append(work.step(text("The halving ends at"), Chain(x, (amount(value),))))
    fails = "≥" if bound.strict else ">"
    blocks.append(
        work.step(
            text("A check that this fits and that one more does not, in bytes on each device:"),
            _filled(bound, answer, value, relation, work),
            _filled(bound, answer, value + 1, fails, work),
        )
    )
    return blocks


def _filled(bound: UpperBound, answer: Upper, value: int, relation: str, work: Work) -> Chain:
    sides: list[Side] = []
    for k, a in sorted(answer.coefficients, reverse=True):
        factor, times = local("a", str(k)), local("x", str(value))
        work.values[times] = sp.Integer(value)
        if a:
            sides.append(work.put(factor * times**k) if k else rational(a))
    total = rational(answer.per_device(value))
    capacity = C_mem if not work.values[C_mem].is_Integer else work.values[C_mem]
    left = Total(tuple(sides)) if len(sides) > 1 else sides[0]
    return Chain(left, (amount(total, digits=14), (relation, capacity)))


def _none(bound: UpperBound, answer: Upper, work: Work) -> tuple[Prose, list[Block]]:
    x = bound.symbol
    if answer.unbounded:
        return say("the memory does not grow with {x} at these numbers: every value fits", x=x), []
    at_one, _ = _condition(bound)
    one = sum((rational(a) for _, a in answer.coefficients), sp.S.Zero)
    fails = "≥" if bound.strict else ">"
    step = work.step(
        say("A value exists if {x} = 1 fits. It does not:", x=x),
        Chain(at_one, (amount(one, "bytes", digits=14), (fails, C_mem))),
    )
    constant = rational(answer.constant_bytes)
    if constant >= answer.capacity:
        said = say("what does not depend on {x} already takes {c}", x=x, c=about(gib(constant)))
    else:
        said = say("even {x} = 1 takes {c}", x=x, c=about(gib(one)))
    room = about(gib(rational(answer.capacity)))
    remedy = "take a larger device, divide the memory over more devices, or choose a smaller model"
    return say(f"{{said}}, and one device has {{room}}; {remedy}", said=said, room=room), [step]


def _answer(study: Study, capacity: Capacity, bound: UpperBound, answer: Upper, reason: Prose | None) -> Answer:
    x = bound.symbol
    reading = reading_words(study.placement)
    if answer.value is None:
        start = "here is no largest {x}" if answer.unbounded else "here is no such {x}"
        return Answer(say(f"{reading}{start}: {{reason}}.", x=x, reason=reason or text("")))
    unit = capacity.unit
    return Answer(
        say(
            f"{reading}he largest {{x}} ({named(x).meaning}) is {{value}}: one device then holds {{share}} of its "
            "{counted}, and {more} would not fit.",
            x=x,
            value=Amount(sp.Integer(answer.value)),
            share=about(Amount(rational(answer.per_device(answer.value)), unit)),
            counted=about(Amount(capacity.counted, unit)),
            more=Amount(sp.Integer(answer.value + 1)),
        )
    )
