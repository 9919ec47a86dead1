"""Meshes of devices that a plan and a model allow, each tried: its peak, its worst rank, or why it fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from math import gcd
from types import MappingProxyType

import sympy as sp

from symbolic_mem.base.errors import BadInput, MissingValue, NotDescribed
from symbolic_mem.base.exact import at
from symbolic_mem.base.rational import Number, symbolic
from symbolic_mem.base.symbols import (
    B,
    n_cp,
    n_dcp,
    n_ep,
    n_etp,
    n_fsdp,
    n_micro,
    n_pp,
    n_tp,
)
from symbolic_mem.base.values import dataclass
from symbolic_mem.plans.plan import Plan
from symbolic_mem.plans.rests import HALVES, sizes
from symbolic_mem.questions.parts.sends import volumes
from symbolic_mem.study.study import Study

AXES = (n_tp, n_pp, n_cp, n_ep)
FOUND = (*AXES, n_etp, n_dcp)
MOST = 4096  # of an axis
ANY = (1, 2, 4, 8)  # where the engine cuts all that is cut unevenly
STAGES = 16  # up to so many are all tried where blocks need not divide, beyond them those that divide


@dataclass(frozen=True)
class Tried:
    """A mesh, its degrees given by `values`: the `peak` of its worst `rank` and the instant, or why it is `refused`.

    `sent` are the bytes that a rank sends in a step, where they are known.
    """

    values: Mapping[sp.Symbol, int]
    peak: Number | None = None
    instant: str = ""
    rank: str = ""
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
            held, instant, rank = one.placed().at(one.numbers), "", ""
        else:
            held, instant, rank = max(
                ((each.memory.placed(one.placement).at(one.numbers), each.words, each.rank) for each in step),
                key=lambda found: found[0],
            )
        return Tried(used, held, instant, rank, _sent(one))
    except MissingValue:  # of no mesh, and so of all
        raise
    except BadInput as refused:
        return Tried(used, refused=str(refused))


def _sent(study: Study) -> Number | None:
    """What a rank sends in a step, where that is known; a mesh is not refused for it."""
    try:
        found = volumes(study)
    except NotDescribed:
        return None
    return None if found is None else sum((size for _, size in found.axes.values()), 0)
