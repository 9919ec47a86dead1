"""How a value shows itself in a notebook: a few blocks as HTML, and one line for where there is no HTML."""

from __future__ import annotations

from collections.abc import Iterable

from symbolic_mem.document.prose import Prose, text
from symbolic_mem.document.steps import Block, Column, Table
from symbolic_mem.render.jinja import blocks_html


def bundle(plain: str, blocks: Iterable[Block], title: str = "", latex: str | None = None) -> dict[str, str]:
    """Return what a notebook keeps of a value: HTML of its blocks, the one `plain` line, and LaTeX where there is some.

    >>> from symbolic_mem.document.steps import Paragraph
    >>> sorted(bundle("<nothing>", [Paragraph(text("Nothing."))]))
    ['text/html', 'text/plain']
    """
    shown = {"text/plain": plain, "text/html": blocks_html(tuple(blocks), title)}
    return shown if latex is None else {**shown, "text/latex": latex}


def facts(caption: str, rows: Iterable[tuple[str, Prose]]) -> Table:
    """A table of what a value is: a word and what belongs to it in each row."""
    columns = (Column(Prose(())), Column(Prose(()), "text"))
    return Table(text(caption), columns, tuple((text(head), said) for head, said in rows))


def short(words: str, most: int = 96) -> str:
    """Cut the words of a `repr` where they are long.

    >>> short("x" * 200)[-4:]
    'xxx…'
    """
    return words if len(words) <= most else f"{words[: most - 1]}…"
