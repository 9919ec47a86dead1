"""A class of values is as the standard library would make it: the same classes are made by both, and asked the same."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import re
from dataclasses import field
from pathlib import Path

import pytest

from symbolic_mem.base import values


def pair_of(dataclass):
    """The same classes, made by one or the other."""

    @dataclass(frozen=True)
    class Base:
        a: int
        b: tuple[int, ...] = field(default_factory=tuple)
        seen: dict[str, int] = field(default_factory=dict, hash=False)

    @dataclass(frozen=True)
    class Sub(Base):
        c: str = field(default="c", kw_only=True)
        apart: object = field(default=None, compare=False, repr=False)
        later: int = 7

        def __post_init__(self) -> None:
            object.__setattr__(self, "later", self.later + 1)

    @dataclass(frozen=True, eq=False, repr=False)
    class Same:
        a: int = 1

    @dataclass(frozen=True, kw_only=True)
    class Named:
        a: int = 1
        b: int

        def __hash__(self) -> int:
            return 5

    @dataclass(frozen=True)
    class Alike:
        a: int

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Alike)

        def __repr__(self) -> str:
            return "alike"

    @dataclass(frozen=True)
    class Empty:
        """Nothing."""

    return Base, Sub, Same, Named, Alike, Empty


OURS, THEIRS = pair_of(values.dataclass), pair_of(dataclasses.dataclass)


@values.dataclass(frozen=True)
class Kept:
    """One that can be found by its name, as pickling needs."""

    a: int
    b: dict[str, int] = field(default_factory=dict, hash=False)


ALIKE = {
    "shown": lambda base, *_: repr(base(1, b=(2,))),
    "a base's fields come first": lambda _, sub, *__: repr(sub(1, (2,), {"x": 3}, 4, 5, c="d")),
    "after __post_init__": lambda _, sub, *__: vars(sub(1)),
    "the order of fields": lambda _, sub, *__: list(vars(sub(c="d", b=(), a=1))),
    "each has its own default that is made": lambda base, *_: base(1).seen is base(1).seen,
    "equal": lambda base, sub, *_: (base(1) == base(1), base(1) != base(2), base(1) == sub(1), base(1) == (1, (), {})),
    "hash": lambda base, *_: hash(base(1)) == hash(base(1, seen={"x": 1})) == hash((1, ())),
    "what is not compared": lambda _, sub, *__: sub(1, apart=1) == sub(1, apart=2),
    "without eq and repr": lambda *kinds: (kinds[2]() == kinds[2](), "object at" in repr(kinds[2]())),
    "a hash of its own": lambda *kinds: (hash(kinds[3](b=2)), repr(kinds[3](b=2))),
    "an __eq__ of its own": lambda *kinds: (
        kinds[4](1) == kinds[4](2),
        repr(kinds[4](1)),
        hash(kinds[4](1)) == hash((1,)),
    ),
    "no fields": lambda *kinds: (kinds[5]() == kinds[5](), hash(kinds[5]()) == hash(()), kinds[5].__doc__),
    "fields": lambda _, sub, *__: [(each.name, each.kw_only, each.compare) for each in dataclasses.fields(sub)],
    "replace": lambda _, sub, *__: vars(dataclasses.replace(sub(1), a=2)),
    "asdict": lambda _, sub, *__: dataclasses.asdict(sub(1)),
    "on the class": lambda _, sub, *__: (sub.__match_args__, sub.c, sub.apart, hasattr(sub, "a"), hasattr(sub, "b")),
    "copies": lambda _, sub, *__: copy.deepcopy(sub(1)) == copy.copy(sub(1)) == sub(1),
    "signature": lambda _, sub, *__: [
        (p.name, p.kind, p.annotation) for p in inspect.signature(sub).parameters.values()
    ],
    "defaults": lambda _, sub, *__: [inspect.signature(sub).parameters[name].default for name in ("a", "c", "later")],
    "an instance has no signature": lambda base, *_: hasattr(base(1), "__signature__"),
}


@pytest.mark.parametrize("ask", ALIKE)
def test_ours_is_as_theirs(ask):
    assert ALIKE[ask](*OURS) == ALIKE[ask](*THEIRS)


REFUSED = {
    "missing": lambda base, *_: base(),
    "too many": lambda base, *_: base(1, (), {}, 4),
    "twice": lambda base, *_: base(1, a=1),
    "unknown": lambda base, *_: base(1, nope=1),
    "in order, though by name only": lambda *kinds: kinds[3](1, b=2),
    "missing by name": lambda *kinds: kinds[3](),
    "one for none": lambda *kinds: kinds[5](1),
    "set": lambda base, *_: setattr(base(1), "a", 2),
    "set what is no field": lambda base, *_: setattr(base(1), "nope", 2),
    "deleted": lambda base, *_: delattr(base(1), "a"),
    "replaced by an unknown": lambda base, *_: dataclasses.replace(base(1), nope=1),
}


@pytest.mark.parametrize("ask", REFUSED)
def test_what_they_refuse_is_refused_with_the_same_error(ask):
    with pytest.raises((TypeError, dataclasses.FrozenInstanceError)) as theirs:
        REFUSED[ask](*THEIRS)
    with pytest.raises(theirs.type):
        REFUSED[ask](*OURS)


def test_a_value_is_the_same_in_another_process():
    assert pickle.loads(pickle.dumps(Kept(1, {"x": 2}))) == Kept(1, {"x": 2})


def test_every_frozen_class_of_the_package_is_made_by_this_one():
    package = Path(values.__file__).parents[1]
    theirs = re.compile(r"^from dataclasses import .*\bdataclass\b", re.MULTILINE)
    makes = re.compile(r"^@dataclass\(.*frozen=True", re.MULTILINE)
    texts = {path.name: path.read_text(encoding="utf-8") for path in package.rglob("*.py")}
    assert sum(bool(makes.search(text)) for text in texts.values()) > 100
    assert [name for name, text in texts.items() if makes.search(text) and theirs.search(text)] == []
