"""What one rank of a cluster sends in a step along each axis of its mesh, in bytes, for a transformer.

Of a ring each rank sends all but its own share of what is gathered or summed, an all-reduce twice that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import sympy as sp

from symbolic_mem.base.errors import NotDescribed
from symbolic_mem.base.symbols import B, n_fsdp, n_replica
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.cut import DIMENSIONS, Cut
from symbolic_mem.plans.plan import Plan

BF16 = sp.Integer(2)
SEND = ("heads", "inner", "tokens", "layers", "experts", "expert inner")


class Held(NamedTuple):
    """So `many` parameters of one rank that are sent alike, of its routed `experts` or not.

    One is sent in so many bytes where `weights` are gathered, and its gradient in those of `gradients`: 0 where it is frozen. Divided
    weights are gathered `again` for the backward pass, unless it does not reach them.
    """

    many: sp.Expr
    weights: sp.Rational = BF16
    gradients: sp.Rational = sp.Integer(4)
    experts: bool = False
    again: bool = True


def sent(
    a: Architecture,
    cut: Cut,
    plan: Plan,
    held: Iterable[Held],
    micro: sp.Expr = sp.S.One,
    chunks: sp.Expr = sp.S.One,
    each: sp.Rational = BF16,
) -> Mapping[sp.Symbol, sp.Expr]:
    """Return the bytes that a rank sends in a step, by axis: forward and backward passes of `micro` micro-batches.

    What goes along an axis follows from the dimensions that the plan cuts over it: heads and the inner width of MLPs, tokens, experts,
    blocks. A value of the stream, of keys and of values has so many bytes `each`. Stages are taken to be alike, each with so many `chunks`, and the block of each module that predicts one token more counts as
    one of them.

    >>> from symbolic_mem.base.symbols import P, n_pp
    >>> from symbolic_mem.plans.read import plan
    >>> sent(Architecture(), Cut(), plan("megatron"), [Held(P)])[n_pp]
    4*B*S*d_model
    """
    over = _axes(plan)
    tokens, stream, inputs = cut.tokens.inside, cut.tokens.stream, cut.tokens.inputs
    elements: dict[sp.Symbol, sp.Expr] = {}
    attention, mlp = _tensor(a, inputs != tokens, cut.copied)
    for what, part in (("heads", attention), ("inner", mlp)):
        if what in over:
            elements[over[what]] = elements.get(over[what], sp.S.Zero) + part
    found = {axis: micro * part / plan.stages * each * B * tokens * _ring(axis) for axis, part in elements.items()}
    if plan.pipelined:
        _add(found, over["layers"], micro * chunks * 2 * each * B * stream * a.d_model)
    if "tokens" in over:
        passed = _context(a, cut, plan, over["tokens"]) * each * B * tokens
        _add(found, over["tokens"], micro * (a.layers + a.mtp) / plan.stages * passed)
    if a.experts is not None:
        rows = micro * each * B * inputs * a.d_model * a.experts.top_k * (a.expert_layers + a.mtp) / plan.stages
        if "experts" in over:
            _add(found, over["experts"], (2 + 2 * cut.load) * rows * _ring(over["experts"]))
        if "expert inner" in over:
            _add(found, over["expert inner"], 4 * cut.load * rows * (over["expert inner"] - 1))
    for axis, volume in _replicas(plan, held, over.get("tokens")).items():
        _add(found, axis, volume)
    return found


def _axes(plan: Plan) -> Mapping[str, sp.Symbol]:
    """The axis over which a plan cuts each dimension whose ranks send for it."""
    found = {}
    for what, over in plan.cuts:
        if what in SEND and not isinstance(over, sp.Symbol):
            raise NotDescribed(
                f"plan {plan.name!r} divides {DIMENSIONS[what]} over {over}, and what is sent is known along single axes; give one of them"
            )
        found |= {what: over} if what in SEND else {}
    return found


def _add(found: dict[sp.Symbol, sp.Expr], axis: sp.Symbol, volume: sp.Expr) -> None:
    found[axis] = found.get(axis, sp.S.Zero) + volume


def _ring(ranks: sp.Expr) -> sp.Expr:
    return (ranks - 1) / ranks


def _tensor(a: Architecture, again: bool, copied: bool) -> tuple[sp.Expr, sp.Expr]:
    """Elements for each token of all blocks that tensor parallelism gathers or sums, forward and backward: of attention, and of MLPs.

    What enters the layers that are cut by column is gathered forward and its gradient summed backward, and what leaves those cut
    by row the other way round: with a whole stream the two are one all-reduce (Shoeybi et al., 2019, section 3), with a divided
    one an all-gather and a reduce-scatter, and each input is gathered `again` for the gradient of its weight (Korthikanti et
    al., 2022, section 4.2.2). Latent attention narrows before it is cut; routed experts are sent their tokens otherwise. Where
    ranks have `copied` key-value heads, what the projections of queries, keys and values give is gathered, and its gradient
    summed (Megatron-LM d98e8a6, core/transformer/attention.py).
    """
    entering = a.d_model
    if a.latent is not None:
        narrow = a.latent.d_c + a.latent.d_rope
        entering = narrow + (a.d_model if a.latent.d_cq is None else a.latent.d_cq)
    more = 1 if again else 0
    attention = (2 + more) * entering + 2 * a.d_model
    if copied and a.latent is None:
        attention += 2 * (a.n_heads + 2 * a.n_kv) * a.d_head
    mlp = (4 + more) * a.d_model
    mixed = sp.S.Zero if a.experts is None or a.experts.d_shared == 0 else mlp
    more_of = a.mtp * (mlp if a.experts is None else mixed)
    return (a.layers + a.mtp) * attention, a.dense_layers * mlp + a.expert_layers * mixed + more_of


def attended(a: Architecture, cut: Cut) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
    """Elements for each token of what one rank has of queries, of keys and values together, and of what attention gives."""
    heads = cut.of("heads", a.n_heads)
    if a.latent is None:
        return heads * a.d_head, 2 * cut.of("keys", a.n_kv) * a.d_head, heads * a.d_head
    queries, out = heads * (a.latent.d_nope + a.latent.d_rope), heads * a.latent.d_v
    return queries, queries + out, out


def _context(a: Architecture, cut: Cut, plan: Plan, ranks: sp.Expr) -> sp.Expr:
    """Elements for each token of a block that context parallelism over so many ranks sends.

    Round a ring go keys and values, forward and again backward, and their gradients (Liu et al., 2023); all-to-all exchanges
    queries, keys, values and what attention gives, both ways (Jacobs et al., 2023, section 3.2).
    """
    queries, keys, out = attended(a, cut)
    if plan.exchanged:
        return 2 * (queries + keys + out) * _ring(ranks)
    return 3 * keys * (ranks - 1)


def _replicas(plan: Plan, held: Iterable[Held], tokens: sp.Symbol | None) -> Mapping[sp.Symbol, sp.Expr]:
    """What is sent once in a step because several ranks have, or share, the same parameters.

    Replicas sum the gradients of what is trained; where a rank keeps a part of the optimizer state it gets the sum of that part
    alone, and those weights are gathered after the step (Rajbhandari et al., 2020, section 7). Weights that are divided are
    gathered for the forward pass, and for the backward pass unless they are kept or it does not reach them, frozen ones too. Ranks that
    divide the `tokens` are replicas of parameters that a plan says nothing else of.
    """
    groups = {what: degree / plan.instances for what, degree in plan.groups}
    found: dict[sp.Symbol, sp.Expr] = {n_fsdp: sp.S.Zero, n_replica: sp.S.Zero}
    for one in held:
        what = "experts" if one.experts else "dense"
        context = tokens if tokens is not None and what not in groups else sp.S.One
        group = groups.get(what, n_fsdp)
        match plan.sends:
            case "dp" if one.gradients != 0:
                group = group * context
                back = one.weights if "optimizer" in plan.divided else one.gradients
                found[n_fsdp] += (one.gradients + back) * one.many * _ring(group)
            case "fsdp" | "hsdp":
                again = sp.S.One - plan.keep if plan.keep != 0 else _ring(group)
                back = one.weights * again if one.again else sp.S.Zero
                found[n_fsdp] += one.many * ((one.weights + one.gradients) * _ring(group) + back)
                if tokens is not None and what not in groups:
                    _add(found, tokens, 2 * one.gradients * one.many / group * _ring(context))
                if plan.sends == "hsdp":
                    found[n_replica] += 2 * one.gradients * one.many / group * _ring(n_replica)
    return {axis: volume for axis, volume in found.items() if volume != 0}
