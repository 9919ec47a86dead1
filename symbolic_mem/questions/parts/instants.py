"""Which instants of a step a question counts, and what is said of them where gradients do not persist."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import sympy as sp

from symbolic_mem.accounts import instants as accounts
from symbolic_mem.accounts.instant import decided
from symbolic_mem.base.symbols import n_fsdp, n_pp
from symbolic_mem.document.prose import Amount, Prose, say, text
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.study.found import Found
from symbolic_mem.study.study import Study

if TYPE_CHECKING:
    from symbolic_mem.accounts.terms import Memory
    from symbolic_mem.solvers.bound import Bound

Answer = TypeVar("Answer", bound=Found)
Asked = TypeVar("Asked")
EACH = ("what each keeps", "the peak of each")
OF_ONE = ("what it keeps", "its peak")


def instants(study: Study, kinds: Sequence[str]) -> tuple[Study, ...]:
    """The study at each instant that must fit: those of a step where they are known and all kinds are counted.

    Else what is kept must fit: at two instants where gradients do not persist and are counted, and at one where they do.
    """
    if set(kinds) == set(KINDS) and study.timeline:
        return tuple(study.seen_at(one) for one in study.timeline)
    return kept_instants(study, kinds)


def decided_instants(study: Study, kinds: Sequence[str]) -> tuple[Study, ...]:
    """The same where no batch, length or size is asked for: of the instants inside one block, the fullest at the values."""
    found = instants(study, kinds)
    placed = any(study.placement.get(kind) is not None for kind in ("activations", "buffers"))
    if placed or any(one.at is None for one in found):
        return found
    fullest = {id(one) for one in decided([one.at for one in found if one.at is not None], study.numbers)}
    return tuple(one for one in found if id(one.at) in fullest)


def kept_instants(study: Study, kinds: Sequence[str]) -> tuple[Study, ...]:
    """The study at each instant at which what is kept counts, whatever else is there for a moment; of stages on each rank."""
    study = study.seen_at(None)
    if staged(study) and study.timeline:
        first = {one.rank: one for one in reversed(study.timeline)}  # of a rank the first has all that it keeps
        return tuple(study.seen_at(one.kept) for one in reversed(first.values()))
    if study.recipe.gradients_persist or "gradients" not in kinds:
        return (study,)
    return tuple(replace(study, instant=one.name) for one in accounts.instants(study.recipe))


def staged(study: Study) -> bool:
    """Whether its plan cuts the blocks into the stages of a pipeline."""
    return study.plan is not None and study.plan.pipelined and study.values.get(n_pp, 1) != 1


def states(study: Study) -> Study:
    """The study at the instant at which all states are there: the optimizer step, where gradients do not persist."""
    return study if study.recipe.gradients_persist else replace(study, instant=accounts.STEP.name)


def words_of(study: Study) -> Prose:
    """The instant that is counted, in words."""
    return text(accounts.instant(study.instant, study.recipe).words if study.at is None else study.at.words)


def fitting(study: Study) -> str:
    """What must fit: the peak where the instants of a step are known, else what is kept."""
    return "the peak" if _momentary(study) else "what is kept"


def fitting_each(study: Study, number: int) -> str:
    """The same of each of a number of devices, or of the only one."""
    return (OF_ONE if number == 1 else EACH)[_momentary(study)]


def fitting_one(study: Study) -> str:
    """The same of one device at the answer."""
    return "the peak of one device" if _momentary(study) else "what one device then keeps"


def _momentary(study: Study) -> bool:
    """Whether what is there for a moment counts, too."""
    return study.at is not None and not study.at.lasting


def one_is_asked(study: Study, symbol: sp.Symbol) -> bool:
    """Whether nothing is placed anywhere, or nothing of what a plan places is there: then one device is asked about."""
    there = {"activations", *(state.kind for state in study.recipe.states)}
    placed = study.placement if study.plan is None else there.intersection(study.placement)
    return not placed and (study.plan is None or not study.plan.cuts) and symbol == n_fsdp


def need_asked(study: Study, symbol: sp.Symbol, *memories: Memory) -> None:
    """Raise `BadInput` when the degree divides no term of any of the `memories`, unless one device is asked about."""
    from symbolic_mem.solvers.bound import need_divided

    if not one_is_asked(study, symbol):
        need_divided(symbol, *memories, cut=() if study.plan is None else study.plan.axes)


def bound_at(study: Study, kinds: tuple[str, ...], symbol: sp.Symbol, *, strict: bool, alone: bool = False) -> Bound:
    """Bound a degree at the instant of the study; `BadInput` where it divides nothing at any instant that must fit.

    With `alone` the question is whether one device is enough, where nothing is divided.
    """
    from symbolic_mem.base.limit import Limit
    from symbolic_mem.solvers.bound import Bound, is_divided, need_divided

    memory = study.placed(kinds)
    if not (alone or is_divided(memory, symbol)):
        cut = () if study.plan is None else study.plan.axes
        need_divided(symbol, *(one.placed(kinds) for one in instants(study, kinds)), cut=cut)
    return Bound(memory, symbol, Limit(study.capacity.counted, strict))


def hardest(studies: Sequence[Asked], answer: Callable[[Asked], Answer], hardness: Callable[[Answer], Any]) -> Answer:
    """Answer at every instant that must fit, and return the answer that asks for most, with the others beside it.

    The others follow in the order of what they ask for.
    """
    answers = sorted(map(answer, studies), key=hardness, reverse=True)
    chosen, others = answers[0], tuple(answers[1:])
    return replace(chosen, others=others) if others else chosen


def instant_words(study: Study) -> tuple[Prose, ...]:
    """Say which instant of a training step is counted, where that makes a difference."""
    if study.at is None and study.recipe.gradients_persist:
        return ()
    return (say("What is counted is {instant}.", instant=words_of(study)),)


def decided_words(found: Found) -> tuple[Prose, ...]:
    """Say which of several instants decided, and what the next one would give."""
    if not found.others:
        return ()
    if found.study.at is not None:
        return (_peak(found, found.others[0]),)
    return tuple(_decided(found, other) for other in found.others)


def _peak(found: Found, other: Found) -> Prose:
    pieces: dict[str, Any] = {
        "fits": text(
            "The memory must fit at every instant of a step."
            if _momentary(found.study)
            else "It must fit on every stage."
        ),
        "number": len(found.others) + 1,
        "chosen": words_of(found.study),
        "other": words_of(other.study),
        "value": text("no such number") if other.value is None else Amount(sp.Integer(other.value)),
    }
    if found.value is None and not found.feasible and other.value is None:
        return say(
            "{fits} Of the {number} that can be the fullest, the one that asks for most is {chosen}.",
            **pieces,
        )
    if other.value == found.value:
        return say(
            "{fits} Of the {number} that can be the fullest, one decides: "
            "{chosen}. The next, {other}, gives {value}, too, and holds less.",
            **pieces,
        )
    if other.value is None and other.feasible:
        return say(
            "{fits} Of the {number} that can be the fullest, one decides: "
            "{chosen}. The next, {other}, fits at every number.",
            **pieces,
        )
    return say(
        "{fits} Of the {number} that can be the fullest, one decides: {chosen}. The next, {other}, gives {value}.",
        **pieces,
    )


def _decided(found: Found, other: Found) -> Prose:
    pieces = {"chosen": words_of(found.study), "other": words_of(other.study)}
    if other.value is not None and other.value == found.value:
        return say(
            "Gradients do not persist between micro-batches, so two moments must fit. Both give {value}; the one at which "
            "each device then keeps most is counted: {chosen}. The other is {other}.",
            value=other.value,
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
        value=text("no such number") if other.value is None else other.value,
        **pieces,
    )


def each_words(study: Study | None = None) -> Prose:
    """Say that each of several numbers is that of the instant which asks for most."""
    if study is not None and study.timeline:
        return text(
            "The memory must fit at every instant of a step. Each number is that of the instant that asks for most."
        )
    return say(
        "Gradients do not persist between micro-batches, so two moments must fit: {backward}, and {step}. Each number "
        "is that of the moment that asks for more.",
        backward=text(accounts.BACKWARD.words),
        step=text(accounts.STEP.words),
    )
