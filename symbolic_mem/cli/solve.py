"""``symbolic-mem solve``: the bound, its condition and its value."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from symbolic_mem.cli.options import chosen_study, print_json, study_options
from symbolic_mem.errors import BadInput

if TYPE_CHECKING:
    from symbolic_mem.derive.facts import Found
    from symbolic_mem.study import Question, Study


@click.command("solve")
@study_options
@click.option("--for", "symbol", metavar="SYMBOL", help="What to solve for [default: n_fsdp].")
@click.option("--question", metavar="LABEL", help="Take device, reading and placement from this question of the study.")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Count only this kind of memory (repeatable).")
@click.option("--strict/--at-most", default=None, help="Less than the capacity, or at most the capacity.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    symbol: str | None,
    question: str | None,
    kinds: tuple[str, ...],
    strict: bool | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Find the smallest degree that fits the memory of one device, or say why there is none."""
    from symbolic_mem.derive.degrees import min_degree
    from symbolic_mem.render.json import found_json

    capacity = {key: options[key] for key in ("device", "capacity", "reading") if options[key] is not None}
    study = chosen_study(options)
    changes = {"for": symbol, "kinds": list(kinds) or None, "strict": strict} | capacity
    asked = _asked(study, question, {key: value for key, value in changes.items() if value is not None})
    section, found = min_degree(study, asked)
    if as_json:
        print_json(found_json(found))
    else:
        _show(study, section, found)


def _asked(study: Study, label: str | None, changes: dict[str, Any]) -> Question:
    """The question that the study asks, or the one that is named, with the caller's changes."""
    from symbolic_mem.derive.asks import ASKS
    from symbolic_mem.errors import nearest
    from symbolic_mem.study import Question

    asked = [question for question in study.questions if question.ask == "min_degree"]
    if label is not None:
        asked = [question for question in asked if question.label == label]
        if not asked:
            labels = [question.label for question in study.questions if question.ask == "min_degree"]
            raise BadInput(f"study {study.name!r} has no question {label!r} about a degree; {nearest(label, labels)}")
    question = asked[0] if asked else Question("solve", "min_degree", {}, study.name)
    if not {"device", "capacity"} & {*changes, *question.options}:
        raise BadInput(f"{study.name}: the memory of one device is not given; add --device NAME or --capacity AMOUNT")
    options = dict(question.options) | changes
    if "capacity" in changes:
        options.pop("device", None)
        options.pop("reading", None)
    ASKS["min_degree"].check(options, "solve")
    return replace(question, options=options)


def _show(study: Study, section: Any, found: Found) -> None:
    from symbolic_mem.derive.steps import Answer, Paragraph
    from symbolic_mem.derive.words import gib
    from symbolic_mem.derive.degrees import condition
    from symbolic_mem.render.text import plain, plain_chain, plain_prose

    answer, bound = found.answer, found.answer.bound
    sign = ">" if bound.strict else "≥"
    click.echo(click.style(study.title, bold=True))
    for block in section.blocks:
        if isinstance(block, Answer):
            click.echo(f"{plain_prose(block.prose)}\n")
    click.echo(f"bound       {bound.symbol} {sign} {plain(bound.quotient)}")
    click.echo(f"condition   {plain_chain(condition(bound))}")
    for block in section.blocks:
        if isinstance(block, Paragraph):
            click.echo(f"capacity    {plain_prose(block.prose)}")
    if answer.value is not None:
        shown = gib(answer.per_device(answer.value))
        click.echo(f"at {answer.value:<8} {answer.per_device_bytes:,} bytes = {plain(shown)} on each device: fits")
        if answer.at_value_minus_one_bytes is not None:
            before = gib(answer.per_device(answer.value - 1))
            click.echo(
                f"at {answer.value - 1:<8} {answer.at_value_minus_one_bytes:,} bytes = {plain(before)}: too much"
            )
    for said in found.assumptions:
        click.echo(f"assumed     {plain_prose(said)}")
