"""Measure a head and a compiled cross entropy by parts, as torchtune's CEWithChunkedOutputLoss at 30b8519 has them.

    python tests/data/measure_compiled_loss.py > tests/data/compiled_loss.json

Every allocation of a step is followed by PyTorch's profiler, on a CPU: what the compiler keeps for the backward pass and fuses
there is the same on an accelerator. The bytes are those over the start of the backward pass's inputs: see `measured`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.nn.functional import cross_entropy, linear
from torch.profiler import ProfilerActivity, profile, record_function

SIZES = {"V": 2048, "d_model": 256, "B": 2, "S": 256}
MARKS = ("loss", "head", "end")


def compute(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The loss of one part, which alone is compiled."""
    return cross_entropy(logits.float(), labels, ignore_index=-100, reduction="sum")


def step(parts: int, weight: torch.Tensor, loss_of: Callable[..., torch.Tensor], mark: Callable[[str], Any]) -> None:
    """One step: the head by parts, the loss of each, and the backward pass; the caller lets the logits go before that."""
    hidden = torch.randn(SIZES["B"], SIZES["S"], SIZES["d_model"], dtype=torch.bfloat16, requires_grad=True)
    labels = torch.randint(0, SIZES["V"], (SIZES["B"], SIZES["S"]))
    weight.grad = None
    mark("head")
    logits = [linear(part, weight) for part in hidden.chunk(parts, dim=1)]
    pieces = [one.reshape(-1) for one in labels.chunk(parts, dim=1)]
    rows = [one.reshape(-1, one.size(-1)) for one in logits]
    total: Any = 0.0
    for one, wanted in zip(rows, pieces, strict=True):
        total = total + loss_of(one, wanted)
    del logits, rows, one
    mark("loss")
    total.backward()
    mark("end")


def measured(parts: int, trained: bool) -> dict[str, int]:
    """The most bytes of the forward pass and of the backward pass over what is there when the head begins."""
    torch._dynamo.reset()
    loss_of = torch.compile(compute, backend="inductor")
    weight = torch.nn.Parameter(torch.randn(SIZES["V"], SIZES["d_model"], dtype=torch.bfloat16), requires_grad=trained)
    for _ in range(2):
        step(parts, weight, loss_of, lambda name: None)

    def mark(name: str) -> None:
        with record_function(f"mark {name}"):
            pass

    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as found:
        step(parts, weight, loss_of, mark)
    return dict(_highest(found))


def _highest(found: Any) -> Iterator[tuple[str, int]]:
    events = sorted(
        (one.start_ns(), one.nbytes() if one.name() == "[memory]" else 0, one.name())
        for one in found.profiler.kineto_results.events()
        if one.name() == "[memory]" or one.name().startswith("mark ")
    )
    now = highest = start = 0
    for _, size, name in events:
        now += size
        highest = max(highest, now)
        match name:
            case "mark head":
                start = highest = now
            case "mark loss":
                yield "forward", highest - start
                highest = now
            case "mark end":
                yield "backward", highest - start


if __name__ == "__main__":
    cases = [
        {"parts": parts, "trained": trained, **SIZES, **measured(parts, trained)}
        for parts in (2, 4, 8)
        for trained in (True, False)
    ]
    json.dump({"torch": torch.__version__, "cases": cases}, sys.stdout, indent=1)
    print()
