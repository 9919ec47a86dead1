"""What is whole for a moment where the states of the parameters are divided: gathered weights and their gradients."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from symbolic_mem.accounts.places import Place
from symbolic_mem.accounts.schedule import Row
from symbolic_mem.accounts.step import Step
from symbolic_mem.accounts.terms import Term, Times, of_times
from symbolic_mem.accounts.working import Moment
from symbolic_mem.models.tensors import Part

WEIGHTS, GRADIENTS, SENT = "gathered weights", "gradients of whole weights", "gradients that are sent"


def gathered(step: Step, row: Row, place: Place | None, moment: Moment | None) -> Iterator[Term]:
    """Yield the gathered weights, the gradients of whole weights, and those that are sent or have arrived."""
    each, sends = step.recipe.gathers, step.recipe.reduces
    assert each is not None and sends is not None
    there = tuple(_weights(step, row, place))
    if there:
        yield whole(step, WEIGHTS, there, each, "weights are gathered for the computation", step.shards)
    made = tuple(_made(step, row, place, moment))
    if made:
        yield whole(step, GRADIENTS, made, each, "as the backward pass computes them")
    sent = tuple(_times(_sent(step, row, place)))
    if sent:
        yield whole(step, SENT, sent, sends, "input of the reduce-scatter", step.shards)
    if row.shares:
        yield _share(step, tuple(_times(_trained(step, place))))
    persist = step.recipe.gradients_persist or step.recipe.in_backward  # what is not a kept gradient itself
    if step.hybrid and persist and row.gradients in ("done", "blocks"):
        summed: list[Times] = []
        for unit in step.units.blocks:
            summed += _times(unit.trained, unit.count if place is None else step.done(unit, place))
        if summed:
            yield _share(step, tuple(summed))


def _weights(step: Step, row: Row, place: Place | None) -> Iterator[Times]:
    stays = step.keep
    if place is not None:
        yield from _of_block(step, row, place)
    elif row.activations in ("all", "end") and stays != 0:
        for unit in step.units.blocks:
            yield from _times(step.whole(unit), stays * unit.count)
    yield from _times(step.units.root, row.root)


def _of_block(step: Step, row: Row, place: Place) -> Iterator[Times]:
    """The gathered weights of the block at work, of the one whose turn is next, and what stays of the others."""
    own, stays = step.whole(place.unit), step.keep
    copies = row.block
    if row.previous and place.earlier is not None and not step.alone:
        yield from _times(step.whole(place.earlier), row.previous)
    if step.alone:
        copies = min(copies, int(row.block == 2 or row.phase == "backward"))
        yield from _times(own[-1:] if row.block == 2 and not row.working and step.converts else ())
    if row.phase == "loss" and stays == 1:
        copies = 0
    done = max(row.resharded - 1, 0)  # weights of which only the shares that stay are left
    yield from _times(own[:done], copies - 1)
    yield from _times(own[done:], copies)
    yield from _times(own[: row.resharded], stays)
    if row.next and place.earlier is not None and stays != 1 and not step.alone:
        yield from _times(step.whole(place.earlier), row.next, ahead=True)
    if stays == 0:
        return
    everywhere = row.activations in ("all", "loss", "end")
    for unit in step.units.blocks:
        times = unit.count if everywhere and not row.working else step.before(unit, place)
        if row.activations == "own" and unit.name == place.unit.name:
            times += 1
        yield from _times(step.whole(unit), stays * times)


def _trained(step: Step, place: Place | None) -> tuple[Part, ...]:
    """The trained weights of the unit at a place, or of what is outside the blocks."""
    return step.units.trained_root if place is None else place.unit.trained


def _made(step: Step, row: Row, place: Place | None, moment: Moment | None) -> Iterator[Times]:
    """The weights whose gradients are whole; those of the head stay until the root has its turn."""
    made: tuple[Part, ...] = ()
    if row.whole == "so far" and moment is not None:
        made = moment.made
    elif row.whole == "all" and place is not None:
        made = place.unit.trained
    elif row.whole == "last" and not step.alone:
        made = _trained(step, place)[-1:]
    elif row.whole == "root":
        made = step.units.trained_root
    yield from _times(made)
    yield from _times(step.units.tied, row.tied)
    if row.at == "each":
        yield from _times(step.units.head)


def _sent(step: Step, row: Row, place: Place | None) -> tuple[Part, ...]:
    match row.sent:
        case "own" if place is not None:
            return place.unit.trained
        case "before" if place is not None:
            return place.later.trained if place.later is not None else ()
        case "first":
            return next(unit for unit in step.units.blocks if unit.goes_back).trained
        case "root":
            return step.units.trained_root
    return ()


def whole(
    step: Step, name: str, times: tuple[Times, ...], each: sp.Expr, reason: str, padded: sp.Expr | None = None
) -> Term:
    """Return what is divided over the data-parallel devices, whole again; another parallelism divides it still."""
    return of_times(name, "buffers", times, each, reason, degree=step.others, padded=padded)


def _share(step: Step, times: tuple[Times, ...]) -> Term:
    reason = "output of the reduce-scatter"
    sized = tuple(one._replace(parts=step.scaled("gradients", one.parts)) for one in times)
    return of_times("gradients that arrive", "gradients", sized, step.gradient_bytes, reason)


def _times(parts: tuple[Part, ...], number: sp.Expr | int = 1, *, ahead: bool = False) -> Iterator[Times]:
    if number != 0 and parts:
        yield Times(sp.sympify(number), parts, ahead)
