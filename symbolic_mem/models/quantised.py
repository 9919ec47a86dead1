"""How a file stores weights in few bits, read from ``quantization_config``, and how many bytes they take there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import L
from symbolic_mem.base.tomlfile import clipped
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.json_file import kind_of
from symbolic_mem.models.kept_modules import kept_modules
from symbolic_mem.models.packing import Packing, is_matrix, packing
from symbolic_mem.models.tensors import Model, Tensor

_OTHERS = {"float32": 4, "float16": 2, "bfloat16": 2}


@dataclass(frozen=True)
class Quantised:
    """How weights are stored: in `words`, the matrices of `groups` packed in the way `how` (None: it is not described).

    The share of the blocks that is `apart` for a group has its matrices as they are. Of a file that says the type of each tensor
    `kinds` are the bytes of all tensors of a type.
    """

    words: str
    groups: frozenset[str]
    how: Packing | None
    kinds: tuple[tuple[str, int], ...] = ()
    apart: tuple[tuple[str, sp.Rational], ...] = ()

    def packs(self, weight: Tensor) -> bool:
        """Whether it stores that weight packed."""
        return weight.group in self.groups and is_matrix(weight)

    def share(self, weight: Tensor) -> sp.Rational:
        """Return in which share of the blocks it stores that weight packed."""
        return 1 - dict(self.apart).get(weight.group, sp.S.Zero) if self.packs(weight) else sp.S.Zero

    def bits(self, stack: int, out: int, into: int) -> int:
        """Return the bits of a stack of matrices with so many outputs and inputs."""
        assert self.how is not None
        return int(8 * self.how.bytes((stack, out, into)))


def quantised(table: Mapping[str, Any], where: str) -> Quantised | None:
    """Read ``quantization_config``; None where there is none, or where its method is not known.

    >>> how = quantised({"quantization_config": {"quant_method": "awq", "bits": 4, "group_size": 128}}, "config.json")
    >>> how.words, how.bits(1, 4096, 4096) / 4096**2
    ('AWQ, 4 bits in groups of 128 inputs', 4.15625)
    """
    given = table.get("quantization_config")
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise BadInput(f"{where}: quantization_config must be an object, not {kind_of(given)}")
    method = given.get("quant_method")
    if not isinstance(method, str) or method not in METHODS:
        return None
    place = f"{where}: quantization_config"
    how = METHODS[method](given, place)
    blocks = table.get("num_hidden_layers")
    kept = kept_modules(given, blocks, where)
    if how is None or kept is None:
        words = method if how is None else how.title
        return Quantised(words, frozenset(), None)
    groups = kept.packed & {"experts"} if method == "mxfp4" else kept.packed
    apart = tuple((group, sp.Rational(count, blocks)) for group, count in kept.blocks if group in groups)
    but = "".join(f", but for {group} in {count} of {blocks} blocks" for group, count in kept.blocks if group in groups)
    return Quantised(how.title + but, groups, how, apart=apart)


def alike(how: Quantised, model: Model, values: Mapping[sp.Symbol, sp.Expr]) -> bool:
    """Whether all blocks of a model have equally many numbers in each group that some of them keep as it is."""
    for group, _ in how.apart:
        sizes = [
            (held.repeat, sp.Add(*(weight.elements for weight in held.weights if weight.group == group)))
            for held in model.weights.held
            if held.in_block
        ]
        blocks = sp.Add(*(repeat for repeat, size in sizes if size != 0)).xreplace(dict(values))
        if len({size for _, size in sizes if size != 0}) != 1 or blocks != values.get(L):
            return False
    return True


def not_known(table: Mapping[str, Any], how: Quantised | None = None) -> str:
    """Say that the method of a config is not known, or not `how` it leaves some matrices as they are; "" where all is."""
    given = table.get("quantization_config")
    if not isinstance(given, Mapping) or (how is not None and how.how is not None):
        return ""
    if how is not None:
        what = f"Its quantisation ({how.words}) is not described for the modules and formats that it names"
        return f"{what}, so the bytes of its file are not counted."
    method = clipped(str(given.get("quant_method")))
    return f"Its quantisation {method} is not known, so the bytes of its file are not counted; known: {', '.join(METHODS)}."


def caches_asked(table: Mapping[str, Any]) -> str:
    """Say how a config asks for the caches of decoding to be stored, which vLLM follows; "" where it asks nothing.

    Source: vLLM, utils/torch_utils.py: get_kv_cache_quant_algo_string; model_executor/layers/attention: kv_cache_scheme.

    >>> caches_asked({"quantization_config": {"kv_cache_scheme": {"num_bits": 8, "type": "float"}}})
    'The file asks for caches in FP8 (kv_cache_scheme), which vLLM follows: --cache fp8 counts them so, else they are in the dtype of the recipe.'
    """
    given = table.get("quantization_config")
    asked = [
        (key, given[key])
        for key in ("kv_cache_scheme", "kv_cache_quant_algo")
        if isinstance(given, Mapping) and given.get(key)
    ]
    if not asked:
        return ""
    key, how = asked[0]
    is_fp8 = str(how).upper() == "FP8"
    if isinstance(how, Mapping):
        is_fp8 = (how.get("num_bits"), how.get("type")) == (8, "float")
    if is_fp8:
        follows = "which vLLM follows: --cache fp8 counts them so, else they are in the dtype of the recipe"
        return f"The file asks for caches in FP8 ({key}), {follows}."
    return (
        f"The file asks for caches in another way ({key}) that is not described: they are in the dtype of the recipe."
    )


def stored_bytes(model: Model, values: Mapping[sp.Symbol, sp.Expr], how: Quantised, table: Mapping[str, Any]) -> int:
    """Return the bytes of all weights in such a file; what is not quantised has the dtype that the config names."""
    plain = _OTHERS.get(str(table.get("torch_dtype") or table.get("dtype")).removeprefix("torch."), 2)
    total = sp.S.Zero
    for layer in model.layers:
        repeat = layer.repeat.xreplace(dict(values))
        for weight in layer.weights:
            sizes = tuple(size.xreplace(dict(values)) for size in weight.shape)
            share = how.share(weight)
            packed = share * how.how.bytes(sizes) if how.how is not None and share else 0
            total += repeat * (packed + (1 - share) * plain * sp.Mul(*sizes))
    return int(sp.ceiling(total))


def scales(model: Model, values: Mapping[sp.Symbol, sp.Expr], how: Quantised) -> int:
    """Return how many scales there are beside packed weights."""
    total = sp.S.Zero
    for layer in model.layers:
        for weight in layer.weights:
            if how.how is not None and (share := how.share(weight)):
                sizes = tuple(size.xreplace(dict(values)) for size in weight.shape)
                counts = (piece.count(sizes) for piece in how.how.pieces[1:])
                total += share * layer.repeat.xreplace(dict(values)) * sp.Add(*counts)
    return int(total)


def _whole(given: Mapping[str, Any], key: str, default: int, where: str) -> int:
    value = given.get(key, default)
    if type(value) is not int or not (1 <= value <= 65_536 or (key == "group_size" and value == -1)):
        raise BadInput(f"{where}: {key} must be a whole number from 1 to 65,536")
    return value


def _grouped(name: str) -> Callable[[Mapping[str, Any], str], Packing | None]:
    def read(given: Mapping[str, Any], where: str) -> Packing | None:
        bits, group = _whole(given, "bits", 4, where), _whole(given, "group_size", 128, where)
        if given.get("dynamic") or given.get("modules_in_block_to_quantize") or given.get("lm_head"):
            return None
        return packing(name, bits=bits, group="all" if group == -1 else group)

    return read


def _bitsandbytes(given: Mapping[str, Any], where: str) -> Packing:
    if given.get("load_in_8bit") or given.get("_load_in_8bit"):
        return packing("int8")
    return packing("nf4-double" if given.get("bnb_4bit_use_double_quant") else "nf4")


def _fp8(given: Mapping[str, Any], where: str) -> Packing:
    block = given.get("weight_block_size")
    if block is None:
        return packing("fp8-static" if given.get("activation_scheme") == "static" else "fp8-tensor")
    high, wide = _block(block, f"{where}: weight_block_size")
    return packing("fp8", high=high, wide=wide)


def _block(sides: object, where: str) -> tuple[int, int]:
    if not (isinstance(sides, list) and len(sides) == 2 and all(type(side) is int and side > 0 for side in sides)):
        raise BadInput(f"{where} must be two whole numbers, for example [128, 128]")
    return sides[0], sides[1]


def _modelopt(given: Mapping[str, Any], where: str) -> Packing | None:
    """NVIDIA's Model Optimizer: FP8 with a scale of a matrix and one of its inputs, and NVFP4 with the same two."""
    return {"FP8": packing("fp8-static"), "NVFP4": packing("nvfp4")}.get(str(given.get("quant_algo")))


