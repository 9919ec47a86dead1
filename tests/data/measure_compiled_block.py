"""The most that the compiled backward pass of one recomputed block of Llama holds under torchtitan's sequence parallelism.

    python tests/data/measure_compiled_block.py 4 8192 16384 53248 128 8 128 8

prints the bytes: B, S, d_model, d_ff, n_heads, n_kv, d_head, n_tp. With n_cp after them attention is PyTorch's context parallelism,
and S is what one rank has of a sequence. With `async` after the numbers products and collectives are fused by PyTorch's own pass
for AsyncTP, and with `float8` the linear layers are torchao's. The graph is that which AOTAutograd makes of the checkpointed block and
its partitioner orders, with Inductor's decompositions. What is made stays until it is used for the last time; a chain of pointwise
operations is one, which writes into an input that nothing reads later. Inputs of the graph are not in it. It needs torch alone, as
`measure_sharded_block.py` does, whose block it is, and torchao 0.18 for `float8`.
"""

from __future__ import annotations

import copy
import operator
import sys
from contextlib import ExitStack

import measure_sharded_block as sharded
import torch
import torch.distributed as dist
from torch._dynamo.backends.common import aot_autograd
from torch._functorch import partitioners
from torch._inductor import inductor_prims
from torch._inductor.decomposition import select_decomp_table
from torch._inductor.fx_passes.micro_pipeline_tp import micro_pipeline_tp_pass
from torch._inductor.fx_passes.post_grad import remove_noop_ops, view_to_reshape
from torch._inductor.pattern_matcher import stable_topological_sort
from torch.distributed import _symmetric_memory as symmetric
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor.parallel import parallelize_module
from torch.testing._internal.distributed.fake_pg import FakeStore
from torch.utils._pytree import tree_map_only
from torch.utils.checkpoint import checkpoint

aten, fused = torch.ops.aten, torch.ops.symm_mem
WAIT = torch.ops._c10d_functional.wait_tensor.default
COPIES = (
    aten.reshape.default,
    aten.clone.default,
    torch.ops.prims.convert_element_type.default,
    inductor_prims.force_stride_order,
)
SUMS = (aten.sum.dim_IntList, aten.mean.dim, aten.amax.default)
SCATTERS = (fused.fused_matmul_reduce_scatter.default, fused.fused_scaled_matmul_reduce_scatter.default)


def pointwise(node):
    return node.target in COPIES or torch.Tag.pointwise in getattr(node.target, "tags", ())


class Storages(torch.fx.Interpreter):
    """What each node of a graph refers to: `of` it the storages, `size` of each, and bytes of which an operation lets go itself."""

    def __init__(self, module):
        super().__init__(module, garbage_collect_values=False)
        self.of, self.size, self.made, self.inside = {}, {}, {}, {}

    def run_node(self, node):
        out = self.env[node.args[0]] if node.target is WAIT else super().run_node(node)
        found = []
        tree_map_only(torch.Tensor, lambda one: found.append(one.untyped_storage()), out)
        self.of[node] = {one._cdata for one in found}
        self.made[node] = self.of[node] - self.size.keys()
        self.size |= {one._cdata: one.nbytes() for one in found}
        if node.target in SCATTERS:  # the parts of all ranks, before their sum
            left, right = (self.env[one] for one in node.args[:2])
            self.inside[node] = left.numel() // left.shape[-1] * right.shape[1] * 2
        if node.target is fused.fused_all_gather_matmul.default and not node.kwargs["return_A"]:
            part = self.env[node.args[0]]
            self.inside[node] = (
                part.numel() * part.element_size() * symmetric.c10d._get_group_size_by_name(node.args[3])
            )
        return out


def inlined(nodes, made):
    """Pointwise operations whose results only pointwise operations and sums read: they are never written."""
    found = set()

    def readers(node):
        for user in node.users:
            yield from readers(user) if user.op == "call_function" and not made[user] else (user,)

    for node in nodes:
        if made[node] and pointwise(node):
            read = list(readers(node))
            if read and all(one.op == "call_function" and (pointwise(one) or one.target in SUMS) for one in read):
                found.add(node)
    return found


