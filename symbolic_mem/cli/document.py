"""What `homework` and `report` share: a derivation goes to files, or to the terminal as Markdown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from symbolic_mem.base.errors import BadInput, at_place, clipped
from symbolic_mem.cli.once import Verb
from symbolic_mem.cli.options import chosen_study, study_options
from symbolic_mem.render.files import checked_outputs, write_whole
from symbolic_mem.render.formats import FORMATS, UNSET
from symbolic_mem.render.routes import known_route

_ENDINGS = " ".join(f".{name}" for name in FORMATS)


def document_command(layout: str, summary: str, *options_of_its_own: Callable[..., Any]) -> click.Command:
    """Make the command that writes one of the two documents, or what a flag of its own names in its place."""

    @click.command(layout, cls=Verb, help=summary)
    @study_options
    @click.option("-o", "outputs", multiple=True, metavar="FILE", help=f"Write {_ENDINGS} (repeatable).")
    @click.option("--question", "labels", multiple=True, metavar="LABEL", help="Only this question (repeatable).")
    @click.option(
        "--detail",
        default="short",
        metavar="DETAIL",
        help="answer, short (the default: nothing is told twice) or full (every step).",
    )
    @click.option("--author", metavar="NAME", help="Who hands it in; printed below the title.")
    @click.option("--course", metavar="NAME", help="The course; printed below the title.")
    @click.option("--date", metavar="DATE", help="The date as it is to be printed; none is printed otherwise.")
    @click.option(
        "--templates",
        metavar="FOLDER",
        help="Your own templates, looked at before the bundled ones, or a bundled look: course-sheet, two-column.",
    )
    @click.option(
        "--pdf-route",
        "route",
        metavar="ROUTE",
        help="How a .pdf is made: tex (an engine on the PATH) or typst (the extra documents); the first that is there.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print the document as one JSON object.")
    def command(
        outputs: tuple[str, ...],
        labels: tuple[str, ...],
        detail: str,
        templates: str | None,
        route: str | None,
        as_json: bool,
        **options: Any,
    ) -> None:
        asked, key = options.pop("sheet", False), options.pop("key", False)
        if asked and key:
            raise BadInput("--sheet and --key are two documents; make them one after the other")
        checked = checked_outputs(outputs, known=(*FORMATS, "csv") if key else FORMATS)
        paths = [(path, ending) for path, ending in checked if ending != "csv"]
        if route is not None:
            with at_place("--pdf-route"):
                known_route(route)
            if not any(ending == "pdf" for _, ending in paths):
                raise BadInput(f"--pdf-route {route} says how a .pdf is made, and none is; add -o FILE.pdf")
        printed = "json" if as_json else "md" if not outputs else None
        if templates is not None and {printed, *(ending for _, ending in paths)} <= {None, *UNSET}:
            raise BadInput(
                f"--templates {clipped(templates)}: no template sets {' or '.join(f'.{name}' for name in UNSET)}; leave it out"
            )
        from symbolic_mem.documents import documents
        from symbolic_mem.render.document import render, save

        byline = {name: options.pop(name) for name in ("author", "course", "date")}
        study = chosen_study(options).signed(**byline)
        study = study.only(*labels) if labels else study
        if asked or key:
            from symbolic_mem.documents import sheet

            derivation = sheet.sheet(study) if asked else sheet.key(study)
        else:
            with at_place("--detail"):
                documents.known_detail(detail)
            derivation = getattr(documents, layout)(study, detail)
        if printed is not None:
            click.echo(render(derivation, layout, printed, templates), nl=False)
        for path, size in save(derivation, layout, paths, templates, route=route):
            click.echo(f"wrote {path} ({size:,} bytes)", err=True)

        for path, ending in checked:
            if ending == "csv":
                content = sheet.key_csv(study).encode()
                write_whole(path, content)
                click.echo(f"wrote {path} ({len(content):,} bytes)", err=True)

    for option in reversed(options_of_its_own):
        command = option(command)
    return command
