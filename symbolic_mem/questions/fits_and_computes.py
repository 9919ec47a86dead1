"""The question `fits_and_computes`: degrees that hold the memory and keep the chips busy, or why there are none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import Values
from symbolic_mem.base.ledger import Ledger, Line
from symbolic_mem.base.limit import Limit
from symbolic_mem.base.rational import symbolic
from symbolic_mem.base.symbols import M_X, C, C_mem, T, W, local, n_fsdp
from symbolic_mem.document.prose import Amount, Chain, Prose, amount, say, text
from symbolic_mem.document.steps import Block, Step
from symbolic_mem.document.words import sentences
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.instants import bound_at, each_words, instants
from symbolic_mem.questions.parts.keys import OfKinds, degree
from symbolic_mem.questions.parts.setting import setting
from symbolic_mem.questions.parts.uncounted import uncounted_records
from symbolic_mem.questions.parts.words import capacity_blocks
from symbolic_mem.solvers.both import Both, Share, both
from symbolic_mem.solvers.capacity import Capacity
from symbolic_mem.study.question import At, Claimed, Found, key
from symbolic_mem.study.study import Study

# Local names: memory on one device is U_0 + u T + (P_0 + p T)/n, and beta tokens keep one chip busy.
U0, U1, P0, P1, BETA = local("U", "0"), local("u", ""), local("P", "0"), local("p", ""), local("β", "")


def _fsdp(given: Any, at: At) -> sp.Symbol:
    symbol = degree(given, at)
    if symbol != n_fsdp:
        raise BadInput(f"{at.where} = {given!r}: computing is bounded for FSDP alone; give n_fsdp, or leave it out")
    return symbol


_EDGES = ("{}_most", "batch_tokens_least", "{}_at_batch_tokens_least")


@dataclass(frozen=True)
class FitsAndComputes(OfKinds):
    """The interval of degrees under both bounds at the study's batch, and the batch from which there is one."""

    ask = "fits_and_computes"

    symbol: sp.Symbol = key(_fsdp, n_fsdp, name="for")

    @property
    def unknowns(self) -> tuple[str, ...]:
        """The degree."""
        return (str(self.symbol),)

    def limits(self, study: Study) -> tuple[Both, int]:
        """Both bounds over every instant that must fit, and the tokens of the study's batch: the engine of every face."""
        found = setting(study, "fsdp", "forward")
        bounds = []
        for one in instants(study, self.counted):
            memory = one.placed(self.counted)
            study.need(memory.total.xreplace({self.symbol: sp.S.One}), f"question {self.label}")
            bounds.append(bound_at(one, self.counted, self.symbol, strict=self.strict))
        assert found.tokens is not None, "the memory needs B and S, and both have values"
        return both(study.model, found.roofline.network, bounds, study.values), int(found.tokens)

    def answer(self, study: Study) -> FoundBoth:
        """Put the bound of memory beside that of computing."""
        limits, tokens = self.limits(study)
        deciding = limits.deciding(tokens)
        return FoundBoth(
            study,
            self,
            capacity=study.capacity,
            limits=limits,
            share=deciding,
            tokens=tokens,
            least=limits.least(tokens),
            most=limits.most(tokens),
            interval=limits.interval(tokens),
            first=limits.first_batch(),
        )

    def steps(self, found: FoundBoth) -> Iterator[Block]:
        """Each bound, the window at the study's batch, and the batch at the edge of both."""
        share = found.share
        known = {T: sp.Integer(found.tokens), BETA: symbolic(found.limits.beta)}
        known |= {
            U0: symbolic(share.fixed),
            U1: symbolic(share.fixed_per_token),
            P0: symbolic(share.divided),
            P1: symbolic(share.divided_per_token),
        }
        work = Work(known)
        yield from capacity_blocks(found.capacity, work)
        yield from _bounds(found, work)
        yield _window(found, work)
        yield from _edge(found, work)

    def sentence(self, found: FoundBoth) -> Prose:
        """Say which degrees do both at the study's batch, and the smallest batch that lets one."""
        tokens = Amount(sp.Integer(found.tokens))
        return sentences(_here(found, tokens), _at_best(found))

    def beside(self, found: Any) -> tuple[Prose, ...]:
        """Say that two instants count, where gradients do not persist."""
        return (each_words(),) if len(found.limits.shares) > 1 else ()

    def heading(self, found: FoundBoth) -> str:
        """The title where the study gives none."""
        return self.title or "The degrees that hold what is kept and keep the chips busy"

    @property
    def claimable(self) -> tuple[str, ...]:
        """What can be claimed: the degree, the first and the last of the interval, and the edge of both bounds."""
        return (str(self.symbol), *(name.format(self.symbol) for name in _EDGES))

    def claims(self, study: Study) -> Mapping[str, Claimed]:
        """The smallest and the largest degree that do both, and the smallest batch that lets a degree do both."""
        limits, tokens = self.limits(study)
        low, high = limits.interval(tokens) or (None, None)
        batch, there = limits.first_batch() or (None, None)
        meaning, both = "the smallest degree that {}", "holds what is kept and keeps the chips busy"
        smallest = Claimed(low, "devices", meaning.format(both), quotient=limits.quotient(tokens), unit="devices")
        edges = (
            Claimed(high, "count", f"the largest degree that {both}", unit="devices"),
            Claimed(batch, "count", "tokens in the smallest batch that lets a degree do both", unit="tokens"),
            Claimed(there, "count", "the degree that does both at that batch", unit="devices"),
        )
        names = (name.format(self.symbol) for name in _EDGES)
        return {str(self.symbol): smallest, **dict(zip(names, edges, strict=True))}


