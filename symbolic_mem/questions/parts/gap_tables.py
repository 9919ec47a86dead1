"""The tables of a comparison, and in words why a term or a tensor differs."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from symbolic_mem.accounts.gaps import Gap
from symbolic_mem.accounts.tensor_gaps import TensorGap
from symbolic_mem.document.prose import Amount, Prose, say, text
from symbolic_mem.document.steps import Column, Table
from symbolic_mem.document.words import about, count, joined
from symbolic_mem.questions.parts.comparison import FoundGaps, Sized

LONG_NAME = 24  # characters; a longer one wraps in its table
LONG_FORMULA = 30  # characters; a longer one wraps in its table
LONGEST_FORMULA = 160  # characters; a longer one stands in the JSON only
LONG_REASON = 80


def gap_tables(found: FoundGaps) -> list[Table]:
    """Tabulate the terms that differ, and the saved tensors that differ inside the activations."""
    terms = [_terms_table(found)] if found.terms else []
    return terms + ([_tensors_table(found)] if found.tensors else [])


def term_words(gap: Gap) -> Prose:
    """Name a term, and say in few words why it differs."""
    reason = reason_words(gap)
    if len(_plain(reason)) > LONG_REASON:
        reason = _briefly(gap)
    return say("{name} ({reason})", name=text(gap.name), reason=reason)


def reason_words(gap: Gap) -> Prose:
    """Say why a term differs, without the expressions of its elements: the formula of the difference shows them."""
    if gap.only:
        return _only(gap)
    said = [
        text("another number of elements") if each.what == "elements" else text(f"{each.what}: {each.old} → {each.new}")
        for each in gap.contrasts
    ]
    return joined(said, "; ", "; ")


def too_long(formula: sp.Expr) -> bool:
    """Whether a formula stands in the JSON only."""
    return len(str(formula)) > LONGEST_FORMULA


def _briefly(gap: Gap) -> Prose:
    if gap.only == "first":
        return text("only in the first")
    if gap.only == "second":
        return text("only in the second")
    what = gap.contrasts[0].what
    return text("another number of elements" if what == "elements" else what)


def _only(gap: Gap | TensorGap) -> Prose:
    note = text(gap.note)
    if gap.only == "first":
        return say("only in the first: {note}", note=note) if gap.note else text("only in the first")
    return say("only in the second: {note}", note=note) if gap.note else text("only in the second")


def _tensor_words(gap: TensorGap) -> Prose:
    if gap.only:
        return _only(gap)
    said = [say("{what}: {old} → {new}", what=each.what, old=each.old, new=each.new) for each in gap.contrasts]
    return joined(said, "; ", "; ")


def _terms_table(found: FoundGaps) -> Table:
    terms = [term for term in found.terms if term.bytes != 0]
    rows, names = [], []
    for term in terms:
        below = bool(found.tensors) and term.gap.kind == "activations"
        cell = say("{f}", f=term.formula)
        if below and len(str(term.formula)) > LONG_FORMULA:
            cell = text("sum of its tensors")
        elif too_long(term.formula):
            cell = text("by the shape of each tensor")
        name = term.gap.layer if below else term.gap.name
        names.append(name)
        reason = text("tensors below") if below else reason_words(term.gap)
        rows.append((text(name), cell, *_figures(term.bytes), reason))
    shown = [term.formula for term in terms]
    if found.tensors:
        shown = [formula for formula in shown if len(str(formula)) <= LONG_FORMULA]
    rows.append((text("difference"), text(""), *_figures(found.bytes), text("")))
    told = not found.tensors or any(term.gap.kind != "activations" for term in terms)
    why = Column(text("why"), "text" if told else "left")
    return Table(
        text("The terms that differ, second less first"),
        (
            _named("term", [*names, ""]),
            _formula(shown),
            Column(text("bytes"), "right"),
            Column(text("GiB"), "right"),
            why,
        ),
        tuple(rows),
        totals=True,
    )


def _tensors_table(found: FoundGaps) -> Table:
    rows, last = [], ""
    for each in found.tensors:
        name, last = (each.gap.layer if each.gap.layer != last else ""), each.gap.layer
        rows.append(
            (text(name), text(each.gap.tensor), say("{f}", f=each.formula), *_size(each), _tensor_words(each.gap))
        )
    return Table(
        text("The saved tensors that differ, all repetitions of their layer together, second less first"),
        (
            Column(text("layer")),
            Column(text("tensor")),
            _formula([each.formula for each in found.tensors]),
            Column(text("GiB"), "right"),
            Column(text("why"), "note"),
        ),
        tuple(rows),
    )


def _named(what: str, names: Sequence[str]) -> Column:
    return Column(text(what), "note" if max(map(len, names)) > LONG_NAME else "left")


def _formula(formulas: Sequence[sp.Expr]) -> Column:
    shown = [formula for formula in formulas if not too_long(formula)]
    long = max((len(str(formula)) for formula in shown), default=0) > LONG_FORMULA
    return Column(text("formula"), "text" if long else "left")


def _size(each: Sized[TensorGap]) -> tuple[Prose]:
    return _figures(each.bytes)[1:]


def _figures(size: sp.Rational | None) -> tuple[Prose, Prose]:
    if size is None:
        return text("–"), text("–")
    return count(size), about(Amount(size / 2**30))


def _plain(words: Prose) -> str:
    return "".join(str(part) for part in words.parts)
