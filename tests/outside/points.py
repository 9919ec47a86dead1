"""Cases of a sweep with their answers by fractions, point by point: nothing of them is shared with what is tested."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import ceil, floor, prod

from hypothesis import strategies as st

from symbolic_mem.base.first import first_degree
from symbolic_mem.solvers.rules import Allowed
from symbolic_mem.sweeps.arrays import Layout
from symbolic_mem.sweeps.case import Case, Held
from symbolic_mem.sweeps.engine import Piece
from symbolic_mem.sweeps.polynomial import Polynomial

COLUMNS = ("degree", "fits", "peak", "left", "instant")


def value(polynomial, point):
    return sum(int(factor) * prod(point[i] ** power for i, power in term) for term, factor in polynomial)


def oracle(case, point):
    """The answer at a point, by fractions: nothing of it is shared with what is tested."""
    scaled = value(case.scaled, point)
    room = None if case.capacity is None else Fraction(value(case.capacity, point), scaled)
    parts = [
        (Fraction(value(i.divided, point), scaled), Fraction(value(i.fixed, point), scaled)) for i in case.instants
    ]
    if case.degree is None:
        each = [first_degree(divided, fixed, room, strict=case.strict) for divided, fixed in parts]
        n = None if None in each else (case.allowed or Allowed()).first(max(each))
        if n is None:
            return (0, False, 0, 0, -1)
    else:
        n = point[case.degree]
    held = [fixed + divided / n for divided, fixed in parts]
    most = max(range(len(held)), key=lambda k: (held[k], -k))
    fits = None if room is None else held[most] < room if case.strict else held[most] <= room
    left = None if room is None else floor(room - held[most])
    return (n, fits, ceil(held[most]), left, most)


def rows(case, loops=None):
    """All points of a case, in order, with their columns; where there are `loops` they answer."""
    found = Piece(case, 0, Layout(case).rows, COLUMNS, loops=(loops, None)).answer()
    flat = {name: [one.item() if hasattr(one, "item") else one for one in c.ravel()] for name, c in found.items()}
    lines = [range(len(case.lead)), *(range(size) for size, _ in case.trailing)]
    for row, places in enumerate(product(*lines)):
        point = {place: values[places[0]] for place, values in case.leading.items()}
        for (_, own), at in zip(case.trailing, places[1:], strict=True):
            point |= {place: values[at] for place, values in own.items()}
        yield point, {name: column[row] for name, column in flat.items()}


@st.composite
def some_cases(draw, bits, degree=None):
    """Two leading positions of one symbol, two axes of one each, some instants with whole factors of so many bits."""
    sizes = st.integers(1, 1 << draw(st.integers(0, bits)))
    factor = st.integers(1, 1 << draw(st.integers(1, bits)))
    powers = st.lists(st.integers(0, 2), min_size=3, max_size=3)

    def polynomial(most):
        terms = draw(st.lists(st.tuples(powers, factor), min_size=0, max_size=most))
        return Polynomial({tuple((i, p) for i, p in enumerate(power) if p): f for power, f in terms})

    scaled = Polynomial({draw(st.sampled_from([(), ((1, 1),)])): draw(st.integers(1, 3))})
    capacity = Polynomial({(): draw(factor) * draw(factor)}) if degree is None or draw(st.booleans()) else None
    instants = tuple(Held(f"instant {k}", polynomial(4), polynomial(3)) for k in range(draw(st.integers(1, 4))))
    allowed = draw(st.sampled_from([None, Allowed(factor=8), Allowed(power=True), Allowed(limit=1000)]))
    values = [draw(st.lists(sizes, min_size=n, max_size=n)) for n in (2, 3, 2)]
    return Case(
        (),
        range(2),
        {0: values[0]},
        ((3, {1: values[1]}), (2, {2: values[2]})),
        degree,
        instants,
        (),
        scaled,
        capacity,
        draw(st.booleans()),
        allowed if degree is None else None,
    )


def agree(case, loops=None):
    for point, found in rows(case, loops):
        expected = oracle(case, point)
        got = tuple(found.get(name) for name in COLUMNS)
        if case.degree is not None:
            expected, got = expected[1:], got[1:]
        assert got == expected, point


def edge(divided, room, largest, strict=False):
    """One instant with one symbol x: divided x bytes, and a capacity."""
    return Case(
        (), range(len(largest)), {0: largest}, (), None,
        (Held("only", Polynomial({((0, 1),): divided}), Polynomial({})),), (),
        Polynomial({(): 1}), Polynomial({(): room}), strict, None,
    )  # fmt: skip
