"""A figure laid out for a width: marks become boxes, strokes and words in points; nothing stands over anything else."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from typing import Literal

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.rational import Number
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.figure import Axis, Band, Curve, Figure, Level, Patch, Tick
from symbolic_mem.document.prose import Prose
from symbolic_mem.render.inks import INKS, LINES, SERIES, level
from symbolic_mem.render.measure import measured

WIDTH = 330.0  # points of a figure where no width is asked for
SIZE = 8.0  # points of its type
NARROWEST = 150.0
_BAR = 24.0  # the height of one row of patches
_GAP = 5.0  # between words that stand side by side
_INSET = 0.25  # of each patch, so that a seam is seen between two
_STRAIGHT = 0.12  # points by which a curve may miss what it shows


@dataclass(frozen=True)
class Box:
    """A filled rectangle; `y` is its upper edge, counted downwards."""

    x: float
    y: float
    width: float
    height: float
    ink: str


@dataclass(frozen=True)
class Stroke:
    """A line through points, so thick, with dashes (lengths of what is drawn and what is not) or none."""

    points: tuple[tuple[float, float], ...]
    ink: str
    thick: float
    dashes: tuple[float, ...] = ()


@dataclass(frozen=True)
class Words:
    """Words on a base line, from, about or up to a place."""

    x: float
    y: float
    prose: Prose
    anchor: Literal["start", "middle", "end"]
    ink: str


@dataclass(frozen=True)
class Drawing:
    """A figure in points: its size, that of its type, and its shapes, what is below first."""

    width: float
    height: float
    size: float
    shapes: tuple[Box | Stroke | Words, ...]


def plot(figure: Figure, width: float = WIDTH, size: float = SIZE) -> Drawing:
    """Lay a figure out; raises `BadInput` where the width has no room for its numbers.

    >>> from fractions import Fraction
    >>> from symbolic_mem.document.prose import text
    >>> axis = Axis(text("n"), 1, 2, ())
    >>> plot(Figure("f", text(""), text(""), axis, axis, (), (), (), ()), 200).width
    200
    """
    if width < NARROWEST:
        raise BadInput(
            f"a figure of {width:.0f}pt ({width / 72.27:.1f}in) is too narrow for its numbers; give at least "
            f"{NARROWEST:.0f}pt ({NARROWEST / 72.27:.1f}in)"
        )
    return _Plot(figure, width, size).drawing


_Area = tuple[float, float, float, float]  # left, top, right, bottom


class _Plot:
    """One figure at one width."""

    def __init__(self, figure: Figure, width: float, size: float) -> None:
        self.figure, self.width, self.size = figure, width, size
        self.line = size * 1.4
        self.bare = figure.tall is None  # one row of patches, with nothing at its left
        ticks = figure.y.ticks
        labels = max((self.wide(tick.words) for tick in ticks), default=0.0)
        self.left = 0.0 if self.bare else labels + _GAP
        last = max((tick for tick in figure.x.ticks), key=lambda tick: tick.value, default=None)
        over = 0.0 if last is None else self.wide(last.words) / 2
        self.right = width - min(over if self.bare else over * 0.9, width / 8)
        above = any(isinstance(mark, Level) and mark.axis == "x" and mark.role == "limit" for mark in figure.marks)
        self.top = self.line * (1.15 if figure.y.title.parts or above else 0.3)
        tall = _BAR if figure.tall is None else float(figure.tall) * (self.right - self.left)
        self.bottom = self.top + tall
        if self.right - self.left < 8 * size:
            raise BadInput(f"a figure of {width:g} points has no room beside its longest number; make it wider")

    def wide(self, prose: Prose) -> float:
        return measured(prose, self.size)

    def x(self, value: Number) -> float:
        return self.left + _share(self.figure.x, value) * (self.right - self.left)

    def y(self, value: Number) -> float:
        return self.bottom - _share(self.figure.y, value) * (self.bottom - self.top)

    @cached_property
    def upwards(self) -> tuple[Tick, ...]:
        """The ticks of the y axis that have room, from below."""
        kept: list[Tick] = []
        for tick in self.figure.y.ticks:
            if not kept or self.y(kept[-1].value) - self.y(tick.value) >= self.line * 0.9:
                kept.append(tick)
        return tuple(kept)

    @property
    def drawing(self) -> Drawing:
        marks = self.figure.marks
        shapes: list[Box | Stroke | Words] = []
        shapes += [self._band(mark) for mark in marks if isinstance(mark, Band)]
        across = self._across()
        shapes += self._grid(across)
        for mark in marks:
            if isinstance(mark, Patch):
                shapes += self._patch(mark)
        shapes += [self._level(mark) for mark in marks if isinstance(mark, Level)]
        curves = (mark for mark in marks if isinstance(mark, Curve))
        shapes += map(self._curve, curves, self.paths)
        shapes += self._level_words()
        shapes += self._axes(across)
        height = self.bottom + self.line * (1.1 if self.figure.x.ticks else 0.3)
        if self.figure.x.title.parts:
            middle = (self.left + self.right) / 2
            shapes.append(Words(middle, height + self.size, self.figure.x.title, "middle", "quiet"))
            height += self.line * 1.2
        keys = tuple(self._keys(height + self.line * 0.2))
        height = max([height, *(shape.y + self.line * 0.4 for shape in keys if isinstance(shape, Words))])
        return Drawing(self.width, math.ceil(height), self.size, (*shapes, *keys))

    def _across(self) -> tuple[Tick, ...]:
        """The ticks of the x axis that have room, the asked one first, the others at even distances."""
        ticks = [tick for tick in self.figure.x.ticks if not tick.asked]
        asked = [tick for tick in self.figure.x.ticks if tick.asked]
        spans = {id(tick): self._span(tick) for tick in self.figure.x.ticks}
        for step in range(1, len(ticks) + 1):
            kept = ticks[::step]
            if all(spans[id(a)][1] + _GAP <= spans[id(b)][0] for a, b in pairwise(kept)):
                break
        else:
            kept = []
        free = [t for t in kept if all(not _over(spans[id(t)], spans[id(one)]) for one in asked)]
        return tuple(sorted((*free, *asked), key=lambda tick: tick.value))

    def _span(self, tick: Tick) -> tuple[float, float]:
        half = self.wide(tick.words) / 2
        middle = min(max(self.x(tick.value), half), self.width - half)
        return middle - half, middle + half

    def _band(self, band: Band) -> Box:
        left, right = self.x(band.low), self.x(band.high)
        return Box(left, self.top, right - left, self.bottom - self.top, "tint")

    def _band_words(self, band: Band, taken: list[_Area]) -> Iterator[Words]:
        """The words of a band, in a corner of it that is free."""
        left, right, wide = self.x(band.low), self.x(band.high), self.wide(band.words)
        for base in (self.top + self.size * 1.1, self.bottom - self.size * 0.6):
            for x, start in ((right - 3, right - 3 - wide), (left + 3, left + 3)):
                area = (start, base - self.size * 0.8, start + wide, base + self.size * 0.25)
                if start >= left + 1 and start + wide <= right - 1 and self._is_free(area, taken):
                    taken.append(area)
                    yield Words(x, base, band.words, "end" if x != start else "start", "quiet")
                    return

    def _grid(self, across: Sequence[Tick]) -> Iterator[Stroke]:
        """Hair lines behind curves, and lines of height behind columns."""
        if self.bare or any(isinstance(mark, Patch) and mark.series < 0 for mark in self.figure.marks):
            return
        for tick in self.upwards:
            if tick.value != self.figure.y.low:
                yield self._across_line(self.y(tick.value), "hair", 0.4)
        if self.figure.x.log:
            for tick in across:
                if not tick.asked and self.figure.x.low < tick.value < self.figure.x.high:
                    x = self.x(tick.value)
                    yield Stroke(((x, self.top), (x, self.bottom)), "hair", 0.4)

    def _across_line(self, y: float, ink: str, thick: float, dashes: tuple[float, ...] = ()) -> Stroke:
        return Stroke(((self.left, y), (self.right, y)), ink, thick, dashes)

    def _patch(self, patch: Patch) -> Iterator[Box | Words]:
        left, right = self.x(patch.left), self.x(patch.right)
        top, bottom = self.y(patch.top), self.y(patch.bottom)
        inset = _INSET if right - left > 1.5 else 0.0
        low = _INSET if bottom - top > 1.5 and not self.bare else 0.0
        on = "ink"
        if patch.series >= 0:
            ink = SERIES[patch.series]
        else:
            ink, on = ("paper", "quiet") if patch.level is None else level(patch.level)
        yield Box(left + inset, top + low, right - left - 2 * inset, bottom - top - 2 * low, ink)
        if patch.words is not None and self.wide(patch.words) + 4 <= right - left and self.line <= bottom - top:
            yield Words((left + right) / 2, (top + bottom) / 2 + self.size * 0.34, patch.words, "middle", on)

    def _level(self, mark: Level) -> Stroke:
        limit = mark.role == "limit"
        dashes = () if limit else (1.2, 1.8)
        thick = 0.9 if limit else 0.8
        if mark.axis == "y":
            return self._across_line(self.y(mark.value), "accent" if limit else "quiet", thick, dashes)
        x, above = self.x(mark.value), self.line * 0.25 if limit else 0.0
        return Stroke(((x, self.top - above), (x, self.bottom + above)), "accent", thick, dashes)

    def _level_words(self) -> Iterator[Words]:
        """The words of each band and straight line, where no curve, no other line and no other words are."""
        taken: list[_Area] = []
        for mark in self.figure.marks:
            if isinstance(mark, Band):
                yield from self._band_words(mark, taken)
        for mark in self.figure.marks:
            if not isinstance(mark, Level) or not mark.words.parts:
                continue
            ink = "accent" if mark.role == "limit" else "quiet"
            if mark.axis == "x":
                half = self.wide(mark.words) / 2
                middle = min(max(self.x(mark.value), half), self.width - half)
                yield Words(middle, self.top - self.line * 0.4, mark.words, "middle", ink)
                continue
            places = list(self._beside(mark))
            free = [(words, area) for words, area in places if self._is_free(area, taken)]
            if free or mark.role == "limit":
                words, area = (free or places)[0]
                taken.append(area)
                yield replace(words, ink=ink)

    def _beside(self, mark: Level) -> Iterator[tuple[Words, _Area]]:
        """Where the words of a level line may stand: a limit's rather above it, a floor's rather below."""
        y, wide = self.y(mark.value), self.wide(mark.words)
        above, below = y - self.size * 0.35, y + self.size * 1.05
        for base in (above, below) if mark.role == "limit" else (below, above):
            for anchor, left in (("end", self.right - 3 - wide), ("start", self.left + 3)):
                x = self.right - 3 if anchor == "end" else left
                words = Words(x, base, mark.words, "end" if anchor == "end" else "start", "ink")
                yield words, (left, base - self.size * 0.8, left + wide, base + self.size * 0.25)

    def _is_free(self, area: _Area, taken: Sequence[_Area]) -> bool:
        left, top, right, bottom = area
        if top < self.top or bottom > self.bottom:
            return False
        if any(left < other[2] and other[0] < right and top < other[3] and other[1] < bottom for other in taken):
            return False
        for mark in self.figure.marks:
            if isinstance(mark, Level):
                at = self.y(mark.value) if mark.axis == "y" else self.x(mark.value)
                if (top if mark.axis == "y" else left - 2) < at < (bottom if mark.axis == "y" else right + 2):
                    return False
        return not any(_meets(one, other, area) for path in self.paths for one, other in pairwise(path))

    @cached_property
    def paths(self) -> list[list[tuple[float, float]]]:
        """The points of each curve."""
        curves = (mark for mark in self.figure.marks if isinstance(mark, Curve))
        return [[(self.x(x), self.y(y)) for x, y in curve.points] for curve in curves]

    def _curve(self, curve: Curve, points: list[tuple[float, float]]) -> Stroke:
        ink, dashes = ("ink", "") if curve.lone else LINES[curve.series % len(LINES)]
        pattern = tuple(float(length) for length in dashes.split())
        return Stroke(tuple(_simpler(points)), ink, 1.2, pattern)

    def _axes(self, across: Sequence[Tick]) -> Iterator[Stroke | Words]:
        figure = self.figure
        yield self._across_line(self.bottom, "ink", 0.5)
        for tick in across:
            left, right = self._span(tick)
            ink = "accent" if tick.asked else "quiet"
            yield Words((left + right) / 2, self.bottom + self.size * 1.25, tick.words, "middle", ink)
        for tick in self.upwards:
            yield Words(self.left - _GAP, self.y(tick.value) + self.size * 0.34, tick.words, "end", "quiet")
        if figure.y.title.parts:
            yield Words(0, self.size * 0.95, figure.y.title, "start", "quiet")

    def _keys(self, top: float) -> Iterator[Box | Stroke | Words]:
        """Which patch or line is which, in columns."""
        if not self.figure.series:
            return
        curve = any(isinstance(mark, Curve) for mark in self.figure.marks)
        sign = 20.0 if curve else self.size
        widest = max(map(self.wide, self.figure.series)) + sign + 4
        number = max(1, min(len(self.figure.series), int((self.width + 2 * _GAP) / (widest + 2 * _GAP))))
        each = self.width / number
        y = top
        for first in range(0, len(self.figure.series), number):
            row = self.figure.series[first : first + number]
            lines = [self._lines(words, each - sign - 4) for words in row]
            for place, (words, x) in enumerate(zip(lines, (each * i for i in range(number)), strict=False)):
                yield self._key(first + place, x, y + self.line * 1.1, sign, curve=curve)
                for below, line in enumerate(words):
                    yield Words(x + sign + 4, y + self.line * (1.1 + 0.9 * below), line, "start", "ink")
            y += self.line * (1.1 + 0.9 * (max(map(len, lines)) - 1))

    def _key(self, place: int, x: float, y: float, sign: float, *, curve: bool) -> Box | Stroke:
        if not curve:
            return Box(x, y - sign * 0.85, sign, sign, SERIES[place])
        ink, dashes = LINES[place % len(LINES)]
        middle = y - self.size * 0.3
        return Stroke(((x, middle), (x + sign, middle)), ink, 1.2, tuple(float(length) for length in dashes.split()))

    def _lines(self, words: Prose, room: float) -> list[Prose]:
        """Words on as many lines as they need."""
        if self.wide(words) <= room:
            return [words]
        lines: list[Prose] = []
        pieces = (p for part in words.parts for p in (re.findall(r"\S+\s*", part) if isinstance(part, str) else [part]))
        for piece in pieces:
            longer = Prose((*lines[-1].parts, piece)) if lines else Prose((piece,))
            if lines and self.wide(longer) <= room:
                lines[-1] = longer
            else:
                lines.append(Prose((piece,)))
        return lines


def _share(axis: Axis, value: Number) -> float:
    if axis.log:
        low = math.log(axis.low)
        return (math.log(value) - low) / (math.log(axis.high) - low) if axis.high != axis.low else 0.0
    return float((value - axis.low) / (axis.high - axis.low))


def _meets(one: tuple[float, float], other: tuple[float, float], area: _Area) -> bool:
    """Whether a straight piece of a curve passes through an area, seen at a few of its points."""
    left, top, right, bottom = area
    steps = [place / 12 for place in range(13)]
    places = ((one[0] + (other[0] - one[0]) * s, one[1] + (other[1] - one[1]) * s) for s in steps)
    return any(left - 1 <= x <= right + 1 and top - 1 <= y <= bottom + 1 for x, y in places)


def _over(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] < other[1] + _GAP and other[0] < one[1] + _GAP


def _simpler(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points of a curve that are needed to draw it: those that a straight line between others misses."""
    if len(points) < 3:
        return list(points)
    (x0, y0), (x1, y1) = points[0], points[-1]
    length = math.hypot(x1 - x0, y1 - y0) or 1.0
    miss = [abs((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)) / length for x, y in points]
    worst = max(range(len(points)), key=lambda place: miss[place])
    if miss[worst] <= _STRAIGHT:
        return [points[0], points[-1]]
    return _simpler(points[: worst + 1])[:-1] + _simpler(points[worst:])


def colour(ink: str) -> str:
    """The colour of an ink: that of its name, or a colour itself."""
    return INKS.get(ink, ink)
