"""``symbolic-mem check``: claimed numbers and formulas, right or wrong and by how much, and the slip that explains it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from symbolic_mem.base.errors import BadInput
from symbolic_mem.cli.once import Verb
from symbolic_mem.cli.options import chosen_study, print_json, study_options

if TYPE_CHECKING:
    from symbolic_mem.claims.table import Row
    from symbolic_mem.claims.verdict import Unread, Verdict

_WIDEST = 58


@click.command("check", cls=Verb)
@study_options
@click.option(
    "--claim",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help='As in n_fsdp=38, "M_static=3276 GB", "46 devices" or "P=2*L*d_model*d_ff" (repeatable).',
)
@click.option("--claims", "path", metavar="FILE", help="A csv file with the columns name and claim; see the docs.")
@click.option("--question", metavar="LABEL", help="Compare with this question of the study.")
@click.option("--fail-if-wrong", is_flag=True, help="End with status 1 when a claim is wrong.")
@click.option("-o", "output", metavar="FILE", help="Write the verdicts to a csv file, too.")
@click.option("--json", "as_json", is_flag=True, help="Print a list of JSON objects.")
def command(
    given: tuple[str, ...],
    path: str | None,
    question: str | None,
    fail_if_wrong: bool,
    output: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Say whether numbers are right for STUDY, by how much they are off, and which known slip gives them.

    Right is a number to which the exact one rounds at the figures shown, at least two; a number of things only exactly.

    The exit status is 0 for claims that were checked, right or wrong (1 with --fail-if-wrong); 2 means that one could not
    be checked, which does not silence the others.
    """
    if not given and path is None:
        raise BadInput("nothing is claimed; add for example --claim n_fsdp=38 or --claim 'static=3276 GB'")
    target = _target(output)
    study = chosen_study(options)
    from symbolic_mem.claims.check import read_by_claims
    from symbolic_mem.claims.read import parted
    from symbolic_mem.claims.table import Row, check_rows, read_claims, written
    from symbolic_mem.claims.verdict import Unread
    from symbolic_mem.questions.parts.unread import refuse_values

    refuse_values(study, read_by_claims(study), study.questions)
    told = [*map(Row, given), *(read_claims(path) if path is not None else ())]
    rows = [replace(row, claim=each) for row in told for each in ((row.claim,) if row.fault else parted(row.claim))]
    if question is not None:
        study.question(question)
    checked = check_rows(study, rows, question=question)
    unread = [verdict for _, verdict in checked if isinstance(verdict, Unread)]
    if target is not None:
        from symbolic_mem.render.files import write_whole

        write_whole(target, written(checked).encode())
    if as_json:
        _print_records(study.name, checked)
    elif len(unread) == len(checked) == 1:
        raise unread[0].error
    elif path is None:
        _print_words(checked)
    else:
        _print_table(checked)
    if unread:
        texts = [verdict.text or "one that is blank" for verdict in unread]
        named = ("; " if any("," in each for each in texts) else ", ").join(texts)
        click.echo(f"symbolic-mem: {len(unread)} of {len(checked)} claims could not be checked: {named}", err=True)
        raise click.exceptions.Exit(2)
    if fail_if_wrong and not all(verdict.right for _, verdict in checked if not isinstance(verdict, Unread)):
        raise click.exceptions.Exit(1)


def _target(output: str | None) -> Path | None:
    """The place of the verdicts, refused before anything is computed."""
    if output is None:
        return None
    from symbolic_mem.render.files import check_place

    path = Path(output)
    if path.suffix.lower() != ".csv":
        raise BadInput(f"-o {output!r}: verdicts are written as csv; name a file that ends in .csv")
    if not path.parent.is_dir() or path.is_dir():
        raise BadInput(f"-o {output!r}: there is no folder for it, or it is one; name a file in a folder that there is")
    check_place(path)
    return path


def _print_records(study: str, checked: list[tuple[Row, Verdict | Unread]]) -> None:
    from symbolic_mem.claims.verdict import Unread
    from symbolic_mem.claims.verdicts import unread_record, verdict_record
    from symbolic_mem.render.json import jsonable

    records = []
    for row, verdict in checked:
        record = unread_record(study, verdict) if isinstance(verdict, Unread) else verdict_record(study, verdict)
        records.append(jsonable({**record, **({"person": row.person} if row.person else {})}))
    print_json(records)


def _print_words(checked: list[tuple[Row, Verdict | Unread]]) -> None:
    from symbolic_mem.claims.verdict import Unread
    from symbolic_mem.claims.verdicts import verdict_words
    from symbolic_mem.cli.tables import print_line
    from symbolic_mem.render.text import plain_prose

    for i, (row, verdict) in enumerate(checked):
        said = (
            f"{row.claim} could not be checked: {verdict.error}."
            if isinstance(verdict, Unread)
            else plain_prose(verdict_words(verdict))
        )
        if i:
            click.echo("")
        print_line(said)


def _print_table(checked: list[tuple[Row, Verdict | Unread]]) -> None:
    """A row for each claim: who made it where that is said, the verdict in a word, what is true, and the first slips."""
    from symbolic_mem.claims.table import slip_names
    from symbolic_mem.claims.verdict import Unread
    from symbolic_mem.claims.verdicts import figures_words, truth_words
    from symbolic_mem.cli.tables import print_table

    people = any(row.person for row, _ in checked)
    cells = []
    for row, verdict in checked:
        who = [row.person] if people else []
        if isinstance(verdict, Unread):
            cells.append([*who, row.claim, "", "not read", "", _short(str(verdict.error))])
            continue
        why = figures_words(verdict) if verdict.right else slip_names(verdict) or "no known slip"
        word = "right" if verdict.right else "WRONG"
        cells.append([*who, row.claim, verdict.question or "", word, truth_words(verdict), _short(why)])
    print_table([*(["person"] if people else []), "claim", "question", "verdict", "it is", "why"], cells)
    right = sum(not isinstance(verdict, Unread) and verdict.right for _, verdict in checked)
    click.echo(f"\n{right} of {len(checked)} right")


def _short(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
