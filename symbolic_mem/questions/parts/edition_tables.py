"""The lines of a worked problem held against printed figures: a table for each edition, and what that edition computes."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from symbolic_mem.document.prose import Amount, Prose, say, text
from symbolic_mem.document.steps import Block, Column, Step, Table
from symbolic_mem.document.words import about
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.editions import computed_chain
from symbolic_mem.questions.parts.found_lines import Evaluated, FoundCases, FoundLines, Held

VERDICTS = {"exact": "it agrees", "rounded": "rounds to it", "truncated": "cut off gives it"}
Pair = tuple[sp.Symbol, Evaluated, Held]


def edition_blocks(found: FoundLines | FoundCases) -> Iterator[Block]:
    """A table for each edition that prints figures, then what it computes where that is another number."""
    pairs = [(symbol, each, held) for symbol, each in found.numbers for held in each.held]
    work = Work(found.study.values)
    work.values |= {symbol: each.value for symbol, each in found.numbers}
    for edition in dict.fromkeys(held.figure.edition for _, _, held in pairs):
        here = [pair for pair in pairs if pair[2].figure.edition == edition]
        yield _table(edition, here)
        yield from (_computed(pair, work) for pair in here if pair[2].figure.computes is not None)


def _table(edition: str, pairs: list[Pair]) -> Table:
    rows = tuple(
        (
            say("{s}", s=symbol),
            about(Amount(each.value, each.line.unit, each.line.digits)),
            text(f"{held.figure.written} {each.line.unit}".strip()),
            _verdict(held),
        )
        for symbol, each, held in pairs
    )
    heads = (
        Column(text("quantity")),
        Column(text("its value"), "right"),
        Column(text("printed"), "right"),
        Column(text("verdict"), "note"),
    )
    return Table(text(f"Against the figures printed in {edition}"), heads, rows)


def _computed(pair: Pair, work: Work) -> Step:
    """What an edition computes in place of a line, and where the two part."""
    symbol, each, held = pair
    pieces = {"printed": text(f"{held.figure.written} {each.line.unit}".strip()), "symbol": symbol}
    said = say("For {symbol} that edition prints {printed}, which is what it computes:", **pieces)
    chain = computed_chain(held.figure, work, each.line.unit, each.line.digits)
    return work.step(said, chain, reason=text(held.figure.slip))


def _verdict(held: Held) -> Prose:
    if held.verdict in VERDICTS:
        return text(VERDICTS[held.verdict])
    return text("another number") if held.off is None else say("{off} %", off=f"{float(100 * held.off):+.2g}")
