"""What an answer takes for granted and what it leaves out, as sentences."""

from __future__ import annotations

from symbolic_mem.derive.steps import Prose, text
from symbolic_mem.derive.words import placement_sentences
from symbolic_mem.recipes.recompute import recompute
from symbolic_mem.study import Study


def assumptions(study: Study) -> tuple[Prose, ...]:
    """List what the model, the recipe, the study and the caller assume."""
    recipe = study.recipe
    said = [text(f"Recipe “{recipe.name}”: {recipe.title}. Source: {recipe.source}.")]
    trained = recompute(study.model, recipe.recompute)
    said += [text(sentence) for sentence in (*trained.assumptions, *recipe.assumptions, *study.notes)]
    if study.overridden:
        said.append(text(f"Changed by the caller: {'; '.join(study.overridden)}."))
    return tuple(said)


def placements(study: Study) -> tuple[Prose, ...]:
    """Say where each kind of memory lives."""
    return placement_sentences(study.memory.kinds, study.placement) if study.placement else ()


def not_counted(study: Study) -> tuple[Prose, ...]:
    """List what the account leaves out."""
    return tuple(text(item) for item in study.recipe.not_counted)


UNITS = text(
    "All amounts are exact counts of bytes. 1 GB is 10⁹ bytes and 1 GiB is 2³⁰ bytes; the two are never mixed, "
    "and a figure that is rounded is marked with ≈."
)
