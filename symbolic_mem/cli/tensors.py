"""SymPy's module of tensors is put off: its first sum loads it, with all permutation groups, to ask whether a summand is one."""

from __future__ import annotations

import sys
from types import ModuleType

NAME = "sympy.tensor.tensor"


class _PutOff(ModuleType):
    """Stands in the place of the module while nothing is a tensor, and gives way to it when somebody asks for more."""

    class TensExpr:
        """What no summand is."""

    class TensAdd(TensExpr):
        """The same of sums."""

    def __getattr__(self, name: str) -> object:
        """Load the module for any other name; what the import system asks about a module is not one."""
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(NAME) is self:
            del sys.modules[NAME]
        from sympy.tensor import tensor

        return getattr(tensor, name)


def put_off() -> None:
    """Put the module off in this process, where it is not loaded yet."""
    sys.modules.setdefault(NAME, _PutOff(NAME))
