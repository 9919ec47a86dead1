"""Loops compiled by numba, in this process alone: nothing is kept on a disk. Numba is imported where it is first needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from math import prod
from threading import Lock
from typing import Any

import numpy as np

from symbolic_mem.base.errors import MissingProgram
from symbolic_mem.sweeps.answers import allowed_degrees
from symbolic_mem.sweeps.arrays import Layout, lifted
from symbolic_mem.sweeps.case import Case
from symbolic_mem.sweeps.loops import DEGREE, FITS, INSTANT, Loops, layout

Array = Any
SHIFT = float(3 << 51)  # a whole number between -2^51 and 2^51 beside it stands in the last bits of the float
_TYPES = {FITS: np.bool_, INSTANT: np.int16}
_LOCK = Lock()


def need_numba() -> None:
    """Raise `MissingProgram` where numba is not installed."""
    try:
        import numba  # noqa: F401
    except ImportError:
        raise MissingProgram(
            "the engine numba is not installed; `pip install 'symbolic-mem[numba]'` installs it, or leave the engine out"
        ) from None


def kernel(source: str) -> Callable[..., None]:
    """Return the compiled function of a text that `Nest` wrote; threads that ask for the same one wait for the first."""
    with _LOCK:
        return _kernel(source)


@cache
def _kernel(source: str) -> Callable[..., None]:
    import numba

    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "boundscheck": False}
    return numba.njit(**options)(written(source, numba.njit(inline="always", **options)(down)))


def written(source: str, quotient: Callable[..., Any]) -> Callable[..., None]:
    """Return the function of a text; `quotient` is what it calls `down`."""
    names: dict[str, Any] = {"np": np, "SHIFT": SHIFT, "BITS": np.float64(SHIFT).view(np.int64), "down": quotient}
    exec(compile(source, "<loops>", "exec"), names)  # noqa: S102
    return names["kernel"]


def down(above: Any, below: Any) -> Any:
    """The floor of a quotient of whole numbers below 2^62 by a positive one.

    Floats give it but for 2^-51 of itself; what that leaves gives the rest, but for one; what that leaves decides the last one.
    """
    found = np.int64(np.float64(above) / np.float64(below))
    found += np.int64(np.float64(above - found * below) / np.float64(below))
    left = above - found * below
    return found + np.int64(left >= below) - np.int64(left < 0)


def compiled(case: Case, loops: Loops, first: int, last: int) -> dict[str, Array]:
    """Return the answers of a case at outer rows `first` to `last`; raises `TooLarge` where rules allow no degree below 2^53."""
    found = _passed(case, loops, first, last, {})
    if case.allowed is not None and DEGREE in found:
        degree = found[DEGREE] = allowed_degrees(found[DEGREE], case.allowed)
        if loops.after is not None:
            found |= _passed(case, loops.after, first, last, {DEGREE: degree})
    return found


def _passed(case: Case, loops: Loops, first: int, last: int, given: dict[str, Array]) -> dict[str, Array]:
    lying = Layout(case)
    size = (last - first, lying.columns)
    found = {name: np.empty(size, dtype=_TYPES.get(name, np.int64)) for name in loops.written}
    arrays = [*found.values(), *given.values()]
    run, constants = kernel(loops.source), np.array(loops.constants, dtype=np.int64)
    for place, values in _strips(case, lying, loops, first, last):
        parts = arrays if place is None else [one.reshape(1, -1)[:, place] for one in arrays]
        run(constants, *parts, *values)
    return found


def _strips(
    case: Case, lying: Layout, loops: Loops, first: int, last: int
) -> Iterator[tuple[slice | None, list[Array]]]:
    """The values of the generators: at all rows and along the columns, or along each strip of a last axis that is long."""
    sides: list[dict[int, Sequence[int]]] = [dict(case.leading), *(dict(own) for _, own in case.trailing)]
    axis = {place: at for at, own in enumerate(sides) for place in own}
    sizes = (*lying.outer, *lying.inner)
    if layout(case)[1]:
        yield None, [_along(lying, sides[axis[p]][p], axis[p], first, last) for p in loops.places]
        return
    length = lying.outer[-1]
    start = first
    while start < last:
        stop = min(last, (start // length + 1) * length)
        at = np.unravel_index(start // length * length, sizes)
        begin = start % length
        slices = {p: slice(begin, begin + stop - start) for p in loops.along}
        slices |= {p: slice(int(at[axis[p]]), int(at[axis[p]]) + 1) for p in loops.places if p not in loops.along}
        yield slice(start - first, stop - first), [_own(sides[axis[p]][p][slices[p]]) for p in loops.places]
        start = stop


def _along(lying: Layout, values: Sequence[int], axis: int, first: int, last: int) -> Array:
    """Values of one axis at outer rows, or at every column."""
    sizes, outer = (*lying.outer, *lying.inner), axis <= lying.split
    after = prod(sizes[axis + 1 : lying.split + 1] if outer else sizes[axis + 1 :])
    rows = np.arange(first, last) if outer else np.arange(lying.columns)
    return _own(lifted(values, np.int64)[rows // after % sizes[axis]])


def _own(values: Sequence[int]) -> Array:
    """Values as one array that is alike for the compiler whatever it was made of."""
    given = values if isinstance(values, np.ndarray) and values.dtype == np.int64 else lifted(values, np.int64)
    return np.require(given, requirements=["C", "W"])
