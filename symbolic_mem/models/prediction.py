"""Multi-token prediction: modules after the model that each predict one token more.

A module norms what the model gives and the embedding of the next token, joins both to twice the width, projects them back
and sends them through one block more. Embedding and head are those of the model.

Source: DeepSeek-AI (2024), DeepSeek-V3, arXiv:2412.19437, section 2.2; Megatron-Core, multi_token_prediction.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.linear import linear
from symbolic_mem.models.norms import norm
from symbolic_mem.models.profile import Profile
from symbolic_mem.models.tensors import PREDICTION, Layer, Tensor

NORMS = ("norm of the model's output", "norm of the next token")


def prediction(a: Architecture, how: Profile, block: tuple[Layer, ...], ends: tuple[Layer, ...]) -> Iterator[Layer]:
    """Yield the layers of the modules for multi-token prediction of a model: norms, projection, the `block` and the `ends`.

    >>> from symbolic_mem.models.profile import profile
    >>> from symbolic_mem.base.symbols import L_mtp
    >>> layers = list(prediction(Architecture(mtp=L_mtp), profile("te-cuda-bf16"), (), ()))
    >>> [(layer.name, layer.parameters) for layer in layers]
    [("prediction: norm of the model's output", d_model), ('prediction: norm of the next token', d_model), ('prediction: projection', 2*d_model**2)]
    """
    joined = (*how.stream, 2 * a.d_model)
    entering = Tensor("output of the model and embedding", joined, bytes_per_element=how.residual)
    parts = [  # the first reads what the head keeps already
        norm(how, a.norm, name=name, width=a.d_model, rows=how.stream, gain=a.norm_gain, bias=a.norm_bias, omit=omit)
        for name, omit in zip(NORMS, (("input",), ()), strict=True)
    ]
    parts.append(
        replace(
            linear(
                how,
                {"W_joined": a.d_model if a.joined is None else a.joined},
                2 * a.d_model,
                keeps_rows=how.inputs,
                group="prediction",
                leaves=True,
            ),
            name="projection",
        )
    )
    for layer in (*parts, *block):
        yield replace(layer, name=f"prediction: {layer.name}", repeat=a.mtp, block=PREDICTION, enters=entering)
    for layer in ends:
        yield replace(layer, name=f"prediction: {layer.name}", repeat=a.mtp)
