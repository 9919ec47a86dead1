"""Answers at a block: the smallest degree, what is left, and the instant that binds, exactly, in each arithmetic.

Everything is scaled to whole numbers: P_k is divided by the degree n, and R_k is the room beside what is not, at instant
k. At n the instant leaves R_k - P_k/n; the smallest n is the largest of all ceil(P_k / R_k), where every R_k is positive.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from symbolic_mem.solvers.rules import Allowed

Array = Any


class TooLarge(Exception):
    """A quotient that an arithmetic does not hold; Python's integers do."""


class Arrays(Protocol):
    """Numbers of one arithmetic."""

    def degree(
        self, divided: Sequence[Array], room: Sequence[Array], nothing: Sequence[bool], *, strict: bool
    ) -> Array:
        """The smallest degree, or 0 where there is none; `nothing` says where P_k may be 0."""

    def ceil(self, above: Array, below: Array) -> Array:
        """The first whole number that reaches a quotient by a positive number."""

    def left(self, divided: Sequence[Array], room: Sequence[Array], degree: Array) -> tuple[list[Array], list[Array]]:
        """What each instant leaves, and how often each P_k/n counts as a whole one."""

    def floor(self, above: Array, below: Array) -> Array:
        """The last whole number that a quotient by a positive number allows."""

    def beyond(self, above: Array, below: Array, first: Array) -> Array:
        """How far `below` times that number is beyond `above`."""

    def whole(self, number: Array) -> Array:
        """The same as whole numbers."""

    def at(self, number: Array, mask: Array) -> Array:
        """The numbers of a block where a mask holds."""

    def less(self, one: Array, other: Array, name: str) -> Array:
        """The less of two numbers, in an array of that name."""


class Floats:
    """Whole numbers below 2^53 as floats: sums and products are exact, and so is the ceiling of a rounded quotient.

    A quotient of whole numbers a, b below 2^53 is rounded by less than 1/b, its least distance to a whole number.
    """

    def __init__(self) -> None:
        self._rooms: dict[tuple[str, tuple[int, ...]], Array] = {}

    def _room(self, name: str, *arrays: Array) -> Array:
        """An array to write over: taking it anew for every block costs as much as the arithmetic."""
        shapes = {one.shape for one in arrays}
        key = name, shapes.pop() if len(shapes) == 1 else np.broadcast_shapes(*(one.shape for one in arrays))
        if key not in self._rooms:
            self._rooms[key] = np.empty(key[1])
        return self._rooms[key]

    def degree(
        self, divided: Sequence[Array], room: Sequence[Array], nothing: Sequence[bool], *, strict: bool
    ) -> Array:
        """See `Arrays`."""
        reach: Array = np.float64(np.nan)
        least: Array = reach
        for k, (above, below, may) in enumerate(zip(divided, room, nothing, strict=True)):
            quotient, spare = np.divide(above, below, out=self._room(f"quotient {k > 0}", above, below)), below
            if may and not strict:
                quotient, spare = np.where(above == 0, 0.0, quotient), np.where(above == 0, below + 1, below)
            reach = np.maximum(reach, quotient, out=self._room("reach", reach, quotient)) if k else quotient
            least = np.minimum(least, spare, out=self._room("least", least, spare)) if k else spare
        found = np.floor(reach, out=reach) if strict else np.ceil(reach, out=reach)
        found = np.add(found, 1.0, out=found) if strict else found
        if any(nothing) or np.shape(found) != np.broadcast_shapes(np.shape(found), np.shape(least)):
            found = np.maximum(found, 1.0, out=self._room("degree", found, least))
        none = least <= 0
        if np.any(none):
            np.copyto(found, 0.0, where=none)
        return found

    def ceil(self, above: Array, below: Array) -> Array:
        """See `Arrays`."""
        found = np.divide(above, below)
        return np.ceil(found, out=found)

    def left(self, divided: Sequence[Array], room: Sequence[Array], degree: Array) -> tuple[list[Array], list[Array]]:
        """See `Arrays`."""
        ceilings, left = [], []
        for k, (above, below) in enumerate(zip(divided, room, strict=True)):
            same = next((i for i in range(k) if divided[i] is above), None)
            if same is None:
                found = np.divide(above, degree, out=self._room(f"ceiling {k}", above, degree))
                ceilings.append(np.ceil(found, out=found))
            else:
                ceilings.append(ceilings[same])
            left.append(np.subtract(below, ceilings[k], out=self._room(f"left {k}", below, ceilings[k])))
        return ceilings, left

    def floor(self, above: Array, below: Array) -> Array:
        """See `Arrays`."""
        return np.floor(np.divide(above, below))

    def beyond(self, above: Array, below: Array, first: Array) -> Array:
        """See `Arrays`; the product could be larger than 2^53."""
        return np.mod(-above, below)

    def whole(self, number: Array) -> Array:
        """See `Arrays`."""
        return np.asarray(number).astype(np.int64)

    def at(self, number: Array, mask: Array) -> Array:
        """See `Arrays`."""
        return np.broadcast_to(number, mask.shape)[mask]

    def less(self, one: Array, other: Array, name: str) -> Array:
        """See `Arrays`."""
        return np.minimum(one, other, out=self._room(name, one, other))


