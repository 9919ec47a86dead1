"""The smallest degree from data: solved at each instant that must fit, and the record of the one that asks for most filled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from symbolic_mem.base.first import first_degree
from symbolic_mem.base.walk import Number, numbers, renumbered
from symbolic_mem.questions.parts.held import Instant, fullest_of_each, peak_record, reading_record, remedy_record, up
from symbolic_mem.questions.parts.turns import Turn, turns
from symbolic_mem.render.latex_digits import whole
from symbolic_mem.shipped.close import cautions
from symbolic_mem.shipped.fill import CHANGED, HOLE, REST, Asked, Filled, Otherwise, exact, marked_up

OF_A_DEGREE = ("value", "devices", "per_device_bytes", "at_value_minus_one_bytes", "total_bytes")
BESIDE_A_DEGREE = ("readings", "cautions")


def of_degree(asked: Asked, form: Mapping[str, Any]) -> Any:
    """The record of the answer; `Otherwise` where another instant is fuller than the one that decides."""
    degrees = Degrees(asked, form)
    _, words, _, _, _, _, own, in_full, _ = form["instants"][degrees.order[0]]
    if own is None:
        raise Otherwise
    record = {**form["record"], **own}
    if degrees.degree is None:
        helps = _remedies(asked, form, degrees.fixed[degrees.order[0]])
        record, given = _without_degree(record, words, in_full, helps), {}
    else:
        given = {form["symbol"]: degrees.degree}
    return FilledDegree(asked, renumbered(asked.nodes, degrees.known, given), degrees, form["taken"]).fill(record)


def _without_degree(
    record: Mapping[str, Any], words: str, in_full: Any, helps: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The record where no degree is enough, at an instant in words, and what `helps`; `Otherwise` where that is none of a step."""
    if in_full is None:
        raise Otherwise
    found = {key: None if key in OF_A_DEGREE else item for key, item in record.items() if key not in BESIDE_A_DEGREE}
    told = {"peak_bytes" if key == REST else key: None if key == REST else item for key, item in found.items()}
    told |= {"feasible": False, "reason": {HOLE: ["full", words, in_full]}}
    last = list(told).index("reason") + 1
    return dict([*list(told.items())[:last], *([("remedies", helps)] if helps else []), *list(told.items())[last:]])


def _remedies(asked: Asked, form: Mapping[str, Any], fixed: Number) -> list[dict[str, Any]]:
    """What would help, the largest effect first."""
    found, limit = [], (exact(_known(asked.device["counted"])), form["strict"])
    for words, option, sets, several, alone in form["remedies"]:
        known = numbers(asked.nodes, {**asked.values, **sets})
        sizes = [[(_known(known[divided]), _known(known[rest])) for divided, rest in step] for step in (alone, several)]
        step = next(each for each in sizes if each and (each is sizes[1] or set(_degrees(each, *limit)) == {1}))
        most = max(rest for _, rest in sizes[1])
        if most < fixed:
            enough = None not in _degrees(step, *limit)
            found.append((fixed - most, words, option, most, enough))
    found.sort(key=lambda one: -one[0])
    return [remedy_record(words, option, most, less, enough=enough) for less, words, option, most, enough in found]


def _degrees(sizes: Sequence[tuple[Number, Number]], capacity: Number, strict: bool) -> list[int | None]:
    """The smallest degree for each pair of what is divided and what is not."""
    return [first_degree(divided, fixed, capacity, strict=strict) for divided, fixed in sizes]


class Degrees:
    """The bytes that are divided and those that are not at each instant, and the degree that each asks for."""

    def __init__(self, asked: Asked, form: Mapping[str, Any]) -> None:
        self.known = known = numbers(asked.nodes, asked.values)
        self.instants, self.strict = form["instants"], form["strict"]
        self.symbol, self.powers = form["symbol"], form.get("powers", {})
        self.divided = [_known(known[one[4]]) for one in self.instants]
        self.fixed = [_known(known[one[5]]) for one in self.instants]
        self.gathered = [None if one[8] is None else _known(known[one[8]]) for one in self.instants]
        capacity = exact(_known(asked.device["counted"]))
        each = self.at(capacity)
        hardness = [(n is None, n or 0, self.fixed[i] if n is None else self.held(i, n)) for i, n in enumerate(each)]
        self.order = sorted(range(len(each)), key=hardness.__getitem__, reverse=True)
        self.degree = each[self.order[0]]
        if self.degree is not None and self.held(self.order[0], self.degree) != self.most(self.degree):
            raise Otherwise

    def at(self, capacity: Number) -> list[int | None]:
        """The smallest degree at each instant under a capacity; None where none is enough.

        `Otherwise` where one device may be enough, or is one less: a step on one may hold less than the bound of more says.
        """
        pairs = zip(self.divided, self.fixed, strict=True)
        found = [first_degree(divided, fixed, capacity, strict=self.strict) for divided, fixed in pairs]
        if any(self.gathered):
            least = max(self.held(i, 1) - (whole or 0) for i, whole in enumerate(self.gathered))
            if least <= capacity or all(n is not None and n <= 2 for n in found):
                raise Otherwise
        return found

    def held(self, instant: int, n: int) -> Number:
        """Bytes of one device at an instant."""
        whole, rest = divmod(self.divided[instant], n)
        if not rest:
            return self.fixed[instant] + whole
        return self.fixed[instant] + Fraction(self.divided[instant]) / n

    def most(self, n: int) -> Number:
        """The most that one device holds at any instant."""
        return max(self.held(instant, n) for instant in range(len(self.instants)))


