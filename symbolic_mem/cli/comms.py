"""``symbolic-mem comms``: what is sent, how long it takes, and the batch from which the chips stay busy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from symbolic_mem.base.errors import BadInput
from symbolic_mem.cli.once import Verb
from symbolic_mem.cli.options import Whole, chosen_study, print_json, study_options
from symbolic_mem.cli.tables import figure, print_line, print_table, print_title

if TYPE_CHECKING:
    from symbolic_mem.questions.compute_bound import ComputeBound
    from symbolic_mem.questions.parts.found_batch import FoundBatch
    from symbolic_mem.study.study import Study

_KEYS = ("overlap", "axes", "scheme", "pass", "chips")
_SLOWEST = {
    "math": "the mathematics takes at least as long as what is sent",
    "X": "sending along X takes longer than the mathematics",
    "Y": "sending along Y takes longer than the mathematics",
    "pods": "sending between the pods takes longer than the mathematics",
    "communication": "sending takes longer than the mathematics",
}
_IDLE = (
    "optimizer",
    "recompute",
    "gradients",
    "offload",
    "copies",
    "profile",
    "kernel",
    "loss",
    "capacity",
    "reading",
    "place",
    "rest",
)


@click.command("comms", cls=Verb)
@study_options
@click.option("--overlap", metavar="RULE", help="max: axes send at the same time; sum: one after another.")
@click.option("--axes", metavar="MESH", help="given: the study's X and Y; optimal: the best X.")
@click.option("--scheme", metavar="NAME", help="dp, fsdp, tp, fsdp+tp or hsdp [default: by the values given].")
@click.option("--pass", metavar="PASS", help="forward, backward or step.")
@click.option("--chips", type=Whole(), metavar="N", help="Number of chips, where X and Y are not given.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(as_json: bool, **options: Any) -> None:
    """Show what STUDY sends in one pass of a block, and the batch above which computing takes longer than sending.

    The study needs a [network] table: a bandwidth with its direction and the FLOP/s of a chip. Under a plan that cuts the model,
    such as megatron, or with a value of n_fsdp for another, it needs none: what one rank sends in a step along each axis is shown,
    and the bubble of the pipeline; with --device how long that takes beside computing.
    """
    from symbolic_mem.render.json import record_json

    for name in _IDLE:
        if options[name]:
            raise BadInput(f"--{name} changes what is kept, and comms counts what is sent; leave it out")
    rates = options.pop("device"), options["devices"]
    study = chosen_study(options | {"device": None}, reads_devices=rates[0] is not None)
    if rates[0] is not None:
        from symbolic_mem.study.changed_device import use_rates

        study = study.called([use_rates(*rates)])
    if study.plan is not None and (study.plan.axes or _of_degree(study, options)):
        given = [f"--{name}" for name in _KEYS if options[name] is not None]
        if given:
            raise BadInput(
                f"{given[0]} is about one scheme, and plan {study.plan.name!r} sends along every axis; leave it out"
            )
        from symbolic_mem.cli.comms_axes import along_axes

        study.need_degrees()
        along_axes(study, as_json=as_json)
        return
    if options["recipe"] is not None:
        raise BadInput(
            "--recipe changes nothing here: of one scheme comms counts two bytes for each element that is sent; leave it out, or give "
            "--plan NAME and --set n_fsdp=N for what one rank sends in a step"
        )
    question = _asked(study, {name: options[name] for name in _KEYS if options[name] is not None})
    from symbolic_mem.questions.parts.unread import refuse_unread
    from symbolic_mem.study.answered import found_for

    refuse_unread(
        replace(study, caller=tuple(change for change in study.caller if change.aspect != "plan")), (question,)
    )
    found = found_for(study, question)
    if as_json:
        print_json(record_json(found.communication))
    else:
        _show(found)


def _of_degree(study: Study, options: dict[str, Any]) -> bool:
    """Whether the degree of a plan is what is asked about, and not the axes of a mesh or one scheme."""
    from symbolic_mem.base.symbols import X, Y, n_fsdp

    assert study.plan is not None
    asked = any(options[name] is not None for name in _KEYS)
    return bool(study.plan.sends) and n_fsdp in study.values and not {X, Y} & set(study.values) and not asked


def _asked(study: Study, given: dict[str, Any]) -> ComputeBound:
    """The study's own question about the batch with what the caller gives; a new one where it has none."""
    from symbolic_mem.questions.compute_bound import ComputeBound
    from symbolic_mem.study.keys import At

    if study.plan is not None and study.plan.sends:
        given = {"scheme": study.plan.sends} | given
    elif any(change.aspect == "plan" for change in study.caller) and "scheme" not in given:
        raise BadInput(f"--plan {study.plan.name if study.plan else ''} sends nothing that comms counts; give --scheme")
    for question in study.questions:
        if isinstance(question, ComputeBound):
            return question.given(given, "comms", {})
    return ComputeBound.read(given, At("comms", options={}), "comms")


def _show(answer: FoundBatch) -> None:
    from symbolic_mem.base.symbols import C, W, X, Y
    from symbolic_mem.document.prose import Prose
    from symbolic_mem.render.text import plain, plain_prose

    found = answer.communication
    conventions = found["conventions"]
    print_title(answer.study.heading)
    said = ", ".join(
        f"{name} {conventions[name]}" for name in ("scheme", "pass", "overlap", "axes", "direction", "ring")
    )
    print_line(said)
    for change in answer.study.caller:
        if change.aspect == "rates":
            flops, sent = (figure(answer.study.values[rate], "", 6) for rate in (C, W))
            print_line(f"{change.words}: C = {flops} FLOP/s, W = {sent} bytes/s")
    click.echo("")
    print_table(
        ("what", "axis", "bytes", "seconds", "formula"),
        [
            (
                *(row["name"], row.get("axis", "")),
                *(figure(row["bytes"], digits=14) if "bytes" in row else "", figure(row["seconds"], digits=6)),
                plain(row["formula"]),
            )
            for row in found["times"]
        ],
        right=(2, 3),
    )
    mesh = [f"{axis} = {figure(answer.study.values[axis])}" for axis in (X, Y) if axis in answer.study.values]
    if conventions["axes"] == "optimal" and found["times"] and mesh:
        print_line(
            f"of the mesh that is given, {' and '.join(mesh)}; the critical batch is that of the best X", "seconds", 16
        )
    if found["critical_batch_tokens"] in (None, 0):
        click.echo("")
        print_line(plain_prose(answer.question.sentence(answer)))
    else:
        bound, unit = figure(found["critical_batch_tokens"], "tokens", 6), conventions["unit"]
        click.echo("")
        print_line(f"{bound} in the whole batch: T > {plain(found['formula'])}", "critical batch", 16)
        print_line(f"{figure(found['per_chip'], unit, 6)} (T/N)", "per chip", 16)
        if found["per_fsdp_rank"] is not None:
            print_line(f"{figure(found['per_fsdp_rank'], unit, 6)} (T/X)", "per FSDP rank", 16)
        print_line(f"{figure(found['smallest_batch_tokens'], unit)}", "smallest batch", 16)
    for condition in found["conditions"]:
        print_line(f"{plain(condition.lhs)} > {plain(condition.rhs)}", "condition", 16)
    if found["winner"] is not None:
        print_line(f"at {figure(found['batch_tokens'], 'tokens')} {_SLOWEST[found['winner']]}")
    for sentence in found["assumptions"]:
        print_line(plain_prose(sentence) if isinstance(sentence, Prose) else sentence, "assumed", 16)
