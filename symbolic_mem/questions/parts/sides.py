"""The two variants of a study that a comparison is about, and the values by which they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from symbolic_mem.accounts.terms import Memory
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import r_lora
from symbolic_mem.base.values import dataclass
from symbolic_mem.study.changed_recipe import (
    use_kernel,
    use_loss,
    use_optimizer,
    use_profile,
    use_recipe,
    use_recompute,
)
from symbolic_mem.study.changed_values import place_kind, set_rest, set_value, use_plan
from symbolic_mem.study.keys import At, Reader, words, wrong_type
from symbolic_mem.study.setting import Change
from symbolic_mem.study.study import Study

CHOICES = ("recipe", "optimizer", "recompute", "profile", "kernel", "loss", "plan", "place", "rest")
_WORDS = {"place": "placement", "kernel": "attention kernel", "recompute": "recomputation"}
_AS_IT_STANDS = "the study as it stands"
# A recipe and a profile set anew what others change one thing of; the rest is that of all that is placed.
_RANK = {"recipe": 0, "profile": 0, "plan": 0, "rest": 2}


@dataclass(frozen=True)
class Choice:
    """One value that a comparison gives for a key: as it was `given`, and the changes of the study that it makes."""

    given: str
    changes: tuple[Change, ...]


Choices = tuple[Choice, ...]


@dataclass(frozen=True)
class Variant:
    """A study as one side has it, how a sentence names it, and the memory that is compared.

    That is the memory of one device where the sides are `placed` differently or all degrees have values, the whole memory
    otherwise. A side that
    has something of its own is `set_apart` from the study as it stands.
    """

    study: Study
    name: str
    placed: bool
    memory: Memory
    set_apart: bool


def two_sides(study: Study, choices: Mapping[str, Choices]) -> tuple[Variant, Variant]:
    """Return both variants of a study.

    What is given twice has one value for each of them. What is given once holds for both, unless nothing is given
    twice: then the study as it stands is compared with the study that has it. Adapters have one rank on both.
    """
    twice = any(len(values) == 2 for values in choices.values())
    first = {name: values[0] for name, values in choices.items() if twice}
    second = {name: values[-1] for name, values in choices.items()}
    degrees = {symbol for placed in study.placement.values() for symbol in placed.degree.free_symbols}
    placed = bool({"plan", "place", "rest"} & set(choices)) or (bool(degrees) and degrees <= set(study.values))
    sides = [_variant(study, own, other, placed) for own, other in ((first, second), (second, first))]
    ranks = [side.study.values.get(r_lora) for side in sides]
    rank = next((one for one in ranks if one is not None), None)
    if rank is not None:  # a recipe brings a rank of its own, and a table has one value for each symbol
        also = (set_value(r_lora.name, int(rank)),)
        for place, (own, other) in enumerate(((first, second), (second, first))):
            if ranks[place] != rank:
                made = _variant(study, own, other, placed, also)
                name = made.name if ranks[place] is None else f"{made.name} with {r_lora} = {rank}"
                sides[place] = replace(made, name=name)
    a, b = sides
    return a, b


def _variant(
    study: Study, own: Mapping[str, Choice], other: Mapping[str, Choice], placed: bool, also: tuple[Change, ...] = ()
) -> Variant:
    caller = {change.aspect for change in study.caller}
    kept = [change for choice in own.values() for change in choice.changes if change.aspect not in caller]
    changed = study.changed(sorted((*study.caller, *kept, *also), key=lambda change: _RANK.get(change.aspect, 1)))
    differ = [
        name
        for name, choice in own.items()
        if choice != other.get(name) and any(change in kept for change in choice.changes)
    ]
    named = " and ".join(f"{_WORDS.get(name, name)} {_shown(name, own[name], changed)}" for name in differ)
    memory = changed.placed() if placed else changed.memory
    return Variant(changed, named or _standing(study, other), placed, memory, bool(named))


def _standing(study: Study, other: Iterable[str]) -> str:
    """Name the side that nothing was changed on, by what the other side has otherwise."""
    own = {"recipe": study.recipe.name, "profile": study.built.profile, "recompute": f"“{study.recipe.recompute}”"}
    named = [f"{_WORDS.get(name, name)} {own[name]}" for name in other if own.get(name)]
    return f"{_AS_IT_STANDS} ({', '.join(named)})" if named else _AS_IT_STANDS


def _shown(name: str, choice: Choice, study: Study) -> str:
    return f"“{study.recipe.recompute}”" if name == "recompute" else choice.given


def sided(read: Callable[[Any, At], Choice]) -> Reader:
    """Make the reader of a key that is given once or twice: one value, or a list of two."""

    def both(given: Any, at: At) -> Choices:
        values = given if isinstance(given, list) else [given]
        if not 1 <= len(values) <= 2:
            raise BadInput(
                f"{at.where} is given {len(values)} times; two sides can be compared, so give it twice, or once"
            )
        return tuple(read(value, at) for value in values)

    return both


def _named(make: Callable[[str, str], Change]) -> Reader:
    """Make the reader of a name, which `make` refuses where there is no such thing."""

    def read(given: Any, at: At) -> Choice:
        name = _name(given, at)
        return Choice(name, (make(name, at.where),))

    return sided(read)


def _name(given: Any, at: At) -> str:
    name = words(given, at)
    if not name.strip():
        raise BadInput(f"{at.where}: {name!r} names nothing; give a name")
    return name


def _rule(given: Any, at: At) -> Choice:
    if not isinstance(given, str | dict):
        raise wrong_type(given, at, "a rule such as full, or { every = 2 }")
    return Choice(str(given), (use_recompute(given, at.where),))


def _fractions(given: Any, at: At) -> Choice:
    if not isinstance(given, dict) or not given:
        raise wrong_type(given, at, 'a kind of memory with its fraction: { activations = "1/2" }')
    shown = ", ".join(f"{kind} {fraction}" for kind, fraction in given.items())
    return Choice(shown, tuple(place_kind(kind, fraction, at.where) for kind, fraction in given.items()))


def _fate(given: Any, at: At) -> Choice:
    rest = words(given, at)
    return Choice(rest, (set_rest(rest, at.where),))


def _recipe(given: Any, at: At) -> Choice:
    name = _name(given, at)
    return Choice(name, (use_recipe(name, at.recipes, at.where),))


def _profile(given: Any, at: At) -> Choice:
    name = _name(given, at)
    return Choice(name, (use_profile(name, at.profiles, at.where),))


def _plan(given: Any, at: At) -> Choice:
    name = _name(given, at)
    return Choice(name, (use_plan(name, at.plans, at.where),))


recipes = sided(_recipe)
optimizers = _named(use_optimizer)
engine_profiles = sided(_profile)
kernels = _named(use_kernel)
losses = _named(use_loss)
plans = sided(_plan)
recomputations = sided(_rule)
placements = sided(_fractions)
rests = sided(_fate)
