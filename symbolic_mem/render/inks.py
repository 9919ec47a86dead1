"""The colours of figures: each kind of patch darker or lighter than every other by a step that is seen in grey, too."""

from __future__ import annotations

from fractions import Fraction

INKS = {
    "ink": "#1d1c1a",
    "quiet": "#68645c",
    "hair": "#ddd8cc",
    "accent": "#8a2f22",
    "tint": "#f3ebdc",
    "paper": "#fffefa",
}
SERIES = ("#183966", "#b3543c", "#53a17a", "#d4a446", "#a6c5db", "#e1d2bc", "#ece4cf")
LINES = (("#1d1c1a", ""), ("#193c6c", "5 2"), ("#b5543c", "1.5 1.5"), ("#3f7a5c", "6 2 1.5 2"), ("#68645c", "3 3"))
LEVELS = ("#e8eef5", "#cbd9e8", "#acc1da", "#88a7ca", "#5d87b6", "#3d5f87")


def level(share: Fraction) -> tuple[str, str]:
    """The colour of a level from 0 to 1, and the ink that is read on it.

    >>> level(Fraction(0)), level(Fraction(1))
    (('#e8eef5', 'ink'), ('#3d5f87', 'paper'))
    """
    colour = LEVELS[round(share * (len(LEVELS) - 1))]
    return colour, "ink" if luminance(colour) > 0.2 else "paper"


def luminance(colour: str) -> float:
    """The relative luminance of a colour, from 0 (black) to 1 (white), as sRGB defines it.

    >>> luminance("#ffffff"), luminance("#000000")
    (1.0, 0.0)
    """
    parts = [value / 255 for value in rgb(colour)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def rgb(colour: str) -> tuple[int, ...]:
    """The three bytes of a colour.

    >>> rgb("#193c6c")
    (25, 60, 108)
    """
    return tuple(int(colour[place : place + 2], 16) for place in (1, 3, 5))
