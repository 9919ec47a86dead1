"""The families of models that are read from a config.json: field names, documented defaults and fixed facts, as data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from symbolic_mem.base.tables import tables_of
from symbolic_mem.base.values import dataclass


@dataclass(frozen=True)
class Family:
    """How one family writes its config: `keys` names the fields, `defaults` holds where a field is absent.

    A size in `rules` may be absent as well: it then follows from the others; one in `required` may not. `facts` are fields of `Architecture`
    that the family's code fixes; `config_class` documents the defaults. `keeps_as` is the family whose rows of an engine
    profile are its own, `describes` says whether it is known what its blocks keep. What is `published` says the defaults
    where the family has no class of its own, and a field that it `refuses` makes another model of it. Its `program` is what
    its code does otherwise than most.
    """

    model_type: str
    architecture: str
    config_class: str
    keys: Mapping[str, tuple[str, ...]]
    defaults: Mapping[str, Any]
    rules: frozenset[str]
    required: frozenset[str]
    facts: Mapping[str, Any]
    keeps_as: str
    describes: bool
    published: str
    refuses: tuple[str, ...]
    program: frozenset[str]

    def reads(self, what: str) -> bool:
        """Whether the family's config has a field for `what`."""
        return what in self.defaults or what in self.rules or what in self.required


@dataclass(frozen=True)
class Families:
    """The whole table: families by ``model_type``, encoders, names of activations, the source.

    `fields` are those that some family reads.
    """

    known: Mapping[str, Family]
    encoders: frozenset[str]
    activations: Mapping[str, str]
    fields: frozenset[str]
    source: str


@cache
def families() -> Families:
    """Return the table of families, read once."""
    table = tables_of(Path(__file__).with_name("families.toml"))
    known: dict[str, Family] = {}
    for model_type, row in table["families"].items():
        known[model_type] = _family(model_type, row, table["keys"], known.get(row.get("like", "")))
    return Families(
        known=known,
        encoders=frozenset(table["encoders"]),
        activations=table["activations"],
        fields=frozenset(name for family in known.values() for names in family.keys.values() for name in names),
        source=table["source"],
    )


def does(family: str, what: str) -> bool:
    """Say whether the code of a family does something that most do not: see `program` in families.toml.

    >>> does("gpt_neox", "joins"), does("llama", "joins"), does("", "joins")
    (True, False, False)
    """
    return family in (known := families().known) and what in known[family].program


def _family(model_type: str, row: Mapping[str, Any], keys: Mapping[str, Any], like: Family | None) -> Family:
    without = (*row.get("without", ()), *row.get("required", ()))
    inherited = {} if like is None else {what: value for what, value in like.defaults.items() if what not in without}
    rules = row.get("rules", () if like is None else like.rules)
    return Family(
        model_type=model_type,
        architecture=row.get("architecture") or (like.architecture if like else ""),
        config_class=row["class"],
        keys={**(like.keys if like else {}), **_names(keys if like is None else {}), **_names(row.get("keys", {}))},
        defaults=inherited | row.get("defaults", {}),
        rules=frozenset(rules),
        required=frozenset(row.get("required", ())),
        facts={what: value for what, value in (like.facts if like else {}).items() if what not in without}
        | row.get("facts", {}),
        keeps_as=row.get("keeps_as", model_type if like is None else like.keeps_as),
        describes=row.get("describes", like is None or like.describes),
        published=row.get("published", ""),
        refuses=tuple(row.get("refuses", ())),
        program=frozenset(row.get("program", ())),
    )


def _names(keys: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {what: tuple(names) for what, names in keys.items()}
