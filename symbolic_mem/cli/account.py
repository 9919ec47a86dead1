"""``symbolic-mem account``: the table of memory terms."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from symbolic_mem.cli.options import chosen_study, print_json, study_options
from symbolic_mem.cli.tables import print_table

if TYPE_CHECKING:
    from symbolic_mem.study.study import Study


@click.command("account")
@study_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(as_json: bool, **options: Any) -> None:
    """Show the memory terms of STUDY: formula, bytes, GiB and share; what lacks a value shows its formula alone."""
    study = chosen_study(options)
    if as_json:
        from symbolic_mem.documents.account_json import account_json

        print_json(account_json(study))
    else:
        _show(study)


def _show(study: Study) -> None:
    from symbolic_mem.accounts.terms import Memory, place
    from symbolic_mem.base.exact import at, missing
    from symbolic_mem.models.groups import groups
    from symbolic_mem.models.tensors import STATIC
    from symbolic_mem.questions.parts.assumptions import MOMENT_WORDS, placements
    from symbolic_mem.render.text import plain, plain_prose

    values, memory = study.values, study.memory
    placed = place(memory, study.placement)
    divided = any(symbol in values for term in placed for symbol in term.degree.free_symbols)
    total = at(memory.total, values)
    heads = ["term", "kind", "bytes", "GiB", "share", *["bytes per device"] * divided, "formula"]
    rows = []
    for term in memory.terms:
        value = at(term.bytes, values)
        shown = term.bytes if term.short is None or len(groups(study.model)) == 1 else term.short
        each = [_up(at(place(Memory((term,)), study.placement).total, values))] * divided
        figures = [_whole(value), _gib(value), _share(value, total)]
        rows.append([term.name, term.kind, *figures, *each, plain(shown)])
    figures = [_whole(total), _gib(total), "100 %" if total is not None else "–"]
    rows.append(["total", "", *figures, *[_up(at(placed.total, values))] * divided, ""])

    click.echo(click.style(study.title, bold=True))
    click.echo(f"recipe {study.recipe.name}: {study.recipe.title}\n")
    print_table(heads, rows, right=range(2, 6 if divided else 5), totals=True)
    _show_parameters(study)
    for name, part in (("static", memory.of(*STATIC)), ("activations", memory.of("activations"))):
        value = at(part.total, values)
        click.echo(f"{name:<12} " + ("–" if value is None else f"{_whole(value)} bytes, {_gib(value)} GiB"))
    for sentence in placements(study):
        click.echo(f"placement    {plain_prose(sentence)}")
    if not study.recipe.gradients_persist:
        step = at(replace(study, moment="step").memory.total, values)
        click.echo(f"counted      {MOMENT_WORDS[study.moment]}")
        click.echo(f"the other    {MOMENT_WORDS['step']}: {_whole(step)} bytes, {_gib(step)} GiB")
    absent = missing(memory.total, values)
    if absent:
        click.echo(f"missing      {', '.join(absent)}: give them as --set {absent[0]}=...")


def _show_parameters(study: Study) -> None:
    from symbolic_mem.base.exact import at
    from symbolic_mem.models.groups import groups
    from symbolic_mem.render.text import plain

    found = groups(study.model)
    total = _whole(at(study.model.parameters, study.values))
    if len(found) == 1:
        click.echo(f"\nparameters   P = {plain(study.model.parameters)} = {total}")
        return
    click.echo("")
    rows = []
    for group in found:
        times = "" if group.repeat == 1 else plain(group.repeat)
        whole = at(group.repeat * group.parameters, study.values)
        rows.append((group.name, times, _whole(whole), plain(group.parameters)))
    print_table(
        ("parameters of", "times", "all together", "each"), [*rows, ("P", "", total, "")], right=(2,), totals=True
    )
    click.echo("")


def _whole(value: Any) -> str:
    from symbolic_mem.base.units import grouped

    return "–" if value is None else grouped(str(value))


def _up(value: Any) -> str:
    from symbolic_mem.render.json import rounded_up

    return _whole(rounded_up(value))


def _gib(value: Any) -> str:
    from symbolic_mem.document.words import gib

    if value is None:
        return "–"
    shown = gib(value).shown
    return shown.text if shown.exact else f"≈ {shown.text}"


def _share(value: Any, total: Any) -> str:
    return "–" if value is None or not total else f"{float(100 * value / total):.1f} %"
