"""``symbolic-mem fit``: what one does with a model on the devices that one has, or which meshes hold a step of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from symbolic_mem.base.errors import BadInput, at_place, clipped
from symbolic_mem.base.written import NO_COUNT, counted
from symbolic_mem.cli.once import Verb
from symbolic_mem.cli.options import PADDED_ROWS, chosen_study, model_options, pairs, print_json
from symbolic_mem.cli.tables import figure, print_line, print_table, print_title

if TYPE_CHECKING:
    import sympy as sp

    from symbolic_mem.documents.runs import Run, Runs
    from symbolic_mem.questions.parts.found_layouts import FoundLayouts
    from symbolic_mem.questions.parts.meshes import Tried


@click.command("fit", cls=Verb)
@model_options
@click.option(
    "--on", metavar="DEVICES", help='The devices that there are, as in "8x h100-80gb": what fits on them, and how.'
)
@click.option("--plans", "number", metavar="NUMBER", help="List the meshes of so many devices.")
@click.option("--host", metavar="AMOUNT", help="With --offload: all devices of --on share a host of so much memory.")
@click.option("--sequences", metavar="NUMBER", help="Sequences of a step over all devices: the micro-batches follow.")
@click.option("--strict/--at-most", default=None, help="Less than the capacity, or at most the capacity.")
@click.option("--reserve", metavar="AMOUNT", help='Keep this much of each device free, as in "2 GiB".')
@PADDED_ROWS
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    on: str | None,
    number: str | None,
    host: str | None,
    sequences: str | None,
    strict: bool | None,
    reserve: str | None,
    padded_rows: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Say what of inference and training of STUDY fits on DEVICES, and how; or list the meshes of NUMBER devices.

    Of --on: each row has its plan, recomputation and loss, the peak of one device and its instant, what is left, and the call
    that derives it. B is 1 and S 4096 (or all positions of the model) where nothing says otherwise.

    Of --plans: the meshes that plan and model allow, with peak, worst rank and what is left of each; all have the degrees that
    --set gives. At most 200 are tried, those that cut the model least. Each that fails says why.

    \b
    symbolic-mem fit llama-3.1-8b --on "8x h100-80gb"
    symbolic-mem fit cluster-llama-3.1-70b-64-h100 --plans 64
    symbolic-mem fit cluster-mixtral-8x7b --plans 32 --json
    """  # noqa: D301 (click's mark of lines that keep their breaks)
    if (on is None) == (number is None):
        raise BadInput(
            'give one of --on DEVICES, as in --on "8x h100-80gb" (what fits on them), and --plans NUMBER (meshes of so many)'
        )
    if on is not None:
        for option, value in (("sequences", sequences), ("strict", strict), ("reserve", reserve)):
            if value is not None:
                raise BadInput(f"--{option} is for --plans; leave it out with --on")
        _fit_on(on, host, padded_rows, as_json, options)
    else:
        if host is not None:
            raise BadInput("--host is for --on; leave it out with --plans")
        if padded_rows:
            raise BadInput(
                "--padded-rows is for --on; leave it out with --plans: account --padded-rows counts them in one mesh"
            )
        _meshes(str(number), sequences, strict, reserve, as_json, options)


OF_DEVICES = ("device", "capacity", "reading")
FOUND = ("recipe", "plan", "recompute", "loss", *OF_DEVICES, "place", "rest", "recipes")
PASSED = (
    "optimizer",
    "adapters",
    "gradients",
    "offload",
    "copies",
    "profile",
    "kernel",
    "cache",
    "page",
    "devices",
    "profiles",
)


