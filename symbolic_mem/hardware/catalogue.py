"""The bundled devices and a user's own: TOML tables with units, read strictly into `Device` values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from symbolic_mem.base.errors import BadInput, at_place, clipped, shown
from symbolic_mem.base.tables import ReadOnce, Tables
from symbolic_mem.base.tomlfile import entry, known_keys, read_toml
from symbolic_mem.base.units import parse_bytes
from symbolic_mem.base.written import short
from symbolic_mem.hardware.devices import (
    CONFIDENCES,
    DIRECTIONS,
    READINGS,
    SCOPES,
    Bandwidth,
    Device,
    Evidence,
    Process,
    Second,
)

Value = TypeVar("Value")
BUNDLED = Path(__file__).with_name("devices.toml")

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*")
_LABEL = re.compile(r"([0-9.]+) ([MGT])i?B")
_FLOPS = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([GTPE]?)FLOP/s")
_POWER = {"": 0, "G": 9, "T": 12, "P": 15, "E": 18}
UNSTATED = "unstated"  # the vendor of a device in a file that names none
_GROUPS = ("title", "vendor", "capacity", "reported", "process", "bandwidth", "flops", "links", "second", "notes")
_SECONDS = ("capacity", "memory bandwidth", "BF16 FLOP/s")


def load_devices(path: str | Path | None = None) -> dict[str, Device]:
    """Return the bundled devices by name, with those of the TOML file at `path` added or put in their place.

    Raises `BadInput` for anything in that file that is not understood, with file and place.

    >>> load_devices()["h100-80gb"].capacity("reported")
    85520809984
    """
    bundled = _bundled()
    return dict(bundled) if path is None else dict(bundled) | dict(_given(path))


def device(name: str, extra: str | Path | None = None) -> Device:
    """Return the device called `name`, from the bundled catalogue or the user's file `extra`.

    Raises `BadInput` for an unknown name, with the nearest known one.

    >>> device("tpu-v5p").binary
    102005473280
    >>> device("tpu-v5p").link("ICI", direction="both-ways", scope="per link").bytes_per_second
    180000000000
    """
    devices = _bundled() if extra is None else load_devices(extra)
    if name not in devices:
        raise BadInput.unknown(f"unknown device {clipped(name)}", name[:60], devices, "list devices")
    return devices[name]


class _Catalogue(ReadOnce[Device]):
    """The devices of a file, whose `sources` they cite, with those of other files."""

    def __init__(self, file: str, content: Mapping[str, Mapping[str, Any]], others: Mapping[str, Evidence]) -> None:
        own = ReadOnce(content["sources"], lambda key, table: _source(table, f"{file} [sources.{key}]"))
        self.sources = {**others, **own} if others else own
        cited = _Citations(self.sources, file)
        super().__init__(
            content["devices"], lambda name, table: _device(name, table, f"{file} [devices.{name}]", cited)
        )


def _given(path: str | Path) -> _Catalogue:
    """The devices of a user's file."""
    content, file = read_toml(path), shown(path)
    known_keys(content, ("sources", "devices"), file)
    tables = {key: _tables(content, key, file) for key in ("sources", "devices")}
    return _Catalogue(file, tables, _bundled().sources)


@cache
def taken_by_a_context() -> tuple[int | Fraction, int | Fraction]:
    """Return the least and the most by which a process finds less free than software reports, of the bundled devices.

    >>> [round(taken / 2**20) for taken in taken_by_a_context()]
    [519, 1142]
    """
    known = [one for one in load_devices().values() if one.process is not None and one.reported is not None]
    taken = [one.reported - one.process.bytes for one in known if one.reported and one.process]
    return min(taken), max(taken)


@cache
def _bundled() -> _Catalogue:
    return _Catalogue(shown(BUNDLED), {key: Tables.of(BUNDLED, key) for key in ("sources", "devices")}, {})


