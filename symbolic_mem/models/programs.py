"""What the modules of an engine compute in a transformer block, operation by operation, on a `Tape`.

Source: transformers 5.24 and plain PyTorch 2.13 modules, each operation of a block followed on fake tensors.
"""

from __future__ import annotations

from functools import lru_cache

import sympy as sp

from symbolic_mem.base.once import hashed_once
from symbolic_mem.base.symbols import B, S
from symbolic_mem.base.values import dataclass
from symbolic_mem.models import autograd as do
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.attention import heads_with_keys
from symbolic_mem.models.linear import TOKENS
from symbolic_mem.models.profile import Profile, Shape
from symbolic_mem.models.program_experts import experts_described, experts_program
from symbolic_mem.models.program_linear import product
from symbolic_mem.models.tape import Tape, Value
from symbolic_mem.models.tensors import EMBEDDED, END, HIDDEN, Alive, Tensor

BY_HAND = ("hf-cuda",)
ENGINES = (*BY_HAND, "torch-cuda")
Weights = tuple[tuple[str, Shape], ...]
KERNELS = ("gelu", "gelu_tanh", "silu")


@hashed_once
@dataclass(frozen=True)
class Programs:
    """The operations of the blocks of an architecture under a profile, where they are described.

    Without `logits` the loss is one kernel with the head.
    """

    architecture: Architecture
    how: Profile
    logits: bool = True

    def described(self, block: str) -> bool:
        """Say whether the operations of a kind of block are described."""
        return _tape(self, block) is not None

    def saved(self, block: str) -> tuple[Tensor, ...]:
        """Return what the backward pass of a block needs."""
        return _known(self, block).saved

    def beside(self) -> tuple[Tensor, ...]:
        """Return what the caller of the blocks holds: transformers the embedded tokens and their positions."""
        a = self.architecture
        if self.how.engine not in BY_HAND:
            return ()
        embedded = Tensor(EMBEDDED, (*TOKENS, a.d_model), bytes_per_element=self.how.compute)
        positions = Tensor("positions", (S,), bytes_per_element=sp.Integer(8))
        found = (embedded, positions) if a.position == "rotary" else (embedded,)
        if self.how.trained.needs_input("W_head", "head"):
            return found
        return (*found, Tensor(HIDDEN, (*TOKENS, a.d_model), bytes_per_element=self.how.compute))

    def forward(self, block: str, keeps: bool) -> tuple[Alive, ...]:
        """Return the fullest moments of the forward pass of a block."""
        return _forward(self, block, keeps)

    def backward(self, block: str, again: bool, steps: bool = False) -> tuple[Alive, ...]:
        """Return the fullest moments of the backward pass of a block."""
        return _backward(self, block, again, steps)


@lru_cache(maxsize=64)
def _tape(programs: Programs, block: str) -> Tape | None:
    a, how = programs.architecture, programs.how
    return end_tape(a, how, programs.logits) if block == END else block_tape(a, how, block == "expert block")


def _known(programs: Programs, block: str) -> Tape:
    found = _tape(programs, block)
    assert found is not None, block
    return found


@lru_cache(maxsize=64)
def _forward(programs: Programs, block: str, keeps: bool) -> tuple[Alive, ...]:
    return _known(programs, block).forward(keeps=keeps)


@lru_cache(maxsize=64)
def _backward(programs: Programs, block: str, again: bool, steps: bool) -> tuple[Alive, ...]:
    return _known(programs, block).backward(held=again, steps=steps)


def end_tape(a: Architecture, how: Profile, logits: bool) -> Tape | None:
    """Return the operations of the last norm and of the head, up to the logits, or None where they are not described.

    Without `logits` one kernel makes the loss.
    """
    if (
        how.blank
        or how.engine not in ENGINES
        or how.residual != how.compute
        or a.d_embed is not None
        or a.head != "language model"
    ):
        return None
    tape = Tape()
    x = tape.enter(Tensor("residual stream", (*TOKENS, a.d_model), bytes_per_element=how.compute))
    last = x
    if a.final_norm:
        last = _norm(tape, a, how, x, "final norm")
        tape.drop(x)
    shape = (a.vocabulary, a.d_model)
    tape.leaving = product(tape, how, last, "W_head", shape, "head", bias=a.head_bias, fused=not logits)
    return tape


def block_tape(a: Architecture, how: Profile, experts: bool) -> Tape | None:
    """Return the operations of a block, or None where they are not described: then nothing is known of its moments."""
    if not _described(a, how) or (experts and not (a.experts and experts_described(a.experts, a, how.trained))):
        return None
    tape = Tape()
    x = tape.enter(Tensor("residual stream", (*TOKENS, a.d_model), bytes_per_element=how.compute))
    first = _norm(tape, a, how, x, "attention norm")
    attended = _attention(tape, a, how, first)
    tape.drop(first)
    tape.label = "the sum after the attention"
    between = do.add(tape, x, attended)
    tape.drop(attended)
    second = _norm(tape, a, how, between, "MLP norm")
    out = (
        experts_program(tape, a, how, second, by_hand=how.engine in BY_HAND) if experts else _mlp(tape, a, how, second)
    )
    tape.drop(second)
    tape.label = "the sum after the MLP"
    tape.leaving = do.add(tape, between, out)
    tape.drop(out, between)
    return tape


