"""`Watched`: values that remember which of them were read, so that one knows what they decide beside numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sympy as sp


class Watched(Mapping[sp.Symbol, Any]):
    """Values that remember which of them were asked for."""

    def __init__(self, values: Mapping[sp.Symbol, Any]) -> None:
        self.values_of = dict(values)
        self.seen: set[object] = set()

    def __getitem__(self, key: sp.Symbol) -> Any:
        self.seen.add(key)
        return self.values_of[key]

    def __contains__(self, key: object) -> bool:
        self.seen.add(key)
        return key in self.values_of

    def __iter__(self) -> Iterator[sp.Symbol]:
        self.seen.update(self.values_of)
        return iter(self.values_of)

    def __len__(self) -> int:
        return len(self.values_of)
