"""What vLLM asks of ranks that divide the tokens of a cache: decode context parallelism.

Source: vLLM, config/model.py: ModelConfig.verify_with_parallel_config; v1/kv_cache_interface.py: SlidingWindowSpec.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import at
from symbolic_mem.base.symbols import n_dcp, n_tp
from symbolic_mem.models.built import Built


def check_cached(
    name: str, by_heads: bool, built: Built, values: Mapping[sp.Symbol, sp.Rational], *, trains: bool
) -> None:
    """Refuse a plan that divides the tokens of caches where there are none, or over ranks that have no copies of them.

    Raises `BadInput` naming the degree and what to give: the ranks are some of those that heads are divided over (`by_heads`).
    """
    if trains:
        raise BadInput(
            f"plan {name!r} divides what decoding caches, and training caches nothing; give --recipe inference, or a plan without dcp"
        )
    if not by_heads:
        raise BadInput(f"plan {name!r}: dcp divides cached tokens over ranks of tensor parallelism; give vllm-tp+dcp")
    ranks = values.get(n_dcp, 1)
    if ranks == 1:
        return
    cached, a = built.model.cached, built.architecture
    if any(one.window is not None or not one.grows for one in cached):
        raise BadInput(
            f"plan {name!r} with n_dcp = {ranks}: vLLM divides the tokens of no sliding window and of no state, and this model has "
            "some; leave n_dcp out"
        )
    tensor, heads = values.get(n_tp, 1), sp.S.One if a is None or a.latent is not None else at(a.n_kv, values)
    if heads is None:
        return
    if tensor % ranks != 0 or ranks * heads > tensor:
        raise BadInput(
            f"plan {name!r} with n_dcp = {ranks}: vLLM divides cached tokens over ranks that would keep copies of a key-value head, "
            f"and n_tp = {tensor} of n_kv = {heads} has {max(1, tensor // heads)}; give a divisor of n_tp up to that, or a larger n_tp"
        )
    if a is not None and a.latent is None:
        queries = at(a.n_heads / a.n_kv, values)
        if queries is not None and queries % ranks != 0:
            raise BadInput(
                f"plan {name!r} with n_dcp = {ranks}: vLLM wants it to divide the query heads of each key-value head, {queries}; "
                f"give a divisor of {queries}"
            )
