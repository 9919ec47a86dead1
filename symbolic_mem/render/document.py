"""A derivation in a file format, and written to files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from symbolic_mem.base.errors import BadInput, MissingProgram
from symbolic_mem.base.symbols import writing
from symbolic_mem.document.steps import Document
from symbolic_mem.render.files import check_place, write_whole
from symbolic_mem.render.formats import FORMATS


def render(
    derivation: Document, layout: str, ending: str, templates: str | Path | None = None, route: str | None = None
) -> bytes:
    """Write a derivation as a file: `layout` is ``homework`` or ``report``, `ending` one of `FORMATS`.

    Templates in the folder `templates` come before the bundled ones, and a PDF is made by the `route` of `pdf`. Returns the content of the file; raises
    `BadInput` for an unknown ending or a faulty template, `MissingProgram` when a PDF cannot be made.
    """
    if ending not in FORMATS:
        raise BadInput(f"unknown ending .{ending}; write one of {', '.join('.' + name for name in FORMATS)}")
    with writing(derivation.written):
        return FORMATS[ending](derivation, layout, templates, **({"route": route} if ending == "pdf" else {}))


def save(
    derivation: Document,
    layout: str,
    outputs: Sequence[tuple[Path, str]],
    templates: str | Path | None = None,
    where: str = "-o ",
    route: str | None = None,
) -> Iterator[tuple[Path, int]]:
    """Write a derivation to files, each a path with its ending, and yield each path with its number of bytes.

    All contents are made before the first file. Where a PDF cannot be made, its LaTeX source is written instead, and
    `MissingProgram` says so.
    """
    finished, absent = [], None
    for path, ending in outputs:
        try:
            finished.append((path, render(derivation, layout, ending, templates, route)))
        except MissingProgram as missing:
            source = path.with_suffix(".tex")
            finished.append((source, render(derivation, layout, "tex", templates)))
            absent = MissingProgram(f"{path} was not made: {missing}; the LaTeX source is in {source}")
    for path, _ in finished:
        check_place(path, where)
    for path, content in finished:
        write_whole(path, content, where)
        yield path, len(content)
    if absent is not None:
        raise absent
