"""`NotCounted`: what a recipe leaves out."""

from __future__ import annotations

from typing import NamedTuple


class NotCounted(NamedTuple):
    """Something that a recipe leaves out, in its own `words`.

    They give way to what `left_out` sizes under the names in `sized_as`; or they stand `instead_of` one of them. Those
    about `copies` of the weights give way where the model counts such copies, and those about the padding of `rows` where
    rows are counted whole; those about `rotary` positions stand by a model that has them, and those about what `software`
    holds for itself have the range that was seen of it. They may have `bytes` for each
    parameter, or for each of the largest tensor alone, divided as a `kind` of memory is; "": whole on every device. Or they
    have a `fixed` number of bytes on every device, whatever the model is.
    """

    words: str
    sized_as: tuple[str, ...] = ()
    instead_of: str = ""
    copies: bool = False
    rows: bool = False
    rotary: bool = False
    bytes: int = 0
    kind: str = ""
    largest: bool = False
    fixed: int = 0
    software: bool = False
