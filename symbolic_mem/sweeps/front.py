"""The figure of a front: what the best rows have of two columns, as steps between them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.rational import Number
from symbolic_mem.document.figure import Axis, Curve, Figure
from symbolic_mem.document.prose import Prose, say, text
from symbolic_mem.document.ticks import byte_powers, byte_ticks, count_tens, count_ticks, second_powers, second_ticks
from symbolic_mem.sweeps.plan import Plan
from symbolic_mem.sweeps.sending import COLUMN

WIDE = 20  # times the least from which on an axis goes in even factors
SECONDS_WIDE = 1000  # so that several powers of ten are ticks
OF_BYTES = ("peak", "left")


def front_figure(plan: Plan, front: Sequence[tuple[str, bool]], points: Sequence[tuple[Number, Number]]) -> Figure:
    """Draw the points of a front, the best of the first column first: each holds until the next is reached.

    Each column of the `front` says whether more of it is better. Raises `BadInput` for fewer points than make a line.
    """
    if len(points) < 2:
        raise BadInput(
            f"the front has {len(points)} of the two points that a figure needs at least; vary more, or write a .csv"
        )
    steps = [points[0]]
    for (_, before), (after, lower) in pairwise(points):
        steps += [(after, before), (after, lower)]
    (one, more), (other, else_more) = front
    pieces = {
        "one": _named(plan, one),
        "other": _named(plan, other),
        "best": text("most" if more else "least"),
        "beside": text("most" if else_more else "least"),
        "title": text(plan.study.heading),
    }
    caption = say("{title}: the {best} of {one} beside the {beside} of {other}", **pieces)
    said = say(
        "{points} configurations that no other beats in both, as steps of {other} against {one}",
        points=len(points),
        **pieces,
    )
    x, y = (_axis(plan, name, [point[place] for point in points]) for place, name in enumerate((one, other)))
    line = Curve(tuple(steps), lone=True)
    return Figure(f"{one} and {other}", caption, said, x, y, (line,), (), (one, other), tuple(points))


def _named(plan: Plan, name: str) -> Prose:
    symbol = next((one for one in (plan.symbol, *plan.axes.symbols) if str(one) == name), None)
    return text(name) if symbol is None else say("{s}", s=symbol)


def _axis(plan: Plan, name: str, values: Sequence[Number]) -> Axis:
    """From zero in even steps, or in even factors where the values are far apart."""
    least, most = min(values), max(values)
    if name == COLUMN:
        if least > 0 and most >= SECONDS_WIDE * least:
            return Axis(_named(plan, name), least, most, second_powers(least, most), log=True)
        high = Fraction(most) * 51 / 50 or Fraction(1)
        return Axis(_named(plan, name), 0, high, second_ticks(high))
    of_bytes = name in OF_BYTES or name in plan.extras
    if least > 0 and most >= WIDE * least:
        ticks: Any = byte_powers(least, most, "GiB") if of_bytes else count_tens(least, most)
        return Axis(_named(plan, name), least, most, ticks, log=True)
    high = most + max(1, most // 50)
    return Axis(_named(plan, name), 0, high, byte_ticks(high, "GiB") if of_bytes else count_ticks(high))
