"""`measure`: one training step in the installed PyTorch on fake tensors: no memory is used, no accelerator is needed."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any

import sympy as sp

from symbolic_mem.base import symbols as s
from symbolic_mem.base.errors import MissingProgram
from symbolic_mem.verify.refusals import refusals
from symbolic_mem.verify.run import OPTIMIZERS, Run
from symbolic_mem.verify.storages import Storages

TURNS = {"second": 2, "third": 3}
NEEDS = "pip install 'symbolic-mem[verify]'"


def measure(run: Run) -> dict[str, int]:
    """Return the bytes that one device holds at the marks of the step of `turn`, when the optimizer has its states.

    The marks are those of `held`. Raises `MissingProgram` where PyTorch, or transformers for a model that needs it,
    is not installed, and `BadInput` where it refuses the step.
    """
    torch = _torch()
    from torch._subclasses.fake_tensor import FakeTensorMode

    found: dict[str, int] = {}
    with refusals(f"PyTorch {torch.__version__}"), contextlib.ExitStack() as stack:
        mesh = stack.enter_context(_world(run)) if run.shards is not None else None
        stack.enter_context(FakeTensorMode())
        stack.enter_context(torch.device("cpu"))
        model, blocks, inputs = _model(run)
        if mesh is not None:
            _shard(run, model, blocks, mesh)
        storages = Storages()
        optimizer = _optimizer(run, model, storages)
        for parameter in model.parameters():
            storages.hold(parameter)
        for tensor in (*inputs.values(), *model.buffers()):
            (storages.hold if tensor.is_floating_point() and run.stack else storages.ignore)(tensor)
        with contextlib.nullcontext() if run.stack else _accelerated(), storages:
            for _ in range(TURNS[turn(run)]):
                for again in (False, True) if run.persist else (False,):
                    if again or not run.persist:
                        storages.mark()
                        found["start"] = storages.now
                    loss = model(**inputs) if not run.stack else model(*inputs.values())
                    loss = loss if run.stack else loss.loss
                    found["forward"], found["forward end"] = storages.mark(), storages.now
                    loss.backward()
                    del loss
                    found["backward"], found["backward end"] = storages.mark(), storages.now
                if optimizer is not None:
                    optimizer.step()
                found["step"] = storages.mark()
                if optimizer is not None:
                    optimizer.zero_grad()
    return found


def turn(run: Run) -> str:
    """Return which step is measured: the second, or where weights are divided the third.

    DTensor tries an operation that it has not seen on tensors of the whole size, and SGD with momentum has new ones in its second step.
    """
    return "third" if run.shards else "second"


def engine(run: Run) -> str:
    """Return what measures a run, with its version."""
    names = [f"PyTorch {_torch().__version__}"]
    if not run.stack:
        import transformers

        names.append(f"transformers {transformers.__version__}")
    return " with ".join((", ".join(names), "FSDP2 and fake tensors" if run.shards else "fake tensors"))


def _optimizer(run: Run, model: Any, storages: Storages) -> Any:
    """The optimizer of all parameters; None where one of each parameter steps in the backward pass.

    What it keeps before its first step, as Adagrad does, is followed.
    """
    torch = _torch()
    name, options = OPTIMIZERS[run.optimizer]

    def of(parameters: Any) -> Any:
        made = getattr(torch.optim, name)(parameters, **{"foreach": run.foreach, **options})
        for one in (one for kept in made.state.values() for one in kept.values()):
            if isinstance(one, torch.Tensor):
                storages.hold(one)
        return made

    if not run.in_backward:
        return of(model.parameters())
    own = {parameter: of([parameter]) for parameter in model.parameters()}

    def step(parameter: Any) -> None:
        own[parameter].step()
        own[parameter].zero_grad()

    for parameter in own:
        parameter.register_post_accumulate_grad_hook(step)
    return None


def _accelerated() -> Any:
    from symbolic_mem.verify.language_models import as_accelerated

    return as_accelerated()


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise MissingProgram(f"verify measures in PyTorch, which is not installed; {NEEDS}") from None
    return torch


@contextlib.contextmanager
def _world(run: Run) -> Generator[Any]:
    """A mesh of devices of which this process plays the first."""
    import torch.distributed as dist
    from torch.distributed.device_mesh import init_device_mesh
    from torch.testing._internal.distributed.fake_pg import FakeStore

    assert run.shards is not None
    several = run.replicas > 1
    shape = (run.replicas, run.shards) if several else (run.shards,)
    dist.init_process_group("fake", store=FakeStore(), rank=0, world_size=run.replicas * run.shards)
    try:
        yield init_device_mesh("cpu", shape, mesh_dim_names=("replica", "shard") if several else ("shard",))
    finally:
        dist.destroy_process_group()


def _shard(run: Run, model: Any, blocks: Any, mesh: Any) -> None:
    """Each block is a unit, and what is left is one more."""
    import torch
    from torch._subclasses.fake_tensor import unset_fake_temporarily
    from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

    options: dict[str, Any] = {"mesh": mesh}
    if run.computes != run.parameters:
        options["mp_policy"] = MixedPrecisionPolicy(
            param_dtype=getattr(torch, run.computes), reduce_dtype=getattr(torch, run.reduces)
        )
    with unset_fake_temporarily():  # a part of a mesh is found with real numbers
        for block in blocks:
            fully_shard(block, reshard_after_forward=run.keep == 0 or _count(run.keep), **options)
        fully_shard(model, **options)  # by FSDP2's own rule the root stays whole until the backward pass


def _count(keep: sp.Rational) -> int | bool:
    """`reshard_after_forward` as FSDP2 takes it: False where all that is gathered stays, else over how many."""
    return False if keep == 1 else int(1 / keep)


def _model(run: Run) -> tuple[Any, Any, dict[str, Any]]:
    """The model in the dtype of its parameters, its blocks and its inputs."""
    import torch

    dtype = getattr(torch, run.parameters)
    if run.stack:
        from symbolic_mem.verify.language_models import keeping
        from symbolic_mem.verify.stacks import stack

        contexts = keeping(run.products) if run.products else None
        torch.set_default_dtype(dtype)
        try:
            sizes = (run.sizes[s.L], run.sizes[s.d_model], run.sizes[s.d_ff])
            model = stack(run.stack, *sizes, run.recomputed, contexts, run.half)
        finally:
            torch.set_default_dtype(torch.float32)
        x = torch.empty(run.batch, run.sequence, run.sizes[s.d_model], dtype=getattr(torch, run.computes))
        return model, model.blocks, {"x": x}
    from symbolic_mem.verify.language_models import language_model

    model, blocks = language_model(run)
    ids = torch.zeros(run.batch, run.sequence, dtype=torch.int64)
    return model, blocks, {"input_ids": ids, "labels": ids}
