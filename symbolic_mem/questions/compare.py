"""The question `compare`: two accounts of one study, and the terms and tensors that explain the gap between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

import sympy as sp

from symbolic_mem.accounts.gaps import compare, factored
from symbolic_mem.accounts.tensor_gaps import saved_tensors, tensor_gaps
from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.base.exact import at, missing
from symbolic_mem.base.rational import Number, fraction, symbolic
from symbolic_mem.base.symbols import P
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Brief, Chain, Prose, Total, amount, say, text
from symbolic_mem.document.steps import Block
from symbolic_mem.document.words import about, capitalised, gib, listed, sentences
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.comparison import FIRST, SECOND, FoundGaps, peak_of, sized
from symbolic_mem.questions.parts.gap_tables import gap_tables, term_words
from symbolic_mem.questions.parts.memory import parameter_steps
from symbolic_mem.questions.parts.repeated import added, summed
from symbolic_mem.questions.parts.sides import (
    CHOICES,
    Choices,
    Variant,
    engine_profiles,
    kernels,
    losses,
    optimizers,
    placements,
    plans,
    recipes,
    recomputations,
    rests,
    two_sides,
)
from symbolic_mem.recipes.recompute import recompute
from symbolic_mem.study.answered import answer_to
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.keys import key
from symbolic_mem.study.question import Question
from symbolic_mem.study.setting import Change
from symbolic_mem.study.study import Study


@dataclass(frozen=True, repr=False)
class Compare(Question):
    """How much more one variant of the study needs than another, and why: see `two_sides` for which they are."""

    ask = "compare"

    recipe: Choices = key(recipes, ())
    optimizer: Choices = key(optimizers, ())
    recompute: Choices = key(recomputations, ())
    profile: Choices = key(engine_profiles, ())
    kernel: Choices = key(kernels, ())
    loss: Choices = key(losses, ())
    plan: Choices = key(plans, ())
    place: Choices = key(placements, ())
    rest: Choices = key(rests, ())

    def checked(self) -> Compare:
        """Refuse a question that gives nothing to compare."""
        if not self.choices:
            raise BadInput(
                f"{self.where}: nothing to compare; give one of {', '.join(CHOICES)} twice, or once against the study "
                "itself"
            )
        return self

    @property
    def choices(self) -> Mapping[str, Choices]:
        """What is given, by its key."""
        return {name: given for name in CHOICES if (given := getattr(self, name))}

    @property
    def otherwise(self) -> tuple[Change, ...]:
        """What the sides change; a change of the caller's holds on both in its place."""
        return tuple(change for values in self.choices.values() for choice in values for change in choice.changes)

    def reads(self, study: Study) -> frozenset[str] | None:
        """The names of the symbols that either side reads."""
        sides = [super(Compare, self).reads(side.study) for side in two_sides(study, self.choices)]
        return frozenset[str]().union(*(names for names in sides if names is not None))

    def answer(self, study: Study) -> FoundGaps:
        """Match the terms of both accounts, and the tensors that their layers keep; each list sums to its difference."""
        a, b = two_sides(study, self.choices)
        values = a.study.values
        gaps = compare(a.memory, b.memory)
        tensors = tensor_gaps(*(saved_tensors(side.study.model, side.study.recipe) for side in (a, b)))
        difference = factored(sp.Add(*(gap.difference for gap in gaps)))
        first, second = map(peak_of, (a, b))
        return FoundGaps(
            study,
            self,
            a,
            b,
            at(a.memory.total, values),
            at(b.memory.total, values),
            tuple(sized(gap, values) for gap in gaps),
            tuple(sized(gap, values) for gap in tensors),
            difference,
            at(difference, values),
            None if first is None or second is None else (first, second),
        )

    def steps(self, found: FoundGaps) -> Iterator[Block]:
        """State both totals and their difference, as the sum of its terms, then tabulate terms and tensors.

        Raises `MissingValue` for a symbol without a value.
        """
        one, other = found.totals()
        gap, difference = other - one, SECOND - FIRST
        work = Work({**found.values, FIRST: one, SECOND: other})
        models = {side.study.model.parameters: side for side in (found.b, found.a)}
        for side in reversed(models.values()):
            whose = "" if len(models) == 1 else " of the first" if side is found.a else " of the second"
            yield from parameter_steps(side.study.model, work, whose)
        yield work.step(
            say("Both sides: {name}. They take", name=text(found.a.name))
            if found.same
            else say(
                "First: {first}. Second: {second}. They take", first=text(found.a.name), second=text(found.b.name)
            ),
            *_side_lines(FIRST, found.a, work),
            *_side_lines(SECOND, found.b, work),
            Chain(difference, (amount(gap, "bytes"), amount(gap, "GiB"))),
        )
        sizes = tuple(gib(term.bytes) for term in found.terms if term.bytes is not None)
        if len(sizes) > 1 and all(size.shown.exact for size in sizes):
            yield work.step(text("which is the sum of its terms:"), Chain(difference, (("=", Total(sizes)),)))
        yield from gap_tables(found)

    def sentence(self, found: FoundGaps) -> Prose:
        """Say which side needs more, by how much, and which term explains most of it; then the peaks of a step."""
        if found.same:
            return _same(found)
        return sentences(self._gap(found), *_peaks(found))

    def _gap(self, found: FoundGaps) -> Prose:
        names = {"a": _where(found, found.a.name), "b": text(capitalised(found.b.name)), "needs": _needs(found)}
        if found.difference == 0 and not found.terms:
            return _nothing(found)
        if found.bytes is None:
            return _open(found)
        largest = found.largest
        if found.bytes == 0 and largest is not None and largest.bytes == 0:
            return say("{b} {needs} as much as {a} at these values, term by term.", **names)
        one = term_words(found.terms[0].gap if largest is None else largest.gap, found.tensors)
        alone = len(found.terms) == 1 or largest is None
        if found.bytes == 0 and alone:
            return say("{b} {needs} as much as {a}: {one}.", one=one, **names)
        size = largest.bytes if largest is not None else None
        of_it = {"n": len(found.terms), "size": _more(size or sp.S.Zero), "one": one}
        if found.bytes == 0:
            return say(
                "{b} {needs} as much as {a}; the largest of {n} terms that differ is {size}: {one}.", **of_it, **names
            )
        if alone:
            return say("{b} {needs} {much} than {a}: {one}.", much=_more(found.bytes), one=one, **names)
        return say(
            "{b} {needs} {much} than {a}; the largest of {n} terms that differ is {size}: {one}.",
            much=_more(found.bytes),
            **of_it,
            **names,
        )

    def heading(self, found: FoundGaps) -> str:
        """The title where the study gives none."""
        if found.same:
            return self.title or "Nothing to compare"
        return self.title or f"{capitalised(found.a.name)} against {found.b.name}"

    @cached_property
    def claimable(self) -> tuple[str, ...]:
        """What can be claimed."""
        return ("difference", "less")

    def claims(self, study: Study) -> Mapping[str, Claimed]:
        """What the second side needs more than the first."""
        a, b = two_sides(study, self.choices)
        try:
            more: Number | None = b.memory.at(a.study.numbers) - a.memory.at(a.study.numbers)
        except MissingValue:  # a symbol without a value that may cancel out
            found = answer_to(study, self).bytes
            more = None if found is None else fraction(found)
        less = None if more is None else -more
        return {
            "difference": Claimed(more, "bytes", f"what {b.name} needs more than {a.name}", unit="bytes"),
            "less": Claimed(less, "bytes", f"what {b.name} needs less than {a.name}", unit="bytes"),
        }


