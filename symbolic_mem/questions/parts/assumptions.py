"""What an answer takes for granted and what it leaves out, as sentences."""

from __future__ import annotations

from symbolic_mem.document.prose import Prose, text
from symbolic_mem.questions.parts.words import placement_sentences
from symbolic_mem.recipes.recompute import recompute
from symbolic_mem.study.study import Study


def about_memory(study: Study) -> bool:
    """Whether a question of the study counts memory; a study without questions does."""
    return not study.questions or any(question.subject == "memory" for question in study.questions)


def assumptions(study: Study) -> tuple[Prose, ...]:
    """List what the model, the recipe, the study and the caller assume; of the recipe where memory is asked for."""
    recipe = study.recipe
    said = []
    if about_memory(study):
        said.append(text(f"Recipe “{recipe.name}”: {recipe.title}. Source: {recipe.source}."))
        trained = recompute(study.model, recipe.recompute)
        said += [text(sentence) for sentence in (*trained.said, *recipe.said)]
    elif any(question.subject == "layers" for question in study.questions):
        said += [text(sentence) for sentence in study.model.said]
    said += [text(note) for note in study.notes]
    if study.caller:
        said.append(text(f"Changed by the caller: {'; '.join(change.words for change in study.caller)}."))
    return tuple(said)


def placements(study: Study) -> tuple[Prose, ...]:
    """Say where each kind of memory lives."""
    return placement_sentences(study.memory.kinds, study.placement) if study.placement else ()


def not_counted(study: Study) -> tuple[Prose, ...]:
    """List what the account leaves out."""
    return tuple(text(item) for item in study.recipe.not_counted)


_SIGNS = (
    "1 GB is 10⁹ bytes and 1 GiB is 2³⁰ bytes; the two are never mixed, and a figure that is rounded is marked with ≈."
)
SIGNS = text(_SIGNS)
UNITS = text(f"All amounts are exact counts of bytes. {_SIGNS}")
