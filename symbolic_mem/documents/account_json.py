"""An account as JSON."""

from __future__ import annotations

from typing import Any

from symbolic_mem.accounts.terms import place
from symbolic_mem.base.exact import at, missing
from symbolic_mem.base.formula import write_formula
from symbolic_mem.models.tensors import STATIC
from symbolic_mem.render.json import number, rounded_up
from symbolic_mem.render.latex import latex
from symbolic_mem.render.text import plain_prose
from symbolic_mem.study.study import Study


def account_json(study: Study) -> dict[str, Any]:
    """Return the account of a study as ``account --json`` prints it; what lacks a value is null."""
    from symbolic_mem.questions.parts.assumptions import assumptions, counted_moment, placements

    values = study.values
    terms = []
    for term in study.memory.terms:
        placed = place(type(study.memory)((term,)), study.placement).total
        terms.append(
            {
                "name": term.name,
                "kind": term.kind,
                "elements": write_formula(term.elements),
                "formula": write_formula(term.bytes),
                "latex": latex(term.bytes),
                "bytes": number(at(term.bytes, values)),
                "per_device_formula": write_formula(placed),
                "per_device_bytes": rounded_up(at(placed, values)),
                "reason": term.reason,
                "source": term.source,
            }
        )
    memory = study.memory
    return {
        "study": study.name,
        "title": study.title,
        "values": {str(symbol): number(value) for symbol, value in values.items()},
        "missing": list(missing(memory.total, values)),
        "recipe": study.recipe.name,
        "terms": terms,
        "parameters": number(at(study.model.parameters, values)),
        "parameters_formula": write_formula(study.model.parameters),
        **_groups(study),
        "static_bytes": number(at(memory.of(*STATIC).total, values)),
        "activation_bytes": number(at(memory.of("activations").total, values)),
        "total_bytes": number(at(memory.total, values)),
        "assumptions": [
            plain_prose(said) for said in (*assumptions(study), *counted_moment(study), *placements(study))
        ],
    }


def _groups(study: Study) -> dict[str, Any]:
    """Parameters of a transformer by group, and those that one token visits."""
    architecture = study.built.architecture
    if architecture is None:
        return {}
    from symbolic_mem.models.counts import active_parameters, parameters_by_group

    groups = parameters_by_group(study.model)
    return {
        "parameters_by_group": {group: number(at(count, study.values)) for group, count in groups.items()},
        "active_parameters": number(at(active_parameters(study.model, architecture), study.values)),
    }
