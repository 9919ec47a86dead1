"""Which instants of a step a question counts, and what is said of them where gradients do not persist."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import sympy as sp

from symbolic_mem.accounts import instants as accounts
from symbolic_mem.document.prose import Prose, say, text
from symbolic_mem.study.question import Found
from symbolic_mem.study.study import Study

if TYPE_CHECKING:
    from symbolic_mem.solvers.bound import Bound

Answer = TypeVar("Answer", bound=Found)


def instants(study: Study, kinds: Sequence[str]) -> tuple[Study, ...]:
    """The study at each instant that must fit: two where gradients do not persist and are counted, else its own."""
    if study.recipe.gradients_persist or "gradients" not in kinds:
        return (study,)
    return tuple(replace(study, instant=one.name) for one in accounts.instants(study.recipe))


def states(study: Study) -> Study:
    """The study at the instant at which all states are there: the optimizer step, where gradients do not persist."""
    return study if study.recipe.gradients_persist else replace(study, instant=accounts.STEP.name)


def words_of(study: Study) -> Prose:
    """The instant that is counted, in words."""
    return text(accounts.instant(study.instant, study.recipe).words)


def bound_at(study: Study, kinds: tuple[str, ...], symbol: sp.Symbol, *, strict: bool) -> Bound:
    """Bound a degree at the instant of the study; `BadInput` where it divides nothing at any instant that must fit."""
    from symbolic_mem.base.limit import Limit
    from symbolic_mem.solvers.bound import Bound, is_divided, need_divided

    memory = study.placed(kinds)
    if not is_divided(memory, symbol):
        need_divided(symbol, *(one.placed(kinds) for one in instants(study, kinds)))
    return Bound(memory, symbol, Limit(study.capacity.counted, strict))


def hardest(
    study: Study, kinds: Sequence[str], answer: Callable[[Study], Answer], hardness: Callable[[Answer], Any]
) -> Answer:
    """Answer at every instant that must fit, and return the answer that asks for most, with the others beside it."""
    answers = [answer(one) for one in instants(study, kinds)]
    chosen = max(answers, key=hardness)
    others = tuple(one for one in answers if one is not chosen)
    return replace(chosen, others=others) if others else chosen


def instant_words(study: Study) -> tuple[Prose, ...]:
    """Say which instant of a training step is counted, where gradients do not persist and that makes a difference."""
    if study.recipe.gradients_persist:
        return ()
    return (say("What is counted is {instant}.", instant=words_of(study)),)


def decided_words(found: Found) -> tuple[Prose, ...]:
    """Say which of two instants decided, and what the other would give."""
    return tuple(_decided(found, other) for other in found.others)


def _decided(found: Found, other: Found) -> Prose:
    pieces = {"chosen": words_of(found.study), "other": words_of(other.study)}
    if other.value is not None and other.value == found.value:
        return say(
            "Gradients do not persist between micro-batches, so two moments must fit. Both give {value}; the one at which "
            "each device then keeps most is counted: {chosen}. The other is {other}.",
            value=f"{other.value:,}",
            **pieces,
        )
    if other.value is None and other.feasible:
        return say(
            "Gradients do not persist between micro-batches, so two moments must fit. The one that decides is counted: "
            "{chosen}. The other, {other}, fits at every number.",
            **pieces,
        )
    return say(
        "Gradients do not persist between micro-batches, so two moments must fit. The one that decides is counted: "
        "{chosen}. The other, {other}, gives {value}.",
        value=text("no such number" if other.value is None else f"{other.value:,}"),
        **pieces,
    )


def each_words() -> Prose:
    """Say that each of several numbers is that of the instant which asks for most."""
    return say(
        "Gradients do not persist between micro-batches, so two moments must fit: {backward}, and {step}. Each number "
        "is that of the moment that asks for more.",
        backward=text(accounts.BACKWARD.words),
        step=text(accounts.STEP.words),
    )
