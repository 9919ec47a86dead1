"""Which values decide more than numbers: the instants that there are, what rules allow; found by watching what is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any, Protocol

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.values import dataclass
from symbolic_mem.questions.parts.instants import instants
from symbolic_mem.questions.parts.one_device import fewest, is_another_step
from symbolic_mem.solvers.host import HostHolds
from symbolic_mem.solvers.layout import Layout
from symbolic_mem.solvers.rules import Rule
from symbolic_mem.study.study import Study
from symbolic_mem.study.watched import Watched
from symbolic_mem.sweeps.axes import Axis
from symbolic_mem.sweeps.sending import Sending, sending

MOST_CHECKED = 100_000


class Asked(Protocol):
    """What a sweep needs of a question: which kinds count, and under which rules."""

    @property
    def strict(self) -> bool:
        """Whether the memory must be less than the capacity."""

    @property
    def counted(self) -> tuple[str, ...]:
        """The kinds of memory that count."""

    def rules_for(self, study: Study, symbol: sp.Symbol) -> tuple[Rule | Layout, ...]:
        """The rules that a degree obeys."""


@dataclass(frozen=True)
class Shape:
    """What a study asks at some values beside its numbers: the study at each instant that must fit, the rules, what is sent.

    `one` is the study at each instant of a step on one device, where they are others than on more.
    """

    moments: tuple[Study, ...]
    rules: tuple[Rule, ...]
    sends: Sending | None = None
    one: tuple[Study, ...] = ()

    @property
    def signature(self) -> tuple[object, ...]:
        """Equal for values at which the same formulas answer: the same instants, or the same account of the same model."""
        each = ((one.instant, id(one.model)) if one.at is None else id(one.at) for one in (*self.moments, *self.one))
        return (*each, *self.rules, self.sends)


def shape(
    study: Study, question: Asked, symbol: sp.Symbol, values: Mapping[sp.Symbol, Any], *, sends: bool = False
) -> tuple[Shape, set[object]]:
    """Return what a study asks at values, with how long it sends where `sends` asks, and what was read of them to know that."""
    watched = Watched({**study.values, **values})
    here = replace(study, values=watched)
    seconds = sending(here, replace(study, values={**study.values, **values}), symbol) if sends else None
    rules = tuple(_rules(here, question, symbol, watched))
    found, seen = Shape(instants(here, question.counted), rules, seconds), watched.seen
    if symbol not in values and is_another_step(here, question.counted, symbol):
        if (first := fewest(here, symbol)) != 1:
            raise BadInput(
                f"a sweep does not find {symbol} where weights are resharded over {first} devices; give it, as in --set {symbol}={2 * first}"
            )
        alone = Watched({**study.values, **values, symbol: sp.S.One})
        there = instants(replace(study, values=alone), question.counted)
        found = replace(found, one=tuple(here.seen_at(one.at) for one in there))
        seen |= alone.seen - {symbol}
    for one in (*found.moments, *found.one):
        _ = one.memory  # made when it is first asked for, and what it reads then counts, too
    return found, seen


def _rules(study: Study, question: Asked, symbol: sp.Symbol, values: Watched) -> Iterator[Rule]:
    for rule in question.rules_for(study, symbol):
        if isinstance(rule, Layout):
            raise BadInput(f"a sweep does not cut into whole pieces ({rule.words}); ask `solve` about single values")
        if isinstance(rule, HostHolds):
            raise BadInput(f"a sweep does not know what hosts hold ({rule.words}); ask `solve` about single values")
        yield rule.at(values)


def check_sizes(study: Study, axes: Sequence[Axis], where: str) -> None:
    """Refuse values that no such model can have, as `Study.changed` does, at every combination that decides it."""
    varied = {symbol for axis in axes for symbol in axis.columns}
    read: set[sp.Symbol] = set()
    while True:
        chosen = [(axis, [symbol for symbol in axis.columns if symbol in read]) for axis in axes]
        chosen = [(axis, symbols) for axis, symbols in chosen if symbols]
        options = [axis.distinct(symbols)[0] for axis, symbols in chosen]
        number = 1
        for one in options:
            number *= len(one)
        if number > MOST_CHECKED:
            names = ", ".join(str(symbol) for _, symbols in chosen for symbol in symbols)
            raise BadInput(
                f"{where}: whether such a model exists depends on {names}, which take {number:,} combinations; at most "
                f"{MOST_CHECKED:,} can be checked: vary fewer values of them"
            )
        names = [symbol for _, symbols in chosen for symbol in symbols]
        more = _checked(study, names, options, varied - read, where)
        if not more:
            return
        read |= more


def _checked(
    study: Study, names: Sequence[sp.Symbol], options: Sequence[list[tuple[int, ...]]], others: set[Any], where: str
) -> set[Any]:
    for combination in product(*options):
        given = dict(zip(names, (sp.Integer(value) for part in combination for value in part), strict=True))
        watched = Watched({**study.values, **given})
        at = ", ".join(f"{symbol} = {value}" for symbol, value in given.items())
        study.built.check(watched, f"{where} {at}" if at else where)
        if study.plan is not None:
            study.plan.check(watched, study.built, trains=study.recipe.trains)
        more = {symbol for symbol in others if symbol in watched.seen}
        if more:
            return more
    return set()
