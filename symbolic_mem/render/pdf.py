"""LaTeX to PDF: by a TeX engine of the machine where there is one, else by the wheels of the extra `documents`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from symbolic_mem.base.errors import MissingProgram
from symbolic_mem.render import tex_engine, typst
from symbolic_mem.render.routes import known_route

if TYPE_CHECKING:
    from symbolic_mem.document.figure import Figure


def pdf(tex: str, figures: Sequence[Figure] = (), *, route: str | None = None, timeout: float = 120) -> bytes:
    r"""Return the PDF of the complete LaTeX document `tex`; the same text gives the same bytes.

    What a document may contain to come out alike by both routes stands in `symbolic_mem.render.typst`.

    Args:
        tex: the document, from `\documentclass` to `\end{document}`.
        figures: those that stand in it as a `picture`, which the route without TeX sets in another way.
        route: "tex" for a TeX engine on the PATH (latexmk, pdflatex, lualatex, tectonic), "typst" for pandoc and Typst;
            None takes the first of the two that is installed and complete.
        timeout: seconds for all programs together.

    Raises:
        BadInput: `route` is none of these.
        MissingProgram: the route, or without a choice both routes, are not installed.
        RenderError: the document is wrong, or the time was not enough.

    >>> pdf("x", route="word")
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: route 'word' is not known; known: tex, typst; leave it out to take what is installed
    """
    if route is not None:
        known_route(route)
    deadline = time.monotonic() + timeout
    incomplete: tex_engine.IncompleteTeX | None = None
    if route != "typst":
        for engine in tex_engine.engines():
            try:
                return tex_engine.typeset(tex, engine, deadline=deadline)
            except tex_engine.IncompleteTeX as error:
                incomplete = incomplete or error
    if route == "typst" or (route is None and typst.is_installed()):
        return typst.typeset(tex, figures, deadline=deadline)
    if incomplete:
        raise incomplete
    if route == "tex":
        raise MissingProgram(
            "no TeX engine is on the PATH; install one (TeX Live: latexmk or pdflatex), or take the route typst"
        )
    raise MissingProgram(
        "no program that makes a PDF is installed; install a TeX engine (TeX Live: latexmk or pdflatex), "
        'or do `pip install "symbolic-mem[documents]"`'
    )
