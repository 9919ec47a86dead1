"""What the modules of an engine compute in the attention of a block, on a `Tape`.

Source: transformers 5.24 and plain PyTorch 2.13 modules, each operation followed on fake tensors.
"""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.symbols import B, S
from symbolic_mem.models import autograd as do
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.attention import by_parts_of_heads, heads_with_keys, repeats
from symbolic_mem.models.families import does
from symbolic_mem.models.linear import TOKENS
from symbolic_mem.models.profile import Profile, Shape
from symbolic_mem.models.program_linear import product
from symbolic_mem.models.program_norm import norm_program
from symbolic_mem.models.program_rotation import part, turned
from symbolic_mem.models.tape import Make, Tape, Value
from symbolic_mem.models.tensors import LAID_OUT, Tensor

FUSED = ("flash", "flash_gqa", "efficient")
FOUR = sp.Integer(4)


def attention_described(a: Architecture, how: Profile, *, by_hand: bool, passing: bool) -> bool:
    """Say whether the operations of an attention are described: where a block is `passing` tokens on, of plain modules with one kernel all are."""
    tables = bool(how.given) or (how.row("rotary_tables").get("cos") in ("compute", 4) and not how.row("rotary"))
    whole = not by_hand or (a.d_rotary is None and not a.fused_qkv)
    dropping = a.residual_dropout == 0 or does(a.family, "block drops")
    joined = by_hand and does(a.family, "joins") and a.fused_qkv and dropping
    rotated = a.position != "rotary" or ((whole or joined) and tables)
    kernel = how.kernel in FUSED or (by_hand and how.kernel == "eager")
    dropped = kernel and (how.kernel == "eager" or a.attention_dropout == 0 or how.kernel in how.regenerates)
    some = by_hand and a.fused_qkv and not joined and heads_with_keys(a.n_kv, a.n_heads, a.values()) != "all"
    if passing and not by_hand:
        return how.kernel in FUSED and (a.position != "rotary" or tables)
    normed = a.qk_norm in ("", "head", "width") and not a.qk_norm_bias
    return not (a.sinks or some) and rotated and dropped and normed


def attention_program(
    tape: Tape, a: Architecture, how: Profile, x: Value, tables: tuple[Value, ...], *, by_hand: bool
) -> tuple[Value, tuple[Value, ...]]:
    """Record an attention that reads `x`, and `tables` of the block's own; it also returns what has a name until the block is over."""
    q, k, v = _projected(tape, a, how, x, by_hand=by_hand)
    if a.qk_norm not in ("", "width"):
        q, k = (
            _normed(tape, how, a.norm, one, letter, (*TOKENS, heads), a.d_head, by_hand=by_hand)
            for letter, one, heads in (("q", q, a.n_heads), ("k", k, a.n_kv))
        )
    if a.position == "rotary":
        whole, (q, k) = q, turned(tape, a, how, q, k, tables)
    views = a.fused_qkv and (a.position != "rotary" or does(a.family, "joins"))  # the kernel reads the product
    tape.label = "the attention kernel"
    width = a.n_heads * a.d_head
    some = repeats(how) and heads_with_keys(a.n_kv, a.n_heads, a.values()) == "some"
    keys, values = (do.repeat(tape, one, (*TOKENS, width)) for one in (k, v)) if some else (k, v)
    scores: tuple[Value, ...] = ()
    if how.kernel in FUSED:
        attended = fused_kernel(tape, a, how, q, keys, values, width)
        # What is joined is laid out by heads, and so is what the kernel gives.
        if (does(a.family, "joins") or by_parts_of_heads(a, how)) and how.kernel != "efficient":
            by_heads, attended = attended, do.copied(tape, attended)
            tape.drop(by_heads)
        tape.drop(*(() if views else (q,)), *((keys, values) if some else ()))
    else:
        attended, weights = _by_parts(tape, a, how, q, keys, values, repeated=some)
        scores = (weights,)
        tape.drop(*((keys, values) if some else ()))
    out = product(tape, how, attended, "W_o", (a.d_model, width), "attention", bias=a.o_bias)
    tape.drop(attended)
    if a.residual_dropout != 0 and not does(a.family, "block drops"):
        dropped = do.dropped_out(tape, out)
        tape.drop(out)
        out = dropped
    named = (
        (q, k, whole) if does(a.family, "joins") else (q,) if views else (k, v) if how.kernel in FUSED else (q, k, v)
    )
    tape.drop(*named)
    return out, scores


