"""`Face`: how one format that is set by templates writes text, sentences, displays and figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from symbolic_mem.base.values import dataclass
from symbolic_mem.document.figure import Figure
from symbolic_mem.document.prose import Chain, Prose


@dataclass(frozen=True, eq=False)
class Face:
    """How the format of an `ending` writes plain text, sentences, displays and figures, and what its templates are given.

    `marks` are the signs around what Jinja2 reads, where they are not its own; `names` is known in every template.
    """

    ending: str
    escape: Callable[[str], str]
    prose: Callable[[Prose], str]
    display: Callable[[tuple[Chain, ...]], str]
    draw: Callable[[Figure], str]
    marks: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, Any] = field(default_factory=dict)
