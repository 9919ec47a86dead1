"""`NotCounted`: what a recipe leaves out."""

from __future__ import annotations

from typing import NamedTuple

from symbolic_mem.base.rational import Number


class NotCounted(NamedTuple):
    """Something that a recipe leaves out, in its own `words`.

    They give way to what `left_out` sizes under the names in `sized_as`; or they stand `instead_of` one of them. Those
    about `copies` of the weights give way where the model counts such copies, and those about the padding of `rows` where
    rows are counted whole. They may have `bytes` for each parameter, or for those `of` the largest ``tensor`` or ``block``
    alone, divided as a `kind` of memory is; "": whole on every device. Or they have a `fixed` number of bytes on every
    device, whatever the model is, or a `range` of them that was seen, by its `source`; those about what `software` holds for
    itself have the ranges of these rows of software.toml.
    """

    words: str
    sized_as: tuple[str, ...] = ()
    instead_of: str = ""
    copies: bool = False
    rows: bool = False
    bytes: int = 0
    kind: str = ""
    of: str = ""
    fixed: int = 0
    range: tuple[Number, Number] | None = None
    source: str = ""
    software: tuple[str, ...] = ()
