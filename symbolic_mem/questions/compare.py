"""The question `compare`: two accounts of one study, and the terms and tensors that explain the gap between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy as sp

from symbolic_mem.accounts.gaps import Gap, compare
from symbolic_mem.accounts.tensor_gaps import TensorGap, tensor_gaps, tidy
from symbolic_mem.base.exact import at, missing
from symbolic_mem.base.formula import write_formula
from symbolic_mem.base.symbols import local
from symbolic_mem.document.prose import Amount, Chain, Prose, Total, amount, say, text
from symbolic_mem.document.steps import Answer, Block, Column, Section, Table
from symbolic_mem.document.words import about, count, gib
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.sides import CHOICES, Side, two_sides
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

LONG_NAME = 24  # characters; a longer one wraps in its table
LONG_FORMULA = 30  # characters; a longer one wraps in its table
LONGEST_FORMULA = 160  # characters; a longer one stands in the JSON only
LONG_REASON = 80


@dataclass(frozen=True)
class Comparison:
    """Two sides, the terms that differ, and inside the activations the tensors that differ."""

    a: Side
    b: Side
    gaps: tuple[Gap, ...]
    tensors: tuple[TensorGap, ...]

    @property
    def values(self) -> Mapping[sp.Symbol, sp.Rational]:
        """The numbers of both sides, which are those of the study."""
        return self.a.study.values

    @property
    def difference(self) -> sp.Expr:
        """Bytes that the second side needs more than the first."""
        return tidy(sp.Add(*(gap.difference for gap in self.gaps)))

    def largest(self) -> tuple[Gap, sp.Rational] | None:
        """The term that differs most, and its bytes; None where nothing differs or a symbol has no value."""
        sized = [(gap, value) for gap in self.gaps if (value := at(gap.difference, self.values)) is not None]
        return max(sized, key=lambda pair: abs(pair[1])) if len(sized) == len(self.gaps) and sized else None


def compared(a: Side, b: Side) -> Comparison:
    """Compare two sides: terms first, then the tensors that the layers keep; each list sums to its difference."""
    return Comparison(a, b, compare(a.memory, b.memory), tuple(tensor_gaps(a.study, b.study)))


def sentence(found: Comparison) -> Prose:
    """Say in one sentence which side needs more, by how much, and which term explains most of it."""
    a, b = found.a.name, found.b.name
    device = " on each device" if found.a.placed else ""
    gap = at(found.difference, found.values)
    if found.difference == 0 and not found.gaps:
        return text(f"Nothing differs between {a} and {b}{device}.")
    if gap is None and _too_long(found.difference):
        absent = ", ".join(missing(found.difference, found.values))
        return text(f"{_upper(b)} and {a} differ{device} in {_terms(len(found.gaps))}; by how much needs {absent}.")
    if gap is None:
        return say(
            f"{_upper(b)} needs {{d}} bytes more than {a}{device}, in {_terms(len(found.gaps))}.", d=found.difference
        )
    more = "more" if gap >= 0 else "less"
    start = say(f"{_upper(b)} needs {{d}} {more} than {a}{device}", d=about(gib(abs(gap))))
    if gap == 0:
        start = text(f"{_upper(b)} needs as much as {a}{device}")
    largest = found.largest()
    if len(found.gaps) == 1 or largest is None:
        return say("{start}: {one}.", start=start, one=text(_why(found.gaps[0])))
    most, size = largest
    return say(
        f"{{start}}; the largest of {len(found.gaps)} terms that differ is {{d}} {'more' if size > 0 else 'less'}: {{one}}.",
        start=start,
        d=about(gib(abs(size))),
        one=text(_why(most)),
    )


def comparison(study: Study, question: Question) -> tuple[Section, dict[str, object]]:
    """Derive the difference of two accounts of the study term by term; every line is checked.

    Raises `MissingValue` for a symbol without value, and `BadInput` when there are no two sides.
    """
    choices = {key: _listed(question.get(key)) for key in CHOICES if question.get(key) is not None}
    found = compared(*two_sides(study, choices, question.where))
    for side in (found.a, found.b):
        study.need(side.memory.total, f"question {question.label}")
    blocks = comparison_blocks(found)
    title = question.get("title", f"{_upper(found.a.name)} against {found.b.name}")
    facts = {"study": study.name, "question": question.label, **facts_of(found)}
    return Section(text(f"({question.label}) {title}"), tuple(blocks)), facts


def comparison_blocks(found: Comparison) -> list[Block]:
    """The totals of both sides, their difference as the sum of its terms, the terms, the tensors, the sentence."""
    work = Work(found.values)
    first, second = local("M", "first"), local("M", "second")
    one, other = (work.define(symbol, side.memory.total) for symbol, side in ((first, found.a), (second, found.b)))
    gap = work.number(second - first)
    sizes = tuple(gib(at(term.difference, found.values) or sp.S.Zero) for term in found.gaps)
    links = (amount(gap, "bytes"), amount(gap, "GiB"))
    blocks: list[Block] = [
        work.step(
            text(f"First: {found.a.name}. Second: {found.b.name}. They take"),
            Chain(first, (amount(one, "bytes"), amount(one, "GiB"))),
            Chain(second, (amount(other, "bytes"), amount(other, "GiB"))),
            Chain(second - first, links),
        )
    ]
    if len(sizes) > 1 and all(size.shown.exact for size in sizes):
        blocks.append(work.step(text("which is the sum of its terms:"), Chain(second - first, (("=", Total(sizes)),))))
    return [*blocks, *tables(found), Answer(sentence(found))]


def tables(found: Comparison) -> list[Table]:
    """Tabulate the terms that differ, and the saved tensors that differ inside the activations."""
    terms = [_terms_table(found)] if found.gaps else []
    return terms + ([_tensors_table(found)] if found.tensors else [])


def facts_of(found: Comparison) -> dict[str, object]:
    """Return what a program wants to know: both totals, the difference, and every term with its formula and bytes."""
    return {
        "a": {
            "name": found.a.name,
            "formula": write_formula(found.a.memory.total),
            "bytes": at(found.a.memory.total, found.values),
        },
        "b": {
            "name": found.b.name,
            "formula": write_formula(found.b.memory.total),
            "bytes": at(found.b.memory.total, found.values),
        },
        "per_device": found.a.placed,
        "difference_formula": write_formula(found.difference),
        "difference_bytes": at(found.difference, found.values),
        "terms": [
            {
                "kind": gap.kind,
                "name": gap.name,
                "formula": write_formula(tidy(gap.difference)),
                "bytes": at(gap.difference, found.values),
                "reason": gap.reason,
            }
            for gap in found.gaps
        ],
        "tensors": [
            {
                "layer": gap.layer,
                "tensor": gap.tensor,
                "formula": write_formula(gap.difference),
                "bytes": at(gap.difference, found.values),
                "reason": gap.reason,
            }
            for gap in found.tensors
        ],
    }


def _short(reason: str) -> str:
    """Leave the expressions of the number of elements out: the formula of the difference shows them."""
    parts = reason.replace("->", "→").split("; ")
    return "; ".join("another number of elements" if part.startswith("elements: ") else part for part in parts)


def _terms_table(found: Comparison) -> Table:
    gaps = [gap for gap in found.gaps if at(gap.difference, found.values) != 0]
    shown = [tidy(gap.difference) for gap in gaps]
    rows, names = [], []
    for gap, formula in zip(gaps, shown, strict=True):
        below = bool(found.tensors) and gap.kind == "activations"
        reason = text("tensors below") if below else text(_short(gap.reason))
        cell = say("{f}", f=formula)
        if below and len(str(formula)) > LONG_FORMULA:
            cell = text("sum of its tensors")
        elif _too_long(formula):
            cell = text("by the shape of each tensor")
        name = gap.layer if below else gap.name
        names.append(name)
        rows.append((text(name), cell, *_figures(gap.difference, found), reason))
    if found.tensors:
        shown = [formula for formula in shown if len(str(formula)) <= LONG_FORMULA]
    rows.append((text("difference"), text(""), *_figures(found.difference, found), text("")))
    told = not found.tensors or any(gap.kind != "activations" for gap in gaps)
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


def _tensors_table(found: Comparison) -> Table:
    rows, last = [], ""
    for gap in found.tensors:
        name, last = (gap.layer if gap.layer != last else ""), gap.layer
        _, size = _figures(gap.difference, found)
        rows.append((text(name), text(gap.tensor), say("{f}", f=gap.difference), size, gap.said))
    formula = _formula([gap.difference for gap in found.tensors])
    return Table(
        text("The saved tensors that differ, all repetitions of their layer together, second less first"),
        (
            Column(text("layer")),
            Column(text("tensor")),
            formula,
            Column(text("GiB"), "right"),
            Column(text("why"), "note"),
        ),
        tuple(rows),
    )


def _named(what: str, names: list[str]) -> Column:
    return Column(text(what), "note" if max(map(len, names)) > LONG_NAME else "left")


def _formula(formulas: list[sp.Expr]) -> Column:
    shown = [formula for formula in formulas if not _too_long(formula)]
    long = max((len(str(formula)) for formula in shown), default=0) > LONG_FORMULA
    return Column(text("formula"), "text" if long else "left")


def _too_long(formula: sp.Expr) -> bool:
    return len(str(formula)) > LONGEST_FORMULA


def _figures(difference: sp.Expr, found: Comparison) -> tuple[Prose, Prose]:
    value = at(difference, found.values)
    if value is None:
        return text("–"), text("–")
    return count(value), about(Amount(value / 2**30))


def _why(gap: Gap) -> str:
    reason = _short(gap.reason)
    return f"{gap.name} ({reason if len(reason) <= LONG_REASON else reason.partition(':')[0]})"


def _terms(number: int) -> str:
    return "one term" if number == 1 else f"{number} terms"


def _upper(words: str) -> str:
    return words[0].upper() + words[1:]


def _listed(given: object) -> list[object]:
    return list(given) if isinstance(given, list) else [given]
