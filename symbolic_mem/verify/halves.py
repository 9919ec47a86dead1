"""Blocks of transformers in pairs: the second is recomputed from what the first keeps, with the first one's last product."""

from __future__ import annotations

from typing import Any

FAMILIES = ("llama", "mistral", "qwen2", "qwen3")
"""Whose blocks are a norm, an attention, a sum, a norm, a gated MLP and a sum."""


def in_pairs(blocks: Any) -> Any:
    """Return modules that do what the blocks do, two at a time; the last alone where their number is odd.

    A pair keeps what the first block saves but for its last product and sum, which need what enters the product and the
    residual stream: both are given to the checkpoint, and the rest of the pair starts from them.
    """
    import torch

    return torch.nn.ModuleList(_pair(*blocks[start : start + 2]) for start in range(0, len(blocks), 2))


def _pair(first: Any, second: Any = None) -> Any:
    import torch
    from torch.utils.checkpoint import checkpoint

    if second is None:
        return first

    class Pair(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = first, second

        def forward(self, x: Any, **given: Any) -> Any:
            def again(inner: Any, stream: Any) -> Any:
                return self.second(stream + self.first.mlp.down_proj(inner), **given)

            return checkpoint(again, *self.inside(x, given), use_reentrant=False)

        def inside(self, x: Any, given: dict[str, Any]) -> tuple[Any, Any]:
            """What enters the last product of the first block, and the residual stream that is added to it."""
            own, mlp = self.first, self.first.mlp
            stream = x + own.self_attn(hidden_states=own.input_layernorm(x), **given)[0]
            y = own.post_attention_layernorm(stream)
            return mlp.act_fn(mlp.gate_proj(y)) * mlp.up_proj(y), stream

    return Pair()
