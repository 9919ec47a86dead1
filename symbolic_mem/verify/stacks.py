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
    half: bool = False,
) -> Any:
    """Build ``ffn``, ``gated-ffn`` or ``gated-ffn with residual`` as a module whose result is the sum of its outputs.

    `contexts` of a checkpoint say what a block that is recomputed keeps beside its input (None: nothing). With `half` every
    second block is, with the last product of the one before, and keeps nothing.
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

        def inside(self, x: Any) -> tuple[Any, ...]:
            return (self.wide(x),)

        def last(self, h: Any) -> Any:
            return self.narrow(h)

    class Gated(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gate, self.up, self.down = linear(d_model, d_ff), linear(d_model, d_ff), linear(d_ff, d_model)

        def forward(self, x: Any) -> Any:
            y = self.down(torch.nn.functional.silu(self.gate(x)) * self.up(x))
            return x + y if name.endswith("residual") else y

        def inside(self, x: Any) -> tuple[Any, ...]:
            h = torch.nn.functional.silu(self.gate(x)) * self.up(x)
            return (h, x) if name.endswith("residual") else (h,)

        def last(self, h: Any, x: Any = None) -> Any:
            return self.down(h) if x is None else x + self.down(h)

    class Stack(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = torch.nn.ModuleList((Plain if name == "ffn" else Gated)() for _ in range(blocks))

        def forward(self, x: Any) -> Any:
            if half:
                return self.halves(x).sum()
            for block, again in zip(self.blocks, recomputed, strict=True):
                x = checkpoint(block, x, use_reentrant=False, **options) if again else block(x)
            return x.sum()

        def halves(self, x: Any) -> Any:
            for start in range(0, blocks, 2):
                first, *others = self.blocks[start : start + 2]
                if not others:
                    return first(x)
                kept = first.inside(x)

                def again(*kept: Any, first: Any = first, second: Any = others[0]) -> Any:
                    return second(first.last(*kept))

                x = checkpoint(again, *kept, use_reentrant=False)
            return x

    return Stack()
