"""Parameters of a mixture of experts by group: how many there are, and how many one token visits."""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from symbolic_mem.base.exact import put
from symbolic_mem.document.prose import percent, say, text
from symbolic_mem.document.steps import Column, Table
from symbolic_mem.document.words import count
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.counts import active_by_group, parameters_by_group
from symbolic_mem.models.tensors import Model


def experts_tables(
    model: Model, architecture: Architecture | None, values: Mapping[sp.Symbol, sp.Expr], of: str = ""
) -> tuple[Table, ...]:
    """Tabulate the groups of a mixture of experts, in all and active for one token; nothing for another model."""
    if architecture is None or architecture.experts is None:
        return ()
    whole, active = parameters_by_group(model), active_by_group(model, architecture)
    rows, known = [], dict(values)
    shown = [sp.factor_terms(formula) for formula in whole.values()]
    for group, formula in zip(whole, shown, strict=True):
        rows.append(
            (
                text("MLP" if group == "mlp" else group),
                say("{f}", f=formula),
                *_counts(whole[group], active[group], known),
            )
        )
    every, visited = sp.Add(*whole.values()), sp.Add(*active.values())
    rows.append((text("total"), text(""), *_counts(every, visited, known)))
    share = percent(put(visited, known), put(every, known))
    return (
        Table(
            say(
                "Parameters{whose} by group, and the active ones ({share} of all): all but the routed experts that a token does not "
                "visit, with the whole embedding, of which it reads one row",
                share=share,
                whose=of,
            ),
            (
                Column(text("group")),
                Column(text("formula"), "formula"),
                Column(text("all"), "right"),
                Column(text("active"), "right"),
            ),
            tuple(rows),
            totals=True,
        ),
    )


def _counts(whole: sp.Expr, active: sp.Expr, values: dict) -> tuple:
    return count(put(whole, values)), count(put(active, values))