class FilledDegree(Filled):
    """Those of an answer about a degree."""

    def __init__(self, asked: Asked, found: Sequence[Number | None], degrees: Degrees, taken: Sequence[str]) -> None:
        super().__init__(asked, found)
        self.degrees, self.taken = degrees, taken

    def degree(self) -> int:
        """The degree."""
        return _known(self.degrees.degree)

    def times(self, beside: int) -> int:
        """All devices."""
        return self.degree() * beside

    def held(self, more: int) -> int | None:
        """What one device holds at that degree, or at one that is so much larger; None where there is none."""
        n = self.degree() + more
        return marked_up(self.degrees.most(n)) if n > 0 else None

    def kept(self, *places: int) -> int:
        """What one device keeps."""
        return up(max(_known(self.numbers[place]) for place in places))

    def peak(self) -> Mapping[str, Any]:
        """The fullest instant of each phase at that degree."""
        n, step = self.degree(), self.degrees.instants
        found = fullest_of_each(Instant(*step[i][:3], self.degrees.held(i, n)) for i in self.degrees.order)
        order = {one[0]: one[3] for one in step}
        found.sort(key=lambda one: order[one.phase])
        return peak_record(found, self._turns(max(found, key=lambda one: one.bytes).words))

    def _turns(self, fullest: str) -> Sequence[Turn]:
        """Where another instant takes over from the fullest at that degree."""
        symbol = self.degrees.symbol
        values = {**self.asked.values, symbol: self.degree()}
        step = sorted(self.degrees.instants, key=lambda one: one[3])

        def amounts(changed: Mapping[str, int]) -> list[Number]:
            known = renumbered(self.asked.nodes, self.numbers, changed)
            n = changed.get(symbol, values[symbol])
            return [_known(known[one[5]]) + Fraction(_known(known[one[4]]), n) for one in step]

        return turns(self.degrees.powers, values, amounts, [one[1] for one in step], fullest).found

    def full(self, words: str, in_full: Sequence[tuple[str, int]]) -> str:
        """Why no degree is enough."""
        from symbolic_mem.base.shown import apart, shown
        from symbolic_mem.questions.parts.in_full import NOT_ENOUGH, remedy

        fixed, room, unit = self.degrees.fixed[self.degrees.order[0]], _known(self.counted), self.asked.device["unit"]
        digits = apart(fixed, room, unit)
        sizes = {name: _known(self.numbers[place]) for name, place in in_full}
        name = max(sizes, key=sizes.__getitem__)
        return NOT_ENOUGH["at"].format(
            at=words,
            fixed=shown(fixed, unit, digits).plain,
            name=name,
            size=shown(sizes[name], unit).plain,
            capacity=self.asked.device.get("few") or shown(room, unit, digits).plain,
            remedy=remedy(name),
        )

    def reading(self) -> str | None:
        """How the label of the device is read."""
        return self.asked.device.get("reading")

    def name(self) -> str | None:
        """The device."""
        return self.asked.device.get("name")

    def readings(self) -> Any:
        """The degree under every reading of the label."""
        told = []
        for name, counted in self.asked.device.get("readings", ()):
            each = self.degrees.at(exact(counted))
            most = None if None in each else max(n for n in each if n is not None)
            told.append(reading_record(name, exact(counted), (most,)))
        return self.unless_empty(told)

    def beside(self, plain: Sequence[str], given: Sequence[str], own: str | None) -> Any:
        """What the question sets for itself, and what of that gives way to the device that the caller gives."""
        words = self.asked.weighed
        if words is None or words == own:
            return self.unless_empty(plain)
        return self.unless_empty([one.replace(CHANGED, words) for one in given])

    def close(self, sequences: str | None, rows: Sequence[int], more: Sequence[Sequence[Any]]) -> Any:
        """Whether a process finds so much free, and whole rows and what is not counted do; left to the other way where sequences may be cut."""
        n = self.degree()
        if sequences is not None and n > self.asked.values.get(sequences, n):
            raise Otherwise
        padding = sum(_known(self.numbers[place]) for place in rows)
        beyond = max((sum(_known(self.size(place)) for place in places) for places in more), default=0)
        return self.unless_empty(
            cautions(self.asked.device, self.degrees.most(n), padding, beyond, self.taken, "solve")
        )

    def told(self, *pieces: Any) -> str:
        """A text in which the capacity stands, as a number or as LaTeX sets it."""
        if type(self.counted) is not int:
            raise Otherwise
        return "".join(piece if isinstance(piece, str) else self._set(*piece) for piece in pieces)

    def _set(self, added: int, typeset: bool) -> str:
        value = _known(self.counted) + added
        if value < 2:
            raise Otherwise
        return whole(value) if typeset else str(value)


def _known(value: Any) -> Any:
    """A number that is there; the other way says what lacks a value."""
    if value is None:
        raise Otherwise
    return value