_ORDERS = (None, False, "weight", "static")  # with others the file holds the group of each input


def _dense(sparsity: object) -> bool:
    return not sparsity or (isinstance(sparsity, Mapping) and sparsity.get("format") == "dense")


def _compressed(given: Mapping[str, Any], where: str) -> Packing | None:
    """compressed-tensors: one group of linear layers, with whole numbers of few bits, FP8 or NVFP4."""
    groups = given.get("config_groups")
    if not isinstance(groups, Mapping) or len(groups) != 1 or not _dense(given.get("sparsity_config")):
        return None
    (group,) = groups.values()
    weights = group.get("weights") if isinstance(group, Mapping) else None
    if not isinstance(weights, Mapping) or group.get("targets") != ["Linear"] or weights.get("actorder") not in _ORDERS:
        return None
    form = group.get("format") or given.get("format")
    kind, bits, strategy = weights.get("type"), weights.get("num_bits"), weights.get("strategy")
    plain = weights.get("symmetric", True)
    if form == "pack-quantized" and kind == "int" and strategy in ("group", "channel"):
        numbers = {"bits": _whole(weights, "num_bits", 4, where), "group": "all"}
        if strategy == "group":
            numbers["group"] = _whole(weights, "group_size", 128, where)
        return packing("ct-packed" if plain else "ct-packed-zero", **numbers)
    if form in ("float-quantized", "int-quantized", "naive-quantized") and (bits, plain) == (8, True):
        return _of_eight_bits(weights, group.get("input_activations"), where)
    if form == "nvfp4-pack-quantized" and (bits, weights.get("group_size")) == (4, 16):
        return packing("nvfp4", scalars=8 if group.get("input_activations") else 4)
    return None


