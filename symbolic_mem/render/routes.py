"""The routes to a PDF by name: a TeX engine of the machine, or pandoc and Typst."""

from __future__ import annotations

from symbolic_mem.base.errors import BadInput

ROUTES = ("tex", "typst")


def known_route(route: str) -> None:
    """Raise `BadInput` for a route that there is not.

    >>> known_route("word")
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: route 'word' is not known; known: tex, typst; leave it out to take what is installed
    """
    if route not in ROUTES:
        raise BadInput.one_of(f"route {route!r} is not known", ROUTES, then="; leave it out to take what is installed")