def _fit_on(on: str, host: str | None, padded_rows: bool, as_json: bool, options: dict[str, Any]) -> None:
    from symbolic_mem.hardware.nodes import read_nodes

    for option in FOUND:
        if options[option] not in (None, ()):
            why = f"the devices are those that --on {on!r} names" if option in OF_DEVICES else "fit --on tries its own"
            raise BadInput(f"--{option}: {why}; leave --{option} out")
    read_nodes(on, devices=options["devices"])  # refused before SymPy is imported
    from symbolic_mem.base.units import parse_bytes
    from symbolic_mem.documents.runs import fit
    from symbolic_mem.library.read import load_study
    from symbolic_mem.study.values import typed

    name, variant = options["study"], options["variant"]
    read = {"like": options["like"], "origin": options["origin"]}
    study = load_study(name, options["devices"], **read)
    if variant is not None:
        with at_place("--variant"):
            study = study.varied(variant)
    words = (("--like", read["like"]), ("--from", read["origin"]), ("--variant", variant))
    extra = tuple(str(word) for pair in words if pair[1] is not None for word in pair)
    values = {key: typed(value) for key, value in pairs(options["values"], "--set").items()}
    passed = {key: options[key] for key in PASSED}
    with at_place("--host"):
        shared = None if host is None else parse_bytes(host)
    found = fit(
        study, on, extra, by_option=True, padded_rows=padded_rows, host=shared, name=name, values=values, **passed
    )
    if as_json:
        from symbolic_mem.render.json import record_json

        print_json(record_json(found.record))
    else:
        _show_runs(found)


def _show_runs(found: Runs) -> None:
    from symbolic_mem.render.arrange import TERMINAL, arrange_prose
    from symbolic_mem.render.text import plain_prose

    def row(run: Run) -> list[str]:
        facts, tokens = run.facts, run.left_tokens
        counted = "yes" if run.sure else "what is counted"
        fits = {True: counted, False: "no", None: "not known"}[run.fits]
        left = figure(abs(facts["left_bytes"]), "GiB")
        more = "" if not run.described else ": any length" if tokens is None else f": {figure(tokens)} tokens more"
        left = f"{left}{more}" if run.fits else left if run.account.fits else f"{left} too much"
        recompute = "–" if run.what == "inference" else run.recompute
        at = facts["instant"] or "all that is kept"
        return [run.what, fits, run.plan, recompute, run.loss or "–", figure(facts["peak_bytes"], "GiB"), at, left]

    device, number = found.nodes.device, found.nodes.number
    print_title(f"{found.study.name} on {number} {device.title}")
    if found.runs:
        room = found.runs[0].account.study.capacity.counted
        shared = found.study.placement.get("activations")
        of = "on each device of" if shared is None or not shared.fraction else "of the whole batch in"
        print_line(
            f"B = {found.sizes['B']}: sequences on each replica of inference and {of} training; "
            f"S = {found.sizes['S']}: tokens of each. One device has {figure(room, 'GiB')}."
        )
        click.echo("")
        heads = ["what", "fits", "plan", "recompute", "loss", "peak", "at", "left"]
        print_table(heads, [row(run) for run in found.runs], right=(5,))
    for run in found.runs:
        click.echo("")
        print_line(run.command, f"{run.what}: ", 0)
        if run.idle:
            print_line(f"{run.idle} of the {number} devices", "idle         ", 0)
        if run.host_bytes is not None:
            whole = figure(number * run.host_bytes, "GiB")
            each = f"{figure(run.host_bytes, 'GiB')} for each device, {whole} for {number}"
            if found.host is not None:
                each += f", of {figure(found.host, 'GiB')}{'' if run.host_holds else ': too much'}"
            print_line(f"{', '.join(run.offloads)}: {each}", "host         ", 0)
        for said in run.uncounted:
            print_line(plain_prose(arrange_prose(said, TERMINAL)), "not counted  ", 0)
        if run.not_tried is not None:
            print_line(run.not_tried, "not tried    ", 0)
        for said in run.cautions:
            print_line(plain_prose(arrange_prose(said, TERMINAL)), "caution      ", 0)
    if found.assumed:
        click.echo("")
    for line in found.assumed:
        print_line(found.study.plain(line), "assumed      ", 0)
    for what, why in found.refused.items():
        print_line(why, f"{what}: ", 0)


