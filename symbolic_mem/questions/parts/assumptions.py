"""What an answer takes for granted and what it leaves out, as sentences."""

from __future__ import annotations

from symbolic_mem.accounts.instants import BACKWARD, STEP
from symbolic_mem.document.prose import Prose, text
from symbolic_mem.questions.parts.words import placement_sentences
from symbolic_mem.questions.registry import LAYERS, MEMORY
from symbolic_mem.recipes.recompute import recompute
from symbolic_mem.study.study import Study

MOMENT_WORDS = {instant.name: instant.words for instant in (BACKWARD, STEP)}


def counted_moment(study: Study) -> tuple[Prose, ...]:
    """Say which moment of a training step is counted, where gradients do not persist and that makes a difference."""
    return () if study.recipe.gradients_persist else (text(f"What is counted is {MOMENT_WORDS[study.moment]}."),)


def about_memory(study: Study) -> bool:
    """Whether a question of the study counts memory; a study without questions does."""
    return not study.questions or any(question.ask in MEMORY for question in study.questions)


def assumptions(study: Study) -> tuple[Prose, ...]:
    """List what the model, the recipe, the study and the caller assume; of the recipe where memory is asked for."""
    recipe = study.recipe
    said = []
    if about_memory(study):
        said.append(text(f"Recipe “{recipe.name}”: {recipe.title}. Source: {recipe.source}."))
        trained = recompute(study.model, recipe.recompute)
        said += [text(sentence) for sentence in (*trained.said, *recipe.said)]
    elif any(question.ask in LAYERS for question in study.questions):
        said += [text(sentence) for sentence in study.model.said]
    said += [text(note) for note in study.notes]
    if study.overridden:
        said.append(text(f"Changed by the caller: {'; '.join(study.overridden)}."))
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
