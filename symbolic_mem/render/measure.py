"""How wide words are in a figure, by a table of the widths of letters; never narrower than the usual serif types."""

from __future__ import annotations

from symbolic_mem.document.prose import Prose
from symbolic_mem.render.text import plain_prose

_WIDTHS = {" ": 0.27, "_": 0.0} | {
    sign: width
    for signs, width in (
        ("ijl.,:;'|!", 0.3),
        ("frtI()[]-", 0.39),
        ("ceszJ/", 0.5),
        ("0123456789", 0.52),
        ("mwM", 0.9),
        ("W%", 1.0),
        ("ABCDEFGHKLNOPQRSTUVXYZ≈=−+–", 0.74),
    )
    for sign in signs
}
_USUAL = 0.57


def measured(prose: Prose, size: float) -> float:
    """The width of words at a size of type, in the unit of that size.

    >>> from symbolic_mem.document.prose import text
    >>> measured(text("95 GiB"), 10)
    30.9
    """
    return round(size * sum(_WIDTHS.get(sign, _USUAL) for sign in plain_prose(prose)), 2)
