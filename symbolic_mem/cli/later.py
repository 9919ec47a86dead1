"""Parts of SymPy that few formulas ask for are put off: it names what they hold when it is imported, and they take a sixth of that."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

# The first sum imports the last of them, and permutation groups with it, to ask whether a summand is a tensor.
PUT_OFF = (
    "sympy.geometry",
    "sympy.integrals",
    "sympy.plotting",
    "sympy.printing",
    "sympy.solvers",
    "sympy.tensor.tensor",
)


class _Later(ModuleType):
    """A module that is read when one of its names is used; its submodules are imported as ever, without it."""

    def __getattr__(self, name: str) -> Any:
        """Give a stand-in for a name; what the import system asks about a module is not one."""
        if name.startswith("__"):
            raise AttributeError(name)
        stand_in = vars(self)[name] = _Name(self, name)
        return stand_in


class _Name:
    """A function or class of a module that is put off: calling it, or asking for a part of it, reads the module."""

    def __init__(self, module: ModuleType, name: str) -> None:
        self._module, self._name = module, name

    def _own(self) -> Any:
        """What the module itself has under the name."""
        module = self._module
        if isinstance(module, _Later):
            module.__class__ = ModuleType
            for name in [name for name, value in vars(module).items() if isinstance(value, _Name)]:
                delattr(module, name)
            assert module.__spec__ is not None and isinstance(module.__spec__.loader, _Loader)
            module.__spec__.loader.read.exec_module(module)
        return getattr(module, self._name)

    def __call__(self, *given: object, **named: object) -> Any:
        return self._own()(*given, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own(), name)

    def __instancecheck__(self, value: object) -> bool:
        """Nothing is an instance of a class that is not read yet."""
        return not isinstance(self._module, _Later) and isinstance(value, self._own())


class _Loader(importlib.abc.Loader):
    """Makes a module without reading it."""

    def __init__(self, read: importlib.abc.Loader) -> None:
        self.read = read

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _Later(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Leave it to the first use of a name."""


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the modules that are put off where they are."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in PUT_OFF:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


def put_off() -> None:
    """Put off in this process what is not loaded yet."""
    sys.meta_path.insert(0, _Finder())
