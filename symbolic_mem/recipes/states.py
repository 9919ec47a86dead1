"""`State`: something that training keeps for the parameters, and the rules that say how much of it a tensor needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import combinations

import sympy as sp

from symbolic_mem.base.once import hashed_once
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.packing import OTHERS, is_matrix, shape_by
from symbolic_mem.models.tensors import SOME, Model, Part, Weights
from symbolic_mem.recipes.known import EVERY_ELEMENT

Shape = tuple[sp.Expr, ...]
Pieces = Iterator[tuple[sp.Expr, Shape]]

MATMUL_WEIGHTS = "weights of matmuls"
ONCE = "once"


@hashed_once
@dataclass(frozen=True)
class State:
    """`copies` values of `bytes_per_element` for all that `rule` keeps of a weight tensor; see `RULES`.

    Of packed matrices it is one of those of the blocks, or of those `among` some groups, which a share of the blocks has `apart`, as
    they are. It is `of` some weights alone, as `SOME` calls them; "": gradients and optimizer states are of the trained ones, all else of all. `moment` marks what the optimizer's algorithm keeps, so that another optimizer replaces it. A state of kind
    ``buffers`` lives as long as the activations: blocks that are recomputed do not keep it. One that is `cast` is made of another
    where that is at work, so that no host has it.
    """

    name: str
    kind: str
    bytes_per_element: sp.Rational
    copies: int = 1
    reason: str = ""
    rule: str = EVERY_ELEMENT
    moment: bool = False
    of: str = ""
    among: frozenset[str] = frozenset()
    cast: bool = False
    apart: tuple[tuple[str, sp.Rational], ...] = ()

    def parts(self, model: Model) -> tuple[Part, ...]:
        """Return the tensors that are kept for the weights of `model`.

        >>> from symbolic_mem.models.ffn import ffn
        >>> State("moments", "optimizer", sp.Integer(4), copies=2).parts(ffn())[0]
        Part(copies=2*L, shape=(d_ff, d_model))
        """
        return parts_of(self.rule, self.copies, self.kind, model.weights, self.only, self.among, self.apart)

    @property
    def only(self) -> str:
        """Of which weights alone it is, in a word: "" where of all."""
        return self.of or ("trained" if self.kind in ("gradients", "optimizer") else "")


@lru_cache(maxsize=1024)
def parts_of(
    rule: str,
    copies: int,
    kind: str,
    weights: Weights,
    only: str = "",
    among: frozenset[str] = frozenset(),
    apart: tuple[tuple[str, sp.Rational], ...] = (),
) -> tuple[Part, ...]:
    """Return what a state of that rule, number of copies and kind keeps for the weights of a model, or `only` for some."""
    if rule == ONCE:
        return (Part(sp.Integer(copies), ()),)
    parts = []
    shape_of = shape_by(rule)
    for held in weights.held:
        if rule == MATMUL_WEIGHTS and not held.multiplied:
            continue
        repeat = held.kept if kind == "buffers" and held.kept is not None else held.repeat
        for weight in held.weights:
            if not SOME[only](weight):
                continue
            inside = weight.group in among if among else held.in_block and weight.group != "router"
            packed = inside and is_matrix(weight)
            whole = dict(apart).get(weight.group, sp.S.Zero) if packed else sp.S.One
            share = whole if rule == OTHERS else sp.S.One if shape_of is None else 1 - whole
            if share == 0:
                continue
            linear = weight.shape[::-1] if weight.turned else weight.shape
            pieces = RULES[rule](weight.shape) if shape_of is None else ((sp.S.One, shape_of(linear)),)
            for count, shape in pieces:
                if count * repeat != 0:
                    parts.append(Part(copies * share * repeat * count, shape))
    return tuple(parts)


def at_least(size: sp.Expr, least: int) -> sp.Expr:
    """Return 1 when the whole number `size` is at least `least`, else 0, in functions that every printer knows.

    >>> at_least(sp.Integer(4095), 4096), at_least(sp.Integer(4096), 4096)
    (0, 1)
    """
    return sp.Min(1, sp.floor(size / least))


def _every_element(shape: Shape) -> Pieces:
    yield sp.S.One, shape


def _every_tensor(shape: Shape) -> Pieces:
    yield sp.S.One, ()


def _matrices(shape: Shape) -> Pieces:
    if len(shape) == 2:
        yield sp.S.One, shape


def _other_than_matrices(shape: Shape) -> Pieces:
    if len(shape) != 2:
        yield sp.S.One, shape


def _matmul_weights(shape: Shape) -> Pieces:
    if len(shape) >= 2:
        yield sp.S.One, shape


def _rows(shape: Shape) -> Pieces:
    if len(shape) >= 2:
        yield sp.S.One, shape[:-1]


def _columns(shape: Shape) -> Pieces:
    if len(shape) >= 2:
        yield sp.S.One, (*shape[:-2], shape[-1])


def _vectors(shape: Shape) -> Pieces:
    if len(shape) < 2:
        yield sp.S.One, shape


def _axes(shape: Shape) -> Pieces:
    for axis in shape:
        yield sp.S.One, (axis,)


SMALL = 4096  # bitsandbytes: `min_8bit_size`
BLOCK = 256  # bitsandbytes: values that share one scale


def _large(shape: Shape) -> Pieces:
    yield at_least(sp.Mul(*shape), SMALL), shape


def _blocks_of_large(shape: Shape) -> Pieces:
    yield at_least(sp.Mul(*shape), SMALL), (sp.ceiling(sp.Mul(*shape) / BLOCK),)


def _small(shape: Shape) -> Pieces:
    yield 1 - at_least(sp.Mul(*shape), SMALL), shape


FACTORED = 128  # optax: `min_dim_size_to_factor`, compared with the second largest dimension


def _second(shape: Shape) -> sp.Expr:
    return sp.Max(*(sp.Min(one, other) for one, other in combinations(shape, 2)))


def _optax_factors(shape: Shape) -> Pieces:
    """Without its largest dimension, and without its second largest: for a matrix, its columns and its rows."""
    if len(shape) == 2:
        factored = at_least(_second(shape), FACTORED)
        yield factored, shape[:1]
        yield factored, shape[1:]
    elif len(shape) > 2:
        factored = at_least(_second(shape), FACTORED)
        yield factored, (sp.Mul(*shape) / sp.Max(*shape),)
        yield factored, (sp.Mul(*shape) / _second(shape),)


def _optax_whole(shape: Shape) -> Pieces:
    yield (1 - at_least(_second(shape), FACTORED) if len(shape) >= 2 else sp.S.One), shape


def _optax_placeholders(shape: Shape) -> Pieces:
    """One element stands for the whole second moment of a factored tensor, two for the factors of any other."""
    yield (2 - at_least(_second(shape), FACTORED) if len(shape) >= 2 else sp.Integer(2)), ()


RULES: dict[str, Callable[[Shape], Pieces]] = {
    EVERY_ELEMENT: _every_element,
    "every tensor": _every_tensor,
    ONCE: _every_tensor,
    "matrices": _matrices,
    "other than matrices": _other_than_matrices,
    MATMUL_WEIGHTS: _matmul_weights,
    "rows": _rows,
    "columns": _columns,
    "vectors": _vectors,
    "axes": _axes,
    "large tensors": _large,
    "blocks of large tensors": _blocks_of_large,
    "small tensors": _small,
    OTHERS: _every_element,
    "optax factors": _optax_factors,
    "optax whole": _optax_whole,
    "optax placeholders": _optax_placeholders,
}