def fullest(module):
    """Bytes of what the operations of a graph have made, where that is most."""
    module.recompile()
    run, values = (
        Storages(module),
        [node.meta["val"] for node in module.graph.nodes if node.op == "placeholder"],
    )
    with ExitStack() as stack:
        stack.enter_context(next(one.fake_mode for one in values if isinstance(one, torch.Tensor)))
        stack.enter_context(symmetric._test_mode())
        run.run(*(tree_map_only(torch.Tensor, torch.empty_like, values)))
    nodes = [node for node in module.graph.nodes if node.op == "call_function"]
    unwritten, reads, last = inlined(nodes, run.made), {}, {}
    for index, node in enumerate(nodes):
        given = set().union(*(reads.get(one, set()) for one in node.all_input_nodes))
        if node.target is operator.getitem:
            reads[node] = given & run.of[node] or given
        elif node in unwritten or not run.made[node]:
            reads[node] = given
        else:
            reads[node] = run.made[node]
            last |= dict.fromkeys(given, index)
    kept = set().union(*(reads.get(one, set()) for one in module.graph.output_node().all_input_nodes))
    alive, most = {}, 0
    for index, node in enumerate(nodes):
        if run.made[node] and node not in unwritten:
            new = {one: run.size[one] for one in run.made[node]}
            ends = [one for one in alive if last.get(one) == index and one not in kept]
            if pointwise(node) and (over := [one for one in ends if alive[one] in new.values()]):
                del alive[over[0]]
            alive |= new
            most = max(most, sum(alive.values()) + run.inside.get(node, 0))
        alive = {one: size for one, size in alive.items() if last.get(one, -1) > index or one in kept}
    return most


def divide(block, mesh, float8):
    """Cut a block as torchtitan does, with torchao's linear layers and styles where they are asked for."""
    styles = sharded.plan()
    if float8:
        from torchao.float8 import convert_to_float8_training
        from torchao.float8 import float8_tensor_parallel as eight

        convert_to_float8_training(block)
        named = {"ColwiseParallel": eight.Float8ColwiseParallel, "RowwiseParallel": eight.Float8RowwiseParallel}
        for name, style in styles.items():
            style.__class__ = named.get(type(style).__name__, type(style))
            if type(style).__name__ == "PrepareModuleInput":
                styles[name] = eight.PrepareFloat8ModuleInput(
                    input_layouts=style.input_layouts, desired_input_layouts=style.desired_input_layouts
                )
    parallelize_module(block, mesh, styles)


def most(batch, tokens, d_model, d_ff, n_heads, n_kv, d_head, n_tp, n_cp=1, *, together=False, float8=False):
    """Bytes at the fullest moment of the graph of the backward pass."""
    torch.set_default_dtype(torch.bfloat16)
    dist.init_process_group("fake", store=FakeStore(), rank=0, world_size=n_tp * n_cp)
    dist.is_nccl_available = lambda: True  # the pass asks, and nothing is sent
    partitioners.functionalize_rng_ops = lambda joint, forward, backward, number: (forward, backward)  # no dropout here
    torch._dynamo.allow_in_graph(sharded.Ring)
    with torch.device("meta"):
        block = sharded.Block(d_model, d_ff, n_heads, n_kv, d_head)
        x = torch.empty(batch, tokens // n_tp, d_model, requires_grad=True)
        angles = torch.empty(tokens, d_head // 2, dtype=torch.complex64)
    mesh = init_device_mesh("cpu", (n_cp, n_tp), mesh_dim_names=("cp", "tp"))
    block.attention.mesh = mesh["cp"] if n_cp > 1 else None
    divide(block, mesh["tp"], float8)
    found = []

    def backward(given, _):
        module = torch.fx.GraphModule(given, copy.deepcopy(given.graph))
        view_to_reshape(module)
        remove_noop_ops(module.graph)
        if together:
            with symmetric._test_mode():
                micro_pipeline_tp_pass(module.graph)
            stable_topological_sort(module.graph)
        module.graph.eliminate_dead_code()
        found.append(fullest(module))
        return given

    backend = aot_autograd(
        fw_compiler=lambda module, _: module,
        bw_compiler=backward,
        decompositions=select_decomp_table(),
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
    words = [one for one in sys.argv[1:] if not one.isdigit()]
    numbers = map(int, (one for one in sys.argv[1:] if one.isdigit()))
    print(most(*numbers, together="async" in words, float8="float8" in words))
