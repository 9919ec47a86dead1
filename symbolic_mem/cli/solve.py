"""``symbolic-mem solve``: the smallest degree or the largest of anything else, its condition and its value."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from symbolic_mem.base.errors import BadInput
from symbolic_mem.cli.complete import KINDS, UNKNOWNS, of
from symbolic_mem.cli.once import Verb
from symbolic_mem.cli.options import SOFTWARE, SPELLED, Whole, chosen_study, print_json, rule_options, study_options

if TYPE_CHECKING:
    from symbolic_mem.study.found import Found
    from symbolic_mem.study.question import Question
    from symbolic_mem.study.study import Study


@click.command("solve", cls=Verb)
@study_options
@click.option(
    "--for",
    "symbol",
    metavar="SYMBOL",
    shell_complete=of(UNKNOWNS),
    help="What to solve for: n_fsdp, B, S, L, tokens, ...",
)
@click.option("--question", metavar="LABEL", help="Answer this question of the study.")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="KIND",
    shell_complete=of(KINDS),
    help="Count only this kind of memory (repeatable).",
)
@click.option("--strict/--at-most", default=None, help="Less than the capacity, or at most the capacity.")
@click.option("--reserve", metavar="AMOUNT", help='Keep this much of each device free, as in "2 GiB".')
@click.option("--usable", metavar="FRACTION", help="Only this fraction of what is left is usable, as in 0.95.")
@SOFTWARE
@rule_options
@click.option("--host", metavar="AMOUNT", help="What is offloaded fits a host of so much memory, with --per-host.")
@click.option("--per-host", type=Whole(), metavar="NUMBER", help="So many devices share one host.")
@click.option(
    "--fail-if-infeasible",
    is_flag=True,
    help="End with status 1 where there is no answer, or a given degree does not fit.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    symbol: str | None,
    question: str | None,
    kinds: tuple[str, ...],
    strict: bool | None,
    reserve: str | None,
    usable: str | None,
    software: str | None,
    multiple_of: str | None,
    divides: str | None,
    at_most_devices: str | None,
    host: str | None,
    per_host: int | None,
    fail_if_infeasible: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Find the smallest degree at which a step fits, or the largest batch, length, depth, width or model.

    Or say why there is none. What is not counted is listed, with its size if known.
    """
    flags = {key: options.pop(key) or None for key in ("power_of_two", "whole_samples", "padded_rows")}
    rules = {"multiple_of": multiple_of, "divides": divides, "at_most": at_most_devices, **flags}
    from symbolic_mem.study.changed_device import reserve as reserved
    from symbolic_mem.study.changed_device import use_fraction

    limits = ((reserve, reserved), (usable, use_fraction))
    study = chosen_study(options, asked=symbol or "").called(
        make(amount) for amount, make in limits if amount is not None
    )
    asked = {"for": symbol, "kinds": list(kinds) or None, "strict": strict, "host": host, "per_host": per_host}
    asked |= rules | {"software": software}
    chosen = _asked(study, question, {key: value for key, value in asked.items() if value is not None})
    from symbolic_mem.questions.parts.unread import refuse_unread
    from symbolic_mem.study.answered import found_for

    refuse_unread(study, (chosen,))
    found = chosen.advise(found_for(study, chosen))
    if as_json:
        from symbolic_mem.render.json import record_json

        print_json(record_json(found.record))
    else:
        _show(found)
    if fail_if_infeasible and not found.enough:
        raise click.exceptions.Exit(1)


def _asked(study: Study, label: str | None, given: dict[str, Any]) -> Question:
    """The question that the study asks, or the one that is named, with what the caller gives; else a new one."""
    from symbolic_mem.questions.parts.asking import USUAL, served_over, turned, usual
    from symbolic_mem.questions.parts.keys import Printed
    from symbolic_mem.questions.registry import ask_of, question_type

    if label is None and "for" not in given and (axis := served_over(study)) is not None:
        given = {**given, "for": str(axis)}
    solvable = [question for question in study.questions if question.solvable]
    own = list(usual(study)) if label is None else [question for question in solvable if question.label == label]
    if label is not None and not own:
        quoted = ", ".join(repr(question.label) for question in solvable) or "none"
        other = next((question for question in study.questions if question.label == label), None)
        if other is None:
            labels = [question.label for question in solvable]
            raise BadInput(f"study {study.name!r} has no question {label!r} to solve; known: {quoted}", labels)
        raise BadInput(
            f"question {label!r} of study {study.name!r} is {other.ask}, which homework and report answer; solve answers: "
            f"{quoted}"
        )
    ask = ask_of(study, given["for"], own, "--for") if "for" in given else (own[0].ask if own else USUAL[0])
    kind = question_type(ask)
    question: Question | None = next((each for each in own if each.ask == ask), None)
    if question is None:
        question = turned(own[0] if own else None, kind, "solve", study.name)
    elif "for" in given and isinstance(question, Printed):
        question = replace(question, printed=(), printed_note="", edition="")
    refused = sorted(set(given) - set(kind.keys()))
    if refused:
        rule = SPELLED.get(refused[0], refused[0]).replace("_", "-")
        raise BadInput(f"--{rule} is no option where the question asks for {ask}; leave it out")
    return question.given(given, "solve", SPELLED)


def _show(found: Found) -> None:
    from symbolic_mem.cli.tables import print_line, print_title
    from symbolic_mem.document.family import in_family
    from symbolic_mem.render.arrange import TERMINAL, arrange_prose
    from symbolic_mem.render.text import plain_prose

    unit = found.capacity_unit or "GiB"
    print_title(found.study.heading)
    print_line(plain_prose(arrange_prose(in_family(found.told, unit))))
    click.echo("")
    more = () if found.software is None else (("software", found.software.row),)
    lost = [("caution", said) for said in found.cautions] + [("beside", said) for said in found.beside]
    for head, said in (*found.summary, *more, *lost):
        print_line(plain_prose(arrange_prose(in_family(said, unit), TERMINAL)), head, 12)
