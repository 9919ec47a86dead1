"""What whole rows take at the degrees that a document answers with, where the study itself gives none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sympy as sp

from symbolic_mem.base.exact import Numbers
from symbolic_mem.base.rational import Number
from symbolic_mem.base.symbols import n_fsdp
from symbolic_mem.document.prose import Chain, Prose, amount, say, text
from symbolic_mem.document.words import about, gib, joined
from symbolic_mem.questions.parts.found_instants import FoundAtInstants
from symbolic_mem.questions.parts.keys import OfRows
from symbolic_mem.questions.parts.uncounted import cut_rows
from symbolic_mem.study.found import Found
from symbolic_mem.study.study import Study


def rows_of_answers(study: Study, answered: Sequence[Found]) -> tuple[Prose, ...] | None:
    """One item for each padding: its bytes at the degree of each answer; nothing of what is 0, None without such a degree.

    >>> from symbolic_mem.library.read import load_study
    >>> from symbolic_mem.render.text import plain_prose
    >>> from symbolic_mem.study.answered import found_for
    >>> study = load_study("qwen3-30b-a3b")
    >>> for one in rows_of_answers(study, [found_for(study, study.question("b"))]):
    ...     print(plain_prose(one))
    row padding of what each device keeps: ≈ 2.4296 GiB at n_fsdp = 39
    row padding of what is gathered, sent or copied for a moment, at most: ≈ 1.4809 GiB at n_fsdp = 39
    """
    if n_fsdp in study.values:
        return None
    sizes: dict[str, dict[tuple[int, Number], Prose]] = {}
    for found, degree, values in _at_degrees(answered):
        numbers = Numbers.of(values)
        for one in cut_rows(found.study):
            size = one.at(numbers)
            if size is not None:
                where = Chain(n_fsdp, (amount(degree),))
                sizes.setdefault(one.words, {})[degree, size] = say(
                    "{size} at {where}", size=about(gib(size)), where=where
                )
    if not sizes:
        return None
    return tuple(
        say("{what}: {sizes}", what=text(words), sizes=joined(tuple(said.values())))
        for words, said in sizes.items()
        if any(size for _, size in said)
    )


def _at_degrees(answered: Sequence[Found]) -> Iterator[tuple[Found, int, Mapping[sp.Symbol, Any]]]:
    """The answers that have a degree, found or given by their question, and no padding in it, each with its numbers."""
    for found in answered:
        if isinstance(found.question, OfRows) and found.question.padded_rows:
            continue
        if isinstance(found, FoundAtInstants) and n_fsdp in found.known:
            if found.value is not None:
                yield found, int(found.known[n_fsdp]), found.known
            continue
        degree = found.question.fixed(found.study).get(n_fsdp.name)
        if degree is not None:
            yield found, degree, {**found.study.values, n_fsdp: sp.Integer(degree)}
