"""``symbolic-mem account``: the table of memory terms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from symbolic_mem.base.errors import BadInput, at_place
from symbolic_mem.cli.once import Verb
from symbolic_mem.cli.options import PADDED_ROWS, SOFTWARE, chosen_study, print_json, study_options
from symbolic_mem.cli.tables import figure, print_line, print_table, print_title

if TYPE_CHECKING:
    from symbolic_mem.documents.account import Account, RankHeld
    from symbolic_mem.study.study import Study


@click.command("account", cls=Verb)
@study_options
@click.option(
    "--fail-if-infeasible", is_flag=True, help="End with status 1 where the device that is named is too small."
)
@PADDED_ROWS
@SOFTWARE
@click.option("--host", metavar="AMOUNT", help="Ask how many devices share a host of so much memory, with --offload.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    fail_if_infeasible: bool,
    padded_rows: bool,
    software: str | None,
    host: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Show the memory terms of STUDY: formula, bytes, memory and share; what lacks a value shows its formula alone."""
    from symbolic_mem.base.units import parse_bytes
    from symbolic_mem.documents.account import Account

    with at_place("--host"):
        size = None if host is None else parse_bytes(host)
    account = Account(chosen_study(options), size, padded_rows, software)
    account.refuse_unread()
    if fail_if_infeasible and account.fits is None:
        raise BadInput("--fail-if-infeasible asks whether a step fits: name a --device, and give every symbol a value")
    if as_json:
        from symbolic_mem.render.json import record_json

        print_json(record_json(account.record))
    else:
        _show(account)
    if fail_if_infeasible and not account.fits:
        raise click.exceptions.Exit(1)


def _show(account: Account) -> None:
    from symbolic_mem.base.exact import missing
    from symbolic_mem.document.family import family_of, in_family
    from symbolic_mem.models.groups import groups
    from symbolic_mem.models.tensors import STATIC
    from symbolic_mem.questions.parts.assumptions import idle_degrees, placements
    from symbolic_mem.questions.parts.peaks import peak_summary, verdict
    from symbolic_mem.questions.parts.uncounted import uncounted_lines
    from symbolic_mem.render.arrange import TERMINAL, arrange_prose
    from symbolic_mem.render.text import plain, plain_prose
    from symbolic_mem.study.precedence import idle_rest

    study, memory, placed = account.study, account.study.memory, account.study.placed()
    unit = family_of([] if account.capacity is None else [account.capacity.unit], ())
    divided = any(symbol in study.values for term in placed for symbol in term.degree.free_symbols)
    stages = any(fullest.study.at is not None and fullest.study.at.rank for fullest in account.instants)
    total = account.at(memory)
    each_of = ["bytes per rank, all stages" if stages else "bytes per device"] if divided else []
    heads = ["term", "kind", "bytes", "memory", "share", *each_of, "formula"]
    rows = []
    for row in account.rows:
        term = row.term
        shown = term.bytes if term.short is None or len(groups(study.model)) == 1 else term.short
        each = [figure(row.per_device, digits=14)] if divided else []
        figures = [figure(row.bytes, digits=14), figure(row.bytes, unit), _share(row.bytes, total)]
        rows.append([term.name, term.kind, *figures, *each, plain(shown)])
    figures = [figure(total, digits=14), figure(total, unit), _share(total, total)]
    rows.append(["total", "", *figures, *([figure(account.each(placed), digits=14)] if divided else []), ""])
    print_title(study.heading)
    print_line(f"recipe {study.recipe.name}: {study.recipe.title}")
    if study.recipe.presumed:
        print_line("no recipe is given, so this one is taken; --recipe NAME takes another (see `list recipes`)")
    click.echo("")
    print_table(heads, rows, right=range(2, 6 if divided else 5), totals=True)
    _show_parameters(study)
    for name, value in (("static", account.at(memory.of(*STATIC))), ("activations", account.activations)):
        print_line(_both(value, unit), name, 13)
    for sentence in placements(study):
        print_line(plain_prose(sentence), "placement", 13)
    for sentence in (*idle_degrees(study), *idle_rest(study)):
        print_line(plain_prose(sentence), "beside", 13)
    if not account.lacking:
        degrees = ", ".join(f"{name} = {value}" for name, value in account.divided.items())
        print_line(f"{_both(account.kept, unit)}{f' at {degrees}' if degrees else ''}", "one device", 13)
    _show_host(account, unit)
    _show_kept(account, unit)
    if account.fuller is not None:
        print_line(f"{_both(account.fuller.bytes, unit)} at {account.fuller.words}", "one device", 13)
    fits = verdict(account.instants, account.capacity, account.left, account.fuller, crowded=account.crowded)
    for head, said in (*peak_summary(account.instants), *fits):
        print_line(plain_prose(in_family(said, unit)), head, 13)
    for said in account.cautions("account"):
        print_line(plain_prose(arrange_prose(in_family(said, unit), TERMINAL)), "caution", 13)
    if account.beyond_tensors is not None:
        print_line(plain_prose(in_family(account.beyond_tensors.row, unit)), "software", 13)
    for one in account.ranks:
        print_line(_held(one), "ranks" if len(one.ranks) > 1 else "rank", 13)
    counted = {"padded": account.whole_rows, "software": account.software_counted}
    for head, said in uncounted_lines(account.beyond, study.values, **counted):
        print_line(plain_prose(arrange_prose(in_family(said, unit), TERMINAL)), head, 13)
    for line in study.built.rests_on:
        print_line(study.plain(line), "assumed", 13)
    for line in study.built.files.lines if study.built.files is not None else ():
        print_line(line, "files", 13)
    absent = missing(memory.total, study.values)
    open_degrees = [name for name in account.lacking if name not in absent]
    if open_degrees and not absent:
        asks = "; or ask `solve` in place of `account`" if account.capacity is not None else ""
        print_line(f"{', '.join(open_degrees)}, for one device: --set {open_degrees[0]}=...{asks}", "missing", 13)
    if absent:
        them = "it" if len(absent) == 1 else "each"
        print_line(f"{', '.join(absent)}: give {them} as --set {absent[0]}=...", "missing", 13)


