"""The header of a GGUF file: every tensor with its type, its shape and its bytes, without reading one of them.

Source of the format and of the sizes of blocks: ggml-org/ggml, docs/gguf.md and ggml.c (`gguf` 0.17 has the same table).
"""

from __future__ import annotations

import math
import os
import re
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple, NoReturn

import sympy as sp

from symbolic_mem.base.errors import BadInput, clipped, shown
from symbolic_mem.base.harmless import harmless
from symbolic_mem.base.outside import opened
from symbolic_mem.base.symbols import B, S
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.caches import KEYS
from symbolic_mem.models.tensors import Cached, Layer, Tensor

_MOST_TENSORS, _MOST_PAIRS, _MOST_NAME, _HEADER_LIMIT = 100_000, 100_000, 65_535, 256_000_000
# Type: numbers of one block, and its bytes.
_BLOCKS = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    9: ("Q8_1", 32, 40),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1),
    25: ("I16", 1, 2),
    26: ("I32", 1, 4),
    27: ("I64", 1, 8),
    28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2),
    34: ("TQ1_0", 256, 54),
    35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17),
    40: ("NVFP4", 64, 36),
    41: ("Q1_0", 128, 18),
}
_SCALARS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_WHOLE = {4: "<I", 5: "<i", 10: "<Q", 11: "<q"}
_TEXT, _ARRAY = 8, 9
_OTHER_CACHES = ("sliding_window", "shared_kv", "chunk", "kv_lora", "ssm.", "wkv", "shortconv", "attention.causal")
_GROUPS = (
    (r"^token_embd", "token embedding"),
    (r"^position_embd", "position embedding"),
    (r"^output\.", "head"),
    (r"shexp", "shared experts"),
    (r"_exps\.", "experts"),
    (r"ffn_gate_inp", "router"),
    (r"norm", "norm"),
    (r"\.attn_", "attention"),
    (r"\.ffn_", "mlp"),
    (r"\.ssm_", "mixer"),
)
_NUMBERS = re.compile(r"(?<=\.)\d+(?=\.)")


@dataclass(frozen=True)
class Packed:
    """One tensor of a file: its type by name, its shape (outputs first) and its bytes."""

    name: str
    type: str
    shape: tuple[int, ...]
    bytes: int

    @property
    def group(self) -> str:
        """The group of weights that it belongs to."""
        return next((group for pattern, group in _GROUPS if re.search(pattern, self.name)), "other")


class Header(NamedTuple):
    """The tensors of a file, and its fields by name, with the value of each that is a whole number."""

    tensors: tuple[Packed, ...]
    fields: Mapping[str, int | None]


def read_header(path: Path) -> Header:
    """Read the header of a file; raises `BadInput` for one that is no GGUF, is cut off or says what it cannot hold."""
    where = shown(path)
    with opened(path, "GGUF") as file:
        return _Reader(file, os.fstat(file.fileno()).st_size, where).header()


