"""Drawings as SVG: inside a page, in its inks and its type, and alone in a file."""

from __future__ import annotations

from symbolic_mem.base.symbols import Name
from symbolic_mem.document.figure import Figure
from symbolic_mem.document.prose import Chain, Prose
from symbolic_mem.render.inks import SERIES
from symbolic_mem.render.mathml import escape
from symbolic_mem.render.plot import SIZE, WIDTH, Box, Drawing, Stroke, Words, colour, plot
from symbolic_mem.render.text import Text, plain_prose

FONTS = "'New Computer Modern', 'Latin Modern Roman', 'TeX Gyre Pagella', Palatino, 'Noto Serif', serif"
_DOWN, _SMALL = 0.22, 0.72  # of the size of the type: how low a subscript stands, and how small it is
_VARIABLES = {ink: ink for ink in ("ink", "quiet", "hair", "accent", "tint", "paper")} | {
    value: f"series-{place}" for place, value in enumerate(SERIES)
}


class SvgText(Text):
    """Words with symbols in them: italic names, upright subscripts."""

    def name(self, name: Name, exponent: str = "") -> str:
        below = f'<tspan font-size="{_SMALL}em" dy="{_DOWN}em">{escape(name.sub)}</tspan>' if name.sub else ""
        back = f'<tspan dy="-{_DOWN * _SMALL:.3f}em">\N{ZERO WIDTH SPACE}</tspan>' if name.sub else ""
        above = f"^{exponent}" if exponent else ""
        return f'<tspan font-style="italic">{escape(name.base)}</tspan>{below}{back}{above}'

    def words(self, text: str) -> str:
        return escape(super().words(text))

    def operator(self, sign: str) -> str:
        return escape(super().operator(sign))


def inline_svg(figure: Figure, width: float = WIDTH, size: float = SIZE) -> str:
    """Write a figure for a page: its inks are those of the page, where the page has them."""
    drawing = plot(figure, width, size)
    head = (
        f'<svg class="drawing" viewBox="0 0 {_n(drawing.width)} {_n(drawing.height)}" role="img" '
        f'aria-label="{escape(plain_prose(figure.said))}">'
    )
    return head + _body(drawing, page=True) + "</svg>"


def svg(figure: Figure, width: float = WIDTH, size: float = SIZE) -> str:
    """Write a figure as a file of its own, with a title and a description for who cannot see it.

    >>> from symbolic_mem.document.figure import Axis
    >>> from symbolic_mem.document.prose import text
    >>> axis = Axis(text("n"), 1, 2, ())
    >>> svg(Figure("f", text("A & B"), text(""), axis, axis, (), (), (), ())).splitlines()[1]
    '<title>A &amp; B</title>'
    """
    drawing = plot(figure, width, size)
    wide, high = _n(drawing.width), _n(drawing.height)
    place = f'width="{wide}pt" height="{high}pt" viewBox="0 0 {wide} {high}"'
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" {place} role="img" font-family="{FONTS}">',
            f"<title>{escape(plain_prose(figure.caption))}</title>",
            f"<desc>{escape(plain_prose(figure.said))}</desc>",
            _body(drawing, page=False),
            "</svg>\n",
        )
    )


def _body(drawing: Drawing, *, page: bool) -> str:
    shapes = (_shape(shape, page=page) for shape in drawing.shapes)
    return f'<g font-size="{_n(drawing.size)}">' + "\n".join(shapes) + "</g>"


def _shape(shape: Box | Stroke | Words, *, page: bool) -> str:
    match shape:
        case Box():
            place = f'x="{_n(shape.x)}" y="{_n(shape.y)}" width="{_n(shape.width)}" height="{_n(shape.height)}"'
            return f"<rect {place} {_paint('fill', shape.ink, page=page)}/>"
        case Stroke():
            points = " ".join(f"{_n(x)},{_n(y)}" for x, y in shape.points)
            dashes = f' stroke-dasharray="{" ".join(map(_n, shape.dashes))}"' if shape.dashes else ""
            paint = _paint("stroke", shape.ink, page=page)
            return f'<polyline points="{points}" fill="none" stroke-width="{_n(shape.thick)}"{dashes} {paint}/>'
    anchor = "" if shape.anchor == "start" else f' text-anchor="{shape.anchor}"'
    paint = _paint("fill", shape.ink, page=page)
    return f'<text x="{_n(shape.x)}" y="{_n(shape.y)}"{anchor} {paint}>{_words(shape.prose)}</text>'


def _paint(what: str, ink: str, *, page: bool) -> str:
    """A colour: in a page the variable of that ink, with the colour for a page that has none."""
    if page and ink in _VARIABLES:
        return f'style="{what}:var(--{_VARIABLES[ink]},{colour(ink)})"'
    return f'{what}="{colour(ink)}"'


def _words(prose: Prose) -> str:
    face, written = SvgText(), []
    for part in prose.parts:
        match part:
            case str():
                written.append(escape(part))
            case Chain():
                raise TypeError(f"a figure has no room for an equation: {part}")
            case _:
                written.append(face.said(part))
    return "".join(written)


def _n(value: float) -> str:
    """A coordinate to the hundredth of a point."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if round(value, 2) else "0"