def _projected(tape: Tape, a: Architecture, how: Profile, x: Value, *, by_hand: bool) -> tuple[Value, Value, Value]:
    """Queries, keys and values as they are seen by heads: three products, or views of one."""
    q_width, kv_width = a.n_heads * a.d_head, a.n_kv * a.d_head
    bias = a.qkv_bias
    if not a.fused_qkv:
        made = []
        for name, width in (("W_q", q_width), ("W_k", kv_width), ("W_v", kv_width)):
            one = product(tape, how, x, name, (width, a.d_model), "attention", bias=bias)
            if a.qk_norm == "width" and name != "W_v":
                one = _normed(tape, how, a.norm, one, name[-1], TOKENS, width, by_hand=by_hand)
            made.append(do.pass_on(tape, one))
        q, k, v = made
        return q, k, v
    widths = (q_width, kv_width, kv_width)
    whole = product(tape, how, x, "W_qkv", (sp.Add(*widths), a.d_model), "attention", bias=bias)
    size = whole.tensor.bytes_per_element
    if does(a.family, "joins at once"):
        q, k, v = (do.pass_on(tape, one) for one in [part(tape, whole, width) for width in widths])
        return q, k, v
    joins = does(a.family, "joins")
    if joins:
        whole = do.pass_on(tape, whole)
    parts = tuple(
        Value(whole.storage, view=Tensor("a part of all", (*TOKENS, width), bytes_per_element=size)) for width in widths
    )
    tape.split(whole, parts, Make("gradient of all", whole.tensor.shape, size))
    q, k, v = parts
    if joins:
        return q, k, v
    by_parts = how.kernel not in FUSED  # a product with transposed keys gives their gradient as the rows need it
    return do.pass_on(tape, q), k if by_parts else do.pass_on(tape, k), do.pass_on(tape, v)


def _normed(
    tape: Tape, how: Profile, kind: str, x: Value, letter: str, rows: Shape, width: sp.Expr, *, by_hand: bool
) -> Value:
    tape.label = f"the norm of {letter}"
    out = norm_program(tape, kind, how, x, rows, ((f"gain of the {letter} norm", (width,)),), by_hand=by_hand)
    tape.drop(x)
    return out


def fused_kernel(tape: Tape, a: Architecture, how: Profile, q: Value, k: Value, v: Value, width: sp.Expr) -> Value:
    """Attend with one kernel: FlashAttention, or the memory-efficient one, whose rows are padded."""
    if how.kernel == "efficient":
        return do.flash(tape, q, k, v, (B, a.n_heads, 32 * sp.ceiling(S / 32)), width, random=8)
    return do.flash(tape, q, k, v, (B, a.n_heads, S), width)


def _bounded(tape: Tape, x: Value) -> Value:
    """A tensor bounded by c tanh(x/c), as Gemma 2 bounds its scores: each operation a tensor."""
    small = do.times(tape, x)
    tape.drop(x)
    bent = do.kept_result(tape, small, "tanh")
    tape.drop(small)
    out = do.times(tape, bent)
    tape.drop(bent)
    return out


def _by_parts(
    tape: Tape, a: Architecture, how: Profile, q: Value, k: Value, v: Value, *, repeated: bool
) -> tuple[Value, Value]:
    """Attend in elementary operations; it also returns the probabilities. What was `repeated` is laid out by heads."""
    tape.label = "the scores"
    queries, keys = do.copied(tape, q), k if repeated else do.copied(tape, k, shape=q.tensor.shape, name=LAID_OUT)
    weights = probabilities(tape, a, how, queries, keys, copies=(queries, *(() if repeated else (keys,))))
    tape.label = "the sum of the values"
    values = v if repeated else do.copied(tape, v, shape=q.tensor.shape, name=LAID_OUT)
    summed = do.products(tape, weights, values, q.tensor.shape)
    out = do.copied(tape, summed, back="gradient by heads")
    tape.drop(summed, *(() if repeated else (values,)))
    return out, weights


def probabilities(
    tape: Tape, a: Architecture, how: Profile, queries: Value, keys: Value, *, copies: tuple[Value, ...] = ()
) -> Value:
    """Record the scores of queries and keys that are laid out by heads, some as `copies`, and their softmax."""
    size = queries.tensor.bytes_per_element
    exact = how.bytes(how.row("attention eager")["probabilities"])
    tape.label = "the scores"
    product = do.products(tape, queries, keys, (B, a.n_heads, S, S))
    tape.drop(*copies)
    scaled = do.times(tape, product)
    tape.drop(product)
    if "softcap" in how.row("attention eager"):
        scaled = _bounded(tape, scaled)
    masked = do.plus(tape, scaled)
    tape.drop(scaled)
    tape.label = "the softmax"
    wide = do.cast(tape, masked, exact)
    soft = do.kept_result(tape, wide, "probabilities")
    tape.drop(*((wide,) if wide is not masked else ()))
    weights = do.cast(tape, soft, size)
    tape.drop(masked, *((soft,) if weights is not soft else ()))
    if a.attention_dropout != 0:
        tape.label = "the dropout of the probabilities"
        dropped = do.dropped_out(tape, weights)
        tape.drop(weights)
        weights = dropped
    return weights
