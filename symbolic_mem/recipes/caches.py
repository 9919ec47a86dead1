"""`CacheFormat`: in how many bytes the caches of decoding are stored, with the scales that they need."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import sympy as sp

from symbolic_mem.base.once import hashed_once
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.tensors import Tensor
from symbolic_mem.recipes.known import cache_named, cache_tables

TENSOR, VECTOR, BLOCK = "tensor", "vector", "block"


@hashed_once
@dataclass(frozen=True)
class CacheFormat:
    """A cache of `bytes_each` for an element, and scales of `scale_bytes` for each of what `scales` names ("": none).

    It may be of one `engine` alone.
    """

    name: str
    title: str
    source: str
    bytes_each: sp.Rational
    scales: str = ""
    scale_bytes: sp.Rational = sp.S.Zero
    block: int = 1
    engine: str = ""

    def scaled(self, tensor: Tensor) -> tuple[sp.Expr, ...]:
        """Return the shape of the scales of a cached tensor.

        >>> from symbolic_mem.base.symbols import B, S, d_head, n_kv
        >>> cache_format("int4").scaled(Tensor("keys", (B, S, n_kv, d_head)))
        (B, S, n_kv)
        """
        if self.scales == TENSOR:
            return ()
        if self.scales == VECTOR:
            return tensor.shape[:-1]
        return (*tensor.shape[:-1], sp.ceiling(tensor.shape[-1] / self.block))


@cache
def cache_formats() -> Mapping[str, CacheFormat]:
    """Return the formats by name, in the order of the file."""
    return {
        name: CacheFormat(
            name,
            row["title"],
            row["source"],
            sp.Rational(row["bytes"]),
            row.get("scales", ""),
            sp.Rational(row.get("scale_bytes", 0)),
            row.get("block", 1),
            row.get("engine", ""),
        )
        for name, row in cache_tables().items()
    }


def cache_format(name: str) -> CacheFormat:
    """Return the format of that name, however it is spelt; raises `BadInput` naming those there are.

    >>> cache_format("FP8-E4M3").name, cache_format("bfloat16").bytes_each
    ('fp8', 2)
    """
    return cache_formats()[cache_named(name)]
