"""Which matrices of the blocks a quantised file keeps as they are, by the modules that its ``quantization_config`` lists."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.tomlfile import clipped
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.grouping import group_of
from symbolic_mem.models.trained import BLOCK_GROUPS

LINEAR = frozenset(BLOCK_GROUPS)
_LONGEST = 200  # signs of a pattern of modules
_MOST = 4  # repetitions in one, none of them of a group: with more a match may not end
_ONE = re.compile(r"(proj\w*|w\d|fc\d|fc_\w+|c_\w+|dense\w*|query_key_value|Wqkv|shared_expert_gate)$")
_OF_A_BLOCK = re.compile(r"(?:model\.)?layers\.(\d+)\.(self_attn|mlp)(?:\.(\w+))?$")
_IN_A_BLOCK = {
    "attention": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"),
    "mlp": ("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"),
    "experts": ("mlp.experts.0.gate_proj", "mlp.experts.0.up_proj", "mlp.experts.0.down_proj"),
    "shared experts": ("mlp.shared_experts.gate_proj", "mlp.shared_experts.up_proj", "mlp.shared_experts.down_proj"),
}


@dataclass(frozen=True)
class Kept:
    """The groups whose matrices are packed, and in how many blocks those of some groups are kept as they are."""

    packed: frozenset[str]
    blocks: tuple[tuple[str, int], ...] = ()


def kept_modules(given: Mapping[str, Any], blocks: object, where: str) -> Kept | None:
    """Read the modules that a file of so many `blocks` keeps as they are; None where it keeps some matrices of a group and not others.

    >>> names = ["lm_head", "model.layers.0.mlp.up_proj", "model.layers.0.mlp.down_proj", "model.layers.0.mlp.gate_proj"]
    >>> kept_modules({"modules_to_not_convert": names}, 32, "config.json").blocks
    (('mlp', 1),)
    """
    left, whole, some = set(LINEAR), dict[str, set[int]](), dict[tuple[str, int], set[str]]()
    for name in _names(given, where):
        pattern = name.removeprefix("re:")
        if pattern != name:
            for group, modules in _IN_A_BLOCK.items():
                found = [_matches(pattern, f"model.layers.0.{module}", where) for module in modules]
                if any(found) and not all(found):
                    return None
                left -= {group} if all(found) else set()
        elif (one := _OF_A_BLOCK.match(name)) and (group := group_of(f".{name}.weight")) in ("attention", "mlp"):
            if one[3] is None:
                whole.setdefault(group, set()).add(int(one[1]))
            else:
                some.setdefault((group, int(one[1])), set()).add(f"{one[2]}.{one[3]}")
        elif (group := group_of(f".{name}.weight")) in LINEAR:
            if _ONE.search(name) or any(part.isdigit() for part in name.split(".")):
                return None
            left.discard(group)
    for (group, block), modules in some.items():
        if not modules.issuperset(_IN_A_BLOCK[group]):
            return None
        whole.setdefault(group, set()).add(block)
    if not isinstance(blocks, int):
        return None if whole else Kept(frozenset(left))
    counted = {group: sum(block < blocks for block in found) for group, found in whole.items() if group in left}
    left -= {group for group, count in counted.items() if count == blocks}
    return Kept(frozenset(left), tuple((group, count) for group, count in counted.items() if group in left and count))


def _names(given: Mapping[str, Any], where: str) -> Iterator[str]:
    for key in ("modules_to_not_convert", "llm_int8_skip_modules", "ignored_layers", "ignore", "exclude_modules"):
        names = given.get(key) or []
        if not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
            raise BadInput(f"{where}: {key} must be a list of names of modules")
        yield from names


def _matches(pattern: str, name: str, where: str) -> bool:
    place = f"{where}: quantization_config: {clipped(pattern)}"
    if len(pattern) > _LONGEST or len(re.findall(r"[*+{]", pattern)) > _MOST or re.search(r"\)[*+{]", pattern):
        raise BadInput(
            f"{place}: a pattern of names of modules has at most {_LONGEST} signs and {_MOST} repetitions, none of them "
            "of a group; write several"
        )
    try:
        return re.match(pattern, name) is not None
    except (re.error, OverflowError, RecursionError):
        raise BadInput(f"{place} is no pattern of names of modules") from None
