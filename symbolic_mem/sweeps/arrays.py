"""Polynomials as arrays: blocks of configurations in one of four arithmetics, each exact for what it is chosen for.

A block is a table: its rows are combinations of the outer axes, its columns those of the inner ones. A polynomial is the
matrix of its factors over the outer axes, times the matrix of its monomials over the inner ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from enum import Enum
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from symbolic_mem.base.values import dataclass
from symbolic_mem.sweeps.case import Case
from symbolic_mem.sweeps.polynomial import Monomial, Polynomial, split

Array = Any
INNER = 1 << 14
BLOCK = 1 << 19
_WORD = 1 << 64


class Arithmetic(Enum):
    """How a case is computed, chosen by what bounds every number on the way (see `arithmetic`)."""

    FLOAT = "float64"
    WHOLE = "int64"
    WRAPPED = "int64 modulo 2^64 beside float64"
    PYTHON = "Python integers"


def arithmetic(case: Case) -> Arithmetic:
    """Choose by the corner bound: below 2^53 floats are exact, below 2^63 machine integers are.

    Above that a number is known modulo 2^64 and as a float with an error of less than 2^60, which together give every
    quotient that fits into a capacity; what is larger, or held at a given degree, is left to Python's integers.
    """
    most = case.most
    if most < 1 << 53:
        return Arithmetic.FLOAT
    if most < 1 << 63:
        return Arithmetic.WHOLE
    fits = case.degree is None and case.capacity is not None and case.capacity.most(case.largest) < 1 << 62
    return Arithmetic.WRAPPED if fits and most * case.roundings < 1 << 112 else Arithmetic.PYTHON


def lifted(values: Sequence[int], kind: Any) -> Array:
    """Values as an array of a kind of numbers: ``uint64`` takes them modulo 2^64."""
    if isinstance(values, range):
        fits = abs(values.start) < 1 << 63 and abs(values.stop) < 1 << 63 and abs(values.step) < 1 << 63
        if fits and kind is not object:
            return np.arange(values.start, values.stop, values.step, dtype=np.int64).astype(kind)
        values = list(values)
    if isinstance(values, np.ndarray):
        return values.astype(kind)
    if kind is np.uint64:
        return np.array([value % _WORD for value in values], dtype=np.uint64)
    return np.array(values, dtype=kind)


def compact(case: Case) -> Case:
    """The case with its columns as machine integers where they fit, and with its bounds: it is cut into many pieces."""
    known = {name: getattr(case, name) for name in ("largest", "lowest", "most", "binding")}
    made = replace(
        case,
        lead=_packed(case.lead),
        leading={place: _packed(values) for place, values in case.leading.items()},
        trailing=tuple((size, {p: _packed(v) for p, v in own.items()}) for size, own in case.trailing),
    )
    made.__dict__.update(known)
    return made


def _packed(values: Sequence[int]) -> Sequence[int]:
    if isinstance(values, range) or not all(abs(value) < 1 << 63 for value in values):
        return values
    return np.array(values, dtype=np.int64)  # ty: ignore[invalid-explicit-return]


@dataclass(frozen=True)
class Layout:
    """Where each generator of a case lies: outer rows (the leading positions and the first axes) and inner columns."""

    case: Case

    @cached_property
    def split(self) -> int:
        """How many of the trailing axes are outer."""
        sizes = [size for size, _ in self.case.trailing]
        first = len(sizes)
        while first and prod(sizes[first - 1 :]) <= INNER:
            first -= 1
        return first

    @cached_property
    def outer(self) -> tuple[int, ...]:
        """The sizes of the outer axes."""
        return (len(self.case.lead), *(size for size, _ in self.case.trailing[: self.split]))

    @cached_property
    def inner(self) -> tuple[int, ...]:
        """The sizes of the inner axes."""
        return tuple(size for size, _ in self.case.trailing[self.split :])

    @cached_property
    def rows(self) -> int:
        """How many outer combinations there are."""
        return prod(self.outer)

    @cached_property
    def columns(self) -> int:
        """How many inner combinations there are."""
        return prod(self.inner)

    @cached_property
    def inner_places(self) -> frozenset[int]:
        """The generators that vary along the inner axes."""
        return frozenset(place for _, own in self.case.trailing[self.split :] for place in own)


class Values:
    """The values of the generators of a case in one kind of numbers, at outer rows or along the inner columns."""

    def __init__(self, layout: Layout, kind: Any) -> None:
        self.layout, self.kind = layout, kind
        columns: list[tuple[int, Mapping[int, Sequence[int]]]] = [(0, layout.case.leading)]
        columns += [(axis + 1, own) for axis, (_, own) in enumerate(layout.case.trailing)]
        self.axis = {place: axis for axis, own in columns for place in own}
        self.values = {place: lifted(v, kind) for _, own in columns for place, v in own.items()}

    def constant(self, factor: int) -> Any:
        """A factor in this kind of numbers."""
        if self.kind is np.uint64:
            return np.uint64(factor % _WORD)
        return np.float64(factor) if self.kind is np.float64 else factor

    def at_rows(self, place: int, first: int, last: int) -> Array:
        """A generator at outer rows."""
        sizes, axis, values = self.layout.outer, self.axis[place], self.values[place]
        after = prod(sizes[axis + 1 :])
        if after == 1 and prod(sizes[:axis]) == 1:
            return values[first:last]
        return values[np.arange(first, last) // after % sizes[axis]]

    @cached_property
    def along(self) -> dict[int, Array]:
        """Each inner generator along all inner columns."""
        found = {}
        for place in self.layout.inner_places:
            axis = self.axis[place] - 1 - self.layout.split
            shape = [1] * len(self.layout.inner)
            shape[axis] = -1
            found[place] = np.broadcast_to(self.values[place].reshape(shape), self.layout.inner).reshape(-1)
        return found


class Matrix:
    """A polynomial over a layout: the monomials of its inner generators as a matrix, and what stands before each."""

    def __init__(self, polynomial: Polynomial, values: Values) -> None:
        groups = split(polynomial, values.layout.inner_places)
        self.values = values
        self.before = list(groups.values())
        self.monomials = [self._along(inner) for inner in groups]
        self.plain = all(not inner for inner in groups)
        self.table = None if self.plain else np.stack(self.monomials)
        self._room: Array | None = None

    def _along(self, inner: Monomial) -> Array:
        found = np.ones(self.values.layout.columns, dtype=self.values.kind)
        for place, power in inner:
            for _ in range(power):
                found = found * self.values.along[place]
        return found

    def factors(self, first: int, last: int, known: dict[int, Array]) -> Array:
        """What stands before each inner monomial at outer rows: one row where it is the same at all of them."""
        columns = [evaluated(one, self.values, first, last, known) for one in self.before]
        if not columns:
            return np.zeros((1, 1), dtype=self.values.kind)
        whole = any(isinstance(one, np.ndarray) and one.ndim for one in columns)
        found = np.empty((last - first if whole else 1, len(columns)), dtype=self.values.kind)
        for position, one in enumerate(columns):
            found[:, position] = one
        return found

    def block(self, factors: Array) -> Array:
        """The polynomial at those rows, along all columns; what does not change along one of them is not repeated.

        The next block is written over it.
        """
        if self.table is None or not self.before:
            return factors
        shape = (len(factors), self.table.shape[1])
        if self._room is None or self._room.shape != shape:
            self._room = np.empty(shape, dtype=self.table.dtype)
        return np.matmul(factors, self.table, out=self._room)


def evaluated(polynomial: Polynomial, values: Values, first: int, last: int, known: dict[int, Array]) -> Any:
    """A polynomial of outer generators at outer rows, by Horner's rule: an array, or a number where nothing varies."""
    return _horner(dict(polynomial), values, first, last, known)[0]


