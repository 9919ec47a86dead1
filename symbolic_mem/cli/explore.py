"""``symbolic-mem explore``: a page of play in one file, which computes exactly in the browser and fetches nothing."""

from __future__ import annotations

from typing import Any

import click

from symbolic_mem.cli.options import chosen_study, study_options
from symbolic_mem.render.files import checked_outputs, write_whole


@click.command("explore")
@study_options
@click.option("-o", "output", required=True, metavar="FILE", help="The page, a name that ends in .html.")
@click.option("--question", metavar="LABEL", help="Play with this question of the study.")
def command(output: str, question: str | None, **options: Any) -> None:
    """Write a page to play with: change a size, the device, the recipe or the plan, and see what follows.

    It opens from disk in any browser, needs no network, and prints the numbers that `solve` prints.
    """
    from symbolic_mem.explore.command import options_of
    from symbolic_mem.explore.data import asked
    from symbolic_mem.explore.page import Explorer

    ((path, _),) = checked_outputs([output], known=("html",))
    given = {name: options[name] for name in ("study", "like", "origin", "recipes", "profiles", "plans")}
    study = chosen_study(options)
    asked(study, question)
    more = [
        (f"--{'from' if name == 'origin' else name}", value)
        for name, value in given.items()
        if value and name != "study"
    ]
    found = options_of(study)
    content = Explorer(study, question, given["study"], None if found is None else [*found, *more]).html.encode()
    write_whole(path, content)
    click.echo(f"wrote {path} ({len(content):,} bytes)", err=True)
