"""Which family and which head a parsed config.json names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.tomlfile import clipped
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.families import Family, families

_HEADS = {
    "Model": ("none", "no head"),
    "ForSequenceClassification": ("score", "a head that scores a sequence"),
    "ForTokenClassification": ("score of each token", "a head that labels each token"),
    "ForRewardModel": ("reward", "the two layers of a reward model"),
    "ForProcessRewardModel": ("reward of each step", "the two layers of a process reward model"),
}
HEADLESS = "Model"
_LANGUAGE = re.compile(r"(ForCausalLM|LMHeadModel)$")


@dataclass(frozen=True)
class Named:
    """The family of a config, the class that it names, and the head of that class (one of `_HEADS`, or the model's)."""

    family: Family
    architecture: str
    head: str


def known_types() -> list[str]:
    """Return every ``model_type`` that is read: described, counted, or of several modalities."""
    from symbolic_mem.models.counted import counted_families
    from symbolic_mem.models.wrappers import wrappers

    return sorted({*families().known, *counted_families()[0], *wrappers()})


def recognise(content: Mapping[str, Any], where: str, like: str | None = None) -> Named:
    """Recognise the family of a parsed config by its ``model_type``, or by ``architectures`` when it has none.

    With `like` it is read as that family, whatever it says. Raises `BadInput` for an encoder, an unknown family and a
    head that is not known.

    >>> recognise({"model_type": "llama"}, "config.json").family.config_class
    'LlamaConfig'
    >>> recognise({"architectures": ["GPT2ForSequenceClassification"]}, "config.json").head
    'score'
    """
    given, heads = content.get("model_type"), content.get("architectures")
    known = families().known
    if given is not None and not isinstance(given, str):
        raise BadInput.one_of(f"{where}: model_type must be text", known_types())
    if heads is not None and not (isinstance(heads, list) and all(isinstance(head, str) for head in heads)):
        raise BadInput(f"{where}: architectures must be a list of names, for example ['LlamaForCausalLM']")
    head = heads[0] if heads else ""
    if like is not None:
        return Named(_as_told(like), head, "language model")
    if given is None:
        given = next((name for name, family in known.items() if head and _head_of(family, head)), None)
        if given is None:
            raise BadInput.one_of(
                f"{where}: there is no model_type, which a config.json of Hugging Face transformers has; other files of a model, "
                f"such as a params.json, are not read; {_ways(content)}",
                known_types(),
            )
    if given not in known:
        raise BadInput.one_of(f"{where}: {_unknown(content, given)}; {_ways(content)}", known_types())
    family = known[given]
    found = _head_of(family, head) if head else "language model"
    if found is None:
        raise BadInput(
            f"{where}: architectures names {clipped(head)}, which is not known of model_type {given!r}: counted are "
            f"{family.architecture} and, of {_prefixes(family)[0]}..., {', '.join(_HEADS)}; "
            "with --from transformers that library counts every class that it has"
        )
    return Named(family, head, found)


def _as_told(like: str) -> Family:
    known = families().known
    if like not in known:
        raise BadInput.one_of(f"--like {clipped(like)}: there is no such family", sorted(known))
    return known[like]


def _unknown(content: Mapping[str, Any], given: str) -> str:
    if given in families().encoders or content.get("is_encoder_decoder") is True:
        return f"model_type {clipped(given)} has an encoder, which is not described"
    return f"model_type {clipped(given)} is not known"


def _ways(content: Mapping[str, Any]) -> str:
    """What was found in the file that a decoder has, and the two ways to have it counted all the same."""
    table = families()
    seen = sorted(key for key in content if key in table.fields)
    read = f"fields that a known family has: {', '.join(seen)}" if seen else "it has no field that a known family has"
    return (
        f"{read}; --from transformers counts what that library builds of it, and --like llama reads it as that family and "
        "says what this ignores"
    )


def _head_of(family: Family, head: str) -> str | None:
    if head.lower() == family.architecture.lower():  # the first Llama checkpoints say LLaMAForCausalLM
        return "language model"
    for prefix in _prefixes(family):
        end = head.removeprefix(prefix)
        if end != head and end in _HEADS:
            return _HEADS[end][0]
    return None


def _prefixes(family: Family) -> tuple[str, ...]:
    """How the names of a family's classes begin: Gemma3ForCausalLM and Gemma3TextModel are of one."""
    return (_LANGUAGE.sub("", family.architecture), family.config_class.removesuffix("Config"))
