"""`Unit`: what an engine gathers, computes and frees at a time: a block, or all that lies outside the blocks (the root)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property, lru_cache
from itertools import takewhile

import sympy as sp

from symbolic_mem.base.once import hashed_once
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.tensors import ADAPTERS, END, PREDICTION, Layer, Model, Part, Tensor, Work, goes_back

Sizes = dict[tuple[sp.Expr, sp.Expr | None], sp.Expr]


@hashed_once
@dataclass(frozen=True)
class Unit:
    """The layers of one block, of which the model has `count` from position `start` on; layers say how often they occur.

    `work` are its operations, where they are described and keep what the layers do.
    """

    name: str
    layers: tuple[Layer, ...]
    start: sp.Expr = sp.S.Zero
    count: sp.Expr = sp.S.One
    work: Work | None = None

    @property
    def described(self) -> bool:
        """Whether all operations of the block are described."""
        return self.work is not None or all(layer.ops for layer in self.layers)

    @property
    def goes_back(self) -> bool:
        """Whether the block has a backward pass: a gradient reaches what enters it, or is made of a weight of its own."""
        return goes_back(self.layers)

    @cached_property
    def end(self) -> sp.Expr:
        """The position after its last block."""
        return self.start + self.count

    @cached_property
    def weights(self) -> tuple[Part, ...]:
        """The weights of one block."""
        return tuple(Part(layer.repeat, weight.shape) for layer in self.layers for weight in layer.weights)

    @cached_property
    def trained(self) -> tuple[Part, ...]:
        """Those of them that are trained."""
        return _trained(self.layers)


@hashed_once
@dataclass(frozen=True)
class Units:
    """The blocks of a model, kind by kind in order, and the layers before and after them, with what predicts tokens more.

    `work` are the operations after them, where they are described up to the loss and keep what these layers do.
    """

    blocks: tuple[Unit, ...]
    before: tuple[Layer, ...]
    after: tuple[Layer, ...]
    work: Work | None = None

    @cached_property
    def root(self) -> tuple[Part, ...]:
        """The weights outside the blocks."""
        return tuple(Part(one.repeat, weight.shape) for one in (*self.before, *self.after) for weight in one.weights)

    @cached_property
    def trained_root(self) -> tuple[Part, ...]:
        """The trained weights outside the blocks."""
        return _trained((*self.before, *self.after))

    @cached_property
    def head(self) -> tuple[Part, ...]:
        """The weights whose gradients are there when the backward pass reaches the blocks.

        A product after the blocks without a weight of its own uses the first weight of the model: a tied head.
        """
        return (*_trained(self.after), *self.tied)

    @property
    def shared(self) -> tuple[Tensor, ...]:
        """The matrix that the embedding shares with a tied head or with modules that predict, where there are any."""
        return self.before[0].weights[:1] if self.sharing and self.before else ()

    @property
    def sharing(self) -> tuple[str, ...]:
        """What has the matrix of the embedding, too: the head that is tied to it, and what predicts tokens more, which embeds them.

        The modules that predict have the model's head in any case, which is no copy of the embedding where it is not tied.
        """
        own = tuple(takewhile(lambda layer: layer.block != PREDICTION, self.after))
        tied = any(layer.matmuls and not layer.weights for layer in own)
        return ("head",) * tied + ("modules for multi-token prediction",) * (own != self.after)

    @property
    def tied(self) -> tuple[Part, ...]:
        """The weight of a tied head, whose gradient waits for that of the embedding."""
        return tuple(Part(sp.S.One, weight.shape) for weight in self.shared if weight.trained)


def adapted(model: Model) -> frozenset[tuple[sp.Expr, ...]]:
    """Return the shapes of the adapters of a model: the rank stands in them, and in those of no other weight."""
    return frozenset(weight.shape for one in model.layers for weight in one.weights if weight.group == ADAPTERS)


def _trained(layers: Iterable[Layer]) -> tuple[Part, ...]:
    return tuple(Part(one.repeat, weight.shape) for one in layers for weight in one.weights if weight.trained)


@lru_cache(maxsize=512)
def units(model: Model) -> Units:
    """Return the blocks of a model and what lies around them.

    >>> from symbolic_mem.models.ffn import ffn
    >>> [(unit.name, unit.count) for unit in units(ffn()).blocks]
    [('feed-forward block', L)]
    """
    kinds: dict[str, list[Layer]] = {}
    counts: dict[str, sp.Expr] = {}
    before: list[Layer] = []
    after: list[Layer] = []
    for layer in model.layers:
        if not layer.block or layer.block == PREDICTION:
            (after if kinds else before).append(layer)
            continue
        count = counts.setdefault(layer.block, layer.repeat)
        times = sp.S.One if layer.repeat == count else layer.repeat / count
        kinds.setdefault(layer.block, []).append(_times(layer, times))
    blocks, start = [], sp.S.Zero
    for name, layers in kinds.items():
        blocks.append(Unit(name, tuple(layers), start, counts[name], _work(model, name, layers)))
        start += counts[name]
    ends = _after(model, after)
    return Units(tuple(blocks), tuple(before), tuple(after), ends)


def _times(layer: Layer, times: sp.Expr) -> Layer:
    return layer if layer.repeat == times else replace(layer, repeat=times)


def _work(model: Model, name: str, layers: list[Layer]) -> Work | None:
    """The operations of a block, where they keep the same bytes as its layers for the backward pass, if there is one."""
    if model.work is None or not model.work.described(name):
        return None
    if not model.work.keeps:
        return model.work
    kept = _sizes((layer.repeat, one) for layer in layers for one in layer.saved)
    return model.work if kept == _described(model.work, name) else None


def _after(model: Model, after: list[Layer]) -> Work | None:
    """The operations after the blocks, where they keep the same as the layers there, but for the loss."""
    if model.work is None or not model.work.described(END):
        return None
    if not model.work.keeps:
        return model.work
    kept = _sizes((sp.S.One, one) for layer in after for one in layer.saved)
    return model.work if all(kept.get(key, 0) >= times for key, times in _described(model.work, END).items()) else None


@lru_cache(maxsize=64)
def _described(work: Work, name: str) -> Sizes:
    return _sizes((sp.S.One, one) for one in work.saved(name))


def _sizes(tensors: Iterable[tuple[sp.Expr, Tensor]]) -> Sizes:
    """How many elements there are of each product of sizes, and of each number of bytes, of so many times some tensors."""
    found: Sizes = {}
    for repeat, one in tensors:
        times, rest = (one.elements if repeat is sp.S.One else repeat * one.elements).as_coeff_Mul()
        key = (rest, one.bytes_per_element)
        found[key] = found.get(key, sp.S.Zero) + times
    return found
