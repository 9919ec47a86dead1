"""A derivation in a file format."""

from __future__ import annotations

from pathlib import Path

from symbolic_mem.base.errors import BadInput
from symbolic_mem.document.steps import Document
from symbolic_mem.render.formats import FORMATS


def render(derivation: Document, layout: str, ending: str, templates: str | Path | None = None) -> bytes:
    """Write a derivation as a file: `layout` is ``homework`` or ``report``, `ending` one of `FORMATS`.

    Templates in the folder `templates` come before the bundled ones. Returns the content of the file; raises
    `BadInput` for an unknown ending or a faulty template, `MissingProgram` when a PDF cannot be made.
    """
    if ending not in FORMATS:
        raise BadInput(f"unknown ending .{ending}; write one of {', '.join('.' + name for name in FORMATS)}")
    return FORMATS[ending](derivation, layout, templates)
