"""``symbolic-mem explore``: a page of play in one file, which computes exactly in the browser and fetches nothing."""

from __future__ import annotations

from typing import Any

import click

from symbolic_mem.cli.once import Verb
from symbolic_mem.cli.options import chosen_study, study_options
from symbolic_mem.render.files import checked_outputs, write_whole

PLACED = ("study", "device", "capacity", "rest")  # what an option of the page takes the place of, under its own name


@click.command("explore", cls=Verb)
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
    origins = {"like": "like", "origin": "from", "recipes": "recipes", "profiles": "profiles", "plans": "plans"}
    more = [(f"--{option}", options[name]) for name, option in origins.items() if options[name]]
    told = {name: value for name, value in options.items() if isinstance(value, str) and name not in PLACED}
    start = options["study"]
    study = chosen_study(options, reads_devices=True)  # a page offers every device that there is
    asked(study, question)
    found = options_of(study, told)
    content = Explorer(study, question, start, None if found is None else [*found, *more]).html.encode()
    write_whole(path, content)
    click.echo(f"wrote {path} ({len(content):,} bytes)", err=True)