@dataclass(frozen=True, repr=False)
class FoundBoth(Found):
    """Both bounds; what decides at the study's batch (`share`), the interval there, and the first batch with one."""

    question: FitsAndComputes
    capacity: Capacity
    limits: Both
    share: Share
    tokens: int
    least: int | None
    most: int
    interval: tuple[int, int] | None
    first: tuple[int, int] | None

    @property
    def value(self) -> int | None:
        """The smallest degree that does both."""
        return None if self.interval is None else self.interval[0]

    @property
    def feasible(self) -> bool:
        """Whether some degree does both at the study's batch."""
        return self.interval is not None

    @property
    def reason(self) -> Prose | None:
        """Why no degree does both."""
        if self.feasible:
            return None
        if self.least is None:
            return text("what every device keeps in full does not fit, whatever the degree")
        return say(
            "at least {least} devices hold what is kept, and at most {most} stay busy", least=self.least, most=self.most
        )

    @property
    def ledger(self) -> Ledger:
        """The two lines of memory, and the tokens that keep a chip busy."""
        share = self.share
        return Ledger(
            (
                Line(U0, symbolic(share.fixed), "bytes", "what every device holds in full, without tokens"),
                Line(U1, symbolic(share.fixed_per_token), "bytes", "the same for each token of the batch"),
                Line(P0, symbolic(share.divided), "bytes", "what is divided, without tokens"),
                Line(P1, symbolic(share.divided_per_token), "bytes", "the same for each token of the batch"),
                Line(BETA, symbolic(self.limits.beta), "tokens", "tokens that keep one chip busy"),
                Line(C_mem, symbolic(self.capacity.counted), "bytes", "what counts of one device"),
            ),
            {T: sp.Integer(self.tokens)},
        )

    @property
    def _known(self) -> Values:
        """The numbers of the study, with the answer in its place."""
        answer = {} if self.value is None else {self.question.symbol: sp.Integer(self.value)}
        return {**self.study.values, **answer}

    @property
    def facts(self) -> Mapping[str, Any]:
        """Both bounds, the interval, and the first batch that has one."""
        return {
            "for": str(self.question.symbol),
            "feasible": self.feasible,
            "value": self.value,
            "interval": self.interval,
            "smallest_that_fits": self.least,
            "largest_that_computes": self.most,
            "batch_tokens": self.tokens,
            "first_batch_tokens": None if self.first is None else self.first[0],
            "first_batch_degree": None if self.first is None else self.first[1],
            "not_counted": uncounted_records(self.study, self._known),
        }


def _kept(expr: sp.Expr, share: Share) -> sp.Expr:
    """The expression without the parts of the memory that are zero here."""
    parts = ((U0, share.fixed), (U1, share.fixed_per_token), (P0, share.divided), (P1, share.divided_per_token))
    return expr.xreplace({symbol: sp.S.Zero for symbol, value in parts if value == 0})


def _bounds(found: FoundBoth, work: Work) -> Iterator[Block]:
    n, limit = found.question.symbol, Limit(found.capacity.counted, found.limits.strict)
    total, whole = _kept(U0 + U1 * T + (P0 + P1 * T) / n, found.share), _kept(P0 + P1 * T, found.share)
    units = {U0: "GB", U1: "bytes", P0: "GB", P1: "bytes"}
    memory = [Chain(total, ((limit.sign, C_mem),), asked=True)]
    memory += [
        Chain(symbol, (amount(work.number(symbol), unit),)) for symbol, unit in units.items() if total.has(symbol)
    ]
    yield work.step(
        text("Memory asks for many devices, and for more of them the more tokens there are:")
        if whole != 0
        else text("Nothing is divided at the moment that decides, so what is kept fits at every degree or at none:"),
        *memory,
    )
    yield work.step(
        say(
            "Computing asks for few: FSDP alone keeps a chip busy only with {tokens} tokens of its own,",
            tokens=C / (M_X * W),
        ),
        Chain(n, (("<", T / BETA),), asked=True),
        Chain(BETA, (amount(work.number(BETA), "tokens"),)),
    )


