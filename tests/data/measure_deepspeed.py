"""What one rank holds in a step of DeepSpeed in BF16, ZeRO stage 1 or 2: a stack of gated feed-forward blocks.

    DS_ACCELERATOR=cpu python tests/data/measure_deepspeed.py '{"stage": 2, "n_fsdp": 4, "L": 6, "d_model": 128, "d_ff": 256, "B": 2, "S": 32, "bucket": 40000}'

prints the settings with the bytes at the fullest moment of the forward pass, the backward pass and the optimizer step of the third
step, as JSON: those of the last rank, whose gradients are reduced first. Further keys: `micro_batches` (1), `overlap` (false), `rank`,
`adamw` ("fused", "foreach"), and `parts`, which prints of what the fullest moments are. It needs torch and deepspeed 0.19.8
(pip install --no-deps, with hjson, einops, msgpack, ninja, py-cpuinfo and psutil beside it); a fake process group, no device.
tests/data/deepspeed_zero.json has what it printed.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import weakref

import torch
import torch.distributed as dist
from torch.testing._internal.distributed.fake_pg import FakeStore
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from symbolic_mem.verify.stacks import stack


class Alive(TorchDispatchMode):
    """Follow every storage that operations make until nothing refers to it; `most` is the largest sum of bytes, and what it is of."""

    def __init__(self):
        super().__init__()
        self.held, self.most, self.parts = {}, 0, []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        for one in tree_flatten(made)[0]:
            if isinstance(one, torch.Tensor) and one.device.type != "meta":
                storage = one.untyped_storage()
                if storage.nbytes() > 64 and storage._cdata not in self.held:  # no single numbers
                    self.held[storage._cdata] = (storage.nbytes(), str(func))
                    weakref.finalize(storage, self.held.pop, storage._cdata, None)
        total = sum(size for size, _ in self.held.values())
        if total > self.most:
            self.most, self.parts = total, sorted(self.held.values(), reverse=True)
        return made


def main(case: dict) -> None:
    ranks, rank = case["n_fsdp"], case.get("rank", case["n_fsdp"] - 1)
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": "0", "WORLD_SIZE": str(ranks)}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29633"}
    dist.init_process_group("fake", rank=rank, world_size=ranks, store=FakeStore())
    import deepspeed

    micro = case.get("micro_batches", 1)
    zero = {
        "stage": case["stage"],
        "reduce_bucket_size": case["bucket"],
        "overlap_comm": case.get("overlap", False),
    }
    config = {
        "train_micro_batch_size_per_gpu": case["B"],
        "gradient_accumulation_steps": micro,
        "bf16": {"enabled": True},
        "zero_optimization": zero,
        "zero_allow_untested_optimizer": True,
    }
    blocks = case["L"]
    made = stack("gated-ffn with residual", blocks, case["d_model"], case["d_ff"], [False] * blocks)
    found: dict[str, int] = {}
    with Alive() as alive:
        kind = case.get("adamw", "fused")
        adamw = torch.optim.AdamW(made.parameters(), fused=kind == "fused", foreach=kind == "foreach")
        engine, *_ = deepspeed.initialize(model=made, optimizer=adamw, config=config)

        def measured(what, work):
            gc.collect()
            alive.most = 0
            made = work()
            found[what] = alive.most
            if case.get("parts"):
                print(what, alive.most, alive.parts[:14], file=sys.stderr)
            return made

        x = torch.randn(case["B"], case["S"], case["d_model"], dtype=torch.bfloat16)
        for _ in range(3):
            for _ in range(micro):
                loss = measured("forward", lambda: engine(x))
                measured("backward", lambda of=loss: engine.backward(of) and None)
                del loss
                measured("step", engine.step)
    print(json.dumps({key: value for key, value in case.items() if key != "parts"} | {"bytes": found}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
