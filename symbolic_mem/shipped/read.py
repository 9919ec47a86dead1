"""Answers of bundled studies from the data that a wheel carries, without SymPy and without a parser of options.

What is not the plain case is left to the way that computes with formulas: another option, a value that decides more than
numbers, a study without data, anything that is refused. Both ways print the same bytes.
"""

from __future__ import annotations

import json
import os.path
import re
from collections.abc import Mapping, Sequence
from typing import Any

from symbolic_mem.base.told import RoundedUp, grouped, told
from symbolic_mem.base.version import __version__
from symbolic_mem.base.walk import Number, numbers
from symbolic_mem.questions.parts.held import Instant, device_record, fullest_of_each, up

FOLDER = os.path.join(os.path.dirname(__file__), "data")
HOLE, CHANGED = "=", "{changes}"
_STUDY = re.compile(r"[a-z0-9][a-z0-9.-]*")
_VALUE = re.compile(r"([A-Za-z_]+)=([1-9][0-9]{0,17})")
_AMOUNT = re.compile(r"[1-9][0-9]{0,11}(?:\.[0-9]{1,6})? ?[kMGTKi]{0,2}B")


_UNSAID = object()


class _Otherwise(Exception):
    """The other way answers."""


def answer(arguments: Sequence[str], folder: str = FOLDER) -> bytes | None:
    """Return what the command line prints for these arguments; None where it must be computed.

    >>> answer(["account", "llama-3.1-8b", "--recipe", "cs336", "--json"]) is None
    True
    """
    try:
        study, values, device, amount = _asked(arguments)
        content = _content(os.path.join(folder, f"{study}.json"))
        form = _form(content, values)
        changes = [f"{form['spelled'][name]} = {grouped(str(value))}" for name, value in values.items()]
        changes += [
            f"{what} {given}" for what, given in (("device", device), ("capacity", amount)) if given is not None
        ]
        counted = _counted(content["capacity"], device, amount)
        filled = Filled(content["nodes"], {**_base(content), **values}, counted, form["step"], "; ".join(changes))
        return (json.dumps(told(filled.fill(form["record"])), indent=2, ensure_ascii=False) + "\n").encode()
    except (_Otherwise, ZeroDivisionError):
        return None


def _asked(arguments: Sequence[str]) -> tuple[str, dict[str, int], str | None, str | None]:
    """The study, the values by name, the device and the amount that are asked about."""
    if not arguments or arguments[0] != "account" or arguments.count("--json") != 1:
        raise _Otherwise
    study, values, given = "", dict[str, int](), dict[str, str]()
    rest = iter(arguments[1:])
    for one in rest:
        name, equals, text = one.partition("=")
        if one == "--json":
            continue
        if not one.startswith("-"):
            if study or not _STUDY.fullmatch(one):
                raise _Otherwise
            study = one
            continue
        text = text if equals else next(rest, "")
        if name == "--set":
            pair = _VALUE.fullmatch(text)
            if pair is None:
                raise _Otherwise
            values[pair[1]] = int(pair[2])
        elif name in ("--device", "--capacity"):
            given[name] = text
        else:
            raise _Otherwise
    if not study or len(given) > 1:
        raise _Otherwise
    return study, values, given.get("--device"), given.get("--capacity")


