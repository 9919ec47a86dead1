"""The steps, tables and sentences of lines that are worked through, in one case or in several."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import sympy as sp

from symbolic_mem.base.symbols import named
from symbolic_mem.base.told import grouped_words
from symbolic_mem.document.marked import marked
from symbolic_mem.document.prose import Amount, Chain, Long, Prose, Side, amount, say, text
from symbolic_mem.document.steps import Block, Column, Step, Table
from symbolic_mem.document.words import about, capitalised, count, joined
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.found_lines import Evaluated, FoundCases, FoundLines
from symbolic_mem.study.study import Study


def uncapitalised(words: str) -> str:
    """Words as they stand inside a sentence: an abbreviation keeps its capitals."""
    return words if words[1:2].isupper() else words[:1].lower() + words[1:]


def line_step(each: Evaluated, work: Work, study: Study) -> Step:
    """Write a line from symbols to numbers to its value."""
    line = each.line
    work.values[line.symbol] = each.value
    shown = amount(each.value, line.unit, digits=line.digits, fixed=True)
    exact = shown[1].shown.exact
    links: list[tuple[str, Side]]
    if line.formula.free_symbols:
        links = [("=", Long(line.formula)), ("=", Long(work.put(line.formula))), shown]
    elif line.written.expr.is_Symbol:  # one number, which is shown as it is
        links = [shown] if exact and line.scale == 1 else [("=", line.formula), shown]
    else:
        links = [("=", line.written), shown]
    reason = _said(line.note, work.values, study) if line.note else None
    return work.step(
        _said(capitalised(line.statement) or "Then", work.values, study),
        Chain(line.symbol, tuple(links)),
        reason=reason,
    )


def _said(words: str, known: Iterable[sp.Basic], study: Study) -> Prose:
    """Words of a study about its lines, with its symbols and those that are `known` there."""
    symbols = (*(name.symbol for name in study.names), *known)
    return marked(words, {symbol.name: symbol for symbol in symbols if isinstance(symbol, sp.Symbol)})


def asked_table(found: FoundLines) -> Table:
    """Tabulate the lines that answer."""
    rows = tuple(
        (
            _said(capitalised(each.line.statement), found.study.values, found.study),
            say("{s}", s=each.line.symbol),
            about(Amount(each.value, each.line.unit, each.line.digits, fixed=True)),
        )
        for each in found.closing
    )
    heads = (Column(text("what is asked"), "text"), Column(text("")), Column(text(""), "right"))
    return Table(text("The answers together"), heads, rows)


def case_steps(found: FoundCases) -> Iterator[Block]:
    """Each line as a formula and with the numbers of every case, then all of them in one table."""
    works = [Work(inside.study.values) for _, inside in found.cases]
    for position, line in enumerate(found.lines):
        formulas = [inside.evaluated[position].line.formula for _, inside in found.cases]
        reason = _said(line.note, works[0].values, found.study) if line.note else None
        if _alike(found, position):
            step = line_step(found.cases[0][1].evaluated[position], works[0], found.study)
            for work in works:
                work.values |= dict.fromkeys(
                    (line.symbol, *(case.of(line.symbol) for case, _ in found.cases)), works[0].values[line.symbol]
                )
            yield step
            continue
        shared = formulas[0] if len(set(formulas)) == 1 and formulas[0].free_symbols else None
        chains = [] if shared is None else [Chain(line.symbol, (("=", Long(shared)),), general=True)]
        for (case, inside), work, formula in zip(found.cases, works, formulas, strict=True):
            value = inside.evaluated[position].value
            symbol = case.of(line.symbol)
            work.values[line.symbol] = value
            for each in works:  # a later case may name the number of the first
                each.values[symbol] = value
            own = () if shared is not None or not formula.free_symbols else (("=", Long(formula)),)
            put = (("=", Long(work.put(formula))),) if formula.free_symbols else ()
            chain = Chain(symbol, (*own, *put, amount(value, line.unit, digits=line.digits, fixed=True)))
            work.check(chain)
            chains.append(chain)
        yield Step(_said(capitalised(line.statement) or "Then", works[0].values, found.study), tuple(chains), reason)
    yield _cases_table(found)


def _alike(found: FoundCases, position: int) -> bool:
    """Whether a line has the same numbers put in in every case: it is then worked through once."""
    return len({inside.put_into(position) for _, inside in found.cases}) == 1


def _cases_table(found: FoundCases) -> Table:
    lines = [each.line for each in found.cases[0][1].closing]
    symbols = _told_apart(found)
    heads = (
        Column(text("case")),
        *(Column(say("{s}", s=symbol), "right") for symbol in symbols),
        *(Column(say("{s}", s=line.symbol), "right") for line in lines),
    )
    rows = tuple(
        (
            text(grouped_words(case.name)),
            *(_given(symbol, inside) for symbol in symbols),
            *(about(Amount(each.value, each.line.unit, each.line.digits, fixed=True)) for each in inside.closing),
        )
        for case, inside in found.cases
    )
    return Table(text("All cases"), heads, rows)


def _told_apart(found: FoundCases) -> list[sp.Symbol]:
    """The given symbols that the answers rest on and whose values are not the same in all cases, in their usual order."""
    given = dict.fromkeys(symbol for _, inside in found.cases for symbol in inside.study.values)
    return sorted((s for s in given if len(_values(s, found)) > 1), key=lambda symbol: named(symbol).rank)


def _values(symbol: sp.Symbol, found: FoundCases) -> set[sp.Expr | None]:
    """What the symbol is in every case; None where the answers do not rest on it."""
    return {inside.study.values.get(symbol) if symbol in inside.rests_on else None for _, inside in found.cases}


def _given(symbol: sp.Symbol, inside: FoundLines) -> Prose:
    return about(Amount(inside.study.values[symbol])) if symbol in inside.rests_on else count(None)


def in_cases(found: FoundCases) -> Prose:
    """One clause for each line that is asked for, with its number in every case."""
    clauses = []
    for position, line in enumerate(each.line for each in found.cases[0][1].closing):
        each = [
            say(
                "{number} for {case}",
                number=about(Amount(inside.closing[position].value, line.unit, line.digits, fixed=True)),
                case=text(grouped_words(case.name)),
            )
            for case, inside in found.cases
        ]
        said = (uncapitalised if clauses else capitalised)(line.statement) or line.name
        known = found.cases[0][1].study.values
        clauses.append(say("{said}: {each}", said=_said(said, known, found.study), each=joined(each)))
    return say("{said}.", said=joined(clauses, "; ", "; "))
