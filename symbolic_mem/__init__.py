"""How much memory, how many devices, and why: training memory accounts, derived symbolically and solved exactly."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symbolic_mem.account import account as account
    from symbolic_mem.compare import compare as compare
    from symbolic_mem.evaluate import evaluate as evaluate
    from symbolic_mem.models.ffn import ffn as ffn
    from symbolic_mem.models.tensors import Layer as Layer
    from symbolic_mem.models.tensors import Matmul as Matmul
    from symbolic_mem.models.tensors import Model as Model
    from symbolic_mem.models.tensors import Tensor as Tensor
    from symbolic_mem.placement import over as over
    from symbolic_mem.recipes.recipe import Recipe as Recipe
    from symbolic_mem.recipes.recipe import recipe as recipe
    from symbolic_mem.recipes.recompute import Recompute as Recompute
    from symbolic_mem.solve.bound import Bound as Bound
    from symbolic_mem.solve.bound import solve as solve
    from symbolic_mem.terms import Memory as Memory
    from symbolic_mem.terms import Term as Term

__version__ = "0.1.0"

_HOMES = {
    "account": "account",
    "compare": "compare",
    "evaluate": "evaluate",
    "ffn": "models.ffn",
    "Layer": "models.tensors",
    "Matmul": "models.tensors",
    "Model": "models.tensors",
    "Tensor": "models.tensors",
    "over": "placement",
    "Recipe": "recipes.recipe",
    "recipe": "recipes.recipe",
    "Recompute": "recipes.recompute",
    "Bound": "solve.bound",
    "solve": "solve.bound",
    "Memory": "terms",
    "Term": "terms",
}
_SYMBOLS = ("L", "B", "S", "V", "d_model", "d_ff", "n_heads", "n_kv", "d_head", "n_fsdp", "n_replica", "n_tp", "n_pp")

__all__ = ["__version__", *_HOMES, *_SYMBOLS]  # noqa: PLE0604 (keys of a literal above)


def __getattr__(name: str) -> Any:  # so that `--help` and `--version` never import SymPy
    if name in _HOMES:
        value = getattr(import_module(f"symbolic_mem.{_HOMES[name]}"), name)
    elif name in _SYMBOLS:
        value = getattr(import_module("symbolic_mem.symbols"), name)
    else:
        raise AttributeError(f"module 'symbolic_mem' has no attribute {name!r}")
    globals()[name] = value
    return value


class _Package(ModuleType):
    """Keeps a public function where a module of the same name (`account`, `solve`) is imported as well."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __dir__() -> list[str]:
    return sorted(__all__)
