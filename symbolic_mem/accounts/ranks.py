"""`ranks`: the ranks of a cluster that differ, each with what it has of the model: one for each stage of a pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import sympy as sp

from symbolic_mem.accounts.stage import Stage, stage_model, stages
from symbolic_mem.accounts.units import units
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import Numbers, missing
from symbolic_mem.base.symbols import n_chunks, n_group, n_micro, n_pp, r_pp
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.built import Built
from symbolic_mem.models.tensors import Model, Weights
from symbolic_mem.plans.engines import engines
from symbolic_mem.plans.pipeline import SYMBOLS, Pipeline, pipeline
from symbolic_mem.plans.plan import Plan


@dataclass(frozen=True)
class Rank:
    """A rank of a cluster: its `stage` with what it has of the `model`, and how many activations it has in flight.

    `held` is the number of them, as the schedule `order` says it, for each of its chunks in turn.
    """

    stage: Stage
    model: Model
    order: Pipeline | None
    held: tuple[sp.Expr, ...]

    def weights(self, *, experts: bool) -> Weights:
        """Its weights of routed experts, or all others."""
        return self.model.weights.only(experts=experts)

    def parameters(self, *, experts: bool) -> sp.Expr:
        """The number of parameters of its routed experts, or of all others."""
        return sp.Add(
            *(one.repeat * sp.Add(*(w.elements for w in one.weights)) for one in self.weights(experts=experts).held)
        )


def ranks(plan: Plan | None, built: Built, numbers: Numbers, *, every: bool = True) -> tuple[Rank, ...]:
    """Return the ranks of a plan that differ, the first stage of its pipeline first; or those that can hold most.

    `built` is what one rank of the other axes has; of a number of blocks without a value no stages are known. Without
    `every` the ranks are those of `deciding`. Raises `BadInput` where the blocks do not divide into stages, or the schedule is
    refused.
    """
    known = numbers.values_given
    if plan is None or not plan.pipelined:
        return (_alone(built.model),)
    order, number = pipeline(plan.schedule), int(known[n_pp])
    if number == 1:
        return (_alone(built.model),)
    if n_micro not in known:
        raise BadInput(
            f"plan {plan.name!r} with n_pp = {number} needs the micro-batches of a step; add --set n_micro=..."
        )
    if any(missing(unit.count, known) for unit in units(built.model).blocks):
        return ()
    values = order.complete({symbol: sp.Rational(known[symbol]) for symbol in SYMBOLS if symbol in known})
    order.check(values, torch=bool(plan.engine) and engines()[plan.engine].whole)
    blocks = int(sum(numbers[unit.count] for unit in units(built.model).blocks))
    found = stages(blocks, number, int(values[n_chunks]), order.order, plan.layers)
    if order.vocabulary:
        found = tuple(replace(stage, first=True, last=True) for stage in found)
    return tuple(
        Rank(stage, stage_model(built.model, stage, numbers), order, _held(order, stage, values))
        for stage in (found if every else deciding(found, built, numbers))
    )


def _alone(model: Model) -> Rank:
    return Rank(Stage(0, 1, (), True, True), model, None, ())


def _held(order: Pipeline, stage: Stage, values: Mapping[sp.Symbol, sp.Rational]) -> tuple[sp.Expr, ...]:
    """How many activations each chunk of a stage has in flight: the forward passes that come first, group by group."""
    number = len(stage.chunks)
    if number == 1:
        given = {n_chunks: values[n_chunks], n_group: values[n_group], r_pp: sp.Integer(stage.rank)}
        used = tuple((symbol, value) for symbol, value in given.items() if symbol in order.held.free_symbols)
        return (_at(order.held, used),)
    total = order.count(values, stage.rank)
    if order.order != "loop":
        return (sp.Rational(total, number),) * number
    group = int(values[n_group])
    rounds, rest = divmod(total, group * number)
    return tuple(sp.Integer(rounds * group + min(max(rest - chunk * group, 0), group)) for chunk in range(number))


@lru_cache(maxsize=1024)
def _at(held: sp.Expr, given: tuple[tuple[sp.Symbol, sp.Rational], ...]) -> sp.Expr:
    return held.xreplace(dict(given))


def deciding(
    found: Sequence[Stage], built: Built, numbers: Numbers, more: Callable[[Stage], tuple[int, ...]] | None = None
) -> tuple[Stage, ...]:
    """Return the first and the last stage, and of those between with the same blocks, and `more` that counts, the first.

    It has as many micro-batches in flight as any of them or more, as all schedules have, and everything else is the same: a
    middle stage of equal stages never holds most.
    """
    kept: list[Stage] = []
    seen = set()

    def of(stage: Stage) -> tuple[int, ...]:
        return _blocks(stage, built, numbers) + (() if more is None else more(stage))

    for stage in found:
        blocks = of(stage)
        ends = stage.first, stage.last
        inner = stage is not found[0] and stage is not found[-1]
        if not inner or (blocks, ends) not in seen:
            kept.append(stage)
        if inner:
            seen.add((blocks, ends))
    if len(kept) > 2 and of(kept[0]) == of(kept[1]):
        kept.pop(1)  # the first has these blocks, the embedding and more in flight
    return tuple(kept)


def _blocks(stage: Stage, built: Built, numbers: Numbers) -> tuple[int, ...]:
    """How many blocks of each kind a stage has."""
    counts = []
    for unit in units(built.model).blocks:
        start = int(numbers[unit.start])
        end = start + int(numbers[unit.count])
        counts.append(sum(max(0, min(last, end) - max(first, start)) for first, last in stage.chunks))
    return tuple(counts)
