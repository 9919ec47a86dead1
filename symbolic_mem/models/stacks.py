"""`Stack`: blocks of a model that are alike: of one kind, and with adapters or without where some layers alone have them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import L
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.profile import Profile
from symbolic_mem.models.trained import Trained

BELOW, WITH, ABOVE = " below the adapters", " with adapters", " above the adapters"
FIRST, LATER = "first ", "later "
EXPERTS = "expert block"


class Stack(NamedTuple):
    """So many blocks of a name in a row, as an engine keeps them; a gradient reaches what enters each, unless it is not `reached`."""

    name: str
    repeat: sp.Expr
    how: Profile
    reached: bool = True

    @property
    def experts(self) -> bool:
        """Whether they have routed experts."""
        return EXPERTS in self.name


def stacks(a: Architecture, how: Profile) -> tuple[Stack, ...]:
    """Return the blocks of a model in order.

    >>> from symbolic_mem.models.profile import profile
    >>> some = profile("hf-cuda-bf16").using(trained=Trained(("W_q",), (), layers=(4, 8)))
    >>> [(one.name, one.repeat) for one in stacks(Architecture(), some)]
    [('block below the adapters', 4), ('block with adapters', 4), ('block above the adapters', L - 8)]
    """
    kinds = (("block" if a.experts is None else "dense block", a.dense_layers), (EXPERTS, a.expert_layers))
    found = [(name, repeat) for name, repeat in kinds if repeat != 0]
    if how.trained.layers is None:
        first = _with(*found[0], how) if how.trained.modules else (Stack(*found[0], how),)
        return (*first, *(Stack(name, repeat, how) for name, repeat in found[1:]))
    ((name, repeat),) = found
    return tuple(_cut(name, repeat, how, *how.trained.layers))


def _with(name: str, number: sp.Expr, how: Profile) -> Iterator[Stack]:
    """The blocks that have adapters, of which the first keeps less than the others where no gradient has to reach it."""
    reached = how.trained.reached
    if reached or number == 1 or how.trained.alone:
        yield Stack(name, number, how, reached)
    else:
        yield Stack(FIRST + name, sp.S.One, how, reached)
        yield Stack(LATER + name, number - 1, how)


def _cut(name: str, repeat: sp.Expr, how: Profile, first: int, end: int | None) -> Iterator[Stack]:
    if first:
        yield Stack(name + BELOW, sp.Integer(first), bare(how), how.trained.reached)
    yield from _with(name + WITH, (repeat if end is None else sp.Integer(end)) - first, how)
    if end is not None:
        yield Stack(name + ABOVE, repeat - end, bare(how))


def bare(how: Profile) -> Profile:
    """Return how an engine keeps a block that has no adapters."""
    return how.using(trained=how.trained.without_adapters)


def stack(a: Architecture, how: Profile, name: str) -> Stack:
    """Return the blocks of a name; one that no block has stands for what is not described."""
    return next((one for one in stacks(a, how) if one.name == name), Stack(name, sp.S.One, how))


def in_layers(trained: Trained, a: Architecture | None, values: Mapping[sp.Symbol, sp.Expr]) -> Trained:
    """Return what is trained of a model at some `values`: adapters up to its last block are in all that follow.

    Raises `BadInput` for layers that it does not have, and for a model of which not all blocks are of one kind.
    """
    layers = values.get(L)
    if trained.layers is None or a is None:
        dense = a.dense_layers if a is not None and a.experts is not None else sp.S.Zero
        known = {size: values[size] for size in dense.free_symbols if isinstance(size, sp.Symbol) and size in values}
        alone = 1 in (layers, dense.xreplace(known))
        return replace(trained, alone=True) if trained.modules and alone else trained
    if a.experts is not None and a.dense_layers != 0:
        raise BadInput(
            f"adapters on some layers are counted where all blocks are alike, and {a.name} has dense ones and ones with "
            "experts; leave layers_to_transform out (layers of a study) for adapters in all layers, which hold no less"
        )
    first, end = trained.layers
    if layers is None or end is None:
        return trained
    if end > layers:
        raise BadInput(
            f"the adapters go on layer {end - 1}, and the model has L = {layers} layers, counted from 0; give others"
        )
    if end < layers:
        return trained
    return replace(trained, layers=(first, None) if first else None, alone=end - first == 1)
