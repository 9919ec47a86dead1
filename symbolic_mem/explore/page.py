"""`Explorer`: a page of play of a study, in one file: it computes in the browser, exactly, and fetches nothing."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from functools import cached_property
from html import escape
from pathlib import Path

from symbolic_mem.base.symbols import writing
from symbolic_mem.base.values import dataclass
from symbolic_mem.base.version import __version__
from symbolic_mem.explore.command import Command, Option, options_of
from symbolic_mem.explore.data import asked, data
from symbolic_mem.explore.first import fields, first
from symbolic_mem.explore.ledgers import INSTANT
from symbolic_mem.explore.packed import NODES, TREES, bare, columns, digest, near, packed, ragged, runs, script, tight
from symbolic_mem.questions.parts.asking import usual
from symbolic_mem.render import html
from symbolic_mem.render.files import checked_outputs, write_whole
from symbolic_mem.render.inks import LEVELS, SERIES
from symbolic_mem.render.jinja import environment
from symbolic_mem.render.svg import inline_svg
from symbolic_mem.render.templates import template_folder
from symbolic_mem.render.text import plain_prose
from symbolic_mem.study.filled import unfilled
from symbolic_mem.study.study import Study, of_study

HEIGHT = 760  # pixels of a page inside a notebook
FIGURE, TYPE = 460, 8.5  # the width of the first figures, and of their type
_BETWEEN = re.compile(
    r">\s*\n\s*<"
)  # lines of the template, which no reader sees: elements stand in blocks, rows and grids
SLANTED = frozenset("BCEFLMNPSTVWXYabdfknrtαφ")  # letters that the font of pages of play has slanted


@dataclass(frozen=True, repr=False)
class Explorer:
    """A page of play of one question of a study; `options` are those of the command line that make the study.

    It shows itself in a notebook, and `save` writes it to a file.
    """

    study: Study
    label: str | None = None
    start: str = ""
    options: Sequence[Option] | None = None

    @cached_property
    def html(self) -> str:
        """The page."""
        with writing(self.study.written):
            return _page(self)

    def save(self, path: str | Path) -> None:
        """Write the page to a file that ends in .html, whole or not at all; raises `BadInput` for another ending or no place.

        >>> from symbolic_mem.library.read import load_study
        >>> explorer(load_study("cs336-a2-xxl")).save("page.pdf")
        Traceback (most recent call last):
        symbolic_mem.base.errors.BadInput: 'page.pdf': the ending says the format, and '.pdf' is unknown; use .html
        """
        for checked, _ in checked_outputs([str(path)], "", ("html",)):
            write_whole(checked, self.html.encode(), "")

    def __repr__(self) -> str:
        return f"<explorer of {self.study.name}: open it in a notebook, or save('page.html')>"

    def _repr_html_(self) -> str:
        title = escape(f"Explorer: {self.study.heading}")
        return (
            f'<iframe title="{title}" srcdoc="{escape(self.html)}" width="100%" height="{HEIGHT}" '
            'style="border: 1px solid #8888" sandbox="allow-scripts"></iframe>'
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}


@of_study
def explorer(study: Study, question: str | None = None) -> Explorer:
    """Return the page of play of a study: every size, device, recipe and plan can be changed in the browser, exactly.

    It answers the question of the label `question`, or the first that asks for the smallest number of devices. Raises
    `BadInput` where such a question has no answer, and `MissingValue` naming the symbols without a value.

    >>> from symbolic_mem.library.read import load_study
    >>> page = explorer(load_study("cs336-a2-xxl"))
    >>> page, "<script" in page.html
    (<explorer of cs336-a2-xxl: open it in a notebook, or save('page.html')>, True)
    """
    asked(study, question)
    return Explorer(study, question, study.name, options_of(study))


def _page(explorer: Explorer) -> str:
    from markupsafe import Markup

    study, question = explorer.study, asked(explorer.study, explorer.label)
    command: Command | None = None
    if explorer.options is not None:
        own = usual(study)
        if question.label == "solve":  # nobody wrote it down, and a study with questions is asked another
            asks = [("--for", str(question.symbol))] if own else []
        else:
            asks = [] if question == own[0] else [("--question", question.label)]
        command = (["symbolic-mem", "solve", shlex.quote(explorer.start)], [*explorer.options, *asks])
    folder = template_folder() / "explorer"
    own, opener = script(folder), bare(folder, "open")
    made = environment(html.FACE)
    content, shown = data(study, question, command), first(study, question)
    letters = {base for base, *_ in content["names"].values() if len(base) == 1}
    font = "play" if letters - {"Ψ"} <= SLANTED else "math"
    first_looks = made.get_template("explorer/looks.css.j2").render(series=SERIES, font=font)
    later_looks = made.get_template("explorer/drawn.css.j2").render(levels=LEVELS)
    shorter = {
        "nodes": near(content["nodes"], NODES),
        "trees": near(content["trees"], TREES),
        "terms": columns(content["terms"]),
        "instants": ragged(content["instants"], INSTANT),
        "ledgers": runs(content["ledgers"]),
    }
    held = {**content, **shorter, "looks": tight(later_looks)}
    page = made.get_template("explorer/page.html.j2").render(
        title=study.heading,
        question=plain_prose(study.said(unfilled(question.title))),
        version=__version__,
        digests=[digest(opener), digest(own)],
        packed=Markup(packed(held, own)),
        opener=Markup(opener),
        looks=Markup(tight(first_looks)),
        content=content,
        first=shown,
        bar=Markup(inline_svg(shown.bar, FIGURE, TYPE)),
        curve=Markup(inline_svg(shown.curve, FIGURE, TYPE)),
        **fields(content, study.under(question), question.symbol),
    )
    return _BETWEEN.sub("><", page)
