"""Which of what an account leaves out is there together: while the loss works, while a block does, or in the optimizer step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from symbolic_mem.accounts.left_by_plan import BUCKETS, COPIES, RING, SHARED
from symbolic_mem.accounts.left_out import CONVERTED, GATHERED, GRADIENTS, KERNEL, LOSS, OVER, STEP, WORKING, LeftOut

_THE_LOSS, _A_BLOCK, _THE_STEP = "loss", "block", "step"
_MOMENTS = (_THE_LOSS, _A_BLOCK, _THE_STEP)
_ALONE = {
    LOSS: (_THE_LOSS,),
    OVER: (_THE_LOSS,),
    KERNEL: (_A_BLOCK,),
    WORKING: (_A_BLOCK,),
    RING: (_A_BLOCK,),
    SHARED: (_A_BLOCK,),
    GATHERED: (_THE_LOSS, _A_BLOCK),
    GRADIENTS: (_THE_LOSS, _A_BLOCK),
    CONVERTED: (_THE_LOSS, _A_BLOCK),
    BUCKETS: (_THE_LOSS, _A_BLOCK),
    STEP: (_THE_STEP,),
    COPIES: (_THE_STEP,),
}
"""At which moments alone something is there; all else may be there at each."""

T = TypeVar("T")


def together(found: Iterable[tuple[LeftOut, T]]) -> tuple[tuple[T, ...], ...]:
    """Return what stands beside each that is left out, for each moment: what may be there at it, of no fewer things than another has.

    >>> made = [(LeftOut(name, ""), name) for name in (OVER, GATHERED, STEP, "other")]
    >>> together(made)
    (('loss over what it keeps', 'gathered weights', 'other'), ('optimizer step', 'other'))
    >>> together(made[:2]), together([])
    ((('loss over what it keeps', 'gathered weights'),), ((),))
    """
    listed = list(found)
    places = [
        tuple(place for place, (one, _) in enumerate(listed) if moment in _ALONE.get(one.name, _MOMENTS))
        for moment in _MOMENTS
    ]
    fullest = dict.fromkeys(one for one in places if not any(set(one) < set(other) for other in places))
    return tuple(tuple(listed[place][1] for place in one) for one in fullest)
