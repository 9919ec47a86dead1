"""Which degrees of a sweep divide nothing: rows that differ in them alone hold the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import sympy as sp

from symbolic_mem.document.prose import Prose, say, text
from symbolic_mem.document.words import listed
from symbolic_mem.questions.parts.assumptions import DEGREES, idle_of, idle_words
from symbolic_mem.questions.parts.instants import staged
from symbolic_mem.study.study import Study
from symbolic_mem.sweeps.axes import Axes


def idle(studies: Mapping[tuple[int, ...], Study], axes: Axes) -> Iterator[Prose]:
    """Name each degree of more than 1, given or varied, that divides nothing; under which choices, where not under all."""
    most = {symbol: axis.span(symbol)[1] for axis in axes.numbers for symbol in axis.columns}
    for symbol in DEGREES:
        under: dict[Prose, set[tuple[int, ...]]] = {}
        for choice, study in studies.items():
            value = study.values.get(symbol, sp.S.One)
            if most.get(symbol, value) != 1 and idle_of(study, [symbol]):
                words = idle_words(symbol, None if symbol in most else value, staged=staged(study))
                under.setdefault(words, set()).add(choice)
        yield from said_under(under, studies, axes)


def said_under(
    under: Mapping[Prose, set[tuple[int, ...]]], studies: Iterable[tuple[int, ...]], axes: Axes
) -> Iterator[Prose]:
    """Yield each of several words, with the choices under which they are true where these are not all."""
    every = list(studies)
    for words, those in under.items():
        if len(those) == len(every):
            yield words
        else:
            yield say("With {those}: {words}", those=text(_named(those, every, axes)), words=words)


def _named(those: set[tuple[int, ...]], studies: Iterable[tuple[int, ...]], axes: Axes) -> str:
    """Some of the choices by name, as in ``plan fsdp2``: by one axis where it tells them from the others, else by all."""
    every = list(studies)
    for position, axis in enumerate(axes.choices):
        taken = {choice[position] for choice in those}
        if all((choice[position] in taken) == (choice in those) for choice in every):
            return f"{axis.name} {listed([axis.options[one] for one in sorted(taken)])}"
    pairs = [zip(axes.choices, choice, strict=True) for choice in sorted(those)]
    return listed([", ".join(f"{one.name} {one.options[i]}" for one, i in each) for each in pairs])
