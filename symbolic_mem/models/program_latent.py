"""What the modules of an engine compute in latent attention while nothing is trained, on a `Tape`: its forward pass alone.

Source: DeepSeek-V2 and V3 of transformers 5.24, each operation followed in passes of inference; plain modules do the same with
norms of one kernel.
"""

from __future__ import annotations

import sympy as sp

from symbolic_mem.models import autograd as do
from symbolic_mem.models.architecture import Architecture, Latent
from symbolic_mem.models.linear import TOKENS
from symbolic_mem.models.profile import Profile
from symbolic_mem.models.program_attention import FUSED, fused_kernel, probabilities
from symbolic_mem.models.program_linear import product
from symbolic_mem.models.program_norm import norm_program
from symbolic_mem.models.tape import Tape, Value
from symbolic_mem.models.tensors import EXPANDED, REPEATED, Tensor

FOUR = sp.Integer(4)
MEASURED = ("deepseek_v2", "deepseek_v3")  # families whose passes were followed


def latent_described(a: Architecture, how: Profile, *, by_hand: bool) -> bool:
    """Say whether the operations of a latent attention are described."""
    kernel = how.kernel in FUSED or (by_hand and how.kernel == "eager")
    known = a.family in MEASURED if by_hand else a.position == "rotary"
    adapted = how.trained.adapts("W_kv_up", "attention")
    return kernel and known and not (how.given or a.sinks or adapted) and a.attention_dropout == 0


def latent_program(
    tape: Tape, a: Architecture, how: Profile, x: Value, *, by_hand: bool
) -> tuple[Value, tuple[Value, ...]]:
    """Record a latent attention that reads `x`; it also returns what has a name until the block is over.

    Keys and values of every head are made of the narrow vectors, of which decoding has all that it has cached.
    """
    latent = a.latent
    assert latent is not None
    width, inner = a.n_heads * (latent.d_nope + latent.d_rope), a.n_heads * latent.d_v
    q = _queries(tape, a, latent, how, x, width, by_hand=by_hand)
    narrow = (latent.d_c + latent.d_rope, a.d_model)
    both = product(tape, how, x, "W_kv_down", narrow, "attention", bias=a.qkv_bias)
    tape.label = "the norm of keys and values"
    gain = (("gain of the kv norm", (latent.d_c,)),)
    vector = norm_program(tape, a.norm, how, _part(both, latent.d_c), TOKENS, gain, by_hand=by_hand)
    tape.label = "the rotation"
    turned = _rotated(tape, a, [_part(q, a.n_heads * latent.d_rope), _part(both, latent.d_rope)], by_hand=by_hand)
    query = do.copied(tape, q)
    expanded = (a.n_heads * (latent.d_nope + latent.d_v), latent.d_c)
    wide = product(tape, how, vector, EXPANDED, expanded, "attention")
    key = do.copied(tape, query, name=REPEATED)
    value = _part(wide, inner)
    tape.label = "the attention kernel"
    scores: tuple[Value, ...] = ()
    if how.kernel in FUSED:
        attended = fused_kernel(tape, a, how, query, key, value, inner)
        if "out_by_head" in how.row(f"attention {how.kernel}"):
            attended = _in_rows(tape, attended)
    else:
        scores = (probabilities(tape, a, how, query, key),)
        tape.label = "the sum of the values"
        values = do.copied(tape, value, name=REPEATED)
        summed = do.products(tape, scores[0], values, (*TOKENS, inner))
        tape.drop(values)
        attended = _in_rows(tape, summed)
    out = product(tape, how, attended, "W_o", (a.d_model, inner), "attention", bias=a.o_bias)
    tape.drop(attended, q, both, vector, *turned, query, key, wide)
    return out, scores


def _queries(
    tape: Tape, a: Architecture, latent: Latent, how: Profile, x: Value, width: sp.Expr, *, by_hand: bool
) -> Value:
    """Queries of all heads, of the residual stream or of a narrow vector."""
    if latent.d_cq is None:
        return product(tape, how, x, "W_q", (width, a.d_model), "attention")
    down = product(tape, how, x, "W_q_down", (latent.d_cq, a.d_model), "attention", bias=a.qkv_bias)
    tape.label = "the norm of queries"
    gain = (("gain of the q norm", (latent.d_cq,)),)
    narrow = norm_program(tape, a.norm, how, down, TOKENS, gain, by_hand=by_hand)
    tape.drop(down)
    out = product(tape, how, narrow, "W_q_up", (width, latent.d_cq), "attention")
    tape.drop(narrow)
    return out


def _part(whole: Value, width: sp.Expr) -> Value:
    """Look at so many numbers of each token."""
    size = whole.tensor.bytes_per_element
    return Value(whole.storage, view=Tensor("a part", (*TOKENS, width), bytes_per_element=size))


def _in_rows(tape: Tape, x: Value) -> Value:
    """Lay what heads give out by tokens."""
    out = do.copied(tape, x)
    tape.drop(x)
    return out


def _rotated(tape: Tape, a: Architecture, parts: list[Value], *, by_hand: bool) -> list[Value]:
    """Queries and the key of a token turned by their positions: as complex numbers in V2, pairs of neighbours in V3."""
    if not by_hand:
        return [do.rotate(tape, one) for one in parts]
    return _as_complex(tape, parts) if a.family == "deepseek_v2" else [_by_pairs(tape, one) for one in parts]


def _as_complex(tape: Tape, parts: list[Value]) -> list[Value]:
    wide = [do.cast(tape, one, FOUR) for one in parts]
    found = []
    for one, narrow in zip(wide, parts, strict=True):
        turned = do.times(tape, one)
        found.append(do.cast(tape, turned, narrow.tensor.bytes_per_element))
        tape.drop(turned)
    tape.drop(*wide)
    return found


def _by_pairs(tape: Tape, x: Value) -> Value:
    """First and second of all pairs apart: each the sum of two products, and both joined."""
    shape, size = x.tensor.shape, x.tensor.bytes_per_element
    half = (*shape[:-1], shape[-1] / 2)
    sums = []
    for _ in range(2):
        products = [tape.new("product with a table", half, size) for _ in range(2)]
        sums.append(tape.new("half of what is turned", half, size))
        tape.drop(*products)
    out = tape.record(tape.new("rotated", shape, size))
    tape.drop(*sums)
    return out
