"""`Question`: one question of a study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Question:
    """One question of a study: its label, what is asked, and the options of that kind of question as written."""

    label: str
    ask: str
    options: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""

    def get(self, key: str, default: Any = None) -> Any:
        """Return an option, or the default where the study does not give it."""
        return self.options.get(key, default)
