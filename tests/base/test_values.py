"""The dataclass of this package is that of the standard library, but for when its methods are made."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from dataclasses import field

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
    class Empty:
        """Nothing."""

    @dataclass(frozen=True)
    class Words:
        put: int
        absent: int
        make: int = 3

    return Base, Sub, Same, Named, Empty, Words


OURS, THEIRS = pair_of(values.dataclass), pair_of(dataclasses.dataclass)


def made(classes):
    base, sub, same, named, empty, words = classes
    return [
        base(1), base(1, (2,)), base(b=(2,), a=1), base(1, (), {"x": 1}), sub(1), sub(1, (2,), c="d"),
        sub(1, apart=object()), sub(1, later=3), dataclasses.replace(sub(1), a=2), same(), same(1), named(b=2),
        named(a=3, b=2), empty(), empty(),
        words(1, 2), words(1, 2, 4),
    ]  # fmt: skip


def test_the_same_are_equal_and_shown_alike():
    ours, theirs = made(OURS), made(THEIRS)
    assert [[one == other for other in ours] for one in ours] == [[one == other for other in theirs] for one in theirs]
    shown = [[repr(each) for each in both if type(each).__name__ != "Same"] for both in (ours, theirs)]
    assert shown[0] == shown[1]
    assert ours[0] != 1 and ours[0].__eq__(1) is NotImplemented


def test_the_same_have_the_same_hash():
    ours, theirs = made(OURS), made(THEIRS)
    for one, other in zip(ours, theirs, strict=True):
        if type(one).__name__ != "Same":
            assert hash(one) == hash(other)
    assert len({ours[9], ours[10]}) == 2


@pytest.mark.parametrize("position", range(6))
def test_the_parameters_are_the_same(position):
    ours, theirs = (inspect.signature(classes[position]).parameters.values() for classes in (OURS, THEIRS))
    assert [(one.name, one.kind, one.default is one.empty) for one in ours] == [
        (one.name, one.kind, one.default is one.empty) for one in theirs
    ]
    assert OURS[position].__match_args__ == THEIRS[position].__match_args__


@pytest.mark.parametrize("wrong", [{}, {"a": 1, "z": 2}, {"a": 1, "c": "c", "b": (), "seen": {}, "A": 1}])
def test_wrong_arguments_are_refused(wrong):
    for classes in (OURS, THEIRS):
        with pytest.raises(TypeError):
            classes[1](**wrong)


def test_nothing_can_be_changed():
    for one in (made(OURS)[0], made(THEIRS)[0]):
        with pytest.raises(dataclasses.FrozenInstanceError):
            one.a = 2
        with pytest.raises(dataclasses.FrozenInstanceError):
            del one.a


@values.dataclass(frozen=True)
class Carried:
    a: int


def test_a_copy_is_the_same():
    one = Carried(1)
    assert pickle.loads(pickle.dumps(one)) == copy.copy(one) == copy.deepcopy(one) == one


def test_the_constructor_is_compiled_when_it_is_asked_for():
    @values.dataclass(frozen=True)
    class Late:
        a: int

    assert not inspect.isfunction(Late.__dict__["__init__"])
    assert Late(1).a == 1
    assert inspect.isfunction(Late.__dict__["__init__"])


@pytest.mark.parametrize(("first", "then"), [(values, dataclasses), (dataclasses, values)])
def test_each_inherits_from_the_other(first, then):
    @first.dataclass(frozen=True)
    class Base:
        a: int = field(default=1)

    @then.dataclass(frozen=True)
    class Sub(Base):
        b: int = 2

    assert (Base.a, Sub(3), Sub() == Sub(1, 2)) == (1, Sub(a=3, b=2), True)
    with pytest.raises(dataclasses.FrozenInstanceError):
        Sub().b = 3
    with pytest.raises(TypeError, match="non-frozen"):

        @dataclasses.dataclass
        class Other(Base):
            b: int = 2
