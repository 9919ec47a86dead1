"""The ways to a smaller critical batch that change the mesh or what shares it: axes, shape, width, overlap, stages."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.exact import Values
from symbolic_mem.base.symbols import M_X, M_Y, L, N_devices, P, W, X, Y, d_ff, n_micro, n_pp
from symbolic_mem.document.prose import Amount, Chain, Prose, amount, say, text
from symbolic_mem.document.words import about, counted, sentences
from symbolic_mem.plans.roofline import Roofline
from symbolic_mem.plans.schemes import Mesh, bubble, scheme
from symbolic_mem.questions.parts.setting import Setting
from symbolic_mem.questions.parts.way import Beside, Way, no_batch, no_mesh
from symbolic_mem.solvers.critical import critical, tidy
from symbolic_mem.solvers.optimum import best_mesh, least, whole_meshes


def bound_on(case: Setting, mesh: Mesh | None = None, overlap: str = "max", **sent: sp.Expr) -> sp.Expr:
    """Return the tokens that a batch must exceed on another mesh, under another rule or with other bytes sent."""
    return critical(on_mesh(case, mesh, **sent), overlap).tokens


def on_mesh(case: Setting, mesh: Mesh | None = None, **sent: sp.Expr) -> Roofline:
    """Return the forward pass on another mesh, or with other bytes sent."""
    return Roofline(scheme("fsdp+tp", case.load, mesh, **sent).forward, case.roofline.network)


def more_axes(case: Setting) -> Way:
    """Lay the FSDP axis over one physical axis more, or less where there are several."""
    less = case.values[M_X] > 1
    fewer = bound_on(case).xreplace({M_X: M_X - 1})
    return Way(
        "axes",
        "More mesh axes",
        text(
            "More mesh axes. Every physical axis that the FSDP axis is laid over adds its links. The bound falls as one "
            "over their number, and all of those given are already used; with one axis less it would be"
        )
        if less
        else text(
            "More mesh axes. Every physical axis that the FSDP axis is laid over adds its links. The bound falls as one "
            "over their number; with one axis more it would be"
        ),
        fewer if less else bound_on(case).xreplace({M_X: M_X + 1}),
        {},
        case.values,
        say(
            "A torus of three axes has two for FSDP and one for tensor parallelism: {M_X} and {M_Y} add up to at most "
            "3, and their product, which decides at the best {X}, is at most 2. On a switch, raise {W}.",
            M_X=M_X,
            M_Y=M_Y,
            X=X,
            W=W,
        ),
        lacking=no_batch(case.roofline, case.values),
        used=less,
    )


def best_shape(case: Setting) -> Way:
    """Choose X and Y freely at the same number of chips."""
    best = best_mesh(case.roofline)
    meshes = whole_meshes(case.roofline, case.chips or 1, case.values, "max")
    whole = least(meshes)
    if whole is None:
        reason = text(
            "More tensor parallelism shrinks the weights that are gathered; the products over the tensor-parallel axis "
            "allow it while they take much longer than what is sent along it."
        )
    else:
        reason = say(
            "More tensor parallelism shrinks the weights that are gathered; the products over the tensor-parallel axis "
            "allow it while they take much longer than what is sent along it. That {X} is {best}; of the meshes of whole "
            "axes {x} × {y} is the best, and a batch on it must exceed {tokens}.",
            X=X,
            best=about(Amount(best.x_at("max").xreplace(dict(case.values)))),
            x=whole.x,
            y=whole.y,
            tokens=counted(whole.tokens or sp.S.Zero, "tokens"),
        )
    return Way(
        "shape",
        "The best X and Y",
        say(
            "The best {X} and {Y}. With the best {X}, {x}, on the same {N} chips,",
            X=X,
            x=Chain(best.x_at("max"), (amount(best.x_at("max").xreplace(dict(case.values))),)),
            Y=Y,
            N=Chain(N_devices, (("=", X * Y),)),
        ),
        best.tokens("max"),
        {},
        case.values,
        reason,
        lacking=no_mesh(best, case.values),
        whole=whole,
        meshes=meshes,
        x=best.x_at("max"),
    )


def wider_layer(case: Setting) -> Way:
    """Widen the feed-forward layer, at the best shape of the mesh."""
    narrowest = tidy(d_ff / critical(case.roofline, "max").conditions[0])
    return Way(
        "width",
        "A wider feed-forward layer",
        say(
            "A wider feed-forward layer. At the best {X} the bound falls as one over {d_ff}; for twice the width",
            X=X,
            d_ff=d_ff,
        ),
        best_mesh(case.roofline).tokens("max").xreplace({d_ff: 2 * d_ff}),
        {},
        case.values,
        say(
            "At {X} and {Y} as given the max rule does not depend on {d_ff} beyond the condition below; the sum rule "
            "tends to the max rule as {d_ff} grows. Weights and products grow alike, so only the share of the "
            "activations that are sent falls.",
            X=X,
            Y=Y,
            d_ff=d_ff,
        ),
        (Beside(narrowest, "elements", under=d_ff),),
        no_mesh(best_mesh(case.roofline), {**case.values, d_ff: 2 * case.values[d_ff]}),
        best_mesh(case.roofline).tokens("max"),
    )


def overlapped_axes(case: Setting) -> Way:
    """Send along both axes at the same time, against one after the other."""
    best = best_mesh(case.roofline)
    ratio = tidy(best.tokens("sum") / best.tokens("max"))
    none = no_batch(case.roofline, case.values, "sum")
    worth = (
        say(
            "So sending at the same time is worth the difference to the starting point, and a factor of {ratio} at the "
            "best {X}.",
            ratio=int(ratio) if ratio.is_Integer else Amount(ratio.xreplace(dict(case.values))),
            X=X,
        ),
    )
    return Way(
        "overlap",
        "Overlapping the two axes",
        text("Overlapping the two axes. If the axes sent one after the other, the batch would have to be larger than"),
        bound_on(case, overlap="sum"),
        {},
        case.values,
        sentences(
            *(worth if none is None else ()),
            text(
                "Collectives can also be cut in pieces between pieces of a product (Wang et al., 2022, Overlap "
                "communication with dependent computation via decomposition)."
            ),
        ),
        lacking=none,
        used=True,
    )


def pipelined(case: Setting) -> Way:
    """Cut the model into four stages, each with a quarter of the FSDP axis and its gathered weights kept."""
    example: Values = {n_pp: sp.Integer(4), n_micro: sp.Integer(16)}
    values, beside = {**case.values, **example}, ()
    staged = Mesh(x=X / n_pp)
    if case.values[X] % example[n_pp]:
        lacking = say("An axis of {x} cannot be cut in four.", x=Amount(case.values[X], "chips"))
    else:
        lacking = no_batch(on_mesh(case, staged), values)
    if not case.names and L in case.values:
        values[P] = case.load.weights.xreplace(dict(case.values)) * case.values[L]
    if P in values:
        beside = (Beside(2 * P / (n_pp * Y), "GiB"), Beside(bubble(n_pp, n_micro)))
    return Way(
        "stages",
        "Pipelining",
        text(
            "Pipelining. With four stages, each has a quarter of the FSDP axis, and all tokens pass through it. If a "
            "stage keeps its gathered weights while the microbatches of a step pass,"
        ),
        bound_on(case, staged),
        example,
        values,
        _price(),
        beside,
        lacking,
    )


def _price() -> Prose:
    return text(
        "The price: the gathered weights of a stage (second line), and the bubble, the idle part, for sixteen "
        "microbatches (third line; Narayanan et al., 2021). If each microbatch gathered the weights again, its number "
        "would multiply the bound, and nothing would be gained."
    )
