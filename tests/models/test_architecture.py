"""What an `Architecture` says of itself."""

from __future__ import annotations

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import L, L_dense
from symbolic_mem.models.architecture import Architecture, Experts


def test_blocks_are_dense_or_have_experts() -> None:
    assert (Architecture().dense_layers, Architecture().expert_layers) == (L, 0)
    some = Architecture(experts=Experts(dense_layers=L_dense))
    assert (some.dense_layers, some.expert_layers) == (L_dense, L - L_dense)


def test_a_choice_that_no_layer_knows_is_refused() -> None:
    with pytest.raises(BadInput, match=r"the activation is 'swish'; known: gelu, gelu_bloom, .*silu_clamped"):
        Architecture(activation="swish")
    with pytest.raises(BadInput, match="the norm of queries and keys is 'widths'; did you mean 'width'"):
        Architecture(qk_norm="widths")
