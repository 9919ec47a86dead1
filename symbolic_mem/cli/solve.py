"""``symbolic-mem solve``: the smallest degree or the largest of anything else, its condition and its value."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from symbolic_mem.base.errors import BadInput
from symbolic_mem.cli.options import chosen_study, print_json, study_options

if TYPE_CHECKING:
    from symbolic_mem.questions.parts.facts import Found, FoundLargest
    from symbolic_mem.solvers.capacity import Capacity
    from symbolic_mem.study.question import Question
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
@click.option("--question", metavar="LABEL", help="Take device, reading and placement from this question of the study.")
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
    """Find the smallest degree that fits, or the largest batch, length, depth, width or model, or say why there is none."""
    flags = {key: options.pop(key) or None for key in ("power_of_two", "whole_samples", "padded_rows")}
    rules = {"multiple_of": multiple_of, "divides": divides, "at_most": at_most_devices, **flags}
    capacity = {key: options[key] for key in ("device", "capacity", "reading")}
    limits = {"reserved": reserve, "usable": usable}
    study = chosen_study(options)
    changes = {"for": symbol, "kinds": list(kinds) or None, "strict": strict} | capacity | limits | rules
    given = {key: value for key, value in changes.items() if value is not None}
    from symbolic_mem.questions.registry import ASKS

    asked = _asked(study, question, given)
    section, found = ASKS[asked.ask].derive(study, asked)
    if as_json:
        from symbolic_mem.questions.parts.jsonable import jsonable

        print_json(jsonable(found))
    elif asked.ask == "largest":
        _show_largest(study, section, found)
    else:
        _show(study, section, found)


def _asked(study: Study, label: str | None, changes: dict[str, Any]) -> Question:
    """The question that the study asks, or the one that is named, with the caller's changes."""
    from symbolic_mem.questions.registry import ASKS
    from symbolic_mem.study.question import Question

    solvable = [question for question in study.questions if question.ask in ("min_degree", "largest")]
    named = [question for question in solvable if label is not None and question.label == label]
    if label is not None and not named:
        quoted = ", ".join(repr(question.label) for question in solvable) or "none"
        raise BadInput(f"study {study.name!r} has no question {label!r} to solve; known: {quoted}")
    ask = _kind(changes.get("for"), named or solvable)
    question = next((q for q in named or solvable if q.ask == ask), Question("solve", ask, {}, study.name))
    keys = ASKS[ask].keys
    shared = named[0] if named else next(iter(solvable), question)
    inherited = {key: value for key, value in shared.options.items() if key in keys and key not in ("for", "title")}
    options = (dict(question.options) if question.ask == shared.ask else inherited) | changes
    if not {"device", "capacity"} & {*options}:
        raise BadInput(f"{study.name}: the memory of one device is not given; add --device NAME or --capacity AMOUNT")
    refused = sorted(set(changes) - set(keys))
    if refused:
        rule = refused[0].replace("_", "-").replace("at-most", "at-most-devices")
        raise BadInput(f"--{rule} is a rule for a degree, and --for {options['for']} is none; leave it out")
    if "capacity" in changes:
        options.pop("device", None)
        options.pop("reading", None)
    if "for" in changes:
        options.pop("printed", None)
        options.pop("printed_note", None)
    ASKS[ask].check(options, "solve")
    return replace(question, options=options)


def _kind(symbol: str | None, asked: list[Question]) -> str:
    """Whether a degree (n_fsdp, ...) or the largest of something else is asked for."""
    if symbol is None:
        return asked[0].ask if asked else "min_degree"
    from symbolic_mem.base.symbols import lookup
    from symbolic_mem.questions.largest import ALIASES

    name = ALIASES.get(symbol, symbol)
    degree = name.startswith("n_") and name not in ("n_heads", "n_kv", "n_pos", "n_shared")
    if lookup(name) is None and not degree:
        from symbolic_mem.base.errors import nearest
        from symbolic_mem.base.symbols import table

        known = [str(name.symbol) for name in table(given=True)]
        raise BadInput(f"--for {symbol!r}: unknown symbol; {nearest(symbol, [*known, *ALIASES])}")
    return "min_degree" if degree else "largest"


