"""How long one device sends in a step: the same collectives, volumes and rates as `comms`, as one formula over the degree."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import number
from symbolic_mem.base.symbols import B, S, T, W, W_dcn, X, Y, n_chunks, n_fsdp, n_micro, n_pp
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.plans.load import load
from symbolic_mem.plans.pipeline import pipeline
from symbolic_mem.plans.plan import Plan
from symbolic_mem.plans.schemes import scheme
from symbolic_mem.questions.compute_bound import ComputeBound
from symbolic_mem.questions.parts.mesh_times import BETWEEN
from symbolic_mem.questions.parts.sends import DEGREES, formulas
from symbolic_mem.questions.parts.setting import implied
from symbolic_mem.study.changed_device import use_rates
from symbolic_mem.study.study import Study

COLUMN = "communication"


@dataclass(frozen=True)
class Sending:
    """The seconds in which one device sends all of a step, one axis after the other: at a degree of one, and at `more`."""

    one: sp.Expr
    more: sp.Expr


def with_rates(study: Study) -> Study:
    """The study with the rates at which it sends: those of the device that the caller names, of its network, of its own device.

    Raises `BadInput` where none of them is known.
    """
    called = any(change.aspect == "device" for change in study.caller) and study.device.name is not None
    if study.network is not None and not called:
        return study
    if study.device.name is None:
        raise BadInput(
            f"{COLUMN}: no rates are known of an amount of memory; give --device NAME, or add [network] to the study"
        )
    return use_rates(study.device.name, study.devices, COLUMN).apply(study)


def sending(study: Study, values_of: Study, degree: sp.Symbol) -> Sending:
    """Return how long one device of a study sends in a step.

    `study` has watched values, of which those that decide are read; `values_of` is the same study with plain ones. Under a plan that cuts
    the model, and of a transformer under any over n_fsdp, it is what `comms` shows along all axes; else what a scheme sends in all
    blocks, along X over n_fsdp where X has no value. Raises `BadInput` where nothing says what is sent.
    """
    plan, architecture = study.plan, study.built.architecture
    if not study.recipe.trains:
        raise BadInput(f"{COLUMN}: nothing is trained here, and so there is no step; choose a recipe that trains")
    if plan is not None and plan.axes:
        if architecture is None or degree != n_fsdp:
            raise BadInput(f"{COLUMN}: what is sent under plan {plan.name!r} is known of a transformer over n_fsdp")
        return _along_axes(study, values_of, architecture, plan)
    over_degree = degree == n_fsdp and not {X, Y} & set(values_of.values)
    if plan is not None and plan.sends and architecture is not None and over_degree:
        return _along_axes(study, values_of, architecture, plan)
    return _by_scheme(study, values_of, degree)


def _along_axes(study: Study, values_of: Study, architecture: Architecture, plan: Plan) -> Sending:
    found = formulas(study, architecture, plan)
    absent: dict[sp.Symbol, sp.Rational] = {
        axis: sp.S.One for axis in (*DEGREES, n_micro) if axis not in values_of.values
    }
    if found.chunks != 1 and n_chunks not in values_of.values:
        absent[n_chunks] = sp.Integer(pipeline(plan.schedule).chunks or 1)
    alone = n_pp in absent or study.values[n_pp] == 1
    total = sp.Add(
        *(
            volume.xreplace(dict(found.held)) / (W_dcn if axis in BETWEEN and W_dcn in values_of.values else W)
            for axis, volume in found.axes.items()
            if axis != n_pp or not alone
        )
    ).xreplace(absent)
    return Sending(total.xreplace({n_fsdp: sp.S.One}), total)


def _by_scheme(study: Study, values_of: Study, degree: sp.Symbol) -> Sending:
    name = _scheme(study, values_of)
    over = {X: n_fsdp} if name in ("dp", "fsdp") and X not in values_of.values else {}
    assert study.network is not None
    model = study.built.model
    work = scheme(name, load(model), keep=study.keep).of("step")
    blocks = model.layers[0].repeat if len(model.layers) == 1 else sp.S.One
    one, more = [], []
    for collective in work.collectives:
        group = sp.sympify(collective.over).xreplace(over)
        seconds = (blocks * collective.time(study.network)).xreplace({T: B * S, **over})
        if group == degree:
            more.append(seconds)
        elif number(group, study.values, COLUMN) != 1:
            one.append(seconds)
    return Sending(sp.Add(*one).xreplace({degree: sp.S.One}), sp.Add(*one, *more))


def _scheme(study: Study, values_of: Study) -> str:
    """The scheme that `comms` counts: of the plan, of the study's question, of its mesh; else that of weights that are divided."""
    if study.plan is not None:
        if not study.plan.sends:
            raise BadInput(f"{COLUMN}: plan {study.plan.name!r} sends nothing that comms counts; choose another plan")
        return study.plan.sends
    own = next((one.scheme for one in study.questions if isinstance(one, ComputeBound) and one.scheme), None)
    if own or X in values_of.values or Y in values_of.values:
        return own or implied(values_of.values)
    weights = study.placement.get("weights")
    if weights is None or weights.degree != n_fsdp:
        raise BadInput(f"{COLUMN}: nothing says what is sent; choose a plan, or give the mesh axes X and Y values")
    return "fsdp"
