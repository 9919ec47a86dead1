"""The figure of the times of a pass: mathematics and each thing that is sent, against the tokens of the batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sympy as sp

from symbolic_mem.base.exact import missing, partial
from symbolic_mem.base.rational import Number
from symbolic_mem.base.symbols import T
from symbolic_mem.document.charts import Told, curves
from symbolic_mem.document.figure import Figure
from symbolic_mem.document.prose import Amount, say, text
from symbolic_mem.questions.parts.found_batch import FoundBatch


def times_chart(found: FoundBatch, name: str) -> Figure | None:
    """The seconds of the mathematics and of each collective against the tokens of the whole batch, on a mesh that is given."""
    middle = found.smallest or (None if found.tokens is None else int(found.tokens))
    timed = [(text("mathematics"), "mathematics", found.times.math)]
    timed += [(text(each.name), each.name, each.time) for each in found.times.sent]
    known = {**found.known, T: 1}
    if middle is None or found.used.axes != "given" or any(missing(time, known) for _, _, time in timed):
        return None
    first, last = max(1, middle // 16), middle * 16
    spread = {round(first * (last / first) ** (place / 24)) for place in range(25)}
    places = sorted(spread | ({found.smallest} if found.smallest else set()))
    series = [(words, head, list(_seconds(time, found, places))) for words, head, time in timed]
    pieces = {"t": T, "what": text(found.times.what), "chips": Amount(found.chips)}
    caption = say(
        "Seconds of the mathematics and of each thing that is sent, against the tokens {t} of the whole batch, on {chips} chips.",
        **pieces,
    )
    said = say("{number} curves over {t}.", number=len(series), t=T)
    if found.smallest is not None:
        said = say(
            "{number} curves over {t}; from {smallest} tokens on the chips compute longer than they send.",
            number=len(series),
            t=T,
            smallest=found.smallest,
        )
    return curves(
        Told(name, caption, said), say("tokens {t} of the whole batch", t=T), "T", places, series, found.smallest
    )


def _seconds(time: sp.Expr, found: FoundBatch, places: Sequence[int]) -> Iterator[Number]:
    at = partial(time, found.known, (T,)).call
    return (at(place) for place in places)
