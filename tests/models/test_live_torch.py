"""The installed PyTorch on the meta device, asked for what it keeps: no memory is used and no GPU is needed."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import sympy as sp

from symbolic_mem.base import symbols as s
from symbolic_mem.models.architecture import Architecture, Experts, Latent
from symbolic_mem.models.attention import attention
from symbolic_mem.models.ends import head
from symbolic_mem.models.latent import latent_attention
from symbolic_mem.models.linear import join
from symbolic_mem.models.mlp import mlp
from symbolic_mem.models.moe import moe
from symbolic_mem.models.norms import norm
from symbolic_mem.models.profile import profile
from symbolic_mem.models.tensors import Layer, Model
from symbolic_mem.models.transformer import transformer

# Sizes that no product confuses; tokens times choices are a multiple of the experts.
B, S, D, F, H, G, HD, V = 3, 40, 56, 212, 10, 5, 24, 1009
E, K, DE, DS = 6, 2, 36, 44
DC, DCQ, NOPE, ROPE, DV = 34, 46, 18, 8, 26
VALUES = {
    s.B: B,
    s.S: S,
    s.d_model: D,
    s.d_ff: F,
    s.n_heads: H,
    s.n_kv: G,
    s.d_head: HD,
    s.V: V,
    s.E: E,
    s.k: K,
    s.d_expert: DE,
    s.d_c: DC,
    s.d_cq: DCQ,
    s.d_nope: NOPE,
    s.d_rope: ROPE,
    s.d_v: DV,
    s.L: 4,
    s.L_dense: 1,
}
HOW = profile("torch-meta-bf16")


@pytest.fixture
def torch() -> Iterator[Any]:
    try:
        module = importlib.import_module("torch")
    except ImportError:
        if os.environ.get("SYMBOLIC_MEM_NO_SKIP") == "1":
            pytest.fail("needs torch, and SYMBOLIC_MEM_NO_SKIP=1 forbids skipping")
        pytest.skip("needs torch")
    before = module.get_default_dtype()
    module.set_default_dtype(module.bfloat16)
    with module.device("meta"):
        yield module
    module.set_default_dtype(before)


def expected(*layers: Layer) -> sp.Expr:
    kept = [
        layer.repeat * (2 if tensor.bytes_per_element is None else tensor.bytes_per_element) * tensor.elements
        for layer in layers
        for tensor in layer.saved
    ]
    return sp.Add(*kept).xreplace({symbol: sp.Integer(value) for symbol, value in VALUES.items()})


def measured(torch: Any, run: Callable[[], Any], parameters: list[Any], *inputs: Any) -> int:
    """Bytes of the storages that autograd packs while `run` computes; a view counts as its whole storage."""
    own = {tensor.untyped_storage()._cdata for tensor in (*parameters, *inputs)}
    kept = {}

    def pack(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        # A Python number in an expression is packed as a tensor without dimensions, in host memory.
        if storage._cdata not in own and not (tensor.dim() == 0 and tensor.dtype == torch.float64):
            kept[storage._cdata] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = run()
    assert result.requires_grad
    return sum(storage.nbytes() for storage in kept.values())


def weight(torch: Any, *shape: int) -> Any:
    return torch.nn.Parameter(torch.empty(*shape))


def stream(torch: Any) -> Any:
    return torch.empty(B, S, D, requires_grad=True)


def rotate(torch: Any, x: Any, cos: Any, sin: Any) -> Any:
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat((-second, first), -1) * sin


def flash(torch: Any, q: Any, k: Any, v: Any, p: float = 0.0) -> Any:
    return torch.ops.aten._scaled_dot_product_flash_attention(q, k, v, p, True)[0]


def heads(x: Any, count: int) -> Any:
    return x.view(B, S, count, -1).transpose(1, 2)


class LlamaBlock:
    """RMSNorm, grouped queries with rotation and FlashAttention, RMSNorm, SwiGLU."""

    def __init__(self, torch: Any) -> None:
        self.torch = torch
        self.gains = [weight(torch, D), weight(torch, D)]
        shapes = [(H * HD, D), (G * HD, D), (G * HD, D), (D, H * HD), (F, D), (F, D), (D, F)]
        self.weights = [weight(torch, *shape) for shape in shapes]

    def parameters(self) -> list[Any]:
        return self.gains + self.weights

    def __call__(self, x: Any, cos: Any, sin: Any) -> Any:
        functional, torch = self.torch.nn.functional, self.torch
        wq, wk, wv, wo, gate, up, down = self.weights
        y = functional.rms_norm(x, (D,), self.gains[0], 1e-6)
        q, k, v = heads(y @ wq.T, H), heads(y @ wk.T, G), heads(y @ wv.T, G)
        out = flash(torch, rotate(torch, q, cos, sin), rotate(torch, k, cos, sin), v)
        x = x + out.transpose(1, 2).reshape(B, S, H * HD) @ wo.T
        y = functional.rms_norm(x, (D,), self.gains[1], 1e-6)
        return x + (functional.silu(y @ gate.T) * (y @ up.T)) @ down.T


def test_a_llama_block(torch):
    block, x = LlamaBlock(torch), stream(torch)
    cos, sin = torch.empty(S, HD), torch.empty(S, HD)
    got = measured(torch, lambda: block(x, cos, sin), block.parameters(), cos, sin)
    assert got == expected(norm(HOW), attention(HOW), norm(HOW), mlp(HOW, "silu", gated=True))


def test_a_whole_llama_with_its_loss(torch):
    blocks = [LlamaBlock(torch) for _ in range(4)]
    table, gain, out = weight(torch, V, D), weight(torch, D), weight(torch, V, D)
    ids = torch.zeros(B, S, dtype=torch.int64)
    functional = torch.nn.functional

    def run() -> Any:
        x = functional.embedding(ids, table)
        cos, sin = torch.empty(S, HD), torch.empty(S, HD)
        for block in blocks:
            x = block(x, cos, sin)
        logits = functional.rms_norm(x, (D,), gain, 1e-6) @ out.T
        return functional.cross_entropy(logits.view(-1, V), ids.view(-1))

    parameters = [table, gain, out, *(one for block in blocks for one in block.parameters())]
    model = transformer(Architecture(), HOW)
    assert measured(torch, run, parameters, ids) == expected(*model.layers)
    assert sum(one.numel() for one in parameters) == model.parameters.xreplace(VALUES)


def test_a_gpt_block_with_dropout_and_eager_attention(torch):
    functional, x = torch.nn.functional, stream(torch)
    width, n = D, 7
    first, second = torch.nn.LayerNorm(width), torch.nn.LayerNorm(width)
    qkv, out = torch.nn.Linear(width, 3 * width), torch.nn.Linear(width, width)
    up, down = torch.nn.Linear(width, F), torch.nn.Linear(F, width)

    def run() -> Any:
        q, k, v = (heads(part, n) for part in qkv(first(x)).split(width, -1))
        scores = (q @ k.transpose(-1, -2)) * (width / n) ** -0.5
        hidden = torch.ones(S, S, dtype=torch.bool).triu(1)
        p = functional.dropout(scores.masked_fill(hidden, float("-inf")).softmax(-1), 0.1, True)
        y = x + functional.dropout(out((p @ v).transpose(1, 2).reshape(B, S, width)), 0.1, True)
        return y + functional.dropout(down(functional.gelu(up(second(y)))), 0.1, True)

    parameters = [one for module in (first, second, qkv, out, up, down) for one in module.parameters()]
    how = HOW.using(kernel="eager")
    layer = join(
        "block",
        norm(how, "layer", bias=True),
        attention(
            how,
            n_heads=sp.Integer(n),
            n_kv=sp.Integer(n),
            d_head=s.d_model / n,
            rotary=False,
            qkv_bias=True,
            o_bias=True,
            fused_qkv=True,
            attention_dropout=True,
            dropout=True,
        ),
        norm(how, "layer", bias=True),
        mlp(how, "gelu", bias=True, dropout=True),
    )
    assert measured(torch, run, parameters) == expected(layer)
    assert sum(one.numel() for one in parameters) == layer.parameters.xreplace(VALUES)


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("relu", lambda torch, x: torch.nn.functional.relu(x)),
        ("gelu", lambda torch, x: torch.nn.functional.gelu(x)),
        ("gelu_tanh", lambda torch, x: torch.nn.functional.gelu(x, approximate="tanh")),
        ("silu", lambda torch, x: torch.nn.functional.silu(x)),
        ("relu2", lambda torch, x: torch.nn.functional.relu(x).square()),
        ("gelu_new", lambda torch, x: 0.5 * x * (1.0 + torch.tanh(0.8 * (x + 0.045 * torch.pow(x, 3.0))))),
    ],
)
@pytest.mark.parametrize("gated", [False, True])
def test_activation_functions(torch, name, of, gated):
    x, up, gate, down = stream(torch), weight(torch, F, D), weight(torch, F, D), weight(torch, D, F)

    def run() -> Any:
        inner = of(torch, x @ gate.T)
        return (inner * (x @ up.T) if gated else inner) @ down.T

    assert measured(torch, run, [up, gate, down], x) + 2 * B * S * D == expected(mlp(HOW, name, gated=gated))


def test_a_clamped_gate_from_one_interleaved_projection(torch):
    x, both, down = stream(torch), weight(torch, 2 * F, D), weight(torch, D, F)

    def run() -> Any:
        joint = x @ both.T
        gate, up = joint[..., ::2].clamp(max=7.0), joint[..., 1::2].clamp(min=-7.0, max=7.0)
        return ((up + 1) * (gate * torch.sigmoid(gate * 1.702))) @ down.T

    layer = mlp(HOW, "silu_clamped", gated=True, fused_gate=True)
    assert measured(torch, run, [both, down], x) + 2 * B * S * D == expected(layer)


def test_attention_with_sinks(torch):
    x, sinks = stream(torch), weight(torch, H)
    wq, wk, wv, wo = (weight(torch, *shape) for shape in ((H * HD, D), (G * HD, D), (G * HD, D), (D, H * HD)))
    cos, sin, mask = torch.empty(S, HD), torch.empty(S, HD), torch.empty(1, 1, S, S)

    def run() -> Any:
        q = rotate(torch, heads(x @ wq.T, H), cos, sin)
        k = rotate(torch, heads(x @ wk.T, G), cos, sin).repeat_interleave(H // G, 1)
        v = heads(x @ wv.T, G).repeat_interleave(H // G, 1)
        scores = torch.matmul(q, k.transpose(2, 3)) * HD**-0.5 + mask
        joint = torch.cat([scores, sinks.reshape(1, -1, 1, 1).expand(B, -1, S, -1)], dim=-1)
        joint = joint - joint.max(dim=-1, keepdim=True).values
        p = torch.nn.functional.softmax(joint, dim=-1)[..., :-1]
        return torch.matmul(p, v).transpose(1, 2).reshape(B, S, H * HD) @ wo.T

    how = profile("hf-cuda-bf16", kernel="eager").for_family("gpt_oss")
    layer = attention(how, sinks=True)
    assert measured(torch, run, [wq, wk, wv, wo, sinks], x, cos, sin, mask) + 2 * B * S * D == expected(layer)


def route(torch: Any, x: Any, router: Any) -> tuple[Any, Any, Any]:
    top, chosen = (x @ router.T).softmax(-1).topk(K, dim=-1)
    weights = top / top.sum(-1, keepdim=True)
    order = chosen.flatten().argsort()
    return weights.flatten()[order], order, order // K


def experts_of(torch: Any, x: Any, router: Any, gate: Any, up: Any, down: Any) -> Any:
    """Sorted by expert, as a grouped product sees them; on the meta device all experts get equally many."""
    tokens = x.reshape(B * S, D)
    weights, _, token = route(torch, tokens, router)
    rows = tokens[token].view(E, B * S * K // E, D)
    inner = torch.nn.functional.silu(torch.bmm(rows, gate.transpose(1, 2))) * torch.bmm(rows, up.transpose(1, 2))
    out = torch.bmm(inner, down.transpose(1, 2)).view(B * S * K, D)
    back = token[:, None].expand(-1, D)
    return torch.zeros(B * S, D).scatter_add(0, back, out * weights[:, None]).view(B, S, D)


def test_a_mixture_of_experts_with_shared_experts(torch):
    x, router = stream(torch), weight(torch, E, D)
    gate, up, down = weight(torch, E, DE, D), weight(torch, E, DE, D), weight(torch, E, D, DE)
    shared = [weight(torch, DS, D), weight(torch, DS, D), weight(torch, D, DS)]

    def run() -> Any:
        inner = torch.nn.functional.silu(x @ shared[0].T) * (x @ shared[1].T)
        return experts_of(torch, x, router, gate, up, down) + inner @ shared[2].T

    layer = moe(HOW, d_shared=sp.Integer(DS))
    assert measured(torch, run, [router, gate, up, down, *shared], x) + 2 * B * S * D == expected(layer)


@pytest.mark.parametrize("narrow_query", [True, False])
def test_latent_attention(torch, narrow_query):
    functional, x = torch.nn.functional, stream(torch)
    wide = H * (NOPE + ROPE)
    q_down, q_gain, q_up = weight(torch, DCQ, D), weight(torch, DCQ), weight(torch, wide, DCQ)
    q_plain = weight(torch, wide, D)
    kv_down, kv_gain = weight(torch, DC + ROPE, D), weight(torch, DC)
    kv_up, out = weight(torch, H * (NOPE + DV), DC), weight(torch, D, H * DV)
    cos, sin = torch.empty(S, ROPE), torch.empty(S, ROPE)

    def run() -> Any:
        q = functional.rms_norm(x @ q_down.T, (DCQ,), q_gain, 1e-6) @ q_up.T if narrow_query else x @ q_plain.T
        q_nope, q_rope = heads(q, H).split((NOPE, ROPE), -1)
        narrow, k_rope = (x @ kv_down.T).split((DC, ROPE), -1)
        k_nope, v = heads(functional.rms_norm(narrow, (DC,), kv_gain, 1e-6) @ kv_up.T, H).split((NOPE, DV), -1)
        q = torch.cat((q_nope, rotate(torch, q_rope, cos, sin)), -1)
        k = torch.cat((k_nope, rotate(torch, heads(k_rope, 1), cos, sin).expand(-1, H, -1, -1)), -1)
        y = torch.ops.aten._scaled_dot_product_efficient_attention(q, k, v, None, True, 0.0, True)[0]
        return y.transpose(1, 2).reshape(B, S, H * DV) @ out.T

    parameters = [q_down, q_gain, q_up, q_plain, kv_down, kv_gain, kv_up, out]
    layer = latent_attention(HOW.using(kernel="efficient"), d_cq=s.d_cq if narrow_query else None)
    assert measured(torch, run, parameters, x, cos, sin) + 2 * B * S * D == expected(layer)


def test_head_and_loss_in_both_precisions(torch):
    x, out = stream(torch), weight(torch, V, D)
    ids = torch.zeros(B * S, dtype=torch.int64)

    def run(convert: bool) -> Any:
        logits = (x @ out.T).view(-1, V)
        return torch.nn.functional.cross_entropy(logits.float() if convert else logits, ids)

    for loss, convert in (("cross_entropy", False), ("cross_entropy_fp32", True)):
        got = measured(torch, lambda convert=convert: run(convert), [out], x, ids)
        assert got + 2 * B * S * D == expected(head(HOW.using(loss=loss)))


def test_parallel_parts_share_the_input_of_their_norms(torch):
    x, functional = stream(torch), torch.nn.functional
    first, second, up, down = torch.nn.LayerNorm(D), torch.nn.LayerNorm(D), weight(torch, F, D), weight(torch, D, F)
    qkv, out = weight(torch, 3 * D, D), weight(torch, D, D)
    cos, sin = torch.empty(S, D // 7), torch.empty(S, D // 7)

    def run() -> Any:
        q, k, v = (heads(part, 7) for part in (first(x) @ qkv.T).split(D, -1))
        y = flash(torch, rotate(torch, q, cos, sin), rotate(torch, k, cos, sin), v)
        return x + y.transpose(1, 2).reshape(B, S, D) @ out.T + functional.gelu(second(x) @ up.T) @ down.T

    architecture = Architecture(
        n_heads=sp.Integer(7),
        n_kv=sp.Integer(7),
        d_head=s.d_model / 7,
        norm="layer",
        norm_bias=True,
        fused_qkv=True,
        gated=False,
        activation="gelu",
        parallel_residual=True,
        layers=sp.S.One,
    )
    block = [layer for layer in transformer(architecture, HOW) if layer.block]
    parameters = [*first.parameters(), *second.parameters(), up, down, qkv, out]
    assert measured(torch, run, parameters, cos, sin) == expected(*block)


def test_dense_and_expert_blocks_repeat_as_often_as_the_model_says():
    experts = Experts(dense_layers=s.L_dense, d_shared=sp.Integer(DS))
    model: Model = transformer(replace(Architecture(), latent=Latent(), experts=experts), HOW)
    repeats = {layer.block: layer.repeat.xreplace(VALUES) for layer in model if layer.block}
    assert repeats == {"dense block": 1, "expert block": 3}