def _side_lines(symbol: sp.Symbol, side: Variant, work: Work) -> Iterator[Chain]:
    """What a side takes, by formula and with numbers put in, after what one repetition of its layers keeps."""
    work.define(P, side.study.model.parameters)
    layers = recompute(side.study.model, side.study.recipe.recompute).layers
    ones, sums = summed(side.memory, layers, work, of="first" if symbol == FIRST else "second")
    yield from ones
    yield Chain(symbol, (*added(sums, work), amount(work.values[symbol], "bytes"), amount(work.values[symbol], "GiB")))


def _same(found: FoundGaps) -> Prose:
    """The sentence where both sides are one: the caller's changes hold on both, in place of those of the question."""
    name = text(found.a.name)
    if not found.instead:
        return say("Nothing is left to compare: both sides are {name}.", name=name)
    return say(
        "Nothing is left to compare: what the caller sets ({changes}) took the place of the question's own on both "
        "sides, which are now {name}.",
        changes=text(listed(found.instead)),
        name=name,
    )


def _nothing(found: FoundGaps) -> Prose:
    """The sentence where no term differs: what is there for a moment is none of them."""
    pieces = {"a": text(found.a.name), "b": _where(found, found.b.name)}
    if found.peaks is not None and found.peaks[0].bytes != found.peaks[1].bytes:
        return say("Nothing that is kept differs between {a} and {b}.", **pieces)
    return say("Nothing differs between {a} and {b}.", **pieces)


def _peaks(found: FoundGaps) -> Iterator[Prose]:
    """The peaks of a step, with what is there for a moment, where the instants are known."""
    if found.peaks is None:
        return
    first, second = (about(gib(symbolic(one.bytes))) for one in found.peaks)
    names = {"a": text(found.a.name), "b": text(found.b.name)}
    if found.peaks[0].bytes == found.peaks[1].bytes:
        yield say("The peak of a step is {first} on each device on both sides.", first=first)
        return
    yield say(
        "The peak of a step, with what is there for a moment, is {first} on each device for {a}, and {second} for {b}.",
        first=first,
        second=second,
        **names,
    )


def _open(found: FoundGaps) -> Prose:
    """The sentence where a symbol has no value: with the formula where it is short."""
    a, b = text(found.a.name), text(capitalised(found.b.name))
    pieces = {
        "b": b,
        "needs": _needs(found),
        "terms": say("{n} terms", n=len(found.terms)) if len(found.terms) > 1 else text("one term"),
    }
    size, way = (-found.difference, "less") if found.difference.is_negative else (found.difference, "more")
    where = _where(found, found.a.name)
    shown = say("{b} {needs} {d} bytes {way} than {a}, in {terms}.", a=where, d=size, way=text(way), **pieces)
    pieces |= {"a": a, "absent": text(", ".join(missing(found.difference, found.values)))}
    if found.a.placed:
        short = say("{b} and {a} differ on each device in {terms}; by how much needs {absent}.", **pieces)
    else:
        short = say("{b} and {a} differ in {terms}; by how much needs {absent}.", **pieces)
    return Prose((Brief(shown, otherwise=short, wraps=True),))


def _where(found: FoundGaps, name: str) -> Prose:
    """A side as the end of a clause names it, with where it is compared."""
    return say("{name} on each device", name=text(name)) if found.a.placed else text(name)


def _needs(found: FoundGaps) -> str:
    """The verb of the second side, of which several things may be named."""
    return "need" if " and " in found.b.name else "needs"


def _more(size: sp.Expr) -> Prose:
    if size < 0:
        return say("{d} less", d=about(gib(-size)))
    return say("{d} more", d=about(gib(size)))
