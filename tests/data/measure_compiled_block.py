"""The most that the compiled backward pass of one recomputed block of Llama holds under torchtitan's sequence parallelism.

    python tests/data/measure_compiled_block.py 4 8192 16384 53248 128 8 128 8

prints the bytes: B, S, d_model, d_ff, n_heads, n_kv, d_head, n_tp. The graph is that which AOTAutograd makes of the checkpointed
block and its partitioner orders, before operations are fused: what is made stays until it is used for the last time. Inputs of
the graph are not in it. It needs torch alone, as `measure_sharded_block.py` does, whose block it is.
"""

from __future__ import annotations

import operator
import sys

import torch
import torch.distributed as dist
from measure_sharded_block import Block, plan
from torch._dynamo.backends.common import aot_autograd
from torch._functorch import partitioners
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor.parallel import parallelize_module
from torch.testing._internal.distributed.fake_pg import FakeStore
from torch.utils.checkpoint import checkpoint

SAME = ("aten::_unsafe_view", "_c10d_functional::wait_tensor")  # views that their schema does not call so


def views(node):
    """Whether a node of a graph gives a view of its first input."""
    if node.target is operator.getitem:
        return True
    schema = getattr(node.target, "_schema", None)
    return schema is not None and (schema.name in SAME or any(one.alias_info for one in schema.returns))


def fullest(graph):
    """Bytes of what the operations of a graph have made, where that is most."""
    nodes = [node for node in graph.nodes if node.op == "call_function"]
    owner, last = {}, {}
    for index, node in enumerate(nodes):
        owner[node] = owner.get(node.all_input_nodes[0]) if views(node) else node
        last |= {owner[one]: index for one in (*node.all_input_nodes, node) if owner.get(one) is not None}
    kept = {owner[one] for one in graph.output_node().all_input_nodes if one in owner}
    alive, most = {}, 0
    for index, node in enumerate(nodes):
        value = node.meta.get("val")
        if owner[node] is node and isinstance(value, torch.Tensor):
            alive[node] = value.numel() * value.element_size()
        most = max(most, sum(alive.values()))
        alive = {one: size for one, size in alive.items() if last[one] > index or one in kept}
    return most


def most(batch, tokens, d_model, d_ff, n_heads, n_kv, d_head, n_tp):
    """Bytes at the fullest moment of the graph of the backward pass."""
    torch.set_default_dtype(torch.bfloat16)
    dist.init_process_group("fake", store=FakeStore(), rank=0, world_size=n_tp)
    partitioners.functionalize_rng_ops = lambda joint, forward, backward, number: (forward, backward)  # no dropout here
    with torch.device("meta"):
        block = Block(d_model, d_ff, n_heads, n_kv, d_head)
        x = torch.empty(batch, tokens // n_tp, d_model, requires_grad=True)
        angles = torch.empty(tokens, d_head // 2, dtype=torch.complex64)
    parallelize_module(block, init_device_mesh("cpu", (n_tp,)), plan())
    found = []

    def backward(module, _):
        found.append(fullest(module.graph))
        return module

    backend = aot_autograd(
        fw_compiler=lambda module, _: module,
        bw_compiler=backward,
        partition_fn=lambda *given, **named: partitioners.min_cut_rematerialization_partition(*given, **named),
    )
    run = torch.compile(
        lambda x, angles: checkpoint(block, x, angles, use_reentrant=False, preserve_rng_state=False),
        backend=backend,
        fullgraph=True,
    )
    out = run(x, angles)
    out.backward(torch.empty_like(out))
    dist.destroy_process_group()
    return found[-1]


if __name__ == "__main__":
    print(most(*map(int, sys.argv[1:])))
