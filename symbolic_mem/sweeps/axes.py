"""The axes of a sweep: symbols with the whole numbers that they take, rows of several at once, and choices by name."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import prod
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import Name, table
from symbolic_mem.base.values import dataclass
from symbolic_mem.study.values import MAX_VALUE, given_symbol, literal

CHOICES = (
    *("device", "capacity", "reading", "plan", "recipe", "optimizer", "recompute", "profile", "kernel", "loss"),
    *("cache", "adapters", "gradients", "offload", "copies"),
)
ROW = "row"


@dataclass(frozen=True)
class Axis:
    """Positions, each of which gives a value to one symbol, or to each of several: `columns` of equal length."""

    name: str
    columns: Mapping[sp.Symbol, Sequence[int]]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def span(self, symbol: sp.Symbol) -> tuple[int, int]:
        """The smallest and the largest value of a symbol."""
        values = self.columns[symbol]
        if isinstance(values, range):
            return min(values[0], values[-1]), max(values[0], values[-1])
        return int(min(values)), int(max(values))

    def distinct(self, symbols: Sequence[sp.Symbol]) -> tuple[list[tuple[int, ...]], list[int]]:
        """The different values that some of its symbols have together, and for each position which of them."""
        places: dict[tuple[int, ...], int] = {}
        values = zip(*(map(int, self.columns[symbol]) for symbol in symbols), strict=True)
        inverse = [places.setdefault(one, len(places)) for one in values]
        return list(places), inverse


@dataclass(frozen=True)
class Choice:
    """Names, of which each stands for another study: devices, plans, recipes, ..."""

    name: str
    options: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.options)


@dataclass(frozen=True)
class Axes:
    """What a sweep varies, in the order in which it was given: every combination is a configuration."""

    all: tuple[Axis | Choice, ...]

    def __iter__(self) -> Iterator[Axis | Choice]:
        return iter(self.all)

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The axes of names."""
        return tuple(one for one in self.all if isinstance(one, Choice))

    @property
    def numbers(self) -> tuple[Axis, ...]:
        """The axes of whole numbers."""
        return tuple(one for one in self.all if isinstance(one, Axis))

    @property
    def symbols(self) -> tuple[sp.Symbol, ...]:
        """Every symbol that is varied."""
        return tuple(symbol for axis in self.numbers for symbol in axis.columns)

    @property
    def points(self) -> int:
        """How many configurations there are."""
        return prod(map(len, self.all))


def read_axes(
    given: Mapping[str, Any], rows: Mapping[str, Any] | None, own: Iterable[Name] = (), where: str = "sweep"
) -> Axes:
    """Return the axes of a sweep: each name with what it takes, and `rows` of values that belong together.

    Raises `BadInput` for a name that is none, an empty axis, and what is no positive whole number.

    >>> read_axes({"B": range(1, 4), "device": ["h100-80gb", "a100-80gb"]}, None).points
    6
    """
    own = tuple(own)
    axes = [_axis(name, values, own, where) for name, values in given.items()]
    if rows is not None:
        axes.append(_rows(rows, own, where))
    if not axes:
        raise BadInput(f"{where}: nothing is varied; give a symbol with its values, as in B = [1, 2, 4]")
    symbols = [symbol for axis in axes if isinstance(axis, Axis) for symbol in axis.columns]
    for symbol in symbols:
        if symbols.count(symbol) > 1:
            raise BadInput(f"{where}: {symbol} is varied twice; name it once")
    return Axes(tuple(axes))


def _axis(name: str, values: Any, own: tuple[Name, ...], where: str) -> Axis | Choice:
    if name in CHOICES:
        options = (values,) if isinstance(values, str) else tuple(values)
        wrong = next((one for one in options if not isinstance(one, str)), None)
        if wrong is not None:
            raise BadInput(f"{where}: {name} takes names, not {literal(wrong)}")
        _some(name, options, where)
        twice = next((one for one in options if options.count(one) > 1), None)
        if twice is not None:
            raise BadInput(f"{where}: {name} {twice!r} is given twice; give it once")
        return Choice(name, options)
    symbol = _symbol(name, own, where)
    return Axis(name, {symbol: _whole(name, values, where)})


def _rows(rows: Mapping[str, Any], own: tuple[Name, ...], where: str) -> Axis:
    if not rows:
        raise BadInput(f"{where}: rows hold no column; give for example rows = {{'B': [1, 2], 'S': [4096, 8192]}}")
    columns = {_symbol(name, own, where): _whole(name, values, where) for name, values in rows.items()}
    lengths = {str(symbol): len(values) for symbol, values in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length:,}" for name, length in lengths.items())
        raise BadInput(f"{where}: the columns of the rows have different lengths ({told}); give each as many values")
    return Axis(ROW, columns)


def _symbol(name: str, own: tuple[Name, ...], where: str) -> sp.Symbol:
    known = {str(one.symbol): one for one in (*table(given=True), *own)}
    if name not in known:
        raise BadInput.unknown(f"{where}: {name!r} cannot be varied", name, [*known, *CHOICES])
    if not known[name].whole:
        raise BadInput(f"{where}: {name} is no whole number, and only whole numbers are varied; set it to one value")
    return given_symbol(name, where, own).symbol


def _whole(name: str, values: Any, where: str) -> Sequence[int]:
    """Positive whole numbers; a range stays one, and so does a column of whole numbers of an array library."""
    if isinstance(values, int) and not isinstance(values, bool):
        values = [values]
    if isinstance(values, str) or not hasattr(values, "__len__"):
        values = [values] if isinstance(values, str) else list(values)
    if not isinstance(values, range):
        listed = getattr(values, "tolist", None)  # whole columns of an array library are quickly read so
        values = [_index(name, one, where) for one in (list(values) if listed is None else listed())]
    _some(name, values, where)
    for one in (min(values[0], values[-1]), max(values[0], values[-1])) if isinstance(values, range) else values:
        if not 0 < one <= MAX_VALUE:
            allowed = "positive whole numbers" if one <= 0 else "whole numbers of at most 10^30"
            raise BadInput(f"{where}: {name} = {one} is not allowed; give {allowed}")
    return values


def _index(name: str, value: object, where: str) -> int:
    if not isinstance(value, bool):
        try:
            return operator.index(value)  # ty: ignore[invalid-argument-type]
        except TypeError:
            pass
    raise BadInput(f"{where}: {name} = {literal(value)} is no whole number; give whole numbers, as in {name} = [1, 2]")


def _some(name: str, values: Sequence[object], where: str) -> None:
    if len(values) == 0:
        raise BadInput(f"{where}: {name} takes no value: the axis is empty; give at least one, as in {name} = [1, 2]")
