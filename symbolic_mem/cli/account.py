"""``symbolic-mem account``: the table of memory terms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from symbolic_mem.cli.options import chosen_study, print_json, study_options
from symbolic_mem.cli.tables import print_table

if TYPE_CHECKING:
    from symbolic_mem.study import Study


@click.command("account")
@study_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(as_json: bool, **options: Any) -> None:
    """Show the memory terms of STUDY: formula, bytes, GiB and share; what lacks a value shows its formula alone."""
    study = chosen_study(options)
    if as_json:
        from symbolic_mem.render.json import account_json

        print_json(account_json(study))
    else:
        _show(study)


def _show(study: Study) -> None:
    from symbolic_mem.derive.assumptions import placements
    from symbolic_mem.evaluate import at, missing
    from symbolic_mem.placement import place
    from symbolic_mem.render.text import plain, plain_prose
    from symbolic_mem.terms import STATIC, Memory

    values, memory = study.values, study.memory
    placed = place(memory, study.placement)
    divided = any(symbol in values for term in placed for symbol in term.degree.free_symbols)
    total = at(memory.total, values)
    heads = ["term", "kind", "formula", "bytes", "GiB", "share"] + ["bytes per device"] * divided
    rows = []
    for term in memory.terms:
        value = at(term.bytes, values)
        row = [term.name, term.kind, plain(term.bytes), _whole(value), _gib(value), _share(value, total)]
        rows.append(row + [_up(at(place(Memory((term,)), study.placement).total, values))] * divided)
    last = ["total", "", "", _whole(total), _gib(total), "100 %" if total is not None else "–"]
    rows.append(last + [_up(at(placed.total, values))] * divided)

    click.echo(click.style(study.title, bold=True))
    click.echo(f"recipe {study.recipe.name}: {study.recipe.title}\n")
    print_table(heads, rows, right=(3, 4, 5, 6), totals=True)
    parameters = at(study.model.parameters, values)
    click.echo(f"\nparameters   {plain(study.model.parameters)} = {_whole(parameters)}")
    for name, part in (("static", memory.of(*STATIC)), ("activations", memory.of("activations"))):
        value = at(part.total, values)
        click.echo(f"{name:<12} {_whole(value)} bytes = {_gib(value)} GiB")
    for sentence in placements(study):
        click.echo(f"placement    {plain_prose(sentence)}")
    absent = missing(memory.total, values)
    if absent:
        click.echo(f"missing      {', '.join(absent)}: give them as --set {absent[0]}=...")


def _whole(value: Any) -> str:
    from symbolic_mem.units import grouped

    return "–" if value is None else grouped(str(value))


def _up(value: Any) -> str:
    from symbolic_mem.render.json import rounded_up

    return _whole(rounded_up(value))


def _gib(value: Any) -> str:
    from symbolic_mem.derive.words import gib

    if value is None:
        return "–"
    shown = gib(value).shown
    return shown.text if shown.exact else f"≈ {shown.text}"


def _share(value: Any, total: Any) -> str:
    return "–" if value is None or not total else f"{float(100 * value / total):.1f} %"