def _horner(
    terms: dict[Monomial, Any], values: Values, first: int, last: int, known: dict[int, Array]
) -> tuple[Any, bool]:
    """The value, and whether it is an array of its own, which may be written over."""
    counts: dict[int, int] = {}
    for term in terms:
        for place, _ in term:
            counts[place] = counts.get(place, 0) + 1
    if not counts:
        return values.constant(int(terms.get((), 0))), False
    place = max(counts, key=lambda one: (counts[one], -one))
    if place not in known:
        known[place] = values.at_rows(place, first, last)
    power = min(own for term in terms for at, own in term if at == place)
    inside: dict[Monomial, Any] = {}
    rest: dict[Monomial, Any] = {}
    for term, factor in terms.items():
        own = dict(term).get(place)
        if own is None:
            rest[term] = factor
        else:
            left = own - power
            inside[tuple((at, left if at == place else p) for at, p in term if at != place or left)] = factor
    found, ours = _horner(inside, values, first, last, known)
    for _ in range(power):
        found = np.multiply(found, known[place], out=found if ours else None)
        ours = True
    if rest:
        more, theirs = _horner(rest, values, first, last, known)
        found = np.add(found, more, out=found if ours else more if theirs else None)
    return found, True


def blocks(layout: Layout, first: int, last: int, arrays: int) -> Iterator[tuple[int, int]]:
    """Cut outer rows into blocks of which so many arrays stay in a core's own memory."""
    step = max(1, max(BLOCK // max(arrays, 1), 1 << 13) // layout.columns)
    yield from ((row, min(row + step, last)) for row in range(first, last, step))
