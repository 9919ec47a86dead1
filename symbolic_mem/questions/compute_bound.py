"""The question `compute_bound`: from which batch on the chips compute longer than they send.

What only an answer needs is imported when the question is answered: reading a study stays cheap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import missing
from symbolic_mem.base.symbols import T, X, Y
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.figure import Figure
from symbolic_mem.document.prose import Amount, Prose, say, text
from symbolic_mem.document.steps import Block, Paragraph, in_full
from symbolic_mem.document.words import counted
from symbolic_mem.document.work import Work
from symbolic_mem.plans.words import AXES, OVERLAPS, PASSES, SCHEMES
from symbolic_mem.questions.parts.keys import one_of, whole
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.keys import key
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

if TYPE_CHECKING:
    from symbolic_mem.questions.parts.conventions import Threshold
    from symbolic_mem.questions.parts.found_batch import FoundBatch
    from symbolic_mem.questions.parts.setting import Setting


@dataclass(frozen=True, repr=False)
class ComputeBound(Question):
    """From which batch on the chips compute longer than they send, under a rule of overlap, on the mesh or the best.

    Without `axes` the mesh is the given one where its axes have values, else the best of as many `chips`.
    """

    ask = "compute_bound"
    subject = "layers"
    drawn = ("times",)

    overlap: str = key(one_of(*OVERLAPS), "max")
    axes: str | None = key(one_of(*AXES))
    one_pass: str = key(one_of(*PASSES), "forward", name="pass")
    scheme: str | None = key(one_of(*SCHEMES))
    chips: int | None = key(whole)

    def checked(self) -> ComputeBound:
        """Refuse the best mesh for a scheme that has no shape to choose."""
        if self.axes == "optimal" and self.scheme not in (None, "fsdp+tp"):
            raise BadInput(
                f'{self.where}: axes = "optimal" chooses X at a number of chips, and scheme {self.scheme!r} is not '
                'X times Y alone; use axes = "given", or scheme = "fsdp+tp"'
            )
        return self

    def resolved(self, study: Study) -> ComputeBound:
        """The same question with the mesh that it is about written out: ``given`` or ``optimal``."""
        return replace(self, axes=self._axes(self._setting(study)))

    def answer(self, study: Study) -> FoundBatch:
        """Find the bound on the tokens; raises `MissingValue` for what it needs, and `BadInput` for a mesh that cannot be."""
        from symbolic_mem.questions.parts.conventions import conventions
        from symbolic_mem.questions.parts.demands import demands
        from symbolic_mem.questions.parts.found_batch import FoundBatch
        from symbolic_mem.questions.parts.mesh import free_mesh
        from symbolic_mem.questions.parts.times import pass_times
        from symbolic_mem.solvers.critical import critical, next_whole

        case = self._setting(study)
        used = self._threshold(study, case)
        both = _free(case)
        return FoundBatch(
            study,
            self,
            times=pass_times(case),
            known=case.values,
            used=used,
            smallest=None if used.tokens is None else next_whole(used.tokens),
            tokens=case.tokens,
            winner=_winner(case, self.overlap),
            demands=demands(critical(case.roofline, self.overlap)) if used.axes == "given" else (),
            conventions=conventions(case) if both else (used,),
            free=free_mesh(case) if both else None,
        )

    def steps(self, found: FoundBatch) -> Iterator[Block]:
        """Time computing and sending, solve for the tokens, and put the other conventions beside the one that is used."""
        from symbolic_mem.questions.parts.conventions import conventions_table, why_this_one
        from symbolic_mem.questions.parts.demands import balance_step, demand_blocks
        from symbolic_mem.questions.parts.mesh import meshes_table, shape_blocks
        from symbolic_mem.questions.parts.times import time_blocks

        work, used = Work(found.known), found.used
        yield from time_blocks(found.times, work)
        if used.axes == "given":
            yield from demand_blocks(found.demands, found.times, used.overlap, work)
            if used.tokens is not None and used.tokens != 0:
                yield from in_full([balance_step(found.times, used.overlap, used.tokens, found.known)])
        if found.free is not None:
            shape = shape_blocks(found.free, found.known, None if used.axes == "given" else used.overlap)
            yield from in_full(shape) if used.axes == "given" else shape
            yield conventions_table(found.conventions, used, found.chips)
            yield from in_full([meshes_table(found.free, found.chips)])
            yield from in_full([Paragraph(why_this_one(used, found.known))])

    def sentence(self, found: FoundBatch) -> Prose:
        """Say from which batch on: whole, per chip and per rank, and what it is in whole tokens on every chip."""
        bound, x = found.used.tokens, found.used.x
        if bound is None or found.smallest is None:
            return text(
                "No batch is large enough: what is sent grows with the batch at least as fast as what is computed."
            )
        if bound == 0:
            return text("Every batch is large enough: nothing that is sent stays the same when the batch shrinks.")
        chip = bound / found.chips
        whole_chip = sp.floor(chip) + 1
        ragged = chip.is_Rational and not chip.is_Integer
        pieces = {
            "tokens": counted(found.smallest, "tokens"),
            "exact": Amount(bound),
            "chip": counted(chip, "tokens"),
        }
        rounded = {"each": Amount(whole_chip), "together": Amount(found.chips * whole_chip)}
        if x is None and ragged:
            return say(
                "The chips compute longer than they send from {tokens} in the whole batch on (the bound is "
                "{exact}): {chip} per chip; with whole tokens on every chip, {each} on each and {together} "
                "together.",
                **pieces,
                **rounded,
            )
        if x is None:
            return say(
                "The chips compute longer than they send from {tokens} in the whole batch on (the bound is "
                "{exact}): {chip} per chip.",
                **pieces,
            )
        rank = Amount(bound / x)
        if ragged:
            return say(
                "The chips compute longer than they send from {tokens} in the whole batch on (the bound is "
                "{exact}): {chip} per chip, {rank} per FSDP rank; with whole tokens on every chip, {each} on each "
                "and {together} together.",
                rank=rank,
                **pieces,
                **rounded,
            )
        return say(
            "The chips compute longer than they send from {tokens} in the whole batch on (the bound is {exact}): "
            "{chip} per chip, {rank} per FSDP rank.",
            rank=rank,
            **pieces,
        )

    def figure(self, found: FoundBatch, name: str, family: str) -> Figure | None:
        """The times against the batch, on a mesh that is given."""
        from symbolic_mem.questions.parts.times_chart import times_chart

        return times_chart(found, name)

    def heading(self, found: FoundBatch) -> str:
        """The title where the study gives none."""
        return self.title or "The batch from which the chips compute longer than they send"

    @cached_property
    def claimable(self) -> tuple[str, ...]:
        """What can be claimed: the batch in each of its units."""
        from symbolic_mem.questions.parts.batch_claims import BOUNDS, NAMES

        return (*NAMES, *BOUNDS)

    def claims(self, study: Study) -> Mapping[str, Claimed]:
        """The batch in every unit in which somebody may count it."""
        from symbolic_mem.questions.parts.batch_claims import batch_claims

        case = self._setting(study)
        return batch_claims(self._threshold(study, case), case.values)

    def _setting(self, study: Study) -> Setting:
        from symbolic_mem.questions.parts.setting import setting

        return setting(study, self.scheme, self.one_pass, self.chips, short=True)

    def _axes(self, case: Setting) -> str:
        """The one rule for which mesh is meant: the given one where it is given, else the best that there is."""
        if self.axes is not None:
            return self.axes
        return "optimal" if _free(case) and not {X, Y} <= set(case.values) else "given"

    def _threshold(self, study: Study, case: Setting) -> Threshold:
        from symbolic_mem.questions.parts.conventions import threshold

        axes = self._axes(case)
        study.need(_needed(case, axes), f"question {self.label}")
        if axes == "optimal" and not _free(case):
            sent = " and ".join(case.roofline.work.axes) or "nothing"
            raise BadInput(
                f'question {self.label}: axes = "optimal" needs two axes of one pod that both send, and scheme '
                f'{case.scheme.name} sends along {sent} here; give X and Y, and axes = "given"'
            )
        if axes == "optimal" and case.chips is None:
            raise BadInput(
                f"question {self.label}: the number of chips is not known; give X and Y under [values], or chips = 64 "
                "(on the command line --chips 64)"
            )
        return threshold(case, self.overlap, axes)


def _free(case: Setting) -> bool:
    """Whether the mesh has a shape that could be chosen: two axes that both send, in one pod."""
    return set(case.roofline.work.axes) == {"X", "Y"} and case.scheme.name != "hsdp"


def _winner(case: Setting, overlap: str) -> str | None:
    """What the study's own batch waits for on its own mesh; None where it gives no batch, or no mesh."""
    if case.tokens is None or missing(_times(case), case.values):
        return None
    return case.roofline.winner({**case.values, T: case.tokens}, overlap)


def _times(case: Setting) -> sp.Expr:
    """All times at one token, added: what has a value where all of them do."""
    return sp.Add(case.roofline.math, *case.roofline.by_axis.values()).xreplace({T: sp.S.One})


def _needed(case: Setting, axes: str) -> sp.Expr:
    """What must still get a value: all of the times at one token, on the best mesh without its axes."""
    times = _times(case).xreplace(dict(case.values))
    if axes == "given":
        return times
    return times.xreplace({X: sp.Integer(2), Y: sp.Integer(2)})  # not one: an axis of one chip sends nothing
