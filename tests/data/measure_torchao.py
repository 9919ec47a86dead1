"""Measure what a compiled step of torchao's AdamW8bit holds for a moment, in bytes for each number of the weight at work.

    python tests/data/measure_torchao.py

Every allocation of a step is followed by PyTorch's profiler, on a CPU: PyTorch 2.13 with torchao 0.18 holds 8, the new moments in
FP32, which the step of torchao 0.6.1 has under the same names.
"""

from __future__ import annotations

import torch
from torch.profiler import ProfilerActivity, profile
from torchao.optim import AdamW8bit

ROWS, COLUMNS = 4096, 256


def held() -> float:
    """The most that a step allocates beside what is there before it, for each number of the weight."""
    weight = torch.nn.Parameter(torch.randn(ROWS, COLUMNS, dtype=torch.bfloat16))
    optimizer = AdamW8bit([weight])
    for _ in range(3):  # compiled in the first
        weight.grad = torch.randn_like(weight)
        optimizer.step()
    weight.grad = torch.randn_like(weight)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as followed:
        optimizer.step()
    allocated = [one for one in followed.profiler.kineto_results.events() if one.name() == "[memory]"]
    now = most = 0
    for one in sorted(allocated, key=lambda each: each.start_ns()):
        now += one.nbytes()
        most = max(most, now)
    return most / weight.numel()


if __name__ == "__main__":
    print(f"{held():.2f}")
