"""What a study's own words leave to its values: `{device}`, `{memory}` and symbols such as `{B}` in a title or a text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from symbolic_mem.base.rational import fraction
from symbolic_mem.base.shown import shown
from symbolic_mem.base.symbols import spelled
from symbolic_mem.solvers.capacity import Capacity

if TYPE_CHECKING:
    from symbolic_mem.study.setting import Setting

_PLACE = re.compile(r"\{([A-Za-z][A-Za-z0-9_]*)\}")
_OPEN = {"device": "one device", "memory": "the memory of one device"}


def filled(words: str, setting: Setting) -> str:
    """Put what a setting has in the places of `words`; a place of which it has nothing stays as it is written.

    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("cs336-a1-adamw").change(capacity="40 GB")
    >>> filled("{memory} on {device}, {S} tokens, {a}", study)
    '40 GB on a device of 40 GB, 1024 tokens, {a}'
    """
    return _PLACE.sub(lambda place: _of(place[1], setting) or place[0], words)


def unfilled(words: str) -> str:
    """Leave open which device is meant, where the reader may still choose another.

    >>> unfilled("The same on {device}")
    'The same on one device'
    """
    return _PLACE.sub(lambda place: _OPEN.get(place[1], place[0]), words)


def _of(name: str, setting: Setting) -> str | None:
    if name in _OPEN:
        return _memory(name, setting.capacity) if setting.device.known else None
    symbol = spelled(setting.names).get(name)
    value = None if symbol is None else setting.values.get(symbol)
    return shown(fraction(value)).plain if value is not None and value.is_Rational else None


def _memory(name: str, capacity: Capacity) -> str:
    return capacity.title if name == "device" else shown(capacity.nominal, capacity.unit).plain
