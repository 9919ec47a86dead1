"""A block as an engine that serves models computes it, on a `Tape`: its forward pass alone.

Projections of a kind are one product, queries and keys are rotated in place, activation functions are one kernel, and a mixture of
experts is one operation whose buffers all layers share.

Source: vLLM 0.11.2, whose model files were followed over such layers (tests/data/measure_served.py); experts: vLLM,
model_executor/layers/fused_moe: experts/triton_moe.py, marlin_moe.py and deep_gemm_moe.py, workspace_shapes, which agree but for rows that
fill up tiles; modular_kernel.py, _allocate_buffers; v1/worker/workspace.py: the buffers stay as they are; runner/moe_runner.py.
"""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.symbols import B, S
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.linear import TOKENS
from symbolic_mem.models.profile import Profile
from symbolic_mem.models.program_attention import FUSED
from symbolic_mem.models.program_latent import latent_described, latent_program
from symbolic_mem.models.served import served
from symbolic_mem.models.tape import Tape, Value
from symbolic_mem.models.tensors import SUMMANDS, Tensor

FOUR = sp.Integer(4)
GIVEN = "what attention gave"


def workspaces(a: Architecture, how: Profile) -> Tensor:
    """Return the buffers of all experts of a pass: one for both products of each choice of a token, one for what is between them.

    >>> from symbolic_mem.library.read import load_study
    >>> found = load_study("mixtral-8x7b").built
    >>> workspaces(found.architecture, found.how).shape
    (B, S, k, Max(d_ff, d_model) + Max(2*d_ff, d_model))
    """
    assert a.experts is not None
    inner = a.experts.d_expert
    width = sp.Max(inner, a.d_model) + sp.Max(2 * inner, a.d_model)
    return Tensor("workspaces of the experts", (B, S, a.experts.top_k, width), bytes_per_element=how.compute)


def summands(a: Architecture, how: Profile) -> tuple[Tensor, ...]:
    """Return what the caller of the blocks may name: words and learned positions, beside their sum."""
    names = SUMMANDS[: served(a).summands]
    return tuple(Tensor(name, (*TOKENS, a.d_model), bytes_per_element=how.compute) for name in names)


def served_described(a: Architecture, how: Profile) -> bool:
    """Say whether the operations of a block are described: with one attention kernel, and with whole experts on no rank of their own."""
    whole = a.experts is None or a.experts.routed_among in (None, a.experts.experts)
    latent = a.latent is None or latent_described(a, how, by_hand=False)
    return how.kernel in FUSED and how.residual == how.compute and not how.blank and whole and latent


def served_block(a: Architecture, how: Profile, experts: bool) -> Tape:
    """Record a block: what its row in served.toml names is there beside the work of attention, and of the MLP or the experts."""
    row, tape = served(a), Tape()
    stream = (*TOKENS, a.d_model)
    x = tape.enter(Tensor("residual stream", stream, bytes_per_element=how.compute))
    there = {row.attention[0]: x}
    _hold(tape, there, row.attention, stream, how)
    if a.latent is None:
        there[GIVEN] = _attention(tape, a, how)
    else:
        there[GIVEN], _ = latent_program(tape, a, how, x, by_hand=False)
    tape.drop(*(there.pop(name) for name in tuple(there) if name not in row.mlp))
    _hold(tape, there, row.mlp, stream, how)
    out = _experts(tape, a, how) if experts else _mlp(tape, a, how, a.d_ff, "", named=row.named)
    tape.drop(out, *(one for one in there.values() if one is not x))
    summed = [_made(tape, how, a.d_model, "the sum after the MLP") for _ in range(row.sums - 1)]
    tape.drop(*summed)
    tape.leaving = x
    return tape


def _hold(
    tape: Tape, there: dict[str, Value], names: tuple[str, ...], shape: tuple[sp.Expr, ...], how: Profile
) -> None:
    for name in names:
        if name not in there:
            there[name] = tape.new(name, shape, how.compute)


def _made(tape: Tape, how: Profile, width: sp.Expr, label: str) -> Value:
    """What an operation makes for each token."""
    tape.label = label
    return tape.record(tape.new(label, (*TOKENS, width), how.compute))


def _attention(tape: Tape, a: Architecture, how: Profile) -> Value:
    """One product, of which queries, keys and values are views; norms of queries and keys make these anew."""
    wide, narrow = a.n_heads * a.d_head, a.n_kv * a.d_head
    there = [_made(tape, how, wide + 2 * narrow, "the product with W_qkv")]
    if a.qk_norm:
        there += [_normed(tape, a, how, width, f"the norm of {name}") for name, width in (("q", wide), ("k", narrow))]
    if served(a).copies:
        there.append(_made(tape, how, narrow, "the copy of the values"))
    there.append(_made(tape, how, wide, "the attention kernel"))
    out = _made(tape, how, a.d_model, "the product with W_o")
    tape.drop(*there)
    return out


def _normed(tape: Tape, a: Architecture, how: Profile, width: sp.Expr, label: str) -> Value:
    """Queries or keys after their norm; one without a gain is in FP32, of a copy of them."""
    if a.qk_norm != "plain":
        return _made(tape, how, width, label)
    copied = _made(tape, how, width, label)
    wide = [tape.new(name, (*TOKENS, width), FOUR) for name in ("converted", "normalised in FP32")]
    tape.drop(copied)
    out = _made(tape, how, width, label)
    tape.drop(*wide)
    return out


def _mlp(tape: Tape, a: Architecture, how: Profile, inner: sp.Expr, of: str, *, named: bool) -> Value:
    if a.gated:
        first = _made(tape, how, 2 * inner, f"the product with W_gate and W_up{of}")
        active = _made(tape, how, inner, f"the product of gate and up projection{of}")
    else:
        first = _made(tape, how, inner, f"the product with W_in{of}")
        active = _made(tape, how, inner, f"the activation function{of}")
    tape.drop(*(() if named else (first,)))
    out = _made(tape, how, a.d_model, f"the product with {'W_down' if a.gated else 'W_out'}{of}")
    tape.drop(active, *((first,) if named else ()))
    return out


def _experts(tape: Tape, a: Architecture, how: Profile) -> Value:
    """A mixture of experts: what it gives is there beside the shared experts' result, to which it is added in place."""
    experts = a.experts
    assert experts is not None
    logits = _made(tape, how, experts.experts, "the router")
    rows = (*TOKENS, experts.top_k)
    weights, chosen = (tape.new(name, rows, FOUR, needs=False) for name in ("weights of the choices", "choices"))
    shared = experts.d_shared != 0
    own = (_mlp(tape, a, how, experts.d_shared, " of the shared experts", named=served(a).named),) if shared else ()
    result = _made(tape, how, a.d_model, "the experts")
    tape.drop(logits, weights, chosen, *own)
    return result
