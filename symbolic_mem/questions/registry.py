"""What a study can ask: the name of each question, the keys it may carry, and the function that derives its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from symbolic_mem.base.errors import BadInput, nearest
from symbolic_mem.models.tensors import KINDS

if TYPE_CHECKING:
    from symbolic_mem.document.steps import Section
    from symbolic_mem.study.question import Question
    from symbolic_mem.study.study import Study

_TYPES: dict[str, type | tuple[type, ...]] = {
    "title": str,
    "text": str,
    "device": str,
    "reading": str,
    "capacity": str,
    "reserved": str,
    "usable": (str, int, float),
    "strict": bool,
    "for": str,
    "kinds": list,
    "rest": str,
    "tokens": list,
    "overlap": str,
    "axes": str,
    "pass": str,
    "scheme": str,
    "chips": int,
    "steps": list,
    "recompute": (str, dict, list),
    "place": (dict, list),
    "recipe": (str, list),
    "optimizer": (str, list),
    "profile": (str, list),
    "kernel": (str, list),
    "answer": str,
    "size": str,
    "bandwidth": str,
    "overhead": str,
    "whole_samples": bool,
    "padded_rows": bool,
    "power_of_two": bool,
    "multiple_of": (int, str),
    "divides": (int, str),
    "at_most": (int, str),
    "printed": (int, float, str, list),
    "printed_note": str,
    "values": dict,
    "rows": dict,
    "columns": dict,
    "stages": list,
    "unit": str,
    "about": list,
    "devices": list,
}
_TYPE_WORDS: dict[type, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}
_CHOICES = {  # where the words that a key may take are listed; read only where a question has the key
    "reading": "symbolic_mem.hardware:READINGS",
    "rest": "symbolic_mem.plans.placement:RESTS",
    "overlap": "symbolic_mem.plans.roofline:OVERLAPS",
    "axes": "symbolic_mem.plans.schemes:AXES",
    "pass": "symbolic_mem.plans.schemes:PASSES",
    "scheme": "symbolic_mem.plans.schemes:SCHEMES",
}
_RULES = ("whole_samples", "padded_rows", "multiple_of", "power_of_two", "divides", "at_most")
_PRINTED = ("printed", "printed_note")
_CAPACITY = ("device", "reading", "capacity", "reserved", "usable")


MEMORY = ("device_count", "min_degree", "largest", "insight", "stages", "fits_and_computes", "recompute", "compare")
LAYERS = ("compute_bound", "smaller_batch", "largest_mesh")  # not about memory, but about what the layers do


@dataclass(frozen=True)
class Ask:
    """One kind of question: the keys it may carry beside ``label`` and ``ask``, and where its answer is derived."""

    keys: tuple[str, ...]
    home: str

    def check(self, question: Mapping[str, Any], where: str) -> None:
        """Refuse an option of the wrong type or outside its list."""
        for key in self.keys:
            if key in question and key in _TYPES and not isinstance(question[key], _TYPES[key]):
                wanted = _TYPES[key]
                kinds: tuple[type, ...] = wanted if isinstance(wanted, tuple) else (wanted,)
                words = " or ".join(_TYPE_WORDS[kind] for kind in kinds)
                raise BadInput(f"{where}: {key} = {question[key]!r} has the wrong type; give {words}")
        for key in _CHOICES.keys() & question.keys():
            allowed = _named(_CHOICES[key])
            if question[key] not in allowed:
                raise BadInput(f"{where}: unknown {key} {question[key]!r}; {nearest(str(question[key]), allowed)}")
        for kind in question.get("kinds", ()):
            if kind not in KINDS:
                raise BadInput(f"{where}: unknown kind {kind!r} of memory; {nearest(str(kind), KINDS)}")

    def derive(self, study: Study, question: Question) -> tuple[Section, Any]:
        """Return the section that answers the question, and its facts for programs."""
        answer = _named(self.home)
        if study.recipe.gradients_persist or question.ask not in MEMORY:
            return answer(study, question)
        return _named("symbolic_mem.questions.parts.moments:at_the_larger")(answer, study, question)


def _named(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


ASKS: dict[str, Ask] = {
    "device_count": Ask(
        ("title", "text", *_CAPACITY, "strict", "kinds", *_PRINTED), "symbolic_mem.questions.device_count:device_count"
    ),
    "min_degree": Ask(
        ("title", "text", *_CAPACITY, "strict", "for", "kinds", "rest", "tokens", "values", *_RULES, *_PRINTED),
        "symbolic_mem.questions.min_degree:min_degree",
    ),
    "largest": Ask(
        ("title", "text", *_CAPACITY, "strict", "for", "kinds", "rest", "values", *_PRINTED),
        "symbolic_mem.questions.largest:largest",
    ),
    "insight": Ask(
        (
            *("title", "text", *_CAPACITY, "strict", "for", "kinds", "rest", "values", *_RULES),
            *("about", "rows", "columns", "devices"),
        ),
        "symbolic_mem.questions.insight:insight",
    ),
    "stages": Ask(
        ("title", "text", *_CAPACITY, "strict", "for", "stages", "rows", "values", "unit", *_PRINTED),
        "symbolic_mem.questions.stages:stages",
    ),
    "compute_bound": Ask(
        ("title", "text", "overlap", "axes", "pass", "scheme", "chips"),
        "symbolic_mem.questions.compute_bound:compute_bound",
    ),
    "smaller_batch": Ask(("title", "text", "chips"), "symbolic_mem.questions.smaller_batch:smaller_batch"),
    "largest_mesh": Ask(("title", "text"), "symbolic_mem.questions.largest_mesh:mesh_bounds"),
    "fits_and_computes": Ask(
        ("title", "text", *_CAPACITY, "strict", "for", "kinds", "rest"),
        "symbolic_mem.questions.fits_and_computes:fits_and_computes",
    ),
    "recompute": Ask(
        ("title", "text", *_CAPACITY, "strict", "for", "recompute", "place"),
        "symbolic_mem.questions.recompute:recomputed",
    ),
    "compare": Ask(
        ("title", "text", "recipe", "optimizer", "recompute", "profile", "kernel", "place", "rest"),
        "symbolic_mem.questions.compare:comparison",
    ),
    "evaluate": Ask(("title", "text", "steps", "answer"), "symbolic_mem.questions.evaluate:worked"),
    "buckets": Ask(("title", "text", "size", "bandwidth", "overhead"), "symbolic_mem.questions.buckets:buckets"),
}