def _window(found: FoundBoth, work: Work) -> Block:
    tokens = Amount(sp.Integer(found.tokens))
    upper = Chain(T / BETA, (("=", work.put(T / BETA)), amount(work.number(T / BETA), "chips")))
    room = _kept(C_mem - U0 - U1 * T, found.share)
    if found.least is None:
        return work.step(
            say(
                "At the batch of the study, {t} tokens, what every device keeps in full does not fit, whatever the degree:",
                t=tokens,
            ),
            Chain(room, (("=", work.put(room)), amount(work.number(room), "GB"), ("≤", sp.S.Zero))),
            upper,
        )
    whole = _kept(P0 + P1 * T, found.share)
    if whole == 0:
        limit = Limit(found.capacity.counted, found.limits.strict)
        kept = _kept(U0 + U1 * T, found.share)
        return work.step(
            say(
                "At the batch of the study, {t} tokens, what every device keeps fits, and the other bound is", t=tokens
            ),
            Chain(kept, ((limit.sign, C_mem),)),
            upper,
            reason=say("So at most {most} devices stay busy.", most=found.most),
        )
    quotient = whole / room
    return work.step(
        say("At the batch of the study, {t} tokens, the two bounds are", t=tokens),
        Chain(quotient, (("=", work.put(quotient)), amount(work.number(quotient), "devices"))),
        upper,
        reason=say(
            "So at least {least} devices hold what is kept, and at most {most} stay busy.",
            least=found.least,
            most=found.most,
        ),
    )


def _edge(found: FoundBoth, work: Work) -> Iterator[Block]:
    """At the smallest batch that keeps n chips busy, T = beta n, both bounds become one condition on n alone."""
    n, share = found.question.symbol, found.share
    room = _kept(C_mem - U0 - P1 * BETA, share)
    square = _kept(U1, share) * BETA * n**2 - room * n + P0
    value = work.number(room)
    yield Step(
        text("A larger batch only adds memory, so the smallest batch for n chips decides. There"),
        (Chain(T, (("=", BETA * n),), asked=True), Chain(square, (("≤", sp.S.Zero),), asked=True)),
    )
    yield work.step(
        text("which needs room for what does not depend on the batch"),
        Chain(room, (("=", work.put(room)), amount(value, "GB"), (">" if value > 0 else "≤", sp.S.Zero))),
    )
    if value <= 0:
        return
    if share.fixed_per_token == 0 and share.divided == 0:
        return
    if share.fixed_per_token == 0:
        smallest = P0 / room
        chain = Chain(smallest, (("=", work.put(smallest)), amount(work.number(smallest), "devices")))
        yield work.step(say("Nothing grows on every device, so {n} is at least", n=n), chain)
        return
    discriminant = room**2 - 4 * U1 * BETA * P0
    holds = work.number(discriminant) >= 0
    meaning = (
        "It is not negative, so some degrees do both, between the two roots."
        if holds
        else "It is negative: the condition holds for no degree, at any batch. That is the proof that none exists."
    )
    shown = Chain(discriminant, (("=", work.put(discriminant)), ("≥" if holds else "<", sp.S.Zero)))
    yield work.step(text("and a discriminant that is not negative:"), shown, reason=text(meaning))


def _here(found: FoundBoth, tokens: Amount) -> Prose:
    if found.interval is None:
        return say("At {t} tokens no degree does both.", t=tokens)
    low, high = found.interval
    if low == high:
        return say(
            "At {t} tokens {low} devices both hold what is kept and stay busy; the smallest is {low}.",
            t=tokens,
            low=low,
        )
    return say(
        "At {t} tokens {low} to {high} devices both hold what is kept and stay busy; the smallest is {low}.",
        t=tokens,
        low=low,
        high=high,
    )


def _at_best(found: FoundBoth) -> Prose:
    if found.first is None:
        return text("No batch lets any degree do both: shard more of what every device holds.")
    return say(
        "The smallest batch of whole sequences that lets a degree do both is {t} tokens, with {n} devices.",
        t=Amount(sp.Integer(found.first[0])),
        n=Amount(sp.Integer(found.first[1])),
    )
