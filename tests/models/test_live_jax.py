"""The installed JAX, asked what it hands from the forward to the backward pass, by abstract evaluation only."""

from __future__ import annotations

import contextlib
import importlib
import io
import math
import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sympy as sp

from symbolic_mem.base import symbols as s
from symbolic_mem.models.attention import attention
from symbolic_mem.models.ends import embedding, head
from symbolic_mem.models.linear import join
from symbolic_mem.models.mlp import mlp
from symbolic_mem.models.norms import norm
from symbolic_mem.models.profile import profile
from symbolic_mem.models.tensors import Layer

B, S, D, F, H, G, HD, V = 3, 40, 56, 212, 10, 5, 24, 1009
VALUES = {s.B: B, s.S: S, s.d_model: D, s.d_ff: F, s.n_heads: H, s.n_kv: G, s.d_head: HD, s.V: V}
WIDTHS = {"bf16": 2, "f32": 4, "i32": 4, "bool": 1}


@pytest.fixture
def jax() -> Iterator[Any]:
    try:
        yield importlib.import_module("jax")
    except ImportError:
        if os.environ.get("SYMBOLIC_MEM_NO_SKIP") == "1":
            pytest.fail("needs jax, and SYMBOLIC_MEM_NO_SKIP=1 forbids skipping")
        pytest.skip("needs jax")


def expected(*layers: Layer) -> sp.Expr:
    kept = [(tensor.bytes_per_element or 2) * tensor.elements for layer in layers for tensor in layer.saved]
    return sp.Add(*kept).xreplace({symbol: sp.Integer(value) for symbol, value in VALUES.items()})


def residual_bytes(run: Callable, parameters: dict, *inputs: Any) -> int:
    """Bytes of what JAX lists as saved, without the parameters and without numbers."""
    checkpointing = importlib.import_module("jax.ad_checkpoint")
    listing = io.StringIO()
    with contextlib.redirect_stdout(listing):
        checkpointing.print_saved_residuals(run, parameters, *inputs)
    total = 0
    for line in listing.getvalue().splitlines():
        dtype, shape, origin = re.fullmatch(r"(\w+)\[([\d,]*)\] (.*)", line).groups()
        if "from the argument weights" not in origin and shape:
            total += WIDTHS[dtype] * math.prod(int(size) for size in shape.split(","))
    return total


def shapes(jax: Any, dtype: str = "bfloat16", **sizes: tuple[int, ...]) -> dict[str, Any]:
    return {name: jax.ShapeDtypeStruct(size, dtype) for name, size in sizes.items()}


def rms_norm(jax: Any, x: Any, gain: Any) -> Any:
    wide = x.astype("float32")
    return (wide * jax.lax.rsqrt((wide * wide).mean(-1, keepdims=True) + 1e-6)).astype(x.dtype) * gain


def rotate(jax: Any, x: Any, cos: Any, sin: Any) -> Any:
    first, second = jax.numpy.split(x, 2, -1)
    return x * cos[:, None] + jax.numpy.concatenate([-second, first], -1) * sin[:, None]


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
@pytest.mark.parametrize("name", ["relu", "relu2", "gelu", "gelu_tanh", "silu"])
def test_activation_functions(jax, name, dtype):
    functions = {
        "relu": jax.nn.relu,
        "relu2": lambda x: jax.numpy.square(jax.nn.relu(x)),
        "gelu": lambda x: jax.nn.gelu(x, approximate=False),
        "gelu_tanh": lambda x: jax.nn.gelu(x, approximate=True),
        "silu": jax.nn.silu,
    }

    def run(weights: dict, x: Any) -> Any:
        return functions[name](x @ weights["up"] + weights["b"]) @ weights["down"]

    weights = shapes(jax, dtype, up=(D, F), b=(F,), down=(F, D))
    how = profile("jax-bf16" if dtype == "bfloat16" else "jax-fp32")
    assert residual_bytes(run, weights, *shapes(jax, dtype, x=(B, S, D)).values()) == expected(mlp(how, name))


@pytest.mark.parametrize("kernel", ["eager", "eager_fp32"])
def test_a_llama_block(jax, kernel):
    jnp = jax.numpy

    def run(weights: dict, x: Any, cos: Any, sin: Any) -> Any:
        y = rms_norm(jax, x, weights["n1"])
        q, k, v = ((y @ weights[one]).reshape(B, S, -1, HD) for one in ("q", "k", "v"))
        q, k = rotate(jax, q, cos, sin), rotate(jax, k, cos, sin)
        k, v = jnp.repeat(k, H // G, 2), jnp.repeat(v, H // G, 2)
        scores = jnp.einsum("bqhd,bkhd->bhqk", q, k) * HD**-0.5
        scores = jnp.where(jnp.tril(jnp.ones((S, S), bool)), scores, -1e9)
        scores = scores.astype("float32") if kernel == "eager_fp32" else scores
        p = jax.nn.softmax(scores, -1).astype(x.dtype)
        x = x + jnp.einsum("bhqk,bkhd->bqhd", p, v).reshape(B, S, H * HD) @ weights["o"]
        y = rms_norm(jax, x, weights["n2"])
        return x + (jax.nn.silu(y @ weights["gate"]) * (y @ weights["up"])) @ weights["down"]

    attention_shapes = {"q": (D, H * HD), "k": (D, G * HD), "v": (D, G * HD), "o": (H * HD, D)}
    weights = shapes(jax, n1=(D,), n2=(D,), gate=(D, F), up=(D, F), down=(F, D), **attention_shapes)
    how = profile("jax-bf16", kernel=kernel)
    block = join("block", norm(how), attention(how), norm(how), mlp(how, "silu", gated=True))
    inputs = shapes(jax, x=(B, S, D), cos=(S, HD), sin=(S, HD))
    assert residual_bytes(run, weights, *inputs.values()) == expected(block)


def test_head_and_loss(jax):
    jnp = jax.numpy

    def run(weights: dict, x: Any, labels: Any) -> Any:
        logits = (x @ weights["out"]).astype("float32")
        return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[..., None], -1).mean()

    inputs = shapes(jax, x=(B, S, D)) | shapes(jax, "int32", labels=(B, S))
    got = residual_bytes(run, shapes(jax, out=(D, V)), *inputs.values())
    assert got == expected(head(profile("jax-bf16")))


def test_dropout_and_learned_positions(jax):
    key = jax.eval_shape(lambda: jax.random.key(0))

    def run(weights: dict, ids: Any, state: Any) -> Any:
        x = weights["table"][ids] + weights["positions"][:S]
        return jax.numpy.where(jax.random.bernoulli(state, 0.9, x.shape), x / 0.9, 0)

    weights = shapes(jax, table=(V, D), positions=(2 * S, D))
    got = residual_bytes(run, weights, *shapes(jax, "int32", ids=(B, S)).values(), key)
    assert got == expected(embedding(profile("jax-bf16"), n_pos=s.n_pos, dropout=True))
