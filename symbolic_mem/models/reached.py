"""What the layers of a block keep where no gradient has to reach what enters it: nothing of what comes before its first trained weight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

import sympy as sp

from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.program_rotation import ROTATION
from symbolic_mem.models.programs import block_tape
from symbolic_mem.models.stacks import Stack
from symbolic_mem.models.tensors import ADAPTERS, Layer, Tensor

Size = tuple[sp.Expr, sp.Expr | None]


def not_reached(a: Architecture, one: Stack, block: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """Return the layers of a block that no gradient has to reach: without adapters they keep nothing.

    Where the operations of a block with adapters are described they say what it keeps less, first to last. Of others it is
    what comes before the first part, attention or MLP, that has adapters, and all that this part may keep is counted; where both
    parts read the input of the block, it is also what is of a part without adapters.

    >>> from symbolic_mem.models.profile import profile
    >>> from symbolic_mem.models.trained import Trained
    >>> from symbolic_mem.models.transformer import transformer
    >>> how = profile("torch-cuda-bf16").using(trained=Trained(("W_q", "W_v"), (), layers=(1, 2), reached=False))
    >>> [(one.block, len(one.saved)) for one in transformer(how=how) if one.name == "attention norm"]
    [('block below the adapters', 0), ('block with adapters', 0), ('block above the adapters', 2)]
    """
    block = tuple(replace(layer, reached=False) for layer in block)
    begins = [position for position, layer in enumerate(block) if any(one.group == ADAPTERS for one in layer.weights)]
    if not begins:
        return tuple(replace(layer, saved=()) for layer in block)
    with_it, without = (block_tape(a, one.how, one.experts, reached=reached) for reached in (True, False))
    if with_it is None or without is None:
        if a.parallel_residual:
            return tuple(layer if at in begins else replace(layer, saved=()) for at, layer in enumerate(block))
        return (*(replace(layer, saved=()) for layer in block[: begins[0]]), *block[begins[0] :])
    less = _sizes(with_it.saved)
    less.subtract(_sizes(without.saved))
    return tuple(replace(layer, saved=tuple(_left(layer.saved, less))) for layer in block)


def rotates(a: Architecture, one: Stack, blocks: Iterable[Layer]) -> bool:
    """Say whether blocks keep the rotary tables: a gradient has to reach what they rotate, or that is not described and they keep anything of the attention."""
    if one.reached:
        return True
    tape = block_tape(a, one.how, one.experts, reached=False)
    if tape is None:
        return any(layer.saved for layer in blocks if (layer.block, layer.name) == (one.name, "attention"))
    return any(node.label == ROTATION for node in tape.nodes)


def _left(saved: Iterable[Tensor], less: Counter[Size]) -> Iterator[Tensor]:
    for tensor in saved:
        times, size = _size(tensor)
        if less[size] >= times:
            less[size] -= times
        else:
            yield tensor


def _sizes(tensors: Iterable[Tensor]) -> Counter[Size]:
    found: Counter[Size] = Counter()
    for times, size in map(_size, tensors):
        found[size] += times
    return found


def _size(tensor: Tensor) -> tuple[sp.Expr, Size]:
    times, rest = tensor.elements.as_coeff_Mul()
    return times, (rest, tensor.bytes_per_element)
