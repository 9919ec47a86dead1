"""The two sides of a comparison: one study, changed in two ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symbolic_mem.accounts.terms import Memory
from symbolic_mem.base.errors import BadInput
from symbolic_mem.library.changes import override
from symbolic_mem.study.study import Study

CHOICES = ("recipe", "optimizer", "recompute", "profile", "kernel", "place", "rest")
_WORDS = {"place": "placement", "rest": "rest", "kernel": "attention kernel", "recompute": "recomputation"}
_AS_IT_STANDS = "the study as it stands"


@dataclass(frozen=True)
class Variant:
    """One side of a comparison: the study as it is there, and how a sentence names it."""

    study: Study
    name: str
    placed: bool

    @property
    def memory(self) -> Memory:
        """What is compared: the memory of one device where placements differ, the whole memory otherwise."""
        return self.study.placed() if self.placed else self.study.memory


def two_sides(study: Study, choices: Mapping[str, Sequence[Any]], where: str) -> tuple[Variant, Variant]:
    """Return both sides: a choice given twice has one value for each, one given once is the second side's alone.

    Raises `BadInput` when nothing is to be compared, or more than two values of one kind are given.
    """
    given = {key: list(choices[key]) for key in CHOICES if choices.get(key)}
    if not given:
        raise BadInput(
            f"{where}: nothing to compare; give one of {', '.join(CHOICES)} twice, or once against the study itself"
        )
    for key, values in given.items():
        if len(values) > 2:
            raise BadInput(f"{where}: {key} is given {len(values)} times; two sides can be compared, so give it twice")
    placed = bool({"place", "rest"} & set(given))
    first = {key: values[0] for key, values in given.items() if len(values) == 2}
    second = {key: values[-1] for key, values in given.items()}
    return _side(study, first, second, placed), _side(study, second, first, placed)


def _side(study: Study, own: Mapping[str, Any], other: Mapping[str, Any], placed: bool) -> Variant:
    differ = {key: value for key, value in own.items() if other.get(key) != value}
    changed = override(
        study,
        recipe_name=own.get("recipe"),
        optimizer_name=own.get("optimizer"),
        recompute=own.get("recompute"),
        profile=own.get("profile"),
        kernel=own.get("kernel"),
        fractions={str(kind): str(fraction) for kind, fraction in own.get("place", {}).items()},
        rest=own.get("rest"),
    )
    named = [f"{_WORDS.get(key, key)} {_shown(key, value, changed)}" for key, value in differ.items()]
    return Variant(changed, " and ".join(named) or _standing(study, other), placed)


def _standing(study: Study, other: Mapping[str, Any]) -> str:
    """Name the side that nothing was changed on, by what the other side has otherwise."""
    own = {"recipe": study.recipe.name, "profile": study.built.profile, "recompute": f"“{study.recipe.recompute}”"}
    named = [f"{_WORDS.get(key, key)} {own[key]}" for key in other if own.get(key)]
    return f"{_AS_IT_STANDS} ({', '.join(named)})" if named else _AS_IT_STANDS


def _shown(key: str, value: Any, study: Study) -> str:
    if key == "recompute":
        return f"“{study.recipe.recompute}”"
    if key == "place":
        return ", ".join(f"{kind} {fraction}" for kind, fraction in value.items())
    return str(value)
