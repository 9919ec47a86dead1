"""Topics that hold a memory against a device: the smallest degrees over two symbols, and what is left on n devices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.limit import Limit
from symbolic_mem.base.rational import Number, symbolic
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Chain, Prose, say, text
from symbolic_mem.document.steps import Block, Column, Table
from symbolic_mem.document.words import about, count, listed
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.assumptions import ranks_beside
from symbolic_mem.questions.parts.instants import bound_at, fitting, instants, one_is_asked
from symbolic_mem.questions.parts.keys import degree_on
from symbolic_mem.questions.parts.one_device import fewest, on_one_device, on_the_fewest
from symbolic_mem.solvers.capacity import Capacity
from symbolic_mem.solvers.insight import LeftOver, left_over
from symbolic_mem.solvers.layout import Layout
from symbolic_mem.solvers.region import Region, region_under
from symbolic_mem.solvers.rules import Rule
from symbolic_mem.study.study import Study

Axis = tuple[sp.Symbol, tuple[int, ...]]


Entries = tuple[tuple[int | None, ...], ...]


class Grid(Protocol):
    """What a question gives for a grid."""

    @property
    def where(self) -> str:
        """Where it stands, for what is refused."""

    @property
    def label(self) -> str:
        """Its label."""

    @property
    def symbol(self) -> sp.Symbol:
        """The degree."""

    @property
    def strict(self) -> bool:
        """Whether the memory must be less than the capacity."""

    @property
    def rows(self) -> Axis | None:
        """One symbol with its values."""

    @property
    def columns(self) -> Axis | None:
        """The other symbol with its values."""

    @property
    def devices(self) -> tuple[int, ...]:
        """Numbers of devices."""

    @property
    def counted(self) -> tuple[str, ...]:
        """The kinds of memory that count."""

    @property
    def rules(self) -> tuple[Rule | Layout, ...]:
        """The rules that a degree obeys."""

    def rules_for(self, study: Study, symbol: sp.Symbol) -> tuple[Rule | Layout, ...]:
        """Those, and that of a plan that reshards over some devices."""


@dataclass(frozen=True)
class RegionTable:
    """The smallest degree for each pair of values of two symbols, or None where no degree is enough.

    `parts` are what one device holds and what of it is not divided, at each instant that decides a pair; `what` must fit.
    `alone` is what one holds at each instant of a step on the `first` number of devices that there can be, where that is
    another one and enough for some pair.
    """

    found: Region
    rows: Axis
    columns: Axis
    entries: tuple[tuple[int | None, ...], ...]
    limit: Limit
    parts: tuple[tuple[sp.Expr, sp.Expr], ...]
    what: str = "what is kept"
    ranks: int = 1
    rules: tuple[str, ...] = ()
    alone: tuple[sp.Expr, ...] = ()
    first: int = 1

    @property
    def facts(self) -> Mapping[str, Any]:
        """The axes and the entries."""
        return {
            "region": {
                "rows": {str(self.rows[0]): list(self.rows[1])},
                "columns": {str(self.columns[0]): list(self.columns[1])},
                "entries": self.entries,
            }
        }

    def steps(self, work: Work) -> Iterator[Block]:
        """Where the pair fits on n devices, where any number is enough, and the table."""
        pieces = {"what": self.what.capitalize(), "r": self.rows[0], "c": self.columns[0]}
        n, (r, values), (c, heads) = self.found.bound.symbol, self.rows, self.columns
        capacity = symbolic(self.limit.capacity)
        lines, reason = [], None
        for whole, fixed in self.parts:
            if whole == 0:
                continue
            lines.append(Chain(whole, ((self.limit.sign, capacity),), asked=True))
            if fixed != 0 and whole.has(n):
                lines.append(Chain(fixed, (("<", capacity),), asked=True))
                reason = (
                    text("The second line is where any number of devices is enough.")
                    if len(self.parts) == 1
                    else say("A line without {n} must hold for any number of devices to be enough.", n=n)
                )
        yield work.step(
            say("{what} at {r} and {c} fits on {n} devices where", n=self.ranks * n, **pieces),
            *lines,
            reason=reason,
        )
        if self.alone:
            yield work.step(
                say("{alone}. It is enough where, at the instants of its own step,", alone=on_the_fewest(1))
                if self.first == 1
                else say(
                    "{few}. They are enough where, at the instants of their own step,", few=on_the_fewest(self.first)
                ),
                *(Chain(held, ((self.limit.sign, capacity),), asked=True) for held in self.alone),
            )
        columns = (
            Column(say("{r}", r=r), "right"),
            *(Column(say("{c} = {v}", c=c, v=sp.Integer(head)), "right") for head in heads),
        )
        cells = tuple(
            (count(value), *(count(entry) for entry in line)) for value, line in zip(values, self.entries, strict=True)
        )
        smallest: dict[str, Any] = {"n": n, "what": self.what, "rules": listed(self.rules) if self.rules else ""}
        caption = (
            say("The smallest {n} under the rules ({rules}) at which {what} fits; – where there is none", **smallest)
            if self.rules
            else say("The smallest {n} at which {what} fits; – where no number of devices is enough", **smallest)
        )
        yield Table(caption, columns, cells)

    @property
    def closing(self) -> Prose:
        """How many pairs have a number of devices."""
        cells = [entry for line in self.entries for entry in line]
        return say(
            "Of the {total} pairs in the table {known} have a number of devices that is enough for {what}.",
            what=self.what,
            total=len(cells),
            known=len(cells) - cells.count(None),
        )


def region_table(grid: Grid, study: Study) -> RegionTable:
    """Find the smallest degree for each pair; where two instants must fit, the one that asks for more counts."""
    assert grid.rows is not None and grid.columns is not None, "the question has both axes"
    for symbol in (grid.rows[0], grid.columns[0]):
        if study.plan is not None and symbol in study.plan.axes:
            raise BadInput(
                f"{grid.where or grid.label}: plan {study.plan.name!r} cuts the model over {symbol}, so that each of its values is "
                f"another model; give a size such as B or S, and try its values with solve --for {symbol}"
            )
    rows, columns, rules = grid.rows, grid.columns, grid.rules_for(study, grid.symbol)
    capacity, moments = study.capacity.counted, instants(study, grid.counted)
    whole = one_is_asked(study, grid.symbol)

    def regions(at: tuple[Study, ...]) -> list[Region]:
        few = whole or at is not moments
        bounds = (bound_at(one, grid.counted, grid.symbol, strict=grid.strict, alone=few) for one in at)
        return [region_under(bound, one.numbers, rows, columns, rules) for bound, one in zip(bounds, at, strict=True)]

    found, on_one = regions(moments), regions(on_one_device(study, grid.counted, grid.symbol, instants))
    several, first = _most(one.entries for one in found), fewest(study, grid.symbol)
    ones = _most(one.entries for one in on_one) if on_one else several
    entries = tuple(
        tuple(first if alone == first else cell for cell, alone in zip(*lines, strict=True))
        for lines in zip(several, ones, strict=True)
    )
    known = {x: v for x, v in study.values.items() if x not in (rows[0], columns[0])}
    bounds = [one.bound for one in found if _decides(one.entries, several)]
    parts = tuple((one.per_device(grid.symbol).xreplace(known), sp.expand(one.fixed.xreplace(known))) for one in bounds)
    enough = any(first in line for line in entries)
    alone = tuple(
        sp.expand(one.bound.per_device(sp.Integer(first)).xreplace(known))
        for one in on_one
        if enough and _decides(one.entries, ones)
    )
    limit, what, ranks = Limit(capacity, grid.strict), fitting(moments[0]), ranks_beside(study, grid.symbol)
    said = tuple(rule.words for rule in rules)
    return RegionTable(found[0], rows, columns, entries, limit, parts, what, ranks, said, alone, first)


def _most(regions: Iterable[Entries]) -> Entries:
    """For each pair the most that any instant asks for; None where one of them fits on no number."""
    return tuple(
        tuple(None if None in cells else max(cells) for cells in zip(*lines, strict=True))
        for lines in zip(*regions, strict=True)
    )


def _decides(own: Entries, all_of_them: Entries) -> bool:
    """Whether an instant gives the entry of some pair."""
    return any(
        one == most for line, lines in zip(own, all_of_them, strict=True) for one, most in zip(line, lines, strict=True)
    )


@dataclass(frozen=True)
class LeftOvers:
    """What each number of devices leaves free, and whether what is kept fits; there are `ranks` of them for each of the degree."""

    symbol: sp.Symbol
    capacity: Capacity
    limit: Limit
    rows: tuple[LeftOver, ...]
    what: str = "what is kept"
    ranks: int = 1

    def fits(self, row: LeftOver) -> bool:
        """Whether what one device keeps fits."""
        return self.limit.holds(row.used)

    @property
    def facts(self) -> Mapping[str, Any]:
        """Used and free bytes for every number of devices."""
        return {
            "left_over": [
                {
                    "devices": row.count * self.ranks,
                    "degree": row.count,
                    "used_bytes": row.used,
                    "free_bytes_each": row.each,
                    "free_bytes": row.together * self.ranks,
                    "fits": self.fits(row),
                }
                for row in self.rows
            ]
        }

    def _shown(self, size: Number) -> Prose:
        return about(Amount(symbolic(size), self.capacity.unit))

    def steps(self, work: Work) -> Iterator[Block]:
        """The table."""
        rows = tuple(
            (
                *(count(number) for number in self._numbers(row)),
                self._shown(row.used),
                *(
                    (self._shown(row.each), self._shown(row.together * self.ranks))
                    if self.fits(row)
                    else (say("{what} does not fit", what=self.what), text("–"))
                ),
            )
            for row in self.rows
        )
        heads = (
            *((Column(text("devices"), "right"),) if self.ranks > 1 else ()),
            Column(say("{n}", n=self.symbol), "right"),
            Column(text("kept on each" if self.what == "what is kept" else "held on each at the peak"), "right"),
            Column(text("free on each"), "right"),
            Column(text("free on all together"), "right"),
        )
        yield Table(say("What is left over beside {what}", what=self.what), heads, rows)

    def _numbers(self, row: LeftOver) -> tuple[int, ...]:
        """The number of devices, and the degree where that is another one."""
        return (row.count,) if self.ranks == 1 else (row.count * self.ranks, row.count)

    @property
    def closing(self) -> Prose:
        """What the last number of devices that is enough leaves free."""
        fitting = [row for row in self.rows if self.fits(row)]
        if not fitting:
            return say("None of these numbers of devices is enough for {what}.", what=self.what)
        last = fitting[-1]
        return say(
            "On {number} devices each has {free} to spare beside {what}.",
            what=self.what,
            number=last.count * self.ranks,
            free=self._shown(last.each),
        )


def left_overs(grid: Grid, study: Study) -> LeftOvers:
    """Find what each number of devices leaves; where two instants must fit, the one that takes more counts."""
    capacity, ranks = study.capacity, ranks_beside(study, grid.symbol)
    layouts = [rule for rule in grid.rules if isinstance(rule, Layout)]
    rows, moments = [], instants(study, grid.counted)
    for number in (degree_on(devices, study, grid.symbol, grid.where or grid.label) for devices in grid.devices):
        alone = on_one_device(study, grid.counted, grid.symbol) if number == fewest(study, grid.symbol) else ()
        each = [
            left_over(one.placed(grid.counted), grid.symbol, number, capacity.counted, one.numbers, layouts=layouts)
            for one in alone or moments
        ]
        rows.append(max(each, key=lambda row: row.used))
    limit, what = Limit(capacity.counted, grid.strict), fitting(moments[0])
    return LeftOvers(grid.symbol, capacity, limit, tuple(rows), what, ranks)
