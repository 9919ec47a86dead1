"""The question `compute_bound`: from which batch on the chips compute longer than they send."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.symbols import B, C, F_layer, N_devices, S, T, T_min, W, X, Y, alpha, named, t_comm, t_math
from symbolic_mem.document.prose import Amount, Chain, Prose, amount, say, text
from symbolic_mem.document.steps import Answer, Block, Column, Paragraph, Section, Step, Table
from symbolic_mem.document.work import Work
from symbolic_mem.plans.network import COUNTED
from symbolic_mem.plans.roofline import symbol_of
from symbolic_mem.questions.parts.conventions import Threshold, conventions, conventions_table, why_this_one
from symbolic_mem.questions.parts.mesh import best_blocks, meshes_table
from symbolic_mem.questions.parts.setting import Setting, setting
from symbolic_mem.solvers.critical import Critical, critical, next_whole
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

PASS_WORDS = {"forward": "a forward pass", "backward": "a backward pass", "step": "a step, forward and backward,"}
AXIS_WORDS = {"X": "the FSDP axis", "Y": "the tensor-parallel axis", "pods": "the network between pods"}


def compute_bound(study: Study, question: Question) -> tuple[Section, dict[str, object]]:
    """Derive the critical batch under the convention of the question, with the other conventions beside it."""
    overlap = question.get("overlap", "max")
    found = setting(study, question.get("scheme"), question.get("pass", "forward"), question.get("chips"), short=True)
    axes = question.get("axes", "given" if _shape_is_given(found) else "optimal")
    study.need(_without_tokens(found, axes).xreplace(dict(found.values)), f"question {question.label}")
    work = Work(found.values)
    blocks = [*intensity_blocks(found, work), *_time_blocks(found, work)]
    both = set(found.roofline.by_axis) == {"X", "Y"}
    if axes == "given":
        bound = critical(found.roofline, overlap)
        blocks += threshold_blocks(found, bound, work)
    if both:
        blocks += best_blocks(found)
        thresholds = conventions(found)
        blocks += [
            conventions_table(found, thresholds, overlap, axes),
            meshes_table(found),
            Paragraph(why_this_one(found, overlap, axes)),
        ]
        chosen = next(each for each in thresholds if (each.overlap, each.axes) == (overlap, axes))
    else:
        bound = critical(found.roofline, overlap)
        chosen = Threshold(overlap, axes, bound.tokens, bound.at(found.values), found.values.get(X))
    blocks.append(Answer(_answer(found, chosen)))
    title = question.get("title", "The batch from which the chips compute longer than they send")
    section = Section(text(f"({question.label}) {title}"), tuple(blocks))
    return section, _facts(study, question, found, chosen)


def intensity_blocks(found: Setting, work: Work) -> list[Block]:
    """Say what is counted, in which unit and direction, and the ratio of the two rates."""
    network = found.roofline.network
    blocks: list[Block] = [
        Paragraph(
            say(
                f"{{t}} counts the tokens of the whole batch, {{bs}} (the TPU Scaling Book writes {{b}} for them). "
                f"{_counted(found)} {{w}} is {COUNTED[network.direction]}. Elements are sent with two bytes each.",
                t=T,
                w=W,
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
        said = "A forward pass takes, for one token, and the weights and the activations at the edges of the layers are"
        blocks.append(work.step(text(said), *chains))
    if C in work.values and W in work.values:
        value = work.define(alpha, C / W)
        ratio = Chain(alpha, (("=", C / W), ("=", work.put(C / W)), amount(value, "FLOP/byte", digits=6)))
        blocks.append(work.step(text("While a chip sends one byte along one mesh axis, it could compute"), ratio))
    return blocks


def _counted(found: Setting) -> str:
    counted = f"All is counted for {PASS_WORDS[found.roofline.work.name]}"
    if found.names:
        return f"{counted} of the whole model."
    return f"{counted} of one {found.load.what}: the number of blocks multiplies computing and sending alike."


def _time_blocks(found: Setting, work: Work) -> list[Block]:
    roofline = found.roofline
    flops, chips = roofline.work.flops, roofline.work.chips
    work.define(F_layer, flops)
    work.define(t_math, roofline.math)
    blocks: list[Block] = [
        work.step(
            say("The matrix products take, on {chips} chips,", chips=chips),
            Chain(F_layer, (("=", flops),)),
            Chain(t_math, (("=", F_layer / (chips * C)), ("=", roofline.math))),
            reason=text(
                "A product of an (m, k) and a (k, n) matrix takes 2 m k n operations; a backward pass makes two."
            ),
        )
    ]
    rows = []
    for collective, time in roofline.each:
        sent = collective.volume(roofline.network)
        rows.append(
            (
                text(f"{collective.kind} of the {collective.what}"),
                say("{n}", n=collective.over),
                say("{b}", b=sent),
                say("{t}", t=time),
            )
        )
    heads = (("what is sent", "text"), ("over", "left"), ("bytes through a chip", "left"), ("seconds", "left"))
    columns = tuple(Column(text(head), align) for head, align in heads)
    blocks.append(Table(text("What is sent in the pass, and how long it takes"), columns, tuple(rows)))
    chains = []
    for axis, time in roofline.by_axis.items():
        work.define(symbol_of(axis), time)
        chains.append(Chain(symbol_of(axis), (("=", time),)))
    if chains:
        blocks.append(work.step(text("Collectives on the same axis share its links, so their times add:"), *chains))
    return blocks


def threshold_blocks(found: Setting, bound: Critical, work: Work) -> list[Block]:
    """Turn "computing takes longer than sending" into a bound on the tokens, line by line."""
    rule = (
        "The axes use different links and send at the same time, so each must be faster than the products:"
        if bound.overlap == "max"
        else "The axes send one after the other, so their times add, and the sum must be less than the products take:"
    )
    blocks: list[Block] = [Paragraph(text(rule))] if len(found.roofline.by_axis) > 1 else []
    for limit in bound.limits:
        symbols = sp.Add(*(symbol_of(axis) for axis in limit.axes))
        where = AXIS_WORDS[limit.axes[0]] if len(limit.axes) == 1 else "both axes"
        if limit.growth != 0:
            value = work.number(limit.margin)
            holds = ">" if value > 1 else "≤"
            statement = (
                f"What is sent along {where} grows with the batch, as the products do, so the batch cancels"
                if limit.constant == 0
                else "Of what is sent, one part grows with the batch. That part alone must take less than the products"
            )
            blocks.append(
                work.step(
                    text(f"{statement}. The products over it take"),
                    Chain(
                        limit.margin,
                        (("=", work.put(limit.margin)), amount(value, digits=5), (holds, sp.S.One)),
                    ),
                    reason=text("It must exceed one: then this holds at every batch; otherwise no batch is enough."),
                )
            )
        if limit.constant != 0 and work.number(limit.margin if limit.growth != 0 else sp.Integer(2)) > 1:
            blocks.append(_solved(limit.tokens, limit.slope, limit.growth, limit.constant, symbols, work))
    tokens = bound.at(found.values)
    if tokens is not None and tokens != 0:
        blocks.append(_balance(found, bound, tokens))
    return blocks


def _solved(tokens: sp.Expr, slope: sp.Expr, growth: sp.Expr, constant: sp.Expr, sent: sp.Expr, work: Work) -> Step:
    value = work.define(T_min, tokens)
    first = (
        Chain(slope * T, ((">", constant),), asked=True)
        if growth == 0
        else Chain(slope * T - growth * T, ((">", constant),), asked=True)
    )
    return work.step(
        text("Solved for the tokens:"),
        Chain(t_math, ((">", sent),), asked=True),
        first,
        Chain(T, ((">", T_min),), asked=True),
        Chain(T_min, (("=", tokens), ("=", work.put(tokens)), amount(value, "tokens"))),
    )


def _balance(found: Setting, bound: Critical, tokens: sp.Expr) -> Step:
    """Put the critical batch back: there the slowest axis (or the sum) takes exactly as long as the products."""
    work = Work({**found.values, T: tokens})
    math = work.define(t_math, found.roofline.math)
    chains = [Chain(t_math, (("=", found.roofline.math), amount(math, "s")))]
    for axis, time in found.roofline.by_axis.items():
        value = work.define(symbol_of(axis), time)
        chains.append(Chain(symbol_of(axis), (("=", time), amount(value, "s"))))
    if bound.overlap == "sum" and len(found.roofline.by_axis) > 1:
        work.define(t_comm, found.roofline.communication("sum"))
        parts = sp.Add(*(symbol_of(axis) for axis in found.roofline.by_axis))
        chains.append(Chain(t_comm, (("=", parts), ("=", t_math))))
    return work.step(say("Check: at {t} tokens", t=Amount(tokens)), *chains)


def _answer(found: Setting, chosen: Threshold) -> Prose:
    if chosen.tokens is None:
        return text("No batch is large enough: what is sent grows with the batch faster than what is computed.")
    if chosen.tokens == 0:
        return text("Every batch is large enough: nothing that is sent stays the same when the batch shrinks.")
    chips = sp.Integer(found.chips or 1)
    chip = chosen.tokens / chips
    parts = say(
        "The chips compute longer than they send from {t} tokens in the whole batch on (the bound is {exact}): "
        "{c} tokens per chip",
        t=Amount(sp.Integer(next_whole(chosen.tokens))),
        exact=Amount(chosen.tokens),
        c=Amount(chip),
    )
    if chosen.x is not None:
        parts = say("{p}, {r} per FSDP rank", p=parts, r=Amount(chosen.tokens / chosen.x))
    if chip.is_Rational and not chip.is_Integer:
        whole = next_whole(chip)
        parts = say(
            "{p}; with whole tokens on every chip, {w} on each and {all} together",
            p=parts,
            w=Amount(sp.Integer(whole)),
            all=Amount(chips * whole),
        )
    return Prose((*parts.parts, "."))


def _facts(study: Study, question: Question, found: Setting, chosen: Threshold) -> dict[str, object]:
    tokens = chosen.tokens
    return {
        "study": study.name,
        "question": question.label,
        "conventions": {"overlap": chosen.overlap, "axes": chosen.axes, "unit": "tokens"},
        "feasible": tokens is not None,
        "critical_batch_tokens": tokens,
        "smallest_batch_tokens": None if tokens is None else next_whole(tokens),
        "per_chip": None if tokens is None else tokens / sp.Integer(found.chips or 1),
        "per_fsdp_rank": None if tokens is None or chosen.x is None else tokens / chosen.x,
        "formula": chosen.formula,
    }


def _shape_is_given(found: Setting) -> bool:
    needed = {"X": X, "Y": Y}
    return all(needed[axis] in found.values for axis in found.roofline.by_axis if axis in needed)


def _without_tokens(found: Setting, axes: str) -> sp.Expr:
    """All that must have a value: the times at one token, and at the best X the number of chips alone."""
    times = sp.Add(found.roofline.math, *found.roofline.by_axis.values()).xreplace({T: sp.S.One})
    if axes == "given":
        return times
    return times.xreplace({X: sp.S.One, Y: sp.S.One}) + N_devices
