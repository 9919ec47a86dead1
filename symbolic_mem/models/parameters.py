"""A model known only by its number of parameters, as in the tables of the ZeRO paper."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.symbols import Psi
from symbolic_mem.models.tensors import Layer, Model, Tensor

SOURCE = "Rajbhandari et al. (2020), ZeRO, arXiv:1910.02054, section 3.1, which writes Ψ for the parameters"


def parameters_only(count: sp.Expr = Psi) -> Model:
    """Build a model of `count` parameters of unknown shape: states can be counted, activations cannot.

    >>> from symbolic_mem import account, recipe
    >>> account(parameters_only(), recipe("zero-16")).total
    16*Psi
    """
    everything = Tensor("parameters", (count,), "all weights; their shapes are not given")
    return Model(
        name="model of a given number of parameters",
        layers=(Layer(name="model", weights=(everything,), source=SOURCE),),
        assumptions=("Only the number of parameters is given: what is kept for the backward pass is not counted.",),
    )
