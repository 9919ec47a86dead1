"""The sentences of a page of play: those of the documents, with holes where the numbers of the moment go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple

import sympy as sp

from symbolic_mem.base.rational import fraction
from symbolic_mem.base.shown import shown
from symbolic_mem.base.symbols import named
from symbolic_mem.base.units import NO_UNIT, NOT_AN_AMOUNT, NOT_POSITIVE, UNKNOWN_UNIT, WHICH_UNIT
from symbolic_mem.base.written import MAX_DIGITS, TOO_LONG
from symbolic_mem.document.charts import FITS, ONE_DEVICE, capacity_line, floor_line
from symbolic_mem.document.prose import Prose
from symbolic_mem.document.words import fraction_words
from symbolic_mem.explore.choices import DROPPED, PART
from symbolic_mem.explore.held import HELD
from symbolic_mem.hardware.catalogue import load_devices
from symbolic_mem.hardware.devices import READINGS
from symbolic_mem.models.built import CHUNKED
from symbolic_mem.models.described import REFUSALS
from symbolic_mem.questions.parts.bounded import FILLED, TOO_MUCH
from symbolic_mem.questions.parts.cautions import BESIDE, beside_at
from symbolic_mem.questions.parts.degree_words import devices_of, enough, full, full_at, full_of_tokens, no_number
from symbolic_mem.questions.parts.given import breaks, devices_at, fits_at, that_is
from symbolic_mem.questions.parts.in_full import REMEDIES, remedy
from symbolic_mem.questions.parts.instants import EACH, OF_ONE
from symbolic_mem.questions.parts.rules import REASONS, reason_of
from symbolic_mem.questions.parts.words import UNDIVIDED, amount_words, capacity_words, few_figures
from symbolic_mem.render.text import plain_prose
from symbolic_mem.solvers.capacity import RESERVED, Capacity, capacity_from
from symbolic_mem.study.derived import NOT_WHOLE
from symbolic_mem.study.setting import OneDevice
from symbolic_mem.study.study import Study
from symbolic_mem.study.values import NOT_ALLOWED, TOO_LARGE

ABSENT = (
    "this page holds one other recipe, loss, plan or share of a state at a time; the command gives all of them together"
)
NO_SHARE = (
    "{text} is no share; give a kind that is divided here ({kinds}), a fraction from 0 to 1, and after a comma whether the "
    "rest is kept or dropped, as in activations=1/3,kept"
)
NOT_HERE = "with {text} there is no answer of this kind; the command says why"
BLOCKS = "this page holds this recomputation for numbers of blocks {which}; the command gives the others"


class Hole(NamedTuple):
    """A place in a sentence where something goes that only the page knows."""

    name: str


def template(said: Prose) -> list[Any]:
    """Return a sentence as a page fills it: texts, and lists with the name of a hole or of a symbol.

    >>> from symbolic_mem.document.prose import say
    >>> template(say("at most {most} tokens", most=Hole("most")))
    ['at most ', ['most'], ' tokens']
    """
    parts: list[Any] = []
    for part in said.parts:
        match part:
            case Hole():
                parts.append([part.name])
            case sp.Symbol():
                parts.append([part.name, "symbol"])
            case str():
                if part:
                    parts.append(part)
            case _:
                raise TypeError(f"nothing to fill in a page: {part!r}")
    return parts


def templates(n: sp.Symbol) -> Mapping[str, Any]:
    """Return the sentences of an answer about the degree `n`, by name."""
    full_pieces: dict[str, Any] = {"fixed": Hole("fixed"), "capacity": Hole("counted")}
    pieces: dict[str, Any] = {
        **dict.fromkeys(("value", "number", "devices", "share", "counted", "each")),
        "n": n,
        "rules": "",
    }
    pieces |= {name: Hole(name) for name, piece in pieces.items() if piece is None}
    none: dict[str, Any] = {"n": n, "rules": "", "why": Hole("why"), "ideal": 0}
    size = Hole("size")
    under: dict[str, Any] = {**pieces, "rules": Hole("rules")}
    never: dict[str, Any] = {**none, "rules": Hole("rules"), "ideal": Hole("ideal")}
    holes = ("value", "devices", "each", "share", "counted", "left")
    given: dict[str, Any] = {name: Hole(name) for name in holes}
    at: dict[str, Any] = {"word": Hole("word"), "n": n, "value": Hole("value")}
    reasons = {name: Hole(name) for name in ("kept", "room", "rule", "rules", "needed")}
    read = Hole("reading")
    said = {
        "unplaced": enough(reading=None, placed=False, **pieces),
        "enough": enough(reading=None, placed=True, **pieces),
        "enough, read": enough(reading=read, placed=True, **pieces),
        "enough, ruled": enough(reading=None, placed=True, **under),
        "enough, read, ruled": enough(reading=read, placed=True, **under),
        "none": no_number(reading=None, **none),
        "none, read": no_number(reading=read, **none),
        "none, ruled": no_number(reading=None, **never),
        "none, read, ruled": no_number(reading=read, **never),
        **{f"never, {code}": reason_of(code, n=n, **reasons) for code in REASONS if code != "fixed"},
        "given": fits_at(fits=True, reading=None, **given),
        "given, read": fits_at(fits=True, reading=read, **given),
        "lacks": fits_at(fits=False, reading=None, **given),
        "lacks, read": fits_at(fits=False, reading=read, **given),
        "that is": that_is(n=n, left=Hole("left")),
        "beside": BESIDE,
        "beside at": beside_at(n=n, value=Hole("value")),
        "breaks": breaks(n=n, value=Hole("value"), rules=Hole("rules")),
        "devices of": devices_at(device=Hole("device"), **at),
        "devices": devices_at(device=None, **at),
        "full at": full_at(**full_pieces, **{name: Hole(name) for name in ("at", "name", "size", "remedy")}),
        "full of tokens": full_of_tokens(**full_pieces, most=Hole("most")),
        "full of states": full(**full_pieces, states=True),
        "full": full(**full_pieces, states=False),
        "capacity line": capacity_line(size),
        "floor line": floor_line(n, size),
        "fits": FITS,
        "one device": ONE_DEVICE,
    }
    return {name: template(one) for name, one in said.items()} | {
        "each": [*EACH, *OF_ONE],
        "absent": ABSENT,
        "undivided": UNDIVIDED,
        "half": fraction_words(sp.Rational(1, 2)),
        "part": PART,
        "dropped": DROPPED,
        "blocks": BLOCKS,
        "fails": [TOO_MUCH, FILLED],
        "remedies": REMEDIES,
        "remedy": remedy(""),
        "refusals": {
            **REFUSALS,
            "not allowed": NOT_ALLOWED,
            "too large": TOO_LARGE,
            "chunks": CHUNKED,
            "derived": NOT_WHOLE,
            "held": HELD,
            "share": NO_SHARE,
            "not here": NOT_HERE,
        },
    }


def devices(study: Study) -> Iterator[dict[str, Any]]:
    """Yield every device that a page offers, the study's own first, with what each reading of its label counts.

    One that has no more than is kept free is left out.
    """
    catalogue = load_devices(study.devices)
    own = study.device.name
    if own is None:
        readings = {"": _counted(study.capacity, study.capacity.title)}
        title = study.capacity.title
        yield {"name": "", "title": title, "devices": _titled(study.capacity, title), "readings": readings}
    for name in ([] if own is None else [own]) + [name for name in catalogue if name != own]:
        one = catalogue[name]
        readings, devices = {}, []
        for reading in READINGS:
            amount = getattr(one, reading)
            if amount is None or study.device.reserved >= amount:
                continue
            asked = OneDevice(name, None, reading, study.device.reserved, study.device.usable)
            capacity = replace(study, device=asked).capacity
            readings[reading], devices = _counted(capacity, one.title), _titled(capacity, one.title)
        if readings:
            yield {"name": name, "title": one.title, "devices": devices, "readings": readings}


def amounts(study: Study) -> Mapping[str, Any]:
    """What a page needs to read an amount of memory that is typed: the refusals, and what is kept free of each device."""
    some = capacity_from("1 GiB")
    held = {"amount": Hole("amount"), "counted": Hole("counted")}
    return {
        "said": {
            "none": NOT_AN_AMOUNT,
            "positive": NOT_POSITIVE,
            "which": WHICH_UNIT,
            "bare": NO_UNIT,
            "unknown": UNKNOWN_UNIT,
            "long": TOO_LONG.replace("{what}", "amount of memory").replace("{most}", str(MAX_DIGITS)),
            "most": MAX_DIGITS,
            "reserved": RESERVED,
        },
        "reserved": [str(part) for part in Fraction(study.device.reserved).as_integer_ratio()],
        "usable": [str(study.device.usable.p), str(study.device.usable.q)],
        "devices": _words_for(some),
        "sentence": template(amount_words(in_bytes=False, **held)),
        "in bytes": template(amount_words(in_bytes=True, **held)),
    }


def _counted(capacity: Capacity, title: str) -> dict[str, Any]:
    few, said = few_figures(capacity), plain_prose(capacity_words(capacity))
    pieces = {"title": title, "bytes": shown(fraction(capacity.counted), "bytes", 14).plain}
    return {
        "bytes": [str(capacity.counted.p), str(capacity.counted.q)],
        "unit": capacity.unit,
        "few": None if few is None else plain_prose(few),
        "said": holed(said, pieces),
    }


def holed(text: str, pieces: Mapping[str, str]) -> list[Any]:
    """Return a text with holes where its pieces stand, as `template` does: alike devices are then told by one sentence.

    >>> holed("Each A has 8 bytes.", {"title": "A", "bytes": "8 bytes"})
    ['Each ', ['title'], ' has ', ['bytes'], '.']
    """
    parts: list[Any] = [text]
    for name, piece in pieces.items():
        parts = [
            one
            for part in parts
            for one in ([part] if isinstance(part, list) else _between(part.split(piece), [name]))
            if one != ""
        ]
    return parts


def _between(texts: Sequence[str], hole: list[str]) -> Iterator[Any]:
    for place, one in enumerate(texts):
        if place:
            yield hole
        yield one


def _titled(capacity: Capacity, title: str) -> list[list[Any]]:
    """The words for one such device and for several, with holes where its title stands."""
    return [holed(words, {"title": title}) for words in _words_for(capacity)]


def _words_for(capacity: Capacity) -> list[str]:
    """The words for one such device and for several."""
    return [devices_of(1, capacity), devices_of(2, capacity)]


def names(symbols: Any) -> dict[str, list[str]]:
    """How each symbol is written and what it means: base, subscript, meaning, unit."""
    found = {}
    for symbol in symbols:
        name = named(symbol)
        found[str(symbol)] = [name.base, name.sub, name.meaning, name.unit]
    return found
