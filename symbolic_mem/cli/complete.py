"""What a shell offers for an argument or an option: names read off the files that hold them, without SymPy."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import click
from click.shell_completion import CompletionItem

_PACKAGE = Path(__file__).parents[1]
KINDS = ("weights", "gradients", "optimizer", "activations", "buffers", "cache")
READINGS = ("marketed", "binary", "reported")
RESTS = ("kept", "dropped")
RULES = ("none", "full", "selective", "half", "products", "products=2", "every=2", "groups=2", "block=2")
SYMBOLS = (
    *("B", "S", "L", "V", "d_model", "d_ff", "n_heads", "n_kv", "d_head", "n_pos", "E", "k", "n_shared", "d_expert"),
    *("L_dense", "L_mtp", "S_window", "L_window", "d_c", "d_cq", "d_nope", "d_rope", "d_v", "r_lora", "Psi"),
    *("n_fsdp", "n_replica", "n_tp", "n_pp", "n_ep", "n_cp", "n_dcp", "n_etp", "f_load", "n_chunks", "n_group"),
    *("X", "Y", "n_pod", "n_micro", "M_X", "M_Y", "C", "W", "W_dcn"),
)
UNKNOWNS = (*SYMBOLS, "tokens", "parameters")

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


@cache
def _names(path: str, under: str = "") -> tuple[str, ...]:
    """The names of the tables of a file of the package."""
    from symbolic_mem.base.tables import Tables

    return tuple(Tables.of(_PACKAGE / path, under))


def studies() -> tuple[str, ...]:
    """The names of the bundled studies."""
    return tuple(sorted(path.stem for path in (_PACKAGE / "library" / "studies").glob("*.toml")))


def devices() -> tuple[str, ...]:
    """The names of the device catalogue."""
    return _names("hardware/devices.toml", "devices")


def recipes() -> tuple[str, ...]:
    """The names of the recipes."""
    return _names("recipes/presets.toml")


def caches() -> tuple[str, ...]:
    """The formats of caches."""
    return _names("recipes/caches.toml")


def optimizers() -> tuple[str, ...]:
    """The names of the optimizers."""
    return _names("recipes/optimizers.toml")


def profiles() -> tuple[str, ...]:
    """The names of the engine profiles."""
    return _names("models/profiles.toml")


def plans() -> tuple[str, ...]:
    """The names of the plans."""
    return _names("plans/plans.toml")


def losses() -> tuple[str, ...]:
    """The names of the ways to compute the loss."""
    return _names("models/losses.toml")


def of(names: Callable[[], tuple[str, ...]] | tuple[str, ...], after: str = "", files: str = "") -> Complete:
    """Make a completion that offers `names`, each followed by `after`; with `files`, files of that kind, too."""

    def complete(_: click.Context, __: click.Parameter, typed: str) -> list[CompletionItem]:
        known = names if isinstance(names, tuple) else names()
        items = [CompletionItem(name + after) for name in known if name.startswith(typed)]
        if files and not items:
            items.append(CompletionItem(typed, type=files))
        return items

    return complete
