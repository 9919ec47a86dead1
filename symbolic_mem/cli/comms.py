"""``symbolic-mem comms``: what is sent, how long it takes, and the batch from which the chips stay busy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from symbolic_mem.base.errors import BadInput
from symbolic_mem.cli.options import chosen_study, print_json, study_options
from symbolic_mem.cli.tables import print_table

if TYPE_CHECKING:
    from symbolic_mem.questions.compute_bound import ComputeBound
    from symbolic_mem.study.study import Study

_KEYS = ("overlap", "axes", "scheme", "pass", "chips")


@click.command("comms")
@study_options
@click.option("--overlap", metavar="RULE", help="max: axes send at the same time; sum: one after another.")
@click.option("--axes", metavar="MESH", help="given: the study's X and Y; optimal: the best X.")
@click.option("--scheme", metavar="NAME", help="dp, fsdp, tp, fsdp+tp or hsdp [default: by the values given].")
@click.option("--pass", metavar="PASS", help="forward, backward or step.")
@click.option("--chips", type=click.IntRange(min=1), metavar="N", help="Number of chips, where X and Y are not given.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(as_json: bool, **options: Any) -> None:
    """Show what STUDY sends in one pass of a block, and the batch above which computing takes longer than sending.

    The study needs a [network] table: a bandwidth with its direction and the FLOP/s of a chip.
    """
    from symbolic_mem.render.json import jsonable

    if options.get("device") is not None:
        raise BadInput(
            f"--device {options['device']!r} names a memory, and comms asks about rates: give them as --set C=... and "
            "--set W=..., or name the device in [network] of the study"
        )
    study = chosen_study(options)
    question = _asked(study, {name: options[name] for name in _KEYS if options[name] is not None})
    content = jsonable(question.answer(study.under(question)).communication)
    if as_json:
        print_json(content)
    else:
        _show(study.title, content)


def _asked(study: Study, given: dict[str, Any]) -> ComputeBound:
    """The study's own question about the batch with what the caller gives; a new one where it has none."""
    from symbolic_mem.questions.compute_bound import ComputeBound

    if study.plan is not None and study.plan.sends:
        given = {"scheme": study.plan.sends} | given
    for question in study.questions:
        if isinstance(question, ComputeBound):
            return question.given(given, "comms")
    return ComputeBound.read(given, "comms", "comms")


def _show(title: str, found: dict[str, Any]) -> None:
    conventions = found["conventions"]
    click.echo(click.style(title, bold=True))
    said = ", ".join(
        f"{name} {conventions[name]}" for name in ("scheme", "pass", "overlap", "axes", "direction", "ring")
    )
    click.echo(f"{said}\n")
    print_table(
        ("what", "axis", "bytes", "seconds", "formula"),
        [
            (row["name"], row.get("axis", ""), _bytes(row.get("bytes")), _seconds(row["seconds"]), row["formula"])
            for row in found["times"]
        ],
        right=(2, 3),
    )
    if found["feasible"]:
        unit = conventions["unit"]
        click.echo(
            f"\ncritical batch  {found['critical_batch_tokens']:,.6g} {unit} in the whole batch: T > {found['formula']}"
        )
        click.echo(f"per chip        {found['per_chip']:,.6g} {unit} (B/N)")
        if found["per_fsdp_rank"] is not None:
            click.echo(f"per FSDP rank   {found['per_fsdp_rank']:,.6g} {unit} (B/X)")
        click.echo(f"smallest batch  {found['smallest_batch_tokens']:,} {unit}")
    else:
        click.echo(f"\n{found['reason']}")
    for condition in found["conditions"]:
        click.echo(f"condition       {condition}")
    if found["winner"] is not None:
        slower = "the mathematics" if found["winner"] == "math" else f"sending along {found['winner']}"
        click.echo(f"at {found['batch_tokens']:,} tokens {slower} takes longer")
    for sentence in found["assumptions"]:
        click.echo(f"assumed         {sentence}")


def _bytes(value: float | None) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.6g}"
