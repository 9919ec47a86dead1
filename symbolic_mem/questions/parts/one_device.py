"""The instants of a step on as few devices as there can be, where they are not those on more: the bound is of more.

On one device an engine that gathers weights has nothing to gather; on as many as these are divided over again between the passes,
nothing of what was gathered stays.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import sympy as sp

from symbolic_mem.accounts.gathered import GRADIENTS, WEIGHTS
from symbolic_mem.accounts.schedule import schedule_of
from symbolic_mem.accounts.timeline import gathers_nothing
from symbolic_mem.base.limit import Limit
from symbolic_mem.base.rational import Number
from symbolic_mem.base.symbols import n_fsdp
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Prose, say, text
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.questions.parts.instants import decided_instants
from symbolic_mem.solvers.layout import profile
from symbolic_mem.study.study import Study

if TYPE_CHECKING:
    from symbolic_mem.solvers.degree import Degree

# What a device holds of whole weights beside its own: on one there is less of it, or none.
GATHERED = (WEIGHTS, GRADIENTS)
ALONE = text("One device alone holds the whole weights of one block at a time and gathers none ahead")


def fewest(study: Study, symbol: sp.Symbol) -> int:
    """The smallest degree that a plan allows: 1, or the devices that gathered weights are divided over again."""
    return 1 if study.plan is None or symbol != n_fsdp else study.plan.multiple(study.values, study.built)


def on_the_fewest(first: int) -> Prose:
    """What is otherwise there in a step on as few devices."""
    if first == 1:
        return ALONE
    return say(
        "On {first} devices weights are divided over all of them between the passes, so nothing gathered stays",
        first=first,
    )


@dataclass(frozen=True)
class Solved:
    """What was solved for at each instant that counts, and the most that a device holds on the fewest (None: as the bound says).

    `several` are the degrees at each instant of a step on more devices than the fewest.
    """

    each: tuple[tuple[Study, Degree], ...]
    several: tuple[Degree, ...]
    one: Number | None = None

    @property
    def degrees(self) -> tuple[Degree, ...]:
        """What was solved for."""
        return tuple(degree for _, degree in self.each)

    @property
    def value(self) -> int | None:
        """The degree that is enough at each instant; None where there is none at one of them."""
        values = [degree.value for degree in self.degrees]
        return None if None in values else max(value for value in values if value is not None)


def solved_instants(
    study: Study, kinds: tuple[str, ...], symbol: sp.Symbol, solve: Callable[[Study], Degree]
) -> Solved:
    """Solve for a degree at each instant that must fit: those of a step on the fewest devices where they are enough, else on more."""
    more = tuple((one, solve(one)) for one in decided_instants(study, kinds))
    several = tuple(degree for _, degree in more)
    decider, asked = max(more, key=lambda pair: pair[1].demand)
    first = fewest(study, symbol)
    if asked.value not in (first, 2 * first) and not _may_be_enough(decider, kinds, asked):
        return Solved(more, several)
    there = tuple((one, solve(one)) for one in on_one_device(study, kinds, symbol))
    if not there:
        return Solved(more, several)
    held = max(degree.profile.at(first) for _, degree in there)
    return Solved(there if all(degree.value == first for _, degree in there) else more, several, held)


def on_one_device(
    study: Study,
    kinds: Sequence[str],
    symbol: sp.Symbol,
    moments: Callable[[Study, Sequence[str]], tuple[Study, ...]] = decided_instants,
) -> tuple[Study, ...]:
    """Return the study at each instant of a step on the fewest devices that must fit; none where they are those on more.

    `moments` are those that must fit: all of them, where the sizes are still open.

    >>> from symbolic_mem.base.symbols import n_fsdp
    >>> from symbolic_mem.library.read import load_study
    >>> llama, states = load_study("llama-3.1-8b"), load_study("cs336-a2-xxl")
    >>> [len(on_one_device(one.without(n_fsdp), KINDS, n_fsdp)) > 0 for one in (llama, states)]
    [True, False]
    """
    if not is_another_step(study, kinds, symbol):
        return ()
    there = replace(study, values=_on_first(study, symbol))
    return tuple(study.seen_at(one.at) for one in moments(there, kinds))


def is_another_step(study: Study, kinds: Sequence[str], symbol: sp.Symbol) -> bool:
    """Whether a step on the fewest devices has other instants than one on more: nothing to gather, or nothing that stays."""
    if study.at is not None or set(kinds) != set(KINDS) or not study.recipe.trains or not study.timeline:
        return False
    if study.plan is not None and study.plan.engine:
        return False
    there = _on_first(study, symbol)
    gathers = not gathers_nothing(study.recipe, study.placement, study.values)
    differs = gathers and gathers_nothing(study.recipe, study.placement, there)
    stays = study.plan is not None and study.plan.kept(there) != study.keep
    return (differs or stays) and schedule_of(study.recipe, study.model, study.placement) == "fsdp2"


def _on_first(study: Study, symbol: sp.Symbol) -> ChainMap[sp.Symbol, sp.Rational]:
    """The values on the fewest devices; those that are watched are not read."""
    return ChainMap({symbol: sp.Integer(fewest(study, symbol))}, cast("dict[sp.Symbol, sp.Rational]", study.values))


def _may_be_enough(decider: Study, kinds: tuple[str, ...], asked: Degree) -> bool:
    """Whether the fewest devices can be enough: the instant that asks for most fits there without what is gathered."""
    bound = asked.ideal.bound
    memory = decider.placed(kinds).where(lambda term: term.name not in GATHERED)
    if len(memory.terms) == len(bound.memory.terms):
        return False  # nothing is gathered then, so that the bound is that of one device, too
    held = profile(memory, bound.symbol, decider.numbers).at(fewest(decider, bound.symbol))
    return bool(Limit(asked.capacity, bound.strict).holds(held))
