"""What an installed `transformers` builds of a config: its weights on the meta device, counted by group."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Generator, Iterator, Mapping
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput, MissingProgram
from symbolic_mem.base.tomlfile import clipped
from symbolic_mem.models.grouping import group_of
from symbolic_mem.models.tensors import Layer, Tensor

_MOST_LAYERS = 1_000
_NUMBERS = re.compile(r"(?<=\.)\d+(?=\.)")


def built_by_transformers(table: Mapping[str, Any], where: str) -> tuple[tuple[Layer, ...], str]:
    """Build the model of a parsed config with the installed library, and return its weights and how they came to be.

    No memory is used, nothing is loaded or fetched, and no code of the model's folder runs: only classes of the library
    are built, from the fields of the file alone. Raises `MissingProgram` where it is not installed, and `BadInput` for
    what it does not know or refuses.
    """
    _check_layers(table, where)
    with _quiet():
        try:
            import torch
            import transformers
        except ImportError as error:
            raise MissingProgram(
                f'--from transformers needs the package {error.name}; do `pip install "symbolic-mem[verify]"`'
            ) from None

        kind = table.get("model_type")
        if kind not in transformers.CONFIG_MAPPING:
            raise BadInput(
                f"{where}: transformers {transformers.__version__} does not know model_type {clipped(str(kind))}; a newer "
                "one may, and --like llama reads the file as that family"
            )
        fields = {key: value for key, value in table.items() if key not in ("auto_map", "quantization_config")}
        try:
            config = transformers.CONFIG_MAPPING[kind].from_dict(fields)
            chosen = _class_of(transformers, config, table.get("architectures"), where)
            with torch.device("meta"):
                model = chosen._from_config(config)
        except BadInput:
            raise
        except Exception as error:  # noqa: BLE001 (whatever that library raises for a config that it cannot build)
            reason = " ".join(str(error).split())[:200]
            raise BadInput(f"{where}: transformers {transformers.__version__} does not build it: {reason}") from None
        said = (
            f"Counted by transformers {transformers.__version__} on PyTorch {torch.__version__}, which builds "
            f"{chosen.__name__} from the file on the meta device; no weights are loaded."
        )
        return _layers((name, tuple(weight.shape)) for name, weight in model.named_parameters()), said


def _class_of(transformers: Any, config: Any, named: object, where: str) -> Any:
    """The class that the file names, if the library has it, else the usual one of such a config."""
    name = named[0] if isinstance(named, list) and named else None
    chosen = getattr(transformers, name, None) if isinstance(name, str) and name.isidentifier() else None
    if isinstance(chosen, type) and issubclass(chosen, transformers.PreTrainedModel):
        return chosen
    if name is not None:
        raise BadInput(
            f"{where}: architectures names {clipped(str(name))}, a class that transformers {transformers.__version__} does "
            "not have; remove it for the usual class of such a file"
        )
    from transformers.models.auto import modeling_auto as auto

    for mapping in (auto.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING, auto.MODEL_FOR_CAUSAL_LM_MAPPING, auto.MODEL_MAPPING):
        if type(config) in mapping:
            return mapping[type(config)]
    raise BadInput(f"{where}: transformers {transformers.__version__} has no model class for such a file")


def _check_layers(table: Mapping[str, Any], where: str) -> None:
    """Every layer becomes a module: refuse as many as would take minutes."""
    for key, value in table.items():
        if isinstance(value, dict):
            _check_layers(value, where)
        if "layer" in key and type(value) is int and value > _MOST_LAYERS:
            raise BadInput(f"{where}: {key} is more than {_MOST_LAYERS:,}, the most that --from transformers builds")


def _layers(weights: Iterator[tuple[str, tuple[int, ...]]]) -> tuple[Layer, ...]:
    """Weights of one name but for the numbers in it, and of one shape, are one layer that is there so often."""
    counts: dict[tuple[str, str, tuple[int, ...]], int] = {}
    for name, shape in weights:
        key = (group_of(name), _NUMBERS.sub("*", name), shape)
        counts[key] = counts.get(key, 0) + 1
    parts: dict[tuple[str, int], list[Tensor]] = {}
    for (group, name, shape), count in counts.items():
        sizes = tuple(sp.Integer(size) for size in shape)
        parts.setdefault((group, count), []).append(Tensor(name, sizes, "built, not described", group=group))
    return tuple(Layer(group, tuple(tensors), repeat=sp.Integer(count)) for (group, count), tensors in parts.items())


@contextlib.contextmanager
def _quiet() -> Generator[None]:
    """Keep the library from the network and from standard error."""
    before = {name: os.environ.get(name) for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_VERBOSITY")}
    os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
    try:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
