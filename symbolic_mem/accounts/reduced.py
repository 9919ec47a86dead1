"""What DeepSpeed holds of gradients beside those that are there: the bucket that it reduces them in, and copies for its step.

Source: DeepSpeed 0.19.8, runtime/zero/stage_1_and_2.py (setup_buckets, reduce_independent_p_g_buckets_and_remove_grads,
allreduce_bucket, copy_grads_in_partition, step), contiguous_gradients, which is its default.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from symbolic_mem.accounts.schedule import Row
from symbolic_mem.accounts.step import Step
from symbolic_mem.accounts.terms import Term, of_parts
from symbolic_mem.accounts.working import Moment
from symbolic_mem.models.tensors import Part

BUCKET, COPY = "bucket of gradients", "copy of what is reduced"
FP32, FP64 = sp.Integer(4), sp.Integer(8)
SOURCE = "DeepSpeed 0.19.8, runtime/zero/stage_1_and_2.py; measured: tests/data/measure_deepspeed.py"


def reduced(step: Step, row: Row, moment: Moment | None) -> Iterator[Term]:
    """Yield the bucket, the copy that is reduced, and what is made of a rank's part of the gradients."""
    if row.reduced and begun(step, row, moment):
        reason = "gradients go into it as they are made"
        yield _whole(BUCKET, (_bucket(step),), step.gradient_bytes, reason)
    copy = _copied(step, row, moment)
    if copy:
        yield _whole(COPY, copy, step.gradient_bytes, "what is reduced is made one tensor")
    again = step.reduces and step.recipe.gradients_persist and row.phase == "backward"  # of this micro-batch
    number = row.part + int(again)
    if number:
        name = "a rank's part of the gradients" + ("" if number == 1 else ", twice")
        reason = "copied out of the bucket" if row.phase == "backward" else "as it was kept, and made one tensor"
        yield _part(step, name, sp.Integer(number) * step.gradient_bytes, reason)
    if row.master:
        yield _part(step, "gradients in FP32", FP32, "for the weights that the optimizer updates")


def size_reduced(step: Step, row: Row, moment: Moment) -> sp.Expr:
    """The bytes of it that differ from moment to moment inside a block, or behind the last."""
    parts = (_bucket(step),) if row.reduced and begun(step, row, moment) else ()
    parts += behind(moment) if row.reduced == "head" else ()
    return step.gradient_bytes * sp.Add(*(part.elements for part in (*parts, *_copied(step, row, moment))))


def begun(step: Step, row: Row, moment: Moment | None) -> bool:
    """Whether the bucket is there, as it is when the first gradient has been made; `moment` is None outside the blocks.

    Where gradients are reduced after the last of several micro-batches alone, it stays from one to the next.
    """
    if step.recipe.gradients_persist and not step.reduces:
        return True
    if row.reduced == "kept":
        return False
    if moment is None or row.activations != "end":
        return True
    return bool(moment.stepping) or bool(behind(moment) and not step.units.tied)


def _copied(step: Step, row: Row, moment: Moment | None) -> tuple[Part, ...]:
    match row.reduced:
        case "full" if moment is None or moment.stepping:
            return (_bucket(step),) if step.recipe.tuned.trained.everything else _trained(step)  # adapters fill none
        case "head" if moment is not None and moment.stepping:
            return behind(moment)
        case "own":
            return tuple(
                Part(one.repeat, weight.shape) for one in step.units.before for weight in one.weights if weight.trained
            )
    return ()


def behind(moment: Moment) -> tuple[Part, ...]:
    """The weights whose gradients were made before this moment."""
    return moment.made[: len(moment.made) - len(moment.making)]


def _bucket(step: Step) -> Part:
    return Part(sp.Integer(step.recipe.bucket), ())


def _part(step: Step, name: str, each: sp.Expr, reason: str) -> Term:
    """Something of the size of a rank's part of all trained weights: it is where the optimizer's states are."""
    return of_parts(name, "optimizer", _trained(step), each, reason, source=SOURCE)


def _trained(step: Step) -> tuple[Part, ...]:
    return tuple(
        Part(layer.repeat, weight.shape) for layer in step.model.layers for weight in layer.weights if weight.trained
    )


def normed(step: Step) -> Iterator[Term]:
    """Yield of each trained tensor that may be the largest its gradient in FP64, in which DeepSpeed takes norms tensor by tensor."""
    for shape in largest(_trained(step)):
        yield _whole("a gradient in FP64", (Part(sp.S.One, shape),), FP64, "for its norm")


def largest(parts: tuple[Part, ...]) -> Iterator[tuple[sp.Expr, ...]]:
    """Yield the shapes of some tensors than which no other is as large whatever the values are."""
    sizes = {sp.Mul(*part.shape): part.shape for part in parts}
    for size, shape in sizes.items():
        if not any((other / size).as_numer_denom()[1] == 1 for other in sizes if other != size):
            yield shape


def _whole(name: str, parts: tuple[Part, ...], each: sp.Expr, reason: str) -> Term:
    return of_parts(name, "buffers", parts, each, reason, source=SOURCE)
