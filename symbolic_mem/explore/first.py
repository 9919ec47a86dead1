"""What a page of play shows before its script runs: the answer of the study, in words and figures, and where its sliders stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple

import sympy as sp

from symbolic_mem.base.rational import Number, symbolic
from symbolic_mem.base.shown import shown
from symbolic_mem.base.told import grouped
from symbolic_mem.base.written import MAX_VALUE
from symbolic_mem.document.charts import Told, stacked
from symbolic_mem.document.family import in_family
from symbolic_mem.document.figure import Figure
from symbolic_mem.document.prose import Amount, Prose, say
from symbolic_mem.questions.min_degree import MinDegree
from symbolic_mem.questions.parts.charts import bound_chart, capacity_of, parts_at
from symbolic_mem.questions.parts.found_degree import FoundDegree
from symbolic_mem.questions.parts.peaks import Fullest, parts_of, peak
from symbolic_mem.study.answered import found_for
from symbolic_mem.study.study import Study

STEPS = 10  # doublings of a size in each direction of its slider
TALL = Fraction(1, 4)  # of the width of a curve, which is then as high as that of the script in a wide window


class First(NamedTuple):
    """The answer as a sentence, one device at it, its parts in a bar, and its memory against the degree."""

    said: Prose
    caption: Prose
    bar: Figure
    parts: Sequence[Prose]
    curve: Figure


class Size(NamedTuple):
    """A size that has a field."""

    name: str
    symbol: sp.Basic
    value: int

    @property
    def stops(self) -> list[int]:
        """Where its slider can stop."""
        return slider(self.value)

    @property
    def shown(self) -> str:
        """As its field shows it."""
        return grouped(str(self.value))


def first(study: Study, question: MinDegree) -> First:
    """Return what a page shows first: the answer, and one device at the degree that is given, or else at the smallest.

    >>> from symbolic_mem.explore.data import asked
    >>> from symbolic_mem.library.read import load_study
    >>> from symbolic_mem.render.text import plain_prose
    >>> study = load_study("llama-3.1-8b")
    >>> plain_prose(first(study, asked(study)).caption)
    'One device of 4: ≈ 79.310 GiB, at the loss, when the backward pass begins'
    """
    found = found_for(study, question)
    family = found.capacity_unit or "GiB"
    parts, instants = _parts(found)
    pieces = {"n": found.held_at, "size": Amount(symbolic(sum(parts.values())), family)}
    caption = (
        say("What every device holds in full, however many there are: {size}", **pieces)
        if found.held_at is None
        else say("One device of {n}: {size}", **pieces)
    )
    if found.study.at is not None:
        words = peak(instants).words if instants else found.study.at.words
        caption = say("{caption}, at {words}", caption=caption, words=words)
    bar = stacked(Told("device", caption, caption), parts, capacity_of(found.capacity, family))
    said, curve = in_family(found.told, family), bound_chart(found, "bound", family)
    bare = replace(bar, x=replace(bar.x, ticks=()), series=())  # its parts are listed below it, and it has no axis
    return First(said, caption, bare, bar.series, replace(curve, tall=TALL))


def _parts(found: FoundDegree) -> tuple[Mapping[str, Number], Sequence[Fullest]]:
    """The bytes of the parts of one device where it holds most, and the fullest instant of each phase, if known.

    Where no degree is enough and none is given, of what every device holds in full.
    """
    if found.given is not None:
        return found.given.parts(found.question.counted), found.given.instants
    if found.value is not None:
        return parts_at(found)[0], found.fullest_instants
    kept = found.degree.ideal.bound.kept.terms
    return parts_of(kept, lambda term: term.at(found.study.numbers)), ()


def slider(value: int) -> list[int]:
    """Return where the slider of a size can stop: at its doublings, its halves, and about the middle between them.

    >>> slider(3)[:6], slider(3).index(3)
    ([1, 2, 3, 5, 6, 9], 2)
    """
    found = set()
    for k in range(-STEPS, STEPS + 1):
        for halves in (2, 3):
            found.add((value * halves * 2 ** max(k, 0) // 2 ** max(-k, 0) + 1) // 2)
    return sorted(one for one in found if 0 < one <= MAX_VALUE)


def fields(content: Mapping[str, Any], study: Study, n: sp.Symbol) -> dict[str, Any]:
    """Return what the fields of a page show first, of what it holds: the setting of the study."""
    symbols = {str(symbol): symbol for symbol in study.values}
    own = content["devices"][0]
    reading, counted = content["reading"], own["readings"][content["reading"]]
    told = counted["few"] or shown(Fraction(*map(int, counted["bytes"])), counted["unit"]).plain
    fast = dict(content["held"])
    return {
        "n": n,
        "shows": "" if content["shows"] is None else grouped(content["shows"]),
        "sizes": [Size(name, symbols[name], int(value)) for name, value in content["symbols"] if name not in fast],
        "placed": [name for name, _, option, options in content["choices"] if option == "--place" and options[1:]],
        "device": own["title"],
        "reading": f"{reading}: {told}" if reading else told,
        "held": [(symbols[name], sp.Integer(value)) for name, value in fast.items()],
    }
