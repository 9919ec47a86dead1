"""Integer and layout rules of a question, each as a step of its own: before, after, why, and the numbers."""

from __future__ import annotations

from typing import Any

import sympy as sp

from symbolic_mem.base.rational import rational, symbolic
from symbolic_mem.base.symbols import C_mem, local
from symbolic_mem.document.prose import Amount, Chain, Prose, Side, Total, amount, apart, say, text
from symbolic_mem.document.steps import Block, Column, Paragraph, Step, Table
from symbolic_mem.document.words import about, count, gib, sentence_of
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.hosts import host_step
from symbolic_mem.solvers.degree import Applied, Degree
from symbolic_mem.solvers.host import HostHolds
from symbolic_mem.solvers.layout import Gathered, Layout, PaddedRows, WholeSamples
from symbolic_mem.solvers.profile import Profile
from symbolic_mem.solvers.rules import AtMost, Divides, MultipleOf, PowerOfTwo, Rule

MAX_ROWS = 4


def rule_blocks(degree: Degree, work: Work) -> list[Block]:
    """Derive what each rule changes: before, after, why, and the numbers; then all of them in one table."""
    blocks: list[Block] = []
    for position, step in enumerate(degree.steps):
        earlier = [s.rule for s in degree.steps[:position] if not isinstance(s.rule, WholeSamples | PaddedRows)]
        if isinstance(step.rule, WholeSamples | PaddedRows | Gathered):
            blocks.append(_layout_step(step, degree, work))
        elif isinstance(step.rule, HostHolds):
            blocks.append(host_step(step, degree, work))
        else:
            blocks.append(_integer_step(step, bool(earlier), degree, work))
    reason = reason_words(degree)
    if reason is not None:
        blocks.append(Paragraph(sentence_of(reason)))
        blocks += _without(degree)
    if len(degree.steps) > 1:
        blocks.append(_table(degree))
    return blocks


def reason_words(degree: Degree) -> Prose | None:
    """Say why no degree obeys the rules, inside a sentence; None where one does.

    >>> from symbolic_mem.accounts.terms import Memory, Term
    >>> from symbolic_mem.base.symbols import n_fsdp
    >>> from symbolic_mem.render.text import plain_prose
    >>> from symbolic_mem.solvers.degree import smallest_degree
    >>> memory = Memory((Term("w", "weights", sp.Integer(80), sp.S.One, "", degree=n_fsdp),))
    >>> plain_prose(reason_words(smallest_degree(memory, n_fsdp, 10, {}, rules=[MultipleOf(8), Divides(126)])))
    'no degree is at once a multiple of 8 and a divisor of 126'
    """
    reason = degree.reason
    if reason is None:
        return None
    kept, room = apart(Amount(symbolic(reason.bytes or 0), "bytes", 14), Amount(symbolic(degree.capacity), "bytes", 14))
    if len(reason.rules) == 1 and isinstance(reason.rules[0], HostHolds):
        return say("no degree is {rule}", rule=reason.rules[0].words)
    return reason_of(
        reason.code,
        n=degree.ideal.bound.symbol,
        kept=kept,
        room=room,
        rule=text(degree.steps[-1].rule.words) if degree.steps else text(""),
        rules=text(" and ".join(rule.words for rule in reason.rules)),
        needed=reason.needed or 1,
    )


REASONS = {
    "fixed": "what every device holds whatever {n} is, {kept}, leaves no room in {room}",
    "gathered": "what every device holds whole never fits beside the rest: {rule}",
    "rows": "with one row on every device there remain {kept}, which leave no room in {room}: {rule}",
    "contradiction": "no degree is at once {rules}",
    "unfit": "at least {needed} devices are needed, and on no number of them that is {rules} does it fit",
    "limit": "at least {needed} devices are needed, and no such number is {rules}",
}


def reason_of(code: str, **pieces: Any) -> Prose:
    """Why no degree obeys the rules, by the `code` of the reason: see `Reason`."""
    return say(REASONS[code], **pieces)


def _layout_step(step: Applied, degree: Degree, work: Work) -> Block:
    bound = degree.ideal.bound
    if isinstance(step.rule, WholeSamples):
        share = sp.ceiling(step.rule.batch / bound.symbol, evaluate=False)
        cut = say("A sequence is not cut: a device that shares the batch holds {share} sequences.", share=share)
        held = say(
            "A sequence is not cut: a device that shares the batch holds {share} sequences. One device then holds, in "
            "bytes,",
            share=share,
        )
    else:
        pieces = {"r": local("r", ""), "share": sp.ceiling(local("r", "") / bound.symbol, evaluate=False)}
        cut = say(
            "Every tensor is cut along its first dimension into whole rows: of a tensor with {r} rows each device "
            "stores {share}.",
            **pieces,
        )
        held = say(
            "Every tensor is cut along its first dimension into whole rows: of a tensor with {r} rows each device "
            "stores {share}. One device then holds, in bytes,",
            **pieces,
        )
    if step.after is None:
        return Step(cut)
    tried = [step.before] if step.changed else []
    if step.changed and step.largest_below not in (None, step.before):
        tried.append(step.largest_below)
    chains = [_held(step.profile, m, bound.limit.fails, work) for m in tried]
    chains.append(_held(step.profile, step.after, bound.limit.sign, work))
    if step.changed:
        reason = say(
            "{before} devices are no longer enough: the smallest {n} is now {after}.",
            before=step.before,
            n=bound.symbol,
            after=step.after,
        )
    else:
        reason = say("{after} devices are still enough: this rule changes nothing.", after=step.after)
    return work.step(held, *chains, reason=reason)


