"""The lines of a worked problem held against printed figures: a table for each edition, and what that edition computes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import sympy as sp

from symbolic_mem.base.symbols import local, named
from symbolic_mem.document.prose import Amount, Chain, Prose, say, text
from symbolic_mem.document.steps import Block, Column, Step, Table
from symbolic_mem.document.words import about, joined, sentences
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.editions import computed_chain
from symbolic_mem.questions.parts.figures import verdict
from symbolic_mem.questions.parts.found_lines import Evaluated, FoundCases, FoundLines, Held

VERDICTS = {"exact": "it agrees", "rounded": "rounds to it", "truncated": "cut off gives it"}
Pair = tuple[sp.Symbol, Evaluated, Held, Work]


def edition_blocks(found: FoundLines | FoundCases) -> Iterator[Block]:
    """A table for each edition that prints figures, then what it computes where that is another number."""
    inside = [found] if isinstance(found, FoundLines) else [each for _, each in found.cases]
    works = [_known(each) for each in inside for _ in each.evaluated]
    pairs = [
        (symbol, each, held, work)
        for (symbol, each), work in zip(found.numbers, works, strict=True)
        for held in each.held
    ]
    for edition in dict.fromkeys(held.figure.edition for _, _, held, _ in pairs):
        here = [pair for pair in pairs if pair[2].figure.edition == edition]
        yield _table(edition, here)
        alike: dict[tuple[str, sp.Expr, str], list[Pair]] = {}
        for pair in here:
            if pair[2].figure.computes is not None:
                alike.setdefault((pair[1].line.name, pair[2].figure.computes, pair[2].figure.slip), []).append(pair)
        yield from map(_computed, alike.values())


def _known(found: FoundLines) -> Work:
    """The values of a case, and the numbers of its lines."""
    work = Work(found.study.values)
    work.values |= {each.line.symbol: each.value for each in found.evaluated}
    return work


def _table(edition: str, pairs: list[Pair]) -> Table:
    rows = tuple(
        (
            say("{s}", s=symbol),
            about(_told(each, held)),
            _printed(each, held),
            _verdict(held),
        )
        for symbol, each, held, _ in pairs
    )
    heads = (
        Column(text("quantity")),
        Column(text("its value"), "right"),
        Column(text("printed"), "right"),
        Column(text("verdict"), "note"),
    )
    return Table(text(f"Against the figures printed in {edition}"), heads, rows)


def _printed(each: Evaluated, held: Held) -> Prose:
    """The figure as the edition has it, with its unit; the digits of a whole number are grouped as everywhere."""
    written = held.figure.written
    shown = say("{n}", n=sp.Integer(written)) if written.isdecimal() else text(written)
    return sentences(shown, text(each.line.unit)) if each.line.unit else shown


def _computed(pairs: list[Pair]) -> Step:
    """What an edition computes in place of a line, in one case or in several, and where the two part."""
    symbol = pairs[0][0] if len(pairs) == 1 else pairs[0][1].line.symbol
    printed = joined([_printed(each, held) for _, each, held, _ in pairs])
    said = say("For {symbol} that edition prints {printed}, which is what it computes:", symbol=symbol, printed=printed)
    chains = []
    for case, each, held, work in pairs:
        chain = computed_chain(held.figure, work, each.line.unit, each.line.digits)
        work.check(chain)
        typed = len(chain.links) == 1  # numbers without a symbol
        links = (("=", chain.left), *chain.links) if typed else chain.links
        chains.append(chain if len(pairs) == 1 else Chain(_as_printed(case), links))
    if len(pairs) > 1 and not typed:  # the formula once, and the numbers of each case
        chains.insert(0, Chain(_as_printed(symbol), (("=", chain.left),), general=True))
    return Step(said, tuple(chains), text(pairs[0][2].figure.slip))


def _as_printed(symbol: sp.Symbol) -> sp.Symbol:
    """The symbol of what an edition computes in place of a line."""
    name = named(symbol)
    return local(name.base, f"{name.sub}, as printed".removeprefix(", "))


def _verdict(held: Held) -> Prose:
    if held.verdict == "truncated" and held.figure.computes is not None:
        return text("computed otherwise")
    if held.verdict in VERDICTS:
        return text(VERDICTS[held.verdict])
    if held.off is None:
        return text("another number")
    off = about(Amount(100 * abs(held.off), "%", 2))
    return say("{off} less", off=off) if held.off < 0 else say("{off} more", off=off)


def _told(each: Evaluated, held: Held) -> Amount:
    """The value with digits enough that a reader comes to the verdict, too: 18.4497 and not 18.450 against 18.4."""
    number = Amount(each.value, each.line.unit, each.line.digits, fixed=True)
    while not number.shown.exact and verdict(sp.Rational(number.shown.figures), held.figure.written) != held.verdict:
        number = replace(number, digits=number.digits + 1)
    return number
