"""LaTeX as templates set it: sentences and displays of `symbolic_mem.render.latex`, figures as a `picture` in the text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symbolic_mem.document.figure import Figure
from symbolic_mem.document.prose import Prose
from symbolic_mem.render import latex
from symbolic_mem.render.columns import crowded
from symbolic_mem.render.face import Face

if TYPE_CHECKING:
    from markupsafe import Markup


def draw(figure: Figure) -> str:
    """Write a figure as a `picture`, so that the file stays one."""
    from symbolic_mem.render.picture import picture

    return picture(figure)


def cell(prose: Prose, width: float) -> Markup:
    r"""Write the cell of a column that has that part of the line (0: it does not wrap).

    TeX breaks a formula at its signs; where a term is wider than the column it may between factors, too.

    >>> from symbolic_mem.base.symbols import B, S
    >>> cell(Prose((B * S,)), 0.01)
    Markup('\\(B \\, \\allowbreak S\\)')
    """
    from markupsafe import Markup

    written = latex.prose(prose)
    if width and crowded(prose, width):
        written = written.replace(r" \, ", r" \, \allowbreak ")
    return Markup(written)


_OPENING = {"block_start_string": "<%", "variable_start_string": "<<", "comment_start_string": "<#"}
_CLOSING = {"block_end_string": "%>", "variable_end_string": ">>", "comment_end_string": "#>"}
FACE = Face("tex", latex.escape, latex.prose, latex.display, draw, _OPENING | _CLOSING, {"cell": cell})
