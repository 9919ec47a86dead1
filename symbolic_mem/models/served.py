"""What the blocks of an engine that serves models hold beside their own projections, as data of served.toml."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from symbolic_mem.base.tables import tables_of
from symbolic_mem.models.architecture import Architecture


class Served(NamedTuple):
    """What is there beside the work of a block, in tensors as wide as the residual stream.

    Those of `attention` are there while it works, what entered first, and those of `mlp` while that does; when the block `sums` up what
    both gave, there are so many. What the MLP's first product gives is `named` until the MLP is over. The caller of all blocks names so many
    `summands` of the first stream. Attention that `copies` values has them beside the product of all three.
    """

    attention: tuple[str, ...]
    mlp: tuple[str, ...]
    sums: int
    named: bool
    summands: int
    copies: bool


def served(a: Architecture) -> Served:
    """Return what the blocks of an architecture hold: as their norms and sums are, unless the code of their family does otherwise.

    >>> served(Architecture()).mlp
    ('what entered', 'the residual', 'the normalised')
    >>> served(Architecture(family="opt", norm="layer")).mlp
    ('what entered', 'the sum')
    """
    found = _table()
    kind = _kind(a)
    name = next((one for one in (a.name, a.family) if one in found["families"]), "")
    row = found["blocks"][found["families"].get(name, {}).get(kind, kind)]
    named = found["named"]
    return Served(
        attention=tuple(row["attention"]),
        mlp=tuple(row["mlp"]),
        sums=row["sums"],
        named=a.name in named["first_product"],
        summands=named["summands"].get(a.name, 0),
        copies=a.name in found["copied"]["values"],
    )


def _kind(a: Architecture) -> str:
    if a.parallel_residual:
        return "parallel, one norm" if a.shared_norm else "parallel, two norms"
    if a.norm_place == "after":
        return "norms after"
    return "residual" if a.norm == "rms" else "in order"


@cache
def _table() -> dict[str, Any]:
    return tables_of(Path(__file__).with_name("served.toml"))
