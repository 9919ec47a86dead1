"""What `comms` says of one rank of a plan beside what it sends: its parameters, how long it waits in a pipeline and how long it computes."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import number
from symbolic_mem.base.symbols import C, W, X, Y, n_pp
from symbolic_mem.claims.lines import exactly
from symbolic_mem.plans.pipeline import pipeline
from symbolic_mem.questions.parts.mesh_times import Times, times
from symbolic_mem.questions.parts.sends import Sent, volumes
from symbolic_mem.study.changed_device import use_rates
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.study import Study

BUBBLE, COMPUTING = "bubble", "computing"


def sent_by_a_rank(study: Study) -> Sent | None:
    """What one rank sends in a step, by axis; None where that is not known."""
    plan = study.plan
    if plan is None or not (plan.axes or (plan.sends and not {X, Y} & set(study.values))):
        return None
    try:
        return volumes(study)
    except BadInput:
        return None  # such as stages that the memory of a rank is refused for


def times_of(study: Study, sent: Sent) -> Times | None:
    """How long a rank computes and sends, at the rates of the study or of the device that the caller names, as `comms` has them."""
    called = any(change.aspect == "device" for change in study.caller) and study.device.name is not None
    if called and not {C, W} <= set(study.values):
        try:
            study = use_rates(str(study.device.name), study.devices).apply(study)
        except BadInput:
            return None  # no rates are known of it
        sent = volumes(study) or sent
    return times(study, sent)


def rank_claims(study: Study) -> Mapping[str, Claimed]:
    """What `comms` says of one rank beside what it sends: its parameters, the part of the time that it waits, and how long it computes.

    >>> from symbolic_mem.library.read import load_study
    >>> claims = rank_claims(load_study("cluster-gpt-3-175b"))
    >>> {name: str(one.value) for name, one in claims.items()}
    {'P_dense': '2741732352', 'bubble': '175/48'}
    """
    found = sent_by_a_rank(study)
    if found is None:
        return {}
    held = "parameters on one rank of an average stage"
    claims = {
        str(symbol): Claimed(Fraction(size), "number", held, unit="parameters") for symbol, size in found.held.items()
    }
    waits = bubble_formula(study)
    if waits is not None and study.plan is not None:
        known = pipeline(study.plan.schedule).complete(study.values)
        part = 100 * Fraction(number(waits, known))
        claims[BUBBLE] = Claimed(part, "number", "what one rank waits of the time that it computes", unit="%")
    took = times_of(study, found)
    if took is not None:
        claims[COMPUTING] = Claimed(exactly(took.computes), "number", "how long one rank computes in a step", unit="s")
    return claims


def bubble_formula(study: Study) -> sp.Expr | None:
    """The time that a rank waits in its pipeline, as a share of the time that it computes; None where no source gives one."""
    plan = study.plan
    if plan is None or not plan.pipelined or study.values.get(n_pp, 1) == 1:
        return None
    return pipeline(plan.schedule).bubble
