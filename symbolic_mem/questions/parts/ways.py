"""The ways to a smaller critical batch: for each the bound that it leads to, example numbers and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import sympy as sp

from symbolic_mem.base.symbols import M_X, M_Y, C, E, L, P, W, X, Y, b_sent, d_ff, k, n_micro, n_pp, n_replica
from symbolic_mem.document.prose import Chain, amount
from symbolic_mem.document.work import Work
from symbolic_mem.plans.collectives import Collective
from symbolic_mem.plans.network import Network
from symbolic_mem.plans.roofline import Roofline
from symbolic_mem.plans.schemes import Mesh, Pass, bubble, scheme
from symbolic_mem.questions.parts.setting import Setting
from symbolic_mem.solvers.critical import critical, tidy
from symbolic_mem.solvers.optimum import best_mesh, least, whole_meshes

Numbers = Mapping[sp.Symbol, sp.Expr]
# What the sentences of a way may name in braces.
PIECES: dict[str, sp.Expr] = {
    **{str(symbol): symbol for symbol in (C, E, M_X, M_Y, W, X, Y, d_ff, k)},
    "gathered": 2 * P / Y,
    "ratio": E / k,
}


@dataclass(frozen=True)
class Way:
    """One way: what it does in words, the bound that it leads to, example numbers, and why."""

    name: str
    statement: str
    formula: sp.Expr
    numbers: tuple[tuple[sp.Symbol, sp.Expr], ...] = ()
    reason: str = ""
    more: Callable[[Work], tuple[Chain, ...]] | None = None

    def values(self, known: Numbers) -> dict[sp.Symbol, sp.Expr]:
        """The numbers of the study with those of the example."""
        return {**known, **dict(self.numbers)}


def all_ways(found: Setting) -> tuple[Way, ...]:
    """Return every way that applies to a setting: nine for a stack of feed-forward blocks."""
    return (
        _axes(found),
        _shape(found),
        *([_wider(found)] if found.load.flops.has(d_ff) else []),
        _accumulation(found),
        _precision(found),
        _hierarchy(found),
        _overlap(found),
        _pipeline(found),
        _experts(found),
    )


def bound_on(found: Setting, mesh: Mesh | None = None, overlap: str = "max", **sent: sp.Expr) -> sp.Expr:
    """The tokens that a batch must exceed on another mesh, under another rule or with other bytes sent."""
    work = scheme("fsdp+tp", found.load, mesh, **sent).forward
    return critical(Roofline(work, found.roofline.network), overlap).tokens


def _axes(found: Setting) -> Way:
    less = found.values[M_X] > 1
    return Way(
        "More mesh axes",
        "Every physical axis that the FSDP axis is laid over adds its links. The bound falls as one over their number; "
        f"with one axis {'less' if less else 'more'} it would be",
        bound_on(found).xreplace({M_X: M_X - 1 if less else M_X + 1}),
        reason="A torus of three axes has two for FSDP and one for tensor parallelism: {M_X} and {M_Y} add up "
        "to at most 3, and their product, which decides at the best {X}, is at most 2. On a switch, raise {W}.",
    )


def _shape(found: Setting) -> Way:
    best = best_mesh(found.roofline)
    chips = found.chips or 1
    mesh = least(whole_meshes(found.roofline, chips, found.values, "max"))
    whole = "" if mesh is None else f" With whole axes the best mesh is {mesh.x} x {mesh.y}."
    return Way(
        "The best X and Y",
        "With the best {X} at the same number of chips, derived before,",
        best.tokens("max"),
        reason="More tensor parallelism shrinks the weights that are gathered; the products over the tensor-parallel "
        f"axis allow it while they take much longer than what is sent along it.{whole}",
    )


def _wider(found: Setting) -> Way:
    best = best_mesh(found.roofline).tokens("max")
    narrowest = tidy(d_ff / critical(found.roofline, "max").conditions[0])

    def limit(work: Work) -> tuple[Chain, ...]:
        holds = ">" if work.number(narrowest) < work.number(d_ff) else "≤"
        value = amount(work.number(narrowest), "elements")
        chain = Chain(d_ff, ((holds, narrowest), ("=", work.put(narrowest)), value))
        return (chain,)

    return Way(
        "A wider feed-forward layer",
        "At the best {X} the bound falls as one over {d_ff}; for twice the width",
        best.xreplace({d_ff: 2 * d_ff}),
        reason="At {X} and {Y} as given the max rule does not depend on {d_ff} beyond the condition below; "
        "the sum rule tends to the max rule as {d_ff} grows. Weights and products grow alike, so only the share of the "
        "activations that are sent falls.",
        more=limit,
    )


def _accumulation(found: Setting) -> Way:
    split = scheme("fsdp+tp", found.load).forward
    each = replace(split, flops=split.flops / n_micro)
    sends = tuple(c if c.axis == "X" else replace(c, bytes=c.bytes / n_micro) for c in split.collectives)
    tokens = critical(Roofline(replace(each, collectives=sends), found.roofline.network), "max").tokens
    return Way(
        "Gradient accumulation does not help",
        "Each of the microbatches gathers all weights again, so every one of them must hold what the whole batch had "
        "to; with four",
        tokens,
        ((n_micro, sp.Integer(4)),),
        reason="If the weights stay gathered from the first microbatch to the last, the bound is the starting point "
        "again, never less, and {gathered} bytes more are held. Only the gradients can be sent once for all of them, "
        "which the forward pass does not see.",
    )


def _precision(found: Setting) -> Way:
    tokens = bound_on(found, weight_bytes=b_sent, activation_bytes=b_sent)
    best = best_mesh(
        Roofline(
            scheme("fsdp+tp", found.load, weight_bytes=b_sent, activation_bytes=b_sent).forward,
            found.roofline.network,
        )
    ).tokens("max")

    def squared(work: Work) -> tuple[Chain, ...]:
        value = work.number(best)
        return (Chain(best, (("=", work.put(best)), amount(value, "tokens"))),)

    return Way(
        "Lower precision in what is sent",
        "The bound is proportional to the bytes of an element that is sent; with one byte (FP8)",
        tokens,
        ((b_sent, sp.S.One),),
        reason="At the best {X} both axes gain, and the bound falls with the square of the bytes (second line). The "
        "products stay in BF16: if they ran in FP8 too, {C} would double and the gain be lost. Quantised weight "
        "gathers: ZeRO++ (Wang et al., 2023, arXiv:2306.10209).",
        more=squared,
    )


def _hierarchy(found: Setting) -> Way:
    network = Network(found.roofline.network.direction, "exact")
    gather = Collective("all-gather", "weights", 2 * found.load.weights / Y, X / n_replica, "X", M_X)
    work = Pass("forward", found.load.flops, X * Y, (gather,))
    tokens = critical(Roofline(work, network), "max").tokens
    copies = min(4, int(found.values[X]))

    def whole(work: Work) -> tuple[Chain, ...]:
        one = tokens.xreplace({n_replica: sp.S.One})
        return (Chain(one, (("=", work.put(one)), amount(work.number(one), "tokens"))),)

    return Way(
        "Hierarchical sharding",
        "The weights are sharded inside groups of the FSDP axis and repeated in every group, so that a gather stays "
        f"inside a group. With the exact ring, and {copies} groups,",
        tokens,
        ((n_replica, sp.Integer(copies)),),
        reason="The second line is the exact ring with one group. The gain is large only when the groups are small, or "
        "when a gather no longer leaves a pod for a slower network; the price is that every device holds so many "
        "times more states. Gradients are then also all-reduced between the groups (HSDP; MiCS, Zhang et al., 2022; "
        "hpZ of ZeRO++).",
        more=whole,
    )


def _overlap(found: Setting) -> Way:
    best = best_mesh(found.roofline)
    ratio = tidy(best.tokens("sum") / best.tokens("max"))
    return Way(
        "Overlapping the two axes",
        "If the axes sent one after the other, the batch would have to be larger than",
        bound_on(found, overlap="sum"),
        reason=f"So sending at the same time is worth the difference to the starting point, and a factor of {ratio} at "
        "the best {X}. Collectives can also be cut in pieces between pieces of a product (Wang et al., 2022, Overlap "
        "communication with dependent computation via decomposition).",
    )


def _pipeline(found: Setting) -> Way:
    tokens = bound_on(found, Mesh(x=X / n_pp))
    held = 2 * P / (n_pp * Y)

    def price(work: Work) -> tuple[Chain, ...]:
        if not found.names:
            if L not in work.values:
                return ()
            work.define(P, found.load.weights * L)
        chain = Chain(held, (("=", work.put(held)), amount(work.number(held), "GB")))
        idle = bubble(n_pp, n_micro)
        return chain, Chain(idle, (("=", work.put(idle)), amount(work.number(idle))))

    return Way(
        "Pipelining",
        "With four stages, each has a quarter of the FSDP axis, and all tokens pass through it. If a stage keeps its "
        "gathered weights while the microbatches of a step pass,",
        tokens,
        ((n_pp, sp.Integer(4)), (n_micro, sp.Integer(16))),
        reason="The price: the gathered weights of a stage (second line), and the bubble, the idle part, for sixteen "
        "microbatches (third line; Narayanan et al., 2021). If each microbatch gathered the weights again, its number "
        "would multiply the bound, and nothing would be gained.",
        more=price,
    )


def _experts(found: Setting) -> Way:
    load = replace(found.load, flops=k * found.load.flops, weights=E * found.load.weights)
    plan = scheme("fsdp+tp", load).forward
    gathered = critical(Roofline(plan, found.roofline.network), "max").tokens
    visits = 2 * k * found.load.inputs / Y
    moves = tuple(Collective("all-to-all", what, visits, X, "X", M_X) for what in ("tokens", "results"))
    limit = critical(Roofline(Pass("forward", load.flops, X * Y, moves), found.roofline.network), "max").limits[0]

    def stay(work: Work) -> tuple[Chain, ...]:
        value = work.number(limit.margin)
        return (
            Chain(limit.margin, (("=", work.put(limit.margin)), amount(value), (">" if value > 1 else "≤", sp.S.One))),
        )

    return Way(
        "Experts, and expert parallelism",
        "A mixture of experts makes it worse under FSDP: all {E} experts are gathered and a token visits {k} of them. "
        "With 8 experts of which 2 are visited",
        gathered,
        ((E, sp.Integer(8)), (k, sp.Integer(2))),
        reason="The factor is {ratio}. Expert parallelism over the same chips leaves the experts in place and moves "
        "the tokens, there and back: that grows with the batch as the products do, so the batch cancels, and the "
        "second line (products over all-to-all) must exceed one instead. Where it does, the bound is gone instead of lowered.",
        more=stay,
    )
