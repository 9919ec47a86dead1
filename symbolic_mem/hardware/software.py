"""`Software`: what a device holds that no tensor of a step is, each from the least to the most that was seen, or as it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from symbolic_mem.base.errors import BadInput, at_place
from symbolic_mem.base.rational import Number, plain
from symbolic_mem.base.tables import tables_of
from symbolic_mem.base.units import parse_bytes
from symbolic_mem.base.values import dataclass
from symbolic_mem.base.written import decimal
from symbolic_mem.hardware.catalogue import taken_by_a_context
from symbolic_mem.hardware.devices import Device

CONTEXT, WORKSPACES, ALLOCATOR = "context", "workspaces", "allocator"
ALL = "all"


@dataclass(frozen=True)
class Overhead:
    """One thing, in `words`: from `low` to `high` bytes, or as many times what is allocated where it is the allocator's."""

    name: str
    words: str
    low: Number
    high: Number
    source: str

    @property
    def facts(self) -> Mapping[str, Any]:
        """The same as a program reads it: bytes rounded up, a factor as a number."""
        low, high = (float(one) if self.name == ALLOCATOR else -(-one // 1) for one in (self.low, self.high))
        return {"name": self.name, "low": low, "high": high, "source": self.source}


@dataclass(frozen=True)
class Software:
    """What counts of these: a device that has `b` bytes of tensors allocates b + w, keeps a (b + w) for it, and has the context, too."""

    overheads: tuple[Overhead, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of what counts."""
        return tuple(one.name for one in self.overheads)

    def bytes(self, tensors: Number) -> tuple[Number, Number]:
        """The least and the most that a device holds with so many bytes of tensors.

        >>> read_software("context=1GiB,allocator=1.5").bytes(2**30)
        (2684354560, 2684354560)
        """
        low, high = (factor * (tensors + workspaces) + context for context, workspaces, factor in self._sides())
        return plain(low), plain(high)

    def limits(self, reserved: Number, usable: Number) -> tuple[tuple[Number, Number], tuple[Number, Number]]:
        """What is reserved of a device, and the fraction of the rest that tensors may fill, at the least and at the most."""
        low, high = (
            (plain(reserved + (context + factor * workspaces) / Fraction(usable)), plain(Fraction(usable) / factor))
            for context, workspaces, factor in self._sides()
        )
        return low, high

    def _sides(self) -> tuple[tuple[Number, Number, Fraction], ...]:
        by_name = {one.name: one for one in self.overheads}

        def side(which: str) -> tuple[Number, Number, Fraction]:
            context, workspaces = (
                getattr(by_name[name], which) if name in by_name else 0 for name in (CONTEXT, WORKSPACES)
            )
            return context, workspaces, Fraction(getattr(by_name[ALLOCATOR], which) if ALLOCATOR in by_name else 1)

        return side("low"), side("high")


def read_software(
    text: str,
    device: Device | None = None,
    nominal: Number | None = None,
    already: Sequence[str] = (),
    where: str = "--software",
) -> Software:
    """Read which of them count: names, each with an amount or a factor where it is known, or ``all``.

    The context is that of the `device` where that is known, of which `nominal` bytes count. All are those that do not count `already`. Raises `BadInput` for
    another name, for one that counts already, and for what is no amount or a factor below 1.

    >>> [(one.name, one.low, one.high) for one in read_software("workspaces,allocator=1.05").overheads]
    [('workspaces', 8519680, 146800640), ('allocator', Fraction(21, 20), Fraction(21, 20))]
    """
    known, found = _tables(), dict[str, Overhead]()
    with at_place(where):
        every = [name for name in known if name not in already]
        for part in every if text.strip() == ALL else text.split(","):
            name, equals, given = (word.strip() for word in part.partition("="))
            if name == ALL:
                raise BadInput(f"{ALL} is every one of them, as it is known; give it alone, or the names of some")
            if name not in known:
                raise BadInput.unknown(f"unknown {name!r}", name, (*known, ALL))
            if name in already:
                raise BadInput(f"the engine of the plan has {name} of its own, which count already; leave {name} out")
            if name in found:
                raise BadInput(f"{name} is given twice; give it once")
            made = _given(name, given) if equals else _seen(name, device, nominal)
            found[name] = Overhead(name, known[name]["words"], *made)
    return Software(tuple(found[name] for name in known if name in found))


@cache
def taken_by_software(names: tuple[str, ...]) -> tuple[tuple[Number, Number], tuple[Number, Number]]:
    """Return the least and the most bytes of those of these names, and of the factor of an allocator, that were seen on any device.

    >>> held, times = taken_by_software(("context", "workspaces", "allocator"))
    >>> [round(size / 2**20) for size in held], [float(factor) for factor in times]
    ([527, 1282], [1.007, 1.093])
    """
    seen = [_seen(name, None, None) for name in names if name != ALLOCATOR]
    low, high = _seen(ALLOCATOR, None, None)[:2] if ALLOCATOR in names else (1, 1)
    return (sum(one[0] for one in seen), sum(one[1] for one in seen)), (low, high)


def open_words(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words for each of these names where it is not counted.

    >>> open_words(("context", "allocator"))
    ('the runtime', 'memory fragmentation')
    """
    return tuple(_tables()[name]["open"] for name in names)


def _given(name: str, text: str) -> tuple[Number, Number, str]:
    if name != ALLOCATOR:
        size = parse_bytes(text)
        return size, size, "as given"
    factor = decimal(text)
    if factor is None or factor < 1:
        raise BadInput(f"allocator={text} is no factor of what is allocated; give a number of at least 1, such as 1.05")
    return factor, factor, "as given"


def _seen(name: str, device: Device | None, nominal: Number | None) -> tuple[Number, Number, str]:
    if name == CONTEXT and device is not None and device.process is not None and nominal is not None:
        taken = max(nominal - device.process.bytes, 0)
        return taken, taken, f"what a process finds free on {device.title}: {device.process.by}"
    table = _tables()[name]
    low, high = taken_by_a_context() if name == CONTEXT else (Fraction(table["low"]), Fraction(table["high"]))
    return plain(low), plain(high), table["source"]


@cache
def _tables() -> Mapping[str, Mapping[str, Any]]:
    return dict(tables_of(Path(__file__).with_name("software.toml")))
