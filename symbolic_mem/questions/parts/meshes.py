"""Meshes of devices that a plan and a model allow, each tried: its peak, its worst rank, or why it fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from math import gcd
from types import MappingProxyType
from typing import NamedTuple

import sympy as sp

from symbolic_mem.accounts.ranks import ranks
from symbolic_mem.accounts.schedule import schedule_of
from symbolic_mem.accounts.units import units
from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.base.exact import at, number
from symbolic_mem.base.rational import Number, ratio, symbolic
from symbolic_mem.base.symbols import (
    B,
    S,
    local,
    n_chunks,
    n_cp,
    n_dcp,
    n_ep,
    n_etp,
    n_fsdp,
    n_micro,
    n_pp,
    n_replica,
    n_tp,
)
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.cut import Cut
from symbolic_mem.plans.pipeline import pipeline
from symbolic_mem.plans.plan import Plan
from symbolic_mem.plans.rests import HALVES, sizes
from symbolic_mem.plans.volumes import Each, Held, sent
from symbolic_mem.study.study import Study

AXES = (n_tp, n_pp, n_cp, n_ep)
FOUND = (*AXES, n_etp, n_dcp)
DEGREES = (*AXES, n_etp, n_replica)
MOST = 4096  # of an axis
ANY = (1, 2, 4, 8)  # where the engine cuts all that is cut unevenly
STAGES = 16  # up to so many are all tried where blocks need not divide, beyond them those that divide


@dataclass(frozen=True)
class Tried:
    """A mesh, its degrees given by `values`: the `peak` of its worst rank and the instant, or why it is `refused`.

    `sent` are the bytes that a rank sends in a step, where they are known.
    """

    values: Mapping[sp.Symbol, int]
    peak: Number | None = None
    instant: str = ""
    sent: Number | None = None
    refused: str = ""

    @property
    def words(self) -> str:
        """The instant, or what is counted where no instants are known."""
        return self.instant or "all that is kept"

    @property
    def size(self) -> sp.Expr:
        """The peak as an exact number, of a mesh that is not refused."""
        assert self.peak is not None
        return symbolic(self.peak)

    def fits(self, room: sp.Expr | Number, *, strict: bool) -> bool:
        """Whether it is not refused, and its peak fits."""
        return self.peak is not None and bool(self.size < room if strict else self.size <= room)


def need_plan(study: Study, where: str) -> Plan:
    """Return the plan of a study; raises `BadInput` where it has none that cuts the model."""
    if study.plan is None or not study.plan.axes:
        raise BadInput(
            f"{where}: no plan cuts the model over an axis; add [plan] with preset = 'megatron', or --plan megatron"
        )
    return study.plan


def degrees(study: Study, axis: sp.Symbol) -> tuple[int, ...]:
    """The degrees of an axis that the sizes of the model allow: those that divide all that is cut over it."""
    plan = need_plan(study, "degrees")
    if axis not in plan.axes:
        return (1,)
    if axis == n_dcp:  # some of the ranks of n_tp
        ranks = int(study.values.get(n_tp, 1))
        return tuple(degree for degree in range(1, ranks + 1) if ranks % degree == 0)
    rests, known = dict(plan.rests), dict(sizes(study.built))
    common, cut = 0, False
    for dimension, by in plan.cuts:
        size = known.get(dimension)
        if size is None or axis not in by.free_symbols:
            continue
        cut = True
        how = rests.get(dimension)
        if how not in (None, HALVES):
            continue
        whole = at(size.size / 2 if how == HALVES else size.size, study.values)
        common = common if whole is None else gcd(common, int(whole))
    if axis == n_pp and plan.layers:
        return (int(study.values[n_pp]),)
    if axis == n_pp and plan.spreads:
        layers = at(known["layers"].size, study.values) if "layers" in known else None
        most = STAGES if layers is None else int(layers)
        return tuple(degree for degree in range(1, most + 1) if degree <= STAGES or most % degree == 0)
    if not cut:
        return (1,)  # such as experts, where there are none
    if not common:
        return ANY
    return tuple(degree for degree in range(1, min(common, MOST) + 1) if common % degree == 0)


def meshes(
    study: Study, devices: int, held: Mapping[sp.Symbol, int] = MappingProxyType({})
) -> Iterator[dict[sp.Symbol, int]]:
    """Yield the degrees of every mesh of so many devices that the model allows and that has those which are `held`, those that cut it least first."""
    found = []
    for chosen in product(*(degrees(study, axis) for axis in (n_tp, n_pp, n_cp))):
        cut = chosen[0] * chosen[1] * chosen[2]
        if devices % cut != 0:
            continue
        group = devices // cut * chosen[0] * chosen[2]
        for experts in degrees(study, n_ep):
            if group % experts == 0:
                values = dict(zip((n_tp, n_pp, n_cp), chosen, strict=True)) | {n_ep: experts, n_fsdp: devices // cut}
                if all(values[axis] == value for axis, value in held.items()):
                    found.append((cut, values))
    yield from (values for _, values in sorted(found, key=lambda one: (one[0], tuple(one[1].values()))))


def sequences_of(study: Study, given: int | None) -> int | None:
    """The sequences of a step over all devices: those that are given, or those of the study's own degrees."""
    known = study.values
    if given is not None or not {B, n_micro, n_fsdp} <= set(known):
        return given
    return int(known[B] * known[n_micro] * known[n_fsdp])


