"""What vLLM asks of ranks that divide matrices which a file stores in groups or tiles: each rank has whole ones.

Source: vLLM, model_executor/layers/quantization: awq.py and gptq.py, create_weights; utils/marlin_utils.py,
verify_marlin_supports_shape; utils/fp8_utils.py, validate_fp8_block_shape; fp8.py, Fp8MoEMethod.create_weights. Groups of routed
experts are made smaller where they do not come out (moe_wna16.py), and what MXFP4 stores is filled up (mxfp4.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import at
from symbolic_mem.models.built import Built
from symbolic_mem.models.cut import Cut
from symbolic_mem.models.packing import block_of
from symbolic_mem.models.tensors import Model, Tensor

FILLED_UP = "mxfp4"


def refuse_groups(name: str, built: Built, cut: Cut, values: Mapping[sp.Symbol, sp.Rational]) -> None:
    """Refuse a cut under which a rank has a part of a group of inputs, or of a tile, of a packed matrix.

    Raises `BadInput` naming the matrix, what a rank has of it, and what to give.
    """
    stored = built.packing
    if stored is None or stored.how is None or stored.how.name == FILLED_UP:
        return
    outs, inputs = (max(sides) for sides in zip(*(block_of(piece.rule) for piece in stored.how.pieces), strict=True))
    if (outs, inputs) == (1, 1):
        return
    whole = dict(_matrices(built.model))
    for key, weight in _matrices(built.on(cut).model):
        if key not in whole or not stored.packs(weight) or (weight.group == "experts" and outs == 1):
            continue
        for side, block, what in ((-2, outs, "outputs"), (-1, inputs, "inputs")):
            size = at(weight.shape[side], values)
            if size is not None and weight.shape[side] != whole[key].shape[side] and size % block != 0:
                kind = f"tiles of {outs} by {inputs}" if outs > 1 else f"groups of {inputs} inputs"
                raise BadInput(
                    f"plan {name!r}: {weight.name} is stored in {kind}, and a rank has {size} of its {what}, no multiple of "
                    f"{block}, which vLLM refuses; give a degree under which it has whole ones"
                )


def refuse_stages(name: str, built: Built, stages: sp.Rational | int) -> None:
    """Refuse stages of a model whose file keeps the matrices of some blocks as they are: which stage has these is not counted.

    Raises `BadInput` naming what is kept and what to give.
    """
    stored = built.packing
    if stored is not None and stored.apart and stages != 1:
        kept = ", ".join(group for group, _ in stored.apart)
        raise BadInput(
            f"plan {name!r} with n_pp = {stages}: the file keeps the matrices of some blocks as they are ({kept}), and which stages "
            "have them is not counted; give n_pp = 1 and divide by tensor parallelism"
        )


def _matrices(model: Model) -> Iterator[tuple[tuple[str, str], Tensor]]:
    for layer in model.layers:
        for weight in layer.weights:
            if len(weight.shape) > 1:
                yield (layer.name, weight.name), weight
