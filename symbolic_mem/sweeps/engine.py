"""The columns of a piece of a case: plain numbers in, arrays out, in this process or in another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from symbolic_mem.base.rational import Number
from symbolic_mem.base.values import dataclass
from symbolic_mem.sweeps.answers import (
    Array,
    Arrays,
    Floats,
    TooLarge,
    Wholes,
    Wrapped,
    allowed_degrees,
    fullest,
    together,
)
from symbolic_mem.sweeps.arrays import Arithmetic, Layout, Matrix, Values, arithmetic, blocks
from symbolic_mem.sweeps.case import Case
from symbolic_mem.sweeps.compiled import compiled
from symbolic_mem.sweeps.loops import DEGREE, FITS, INSTANT, LEFT, PEAK, Loops
from symbolic_mem.sweeps.polynomial import Monomial, Polynomial, constant
from symbolic_mem.sweeps.seconds import seconds
from symbolic_mem.sweeps.sending import COLUMN

_KINDS = {
    Arithmetic.FLOAT: (np.float64,),
    Arithmetic.WHOLE: (np.int64,),
    Arithmetic.WRAPPED: (np.uint64, np.float64),
    Arithmetic.PYTHON: (object,),
}
_ARRAYS: dict[Arithmetic, Callable[[], Arrays]] = {
    Arithmetic.FLOAT: Floats,
    Arithmetic.WHOLE: Wholes,
    Arithmetic.WRAPPED: Wrapped,
    Arithmetic.PYTHON: Wholes,
}
ALONE = "one "


@dataclass(frozen=True)
class Piece:
    """Outer rows `first` to `last` of a case, and the columns that are wanted of them.

    `every` asks for the bytes of each instant, `terms` for those of each term at the instant that binds. With `loops`, of the
    case and of its step on one device, what they answer is compiled.
    """

    case: Case
    first: int
    last: int
    columns: tuple[str, ...]
    every: bool = False
    terms: bool = False
    loops: tuple[Loops | None, Loops | None] = (None, None)

    def answer(self) -> dict[str, Array]:
        """Return each column as a table of outer rows and inner columns; those of a step on one device are called ``one ...``."""
        found = self._columns(self.case)
        degree = found.get(DEGREE)
        if self.case.one is not None and degree is not None:
            alone = self._columns(self.case.one)
            found |= {f"{ALONE}{name}": values for name, values in alone.items()}
            degree = np.where(alone[DEGREE] == 1, alone[DEGREE], degree)
        if self.case.sends is not None:
            found[COLUMN] = seconds(self.case, self.case.sends, self.first, self.last, degree)
        return found

    def _columns(self, case: Case) -> dict[str, Array]:
        piece = replace(self, case=case)
        loops = self.loops[case is not self.case]
        try:
            if loops is not None:
                return compiled(case, loops, self.first, self.last)
            return Engine(piece, arithmetic(case)).columns()
        except TooLarge:
            return Engine(piece, Arithmetic.PYTHON).columns()


class Engine:
    """Evaluates a piece, block by block."""

    def __init__(self, piece: Piece, how: Arithmetic) -> None:
        self.piece, self.case, self.arithmetic = piece, piece.case, how
        self.layout = Layout(self.case)
        self.arrays = _ARRAYS[self.arithmetic]()
        self.values = [Values(self.layout, kind) for kind in _KINDS[self.arithmetic]]
        self._known: dict[frozenset[tuple[Monomial, Number]], list[Matrix]] = {}

    @cached_property
    def counted(self) -> list[int]:
        """The instants that are evaluated: those that can bind, or all of them where their bytes are wanted."""
        return list(range(len(self.case.instants))) if self.piece.every else self.case.binding

    @cached_property
    def divided(self) -> list[list[Matrix]]:
        """What is divided by the degree, at each instant that counts."""
        return [self._matrices(self.case.instants[k].divided) for k in self.counted]

    @cached_property
    def room(self) -> list[list[Matrix]]:
        """What is left beside what is not divided, at each instant that counts; of nothing where there is no capacity."""
        return [self._matrices(self._whole - self.case.instants[k].fixed) for k in self.counted]

    @cached_property
    def _whole(self) -> Polynomial:
        return constant(0) if self.case.capacity is None else self.case.capacity

    @cached_property
    def number(self) -> list[list[Matrix]]:
        """The degree, where it is given."""
        return [] if self.case.degree is None else [self._matrices(Polynomial({((self.case.degree, 1),): 1}))]

    @cached_property
    def scaled(self) -> list[Matrix]:
        """By what bytes are multiplied."""
        return self._matrices(self.case.scaled)

    @cached_property
    def capacity(self) -> list[Matrix]:
        """The capacity; nothing where there is none."""
        return self._matrices(self._whole)

    @cached_property
    def parts(self) -> list[list[tuple[list[Matrix], list[Matrix]]]]:
        """What each term of each instant divides, and what it does not."""
        return [[(self._matrices(t.divided), self._matrices(t.fixed)) for t in group] for group in self.case.terms]

    @cached_property
    def nothing(self) -> list[bool]:
        """Whether what is divided may be nothing, at each instant that counts."""
        lowest, largest = self.case.lowest, self.case.largest
        unknown = min(lowest, default=1) < 0
        return [unknown or self.case.instants[k].divided.least(lowest, largest) <= 0 for k in self.counted]

    def columns(self) -> dict[str, Array]:
        """See `Piece.answer`."""
        terms = (m for group in self.parts for pair in group for m in pair)
        every = (*self.divided, *self.room, *self.number, self.scaled, self.capacity, *terms)
        found: dict[str, Array] = {}
        size = (self.piece.last - self.piece.first, self.layout.columns)
        batch = 1 << 16
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            for start in range(self.piece.first, self.piece.last, batch):
                stop = min(start + batch, self.piece.last)
                known: list[dict[int, Array]] = [{} for _ in self.values]
                factors = {id(m): self._factors(m, start, stop, known) for m in every}
                for first, last in blocks(self.layout, start, stop, 2 * len(self.divided) + 2):
                    block = self._block(_Block(factors, first - start, last - start), (last - first, size[1]))
                    for name, values in block.items():
                        if name not in found:
                            kind = np.int64 if values.dtype == np.float64 else values.dtype
                            found[name] = np.empty(size, dtype=kind)
                        elif values.dtype == object and found[name].dtype != object:
                            found[name] = found[name].astype(object)
                        place = found[name][first - self.piece.first : last - self.piece.first]
                        np.copyto(place, values, casting="unsafe")  # whole numbers, whatever they are computed in
        return found

    def _matrices(self, polynomial: Polynomial) -> list[Matrix]:
        """The polynomial in each kind of numbers; instants that share one share its matrices, too."""
        key = frozenset(polynomial)
        if key not in self._known:
            self._known[key] = [Matrix(polynomial, values) for values in self.values]
        return self._known[key]

    def _factors(self, matrices: list[Matrix], first: int, last: int, known: list[dict[int, Array]]) -> list[Any]:
        return [(one, one.factors(first, last, own)) for one, own in zip(matrices, known, strict=True)]

    def _block(self, at: _Block, shape: tuple[int, int]) -> dict[str, Array]:
        case, arrays, wanted = self.case, self.arrays, self.piece.columns
        divided, room = list(map(at, self.divided)), list(map(at, self.room))
        degree = at(self.number[0]) if self.number else None
        found: dict[str, Array] = {}
        if degree is None:
            degree = arrays.degree(*together(arrays, divided, room, self.nothing), strict=case.strict)
            degree = degree if case.allowed is None else allowed_degrees(degree, case.allowed)
            found[DEGREE] = self._numbers(degree, shape)
            if not (self.piece.every or self.piece.terms or {PEAK, LEFT, INSTANT} & set(wanted)):
                return found | ({FITS: np.broadcast_to(degree > 0, shape)} if FITS in wanted else {})
            answered = found[FITS] = np.broadcast_to(degree > 0, shape)
            degree = np.where(answered, degree, idle(self.arithmetic))
        else:
            answered = None
        scaled, capacity = at(self.scaled), at(self.capacity)
        parts = [[(at(p), at(f)) for p, f in group] for group in self.parts]
        if not (self.piece.every or parts or INSTANT in wanted or case.strict):
            divided, room, _ = together(arrays, divided, room, self.nothing)
        ceilings, left = arrays.left(divided, room, degree)
        least, which = fullest(arrays, divided, left, ceilings, degree) if INSTANT in wanted or parts else (None, None)
        if least is None:
            least = left[0]
            for one in left[1:]:
                least = np.minimum(least, one)
        if case.degree is not None and case.capacity is not None and FITS in wanted:
            found[FITS] = np.broadcast_to(self._fits(divided, room, degree, least), shape).astype(bool)
        per = None if case.scaled == constant(1) else arrays.whole(scaled)
        floats = per is None and self.arithmetic is Arithmetic.FLOAT
        whole, total = (least, capacity) if floats else (arrays.whole(least), arrays.whole(capacity))
        if PEAK in wanted:
            found[PEAK] = self._filled(_peak(whole, total, per), answered, shape)
        if LEFT in wanted and case.capacity is not None:
            found[LEFT] = self._filled(whole if per is None else whole // per, answered, shape)
        if which is not None:
            chosen = np.asarray(self.counted, dtype=np.int16)[which]
            found[INSTANT] = np.broadcast_to(chosen if answered is None else np.where(answered, chosen, -1), shape)
        if self.piece.every:
            for name, one in zip(self.counted, left, strict=True):
                found[f"{INSTANT}:{name}"] = self._filled(
                    _peak(one if floats else arrays.whole(one), total, per), answered, shape
                )
        if parts and which is not None:
            self._terms(found, parts, which, degree, per, answered, shape)
        return found

    def _fits(self, divided: list[Any], room: list[Any], degree: Any, least: Any) -> Array:
        """Whether what is held at a given degree is at most the capacity, or less than it."""
        if not self.case.strict:
            return least >= 0
        spare = [_space(r) - self.arrays.floor(p, degree) for p, r in zip(divided, room, strict=True)]
        fits = np.True_
        for one in spare:
            fits = fits & (one > 0)
        return fits

    def _terms(
        self,
        found: dict[str, Array],
        parts: list[list[tuple[Any, Any]]],
        which: Array,
        degree: Any,
        per: Any,
        answered: Array | None,
        shape: tuple[int, int],
    ) -> None:
        sums: dict[str, Array] = {}
        for position, instant in enumerate(self.counted):
            here = which == position
            if not np.any(here):
                continue
            names: dict[str, tuple[list[Any], list[Any]]] = {}
            for (p, f), term in zip(parts[instant], self.case.terms[instant], strict=True):
                above, fixed = names.setdefault(term.name, ([], []))
                above.append(p)
                fixed.append(f)
            for name, (above, fixed) in names.items():
                whole = self.arrays.ceil(_sum(above), degree) + _space(_sum(fixed))
                size = self.arrays.whole(whole)
                size = size if per is None else -(-size // per)
                old = sums.setdefault(name, np.zeros(shape, dtype=np.asarray(size).dtype))
                sums[name] = np.where(here, size, old)
        for name, size in sums.items():
            found[f"term:{name}"] = self._filled(size, answered, shape)

    def _numbers(self, number: Array, shape: tuple[int, int]) -> Array:
        """Numbers of a column: Python's where one of them needs more than 64 bits."""
        found = np.asarray(number)
        if found.dtype == object and all(abs(one) < 1 << 63 for one in found.flat):
            found = found.astype(np.int64)
        return found if found.shape == shape else np.broadcast_to(found, shape)

    def _filled(self, number: Array, answered: Array | None, shape: tuple[int, int]) -> Array:
        """Bytes, 0 where there is no answer."""
        return self._numbers(number if answered is None else np.where(answered, number, 0), shape)


