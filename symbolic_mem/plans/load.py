"""`Load`: what the layers of a model compute and what sharding would make them send, read from their own tensors."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import B, P, S, T, a_in, a_out, phi
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.tensors import Layer, Model


@dataclass(frozen=True)
class Load:
    """A forward pass over T tokens: `flops`, and elements of `weights` and of the activations at the edges of layers.

    Tensor parallelism cuts pairs of weights by column and by row: it gathers the `inputs` of the first and
    reduce-scatters the `outputs` of the second (Scaling Book, chapter Training; Megatron-LM with sequence
    parallelism sends the same). `what` names what is counted: one block, or the model.
    """

    what: str
    flops: sp.Expr
    weights: sp.Expr
    inputs: sp.Expr
    outputs: sp.Expr

    def __post_init__(self) -> None:
        if self.flops == 0:
            raise BadInput(f"the {self.what} has no matrix product, so there is nothing to compare with what is sent")

    @property
    def backward(self) -> sp.Expr:
        """Floating-point operations of the backward pass: two products for each one of the forward pass."""
        return 2 * self.flops

    def named(self) -> tuple[Load, dict[sp.Symbol, sp.Expr]]:
        """Return the same load written with four named quantities, and what those are: for models of many layers."""
        one = {T: sp.S.One}
        meaning = {
            phi: self.flops.xreplace(one),
            P: self.weights,
            a_in: self.inputs.xreplace(one),
            a_out: self.outputs.xreplace(one),
        }
        return Load(self.what, phi * T, P, a_in * T, a_out * T), meaning


def load(model: Model) -> Load:
    """Return the load of `model`: of one block when all its layers are alike, else of the whole model.

    >>> from symbolic_mem.models.ffn import ffn
    >>> one = load(ffn())
    >>> one.flops, one.weights, one.inputs, one.outputs
    (4*T*d_ff*d_model, 2*d_ff*d_model, T*d_model, T*d_model)
    """
    alike = len(model.layers) == 1
    parts = [_of(layer, sp.S.One if alike else layer.repeat) for layer in model.layers]
    sums = [sp.Add(*column) for column in zip(*parts, strict=True)]
    return Load(model.layers[0].name if alike else model.name, *sums)


def per_token(expr: sp.Expr) -> sp.Expr:
    """Write B sequences of S tokens as T tokens."""
    return sp.sympify(expr).xreplace({B: T / S})


def _of(layer: Layer, repeat: sp.Expr) -> tuple[sp.Expr, ...]:
    inputs, outputs, gathered = [], [], False
    for matmul in layer.matmuls:
        if matmul.enters and not gathered:
            inputs.append(matmul.m * matmul.k)
            gathered = True
        if matmul.leaves:
            outputs.append(matmul.m * matmul.n)
            gathered = False
    flops = sp.Add(*(matmul.flops for matmul in layer.matmuls))
    sums = (flops, layer.parameters, sp.Add(*inputs), sp.Add(*outputs))
    return tuple(repeat * per_token(part) for part in sums)
