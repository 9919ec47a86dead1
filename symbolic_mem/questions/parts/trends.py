"""Topics about a memory alone: what stays on every device, where activations overtake states, what one percent adds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sympy as sp

from symbolic_mem.accounts.terms import Term
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import put
from symbolic_mem.base.factors import common_factors_first
from symbolic_mem.base.limit import Limit
from symbolic_mem.base.rational import symbolic
from symbolic_mem.base.symbols import B, M_activations, M_fixed, M_static, M_total, S, T, local
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Brief, Chain, Prose, Total, amount, say, text
from symbolic_mem.document.steps import Block, Bullets, Column, Paragraph, Table
from symbolic_mem.document.words import about, gib, plural
from symbolic_mem.document.work import Work
from symbolic_mem.models.tensors import STATIC
from symbolic_mem.questions.parts.assumptions import DEGREES
from symbolic_mem.questions.parts.instants import need_asked
from symbolic_mem.solvers.bound import Bound, is_divided
from symbolic_mem.solvers.insight import Crossover, Sensitivity, crossover, floor_under, sensitivities
from symbolic_mem.study.study import Study

_MANY = 4  # terms, whose formula is then too long to be taken in


@dataclass(frozen=True)
class FloorOf:
    """What stays on every device however many there are along `symbol`: its terms, their sum, and its bytes.

    `falls` says whether anything beside it is divided, at the same instant; `moment` names that, where they are known.
    """

    symbol: sp.Symbol
    terms: tuple[Term, ...]
    sizes: tuple[sp.Expr, ...]
    limit: sp.Expr
    bytes: sp.Expr
    falls: bool
    moment: str = ""

    @property
    def facts(self) -> Mapping[str, Any]:
        """The bytes and the names of the terms."""
        return {"floor_bytes": self.bytes, "floor_terms": [term.name for term in self.terms]}

    def steps(self, work: Work) -> Iterator[Block]:
        """The limit of the memory as the degree grows, term by term."""
        work.define(M_fixed, self.limit)
        if not self.terms:
            yield Paragraph(self.closing)
            return
        chain = Chain(
            M_fixed,
            (
                ("=", Brief(self.limit, wraps=True)),
                ("=", Brief(work.put(self.limit), wraps=True)),
                *((("=", Total(self.sizes)),) if len(self.terms) > _MANY else ()),
                amount(self.bytes, "GiB"),
            ),
        )
        yield work.step(
            say("As {n} grows, the memory of one device falls towards what is not divided:", n=self.symbol)
            if self.falls and not self.moment
            else say(
                "As {n} grows, the memory of one device falls towards what is there undivided at its fullest instant, "
                "{moment}:",
                n=self.symbol,
                moment=self.moment,
            )
            if self.falls
            else say(
                "Whatever {n} is, one device keeps at one moment of a step, at which nothing is divided:", n=self.symbol
            ),
            chain,
        )
        yield Bullets(
            tuple(
                say("{name}: {f}", name=text(term.name), f=_formula(term.bytes, size))
                for term, size in zip(self.terms, self.sizes, strict=True)
            )
        )

    @property
    def closing(self) -> Prose:
        """Below what no number of devices brings one."""
        if not self.terms:
            return say(
                "Every term is divided over {n} devices, so no part of the memory stays on all of them.", n=self.symbol
            )
        return say("No number of devices brings one of them below {f}.", f=about(gib(self.bytes)))


def _formula(written: sp.Expr, size: sp.Expr) -> Brief | Prose:
    """A formula and its bytes, or these alone where it is too long or has no symbol."""
    bytes_of = about(gib(size))
    if not written.free_symbols:
        return bytes_of
    return Brief(say("{f}, here {size}", f=written, size=bytes_of), otherwise=bytes_of)


def floor(moments: Sequence[Study], kinds: Sequence[str], symbol: sp.Symbol) -> FloorOf:
    """Find what no number of devices along `symbol` removes, at the instant at which that is most."""
    memories = [study.placed(tuple(kinds)) for study in moments]
    need_asked(moments[0], symbol, *memories)
    bounds = [Bound(memory, symbol, Limit(0)) for memory in memories]
    fullest = max(range(len(bounds)), key=lambda place: bounds[place].kept.at(moments[place].numbers, "the floor"))
    one, values = floor_under(bounds[fullest]), dict(moments[fullest].values)
    sizes = tuple(put(term.bytes, values) for term in one.terms)
    return FloorOf(
        symbol,
        one.terms,
        sizes,
        one.bytes,
        put(one.bytes, values),
        is_divided(memories[fullest], symbol),
        "" if (at := moments[fullest].at) is None else at.words,
    )


@dataclass(frozen=True)
class Crossing:
    """From which whole value of `symbol` on the activations are larger than the states, and its value `now`."""

    symbol: sp.Symbol
    found: Crossover
    first: int
    now: sp.Expr
    static: sp.Expr
    activations: sp.Expr

    @property
    def facts(self) -> Mapping[str, Any]:
        """The symbol and its first value."""
        return {"crossover": {"symbol": str(self.symbol), "first": self.first}}

    def steps(self, work: Work) -> Iterator[Block]:
        """The inequality solved for the symbol, where it is a short line."""
        work.define(M_static, self.static)
        work.define(M_activations, self.activations)
        powers = dict(self.found.bound.powers)
        slope = powers.get(1)
        if slope is None or self.found.bound.degree != 1 or 0 in powers:
            return
        x, quotient = self.symbol, M_static / slope
        yield work.step(
            say("Activations grow with {x} and states do not. Activations are the larger part once", x=x),
            Chain(slope * x, ((">", M_static),), asked=True),
            Chain(x, ((">", quotient), amount(work.number(quotient), self.counted, digits=8)), asked=True),
            brief=True,
        )

    @property
    def counted(self) -> str:
        """What the batch is counted in."""
        return "tokens" if self.symbol == T else "sequences"

    @property
    def closing(self) -> Prose:
        """From where on they are larger, and whether they are here."""
        pieces = {
            "first": Amount(sp.Integer(self.first)),
            "what": plural(self.first, self.counted.removesuffix("s"), self.counted),
            "now": Amount(self.now) if self.now.is_number else "",
        }
        if not self.now.is_number:
            return say("Activations are larger than the states from {first} {what} on.", **pieces)
        if self.now >= self.first:
            return say(
                "Activations are larger than the states from {first} {what} on. The study has {now}: they are larger.",
                **pieces,
            )
        return say(
            "Activations are larger than the states from {first} {what} on. The study has {now}: they are not larger.",
            **pieces,
        )


def crossing(study: Study) -> Crossing | None:
    """Find the crossover in tokens; in sequences where tokens alone do not decide; None where there is none to tell."""
    memory = study.memory
    growing, states = memory.of("activations"), memory.of(*STATIC)
    if not growing.terms or not states.terms:
        return None
    for symbol in (T, B):
        try:
            found = crossover(memory, study.values, symbol)
        except BadInput:
            continue
        if found.first is None or found.bound.quotient is None:
            return None
        now = (B * S if symbol == T else symbol).xreplace(dict(study.values))
        return Crossing(symbol, found, found.first, now, states.total, growing.total)
    return None


@dataclass(frozen=True)
class Sensitivities:
    """What one percent more of each symbol adds, the largest addition first."""

    rows: tuple[Sensitivity, ...]

    @property
    def facts(self) -> Mapping[str, Any]:
        """Derivative, elasticity, rate and added bytes of every symbol."""
        return {
            "sensitivities": [
                {
                    "symbol": str(one.symbol),
                    "derivative": one.derivative,
                    "elasticity": one.elasticity,
                    "rate": one.rate,
                    "added_bytes": one.added,
                }
                for one in self.rows
            ]
        }

    def steps(self, work: Work) -> Iterator[Block]:
        """The table."""
        rows = tuple(
            (
                say("{x}", x=one.symbol),
                text("–") if one.derivative is None else say("{d}", d=_in_a_line(one.derivative)),
                text("–") if one.rate is None else about(Amount(symbolic(one.rate), digits=3)),
                about(replace(gib(one.added), digits=4)),
            )
            for one in self.rows
        )
        heads = (
            Column(say("{x}", x=local("x", ""))),
            Column(text("derivative, bytes"), "formula"),
            Column(text("elasticity"), "right"),
            Column(text("1 % more adds"), "right"),
        )
        caption = say(
            "How {m} answers to each symbol, the others held: its derivative, its elasticity (the limit of percent for "
            "percent, for ever smaller changes), and what one percent more adds",
            m=M_total,
        )
        yield Table(caption, heads, rows)

    @property
    def closing(self) -> Prose:
        """Which symbol adds the most."""
        most = self.rows[0]
        return say("One percent more of {x} adds the most, {gib}.", x=most.symbol, gib=about(gib(symbolic(most.added))))


def what_it_answers_to(study: Study, kinds: Sequence[str]) -> Sensitivities | None:
    """Find what one percent more of each symbol adds to the whole memory; None where nothing can be varied."""
    every = sensitivities(study.memory.of(*kinds), study.values)
    rows = tuple(row for row in every if row.symbol not in DEGREES)  # nobody adds one percent of a device
    return Sensitivities(rows) if rows else None


def _in_a_line(derivative: sp.Expr) -> sp.Expr:
    """Common factors in front; multiplied out where that would be one wide fraction, which no table can break."""
    short = common_factors_first(derivative)
    divided = any(power.exp.is_negative and power.free_symbols for power in short.atoms(sp.Pow))
    return sp.expand(derivative) if divided else short