def tried(study: Study, values: Mapping[sp.Symbol, int], sequences: int | None) -> Tried:
    """Try a mesh: with a number of `sequences` in a step the micro-batches follow from it."""
    plan = need_plan(study, "tried")
    given = {symbol: sp.Integer(value) for symbol, value in values.items()}
    used = dict(values)
    try:
        if sequences is not None and B in study.values and n_fsdp in given:
            each = int(study.values[B]) * int(given[n_fsdp])
            if sequences % each != 0:
                raise BadInput(
                    f"{sequences} sequences of a step are no multiple of {each}, those of one micro-batch; give a multiple"
                )
            used[n_micro] = sequences // each
            given[n_micro] = sp.Integer(sequences // each)
        known = {**study.values, **given}
        plan.check(known, study.built, trains=study.recipe.trains)
        one = replace(study, values=known, at=None)
        step = one.timeline
        if not step:
            held, instant = one.placed().at(one.numbers), ""
        else:
            held, instant = max(
                ((each.memory.placed(one.placement).at(one.numbers), each.words) for each in step),
                key=lambda pair: pair[0],
            )
        return Tried(used, held, instant, _sent(one))
    except MissingValue:  # of no mesh, and so of all
        raise
    except BadInput as refused:
        return Tried(used, refused=str(refused))


P_DENSE, P_EXPERTS = local("P", "dense"), local("P", "experts")


@dataclass(frozen=True)
class Sent:
    """What a rank sends in a step along each of its `axes` of more than one device: as a formula, and in bytes.

    The formulas are over the values that are `known`, with the `held` parameters of an average stage, dense and of experts.
    `micro` are the micro-batches of a step, and what replicas send is sent `once` for all of them. A value that is sent has
    the bytes of its kind in `each`.
    """

    axes: Mapping[sp.Symbol, tuple[sp.Expr, Number]]
    known: Mapping[sp.Symbol, sp.Rational]
    held: Mapping[sp.Symbol, Number]
    micro: sp.Expr
    once: bool
    each: Each


class Formulas(NamedTuple):
    """What a rank sends in a step along each of its `axes`, over the `held` parameters of an average stage, dense and of experts.

    `micro` are the micro-batches of a step, `chunks` the chunks of a stage.
    """

    axes: Mapping[sp.Symbol, sp.Expr]
    held: Mapping[sp.Symbol, sp.Expr]
    micro: sp.Expr
    chunks: sp.Expr


def formulas(study: Study, architecture: Architecture, plan: Plan) -> Formulas:
    """Return what a rank sends in a step; no value is read but those that decide how the plan cuts."""
    micro, chunks, copies = sp.S.One, sp.S.One, sp.S.One
    if plan.pipelined:
        how = pipeline(plan.schedule)
        micro, chunks = n_micro, sp.S.One if how.chunks == 1 else n_chunks
        copies = sp.Integer(how.weights) if study.values.get(n_pp, 1) != 1 else copies
    sizes = {P_DENSE: _parameters(study, experts=False), P_EXPERTS: _parameters(study, experts=True)}
    held = {symbol: copies * size / n_pp for symbol, size in sizes.items() if size != 0}
    both = Held(P_DENSE, P_EXPERTS if P_EXPERTS in held else sp.S.Zero)
    settled = replace(plan, keep=study.keep)
    return Formulas(
        sent(architecture, study.rank.cut or Cut(), settled, both, micro, chunks, each_of(study)), held, micro, chunks
    )


def each_of(study: Study) -> Each:
    """Return the bytes of a value that a rank sends, as the recipe has them.

    Weights that are gathered for a pass have those in which the engine gathers them, or of the activations; those that are gathered after
    the step have those in which they are kept, where all have the same. Gradients have those in which the engine reduces divided
    weights' ones, else those in which they are made, or of the weights where the recipe keeps none.

    >>> from symbolic_mem.library.read import load_study
    >>> each_of(load_study("cluster-gpt-3-175b"))
    Each(stream=2, weights=2, gradients=4)
    """
    recipe, plan = study.recipe, study.plan
    weights = recipe.gathers or recipe.activations
    made = recipe.gradient_bytes()
    if plan is None or plan.sends in ("fsdp", "hsdp"):
        return Each(recipe.activations, weights, recipe.reduces or made or weights)
    kept = {one.bytes_per_element for one in recipe.states if one.kind == "weights" and not one.cast}
    weights = kept.pop() if len(kept) == 1 else weights
    return Each(recipe.activations, weights, made or weights)


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
    return Sent(used, known, held, found.micro, plan.sends == "dp", each_of(study))


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
    fewer = each_of(study).weights * size * ratio(degree - 1, degree)
    return Once(size, fewer) if fewer else None


def summed_by_ends(study: Study) -> Number | None:
    """Bytes that the first and the last rank of a pipeline send to sum the gradient of a matrix that embedding and head share.

    None where no two ranks have it. An all-reduce of two sends as much as each has. Source: Megatron-LM d98e8a6,
    core/distributed/finalize_model_grads.py.

    >>> from symbolic_mem.library.read import load_study
    >>> summed_by_ends(load_study("cluster-gpt-3-175b")) == 4 * 51200 * 12288 // 8
    True
    """
    plan = study.plan
    if plan is None or not plan.pipelined or study.values.get(n_pp, 1) == 1:
        return None
    how = pipeline(plan.schedule)
    shared = units(study.rank.model).tied
    if how.order != "loop" or how.vocabulary or not shared:
        return None
    return each_of(study).gradients * study.numbers[sp.Add(*(part.elements for part in shared))]


def _parameters(study: Study, *, experts: bool) -> sp.Expr:
    held = study.model.weights.only(experts=experts).held
    return sp.Add(*(one.repeat * sp.Add(*(weight.elements for weight in one.weights)) for one in held))


def _sent(study: Study) -> Number | None:
    found = volumes(study)
    return None if found is None else sum((size for _, size in found.axes.values()), 0)
