"""Modules by the names that engines give them, as the weights of a model here; and ``adapter_config.json`` of PEFT."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from symbolic_mem.base.errors import BadInput, clipped, did_you_mean
from symbolic_mem.base.tables import tables_of
from symbolic_mem.models.tensors import GROUPS, Model
from symbolic_mem.models.trained import EVERY_PRODUCT, SUMS, Trained, modules, weights_of

LONGEST_NAME = 100
MOST_MODULES = 64
MOST_LAYERS = 10_000
# What may stand in the file and changes what is kept, with the values that leave it out.
_NOT_DESCRIBED: Mapping[str, tuple[Any, ...]] = {
    "use_dora": (False, None),
    "bias": ("none", None),
    "exclude_modules": ([], None),
    "trainable_token_indices": ([], {}, None),
    "layer_replication": ([], None),
    "lora_bias": (False, None),
    "alora_invocation_tokens": ([], None),
    "use_qalora": (False, None),
    "use_bdlora": (None, False),
    "arrow_config": (None,),
    "monteclora_config": (None,),
    "velora_config": (None,),
    "kasa_config": (None,),
    "layers_pattern": ([], "", None),
}
# What to ask in place of some of these.
_INSTEAD: Mapping[str, str] = {
    "use_dora": "leave it out for plain LoRA, which holds less",
    "layers_pattern": "leave it out: layers go by their numbers alone",
    "exclude_modules": "leave it out and name the other modules in target_modules",
}
# What says how adapters begin, how they are scaled, and where they come from: as much is kept, whatever it is.
_WITHOUT_EFFECT = frozenset(
    [
        "auto_mapping",
        "base_model_name_or_path",
        "revision",
        "peft_type",
        "peft_version",
        "task_type",
        "inference_mode",
        "lora_alpha",
        "alpha_pattern",
        "use_rslora",
        "fan_in_fan_out",
        "init_lora_weights",
        "loftq_config",
        "eva_config",
        "corda_config",
        "lora_ga_config",
        "qalora_group_size",
        "runtime_config",
        "megatron_config",
        "megatron_core",
    ]
)
_NO_BLOCK = ("token embedding", "position embedding", "head", "router")
_READ = frozenset(
    [
        "r",
        "rank_pattern",
        "layers_to_transform",
        "target_modules",
        "target_parameters",
        "lora_dropout",
        "modules_to_save",
        "ensure_weight_tying",
    ]
)


class Adapters(NamedTuple):
    """Adapters as a file or a table gives them: their `modules`, `rank`, whether they have `dropout`, and what is `copied`.

    Those on the modules in `ranks` have ranks of their own, and `layers` are the blocks that have them (None: all).
    """

    modules: tuple[str, ...]
    rank: int
    dropout: bool = False
    copied: tuple[str, ...] = ()
    ranks: tuple[tuple[str, int], ...] = ()
    layers: tuple[int, int] | None = None


@cache
def _groups() -> Mapping[str, str]:
    content = tables_of(Path(__file__).with_name("adapters.toml"))
    return {**content["groups"], **{group: group for group in GROUPS if group != "adapters"}}


def read_modules(given: Any, where: str) -> tuple[str, ...]:
    """Return the modules that adapters go on, as they are given: ``"all-linear"``, or a list of names.

    Raises `BadInput` for anything else, such as a path; whether a model has them says `check_trained`.

    >>> read_modules(["q_proj", "v_proj"], "my.toml [trained]")
    ('q_proj', 'v_proj')
    """
    names = [given] if isinstance(given, str) else given
    texts = isinstance(names, list | tuple) and all(isinstance(name, str) and name for name in names)
    if not texts or not names or len(names) > MOST_MODULES:
        raise BadInput(f'{where}: give "{EVERY_PRODUCT}", or a list of modules such as ["q_proj", "v_proj"]')
    for name in names:
        if name not in modules() and re.search(r"[^\w-]", name):
            raise BadInput(
                f'{where}: {clipped(name)} is a path or a pattern; give the names of modules, as in ["q_proj", "v_proj"]'
            )
        if name not in modules() and (len(name) > LONGEST_NAME or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", name)):
            raise BadInput(f'{where}: {clipped(name)} is no name of a module; give names such as "q_proj"')
    return tuple(dict.fromkeys(names))


def read_groups(given: Any, where: str) -> tuple[str, ...]:
    """Return groups of weights by their own names or those of an engine's modules; raises `BadInput` for others.

    >>> read_groups(["lm_head", "norm"], "my.toml [trained] whole")
    ('head', 'norm')
    """
    names = [given] if isinstance(given, str) else given
    known = _groups()
    if not isinstance(names, list | tuple):
        raise BadInput(f'{where}: give a list such as ["embed_tokens", "lm_head"]')
    for name in names:
        if not isinstance(name, str) or name not in known:
            raise BadInput.unknown(f"{where}: unknown module {clipped(str(name))}", str(name), known)
    return tuple(dict.fromkeys(known[name] for name in names))


def read_rank(given: Any, where: str) -> int:
    """Return the rank of adapters, a whole number of at least 1."""
    if type(given) is not int or not 1 <= given <= 1_000_000:
        found = f"the text {clipped(given)}: write it without quotes" if isinstance(given, str) else str(given)
        raise BadInput(f"{where}: the rank is a whole number of at least 1, not {found}")
    return given


def adapter_config(content: Any, where: str) -> Adapters:
    """Read the fields of an ``adapter_config.json`` of PEFT; raises `BadInput` for adapters of another kind than LoRA's.

    >>> adapter_config({"peft_type": "LORA", "r": 16, "target_modules": ["q_proj"]}, "adapter_config.json").rank
    16
    """
    if not isinstance(content, Mapping) or "peft_type" not in content:
        raise BadInput(f"{where}: is not an adapter_config.json: it has no peft_type")
    if content["peft_type"] != "LORA":
        given = clipped(str(content["peft_type"]))
        raise BadInput.one_of(f"{where}: adapters of peft_type {given} are not described", ["LORA"])
    for key, without in _NOT_DESCRIBED.items():
        if key in content and content[key] not in without:
            instead = _INSTEAD.get(key, "leave it out for plain LoRA")
            raise BadInput(f"{where}: {key} = {clipped(str(content[key]))} is not described; {instead}")
    for key, value in content.items():
        if value and key not in _READ | _WITHOUT_EFFECT | _NOT_DESCRIBED.keys():
            raise BadInput(f"{where}: {clipped(str(key))} is no field of a LoraConfig of PEFT 0.21; leave it out")
    if content.get("ensure_weight_tying") and content.get("modules_to_save"):
        raise BadInput(
            f"{where}: what ensure_weight_tying makes of modules_to_save is not described; leave one of both out"
        )
    summed = _parameters(content.get("target_parameters") or [], f"{where}: target_parameters")
    for key in ("r", *(() if summed else ("target_modules",))):
        if content.get(key) is None:
            raise BadInput(f"{where}: {key} is missing")
    dropout = content.get("lora_dropout", 0)
    if isinstance(dropout, bool) or not isinstance(dropout, int | float) or not 0 <= dropout < 1:
        raise BadInput(f"{where}: lora_dropout is a probability from 0 to less than 1, not {clipped(str(dropout))}")
    wanted = content.get("target_modules") or ([] if summed else content["target_modules"])
    modules = (*(read_modules(wanted, f"{where}: target_modules") if wanted or not summed else ()), *summed)
    copied = read_groups(content.get("modules_to_save") or [], f"{where}: modules_to_save")
    ranks = _ranks(content.get("rank_pattern") or {}, f"{where}: rank_pattern")
    layers = read_layers(content.get("layers_to_transform"), f"{where}: layers_to_transform")
    if layers is not None and (summed or isinstance(wanted, str)):
        other = "target_parameters" if summed else f"target_modules = {clipped(str(wanted))}"
        raise BadInput(f"{where}: PEFT takes layers_to_transform with a list of target_modules, not with {other}")
    return Adapters(modules, read_rank(content["r"], f"{where}: r"), dropout > 0, copied, ranks, layers)


def read_layers(given: Any, where: str) -> tuple[int, int] | None:
    """Return the first block that has adapters, counted from 0, and the first after them that has none; None where all have.

    Raises `BadInput` for anything but a number, or a list of numbers that follow one another.

    >>> read_layers([6, 7, 5], "adapter_config.json: layers_to_transform"), read_layers(None, "")
    ((5, 8), None)
    """
    if given is None or given == []:
        return None
    numbers = given if isinstance(given, list) else [given]
    if not all(type(one) is int and 0 <= one < MOST_LAYERS for one in numbers) or len(numbers) > MOST_LAYERS:
        raise BadInput(
            f"{where}: give the numbers of layers, counted from 0, as in [30, 31], not {clipped(str(given))}"
        )
    first, end = min(numbers), max(numbers) + 1
    if end - first != len(set(numbers)):
        raise BadInput(
            f"{where}: adapters are counted in layers that follow one another; give all from {first} to {end - 1}, which holds "
            "no less"
        )
    return first, end


def _ranks(given: Any, where: str) -> tuple[tuple[str, int], ...]:
    """Return the modules that ``rank_pattern`` of PEFT gives ranks of their own, by their names alone.

    >>> _ranks({"q_proj": 8}, "adapter_config.json: rank_pattern")
    (('q_proj', 8),)
    """
    if not isinstance(given, Mapping):
        raise BadInput(f'{where}: give ranks of modules, as in {{"q_proj": 8}}')
    other = [name for name in given if name in SUMS or name == EVERY_PRODUCT]
    if other:
        raise BadInput(f"{where}: {clipped(other[0])} is not described; leave it out and give the largest rank as r")
    named = read_modules([*given], where) if given else ()
    known = {*modules(), *(weight for weights in modules().values() for weight in weights)}
    for name in named:
        if name not in known:
            raise BadInput.unknown(f"{where}: unknown module {clipped(name)}", name, known)
    return tuple((name, read_rank(given[name], f"{where}: {name}")) for name in named)


def _parameters(given: Any, where: str) -> tuple[str, ...]:
    """Return which weights of all experts ``target_parameters`` of PEFT names: paths that end in one of `SUMS`."""
    known = {name.rpartition(".")[2]: name for name in SUMS}
    if not isinstance(given, list):
        raise BadInput(f'{where}: give a list such as ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]')
    for name in given:
        last = name.split(".") if isinstance(name, str) else [""]
        if last[-1] not in known or any(part.isdigit() for part in last):
            raise BadInput(
                f"{where}: {clipped(str(name))} is not described; known: the {' and '.join(known)} of experts", known
            )
    return tuple(dict.fromkeys(known[name.rpartition(".")[2]] for name in given))


def in_family(trained: Trained, family: str) -> Trained:
    """Return what is trained with the modules of which a family means other weights than most, as these weights.

    >>> found = in_family(Trained(("c_proj", "q_proj"), (), ranks=(("c_proj", 8),)), "starcoder2")
    >>> found.modules, found.ranks
    (('W_out', 'q_proj'), (('W_out', 8),))
    """
    own = _own(family)

    def meant(name: str) -> tuple[str, ...]:
        return own[name] if own.get(name, weights_of(name)) != weights_of(name) else (name,)

    named = tuple(dict.fromkeys(weight for name in trained.modules for weight in meant(name)))
    ranks = tuple((weight, rank) for name, rank in trained.ranks for weight in meant(name))
    return (
        trained if (named, ranks) == (trained.modules, trained.ranks) else replace(trained, modules=named, ranks=ranks)
    )


@cache
def _own(family: str) -> Mapping[str, tuple[str, ...]]:
    """The modules of a family that are named otherwise than the first of each weight, or are other weights."""
    content = tables_of(Path(__file__).with_name("adapters.toml"))
    return {name: tuple(weights) for name, weights in content["own"].get(family, {}).items()}


def modules_of(model: Model) -> tuple[str, ...]:
    """Return the modules of the blocks of a model that adapters may go on, by the names that its engine gives them.

    >>> from symbolic_mem.models.transformer import transformer
    >>> modules_of(transformer())
    ('q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj')
    """
    names = _own(model.name)
    first: dict[str, str] = {}
    for name, weights in (*names.items(), *modules().items()):
        for weight in weights:
            first.setdefault(weight, name)
    products = (weight for weight in _weights(model) if weight.name.startswith("W_") and weight.group not in _NO_BLOCK)
    return tuple(dict.fromkeys(first.get(weight.name, weight.name) for weight in products))


def check_trained(trained: Trained, model: Model, instead: str = "") -> None:
    """Raise `BadInput` for adapters on modules that a model does not have, and for what is trained and not there.

    What to give `instead` is said of modules.

    >>> from symbolic_mem.models.transformer import transformer
    >>> check_trained(Trained(("qproj",), ()), transformer())
    Traceback (most recent call last):
        ...
    symbolic_mem.base.errors.BadInput: the adapters go on 'qproj', and decoder-only transformer has no such module; did you mean 'q_proj'? it has q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj
    """
    there = {weight.name.removeprefix("A of ") for weight in _weights(model) if weight.name.startswith("A of ")}
    for module in SUMS.keys() & set(trained.modules):
        if trained.dropout or trained.unpacks("experts"):
            other = "a dropout" if trained.dropout else "packed weights"
            raise BadInput(
                f"what adapters on {module!r} give is added to the weights, without {other}; leave one of both out"
            )
    for module in trained.modules:
        if not there if module == EVERY_PRODUCT else not there.intersection(weights_of(module)):
            own = modules_of(model)
            if module in _groups() and module not in modules():
                raise BadInput(
                    f"adapters on {module!r}, the {_groups()[module]}, are not described; leave it out, or train it whole (modules_to_save of "
                    f"PEFT, whole of a study); {model.name} has {', '.join(own)}",
                    own,
                )
            hint = "" if module in modules() else did_you_mean(module, own)  # else it is another model's
            said = f"the adapters go on {clipped(module)}, and {model.name} has no such module; {hint}it has {', '.join(own)}"
            raise BadInput(said + (f"; give {instead}" if instead else ""), own)
    groups = {weight.group for weight in _weights(model)}
    for group in trained.copied:
        if group not in groups:
            raise BadInput(f"what is trained whole is the {group}, and {model.name} has none of its own; leave it out")


def _weights(model: Model) -> Iterable[Any]:
    return (weight for layer in model.layers for weight in layer.weights)
