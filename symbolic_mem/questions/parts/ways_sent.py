"""The ways to a smaller critical batch that change what is sent: how often, in how many bytes, inside which group."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from symbolic_mem.base.exact import Values
from symbolic_mem.base.symbols import M_X, C, E, P, X, Y, b_sent, k, n_micro, n_replica
from symbolic_mem.document.prose import Amount, say
from symbolic_mem.document.words import about, sentences
from symbolic_mem.plans.collectives import Collective
from symbolic_mem.plans.network import Network
from symbolic_mem.plans.roofline import Roofline
from symbolic_mem.plans.schemes import Pass, scheme
from symbolic_mem.questions.parts.setting import Setting
from symbolic_mem.questions.parts.way import Beside, Way, no_batch, no_mesh
from symbolic_mem.questions.parts.ways import on_mesh
from symbolic_mem.solvers.critical import critical
from symbolic_mem.solvers.optimum import best_mesh


def accumulated(case: Setting) -> Way:
    """Send the batch in four microbatches, each of which gathers all weights."""
    example: Values = {n_micro: sp.Integer(4)}
    whole = scheme("fsdp+tp", case.load).forward
    sent = tuple(one if one.axis == "X" else replace(one, bytes=one.bytes / n_micro) for one in whole.collectives)
    each = replace(whole, flops=whole.flops / n_micro, collectives=sent)
    staged = Roofline(each, case.roofline.network)
    values = {**case.values, **example}
    return Way(
        "accumulation",
        "Gradient accumulation does not help",
        say(
            "Gradient accumulation does not help. Each of the microbatches gathers all weights again, so every one of "
            "them must hold what the whole batch had to; with four"
        ),
        critical(staged, "max").tokens,
        example,
        values,
        say(
            "If the weights stay gathered from the first microbatch to the last, the bound is the starting point again, "
            "never less, and {gathered} bytes more are held. Only the gradients can be sent once for all of them, which "
            "the forward pass does not see.",
            gathered=2 * P / Y,
        ),
        lacking=no_batch(staged, values),
    )


def fewer_bytes(case: Setting) -> Way:
    """Send elements of one byte, on the mesh as given and on the best one."""
    example: Values = {b_sent: sp.S.One}
    values = {**case.values, **example}
    low = on_mesh(case, weight_bytes=b_sent, activation_bytes=b_sent)
    best, squared, beside = best_mesh(low), (), ()
    if no_mesh(best, values) is None:
        beside = (Beside(best.tokens("max"), "tokens"),)
        squared = (
            say("At the best {X} both axes gain, and the bound falls with the square of the bytes (second line).", X=X),
        )
    return Way(
        "bytes",
        "Lower precision in what is sent",
        say(
            "Lower precision in what is sent. The bound is proportional to the bytes of an element that is sent; with "
            "one byte (FP8)"
        ),
        critical(low, "max").tokens,
        example,
        values,
        sentences(
            *squared,
            say(
                "The products stay in BF16: if they ran in FP8 too, {C} would double and the gain be lost. Quantised "
                "weight gathers: ZeRO++ (Wang et al., 2023, arXiv:2306.10209).",
                C=C,
            ),
        ),
        beside,
        no_batch(low, values),
    )


def grouped(case: Setting) -> Way:
    """Shard the weights inside groups of the FSDP axis, so that a gather stays inside one."""
    copies = min(4, int(case.values[X]))
    example: Values = {n_replica: sp.Integer(copies)}
    network = Network(case.roofline.network.direction, "exact")
    gather = Collective("all-gather", "weights", 2 * case.load.weights / Y, X / n_replica, "X", M_X)
    tokens = critical(Roofline(Pass("forward", case.load.flops, X * Y, (gather,)), network), "max").tokens
    alone = tokens.xreplace({n_replica: sp.S.One}).xreplace(dict(case.values))
    return Way(
        "groups",
        "Hierarchical sharding",
        say(
            "Hierarchical sharding. The weights are sharded inside groups of the FSDP axis and repeated in every group, "
            "so that a gather stays inside a group. With the exact ring (one group: {alone}), and {copies} groups,",
            alone=about(Amount(alone, "tokens")),
            copies=copies,
        )
        if alone.is_number
        else say(
            "Hierarchical sharding. The weights are sharded inside groups of the FSDP axis and repeated in every group, "
            "so that a gather stays inside a group. With the exact ring, and {copies} groups,",
            copies=copies,
        ),
        tokens,
        example,
        {**case.values, **example},
        say(
            "The second line is the exact ring with one group. The gain is large only when the groups are small, or "
            "when a gather no longer leaves a pod for a slower network; the price is that every device holds so many "
            "times more states. Gradients are then also all-reduced between the groups (HSDP; MiCS, Zhang et al., 2022; "
            "hpZ of ZeRO++)."
        ),
        (Beside(tokens.xreplace({n_replica: sp.S.One}), "tokens"),),
        no_batch(case.roofline, case.values),
        tokens.xreplace({n_replica: sp.S.One}),
    )


def experts(case: Setting) -> Way:
    """Use a mixture of experts: all are gathered and a token visits a few; or they stay in place and tokens move."""
    example: Values = {E: sp.Integer(8), k: sp.Integer(2)}
    load = replace(case.load, flops=k * case.load.flops, weights=E * case.load.weights)
    gathered = Roofline(scheme("fsdp+tp", load).forward, case.roofline.network)
    values = {**case.values, **example}
    visits = 2 * k * case.load.inputs / Y
    moves = tuple(Collective("all-to-all", what, visits, X, "X", M_X) for what in ("tokens", "results"))
    moved = Roofline(Pass("forward", load.flops, X * Y, moves), case.roofline.network)
    return Way(
        "experts",
        "Experts, and expert parallelism",
        say(
            "Experts, and expert parallelism. A mixture of experts makes it worse under FSDP: all {E} experts are "
            "gathered and a token visits {k} of them. With 8 experts of which 2 are visited",
            E=E,
            k=k,
        ),
        critical(gathered, "max").tokens,
        example,
        values,
        say(
            "The factor is {ratio}. Expert parallelism over the same chips leaves the experts in place and moves the "
            "tokens, there and back: that grows with the batch as the products do, so the batch cancels, and the second "
            "line (products over all-to-all) must exceed one instead. Where it does, the bound is gone instead of "
            "lowered.",
            ratio=E / k,
        ),
        (Beside(critical(moved, "max").limits[0].margin, over_one=True),),
        no_batch(gathered, values),
    )
