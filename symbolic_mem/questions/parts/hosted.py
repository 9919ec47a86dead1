"""What the host's memory holds for one device: under a pipeline, for one of the stage of which it holds most."""

from __future__ import annotations

from symbolic_mem.accounts.account import on_host
from symbolic_mem.accounts.ranks import ranks
from symbolic_mem.accounts.terms import Memory
from symbolic_mem.base.exact import missing
from symbolic_mem.study.study import Study


def hosted(study: Study) -> Memory:
    """Return what the host holds for one device, placed; nothing where nothing is offloaded.

    While a symbol has no value it is that of the first stage.

    >>> from symbolic_mem.library.read import load_study
    >>> [term.name for term in hosted(load_study("llama-3.1-8b").change(offload="optimizer"))]
    ['AdamW moments']
    """
    apart = tuple(kind for kind, placed in study.placement.items() if placed.experts is not None)
    stages = ranks(study.plan, study.rank, study.numbers, every=False) if study.recipe.offload else ()
    models = [one.model for one in stages] or [study.model]
    found = [on_host(one, study.recipe, apart).placed(study.placement) for one in models]
    if any(missing(one.total, study.values) for one in found):
        return found[0]
    return max(found, key=lambda one: one.at(study.values))
