"""`Widths`: the bytes of one element of what is saved for the backward pass."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.once import hashed_once
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.tensors import Tensor


@hashed_once
@dataclass(frozen=True)
class Widths:
    """The bytes of one element of a saved tensor: `usual`, or those `of_inputs` of linear layers (see `FEEDS`)."""

    usual: sp.Rational
    of_inputs: tuple[tuple[str, sp.Rational], ...] = ()

    def of(self, tensor: Tensor) -> sp.Expr:
        """Return the bytes of one element: what the engine fixes, else what the recipe says.

        >>> from symbolic_mem.recipes.read import recipe
        >>> recipe("fp8").widths.of(Tensor("x", (), feeds="linear layer"))
        33/32
        """
        if tensor.bytes_per_element is not None:
            return tensor.bytes_per_element
        return dict(self.of_inputs).get(tensor.feeds, self.usual)
