"""What `symbolic-mem comms` answers with: times, the critical batch, per chip and per rank, as one JSON object."""

from __future__ import annotations

from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput, nearest
from symbolic_mem.base.exact import at, evaluate
from symbolic_mem.base.formula import write_formula
from symbolic_mem.base.symbols import N_devices, T, X
from symbolic_mem.plans.roofline import RULES, Roofline, checked
from symbolic_mem.plans.schemes import AXES
from symbolic_mem.questions.parts.setting import Setting, setting
from symbolic_mem.render.json import number
from symbolic_mem.render.latex import latex
from symbolic_mem.solvers.critical import critical, next_whole
from symbolic_mem.solvers.optimum import best_mesh, least, whole_meshes
from symbolic_mem.study.study import Study


def comms_report(
    study: Study,
    overlap: str = "max",
    axes: str = "given",
    *,
    scheme: str | None = None,
    pass_name: str = "forward",
    chips: int | None = None,
) -> dict[str, Any]:
    """Return the communication of a study: conventions, times in seconds, volumes in bytes, critical batch in tokens.

    `overlap` is ``max`` or ``sum``; `axes` is ``given`` (the study's X and Y) or ``optimal`` (the best X at their
    product). Raises `BadInput` for another word, and `MissingValue` for what the answer needs.

    >>> from symbolic_mem.library.read import load_study
    >>> comms_report(load_study("cs336-a2-xxl"))["smallest_batch_tokens"]
    20445
    """
    if axes not in AXES:
        raise BadInput(f"unknown axes {axes!r}; {nearest(axes, AXES)}")
    found = setting(study, scheme, pass_name, chips)
    answer = _optimal(found, checked(overlap)) if axes == "optimal" else _given(found, checked(overlap))
    roofline = found.roofline
    return {
        "study": study.name,
        "conventions": {
            "overlap": overlap,
            "axes": axes,
            "unit": "tokens",
            "pass": pass_name,
            "scheme": found.scheme.name,
            "direction": roofline.network.direction,
            "ring": roofline.network.ring,
        },
        **answer,
        "values": {str(symbol): number(value) for symbol, value in found.values.items()},
        "batch_tokens": number(found.tokens),
        "times": _times(found),
        "winner": _winner(found, overlap),
        "assumptions": [
            f"Tokens are counted in the whole batch: T = B S; {RULES[overlap]}.",
            f"What is sent has two bytes per element; all is counted for one {found.load.what}.",
            *study.model.said,
        ],
    }


def _given(found: Setting, overlap: str) -> dict[str, Any]:
    bound = critical(found.roofline, overlap)
    tokens = bound.at(found.values)
    by_rank = None if tokens is None or X not in found.values else tokens / found.values[X]
    reason = None
    if tokens is None:
        reason = "what grows with the batch takes longer to send than to compute: no batch is large enough on this mesh"
    return {
        **_answer(found, bound.tokens, tokens, by_rank),
        "conditions": [f"{write_formula(margin)} > 1" for margin in bound.conditions],
        "reason": reason,
    }


def _optimal(found: Setting, overlap: str) -> dict[str, Any]:
    best = best_mesh(found.roofline)
    tokens = evaluate(best.tokens(overlap), found.values, "the critical batch on the best mesh")
    x = evaluate(best.x_at(overlap), found.values, "the best mesh")
    meshes = whole_meshes(found.roofline, int(found.values[N_devices]), found.values, overlap)
    whole = least(meshes)
    return {
        **_answer(found, best.tokens(overlap), tokens, tokens / x),
        "conditions": [],
        "reason": None
        if 1 <= x <= found.values[N_devices]
        else f"the best X is {float(x):.4g}, which is no part of {found.values[N_devices]} chips; use whole meshes",
        "optimal_x": number(x),
        "optimal_x_formula": write_formula(best.x),
        "best_whole_mesh": None
        if whole is None
        else {"X": whole.x, "Y": whole.y, "critical_batch_tokens": number(whole.tokens)},
    }


def _answer(found: Setting, formula: sp.Expr, tokens: sp.Expr | None, by_rank: sp.Expr | None) -> dict[str, Any]:
    return {
        "feasible": tokens is not None,
        "critical_batch_tokens": number(tokens),
        "per_chip": None if tokens is None else number(tokens / found.values[N_devices]),
        "per_fsdp_rank": number(by_rank),
        "smallest_batch_tokens": None if tokens is None else next_whole(tokens),
        "formula": write_formula(formula),
        "latex": latex(formula),
    }


def _times(found: Setting) -> list[dict[str, Any]]:
    values = found.values if found.tokens is None else {**found.values, T: found.tokens}
    roofline: Roofline = found.roofline
    rows: list[dict[str, Any]] = [{"name": "mathematics", **_time(roofline.math, values)}]
    for collective, time in roofline.each:
        volume = collective.volume(roofline.network)
        rows.append(
            {
                "name": f"{collective.kind} of the {collective.what}",
                "axis": collective.axis,
                "volume_formula": write_formula(volume),
                "bytes": number(at(volume, values)),
                **_time(time, values),
            }
        )
    return rows


def _time(time: sp.Expr, values: Any) -> dict[str, Any]:
    return {"formula": write_formula(time), "latex": latex(time), "seconds": number(at(time, values))}


def _winner(found: Setting, overlap: str) -> str | None:
    if found.tokens is None:
        return None
    return found.roofline.winner({**found.values, T: found.tokens}, overlap)
