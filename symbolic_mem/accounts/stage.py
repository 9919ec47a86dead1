"""`Stage`: what one rank of a pipeline has of a model: its blocks, and the ends where it has the first or the last of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import sympy as sp

from symbolic_mem.accounts.units import units
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import Numbers
from symbolic_mem.base.symbols import n_pp
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.tensors import Layer, Model

MOST = 4096


@dataclass(frozen=True)
class Stage:
    """Rank number `rank` of the `ranks` of a pipeline, with the first and the last block of each of its `chunks`.

    It is `first` where it has the embedding and `last` where it has the head. Each chunk is a range [start, end) of blocks;
    where all are alike they are `even`, one n_pp-th of an `each`-th of all.
    """

    rank: int
    ranks: int
    chunks: tuple[tuple[int, int], ...]
    first: bool
    last: bool
    even: bool = True
    each: int = 1

    @property
    def words(self) -> str:
        """How it is called.

        >>> Stage(1, 4, ((2, 4),), False, False).words
        'stage 2 of 4'
        """
        if self.ranks == 1:
            return "every rank"
        named = "first stage" if self.rank == 0 else "last stage" if self.rank == self.ranks - 1 else ""
        return f"the {named}" if named else f"stage {self.rank + 1} of {self.ranks}"


def stages(
    blocks: int, ranks: int, chunks: int = 1, order: str = "loop", layers: Sequence[int] = ()
) -> tuple[Stage, ...]:
    """Return the ranks of a pipeline over so many `blocks`, each with so many `chunks`.

    `layers` are the blocks of each stage in the order of the model, where they are uneven. In the `order` "loop" chunk c of
    rank r is stage c p + r; in a "vee" rank r has stages r and 2 p - 1 - r, and with "both" r and p - 1 - r.
    Raises `BadInput` where the blocks do not divide, or there are fewer than stages.

    >>> [stage.chunks for stage in stages(8, 2, 2)]
    [((0, 2), (4, 6)), ((2, 4), (6, 8))]
    """
    number, even = ranks * chunks, not layers
    if number > MOST:
        raise BadInput(f"{number} stages are more than the {MOST} that are asked about; give fewer")
    if not layers:
        if blocks < number:
            raise BadInput(f"{number} stages are more than the L = {blocks} blocks; give fewer")
        if blocks % number != 0:
            raise BadInput(
                f"L = {blocks} blocks do not divide into {number} equal stages; give a number that divides them, or the blocks of each "
                "stage as layers = [...] in [plan]"
            )
        layers = (blocks // number,) * number
    if len(layers) != number or sum(layers) != blocks:
        raise BadInput(
            f"layers gives {len(layers)} stage{'s'[: len(layers) != 1]} with {sum(layers)} blocks; it must give {number} stages with {blocks} together"
        )
    starts = [sum(layers[:stage]) for stage in range(number + 1)]
    found = []
    for rank in range(ranks):
        own = _stages_of(rank, ranks, chunks, order)
        ranges = tuple((starts[stage], starts[stage + 1]) for stage in own)
        found.append(Stage(rank, ranks, ranges, 0 in own, number - 1 in own, even, chunks))
    return tuple(found)


def spread(blocks: int, ranks: int) -> tuple[int, ...]:
    """The blocks of each stage as vLLM gives them out: what is left over goes one by one to the last stages but one.

    Source: vLLM, distributed/utils.py, get_pp_indices.

    >>> spread(61, 2), spread(61, 4), spread(64, 4)
    ((31, 30), (15, 15, 16, 15), (16, 16, 16, 16))
    """
    each, more = divmod(blocks, ranks)
    return tuple(each + (ranks - 1 - more <= rank < ranks - 1) for rank in range(ranks))


def _stages_of(rank: int, ranks: int, chunks: int, order: str) -> tuple[int, ...]:
    if order == "vee":
        return (rank, 2 * ranks - 1 - rank)
    if order == "both":
        return (rank,) if ranks - 1 - rank == rank else (rank, ranks - 1 - rank)
    return tuple(chunk * ranks + rank for chunk in range(chunks))


def of_chunks(model: Model, stage: Stage, held: Sequence[sp.Expr], numbers: Numbers) -> Iterator[Layer]:
    """Yield the layers of the blocks of a stage's chunks, each with how often it is there: `held` times for each chunk."""
    kinds = units(model).blocks
    for unit in kinds:
        start = int(numbers[unit.start])
        end = start + int(numbers[unit.count])
        inside = [max(0, min(last, end) - max(first, start)) for first, last in stage.chunks]
        times = sp.Add(*(number * many for number, many in zip(inside, held, strict=True)))
        if len(kinds) == 1 and len({last - first for first, last in stage.chunks}) == 1 and stage.even:
            times = sp.Add(*held) * unit.count / (n_pp * stage.each)
        if times != 0:
            yield from (replace(layer, repeat=layer.repeat * times) for layer in unit.layers)


def stage_model(model: Model, stage: Stage, numbers: Numbers) -> Model:
    """Return what a stage has of a model: the blocks of its chunks, and the layers before or after them at the ends.

    A matrix that embedding and head share is held by both: a last stage that is not the first has one of its own.
    """
    whole = units(model)
    layers = [*whole.before] if stage.first else []
    layers += of_chunks(model, stage, (sp.S.One,) * len(stage.chunks), numbers)
    if stage.last:
        layers += whole.after
        if whole.shared and not stage.first:
            layers.append(Layer("tied head", whole.shared, source=whole.before[0].source))
    return replace(model, layers=tuple(layers))
