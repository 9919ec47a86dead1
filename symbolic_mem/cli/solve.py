"""``symbolic-mem solve``: the smallest degree or the largest of anything else, its condition and its value."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import click

from symbolic_mem.base.errors import BadInput
from symbolic_mem.cli.options import chosen_study, print_json, study_options

USUAL = ("min_degree", "largest")  # what is asked where no label names a question

if TYPE_CHECKING:
    from symbolic_mem.study.question import Found, Question
    from symbolic_mem.study.study import Study

_RULES = (
    click.option("--multiple-of", metavar="NUMBER", help="The degree is a multiple of it: whole nodes of 8."),
    click.option("--power-of-two", is_flag=True, help="The degree is 1, 2, 4, 8, ..."),
    click.option("--divides", metavar="NUMBER", help="The degree divides it: a number, or a symbol such as B."),
    click.option("--at-most-devices", metavar="NUMBER", help="There are no more devices than this."),
    click.option("--whole-samples", is_flag=True, help="A sequence is not cut: each device holds whole ones."),
    click.option("--padded-rows", is_flag=True, help="Tensors are cut into whole rows, as FSDP2 does."),
)


def _rule_options(command: Any) -> Any:
    for option in reversed(_RULES):
        command = option(command)
    return command


@click.command("solve")
@study_options
@click.option("--for", "symbol", metavar="SYMBOL", help="What to solve for: n_fsdp (default), B, S, L, tokens, ...")
@click.option("--question", metavar="LABEL", help="Answer this question of the study.")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Count only this kind of memory (repeatable).")
@click.option("--strict/--at-most", default=None, help="Less than the capacity, or at most the capacity.")
@click.option("--reserve", metavar="AMOUNT", help='Keep this much of each device free, as in "2 GiB".')
@click.option("--usable", metavar="FRACTION", help="Only this fraction of what is left is usable, as in 0.95.")
@_rule_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    symbol: str | None,
    question: str | None,
    kinds: tuple[str, ...],
    strict: bool | None,
    reserve: str | None,
    usable: str | None,
    multiple_of: str | None,
    divides: str | None,
    at_most_devices: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Find the smallest degree at which what is kept fits, or the largest batch, length, depth, width or model.

    Or say why there is none. What a step holds for a moment only is not counted: it is listed, with its size if known.
    """
    flags = {key: options.pop(key) or None for key in ("power_of_two", "whole_samples", "padded_rows")}
    rules = {"multiple_of": multiple_of, "divides": divides, "at_most": at_most_devices, **flags}
    limits = {"reserved": reserve, "usable": usable}
    study = chosen_study(options)
    asked = {"for": symbol, "kinds": list(kinds) or None, "strict": strict} | limits | rules
    chosen = _asked(study, question, {key: value for key, value in asked.items() if value is not None})
    found = chosen.answer(study.under(chosen))
    if as_json:
        from symbolic_mem.render.json import jsonable

        print_json(jsonable(found.record))
    else:
        _show(found)


def _asked(study: Study, label: str | None, given: dict[str, Any]) -> Question:
    """The question that the study asks, or the one that is named, with what the caller gives; else a new one."""
    from symbolic_mem.questions.registry import question_type

    solvable = [question for question in study.questions if question.solvable]
    named = [question for question in solvable if label is not None and question.label == label]
    if label is not None and not named:
        quoted = ", ".join(repr(question.label) for question in solvable) or "none"
        raise BadInput(f"study {study.name!r} has no question {label!r} to solve; known: {quoted}")
    own: list[Question] = named or [question for question in solvable if question.ask in USUAL]
    ask = _kind(given["for"], own) if "for" in given else (own[0].ask if own else USUAL[0])
    kind = question_type(ask)
    question: Question | None = next((each for each in own if each.ask == ask), None)
    if question is None:
        question = kind("solve", study.name, **(_shared(own[0], kind) if own else {}))
    elif "for" in given:
        question = replace(question, printed="", printed_note="")
    refused = sorted(set(given) - set(kind.keys()))
    if refused:
        rule = refused[0].replace("_", "-").replace("at-most", "at-most-devices")
        raise BadInput(f"--{rule} is no option where the question asks for {ask}; leave it out")
    return question.given(given, "solve")


def _shared(question: Question, kind: type[Question]) -> dict[str, Any]:
    """What a question of another kind takes over: the device, the kinds, the values, not what it asks for."""
    names = {each.name for each in fields(kind)} & {each.name for each in fields(question)}
    return {
        name: getattr(question, name)
        for name in names - {"label", "where", "title", "text", "symbol", "printed", "printed_note"}
    }


def _kind(symbol: str, asked: list[Question]) -> str:
    """Whether a degree (n_fsdp, ...) or the largest of something else is asked for."""
    from symbolic_mem.base.errors import nearest
    from symbolic_mem.base.symbols import lookup, table
    from symbolic_mem.questions.largest import ALIASES

    name = ALIASES.get(symbol, symbol)
    degree = name.startswith("n_") and name not in ("n_heads", "n_kv", "n_pos", "n_shared")
    if lookup(name) is None and not degree:
        known = [str(name.symbol) for name in table(given=True)]
        raise BadInput(f"--for {symbol!r}: unknown symbol; {nearest(symbol, [*known, *ALIASES])}")
    if not degree:
        return "largest"
    return asked[0].ask if asked and asked[0].ask != "largest" else "min_degree"


def _show(found: Found) -> None:
    from symbolic_mem.documents.documents import beside
    from symbolic_mem.render.arrange import TERMINAL, arrange_prose
    from symbolic_mem.render.text import plain_prose

    click.echo(click.style(found.study.title, bold=True))
    click.echo(f"{plain_prose(arrange_prose(found.question.sentence(found)))}\n")
    lost = [("beside", said) for said in beside(found)]
    for head, said in (*found.summary, *lost):
        click.echo(f"{head:<12}{plain_prose(arrange_prose(said, TERMINAL))}")