def _meshes(
    number: str,
    sequences: str | None,
    strict: bool | None,
    reserve: str | None,
    as_json: bool,
    options: dict[str, Any],
) -> None:
    from symbolic_mem.questions.layouts import Layouts
    from symbolic_mem.questions.parts.asking import turned, usual
    from symbolic_mem.study.answered import found_for
    from symbolic_mem.study.changed_device import reserve as reserved

    study = chosen_study(options, meshes=True)
    if reserve is not None:
        study = study.called([reserved(reserve)])
    own = next(iter(usual(study)), None)
    question = turned(own, Layouts, "fit", study.name)
    given: dict[str, Any] = {"devices": _number(number, "--plans")}
    if sequences is not None:
        given["sequences"] = _number(sequences, "--sequences")
    if strict is not None:
        given["strict"] = strict
    question = question.given(given, "fit", {})
    found = found_for(study, question)
    if as_json:
        from symbolic_mem.render.json import record_json

        print_json(record_json(found.record))
    else:
        _show(found)


def _number(given: str, option: str) -> int:
    number = counted(given)
    if not number:
        raise BadInput(f"{option} {clipped(given)} {NO_COUNT}; write digits, for example 64")
    return number


def _show(found: FoundLayouts) -> None:
    """A line for each mesh, narrow enough for 80 columns: what decides it, or refuses it, stands below under a letter."""
    from symbolic_mem.document.family import in_family
    from symbolic_mem.render.arrange import TERMINAL, arrange_prose
    from symbolic_mem.render.text import plain_prose

    unit = found.capacity_unit or "GiB"
    print_title(found.study.heading)
    print_line(plain_prose(arrange_prose(in_family(found.told, unit))))
    click.echo("")
    used = [axis for axis in found.rows[0].values if any(row.values.get(axis, 1) != 1 for row in found.rows)]
    reasons: dict[str, str] = {}
    rows = [_mesh(row, found, used, reasons) for row in found.rows]
    heads = [*map(str, used), "peak, GiB", "left, GiB", "sent, GiB", "at"]
    print_table(heads, rows, right=tuple(range(len(heads) - 1)))
    click.echo("")
    for reason, letters in reasons.items():
        print_line(reason, letters, 5)
    if any(row.sent is not None for row in found.rows):
        print_line("by a rank in a step, forward and backward passes of all micro-batches", "sent", 5)
    click.echo("")
    for said in (found.tried_words, *found.shrinks, *found.cautions, *found.beside):
        print_line(plain_prose(arrange_prose(said, TERMINAL)))
    for head, said in found.taken:
        print_line(plain_prose(arrange_prose(in_family(said, unit), TERMINAL)), head, 12)


def _mesh(row: Tried, found: FoundLayouts, used: list[sp.Symbol], reasons: dict[str, str]) -> list[str]:
    """The degrees of a mesh, its sizes in GiB and the letter of what decides it, or of why it is refused."""
    from symbolic_mem.base.rational import symbolic

    reason = row.refused or row.words
    letters = reasons.setdefault(reason, _letters(len(reasons)))
    sizes: list[Any] = [None, None, None]
    if row.peak is not None:
        sizes = [row.size, found.capacity.counted - row.size, None if row.sent is None else symbolic(row.sent)]
    shown = ["–" if size is None else figure(size / 2**30) for size in sizes]
    return [*(str(row.values.get(axis, 1)) for axis in used), *shown, letters]


def _letters(number: int) -> str:
    """The name of a reason: a, b, ..., z, aa, ab, ...

    >>> _letters(0), _letters(25), _letters(26)
    ('a', 'z', 'aa')
    """
    first, last = divmod(number, 26)
    return (_letters(first - 1) if first else "") + chr(ord("a") + last)
