"""Rows: the configurations of a piece one below the other, with their axes as columns; which of them are wanted."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import groupby
from typing import Any

import numpy as np

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.units import parse_bytes
from symbolic_mem.base.values import dataclass
from symbolic_mem.base.written import signed
from symbolic_mem.sweeps.arrays import Layout
from symbolic_mem.sweeps.axes import Choice
from symbolic_mem.sweeps.engine import INSTANT, Piece
from symbolic_mem.sweeps.plan import Plan
from symbolic_mem.sweeps.run import Answered
from symbolic_mem.sweeps.table import labelled

Array = Any
Rows = dict[str, Array]
MOST_SORTED = 10**7
MOST_ORDERED = 1 << 20
_CONDITION = re.compile(r"\s*([\w: -]+?)\s*(<=|>=|!=|==|=|<|>)\s*(.+?)\s*")
_SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
}


def rows_in_order(plan: Plan, answered: Iterable[Answered]) -> Iterator[Rows]:
    """The rows of all pieces: those under one choice of names run through the other axes as these were given, the last of them fastest.

    Where values of an axis decide which formulas answer, of more than `MOST_ORDERED` configurations those of the same formulas stand together.
    """
    if not plan.cases.leading.axes or plan.points > MOST_ORDERED:
        yield from (rows_of(plan, piece, columns) for piece, columns in answered)
        return
    for _, pieces in groupby(answered, key=lambda one: one[0].case.choice):
        found, places = list[Rows](), list[Array]()
        for piece, columns in pieces:
            found.append(rows_of(plan, piece, columns))
            places.append(_in_grid(plan, piece))
        order = np.argsort(np.concatenate(places))
        yield {name: np.concatenate([rows[name] for rows in found])[order] for name in found[0]}


def _in_grid(plan: Plan, piece: Piece) -> Array:
    """The position of each row of a piece among those under its choice, in the order of the axes as they were given."""
    size, places = _along(plan, piece)
    index = np.zeros(size, dtype=np.int64)
    for axis in plan.axes.numbers:
        index = index * len(axis) + places[id(axis)]
    return index.reshape(-1)


def _along(plan: Plan, piece: Piece) -> tuple[tuple[int, int], dict[int, Array]]:
    """The outer rows and inner columns of a piece, and for each axis of numbers, by its id, the position along it."""
    layout = Layout(piece.case)
    outer = np.unravel_index(np.arange(piece.first, piece.last), layout.outer)
    leading = plan.cases.leading
    places: dict[int, Array] = {}
    if leading.axes:
        lead = np.unravel_index(np.asarray(piece.case.lead)[outer[0]], leading.shape)
        places |= {id(axis): at[:, None] for axis, at in zip(leading.axes, lead, strict=True)}
    inner = np.unravel_index(np.arange(layout.columns), layout.inner) if layout.inner else ()
    along = [*(at[:, None] for at in outer[1:]), *(at[None, :] for at in inner)]
    places |= {id(axis): at for axis, at in zip(plan.cases.trailing, along, strict=True)}
    return (piece.last - piece.first, layout.columns), places


def rows_of(plan: Plan, piece: Piece, columns: Mapping[str, Array]) -> Rows:
    """The axes and the columns of a piece, each as one array, in the order in which the axes were given."""
    size, places = _along(plan, piece)
    chosen = dict(zip(map(id, plan.axes.choices), piece.case.choice, strict=True))
    found: Rows = {}
    for axis in plan.axes:
        if isinstance(axis, Choice):
            found[axis.name] = np.full(size[0] * size[1], axis.options[chosen[id(axis)]], dtype=object)
            continue
        for symbol, values in axis.columns.items():
            kind = np.int64 if axis.span(symbol)[1] < 1 << 63 else object
            found[str(symbol)] = np.broadcast_to(np.array(values, dtype=kind)[places[id(axis)]], size).reshape(-1)
    names = {name: position for position, name in enumerate(plan.words)}
    made = labelled(plan, piece, columns, names)
    return found | {name: column.reshape(-1) for name, column in made.items()}


def absent(plan: Plan, rows: Rows, name: str) -> Array | None:
    """Which rows have no value in a column: those where no number of devices is enough; None where all have one."""
    degree = str(plan.symbol)
    given = (*plan.axes_names, "fits")
    return None if name in given or degree in given else rows[degree] == 0


@dataclass(frozen=True)
class Condition:
    """What rows must have: a column, a sign, and a number, an amount of memory or a word."""

    name: str
    holds: Callable[[Any, Any], Any]
    value: Any

    def mask(self, plan: Plan, rows: Rows) -> Array:
        """Which rows have it; none that has no value there."""
        found, none = np.asarray(self.holds(rows[self.name], self.value), dtype=bool), absent(plan, rows, self.name)
        return found if none is None else found & ~none


def condition(text: str, plan: Plan, names: Sequence[str], option: str = "--where") -> Condition:
    """Read a condition on a column: ``peak<=70e9``, ``left > 2 GiB``, ``device=b200``, or ``fits`` alone."""
    match = _CONDITION.fullmatch(text)
    name = match[1] if match else text.strip()
    if name not in names:
        raise BadInput.unknown(f"{option} {text!r}: there is no column {name!r}", name, names)
    if match is None:
        if name != "fits":
            raise BadInput(f"{option} {text!r} compares nothing: write for example {option} '{name} <= 64'")
        return Condition(name, operator.eq, True)
    sign, given = match[2], match[3]
    words = next((one.options for one in plan.axes.choices if one.name == name), None)
    if name == INSTANT:
        words = plan.words
    if words is not None or name == "fits":
        known = words if words is not None else ("true", "false")
        if sign not in ("=", "==", "!=") or given not in known:
            raise BadInput.unknown(f"{option} {text!r}: {name} is a word and is = or != one of them", given, known)
        value: Any = given == "true" if name == "fits" else given
        return Condition(name, _SIGNS[sign], plan.words.index(given) if name == INSTANT else value)
    return Condition(name, _SIGNS[sign], _number(text, given, option))


def _number(text: str, given: str, option: str) -> int | float:
    number = signed(given.replace(",", ""))
    if number is None:
        try:
            number = Fraction(parse_bytes(given))
        except BadInput:
            raise BadInput(f"{option} {text!r}: {given!r} is no number and no amount such as 2 GiB") from None
    return int(number) if number.denominator == 1 else float(number)


@dataclass(frozen=True)
class Wanted:
    """Which rows are wanted, in which order: all conditions hold, and of two columns of a `front` no other row is better.

    Each column of the front says whether more of it is better; of equal rows the first counts. Then they are sorted by a
    column, those without a value last, and the first `top` of them stay.
    """

    plan: Plan
    where: tuple[Condition, ...] = ()
    sort: str | None = None
    falling: bool = False
    top: int | None = None
    front: tuple[tuple[str, bool], ...] = ()

    @property
    def everything(self) -> bool:
        """Whether nothing is chosen and nothing is sorted."""
        return not self.where and self.sort is None and self.top is None and not self.front

    def chosen(self, rows: Rows) -> Rows:
        """The rows of a piece for which all conditions hold."""
        if not self.where:
            return rows
        mask = np.logical_and.reduce([one.mask(self.plan, rows) for one in self.where])
        return {name: column[mask] for name, column in rows.items()}

    def streams(self, pieces: Iterable[Rows]) -> Iterable[Rows]:
        """The wanted rows, piece by piece where nothing is sorted; equal ones keep their order."""
        if self.front:
            pieces = self._best(map(self.chosen, pieces))
        if self.sort is None:
            yield from self._first(pieces if self.front else map(self.chosen, pieces))
            return
        best: Rows | None = None
        for rows in map(self.chosen, pieces):
            best = rows if best is None else {name: _joined(column, rows[name]) for name, column in best.items()}
            if self.top is not None:
                best = self._sorted(best, self.top)
            elif size(best) > MOST_SORTED:
                raise BadInput(
                    f"more than {MOST_SORTED:,} rows are not sorted in memory; choose fewer, or add --top 10"
                )
        if best is not None:
            yield self._sorted(best, self.top)

    def _best(self, pieces: Iterable[Rows]) -> Iterable[Rows]:
        """The front of two columns, the best of the first column first."""
        best: Rows | None = None
        for rows in pieces:
            known = {name: column[self._valued(rows)] for name, column in rows.items()}
            best = known if best is None else {name: _joined(column, known[name]) for name, column in best.items()}
            one, other = (-best[name] if more else best[name] for name, more in self.front)
            order = np.lexsort((other, one))
            least = np.minimum.accumulate(other[order])
            keep = np.ones(len(order), dtype=bool)
            keep[1:] = other[order][1:] < least[:-1]
            best = {name: column[order[keep]] for name, column in best.items()}
        if best is not None:
            yield best

    def _valued(self, rows: Rows) -> Array:
        """The rows that have a value in both columns of the front."""
        found = np.ones(size(rows), dtype=bool)
        for name, _ in self.front:
            none = absent(self.plan, rows, name)
            found = found if none is None else found & ~none
        return found

    def _sorted(self, rows: Rows, top: int | None) -> Rows:
        assert self.sort is not None
        key = rows[self.sort]
        order = np.argsort(-key if self.falling and key.dtype.kind in "if" else key, kind="stable")
        if self.falling and key.dtype.kind not in "if":
            order = order[::-1]
        none = absent(self.plan, rows, self.sort)
        if none is not None:
            order = np.concatenate([order[~none[order]], order[none[order]]])
        return {name: column[order[:top]] for name, column in rows.items()}

    def _first(self, pieces: Iterable[Rows]) -> Iterable[Rows]:
        left = self.top
        for rows in pieces:
            if left is None:
                yield rows
                continue
            yield {name: column[:left] for name, column in rows.items()}
            left -= min(left, size(rows))
            if left == 0:
                return


def size(rows: Rows) -> int:
    """How many rows there are."""
    return len(next(iter(rows.values())))


def _joined(one: Array, other: Array) -> Array:
    return np.concatenate([one, other])
