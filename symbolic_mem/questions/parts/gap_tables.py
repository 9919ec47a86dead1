"""The tables of a comparison, and in words why a term or a tensor differs."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from symbolic_mem.accounts.gaps import Gap
from symbolic_mem.accounts.tensor_gaps import TensorGap
from symbolic_mem.document.prose import Brief, Prose, say, text
from symbolic_mem.document.steps import Column, Table
from symbolic_mem.document.words import about, count, gib, joined, listed
from symbolic_mem.questions.parts.comparison import FoundGaps, Sized


def gap_tables(found: FoundGaps) -> list[Table]:
    """Tabulate the terms that differ, and the saved tensors that differ inside the activations."""
    terms = [_terms_table(found)] if any(term.bytes != 0 for term in found.terms) else []
    return terms + ([_tensors_table(found)] if found.tensors else [])


def term_words(gap: Gap, tensors: Sequence[Sized[TensorGap]] = ()) -> Prose:
    """Name a term, and say in few words why it differs: of many saved `tensors`, the one that differs most."""
    reason = Brief(
        reason_words(gap), otherwise=_briefly(gap, [each for each in tensors if each.gap.layer == gap.layer])
    )
    return say("{name} ({reason})", name=text(gap.name), reason=reason)


def reason_words(gap: Gap) -> Prose:
    """Say why a term differs, without the expressions of its elements: the formula of the difference shows them."""
    if gap.only:
        return _only(gap)
    said = [text(each.words("→")) for each in gap.tensors]
    said += [
        text("another number of elements")
        if each.what == "elements"
        else say("{what}: {old} → {new}", what=each.what, old=each.old, new=each.new)
        for each in gap.contrasts
    ]
    return joined(said, "; ", "; ")


def _briefly(gap: Gap, tensors: Sequence[Sized[TensorGap]]) -> Prose:
    if gap.only == "first":
        return text("only in the first")
    if gap.only == "second":
        return text("only in the second")
    if gap.tensors:
        most = max(tensors, key=lambda each: abs(each.bytes or 0), default=None)
        if most is None or not most.bytes:
            return text("other tensors, or other bytes for each element")
        alike = [each.gap.tensor for each in tensors if each.bytes == most.bytes and each.gap.only == most.gap.only]
        pieces = {"tensor": text(listed(alike)), "size": about(gib(abs(most.bytes)))}
        if most.gap.only and len(alike) > 1:
            return say("above all {tensor}, {size} each: only in the {side}", side=most.gap.only, **pieces)
        if most.gap.only:
            return say("above all {tensor}, {size}: only in the {side}", side=most.gap.only, **pieces)
        pieces["tensor"] = text(most.gap.tensor)
        way = text("less" if most.bytes < 0 else "more")
        return say("above all {tensor}, {size} {way}: {why}", way=way, why=_tensor_words(most.gap), **pieces)
    what = gap.contrasts[0].what
    return text("another number of elements" if what == "elements" else what)


def _only(gap: Gap | TensorGap) -> Prose:
    note = text(gap.note if isinstance(gap, TensorGap) else gap.said)
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
    rows = []
    for term in terms:
        below = bool(found.tensors) and term.gap.kind == "activations"
        if below:
            name, reason = term.gap.layer, text("")
            cell = Brief(term.formula, otherwise=text("sum of its tensors"))
        else:
            name, reason = term.gap.name, reason_words(term.gap)
            cell = Brief(term.formula, otherwise=text("by the shape of each tensor"), wraps=True)
        rows.append((text(name), Prose((cell,)), *_figures(term.bytes), reason))
    rows.append((text("difference"), text(""), *_figures(found.bytes), text("")))
    return Table(
        text("The terms that differ, second less first"),
        (
            Column(text("term"), "name"),
            Column(text("formula"), "formula"),
            Column(text("bytes"), "right"),
            Column(text("memory"), "right"),
            Column(text("why"), "under"),
        ),
        tuple(rows),
        totals=True,
    )


def _tensors_table(found: FoundGaps) -> Table:
    rows, last = [], ""
    for each in found.tensors:
        name, last = (each.gap.layer if each.gap.layer != last else ""), each.gap.layer
        _, size = _figures(each.bytes)
        rows.append((text(name), text(each.gap.tensor), say("{f}", f=each.formula), size, _tensor_words(each.gap)))
    return Table(
        text("The saved tensors that differ, all repetitions of their layer together, second less first"),
        (
            Column(text("layer")),
            Column(text("tensor")),
            Column(text("formula"), "formula"),
            Column(text("memory"), "right"),
            Column(text("why"), "under"),
        ),
        tuple(rows),
    )


def _figures(size: sp.Rational | None) -> tuple[Prose, Prose]:
    if size is None:
        return text("–"), text("–")
    return count(size), about(gib(size))
