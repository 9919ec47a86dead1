"""Measure what blocks of plain modules hold in both passes.

They have norms around and after their parts, parallel parts, one product for queries, keys and values, or heads of which a part
is turned.

Run it with PyTorch 2.13: ``python tests/data/measure_plain_blocks.py > tests/data/plain_blocks.json``. Tensors are fake. The norm
and the loss are functions that keep and make what the kernels of an accelerator do. Storages are counted from their making to
their end; those of weights, tables and the input that the block is given count nothing, but gradients of weights do.
"""

from __future__ import annotations

import json
import weakref

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

SIZES = {
    "wide": {"B": 2, "S": 64, "n_heads": 8, "n_kv": 2, "d_head": 64, "d_model": 512, "d_ff": 1408},
    "long": {"B": 4, "S": 512, "n_heads": 4, "n_kv": 2, "d_head": 32, "d_model": 96, "d_ff": 160},
    "narrow": {"B": 4, "S": 512, "n_heads": 4, "n_kv": 2, "d_head": 32, "d_model": 192, "d_ff": 64},
}
TURNED = 16


class Storages(TorchDispatchMode):
    """The bytes of all storages that are there, and the most so far."""

    def __init__(self, ignored):
        super().__init__()
        self.now = self.most = 0
        self.sizes = {one.untyped_storage()._cdata: 0 for one in ignored}

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        found = operation(*args, **(kwargs or {}))
        for one in tree_iter(found):
            if isinstance(one, torch.Tensor) and (key := one.untyped_storage()._cdata) not in self.sizes:
                self.sizes[key] = one.untyped_storage().nbytes()
                self.now += self.sizes[key]
                self.most = max(self.most, self.now)
                weakref.finalize(one.untyped_storage(), self.forget, key)
        return found

    def forget(self, key):
        self.now -= self.sizes.pop(key)


