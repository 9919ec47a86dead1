"""The headers of safetensors files: names, dtypes, shapes and bytes of every tensor, without reading one of them."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from symbolic_mem.base.errors import BadInput, clipped, shown
from symbolic_mem.base.outside import opened, read_content
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.json_file import parse_json

INDEX = "model.safetensors.index.json"
_HEADER_LIMIT = 100_000_000  # the format's own limit
_INDEX_LIMIT = 100_000_000
_BITS = {
    **dict.fromkeys(("F4",), 4),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("I16", "U16", "F16", "BF16"), 16),
    **dict.fromkeys(("I32", "U32", "F32"), 32),
    **dict.fromkeys(("I64", "U64", "F64", "C64"), 64),
}


@dataclass(frozen=True)
class Stored:
    """One tensor of a file: its dtype as the file writes it, its shape and its bytes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    bytes: int

    @property
    def elements(self) -> int:
        """Number of elements: the product of the shape."""
        return math.prod(self.shape)


def stored_tensors(folder: Path) -> tuple[Stored, ...] | None:
    """Return every tensor of the safetensors files in a folder, or None where there are none.

    With an index, those files are read that it names. Raises `BadInput` for a file that is missing, a header that is
    longer than its file or than the format allows, and a tensor whose place does not fit its shape.
    """
    index = folder / INDEX
    if index.is_file():
        return _indexed(folder, index)
    files = sorted(path for path in folder.glob("*.safetensors") if path.is_file())
    if not files:
        return None
    return tuple(tensor for path in files for tensor in header(path))


def _indexed(folder: Path, index: Path) -> tuple[Stored, ...]:
    table = parse_json(read_content(index, "JSON", _INDEX_LIMIT), shown(index))
    places = table.get("weight_map")
    if not (isinstance(places, dict) and places and all(isinstance(name, str) for name in places.values())):
        raise BadInput(f"{shown(index)}: weight_map must say for each tensor in which file it is")
    found: dict[str, Stored] = {}
    for name in sorted(set(places.values())):
        if Path(name).name != name:
            raise BadInput(f"{shown(index)}: {clipped(name)} is not the name of a file beside it")
        path = folder / name
        if not path.is_file():
            others = len({place for place in places.values() if not (folder / place).is_file()}) - 1
            beside = {0: "", 1: ", as is one other"}.get(others, f", as are {others} others")
            raise BadInput(
                f"{shown(path)}: this file of weights, which {INDEX} names, is missing{beside}; fetch "
                f"{'them' if others else 'it'}, or name the config.json in a folder without weights"
            )
        found |= {tensor.name: tensor for tensor in header(path)}
    for name in places:
        if name not in found:
            raise BadInput(f"{shown(index)}: {clipped(name)} is in none of the files that it names; fetch them again")
    return tuple(found.values())


def header(path: Path) -> tuple[Stored, ...]:
    """Read the header of one file: eight bytes that say its length, then JSON; never more than it says."""
    where = shown(path)
    with opened(path, "safetensors") as file:
        size = os.fstat(file.fileno()).st_size
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > size - 8 or length > _HEADER_LIMIT:
            raise BadInput(
                f"{where}: its first eight bytes say that a header of {length:,} bytes follows, and the file has {size:,} in "
                "all; it is cut off, or no safetensors file"
            )
        content = file.read(length)
    table = parse_json(content.rstrip(b" "), where)
    room = size - 8 - length
    return tuple(_tensor(name, row, room, where) for name, row in table.items() if name != "__metadata__")


def _tensor(name: str, row: Any, room: int, where: str) -> Stored:
    def refuse(why: str) -> NoReturn:
        raise BadInput(f"{where}: the tensor {clipped(name)} {why}; the file is damaged")

    if not isinstance(row, Mapping):
        refuse("has no description")
    dtype, shape, place = row.get("dtype"), row.get("shape"), row.get("data_offsets")
    if not isinstance(dtype, str) or dtype not in _BITS:
        refuse(f"has the unknown dtype {clipped(str(dtype))}")
    if not (isinstance(shape, list) and all(type(size) is int and size >= 0 for size in shape)):
        refuse("has no shape of whole numbers")
    if not (isinstance(place, list) and len(place) == 2 and all(type(at) is int for at in place)):
        refuse("has no place")
    first, last = place
    if not 0 <= first <= last <= room:
        refuse(f"should lie at bytes {first:,} to {last:,} of {room:,}")
    if (last - first) * 8 != math.prod(shape) * _BITS[dtype]:
        refuse(f"has {last - first:,} bytes, which do not fit its shape and dtype")
    return Stored(name, dtype, tuple(shape), last - first)
