"""The stacks of the package as PyTorch modules: blocks of matrices without anything else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


def stack(
    name: str,
    blocks: int,
    d_model: int,
    d_ff: int,
    recomputed: Sequence[bool],
    contexts: Callable[[], Any] | None = None,
) -> Any:
    """Build ``ffn``, ``gated-ffn`` or ``gated-ffn with residual`` as a module whose result is the sum of its outputs.

    `contexts` of a checkpoint say what a block that is recomputed keeps beside its input (None: nothing).
    """
    import torch
    from torch.utils.checkpoint import checkpoint

    options: dict[str, Any] = {} if contexts is None else {"context_fn": contexts}

    def linear(inputs: int, outputs: int) -> Any:
        return torch.nn.Linear(inputs, outputs, bias=False)

    class Plain(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.wide, self.narrow = linear(d_model, d_ff), linear(d_ff, d_model)

        def forward(self, x: Any) -> Any:
            return self.narrow(self.wide(x))

    class Gated(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gate, self.up, self.down = linear(d_model, d_ff), linear(d_model, d_ff), linear(d_ff, d_model)

        def forward(self, x: Any) -> Any:
            y = self.down(torch.nn.functional.silu(self.gate(x)) * self.up(x))
            return x + y if name.endswith("residual") else y

    class Stack(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = torch.nn.ModuleList((Plain if name == "ffn" else Gated)() for _ in range(blocks))

        def forward(self, x: Any) -> Any:
            for block, again in zip(self.blocks, recomputed, strict=True):
                x = checkpoint(block, x, use_reentrant=False, **options) if again else block(x)
            return x.sum()

    return Stack()
