"""``symbolic-mem check``: a claimed number, right or wrong and by how much, and the slip that explains it."""

from __future__ import annotations

from typing import Any

import click

from symbolic_mem.base.errors import BadInput
from symbolic_mem.cli.options import chosen_study, print_json, study_options


@click.command("check")
@study_options
@click.option(
    "--claim", "claims", multiple=True, metavar="NAME=VALUE", help='As in n_fsdp=38 or "static=3276 GB" (repeatable).'
)
@click.option("--question", metavar="LABEL", help="Compare with this question of the study.")
@click.option("--json", "as_json", is_flag=True, help="Print a list of JSON objects.")
def command(claims: tuple[str, ...], question: str | None, as_json: bool, **options: Any) -> None:
    """Say whether a number is right for STUDY, by how much it is off, and which known slip gives it.

    The exit status is 0 for every claim that was checked, right or wrong; 2 means that it could not be checked.
    """
    if not claims:
        raise BadInput("nothing is claimed; add for example --claim n_fsdp=38 or --claim 'static=3276 GB'")
    study = chosen_study(options)
    from symbolic_mem.claims.check import check
    from symbolic_mem.claims.verdicts import verdict_record, verdict_words
    from symbolic_mem.render.json import jsonable
    from symbolic_mem.render.text import plain_prose

    verdicts = [check(study, claim, question=question) for claim in claims]
    if as_json:
        print_json(jsonable([verdict_record(study.name, verdict) for verdict in verdicts]))
        return
    for i, verdict in enumerate(verdicts):
        click.echo(("\n" if i else "") + plain_prose(verdict_words(verdict)))
