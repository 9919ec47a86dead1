"""The question `min_degree`: memory per device U + P/n, the bound on n, its condition, and the whole number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import rational
from symbolic_mem.base.formula import read_formula
from symbolic_mem.base.symbols import C_mem, M_device, M_divided, M_fixed, M_static, T, table
from symbolic_mem.base.units import grouped
from symbolic_mem.document.prose import Amount, Chain, Prose, Total, amount, say, text
from symbolic_mem.document.steps import Answer, Block, Bullets, Column, Section, Step, Table
from symbolic_mem.document.words import about, count, gib
from symbolic_mem.document.work import Work
from symbolic_mem.models.tensors import KINDS, STATIC
from symbolic_mem.plans.placement import Placed
from symbolic_mem.questions.parts.assumptions import assumptions
from symbolic_mem.questions.parts.facts import Found
from symbolic_mem.questions.parts.memory import memory_blocks
from symbolic_mem.questions.parts.printed import printed_blocks
from symbolic_mem.questions.parts.rules import reason_words, rule_blocks, rules_of, rules_words
from symbolic_mem.questions.parts.words import KIND_SYMBOLS, capacity_blocks, placement_sentences, reading_words
from symbolic_mem.solvers.bound import Bound, Solved, solve
from symbolic_mem.solvers.capacity import Capacity, capacity_of
from symbolic_mem.solvers.degree import Degree, smallest_degree
from symbolic_mem.solvers.tokens import most_tokens
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

LONGEST_FORMULA = 100  # characters


def min_degree(study: Study, question: Question) -> tuple[Section, Found]:
    """Derive the smallest degree at which one device's share fits, or why there is none."""
    study, n = study.under(question), solved_symbol(question)
    kinds = tuple(question.get("kinds") or KINDS)
    placement = _placement(study, question, kinds)
    memory = replace(study, placement=placement).placed(kinds=kinds)
    study.need(memory.total.xreplace({n: sp.S.One}), f"question {question.label}")
    capacity = study.capacity(question)
    bound = solve(memory, n, capacity.counted, strict=bool(question.get("strict", False)))
    answer = bound.at(study.values)

    work = Work(study.values)
    first = not study.questions or question.label == study.questions[0].label
    told = memory_blocks(study, work, kinds)
    blocks: list[Block] = told if first else []
    blocks += _per_device(study, placement, kinds, bound, work)
    blocks += [*capacity_blocks(capacity, work), _requirement(bound, work)]
    rules = rules_of(question)
    degree = smallest_degree(memory, n, capacity.counted, study.values, strict=bound.strict, rules=rules)
    if answer.feasible:
        blocks += _feasible(bound, answer, work)
        blocks += rule_blocks(degree, work) + printed_blocks(
            question, None if degree.value is None else sp.Integer(degree.value), "devices"
        )
        blocks.append(_answer(placement, capacity, degree))
        reason = _no_degree(degree)
    else:
        reason, more = _infeasible(study, placement, capacity, bound, answer, work)
        blocks += more
    title = question.get("title", "Memory per device, and the smallest number of devices")
    section = Section(text(f"({question.label}) {title}"), tuple(blocks))
    said = (*assumptions(study), *placement_sentences(memory.kinds, placement))
    return section, Found(study.name, question.label, capacity, answer, said, reason, degree if rules else None)


def solved_symbol(question: Question) -> sp.Symbol:
    """Return the degree that a question solves for: n_fsdp unless it says another."""
    degrees = {str(name.symbol): name.symbol for name in table(given=True) if str(name.symbol).startswith("n_")}
    symbol = read_formula(question.get("for", "n_fsdp"), degrees, f"{question.where}: for")
    if not isinstance(symbol, sp.Symbol):
        raise BadInput(f"{question.where}: for = {question.get('for')!r} is not one symbol")
    return symbol


def _placement(study: Study, question: Question, kinds: tuple[str, ...]) -> dict[str, Placed]:
    rest = question.get("rest")
    return {
        kind: placed if rest is None else replace(placed, rest=rest)
        for kind, placed in study.placement.items()
        if kind in kinds and kind in study.memory.kinds
    }


