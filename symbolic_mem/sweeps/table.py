"""`Sweep`: the columns of all configurations as arrays with named axes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from symbolic_mem.base.errors import BadInput, MissingProgram
from symbolic_mem.base.values import dataclass
from symbolic_mem.render.text import plain_prose
from symbolic_mem.sweeps.arrays import Layout
from symbolic_mem.sweeps.axes import Axis, Choice
from symbolic_mem.sweeps.case import Case
from symbolic_mem.sweeps.engine import ALONE, DEGREE, INSTANT, Piece
from symbolic_mem.sweeps.plan import Plan
from symbolic_mem.sweeps.run import Answered
from symbolic_mem.sweeps.sending import COLUMN

Array = Any


@dataclass(frozen=True, repr=False)
class Sweep:
    """The answer of a sweep: `found["peak"]` is an array with one axis for each name of `dims`, in their order.

    The degree is 0, and bytes are 0, where no number of devices is enough; ``instant`` counts in `words`, and is -1
    there. `coordinates` are the values along each axis; those of rows stand under the name of each symbol. `beside` are
    sentences about all rows: which degrees divide nothing.
    """

    dims: tuple[str, ...]
    coordinates: Mapping[str, Array]
    columns: Mapping[str, Array]
    words: tuple[str, ...]
    beside: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Array:
        """Return a column; raises `BadInput` naming those there are."""
        if name not in self.columns:
            raise BadInput.unknown(f"no column {name!r}", name, self.columns)
        return self.columns[name]

    def __repr__(self) -> str:
        axes = ", ".join(f"{name}: {size:,}" for name, size in zip(self.dims, self.shape, strict=True))
        return f"<sweep of {axes}: {', '.join(self.columns)}>"

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return next(iter(self.columns.values())).shape

    def at(self, **labels: Any) -> dict[str, Any]:
        """Return the columns at one label of some axes, such as ``B=8``; a number where all axes are given.

        The binding instant is in words where it is one. Raises `BadInput` for a label that the axis does not have.
        """
        index: list[Any] = [slice(None)] * len(self.dims)
        for name, label in labels.items():
            if name not in self.dims:
                raise BadInput.unknown(f"no axis {name!r}", name, self.dims)
            along = self.coordinates[name] if name in self.coordinates else np.arange(self.shape[self.dims.index(name)])
            places = np.flatnonzero(along == label)
            if not len(places):
                raise BadInput(f"the axis {name} has no {label!r}; it has {', '.join(map(str, along[:8]))}, ...")
            index[self.dims.index(name)] = int(places[0])
        found: dict[str, Any] = {}
        for name, column in self.columns.items():
            one = column[tuple(index)]
            found[name] = one if np.ndim(one) else one.item() if hasattr(one, "item") else one
            if name == INSTANT and not np.ndim(one):
                found[name] = self.words[found[name]] if found[name] >= 0 else None
        return found

    def dataset(self) -> Any:
        """Return all columns as an `xarray.Dataset` with the axes as coordinates; `MissingProgram` without xarray."""
        try:
            import xarray
        except ImportError:
            raise MissingProgram("a dataset needs xarray, which is not installed; `pip install xarray`") from None
        places = {name: (name if name in self.dims else "row", values) for name, values in self.coordinates.items()}
        words = np.array([*self.words, ""], dtype=object)
        columns = {
            name: (self.dims, words[column] if name == INSTANT else column) for name, column in self.columns.items()
        }
        return xarray.Dataset(columns, coords=places)


def in_memory(name: str, shape: tuple[int, ...], kind: Any) -> Array:
    """Make the array of a column."""
    return np.zeros(shape, dtype=kind)


def collected(plan: Plan, pieces: Iterable[Answered], make: Callable[..., Array] = in_memory) -> Sweep:
    """Put the answers of all pieces of a plan into arrays, which `make` makes."""
    internal = order(plan)
    choices = tuple(map(len, plan.axes.choices))
    leading = plan.cases.leading.shape
    trailing = tuple(map(len, plan.cases.trailing))
    flat: dict[str, Array] = {}
    lead = int(np.prod(leading, dtype=np.int64))
    shape = (int(np.prod(choices, dtype=np.int64)), lead, *trailing)
    names = {name: position for position, name in enumerate(plan.words)}
    for piece, columns in pieces:
        for name, values in labelled(plan, piece, columns, names).items():
            if name not in flat:
                flat[name] = make(name, shape, values.dtype)
            elif flat[name].dtype != values.dtype:
                flat[name] = flat[name].astype(object)
            _put(flat[name], plan, piece, values)
    back = [internal.index(axis) for axis in plan.axes]
    made = {}
    for name in (*plan.columns, *plan.extras):
        made[name] = flat[name].reshape((*choices, *leading, *trailing)).transpose(back)
    return Sweep(
        tuple(axis.name for axis in plan.axes),
        coordinates(plan),
        made,
        plan.words,
        tuple(map(plain_prose, plan.beside)),
    )


def order(plan: Plan) -> list[Axis | Choice]:
    """The axes in the order in which pieces run through them: choices, leading axes, trailing ones."""
    return [*plan.axes.choices, *plan.cases.leading.axes, *plan.cases.trailing]


def coordinates(plan: Plan) -> dict[str, Array]:
    """The values along each axis; of rows, those of each symbol."""
    found: dict[str, Array] = {}
    for axis in plan.axes:
        if isinstance(axis, Choice):
            found[axis.name] = np.array(axis.options, dtype=object)
            continue
        for symbol, values in axis.columns.items():
            small = axis.span(symbol)[1] < 1 << 63
            found[str(symbol)] = np.array(values, dtype=np.int64 if small else object)
    return found


def labelled(plan: Plan, piece: Piece, columns: Mapping[str, Array], names: Mapping[str, int]) -> dict[str, Array]:
    """The wanted columns of a piece under their public names; instants count in the words of the whole plan.

    Where one device is enough they are those of a step on it.
    """
    more = {name: values for name, values in columns.items() if not name.startswith(ALONE)}
    found = _labelled(plan, piece.case, more, names)
    if piece.case.one is not None and f"{ALONE}{DEGREE}" in columns:
        alone = {name.removeprefix(ALONE): values for name, values in columns.items() if name.startswith(ALONE)}
        enough, there = alone[DEGREE] == 1, _labelled(plan, piece.case.one, alone, names)
        for name in dict.fromkeys((*found, *there)):
            if name != COLUMN:  # the seconds are already those of the degree that counts
                found[name] = np.where(enough, there.get(name, 0), found.get(name, 0))
    nothing = np.zeros((piece.last - piece.first, Layout(piece.case).columns), dtype=np.int64)
    return {name: found.get(name, nothing) for name in (*plan.columns, *plan.extras)}


def _labelled(plan: Plan, case: Case, columns: Mapping[str, Array], names: Mapping[str, int]) -> dict[str, Array]:
    found: dict[str, Array] = {}
    numbers = np.array([*(names[one.name] for one in case.instants), -1], dtype=np.int16)
    for name, values in columns.items():
        if name == DEGREE:
            found[str(plan.symbol)] = values
        elif name == INSTANT:
            found[name] = numbers[values]
        elif name.startswith(f"{INSTANT}:"):
            called = f"{INSTANT}: {case.instants[int(name.partition(':')[2])].name}"
            found[called] = np.maximum(found[called], values) if called in found else values
        elif name.startswith("term:"):
            found[f"term: {name.partition(':')[2]}"] = values
        else:
            found[name] = values
    return found


def _put(column: Array, plan: Plan, piece: Piece, values: Array) -> None:
    """Put the values of a piece where they belong: its outer rows run through leading positions and outer axes."""
    layout = Layout(piece.case)
    sizes = tuple(map(len, plan.axes.choices))
    choice = int(np.ravel_multi_index(piece.case.choice, sizes)) if sizes else 0
    outer = np.unravel_index(np.arange(piece.first, piece.last), layout.outer)
    lead = np.asarray(piece.case.lead)[outer[0]]
    column[(choice, lead, *outer[1:])] = values.reshape(-1, *layout.inner)
