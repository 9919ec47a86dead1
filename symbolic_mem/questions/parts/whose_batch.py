"""Whose sequences the batch counts, where a run is laid out over several devices."""

from __future__ import annotations

from collections.abc import Iterator

from symbolic_mem.base.symbols import B, n_fsdp
from symbolic_mem.document.prose import Prose, say
from symbolic_mem.study.study import Study


def whose_batch(study: Study) -> Iterator[Prose]:
    """Say of whom B counts the sequences, where each of several devices, or groups of them, has its own.

    >>> from symbolic_mem.library.read import load_study
    >>> from symbolic_mem.render.text import plain_prose
    >>> [plain_prose(each) for each in whose_batch(load_study("cluster-gpt-3-175b"))]
    ['B counts the sequences of one micro-batch on each data-parallel rank.']
    >>> [*whose_batch(load_study("cs336-a2-xxl"))]
    []
    """
    kept = "activations" if study.recipe.trains else "cache"
    divided = {kind for kind, placed in study.placement.items() if n_fsdp in placed.degree.free_symbols}
    plan = study.plan
    several = divided or (plan is not None and (plan.sends or plan.axes or plan.replicas))
    if not several or kept in divided or B not in study.memory.of(kept).total.free_symbols:
        return
    if not study.recipe.trains:
        yield say("{batch} counts the sequences that one replica serves together.", batch=B)
    elif plan is not None and plan.pipelined:
        yield say("{batch} counts the sequences of one micro-batch on each data-parallel rank.", batch=B)
    else:
        yield say(
            "{batch} counts the sequences of one data-parallel rank: data parallelism does not divide its activations.",
            batch=B,
        )
