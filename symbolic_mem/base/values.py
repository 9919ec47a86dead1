"""`dataclass`: the frozen one of the standard library, of which nothing is compiled before it is needed."""

from __future__ import annotations

import abc
import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(cls=None, /, *, frozen, eq=True, repr=True, kw_only=False):
        """Make a frozen dataclass as the standard library does.

        That of the standard library writes six methods as text and compiles them when a class is made: a third of what
        this package adds to a short run, which makes a hundred classes and uses half of them. Here five need no text, and
        the constructor is compiled when it is first asked for.

        >>> @dataclass(frozen=True)
        ... class Pair:
        ...     a: int
        ...     b: int = 2
        >>> Pair(1), dataclasses.replace(Pair(1), b=3), {Pair(1): "one"}[Pair(a=1, b=2)]
        (Pair(a=1, b=2), Pair(a=1, b=3), 'one')
        >>> Pair(1).a = 2
        Traceback (most recent call last):
        dataclasses.FrozenInstanceError: cannot assign to field 'a'
        """
        assert frozen, "one that can be changed is made by the standard library"
        return lambda cls: _made(cls, eq, repr, kw_only)


def _made(cls: Any, eq: bool, repr: bool, kw_only: bool) -> Any:
    own = dict(cls.__dict__)
    _keep_fields(cls, own, kw_only)
    found = dataclasses.fields(cls)
    cls.__init__ = _Constructor(cls)
    cls.__setattr__, cls.__delattr__ = _set, _delete
    cls.__match_args__ = tuple(each.name for each in found if each.init and not each.kw_only)
    if repr and "__repr__" not in own:
        cls.__repr__ = _shown
    if eq and "__eq__" not in own:
        cls.__eq__ = _equal(_values([each.name for each in found if each.compare]))
    if eq and own.get("__hash__") is None:  # as it is, too, of a class that says only when two are equal
        hashed = [each.name for each in found if (each.compare if each.hash is None else each.hash)]
        cls.__hash__ = _hashed(_values(hashed))
    return abc.update_abstractmethods(cls)


@dataclasses.dataclass(frozen=True)
class _Frozen:
    """What the standard library says of a frozen class."""


def _keep_fields(cls: Any, own: Mapping[str, Any], kw_only: bool) -> None:
    """Let the standard library read the fields of a class off one that has nothing else, and keep them with those inherited."""
    annotations = inspect.get_annotations(cls)
    space = {name: own[name] for name in ("__module__", *annotations) if name in own}
    bare = type(cls.__name__, (), {**space, "__annotations__": annotations, "__doc__": "fields"})
    read: Any = dataclasses.dataclass(bare, init=False, repr=False, eq=False, kw_only=kw_only)
    known = "__dataclass_fields__"
    inherited = [getattr(base, known) for base in reversed(cls.__mro__[1:]) if hasattr(base, known)]
    cls.__dataclass_fields__ = {
        name: each for fields in (*inherited, getattr(read, known)) for name, each in fields.items()
    }
    cls.__dataclass_params__ = cast(Any, _Frozen).__dataclass_params__
    for name in annotations:
        if isinstance(own.get(name), dataclasses.Field):
            if name in read.__dict__:
                setattr(cls, name, read.__dict__[name])
            else:
                delattr(cls, name)


class _Constructor:
    """Stands for the constructor of a class until somebody asks for it."""

    def __init__(self, cls: Any) -> None:
        self.cls = cls

    def __get__(self, one: object, owner: type | None = None) -> Any:
        made = self.cls.__init__ = _constructor(self.cls)
        return made if one is None else made.__get__(one, owner)


def _constructor(cls: Any) -> Any:
    """Compile the constructor: each field is a parameter, which is kept in the instance."""
    there: dict[str, Any] = {"__absent__": object()}
    given: dict[object, list[str]] = {False: [], True: []}
    kept = []
    for each in dataclasses.fields(cls):
        name, value = each.name, each.name
        if each.default_factory is not dataclasses.MISSING:
            there[f"__make_{name}__"] = each.default_factory
            given[each.kw_only].append(f"{name}=__absent__")
            value = f"__make_{name}__() if {name} is __absent__ else {name}"
        elif each.default is not dataclasses.MISSING:
            there[f"__default_{name}__"] = each.default
            given[each.kw_only].append(f"{name}=__default_{name}__")
        else:
            given[each.kw_only].append(name)
        kept.append(f"{name}={value}")
    parameters = ", ".join(("self", *given[False], *(("*", *given[True]) if given[True] else ())))
    after = "\n  self.__post_init__()" if hasattr(cls, "__post_init__") else ""
    body = f"self.__dict__.update({', '.join(kept)}){after}"
    space: dict[str, Any] = {}
    text = f"def make({', '.join(there)}):\n def __init__({parameters}):\n  {body}\n return __init__"
    exec(text, space)  # noqa: S102 (the names of fields are all that it is made of)
    made = space["make"](**there)
    made.__qualname__, made.__module__ = f"{cls.__qualname__}.__init__", cls.__module__
    made.__annotations__ = {each.name: each.type for each in dataclasses.fields(cls)} | {"return": None}
    return made


def _values(names: Sequence[str]) -> Callable[[Any], Any]:
    """What the fields of those names hold, as a tuple."""
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