class _Block:
    """Polynomials at some rows, each evaluated once."""

    def __init__(self, factors: dict[int, list[tuple[Matrix, Array]]], first: int, last: int) -> None:
        self.factors, self.rows = factors, slice(first, last)
        self._made: dict[int, Any] = {}

    def __call__(self, matrices: list[Matrix]) -> Any:
        key = id(matrices)
        if key not in self._made:
            one = [m.block(f[self.rows] if len(f) > 1 else f) for m, f in self.factors[key]]
            self._made[key] = tuple(one) if len(one) > 1 else one[0]
        return self._made[key]


def idle(how: Arithmetic) -> Any:
    """A degree for configurations that have none, at which nothing is too large."""
    return {Arithmetic.FLOAT: 1.0, Arithmetic.WRAPPED: np.int64(1 << 61)}.get(how, 1)


def _space(number: Any) -> Array:
    return number[0].view(np.int64) if isinstance(number, tuple) else number


def _sum(numbers: list[Any]) -> Any:
    if isinstance(numbers[0], tuple):
        return tuple(sum(one[i] for one in numbers) for i in range(2))
    return sum(numbers)


def _peak(left: Array, capacity: Any, per: Any) -> Array:
    """Bytes that are held, rounded up."""
    return capacity - left if per is None else -((left - capacity) // per)