def gguf_caches(header: Header) -> tuple[Cached, ...]:
    """Return the keys and values that a token leaves in each block, by the rows of what projects them; nothing where that is not all.

    Not where a block projects none by themselves, or a field speaks of windows, of caches that are shared, or of states.
    """
    if any(word in name for name in header.fields for word in _OTHER_CACHES):
        return ()
    rows: dict[int, dict[str, int]] = {}
    for tensor in header.tensors:
        if found := re.match(r"blk\.(\d+)\.(?:attn_([kv])\.weight$)?", tensor.name):
            block = rows.setdefault(int(found[1]), {})
            if found[2]:
                block[found[2]] = tensor.shape[0]
    heads = next((size for name, size in header.fields.items() if name.endswith(".attention.head_count_kv")), None)
    sizes = [(rows[block].get("k", 0), rows[block].get("v", 0)) for block in sorted(rows)]
    if not heads or any(size == 0 or size % heads for both in sizes for size in both):
        return ()
    kinds = dict.fromkeys(sizes)
    return tuple(
        Cached(
            KEYS,
            sp.Integer(sizes.count(kind)),
            tuple(
                Tensor(name, (B, S, sp.Integer(heads), sp.Integer(size // heads)), "later tokens attend to it")
                for name, size in zip(("keys", "values"), kind, strict=True)
            ),
            there=() if len(kinds) == 1 else tuple(each == kind for each in sizes),
        )
        for kind in kinds
    )


def gguf_layers(tensors: tuple[Packed, ...]) -> tuple[Layer, ...]:
    """Return the weights: those of one name but for the number of their block, and of one shape, are one layer."""
    counts: dict[tuple[str, str, tuple[int, ...]], int] = {}
    for tensor in tensors:
        if not tensor.name.startswith("rope_"):  # factors of angles, not parameters
            key = (tensor.group, _NUMBERS.sub("*", tensor.name), tensor.shape)
            counts[key] = counts.get(key, 0) + 1
    parts: dict[tuple[str, int], list[Tensor]] = {}
    for (group, name, shape), count in counts.items():
        sizes = tuple(sp.Integer(size) for size in shape)
        parts.setdefault((group, count), []).append(Tensor(name, sizes, "in the file, not described", group=group))
    return tuple(Layer(group, tuple(held), repeat=sp.Integer(count)) for (group, count), held in parts.items())


class _Reader:
    """Reads fields one after the other, and never past the end of the header or a limit."""

    def __init__(self, file: BinaryIO, size: int, where: str) -> None:
        self.file, self.left, self.where = file, min(size, _HEADER_LIMIT), where
        self.size = size

    def header(self) -> Header:
        if self._take(4) != b"GGUF":
            self._refuse("does not begin with GGUF; it is no such file")
        version = self._number("<I")
        if version not in (2, 3):
            self._refuse(f"has version {version} of the format; versions 2 and 3 are read")
        count, pairs = self._number("<Q"), self._number("<Q")
        if count > _MOST_TENSORS or pairs > _MOST_PAIRS:
            self._refuse(f"says that it has {count:,} tensors and {pairs:,} fields, more than a model has")
        fields: dict[str, int | None] = {}
        for _ in range(pairs):
            name, kind = self._text(), self._number("<I")
            fields[name] = self._number(_WHOLE[kind]) if kind in _WHOLE else None
            if kind not in _WHOLE:
                self._skip(kind)
        found = [self._tensor() for _ in range(count)]
        header = min(self.size, _HEADER_LIMIT) - self.left  # the data begins here, or a few bytes later
        for tensor, place in found:
            if header + place + tensor.bytes > self.size:
                self._refuse(f"places the tensor {clipped(tensor.name)} past its end; it is cut off")
        return Header(tuple(tensor for tensor, _ in found), fields)

    def _tensor(self) -> tuple[Packed, int]:
        name = self._text()
        dimensions = self._number("<I")
        if dimensions > 8:
            self._refuse(f"gives the tensor {clipped(name)} {dimensions:,} dimensions")
        shape = tuple(self._number("<Q") for _ in range(dimensions))
        kind, place = self._number("<I"), self._number("<Q")
        if kind not in _BLOCKS:
            self._refuse(f"gives the tensor {clipped(name)} the unknown type {kind}")
        label, numbers, held = _BLOCKS[kind]
        first = shape[0] if shape else 1
        if first % numbers or not all(shape):
            self._refuse(f"gives the tensor {clipped(name)} rows of {first:,}, which are no blocks of {numbers}")
        return Packed(name, label, shape[::-1], math.prod(shape) // numbers * held), place

    def _skip(self, kind: int, depth: int = 0) -> None:
        """Pass over the value of a field."""
        if kind in _SCALARS:
            self._pass(_SCALARS[kind])
        elif kind == _TEXT:
            self._pass(self._number("<Q"))
        elif kind == _ARRAY and depth < 4:
            inner, count = self._number("<I"), self._number("<Q")
            if inner in _SCALARS:
                self._pass(_SCALARS[inner] * count)
                return
            if count * 8 > self.left:
                self._refuse(f"has a list of {count:,} values, more than it can hold")
            for _ in range(count):
                self._skip(inner, depth + 1)
        else:
            self._refuse(f"has a field of the unknown type {kind}")

    def _text(self) -> str:
        length = self._number("<Q")
        if length > _MOST_NAME:
            self._refuse(f"has a name of {length:,} bytes")
        return harmless(self._take(length).decode("utf-8", "replace"), f"{self.where}: a name of its header")

    def _number(self, form: str) -> int:
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _pass(self, length: int) -> None:
        if length > self.left:
            self._refuse("ends before its header does; it is cut off")
        self.left -= length
        self.file.seek(length, os.SEEK_CUR)

    def _take(self, length: int) -> bytes:
        if length > self.left:
            self._refuse("ends before its header does; it is cut off")
        self.left -= length
        return self.file.read(length)

    def _refuse(self, why: str) -> NoReturn:
        raise BadInput(f"{self.where}: {why}")
