"""The question `buckets`: how large a bucket of gradients should be when sending overlaps the backward pass."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.formula import read_number
from symbolic_mem.base.units import parse_bytes
from symbolic_mem.document.prose import Chain, amount, say, text
from symbolic_mem.document.steps import Answer, Section, Step
from symbolic_mem.document.work import Work
from symbolic_mem.hardware.catalogue import parse_rate
from symbolic_mem.solvers.overheads import Buckets
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

# Local names, those of the assignment: bytes of all gradients, bandwidth, overhead of one call, number of buckets.
S_, W_, O_, N_ = (sp.Symbol(name, positive=True) for name in ("s", "w", "o", "n_b"))


def buckets(study: Study, question: Question) -> tuple[Section, dict[str, object]]:
    """Derive the best number and size of buckets, with numbers where the question gives all three."""
    plan = Buckets(S_, W_, O_)
    time = plan.time(N_)
    slope = sp.diff(time, N_)
    known = _known(question)
    work = Work(known)
    count, size = (sp.Pow(expr**2, sp.S.Half, evaluate=False) for expr in (plan.best, plan.best_size))
    work.check(Chain(slope.xreplace({N_: plan.best}), (("=", sp.S.Zero),)))
    best = (Chain(N_, (("=", count),), asked=True), Chain(S_ / N_, (("=", size),), asked=True))
    blocks = [
        Step(
            say(
                "Gradients of {s} bytes go out in {n} buckets while the backward pass runs. Each call costs {o} "
                "seconds, and the last bucket is not hidden. What is not hidden takes",
                s=S_,
                n=N_,
                o=O_,
            ),
            (Chain(sp.Symbol("t", positive=True), (("=", time),), asked=True),),
        ),
        Step(
            text("Its derivative by the number of buckets is zero at the best number, which fixes the size of one:"),
            (Chain(slope, (("=", sp.S.Zero),), asked=True), *best),
            text("The second derivative is positive. Both parts of the time are equal there."),
        ),
    ]
    if known:
        exact_count, exact_size = work.number(plan.best), work.number(plan.best_size)
        blocks.append(
            work.step(
                text("In numbers:"),
                Chain(count, (("=", work.put(count)), amount(exact_count, "buckets"))),
                Chain(size, (("=", work.put(size)), amount(exact_size, "MB"))),
            )
        )
    blocks.append(Answer(say("The best bucket holds {size} bytes.", size=size)))
    facts = {
        "study": study.name,
        "question": question.label,
        "buckets": plan.best.xreplace(known),
        "bucket_bytes": plan.best_size.xreplace(known),
    }
    title = question.get("title", "The best size of a bucket of gradients")
    return Section(text(f"({question.label}) {title}"), tuple(blocks)), facts


def _known(question: Question) -> dict[sp.Symbol, sp.Expr]:
    if not {"size", "bandwidth", "overhead"} <= set(question.options):
        return {}
    return {
        S_: sp.Integer(parse_bytes(question.get("size"))),
        W_: sp.Integer(parse_rate(question.get("bandwidth"))),
        O_: read_number(question.get("overhead"), f"{question.where}: overhead (seconds)"),
    }
