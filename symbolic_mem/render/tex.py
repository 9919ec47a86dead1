"""LaTeX as templates set it: sentences and displays of `symbolic_mem.render.latex`, figures as a `picture` in the text."""

from __future__ import annotations

from symbolic_mem.document.figure import Figure
from symbolic_mem.render import latex
from symbolic_mem.render.face import Face


def draw(figure: Figure) -> str:
    """Write a figure as a `picture`, so that the file stays one."""
    from symbolic_mem.render.picture import picture

    return picture(figure)


_OPENING = {"block_start_string": "<%", "variable_start_string": "<<", "comment_start_string": "<#"}
_CLOSING = {"block_end_string": "%>", "variable_end_string": ">>", "comment_end_string": "#>"}
FACE = Face("tex", latex.escape, latex.prose, latex.display, draw, marks=_OPENING | _CLOSING)
