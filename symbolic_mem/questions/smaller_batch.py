"""The question `smaller_batch`: ways to stay bound by the mathematics at a smaller batch, each derived and measured.

What only an answer needs is imported when the question is answered: reading a study stays cheap.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import sympy as sp

from symbolic_mem.base.symbols import E, T_min, k
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Chain, Prose, amount, say, text
from symbolic_mem.document.steps import Block, Bullets, Paragraph, in_full, in_short
from symbolic_mem.document.words import counted, sentences
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.keys import whole
from symbolic_mem.study.keys import key
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

if TYPE_CHECKING:
    from symbolic_mem.questions.parts.found_ways import FoundWays


@dataclass(frozen=True, repr=False)
class SmallerBatch(Question):
    """The ways to a smaller critical batch, and what each does to it in numbers; for a stack of blocks nine."""

    ask = "smaller_batch"
    of_training = True
    subject = "layers"

    chips: int | None = key(whole)

    def answer(self, study: Study) -> FoundWays:
        """Bound the batch on the mesh as given, and again under every way."""
        from symbolic_mem.questions.parts.found_ways import FoundWays, all_ways
        from symbolic_mem.questions.parts.setting import setting
        from symbolic_mem.questions.parts.way import no_batch
        from symbolic_mem.questions.parts.ways import bound_on
        from symbolic_mem.solvers.critical import critical
        from symbolic_mem.solvers.optimum import best_mesh

        case = setting(study, "fsdp+tp", "forward", self.chips, short=True)
        start = critical(case.roofline, "max").tokens
        lacking = no_batch(case.roofline, case.values)
        needed = start + bound_on(case, overlap="sum") + best_mesh(case.roofline).tokens("max")
        study.need(needed.xreplace(dict(case.values)), f"question {self.label}")
        chips = sp.Integer(case.chips or 1)
        return FoundWays(study, self, case.values, chips, start, bound_on(case), all_ways(case), lacking)

    def steps(self, found: FoundWays) -> Iterator[Block]:
        """Write the starting point, every way, and all of them side by side."""
        from symbolic_mem.questions.parts.found_ways import ways_table
        from symbolic_mem.questions.parts.way import way_step, way_words
        from symbolic_mem.questions.parts.whole_mesh import best_blocks

        work = Work(found.known)
        tokens = work.define(T_min, found.start)
        said = text("The starting point is the mesh as given, its two axes sending at the same time:")
        if found.lacking is not None:
            yield work.step(said, Chain(T_min, (("=", found.start),)), reason=found.lacking)
        else:
            bound = Chain(T_min, (("=", found.start), ("=", work.put(found.start)), amount(tokens, "tokens")))
            yield from in_full([work.step(said, bound)])
            yield from in_short([Paragraph(say("{said} {bound}.", said=said, bound=bound))])
        yield from in_full(map(way_step, found.ways))
        yield from in_short([Bullets(tuple(map(way_words, found.ways)))])
        shape = found.way("shape")
        if shape.whole is not None:
            yield from best_blocks(shape.meshes, shape.whole.x)
        yield from in_full([ways_table(found)])
        if any(tokens is None for tokens in (found.tokens, *(way.tokens for way in found.ways))):
            yield from in_full([Paragraph(text("A dash stands where there is no such batch."))])

    def sentence(self, found: FoundWays) -> Prose:
        """Say what the ways do to the bound, in numbers."""
        from symbolic_mem.questions.parts.found_ways import beside_whole, bound_words, named_ways, with_ways

        if found.tokens is None:
            return sentences(
                text("On the mesh as given no batch is large enough."),
                *with_ways(found),
                text("Neither more axes for FSDP nor gradient accumulation changes that."),
            )
        if not all(way.tokens is not None and way.tokens < found.tokens for way, _ in named_ways(found)):
            return sentences(
                say("As given the bound is {base}.", base=counted(found.tokens, "tokens")),
                *with_ways(found),
                say(
                    "More axes and overlap are already used. Gradient accumulation multiplies the bound, and experts "
                    "multiply it by {ratio} unless they stay in place.",
                    ratio=E / k,
                ),
            )
        shape = found.way("shape")
        pieces = {way.key: bound_words(way) for way, _ in named_ways(found)}
        if shape.whole is not None and shape.whole.tokens == found.tokens:
            falls = say(
                "From {base} the bound falls to {bytes} with one byte per element sent, and to {stages} with four "
                "pipeline stages that keep their weights; the mesh as given is the best{real}, and more axes and overlap are "
                "already used.",
                base=counted(found.tokens, "tokens"),
                real=beside_whole(shape),
                **pieces,
            )
        else:
            falls = say(
                "From {base} the bound falls to {shape}, to {bytes} with one byte per element sent, and to {stages} with "
                "four pipeline stages that keep their weights; more axes and overlap are already used.",
                base=counted(found.tokens, "tokens"),
                **pieces,
            )
        return sentences(
            falls,
            say(
                "Gradient accumulation multiplies it, and experts multiply it by {ratio} unless they stay in place.",
                ratio=E / k,
            ),
        )

    def heading(self, found: FoundWays) -> str:
        """The title where the study gives none."""
        return self.title or "How the batch can be smaller at the same throughput"
