"""What a block holds while its backward pass works: one moment for each operation."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import sympy as sp

from symbolic_mem.accounts.units import Unit
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.tensors import END, Alive, Layer, Part, Tensor, Work

STEPPED = ", when its weight is stepped"


@dataclass(frozen=True)
class Moment:
    """A moment of the backward pass of a block, at the operation `name`.

    `saved` are its layers with what they still need, `gradients` those of activations, `made` the weights whose
    gradients have been made, `making` those that are made now, and `stepping` those that the optimizer works on.
    """

    name: str
    saved: tuple[Layer, ...]
    gradients: tuple[Tensor, ...] = ()
    made: tuple[Part, ...] = ()
    making: tuple[Part, ...] = ()
    stepping: tuple[Part, ...] = ()


@lru_cache(maxsize=512)
def moments(
    unit: Unit, incoming: bool, batch: Tensor | None, again: bool = False, steps: bool = False, held: bool = True
) -> tuple[Moment, ...]:
    """Return the moments of the backward pass of a block, its last operation first.

    With `incoming` the gradient of its output is there, as for all but the last block of a stack whose outputs are
    summed up. The first block of a model reads the `batch`, if that is given: it makes no gradient of it, and the batch
    stays. A block whose operations are not described has two moments: before any of them, with all that is
    saved, and after all, with the gradients of its weights. An optimizer that `steps` inside the backward pass has a moment of
    its own for each weight, when what the operation alone needed is let go. Of a block that is computed `again` the input is
    `held`, or computed again itself.

    >>> from symbolic_mem.accounts.units import units
    >>> from symbolic_mem.models.ffn import ffn
    >>> for one in moments(units(ffn()).blocks[0], True, None):
    ...     print(one.name, [tensor.name for layer in one.saved for tensor in layer.saved], [g.name for g in one.gradients])
    h W_out ['x', 'h'] ['y', 'h']
    x W_in ['x'] ['h', 'x']
    """
    if unit.work is not None:
        return tuple(map(_moment, unit.work.backward(unit.name, again, steps, held)))
    if not unit.described:
        own = unit.trained
        return (Moment("its start", unit.layers), Moment("its end", (), (), own, own, own if steps else ()))
    found: list[Moment] = []
    made: tuple[Part, ...] = ()
    making: tuple[Part, ...] = ()
    layers = list(unit.layers)
    live: list[Tensor] = []
    begun = False
    useless = _useless(layers) if batch is not None else set()
    for position in reversed(range(len(layers))):
        layer = layers[position]
        shapes = {weight.name: weight.shape for weight in layer.weights}
        for op in reversed(layer.ops):
            if not begun:
                live += [tensor for tensor in _outputs(layer) if incoming]
                begun = True
            gives = op.gives if batch is not None else (*op.gives, *op.into)
            own = tuple(Part(layer.repeat, shapes[name]) for name in op.weights if name in shapes)
            making = own or (making if op.into and not op.gives else ())  # they are summed before a weight's is stored
            live += gives
            made += own
            if gives or own:
                found.append(Moment(op.name, tuple(layers), tuple(live), made, making))
            live = [tensor for tensor in live if tensor not in op.takes and tensor not in useless]
            kept = tuple(t for t in layer.saved if t.name not in op.releases or t == batch)
            layer = layers[position] = layer if kept == layer.saved else replace(layer, saved=kept)
            if own and steps:
                words = op.name + STEPPED
                found.append(Moment(words, tuple(layers), tuple(live), made, making, making))
    return tuple(found)


def _moment(alive: Alive) -> Moment:
    return Moment(alive.name, (Layer("", saved=alive.kept),), alive.gradients, alive.made, alive.making, alive.stepping)


@lru_cache(maxsize=512)
def passing(unit: Unit, keeps: bool, every: int = 0) -> tuple[Moment, ...]:
    """Return the moments of the forward pass of a block whose operations are described, which `keeps` what it saves, or not.

    If not, it keeps the results of products that `every` names.
    """
    return () if unit.work is None else tuple(map(_moment, unit.work.forward(unit.name, keeps, every)))


@lru_cache(maxsize=512)
def ends(work: Work, backward: bool, steps: bool = False) -> tuple[Moment, ...]:
    """Return the moments after the blocks, in the forward pass up to the logits, or in the backward pass from there on."""
    return tuple(map(_moment, work.backward(END, False, steps) if backward else work.forward(END, True)))


def _useless(layers: list[Layer]) -> set[Tensor]:
    """Gradients that only a sum takes which is not made, where that of the input of the block is not wanted."""
    return {tensor for one in layers for op in one.ops if not op.gives and not op.weights for tensor in op.takes}


def _outputs(layer: Layer) -> tuple[Tensor, ...]:
    """The output of the last layer of a block: what some operation takes and none gives."""
    given = {tensor.name for op in layer.ops for tensor in (*op.gives, *op.into)}
    taken = dict.fromkeys(tensor for op in layer.ops for tensor in op.takes)
    return tuple(tensor for tensor in taken if tensor.name not in given)


def elements(parts: tuple[Part, ...]) -> sp.Expr:
    """The number of elements of some tensors."""
    return sp.Add(*(part.elements for part in parts))
