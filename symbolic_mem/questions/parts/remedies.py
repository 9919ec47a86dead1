"""What would help where no number of devices is enough at an instant of a step: each change by itself, and its effect in bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.rational import Number, symbolic
from symbolic_mem.base.symbols import B
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Prose, say
from symbolic_mem.document.words import about
from symbolic_mem.models.tensors import STATIC
from symbolic_mem.questions.parts.held import remedy_record
from symbolic_mem.questions.parts.one_device import Solved
from symbolic_mem.study.changes import changes
from symbolic_mem.study.study import Study

Solve = Callable[[Study], Solved]
Tried = tuple[str, str, Mapping[str, Any]]
_TRIED: tuple[Tried, ...] = (
    ("every block recomputed", "--recompute full", {"recompute": "full"}),
    ("the head fused with the loss", "--loss fused", {"loss": "fused"}),
    ("all states divided", "--plan fsdp2", {"plan": "fsdp2"}),
)


@dataclass(frozen=True)
class Remedy:
    """One change in `words` and as an `option`: the bytes that every device then holds in full, and how many `less` those are.

    `enough` says whether some number of devices is, then.
    """

    words: str
    option: str
    fixed: Number
    less: Number
    enough: bool

    @property
    def facts(self) -> Mapping[str, Any]:
        """The same for JSON."""
        return remedy_record(self.words, self.option, self.fixed, self.less, enough=self.enough)

    def told(self, unit: str) -> Prose:
        """The same as a line."""
        pieces = {
            "what": self.words,
            "option": self.option,
            "fixed": about(Amount(symbolic(self.fixed), unit)),
            "less": about(Amount(symbolic(self.less), unit)),
        }
        if self.enough:
            return say(
                "{what} ({option}): {fixed} in full, {less} less, and some number of devices is enough", **pieces
            )
        return say("{what} ({option}): {fixed} in full, {less} less, which is not enough by itself", **pieces)


def remedies(study: Study, solve: Solve, fixed: Number) -> tuple[Remedy, ...]:
    """Try what may make `fixed` smaller, the bytes that every device holds in full at the instant at which that is most.

    Those bytes are of a step on several devices, as are those that a change leaves. What the study cannot have, and what changes nothing, is left out; the largest effect stands first.
    """
    found = []
    for words, option, change in may_help(study):
        if not study.values.keys() >= change.get("values", {}).keys():
            continue
        try:
            solved = solve(study.changed(changes(**change)))
        except BadInput:
            continue
        most = max(degree.ideal.fixed for degree in solved.several)
        if most < fixed:
            found.append(Remedy(words, option, most, fixed - most, all(degree.feasible for degree in solved.degrees)))
    return tuple(sorted(found, key=lambda one: -one.less))


def may_help(study: Study) -> Iterator[Tried]:
    """Yield what may help a step of training: in words, as an option, and as `changes` takes it."""
    if not study.recipe.trains:
        return
    yield _one_sequence(study)
    cut = study.plan is not None and bool(study.plan.axes)
    divided = all((placed := study.placement.get(kind)) is not None and placed.fraction == 1 for kind in STATIC)
    for words, option, change in _TRIED:
        if not ("plan" in change and (divided or cut)):
            yield words, option, change


def _one_sequence(study: Study) -> Tried:
    """A sequence at a time: the gradients of several are added up where they are kept, and not where each is used when it is made."""
    alone, option = {"values": {B: 1}}, "--set B=1"
    if study.recipe.in_backward:
        return "one sequence in a step", option, alone
    if study.recipe.gradients_persist:
        return "one sequence at a time, the gradients added up", option, alone
    words = "one sequence at a time, the gradients kept and added up"
    return words, f"{option} --gradients kept", {**alone, "gradients": "kept"}
