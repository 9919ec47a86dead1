"""The kinds of figures, made of plain numbers: terms stacked, a curve against a limit, columns, cells, several curves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from symbolic_mem.base.rational import Number, rational
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.figure import Axis, Band, Curve, Figure, Level, Mark, Patch, Tick
from symbolic_mem.document.prose import Amount, Prose, say, text
from symbolic_mem.document.ticks import byte_powers, byte_ticks, count_tens, second_powers, whole_powers
from symbolic_mem.document.words import joined

SERIES = 7  # kinds of patches that can be told apart, also in grey
_NONE = Axis(Prose(()), 0, 1, ())


@dataclass(frozen=True)
class Told:
    """What is said of a figure: the name of its files, the caption below it, the words for who cannot see it."""

    name: str
    caption: Prose
    said: Prose


@dataclass(frozen=True)
class Capacity:
    """The bytes of one device that count, and the family of units (GiB or GB) of all bytes in the figure.

    `few` is how they are written where not all figures of them are known.
    """

    bytes: Number | None
    family: str
    few: Prose | None = None

    @property
    def words(self) -> Prose:
        """The line of the capacity."""
        assert self.bytes is not None
        return capacity_line(self.few or Amount(rational(self.bytes), self.family))


def capacity_line(size: Any) -> Prose:
    """The words at the line of a capacity."""
    return say("capacity {size}", size=size)


def floor_line(n: Any, size: Any) -> Prose:
    """The words at the line of what is there whatever a number `n` is."""
    return say("whatever {n} is: {size}", n=n, size=size)


FITS = text("fits")
ONE_DEVICE = text("one device")


def stacked(told: Told, parts: Mapping[str, Number], capacity: Capacity) -> Figure:
    """Parts of one sum beside each other in one bar, against a capacity; what is too small to be told apart is one part.

    >>> shown = stacked(Told("f", text(""), text("")), {"weights": 3, "gradients": 5}, Capacity(10, "GiB"))
    >>> [(patch.left, patch.right) for patch in shown.marks if isinstance(patch, Patch)]
    [(0, 3), (3, 8)]
    """
    shown = merged(parts)
    total = sum(parts.values())
    high = max(total, capacity.bytes or 0) * Fraction(51, 50)
    marks: list[Mark] = []
    left: Number = 0
    for series, size in enumerate(shown.values()):
        marks.append(Patch(left, left + size, 0, 1, series))
        left += size
    if capacity.bytes is not None:
        marks.append(Level("x", capacity.bytes, capacity.words, "limit"))
    words = [
        say("{name}: {size}", name=text(name), size=Amount(rational(size), capacity.family))
        for name, size in shown.items()
    ]
    rows = (*parts.items(), ("together", total), *([] if capacity.bytes is None else [("capacity", capacity.bytes)]))
    x = Axis(Prose(()), 0, high, byte_ticks(high, capacity.family))
    return Figure(
        told.name, told.caption, told.said, x, _NONE, tuple(marks), tuple(words), ("part", "bytes"), rows, None
    )


def merged(parts: Mapping[str, Number], most: int = SERIES) -> dict[str, Number]:
    """The parts in their order; where there are more than can be told apart, the smallest of them are one.

    >>> merged({"a": 5, "b": 1, "c": 2, "d": 4}, 3)
    {'a': 5, 'd': 4, '2 others': 3}
    """
    kept = {name: size for name, size in parts.items() if size}
    if len(kept) <= most:
        return kept
    large = sorted(kept, key=lambda name: kept[name], reverse=True)[: most - 1]
    rest = [name for name in kept if name not in large]
    shown = {name: size for name, size in kept.items() if name in large}
    return shown | {f"{len(rest)} others": sum(kept[name] for name in rest)}


@dataclass(frozen=True)
class Held:
    """Bytes of one device at each whole number of something (`symbol`), and whether they fit.

    They do from `start` on where they fall, else up to it; `answer` is the number that was found. Both are None where no
    number fits. `floor` are the bytes that are there whatever the number is, `between` the same as `points` where the
    curve is drawn between small whole numbers.
    """

    symbol: Prose
    head: str
    points: tuple[tuple[int, Number, bool], ...]
    answer: int | None
    start: int | None
    falls: bool
    floor: Number = 0
    between: tuple[tuple[Number, Number], ...] = ()


def against(told: Told, held: Held, capacity: Capacity) -> Figure:
    """The bytes of one device against a whole number, with the capacity, the answer, and the part that fits.

    Both axes go in even factors, so that a memory of which all is divided is a straight line.
    """
    assert capacity.bytes is not None
    first, last = held.points[0][0], held.points[-1][0]
    sizes = [size for _, size, _ in held.points]
    low, high = Fraction(min(*sizes, capacity.bytes)), Fraction(max(*sizes, capacity.bytes))
    low, high = low * Fraction(4, 5), max(high, 2 * Fraction(capacity.bytes)) * Fraction(5, 4)
    marks: list[Mark] = []
    ticks = whole_powers(first, last)
    if held.start is not None:
        marks.append(Band(*((held.start, last) if held.falls else (first, held.start)), FITS))
    if held.answer is not None:
        marks.append(Level("x", held.answer, Prose(()), "answer"))
        ticks = (*ticks, Tick(held.answer, Prose((Amount(rational(held.answer)),)), asked=True))
    else:
        low = Fraction(capacity.bytes) / 2
    if 4 * held.floor >= low:
        low = min(low, Fraction(held.floor) * Fraction(2, 3))
        words = floor_line(held.symbol, Amount(rational(held.floor), capacity.family))
        marks.append(Level("y", held.floor, words, "floor"))
    drawn = sorted((*held.between, *((number, size) for number, size, _ in held.points)))
    marks.append(Curve(tuple(drawn), lone=True))
    marks.append(Level("y", capacity.bytes, capacity.words, "limit"))
    rows = tuple((number, size, "yes" if fits else "no") for number, size, fits in held.points)
    x = Axis(held.symbol, first, last, ticks, log=True)
    y = Axis(ONE_DEVICE, low, high, byte_powers(low, high, capacity.family), log=True)
    heads = (held.head, "bytes on one device", "fits")
    return Figure(told.name, told.caption, told.said, x, y, tuple(marks), (), heads, rows)


@dataclass(frozen=True)
class Column:
    """One column: its `group` (those of one group stand together), its words, and the bytes of each part."""

    group: str
    words: str
    parts: Mapping[str, Number]


def columns(told: Told, shown: Sequence[Column], capacity: Capacity) -> Figure:
    """Parts stacked in columns side by side, group by group, against a capacity."""
    names = list(dict.fromkeys(name for column in shown for name in column.parts))
    most = {name: max(column.parts.get(name, 0) for column in shown) for name in names}
    kept = [name for name in merged(most) if name in most]
    others = [name for name in names if name not in kept and most[name]]
    series = (*kept, *([f"{len(others)} others"] if others else []))
    marks: list[Mark] = []
    sums: list[Number] = []
    places, ticks, wide = _places(shown)
    for (left, right), column in zip(places, shown, strict=True):
        bottom: Number = 0
        rest = sum(column.parts.get(name, 0) for name in others)
        for number, size in enumerate([*(column.parts.get(name, 0) for name in kept), *([rest] if others else [])]):
            if size:
                marks.append(Patch(left, right, bottom, bottom + size, number))
            bottom += size
        sums.append(bottom)
    high = max(*sums, capacity.bytes or 0) * Fraction(9, 8)
    if capacity.bytes is not None:
        marks.append(Level("y", capacity.bytes, capacity.words, "limit"))
    heads = ("phase", "instant", *names, "together")
    rows = tuple(
        (column.group, column.words, *(column.parts.get(name, 0) for name in names), total)
        for column, total in zip(shown, sums, strict=True)
    )
    y = Axis(ONE_DEVICE, 0, high, byte_ticks(high, capacity.family))
    x = Axis(Prose(()), 0, wide, ticks)
    words = tuple(map(text, series))
    return Figure(told.name, told.caption, told.said, x, y, tuple(marks), words, heads, rows)


def _places(shown: Sequence[Column]) -> tuple[list[tuple[Fraction, Fraction]], tuple[Tick, ...], Fraction]:
    """Where each column stands, with the words of each group below it, and how wide all are; a small group is as wide as its words."""
    places: list[tuple[Fraction, Fraction]] = []
    ticks = []
    least, gap, left = Fraction(len(shown), 7), Fraction(len(shown), 60), Fraction(0)
    for group in dict.fromkeys(column.group for column in shown):
        number = sum(column.group == group for column in shown)
        each = max(Fraction(number), least) / number
        places += [(left + each * place, left + each * (place + 1)) for place in range(number)]
        ticks.append(Tick(left + each * number / 2, text(group)))
        left += each * number + gap
    return places, tuple(ticks), left - gap


def cells(
    told: Told,
    rows: tuple[Prose, str, Sequence[int]],
    heads: tuple[Prose, str, Sequence[int]],
    entries: Sequence[Sequence[int | None]],
) -> Figure:
    """Whole numbers over two others, the darker the larger; a pair without a number stays white and shows a dash."""
    known = [entry for line in entries for entry in line if entry is not None]
    low, high = (math.log2(min(known)), math.log2(max(known))) if known else (0.0, 0.0)
    marks: list[Mark] = []
    for y, line in enumerate(entries):
        for x, entry in enumerate(line):
            share = 0.0 if entry is None or high == low else (math.log2(entry) - low) / (high - low)
            level = None if entry is None else Fraction(round(share * 5), 5)
            words = text("–") if entry is None else Prose((Amount(rational(entry)),))
            marks.append(Patch(x, x + 1, y, y + 1, -1, level, words))
    values = [
        (row, head, entry)
        for row, line in zip(rows[2], entries, strict=True)
        for head, entry in zip(heads[2], line, strict=True)
    ]
    x_axis = Axis(heads[0], 0, len(heads[2]), _centres(heads[2]))
    y_axis = Axis(rows[0], 0, len(rows[2]), _centres(rows[2]))
    names = (rows[1], heads[1], "smallest")
    tall = Fraction(min(max(len(rows[2]), 2), 12), 16)
    return Figure(told.name, told.caption, told.said, x_axis, y_axis, tuple(marks), (), names, tuple(values), tall)


def _centres(values: Sequence[int]) -> tuple[Tick, ...]:
    return tuple(Tick(Fraction(2 * i + 1, 2), Prose((Amount(rational(v)),))) for i, v in enumerate(values))


def curves(
    told: Told,
    title: Prose,
    head: str,
    places: Sequence[int],
    series: Sequence[tuple[Prose, str, Sequence[Number]]],
    answer: int | None,
) -> Figure:
    """Several times in seconds against a count, equal ones as one line; from `answer` on the first is the longest."""
    sizes = [size for _, _, times in series for size in times if size > 0]
    low, high = min(sizes) * Fraction(4, 5), max(sizes) * Fraction(5, 4)
    marks: list[Mark] = []
    ticks = count_tens(places[0], places[-1])
    if answer is not None:
        marks.append(Band(answer, places[-1], text("bound by its mathematics")))
        marks.append(Level("x", answer, Prose(()), "answer"))
        ticks = (*ticks, Tick(answer, Prose((Amount(rational(answer)),)), asked=True))
    same: dict[tuple[Number, ...], list[Prose]] = {}
    for words, _, times in series:
        same.setdefault(tuple(times), []).append(words)
    for number, times in enumerate(same):
        points = tuple((x, y) for x, y in zip(places, times, strict=True) if y > 0)
        if points:
            marks.append(Curve(points, number))
    rows = tuple((x, *(times[i] for _, _, times in series)) for i, x in enumerate(places))
    heads = (head, *(f"{name}, seconds" for _, name, _ in series))
    x = Axis(title, places[0], places[-1], ticks, log=True)
    y = Axis(text("time"), low, high, second_powers(low, high), log=True)
    named = tuple(joined(words, last=", ") for words in same.values())
    return Figure(told.name, told.caption, told.said, x, y, tuple(marks), named, heads, rows)
