"""What a rank keeps at an instant of a step: the gradients that are there, and what the backward pass still needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import sympy as sp

from symbolic_mem.accounts.account import by_name, saved_terms
from symbolic_mem.accounts.places import Place
from symbolic_mem.accounts.schedule import Row
from symbolic_mem.accounts.step import Step
from symbolic_mem.accounts.terms import Term, Times
from symbolic_mem.accounts.units import Unit
from symbolic_mem.accounts.working import Moment
from symbolic_mem.models.tensors import ADAPTERS, Held, Layer, Part, Tensor, Weights
from symbolic_mem.recipes.recompute import (
    Recompute,
    block_input,
    counts,
    kept_output,
    kept_results,
    recomputed,
    streams,
    without_scores,
)

TABLES = ("angles", "cos", "sin", "cos local", "sin local")  # which the first block is the last to need
DONE = ("labels", "total weight")  # of the loss, when its backward pass has used them


def with_gradients(step: Step, row: Row, place: Place | None, moment: Moment | None) -> Weights | None:
    """Return the weights whose gradients are there, as the rank keeps them."""
    if row.gradients == "gone":
        return None
    if step.recipe.in_backward or "gradients" in step.recipe.offload:
        return None if step.gathers else Weights(tuple(_held(step, tuple(making(step, row, moment)))))
    if step.recipe.gradients_persist or row.gradients == "all":
        return step.model.weights
    if row.gradients == "none":
        return None
    held: list[Held] = []
    if row.gradients == "end":
        held += _held(step, moment.made if moment is not None and not step.gathers else ())
        return Weights(tuple(held))
    for unit in step.units.blocks:
        times = unit.count if place is None else step.done(unit, place)
        held += (Held(one.weights, one.repeat * times, None, bool(one.matmuls)) for one in unit.layers if one.weights)
    if not step.gathers:
        held += _held(step, step.units.head)
        held += _held(step, moment.made if moment is not None else ())
    return Weights(tuple(one for one in held if one.repeat != 0))


def making(step: Step, row: Row, moment: Moment | None) -> Iterator[Part]:
    """Yield the weights whose gradients have been made, and neither been added to those of an earlier batch nor used."""
    if row.phase in ("loss", "backward"):
        now = () if moment is None else moment.making
        yield from now
        if row.phase == "backward" and row.outside:
            yield from _embedded(step, row)
            return
        after = row.phase == "backward"
        made = () if moment is None else moment.made
        yield from (one for one in step.units.tied if one not in now and (after or one in made))
    yield from _embedded(step, row)


def _embedded(step: Step, row: Row) -> Iterator[Part]:
    """The trained weights before the blocks, at the instant at which their gradients are made."""
    if row.embedded:
        yield from (
            Part(one.repeat, weight.shape) for one in step.units.before for weight in one.weights if weight.trained
        )


def waiting_for(step: Step, row: Row) -> Iterator[Times]:
    """Yield the gradients of a tied head beside those that are counted anyway: of its first use, and while both are summed."""
    counted = step.recipe.gradients_persist or step.one_by_one or "gradients" in step.recipe.offload
    number = row.tied + int(row.embedded and not counted)
    if number and step.units.tied:
        yield Times(sp.Integer(number), step.scaled("gradients", step.units.tied))


def stepping(step: Step, row: Row, moment: Moment | None) -> Iterator[Part]:
    """Yield the weights that an optimizer inside the backward pass works on."""
    if step.recipe.in_backward and not step.gathers:
        yield from () if moment is None else moment.stepping
        yield from (one for one in _embedded(step, row) if one not in step.units.tied)


def _held(step: Step, parts: tuple[Part, ...]) -> Iterator[Held]:
    for part in parts:
        group = ADAPTERS if part.shape in step.adapted else ""
        yield Held((Tensor("", part.shape, group=group),), part.copies, None, True)


def activations(step: Step, row: Row, place: Place | None, moment: Moment | None) -> Iterator[Term]:
    """Yield what the backward pass still needs, layer by layer, and that of the block at work."""
    if row.activations == "none":
        yield from _batch(step)
        if row.embedded and not row.outside:
            yield tensors(step, "gradient of what enters the blocks", (block_input(step.units.blocks[0].layers[0]),))
        return
    over = place is not None and place.index == 0 and moment is None and row.phase == "backward"
    over = over and row.activations == "before"
    layers = [without(layer, TABLES) if over else layer for layer in step.units.before]
    if row.activations in ("all", "blocks", "loss", "end"):
        for unit in step.units.blocks:
            layers += _kept(step, unit, unit.count)
        layers += _output(step)
        if row.activations == "loss":
            layers += (without(layer, DONE) for layer in step.units.after)
        layers += step.units.after if row.activations == "all" else ()
    elif row.activations == "own":
        assert place is not None
        for unit in step.units.blocks:
            layers += _kept(step, unit, step.before(unit, place) + int(unit.name == place.unit.name))
        layers += _output(step)
    else:
        assert place is not None
        for unit in step.units.blocks:
            own = unit.name == place.unit.name and moment is not None
            layers += _kept(step, unit, step.before(unit, place), place if own else None)
        if place.index == 0 and moment is None:
            yield from _batch(step)
        elif moment is None and row.phase == "backward":
            layers += _output(step)
    for name, same in by_name(layers, lambda layer: layer.saved):
        yield from saved_terms(f"activations of the {name}", name, same, step.recipe)
    if row.activations == "end":
        assert moment is not None
        yield from saved_terms("activations of what comes after the blocks", "", moment.saved, step.recipe)
    if row.activations == "work":
        assert moment is not None
        again = place is not None and place.again
        title = ("recomputed " if again else "") + "activations of the block at work"
        yield from saved_terms(title, "", (*moment.saved, *_unused(step, row, place)), step.recipe)
    if place is None:
        return
    lost = row.working and place.again and not step.recipe.recompute.keeps_input
    inside = entering(step, place) if row.enters or (lost and moment is None) else None
    if inside is not None:
        yield tensors(step, "input of the last block", (inside, *place.unit.layers[0].given))
    elif lost and not _keeps_input(place.unit):
        yield tensors(step, "input of the last block but one", (block_input(place.unit.layers[0]),))


def _keeps_input(unit: Unit) -> bool:
    """Whether the backward pass of a block needs what enters it, so that a block computed again from inside it holds no more."""
    first = unit.layers[0]
    return first.enters is None or first.keeps(first.enters)


def _unused(step: Step, row: Row, place: Place | None) -> Iterator[Layer]:
    """What the block at work has kept, and nothing takes when it is computed again."""
    every = step.recipe.recompute.products
    if not every or row.phase != "backward" or place is None:
        return
    work = step.model.work
    yield from _output(step) if work is None else (Layer("", saved=work.unused(place.unit.name, every)),)


def _output(step: Step) -> tuple[Layer, ...]:
    """What leaves the last of the blocks that are kept, where it is kept as the result of a product."""
    output = () if "activations" in step.recipe.offload else kept_output(step.model, step.recipe.recompute)
    return (Layer("output of the last block", saved=output),) if output else ()


def without(layer: Layer, names: tuple[str, ...]) -> Layer:
    """Return a layer without the saved tensors of these names."""
    return replace(layer, saved=tuple(one for one in layer.saved if one.name not in names))


def _kept(step: Step, unit: Unit, number: sp.Expr, place: Place | None = None) -> tuple[Layer, ...]:
    """What `number` blocks of a kind keep, from its first one on; `place` is the block at work that follows them."""
    if number == 0 or "activations" in step.recipe.offload:
        return ()
    how = step.recipe.recompute
    grouped = None if place is None else place.grouped
    last = step.units.blocks[-1].end
    return (
        *_of_blocks(how, unit, number, grouped, kept_results(step.model, unit.name, how)),
        *streams(unit.layers[0], how, unit.start, unit.start + number, last),
    )


@lru_cache(maxsize=1024)
def _of_blocks(
    how: Recompute, unit: Unit, number: sp.Expr, grouped: int | None, results: tuple[Tensor, ...]
) -> tuple[Layer, ...]:
    inputs, full = counts(how, unit.start, unit.start + number)
    if grouped is not None and how.rule == "groups":
        inputs, full = counts(how, unit.start, unit.start + number + 1)[0] - 1, full + grouped
    layers = tuple(map(without_scores, unit.layers)) if how.rule == "selective" else unit.layers
    kept: list[Layer] = []
    if inputs != 0 and unit.goes_back:
        saved = (block_input(unit.layers[0]), *unit.layers[0].given, *results)
        kept.append(Layer(recomputed(unit.name), saved=saved, repeat=inputs, block=unit.name))
    if full != 0:
        kept += (replace(layer, repeat=layer.repeat * full, weights=(), matmuls=()) for layer in layers)
    return tuple(kept)


def entering(step: Step, place: Place) -> Tensor | None:
    """Return what enters the block at work, unless it is the batch itself."""
    if place.index == 0 and step.model.batch is not None:
        return None
    return block_input(place.unit.layers[0])


def tensors(step: Step, name: str, found: tuple[Tensor, ...]) -> Term:
    """Return some tensors that are there for a moment as one term, in the dtype of the activations."""
    (term,) = saved_terms(name, "", _for_a_moment(found), step.recipe)
    return term


@lru_cache(maxsize=1024)
def _for_a_moment(found: tuple[Tensor, ...]) -> tuple[Layer, ...]:
    return (Layer("", saved=tuple(replace(one, kind="activations") for one in found)),)


def _batch(step: Step) -> Iterator[Term]:
    if step.model.batch is not None:
        yield tensors(step, "input of the first block", (step.model.batch,))