def _tables(content: Mapping[str, Any], key: str, file: str) -> dict[str, dict[str, Any]]:
    tables = entry(content, key, dict, file, {})
    for name in tables:
        if not _NAME.fullmatch(name):
            raise BadInput(
                f"{file} [{key}]: {clipped(name)} is not a name: use lower-case letters, digits, '-' and '.', "
                "as in h100-80gb"
            )
    return {name: entry(tables, name, dict, f"{file} [{key}]") for name in tables}


def _source(table: dict[str, Any], where: str) -> Evidence:
    known_keys(table, ("text", "date", "confidence"), where)
    confidence = entry(table, "confidence", str, where)
    _one_of(confidence, CONFIDENCES, "confidence", where)
    return Evidence("", entry(table, "text", str, where), entry(table, "date", str, where), confidence)


class _Citations:
    """The sources of one file; a fact that cites none rests on the file itself and is to be checked."""

    def __init__(self, sources: Mapping[str, Evidence], file: str) -> None:
        self.sources = sources
        self.unsourced = Evidence("", f"{file}, which names no source", "undated", "memory")

    def evidence(self, about: str, table: Mapping[str, Any], where: str) -> Evidence:
        found = self.unsourced
        if "source" in table:
            key = entry(table, "source", str, where)
            if key not in self.sources:
                raise BadInput.unknown(f"{where}: unknown source {clipped(key)}", key[:60], self.sources)
            found = self.sources[key]
        called = entry(table, "called", str, where, "") if "called" in table else ""
        return Evidence(about, found.source, found.date, found.confidence, called)


def _device(name: str, table: dict[str, Any], where: str, citations: _Citations) -> Device:
    known_keys(table, _GROUPS, where)
    facts: dict[str, Any] = {}
    evidence = []
    for group, read in _READERS.items():
        if group in table:
            place = f"{where} {group}"
            fact = entry(table, group, dict, where)
            facts |= read(fact, place)
            evidence.append(citations.evidence(group, fact, place))
    notes = entry(table, "notes", list, where, [])
    if not all(isinstance(note, str) for note in notes):
        raise BadInput(f"{where}: notes must be a list of texts")
    links = _links(entry(table, "links", list, where, []), where, citations)
    return Device(
        name=name,
        title=entry(table, "title", str, where, name),
        vendor=entry(table, "vendor", str, where, UNSTATED),
        bandwidths=links,
        evidence=tuple(evidence),
        process=_process(entry(table, "process", dict, where, {}), f"{where} process", citations),
        seconds=_seconds(entry(table, "second", list, where, []), links, where, citations),
        notes=tuple(notes),
        **facts,
    )


def _capacity(fact: dict[str, Any], where: str) -> dict[str, Any]:
    known_keys(fact, ("label", "readings", "called", "source"), where)
    label = entry(fact, "label", str, where)
    match = _LABEL.fullmatch(short(label, f"{where}: label"))
    if not match:
        raise BadInput(
            f"{where}: label {clipped(label)} is not a capacity as printed: write it as in '80 GB' or '95 GiB'"
        )
    readings = entry(fact, "readings", list, where, ["marketed", "binary"])
    for reading in readings:
        _one_of(reading, READINGS[:2], "reading", where)
    number, prefix = match.groups()
    units = {"marketed": f"{prefix}B", "binary": f"{prefix}iB"}
    return {"label": label} | {
        reading: _placed(parse_bytes, f"{number} {units[reading]}", where) for reading in readings
    }


def _reported(fact: dict[str, Any], where: str) -> dict[str, Any]:
    known_keys(fact, ("bytes", "by", "printed", "source"), where)
    amount = _placed(parse_bytes, entry(fact, "bytes", str, where), where)
    printed = entry(fact, "printed", str, where, "")
    return {"reported": amount, "reported_by": entry(fact, "by", str, where), "reported_as": printed}


def _process(fact: dict[str, Any], where: str, citations: _Citations) -> Process | None:
    """Read what a process finds free; None where nothing is said of it."""
    if not fact:
        return None
    known_keys(fact, ("bytes", "by", "source"), where)
    amount = _placed(parse_bytes, entry(fact, "bytes", str, where), where)
    return Process(amount, entry(fact, "by", str, where), citations.evidence("process", fact, where))