def _of_eight_bits(weights: Mapping[str, Any], inputs: object, where: str) -> Packing | None:
    """Scales of outputs, of blocks or of whole matrices, these with that of their inputs where it is in the file."""
    codes, strategy = {"float": "FP8", "int": "8-bit"}.get(str(weights.get("type"))), weights.get("strategy")
    fixed = isinstance(inputs, Mapping) and not inputs.get("dynamic")
    shifted = isinstance(inputs, Mapping) and not inputs.get("symmetric", True)
    if shifted and codes == "8-bit" and strategy == "channel" and not fixed:
        return packing("ct-rows", codes=codes, loaded="rows-summed")
    if codes is None or shifted:
        return None
    if strategy == "tensor":
        return packing("ct-static" if fixed else "ct-tensor", codes=codes)
    if fixed or (strategy == "block" and codes != "FP8"):
        return None
    if strategy == "block":
        high, wide = _block(weights.get("block_structure"), f"{where}: block_structure")
        return packing("ct-tiles", high=high, wide=wide)
    return packing("ct-rows", codes=codes) if strategy == "channel" else None


METHODS: dict[str, Callable[[Mapping[str, Any], str], Packing | None]] = {
    "awq": _grouped("awq"),
    "gptq": _grouped("gptq"),
    "bitsandbytes": _bitsandbytes,
    "fp8": _fp8,
    "fbgemm_fp8": lambda given, where: packing("fp8-rows"),
    "mxfp4": lambda given, where: packing("mxfp4"),
    "compressed-tensors": _compressed,
    "modelopt": _modelopt,
}
