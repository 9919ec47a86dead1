"""`Figure`: a picture of numbers as data: axes, marks in the units of the axes, and the numbers themselves as rows."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from symbolic_mem.base.cells import line
from symbolic_mem.base.rational import Number
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Prose


@dataclass(frozen=True)
class Tick:
    """A value on an axis with its words; the one that is `asked` for is marked, and never left out."""

    value: Number
    words: Prose
    asked: bool = False


@dataclass(frozen=True)
class Axis:
    """The values from `low` to `high`, in even steps or, on a `log` axis, in even factors."""

    title: Prose
    low: Number
    high: Number
    ticks: tuple[Tick, ...]
    log: bool = False


@dataclass(frozen=True)
class Patch:
    """A filled rectangle of a `series`, or of a `level` from 0 (light) to 1 (dark), perhaps with words in it."""

    left: Number
    right: Number
    bottom: Number
    top: Number
    series: int = 0
    level: Fraction | None = None
    words: Prose | None = None


@dataclass(frozen=True)
class Curve:
    """A line through points, of a `series`; a `lone` one is the only one, and drawn in ink."""

    points: tuple[tuple[Number, Number], ...]
    series: int = 0
    lone: bool = False


@dataclass(frozen=True)
class Level:
    """A straight line over the whole figure at a value of one axis: a capacity (``limit``), a ``floor``, or the ``answer``."""

    axis: Literal["x", "y"]
    value: Number
    words: Prose
    role: Literal["limit", "floor", "answer"]


@dataclass(frozen=True)
class Band:
    """The part of the x axis in which something holds, and the words that say it."""

    low: Number
    high: Number
    words: Prose


Mark = Patch | Curve | Level | Band


@dataclass(frozen=True)
class Figure:
    """A picture of numbers: `name` is that of its files, `caption` stands below it, `said` is for who cannot see it.

    `series` are the words of each kind of patch or curve. `heads` and `rows` are the numbers that it shows, exactly.
    `tall` is its height as a part of its width; None for one row of patches.
    """

    name: str
    caption: Prose
    said: Prose
    x: Axis
    y: Axis
    marks: tuple[Mark, ...]
    series: tuple[Prose, ...]
    heads: tuple[str, ...]
    rows: tuple[tuple[str | Number | None, ...], ...]
    tall: Fraction | None = Fraction(9, 20)

    @property
    def csv(self) -> str:
        r"""The numbers as comma-separated values; one that is not whole as the nearest double, one that is not there empty.

        >>> from symbolic_mem.document.prose import text
        >>> axis = Axis(text("n"), 1, 2, ())
        >>> Figure("f", text(""), text(""), axis, axis, (), (), ("n", "bytes"), ((2, Fraction(1, 2)), (3, None))).csv
        'n,bytes\n2,0.5\n3,\n'
        """
        return line(self.heads) + "".join(line(map(_cell, row)) for row in self.rows)


def _cell(value: str | Number | None) -> str:
    match value:
        case None:
            return ""
        case Fraction():
            return str(value.numerator) if value.denominator == 1 else repr(float(value))
    return str(value)
