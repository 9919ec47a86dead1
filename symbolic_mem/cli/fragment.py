"""``symbolic-mem fragment``: one piece for a paper."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from symbolic_mem.base.errors import at_place
from symbolic_mem.cli.once import Verb
from symbolic_mem.cli.options import chosen_study, study_options
from symbolic_mem.render.files import checked_outputs, write_whole


@click.command(
    "fragment",
    cls=Verb,
    help="Write one piece of STUDY for a paper: LaTeX without a preamble, or a figure alone; without -o, to the terminal.",
)
@study_options
@click.option("--part", metavar="PART", required=True, help="table, account, bound, derivation or figure.")
@click.option("--question", metavar="LABEL", help="Of which question; without it, the first that has such a piece.")
@click.option("--pick", metavar="WHICH", help="Which of several: the number of a table, the name of a figure.")
@click.option("--width", metavar="WIDTH", help="For a line so wide: 3.3in, 8cm, 240pt.")
@click.option(
    "-o",
    "outputs",
    multiple=True,
    metavar="FILE",
    help="Write .tex, .bib (its sources), .svg (a figure), .csv (numbers) (repeatable).",
)
def command(
    outputs: tuple[str, ...], part: str, question: str | None, pick: str | None, width: str | None, **options: Any
) -> None:
    """Make the piece, and write it."""
    said = _said(click.get_current_context())
    paths = checked_outputs(outputs, known=("tex", "bib", "svg", "csv"))
    from symbolic_mem.documents.fragment import fragment, known_part

    study = chosen_study(options)
    with at_place("--part"):
        known_part(part)
    made = fragment(study, part, question, pick, said)
    if not paths:
        click.echo(made.written("tex", width), nl=False)
    finished = [(path, made.written(ending, width).encode()) for path, ending in paths]
    for path, content in finished:
        write_whole(path, content)
        click.echo(f"wrote {path} ({len(content):,} bytes)", err=True)


def _said(context: click.Context) -> str:
    """The command that was given, without the names of the files that it writes."""
    words = ["symbolic-mem", "fragment", context.params["study"]]
    for parameter in context.command.params:
        value = context.params.get(parameter.name or "")
        if isinstance(parameter, click.Option) and parameter.name != "outputs" and value:
            for each in value if isinstance(value, tuple) else (value,):
                words += [parameter.opts[-1], str(each)]
    words[2] = Path(words[2]).name
    return shlex.join(words)
