"""What one rank holds in a step of DeepSpeed's ZeRO-2 in BF16, and which of it is the largest: six linear layers of 256 x 256 over 4 ranks.

    DS_ACCELERATOR=cpu python tests/data/measure_deepspeed.py 131072

prints the bytes at the fullest moment of the backward pass and of the optimizer step, of the third step: reduce_bucket_size in
numbers, and `overlap` after it for overlap_comm. It needs torch and deepspeed 0.19.8; a fake process group, no device.
"""

from __future__ import annotations

import gc
import os
import sys
import weakref

import torch
import torch.distributed as dist
from torch import nn
from torch.testing._internal.distributed.fake_pg import FakeStore
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

WIDTH, LAYERS, RANKS = 256, 6, 4


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
                if storage.nbytes() and storage._cdata not in self.held:
                    self.held[storage._cdata] = (storage.nbytes(), str(func))
                    weakref.finalize(storage, self.held.pop, storage._cdata, None)
        total = sum(size for size, _ in self.held.values())
        if total > self.most:
            self.most, self.parts = total, sorted(self.held.values(), reverse=True)
        return made


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(LAYERS))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x.float().sum()


def main(bucket: int, overlap: bool) -> None:
    os.environ |= {"RANK": str(RANKS - 1), "LOCAL_RANK": "0", "WORLD_SIZE": str(RANKS)}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29633"}
    dist.init_process_group("fake", rank=RANKS - 1, world_size=RANKS, store=FakeStore())
    import deepspeed

    zero = {"stage": 2, "reduce_bucket_size": bucket, "overlap_comm": overlap}
    config = {"train_micro_batch_size_per_gpu": 1, "bf16": {"enabled": True}, "zero_optimization": zero}
    net = Net()
    with Alive() as alive:
        adamw = torch.optim.AdamW(net.parameters(), fused=True)
        engine, *_ = deepspeed.initialize(
            model=net, optimizer=adamw, config=config | {"zero_allow_untested_optimizer": True}
        )
        for _ in range(3):
            loss = engine(torch.randn(4, WIDTH, dtype=torch.bfloat16))
            for what, work in (("backward", lambda of=loss: engine.backward(of)), ("step", engine.step)):
                gc.collect()
                alive.most = 0
                work()
                said = f"{what}: {alive.most} {alive.parts[:9]}"
                print(said)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:] == ["overlap"])
