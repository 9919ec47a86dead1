"""The families of models that are read from a config.json: field names, documented defaults and fixed facts, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from symbolic_mem.base.errors import BadInput, nearest
from symbolic_mem.base.tomlfile import clipped, read_toml


@dataclass(frozen=True)
class Family:
    """How one family writes its config: `keys` names the fields, `defaults` holds where a field is absent.

    A size in `rules` may be absent as well: it then follows from the others. `facts` are fields of `Architecture`
    that the family's code fixes; `config_class` documents the defaults.
    """

    model_type: str
    architecture: str
    config_class: str
    keys: Mapping[str, tuple[str, ...]]
    defaults: Mapping[str, Any]
    rules: frozenset[str]
    facts: Mapping[str, Any]

    def reads(self, what: str) -> bool:
        """Whether the family's config has a field for `what`."""
        return what in self.defaults or what in self.rules


@dataclass(frozen=True)
class Families:
    """The whole table: families by ``model_type``, encoders that are refused, names of activations, the source."""

    known: Mapping[str, Family]
    encoders: frozenset[str]
    activations: Mapping[str, str]
    fields: frozenset[str]
    source: str


@cache
def families() -> Families:
    """Return the table of families, read once."""
    table = read_toml(Path(__file__).with_name("families.toml"))
    known = {}
    for model_type, row in table["families"].items():
        keys = {what: tuple(names) for what, names in (table["keys"] | row.get("keys", {})).items()}
        known[model_type] = Family(
            model_type=model_type,
            architecture=row["architecture"],
            config_class=row["class"],
            keys=keys,
            defaults=row["defaults"],
            rules=frozenset(row.get("rules", ())),
            facts=row.get("facts", {}),
        )
    fields = frozenset(name for family in known.values() for names in family.keys.values() for name in names)
    return Families(known, frozenset(table["encoders"]), table["activations"], fields, table["source"])


def family_of(content: Mapping[str, Any], where: str) -> Family:
    """Recognise the family of a parsed config by its ``model_type``, or by ``architectures`` when it has none.

    Raises `BadInput` for an encoder, a model of several modalities, an unknown family and a head that is not the
    language model's.

    >>> family_of({"model_type": "llama"}, "config.json").config_class
    'LlamaConfig'
    >>> family_of({"architectures": ["GPT2LMHeadModel"]}, "config.json").model_type
    'gpt2'
    """
    table = families()
    given, heads = content.get("model_type"), content.get("architectures")
    if given is not None and not isinstance(given, str):
        raise BadInput(f"{where}: model_type must be text; {nearest('', table.known)}")
    if heads is not None and not (isinstance(heads, list) and all(isinstance(head, str) for head in heads)):
        raise BadInput(f"{where}: architectures must be a list of names, for example ['LlamaForCausalLM']")
    if given in table.encoders or content.get("is_encoder_decoder") is True:
        raise BadInput(
            f"{where}: model_type {clipped(str(given))} has an encoder, and only decoder-only language models are read; "
            f"{nearest('', table.known)}"
        )
    if "text_config" in content:
        raise BadInput(
            f"{where}: model_type {clipped(str(given))} nests its language model under text_config beside other "
            "modalities, which are not counted; save the text_config object as a file of its own and name that"
        )
    head = heads[0] if heads else None
    if given is None:
        given = next((f.model_type for f in table.known.values() if head and _same(head, f.architecture)), None)
        if given is None:
            raise BadInput(
                f"{where}: there is no model_type, which a config.json of Hugging Face transformers has; other files of a "
                f"model, such as a params.json, are not read; {nearest('', table.known)}"
            )
    if given not in table.known:
        raise BadInput(f"{where}: unknown model_type {clipped(given)}; {nearest(given[:60], table.known)}")
    family = table.known[given]
    if head and not _same(head, family.architecture):
        raise BadInput(
            f"{where}: architectures names {clipped(head)}; of model_type {given!r} only {family.architecture} "
            "is counted: if that is the model you mean, write it there"
        )
    return family


def _same(one: str, other: str) -> bool:
    return one.lower() == other.lower()  # the first Llama checkpoints say LLaMAForCausalLM
