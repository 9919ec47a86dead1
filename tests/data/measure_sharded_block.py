"""The most that one rank holds in the backward pass of one recomputed block of Llama under torchtitan's sequence parallelism.

    python tests/data/measure_sharded_block.py 4 8192 16384 53248 128 8 128 8

prints the bytes: B, S, d_model, d_ff, n_heads, n_kv, d_head, n_tp. With n_cp after them attention is PyTorch's context
parallelism as it is by default, and S is what one rank has of a sequence. It needs torch alone: a fake process group and meta
tensors, no device and no memory. Parameters, the input and what FSDP holds are not in it; the gradients of the weights made so far are.
"""

from __future__ import annotations

import sys

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import DTensor, Replicate, Shard
from torch.distributed.tensor.experimental._context_parallel import _attention as context
from torch.distributed.tensor.parallel import (
    ColwiseParallel,
    PrepareModuleInput,
    RowwiseParallel,
    SequenceParallel,
    parallelize_module,
)
from torch.multiprocessing.reductions import StorageWeakRef
from torch.nn import functional
from torch.testing._internal.distributed.fake_pg import FakeStore
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.checkpoint import checkpoint


class Alive(TorchDispatchMode):
    """Follow every storage that operations make until nothing refers to it; `most` is the largest sum of bytes."""

    def __init__(self, own):
        super().__init__()
        self.own, self.held, self.most = own, {}, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if DTensor in types:
            return NotImplemented  # so that the operations on the part of this rank are seen
        out = func(*args, **(kwargs or {}))
        if func.name() == "_c10d_functional::_wrap_tensor_autograd":
            return out  # on a device it is the tensor that it wraps; on meta it is a second one
        for one in out if isinstance(out, tuple | list) else (out,):
            if isinstance(one, torch.Tensor) and not isinstance(one, DTensor | torch._subclasses.FakeTensor):
                storage = one.untyped_storage()
                if storage._cdata not in self.own:
                    self.held[storage._cdata] = (StorageWeakRef(storage), storage.nbytes())
        self.held = {key: pair for key, pair in self.held.items() if not pair[0].expired()}
        self.most = max(self.most, sum(size for _, size in self.held.values()))
        return out


class Ring(torch.autograd.Function):
    """The flash kernel over the tokens of all ranks of `mesh`, in the order of PyTorch's context parallelism."""

    @staticmethod
    def forward(ctx, mesh, q, k, v):
        out, lse, *ctx.rest = context._scaled_dot_product_ring_flash_attention(mesh, q, k, v, 0.0, True)
        ctx.mesh = mesh
        ctx.save_for_backward(q, k, v, out, lse)
        return out

    @staticmethod
    def backward(ctx, arrived):
        *rest, _ = ctx.rest
        ends, random = rest[:4], rest[4:]
        back = context._scaled_dot_product_ring_flash_attention_backward
        return None, *back(ctx.mesh, arrived, *ctx.saved_tensors, *ends, 0.0, True, *random)[:3]


class Attention(nn.Module):
    """Grouped queries with rotary embeddings in FP32 and keys and values copied for each query head, then the flash kernel."""

    mesh = None  # of context parallelism

    def __init__(self, d_model, n_heads, n_kv, d_head):
        super().__init__()
        self.d_head, self.copies = d_head, n_heads // n_kv
        self.wq, self.wk, self.wv = (nn.Linear(d_model, n * d_head, bias=False) for n in (n_heads, n_kv, n_kv))
        self.wo = nn.Linear(n_heads * d_head, d_model, bias=False)

    def forward(self, x, angles):
        batch, tokens = x.shape[:2]
        q, k, v = (w(x).view(batch, tokens, -1, self.d_head) for w in (self.wq, self.wk, self.wv))
        q, k = (self.turned(one, angles) for one in (q, k))
        k, v = (self.copied(one) for one in (k, v))
        q, k, v = (one.transpose(1, 2) for one in (q, k, v))
        if self.mesh is None:
            out = torch.ops.aten._scaled_dot_product_flash_attention(q, k, v, 0.0, True)[0]
        else:
            out = Ring.apply(self.mesh, q, k, v)
        return self.wo(out.transpose(1, 2).contiguous().view(batch, tokens, -1))

    def turned(self, x, angles):
        pairs = torch.view_as_complex(x.float().reshape(*x.shape[:-1], -1, 2))
        return torch.view_as_real(pairs * angles.view(1, x.shape[1], 1, -1)).flatten(3).type_as(x)

    def copied(self, x):
        batch, tokens, heads, width = x.shape
        wide = x.unsqueeze(3).expand(batch, tokens, heads, self.copies, width)
        return wide.reshape(batch, tokens, heads * self.copies, width)