def _content(path: str) -> Mapping[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except OSError:
        raise _Otherwise from None
    if content["version"] != __version__:
        raise _Otherwise
    return content


def _counted(known: Mapping[str, Any], device: str | None, amount: str | None) -> tuple[Number, str | None] | None:
    """Bytes of one device that count, and how the label of the device is read."""
    if amount is not None:
        if not _AMOUNT.fullmatch(amount):
            raise _Otherwise
        return _cut(amount, known), None
    if device is not None and device not in known["devices"]:
        raise _Otherwise
    counted = known["own"] if device is None else (known["devices"][device], known["reading"])
    return None if counted is None else (_exact(counted[0]), counted[1])


def _cut(amount: str, known: Mapping[str, Any]) -> Number:
    """Of an amount, what is not reserved, and what is usable of that."""
    from symbolic_mem.base.errors import BadInput
    from symbolic_mem.base.units import parse_bytes

    try:
        left = parse_bytes(amount) - _exact(known["reserved"])
    except BadInput:
        raise _Otherwise from None
    if left <= 0:
        raise _Otherwise
    return left * _exact(known["usable"])


def _exact(text: str) -> Number:
    if text.isdecimal():
        return int(text)
    from fractions import Fraction

    return Fraction(text)


def _base(content: Mapping[str, Any]) -> dict[str, Number]:
    return {name: _exact(value) for name, value in content["values"].items()}


def _form(content: Mapping[str, Any], given: Mapping[str, int]) -> Mapping[str, Any]:
    """The form that an account has at these values."""
    base = _base(content)
    for form in content["forms"]:
        if _holds(form, base, {**base, **given}, given):
            return form
    raise _Otherwise


def _holds(form: Mapping[str, Any], base: Mapping[str, Number], values: Mapping[str, Number], given: Any) -> bool:
    """Whether a form is that of the account at these values."""
    return (
        all(values.get(name) == base.get(name) for name in form["fixed"])
        and all(values.get(name, 0) > 1 for name in form["several"])
        and all(name in form["free"] for name in given)
    )


class Filled:
    """The numbers that stand in the holes of a form."""

    def __init__(
        self,
        nodes: Sequence[Any],
        values: Mapping[str, Number],
        capacity: tuple[Number, str | None] | None,
        step: Sequence[Sequence[Any]],
        changes: str,
    ) -> None:
        self.values, self.counted, self.step, self.changes = values, capacity, step, changes
        self.numbers = numbers(nodes, values)
        held = [self.numbers[place] for *_, place, _ in step]
        self.held = [] if None in held else [one for one in held if one is not None]  # all of a step, or nothing

    def fill(self, form: Any) -> Any:
        """Return a form with its holes filled."""
        if isinstance(form, dict):
            if HOLE in form:
                kind, *told_of = form[HOLE]
                return getattr(self, kind)(*told_of)
            return {key: self.fill(item) for key, item in form.items()}
        if isinstance(form, list):
            return [filled for item in form if (filled := self.fill(item)) is not _UNSAID]
        return form

    def changed(self, sentence: str) -> Any:
        """What the caller changes, in a sentence; nothing where that is nothing."""
        return sentence.replace(CHANGED, self.changes) if self.changes else _UNSAID

    def exact(self, place: int) -> Number | None:
        """A number as it is."""
        return self.numbers[place]

    def up(self, place: int) -> int | None:
        """A number of bytes, rounded up to a whole one."""
        found = self.numbers[place]
        return found if found is None or type(found) is int else RoundedUp(up(found))

    def absent(self, names: Sequence[str]) -> list[str]:
        """The symbols among those of a formula that have no value."""
        return [name for name in names if name not in self.values]

    def given(self) -> Mapping[str, Number]:
        """All values."""
        return self.values

    def capacity(self) -> int | None:
        """Bytes of one device that count, as a whole number."""
        return None if self.counted is None else int(self.counted[0])

    def device(self, degrees: Sequence[str], kept: int) -> Mapping[str, Any] | None:
        """What one device keeps and its peak; of stages, what the rank keeps that has the peak."""
        found = [Instant(*self.step[place][:3], held) for place, held in enumerate(self.held)]
        if found:
            fullest = self.step[max(range(len(found)), key=self.held.__getitem__)]
            kept = kept if fullest[4] is None else fullest[4]
        divided = {name: value for name, value in self.values.items() if name in degrees}
        return device_record(divided, self.numbers[kept], fullest_of_each(found), self.counted)

    def beyond(self, of_step: Any, of_kept: Any) -> Any:
        """What is not counted: what the instants of a step do not, where these have numbers, or what is kept does not."""
        return self.fill(of_step if self.held else of_kept)
