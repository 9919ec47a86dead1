"""Steps and sentences about the matrix products of a forward pass: listed, summed by part, and compared over cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import sympy as sp

from symbolic_mem.base.symbols import B, S, local, lookup
from symbolic_mem.base.told import grouped_words
from symbolic_mem.document.prose import Amount, Chain, Prose, Total, amount, say, text
from symbolic_mem.document.steps import Block, Column, Paragraph, Table
from symbolic_mem.document.words import about, capitalised, count, counted, joined
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.worked import Case
from symbolic_mem.study.study import Study

TOTAL = local("F", "forward")
PARTS = {
    "attention": "attention projections",
    "attention scores": "attention scores and weighted values",
    "mlp": "feed-forward layers",
    "head": "head (logits)",
}


class One(Protocol):
    """The products of one model, as `FoundFlops` holds them."""

    @property
    def study(self) -> Study:
        """The study."""

    @property
    def products(self) -> Sequence[Any]:
        """The products."""

    @property
    def parts(self) -> Mapping[str, sp.Expr]:
        """The operations of each part as a formula."""

    @property
    def value(self) -> sp.Expr:
        """All operations."""

    def number(self, part: str) -> sp.Expr:
        """The operations of a part."""

    def share(self, part: str) -> sp.Expr:
        """Its share in percent."""


class Many(Protocol):
    """The products of several cases."""

    @property
    def cases(self) -> Sequence[tuple[Case, Any]]:
        """Each case with its products."""


def _words(part: str) -> str:
    return PARTS.get(part, part)


def _percent(share: sp.Expr) -> Prose:
    return about(Amount(share, "%", 4))


def one_blocks(found: One, *, products: bool) -> Iterator[Block]:
    """The parts with their shares; before them, where they are asked for, the products and their sums by part."""
    if products:
        m, k, n = (local(letter, "") for letter in "mkn")
        yield Paragraph(
            say(
                "A product of an {m} × {k} and a {k} × {n} matrix takes {both} floating-point operations: one multiplication and "
                "one addition for each {each}.",
                m=m,
                k=k,
                n=n,
                both=2 * m * k * n,
                each=m * k * n,
            )
        )
        yield _products_table(found)
        work = Work(found.study.values)
        chains = [_part_chain(local("F", part), formula, work) for part, formula in found.parts.items()]
        work.define(TOTAL, found.value)
        whole = Total(tuple(local("F", part) for part in found.parts))
        total = Chain(TOTAL, (("=", whole), amount(found.value, "FLOP", digits=30)))
        yield work.step(text("Part by part, all repetitions together, and their sum:"), *chains, total)
    yield _shares_table(found)


def _part_chain(symbol: sp.Symbol, formula: sp.Expr, work: Work) -> Chain:
    value = work.define(symbol, formula)
    return Chain(symbol, (("=", formula), ("=", work.put(formula)), amount(value, "FLOP", digits=30)))


def _products_table(found: One) -> Table:
    rows, last = [], ""
    for product in found.products:
        matmul = product.matmul
        name = _words(product.part) if product.part != last else ""
        last = product.part
        sizes = say("({m} × {k}) ({k} × {n})", m=matmul.m, k=matmul.k, n=matmul.n)
        rows.append((text(name), text(matmul.name), sizes, say("{t}", t=product.times), say("{f}", f=product.flops)))
    heads = (
        Column(text("part"), "name"),
        Column(text("product")),
        Column(text("sizes")),
        Column(text("times"), "right"),
        Column(text("FLOP, all together"), "formula"),
    )
    return Table(text("The matrix products of a forward pass"), heads, tuple(rows))


def _shares_table(found: One) -> Table:
    rows = [
        (
            text(_words(part)),
            say("{f}", f=found.parts[part]),
            count(found.number(part)),
            _percent(found.share(part)),
        )
        for part in sorted(found.parts, key=found.share, reverse=True)
    ]
    rows.append((text("all products"), text(""), count(found.value), text("100 %")))
    heads = (
        Column(text("part"), "name"),
        Column(text("formula"), "formula"),
        Column(text("FLOP"), "right"),
        Column(text("share"), "right"),
    )
    return Table(text("The parts, the largest first"), heads, tuple(rows), totals=True)


def one_sentence(found: One) -> Prose:
    """Say all operations, and the share of each part, the largest first."""
    ranked = sorted(found.parts, key=found.share, reverse=True)
    shares = [say("{part} {share}", part=text(_words(part)), share=_percent(found.share(part))) for part in ranked]
    tokens = (B * S).xreplace(dict(found.study.values))
    return say(
        "A forward pass over {tokens} takes {total} in its matrix products, most of them in the {most}: {shares}.",
        tokens=counted(tokens, "tokens"),
        total=about(Amount(found.value, "FLOP", 30)),
        most=text(_words(ranked[0])),
        shares=joined(shares),
    )


def case_blocks(found: Many) -> Iterator[Block]:
    """Each part as a formula and with the numbers of every case, then the shares side by side."""
    first = found.cases[0][1]
    works = [Work(inside.study.values) for _, inside in found.cases]
    yield Paragraph(text("Part by part, all repetitions together:"))
    for part, formula in first.parts.items():
        symbol = local("F", part)
        chains = [Chain(symbol, (("=", formula),), general=True)]
        for (case, inside), work in zip(found.cases, works, strict=True):
            value = inside.number(part)
            here = case.of(symbol)
            work.values |= {symbol: value, here: value}
            chain = Chain(here, (("=", work.put(formula)), amount(value, "FLOP", digits=30)))
            work.check(chain)
            chains.append(chain)
        yield Work({}).step(text(f"{capitalised(_words(part))}:"), *_unchecked(chains))
    symbols = [local("F", part) for part in first.parts]
    totals = [Chain(TOTAL, (("=", Total(tuple(symbols))),), general=True)]
    for (case, inside), work in zip(found.cases, works, strict=True):
        work.values[case.of(TOTAL)] = inside.value
        chain = Chain(
            case.of(TOTAL), (("=", Total(tuple(map(work.put, symbols)))), amount(inside.value, "FLOP", digits=30))
        )
        work.check(chain)
        totals.append(chain)
    yield Work({}).step(text("Their sum:"), *_unchecked(totals))
    yield _cases_table(found)


def _unchecked(chains: Sequence[Chain]) -> list[Chain]:
    """Lines that were checked with the numbers of their own case."""
    return [replace(chain, general=True) for chain in chains]


def _cases_table(found: Many) -> Table:
    given = [symbol for name in found.cases[0][0].symbols if (symbol := lookup(name)) is not None]
    heads = (Column(text(""), "name"), *(Column(text(grouped_words(case.name)), "right") for case, _ in found.cases))
    rows = [
        *(
            (say("{s}", s=symbol), *(count(inside.study.values[symbol]) for _, inside in found.cases))
            for symbol in given
        ),
        *(
            (
                say("{part}, share", part=text(_words(part))),
                *(_percent(inside.share(part)) for _, inside in found.cases),
            )
            for part in found.cases[0][1].parts
        ),
        (text("all products, FLOP"), *(count(inside.value) for _, inside in found.cases)),
    ]
    return Table(text("The parts in every case"), heads, tuple(rows), totals=True)


def in_cases(found: Many) -> Prose:
    """Say all operations of every case, and how the share of each part changes from the first to the last."""
    (first, start), (last, end) = found.cases[0], found.cases[-1]
    totals = [
        say("{total} for {case}", total=about(Amount(inside.value, "FLOP", 30)), case=text(grouped_words(case.name)))
        for case, inside in found.cases
    ]
    moved = [
        say(
            "{part} from {one} to {other}",
            part=text(_words(part)),
            one=_percent(start.share(part)),
            other=_percent(end.share(part)),
        )
        for part in start.parts
    ]
    return say(
        "A forward pass takes {totals}; from {first} to {last} that is a factor of {ratio}. The shares of the whole: "
        "{moved}.",
        totals=joined(totals),
        first=text(first.name),
        last=text(last.name),
        ratio=about(Amount(end.value / start.value)),
        moved=joined(moved),
    )