def _per_device(
    study: Study, placement: Mapping[str, Placed], kinds: tuple[str, ...], bound: Bound, work: Work
) -> list[Block]:
    n = bound.symbol
    present = [kind for kind in study.memory.kinds if kind in kinds]
    divided: list[sp.Expr] = []
    fixed: list[sp.Expr] = []
    for symbols, placed in _grouped(present, placement):
        if placed is None or placed.fraction == 0:
            if placed is None or placed.rest == "kept":
                fixed.append(symbols)
            continue
        others = placed.degree / n if placed.degree.has(n) else None
        if others is None:
            fixed.append(placed.fraction * symbols / placed.degree)
        else:
            divided.append(placed.fraction * symbols / others)
        if placed.fraction != 1 and placed.rest == "kept":
            fixed.append((1 - placed.fraction) * symbols)
    items = placement_sentences(present, placement)
    div, fix = work.define(M_divided, bound.divided), work.define(M_fixed, bound.fixed)
    chains = [
        Chain(
            M_divided,
            (
                ("=", Total(tuple(divided))),
                *_in_full(bound.divided),
                amount(div, "bytes", digits=14),
                amount(div, "GiB"),
            ),
        )
    ]
    if fixed:
        chains.append(
            Chain(
                M_fixed,
                (
                    ("=", Total(tuple(fixed))),
                    *_in_full(bound.fixed),
                    amount(fix, "bytes", digits=14),
                    amount(fix, "GiB"),
                ),
            )
        )
    whole = [*fixed, sp.Add(*divided) / n]
    return [
        Step(say("Where the memory lives, on {n} devices:", n=n)),
        Bullets(items),
        Step(
            text("So one device holds"),
            (
                Chain(
                    M_device,
                    (
                        ("=", Total((M_fixed, M_divided / n)) if fixed else M_divided / n),
                        ("=", Total(tuple(whole))),
                    ),
                ),
            ),
        ),
        work.step(
            text("with the part that is divided and the part that every device holds in full")
            if fixed
            else text("where all that is kept is divided, and nothing is held in full by every device"),
            *chains,
        ),
    ]


def _in_full(expr: sp.Expr) -> tuple[tuple[str, sp.Expr], ...]:
    """The formula of a part, unless it is so long that its parts above say it better."""
    return (("=", expr),) if len(str(expr)) <= LONGEST_FORMULA else ()


def _grouped(present: list[str], placement: Mapping[str, Placed]) -> list[tuple[sp.Symbol, Placed | None]]:
    """The kinds with their placement; the states together where they all live in the same way."""
    static = [kind for kind in present if kind in STATIC]
    together = len(static) == len(STATIC) and len({placement.get(kind) for kind in static}) == 1
    groups = [(M_static, placement.get("weights"))] if together else []
    rest = [kind for kind in present if not (together and kind in STATIC)]
    return groups + [(KIND_SYMBOLS[kind], placement.get(kind)) for kind in rest]


def _requirement(bound: Bound, work: Work) -> Step:
    n, relation = bound.symbol, "<" if bound.strict else "≤"
    reach = ">" if bound.strict else "≥"
    fixed = bound.fixed != 0
    left = Total((M_fixed, M_divided / n)) if fixed else M_divided / n
    lines = [Chain(left, ((relation, C_mem),), asked=True)]
    if fixed:
        lines.append(Chain(M_divided / n, ((relation, C_mem - M_fixed),), asked=True))
        lines.append(Chain(n, ((reach, M_divided / (C_mem - M_fixed)),), asked=True))
        condition = Chain(C_mem, ((">", M_fixed),), asked=True)
        reason = say(
            "The last line multiplies by {n} and divides by the room that is left, so it needs {condition}; "
            "otherwise no number of devices is enough.",
            n=n,
            condition=condition,
        )
    else:
        lines.append(Chain(n, ((reach, M_divided / C_mem),), asked=True))
        reason = text("Nothing is held in full by every device, so such a number always exists.")
    words = "less than" if bound.strict else "at most"
    return Step(text(f"This must be {words} the memory of one device:"), tuple(lines), reason)


def condition(bound: Bound) -> Chain:
    """When some degree fits: the capacity exceeds what every device holds in full."""
    relation = "≥" if bound.divided == 0 and not bound.strict else ">"
    return Chain(bound.capacity, ((relation, bound.fixed),))


def _feasible(bound: Bound, answer: Solved, work: Work) -> list[Block]:
    n, whole = bound.symbol, answer.value or 1
    work.define(n, sp.Integer(whole))
    blocks: list[Block] = []
    room = C_mem - M_fixed if bound.fixed != 0 else C_mem
    if bound.fixed != 0:
        left = work.number(room)
        blocks.append(
            work.step(
                text("The condition holds, and the room that is left is"),
                Chain(room, (("=", work.put(room)), amount(left, "bytes", digits=14), amount(left, "GiB"))),
            )
        )
    quotient = M_divided / room
    rounded = sp.floor(quotient, evaluate=False) + 1 if bound.strict else sp.ceiling(quotient, evaluate=False)
    put = (("=", work.put(quotient)),) if work.values[C_mem].is_Integer else ()
    step = "the next whole number above it" if bound.strict else "that, rounded up to a whole number"
    blocks.append(
        work.step(
            text(f"The smallest number of devices is {step}:"),
            Chain(quotient, (*put, amount(work.number(quotient)))),
            Chain(n, (("=", rounded), amount(whole))),
        )
    )
    check = [_share(answer, whole, "<" if bound.strict else "≤", work)]
    if whole > 1:
        check.append(_share(answer, whole - 1, "≥" if bound.strict else ">", work))
    one_less = " and that one device less is not enough" if whole > 1 else ""
    blocks.append(work.step(text(f"A check that this fits{one_less}, in bytes on each device:"), *check))
    return blocks


