"""The question `smaller_batch`: ways to stay bound by the mathematics at a smaller batch, each derived and measured."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.symbols import E, T, T_min, k
from symbolic_mem.document.prose import Amount, Chain, Prose, amount, say, text
from symbolic_mem.document.steps import Answer, Block, Column, Section, Table
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.setting import Setting, setting
from symbolic_mem.questions.parts.ways import PIECES, Way, all_ways, bound_on
from symbolic_mem.solvers.critical import critical
from symbolic_mem.solvers.optimum import best_mesh
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study


def smaller_batch(study: Study, question: Question) -> tuple[Section, dict[str, object]]:
    """Derive the ways to a smaller critical batch, and what each does to it in numbers; for a stack of blocks nine."""
    found = setting(study, "fsdp+tp", "forward", question.get("chips"), short=True)
    base = critical(found.roofline, "max").tokens
    needed = base + bound_on(found, overlap="sum") + best_mesh(found.roofline).tokens("max")
    study.need(needed.xreplace(dict(found.values)), f"question {question.label}")
    start = Work(found.values)
    value = start.define(T_min, base)
    first = start.step(
        text("The starting point is the mesh as given, its two axes sending at the same time:"),
        Chain(T_min, (("=", base), ("=", start.put(base)), amount(value, "tokens"))),
    )
    ways = all_ways(found)
    blocks: list[Block] = [first, *(_step(way, found) for way in ways)]
    blocks += [_summary(ways, found, value), Answer(_answer(ways, found, value))]
    title = question.get("title", "How the batch can be smaller at the same throughput")
    facts = {
        "study": study.name,
        "question": question.label,
        "critical_batch_tokens": value,
        "ways": {way.name: _tokens(way, found) for way in ways},
    }
    return Section(text(f"({question.label}) {title}"), tuple(blocks)), facts


def _tokens(way: Way, found: Setting) -> sp.Expr:
    return way.formula.xreplace(way.values(found.values))


def _step(way: Way, found: Setting) -> Block:
    work = Work(way.values(found.values))
    tokens = work.define(T_min, way.formula)
    links = [("=", way.formula), ("=", work.put(way.formula)), amount(tokens, "tokens")]
    extra = way.more(work) if way.more else ()
    statement = _with_symbols(f"{way.name}. {way.statement}")
    reason = _with_symbols(way.reason) if way.reason else None
    return work.step(statement, Chain(T_min, tuple(links)), *extra, reason=reason)


def _with_symbols(sentence: str) -> Prose:
    return say(sentence, **PIECES)


def _summary(ways: tuple[Way, ...], found: Setting, base: sp.Expr) -> Table:
    chips = sp.Integer(found.chips or 1)
    rows = [(text("as given"), say("{f}", f=bound_on(found)), _cell(base), _cell(base / chips), _cell(sp.S.One))]
    for way in ways:
        tokens = _tokens(way, found)
        rows.append(
            (text(way.name), say("{f}", f=way.formula), _cell(tokens), _cell(tokens / chips), _cell(tokens / base))
        )
    return Table(
        text("What each way does to the smallest batch (the examples are those of the steps)"),
        (
            Column(text("way"), "text"),
            Column(say("{t} >", t=T)),
            Column(text("whole batch"), "right"),
            Column(text("per chip"), "right"),
            Column(text("against as given"), "right"),
        ),
        tuple(rows),
    )


def _cell(value: sp.Expr) -> Prose:
    return Prose((Amount(value),))


def _answer(ways: tuple[Way, ...], found: Setting, base: sp.Expr) -> Prose:
    by_name = {way.name: _tokens(way, found) for way in ways}
    return say(
        "From {base} tokens the bound falls to {shape} with the best shape of the mesh, to {low} with one byte per "
        "element sent, and to {pipe} with four pipeline stages that keep their weights; more axes and overlap are "
        "already used. Gradient accumulation multiplies it, and experts multiply it by {ratio} unless they stay in "
        "place.",
        ratio=E / k,
        base=Amount(base),
        shape=Amount(by_name["The best X and Y"]),
        low=Amount(by_name["Lower precision in what is sent"]),
        pipe=Amount(by_name["Pipelining"]),
    )
