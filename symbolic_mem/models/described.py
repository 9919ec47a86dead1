"""From the table ``[model] kind = "transformer"`` of a study to an `Architecture`, checked key by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, NamedTuple

import sympy as sp

from symbolic_mem.base.errors import BadInput, at_place
from symbolic_mem.base.formula import read_formula
from symbolic_mem.base.symbols import L_mtp, S, spelled
from symbolic_mem.base.tomlfile import entry, known_keys
from symbolic_mem.models.architecture import Architecture, Experts, Latent, Window

SIZES = (
    *("layers", "d_model", "d_ff", "n_heads", "n_kv", "d_head", "vocabulary", "n_pos"),
    *("d_rotary", "d_embed", "labels"),
)
DROPOUTS = ("attention_dropout", "residual_dropout", "embedding_dropout")
_WORDS = ("norm", "norm_place", "qk_norm", "position", "activation", "head", "family")
_PARTS: dict[str, tuple[type[Experts | Latent | Window], tuple[str, ...]]] = {
    "experts": (Experts, ("experts", "top_k", "d_expert", "d_shared", "dense_layers")),
    "latent": (Latent, ("d_c", "d_cq", "d_nope", "d_rope", "d_v")),
    "window": (Window, ("size", "layers")),
}
_LEFT_OUT = ("name", "numbers", "reach", "rotations", "assumptions", "described", "passes", "projected")
ARCHITECTURE_KEYS = tuple(field.name for field in fields(Architecture) if field.name not in _LEFT_OUT)


def read_architecture(content: Mapping[str, Any], where: str) -> Architecture:
    """Read the fields of `Architecture` from a [model] table: words, true or false, and sizes as formulas.

    A size that is not given is the symbol of that name; ``experts = true``, ``latent = true`` and ``window = true`` take the symbols
    for all of theirs, a table gives some of them. Raises `BadInput` for anything else.

    >>> read_architecture({"norm": "layer", "d_ff": "4*d_model", "gated": False}, "my.toml [model]").d_ff
    4*d_model
    """
    given: dict[str, Any] = {}
    for key in content:
        inside = f"{where} {key}"
        if key in SIZES:
            given[key] = _size(content[key], inside)
        elif key in _PARTS:
            part = _part(content[key], *_PARTS[key], inside)
            given |= {} if part is None else {key: part}
        elif key == "mtp":
            given[key] = _modules(content[key], inside)
        elif key in DROPOUTS:
            given[key] = _probability(content[key], inside)
        elif key in _WORDS:
            given[key] = entry(content, key, str, where)
        else:
            given[key] = entry(content, key, bool, where)
    with at_place(where):
        return Architecture(**given)


def refuse_left_out(content: Mapping[str, Any], values: Mapping[str, Any], where: str) -> None:
    """Refuse a value of a part that the table [model] leaves out in so many words; `where` is the file.

    >>> refuse_left_out({"mtp": False}, {"L": 61, "L_mtp": 1}, "my.toml")
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: my.toml [values]: L_mtp is a size of what mtp = false in [model] leaves out; leave one of both out
    """
    sizes = {key: [str(size) for size in vars(part()).values()] for key, (part, _) in _PARTS.items()}
    sizes["mtp"] = [str(L_mtp)]
    for key, names in sizes.items():
        if content.get(key) is False:
            for name in values:
                if name in names:
                    raise BadInput(
                        f"{where} [values]: {name} is a size of what {key} = false in [model] leaves out; "
                        "leave one of both out"
                    )


class Demand(NamedTuple):
    """What two sizes of a model, or one alone, must be to each other: ``whole``, ``divides`` or ``at most``."""

    kind: str
    name: str
    size: sp.Expr
    of: str = ""
    other: sp.Expr = sp.S.One

    def holds(self, size: sp.Expr, other: sp.Expr) -> bool:
        """Whether two numbers are so; it holds where one of them is not known."""
        if not (size.is_number and other.is_number):
            return True
        if self.kind == "at most":
            return bool(size <= other)
        return bool((size if self.kind == "whole" else other / size).is_Integer)


REFUSALS = {
    "whole": "{name} = {formula} is {size}, not a whole number; change a size so that it divides",
    "divides": "{name} = {size} does not divide {of} = {other}; give a divisor of it",
    "at most": "{name} = {size} is more than {of} = {other}; give at most that many",
}


def demands(a: Architecture) -> Iterator[Demand]:
    """Yield what the sizes of a model must be: heads divide what they share, sizes are whole, experts and positions are enough."""
    for name, size in (("n_heads", a.n_heads), ("n_kv", a.n_kv), ("d_head", a.d_head), ("d_ff", a.d_ff)):
        yield Demand("whole", name, size)
    yield Demand("divides", "n_kv", a.n_kv, "n_heads", a.n_heads)
    if a.turned is not None:
        yield Demand("whole", "half of what rotary positions turn", a.turned / 2)
    if a.position == "learned":
        rows, named = a.n_pos.as_coeff_Add()  # a table may have rows beside those of the positions, as OPT's has two
        yield Demand("at most", "S", S, "n_pos", rows if a.n_pos.is_number else named)
    if a.experts is not None:
        yield Demand("at most", "k", a.experts.top_k, "E", a.experts.experts)
        yield Demand("at most", "L_dense", a.experts.dense_layers, "L", a.layers)
    if a.window is not None:
        yield Demand("at most", "L_window", a.window.layers, "L", a.layers)


def check_sizes(architecture: Architecture, values: Mapping[sp.Symbol, sp.Expr], where: str) -> None:
    """Refuse values at which heads do not divide what they share, a size is no whole number, or experts are too few.

    A size with a symbol that has no value is not checked.
    """
    for demand in demands(architecture):
        size, other = demand.size.xreplace(values), demand.other.xreplace(values)
        if not demand.holds(size, other):
            told = demand._asdict() | {"formula": demand.size, "size": size, "other": other}
            raise BadInput(f"{where}: {REFUSALS[demand.kind].format(**told)}")


def _size(given: object, where: str) -> sp.Expr:
    if isinstance(given, int) and not isinstance(given, bool):
        if given <= 0:
            raise BadInput(f"{where} = {given} is not allowed; give a positive whole number or a formula")
        return sp.Integer(given)
    if not isinstance(given, str):
        raise BadInput(f'{where} is a whole number or a formula such as "4*d_model", not {given!r}')
    return read_formula(given, spelled(), where)


def _part(given: object, part: type[Experts | Latent | Window], sizes: tuple[str, ...], where: str) -> Any:
    if isinstance(given, bool):
        return part() if given else None
    if not isinstance(given, Mapping):
        raise BadInput(f"{where} is true, false or a table with {', '.join(sizes)}, not {given!r}")
    known = tuple(field.name for field in fields(part))
    known_keys(given, known, where)
    read: dict[str, Any] = {}
    for key in given:
        if key not in sizes:
            read[key] = entry(given, key, bool, where)
        elif key == "d_cq" and given[key] is False:
            read[key] = None
        elif given[key] == 0 and key in ("d_shared", "dense_layers") and not isinstance(given[key], bool):
            read[key] = sp.S.Zero
        else:
            read[key] = _size(given[key], f"{where} {key}")
    return part(**read)


def _modules(given: object, where: str) -> sp.Expr:
    if isinstance(given, bool):
        return L_mtp if given else sp.S.Zero
    return _size(given, where)


def _probability(given: object, where: str) -> sp.Rational:
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given < 1:
        raise BadInput(f"{where} is a probability from 0 to less than 1, for example 0.1, not {given!r}")
    return sp.Rational(str(given))
