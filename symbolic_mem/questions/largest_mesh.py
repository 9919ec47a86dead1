"""The question `largest_mesh`: over how many chips a batch can be spread before they wait for each other."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.exact import missing
from symbolic_mem.base.symbols import B, C, N_devices, S, T, W, X, Y, named, t_fsdp, t_math, t_tp
from symbolic_mem.document.prose import Amount, Chain, Prose, amount, say, text
from symbolic_mem.document.steps import Answer, Block, Column, Paragraph, Section, Table
from symbolic_mem.document.work import Work
from symbolic_mem.plans.roofline import Roofline
from symbolic_mem.plans.schemes import Mesh, scheme
from symbolic_mem.questions.parts.setting import setting
from symbolic_mem.solvers.chips import largest, largest_mesh
from symbolic_mem.solvers.critical import tidy
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

ROWS = (("dp", "backward"), ("fsdp", "forward"), ("fsdp", "backward"), ("tp", "forward"), ("tp", "backward"))
WORDS = {"dp": "data parallelism", "fsdp": "FSDP (ZeRO-3)", "tp": "tensor parallelism"}
ONE_AXIS = Mesh(axes_x=sp.S.One, axes_y=sp.S.One)


def mesh_bounds(study: Study, question: Question) -> tuple[Section, dict[str, object]]:
    """Derive N <= ... for each scheme and pass, then for both axes together, overlapped and not."""
    found = setting(study, "fsdp+tp", short=True)
    network = found.roofline.network
    values = dict(found.values)
    if found.tokens is not None:
        values[T] = found.tokens
    work = Work({symbol: value for symbol, value in values.items() if symbol not in (X, Y, N_devices)})
    blocks: list[Block] = [
        Paragraph(
            say(
                "{t} counts the tokens of the whole batch, {bs} (the source writes {b} for it). A scheme keeps the "
                "chips busy while its products take at least as long as what it sends.",
                t=T,
                b=B,
                bs=B * S,
            )
        )
    ]
    if found.names:
        chains = [
            Chain(symbol, (("=", meaning), amount(found.values[symbol], named(symbol).unit)))
            for symbol, meaning in found.names.items()
        ]
        blocks.append(work.step(text("The model computes for one token, holds, and sends between its layers"), *chains))
    bounds: dict[tuple[str, str], sp.Expr] = {}
    for name, of in ROWS:
        degree = Y if name == "tp" else X
        sent = t_tp if name == "tp" else t_fsdp
        roofline = Roofline(scheme(name, found.load, ONE_AXIS).of(of), network)
        (time,) = roofline.by_axis.values()
        bound = bounds[name, of] = largest(roofline, degree)
        local = Work(work.values)
        local.define(t_math, roofline.math)
        local.define(sent, time)
        blocks.append(
            local.step(
                text(f"{WORDS[name][:1].upper()}{WORDS[name][1:]}, {of} pass:"),
                Chain(t_math, (("=", roofline.math),)),
                Chain(sent, (("=", time),)),
                Chain(t_math, (("≥", sent),), asked=True),
                Chain(degree, (("≤", bound),), asked=True),
                *_numbers(bound, local),
            )
        )
    fsdp, tensor = bounds["fsdp", "forward"], bounds["tp", "forward"]
    leading = tidy((fsdp - 1) * (tensor - 1))
    blocks += _together(fsdp, tensor, leading, work)
    both = {rule: largest_mesh(fsdp, tensor, rule) for rule in ("max", "sum")}
    numbers = {rule: _value(expr, work) for rule, expr in both.items()}
    blocks += [
        _table(bounds, both, leading, work),
        Answer(
            say(
                "Data parallelism and FSDP keep at most {f} chips busy, tensor parallelism {t}, both together their "
                "product when the axes overlap, and about a quarter of it when they do not.",
                f=fsdp,
                t=tensor,
            )
        ),
    ]
    facts = {
        "study": study.name,
        "question": question.label,
        "bounds": {f"{name} {of}": bound for (name, of), bound in bounds.items()} | both,
        "values": {f"{name} {of}": _value(bound, work) for (name, of), bound in bounds.items()} | numbers,
    }
    title = question.get("title", "How many chips a batch keeps busy")
    return Section(text(f"({question.label}) {title}"), tuple(blocks)), facts


def _together(fsdp: sp.Expr, tensor: sp.Expr, leading: sp.Expr, work: Work) -> list[Block]:
    overlapped, added = (largest_mesh(fsdp, tensor, rule) for rule in ("max", "sum"))
    return [
        work.step(
            text(
                "Both axes, sending at the same time: each axis has its own bound, and N = X Y is at most their product"
            ),
            Chain(N_devices, (("≤", overlapped), ("≈", leading)), asked=True),
            reason=text("The last form is the leading part, for axes that are long against one."),
        ),
        work.step(
            text("Both axes, one after the other. The times add up to at most those of the products:"),
            Chain((X - 1) / (fsdp - 1) + (Y - 1) / (tensor - 1), (("≤", sp.S.One),), asked=True),
            Chain(N_devices, (("≤", added), ("≈", leading / 4)), asked=True),
            reason=say(
                "On the boundary Y is a falling line in X, so X Y is a parabola, greatest midway between its zeros. "
                "Overlap is worth a factor of {four} for long axes.",
                four=sp.Integer(4),
            ),
        ),
    ]


def _numbers(bound: sp.Expr, work: Work) -> tuple[Chain, ...]:
    value = _value(bound, work)
    return () if value is None else (Chain(bound, (("=", work.put(bound)), amount(value, "chips"))),)


def _value(bound: sp.Expr, work: Work) -> sp.Expr | None:
    return None if missing(bound, {**work.values}) else work.number(bound)


def _table(bounds: dict[tuple[str, str], sp.Expr], both: dict[str, sp.Expr], leading: sp.Expr, work: Work) -> Table:
    rows = [
        (text(f"{WORDS[name]}, {of}"), say("{b}", b=bound), _cell(bound, work)) for (name, of), bound in bounds.items()
    ]
    rows.append((text("FSDP and tensor parallelism, overlapped"), say("{b}", b=both["max"]), _cell(both["max"], work)))
    rows.append((text("the same, for long axes"), say("{b}", b=leading), _cell(leading, work)))
    rows.append((text("not overlapped"), say("{b}", b=both["sum"]), _cell(both["sum"], work)))
    rows.append((text("the same, for long axes"), say("{b}", b=leading / 4), _cell(leading / 4, work)))
    heads = (("scheme and pass", "text"), ("most chips", "left"), ("here", "right"))
    columns = tuple(Column(text(head), align) for head, align in heads)
    return Table(say("Most chips that stay busy, with {c} FLOP/s and {w} bytes/s", c=C, w=W), columns, tuple(rows))


def _cell(bound: sp.Expr, work: Work) -> Prose:
    value = _value(bound, work)
    return text("–") if value is None else Prose((Amount(value),))