def _described(a: Architecture, how: Profile) -> bool:
    plain = a.norm_place == "before" and not (a.shared_norm or a.parallel_residual or a.sinks or a.latent is not None)
    dropped = a.residual_dropout != 0 or a.attention_dropout != 0
    same = how.residual == how.compute and not how.blank and how.engine in ENGINES
    rotated = a.position != "rotary" or (a.d_rotary is None and not how.row("rotary"))
    return plain and same and not dropped and rotated and how.kernel == "flash" and a.activation in (*KERNELS, "relu")


def _norm(tape: Tape, a: Architecture, how: Profile, x: Value, name: str) -> Value:
    tape.label = f"the {name}"
    weights: Weights = ((f"gain of the {name}", (a.d_model,)),) if a.norm_gain else ()
    weights += ((f"bias of the {name}", (a.d_model,)),) if a.norm_bias else ()
    return _normalised(tape, a, how, x, TOKENS, weights)


def _normalised(tape: Tape, a: Architecture, how: Profile, x: Value, rows: Shape, weights: Weights) -> Value:
    trained = how.trained.trains("norm")
    if a.norm == "layer" or how.engine not in BY_HAND:
        return do.normalise(tape, x, rows, 2 if a.norm == "layer" else 1, weights if trained else ())
    four = sp.Integer(4)
    wide = do.cast(tape, x, four)
    squared = do.square(tape, wide)
    mean = do.mean(tape, squared, rows)
    tape.drop(squared)
    bounded = do.plus(tape, mean)
    rstd = do.rsqrt(tape, bounded)
    tape.drop(bounded)
    normal = do.multiply(tape, wide, rstd, reduced=rows)
    tape.drop(wide, rstd)
    narrow = do.cast(tape, normal, x.tensor.bytes_per_element)
    out = do.scale(tape, narrow, *weights[0], trained=trained)
    tape.drop(narrow, normal, mean)
    return out


def _attention(tape: Tape, a: Architecture, how: Profile, x: Value) -> Value:
    q_width, kv_width = a.n_heads * a.d_head, a.n_kv * a.d_head
    some = heads_with_keys(a.n_kv, a.n_heads, a.values()) == "some"
    bias = a.qkv_bias

    def projected(name: str, width: sp.Expr) -> Value:
        return do.pass_on(tape, product(tape, how, x, name, (width, a.d_model), "attention", bias=bias))

    q, k, v = (projected(name, width) for name, width in (("W_q", q_width), ("W_k", kv_width), ("W_v", kv_width)))
    if a.qk_norm == "head":
        normed = []
        for letter, one, heads in (("q", q, a.n_heads), ("k", k, a.n_kv)):
            tape.label = f"the norm of {letter}"
            rows = (*TOKENS, heads)
            weights = ((f"gain of the {letter} norm", (a.d_head,)),)
            normed.append(_normalised(tape, a, how, one, rows, weights))
            tape.drop(one)
        q, k = normed
    if a.position == "rotary":
        tape.label = "the rotation"
        turned = [do.rotate(tape, one) for one in (q, k)]
        tape.drop(q, k)
        q, k = turned
    tape.label = "the attention kernel"
    keys, values = k, v
    if some and how.engine in BY_HAND:
        keys, values = (do.repeat(tape, one, (*TOKENS, q_width)) for one in (k, v))
    attended = do.flash(tape, q, keys, values, (B, a.n_heads, S), q_width)
    tape.drop(q, *((keys, values) if keys is not k else ()))
    out = product(tape, how, attended, "W_o", (a.d_model, q_width), "attention", bias=a.o_bias)
    tape.drop(attended, k, v)
    return out


def _mlp(tape: Tape, a: Architecture, how: Profile, x: Value) -> Value:
    def projected(value: Value, name: str, shape: tuple[sp.Expr, sp.Expr]) -> Value:
        return product(tape, how, value, name, shape, "mlp", bias=a.mlp_bias)

    def activated(value: Value) -> Value:
        tape.label = "the activation function"
        return do.relu(tape, value) if a.activation == "relu" else do.pointwise(tape, value, a.activation)

    if not a.gated:
        inner = projected(x, "W_in", (a.d_ff, a.d_model))
        active = activated(inner)
        tape.drop(inner)
        out = projected(active, "W_out", (a.d_model, a.d_ff))
        tape.drop(active)
        return out
    gate = projected(x, "W_gate", (a.d_ff, a.d_model))
    active = activated(gate)
    tape.drop(gate)
    up = projected(x, "W_up", (a.d_ff, a.d_model))
    tape.label = "the product of gate and up projection"
    inner = do.multiply(tape, active, up)
    tape.drop(active, up)
    out = projected(inner, "W_down", (a.d_model, a.d_ff))
    tape.drop(inner)
    return out
