"""`Packing`: how matrices of the blocks are stored in few bits, with the scales that they need; the ways stand in packed.toml."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.tables import Tables
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.tensors import Tensor

Shape = tuple[Any, ...]
MATRICES = "matrices of the blocks"
OTHERS = f"other than {MATRICES}"
_OF = f" of the {MATRICES}"


def is_matrix(weight: Tensor) -> bool:
    """Whether a weight is the matrix of a product, or a stack of them: no stack of biases, no norm of heads, no convolution."""
    return len(weight.shape) > 1 and (weight.name.startswith("W_") or "proj" in weight.name)


def _flat(shape: Shape, size: str) -> Shape:
    return (sp.ceiling(sp.Mul(*shape) / int(size)),)


def _twice(shape: Shape, size: str, more: str) -> Shape:
    return (sp.ceiling(_flat(shape, size)[0] / int(more)),)


def _tiles(shape: Shape, high: str, wide: str) -> Shape:
    return (*shape[:-2], sp.ceiling(shape[-2] / sp.Integer(high)), sp.ceiling(shape[-1] / sp.Integer(wide)))


def _inputs(shape: Shape, size: str) -> Shape:
    return (*shape[:-1], sp.S.One if size == "all" else sp.ceiling(shape[-1] / sp.Integer(size)))


_RULES: tuple[tuple[str, Callable[..., Shape]], ...] = (
    (MATRICES, lambda shape: shape),
    (rf"rows{_OF}", lambda shape: shape[:-1]),
    (rf"columns{_OF}", lambda shape: (*shape[:-2], shape[-1])),
    (rf"each{_OF}", lambda shape: shape[:-2]),
    (rf"groups of (\d+){_OF}", _flat),
    (rf"groups of (\d+) by (\d+){_OF}", _twice),
    (rf"groups of (\d+|all) inputs{_OF}", _inputs),
    (rf"tiles of (\d+) by (\d+){_OF}", _tiles),
)


@cache
def shape_by(rule: str) -> Callable[[Shape], Shape] | None:
    """Return what a rule makes of the shape of a matrix (or of a stack of them); None where it is no rule of packed matrices.

    >>> shape_by("groups of 64 inputs of the matrices of the blocks")((8, 100))
    (8, 2)
    """
    for pattern, made in _RULES:
        if found := re.fullmatch(pattern, rule):
            return lambda shape: made(shape, *found.groups())
    return None


def block_of(rule: str) -> tuple[int, int]:
    """Return how many outputs and inputs of a matrix a rule counts together; one of each where it counts otherwise.

    >>> block_of("tiles of 128 by 128 of the matrices of the blocks"), block_of("groups of 64 inputs of the matrices of the blocks")
    ((128, 128), (1, 64))
    """
    tiles, groups = (
        re.fullmatch(rf"{one}{_OF}", rule) for one in (r"tiles of (\d+) by (\d+)", r"groups of (\d+) inputs")
    )
    if tiles is not None:
        return int(tiles[1]), int(tiles[2])
    return (1, int(groups[1])) if groups is not None else (1, 1)


def share_by(rule: str) -> sp.Rational:
    """Return how many numbers a rule counts for each element of a large matrix: 0 where that grows with one side alone.

    >>> share_by("groups of 64 by 256 of the matrices of the blocks")
    1/16384
    """
    if rule == MATRICES:
        return sp.S.One
    numbers = [sp.Integer(number) for number in re.findall(r"\d+", rule)]
    return 1 / sp.Mul(*numbers) if numbers and shape_by(rule) is not None else sp.S.Zero


@dataclass(frozen=True)
class Piece:
    """Numbers of so many bytes, as many as `rule` counts of a matrix."""

    name: str
    bytes: sp.Rational
    rule: str
    reason: str

    def count(self, shape: Shape) -> Any:
        """Return how many there are for a matrix of that shape."""
        made = shape_by(self.rule)
        assert made is not None, self.rule
        return sp.Mul(*made(tuple(sp.sympify(size) for size in shape)))


@dataclass(frozen=True)
class Packing:
    """A way to store matrices: the packed numbers first, then what stands beside them; "" or the `library` that does it.

    It packs `experts`, or linear layers alone, which those of a layer are not where they are one tensor. What an engine that
    serves models makes of it when it loads the file is `served` (None: the same).
    """

    name: str
    title: str
    source: str
    pieces: tuple[Piece, ...]
    library: str = ""
    experts: bool = True
    served: Packing | None = None

    def bytes(self, shape: Shape) -> Any:
        """Return the bytes of a matrix of that shape, or of a stack of them.

        >>> packing("nf4").bytes((64, 128))
        4608
        """
        return sp.Add(*(piece.bytes * piece.count(shape) for piece in self.pieces))


def packing(name: str, **numbers: int | str) -> Packing:
    """Return the way to pack matrices of that name, with the `numbers` of a file where they are not the usual ones.

    Raises `BadInput` for a name that is not known.

    >>> [piece.rule for piece in packing("awq", group=64).pieces][1]
    'groups of 64 inputs of the matrices of the blocks'
    """
    return _made(name, tuple(sorted(numbers.items())))


@cache
def _made(name: str, numbers: tuple[tuple[str, int | str], ...]) -> Packing:
    tables = Tables.of(Path(__file__).with_name("packed.toml"))
    if name not in tables:
        raise BadInput.unknown(f"unknown base {name!r} of packed weights", name, tables)
    table = tables[name]
    filled = {**table.get("usual", {}), **dict(numbers)}
    served = table.get("served")
    pieces = tuple(
        Piece(
            row["name"].format(**filled),
            sp.Rational(str(row["bytes"]).format(**filled)),
            row["rule"].format(**filled),
            row["reason"].format(**filled),
        )
        for row in table["keeps"]
    )
    return Packing(
        name,
        table["title"].format(**filled),
        table["source"],
        pieces,
        table.get("library", ""),
        table.get("experts", True),
        None if served is None else _made(served.format(**filled), numbers),
    )
