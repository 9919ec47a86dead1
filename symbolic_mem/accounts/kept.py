"""What a rank keeps at an instant of a step: the gradients that are there, and what the backward pass still needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import sympy as sp

from symbolic_mem.accounts.account import saved_terms
from symbolic_mem.accounts.places import Place
from symbolic_mem.accounts.schedule import Row
from symbolic_mem.accounts.step import Step
from symbolic_mem.accounts.terms import Term
from symbolic_mem.accounts.units import Unit
from symbolic_mem.accounts.working import Moment
from symbolic_mem.models.tensors import Held, Layer, Part, Tensor, Weights
from symbolic_mem.recipes.recompute import block_input, counts, without_scores


def with_gradients(step: Step, row: Row, place: Place | None, moment: Moment | None) -> Weights | None:
    """Return the weights whose gradients are there, as the rank keeps them."""
    if step.recipe.gradients_persist or row.gradients == "all":
        return step.model.weights
    if row.gradients == "none":
        return None
    held: list[Held] = []
    for unit in step.units.blocks:
        times = unit.count if place is None else step.done(unit, place)
        held += (Held(one.weights, one.repeat * times, None, bool(one.matmuls)) for one in unit.layers if one.weights)
    if not step.gathers:
        held += _held(step.units.head)
        held += _held(moment.made if moment is not None else ())
    return Weights(tuple(one for one in held if one.repeat != 0))


def _held(parts: tuple[Part, ...]) -> Iterator[Held]:
    return (Held((Tensor("", part.shape),), part.copies, None, True) for part in parts)


def activations(step: Step, row: Row, place: Place | None, moment: Moment | None) -> Iterator[Term]:
    """Yield what the backward pass still needs, layer by layer, and that of the block at work."""
    if row.activations == "none":
        yield from _batch(step)
        return
    layers = list(step.units.before)
    if row.activations in ("all", "blocks"):
        for unit in step.units.blocks:
            layers += _kept(step, unit, unit.count)
        layers += step.units.after if row.activations == "all" else ()
    elif row.activations == "own":
        assert place is not None
        for unit in step.units.blocks:
            layers += _kept(step, unit, step.before(unit, place) + int(unit.name == place.unit.name))
    else:
        assert place is not None
        for unit in step.units.blocks:
            own = unit.name == place.unit.name and moment is not None
            layers += _kept(step, unit, step.before(unit, place), place if own else None)
        if place.index == 0 and moment is None:
            yield from _batch(step)
    for title, name, same in _by_name(layers):
        yield from saved_terms(title, name, same, step.recipe)
    if row.activations == "work":
        assert moment is not None
        again = place is not None and place.again
        title = "activations of the block at work" + (", computed again" if again else "")
        yield from saved_terms(title, "", moment.saved, step.recipe)
    if row.enters and place is not None:
        inside = entering(step, place)
        if inside is not None:
            yield tensors(step, "input of the last block", (inside,))


def _kept(step: Step, unit: Unit, number: sp.Expr, place: Place | None = None) -> Iterator[Layer]:
    """What `number` blocks of a kind keep, from its first one on; `place` is the block at work that follows them."""
    if number == 0:
        return
    how = step.recipe.recompute
    inputs, full = counts(how, unit.start, unit.start + number)
    if place is not None and how.rule == "groups":
        inputs, full = counts(how, unit.start, unit.start + number + 1)[0] - 1, full + place.grouped
    layers = tuple(map(without_scores, unit.layers)) if how.rule == "selective" else unit.layers
    if inputs != 0:
        yield Layer(f"recomputed {unit.name}", saved=(block_input(unit.layers[0]),), repeat=inputs, block=unit.name)
    if full != 0:
        yield from (replace(layer, repeat=layer.repeat * full, weights=(), matmuls=()) for layer in layers)


def entering(step: Step, place: Place) -> Tensor | None:
    """Return what enters the block at work, where a gradient reaches it."""
    if place.index == 0 and step.model.batch is not None:
        return None
    return block_input(place.unit.layers[0])


def tensors(step: Step, name: str, found: tuple[Tensor, ...]) -> Term:
    """Return some tensors that are there for a moment as one term, in the dtype of the activations."""
    layer = Layer("", saved=tuple(replace(one, kind="activations") for one in found))
    (term,) = saved_terms(name, "", (layer,), step.recipe)
    return term


def _batch(step: Step) -> Iterator[Term]:
    if step.model.batch is not None:
        yield tensors(step, "input of the first block", (step.model.batch,))


def _by_name(layers: list[Layer]) -> Iterator[tuple[str, str, tuple[Layer, ...]]]:
    found: dict[str, list[Layer]] = {}
    for layer in layers:
        if layer.saved:
            found.setdefault(layer.name, []).append(layer)
    return ((f"activations of the {name}", name, tuple(same)) for name, same in found.items())
