"""``symbolic-mem account``: the table of memory terms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from symbolic_mem.cli.options import chosen_study, print_json, study_options
from symbolic_mem.cli.tables import print_table

if TYPE_CHECKING:
    from symbolic_mem.documents.account import Account
    from symbolic_mem.study.study import Study


@click.command("account")
@study_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(as_json: bool, **options: Any) -> None:
    """Show the memory terms of STUDY: formula, bytes, GiB and share; what lacks a value shows its formula alone."""
    from symbolic_mem.documents.account import Account

    account = Account(chosen_study(options))
    if as_json:
        from symbolic_mem.render.json import jsonable

        print_json(jsonable(account.record))
    else:
        _show(account)


def _show(account: Account) -> None:
    from symbolic_mem.base.exact import missing
    from symbolic_mem.models.groups import groups
    from symbolic_mem.models.tensors import STATIC
    from symbolic_mem.questions.parts.assumptions import idle_degrees, placements
    from symbolic_mem.questions.parts.instants import instants, words_of
    from symbolic_mem.questions.parts.uncounted import uncounted_lines
    from symbolic_mem.render.arrange import TERMINAL, arrange_prose
    from symbolic_mem.render.text import plain, plain_prose

    study, memory, placed = account.study, account.study.memory, account.study.placed()
    divided = any(symbol in study.values for term in placed for symbol in term.degree.free_symbols)
    total = account.at(memory)
    heads = ["term", "kind", "bytes", "GiB", "share", *(["bytes per device"] if divided else []), "formula"]
    rows = []
    for row in account.rows:
        term = row.term
        shown = term.bytes if term.short is None or len(groups(study.model)) == 1 else term.short
        each = [_up(row.per_device)] if divided else []
        figures = [_whole(row.bytes), _gib(row.bytes), _share(row.bytes, total)]
        rows.append([term.name, term.kind, *figures, *each, plain(shown)])
    figures = [_whole(total), _gib(total), "100 %" if total is not None else "–"]
    rows.append(["total", "", *figures, *([_up(account.at(placed))] if divided else []), ""])
    click.echo(click.style(study.title, bold=True))
    click.echo(f"recipe {study.recipe.name}: {study.recipe.title}\n")
    print_table(heads, rows, right=range(2, 6 if divided else 5), totals=True)
    _show_parameters(study)
    for name, value in (("static", account.at(memory.of(*STATIC))), ("activations", account.activations)):
        click.echo(f"{name:<12} " + ("–" if value is None else f"{_whole(value)} bytes, {_gib(value)} GiB"))
    for sentence in placements(study):
        click.echo(f"placement    {plain_prose(sentence)}")
    for sentence in idle_degrees(study):
        click.echo(f"beside       {plain_prose(sentence)}")
    for other in instants(study, memory.kinds)[1:]:
        step = account.at(other.memory)
        click.echo(f"counted      {plain_prose(words_of(study))}")
        click.echo(f"the other    {plain_prose(words_of(other))}: {_whole(step)} bytes, {_gib(step)} GiB")
    for head, said in uncounted_lines(study, study.values):
        click.echo(f"{head:<12} {plain_prose(arrange_prose(said, TERMINAL))}")
    for line in study.built.files.lines if study.built.files is not None else ():
        click.echo(f"files        {line}")
    absent = missing(memory.total, study.values)
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
    from symbolic_mem.base.rational import fraction
    from symbolic_mem.base.units import decimal, grouped

    if value is None:
        return "–"
    shown = decimal(fraction(value), 14)
    return grouped(shown.text) if shown.exact else f"≈ {grouped(shown.text)}"


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
