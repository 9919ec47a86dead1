"""`Place`: which block is at work in the backward pass, with what the blocks before it still keep.

What a step holds changes by the same amount from block to block, so that the largest instant is at an end of the stack:
at one of the last blocks, where most activations are there, or at one of the first, where most gradients are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache

import sympy as sp

from symbolic_mem.accounts.units import Unit
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.stacks import LATER
from symbolic_mem.recipes.recompute import Recompute, recomputed_at

FROM_START = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
FROM_END = ("", " but one", " but two", " but three", " but four", " but five", " but six", " but seven", " but eight")


def many_blocks(how: Recompute) -> int:
    """Return from how many blocks on the last ones are kept alike under the rule ``block``: none of those looked at is recomputed.

    >>> many_blocks(Recompute("block", 3)), many_blocks(Recompute("block", 20))
    (7, 29)
    """
    return how.size + 1 + min(how.period, len(FROM_END) - 1)


@dataclass(frozen=True)
class Place:
    """A block at work: `before` blocks of its kind come before it and `done` are behind it.

    `again` says whether its activations are computed again, with those of `grouped` blocks before it in its group. It
    exists where its kind has `least` blocks or more, and at most `most` (None: any number). `earlier` and `later` are
    the kinds of the blocks next to it, where there are any.
    """

    words: str
    unit: Unit
    before: sp.Expr
    done: sp.Expr
    again: bool = False
    grouped: int = 0
    least: int = 1
    most: int | None = None
    earlier: Unit | None = None
    later: Unit | None = None

    @cached_property
    def index(self) -> sp.Expr:
        """Its position among all blocks."""
        return self.unit.start + self.before


@lru_cache(maxsize=256)
def places(blocks: tuple[Unit, ...], how: Recompute, residues: tuple[int, ...]) -> tuple[Place, ...]:
    """Return the places that can decide, kind by kind, the last block of the model first.

    `residues` are the remainders of the position after the last block of each kind, divided by the period of the rule of
    recomputation: which of the last blocks are recomputed. Under the rule ``block`` they are these positions themselves,
    up to `many_blocks`.

    >>> from symbolic_mem.accounts.units import units
    >>> from symbolic_mem.models.ffn import ffn
    >>> [(one.words, one.before, one.done) for one in places(units(ffn()).blocks, Recompute(), (0,))]
    [('last block', L - 1, 0), ('last block but one', L - 2, 1), ('second block', 1, L - 2), ('first block', 0, L - 1), ('only block', 0, 0)]
    """
    return tuple(_places(blocks, how, residues))


def _places(blocks: tuple[Unit, ...], how: Recompute, residues: tuple[int, ...]) -> Iterator[Place]:
    several = len(blocks) > 1
    for position in reversed(range(len(blocks))):
        unit = blocks[position]
        below = blocks[position - 1] if position else None
        above = blocks[position + 1] if position + 1 < len(blocks) else None
        name = unit.name if several else "block"
        last = name.removeprefix(LATER)
        start, end = residues[position - 1] if position else 0, residues[position]
        backs = _chosen(how, lambda distance, end=end: end - 1 - distance)
        reach = next(distance for distance in range(len(backs) + 1) if distance not in backs)
        for back in backs:
            at = (unit.count - 1 - back, sp.Integer(back), *_way(how, end - 1 - back), back + 2, None)
            yield Place(f"last {last}{FROM_END[back]}", unit, *at, unit, unit if back else above)
        for ahead in reversed(_chosen(how, lambda distance, start=start: start + distance)):
            least = ahead + reach + 1 if ahead else 2  # with fewer blocks it is one of those from the end
            at = (sp.Integer(ahead), unit.count - 1 - ahead, *_way(how, start + ahead), least, None)
            yield Place(f"{FROM_START[ahead]} {name}", unit, *at, unit if ahead else below, unit)
        only = name if unit.count == 1 else f"only {name}" if last == name else f"last {last}"
        yield Place(only, unit, sp.S.Zero, sp.S.Zero, *_way(how, start), 1, 1, below, above)


def _way(how: Recompute, index: int) -> tuple[bool, int]:
    """Whether the block at a position is computed again, and how many blocks before it in its group are with it."""
    return recomputed_at(how, index), index % how.size if how.rule == "groups" else 0


def _chosen(how: Recompute, index: Callable[[int], int]) -> list[int]:
    """The first distance from an end of the stack, and the first beyond it, of each way in which a block is kept."""
    seen: dict[tuple[bool, int], list[int]] = {}
    for distance in range(min(how.period + 1, len(FROM_END))):
        way = _way(how, index(distance))
        seen.setdefault(way if how.rule != "groups" else (way[1] == how.size - 1, 0), []).append(distance)
    firsts = {found[0] for found in seen.values()} | {
        next(one for one in found if one >= 1) for found in seen.values() if found[-1] >= 1
    }
    return sorted(firsts)
