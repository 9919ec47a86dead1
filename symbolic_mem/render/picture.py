r"""Drawings in LaTeX: a `picture` of rules and curves that needs no package but `color`; its words are set as the text is.

Lines that are not upright or level are `\qbezier`, which pict2e, where a document loads it, draws as real curves.
"""

from __future__ import annotations

import math

from symbolic_mem.document.figure import Figure
from symbolic_mem.render.inks import rgb
from symbolic_mem.render.latex import prose
from symbolic_mem.render.plot import SIZE, WIDTH, Box, Drawing, Stroke, Words, colour, plot

BEGIN, END = "% figure ", "% end of figure"
_PLACES = {"start": "l", "middle": "c", "end": "r"}


def picture(figure: Figure, width: float = WIDTH, size: float = SIZE) -> str:
    r"""Write a figure as a `picture` between two comments that name it.

    >>> from symbolic_mem.document.figure import Axis
    >>> from symbolic_mem.document.prose import text
    >>> axis = Axis(text("n"), 1, 2, ())
    >>> picture(Figure("f", text(""), text(""), axis, axis, (), (), (), ())).splitlines()[:2]
    ['% figure f', '\\begingroup\\setlength{\\unitlength}{1bp}\\fontsize{8}{9.6}\\selectfont']
    """
    drawing = plot(figure, width, size)
    lines = [
        f"{BEGIN}{figure.name}",
        rf"\begingroup\setlength{{\unitlength}}{{1bp}}\fontsize{{{_n(size)}}}{{{_n(size * 1.2)}}}\selectfont",
        rf"\begin{{picture}}({_n(drawing.width)},{_n(drawing.height)})%",
    ]
    for shape in drawing.shapes:
        lines += _shape(shape, drawing)
    return "\n".join([*lines, r"\end{picture}\endgroup", END])


def _shape(shape: Box | Stroke | Words, drawing: Drawing) -> list[str]:
    high = drawing.height
    match shape:
        case Box():
            return [_rule(shape.x, high - shape.y - shape.height, shape.width, shape.height, shape.ink)]
        case Stroke():
            return _stroke(shape, high)
    words = rf"\makebox[0pt][{_PLACES[shape.anchor]}]{{{prose(shape.prose)}}}"
    return [_put(shape.x, high - shape.y, shape.ink, words)]


def _stroke(stroke: Stroke, high: float) -> list[str]:
    thick, lines = stroke.thick, []
    if len(stroke.dashes) == 2 and len(stroke.points) == 2:
        (x0, y0), (x1, y1) = stroke.points
        drawn, step = stroke.dashes[0], sum(stroke.dashes)
        if y0 == y1:
            dash = rf"{{{_ink(stroke.ink)}\rule{{{_n(drawn)}bp}}{{{_n(thick)}bp}}}}"
            return [_many(min(x0, x1), high - y0 - thick / 2, (step, 0), abs(x1 - x0), dash)]
        if x0 == x1:
            dash = rf"{{{_ink(stroke.ink)}\rule{{{_n(thick)}bp}}{{{_n(drawn)}bp}}}}"
            return [_many(x0 - thick / 2, high - max(y0, y1), (0, step), abs(y1 - y0), dash)]
    for (x0, y0), (x1, y1) in _pieces(stroke):
        if abs(y0 - y1) < 0.005:
            lines.append(_rule(min(x0, x1), high - y0 - thick / 2, abs(x1 - x0), thick, stroke.ink))
        elif abs(x0 - x1) < 0.005:
            lines.append(_rule(x0 - thick / 2, high - max(y0, y1), thick, abs(y1 - y0), stroke.ink))
        else:
            middle = f"({_n((x0 + x1) / 2)},{_n(high - (y0 + y1) / 2)})"
            ends = f"({_n(x0)},{_n(high - y0)})", f"({_n(x1)},{_n(high - y1)})"
            lines.append(rf"{{{_ink(stroke.ink)}\linethickness{{{_n(thick)}bp}}\qbezier{ends[0]}{middle}{ends[1]}}}%")
    return lines


Piece = tuple[tuple[float, float], tuple[float, float]]


def _pieces(stroke: Stroke) -> list[Piece]:
    """The straight pieces of a line: those between its points, cut into its dashes."""
    whole = list(zip(stroke.points, stroke.points[1:], strict=False))
    if not stroke.dashes:
        return whole
    pattern = [(length, place % 2 == 0) for place, length in enumerate(stroke.dashes)]
    found: list[Piece] = []
    place, left = 0, pattern[0][0]
    for (x0, y0), (x1, y1) in whole:
        length = math.hypot(x1 - x0, y1 - y0)
        at = 0.0
        while length - at > 1e-6:
            step = min(left, length - at)
            if pattern[place][1]:
                one, other = at / length, (at + step) / length
                start, end = (
                    (x0 + (x1 - x0) * one, y0 + (y1 - y0) * one),
                    (x0 + (x1 - x0) * other, y0 + (y1 - y0) * other),
                )
                found.append((start, end))
            at, left = at + step, left - step
            if left <= 1e-6:
                place = (place + 1) % len(pattern)
                left = pattern[place][0]
    return found


def _many(x: float, y: float, step: tuple[float, float], length: float, dash: str) -> str:
    """So many dashes as a length has, one `step` after the other."""
    return rf"\multiput({_n(x)},{_n(y)})({_n(step[0])},{_n(step[1])}){{{max(1, round(length / max(step)))}}}{dash}%"


def _rule(x: float, y: float, width: float, height: float, ink: str) -> str:
    return _put(x, y, ink, rf"\rule{{{_n(width)}bp}}{{{_n(height)}bp}}")


def _put(x: float, y: float, ink: str, what: str) -> str:
    return rf"\put({_n(x)},{_n(y)}){{{_ink(ink)}{what}}}%"


def _ink(ink: str) -> str:
    parts = ",".join(f"{value / 255:.3f}".rstrip("0").rstrip(".") for value in rgb(colour(ink)))
    return rf"\color[rgb]{{{parts}}}"


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if round(value, 2) else "0"
