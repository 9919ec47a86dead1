"""What a question found as plain JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any

import sympy as sp

from symbolic_mem.base.formula import write_formula
from symbolic_mem.questions.parts.answers_json import found_json, largest_json
from symbolic_mem.questions.parts.facts import Found, FoundLargest
from symbolic_mem.render.json import number


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
