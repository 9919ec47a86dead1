"""`PassTimes`: what one pass computes and sends, with the time of each, and the steps that say so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sympy as sp

from symbolic_mem.base.ledger import Line
from symbolic_mem.base.symbols import B, C, F_layer, S, T, W, alpha, local, named, t_math
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Chain, Prose, amount, say, text
from symbolic_mem.document.steps import Block, Column, Paragraph, Step, Table, in_full
from symbolic_mem.document.work import Work
from symbolic_mem.plans.network import COUNTED
from symbolic_mem.plans.roofline import symbol_of
from symbolic_mem.questions.parts.setting import Setting

PASS_WORDS = {"forward": "a forward pass", "backward": "a backward pass", "step": "a step, forward and backward,"}


@dataclass(frozen=True)
class Sent:
    """One collective: its `name`, the chips that it goes `over`, bytes through a chip (`volume`) and seconds (`time`)."""

    name: str
    axis: str
    over: sp.Expr
    volume: sp.Expr
    time: sp.Expr


@dataclass(frozen=True)
class AxisTime:
    """The seconds of all that is sent along one mesh `axis`, and the symbol that stands for them."""

    axis: str
    symbol: sp.Symbol
    time: sp.Expr


@dataclass(frozen=True)
class PassTimes:
    """One pass of one scheme: `flops` on `chips` take `math` seconds; what is `sent`, and the seconds along each axis.

    `names` are the quantities that a long load is written with (empty: it is written in the sizes of the model), and
    `what` is the layer or the model that is counted.
    """

    one_pass: str
    scheme: str
    what: str
    direction: str
    ring: str
    flops: sp.Expr
    chips: sp.Expr
    math: sp.Expr
    sent: tuple[Sent, ...]
    along: tuple[AxisTime, ...]
    names: Mapping[sp.Symbol, sp.Expr]

    @property
    def lines(self) -> tuple[Line, ...]:
        """The named quantities, the intensity, the operations, and the seconds of computing and along each axis."""
        timed = ((each.symbol, each.time) for each in self.along)
        fixed = ((alpha, C / W), (F_layer, self.flops), (t_math, self.math))
        return tuple(line(symbol, expr) for symbol, expr in (*self.names.items(), *fixed, *timed))


def line(symbol: sp.Symbol, expr: sp.Expr) -> Line:
    """Make the line of a symbol of the table, with its unit and its meaning there.

    >>> line(alpha, C / W).unit
    'FLOP/byte'
    """
    return Line(symbol, expr, named(symbol).unit, named(symbol).meaning)


def pass_times(case: Setting) -> PassTimes:
    """Return what the pass of a setting computes and sends, in symbols."""
    roofline = case.roofline
    sent = (
        Sent(f"{each.kind} of the {each.what}", each.axis, each.over, each.volume(roofline.network), time)
        for each, time in roofline.each
    )
    return PassTimes(
        one_pass=roofline.work.name,
        scheme=case.scheme.name,
        what=case.load.what,
        direction=roofline.network.direction,
        ring=roofline.network.ring,
        flops=roofline.work.flops,
        chips=roofline.work.chips,
        math=roofline.math,
        sent=tuple(sent),
        along=tuple(AxisTime(axis, symbol_of(axis), time) for axis, time in roofline.by_axis.items()),
        names=case.names,
    )


def time_blocks(times: PassTimes, work: Work) -> Iterator[Block]:
    """Say what is counted, then how long computing and sending take; `work` learns the names of the times."""
    yield Paragraph(_counted(times))
    if times.names:
        yield names_step(
            text(
                "A forward pass takes, for one token, and the weights and the activations at the edges of the layers are"
            ),
            times.names,
            work,
        )
    if C in work.values and W in work.values:
        intensity = work.define(alpha, C / W)
        ratio = Chain(alpha, (("=", C / W), ("=", work.put(C / W)), amount(intensity, "FLOP/byte", digits=6)))
        said = text("While a chip sends one byte along one mesh axis, it could compute")
        yield from in_full([work.step(said, ratio)])
    yield _math_step(times, work)
    yield _sent_table(times)
    for each in times.along:
        work.define(each.symbol, each.time)
    if times.along:
        yield work.step(
            text("Collectives on the same axis share its links, so their times add:"),
            *(Chain(each.symbol, (("=", each.time),)) for each in times.along),
        )


def names_step(statement: Prose, names: Mapping[sp.Symbol, sp.Expr], work: Work) -> Step:
    """Write what each of the named quantities of a model is, with its number."""
    chains = (
        Chain(symbol, (("=", meaning), amount(work.values[symbol], named(symbol).unit)))
        for symbol, meaning in names.items()
    )
    return work.step(statement, *chains)


def _counted(times: PassTimes) -> Prose:
    one_pass, counted = text(PASS_WORDS[times.one_pass]), text(COUNTED[times.direction])
    if times.names:
        return say(
            "{t} counts the tokens of the whole batch, {bs} (the TPU Scaling Book writes {b} for them). All is counted "
            "for {one_pass} of the whole model. {w} is {counted}. Elements are sent with two bytes each.",
            t=T,
            bs=B * S,
            b=B,
            one_pass=one_pass,
            w=W,
            counted=counted,
        )
    return say(
        "{t} counts the tokens of the whole batch, {bs} (the TPU Scaling Book writes {b} for them). All is counted for "
        "{one_pass} of one {what}: the number of blocks multiplies computing and sending alike. {w} is {counted}. "
        "Elements are sent with two bytes each.",
        t=T,
        bs=B * S,
        b=B,
        one_pass=one_pass,
        what=text(times.what),
        w=W,
        counted=counted,
    )


_m, _k, _n = (local(letter, "") for letter in "mkn")
MULTIPLIED = say(
    "A product of an ({m}, {k}) and a ({k}, {n}) matrix takes {all} operations; a backward pass makes two.",
    m=_m,
    k=_k,
    n=_n,
    all=2 * _m * _k * _n,
)


def _math_step(times: PassTimes, work: Work) -> Step:
    work.define(F_layer, times.flops)
    work.define(t_math, times.math)
    return work.step(
        say("The matrix products take, on {chips} chips,", chips=times.chips),
        Chain(F_layer, (("=", times.flops),)),
        Chain(t_math, (("=", F_layer / (times.chips * C)), ("=", times.math))),
        reason=MULTIPLIED,
    )


def _sent_table(times: PassTimes) -> Table:
    rows = (
        (text(each.name), say("{n}", n=each.over), say("{b}", b=each.volume), say("{t}", t=each.time))
        for each in times.sent
    )
    return Table(
        text("What is sent in the pass, and how long it takes"),
        (
            Column(text("what is sent"), "text"),
            Column(text("over")),
            Column(text("bytes through a chip")),
            Column(text("seconds")),
        ),
        tuple(rows),
    )
