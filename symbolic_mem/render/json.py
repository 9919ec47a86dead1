"""Answers and documents as JSON objects: byte counts are exact integers, formulas are strings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Any

import sympy as sp

from symbolic_mem.derive.facts import Found, FoundLargest
from symbolic_mem.derive.steps import Answer, Bullets, Derivation, Paragraph, Section, Step, Table
from symbolic_mem.evaluate import at, missing
from symbolic_mem.formula import write_formula
from symbolic_mem.placement import place
from symbolic_mem.render.latex import display, latex
from symbolic_mem.render.text import plain_chain, plain_prose
from symbolic_mem.solve.degree import Degree
from symbolic_mem.study import Study
from symbolic_mem.terms import STATIC

if TYPE_CHECKING:
    from symbolic_mem.check import Verdict


def found_json(found: Found) -> dict[str, Any]:
    """Return the answer of a bound as ``solve --json`` prints it."""
    if found.degree is not None and found.answer.feasible:
        return _plain_found(found) | _under_rules(found.degree)
    return _plain_found(found)


def _under_rules(degree: Degree) -> dict[str, Any]:
    """What the rules change: the answer, its neighbours, and each rule with the degree before and after it."""
    n, below = degree.value, degree.largest_below
    one_less = None if n is None or n == 1 else ceil(degree.profile.at(n - 1))
    return {
        "feasible": degree.feasible,
        "value": n,
        "per_device_bytes": degree.per_device_bytes,
        "at_value_minus_one_bytes": one_less,
        "largest_allowed_below": below,
        "at_largest_allowed_below_bytes": degree.at_largest_below_bytes,
        "value_without_rules": degree.ideal.value,
        "rules": [
            {"rule": step.rule.words, "before": step.before, "after": step.after, "changed": step.changed}
            for step in degree.steps
        ],
    }


def largest_json(found: FoundLargest) -> dict[str, Any]:
    """Return the largest value of a symbol as ``solve --for B --json`` prints it."""
    answer, bound = found.upper, found.upper.bound
    return {
        "study": found.study,
        "question": found.label,
        "for": str(bound.symbol),
        "feasible": answer.feasible,
        "value": answer.value,
        "formula": None if bound.formula is None else write_formula(bound.formula),
        "latex": None if bound.formula is None else latex(bound.formula),
        "condition": str(bound.condition),
        "strict": bound.strict,
        "capacity_bytes": int(found.capacity.counted),
        "reading": found.capacity.reading,
        "device": found.capacity.device.name if found.capacity.device else None,
        "per_device_bytes": answer.per_device_bytes,
        "at_value_plus_one_bytes": answer.at_value_plus_one_bytes,
        "assumptions": [plain_prose(said) for said in found.assumptions],
        "reason": None if found.reason is None else plain_prose(found.reason),
    }


def _plain_found(found: Found) -> dict[str, Any]:
    answer, bound = found.answer, found.answer.bound
    return {
        "study": found.study,
        "question": found.label,
        "for": str(bound.symbol),
        "feasible": answer.feasible,
        "value": answer.value,
        "formula": write_formula(bound.formula),
        "latex": latex(bound.formula),
        "condition": str(bound.condition),
        "strict": bound.strict,
        "capacity_bytes": int(found.capacity.counted),
        "reading": found.capacity.reading,
        "device": found.capacity.device.name if found.capacity.device else None,
        "per_device_bytes": answer.per_device_bytes,
        "at_value_minus_one_bytes": answer.at_value_minus_one_bytes,
        "assumptions": [plain_prose(said) for said in found.assumptions],
        "reason": None if found.reason is None else plain_prose(found.reason),
    }


def verdict_json(study: str, verdict: Verdict) -> dict[str, Any]:
    """Return a checked claim as ``check --json`` lists it; bytes or counts, exact where they are whole."""
    from symbolic_mem.derive.verdicts import verdict_words

    return {
        "study": study,
        "question": verdict.question,
        "claim": f"{verdict.claim.name}={verdict.claim.text}",
        "quantity": verdict.quantity.name,
        "measures": verdict.quantity.measures,
        "right": verdict.right,
        "rounded": verdict.rounded,
        "claimed": _plain_number(verdict.claim.value),
        "expected": _plain_number(verdict.expected),
        "quotient": _plain_number(verdict.quotient),
        "difference": _plain_number(verdict.difference),
        "explanations": [
            {
                "slips": [{"name": slip.name, "sentence": slip.sentence, "source": slip.source} for slip in one.slips],
                "value": _plain_number(one.value),
            }
            for one in verdict.explanations
        ],
        "sentence": plain_prose(verdict_words(verdict)),
    }


def _plain_number(value: Fraction | None) -> int | float | None:
    if value is None:
        return None
    return int(value) if value.denominator == 1 else float(value)


def account_json(study: Study) -> dict[str, Any]:
    """Return the account of a study as ``account --json`` prints it; what lacks a value is null."""
    from symbolic_mem.derive.assumptions import assumptions, counted_moment, placements

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


def derivation_json(derivation: Derivation) -> dict[str, Any]:
    """Return a whole document: its answers, what its questions found, and every block with its lines."""
    return {
        "title": derivation.title,
        "subtitle": derivation.subtitle,
        "answers": [plain_prose(answer) for answer in derivation.answers],
        "questions": [jsonable(found) for found in derivation.found],
        "sections": [_section(section) for section in derivation.sections],
    }


def jsonable(value: Any) -> Any:
    """Return what a question found as plain JSON values."""
    match value:
        case Found():
            return found_json(value)
        case FoundLargest():
            return largest_json(value)
        case Mapping():
            return {str(key): jsonable(item) for key, item in value.items()}
        case sp.Expr():
            return number(value) if value.is_number else write_formula(value)
        case tuple() | list():
            return [jsonable(item) for item in value]
    return str(value) if is_dataclass(value) else value


def number(value: sp.Expr | None) -> int | float | None:
    """Return an exact integer, or a float where the number is none."""
    if value is None:
        return None
    return int(value) if value.is_Integer else float(value)


def rounded_up(value: sp.Expr | None) -> int | None:
    """Return the bytes of one device as a whole number, rounded up."""
    return None if value is None else int(sp.ceiling(value))


def _section(section: Section) -> dict[str, Any]:
    return {"title": plain_prose(section.title), "blocks": [_block(block) for block in section.blocks]}


def _block(block: object) -> dict[str, Any]:
    match block:
        case Step():
            lines = [plain_chain(chain) for chain in block.chains]
            reason = None if block.reason is None else plain_prose(block.reason)
            shown = display(block.chains) if block.chains else None
            said = plain_prose(block.statement)
            return {"kind": "step", "statement": said, "lines": lines, "latex": shown, "reason": reason}
        case Table():
            return {
                "kind": "table",
                "caption": plain_prose(block.caption),
                "columns": [plain_prose(column.head) for column in block.columns],
                "rows": [[plain_prose(cell) for cell in row] for row in block.rows],
            }
        case Bullets():
            return {"kind": "bullets", "items": [plain_prose(item) for item in block.items]}
        case Answer() | Paragraph():
            return {"kind": type(block).__name__.lower(), "text": plain_prose(block.prose)}
    raise TypeError(f"unknown block {type(block).__name__}")
