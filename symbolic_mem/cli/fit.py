"""``symbolic-mem fit``: which meshes of a number of devices hold a step of a study, and why the others do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from symbolic_mem.base.errors import BadInput
from symbolic_mem.cli.options import chosen_study, print_json, study_options

if TYPE_CHECKING:
    from symbolic_mem.questions.layouts import FoundLayouts


@click.command("fit")
@study_options
@click.option("--plans", "number", metavar="NUMBER", required=True, help="Of how many devices.")
@click.option("--sequences", metavar="NUMBER", help="Sequences of a step over all devices: the micro-batches follow.")
@click.option("--strict/--at-most", default=None, help="Less than the capacity, or at most the capacity.")
@click.option("--reserve", metavar="AMOUNT", help='Keep this much of each device free, as in "2 GiB".')
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    number: str, sequences: str | None, strict: bool | None, reserve: str | None, as_json: bool, **options: Any
) -> None:
    """List the meshes of NUMBER devices that plan and model of STUDY allow: the peak, worst rank and what is left of each.

    At most 200 are tried, those that cut the model least. Each that fails says why.

    \b
    symbolic-mem fit cluster-llama-3.1-70b-64-h100 --plans 64
    symbolic-mem fit cluster-mixtral-8x7b --plans 32 --json
    """  # noqa: D301 (click's mark of lines that keep their breaks)
    from symbolic_mem.questions.layouts import Layouts
    from symbolic_mem.questions.parts.asking import turned, usual
    from symbolic_mem.study.changes import reserve as reserved

    study = chosen_study(options)
    if reserve is not None:
        study = study.called([reserved(reserve)])
    own = next(iter(usual(study)), None)
    question = turned(own, Layouts, "fit", study.name)
    given: dict[str, Any] = {"devices": _number(number, "--plans")}
    if sequences is not None:
        given["sequences"] = _number(sequences, "--sequences")
    if strict is not None:
        given["strict"] = strict
    question = question.given(given, "fit")
    found = question.answer(study.under(question))
    if as_json:
        from symbolic_mem.render.json import record_json

        print_json(record_json(found.record))
    else:
        _show(found)


def _number(given: str, option: str) -> int:
    if not given.isdecimal() or len(given) > 9 or int(given) < 1:
        raise BadInput(f"{option} {given!r} is no whole number of at least 1")
    return int(given)


def _show(found: FoundLayouts) -> None:
    from symbolic_mem.cli.tables import print_table
    from symbolic_mem.document.family import in_family
    from symbolic_mem.questions.layouts import layouts_table
    from symbolic_mem.render.arrange import TERMINAL, arrange_prose
    from symbolic_mem.render.text import plain_prose

    unit = found.capacity_unit or "GiB"
    click.echo(click.style(found.study.heading, bold=True))
    click.echo(f"{plain_prose(arrange_prose(in_family(found.question.sentence(found), unit)))}\n")
    table = layouts_table(found)
    rows = [[plain_prose(cell) for cell in row] for row in table.rows]
    print_table([plain_prose(column.head) for column in table.columns], rows, right=(1, 3, 4))
    click.echo("")
    for said in (found.tried_words, *found.cautions, *found.beside):
        click.echo(plain_prose(arrange_prose(said, TERMINAL)))
