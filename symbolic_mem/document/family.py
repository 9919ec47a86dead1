"""One family of units in a document: GiB and the units below it, or GB and those below it, never both side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass, replace
from operator import is_
from typing import Any, TypeVar

from symbolic_mem.base.shown import FAMILIES
from symbolic_mem.document.prose import Amount, Chain, Prose, link
from symbolic_mem.document.work import legible

Shown = TypeVar("Shown")
_DECIMAL = ("kB", "MB", "GB", "TB", "PB", "EB")


def family_of(capacities: Iterable[str], shown: object) -> str:
    """Choose the family of what is `shown`: that of all capacities in it, or without one that of its source's figures.

    Where capacities are read in both ways, it is the binary one.

    >>> family_of(["GB"], ()), family_of(["GB", "GiB"], ()), family_of([], Amount(1, "TB", fixed=True))
    ('GB', 'GiB', 'GB')
    """
    read = set(capacities)
    if read:
        return "GB" if read == {"GB"} else "GiB"
    return "GB" if any(number.fixed and number.unit in _DECIMAL for number in _amounts(shown)) else "GiB"


def in_family(shown: Shown, family: str) -> Shown:
    """Return sentences, steps or whole sections with every amount of memory in one family; a `fixed` unit stays.

    >>> from symbolic_mem.document.prose import amount, say
    >>> from symbolic_mem.base.symbols import P
    >>> said = say("{line}", line=Chain(P, (amount(5 * 10**9, "GiB"),)))
    >>> [relation for relation, _ in in_family(said, "GB").parts[0].links]
    ['=']
    >>> import sympy
    >>> from symbolic_mem.render.text import plain_prose
    >>> plain_prose(in_family(say("its {room}", room=Amount(sympy.Integer(80 * 10**9), "GB", beside=True)), "GiB"))
    'its ≈ 74.506 GiB (80 GB)'
    """
    return _rewritten(shown, family)


def _rewritten(value: Any, family: str) -> Any:
    match value:
        case Amount():
            free = value.unit in FAMILIES and value.unit != family and not value.fixed
            return replace(value, unit=family) if free else value
        case Chain():
            links = ((relation, _rewritten(side, family)) for relation, side in value.links)
            signed = (
                link(side) if isinstance(side, Amount) and relation in ("=", "≈") else (relation, side)
                for relation, side in links
            )
            return legible(replace(value, left=_rewritten(value.left, family), links=tuple(signed)))
        case Prose():
            parts = tuple(part for item in value.parts for part in _in_words(item, family))
            return value if _same(parts, value.parts) else replace(value, parts=parts)
        case tuple():
            items = tuple(_rewritten(item, family) for item in value)
            return value if _same(items, value) else items
    if not is_dataclass(value) or isinstance(value, type):
        return value
    new = {field.name: _rewritten(getattr(value, field.name), family) for field in fields(value)}
    changed = {name: item for name, item in new.items() if item is not getattr(value, name)}
    return replace(value, **changed) if changed else value


def _same(new: tuple[Any, ...], old: tuple[Any, ...]) -> bool:
    return len(new) == len(old) and all(map(is_, new, old))


def _in_words(part: Any, family: str) -> Iterator[Any]:
    """A part of a sentence; after a limit that is rewritten the same as it was given, in brackets."""
    new = _rewritten(part, family)
    yield new
    if isinstance(part, Amount) and part.beside and new.unit != part.unit and new.shown.plain != part.shown.plain:
        yield from (" (", replace(part, fixed=True, beside=False), ")")


def _amounts(value: Any) -> Iterator[Amount]:
    if isinstance(value, Amount):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _amounts(item)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _amounts(getattr(value, field.name))
