"""From a parsed config.json to what it describes: an architecture, weights that are only counted, or both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.tomlfile import clipped
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.families import families
from symbolic_mem.models.huggingface import architecture_of
from symbolic_mem.models.reading import OTHERWISE
from symbolic_mem.models.recognise import HEADLESS
from symbolic_mem.models.tensors import NOT_DESCRIBED, Cached, Layer
from symbolic_mem.models.unread import unread

if TYPE_CHECKING:
    from symbolic_mem.models.counted import CountedFamily
    from symbolic_mem.models.wrappers import Wrapper

ORIGINS = ("transformers",)


@dataclass(frozen=True)
class Described:
    """What a config describes: an `architecture` or None, `layers` that are only counted, and how it was read.

    `visited` is the share of the routed experts among the counted layers that a token visits, and `cached` what decoding
    keeps, where they are not described.
    """

    name: str
    architecture: Architecture | None
    layers: tuple[Layer, ...] = ()
    assumptions: tuple[str, ...] = ()
    visited: sp.Expr = sp.S.One
    cached: tuple[Cached, ...] = ()
    unread: tuple[str, ...] = ()


def describe(
    table: Mapping[str, Any], where: str, like: str | None = None, origin: str | None = None, *, mtp: bool = False
) -> Described:
    """Read a parsed config of any known family, as the family `like` if it is given, or count what `origin` builds.

    With `mtp` the modules for multi-token prediction that it names are built, too; raises `BadInput` where it names none.

    >>> describe({"model_type": "mamba"}, "config.json").architecture is None
    True
    """
    found = _described(table, where, like, origin, mtp)
    if mtp and (found.architecture is None or found.architecture.mtp == 0):
        raise BadInput(
            f"{where}: no module for multi-token prediction is named, or its blocks are not described; leave mtp out"
        )
    return found


def _described(table: Mapping[str, Any], where: str, like: str | None, origin: str | None, mtp: bool) -> Described:
    if origin is not None:
        return _built(table, where, like, origin)
    kind = table.get("model_type")
    if like is None and isinstance(kind, str) and kind not in families().known:
        from symbolic_mem.models.counted import counted_families
        from symbolic_mem.models.wrappers import wrappers

        if kind in wrappers():
            return _wrapped(wrappers()[kind], table, where)
        if kind in counted_families()[0]:
            return _counted(counted_families()[0][kind], table, where)
    architecture = architecture_of(dict(table), where, like, mtp=mtp)
    return Described(architecture.name, architecture, unread=architecture.unread)


def _built(table: Mapping[str, Any], where: str, like: str | None, origin: str) -> Described:
    """What a library builds; a family whose blocks are described keeps its account where both count the same."""
    if origin not in ORIGINS:
        raise BadInput(f"--from {clipped(origin)}: counts come from {' or '.join(ORIGINS)}, or from the file alone")
    if like is not None:
        raise BadInput(f"--from {origin} and --like {like} are two readings of one file; give one of them")
    from symbolic_mem.models.counts import parameters_by_group
    from symbolic_mem.models.installed import built_by_transformers
    from symbolic_mem.models.transformer import transformer

    layers, said = built_by_transformers(table, where)
    total = sp.Add(*(layer.repeat * layer.parameters for layer in layers))
    try:
        own = describe(table, where)
    except BadInput:
        own = None
    if own is not None and own.architecture is not None:
        parts = parameters_by_group(transformer(own.architecture)).values()
        here = sp.Add(*parts).xreplace(own.architecture.values()) + sp.Add(
            *(x.repeat * x.parameters for x in own.layers)
        )
        if here == total:
            return replace(own, assumptions=(*own.assumptions, f"{said} The count is the same."))
        said += f" The fields that are read here give {int(here):,} parameters, so its blocks are not described."
    kind = str(table["model_type"])
    return Described(kind, None, layers, (said, NOT_DESCRIBED, "The sizes stand as numbers in the formulas."))


def _counted(family: CountedFamily, table: Mapping[str, Any], where: str) -> Described:
    from symbolic_mem.models.counted import counted

    named, decoder = _architectures(table, where), len(family.architectures) == 1
    headless = named.endswith(HEADLESS) and decoder
    if named and named not in family.architectures and not headless:
        classes = [*family.architectures, *([f"the bare ...{HEADLESS}"] if decoder else [])]
        raise BadInput(
            f"{where}: architectures names {clipped(named)}; of model_type {family.model_type!r} counted are "
            f"{', '.join(classes)}; --from transformers counts every class that it has"
        )
    found = counted(family, table, where, named="" if headless else named, headless=headless)
    return Described(
        family.model_type,
        None,
        found.layers,
        (
            f"The file is read as {named or family.architecture}, by its model_type “{family.model_type}”.",
            *_absent(family.config_class, found.sizes.absent),
            NOT_DESCRIBED,
            "The sizes of this family stand as numbers in the formulas.",
        ),
        found.visited,
        found.cached,
        unread(table, {*found.sizes.read, *family.inert, *OTHERWISE}, where),
    )


def _wrapped(wrapper: Wrapper, table: Mapping[str, Any], where: str) -> Described:
    from symbolic_mem.models.wrappers import beside, text_of

    named = _architectures(table, where)
    headless = named.endswith(HEADLESS)
    if named and named != wrapper.architecture and not headless:
        raise BadInput(
            f"{where}: architectures names {clipped(named)}; of model_type {wrapper.model_type!r} counted are "
            f"{wrapper.architecture} and its ...{HEADLESS}; --from transformers counts every class that it has"
        )
    text = text_of(wrapper, table, where)
    inner = describe(
        {**text, **({"architectures": [_headless_text(text)]} if headless else {})}, f"{where}: text_config"
    )
    width = _width(inner)
    others, missed = beside(wrapper, table, width, where)
    said = (
        f"The language model is a part of {named or wrapper.architecture}, by its model_type “{wrapper.model_type}”; "
        "what the vision tower and the projector compute is not described: only their weights count."
    )
    own = () if inner.architecture is not None else inner.assumptions
    layers, names = (*others, *inner.layers), (*missed, *inner.unread)
    return replace(inner, name=wrapper.model_type, layers=layers, assumptions=(said, *own), unread=names)


def _width(inner: Described) -> sp.Expr:
    """The width of the language model's residual stream."""
    if inner.architecture is not None:
        return inner.architecture.d_model.xreplace(inner.architecture.values())
    return next(weight.shape[-1] for layer in inner.layers for weight in layer.weights)


def _headless_text(text: Mapping[str, Any]) -> str:
    from symbolic_mem.models.counted import counted_families

    kind = text["model_type"]
    known = families().known.get(kind)
    config_class = known.config_class if known else counted_families()[0][kind].config_class
    return config_class.removesuffix("Config") + HEADLESS


def _architectures(table: Mapping[str, Any], where: str) -> str:
    named = table.get("architectures")
    if named is None:
        return ""
    if not (isinstance(named, list) and all(isinstance(name, str) for name in named)):
        raise BadInput(f"{where}: architectures must be a list of names, for example ['LlamaForCausalLM']")
    return named[0] if named else ""


def _absent(config_class: str, absent: Mapping[str, str]) -> tuple[str, ...]:
    if not absent:
        return ()
    from symbolic_mem.models.counted import counted_families

    listed = ", ".join(f"{key} = {value}" for key, value in absent.items())
    return (f"Not in the file, so the default of {config_class} holds: {listed} ({counted_families()[1]}).",)