def _show_kept(account: Account, unit: str) -> None:
    """What is kept on each stage of a pipeline, or at the instants at which different things are."""
    from symbolic_mem.questions.parts.instants import kept_instants, words_of
    from symbolic_mem.render.text import plain_prose

    first, *others = kept_instants(account.study, account.study.memory.kinds)
    if others and first.at is None:
        print_line(plain_prose(words_of(account.study)), "counted", 13)
    if first.at is None:
        for one in others:
            print_line(f"{plain_prose(words_of(one))}: {_both(account.at(one.memory), unit)}", "the other", 13)
        return
    for one in (first, *others):
        held = account.each(one.placed())
        whole = "" if held is not None else ", before any of it is divided"
        kept = account.at(one.memory) if held is None else held
        print_line(f"{plain_prose(words_of(one))}{whole}: {_both(kept, unit)}", "stage", 13)


def _show_host(account: Account, unit: str) -> None:
    kinds, held = account.study.recipe.offload, account.held_on_host
    if not kinds:
        return
    print_line(f"{', '.join(kinds)}: {_both(held, unit)} for each device", "host", 13)
    if account.host is not None and held is not None:
        devices = f"{figure(account.sharing)} device{'s' * (account.sharing != 1)}"
        few = "holds that of no device" if account.sharing == 0 else f"holds that of {devices}"
        print_line(f"a host of {_both(account.host, unit)} {few}", "host", 13)


def _show_parameters(study: Study) -> None:
    from symbolic_mem.base.exact import at
    from symbolic_mem.models.groups import groups
    from symbolic_mem.render.text import plain

    found = groups(study.model)
    total = figure(at(study.model.parameters, study.values))
    if len(found) == 1:
        click.echo("")
        print_line(f"P = {plain(study.model.parameters)} = {total}", "parameters", 13)
        return
    click.echo("")
    rows = []
    for group in found:
        times = "" if group.repeat == 1 else plain(group.repeat)
        whole = at(group.repeat * group.parameters, study.values)
        rows.append((group.name, times, figure(whole), plain(group.parameters)))
    print_table(
        ("parameters of", "times", "all together", "each"), [*rows, ("P", "", total, "")], right=(2,), totals=True
    )
    click.echo("")


def _held(one: RankHeld) -> str:
    """What a rank keeps, and its peak where that is another number."""
    kept, most = figure(one.kept, "bytes", 14), figure(one.peak, "bytes", 14)
    first, last = figure(one.ranks[0]), figure(one.ranks[-1])
    which = f"{first} keeps" if first == last else f"{first} to {last}: each keeps"
    return f"{which} {kept}" if kept == most else f"{which} {kept}, and holds {most} at its peak"


def _both(value: Any, unit: str) -> str:
    """An amount in bytes, and in the unit of a family that fits it where that is another."""
    whole, shown = figure(value, "bytes", 14), figure(value, unit)
    return whole if whole == shown else f"{whole}, {shown}"


def _share(value: Any, total: Any) -> str:
    from symbolic_mem.document.words import share
    from symbolic_mem.render.text import plain_prose

    return "–" if value is None or not total else plain_prose(share(value, total))
