"""The steps of `fits_and_computes`: whose tokens count, both bounds, the window at a batch, and the batch at the edge."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import sympy as sp

from symbolic_mem.base.limit import Limit
from symbolic_mem.base.rational import symbolic
from symbolic_mem.base.symbols import C_mem, T, local
from symbolic_mem.document.prose import Amount, Chain, Prose, Total, amount, say, text
from symbolic_mem.document.steps import Block, Column, Paragraph, Step, Table
from symbolic_mem.document.words import about, unrounded
from symbolic_mem.document.work import Work
from symbolic_mem.solvers.both import Both, Share
from symbolic_mem.solvers.capacity import Capacity

# Memory on one of n devices is K_0 + K_1 t + (D_0 + D_1 t)/n for t tokens, and beta tokens keep one chip busy.
K0, K1, D0, D1 = (local(base, sub) for base in ("K", "D") for sub in ("0", "1"))
BETA, OWN = local("β", ""), local("t", "")


class Sides(Protocol):
    """What `FoundBoth` holds of both bounds."""

    @property
    def symbol(self) -> sp.Symbol:
        """The degree."""

    @property
    def capacity(self) -> Capacity:
        """The memory of one device."""

    @property
    def limits(self) -> Both:
        """Both bounds."""

    @property
    def share(self) -> Share:
        """The memory of the instant that decides."""

    @property
    def tokens(self) -> int:
        """The tokens of the batch."""

    @property
    def least(self) -> int | None:
        """The smallest degree that fits."""

    @property
    def most(self) -> int:
        """The largest degree at which the chips stay busy."""


def _kept(expr: sp.Expr, share: Share) -> sp.Expr:
    """The expression without the parts of the memory that are zero here."""
    parts = ((K0, share.fixed), (K1, share.fixed_per_token), (D0, share.divided), (D1, share.divided_per_token))
    return expr.xreplace({symbol: sp.S.Zero for symbol, value in parts if value == 0})


def whose_tokens(share: Share, n: sp.Symbol) -> Block:
    """Say whose tokens are kept, and what FSDP does with the batch."""
    pieces = {"T": T, "t": OWN, "n": n, "own": T / n}
    if share.own:
        return Paragraph(
            say(
                "{T} counts the tokens of the whole batch and {t} = {own} those of one device: FSDP divides the batch over "
                "its devices. What is kept in full and what is divided are counted for the tokens of one device.",
                **pieces,
            )
        )
    if share.fixed_per_token:
        return Paragraph(
            say(
                "{T} counts the tokens of the whole batch. What is not divided is taken here as that of the whole batch, on "
                "every device. FSDP does not do that: it gives each device only {own} tokens, whose activations are all "
                "that the device keeps.",
                **pieces,
            )
        )
    if share.divided_per_token:
        return Paragraph(
            say(
                "{T} counts the tokens of the whole batch. FSDP gives each device {own} of them, so what is kept of the "
                "activations of the whole batch is divided over the {n} devices.",
                **pieces,
            )
        )
    return Paragraph(say("{T} counts the tokens of the whole batch; what is kept does not depend on them.", T=T))


def bounds(found: Sides, work: Work) -> Iterator[Block]:
    """What memory asks of the degree, and what computing asks."""
    n, limit, share = found.symbol, Limit(found.capacity.counted, found.limits.strict), found.share
    t = OWN if share.own else T
    fixed, whole = _kept(K0 + K1 * t, share), _kept(D0 + D1 * t, share)
    parts = [part for part in (fixed, whole / n) if part != 0]
    yield work.step(
        text("Memory asks for many devices. One device holds what is kept in full and its part of what is divided:")
        if whole != 0
        else text("Nothing is divided at the moment that decides, so what is kept fits at every degree or at none:"),
        Chain(Total(tuple(parts)) if len(parts) > 1 else parts[0], ((limit.sign, C_mem),), asked=True),
    )
    yield _parts_table(found)
    busy = found.limits.busy
    yield work.step(
        say(
            "Computing asks for few: the forward pass of FSDP alone keeps a chip busy only with more than {beta} tokens of "
            "its own:",
            beta=BETA,
        ),
        Chain(T / n, ((">", BETA),), asked=True),
        Chain(BETA, (("=", busy), ("=", work.put(busy)), amount(work.number(BETA), "tokens"))),
        Chain(n, (("<", T / BETA),), asked=True),
    )


def _parts_table(found: Sides) -> Table:
    """The parts of the memory that are not zero, in words and numbers."""
    unit, share = found.capacity.unit, found.share
    said = (
        (K0, share.fixed, unit, "held in full by every device, without tokens"),
        (K1, share.fixed_per_token, "bytes", "held in full by every device, for each token"),
        (D0, share.divided, unit, "divided over the devices, without tokens"),
        (D1, share.divided_per_token, "bytes", "divided over the devices, for each token"),
    )
    rows = tuple(
        (say("{s}", s=symbol), text(words), about(Amount(symbolic(value), shown)))
        for symbol, value, shown, words in said
        if value != 0
    )
    heads = (Column(text("")), Column(text("what it is"), "text"), Column(text(""), "right"))
    return Table(text("What one device holds"), heads, rows)


def window(found: Sides, work: Work) -> Iterator[Block]:
    """Both bounds at the batch of the study, one step for each."""
    yield _window(found, work)
    ratio = T / found.limits.busy
    yield work.step(
        text("Computing allows fewer than"),
        Chain(T / BETA, (("=", ratio), ("=", work.put(ratio)), unrounded(work.number(ratio), "chips"))),
    )
    if found.least is not None and not found.limits.alone:
        yield Paragraph(_so(found))


def _window(found: Sides, work: Work) -> Block:
    """The bound of memory at the batch of the study."""
    share, least = found.share, found.limits.least_of_several(found.tokens)
    tokens = Amount(sp.Integer(found.tokens))
    if share.own:
        return _window_of_own(found, work)
    room = _kept(C_mem - K0 - K1 * T, share)
    if least is None:
        return work.step(
            say(
                "At the batch of the study, {t} tokens, what every device keeps in full does not fit, whatever the degree:",
                t=tokens,
            ),
            Chain(room, (("=", work.put(room)), amount(work.number(room), found.capacity.unit), ("≤", sp.S.Zero))),
        )
    whole = _kept(D0 + D1 * T, share)
    if whole == 0:
        limit = Limit(found.capacity.counted, found.limits.strict)
        return work.step(
            say("At the batch of the study, {t} tokens, what every device keeps fits at every degree:", t=tokens),
            Chain(_kept(K0 + K1 * T, share), ((limit.sign, C_mem),)),
        )
    quotient = whole / room
    return work.step(
        say("At the batch of the study, {t} tokens, memory asks for more than", t=tokens)
        if found.limits.strict
        else say("At the batch of the study, {t} tokens, memory asks for at least", t=tokens),
        Chain(quotient, (("=", work.put(quotient)), unrounded(work.number(quotient), "devices"))),
    )


def _window_of_own(found: Sides, work: Work) -> Block:
    """At the batch of the study, where each device has T/n tokens: the memory falls as the degree grows."""
    share, n, unit = found.share, found.symbol, found.capacity.unit
    least = found.limits.least_of_several(found.tokens)
    limit = Limit(found.capacity.counted, found.limits.strict)
    parts = [_kept((K1 * T + D0) / n, share), _kept(D1 * T / n**2, share), _kept(K0, share)]
    parts = [part for part in parts if part != 0]
    chains = [Chain(Total(tuple(parts)) if len(parts) > 1 else parts[0], ((limit.sign, C_mem),), asked=True)]
    if least is None:
        said = say(
            "At the batch of the study, {t} tokens, what every device keeps whatever the degree does not fit:",
            t=Amount(sp.Integer(found.tokens)),
        )
        return work.step(said, Chain(K0, ((limit.fails, C_mem),)))
    for number, relation in ((least, limit.sign), (least - 1, limit.fails)):
        if number:
            held_there = symbolic(share.at(number, found.tokens))
            here = local("n", str(number))
            work.values[here] = sp.Integer(number)
            puts = tuple(work.put(part.xreplace({n: here})) for part in parts)
            room = Amount(symbolic(found.capacity.counted), unit)
            whole = Total(puts) if len(puts) > 1 else puts[0]
            kept = local("M", str(number))
            work.values[kept] = held_there
            chains.append(Chain(kept, (("=", whole), amount(held_there, unit), (relation, room))))
    return work.step(
        say(
            "At the batch of the study, {t} tokens, one device holds less the more devices there are. The first number at "
            "which what is kept fits is {least}:",
            t=Amount(sp.Integer(found.tokens)),
            least=least,
        ),
        *chains,
    )


def on_one(found: Sides, work: Work) -> Iterator[Block]:
    """What one device holds at the fullest instant of its own step, where that is another one than the step of several."""
    if not found.limits.alone:
        return
    limit, unit = Limit(found.capacity.counted, found.limits.strict), found.capacity.unit
    held = max(share.at(1, found.tokens) for share in found.limits.alone)
    kept = local("M", "1")
    work.values[kept] = symbolic(held)
    relation = limit.sign if limit.holds(held) else limit.fails
    yield work.step(
        text(
            "One device alone holds the whole weights of one block at a time and gathers none ahead. At the fullest instant of its "
            "own step it holds"
        ),
        Chain(kept, (amount(symbolic(held), unit), (relation, Amount(symbolic(found.capacity.counted), unit)))),
    )
    if found.least is not None:
        yield Paragraph(_so(found))


def _so(found: Sides) -> Prose:
    holds = (
        say("So at least {least} devices hold what is kept", least=found.least or 0)
        if (found.least or 0) > 1
        else text("So one device holds what is kept")
    )
    if found.most == 0:
        return say("{holds}, and none stays busy.", holds=holds)
    if found.most == 1:
        return say("{holds}, and at most one stays busy.", holds=holds)
    return say("{holds}, and at most {most} stay busy.", holds=holds, most=found.most)


def at_first(found: Sides, work: Work, tokens: int, degree: int) -> Iterator[Block]:
    """Check the smallest batch of whole sequences at which a degree does both: it is the first with which that stays busy."""
    share, n, t = found.share, found.symbol, OWN if found.share.own else T
    there = Work({**work.values, T: sp.Integer(tokens), n: sp.Integer(degree), OWN: sp.Rational(tokens, degree)})
    least, at = n * BETA, Amount(sp.Integer(tokens))
    busy = Chain(least, (("=", there.put(least)), unrounded(there.number(least), "tokens")))
    yield there.step(
        say(
            "On {n} devices the chips stay busy with more tokens than this, in whole sequences with {t}:",
            n=degree,
            t=at,
        )
        if degree > 1
        else say("One device stays busy with more tokens than this, in whole sequences with {t}:", t=at),
        busy,
    )
    if found.limits.deciding(tokens) != share or (degree == 1 and found.limits.alone):
        return  # another instant decides there, of which nothing is derived
    parts = [part for part in (_kept(K0 + K1 * t, share), _kept(D0 + D1 * t, share) / n) if part != 0]
    puts = tuple(there.put(part) for part in parts)
    kept, whole = (Total(tuple(some)) if len(some) > 1 else some[0] for some in (parts, puts))
    sign = Limit(found.capacity.counted, found.limits.strict).sign
    held, unit = symbolic(share.at(degree, tokens)), found.capacity.unit
    yield there.step(
        say("At {t} tokens what is kept on {n} devices fits:", n=degree, t=at)
        if degree > 1
        else say("At {t} tokens what is kept on one device fits:", t=at),
        Chain(kept, (("=", whole), amount(held, unit), (sign, Amount(symbolic(found.capacity.counted), unit)))),
    )


def edge(found: Sides, work: Work) -> Iterator[Block]:
    """At T = beta n both bounds become one condition on n alone: some degree does both, or none at any batch."""
    share, limits, unit = found.share, found.limits, found.capacity.unit
    if share.divided == 0 and not share.grows:
        return
    n, sign = found.symbol, "<" if limits.below(share) else "≤"
    per_token = K1 if share.own else D1
    room = _kept(C_mem - K0 - per_token * BETA, share)
    shrinks = _kept(D0 + D1 * BETA if share.own else D0, share)
    grows = sp.S.Zero if share.own else _kept(K1 * BETA, share)
    value = work.number(room)
    yield Step(
        say(
            "A larger batch only adds memory, and {n} busy chips need more than {least} tokens. So what counts is the memory "
            "there:",
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
        "It holds, so some degrees do both, between the two roots."
        if holds
        else "It does not hold: the condition holds for no degree above one, at any batch. That is the proof that several "
        "devices never do both."
        if found.limits.alone
        else "It does not hold: the condition holds for no degree, at any batch. That is the proof that none exists."
    )
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
