"""The question `fits_and_computes`: degrees that hold the memory and keep the chips busy, or why there are none."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from symbolic_mem.base.exact import rational
from symbolic_mem.base.symbols import M_X, C, C_mem, T, W, n_fsdp
from symbolic_mem.document.prose import Amount, Chain, Prose, amount, say, text
from symbolic_mem.document.steps import Answer, Block, Paragraph, Section, Step
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.setting import setting
from symbolic_mem.questions.parts.words import capacity_words
from symbolic_mem.solvers.both import Both, both
from symbolic_mem.solvers.bound import solve
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

# Local names: memory on one device is U_0 + u T + (P_0 + p T)/n, and beta tokens keep one chip busy.
U0, U1, P0, P1, BETA = (sp.Symbol(name, positive=True) for name in ("U_0", "u", "P_0", "p", "β"))


def fits_and_computes(study: Study, question: Question) -> tuple[Section, dict[str, object]]:
    """Derive the interval of degrees under both bounds at the study's batch, and the batch from which there is one."""
    found = setting(study, "fsdp", "forward")
    placement = study.placement
    if "rest" in question.options:
        placement = {kind: replace(placed, rest=question.get("rest")) for kind, placed in placement.items()}
    memory = replace(study, placement=placement).placed(kinds=tuple(question.get("kinds") or ()))
    study.need(memory.total.xreplace({n_fsdp: sp.S.One}), f"question {question.label}")
    capacity = study.capacity(question)
    bound = solve(memory, n_fsdp, capacity.counted, strict=bool(question.get("strict", False)))
    limits = both(study.model, found.roofline.network, bound, study.values)
    assert found.tokens is not None
    tokens = int(found.tokens)
    work = Work(
        {
            T: sp.Integer(tokens),
            C_mem: capacity.counted,
            U0: rational(limits.fixed),
            U1: rational(limits.fixed_per_token),
            P0: rational(limits.divided),
            P1: rational(limits.divided_per_token),
            BETA: rational(limits.beta),
        }
    )
    blocks: list[Block] = [
        Paragraph(capacity_words(capacity)),
        *_bounds(limits, work),
        *_window(limits, tokens, work),
        *_edge(limits, work),
        Answer(_answer(limits, tokens)),
    ]
    title = question.get("title", "The degrees that hold the memory and keep the chips busy")
    interval, first = limits.interval(tokens), limits.first_batch()
    facts = {
        "study": study.name,
        "question": question.label,
        "for": "n_fsdp",
        "feasible": interval is not None,
        "value": None if interval is None else interval[0],
        "interval": interval,
        "smallest_that_fits": limits.least(tokens),
        "largest_that_computes": limits.most(tokens),
        "batch_tokens": tokens,
        "first_batch_tokens": None if first is None else first[0],
        "first_batch_degree": None if first is None else first[1],
    }
    return Section(text(f"({question.label}) {title}"), tuple(blocks)), facts


def _kept(expr: sp.Expr, limits: Both) -> sp.Expr:
    """The expression without the parts of the memory that are zero here."""
    parts = ((U0, limits.fixed), (U1, limits.fixed_per_token), (P0, limits.divided), (P1, limits.divided_per_token))
    return expr.xreplace({symbol: sp.S.Zero for symbol, value in parts if value == 0})


def _bounds(limits: Both, work: Work) -> list[Block]:
    relation = "<" if limits.strict else "≤"
    total = _kept(U0 + U1 * T + (P0 + P1 * T) / n_fsdp, limits)
    units = {U0: "GB", U1: "bytes", P0: "GB", P1: "bytes"}
    memory = [Chain(total, ((relation, C_mem),), asked=True)]
    memory += [
        Chain(symbol, (amount(work.number(symbol), unit),)) for symbol, unit in units.items() if total.has(symbol)
    ]
    return [
        work.step(
            text("Memory asks for many devices, and for more of them the more tokens there are:"),
            *memory,
        ),
        work.step(
            say(
                "Computing asks for few: FSDP alone keeps a chip busy only with {tokens} tokens of its own,",
                tokens=C / (M_X * W),
            ),
            Chain(n_fsdp, (("<", T / BETA),), asked=True),
            Chain(BETA, (amount(work.number(BETA), "tokens"),)),
        ),
    ]


