"""What a page of play shows before its script runs: the answer of the study, in words and figures, and where its sliders stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple

import sympy as sp

from symbolic_mem.base.rational import plain, symbolic
from symbolic_mem.base.shown import shown
from symbolic_mem.base.told import grouped
from symbolic_mem.base.written import MAX_VALUE
from symbolic_mem.document.charts import Capacity, Told, stacked
from symbolic_mem.document.family import in_family
from symbolic_mem.document.figure import Figure
from symbolic_mem.document.prose import Amount, Chain, Prose, say
from symbolic_mem.questions.min_degree import MinDegree
from symbolic_mem.questions.parts.charts import bound_chart, device_chart
from symbolic_mem.questions.parts.found_degree import FoundDegree
from symbolic_mem.questions.parts.peaks import parts_of, peak
from symbolic_mem.study.study import Study

STEPS = 10  # doublings of a size in each direction of its slider
TALL = Fraction(29, 80)  # of the width of a curve, which is then as high as that of the script in a wide window


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


def first(study: Study, question: MinDegree) -> First | None:
    """Return what a page shows first; None where a degree is given: then its script draws what there is.

    >>> from symbolic_mem.explore.data import asked
    >>> from symbolic_mem.library.read import load_study
    >>> from symbolic_mem.render.text import plain_prose
    >>> study = load_study("llama-3.1-8b")
    >>> plain_prose(first(study, asked(study)).caption)
    'One device of 4: ≈ 79.310 GiB, at the loss, when the backward pass begins'
    """
    whole = study.under(question)
    if question.symbol in whole.values:
        return None
    found = question.answer(whole)
    family = found.capacity_unit or "GiB"
    if found.value is None:
        bar, caption = _in_full(found, family)
    else:
        drawn = device_chart(found, "device", family)
        if drawn is None:
            return None
        size = Amount(symbolic(found.held(found.value)), family)
        bar, caption = drawn, say("One device of {n}: {size}", n=Amount(symbolic(found.value)), size=size)
    if found.study.at is not None:
        words = peak(found.fullest_instants).words if found.fullest_instants else found.study.at.words
        caption = say("{caption}, at {words}", caption=caption, words=words)
    said, curve = in_family(question.sentence(found), family), bound_chart(found, "bound", family)
    bare = replace(bar, x=replace(bar.x, ticks=()), series=())  # its parts are listed below it, and it has no axis
    return First(said, caption, bare, bar.series, replace(curve, tall=TALL))


def _in_full(found: FoundDegree, family: str) -> tuple[Figure, Prose]:
    """What every device holds where no degree is enough, part by part."""
    parts = parts_of(found.degree.ideal.bound.kept.terms, lambda term: term.at(found.study.numbers))
    size = Amount(symbolic(sum(parts.values())), family)
    caption = say("What every device holds in full, however many there are: {size}", size=size)
    return stacked(Told("device", caption, caption), parts, Capacity(plain(found.capacity.counted), family)), caption


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
        "sizes": [Size(name, symbols[name], int(value)) for name, value in content["symbols"] if name not in fast],
        "device": own["title"],
        "reading": f"{reading}: {told}" if reading else told,
        "held": [Chain(symbols[name], (("=", Amount(sp.Integer(value))),)) for name, value in fast.items()],
    }
