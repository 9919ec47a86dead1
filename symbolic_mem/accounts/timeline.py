"""`timeline`: the instants of a training step, each with the memory of one device: the peak is the largest of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import sympy as sp

from symbolic_mem.accounts.instant import LATE, Called, Instant
from symbolic_mem.accounts.momentary import at_work, loss_tensors, loss_term, step_terms
from symbolic_mem.accounts.places import Place, many_blocks
from symbolic_mem.accounts.reduced import behind, largest, normed
from symbolic_mem.accounts.schedule import Row, converting, schedule, schedule_of
from symbolic_mem.accounts.step import Step
from symbolic_mem.accounts.terms import Term
from symbolic_mem.accounts.there import copied, maker, size_inside
from symbolic_mem.accounts.units import units
from symbolic_mem.accounts.working import STEPPED, Moment, ends, moments, passing
from symbolic_mem.base.exact import Given, Numbers, missing
from symbolic_mem.base.symbols import n_cp, n_fsdp, n_replica
from symbolic_mem.models.built import Built
from symbolic_mem.models.tensors import OPTIMIZER, Model, Part, Tensor
from symbolic_mem.plans.placement import Placed
from symbolic_mem.recipes.recipe import Recipe
from symbolic_mem.recipes.recompute import kept_output


@lru_cache(maxsize=256)
def _timeline(
    name: str,
    model: Model,
    recipe: Recipe,
    loss: Term | None,
    inside: tuple[Tensor, ...],
    apart: tuple[str, ...],
    others: sp.Expr,
    shards: sp.Expr,
    keep: sp.Rational,
    residues: tuple[int, ...],
    alone: bool,
    hybrid: bool,
    divides: bool,
    only: tuple[Called, ...],
) -> tuple[Instant, ...]:
    gathers, reduces = name in ("fsdp2", "zero2"), name == "deepspeed-2"
    step = Step(
        model, recipe, loss, inside, apart, others, shards, keep, residues, gathers, alone, hybrid, reduces, divides
    )
    names = {name for name, *_ in only}
    rows = (row for row in schedule(name) if not only or row.name in names)
    return tuple(instant for row in rows for instant in _instants(step, row, only))


def _instants(step: Step, row: Row, only: tuple[Called, ...]) -> Iterator[Instant]:
    if (row.loss and step.loss is None) or (row.inside and not step.inside):
        return
    if (row.resharded and step.keep in (0, 1)) or (row.block == 2 and row.arrives and step.keep == 1):
        return
    if (row.root or row.whole == "root") and not row.at and not step.units.root and row.name != "forward end":
        return
    if row.tied and row.name == "tied" and not step.units.tied:
        return
    if row.at == "first" and (step.alone or not step.units.root):
        return
    if row.embedded and not any(weight.trained for layer in step.units.before for weight in layer.weights):
        return
    if row.activations == "end":
        yield from _ends(step, row, only)
        return
    if not row.at:
        yield from _plain(step, row)
        return
    for turn, place in enumerate(step.at(row.at)):
        if row.phase == "backward" and not place.unit.goes_back:
            continue
        count, least, most = place.unit.count, place.least, place.most
        words = row.words.format(block=place.words)
        if row.at == "each" and row.activations == "work":
            for moment in _moments(step, place):
                at = f"{words}, at {_called(step, row, moment)}" if moment.name else words
                if not _among(only, row.name, place.words, at):
                    continue
                make, inside = maker(step, row, place, moment), size_inside(step, row, moment)
                yield Instant(row.name, row.phase, at, make, count, least, most, turn, place.words, inside)
            continue
        every = step.recipe.recompute.products
        forward = passing(place.unit, not place.again, every) if row.working and not row.resharded else ()
        for moment in forward:
            at = f"the forward pass of the {place.words}, at {moment.name}"
            if not _among(only, row.name, place.words, at):
                continue
            make, inside = maker(step, replace(row, activations="work"), place, moment), size_inside(step, row, moment)
            yield Instant(row.name, row.phase, at, make, count, least, most, turn, place.words, inside)
        if forward or not _among(only, row.name, "", words):
            continue
        if row.shares and step.recipe.in_backward:
            if not step.hybrid and any(_before(other, place) for other in step.places):
                continue
            for own in _stepped(step, place.unit.trained):
                yield Instant(
                    row.name, row.phase, words, maker(step, row, place, optimizer=own), count, least, most, turn=turn
                )
            continue
        for shared in range(1, len(place.unit.weights) + 1) if row.resharded else (0,):
            each = row if shared == row.resharded else replace(row, resharded=shared)
            for held in _working(step, place, row) if row.working else ((),):
                made = maker(step, each, place, None, held)
                yield Instant(row.name, row.phase, words, made, count, least, most, turn=turn)


def _among(only: tuple[Called, ...], name: str, place: str, words: str) -> bool:
    return not only or (name, place, words) in only or (name, place, "") in only


def _plain(step: Step, row: Row) -> Iterator[Instant]:
    """The instants of a row at which no block is at work."""
    if row.step and step.recipe.in_backward:
        yield Instant(row.name, row.phase, "the end of the step", maker(step, row))
        return
    if row.stepped:
        root = step.units.trained_root
        for own in (_stepped(step, root) if step.recipe.in_backward else ((),)) if root else ():
            yield Instant(row.name, row.phase, row.words, maker(step, row, optimizer=own))
        return
    if not row.step:
        for own in ((one,) for one in normed(step)) if row.norm else ((),):
            yield Instant(row.name, row.phase, row.words, maker(step, row, optimizer=own))
        return
    for held, count in step_terms(step.model, step.recipe) or ((None, sp.S.One),):
        own = () if held is None else (held,)
        least = 1 if count == 1 else 2
        yield Instant(row.name, row.phase, row.words, maker(step, row, optimizer=own), count, least)


def _before(other: Place, place: Place) -> bool:
    """Whether a block like it is the last of its kind: then more activations are there, where no gradients stay."""
    return (other.unit.name, other.again) == (place.unit.name, place.again) and place.done != 0 and other.done == 0


def _stepped(step: Step, parts: tuple[Part, ...]) -> Iterator[tuple[Term, ...]]:
    """What an optimizer that steps each tensor when its gradient has arrived holds for one of them: AdamW a copy of it."""
    if not at_work(step.recipe):
        yield ()
        return
    for shape in largest(parts):
        yield (copied(step, (Part(sp.S.One, shape),)),)


def _ends(step: Step, row: Row, only: tuple[Called, ...]) -> Iterator[Instant]:
    """The instants of what comes after the blocks, where it is described."""
    if step.units.work is None:
        return
    turn = LATE if row.phase == "forward" else -1
    for place in step.last if row.at else (None,):
        where = (sp.S.One, 1, None) if place is None else (place.unit.count, place.least, place.most)
        for moment in ends(step.units.work, row.phase != "forward", step.one_by_one):
            if row.reduced == "head" and (step.units.tied or not behind(moment)):
                continue
            moment = _waiting(step, moment)
            words = f"{row.words}, at {_called(step, row, moment)}"
            if _among(only, row.name, row.name, words):
                make, inside = maker(step, row, place, moment), size_inside(step, row, moment)
                yield Instant(row.name, row.phase, words, make, *where, turn, row.name, inside)


def _waiting(step: Step, moment: Moment) -> Moment:
    """What is there when the gradient of a tied head has been made: nothing is stepped, it waits for that of the embedding."""
    if not set(moment.stepping) & set(step.units.tied):
        return moment
    return replace(moment, name=f"{moment.name.removesuffix(OPTIMIZER)}, whose gradient waits", stepping=())


def _moments(step: Step, place: Place) -> tuple[Moment, ...]:
    raw = step.model.batch is not None
    incoming = not (raw and place.later is None)
    batch = step.model.batch if place.index == 0 else None
    return moments(place.unit, incoming, batch, place.again, step.one_by_one, step.recipe.recompute.keeps_input)


def _called(step: Step, row: Row, moment: Moment) -> str:
    """What a moment inside a block is called: where a gradient is reduced when it is made, that it has been."""
    if not (step.reduces and moment.stepping):
        return moment.name
    what = "fills the bucket" if row.reduced == "full" else "has been made"
    return f"{moment.name.removesuffix(OPTIMIZER).removesuffix(STEPPED)}, whose gradient {what}"


def _working(step: Step, place: Place, row: Row) -> tuple[tuple[Tensor, ...], ...]:
    """What the forward pass of a block holds beside what it keeps, and its output with the sum that is made of it."""
    layer = place.unit.layers[-1]
    products = step.recipe.recompute.products
    inside = (layer.passing if place.again and not products else layer.working) or ((),)
    output = inside[-1][-1:]
    if kept_output(step.model, step.recipe.recompute):  # what leaves the block is kept itself
        inside, output = ((),), ()
    if row.resharded:
        return (output,)
    summed = step.recipe.scalars and step.model.batch is not None and (not step.gathers or step.keep == 1)
    return (*inside, (*output, Tensor("loss", ()))) if summed else inside


def possible(
    built: Built,
    recipe: Recipe,
    placement: Mapping[str, Placed],
    numbers: Numbers,
    keep: sp.Rational = sp.S.Zero,
    only: tuple[Called, ...] = (),
    *,
    replicas: bool = True,
) -> tuple[Instant, ...]:
    """Return the instants that a step has at some number of blocks or other, those that there are here and the others.

    With `only` nothing is made of other instants. Of the values only the remainders of the blocks under a rule of recomputation count, and whether degrees are 1:
    without `replicas`, as under a plan that has none, n_replica is no degree.
    """
    built = converting(built, recipe, placement)
    name = schedule_of(recipe, built.model, placement)
    if not name:
        return ()
    how, known = recipe.recompute, numbers.values_given
    if how.rule == "block":  # which of the last blocks are recomputed, their number says; many are not
        ends = (LATE if missing(one.end, known) else int(numbers[one.end]) for one in units(built.model).blocks)
        residues = tuple(min(end, many_blocks(how)) for end in ends)
    else:
        residues = tuple(
            0 if how.period == 1 or missing(one.end, known) else int(numbers[one.end]) % how.period
            for one in units(built.model).blocks
        )
    alone = gathers_nothing(recipe, placement, known)
    hybrid = replicas and known.get(n_replica, 1) > 1
    loss, inside = loss_term(built, recipe), loss_tensors(built, recipe)
    stepped = placement.get("optimizer")
    divides = stepped is not None and stepped.fraction != 0
    separate = tuple(kind for kind, placed in placement.items() if placed.experts is not None)
    others, _ = _divided(placement.get("weights"))
    _, shards = _divided(placement.get("weights", placement.get("gradients")))
    return _timeline(
        name, built.model, recipe, loss, inside, separate, others, shards, keep, residues, alone, hybrid, divides, only
    )


def _divided(placed: Placed | None) -> tuple[sp.Expr, sp.Expr]:
    """By how many devices another parallelism divides weights, and how many gather them, or send gradients: data and context ranks."""
    degree = sp.S.One if placed is None else placed.degree.xreplace({n_replica: sp.S.One})
    others = degree.xreplace({n_fsdp: sp.S.One, n_cp: sp.S.One})
    return others, degree / others


def gathers_nothing(recipe: Recipe, placement: Mapping[str, Placed], known: Given) -> bool:
    """Whether weights are divided over one device, which has them whole: an engine that gathers weights has nothing to gather.

    >>> from symbolic_mem.recipes.read import recipe
    >>> [gathers_nothing(recipe("fsdp2"), {}, {n_fsdp: sp.Integer(number)}) for number in (1, 2)]
    [True, False]
    """
    shared = {n_fsdp} | ({n_cp} & placement["weights"].degree.free_symbols if "weights" in placement else set())
    return all(known.get(axis) == 1 for axis in shared) and "weights" not in recipe.offload


def timeline(
    built: Built,
    recipe: Recipe,
    placement: Mapping[str, Placed],
    values: Given | Numbers | None = None,
    keep: sp.Rational = sp.S.Zero,
    only: tuple[Called, ...] = (),
    *,
    replicas: bool = True,
) -> tuple[Instant, ...]:
    """Return the instants of a training step, each with the memory of one device in bytes; the peak is the largest.

    There are none where only the sum of what is kept is known: see `schedule_of`. `values` say how many blocks there are
    (those that have none are many), and `keep` the share of the gathered weights that stays after the forward pass:
    FSDP2's ``reshard_after_forward``, 0 where it is true, 1 where it is false, 1/k where it is k. With `only` nothing is made of
    other instants, where there are some that are called so; for one that is not there count all of its place, as long as
    anything is kept for the backward pass. Without `replicas` a value of n_replica counts for nothing.

    >>> from symbolic_mem.models.ffn import ffn
    >>> from symbolic_mem.recipes.read import recipe
    >>> step = timeline(Built(ffn(), {}), recipe("pure-bf16"), {})
    >>> [one.words for one in step][-2:]
    ['the backward pass of the first block, at x W_in', 'the optimizer step']
    """
    numbers = Numbers.of({} if values is None else values)
    found = possible(built, recipe, placement, numbers, keep, only, replicas=replicas)
    there = tuple(one for one in found if one.exists(numbers))
    meant = _at_places(there, only) if any(layer.saved for layer in built.model.layers) else only
    if meant != only:
        return timeline(built, recipe, placement, numbers, keep, meant, replicas=replicas)
    return there if there or not only else timeline(built, recipe, placement, numbers, keep, replicas=replicas)


def _at_places(step: Sequence[Instant], only: tuple[Called, ...]) -> tuple[Called, ...]:
    """The same instants; where a step has none that is called so, all that it has at that place."""
    there = {one.called for one in step}
    meant = ((*one[:2], "") if one[1] and one not in there else one for one in only)
    return tuple(dict.fromkeys(meant))