def _show_largest(study: Study, section: Any, found: FoundLargest) -> None:
    from symbolic_mem.render.text import plain, plain_prose

    answer, bound = found.upper, found.upper.bound
    _show_answer(study, section)
    sign = "<" if bound.strict else "≤"
    if bound.quotient is not None:
        click.echo(f"bound       {bound.symbol} {sign} {plain(bound.quotient)}")
    at_one = plain(bound.condition.lhs)
    click.echo(f"condition   {at_one} {sign} {plain(bound.capacity)}")
    _show_capacity(found.capacity)
    if answer.value is not None:
        _show_bytes(answer.value, answer.per_device(answer.value), "fits")
        _show_bytes(answer.value + 1, answer.per_device(answer.value + 1), "too much")
    for said in found.assumptions:
        click.echo(f"assumed     {plain_prose(said)}")


def _show(study: Study, section: Any, found: Found) -> None:
    from symbolic_mem.base.symbols import M_fixed
    from symbolic_mem.document.prose import Chain, amount
    from symbolic_mem.document.words import about, gib
    from symbolic_mem.questions.min_degree import TOO_MUCH, condition
    from symbolic_mem.render.arrange import TERMINAL_WIDTH, fits
    from symbolic_mem.render.text import plain, plain_chain, plain_prose

    answer, bound, degree = found.answer, found.answer.bound, found.degree
    _show_answer(study, section)
    sign = ">" if bound.strict else "≥"
    if fits(bound.quotient, TERMINAL_WIDTH):
        click.echo(f"bound       {bound.symbol} {sign} {plain(bound.quotient)}")
        needed = "none: nothing is held in full by every device" if bound.fixed == 0 else plain_chain(condition(bound))
        click.echo(f"condition   {needed}")
    else:
        click.echo(f"bound       {bound.symbol} {sign} M_div/(C_mem − M_fix); --json has it in full")
        click.echo("condition   C_mem > M_fix")
        click.echo(f"M_div       {plain_prose(about(gib(answer.divided)))} divided over the devices")
        click.echo(f"M_fix       {plain_prose(about(gib(answer.fixed)))} on every device")
    _show_capacity(found.capacity)
    if not answer.feasible:
        click.echo(f"            {TOO_MUCH} {plain_chain(Chain(M_fixed, (amount(answer.fixed, 'GiB'),)))}.")
    if degree is not None and answer.value is not None:
        click.echo(f"no rule     {answer.value}")
        for step in degree.steps:
            reached = "no such number" if step.after is None else f"{step.after}"
            click.echo(f"rule        {step.rule.words}: {step.before} → {reached}")
        if degree.value is not None:
            _show_bytes(degree.value, degree.profile.at(degree.value), "fits")
        if degree.largest_below is not None:
            _show_bytes(degree.largest_below, degree.profile.at(degree.largest_below), "too much")
    elif answer.value is not None:
        _show_bytes(answer.value, answer.per_device(answer.value), "fits")
        if answer.value > 1:
            _show_bytes(answer.value - 1, answer.per_device(answer.value - 1), "too much")
    for said in found.assumptions:
        click.echo(f"assumed     {plain_prose(said)}")


def _show_answer(study: Study, section: Any) -> None:
    from symbolic_mem.document.steps import Answer
    from symbolic_mem.render.text import plain_prose

    click.echo(click.style(study.title, bold=True))
    for block in section.blocks:
        if isinstance(block, Answer):
            click.echo(f"{plain_prose(block.prose)}\n")


def _show_capacity(capacity: Capacity) -> None:
    from symbolic_mem.document.work import Work
    from symbolic_mem.questions.parts.words import capacity_chain, capacity_words, limits_words, nominal
    from symbolic_mem.render.text import plain_chain, plain_prose

    click.echo(f"capacity    {plain_prose(capacity_words(nominal(capacity)))}")
    if (limits := limits_words(capacity)) is not None:
        click.echo(f"            {plain_prose(limits)} {plain_chain(capacity_chain(capacity, Work({})))}.")


def _show_bytes(value: int, size: Any, verdict: str) -> None:
    import sympy as sp

    from symbolic_mem.document.words import about, gib
    from symbolic_mem.render.text import plain_prose

    exact = sp.Rational(size.numerator, size.denominator)
    shown = gib(exact)
    sign = "= " if shown.shown.exact else ""
    click.echo(
        f"at {value:<8} {int(sp.ceiling(exact)):,} bytes {sign}{plain_prose(about(shown))} on each device: {verdict}"
    )