class Normed(torch.autograd.Function):
    """A norm as one kernel: it keeps its input and one or two numbers for each token."""

    @staticmethod
    def forward(ctx, x, *weights):
        numbers = [torch.empty(*x.shape[:-1], 1, dtype=torch.float32) for _ in weights]
        ctx.save_for_backward(x, *weights, *numbers)
        return torch.empty_like(x)

    @staticmethod
    def backward(ctx, gradient):
        x, *rest = ctx.saved_tensors
        return torch.empty_like(x), *(torch.empty_like(one) for one in rest[: len(rest) // 2])


class Lost(torch.autograd.Function):
    """A loss that keeps nothing."""

    @staticmethod
    def forward(ctx, x):
        ctx.shape = x.shape
        return torch.empty((), dtype=torch.bfloat16)

    @staticmethod
    def backward(ctx, gradient):
        return torch.empty(ctx.shape, dtype=torch.bfloat16)


class Norm(nn.Module):
    def __init__(self, width, kind="rms"):
        super().__init__()
        self.weights = nn.ParameterList([torch.empty(width) for _ in range(2 if kind == "layer" else 1)])

    def forward(self, x):
        return Normed.apply(x, *self.weights)


def turn(x, cos, sin):
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat((-second, first), -1) * sin


class Attention(nn.Module):
    def __init__(self, sizes, fused, turned, qk_norm, bias):
        super().__init__()
        d, self.sizes = sizes["d_model"], sizes
        self.widths = [sizes[heads] * sizes["d_head"] for heads in ("n_heads", "n_kv", "n_kv")]
        self.turned = turned
        self.products = nn.ModuleList(nn.Linear(d, one, bias) for one in ([sum(self.widths)] if fused else self.widths))
        self.out = nn.Linear(self.widths[0], d, bias)
        norms = {"head": [sizes["d_head"]] * 2, "width": self.widths[:2]}.get(qk_norm, [])
        self.norms, self.place = nn.ModuleList(map(Norm, norms)), qk_norm

    def normed(self, q, k):
        return self.norms[0](q), self.norms[1](k)

    def forward(self, x, tables):
        made = [one(x) for one in self.products]
        q, k, v = made if len(made) == 3 else made.pop().split(self.widths, -1)
        del made
        q, k = self.normed(q, k) if self.place == "width" else (q, k)
        q, k, v = (one.unflatten(-1, (-1, self.sizes["d_head"])) for one in (q, k, v))
        q, k = self.normed(q, k) if self.place == "head" else (q, k)
        q, k, v = (one.transpose(1, 2) for one in (q, k, v))
        if self.turned == "whole":
            q, k = turn(q, *tables), turn(k, *tables)
        elif self.turned == "part":
            q, k = (torch.cat((turn(one[..., :TURNED], *tables), one[..., TURNED:]), -1) for one in (q, k))
        attended = torch.ops.aten._scaled_dot_product_flash_attention(q, k, v, 0.0, True)[0]
        return self.out(attended.transpose(1, 2).flatten(2))


class Mlp(nn.Module):
    def __init__(self, sizes, gated, act, bias):
        super().__init__()
        d, inner = sizes["d_model"], sizes["d_ff"]
        self.gate = nn.Linear(d, inner, bias)
        self.up = nn.Linear(d, inner, bias) if gated else None
        self.down, self.act = nn.Linear(inner, d, bias), act

    def forward(self, x):
        if self.up is None:
            return self.down(self.act(self.gate(x)))
        return self.down(self.act(self.gate(x)) * self.up(x))


class Block(nn.Module):
    def __init__(
        self,
        sizes,
        place="before",
        fused=False,
        turned="whole",
        qk_norm="",
        gated=True,
        act="silu",
        norm="rms",
        bias=False,
    ):
        super().__init__()
        acts = {"gelu_tanh": lambda x: functional.gelu(x, approximate="tanh"), "gelu": functional.gelu}
        self.attention = Attention(sizes, fused, turned, qk_norm, bias)
        self.mlp = Mlp(sizes, gated, acts.get(act, functional.silu), bias)
        self.norms = nn.ModuleList(Norm(sizes["d_model"], norm) for _ in range(4 if place == "around" else 2))
        self.place = place

    def forward(self, x, tables):
        norms = self.norms
        if self.place == "beside":
            return x + self.attention(norms[0](x), tables) + self.mlp(norms[1](x))
        if self.place == "before":
            x = x + self.attention(norms[0](x), tables)
            return x + self.mlp(norms[1](x))
        if self.place == "around":
            x = x + norms[1](self.attention(norms[0](x), tables))
            return x + norms[3](self.mlp(norms[2](x)))
        x = x + norms[0](self.attention(x, tables))
        return x + norms[1](self.mlp(x))


LAYERS = {"norm": "layer", "gated": False, "bias": True}
BLOCKS = {
    "llama": {},
    "qwen3": {"qk_norm": "head"},
    "gemma2": {"place": "around", "act": "gelu_tanh"},
    "gemma3": {"place": "around", "act": "gelu_tanh", "qk_norm": "head"},
    "olmo2": {"place": "after", "qk_norm": "width"},
    "phi3": {"fused": True},
    "phi4-mini": {"fused": True, "turned": "part"},
    "gpt_neox": {"place": "beside", "fused": True, "turned": "part", "act": "gelu", **LAYERS},
    "parallel": {"place": "beside", "turned": "part", "act": "gelu_tanh", **LAYERS},
    "gpt2": {"fused": True, "turned": "", "act": "gelu_tanh", **LAYERS},
}


def measure(name, sizes):
    how = BLOCKS[name]
    if how.get("bias"):
        sizes = {**sizes, "n_kv": sizes["n_heads"]}
    with FakeTensorMode(), torch.device("cpu"):
        torch.set_default_dtype(torch.bfloat16)
        block = Block(sizes, **how)
        given = torch.empty(sizes["B"], sizes["S"], sizes["d_model"], requires_grad=True)
        width = TURNED if how.get("turned") == "part" else sizes["d_head"]
        tables = [torch.empty(sizes["S"], width) for _ in range(2)]
        with Storages((*block.parameters(), given, *tables)) as storages:
            x = given * 1
            out = block(x, tables)
            forward = storages.most
            del x
            kept = storages.now - out.nbytes
            loss = Lost.apply(out)
            del out
            storages.most = storages.now
            loss.backward()
        scalars = 2 * loss.nbytes  # the loss, and the gradient of it
        return {"kept": kept, "forward": forward, "backward": storages.most - scalars}


if __name__ == "__main__":
    rows = [{"block": name, "sizes": kind, **measure(name, sizes)} for name in BLOCKS for kind, sizes in SIZES.items()]
    source = f"PyTorch {torch.__version__.split('+')[0]}, fake tensors"
    print(json.dumps({"source": source, "sizes": SIZES, "turned": TURNED, "rows": rows}, indent=1))
