"""`timeline`: the instants of a training step, each with the memory of one device: the peak is the largest of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

import sympy as sp

from symbolic_mem.accounts.account import state_term
from symbolic_mem.accounts.gathered import gathered, whole
from symbolic_mem.accounts.kept import activations, entering, tensors, with_gradients
from symbolic_mem.accounts.momentary import loss_term, step_terms
from symbolic_mem.accounts.places import Place
from symbolic_mem.accounts.schedule import Row, schedule_of, schedules
from symbolic_mem.accounts.step import Step
from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.accounts.units import units
from symbolic_mem.accounts.working import Moment, moments
from symbolic_mem.base.exact import Given, Numbers, missing
from symbolic_mem.base.symbols import P, n_fsdp, n_replica
from symbolic_mem.models.build import Built
from symbolic_mem.models.tensors import Model, Tensor
from symbolic_mem.plans.placement import Placed
from symbolic_mem.recipes.recipe import Recipe
from symbolic_mem.recipes.recompute import block_input


@dataclass(frozen=True)
class Instant:
    """An instant of a `phase` of a step, in `words`; it exists where `count` is at least `least`, and at most `most` (None: any)."""

    name: str
    phase: str
    words: str
    make: Callable[[], Memory] = field(compare=False, repr=False)
    count: sp.Expr = sp.S.One
    least: int = 1
    most: int | None = None
    rank: str = ""

    @cached_property
    def memory(self) -> Memory:
        """What one device holds, before its kinds are placed; what is whole on each device is a buffer."""
        return self.make()

    def without(self, names: Sequence[str]) -> Instant:
        """The instant without the terms of some names."""
        return replace(self, make=lambda: self.memory.where(lambda term: term.name not in names))

    def exists(self, numbers: Numbers) -> bool:
        """Whether there are as many blocks as it needs; where their number is not known they are many."""
        if self.count not in numbers and missing(self.count, numbers.values_given):
            return self.most is None
        count = numbers[self.count]
        return self.least <= count and (self.most is None or count <= self.most)


@lru_cache(maxsize=256)
def _timeline(
    name: str,
    model: Model,
    recipe: Recipe,
    loss: Term | None,
    placement: tuple[tuple[str, Placed], ...],
    keep: sp.Rational,
    residues: tuple[int, ...],
    alone: bool,
    hybrid: bool,
) -> tuple[Instant, ...]:
    step = Step(model, recipe, loss, dict(placement), keep, residues, name == "fsdp2", alone, hybrid)
    return tuple(instant for row in schedules()[name] for instant in _instants(step, row))


def _instants(step: Step, row: Row) -> Iterator[Instant]:
    if row.loss and step.loss is None:
        return
    if (row.resharded and step.keep in (0, 1)) or (row.block == 2 and row.arrives and step.keep == 1):
        return
    if (row.root or row.whole == "root") and not row.at and not step.units.root and row.name != "forward end":
        return
    if not row.at:
        yield from _plain(step, row)
        return
    for place in step.places if row.at == "each" else step.last:
        count, least, most = place.unit.count, place.least, place.most
        words = row.words.format(block=place.words)
        if row.at == "each" and row.activations == "work":
            for moment in _moments(step, place):
                at = f"{words}, at {moment.name}" if moment.name else words
                yield Instant(row.name, row.phase, at, _maker(step, row, place, moment), count, least, most)
            continue
        for copied in range(1, len(place.unit.weights) + 1) if row.resharded else (0,):
            each = row if copied == row.resharded else replace(row, resharded=copied)
            for held in _working(step, place, row) if row.working else ((),):
                yield Instant(row.name, row.phase, words, _maker(step, each, place, None, held), count, least, most)


def _plain(step: Step, row: Row) -> Iterator[Instant]:
    """The instants of a row at which no block is at work."""
    if not row.step:
        yield Instant(row.name, row.phase, row.words, _maker(step, row))
        return
    for held, count in step_terms(step.model, step.recipe) or ((None, sp.S.One),):
        own = () if held is None else (held,)
        least = 1 if count == 1 else 2
        yield Instant(row.name, row.phase, row.words, _maker(step, row, optimizer=own), count, least)


def _moments(step: Step, place: Place) -> tuple[Moment, ...]:
    raw = step.model.batch is not None
    incoming = not (raw and place.later is None)
    return moments(place.unit, incoming, step.model.batch if place.index == 0 else None)


def _working(step: Step, place: Place, row: Row) -> tuple[tuple[Tensor, ...], ...]:
    """What the forward pass of a block holds beside what it keeps, and its output with the sum that is made of it."""
    layer = place.unit.layers[-1]
    inside = (layer.passing if place.again else layer.working) or ((),)
    output = inside[-1][-1:]
    if row.resharded:
        return (output,)
    summed = step.recipe.scalars and step.model.batch is not None and (not step.gathers or step.keep == 1)
    return (*inside, (*output, Tensor("loss", ()))) if summed else inside


def _maker(
    step: Step,
    row: Row,
    place: Place | None = None,
    moment: Moment | None = None,
    working: tuple[Tensor, ...] = (),
    optimizer: tuple[Term, ...] = (),
) -> Callable[[], Memory]:
    def make() -> Memory:
        found = (*_terms(step, row, place, moment, working), *optimizer)
        there = tuple(term for term in found if any(part.copies is not sp.S.Zero for part in term.parts))
        return Memory(there, definitions=((P, step.model.parameters),))

    return make


def _terms(
    step: Step, row: Row, place: Place | None, moment: Moment | None, working: tuple[Tensor, ...]
) -> Iterator[Term]:
    for state in step.recipe.states:
        weights = step.model.weights if state.kind != "gradients" else with_gradients(step, row, place, moment)
        if weights is not None and weights.held:
            yield state_term(state, weights, step.recipe.source)
    yield from activations(step, row, place, moment)
    if working:
        yield tensors(step, "tensors of the block at work", working)
    if moment is not None and moment.gradients:
        yield tensors(step, "gradients inside the block", moment.gradients)
    if row.arrives and place is not None and not (step.model.batch is not None and place.later is None):
        yield tensors(step, "gradient of what leaves the block", (block_input(place.unit.layers[0]),))
    leaving = entering(step, place) if row.leaves and place is not None else None
    if leaving is not None:
        yield tensors(step, "gradient of what enters the block", (leaving,))
    if row.loss and step.loss is not None:
        yield step.loss
    if row.scalars and step.recipe.scalars and step.model.batch is not None:
        yield tensors(step, "loss and its gradient", (Tensor("loss", ()),) * row.scalars)
    if step.gathers:
        yield from gathered(step, row, place, moment)
    elif moment is not None and step.recipe.gradients_persist:
        name, reason = "gradients before they are added", "made anew, then added"
        yield whole(step, name, moment.making, step.gradient_bytes, reason)


def timeline(
    built: Built,
    recipe: Recipe,
    placement: Mapping[str, Placed],
    values: Given | Numbers | None = None,
    keep: sp.Rational = sp.S.Zero,
) -> tuple[Instant, ...]:
    """Return the instants of a training step, each with the memory of one device in bytes; the peak is the largest.

    There are none where only the sum of what is kept is known: see `schedule_of`. `values` say how many blocks there are
    (those that have none are many), and `keep` the share of the gathered weights that stays after the forward pass:
    FSDP2's ``reshard_after_forward``, 0 where it is true, 1 where it is false, 1/k where it is k.

    >>> from symbolic_mem.models.ffn import ffn
    >>> from symbolic_mem.recipes.recipe import recipe
    >>> step = timeline(Built(ffn(), {}), recipe("pure-bf16"), {})
    >>> [one.words for one in step][-2:]
    ['the backward pass of the first block, at x W_in', 'the optimizer step']
    """
    name = schedule_of(recipe, built.model, placement)
    if not name:
        return ()
    numbers = Numbers.of({} if values is None else values)
    size, known = recipe.recompute.size, numbers.values_given
    residues = tuple(
        0 if size == 1 or missing(one.end, known) else int(numbers[one.end]) % size for one in units(built.model).blocks
    )
    alone, hybrid = known.get(n_fsdp) == 1, known.get(n_replica, 1) > 1
    found = _timeline(
        name, built.model, recipe, loss_term(built, recipe), tuple(placement.items()), keep, residues, alone, hybrid
    )
    return tuple(one for one in found if one.exists(numbers))