def _held(profile: Profile, n: int, relation: str, work: Work) -> Chain:
    """The bytes of one device at degree n, written out: fixed, divided, and rows that are rounded up."""
    total = rational(profile.at(n))
    held: dict[tuple[Any, Any], Any] = {}
    for part in profile.rows:
        held[part.rows, part.over] = held.get((part.rows, part.over), 0) + part.bytes
    for part in profile.gathered:  # as many rows from every device
        held[part.rows, part.over] = held.get((part.rows, part.over), 0) + part.bytes * part.over * n
    symbol = local("M", str(n))
    work.define(symbol, total)
    links: list[tuple[str, Side]] = []
    if len(held) <= MAX_ROWS:
        sides: list[Side] = []
        if profile.fixed:
            sides.append(rational(profile.fixed))
        if profile.divided:
            sides.append(sp.Mul(rational(profile.divided), sp.Pow(n, -1, evaluate=False), evaluate=False))
        for (rows, over), size in held.items():
            devices = sp.Pow(rational(over * n), -1, evaluate=False)
            whole = sp.ceiling(sp.Mul(rational(rows), devices, evaluate=False), evaluate=False)
            sides.append(sp.Mul(rational(size), whole, evaluate=False))
        links.append(("=", sides[0] if len(sides) == 1 else Total(tuple(sides))))
    return Chain(symbol, (*links, amount(total, digits=14), (relation, C_mem)))


def _integer_step(step: Applied, several: bool, degree: Degree, work: Work) -> Block:
    n = degree.ideal.bound.symbol
    pieces = {"n": n, "rule": _asked(step.rule), "before": step.before, "after": step.after or 0}
    if step.after is None and degree.reason is not None and degree.reason.code == "unfit":
        return Step(say("{n} must be {rule}, and at least {before}: the memory fits at no such number.", **pieces))
    if step.after is None and several:
        return Step(say("{n} must be {rule}. From {before} on, no number also obeys the rules before.", **pieces))
    if step.after is None:
        return Step(say("{n} must be {rule}, and at least {before}: there is no such number.", **pieces))
    if not step.changed:
        return Step(say("{n} must be {rule}. {after} is: this rule changes nothing.", **pieces))
    work.define(n, sp.Integer(step.after))
    statement = (
        say("{n} must be {rule}. From {before} on, the first that also obeys the rules before is {after}:", **pieces)
        if several
        else say("{n} must be {rule}. From {before} on, the first is {after}:", **pieces)
    )
    line = _reached(step, n, work)
    if step.after != degree.value:  # a later rule makes it another number, which alone has the symbol
        line = Chain(line.links[0][1], line.links[1:])
    return work.step(statement, line, reason=_because(step))


def _reached(step: Applied, n: sp.Symbol, work: Work) -> Chain:
    after, end = step.after or 1, ("≥", sp.Integer(step.before))
    match step.rule:
        case MultipleOf(factor=factor):
            one, other = local("k", ""), local("m", "")
            work.define(one, sp.Integer(factor))
            work.define(other, sp.Integer(after // int(factor)))
            return Chain(n, (("=", work.put(one * other)), amount(after), end))
        case PowerOfTwo():
            power = sp.Pow(2, sp.Integer(after.bit_length() - 1), evaluate=False)
            return Chain(n, (("=", power), amount(after), end))
        case Divides(number=number):
            share = sp.Mul(sp.Integer(number), sp.Pow(int(number) // after, -1, evaluate=False), evaluate=False)
            return Chain(n, (("=", share), amount(after), end))
    return Chain(n, (amount(after), end))


def _because(step: Applied) -> Prose | None:
    if step.largest_below is None:
        return None
    return say(
        "The last such number before it, {below}, is less than {before}: not enough.",
        below=step.largest_below,
        before=step.before,
    )


def _without(degree: Degree) -> list[Block]:
    if not degree.without:
        return []
    rows = tuple((text(short_words(rule)), count(value)) for rule, value in degree.without)
    head = say("smallest {n} then", n=degree.ideal.bound.symbol)
    columns = (Column(text("without the rule"), "text"), Column(head, "right"))
    return [Table(text("What would help: one rule less"), columns, rows)]


def _table(degree: Degree) -> Table:
    rows = [(text("no rule"), count(degree.ideal.value), text(""))]
    for step in degree.steps:
        share = text("–") if step.after is None else _cell(step.profile, step.after)
        rows.append((text(short_words(step.rule)), count(step.after), share))
    return Table(
        text("The rules, one after the other"),
        (
            Column(text("rule"), "text"),
            Column(say("smallest {n}", n=degree.ideal.bound.symbol), "right"),
            Column(text("on each device"), "right"),
        ),
        tuple(rows),
    )


def _cell(profile: Profile, n: int) -> Prose:
    return about(gib(profile.at(n)))


def rule_names(degree: Degree) -> list[str]:
    """Name the rules that an answer obeys, in their order."""
    return [short_words(step.rule) for step in degree.steps]


def _asked(rule: Rule | Layout | Any) -> str:
    match rule:
        case AtMost(limit=limit):
            return f"at most {limit}"
        case HostHolds(shared=shared, size=size):
            return f"{shared} device{'s' * (shared != 1)} to a host of {size}"
        case Divides(number=number, why=why):
            return f"a divisor of {why} = {number}" if why and why != str(number) else f"a divisor of {number}"
    return rule.words


def short_words(rule: Rule | Layout | Any) -> str:
    """The name of a rule, as an answer lists it: with its number."""
    match rule:
        case WholeSamples():
            return "whole sequences"
        case PaddedRows():
            return "whole rows"
    return _asked(rule)