def _answer(placement: Mapping[str, Placed], capacity: Capacity, degree: Degree) -> Answer:
    n, whole = degree.ideal.bound.symbol, degree.value
    reading = reading_words(placement)
    under = rules_words(degree)
    if whole is None:
        return Answer(
            say(
                f"{reading}here is no such {{n}} {under.strip()}: {{why}}. Without rules it is {degree.ideal.value}.",
                n=n,
                why=_no_degree(degree) or text(""),
            )
        )
    kind = f" ({capacity.device.title})" if capacity.device else ""
    devices = "device" if whole == 1 else "devices"
    held = degree.profile.at(whole)
    return Answer(
        say(
            f"{reading}he smallest {{n}} {under}is {whole}: on {whole} {devices}{kind} each holds "
            "{share} of its {counted}.",
            n=n,
            share=about(Amount(rational(held), capacity.unit)),
            counted=about(Amount(capacity.counted, capacity.unit)),
        )
    )


def _no_degree(degree: Degree) -> Prose | None:
    return None if degree.reason is None else text(reason_words(degree))


def _share(answer: Solved, n: int, relation: str, work: Work) -> Chain:
    share = sp.Mul(rational(answer.divided), sp.Pow(n, -1, evaluate=False), evaluate=False)
    left = share if answer.fixed == 0 else Total((rational(answer.fixed), share))
    capacity = rational(answer.capacity) if isinstance(answer.capacity, int) else C_mem
    return Chain(left, (amount(answer.per_device(n), digits=12), (relation, capacity)))


def _infeasible(
    study: Study,
    placement: Mapping[str, Placed],
    capacity: Capacity,
    bound: Bound,
    answer: Solved,
    work: Work,
) -> tuple[Prose, list[Block]]:
    n = bound.symbol
    relation = ">" if answer.fixed > answer.capacity else "="
    blocks: list[Block] = [
        work.step(
            text("The condition fails: what every device holds in full is already too much."),
            Chain(M_fixed, (amount(answer.fixed, "GiB"),)),
            Chain(C_mem, (amount(answer.capacity, "GiB"),)),
            Chain(M_fixed, ((relation, C_mem),)),
            reason=say(
                "More devices only shrink {share}: as {n} grows, the memory of one device falls towards {fixed} "
                "and never below it.",
                share=M_divided / n,
                n=n,
                fixed=M_fixed,
            ),
        )
    ]
    verdict = say(
        "no number of devices is enough, because each holds {fixed} in full and has {capacity}",
        fixed=about(gib(answer.fixed)),
        capacity=about(Amount(rational(answer.capacity), capacity.unit)),
    )
    limit = most_tokens(bound.fixed, C_mem)
    remedy = text("lower the batch or the sequence length, divide more of the memory, or recompute activations")
    if limit is not None and work.number(limit) > 1:
        most = int(sp.ceiling(work.number(limit))) - 1
        remedy = text(f"at most {grouped(str(most))} tokens for each device leave room for a finite number of devices")
        blocks += _remedy(study, capacity, bound, limit, most, work)
    blocks.append(
        Answer(
            say(
                "{reading}here is no such {n}: {verdict}; {remedy}.",
                reading=reading_words(placement),
                n=n,
                verdict=verdict,
                remedy=remedy,
            )
        )
    )
    return say("{verdict}; {remedy}", verdict=verdict, remedy=remedy), blocks


def _remedy(study: Study, capacity: Capacity, bound: Bound, limit: sp.Expr, most: int, work: Work) -> list[Block]:
    real = work.number(limit)
    link = amount(real, "tokens", digits=7)
    blocks: list[Block] = [
        work.step(
            say("What would help: fewer tokens on each device. With {t} tokens there, the condition says", t=T),
            Chain(T, (("<", limit), link), asked=True),
            reason=text(f"So the most is {grouped(str(most))} tokens; the nearer to it, the more devices it takes."),
        )
    ]
    counts = [*(2**k for k in range(max(most.bit_length() - 5, 0), most.bit_length())), most]
    capacities = _alternatives(capacity)
    rows = []
    for tokens in counts:
        values = dict(study.values) | _with_tokens(tokens)
        cells = []
        for other in capacities:
            found = bound.under(other.counted).at(values)
            cells.append(count(found.value))
        rows.append((count(tokens), *cells))
    heads = [say("{n} at {c}", n=bound.symbol, c=Amount(other.counted, other.unit)) for other in capacities]
    blocks.append(
        Table(
            say("The smallest {n} by the number of tokens that each device holds", n=bound.symbol),
            (Column(text("tokens per device"), "right"), *(Column(head, "right") for head in heads)),
            tuple(rows),
        )
    )
    return blocks


def _with_tokens(tokens: int) -> dict[sp.Symbol, sp.Integer]:
    from symbolic_mem.base.symbols import B, S

    return {B: sp.Integer(tokens), S: sp.S.One}


def _alternatives(capacity: Capacity) -> list[Capacity]:
    device = capacity.device
    if device is None:
        return [capacity]
    readings = [reading for reading in ("marketed", "binary") if getattr(device, reading) is not None]
    if capacity.reading not in readings:
        readings.append(capacity.reading or "binary")
    return [capacity_of(device, reading, reserved=capacity.reserved, usable=capacity.usable) for reading in readings]