class Gated(nn.Module):
    def __init__(self, d_model, d_ff):
        super().__init__()
        self.w1, self.w3 = (nn.Linear(d_model, d_ff, bias=False) for _ in range(2))
        self.w2 = nn.Linear(d_ff, d_model, bias=False)

    def forward(self, x):
        return self.w2(functional.silu(self.w1(x)) * self.w3(x))


class Norm(nn.Module):
    def __init__(self, d_model):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d_model))

    def forward(self, x):
        wide = x.float()
        return (wide * torch.rsqrt((wide * wide).mean(-1, keepdim=True) + 1e-5)).type_as(x) * self.weight


class Block(nn.Module):
    def __init__(self, d_model, d_ff, n_heads, n_kv, d_head):
        super().__init__()
        self.attention_norm, self.ffn_norm = Norm(d_model), Norm(d_model)
        self.attention, self.feed_forward = Attention(d_model, n_heads, n_kv, d_head), Gated(d_model, d_ff)

    def forward(self, x, angles):
        x = x + self.attention(self.attention_norm(x), angles)
        return x + self.feed_forward(self.ffn_norm(x))


def plan():
    """What torchtitan's parallelize_llama.py plans for a block."""
    columns = ("attention.wq", "attention.wk", "attention.wv", "feed_forward.w1", "feed_forward.w3")
    whole = {"input_layouts": (Shard(1), None), "desired_input_layouts": (Replicate(), None)}
    one = {"input_layouts": (Shard(1),), "desired_input_layouts": (Replicate(),)}
    return {
        **{name: SequenceParallel() for name in ("attention_norm", "ffn_norm")},
        **{name: ColwiseParallel() for name in columns},
        **{name: RowwiseParallel(output_layouts=Shard(1)) for name in ("attention.wo", "feed_forward.w2")},
        "attention": PrepareModuleInput(**whole),
        "feed_forward": PrepareModuleInput(**one),
    }


def most(batch, tokens, d_model, d_ff, n_heads, n_kv, d_head, n_tp, n_cp=1):
    """Bytes that are alive at the fullest moment of the recomputation and the backward pass."""
    torch.set_default_dtype(torch.bfloat16)
    dist.init_process_group("fake", store=FakeStore(), rank=0, world_size=n_tp * n_cp)
    with torch.device("meta"):
        block = Block(d_model, d_ff, n_heads, n_kv, d_head)
        x = torch.empty(batch, tokens // n_tp, d_model, requires_grad=True)
        angles = torch.empty(tokens, d_head // 2, dtype=torch.complex64)
    mesh = init_device_mesh("cpu", (n_cp, n_tp), mesh_dim_names=("cp", "tp"))
    block.attention.mesh = mesh["cp"] if n_cp > 1 else None
    parallelize_module(block, mesh["tp"], plan())
    own = [*(weight._local_tensor for weight in block.parameters()), x, angles]
    with Alive({tensor.untyped_storage()._cdata for tensor in own}) as alive:
        out = checkpoint(block, x, angles, use_reentrant=False, preserve_rng_state=False)
        alive.most = 0
        out.backward(torch.empty_like(out))
    dist.destroy_process_group()
    return alive.most


if __name__ == "__main__":
    print(most(*map(int, sys.argv[1:])))
