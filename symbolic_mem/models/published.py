"""The numbers in the published file of a model with modules for multi-token prediction, as a hub counts them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symbolic_mem.base.symbols import L_mtp
from symbolic_mem.models.built import Built
from symbolic_mem.models.quantised import quantised, scales


def numbers_in_file(built: Built, content: Mapping[str, Any], where: str) -> int:
    """Count the elements of all tensors in the file of `built`, a model with its prediction modules.

    These are its weights, the copies of embedding and head that each module has, the scales of weights in FP8, and the
    biases that balance experts. For DeepSeek-V3 they are what the hub's metadata say, 684,531,386,000, and round to the
    685B of README.md of deepseek-ai/DeepSeek-V3 at 9b4e978.
    """
    a, values = built.architecture, dict(built.values)
    assert a is not None, "prediction modules are built of described models alone"
    count = built.model.parameters + 2 * values[L_mtp] * a.vocabulary * a.d_model
    if a.experts is not None and a.experts.correction_bias:
        count += (a.layers - a.experts.dense_layers + a.mtp) * a.experts.experts
    how = quantised(content, where)
    return int(count.xreplace(values)) + (0 if how is None else scales(built.model, values, how))
