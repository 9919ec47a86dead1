"""What a page of play lets a reader choose among: recipes, losses, plans, recomputation and the share of each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Any, NamedTuple

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.losses import loss
from symbolic_mem.models.tensors import KINDS, STATIC
from symbolic_mem.plans.placement import Placed
from symbolic_mem.plans.read import plan
from symbolic_mem.questions.parts.words import KIND_WORDS
from symbolic_mem.recipes.read import presets
from symbolic_mem.recipes.recompute import PLAIN, Recompute
from symbolic_mem.study.changed_recipe import use_loss, use_recipe, use_recompute
from symbolic_mem.study.changed_values import place_kind, use_plan
from symbolic_mem.study.setting import Change
from symbolic_mem.study.study import Study

LOSSES = ("bf16", "fp32", "fp32-held", "chunked:8", "fused")
PLANS = ("zero-1", "zero-2", "zero-3", "fsdp2", "hsdp")
SHARES = ("1", "1/2,kept", "1/2,dropped", "0,kept")
STATE_SHARES = ("1", "1/2,kept", "0,kept")  # a step needs the states whole: none is dropped
PART, DROPPED = "{fraction} divided, the rest {rest}", "dropped"
# of a recipe, a loss, a plan and the shares of states one may differ from the study's; the choices after these go with each
SINGLE = 3 + len(STATIC)
APPLIED = ("plan", *KINDS, "recipe", "loss", "recompute")  # the order in which the command line applies them


class Option(NamedTuple):
    """One of several things to choose: its name, what it is, and the change that it makes (None: the study as it is)."""

    name: str
    words: str
    change: Change | None


@dataclass(frozen=True)
class Choice:
    """Several options of which one holds, the study's own first: `head` above them, `option` of the command line."""

    name: str
    head: str
    option: str
    options: tuple[Option, ...]


class Under:
    """What `make` makes of a study under some changes, made once, or the words of the refusal."""

    def __init__(self, study: Study, make: Callable[[Study], Any]) -> None:
        self.study, self.make = study, make
        self._made: dict[tuple[int, ...], tuple[Sequence[Change], Any]] = {}

    def __call__(self, changes: Sequence[Change]) -> Any:
        """What is made under these very changes."""
        these = tuple(map(id, changes))
        if these not in self._made:
            self._made[these] = changes, self._under(changes)
        return self._made[these][1]

    def _under(self, changes: Sequence[Change]) -> Any:
        try:
            return self.make(self.study.called(changes) if changes else self.study)
        except BadInput as error:
            return str(error)


def possible(choices: Sequence[Choice], under: Under) -> tuple[Choice, ...]:
    """Return the choices without the options that are refused by themselves, or bring a size of their own, as adapters do."""
    study = under.study

    def keeps(option: Option) -> bool:
        if option.change is None:
            return True
        try:
            found = study.called([option.change])
        except BadInput:
            return False
        if any(study.values.get(symbol) != value for symbol, value in found.values.items()):
            return False
        return not isinstance(under([option.change]), str)

    return tuple(replace(one, options=tuple(filter(keeps, one.options))) for one in choices)


def choices(study: Study) -> tuple[Choice, ...]:
    """Return what can be chosen of a study, in the order of the page; a choice of one thing alone has one option."""
    recipes = presets()
    same = study.recipe.name in recipes and _is(recipes[study.recipe.name], study)
    own = Option(study.recipe.name if same else "", f"{study.recipe.name}: {study.recipe.title}", None)
    alike = {name: one for name, one in recipes.items() if one.trains == study.recipe.trains}
    others = [Option(name, f"{name}: {one.title}", use_recipe(one)) for name, one in alike.items()]
    return (
        Choice("recipe", "recipe", "--recipe", _distinct(own, others)),
        Choice("loss", "loss", "--loss", tuple(_losses(study))),
        Choice("plan", "plan", "--plan", tuple(_plans(study))),
        *(Choice(kind, KIND_WORDS[kind], "--place", tuple(_shares(study, kind, STATE_SHARES))) for kind in STATIC),
        Choice("recompute", "recomputation", "--recompute", tuple(_recomputed(study))),
        Choice("activations", KIND_WORDS["activations"], "--place", tuple(_shares(study, "activations", SHARES))),
    )


