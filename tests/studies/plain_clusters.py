"""The peaks of ranks of a cluster and of a fine-tuning run, by plain arithmetic: nothing here knows the package.

States are those of Megatron-LM's distributed optimizer: BF16 weights and FP32 gradients whole on each replica, 6 bytes, and 12
bytes of FP32 weights and moments divided over the replicas (Megatron-LM, docs of the distributed optimizer: 6 + 12/d). What a
block keeps is what Transformer Engine keeps in BF16, which for GPT-3 is Korthikanti's 34 s b h / t beside the statistics of
softmax and norms; in flight are p micro-batches on the first stage of 1F1B, L (1 + (p - 1)/(p v)) blocks of an interleaved one
(section 4.2.3), and p + 1 of half the blocks under DualPipe (DeepSeek-V3, table 2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

H100, A100, RTX_4090 = 85520809984, 80 * 2**30, 25757220864
WORKSPACES = 107374182  # of Transformer Engine 2.11, as 12 stages on B200 have them
FIRST = "the backward pass of the MLP of the last block on the first stage"


@dataclass(frozen=True)
class Rank:
    """What one rank has: parameters that every replica has, those of experts, and bytes that nothing divides further."""

    dense: Fraction
    experts: Fraction
    rest: Fraction


def sizes(values: Mapping[str, Any], pad: bool = True) -> Any:
    v = SimpleNamespace(**({"n_tp": 1, "n_pp": 1, "n_cp": 1, "n_ep": 1, "n_etp": 1, "n_fsdp": 1} | dict(values)))
    v.tokens = Fraction(v.B * v.S, v.n_cp)
    each = 128 * v.n_tp  # Megatron-LM pads the vocabulary to a multiple of 128 for each rank
    v.V = -(-v.V // each) * each if pad else v.V
    v.q, v.kv = v.n_heads * getattr(v, "d_head", 0), getattr(v, "n_kv", 0) * getattr(v, "d_head", 0)
    return v


def shapes(v: Any, *found: tuple[int, int]) -> Fraction:
    """Transformer Engine hands autograd one BF16 gradient for each shape of a weight: it has added the real one itself."""
    return Fraction(2 * sum(out * into for out, into in found), v.n_tp)


def twice(v: Any, width: int, heads: int) -> int:
    """Bytes that context parallelism adds for a token: the output of a ring of ranks is kept beside that of its own."""
    return 2 * width * heads if v.n_cp > 1 else 0


def worked(v: Any) -> int:
    """The width of the keys of all ranks together, each of which has one key-value head at least."""
    return max(v.kv, v.d_head * v.n_tp)


def gathered(v: Any) -> Fraction:
    """The input of a layer from all ranks, and its gradient: only where there are several."""
    return 4 * v.tokens * v.d_model if v.n_tp > 1 else Fraction(0)


def sent_back(v: Any) -> Fraction:
    """The gradient that a rank sent back last, which the loop of Megatron-LM's schedule refers to until it has the next."""
    return Fraction(2 * v.tokens * v.d_model, v.n_tp)


def bytes_of(v: Any, rank: Rank) -> Fraction:
    """Megatron-LM: 6 bytes and 12 divided over the replicas; of an expert there are fewer of these."""
    replicas = v.n_fsdp * v.n_cp
    own = Fraction(replicas * v.n_tp, v.n_ep * v.n_etp)
    return rank.dense * (6 + Fraction(12, replicas)) + rank.experts * (6 + 12 / own) + rank.rest


# Llama: gated MLP, grouped heads, RMSNorm


def llama_block(v: Any) -> Fraction:
    return Fraction((2 * v.q + 2 * v.kv) * v.d_model + 3 * v.d_ff * v.d_model, v.n_tp) + 2 * v.d_model


def llama_kept(v: Any) -> Fraction:
    each = 2 * (2 * v.d_model + 4) + (2 * v.d_model + 4 * (v.q + worked(v) + v.n_heads)) + (2 * v.d_model + 6 * v.d_ff)
    return v.tokens * (each + twice(v, v.d_head, v.n_heads)) / v.n_tp


def llama_shapes(v: Any) -> tuple[tuple[int, int], ...]:
    d = v.d_model
    return ((v.q + 2 * v.kv, d), (d, v.q), (2 * v.d_ff, d), (d, v.d_ff))


def llama_first(v: Any) -> Rank:
    blocks = Fraction(v.L, v.n_pp)
    rest = WORKSPACES + shapes(v, *llama_shapes(v)) + min(v.n_pp, v.n_micro) * blocks * llama_kept(v)
    rest += gathered(v) + 4 * v.tokens * Fraction(v.d_ff, v.n_tp)
    return Rank(blocks * llama_block(v) + Fraction(v.V * v.d_model, v.n_tp), Fraction(0), rest)


