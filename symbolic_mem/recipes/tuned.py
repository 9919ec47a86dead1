"""`Tuned`: what of a model a recipe trains, with the rank of its adapters and how frozen weights are packed; its table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from symbolic_mem.base.errors import BadInput, at_place
from symbolic_mem.base.once import hashed_once
from symbolic_mem.base.tomlfile import known_keys
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.adapters import Adapters, adapter_config, read_groups, read_layers, read_modules, read_rank
from symbolic_mem.models.tensors import GROUPS
from symbolic_mem.models.trained import ALL, BLOCK_GROUPS, Trained

KEYS = (
    "adapters",
    "rank",
    "dropout",
    "layers",
    "converts",
    "input_gradient",
    "whole",
    "frozen",
    "base",
    "packs_experts",
)
RANK = 8  # of PEFT's LoraConfig and of LLaMA-Factory, where none is given
CONFIG = ".json"
EXPERTS = "experts"


@hashed_once
@dataclass(frozen=True)
class Tuned:
    """What is trained, the `rank` of the adapters where a caller gives none, and the `base` that packs what is frozen."""

    trained: Trained = ALL
    rank: int | None = None
    base: str = ""

    def __str__(self) -> str:
        if self.trained.everything:
            return "all weights are trained"
        parts = [f"adapters on {', '.join(self.trained.modules)}"] if self.trained.modules else []
        whole = (*self.trained.whole, *self.trained.copied)
        parts += [f"whole: {', '.join(whole)}"] if whole else []
        parts += [f"frozen weights packed as {self.base}"] if self.base else []
        return "; ".join(parts)


EVERYTHING = Tuned()


def read_tuned(given: Any, where: str, folder: Path | None = None, before: Tuned = EVERYTHING) -> Tuned:
    """Read what is trained: ``"all"``, or a table with ``adapters``, ``rank``, ``dropout``, ``layers``, ``converts``, ``input_gradient``, ``whole``, ``frozen``, ``base``, ``packs_experts``.

    `adapters` are modules, or the path of an ``adapter_config.json`` from `folder`. How and what is packed of what is frozen, whether
    adapters convert their inputs, and whether a gradient of the first block's input is asked for, stay as they were `before`. Raises `BadInput` for anything else.

    >>> read_tuned({"adapters": ["q_proj", "v_proj"], "rank": 16}, "my.toml [recipe.trained]").rank
    16
    >>> str(read_tuned({"frozen": ["embed_tokens"]}, "my.toml [recipe.trained]")).split(",")[0]
    'whole: position embedding'
    """
    if given == "all":
        return EVERYTHING
    if not isinstance(given, Mapping):
        raise BadInput(
            f'{where}: what is trained is "all", or a table such as {{ adapters = "all-linear", rank = 16 }}'
        )
    known_keys(given, KEYS, where)
    if "adapters" not in given and "frozen" not in given:
        raise BadInput(f'{where}: give adapters, such as "all-linear", or what is frozen, such as ["embed_tokens"]')
    if "frozen" in given:
        for key in ("adapters", "layers", "whole", "converts", "input_gradient"):
            if key in given:
                raise BadInput(f"{where}: frozen says that all other weights are trained; leave out frozen or {key}")
        frozen = read_groups(given["frozen"], f"{where} frozen")
        whole = tuple(group for group in GROUPS if group not in frozen)
        return _packed(Trained((), whole), None, given, where, before)
    adapters = _adapters(given, where, folder)
    whole = read_groups(given.get("whole", []), f"{where} whole")
    converts = _either("converts", given, before.trained.converts, where, "each adapter converts its input for itself")
    what = "the first block's input is made to need a gradient where blocks are recomputed"
    asks = _either("input_gradient", given, before.trained.asks, where, what)
    trained = Trained(
        adapters.modules,
        whole,
        adapters.copied,
        adapters.dropout,
        converts=converts,
        ranks=adapters.ranks,
        layers=adapters.layers,
        asks=asks,
    )
    return _packed(trained, adapters.rank, given, where, before)


def _either(key: str, given: Mapping[str, Any], usual: bool, where: str, whether: str) -> bool:
    found = given.get(key, usual)
    if not isinstance(found, bool):
        raise BadInput(f"{where}: {key} is true or false: whether {whether}")
    return found


def in_folder(given: str, folder: Path = Path()) -> str:
    """Return the path of the ``adapter_config.json`` where a folder is given that holds one; all else as it is."""
    file = Path(given) / "adapter_config.json"
    try:
        return str(file) if (folder / file).is_file() else given
    except OSError:  # no path: it is longer than one can be, or nobody may look there
        return given


def _packed(trained: Trained, rank: int | None, given: Mapping[str, Any], where: str, before: Tuned) -> Tuned:
    from symbolic_mem.models.packing import packing

    name = given.get("base", before.base)
    if not isinstance(name, str):
        raise BadInput(f'{where}: base is a name, such as "nf4-double"')
    if not name or name == "none":
        if "packs_experts" in given:
            raise BadInput(f"{where}: packs_experts is of packed weights; give a base, or leave packs_experts out")
        return Tuned(trained, rank)
    with at_place(where):
        usual = EXPERTS in before.trained.packed if name == before.base else packing(name).experts
    experts = _either("packs_experts", given, usual, where, "experts are packed as linear layers are")
    packed = tuple(group for group in BLOCK_GROUPS if experts or group != EXPERTS)
    return Tuned(replace(trained, packed=packed), rank, name)


def _adapters(given: Mapping[str, Any], where: str, folder: Path | None) -> Adapters:
    names = given["adapters"]
    names = in_folder(names, folder or Path()) if isinstance(names, str) else names
    if isinstance(names, str) and names.endswith(CONFIG):
        from symbolic_mem.base.outside import read_content
        from symbolic_mem.models.json_file import parse_json

        for key in ("rank", "dropout", "layers"):
            if key in given:
                raise BadInput(f"{where}: {names} gives the {key}; leave out {key}")
        path = (folder or Path()) / names
        return adapter_config(parse_json(read_content(path, "JSON"), str(path)), str(path))
    dropout = given.get("dropout", 0)
    if isinstance(dropout, bool) or not isinstance(dropout, int | float) or not 0 <= dropout < 1:
        raise BadInput(f"{where}: dropout is a probability from 0 to less than 1, for example 0.05")
    rank = read_rank(given.get("rank", RANK), f"{where} rank")
    place = where if where.endswith("adapters") else f"{where} adapters"  # the option has the name of the key
    layers = read_layers(given.get("layers"), f"{where} layers")
    return Adapters(read_modules(names, place), rank, dropout > 0, layers=layers)
