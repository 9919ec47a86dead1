"""The bytes of weights as a file of quantised weights holds them: packed numbers with their scales, block by block.

- AWQ (Lin et al., 2023, arXiv:2306.00978) and GPTQ (Frantar et al., 2022, arXiv:2210.17323): for each group of inputs of
  an output a scale of 16 bits and a zero point; GPTQ holds the group of each input, too.
- bitsandbytes (Dettmers et al., 2023, QLoRA, arXiv:2305.14314): 4 bits with an FP32 scale for 64 numbers, or with scales of
  8 bits that have an FP32 scale for each 256 of them; 8 bits with an FP32 scale for each output.
- FP8 as in DeepSeek-V3 (arXiv:2412.19437): an FP32 scale for each block; MXFP4 (OCP Microscaling 1.0): 8 bits for 32 numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.tomlfile import clipped
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.grouping import group_of
from symbolic_mem.models.json_file import kind_of
from symbolic_mem.models.tensors import Model, Tensor

_LINEAR = frozenset(("attention", "mlp", "experts", "shared experts", "mixer"))
_OTHERS = {"float32": 4, "float16": 2, "bfloat16": 2}


@dataclass(frozen=True)
class Quantised:
    """How weights are stored: in `words`, and the `bits` of one matrix by its stack, outputs and inputs.

    `base` is the way to pack the matrices of the blocks that recipes know it by ("": none).
    """

    method: str
    words: str
    groups: frozenset[str]
    bits: Callable[[int, int, int], int]
    base: str = ""


def quantised(table: Mapping[str, Any], where: str) -> Quantised | None:
    """Read ``quantization_config``; None where there is none, or where its method is not known.

    >>> how = quantised({"quantization_config": {"quant_method": "awq", "bits": 4, "group_size": 128}}, "config.json")
    >>> how.words, how.bits(1, 4096, 4096) / 4096**2
    ('AWQ, 4 bits in groups of 128', 4.15625)
    """
    given = table.get("quantization_config")
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise BadInput(f"{where}: quantization_config must be an object, not {kind_of(given)}")
    method = given.get("quant_method")
    if not isinstance(method, str) or method not in METHODS:
        return None
    return METHODS[method](given, _groups(given, where), f"{where}: quantization_config")


def not_known(table: Mapping[str, Any]) -> str:
    """Say that the method of a config is not known; "" where it is, or where there is none."""
    given = table.get("quantization_config")
    if not isinstance(given, Mapping) or str(given.get("quant_method")) in METHODS:
        return ""
    method = clipped(str(given.get("quant_method")))
    return f"Its quantisation {method} is not known, so the bytes of its file are not counted; known: {', '.join(METHODS)}."


def stored_bytes(model: Model, values: Mapping[sp.Symbol, sp.Expr], how: Quantised, table: Mapping[str, Any]) -> int:
    """Return the bytes of all weights in such a file; what is not quantised has the dtype that the config names."""
    plain = _OTHERS.get(str(table.get("torch_dtype") or table.get("dtype")).removeprefix("torch."), 2)
    total = 0
    for layer in model.layers:
        repeat = int(layer.repeat.xreplace(dict(values)))
        for weight in layer.weights:
            sizes = tuple(int(size.xreplace(dict(values))) for size in weight.shape)
            total += repeat * (_packed(sizes, how) if _is_matrix(weight, how) else plain * _product(sizes))
    return total


def scales(model: Model, values: Mapping[sp.Symbol, sp.Expr], how: Quantised) -> int:
    """Return the number of FP32 scales beside the weights in FP8."""
    total = 0
    for layer in model.layers:
        for weight in layer.weights:
            if _is_matrix(weight, how):
                *stack, out, into = (int(size.xreplace(dict(values))) for size in weight.shape)
                bits = how.bits(_product(stack), out, into) - 8 * _product(stack) * out * into
                total += int(layer.repeat.xreplace(dict(values))) * (bits // 32)
    return total


def _is_matrix(weight: Tensor, how: Quantised) -> bool:
    return weight.group in how.groups and len(weight.shape) > 1 and not weight.name.startswith("b_")


def _packed(sizes: tuple[int, ...], how: Quantised) -> int:
    *stack, out, into = sizes
    return -(-how.bits(_product(stack), out, into) // 8)


def _product(sizes: Any) -> int:
    result = 1
    for size in sizes:
        result *= size
    return result


def _groups(given: Mapping[str, Any], where: str) -> frozenset[str]:
    """The groups whose matrices are quantised, without those of the modules that are kept as they are."""
    kept = given.get("modules_to_not_convert") or given.get("llm_int8_skip_modules") or []
    if not (isinstance(kept, list) and all(isinstance(name, str) for name in kept)):
        raise BadInput(f"{where}: modules_to_not_convert must be a list of names of modules")
    whole = [name for name in kept if not any(part.isdigit() for part in name.split("."))]
    return _LINEAR - {group_of(f"{name}.weight") for name in whole}


def _whole(given: Mapping[str, Any], key: str, default: int, where: str) -> int:
    value = given.get(key, default)
    if type(value) is not int or not (1 <= value <= 65_536 or (key == "group_size" and value == -1)):
        raise BadInput(f"{where}: {key} must be a whole number from 1 to 65,536")
    return value


def _grouped(name: str, index: bool) -> Callable[[Mapping[str, Any], frozenset[str], str], Quantised]:
    def read(given: Mapping[str, Any], groups: frozenset[str], where: str) -> Quantised:
        bits, group = _whole(given, "bits", 4, where), _whole(given, "group_size", 128, where)

        def size(stack: int, out: int, into: int) -> int:
            count = 1 if group == -1 else -(-into // group)
            return stack * (out * into * bits + out * count * (16 + bits) + (32 * into if index else 0))

        words = f"{name}, {bits} bits in groups of {group if group != -1 else 'all inputs'}"
        usual = (bits, group) == (4, 128)
        return Quantised(name, words, groups, size, name.lower() if usual else "")

    return read


def _bitsandbytes(given: Mapping[str, Any], groups: frozenset[str], where: str) -> Quantised:
    if given.get("load_in_8bit") or given.get("_load_in_8bit"):
        return Quantised(
            "bitsandbytes",
            "bitsandbytes, 8 bits",
            groups,
            lambda stack, out, into: stack * (8 * out * into + 32 * out),
            "int8",
        )
    double = bool(given.get("bnb_4bit_use_double_quant"))

    def size(stack: int, out: int, into: int) -> int:
        blocks = -(-stack * out * into // 64)
        scales = 8 * blocks + 32 * -(-blocks // 256) if double else 32 * blocks
        return 4 * stack * out * into + scales

    words = f"bitsandbytes, 4 bits in blocks of 64{' with quantised scales' if double else ''}"
    return Quantised("bitsandbytes", words, groups, size, "nf4-double" if double else "nf4")


def _fp8(given: Mapping[str, Any], groups: frozenset[str], where: str) -> Quantised:
    block = given.get("weight_block_size")
    if block is None:
        return Quantised("FP8", "FP8 with one scale", groups, lambda stack, out, into: stack * (8 * out * into + 32))
    if not (isinstance(block, list) and len(block) == 2 and all(type(side) is int and side > 0 for side in block)):
        raise BadInput(f"{where}: weight_block_size must be two whole numbers, for example [128, 128]")
    high, wide = block

    def size(stack: int, out: int, into: int) -> int:
        return stack * (8 * out * into + 32 * -(-out // high) * -(-into // wide))

    words = f"FP8 in blocks of {high} by {wide}"
    return Quantised("FP8", words, groups, size, "fp8" if high == wide == 128 else "")


def _mxfp4(given: Mapping[str, Any], groups: frozenset[str], where: str) -> Quantised:
    return Quantised(
        "MXFP4",
        "MXFP4 in blocks of 32",
        groups & {"experts"},
        lambda stack, out, into: stack * out * (4 * into + 8 * -(-into // 32)),
    )


METHODS: dict[str, Callable[[Mapping[str, Any], frozenset[str], str], Quantised]] = {
    "awq": _grouped("AWQ", index=False),
    "gptq": _grouped("GPTQ", index=True),
    "bitsandbytes": _bitsandbytes,
    "fp8": _fp8,
    "mxfp4": _mxfp4,
}
