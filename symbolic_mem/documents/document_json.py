"""A document as JSON."""

from __future__ import annotations

from typing import Any

from symbolic_mem.documents.derivation import Derivation
from symbolic_mem.questions.parts.jsonable import jsonable
from symbolic_mem.render.arrange import arrange
from symbolic_mem.render.json import section_json
from symbolic_mem.render.text import plain_prose


def derivation_json(derivation: Derivation) -> dict[str, Any]:
    """Return a whole document: its answers, what its questions found, and every block with its lines."""
    arranged = arrange(derivation)
    return {
        "title": derivation.title,
        "subtitle": derivation.subtitle,
        "answers": [plain_prose(answer) for answer in arranged.answers],
        "questions": [jsonable(found) for found in derivation.found],
        "sections": [section_json(section) for section in arranged.sections],
    }
