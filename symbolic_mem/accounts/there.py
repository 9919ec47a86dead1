"""What is there at an instant of a step: its terms, and how many bytes of them differ from moment to moment inside a block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import sympy as sp

from symbolic_mem.accounts.account import state_terms
from symbolic_mem.accounts.gathered import gathered, whole
from symbolic_mem.accounts.kept import activations, entering, making, stepping, tensors, waiting_for, with_gradients
from symbolic_mem.accounts.momentary import at_work, called
from symbolic_mem.accounts.places import Place
from symbolic_mem.accounts.reduced import behind, reduced, size_reduced
from symbolic_mem.accounts.schedule import Row
from symbolic_mem.accounts.step import Step
from symbolic_mem.accounts.terms import Memory, Term, Times, of_parts
from symbolic_mem.accounts.working import Moment
from symbolic_mem.base.exact import Numbers
from symbolic_mem.base.rational import Number
from symbolic_mem.base.symbols import P
from symbolic_mem.models.tensors import Part, Tensor
from symbolic_mem.recipes.recompute import block_input


def maker(
    step: Step,
    row: Row,
    place: Place | None = None,
    moment: Moment | None = None,
    working: tuple[Tensor, ...] = (),
    optimizer: tuple[Term, ...] = (),
) -> Callable[[], Memory]:
    """Return what makes the memory at an instant, when somebody asks: the terms of its row, and those of an `optimizer` beside them."""

    def make() -> Memory:
        found = (*_terms(step, row, place, moment, working), *_fetched(step, row, optimizer), *optimizer)
        there = tuple(term for term in found if term.times or any(part.copies is not sp.S.Zero for part in term.parts))
        return Memory(there, definitions=((P, step.model.parameters),))

    return make


def _fetched(step: Step, row: Row, optimizer: tuple[Term, ...]) -> Iterator[Term]:
    """What an optimizer on the device works on that lives on the host: of all tensors at once, or of the one at work."""
    recipe = step.recipe
    if not row.step or recipe.in_backward or "optimizer" in recipe.offload:
        return
    masters = any(one.kind == "optimizer" and not one.moment for one in recipe.states)
    read = ("gradients",) if masters else ("gradients", "weights")
    for state in recipe.states:
        if state.kind not in recipe.offload or state.kind not in read or state.cast:
            continue
        if recipe.foreach:
            yield from state_terms(state, step.model.weights.trained, recipe.source, step.apart)
        elif optimizer:
            part = replace(optimizer[0].parts[0], copies=sp.Integer(state.copies))
            name, reason = f"{state.name} of the tensor at work", "fetched for the optimizer"
            yield of_parts(name, state.kind, (part,), state.bytes_per_element, reason)


def _terms(
    step: Step, row: Row, place: Place | None, moment: Moment | None, working: tuple[Tensor, ...]
) -> Iterator[Term]:
    stepped = tuple(stepping(step, row, moment))
    if stepped and at_work(step.recipe):
        yield copied(step, stepped)
    for state in step.recipe.states:
        if state.kind in step.recipe.offload and state.kind != "gradients":
            continue
        weights = step.model.weights if state.kind != "gradients" else with_gradients(step, row, place, moment)
        if weights is None or not weights.held:
            continue
        yield from state_terms(state, weights, step.recipe.source, step.apart)
    yield from activations(step, row, place, moment)
    if working:
        yield tensors(step, "tensors of the block at work", working)
    if moment is not None and moment.gradients:
        yield tensors(step, "gradients inside the block", moment.gradients)
    if row.arrives and place is not None and not (step.model.batch is not None and place.later is None):
        yield tensors(step, "gradient of what leaves the block", (block_input(place.unit.layers[0]),))
    leaves = row.leaves and place is not None and place.unit.layers[0].reached
    leaving = entering(step, place) if leaves and place is not None else None
    if leaving is not None:
        yield tensors(step, "gradient of what enters the block", (leaving,))
    if row.loss and step.loss is not None:
        yield step.loss
    if row.inside and step.inside:
        yield tensors(step, "tensors inside the loss", step.inside)
    if row.scalars and step.recipe.scalars:
        size = None if step.loss is None else step.loss.bytes_per_element
        yield tensors(step, "loss and its gradient", (Tensor("loss", (), bytes_per_element=size),) * row.scalars)
    beside = tuple(step.beside(row, place, moment))
    if beside:
        yield tensors(step, "tensors that the caller of the blocks holds", beside)
    if step.gathers:
        yield from gathered(step, row, place, moment)
        return
    waiting = tuple(waiting_for(step, row))
    if waiting:
        name, reason = "gradients of the tied head", "of each of its uses until they are summed"
        yield whole(step, name, waiting, step.gradient_bytes, reason)
    yield from reduced(step, row, moment)
    adds = step.recipe.gradients_persist and "gradients" not in step.recipe.offload
    if adds or step.reduces:
        made = tuple(making(step, row, moment))
        if row.reduced == "head" and moment is not None:  # it did not go into the bucket, and waits
            made = (*behind(moment), *made)
        if made:
            name, reason = "gradients before they are added", "made anew, then added"
            if step.reduces:
                name, reason = "gradients before they are reduced", "as the backward pass computes them"
            times = (Times(sp.S.One, step.scaled("gradients", made)),)
            yield whole(step, name, times, step.gradient_bytes, reason)


def size_inside(step: Step, row: Row, moment: Moment) -> Callable[[Numbers], Number] | None:
    """The bytes of what differs from moment to moment inside a block; None where a degree divides some of it and not the rest."""
    if step.divides and at_work(step.recipe) and any(stepping(step, row, moment)):
        return None
    anew = step.recipe.gradients_persist or step.reduces
    each = step.recipe.gathers if step.gathers else sp.S.Zero if anew else step.gradient_bytes
    adds = step.gradient_bytes if anew and not step.gathers else sp.S.Zero

    alone = "gradients" in step.recipe.offload
    now = step.scaled("gradients", tuple(making(step, row, moment)))
    made = moment.made if step.gathers else step.scaled("gradients", moment.made)
    beside = size_reduced(step, row, moment)

    def size(numbers: Numbers) -> Number:
        kept = (one for layer in moment.saved for one in layer.saved)
        total: Number = sum(
            _product(
                numbers,
                (*one.shape, step.recipe.activations if one.bytes_per_element is None else one.bytes_per_element),
            )
            for one in (*kept, *moment.gradients)
        )
        if not step.gathers and (step.recipe.in_backward or alone):
            total += sum(_product(numbers, (one.copies, *one.shape, step.gradient_bytes)) for one in now)
            copied = at_work(step.recipe) * step.recipe.moments if step.recipe.in_backward else sp.S.Zero
            stepped = step.scaled("optimizer", moment.stepping)
            return total + sum(_product(numbers, (one.copies, *one.shape, copied)) for one in stepped)
        total += sum(_product(numbers, (part.copies, *part.shape, each or sp.S.Zero)) for part in made)
        return numbers[beside] + total + sum(_product(numbers, (part.copies, *part.shape, adds)) for part in now)

    return size


def _product(numbers: Numbers, factors: Sequence[sp.Expr]) -> Number:
    found: Number = 1
    for factor in factors:
        found *= numbers[factor]
    return found


def copied(step: Step, parts: tuple[Part, ...]) -> Term:
    """Return what an optimizer that steps tensor by tensor copies of those at work."""
    number, who = at_work(step.recipe), called(step.recipe)
    name, what = ("copy", "a copy") if number == 1 else (f"{number} copies", f"{number} copies")
    several = tuple(replace(part, copies=number * part.copies) for part in step.scaled("optimizer", parts))
    reason = f"{who} makes {what} of the tensor at work"
    return of_parts(f"{name} of the tensor at work", "optimizer", several, step.recipe.moments, reason)