def _window(limits: Both, tokens: int, work: Work) -> list[Block]:
    least, most = limits.least(tokens), limits.most(tokens)
    upper = Chain(T / BETA, (("=", work.put(T / BETA)), amount(work.number(T / BETA), "chips")))
    at_batch = say("At the batch of the study, {t} tokens,", t=Amount(sp.Integer(tokens)))
    room = _kept(C_mem - U0 - U1 * T, limits)
    value = work.number(room)
    if least is None:
        return [
            work.step(
                say("{a} what every device holds in full does not fit, whatever the degree:", a=at_batch),
                Chain(room, (("=", work.put(room)), amount(value, "GB"), ("≤", sp.S.Zero))),
                upper,
            )
        ]
    quotient = _kept(P0 + P1 * T, limits) / room
    return [
        work.step(
            say("{a} the two bounds are", a=at_batch),
            Chain(quotient, (("=", work.put(quotient)), amount(work.number(quotient), "devices"))),
            upper,
            reason=text(f"So at least {least} devices hold the memory, and at most {most} stay busy."),
        )
    ]


def _edge(limits: Both, work: Work) -> list[Block]:
    """At the smallest batch that keeps n chips busy, T = beta n, both bounds become one condition on n alone."""
    room = _kept(C_mem - U0 - P1 * BETA, limits)
    square = _kept(U1, limits) * BETA * n_fsdp**2 - room * n_fsdp + P0
    value = work.number(room)
    blocks: list[Block] = [
        Step(
            text("A larger batch only adds memory, so the smallest batch for n chips decides. There"),
            (Chain(T, (("=", BETA * n_fsdp),), asked=True), Chain(square, (("≤", sp.S.Zero),), asked=True)),
        ),
        work.step(
            text("which needs room for what does not depend on the batch"),
            Chain(room, (("=", work.put(room)), amount(value, "GB"), (">" if value > 0 else "≤", sp.S.Zero))),
        ),
    ]
    if value <= 0:
        return blocks
    if limits.fixed_per_token == 0:
        smallest = P0 / room
        chain = Chain(smallest, (("=", work.put(smallest)), amount(work.number(smallest), "devices")))
        blocks.append(work.step(say("Nothing grows on every device, so {n} is at least", n=n_fsdp), chain))
        return blocks
    discriminant = room**2 - 4 * U1 * BETA * P0
    found = work.number(discriminant)
    sign = "≥" if found >= 0 else "<"
    meaning = (
        "It is not negative, so some degrees do both, between the two roots."
        if found >= 0
        else "It is negative: the condition holds for no degree, at any batch. That is the proof that none exists."
    )
    shown = Chain(discriminant, (("=", work.put(discriminant)), (sign, sp.S.Zero)))
    blocks.append(work.step(text("and a discriminant that is not negative:"), shown, reason=text(meaning)))
    return blocks


def _answer(limits: Both, tokens: int) -> Prose:
    interval, first = limits.interval(tokens), limits.first_batch()
    if interval is not None:
        start = say(
            f"At {{t}} tokens {_numbers(interval)} both hold the memory and stay busy; the smallest is {interval[0]}.",
            t=Amount(sp.Integer(tokens)),
        )
    else:
        start = say("At {t} tokens no degree does both.", t=Amount(sp.Integer(tokens)))
    if first is None:
        return Prose((*start.parts, " No batch lets any degree do both: shard more of what every device holds."))
    more = say(
        " The smallest batch of whole sequences that lets a degree do both is {t} tokens, with {n} devices.",
        t=Amount(sp.Integer(first[0])),
        n=Amount(sp.Integer(first[1])),
    )
    return Prose((*start.parts, *more.parts))


def _numbers(interval: tuple[int, int]) -> str:
    low, high = interval
    return f"{low} devices" if low == high else f"{low} to {high} devices"
