"""Measure what the backward pass of a head holds that multiplies the tokens in parts, on fake tensors: writes head.json.

Run with PyTorch, from the root of the repository: ``python tests/data/measure_head.py``. The loss of each part keeps its logits,
as a compiled kernel does, and so does the caller.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from symbolic_mem.verify.storages import Storages

B, S, D, V = 2, 64, 32, 1000


class Loss(torch.autograd.Function):
    @staticmethod
    def forward(context, logits):
        context.save_for_backward(logits)
        return logits.new_zeros((), dtype=torch.float32)

    @staticmethod
    def backward(context, gradient):
        return torch.empty_like(context.saved_tensors[0])


def measure(parts: int) -> dict[str, int]:
    with FakeTensorMode():
        head = torch.nn.Parameter(torch.empty(V, D, dtype=torch.bfloat16))
        x = torch.empty(B, S, D, dtype=torch.bfloat16, requires_grad=True)
        storages = Storages()
        storages.hold(head)
        storages.hold(x)
        with storages:
            before = storages.now
            logits = [torch.nn.functional.linear(part, head) for part in x.chunk(parts, 1)]
            loss = sum(Loss.apply(one) for one in logits)
            kept = storages.now - before
            storages.mark()
            loss.backward()
            most = storages.mark() - before
        del logits
    return {"parts": parts, "B": B, "S": S, "d_model": D, "V": V, "forward end": kept, "backward": most}


if __name__ == "__main__":
    cases = [measure(parts) for parts in (1, 2, 4, 8)]
    content = {"engine": f"PyTorch {torch.__version__}, fake tensors", "cases": cases}
    Path(__file__).with_name("head.json").write_text(json.dumps(content, indent=1) + "\n")