def llama_loss(v: Any) -> Rank:
    """The last stage, or the only one, at the loss: logits in BF16, over which their gradients are written."""
    blocks, ends = Fraction(v.L, v.n_pp), 1 if v.n_pp > 1 else 2
    rest = WORKSPACES + shapes(v, *llama_shapes(v), (v.V, v.d_model)) + blocks * llama_kept(v)
    rest += v.tokens * Fraction(2 * (v.d_model + 2) + 2 * v.d_model + 2 * v.V, v.n_tp) + gathered(v)
    rest += sent_back(v) if v.n_pp > 1 else 0
    dense = blocks * llama_block(v) + Fraction(ends * v.V * v.d_model, v.n_tp) + v.d_model
    return Rank(dense, Fraction(0), rest)


def llama_405b(v: Any) -> Fraction:
    """Stage 2 of 16, of eight blocks: 15 micro-batches in flight; FSDP divides gradients and states, and not weights."""
    rest = WORKSPACES + shapes(v, *llama_shapes(v)) + min(v.n_pp - 1, v.n_micro) * 8 * llama_kept(v)
    rest += gathered(v) + 4 * v.tokens * Fraction(v.d_ff, v.n_tp) + sent_back(v)
    return 8 * llama_block(v) * (2 + Fraction(16, v.n_fsdp)) + rest


# GPT-3: biases, LayerNorm, dropout, a tied embedding with learned positions


def gpt3_first(v: Any) -> Rank:
    d, t = v.d_model, v.n_tp
    linear = Fraction((v.q + 2 * v.kv) * (d + 1) + v.q * d + 2 * d * v.d_ff + v.d_ff, t)
    blocks = Fraction(v.L, v.n_pp)
    dense = (
        blocks * (linear + 2 * d + 4 * d) + Fraction(v.V * d, t) + v.n_pos * d
    )  # biases after both products; two norms
    first, chunks = 2 * (v.n_pp - 1) + 1, 2 * (v.n_pp - 1) + (v.n_chunks - 1) * v.n_pp + 1
    each = 2 * (2 * d + 8) + (2 * d + d + 4 * (v.q + v.kv + v.n_heads)) + (2 * d + d + 4 * v.d_ff)
    each += twice(v, v.d_head, v.n_heads)
    rest = WORKSPACES + shapes(v, (v.q + 2 * v.kv, d), (d, v.q), (v.d_ff, d), (d, v.d_ff))
    rest += (
        v.tokens * (chunks * blocks / v.n_chunks * each + first * d) / t
    )  # the dropout of the embedding keeps a mask
    rest += gathered(v) + 2 * v.tokens * Fraction(v.d_ff, t) + sent_back(v)
    return Rank(dense, Fraction(0), rest)


# Mixtral: of E experts each token takes k


def mixtral_first(v: Any) -> Rank:
    d, t, blocks = v.d_model, v.n_tp, Fraction(v.L, v.n_pp)
    dense = blocks * (Fraction((2 * v.q + 2 * v.kv) * d, t) + 2 * d + v.E * d) + Fraction(v.V * d, t)
    experts = blocks * Fraction(3 * v.E * d * v.d_ff, v.n_ep * v.n_etp)
    each = (
        2 * (2 * d + 4)
        + (2 * d + 4 * (v.q + worked(v) + v.n_heads))
        + 2 * (3 * v.k * v.d_ff + v.n_etp * v.k * d + d + 8 * v.k)
    )
    each += twice(v, v.d_head, v.n_heads)
    rest = WORKSPACES + shapes(v, (v.q + 2 * v.kv, d), (d, v.q)) + Fraction(6 * v.d_ff * d, v.n_etp)
    rest += v.tokens * min(v.n_pp, v.n_micro) * blocks * each / t
    return Rank(dense, experts, rest + gathered(v) + 4 * v.tokens * v.k * Fraction(v.d_ff, t))


# DeepSeek-V3: latent attention, dense blocks first, shared experts; every block recomputed from its input


def latent(v: Any) -> int:
    q, kv, out = v.n_heads * (v.d_nope + v.d_rope), v.n_heads * (v.d_nope + v.d_v), v.n_heads * v.d_v
    return q * v.d_cq + kv * v.d_c + out * v.d_model


