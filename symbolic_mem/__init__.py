"""How much memory, how many devices, and why: training memory accounts, derived symbolically and solved exactly."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from symbolic_mem.base.version import __version__ as __version__

if TYPE_CHECKING:
    from symbolic_mem.api import *


def __getattr__(name: str) -> Any:
    """Load the public names, which stand in `api`, when one of them is first used: `--help` never imports SymPy."""
    if name.startswith("__") and name != "__all__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    api = import_module("symbolic_mem.api")
    names = {each: getattr(api, each) for each in api.PUBLIC} | {"__all__": ["__version__", *api.PUBLIC]}
    if name not in names:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals().update(names)
    return names[name]


def __dir__() -> list[str]:
    """Name what is public, too."""
    return sorted({*globals(), *import_module("symbolic_mem.api").PUBLIC})
