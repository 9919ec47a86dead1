"""Answers as JSON."""

from __future__ import annotations

from math import ceil
from typing import Any

from symbolic_mem.base.formula import write_formula
from symbolic_mem.questions.parts.facts import Found, FoundLargest
from symbolic_mem.render.latex import latex
from symbolic_mem.render.text import plain_prose
from symbolic_mem.solvers.degree import Degree


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
