"""What more devices do not make smaller under the plan of a study, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import sympy as sp

from symbolic_mem.base.symbols import n_ep, n_pp, r_pp
from symbolic_mem.document.prose import Prose, say, text
from symbolic_mem.document.words import joined, listed
from symbolic_mem.models.tensors import STATIC
from symbolic_mem.plans.pipeline import pipeline
from symbolic_mem.plans.plan import Plan
from symbolic_mem.study.study import Study

Degrees = Mapping[sp.Symbol, sp.Expr | int]


def unshrinking(study: Study, meshes: Sequence[Degrees]) -> Prose | None:
    """Say what does not shrink along the axes over which one of the `meshes` cuts a step; None where all does, or nothing is trained.

    >>> from symbolic_mem.library.read import load_study
    >>> from symbolic_mem.render.text import plain_prose
    >>> study = load_study("llama-3.1-8b").change(plan="zero-1+megatron-sp")
    >>> plain_prose(unshrinking(study, [study.values]))
    'What does not shrink: weights and gradients with the data-parallel degree, because optimizer state alone is divided.'
    """
    if study.plan is None or not study.recipe.trains:
        return None
    whole = tuple(_whole(study.plan, meshes))
    return say("What does not shrink: {whole}.", whole=joined(whole, "; ", "; and ")) if whole else None


def _whole(plan: Plan, meshes: Sequence[Degrees]) -> Iterator[Prose]:
    held = pipeline(plan.schedule).held if plan.schedule else sp.S.Zero
    if any(mesh.get(n_pp, 1) != 1 and _grows(held, mesh) for mesh in meshes):
        whose = "the first stage" if held.has(r_pp) else "a rank"
        yield text(
            f"the activations of {whose} with the number of stages, because it then has more micro-batches in flight"
        )
    states = [kind for kind in STATIC if kind not in plan.divided]
    if plan.divided and states:
        yield say(
            "{states} with the data-parallel degree, because {divided} alone {is_divided}",
            states=text(listed(states)),
            divided=text(listed([_NAMES[kind] for kind in STATIC if kind in plan.divided])),
            is_divided=text("is divided" if len(plan.divided) == 1 else "are divided"),
        )
    if any(mesh.get(n_ep, 1) != 1 for mesh in meshes) and dict(plan.groups).get("experts", sp.S.One).has(n_ep):
        divided = listed([_NAMES[kind] for kind in STATIC if kind in plan.divided])
        yield say(
            "the {divided} of experts with the degree of expert parallelism, because each expert then has fewer replicas",
            divided=text(divided),
        )


def _grows(held: sp.Expr, mesh: Degrees) -> bool:
    """Whether a rank has more micro-batches in flight with one stage more: not where a step has no more of them."""
    first = held.xreplace({r_pp: sp.S.Zero})
    now, then = (first.xreplace({**mesh, n_pp: mesh[n_pp] + more}) for more in (0, 1))
    return then != now


_NAMES = {"weights": "weights", "gradients": "gradients", "optimizer": "optimizer state"}
