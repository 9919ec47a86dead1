"""The tensors that a model's files hold, beside the weights that its config describes: what is in the one alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property

from symbolic_mem.base.values import dataclass
from symbolic_mem.models.grouping import group_of
from symbolic_mem.models.safetensors import Stored

_NUMBERS = re.compile(r"(?<=\.)\d+(?=\.)")
_PACKED = re.compile(
    r"(qweight|qzeros|scales|g_idx|weight_scale|weight_scale_inv|absmax|quant_map|quant_state|_blocks)\b"
)
_BUFFERS = re.compile(r"(rotary_emb\.inv_freq|attn\.(masked_)?bias|e_score_correction_bias|embeddings\.position_ids)$")
_SHOWN = 6


@dataclass(frozen=True)
class Checkpoint:
    """The tensors of a model's files; `derived` are the parameters by group that its config gives."""

    tensors: tuple[Stored, ...]
    derived: Mapping[str, int]
    tied: bool = False

    @property
    def bytes(self) -> int:
        """All bytes of tensors."""
        return sum(tensor.bytes for tensor in self.tensors)

    @property
    def elements(self) -> int:
        """All elements of tensors, buffers too."""
        return sum(tensor.elements for tensor in self.tensors)

    @cached_property
    def dtypes(self) -> Mapping[str, int]:
        """Bytes by dtype, the most first."""
        found: dict[str, int] = {}
        for tensor in self.tensors:
            found[tensor.dtype] = found.get(tensor.dtype, 0) + tensor.bytes
        return dict(sorted(found.items(), key=lambda pair: -pair[1]))

    @cached_property
    def packed(self) -> bool:
        """Whether weights are quantised: several of them in one element, or scales beside them."""
        return any(_PACKED.search(tensor.name) for tensor in self.tensors)

    @cached_property
    def parameters(self) -> Mapping[str, int]:
        """Elements by group, without buffers, and without a tied head that is stored a second time."""
        found: dict[str, int] = {}
        for tensor in self.tensors:
            if self._counts(tensor):
                group = group_of(tensor.name)
                found[group] = found.get(group, 0) + tensor.elements
        return found

    @cached_property
    def difference(self) -> int | None:
        """Parameters in the files minus those of the config; None where weights are packed."""
        return None if self.packed else sum(self.parameters.values()) - sum(self.derived.values())

    @property
    def explanation(self) -> str:
        """The names of the tensors in groups whose sizes differ, so many of them as tell which they are."""
        apart = [group for group in {*self.parameters, *self.derived} if self._apart(group) != 0]
        names: dict[str, int] = {}
        for tensor in self.tensors:
            if self._counts(tensor) and group_of(tensor.name) in apart:
                name = _NUMBERS.sub("*", tensor.name)
                names[name] = names.get(name, 0) + tensor.elements
        groups = ", ".join(f"{group} {self._apart(group):+,}" for group in sorted(apart))
        listed = sorted(names, key=lambda name: -names[name])[:_SHOWN]
        more = f" and {len(names) - _SHOWN} others" if len(names) > _SHOWN else ""
        return f"{groups}; tensors of these groups: {', '.join(listed)}{more}" if listed else groups

    @property
    def lines(self) -> tuple[str, ...]:
        """What is said of the files."""
        dtypes = ", ".join(f"{name} {size:,} bytes" for name, size in self.dtypes.items())
        said = [f"The files hold {len(self.tensors):,} tensors of {self.bytes:,} bytes: {dtypes}."]
        if self.packed:
            said.append("Their weights are quantised, so their elements are not counted against the config.")
        elif self.difference == 0:
            said.append(f"They hold the {sum(self.derived.values()):,} parameters that the config gives.")
        else:
            said.append(f"They hold {self.difference:+,} parameters against the config: {self.explanation}.")
        return tuple(said)

    def _apart(self, group: str) -> int:
        return self.parameters.get(group, 0) - self.derived.get(group, 0)

    def _counts(self, tensor: Stored) -> bool:
        return not _BUFFERS.search(tensor.name) and not (self.tied and group_of(tensor.name) == "head")
