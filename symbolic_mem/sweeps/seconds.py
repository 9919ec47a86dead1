"""The seconds of a piece as an array: quotients of whole numbers, each the float that is nearest to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symbolic_mem.sweeps.arrays import Layout, Matrix, Values, blocks
from symbolic_mem.sweeps.case import Case, Seconds
from symbolic_mem.sweeps.polynomial import Polynomial

Array = Any


def seconds(case: Case, sends: Seconds, first: int, last: int, degree: Array | None) -> Array:
    """Return how long one device sends at outer rows and inner columns of a case; 0 where the `degree` that was found is 0.

    Where whole numbers on the way may be 2^53 or more, Python's are divided, which rounds once, as floats below that do.
    """
    layout = Layout(case)
    found = np.empty((last - first, layout.columns))
    for start, stop in blocks(layout, first, last, 8):
        found_here = None if degree is None else degree[start - first : stop - first]
        kind = np.float64 if _small(case, sends, found_here) else object
        values = Values(layout, kind)

        def at(polynomial: Polynomial, start: int = start, stop: int = stop, values: Values = values) -> Array:
            matrix = Matrix(polynomial, values)
            return matrix.block(matrix.factors(start, stop, {}))

        n = _given(case, at) if found_here is None else found_here.astype(kind)
        above, below = at(sends.fixed), at(sends.below)
        if sends.divided:
            safe = np.where(n == 0, 1, n)
            above, below = above * safe + at(sends.divided), below * safe
        more = np.divide(above, below)
        whole = np.where(n == 1, np.divide(at(sends.one), at(sends.below)), more)
        found[start - first : stop - first] = np.where(n == 0, 0.0, whole)
    return found


def _given(case: Case, at: Callable[[Polynomial], Array]) -> Array:
    assert case.degree is not None
    return at(Polynomial({((case.degree, 1),): 1}))


def _small(case: Case, sends: Seconds, degree: Array | None) -> bool:
    largest = case.largest
    most = 1 if degree is None or not sends.divided else max(int(degree.max()), 1)
    above = sends.fixed.most(largest) * most + sends.divided.most(largest)
    return max(above, sends.below.most(largest) * most, sends.one.most(largest)) < 1 << 53
