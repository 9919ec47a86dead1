"""Steps of a bound U + P/n under the memory of one device, whichever question asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import sympy as sp

from symbolic_mem.base.rational import Number, symbolic
from symbolic_mem.base.shown import shown
from symbolic_mem.base.symbols import C_mem, M_device, M_divided, M_fixed, M_static, local
from symbolic_mem.document.prose import Amount, Brief, Chain, Prose, Total, amount, apart, link, say, text
from symbolic_mem.document.steps import Block, Bullets, Paragraph, Step, in_full, in_short
from symbolic_mem.document.words import about, gib, sentences, unrounded
from symbolic_mem.document.work import Work
from symbolic_mem.models.tensors import STATIC
from symbolic_mem.plans.placement import Placed
from symbolic_mem.questions.parts.words import KIND_SYMBOLS, placement_sentences
from symbolic_mem.solvers.bound import Bound, Solved

TOO_MUCH = "The condition fails: what every device holds in full is already too much."
FILLED = (
    "The condition fails: what every device holds in full fills it, and leaves no room for the part that is divided."
)


def condition_fails(solved: Solved) -> str:
    """Say why no degree is enough: what is held in full is too much, or leaves nothing of the room."""
    return FILLED if solved.fixed == solved.capacity and solved.bound.divided != 0 else TOO_MUCH


def per_device_steps(
    placement: Mapping[str, Placed],
    kinds: Sequence[str],
    solved: Solved,
    work: Work,
    before: Sequence[Prose] = (),
    whose: str = "",
) -> Iterator[Block]:
    """Say where each kind lives, and so what one device holds: what is divided, and what is not.

    `before` is what is said of where the model itself lives, and `whose` that is of which memory is told.
    """
    bound = solved.bound
    n = bound.symbol
    divided: list[sp.Expr] = []
    fixed: list[sp.Expr] = []
    for symbols, placed in _grouped(kinds, placement):
        if placed is None or placed.fraction == 0:
            if placed is None or placed.rest == "kept":
                fixed.append(symbols)
            continue
        others = placed.degree / n if placed.degree.has(n) else None
        of_experts = (
            [] if placed.experts is None else [term for term in bound.memory if term.experts and term.degree.has(n)]
        )
        if of_experts and placed.experts is not None and others is not None:
            own = local("M", "experts")
            value = work.define(own, sp.Add(*(term.undivided_bytes for term in of_experts)))
            yield work.step(
                say(
                    "What of it belongs to routed experts is divided over {n} devices, those that have the same:",
                    n=placed.experts,
                ),
                Chain(own, (amount(value, "bytes", digits=14), amount(value, "GiB"))),
            )
            divided += [(symbols - own) / others, own / (placed.experts / n)]
            continue
        if others is None:
            fixed.append(placed.fraction * symbols / placed.degree)
        else:
            divided.append(placed.fraction * symbols / others)
        if placed.fraction != 1 and placed.rest == "kept":
            fixed.append((1 - placed.fraction) * symbols)
    if bound.divided == 0:
        work.define(M_divided, bound.divided)
        whole = Total(tuple(fixed)) if fixed else sp.S.Zero
        yield from _where_it_lives(kinds, placement, n, before, whose)
        yield Step(
            say("Nothing of what is kept at this moment is divided over {n}, so one device holds, in full,", n=n),
            (Chain(M_device, (("=", M_fixed),)),),
        )
        work.define(M_fixed, bound.fixed)
        value = work.number(M_fixed)
        yield work.step(
            text("which is"),
            Chain(
                M_fixed,
                (
                    ("=", whole),
                    ("=", Brief(bound.fixed, wraps=True)),
                    amount(value, "bytes", digits=14),
                    amount(value, "GiB"),
                ),
            ),
        )
        return
    chains = [_part(M_divided, divided, bound.divided, work)]
    if fixed:
        chains.append(_part(M_fixed, fixed, bound.fixed, work))
    else:
        work.define(M_fixed, bound.fixed)
    yield from _where_it_lives(kinds, placement, n, before, whose)
    held = Total((M_fixed, M_divided / n)) if fixed else M_divided / n
    whole = Total((*fixed, sp.Add(*divided) / n))
    parts = text(
        "The part that is divided, and the part that every device holds in full:"
        if fixed
        else "All of it is divided, and nothing is held in full by every device:"
    )
    yield from in_full(
        [
            Step(text("So one device holds"), (Chain(M_device, (("=", held), ("=", whole))),)),
            work.step(parts, *chains),
        ]
    )
    line = Chain(M_device, (("=", held),))
    brief = (
        say("So one device holds {line}, what is held in full and what is divided:", line=line)
        if fixed
        else say("So one device holds {line}, and nothing in full:", line=line)
    )
    yield from in_short([work.step(brief, *chains)])


def _where_it_lives(
    kinds: Sequence[str], placement: Mapping[str, Placed], n: sp.Symbol, before: Sequence[Prose], whose: str
) -> Iterator[Block]:
    """Where each kind lives, after what is said `before`, as a list; in short one sentence after the other."""
    said = (*before, *placement_sentences(kinds, placement, whose))
    yield from in_full((Step(say("Where the memory lives, on {n} devices:", n=n)), Bullets(said)))
    yield from in_short([Paragraph(sentences(*said))])


def _part(symbol: sp.Symbol, sides: list[sp.Expr], in_full: sp.Expr, work: Work) -> Chain:
    value = work.define(symbol, in_full)
    links = (
        ("=", Total(tuple(sides))),
        ("=", Brief(in_full, wraps=True)),
        amount(value, "bytes", digits=14),
        amount(value, "GiB"),
    )
    return Chain(symbol, links)


def _grouped(present: Sequence[str], placement: Mapping[str, Placed]) -> list[tuple[sp.Symbol, Placed | None]]:
    """The kinds with their placement; the states together where they all live in the same way."""
    static = [kind for kind in present if kind in STATIC]
    together = len(static) == len(STATIC) and len({placement.get(kind) for kind in static}) == 1
    groups = [(M_static, placement.get("weights"))] if together else []
    rest = [kind for kind in present if not (together and kind in STATIC)]
    return groups + [(KIND_SYMBOLS[kind], placement.get(kind)) for kind in rest]


def requirement(bound: Bound) -> Iterator[Step]:
    """What one device holds against its memory, solved for the degree, with the condition that this needs."""
    n, limit = bound.symbol, bound.limit
    if bound.divided == 0:
        yield Step(
            say("This must be {words} the memory of one device, whatever {n} is:", words=limit.words, n=n),
            (Chain(M_fixed, ((limit.sign, C_mem),), asked=True),),
        )
        return
    fixed = bound.fixed != 0
    left = Total((M_fixed, M_divided / n)) if fixed else M_divided / n
    lines = [Chain(left, ((limit.sign, C_mem),), asked=True)]
    if fixed:
        lines.append(Chain(M_divided / n, ((limit.sign, C_mem - M_fixed),), asked=True))
        lines.append(Chain(n, ((limit.reach, M_divided / (C_mem - M_fixed)),), asked=True))
        reason = say(
            "Dividing by the room that is left needs {condition}; otherwise no number of devices is enough.",
            condition=Chain(C_mem, ((">", M_fixed),), asked=True),
        )
    else:
        lines.append(Chain(n, ((limit.reach, M_divided / C_mem),), asked=True))
        reason = text("Nothing is held in full by every device, so such a number always exists.")
    said = say("This must be {words} the memory of one device:", words=limit.words)
    yield Step(said, tuple(lines), reason, told="in full")
    pieces = {"words": limit.words, "line": lines[0]}
    brief = say("This must be {words} the memory of one device, {line}, so", **pieces)
    yield Step(brief, (lines[-1],), reason, told="in short")


def bound_summary(solved: Solved, *, in_parts: bool = False) -> Iterator[tuple[str, Prose]]:
    """The bound and its condition at a glance, in their named parts where they are too long for that, and these parts.

    With `in_parts` the bound is so, too.
    """
    bound = solved.bound
    room, fixed = C_mem - M_fixed, about(gib(symbolic(solved.fixed)))
    if bound.divided == 0:
        yield "bound", say("none: nothing is divided over {n}", n=bound.symbol)
        yield (
            "condition",
            say("{capacity} {sign} {fixed}", capacity=C_mem, sign=">" if bound.strict else "≥", fixed=M_fixed),
        )
        yield "M_fix", say("{size} on every device", size=fixed)
        return
    parts = say("{q}", q=M_divided / (C_mem if bound.fixed == 0 else room))
    quotient = Brief(bound.quotient, otherwise=say("{parts}; --json has it in full", parts=parts))
    quotient = parts if in_parts else quotient
    yield "bound", say("{n} {sign} {q}", n=bound.symbol, sign=bound.limit.reach, q=quotient)
    if bound.fixed == 0:
        yield "condition", text("none: nothing is held in full by every device")
    else:
        relation = "≥" if bound.divided == 0 and not bound.strict else ">"
        line, named = Chain(bound.capacity, ((relation, bound.fixed),)), Chain(C_mem, ((relation, M_fixed),))
        yield "condition", say("{line}", line=Brief(say("{line}", line=line), otherwise=say("{named}", named=named)))
    yield "M_div", say("{size} divided over the devices", size=about(gib(symbolic(solved.divided))))
    if bound.fixed != 0:
        yield "M_fix", say("{size} on every device", size=fixed)


def held_at(
    value: int, size: Number, room: sp.Expr | Number, *, fits: bool, what: str = "what is kept"
) -> tuple[str, Prose]:
    """What one device holds at a value of the unknown, at a glance, with digits enough to tell it from its room."""
    whole, unit = Amount(symbolic(size), "bytes", 14), apart(gib(size), gib(room))[0]
    kept = whole if unit.shown == whole.shown else Chain(whole, (link(unit),))
    if fits:
        return f"at {shown(value).plain}", say("{kept} on each device: {what} fits", kept=kept, what=what)
    return f"at {shown(value).plain}", say("{kept} on each device: too much", kept=kept)


def feasible_steps(solved: Solved, work: Work, answer: int | None, what: str = "what is kept") -> Iterator[Block]:
    """The room that is left, the quotient, the whole number, and a check that `what` fits and one less does not.

    Where rules make the `answer` another number, this one does not have its symbol.
    """
    bound, limit = solved.bound, solved.bound.limit
    n, whole = bound.symbol, solved.value or 1
    work.define(n, sp.Integer(whole))
    if bound.divided == 0:
        yield work.step(
            text("The condition holds, and nothing is divided, so one device is enough. In bytes on it:"),
            Chain(M_fixed, (amount(symbolic(solved.fixed), digits=14), (limit.sign, C_mem))),
        )
        return
    room = C_mem - M_fixed if bound.fixed != 0 else C_mem
    if bound.fixed != 0:
        left = work.number(room)
        yield work.step(
            text("The condition holds, and the room that is left is"),
            Chain(room, (("=", work.put(room)), amount(left, "bytes", digits=14), amount(left, "GiB"))),
        )
    quotient = M_divided / room
    put, first = (("=", work.put(quotient)),) if work.values[C_mem].is_Integer else (), limit.first(quotient)
    yield work.step(
        _whole_words(n, strict=limit.strict, ruled=whole != answer),
        Chain(quotient, (*put, unrounded(work.number(quotient)))),
        Chain(n, (("=", first), amount(whole))) if whole == answer else Chain(first, (amount(whole),)),
    )
    fits = _share(solved, whole, limit.sign)
    if whole == 1:
        yield work.step(say("A check that {what} fits, in bytes on each device:", what=what), fits)
        return
    yield work.step(
        say("A check that {what} fits and that one device less is not enough, in bytes on each device:", what=what),
        fits,
        _share(solved, whole - 1, limit.fails),
    )


def _whole_words(n: sp.Symbol, *, strict: bool, ruled: bool) -> Prose:
    """How the whole number comes of the quotient: the smallest degree, or the one from which rules go on."""
    if ruled:
        return (
            say("Before its rules, {n} must be at least the next whole number above it:", n=n)
            if strict
            else say("Before its rules, {n} must be at least that, rounded up to a whole number:", n=n)
        )
    if strict:
        return say("The smallest {n} is the next whole number above it:", n=n)
    return say("The smallest {n} is that, rounded up to a whole number:", n=n)


def _share(solved: Solved, n: int, relation: str) -> Chain:
    fixed, divided, capacity = (symbolic(part) for part in (solved.fixed, solved.divided, solved.capacity))
    share = divided if n == 1 else sp.Mul(divided, sp.Pow(n, -1, evaluate=False), evaluate=False)
    left = share if fixed == 0 else Total((fixed, share))
    shown = capacity if capacity.is_Integer else C_mem
    return Chain(left, (amount(symbolic(solved.per_device(n)), digits=12), (relation, shown)))


def infeasible_steps(solved: Solved, work: Work) -> Iterator[Block]:
    """What every device holds in full is too much, and why more devices do not help."""
    n, fixed, capacity = solved.bound.symbol, symbolic(solved.fixed), symbolic(solved.capacity)
    relation, sizes = ">" if fixed > capacity else "=", apart(gib(fixed), gib(capacity))
    reason = (
        say("More devices do not help: nothing of this is divided over {n}.", n=n)
        if solved.bound.divided == 0
        else say(
            "More devices only shrink {share}: as {n} grows, the memory of one device falls towards {fixed} "
            "and never below it.",
            share=M_divided / n,
            n=n,
            fixed=M_fixed,
        )
    )
    yield work.step(
        text(condition_fails(solved)),
        Chain(M_fixed, (link(sizes[0]), (relation, C_mem), link(sizes[1]))),
        reason=reason,
    )
