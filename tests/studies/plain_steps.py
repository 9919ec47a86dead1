"""The instants of a step of the bundled studies of one model under FSDP2, by plain arithmetic: nothing here knows the package.

Sharded are 16 bytes for a parameter, and 4 more in the step: `foreach` AdamW makes a copy. Gathered in BF16 are what lies outside
the blocks, the block at work and, where there are several devices, the next one. Gradients of whole weights are BF16; of the
block before they are sent in FP32. At the loss its two 16-bit gradients of the logits stand beside what is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from plain_models import ACCOUNTS, Account, rotary
from plain_papers import At

H100, H200, TPU_V5P = 85520809984, 150754820096, 95 * 2**30
MOST, BEYOND = 1 << 20, 1 << 200  # the most devices that are tried; so many that only what is whole on each is left
BEFORE = "the backward pass of the last block but one, at the product "
LOSS, STEP = "the loss, when the backward pass begins", "the optimizer step"
Held = Callable[[int], Fraction]


def at_loss(name: str, v: At, every: int) -> int:
    """What the loss has beside what it keeps: gradients of its logarithms and logits, less what it needs no more."""
    rows = v.B * v.S
    if name == "gpt2-xl":  # FP32; who calls blocks again still has their mask
        return 8 * rows * v.V - 8 * rows - 4 + (2 * rows * v.S if every else 0)
    return 4 * rows * v.V - 2


def kept(v: At, whole: Account, every: int) -> int:
    """Bytes that the blocks keep where of each `every` blocks one is recomputed from its input (0: none)."""
    entering = 2 * v.B * v.S * v.d_model
    if every == 1:
        return v.L * entering
    return whole.kept_by_blocks - (v.L // every * (whole.kept_by_block - entering) if every else 0)


def total(name: str, v: At, every: int) -> int:
    """What is kept, where a recomputed block is there once beside its input."""
    whole = ACCOUNTS[name](v)
    again = whole.kept_by_block - 2 * v.B * v.S * v.d_model if every else 0
    return 16 * whole.parameters + kept(v, whole, every) + whole.kept_outside + again


def inside(name: str, v: At, whole: Account) -> Iterator[tuple[str, int, int]]:
    """Instants inside a block: activations and gradients in it, and its weights that have gradients by then."""
    rows, d = v.B * v.S, v.d_model
    if name in ("mixtral-8x7b", "qwen3-30b-a3b"):
        k, ff = v.k, v.d_expert if name == "qwen3-30b-a3b" else v.d_ff
        left = whole.kept_by_block - 2 * rows * k * (d + 1 + ff)
        after = left - 6 * rows * k * ff
        yield "of gate and up projection of the experts", left + 2 * rows * (3 * ff * k + d + k), v.E * ff * d
        yield "with W_gate of the experts", after + 2 * rows * (ff * k + 2 * d * k + d + k), 3 * v.E * ff * d
    elif name.startswith(("llama", "headroom")):
        left = whole.kept_by_block - 2 * rows * v.d_ff
        after = left - 6 * rows * v.d_ff
        yield "of gate and up projection", left + 2 * rows * (3 * v.d_ff + d), v.d_ff * d
        yield "with W_gate", after + 2 * rows * (v.d_ff + 3 * d), 3 * v.d_ff * d
        q, kv = v.n_heads * v.d_head, v.n_kv * v.d_head
        yield "with W_q", 2 * rows * (2 * (d + 1) + q + 3 * d), 3 * v.d_ff * d + 2 * (q + kv) * d + d


def instants(name: str, v: At, every: int) -> Iterator[tuple[str, Held]]:
    """What one of n devices holds at the instants that can decide."""
    whole, rows, d = ACCOUNTS[name](v), v.B * v.S, v.d_model
    block, states = whole.of_block, 16 * whole.parameters
    outside = v.V * d + v.n_pos * d + 2 * d if name == "gpt2-xl" else 2 * v.V * d + d
    root = v.V * d + d  # head and last norm have their gradients
    loss = kept(v, whole, every) + whole.kept_outside + at_loss(name, v, every)
    yield LOSS, lambda n: Fraction(states, n) + loss + 2 * (outside + min(n - 1, 1) * block)
    yield STEP, lambda n: Fraction(20 * whole.parameters, n)
    if name == "gpt2-xl":
        return
    entering, own = 2 * rows * d, whole.kept_by_block
    behind_it = {0: 2 * own, 1: 2 * entering, 2: own + entering}[every]
    before = rotary(v, v.d_rope if name == "deepseek-v3" else v.d_head) + kept(v, whole, every) - behind_it

    def behind(work: int, graded: int) -> Held:
        there = before + work + 2 * (root + graded) + 4 * block
        return lambda n: Fraction(states, n) + there + 2 * (outside + min(n, 2) * block)

    for words, work, graded in inside(name, v, whole):
        yield BEFORE + words, behind(work, graded)
    if name == "deepseek-v3":
        yield "the backward pass of the last expert block but one, at its end", behind(0, block)


def smallest(peaks: list[Held], room: int) -> int | None:
    """The smallest number of devices on which every instant fits."""
    if any(peak(MOST) > room for peak in peaks):
        return None
    low, high = 0, MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if all(peak(middle) <= room for peak in peaks) else (middle, high)
    return high


# Of each question its device, and of how many blocks one is recomputed.
ASKED: dict[str, dict[str, tuple[int, int]]] = {
    "llama-3.1-8b": {"a": (H100, 0), "b": (H100, 0), "c": (H100, 1)},
    "llama-3.1-70b": {"a": (H100, 1), "b": (H100, 1), "c": (H100, 0), "d": (H200, 1)},
    "llama-3.1-405b": {"a": (H100, 1), "b": (H100, 1), "c": (TPU_V5P, 1), "d": (H200, 2)},
    "headroom": {"a": (H100, 0)},
    "mixtral-8x7b": {"a": (H100, 1), "b": (H100, 1), "c": (H100, 0)},
    "qwen3-30b-a3b": {"a": (H100, 0), "b": (H100, 0), "c": (H100, 1)},
    "deepseek-v3": {"a": (H100, 1), "b": (H100, 1), "c": (TPU_V5P, 1), "d": (H100, 0)},
    "gpt2-xl": {"a": (H100, 0), "b": (H100, 0), "c": (H100, 1)},
}