def deepseek(v: Any, dense_blocks: int, expert_blocks: int, *, ends: bool, at: str = "block") -> Rank:
    """A rank with blocks of both kinds; the one with the `ends` has the modules that predict one token more, too.

    It is `at` work on a "block", on a "module", or on the loss.
    """
    d, t, modules = v.d_model, v.n_tp, v.L_mtp if ends else 0
    experts = expert_blocks + modules
    narrow = d * (v.d_cq + v.d_c + v.d_rope) + v.d_cq + v.d_c + 2 * d
    dense = (dense_blocks + experts) * (Fraction(latent(v), t) + narrow) + dense_blocks * Fraction(3 * d * v.d_ff, t)
    dense += experts * (Fraction(3 * d * v.n_shared * v.d_expert, t) + v.E * d)
    dense += modules * (Fraction(2 * d * d, t) + 3 * d)  # the product that joins two inputs, and three norms
    dense += Fraction(2 * v.V * d, t) + d if ends else 0
    routed = experts * Fraction(3 * v.E * d * v.d_expert, v.n_ep * v.n_etp)
    q, kv, out = v.n_heads * (v.d_nope + v.d_rope), v.n_heads * (v.d_nope + v.d_v), v.n_heads * v.d_v
    found = [(q, v.d_cq), (kv, v.d_c), (d, out), (v.n_shared * v.d_expert, d), (d, v.n_shared * v.d_expert)]
    found += [(2 * v.d_ff, d), (d, v.d_ff)] if dense_blocks else []
    found += [(v.V, d)] if ends else []
    found += [(d, 2 * d)] if modules else []
    rest = WORKSPACES + shapes(v, *found) + 2 * d * (v.d_cq + v.d_c + v.d_rope) + Fraction(6 * v.d_expert * d, v.n_etp)
    rest += (dense_blocks + expert_blocks) * (v.n_pp + 1) * v.tokens * d / t + sent_back(v)
    rest += 4 * modules * v.tokens * d / t if at != "block" else 0
    if at == "loss":
        rest += (1 + modules) * v.tokens * (2 * (d + 2) + 2 * (d + v.V)) / t
        return Rank(dense, routed, rest + gathered(v))
    work = 2 * (2 * d + 4) + 2 * (2 * v.d_cq + 2 * v.d_c) + 8 + 4 * (q + out + v.n_heads)
    work += twice(v, v.d_v, v.n_heads) + 2 * (d + v.n_etp * v.k * d + 8 * v.k + 3 * (v.k + v.n_shared) * v.d_expert)
    work += 2 * (2 * (d + 2) + 2 * d) if at == "module" else 0
    rest += v.tokens * work / t + gathered(v) + 4 * v.tokens * Fraction((v.k + v.n_shared) * v.d_expert, t)
    return Rank(dense, routed, rest)


def deepseek_first(at: str) -> Callable[[Any], Rank]:
    """Rank 1 of 16: the first stage of four blocks and the last of three."""
    return lambda v: deepseek(v, min(v.L_dense, 4), 7 - min(v.L_dense, 4), ends=True, at=at)


Peak = Callable[[Any], Fraction]


def of(rank: Callable[[Any], Rank]) -> Peak:
    return lambda v: bytes_of(v, rank(v))


PEAKS: dict[str, dict[str, Peak]] = {
    "cluster-llama-3.1-70b-64-h100": {
        FIRST: of(llama_first),
        "the loss on the last stage": of(llama_loss),
        "the loss on every rank": of(llama_loss),
    },
    "cluster-llama-3-405b": {"the backward pass of the MLP of the last block on stage 2 of 16": llama_405b},
    "cluster-gpt-3-175b": {FIRST: of(gpt3_first)},
    "cluster-mixtral-8x7b": {FIRST: of(mixtral_first)},
    "cluster-deepseek-v3": {
        FIRST: of(deepseek_first("block")),
        "the backward pass of the MLP that predicts one token more on the first stage": of(deepseek_first("module")),
        "the loss on the first stage": of(deepseek_first("loss")),
        "the backward pass of the MLP of the last block on stage 4 of 16": of(
            lambda v: deepseek(v, max(0, v.L_dense - 12), 8 - max(0, v.L_dense - 12), ends=False)
        ),
    },
}
DEVICES = dict.fromkeys(PEAKS, H100) | {"cluster-gpt-3-175b": A100}


# Llama with adapters, every block recomputed: the loss decides


def linear(v: Any) -> list[tuple[int, int]]:
    d, q, kv, ff = v.d_model, v.q, v.kv, v.d_ff
    return [(q, d), (kv, d), (kv, d), (d, q), (ff, d), (ff, d), (d, ff)]


def adapters(v: Any, which: list[tuple[int, int]]) -> int:
    return v.L * sum(v.r_lora * (out + into) for out, into in which)


def nf4(v: Any) -> int:
    """Dettmers et al. (2023), section 3: four bits, a byte of scale for 64, and four bytes for 256 of these."""
    groups = [-(-out * into // 64) for out, into in linear(v)]
    return v.L * sum(
        out * into // 2 + one - (-one // 256) * 4 for (out, into), one in zip(linear(v), groups, strict=True)
    )


def others(v: Any) -> int:
    return 2 * v.V * v.d_model + (2 * v.L + 1) * v.d_model


def at_the_loss(v: Any, frozen: int, trained: int) -> int:
    """FP32 adapters, their BF16 copies, gradients and moments; FP32 logits, their gradient and another; inputs of blocks."""
    tokens = v.B * v.S
    kept = 2 * v.L * tokens * v.d_model + 4 * tokens * (v.d_model + 1) + 12 * tokens * v.V
    return frozen + (4 + 2 + 4 + 8) * trained + kept + 4 * v.S * v.d_head + 8 * v.S


def lora(v: Any) -> int:
    frozen = 2 * (v.L * sum(out * into for out, into in linear(v)) + others(v))
    return at_the_loss(v, frozen, adapters(v, linear(v)[:1] + linear(v)[2:3]))


def qlora(v: Any) -> int:
    return at_the_loss(v, nf4(v) + 2 * others(v), adapters(v, linear(v)))


TUNED: dict[str, tuple[Callable[[Any], int], int]] = {
    "lora-llama-3.1-8b": (lora, H100),
    "qlora-llama-3.1-8b": (qlora, RTX_4090),
}
