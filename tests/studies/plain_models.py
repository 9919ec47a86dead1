"""The account of the bundled studies of one model, with nothing recomputed: nothing here knows the package.

What is kept is what PyTorch saves with FlashAttention in BF16: 2 bytes for an element, 4 for a statistic of a row. GPT-2
runs as the Hugging Face code does, with eager attention and dropout.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from plain_papers import At


@dataclass(frozen=True)
class Account:
    """Parameters and the bytes that are kept for the backward pass: of the blocks, outside them, and of the largest block."""

    parameters: int
    kept_by_blocks: int
    kept_outside: int
    of_block: int
    kept_by_block: int

    @property
    def kept(self) -> int:
        """All that is kept where nothing is recomputed."""
        return self.kept_by_blocks + self.kept_outside

    @property
    def static(self) -> int:
        """FP32 weights, gradients and two moments."""
        return 16 * self.parameters


def norm(v: At, width: int) -> int:
    """A root mean square norm: its input, and one FP32 number for each row."""
    return v.B * v.S * (2 * width + 4)


def heads(v: At) -> tuple[int, int]:
    """Parameters of grouped attention and what it keeps: input, queries, keys, values, output and its statistic."""
    q, kv = v.n_heads * v.d_head, v.n_kv * v.d_head
    kept = v.B * v.S * (2 * (v.d_model + 2 * q + 2 * kv) + 4 * v.n_heads) + 24
    return 2 * v.d_model * (q + kv), kept


def narrow_heads(v: At) -> tuple[int, int]:
    """The same with a norm of every query and key head: its input, one number for each head, a gain for each kind."""
    parameters, kept = heads(v)
    rows = v.B * v.S * (v.n_heads + v.n_kv)
    return parameters + 2 * v.d_head, kept + rows * (2 * v.d_head + 4)


def latent_heads(v: At) -> tuple[int, int]:
    """Latent attention: narrow queries and keys with their norms, then as many heads as there are."""
    q, kv, out = v.n_heads * (v.d_nope + v.d_rope), v.n_heads * (v.d_nope + v.d_v), v.n_heads * v.d_v
    parameters = v.d_model * (v.d_cq + v.d_c + v.d_rope + out) + v.d_cq * q + v.d_c * kv + v.d_cq + v.d_c
    narrow = 2 * v.d_cq + 4 + 2 * (v.d_c + v.d_rope) + 4  # the norms of the narrow vectors, whose input is a buffer
    products = 2 * (v.d_model + v.d_cq + v.d_c)
    core = 2 * (2 * q + kv + out) + 4 * v.n_heads
    return parameters, v.B * v.S * (narrow + products + core) + 24


def gated(v: At, inner: int, rows: int) -> tuple[int, int]:
    """A gated layer: the two projections, the activated one and the product; its input is counted where it is kept."""
    return 3 * v.d_model * inner, rows * 8 * inner


def llama(v: At) -> Account:
    rows = v.B * v.S
    attention, kept = heads(v)
    mlp, inside = gated(v, v.d_ff, rows)
    layer = attention + mlp + 2 * v.d_model
    block = 2 * norm(v, v.d_model) + kept + inside + 2 * rows * v.d_model
    return Account(v.L * layer + ends(v), v.L * block, rotary(v, v.d_head) + last(v), layer, block)


def experts(v: At, inner: int) -> tuple[int, int]:
    """Router, experts and what they keep: for each choice of a token its row twice, its weights and where it went."""
    rows = v.B * v.S
    parameters, inside = gated(v, inner, rows * v.k)
    router = 2 * rows * (v.d_model + v.E + 1)
    choices = 2 * rows * v.k * (2 * v.d_model + 14)
    return v.E * parameters + v.E * v.d_model, router + choices + inside


def mixture(of: Callable[[At], tuple[int, int]], inner: str) -> Callable[[At], Account]:
    def account(v: At) -> Account:
        attention, kept = of(v)
        mlp, inside = experts(v, getattr(v, inner))
        layer = attention + mlp + 2 * v.d_model
        block = 2 * norm(v, v.d_model) + kept + inside
        return Account(v.L * layer + ends(v), v.L * block, rotary(v, v.d_head) + last(v), layer, block)

    return account


def deepseek(v: At) -> Account:
    rows, sparse = v.B * v.S, v.L - v.L_dense
    attention, kept = latent_heads(v)
    dense, dense_inside = gated(v, v.d_ff, rows)
    many, inside = experts(v, v.d_expert)
    shared, shared_inside = gated(v, v.n_shared * v.d_expert, rows)
    every, kept = attention + 2 * v.d_model, 2 * norm(v, v.d_model) + kept
    parameters = v.L * every + v.L_dense * dense + sparse * (many + shared) + ends(v)
    blocks = v.L * kept + v.L_dense * (dense_inside + 2 * rows * v.d_model) + sparse * (inside + shared_inside)
    block = kept + inside + shared_inside
    return Account(parameters, blocks, rotary(v, v.d_rope) + last(v), every + many + shared, block)


def gpt2(v: At) -> Account:
    rows, d = v.B * v.S, v.d_model
    layer = 12 * d**2 + 13 * d
    norms = rows * (2 * d + 8)
    # input, three projections, output, and a mask of one byte; of each score the softmax, its mask and its dropout
    attention = rows * (11 * d + 5 * v.S * v.n_heads)
    # input 2, and of four times the width: five 16-bit tensors of the written-out GELU; a mask of one byte
    mlp = rows * (2 * d + 4 * d * 10 + d)
    head = rows * (2 * d + 4 * v.V + 8) + 4  # the logarithms in FP32, and 8 bytes for each label
    block = 2 * norms + attention + mlp
    return Account(
        v.L * layer + v.V * d + v.n_pos * d + 2 * d, v.L * block, norms + head + rows * d + 8 * v.S, layer, block
    )


def ends(v: At) -> int:
    """Embedding, head and last norm."""
    return 2 * v.V * v.d_model + v.d_model


def rotary(v: At, width: int) -> int:
    """The tables of sines and cosines."""
    return 4 * v.S * width


def last(v: At) -> int:
    """The last norm, the input of the head, the log probabilities, and one number."""
    return norm(v, v.d_model) + 2 * v.B * v.S * (v.d_model + v.V) + 2


ACCOUNTS: dict[str, Callable[[At], Account]] = {
    "llama-3.1-8b": llama,
    "llama-3.1-70b": llama,
    "llama-3.1-405b": llama,
    "headroom": llama,
    "mixtral-8x7b": mixture(heads, "d_ff"),
    "qwen3-30b-a3b": mixture(narrow_heads, "d_expert"),
    "deepseek-v3": deepseek,
    "gpt2-xl": gpt2,
}
