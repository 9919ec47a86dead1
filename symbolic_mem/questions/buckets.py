"""The question `buckets`: how large a bucket of gradients should be when sending overlaps the backward pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput, at_place
from symbolic_mem.base.formula import read_number
from symbolic_mem.base.ledger import Ledger, Line
from symbolic_mem.base.rational import Number, fraction, symbolic
from symbolic_mem.base.symbols import local
from symbolic_mem.base.units import parse_bytes
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Chain, Prose, amount, say, text
from symbolic_mem.document.steps import Block, Step
from symbolic_mem.document.words import about
from symbolic_mem.document.work import Work
from symbolic_mem.hardware.catalogue import parse_rate
from symbolic_mem.solvers.overheads import Buckets as Plan
from symbolic_mem.study.answered import answer_to
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.found import Found
from symbolic_mem.study.keys import At, key, words
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

# Local names, those of the assignment: bytes of all gradients, bandwidth, overhead of one call, number of buckets.
SIZE, BANDWIDTH, OVERHEAD, TIME = (local(name, "") for name in ("s", "w", "o", "t"))
COUNT = local("n", "b")
ALL = ("size", "bandwidth", "overhead")


def _bytes(given: Any, at: At) -> Number:
    said = words(given, at)
    with at_place(at.where):
        return parse_bytes(said)


def _rate(given: Any, at: At) -> Number:
    said = words(given, at)
    with at_place(at.where):
        return parse_rate(said)


def _seconds(given: Any, at: At) -> sp.Rational:
    return read_number(words(given, at), f"{at.where} (seconds)")


@dataclass(frozen=True, repr=False)
class Buckets(Question):
    """How many buckets, and how large: in symbols, and in numbers where the question gives all three."""

    ask = "buckets"
    of_training = True
    subject = "formulas"

    size: Number | None = key(_bytes)
    bandwidth: Number | None = key(_rate)
    overhead: sp.Rational | None = key(_seconds)

    def checked(self) -> Buckets:
        """Refuse one or two of the three numbers: with them nothing can be said."""
        absent = [name for name in ALL if getattr(self, name) is None]
        if 0 < len(absent) < len(ALL):
            raise BadInput(f"{self.where}: {', '.join(absent)} is missing; give size, bandwidth and overhead, or none")
        return self

    def reads(self, study: Study) -> frozenset[str]:
        """No value of the study: its numbers are its own."""
        return frozenset()

    def answer(self, study: Study) -> FoundBuckets:
        """Find the number and the size of buckets at which the time that is not hidden is least."""
        plan = Plan(SIZE, BANDWIDTH, OVERHEAD)
        numbers = zip((SIZE, BANDWIDTH, OVERHEAD), (self.size, self.bandwidth, self.overhead), strict=True)
        known = {symbol: symbolic(value) for symbol, value in numbers if value is not None}
        return FoundBuckets(study, self, plan, known)

    def steps(self, found: FoundBuckets) -> Iterator[Block]:
        """Write the time that is not hidden, set its derivative to zero, and put the numbers in."""
        plan, work = found.plan, Work(found.known)
        slope = found.slope
        count, size = (sp.Pow(expr**2, sp.S.Half, evaluate=False) for expr in (plan.best, plan.best_size))
        work.check(Chain(slope.xreplace({COUNT: plan.best}), (("=", sp.S.Zero),)))
        best = (Chain(COUNT, (("=", count),), general=True), Chain(SIZE / COUNT, (("=", size),), general=True))
        yield Step(
            say(
                "Gradients of {s} bytes go out in {n} buckets while the backward pass runs, and computing those of a bucket "
                "takes as long as sending it. Each call costs {o} seconds; {w} is the bandwidth of the all-reduce as its "
                "caller sees it, the bytes of one rank over the time that it takes. The last bucket is not hidden. What is "
                "not hidden takes",
                s=SIZE,
                n=COUNT,
                o=OVERHEAD,
                w=BANDWIDTH,
            ),
            (Chain(TIME, (("=", plan.time(COUNT)),), general=True),),
        )
        yield Step(
            text("Its derivative by the number of buckets is zero at the best number, which fixes the size of one:"),
            (Chain(slope, (("=", sp.S.Zero),), asked=True), *best),
            text("The second derivative is positive. Both parts of the time are equal there."),
        )
        if found.known:
            yield work.step(
                text("In numbers:"),
                Chain(count, (("=", work.put(count)), amount(found["n_b"].value, "buckets"))),
                Chain(size, (("=", work.put(size)), amount(found["s_bucket"].value, "MB"))),
            )
            yield _whole_step(found, work)

    def sentence(self, found: FoundBuckets) -> Prose:
        """Name the best size, and in numbers the best whole number of buckets."""
        size = sp.Pow(found.plan.best_size**2, sp.S.Half, evaluate=False)
        count = sp.Pow(found.plan.best**2, sp.S.Half, evaluate=False)
        if found.whole is None:
            return say(
                "The best number of buckets is {count}, so the best bucket holds {size} bytes.", size=size, count=count
            )
        return say(
            "The best bucket holds {size} (the best number is {count}); of whole buckets {whole} of {each} are the best, and "
            "{time} stay unhidden.",
            size=Chain(size, (amount(found["s_bucket"].value, "MB"),)),
            count=Chain(count, (amount(found["n_b"].value),)),
            whole=found.whole,
            each=about(Amount(found.known[SIZE] / found.whole, "MB")),
            time=about(Amount(1000 * found.time(found.whole), "ms")),
        )

    def heading(self, found: FoundBuckets) -> str:
        """The title where the study gives none."""
        return self.title or "The best size of a bucket of gradients"

    @cached_property
    def claimable(self) -> tuple[str, ...]:
        """What can be claimed beside the lines: the best whole number of buckets, their size, and the time left."""
        return ("whole_buckets", "whole_bucket_size", "whole_buckets_time")

    def claims(self, study: Study) -> Mapping[str, Claimed]:
        """Those numbers, where the question gives what they need."""
        found = answer_to(study, self)
        if found.whole is None:
            return {}
        each, time = fraction(found.known[SIZE]) / found.whole, fraction(found.time(found.whole))
        return {
            "whole_buckets": Claimed(found.whole, "count", "the best whole number of buckets", unit="buckets"),
            "whole_bucket_size": Claimed(each, "bytes", "the size of one of them", unit="bytes"),
            "whole_buckets_time": Claimed(time, "number", "the time that they leave unhidden", unit="s"),
        }

    def unclaimable(self, study: Study, name: str) -> Prose:
        """That the question gives no numbers."""
        return text("the question gives no size, bandwidth and overhead")


def _whole_step(found: FoundBuckets, work: Work) -> Step:
    chains = []
    for count in found.neighbours:
        here = local("n", str(count))
        work.values[here] = sp.Integer(count)
        put = work.put(found.plan.time(here))
        work.values[local("t", str(count))] = found.time(count)
        chains.append(Chain(local("t", str(count)), (("=", put), amount(found.time(count), "s"))))
    return work.step(text("Buckets are whole, so one of the two numbers beside it is the best:"), *chains)


@dataclass(frozen=True, repr=False)
class FoundBuckets(Found):
    """The plan in symbols, and the numbers that are `known`."""

    plan: Plan
    known: Mapping[sp.Symbol, sp.Expr]

    @property
    def slope(self) -> sp.Expr:
        """The derivative of the time by the number of buckets."""
        return sp.diff(self.plan.time(COUNT), COUNT)

    @property
    def value(self) -> Any:
        """The best number of buckets."""
        return self["n_b"].value

    def time(self, count: int) -> sp.Expr:
        """Seconds that are not hidden with that many buckets."""
        return self.plan.time(sp.Integer(count)).xreplace(dict(self.known))

    @property
    def neighbours(self) -> tuple[int, ...]:
        """The whole numbers of buckets on both sides of the best real one; none without numbers."""
        if not self.known:
            return ()
        below = int(sp.floor(self.value))
        return tuple(count for count in (below, below + 1) if count > 0)

    @property
    def whole(self) -> int | None:
        """The best whole number of buckets."""
        return min(self.neighbours, key=self.time, default=None)

    @property
    def ledger(self) -> Ledger:
        """The best number of buckets and the bytes of one."""
        lines = (
            Line(COUNT, self.plan.best, "buckets", "the best number of buckets"),
            Line(local("s", "bucket"), self.plan.best_size, "bytes", "the size of one bucket"),
        )
        return Ledger(lines, self.known)

    @property
    def facts(self) -> Mapping[str, Any]:
        """The best number and size, in numbers where they are known."""
        return {
            "whole_buckets": self.whole,
            "buckets": self.plan.best.xreplace(self.known),
            "bucket_bytes": self.plan.best_size.xreplace(self.known),
        }
