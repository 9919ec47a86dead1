"""Values that are computed once: the hash of a frozen dataclass, and a field that is made when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

_Class = TypeVar("_Class", bound=type)
_Value = TypeVar("_Value")
_KEPT = "_hash_kept"


def hashed_once(cls: _Class) -> _Class:
    """Let a frozen dataclass keep its hash, so that it is a cheap key of a cache however much it holds.

    >>> from symbolic_mem.base.values import dataclass
    >>> @hashed_once
    ... @dataclass(frozen=True)
    ... class Pair:
    ...     a: int
    ...     b: int
    >>> hash(Pair(1, 2)) == hash(Pair(1, 2)), Pair(1, 2) == Pair(1, 2)
    (True, True)
    """
    whole = cast(Any, cls).__hash__

    def keep(self: Any) -> int:
        kept = self.__dict__.get(_KEPT)
        if kept is None:
            kept = self.__dict__[_KEPT] = whole(self)
        return kept

    def state(self: Any) -> dict[str, Any]:  # without the hash: another process has other hashes of text
        return {name: value for name, value in self.__dict__.items() if name != _KEPT}

    cast(Any, cls).__hash__, cast(Any, cls).__getstate__ = keep, state
    return cls


class _Later:
    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make

    @cached_property
    def value(self) -> Any:
        return self.make()


def later(make: Callable[[], _Value]) -> _Value:
    """Return what stands for a field of a `MadeLater` until it is asked for; `make` then makes it, once."""
    return cast(_Value, _Later(make))


class MadeLater:
    """A base of dataclasses whose fields may be given as `later`; who reads one cannot tell.

    >>> from symbolic_mem.base.values import dataclass
    >>> @dataclass(frozen=True)
    ... class Pair(MadeLater):
    ...     a: int
    >>> pair = Pair(later(lambda: 6 * 7))
    >>> pair.made_later("a"), pair.a, pair == Pair(42)
    (True, 42, True)
    """

    def __post_init__(self) -> None:
        """Put the fields that are to be made out of sight."""
        for name, value in list(self.__dict__.items()):
            if isinstance(value, _Later):
                self.__dict__[f"_{name}"] = self.__dict__.pop(name)

    def made_later(self, name: str) -> bool:
        """Whether the field of that name was not given, but is made."""
        return f"_{name}" in self.__dict__

    def taken(self, name: str) -> Any:
        """Return the field of that name for another value of the class, without making it."""
        return self.__dict__.get(f"_{name}") or self.__dict__[name]

    if not TYPE_CHECKING:  # a type checker would take it to have every attribute

        def __getattr__(self, name: str) -> Any:
            made = self.__dict__.get(f"_{name}")
            if isinstance(made, _Later):
                self.__dict__[name] = made.value
                return self.__dict__[name]
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __getstate__(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(cast(Any, self))}
