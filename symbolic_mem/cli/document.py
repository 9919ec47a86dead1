"""What `homework` and `report` share: a derivation goes to files, or to the terminal as Markdown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from symbolic_mem.cli.options import chosen_study, study_options
from symbolic_mem.cli.output import checked_outputs, write_whole
from symbolic_mem.render.formats import FORMATS

_ENDINGS = " ".join(f".{name}" for name in FORMATS)


def document_command(layout: str, summary: str) -> click.Command:
    """Make the command that writes one of the two documents."""

    @click.command(layout, help=summary)
    @study_options
    @click.option("-o", "outputs", multiple=True, metavar="FILE", help=f"Write {_ENDINGS} (repeatable).")
    @click.option("--templates", metavar="FOLDER", help="Your own templates, looked at before the bundled ones.")
    @click.option("--json", "as_json", is_flag=True, help="Print the document as one JSON object.")
    def command(outputs: tuple[str, ...], templates: str | None, as_json: bool, **options: Any) -> None:
        paths = checked_outputs(outputs)
        from symbolic_mem.documents import documents
        from symbolic_mem.render.document import render

        build: Callable[..., Any] = getattr(documents, layout)
        derivation = build(chosen_study(options))
        if as_json or not paths:
            click.echo(render(derivation, layout, "json" if as_json else "md", templates), nl=False)
        _write(derivation, layout, paths, templates)

    return command


def _write(derivation: Any, layout: str, paths: list, templates: str | None) -> None:
    """Make all contents before the first file; a PDF that cannot be made leaves its LaTeX source."""
    from symbolic_mem.base.errors import MissingProgram
    from symbolic_mem.render.document import render

    finished, absent = [], None
    for path, ending in paths:
        try:
            finished.append((path, render(derivation, layout, ending, templates)))
        except MissingProgram as missing:
            path_of_tex = path.with_suffix(".tex")
            finished.append((path_of_tex, render(derivation, layout, "tex", templates)))
            absent = MissingProgram(f"{path} was not made: {missing}; the LaTeX source is in {path_of_tex}")
    for path, content in finished:
        write_whole(path, content)
        click.echo(f"wrote {path} ({len(content):,} bytes)", err=True)
    if absent is not None:
        raise absent
