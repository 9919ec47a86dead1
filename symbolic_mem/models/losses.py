"""`Loss`: how the loss of a language model works, by name: what it keeps, and what it holds for a moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.tables import tables_of
from symbolic_mem.base.values import dataclass
from symbolic_mem.base.written import counted
from symbolic_mem.models.profile import LOSS_COPY, Profile, Row


@dataclass(frozen=True)
class Loss:
    """A loss in `words`, with the row of tensors that it keeps and the bytes of each of the gradients inside it.

    There are so many `copies` of them together, that of a log probability and that of a logit. They are there for one of `chunks` parts of the tokens at a time.
    The head, too, multiplies one part at a time where it works `in_parts`.
    """

    name: str
    words: str
    keeps: Row
    gradients: int
    copies: int = 2
    chunks: int = 1
    source: str = ""
    in_parts: bool = False
    words_in_fp32: str = ""

    def words_under(self, how: Profile) -> str:
        """The same under a profile: nothing is converted to FP32 where all is computed in it."""
        return self.words_in_fp32 if self.words_in_fp32 and how.compute == 4 else self.words

    @property
    def of_16_bits(self) -> bool:
        """Whether it keeps logits, or their log probabilities, in 16 bits."""
        return 2 in (self.keeps.get("logits"), self.keeps.get("log_probabilities"))

    def of(self, how: Profile) -> Profile:
        """Return a profile with this loss in place of its own."""
        return how.keeping(how.loss, **self.keeps)


@cache
def _losses() -> Mapping[str, Loss]:
    tables = tables_of(Path(__file__).with_name("losses.toml"))
    return {
        name: Loss(
            name,
            one["words"],
            one["keeps"],
            one["gradients"],
            one.get("copies", 2),
            0 if one.get("chunks") else 1,
            one.get("source", ""),
            one.get("in_parts", False),
            one.get("words_in_fp32", ""),
        )
        for name, one in tables.items()
    }


def known_losses() -> tuple[str, ...]:
    """Return the names of all losses, as they are given.

    >>> known_losses()
    ('bf16', 'fp32', 'fp32-held', 'chunked:N', 'chunked-compiled:N', 'fused', 'vocab-parallel', 'vocab-parallel-held', 'vocab-parallel-te', 'vocab-parallel-fused', 'vocab-parallel-fused-held')
    """
    return tuple(name if one.chunks else f"{name}:N" for name, one in _losses().items())


def loss(given: str) -> Loss:
    """Return the loss of that name; one in chunks takes their number, as in ``chunked:8``.

    Raises `BadInput` for another name, and for chunks that are no whole number of at least 2.

    >>> loss("chunked:8").words.rpartition(": ")[2]
    '6 + 8/8 bytes for each logit at the peak'
    """
    name, colon, number = given.partition(":")
    found = _losses().get(name)
    if found is None or bool(colon) != (found.chunks == 0):
        raise BadInput.unknown(f"unknown loss {given!r}", given, known_losses())
    if not colon:
        return found
    if (counted(number) or 0) < 2:
        raise BadInput(f"loss {given!r} has {number or 'no'} chunks; give a whole number of at least 2, as in {name}:8")
    chunks = int(number)
    keeps = found.keeps if found.in_parts else {**found.keeps, "total_weight": 4 * chunks}  # one for each part
    return replace(found, name=given, chunks=chunks, words=found.words.format(chunks=chunks), keeps=keeps)


def own_loss(how: Profile) -> str:
    """Return the name of the loss that a profile has by itself, or "" where it has not been measured.

    >>> from symbolic_mem.models.profile import profile
    >>> [own_loss(profile(name)) for name in ("torch-cuda-bf16", "hf-cuda-bf16", "korthikanti")]
    ['bf16', 'fp32', '']
    """
    row = how.keeps.get(how.loss, {})
    if how.loss_gradients == "" or LOSS_COPY in row:
        return ""
    sizes = row.get("log_probabilities", "compute")
    return "fp32" if how.bytes(sizes["bytes"] if isinstance(sizes, Mapping) else sizes) == 4 else "bf16"
