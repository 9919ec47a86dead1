"""`dataclass`: a frozen one as the standard library reads it, whose methods are made without writing text."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from dataclasses import MISSING
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(cls=None, /, *, frozen, eq=True, repr=True, kw_only=False):
        """Make a class of values: its fields are those that `dataclasses.fields` tells, and none can be changed.

        The standard library writes six methods as text for each class, and compiles them: of the hundred classes of a
        short run that took three quarters of the time beyond the import of SymPy.

        >>> @dataclass(frozen=True)
        ... class Pair:
        ...     a: int
        ...     b: int = 2
        >>> Pair(1), dataclasses.replace(Pair(1), b=3), {Pair(1): "one"}[Pair(a=1, b=2)]
        (Pair(a=1, b=2), Pair(a=1, b=3), 'one')
        >>> Pair(1).a = 2
        Traceback (most recent call last):
        dataclasses.FrozenInstanceError: cannot assign to field 'a'
        >>> Pair()
        Traceback (most recent call last):
        TypeError: missing a required argument: 'a'
        """
        assert frozen, "one that can be changed is made by the standard library"

        def made(cls):
            written = {name for name, value in cls.__dict__.items() if value is not None}  # no hash beside an `__eq__`
            dataclasses.dataclass(cls, init=False, repr=False, eq=False, kw_only=kw_only)
            for name, method in _methods(cls, eq, repr):
                if name not in written:
                    setattr(cls, name, method)
            return cls

        return made


def _methods(cls: Any, eq: bool, repr: bool) -> Iterator[tuple[str, Any]]:
    fields = dataclasses.fields(cls)
    yield "__init__", _constructor(cls, fields)
    yield "__signature__", _Signature()
    yield "__setattr__", _set
    yield "__delattr__", _delete
    if repr:
        yield "__repr__", _shown
    if eq:
        compared = [each.name for each in fields if each.compare]
        hashed = [each.name for each in fields if (each.compare if each.hash is None else each.hash)]
        yield "__eq__", _equal(_values(compared))
        yield "__hash__", _hashed(_values(hashed))


def _constructor(cls: Any, fields: tuple[dataclasses.Field[Any], ...]) -> Callable[..., None]:
    defaults = {each.name: each.default for each in fields}
    ordered = cls.__match_args__
    finish = getattr(cls, "__post_init__", None)
    without: dict[str, Any] = {each.name: each.default_factory for each in fields if each.default is MISSING}
    known, most = len(defaults), len(ordered)
    enough = max((ordered.index(name) + 1 if name in ordered else known + 1 for name in without), default=0)

    def __init__(self: Any, /, *given: Any, **named: Any) -> None:
        kept = self.__dict__
        kept.update(defaults)
        kept.update(zip(ordered, given, strict=False))
        if named:
            kept.update(named)
            if len(kept) > known or not named.keys().isdisjoint(ordered[: len(given)]):
                _refuse(self, given, named)
        if len(given) > most:
            _refuse(self, given, named)
        if len(given) < enough:
            for name, make in without.items():
                if kept[name] is MISSING:
                    kept[name] = _refuse(self, given, named) if make is MISSING else make()
        if finish is not None:
            finish(self)

    return __init__


def _refuse(one: object, given: tuple[Any, ...], named: dict[str, Any]) -> NoReturn:
    """Raise the TypeError of a function with such parameters."""
    inspect.signature(type(one)).bind(*given, **named)
    raise AssertionError("these are right")


class _Signature:
    """What a class is made with, for whoever asks."""

    def __get__(self, one: object, cls: Any) -> inspect.Signature:
        if one is not None:
            raise AttributeError("only a class has this signature")
        return inspect.Signature(
            [_parameter(e) for e in sorted(dataclasses.fields(cls), key=lambda e: bool(e.kw_only))]
        )


def _parameter(each: dataclasses.Field[Any]) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY if each.kw_only else inspect.Parameter.POSITIONAL_OR_KEYWORD
    default = inspect.Parameter.empty if each.default is MISSING else each.default
    made = each.default_factory is not MISSING
    return inspect.Parameter(each.name, kind, default=... if made else default, annotation=each.type)


def _values(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda one: tuple(getattr(one, name) for name in names)


def _equal(values: Callable[[Any], Any]) -> Callable[[Any, object], Any]:
    def __eq__(self: Any, other: object) -> Any:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    return __eq__


def _hashed(values: Callable[[Any], Any]) -> Callable[[Any], int]:
    def __hash__(self: Any) -> int:
        return hash(values(self))

    return __hash__


def _shown(self: Any) -> str:
    said = (f"{each.name}={getattr(self, each.name)!r}" for each in dataclasses.fields(self) if each.repr)
    return f"{type(self).__qualname__}({', '.join(said)})"


def _set(self: object, name: str, value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _delete(self: object, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
