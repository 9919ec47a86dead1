"""``symbolic-mem check``: a claimed number, right or wrong and by how much, and the slip that explains it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from symbolic_mem.base.errors import BadInput
from symbolic_mem.cli.options import chosen_study, print_json, study_options

if TYPE_CHECKING:
    from symbolic_mem.solvers.capacity import Capacity
    from symbolic_mem.study.study import Study


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
    given = {key: options[key] for key in ("device", "capacity", "reading") if options[key] is not None}
    study = chosen_study(options)
    capacity = _capacity(study, given)

    from symbolic_mem.claims.check import check
    from symbolic_mem.claims.verdict_json import verdict_json
    from symbolic_mem.claims.verdicts import verdict_words
    from symbolic_mem.render.text import plain_prose

    verdicts = [check(study, claim, question=question, capacity=capacity) for claim in claims]
    if as_json:
        print_json([verdict_json(study.name, verdict) for verdict in verdicts])
        return
    for i, verdict in enumerate(verdicts):
        click.echo(("\n" if i else "") + plain_prose(verdict_words(verdict)))


def _capacity(study: Study, given: dict[str, Any]) -> Capacity | None:
    """The capacity that the caller names, where no question of the study has taken it over."""
    from symbolic_mem.questions.registry import ASKS
    from symbolic_mem.study.question import Question

    if not {"device", "capacity"} & set(given) or any("device" in ASKS[q.ask].keys for q in study.questions):
        return None
    return study.capacity(Question("check", "min_degree", given, study.name))
