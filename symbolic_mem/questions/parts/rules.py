"""Integer and layout rules of a question: read from its keys, and each derived as its own step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import rational
from symbolic_mem.base.formula import read_formula
from symbolic_mem.base.symbols import C_mem, local, table
from symbolic_mem.document.prose import Amount, Chain, Prose, Side, Total, amount, say, text
from symbolic_mem.document.steps import Block, Column, Paragraph, Step, Table
from symbolic_mem.document.words import count, listed
from symbolic_mem.document.work import Work
from symbolic_mem.solvers.degree import Applied, Degree
from symbolic_mem.solvers.layout import Gathered, Layout, PaddedRows, WholeSamples
from symbolic_mem.solvers.profile import Profile
from symbolic_mem.solvers.rules import AtMost, Divides, MultipleOf, PowerOfTwo, Rule
from symbolic_mem.study.question import Question

NUMBERED: dict[str, Callable[..., Rule]] = {"multiple_of": MultipleOf, "divides": Divides, "at_most": AtMost}
PLAIN: dict[str, Callable[[], Rule | Layout]] = {
    "whole_samples": WholeSamples,
    "padded_rows": PaddedRows,
    "power_of_two": PowerOfTwo,
}
RULE_KEYS = ("whole_samples", "padded_rows", "multiple_of", "power_of_two", "divides", "at_most")
MAX_ROWS = 4


def rules_of(question: Question) -> tuple[Rule | Layout, ...]:
    """Read the rules that a question names, in the order of `RULE_KEYS`.

    Raises `BadInput` for a number that is neither whole nor the name of a symbol.

    >>> [rule.words for rule in rules_of(Question("b", "min_degree", {"multiple_of": 8, "power_of_two": True}))]
    ['a multiple of 8', 'a power of two']
    """
    rules: list[Rule | Layout] = []
    for key in RULE_KEYS:
        given = question.get(key)
        if given is None or given is False:
            continue
        if key in PLAIN:
            rules.append(PLAIN[key]())
        else:
            rules.append(NUMBERED[key](_number(given, f"{question.where or 'solve'}: {key}")))
    return tuple(rules)


def _number(given: Any, where: str) -> sp.Expr:
    names = {str(name.symbol): name.symbol for name in table(given=True)}
    if given is True:
        raise BadInput(f"{where} = true says no number; give a whole number such as 8, or a symbol such as B")
    number = read_formula(str(given), names, where)
    if number.is_number and not (number.is_Integer and number >= 1):
        raise BadInput(f"{where} = {given} is not a whole number of at least 1; give for example 8")
    return number


def rule_blocks(degree: Degree, work: Work) -> list[Block]:
    """Derive what each rule changes: before, after, why, and the numbers; then all of them in one table."""
    blocks: list[Block] = []
    for position, step in enumerate(degree.steps):
        earlier = [s.rule for s in degree.steps[:position] if not isinstance(s.rule, WholeSamples | PaddedRows)]
        if isinstance(step.rule, WholeSamples | PaddedRows | Gathered):
            blocks.append(_layout_step(step, degree, work))
        else:
            blocks.append(_integer_step(step, bool(earlier), degree, work))
    if degree.reason is not None:
        blocks.append(Paragraph(text(f"{_sentence(reason_words(degree))}.")))
        blocks += _without(degree)
    if len(degree.steps) > 1:
        blocks.append(_table(degree))
    return blocks


def reason_words(degree: Degree) -> str:
    """Say why no degree is enough, as a sentence without its end; '' where one is.

    >>> from symbolic_mem.accounts.terms import Memory, Term
    >>> from symbolic_mem.base.symbols import n_fsdp
    >>> from symbolic_mem.solvers.degree import smallest_degree
    >>> memory = Memory((Term("w", "weights", sp.Integer(80), sp.S.One, "", degree=n_fsdp),))
    >>> reason_words(smallest_degree(memory, n_fsdp, 10, {}, rules=[MultipleOf(8), Divides(126)]))
    'no degree is at once a multiple of 8 and a divisor of 126'
    """
    reason, capacity = degree.reason, degree.capacity
    if reason is None:
        return ""
    if reason.code == "fixed":
        held = f"what every device holds whatever {degree.ideal.bound.symbol} is, {reason.bytes} bytes"
        return f"{held}, leaves no room in {capacity} bytes"
    last = degree.steps[-1]
    if reason.code == "gathered":
        return f"what every device holds whole never fits beside the rest: {last.rule.words}"
    if reason.code == "rows":
        held = f"with one row on every device there remain {reason.bytes} bytes"
        return f"{held}, which leave no room in {capacity} bytes: {last.rule.words}"
    words = " and ".join(rule.words for rule in reason.rules)
    if reason.code == "contradiction":
        return f"no degree is at once {words}"
    return f"at least {last.before} devices are needed, and no such number is {words}"


def _layout_step(step: Applied, degree: Degree, work: Work) -> Block:
    n, strict = degree.ideal.bound.symbol, degree.ideal.bound.strict
    if isinstance(step.rule, WholeSamples):
        share = sp.ceiling(step.rule.batch / n, evaluate=False)
        said = say("A sequence is not cut: a device that shares the batch holds {share} sequences.", share=share)
    else:
        share = sp.ceiling(local("r", "") / n, evaluate=False)
        said = say(
            "Every tensor is cut along its first dimension into whole rows: of a tensor with {r} rows each device "
            "stores {share}.",
            r=local("r", ""),
            share=share,
        )
    if step.after is None:
        return Step(said)
    fits, fails = ("<", "≥") if strict else ("≤", ">")
    tried = [step.before] if step.changed else []
    if step.changed and step.largest_below not in (None, step.before):
        tried.append(step.largest_below)
    chains = [_held(step.profile, m, fails, work) for m in tried] + [_held(step.profile, step.after, fits, work)]
    if step.changed:
        reason = say(f"{step.before} devices are no longer enough: the smallest {{n}} is now {step.after}.", n=n)
    else:
        reason = text(f"{step.after} devices are still enough: this rule changes nothing.")
    return work.step(say("{said} One device then holds, in bytes,", said=said), *chains, reason=reason)


def _held(profile: Profile, n: int, relation: str, work: Work) -> Chain:
    """The bytes of one device at degree n, written out: fixed, divided, and rows that are rounded up."""
    total = rational(profile.at(n))
    held: dict[tuple[Any, Any], Any] = {}
    for part in profile.rows:
        held[part.rows, part.over] = held.get((part.rows, part.over), 0) + part.bytes
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
    return Chain(symbol, (*links, amount(total, digits=12), (relation, C_mem)))


def _integer_step(step: Applied, several: bool, degree: Degree, work: Work) -> Block:
    n = degree.ideal.bound.symbol
    words = _asked(step.rule)
    if step.after is None:
        return Step(say(f"{{n}} must be {words}, and at least {step.before}: there is no such number.", n=n))
    if not step.changed:
        return Step(say(f"{{n}} must be {words}. {step.after} is: this rule changes nothing.", n=n))
    work.define(n, sp.Integer(step.after))
    also = " that also obeys the rules before" if several else ""
    statement = say(f"{{n}} must be {words}. From {step.before} on, the first{also} is {step.after}:", n=n)
    return work.step(statement, _reached(step, n, work), reason=_because(step))


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
    return text(f"The last such number before it, {step.largest_below}, is less than {step.before}: not enough.")


def _without(degree: Degree) -> list[Block]:
    if not degree.without:
        return []
    rows = tuple((text(_short(rule)), count(value)) for rule, value in degree.without)
    head = say("smallest {n} then", n=degree.ideal.bound.symbol)
    columns = (Column(text("without the rule"), "text"), Column(head, "right"))
    return [Table(text("What would help: one rule less"), columns, rows)]


def _table(degree: Degree) -> Table:
    rows = [(text("no rule"), count(degree.ideal.value), text(""))]
    for step in degree.steps:
        share = text("–") if step.after is None else _cell(step.profile, step.after)
        rows.append((text(_short(step.rule)), count(step.after), share))
    return Table(
        text("The rules, one after the other"),
        (
            Column(text("rule"), "text"),
            Column(say("smallest {n}", n=degree.ideal.bound.symbol), "right"),
            Column(text("GiB on each device"), "right"),
        ),
        tuple(rows),
    )


def _cell(profile: Profile, n: int) -> Prose:
    shown = Amount(rational(profile.at(n)) / 2**30)
    return Prose((shown,) if shown.shown.exact else ("≈ ", shown))


def rules_words(degree: Degree) -> str:
    """Begin the answer with the rules that it obeys; '' where there are none; ends before its first letter."""
    return f"under the rules ({listed([_short(step.rule) for step in degree.steps])}) " if degree.steps else ""


def _asked(rule: Rule | Layout | Any) -> str:
    match rule:
        case AtMost(limit=limit):
            return f"at most {limit}"
        case Divides(number=number, why=why):
            return f"a divisor of {why} = {number}" if why and why != str(number) else f"a divisor of {number}"
    return rule.words


def _short(rule: Rule | Layout | Any) -> str:
    match rule:
        case WholeSamples():
            return "whole sequences"
        case PaddedRows():
            return "whole rows"
    return _asked(rule)


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]
