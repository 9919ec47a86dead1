"""`Loops`: the answers of a case as the text of one function that a compiler turns into a single pass over its configurations.

What is computed is what `answers` tells; only where and how often is another matter. Numbers below 2^50 are floats, so that
also twice their sum is exact and turns into a whole number by one addition; below 2^62 they are machine integers, whose
quotients are rounded from floats and corrected by what they leave. What is larger is not written here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from symbolic_mem.base.values import dataclass
from symbolic_mem.sweeps.arrays import Layout
from symbolic_mem.sweeps.case import Case
from symbolic_mem.sweeps.nest import Nest, Value
from symbolic_mem.sweeps.polynomial import Polynomial, constant

FLOATS, WHOLES = 1 << 50, 1 << 62
DEGREE, FITS, PEAK, LEFT, INSTANT = "degree", "fits", "peak", "left", "instant"
HELD = (PEAK, LEFT, INSTANT)
_WHOLE = {"float64": "np.float64({} + SHIFT).view(np.int64) - BITS", "int64": "{}"}
_UP = {"float64": "np.ceil({} / {})", "int64": "-down(-({}), {})"}
_DOWN = {"float64": "np.floor({} / {})", "int64": "down({}, {})"}
_LESS, _MORE = "{0} if {0} < {1} else {1}", "{0} if {0} > {1} else {1}"


@dataclass(frozen=True)
class Loops:
    """The text of a function, the whole numbers that it takes, the generators whose values it reads, and what it answers.

    With `after` the degree is one that rules allow, found between this pass and that one.
    """

    source: str
    constants: tuple[int, ...]
    places: tuple[int, ...]
    along: frozenset[int]
    written: tuple[str, ...]
    after: Loops | None = None


def loops(case: Case, wanted: Sequence[str]) -> Loops | None:
    """Return the loops that answer a case, or None where its numbers are too large for them."""
    if case.most >= WHOLES:
        return None
    asked = [one for one in wanted if case.capacity is not None or one not in (FITS, LEFT)]
    if case.degree is not None:
        return _Writer(case).held(asked, None)
    if case.allowed is None:
        return _Writer(case).degree(asked)
    after = _Writer(case).held(asked, DEGREE) if {FITS, *HELD} & set(asked) else None
    return _Writer(case).degree([], after)


def layout(case: Case) -> tuple[frozenset[int], bool]:
    """The generators that change along a row of the nest, and whether it has more rows than one.

    A last axis that is too long for the columns of a block is the only row, or several that are gone through one by one.
    """
    lying = Layout(case)
    if lying.columns > 1:
        return lying.inner_places, True
    last = [own for _, own in case.trailing[: lying.split]][-1:] or [case.leading]
    return frozenset(last[0]), False


class _Writer:
    def __init__(self, case: Case) -> None:
        self.case = case
        self.kind = "float64" if case.most < FLOATS else "int64"
        self.along, tables = layout(case)
        small = frozenset(place for place, most in enumerate(case.largest) if most < FLOATS)
        self.nest = Nest(self.along, tables=tables, kind=self.kind, small=small)
        whole = constant(0) if case.capacity is None else case.capacity
        self.whole = whole
        self.instants = [(case.instants[k].divided, whole - case.instants[k].fixed) for k in case.binding]

    def degree(self, wanted: Sequence[str], after: Loops | None = None) -> Loops:
        """The smallest degree, 0 where there is none, and what is wanted at it."""
        nest = self.nest
        reach: list[Value] = []
        spare: list[Value] = []
        for divided, space in self._together():
            quotient, space = self._reach(divided, space)
            spare.append(space)
            reach += [] if quotient is None else [quotient]
        least = reduce(lambda one, other: nest.make(_LESS, one, other), spare)
        one = nest.constant(1)
        found = reduce(lambda one, other: nest.make(_MORE, one, other), reach) if reach else one
        if reach:
            up = {"float64": "np.floor({}) + 1.0" if self.case.strict else "np.ceil({})", "int64": "{}"}[self.kind]
            found = nest.make(_MORE, nest.make(up, found), one)
        n = nest.make("{1} if {0} > 0 else {2}", least, found, nest.constant(0))
        nest.write(DEGREE, _WHOLE[self.kind], n)
        return self._held(wanted, n, after)

    def _together(self) -> list[tuple[Polynomial, Value]]:
        """What is divided with the room beside it; of instants that divide the same the least room."""
        rooms: dict[frozenset[object], tuple[Polynomial, Value]] = {}
        for divided, room in self.instants:
            space = self.nest.polynomial(room)
            if (key := frozenset(divided)) in rooms:
                space = self.nest.make(_LESS, rooms[key][1], space)
            rooms[key] = divided, space
        return list(rooms.values())

    def _reach(self, divided: Polynomial, space: Value) -> tuple[Value | None, Value]:
        """How many devices what is divided takes, and a number that is positive where they are enough."""
        nest, strict = self.nest, self.case.strict
        if not divided:
            return None, space if strict else nest.make("{} + 1", space)
        above = nest.polynomial(divided)
        if self.kind == "float64":
            quotient = nest.make("{} / {}", above, space)
        else:
            safe = nest.make("{0} if {0} > 0 else {1}", space, nest.constant(1))
            quotient = nest.make("down({}, {}) + 1" if strict else "-down(-({}), {})", above, safe)
        if strict or divided.least(self.case.lowest, self.case.largest) > 0 <= min(self.case.lowest, default=1):
            return quotient, space
        quotient = nest.make("{1} if {0} != 0 else {2}", above, quotient, nest.constant(0))
        return quotient, nest.make("{1} if {0} != 0 else {1} + 1", above, space)

    def held(self, wanted: Sequence[str], name: str | None) -> Loops:
        """What is held at a degree: that of the case, or one of an array of that `name`, 0 where there is none."""
        if name is not None:
            return self._held(wanted, self.nest.given(name), None, name)
        assert self.case.degree is not None
        return self._held(wanted, self.nest.generator(self.case.degree), None)

    def _held(self, wanted: Sequence[str], n: Value, after: Loops | None, name: str | None = None) -> Loops:
        nest, given = self.nest, self.case.degree is not None
        if FITS in wanted and not given:
            nest.write(FITS, "{} > 0", n)
        if set(HELD) & set(wanted) or (FITS in wanted and given):
            safe = n if given else nest.make("{0} if {0} > 0 else {1}", n, nest.constant(1))
            self._bytes(wanted, n, safe)
        arrays = (*nest.written, *([] if name is None else [name]))
        return Loops(
            nest.source(arrays), tuple(nest.constants), tuple(nest.places), self.along, tuple(nest.written), after
        )

    def _bytes(self, wanted: Sequence[str], n: Value, safe: Value) -> None:
        nest, case = self.nest, self.case
        least, which, spare = self._least(safe, which=INSTANT in wanted)
        if FITS in wanted and case.degree is not None:
            nest.write(FITS, "{} > 0" if case.strict else "{} >= 0", spare if case.strict else least)
        per = None if case.scaled == constant(1) else nest.polynomial(case.scaled)
        if PEAK in wanted:
            held = nest.make("{} - {}", nest.polynomial(self.whole), least)
            self._written(PEAK, held if per is None else nest.make(_UP[self.kind], held, per), n)
        if LEFT in wanted:
            self._written(LEFT, least if per is None else nest.make(_DOWN[self.kind], least, per), n)
        if which is not None:
            nest.write(INSTANT, "{}" if case.degree is not None else "{} if {} > 0 else -1", which, n)

    def _written(self, name: str, number: Value, n: Value) -> None:
        if self.case.degree is None:
            number = self.nest.make("{1} if {0} > 0 else {2}", n, number, self.nest.constant(0))
        self.nest.write(name, _WHOLE[self.kind], number)

    def _least(self, n: Value, *, which: bool) -> tuple[Value, Value | None, Value]:
        """What the fullest instant leaves, which one it is, and what is positive where all are less than the capacity.

        Of instants that leave as many whole bytes, that counts of which the quotient is cut least; the first of these.
        """
        nest = self.nest
        every = [(divided, nest.polynomial(room)) for divided, room in self.instants] if which else self._together()
        each = [self._left(divided, space, n) for divided, space in every]
        least, spare, over = each[0]
        binds = nest.make(f"np.int64({self.case.binding[0]})") if which else None
        for k, (left, own, beyond) in enumerate(each[1:], 1):
            spare = nest.make(_LESS, own, spare)
            if binds is not None:
                here = nest.make(f"np.int64({self.case.binding[k]})")
                better = nest.make("({0} < {1}) | (({0} == {1}) & ({2} < {3}))", left, least, beyond, over)
                binds = nest.make("{1} if {0} else {2}", better, here, binds)
                over = nest.make("{1} if {0} else {2}", better, beyond, over)
            least = nest.make(_LESS, left, least)
        return least, binds, spare

    def _left(self, divided: Polynomial, space: Value, n: Value) -> tuple[Value, Value, Value]:
        """What an instant leaves in whole bytes, what it leaves rounded up, and by how much its quotient was rounded, times n."""
        nest = self.nest
        if not divided:
            return space, space, nest.constant(0)
        above = nest.polynomial(divided)
        up, down = (nest.make(way[self.kind], above, n) for way in (_UP, _DOWN))
        left, own = (nest.make("{} - {}", space, share) for share in (up, down))
        return left, own, nest.make("{} * {} - {}", up, n, above)
