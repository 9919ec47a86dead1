"""What one rank of a cluster sends in a step along each axis of its mesh, on the terminal and as JSON."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

import click

from symbolic_mem.base.errors import BadInput
from symbolic_mem.cli.options import print_json
from symbolic_mem.cli.tables import figure, print_line, print_table, print_title

if TYPE_CHECKING:
    import sympy as sp

    from symbolic_mem.plans.pipeline import Pipeline
    from symbolic_mem.questions.parts.mesh_times import Times
    from symbolic_mem.questions.parts.sends import Sent
    from symbolic_mem.study.study import Study


def _unknown(study: Study) -> str:
    """Why what a rank sends is not known."""
    from symbolic_mem.base.symbols import B, S, n_fsdp
    from symbolic_mem.document.words import listed

    assert study.plan is not None
    if not study.recipe.trains:
        return (
            f"recipe {study.recipe.name!r} is one of inference, and what a rank sends in a step of training is counted; choose a "
            "recipe that trains"
        )
    if study.built.architecture is None:
        return (
            f"study {study.name!r}: what a rank sends under plan {study.plan.name!r} is known of a transformer, and its model is "
            "none; leave the plan out"
        )
    lacking = [str(symbol) for symbol in (B, S, n_fsdp) if symbol not in study.values]
    return (
        f"study {study.name!r}: what a rank sends under plan {study.plan.name!r} needs {'values' if len(lacking) > 1 else 'a value'} "
        f"for {listed(lacking)}; add {' '.join(f'--set {name}=...' for name in lacking)}"
    )


def along_axes(study: Study, *, as_json: bool) -> None:
    """Show what one rank sends in a step along each axis of the mesh, how long that takes, and how long it waits in its pipeline."""
    from symbolic_mem.base.exact import at
    from symbolic_mem.base.symbols import n_pp
    from symbolic_mem.plans.pipeline import pipeline
    from symbolic_mem.questions.parts.mesh_times import times
    from symbolic_mem.questions.parts.sends import idle, volumes

    assert study.plan is not None
    found = volumes(study)
    if found is None:
        raise BadInput(_unknown(study))
    order = pipeline(study.plan.schedule) if study.plan.pipelined and study.values.get(n_pp, 1) != 1 else None
    waits = None if order is None else order.bubble
    share = None if order is None or waits is None else at(waits, order.complete(study.values))
    took = times(study, found)
    if as_json:
        from symbolic_mem.base.formula import write_formula

        bubble = None
        if order is not None and waits is not None:
            bubble = {"schedule": order.name, "formula": write_formula(waits), "share": str(share)}
        elif order is not None:
            bubble = {"schedule": order.name, "words": _waits(order)}
        print_json(_record(study, found, took) | {"bubble": bubble})
        return
    _show(study, found, took)
    for what in idle(study):
        print_line(what, "beside", 14)
    for what in _not_counted(study):
        print_line(what, "not counted", 14)
    if order is not None and waits is not None:
        from symbolic_mem.render.text import plain

        print_line(f"{plain(waits)} = {share} of the time that a rank computes ({order.name})", "bubble", 14)
    elif order is not None:
        print_line(_waits(order), "bubble", 14)
    _show_times(study, took)


def _waits(order: Pipeline) -> str:
    """How long a rank waits, where that takes the times of passes, or that no source says it."""
    if not order.waits:
        return f"not known: no published formula is known of {order.name}"
    formula, _, source = order.waits.partition(": ")
    weights = ", W its part for weights" if "W" in formula else ""
    both = ", F&B of the two at once" if "F&B" in formula else ""
    apart = ", a divided vocabulary apart" if order.vocabulary else ""
    few = ", which may be more with fewer than 2 n_pp - 1 micro-batches, or where ranks wait for each other before the optimizer step"
    return (
        f"{formula}, in times of a chunk: F forward, B backward{weights}{both}{apart}{few if order.apart else ''} "
        f"({order.name}; {source})"
    )


def _record(study: Study, found: Sent, took: Times | None) -> dict[str, object]:
    from symbolic_mem.base.formula import write_formula
    from symbolic_mem.base.rational import rounded_up
    from symbolic_mem.questions.parts.sends import idle

    assert study.plan is not None
    axes: dict[str, dict[str, object]] = {
        str(axis): {
            "degree": int(found.known[axis]),
            "formula": write_formula(volume),
            "bytes": rounded_up(size),
            "seconds": None if took is None else float(took.sends[axis]),
        }
        for axis, (volume, size) in found.axes.items()
    }
    held = {str(symbol): rounded_up(size) for symbol, size in found.held.items()}
    computing = None
    if took is not None:
        computing = {"seconds": float(took.computes), "passes": took.passes, "enough_micro_batches": took.enough}
    return {
        "study": study.name,
        "plan": study.plan.name,
        "sent_in_a_step": axes,
        "parameters": held,
        "bytes_of_a_value": {
            "stream": _plain(found.each),
            "weights": _each_or_all(found.weights),
            "gradients": _each_or_all(found.gradients),
        },
        "computing": computing,
        "not_counted": _not_counted(study),
        "assumptions": list(idle(study)),
    }


def _plain(size: sp.Rational) -> int | float:
    return int(size) if size.is_integer else float(size)


def _each_or_all(sizes: Mapping[sp.Symbol, sp.Rational]) -> int | float | dict[str, int | float]:
    """The bytes of one, where all are alike; else those of each sort."""
    alike = set(sizes.values())
    return _plain(alike.pop()) if len(alike) == 1 else {str(symbol): _plain(size) for symbol, size in sizes.items()}


def _not_counted(study: Study) -> list[str]:
    from symbolic_mem.base.symbols import n_tp

    architecture, found = study.built.architecture, [*_of_the_root(study), *_of_the_ends(study)]
    if architecture is None or architecture.mtp == 0 or study.values.get(n_tp, 1) == 1:
        return found
    return [*found, "what the projections of the modules for multi-token prediction send along n_tp"]


def _of_the_root(study: Study) -> list[str]:
    """That weights outside the blocks are gathered once, where they are."""
    from symbolic_mem.base.rational import rounded_up
    from symbolic_mem.questions.parts.sends import gathered_once

    found = gathered_once(study)
    if found is None:
        return []
    stays = "that fully_shard keeps weights outside the blocks gathered between the passes, unless reshard_after_forward is set"
    less = f"{figure(rounded_up(found.fewer))} bytes fewer along n_fsdp, of {figure(rounded_up(found.parameters))} parameters"
    return [f"{stays}: {less}"]


def _of_the_ends(study: Study) -> list[str]:
    """What the two ranks that have the embedding send of its gradient, where there are two."""
    from symbolic_mem.base.rational import rounded_up
    from symbolic_mem.questions.parts.sends import summed_by_ends

    found = summed_by_ends(study)
    if found is None:
        return []
    shared = f"the gradient of the matrix that embedding and {' and '.join(found.sharing)} share"
    return [f"{shared}, which the first and the last stage sum once in a step: {figure(rounded_up(found.size))} bytes"]


def _show(study: Study, found: Sent, took: Times | None) -> None:
    import sympy as sp

    from symbolic_mem.base.rational import rounded_up
    from symbolic_mem.render.text import plain

    assert study.plan is not None
    print_title(study.heading)
    print_line(f"plan {study.plan.name}: what one rank sends in a step, along each axis")
    click.echo("")
    rows = [
        (
            str(axis),
            str(found.known[axis]),
            figure(rounded_up(size), digits=14),
            figure(sp.sympify(size), "GiB"),
            *(
                ()
                if took is None
                else (figure(took.sends[axis], "s", 4), figure(100 * took.sends[axis] / took.computes, "%", 4))
            ),
            plain(volume),
        )
        for axis, (volume, size) in found.axes.items()
    ]
    timed = () if took is None else ("time", "of computing")
    print_table(("axis", "degree", "bytes", "memory", *timed, "formula"), rows, right=tuple(range(1, 4 + len(timed))))
    click.echo("")
    for one in found.sorts:
        kind = "" if len(found.sorts) == 1 else f" {one.words}"
        size = figure(rounded_up(found.held[one.symbol]))
        name = str(one.symbol)
        print_line(f"{size} parameters{kind} on one rank of an average stage", name, max(14, len(name) + 2))
    values = [f"{figure(found.each)} of the stream, keys and values"]
    values += _bytes_of_each(found.weights, found.held, "the weights", "the weights")
    values += _bytes_of_each(found.gradients, found.held, "their gradients", "the gradients")
    print_line(f"bytes of one: {', '.join(values)} (recipe {study.recipe.name})", "values", 14)


def _bytes_of_each(
    sizes: Mapping[sp.Symbol, sp.Rational], every: Collection[sp.Symbol], of_all: str, of_some: str
) -> Iterator[str]:
    """In how many bytes something goes: of all parameters, or of which."""
    for size in dict.fromkeys(sizes.values()):
        alike = [symbol for symbol, each in sizes.items() if each == size]
        whose = of_all if len(alike) == len(every) else f"{of_some} of {' and '.join(map(str, alike))}"
        yield f"{figure(size)} of {whose}"


def _show_times(study: Study, took: Times | None) -> None:
    from symbolic_mem.base.symbols import W_dcn, n_micro

    if took is None:
        print_line(
            "give the rates of a chip, as in --device h100-80gb, to see how long it computes and sends", "times", 14
        )
        return
    again = ", as all blocks are recomputed" if took.passes == 4 else ""
    less = f", less {took.less}" if took.less else ""
    products = f"the products of {took.passes} forward passes{again}{less}, at C"
    print_line(f"{figure(took.computes, 's', 4)}: {products}", "computing", 14)
    if took.longest is not None:
        print_line(
            f"along {took.longest} a rank sends for longer than it computes, whatever is sent meanwhile", "slowest", 14
        )
    if took.enough is not None:
        print_line(
            f"{n_micro} = {took.enough}, {took.sequences} sequences of a step: computing takes as long as n_fsdp sends, once in a step",
            "enough",
            14,
        )
    between = (
        "n_pp, n_fsdp and n_replica at W_dcn, all others at W"
        if W_dcn in study.values
        else "every axis at W; W_dcn is that between nodes"
    )
    print_line(
        f"{between}; causal attention counted whole; stages alike; nothing sent at the same time is slowed down",
        "assumed",
        14,
    )
