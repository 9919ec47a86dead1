"""The steps of `fits_and_computes`: whose tokens count, both bounds, and the window at a batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import sympy as sp

from symbolic_mem.base.limit import Limit
from symbolic_mem.base.rational import symbolic
from symbolic_mem.base.symbols import C_mem, T, local
from symbolic_mem.document.prose import Amount, Chain, Prose, Total, amount, say, text
from symbolic_mem.document.steps import Block, Column, Paragraph, Table
from symbolic_mem.document.words import about, counted, unrounded
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.one_device import ALONE
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

    @property
    def first(self) -> tuple[int, int] | None:
        """The smallest batch of whole sequences that lets a degree do both, and that degree."""


def kept(expr: sp.Expr, share: Share) -> sp.Expr:
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
    fixed, whole = kept(K0 + K1 * t, share), kept(D0 + D1 * t, share)
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
            "Computing asks for few. One device sends nothing, so it stays busy; of several the forward pass of FSDP alone "
            "keeps a chip busy only with more than {beta} tokens of its own:",
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
        text("Of several devices computing allows fewer than"),
        Chain(T / BETA, (("=", ratio), ("=", work.put(ratio)), unrounded(work.number(ratio), "chips"))),
    )
    if found.least is not None and not found.limits.alone:
        yield Paragraph(_so(found))


def _window(found: Sides, work: Work) -> Block:
    """The bound of memory at the batch of the study."""
    share, least = found.share, found.limits.least_of_several(found.tokens)
    tokens = counted(found.tokens, "tokens")
    if share.own:
        return _window_of_own(found, work)
    room = kept(C_mem - K0 - K1 * T, share)
    if least is None:
        return work.step(
            say(
                "At the batch of the study, {t}, what every device keeps in full does not fit, whatever the degree:",
                t=tokens,
            ),
            Chain(room, (("=", work.put(room)), amount(work.number(room), found.capacity.unit), ("≤", sp.S.Zero))),
        )
    whole = kept(D0 + D1 * T, share)
    if whole == 0:
        limit = Limit(found.capacity.counted, found.limits.strict)
        return work.step(
            say("At the batch of the study, {t}, what every device keeps fits at every degree:", t=tokens),
            Chain(kept(K0 + K1 * T, share), ((limit.sign, C_mem),)),
        )
    quotient = whole / room
    return work.step(
        say("At the batch of the study, {t}, memory asks for more than", t=tokens)
        if found.limits.strict
        else say("At the batch of the study, {t}, memory asks for at least", t=tokens),
        Chain(quotient, (("=", work.put(quotient)), unrounded(work.number(quotient), "devices"))),
    )


def _window_of_own(found: Sides, work: Work) -> Block:
    """At the batch of the study, where each device has T/n tokens: the memory falls as the degree grows."""
    share, n, unit = found.share, found.symbol, found.capacity.unit
    least = found.limits.least_of_several(found.tokens)
    limit = Limit(found.capacity.counted, found.limits.strict)
    parts = [kept((K1 * T + D0) / n, share), kept(D1 * T / n**2, share), kept(K0, share)]
    parts = [part for part in parts if part != 0]
    chains = [Chain(Total(tuple(parts)) if len(parts) > 1 else parts[0], ((limit.sign, C_mem),), asked=True)]
    if least is None:
        said = say(
            "At the batch of the study, {t}, what every device keeps whatever the degree does not fit:",
            t=counted(found.tokens, "tokens"),
        )
        return work.step(said, Chain(K0, ((limit.fails, C_mem),)))
    for number, relation in ((least, limit.sign), (least - 1, limit.fails)):
        if number > bool(found.limits.alone):
            held_there = symbolic(share.at(number, found.tokens))
            here = local("n", str(number))
            work.values[here] = sp.Integer(number)
            puts = tuple(work.put(part.xreplace({n: here})) for part in parts)
            room = Amount(symbolic(found.capacity.counted), unit)
            whole = Total(puts) if len(puts) > 1 else puts[0]
            bytes_there = local("M", str(number))
            work.values[bytes_there] = held_there
            chains.append(Chain(bytes_there, (("=", whole), amount(held_there, unit), (relation, room))))
    return work.step(
        say(
            "At the batch of the study, {t}, one device holds less the more devices there are. The first number at "
            "which what is kept fits is {least}:",
            t=counted(found.tokens, "tokens"),
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
    one = local("M", "1")
    work.values[one] = symbolic(held)
    relation = limit.sign if limit.holds(held) else limit.fails
    yield work.step(
        say("{alone}. At the fullest instant of its own step it holds", alone=ALONE),
        Chain(one, (amount(symbolic(held), unit), (relation, Amount(symbolic(found.capacity.counted), unit)))),
    )
    if found.least is not None:
        yield Paragraph(_so(found))


def _so(found: Sides) -> Prose:
    holds = (
        say("So at least {least} devices hold what is kept", least=found.least or 0)
        if (found.least or 0) > 1
        else text("So one device holds what is kept")
    )
    if found.most == 1:
        return say("{holds}, and at most one stays busy.", holds=holds)
    return say("{holds}, and at most {most} stay busy.", holds=holds, most=found.most)
