"""What one rank sends in a step under the plan of a study, along each axis of its mesh, and what of it is not counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import sympy as sp

from symbolic_mem.accounts.ranks import ranks
from symbolic_mem.accounts.schedule import schedule_of
from symbolic_mem.accounts.units import units
from symbolic_mem.base.exact import number
from symbolic_mem.base.rational import Number, ratio
from symbolic_mem.base.symbols import B, S, n_chunks, n_cp, n_ep, n_etp, n_fsdp, n_micro, n_pp, n_replica, n_tp
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.cut import Cut
from symbolic_mem.plans.pipeline import pipeline
from symbolic_mem.plans.plan import Plan
from symbolic_mem.plans.volumes import Held, sent
from symbolic_mem.questions.parts.assumptions import used_by_plan
from symbolic_mem.questions.parts.sorts import Sort, apart, gathered_in, gradient_sent, sorts
from symbolic_mem.study.study import Study

DEGREES = (n_tp, n_pp, n_cp, n_ep, n_etp, n_replica)


@dataclass(frozen=True)
class Sent:
    """What a rank sends in a step along each of its `axes` of more than one device: as a formula, and in bytes.

    The formulas are over the values that are `known`, with the `held` parameters of an average stage, one of the `sorts` each.
    `micro` are the micro-batches of a step, and what replicas send is sent `once` for all of them. A value of the stream, of
    keys or of values has so many bytes `each`.
    """

    axes: Mapping[sp.Symbol, tuple[sp.Expr, Number]]
    known: Mapping[sp.Symbol, sp.Rational]
    held: Mapping[sp.Symbol, Number]
    micro: sp.Expr
    once: bool
    sorts: tuple[Sort, ...]
    each: sp.Rational

    @property
    def weights(self) -> Mapping[sp.Symbol, sp.Rational]:
        """The bytes of one weight that is gathered, of each sort of which any are."""
        return {one.symbol: one.weights for one in self.sorts if one.weights != 0}

    @property
    def gradients(self) -> Mapping[sp.Symbol, sp.Rational]:
        """The bytes of one number of a gradient that is sent, of each sort that is trained."""
        return {one.symbol: one.gradients for one in self.sorts if one.gradients != 0}


class Formulas(NamedTuple):
    """What a rank sends in a step along each of its `axes`, over the `held` parameters of an average stage, one of the `sorts` each.

    `micro` are the micro-batches of a step, `chunks` the chunks of a stage.
    """

    axes: Mapping[sp.Symbol, sp.Expr]
    held: Mapping[sp.Symbol, sp.Expr]
    micro: sp.Expr
    chunks: sp.Expr
    sorts: tuple[Sort, ...]


def formulas(study: Study, architecture: Architecture, plan: Plan) -> Formulas:
    """Return what a rank sends in a step; no value is read but those that decide how the plan cuts."""
    micro, chunks, copies = sp.S.One, sp.S.One, sp.S.One
    if plan.pipelined:
        how = pipeline(plan.schedule)
        micro, chunks = n_micro, sp.S.One if how.chunks == 1 else n_chunks
        copies = sp.Integer(how.weights) if study.values.get(n_pp, 1) != 1 else copies
    found = sorts(study)
    held = {one.symbol: copies * one.many / plan.stages for one in found}
    own = [Held(one.symbol, one.weights, one.gradients, one.experts, one.again) for one in found]
    settled, each = replace(plan, keep=study.keep), study.recipe.activations
    axes = sent(architecture, study.rank.cut or Cut(), settled, own, micro, chunks, each)
    return Formulas(axes, held, micro, chunks, found)


def volumes(study: Study) -> Sent | None:
    """What a rank sends in a step; None where there is none to train, the model is no transformer, or a value is missing.

    Raises `BadInput` for stages that the memory of a rank is refused for, too.
    """
    architecture, plan = study.built.architecture, study.plan
    there = study.recipe.trains and architecture is not None and plan is not None
    if not there or not {B, S, n_fsdp} <= set(study.values):
        return None
    if n_pp in study.values:
        ranks(plan, study.rank, study.numbers, every=False)
    found = formulas(study, architecture, plan)
    known = {**dict.fromkeys((*DEGREES, n_micro), sp.S.One), **study.values}
    if found.chunks != 1:
        known = pipeline(plan.schedule).complete(known)
    held = {symbol: number(size, known, "the parameters of a rank") for symbol, size in found.held.items()}
    there = {**known, **held}
    sizes = {axis: (volume, number(volume, there)) for axis, volume in found.axes.items()}
    used = {axis: pair for axis, pair in sizes.items() if pair[1] != 0 and (axis != n_pp or known[n_pp] != 1)}
    return Sent(used, known, held, found.micro, plan.sends == "dp", found.sorts, study.recipe.activations)


def idle(study: Study) -> tuple[str, ...]:
    """Name every degree of more than 1 along which nothing is sent, because the plan cuts nothing of the model over it.

    >>> from symbolic_mem.library.read import load_study
    >>> idle(load_study("cluster-gpt-3-175b").change(plan="zero-1+megatron-tp"))[0]
    'n_pp = 8 divides nothing under plan zero-1+megatron-tp'
    """
    plan = study.plan
    if plan is None:
        return ()
    grouped = {axis for _, degree in plan.groups for axis in degree.free_symbols}
    used = used_by_plan(study, plan) | grouped
    given = (axis for axis in DEGREES if study.values.get(axis, 1) != 1)
    return tuple(
        f"{axis} = {study.values[axis]} divides nothing under plan {plan.name}" for axis in given if axis not in used
    )


class Once(NamedTuple):
    """How many `parameters` are gathered once in a step, and how many bytes `fewer` a rank then sends."""

    parameters: Number
    fewer: Number


def gathered_once(study: Study) -> Once | None:
    """The weights outside the blocks, where the step of a plan is that of PyTorch's ``fully_shard``, which keeps them gathered.

    Source: PyTorch 2.13, torch/distributed/fsdp/_fully_shard/_fsdp_state.py, `_lazy_init`.
    """
    plan, model = study.plan, study.rank.model
    gathers = plan is not None and plan.sends in ("fsdp", "hsdp") and not plan.engine and plan.keep == 0
    if not gathers or schedule_of(study.recipe, model, study.placement) != "fsdp2":
        return None
    size = study.numbers[sp.Add(*(part.elements for part in units(model).root))]
    degree = study.numbers[study.placement["weights"].degree]
    fewer = gathered_in(study.recipe) * size * ratio(degree - 1, degree)
    return Once(size, fewer) if fewer else None


class Summed(NamedTuple):
    """The `size` in bytes of a gradient that two ranks sum once in a step, and what has its matrix beside the embedding."""

    size: Number
    sharing: tuple[str, ...]


def summed_by_ends(study: Study) -> Summed | None:
    """Return what the first and the last rank of a pipeline send to sum the gradient of the embedding, where the last has it, too.

    None where no two ranks have it. An all-reduce of two sends as much as each has. Source: Megatron-LM d98e8a6,
    core/distributed/finalize_model_grads.py: a head that is tied, and modules for multi-token prediction.

    >>> from symbolic_mem.library.read import load_study
    >>> summed_by_ends(load_study("cluster-gpt-3-175b")).size == 4 * 51200 * 12288 // 8
    True
    """
    shared = [weight for weight in apart(study) if weight.trained]
    if not shared:
        return None
    divided = study.plan is not None and study.plan.sends in ("fsdp", "hsdp")
    size = sum(gradient_sent(study.recipe, one, divided=divided) * study.numbers[one.elements] for one in shared)
    return Summed(size, units(study.model).sharing)
