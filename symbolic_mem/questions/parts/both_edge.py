"""The steps of `fits_and_computes` at any batch: the smallest at which a degree does both, and what says whether there is one."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from symbolic_mem.base.limit import Limit
from symbolic_mem.base.rational import symbolic
from symbolic_mem.base.symbols import C_mem, T, local
from symbolic_mem.document.prose import Amount, Chain, Total, amount, say, text
from symbolic_mem.document.steps import Block, Paragraph, Step
from symbolic_mem.document.words import counted, unrounded
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.both_steps import BETA, D0, D1, K0, K1, OWN, Sides, kept


def at_first(found: Sides, work: Work, tokens: int, degree: int) -> Iterator[Block]:
    """Check the smallest batch of whole sequences at which a degree does both: it is the first with which that stays busy."""
    there = _at(found, work, tokens, degree)
    least, at = found.symbol * BETA, counted(tokens, "tokens")
    if degree > 1:
        busy = Chain(least, (("=", there.put(least)), unrounded(there.number(least), "tokens")))
        yield there.step(
            say(
                "On {n} devices the chips stay busy with more tokens than this, in whole sequences with {t}:",
                n=degree,
                t=Amount(sp.Integer(tokens)),
            ),
            busy,
        )
    if found.limits.deciding(tokens) != found.share or (degree == 1 and found.limits.alone):
        return  # another instant decides there, of which nothing is derived
    yield there.step(
        say("At {t} what is kept on {n} devices fits:", n=degree, t=at)
        if degree > 1
        else say("At {t} what is kept on one device fits:", t=at),
        _held(found, there, tokens, degree, Limit(found.capacity.counted, found.limits.strict).sign),
    )


def _at(found: Sides, work: Work, tokens: int, degree: int) -> Work:
    """The numbers of so many devices with a batch of so many tokens."""
    numbers = {T: sp.Integer(tokens), found.symbol: sp.Integer(degree), OWN: sp.Rational(tokens, degree)}
    return Work({**work.values, **numbers})


def _held(found: Sides, there: Work, tokens: int, degree: int, sign: str) -> Chain:
    """What one device keeps at the instant that is derived, beside the capacity."""
    share, n, t = found.share, found.symbol, OWN if found.share.own else T
    parts = [part for part in (kept(K0 + K1 * t, share), kept(D0 + D1 * t, share) / n) if part != 0]
    puts = tuple(there.put(part) for part in parts)
    held_by, whole = (Total(tuple(some)) if len(some) > 1 else some[0] for some in (parts, puts))
    held, unit = symbolic(share.at(degree, tokens)), found.capacity.unit
    return Chain(held_by, (("=", whole), amount(held, unit), (sign, Amount(symbolic(found.capacity.counted), unit))))


def edge(found: Sides, work: Work) -> Iterator[Block]:
    """At T = beta n both bounds become one condition on n alone: some degree of several devices does both, or none at any batch."""
    share, limits, unit = found.share, found.limits, found.capacity.unit
    if share.divided == 0 and not share.grows:
        return
    n, sign = found.symbol, "<" if limits.below(share) else "≤"
    per_token = K1 if share.own else D1
    room = kept(C_mem - K0 - per_token * BETA, share)
    shrinks = kept(D0 + D1 * BETA if share.own else D0, share)
    grows = sp.S.Zero if share.own else kept(K1 * BETA, share)
    value = work.number(room)
    yield Step(
        say(
            "A larger batch only adds memory, and of several devices {n} busy chips need more than {least} tokens. So what "
            "counts is the memory there:",
            n=n,
            least=BETA * n,
        ),
        (
            Chain(T, (("=", BETA * n),), asked=True),
            Chain(Total(tuple(part for part in (grows * n, shrinks / n) if part != 0)), ((sign, room),), asked=True)
            if grows != 0 or shrinks != 0
            else Chain(sp.S.Zero, ((sign, room),), asked=True),
        ),
    )
    yield work.step(
        text("The right side is the room for what depends on the degree; it must be positive:"),
        Chain(room, (("=", work.put(room)), amount(value, unit), (">" if value > 0 else "≤", sp.S.Zero))),
    )
    if value <= 0 or shrinks == 0:
        return
    if grows == 0:
        smallest = shrinks / room
        chain = Chain(smallest, (("=", work.put(smallest)), unrounded(work.number(smallest), "devices")))
        said = (
            say("Nothing grows with the degree, so {n} is more than", n=n)
            if sign == "<"
            else say("Nothing grows with the degree, so {n} is at least", n=n)
        )
        yield work.step(said, chain)
        return
    yield from _by_discriminant(room, grows, shrinks, sign, found, work)


def _by_discriminant(
    room: sp.Expr, grows: sp.Expr, shrinks: sp.Expr, sign: str, found: Sides, work: Work
) -> Iterator[Block]:
    """The condition times n is quadratic: it holds between two roots, or nowhere."""
    n, unit = found.symbol, found.capacity.unit
    r, g, s = local("r", ""), local("g", ""), local("s", "")
    for symbol, expr in ((r, room), (g, grows), (s, shrinks)):
        work.define(symbol, expr)
    square = r**2 / (4 * g * s)
    number = work.number(square)
    holds = number > 1 if sign == "<" else number >= 1
    meaning = (
        "It does not hold: the condition holds for no degree, at any batch. That is the proof that several devices "
        "never do both."
    )
    if holds:
        meaning = "It holds, so some degrees do both, between the two roots."
        if found.first is None:
            meaning = "It holds between the two roots, where degrees and batches need not be whole."
    relation = (">" if sign == "<" else "≥") if holds else ("≤" if sign == "<" else "<")
    yield work.step(
        say(
            "Multiplied by {n} it is quadratic, with {r} for the room, {g} for what grows and {s} for what shrinks:",
            n=n,
            r=r,
            g=g,
            s=s,
        ),
        Chain(g * n**2 - r * n + s, ((sign, sp.S.Zero),), asked=True),
        Chain(r, (("=", room), amount(work.number(r), unit))),
        Chain(g, (("=", grows), amount(work.number(g), unit))),
        Chain(s, (("=", shrinks), amount(work.number(s), unit))),
    )
    yield work.step(
        say("It has a solution only where {square} is more than {four}:", square=r**2, four=4 * g * s)
        if sign == "<"
        else say("It has a solution only where {square} is at least {four}:", square=r**2, four=4 * g * s),
        Chain(square, (amount(number), (relation, sp.S.One))),
        reason=text(meaning),
    )
    if holds and found.first is None:
        roots = [
            (work.number(r) + way * sp.sqrt(work.number(r**2 - 4 * g * s))) / work.number(2 * g) for way in (-1, 1)
        ]
        yield _no_whole_degree(roots, sign, found, work)


def _no_whole_degree(roots: list[sp.Expr], sign: str, found: Sides, work: Work) -> Block:
    """Say why no whole number of devices between the `roots` does both with a batch of whole sequences."""
    limits, unit = found.limits, found.capacity.unit
    first, last = max(int(sp.ceiling(roots[0])), 2), int(sp.floor(roots[1]))
    if sign == "<":
        first, last = first + (first == roots[0]), last - (last == roots[1])
    ends = {"low": Amount(roots[0], "devices"), "high": Amount(roots[1], "devices")}
    if first > last:
        return Paragraph(
            say("The roots are {low} and {high}, with no whole number of several devices between them.", **ends)
        )
    degree = min(range(first, last + 1), key=lambda each: limits.held(each, limits.busy_batch(each)))
    tokens = limits.busy_batch(degree)
    said = say(
        "The roots are {low} and {high}. No whole number of devices between them holds a batch of whole sequences that "
        "keeps it busy; the least that is kept of one is with {n} devices and {t}:",
        **ends,
        n=Amount(sp.Integer(degree)),
        t=counted(tokens, "tokens"),
    )
    there, fails = _at(found, work, tokens, degree), Limit(found.capacity.counted, limits.strict).fails
    if limits.held(degree, tokens) == found.share.at(degree, tokens):
        return there.step(said, _held(found, there, tokens, degree, fails))
    held, one = symbolic(limits.held(degree, tokens)), local("M", str(degree))
    there.values[one] = held
    return there.step(said, Chain(one, (amount(held, unit), (fails, Amount(symbolic(found.capacity.counted), unit)))))


def one_sequence(found: Sides, work: Work) -> Block:
    """Say that one device, which is always busy, does not hold the smallest batch."""
    limits, share, unit = found.limits, found.share, found.capacity.unit
    tokens, limit = limits.sequence, Limit(found.capacity.counted, limits.strict)
    room = Amount(symbolic(found.capacity.counted), unit)
    said = say(
        "One device sends nothing and stays busy with any batch, but it does not hold the smallest, {t}:",
        t=counted(tokens, "tokens"),
    )
    there = Work({**work.values, T: sp.Integer(tokens), OWN: sp.Integer(tokens)})
    if limits.alone or limit.holds(share.at(1, tokens)):
        held, one = max(each.at(1, tokens) for each in limits.alone or limits.shares), local("M", "1")
        there.values[one] = symbolic(held)
        return there.step(said, Chain(one, (amount(symbolic(held), unit), (limit.fails, room))))
    t = OWN if share.own else T
    whole = kept(K0 + K1 * t + D0 + D1 * t, share)
    held = symbolic(share.at(1, tokens))
    return there.step(said, Chain(whole, (("=", there.put(whole)), amount(held, unit), (limit.fails, room))))
