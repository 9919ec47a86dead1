"""What decoding keeps of the tokens that it has seen, from the description of a model's attention."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.symbols import B, S
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.tensors import Cached, Tensor

KEYS = "keys and values"
NARROW = "compressed keys and values"
IN_WINDOWS = "in sliding windows"


def caches(a: Architecture, tokens: sp.Expr = S) -> tuple[Cached, ...]:
    """Return the caches of a transformer: of the layers that attend to all `tokens`, and of those with a sliding window.

    Each token leaves a key and a value of every key-value head (Shazeer, 2019, arXiv:1911.02150, section 2.3), under
    latent attention one compressed vector and one rotary key (DeepSeek-V2, arXiv:2405.04434, section 2.1.2).

    >>> [(held.name, held.repeat, held.tensors[0].shape) for held in caches(Architecture())]
    [('keys and values', L, (B, S, n_kv, d_head))]
    """
    tensors, name = _of_a_layer(a, tokens), KEYS if a.latent is None else NARROW
    if a.window is None:
        return (Cached(name, a.layers, tensors),)
    rest = a.layers - a.window.layers
    there = a.window.kinds
    windows = Cached(f"{name} {IN_WINDOWS}", a.window.layers, tensors, window=a.window.size, there=there)
    return (windows,) if rest == 0 else (Cached(name, rest, tensors, there=tuple(not one for one in there)), windows)


def _of_a_layer(a: Architecture, tokens: sp.Expr) -> tuple[Tensor, ...]:
    if a.latent is None:
        shape = (B, tokens, a.n_kv, a.d_head)
        return tuple(Tensor(name, shape, "later tokens attend to it") for name in ("keys", "values"))
    return (
        Tensor(NARROW, (B, tokens, a.latent.d_c), "keys and values of later tokens are expanded from it"),
        Tensor("rotary keys", (B, tokens, a.latent.d_rope), "all heads share them"),
    )