class Wholes:
    """Whole numbers below 2^63, or Python's of any size."""

    def degree(
        self, divided: Sequence[Array], room: Sequence[Array], nothing: Sequence[bool], *, strict: bool
    ) -> Array:
        """See `Arrays`."""
        reach, least = 1, 1
        for above, below, may in zip(divided, room, nothing, strict=True):
            spare = np.where(above == 0, below + 1, below) if may and not strict else below
            safe = np.where(below > 0, below, 1)
            found = above // safe + 1 if strict else -(-above // safe)
            reach, least = np.maximum(reach, found), np.minimum(least, spare)
        return np.where(least > 0, reach, 0)

    def ceil(self, above: Array, below: Array) -> Array:
        """See `Arrays`."""
        return -(-above // below)

    def left(self, divided: Sequence[Array], room: Sequence[Array], degree: Array) -> tuple[list[Array], list[Array]]:
        """See `Arrays`."""
        ceilings = [self.ceil(one, degree) for one in divided]
        return ceilings, [one - each for one, each in zip(room, ceilings, strict=True)]

    def floor(self, above: Array, below: Array) -> Array:
        """See `Arrays`."""
        return above // below

    def beyond(self, above: Array, below: Array, first: Array) -> Array:
        """See `Arrays`."""
        return -above % below

    def whole(self, number: Array) -> Array:
        """See `Arrays`."""
        return np.asarray(number)

    def at(self, number: Array, mask: Array) -> Array:
        """See `Arrays`."""
        return np.broadcast_to(number, mask.shape)[mask]

    def less(self, one: Array, other: Array, name: str) -> Array:
        """See `Arrays`."""
        return np.minimum(one, other)


class Wrapped:
    """Numbers as a pair: modulo 2^64, and as a float with an error of less than 2^60 (see `arithmetic`).

    A quotient by d < 2^62 is rounded from the floats; what it leaves is less than 2^63, and so is known exactly.
    """

    def degree(
        self, divided: Sequence[Array], room: Sequence[Array], nothing: Sequence[bool], *, strict: bool
    ) -> Array:
        """See `Arrays`."""
        reach, fits = np.int64(1), np.True_
        for (above, near), below, may in zip(divided, room, nothing, strict=True):
            space, positive = self._signed(below)
            ok = positive
            if may and not strict:
                zero = (above == 0) & (np.abs(near) < 2.0**61)
                ok = ok | (zero & (space == 0) & (np.abs(below[1]) < 2.0**62))
            safe = np.where(positive, space, 1)
            found = self._quotient(above, np.where(positive, near, 0.0), safe, up=not strict, matters=positive)
            found = found + 1 if strict else found
            reach, fits = np.maximum(reach, np.where(positive, found, 1)), fits & ok
        return np.where(fits, reach, 0)

    def _signed(self, number: tuple[Array, Array]) -> tuple[Array, Array]:
        """A number that is less than 2^62 if it is positive, and whether it is."""
        small = np.abs(number[1]) < 1.5 * 2.0**62
        space = np.where(small, number[0].view(np.int64), 0)
        return space, small & (space > 0)

    def _quotient(self, above: Array, near: Array, below: Array, *, up: bool, matters: Array) -> Array:
        rough = np.rint(near / below)
        if np.any((np.abs(rough) >= 2.0**62) & matters):
            raise TooLarge
        rough = np.where(np.abs(rough) < 2.0**62, rough, 0.0).astype(np.int64)
        left = (above - rough.astype(np.uint64) * below.astype(np.uint64)).view(np.int64)
        return rough + (-(-left // below) if up else left // below)

    def ceil(self, above: Array, below: Array) -> Array:
        """See `Arrays`."""
        return self._quotient(above[0], above[1], below, up=True, matters=np.True_)

    def left(self, divided: Sequence[Array], room: Sequence[Array], degree: Array) -> tuple[list[Array], list[Array]]:
        """See `Arrays`."""
        ceilings = [self.ceil(one, degree) for one in divided]
        return ceilings, [self.whole(one) - each for one, each in zip(room, ceilings, strict=True)]

    def floor(self, above: Array, below: Array) -> Array:
        """See `Arrays`."""
        return self._quotient(above[0], above[1], below, up=False, matters=np.True_)

    def beyond(self, above: Array, below: Array, first: Array) -> Array:
        """See `Arrays`."""
        return (first.astype(np.uint64) * below.astype(np.uint64) - above[0]).view(np.int64)

    def whole(self, number: Array) -> Array:
        """See `Arrays`: of numbers less than 2^62."""
        return number[0].view(np.int64) if isinstance(number, tuple) else number

    def at(self, number: Array, mask: Array) -> Array:
        """See `Arrays`."""
        if isinstance(number, tuple):
            return tuple(np.broadcast_to(one, mask.shape)[mask] for one in number)
        return np.broadcast_to(number, mask.shape)[mask]

    def less(self, one: Array, other: Array, name: str) -> Array:
        """See `Arrays`; pairs have no order without a quotient."""
        raise TooLarge


def allowed_degrees(degree: Array, rules: Allowed) -> Array:
    """The first degrees that rules allow from these on, 0 where there is none; raises `TooLarge` for one of 2^53 or more."""
    each, back = np.unique(degree, return_inverse=True)
    first = [0 if one <= 0 else rules.first(int(one)) or 0 for one in each]
    if degree.dtype != object and max(first) >= 1 << 53:
        raise TooLarge
    return np.array(first, dtype=degree.dtype)[back].reshape(degree.shape)


def together(
    arrays: Arrays, divided: Sequence[Array], room: Sequence[Array], nothing: Sequence[bool]
) -> tuple[list[Array], list[Array], list[bool]]:
    """Instants that divide the same become one, with the least of their rooms, where numbers have an order."""
    if isinstance(arrays, Wrapped):
        return list(divided), list(room), list(nothing)
    places: dict[int, int] = {}
    found: tuple[list[Array], list[Array], list[bool]] = [], [], []
    for above, below, may in zip(divided, room, nothing, strict=True):
        place = places.setdefault(id(above), len(places))
        if place == len(found[0]):
            for each, one in zip(found, (above, below, may), strict=True):
                each.append(one)
        else:
            found[1][place] = arrays.less(found[1][place], below, f"least room {place}")
    return found


def fullest(
    arrays: Arrays, divided: Sequence[Array], left: Sequence[Array], ceilings: Sequence[Array], degree: Array
) -> tuple[Array, Array]:
    """The least that is left, and at which instant: the first of those that hold most, to the last fraction of a byte."""
    least = left[0]
    shape = np.broadcast_shapes(*(one.shape for one in left), np.shape(degree))
    which = np.zeros(shape, dtype=np.int16)
    for instant in range(1, len(left)):
        here = left[instant]
        tie = np.broadcast_to(here == least, shape)
        if np.any(tie):
            n, own = arrays.at(degree, tie), which[tie]
            mine = arrays.beyond(arrays.at(divided[instant], tie), n, arrays.at(ceilings[instant], tie))
            theirs = np.empty_like(mine)
            for other in np.unique(own):
                at = tie & (which == other)
                theirs[own == other] = arrays.beyond(
                    arrays.at(divided[other], at), arrays.at(degree, at), arrays.at(ceilings[other], at)
                )
            changed = own.copy()
            changed[mine < theirs] = instant
            which[tie] = changed
        which[np.broadcast_to(here < least, shape)] = instant
        least = np.minimum(least, here)
    return np.broadcast_to(least, shape), which