def _memory_bandwidth(fact: dict[str, Any], where: str) -> dict[str, Any]:
    known_keys(fact, ("memory", "called", "source"), where)
    return {"memory_bandwidth": _placed(parse_rate, entry(fact, "memory", str, where), where)}


def _flops(fact: dict[str, Any], where: str) -> dict[str, Any]:
    known_keys(fact, ("bf16", "called", "source"), where)
    return {"flops_bf16": _placed(parse_flops, entry(fact, "bf16", str, where), where)}


_READERS = {
    "capacity": _capacity,
    "reported": _reported,
    "bandwidth": _memory_bandwidth,
    "flops": _flops,
}


def _seconds(tables: list[Any], links: tuple[Bandwidth, ...], where: str, citations: _Citations) -> tuple[Second, ...]:
    """Read what other sources say of a figure, or of one of the `links` by its name."""
    readers: dict[str, Callable[[str], int | Fraction]] = dict.fromkeys((link.name for link in links), parse_rate)
    readers |= zip(_SECONDS, (parse_bytes, parse_rate, parse_flops), strict=True)
    found = []
    for position, table in enumerate(tables, start=1):
        place = f"{where} second, number {position}"
        if not isinstance(table, dict):
            raise BadInput(f"{place}: a second figure is a table with of, value, why and source")
        known_keys(table, ("of", "value", "why", "source"), place)
        of, says = entry(table, "of", str, place), entry(table, "value", str, place)
        _one_of(of, tuple(readers), "of", place)
        value, why = _placed(readers[of], says, place), entry(table, "why", str, place, "")
        found.append(Second(of, value, says, why, citations.evidence("second", table, place)))
    return tuple(found)


def _links(tables: list[Any], where: str, citations: _Citations) -> tuple[Bandwidth, ...]:
    links = []
    for position, table in enumerate(tables, start=1):
        place = f"{where} links, number {position}"
        if not isinstance(table, dict):
            raise BadInput(f"{place}: a link is a table with name, scope and one of {', '.join(DIRECTIONS)}")
        known_keys(table, ("name", "scope", *DIRECTIONS, "called", "source"), place)
        name, scope = entry(table, "name", str, place), entry(table, "scope", str, place)
        _one_of(scope, SCOPES, "scope", place)
        given = [direction for direction in DIRECTIONS if direction in table]
        if not given:
            raise BadInput(f"{place}: no bandwidth; give one of {', '.join(DIRECTIONS)}, for example '450 GB/s'")
        evidence = citations.evidence(name, table, place)
        for direction in given:
            rate = _placed(parse_rate, entry(table, direction, str, place), place)
            links.append(Bandwidth(name, rate, direction, scope, evidence))
    return tuple(links)


def parse_rate(text: str) -> int | Fraction:
    """Read a bandwidth such as ``3.35 TB/s`` into exact bytes per second.

    >>> parse_rate("3.35 TB/s"), parse_rate("820 GiB/s")
    (3350000000000, 880468295680)
    """
    amount, slash, second = text.rpartition("/")
    if not slash or second.strip() != "s":
        raise BadInput(f"{text!r} is not a bandwidth: write bytes per second, for example 450 GB/s")
    return parse_bytes(amount)


def parse_flops(text: str) -> int:
    """Read a rate such as ``989.4 TFLOP/s`` into exact FLOP/s.

    >>> parse_flops("989.4 TFLOP/s")
    989400000000000
    """
    match = _FLOPS.fullmatch(short(text, "rate"))
    value = Fraction(match[1]) * 10 ** _POWER[match[2]] if match else Fraction(0)
    if value <= 0 or value.denominator != 1:
        raise BadInput(f"{text!r} is not a rate of computing: write it as in 459 TFLOP/s")
    return int(value)


def _placed(parse: Callable[[str], Value], text: str, where: str) -> Value:
    with at_place(where):
        return parse(text)


def _one_of(value: object, allowed: tuple[str, ...], what: str, where: str) -> None:
    if value not in allowed:
        raise BadInput.unknown(f"{where}: unknown {what} {value!r}", str(value), allowed)
