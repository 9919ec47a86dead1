"""`Demand`: what sending along an axis asks of the batch, and the steps that solve it for the tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import sympy as sp

from symbolic_mem.base.exact import Values
from symbolic_mem.base.symbols import T, T_min, t_comm, t_math
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Chain, amount, say, text
from symbolic_mem.document.steps import Block, Step
from symbolic_mem.document.words import counted, sentences
from symbolic_mem.document.work import Work
from symbolic_mem.plans.roofline import symbol_of
from symbolic_mem.questions.parts.times import PassTimes
from symbolic_mem.solvers.critical import Critical

AXIS_WORDS = {"X": "the FSDP axis", "Y": "the tensor-parallel axis", "pods": "the network between pods"}


@dataclass(frozen=True)
class Demand:
    """Computing for `slope` T seconds must take longer than sending for `constant` + `growth` T along `axes`.

    That is T > `tokens`, where the `margin` over what grows with the batch exceeds one. `sent` is the symbol of the
    seconds of sending, or the sum of them.
    """

    axes: tuple[str, ...]
    sent: sp.Expr
    slope: sp.Expr
    constant: sp.Expr
    growth: sp.Expr
    tokens: sp.Expr
    margin: sp.Expr


def demands(bound: Critical) -> tuple[Demand, ...]:
    """Return what each axis asks of the batch, or all of them together where their times are added."""
    return tuple(
        Demand(
            limit.axes,
            sp.Add(*map(symbol_of, limit.axes)),
            limit.slope,
            limit.constant,
            limit.growth,
            limit.tokens,
            limit.margin,
        )
        for limit in bound.limits
    )


def demand_blocks(asked: tuple[Demand, ...], times: PassTimes, overlap: str, work: Work) -> Iterator[Block]:
    """Turn "computing takes longer than sending" into a bound on the tokens, line by line."""
    lead = text("")
    if len(times.along) > 1:
        lead = (
            text("The axes use different links and send at the same time, so each must be faster than the products.")
            if overlap == "max"
            else text(
                "The axes send one after the other, so their times add, and the sum must be less than the products take."
            )
        )
    for demand in asked:
        steps = []
        if demand.growth != 0:
            steps.append(_margin_step(demand, work))
        if demand.constant != 0 and (demand.growth == 0 or work.number(demand.margin) > 1):
            steps.append(_solved(demand, work))
        for step in steps:
            yield replace(step, statement=sentences(lead, step.statement))
            lead = text("")


def _margin_step(demand: Demand, work: Work) -> Step:
    margin = work.number(demand.margin)
    holds = ">" if margin > 1 else "≤"
    if demand.constant != 0:
        statement = text(
            "Of what is sent, one part grows with the batch. That part alone must take less than the products. The "
            "products over it take"
        )
    elif len(demand.axes) > 1:
        statement = text(
            "What is sent along both axes grows with the batch, as the products do, so the batch cancels. The products "
            "over it take"
        )
    else:
        statement = say(
            "What is sent along {where} grows with the batch, as the products do, so the batch cancels. The products "
            "over it take",
            where=text(AXIS_WORDS[demand.axes[0]]),
        )
    return work.step(
        statement,
        Chain(demand.margin, (("=", work.put(demand.margin)), amount(margin, digits=5), (holds, sp.S.One))),
        reason=text("It must exceed one: then this holds at every batch; otherwise no batch is enough."),
    )


def _solved(demand: Demand, work: Work) -> Step:
    tokens = work.define(T_min, demand.tokens)
    computing = demand.slope * T if demand.growth == 0 else demand.slope * T - demand.growth * T
    links = (("=", demand.tokens), ("=", work.put(demand.tokens)), amount(tokens, "tokens"))
    work.check(Chain(T_min, links))
    return work.step(
        say("Solved for the tokens, {line} says", line=Chain(t_math, ((">", demand.sent),), asked=True)),
        Chain(computing, ((">", demand.constant),), asked=True),
        Chain(T, ((">", T_min), *links), asked=True),
    )


def balance_step(times: PassTimes, overlap: str, tokens: sp.Expr, values: Values) -> Step:
    """Put the critical batch back: there the slowest axis (or the sum) takes exactly as long as the products."""
    work = Work({**values, T: tokens})
    computing = work.define(t_math, times.math)
    chains = [Chain(t_math, (("=", times.math), amount(computing, "s")))]
    for each in times.along:
        seconds = work.define(each.symbol, each.time)
        chains.append(Chain(each.symbol, (("=", each.time), amount(seconds, "s"))))
    if overlap == "sum" and len(times.along) > 1:
        work.define(t_comm, sp.Add(*(each.time for each in times.along)))
        chains.append(Chain(t_comm, (("=", sp.Add(*(each.symbol for each in times.along))), ("=", t_math))))
    return work.step(say("Check: at {t}", t=counted(tokens, "tokens")), *chains)
