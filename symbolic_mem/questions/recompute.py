"""The question `recompute`: what another rule of recomputation keeps, and how many devices it then takes.

What only an answer needs is imported when the question is answered: reading a study stays cheap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sympy as sp

from symbolic_mem.base.rational import rational, symbolic
from symbolic_mem.base.symbols import C_mem, M_divided, M_fixed, n_fsdp
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Chain, Prose, amount, apart, link, percent, say, text
from symbolic_mem.document.steps import Block, Paragraph, in_full
from symbolic_mem.document.words import about, gib, listed, unrounded
from symbolic_mem.document.work import Work
from symbolic_mem.models.tensors import Model
from symbolic_mem.questions.parts.instants import bound_at, fitting, fitting_each, hardest, one_is_asked
from symbolic_mem.questions.parts.keys import OnDevice, degree, placements, plan_rules
from symbolic_mem.questions.parts.with_software import WithSoftware
from symbolic_mem.questions.parts.words import capacity_blocks, few_figures
from symbolic_mem.recipes.recompute import Recompute, recompute
from symbolic_mem.study.answered import once_for
from symbolic_mem.study.changed_recipe import use_recompute
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.keys import At, key
from symbolic_mem.study.question import naming
from symbolic_mem.study.setting import Change
from symbolic_mem.study.study import Study

if TYPE_CHECKING:
    from fractions import Fraction

    from symbolic_mem.questions.parts.found_recomputed import FoundRecomputed, Kept
    from symbolic_mem.questions.parts.one_device import Solved
    from symbolic_mem.solvers.degree import Degree


def _rule(given: Any, at: At) -> tuple[Change, ...]:
    return (use_recompute(given, at.where),)


@dataclass(frozen=True, repr=False)
class RecomputeOtherwise(WithSoftware, OnDevice):
    """The activations under another rule of recomputation, and the smallest degree that then fits.

    ``place`` gives kinds of memory another fraction that is divided: what a block keeps is all there is, so that a
    fraction which stood for recomputation becomes 1.
    """

    ask = "recompute"
    of_training = True
    solvable = True

    symbol: sp.Symbol = key(degree, n_fsdp, name="for")
    recompute: tuple[Change, ...] = key(_rule, (use_recompute("full"),))
    place: tuple[Change, ...] = key(placements, ())

    @property
    def otherwise(self) -> tuple[Change, ...]:
        """What the question changes against the study as it stands."""
        return (*self.recompute, *self.place)

    @property
    def unknowns(self) -> tuple[str, ...]:
        """The degree that is solved for."""
        return (str(self.symbol),)

    def degree(self, study: Study) -> Degree:
        """Solve for the degree of a study at its instant."""
        from symbolic_mem.solvers.degree import degree_under

        alone = one_is_asked(study, self.symbol)
        bound = bound_at(study, self.counted, self.symbol, strict=self.strict, alone=alone)
        with naming(self.label):
            return degree_under(bound, study.numbers, plan_rules(study, self.symbol))

    def changed(self, study: Study) -> Study:
        """The study under the other rule; what a caller sets wins over that."""
        return study.changed((*self.otherwise, *study.caller))

    def answer(self, study: Study) -> FoundRecomputed:
        """Find the degree as the study stands and under the other rule, at the instant that then asks for most."""
        from symbolic_mem.questions.parts.found_degree import hardness
        from symbolic_mem.questions.parts.found_recomputed import FoundRecomputed
        from symbolic_mem.questions.parts.peaks import settle

        before = max(self._solved(study).degrees, key=lambda one: one.demand)
        after = self._once(study)

        def at_instant(one: tuple[Study, Degree]) -> FoundRecomputed:
            return FoundRecomputed(one[0], self, study.capacity, one[1])

        found = hardest(after.each, at_instant, hardness)
        found = replace(found, sides=(_side(study, before), _side(found.study, found.degree)), on_one=after.one)
        settle(found.fullest_instants)
        return found

    def _once(self, study: Study) -> Solved:
        return once_for(study, self, "solved", lambda: self._solved(self.changed(study)))

    def _solved(self, study: Study) -> Solved:
        """The degree at each instant that counts."""
        from symbolic_mem.questions.parts.one_device import solved_instants

        return solved_instants(study, self.counted, self.symbol, self.degree)

    def steps(self, found: FoundRecomputed) -> Iterator[Block]:
        """What is kept then, against what is kept now; where it lives; the degree; the instants of a step; both in one table."""
        from symbolic_mem.questions.parts.assumptions import divided_model, whose
        from symbolic_mem.questions.parts.bounded import per_device_steps
        from symbolic_mem.questions.parts.found_recomputed import sides_table
        from symbolic_mem.questions.parts.here import here_blocks
        from symbolic_mem.questions.parts.memory import by_layer, memory_numbers
        from symbolic_mem.questions.parts.peaks import peak, peak_blocks, turn_blocks
        from symbolic_mem.questions.parts.rules import rule_blocks

        study, work = found.study, Work(found.study.values)
        yield Paragraph(_opening(study.recipe.recompute, study.model, instants=study.at is not None))
        layers = recompute(study.model, study.recipe.recompute).layers
        yield from by_layer(_saving(study).memory.of("activations"), work, layers=layers)
        yield from _against(found)
        memory_numbers(study, work, self.counted)
        yield from here_blocks(study, work, found.kinds)
        yield from per_device_steps(
            found.placement, found.kinds, found.degree.ideal, work, divided_model(found.study), whose(found.study)
        )
        yield from capacity_blocks(found.capacity, work)
        yield _degree_step(found, work)
        yield from rule_blocks(found.degree, work) if found.degree.ideal.feasible else ()
        yield from found.fuller_blocks
        yield from found.one_blocks
        if found.fullest_instants:
            named = study.at.words if study.at is not None and found.others else ""
            yield from in_full(peak_blocks(found.fullest_instants, named=named, turned=False))
            yield from turn_blocks(peak(found.fullest_instants))
        yield from in_full([sides_table(found)])

    def sentence(self, found: FoundRecomputed) -> Prose:
        """Say the degree under the other rule, and what each device then holds."""
        from symbolic_mem.questions.parts.rules import rule_names

        nothing, solved = found.study.recipe.recompute.rule == "none", found.degree.ideal
        unit, counted = found.capacity.unit, Amount(found.capacity.counted, found.capacity.unit, beside=True)
        held = solved.fixed if found.value is None else found.held(found.value)
        share, counted = apart(Amount(symbolic(held), unit), counted)
        rules = listed(rule_names(found.degree)) if found.degree.steps else ""
        pieces: dict[str, Any] = {
            "n": say("{n} under the rules ({rules})", n=found.symbol, rules=rules) if rules else found.symbol,
            "counted": few_figures(found.capacity) or counted,
            "fixed": share,
            "share": share,
            "value": found.value or 0,
        }
        if found.value is None:
            at = None if found.study.at is None else text(found.study.at.words)
            full = (
                say("each device holds {fixed} in full and has {counted}", **pieces)
                if at is None
                else say(
                    "at one instant of a step, {at}, each device holds {fixed} in full and has {counted}",
                    at=at,
                    **pieces,
                )
            )
            return (
                say("When nothing is recomputed, there is no such {n}: {full}.", full=full, **pieces)
                if nothing
                else say("With this recomputation there is no such {n}: {full}.", full=full, **pieces)
            )
        kept = "what the device then keeps" if found.value == 1 else "what each device then keeps"
        pieces["each"] = kept if found.study.at is None else fitting_each(found.study, found.value)
        return (
            say(
                "When nothing is recomputed, the smallest {n} is {value}: {each}, {share}, fits its {counted}.",
                **pieces,
            )
            if nothing
            else say(
                "With this recomputation the smallest {n} is {value}: {each}, {share}, fits its {counted}.",
                **pieces,
            )
        )

    def heading(self, found: FoundRecomputed) -> str:
        """The title where the study gives none."""
        return self.title or "What recomputation changes"

    @cached_property
    def claimable(self) -> tuple[str, ...]:
        """What can be claimed."""
        return (str(self.symbol),)

    def claims(self, study: Study) -> Mapping[str, Claimed]:
        """The degree under the other rule, under the name of its symbol."""
        from symbolic_mem.questions.parts.assumptions import ranks_beside
        from symbolic_mem.questions.parts.degree_claims import degree_claim

        asked = self._once(study)
        fits = fitting(asked.each[0][0])
        return {
            str(self.symbol): degree_claim(
                asked.degrees,
                f"the smallest degree {self.symbol} at which {fits} fits",
                fits,
                ranks_beside(study, self.symbol),
            )
        }

    def grows(self, name: str) -> bool:
        """A degree is the first that fits: it does."""
        return name == str(self.symbol)

    def can_be(self, study: Study, name: str, value: Fraction) -> bool:
        """Whether the degree can be that number: see `can_be_smallest`."""
        from symbolic_mem.questions.parts.held_against import can_be_smallest

        if name != str(self.symbol):
            return True
        changed = self.changed(study)
        ruled = bool(plan_rules(changed, self.symbol))
        return can_be_smallest(value, changed, self.counted, self.symbol, strict=self.strict, ruled=ruled)


def _saving(study: Study) -> Study:
    """The study at the instant at which there are activations."""
    return replace(study, instant="backward", at=None)


def _side(study: Study, solved: Degree) -> Kept:
    from symbolic_mem.questions.parts.found_recomputed import Kept

    saving, whole = _saving(study), {**study.values, solved.ideal.bound.symbol: sp.S.One}
    kept = rational(saving.memory.of("activations").at(study.numbers))
    counted = rational(saving.placed(("activations",)).at(whole))
    rule = str(study.recipe.recompute)
    return Kept(rule, study.placement.get("activations"), kept, counted, solved.value)


def _opening(how: Recompute, model: Model, *, instants: bool) -> Prose:
    if how.rule == "none":
        return text("Here nothing is recomputed: every layer keeps all that its backward pass needs.")
    stream = any(layer.stream is not None for layer in model.layers)
    beside = ", with the residual stream that the last product is added to" if stream else ""
    kept = {
        "half": f"The others keep what they save{beside}, and nothing else is kept.",
        "selective": "Everything else is kept.",
        "groups": "The input of each group is kept, and nothing inside it.",
        "products": "The input of a block is still kept: its backward pass starts again from there.",
    }.get(how.rule, "Such an input is still kept.")
    pieces = {"rule": text(str(how)), "kept": text(kept)}
    if instants:
        return say(
            "The rule is now: {rule}. {kept} What the backward pass holds while it recomputes counts at its instants.",
            **pieces,
        )
    if how.transient:
        return say(
            "The rule is now: {rule}. {kept} What the backward pass holds while it recomputes is counted as a buffer.",
            **pieces,
        )
    return say(
        "The rule is now: {rule}. {kept} What the backward pass holds while it recomputes is not counted here.",
        **pieces,
    )


def _against(found: FoundRecomputed) -> list[Block]:
    before, after = found.sides
    old, new = before.kept, after.kept
    if old == 0 or old == new:
        return []
    pieces = {"rule": text(before.rule), "old": about(gib(old))}
    if new > old:
        times = Amount(new / old, "", 4)
        return [Paragraph(say("That is {times} times the {old} kept when {rule}.", times=times, **pieces))]
    part = percent(new, old, 4)
    if 2 * new > old:
        said = say("That is {part} of the {old} kept when {rule}, and not half of them.", part=part, **pieces)
    else:
        said = say("That is {part} of the {old} kept when {rule}.", part=part, **pieces)
    return [Paragraph(said)]


def _degree_step(found: FoundRecomputed, work: Work) -> Block:
    solved, bound = found.degree.ideal, found.degree.ideal.bound
    fixed = work.values[M_fixed]
    if bound.divided == 0 and solved.feasible:
        return work.step(
            text(
                "Nothing of it is divided at this moment, and what every device holds in full fits, so one is enough:"
            ),
            Chain(M_fixed, (link(apart(gib(fixed), gib(found.capacity.counted))[0]), (bound.limit.sign, C_mem))),
        )
    if not solved.feasible:
        relation = ">" if fixed > found.capacity.counted else "="
        room = apart(gib(fixed), gib(found.capacity.counted))[1]
        line = Chain(M_fixed, ((relation, C_mem), link(room)))
        work.check(line)
        return Paragraph(
            say("The part that every device holds in full leaves no room for the rest: {line}.", line=line)
        )
    quotient = M_divided / (C_mem - M_fixed if bound.fixed != 0 else C_mem)
    work.define(bound.symbol, sp.Integer(solved.value or 1))
    return work.step(
        say("The part that is divided and the room that the other part leaves give the smallest {n}:", n=bound.symbol)
        if bound.fixed != 0
        else say("All of it is divided, which gives the smallest {n}:", n=bound.symbol),
        Chain(quotient, (("=", work.put(quotient)), unrounded(work.number(quotient)))),
        Chain(bound.symbol, (("=", bound.limit.first(quotient)), amount(solved.value or 1))),
    )