def _is(preset: Any, study: Study) -> bool:
    return preset.with_recompute(study.recipe.recompute) == study.recipe


def _distinct(own: Option, others: Sequence[Option]) -> tuple[Option, ...]:
    return (own, *(one for one in others if one.name != own.name))


def _losses(study: Study) -> Iterator[Option]:
    if study.built.architecture is None:
        yield Option("", "none: the model has no loss of its own", None)
        return
    name = study.built.loss
    own = Option(name, loss(name).words if name else "that of the engine profile", None)
    yield from _distinct(own, [Option(one, f"{one}: {loss(one).words}", use_loss(one)) for one in LOSSES])


def _plans(study: Study) -> Iterator[Option]:
    name = "" if study.plan is None else study.plan.name
    own = Option(name, f"{name}: {study.plan.title}" if study.plan else "as the study places each kind", None)
    cuts = study.plan is not None and bool(study.plan.cuts or study.plan.groups)  # of another plan all would be another
    others = () if cuts else PLANS
    yield from _distinct(own, [Option(one, f"{one}: {plan(one).title}", use_plan(one)) for one in others])


def _recomputed(study: Study) -> Iterator[Option]:
    how = study.recipe.recompute
    plain = how.rule if how.size == 1 and not how.transient and how.rule in PLAIN else ""
    own = Option(plain, f"{how}, with what that holds meanwhile" if how.transient else str(how), None)
    yield from _distinct(own, [Option(rule, str(Recompute(rule)), use_recompute(rule)) for rule in PLAIN])


def _shares(study: Study, kind: str, shares: Sequence[str]) -> Iterator[Option]:
    placed = study.placement.get(kind)
    if placed is None:
        yield Option("", "whole on every device", None)
        return
    name = _share_name(placed)
    others = [Option(f"{kind}={one}", _share_words(one), place_kind(kind, one)) for one in shares]
    yield from _distinct(Option(f"{kind}={name}", _share_words(name), None), others)


def _share_name(placed: Placed) -> str:
    return "1" if placed.fraction == 1 else f"{placed.fraction},{placed.rest}"


def _share_words(name: str) -> str:
    fraction, _, rest = name.partition(",")
    if fraction == "1":
        return "all of it divided"
    if sp.Rational(fraction) == 0:
        return "whole on every device" if rest == "kept" else DROPPED
    return PART.format(fraction=fraction, rest=rest)


def combined(choices: Sequence[Choice], under: Under) -> Iterator[Any]:
    """Yield what is made of the study under each combination of options, in the order of their `places`."""
    for each in places([len(choice.options) for choice in choices]):
        chosen = [choice.options[place] for choice, place in zip(choices, each, strict=True)]
        named = {choice.name: option.change for choice, option in zip(choices, chosen, strict=True)}
        changes = [named.get(name) for name in APPLIED]
        yield under([one for one in changes if one is not None])


def places(counts: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yield the combinations that a page holds of choices with so many options each, by the places of their options.

    Of the first choices, as many as `SINGLE`, one at most differs from the study's.

    >>> list(places([2, 1, 1, 1, 2, 1, 1, 2]))[:3]
    [(0, 0, 0, 0, 0, 0, 0, 0), (0, 0, 0, 0, 0, 0, 0, 1), (1, 0, 0, 0, 0, 0, 0, 0)]
    """
    for single in _single(counts[:SINGLE]):
        for rest in product(*map(range, counts[SINGLE:])):
            yield (*single, *rest)


def _single(counts: Sequence[int]) -> Iterator[tuple[int, ...]]:
    yield (0,) * len(counts)
    for position, count in enumerate(counts):
        for place in range(1, count):
            yield tuple(place if here == position else 0 for here in range(len(counts)))
