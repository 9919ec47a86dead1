"""The question `largest_mesh`: over how many chips a batch can be spread before they wait for each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sympy as sp

from symbolic_mem.base.exact import Values
from symbolic_mem.base.ledger import Ledger, Line
from symbolic_mem.base.symbols import B, C, F_layer, N_devices, S, T, W, X, Y, local, t_math
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Chain, Prose, amount, say, text
from symbolic_mem.document.steps import Block, Column, Paragraph, Step, Table
from symbolic_mem.document.words import about, count, joined
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.keys import one_of
from symbolic_mem.questions.parts.mesh_bounds import MeshBounds
from symbolic_mem.questions.parts.one_axis import BothAxes, OneAxis, both_axes, one_axis_bounds
from symbolic_mem.questions.parts.setting import setting
from symbolic_mem.questions.parts.times import line, names_step
from symbolic_mem.study.found import Found
from symbolic_mem.study.keys import key
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

SCHEMES = ("dp", "fsdp", "tp", "fsdp+tp")


@dataclass(frozen=True, repr=False)
class LargestMesh(Question):
    """N <= ... for each scheme and pass, then for both axes together, overlapped and not; or for one `scheme` alone."""

    ask = "largest_mesh"
    subject = "layers"

    scheme: str = key(one_of(*SCHEMES), "")

    def answer(self, study: Study) -> FoundMesh:
        """Bound the chips of every scheme and pass, and of a mesh of two axes, in symbols and where they have numbers."""
        case = setting(study, "fsdp+tp", short=True)
        batch = {} if case.tokens is None else {T: case.tokens}
        known = {symbol: value for symbol, value in case.values.items() if symbol not in (X, Y, N_devices)}
        alone = one_axis_bounds(case)
        fsdp, tensor = (
            next(each.most for each in alone if each.key == name) for name in ("fsdp forward", "tp forward")
        )
        numbers = {**known, **batch}
        return FoundMesh(
            study,
            self,
            known=numbers,
            names=case.names,
            alone=alone,
            mesh=MeshBounds.of(fsdp, tensor, case.roofline.network.ring, numbers),
            times=both_axes(case),
        )

    def steps(self, found: FoundMesh) -> Iterator[Block]:
        """Solve every scheme and pass for its chips, then both axes together."""
        work = Work(found.known)
        yield Paragraph(
            say(
                "{t} counts the tokens of the whole batch, {bs} (the source writes {b} for it). A scheme keeps the "
                "chips busy while its products take at least as long as what it sends.",
                t=T,
                b=B,
                bs=B * S,
            )
        )
        if found.names:
            yield names_step(
                text("The model computes for one token, holds, and sends between its layers"), found.names, work
            )
        for each in found.asked:
            yield _alone_step(each, found)
        if found.both:
            yield from found.mesh.steps(found.times, work)
        yield _table(found)
        if found.none:
            yield Paragraph(
                text(
                    "A dash stands where there is no such number of chips: the bound is less than one, or one of the "
                    "axes alone keeps no more than one chip busy."
                )
            )

    def sentence(self, found: FoundMesh) -> Prose:
        """Say what one device does and sends in each pass that is asked for, and on how many chips it stays busy."""
        clauses = [
            say(
                "{name}, {flops} FLOP on each chip and {time} s of sending, so {most}",
                name=text(each.name),
                flops=sp.cancel(each.math * C),
                time=each.time,
                most=_most(each.most, found),
            )
            for each in found.asked
        ]
        if found.both:
            times = found.times
            overlapped = say(
                "both axes, {flops} FLOP on each chip and {fsdp} s of sending along {x} and {tensor} s along {y}, so, "
                "overlapped, {most}",
                x=X,
                y=Y,
                flops=sp.cancel(times.math * C),
                fsdp=times.fsdp,
                tensor=times.tensor,
                most=_most(found.mesh.overlapped, found),
            )
            after = say("one axis after the other")
            if found.mesh.only is not None:
                after = say("{after}, all along {axis}", after=after, axis=found.mesh.only)
            clauses += [overlapped, say("{after}, {most}", after=after, most=_most(found.mesh.added, found))]
        return say("So the chips stay busy: {clauses}.", clauses=joined(clauses, "; ", "; "))

    def heading(self, found: FoundMesh) -> str:
        """The title where the study gives none."""
        return self.title or "How many chips a batch keeps busy"


@dataclass(frozen=True, repr=False)
class FoundMesh(Found):
    """The most chips that stay busy: under each scheme `alone`, and on a `mesh` of both axes.

    `known` are the numbers of the study but those of its mesh; `names` as in `PassTimes`.
    """

    question: LargestMesh
    known: Values
    names: Values
    alone: tuple[OneAxis, ...]
    mesh: MeshBounds
    times: BothAxes

    @property
    def asked(self) -> tuple[OneAxis, ...]:
        """The passes of one axis that the question asks about."""
        name = self.question.scheme
        return () if name == "fsdp+tp" else tuple(each for each in self.alone if each.key.startswith(name))

    @property
    def both(self) -> bool:
        """Whether it asks about a mesh of both axes."""
        return self.question.scheme in ("", "fsdp+tp")

    def whole(self, bound: sp.Expr) -> tuple[int, ...]:
        """The whole axes of chips that a bound allows: one, or both of a mesh that overlaps; none where it is no such bound."""
        axes = (self.mesh.fsdp, self.mesh.tensor) if bound == self.mesh.overlapped else (bound,)
        if self.number(bound) is None or (bound != self.mesh.overlapped and bound in self._meshes):
            return ()
        numbers = [self._at(axis) for axis in axes]
        return tuple(max(int(sp.floor(number)), 1) for number in numbers if number is not None)

    @property
    def bounds(self) -> Mapping[str, sp.Expr]:
        """The most chips by scheme and pass, and of both axes by the rule of overlap."""
        return {**{each.key: each.most for each in self.alone}, "max": self.mesh.overlapped, "sum": self.mesh.added}

    @property
    def ledger(self) -> Ledger:
        """The quantities of the load, and every bound: a line with the name of its scheme and pass."""
        names = (line(symbol, meaning) for symbol, meaning in self.names.items())
        bounds = (Line(local("N", name), bound, "chips") for name, bound in self.bounds.items())
        return Ledger((*names, *bounds), self.known)

    def number(self, bound: sp.Expr) -> sp.Expr | None:
        """The number of a bound; None while a symbol of it has no value, and where it is less than one chip."""
        number = self._at(bound)
        return None if number is None or number < 1 or self.mesh.impossible(bound) else number

    @property
    def none(self) -> bool:
        """Whether some bound has a value and there is no such number of chips."""
        bounds = (*self.bounds.values(), *(bound for _, bound in self.mesh.rows))
        return any(bound.free_symbols <= set(self.known) and self.number(bound) is None for bound in bounds)

    @property
    def _meshes(self) -> tuple[sp.Expr, ...]:
        """The bounds of both axes that are no whole number along either."""
        return tuple(bound for _, bound in self.mesh.rows if self.mesh.only is None or bound != self.mesh.added)

    def _at(self, bound: sp.Expr) -> sp.Expr | None:
        return bound.xreplace(dict(self.known)) if bound.free_symbols <= set(self.known) else None

    @property
    def facts(self) -> Mapping[str, Any]:
        """Every bound as a formula, and its number where it has one."""
        return {
            "bounds": self.bounds,
            "values": {name: self.number(bound) for name, bound in self.bounds.items()},
            "whole": {name: list(self.whole(bound)) for name, bound in self.bounds.items()},
        }


def _alone_step(each: OneAxis, found: FoundMesh) -> Step:
    work = Work(found.known)
    work.define(t_math, each.math)
    work.define(F_layer, sp.cancel(each.math * C))
    work.define(each.sent, each.time)
    numbers = ()
    if found.number(each.most) is not None:
        numbers = (Chain(each.most, (("=", work.put(each.most)), amount(work.number(each.most), "chips"))),)
    return work.step(
        text(each.heading),
        Chain(F_layer, (("=", sp.cancel(each.math * C)),)),
        Chain(t_math, (("=", F_layer / C),)),
        Chain(each.sent, (("=", each.time),)),
        Chain(t_math, (("≥", each.sent),), asked=True),
        Chain(each.degree, (("≤", each.most),), asked=True),
        *numbers,
    )


def _table(found: FoundMesh) -> Table:
    rows = [_row(text(each.name), each.most, found) for each in found.asked]
    if found.both:
        rows += [_row(name, bound, found) for name, bound in found.mesh.rows]
    return Table(
        say("Most chips that stay busy, with {c} FLOP/s and {w} bytes/s", c=C, w=W),
        (
            Column(text("scheme and pass"), "text"),
            Column(text("most chips")),
            Column(text("here"), "right"),
            Column(text("whole chips"), "right"),
        ),
        tuple(rows),
    )


def _row(name: Prose, bound: sp.Expr, found: FoundMesh) -> tuple[Prose, ...]:
    number = found.number(bound)
    shown = text("–") if number is None else about(Amount(number))
    return (name, say("{b}", b=bound), shown, _whole(found.whole(bound)) or text("–"))


def _whole(axes: tuple[int, ...]) -> Prose | None:
    """Whole chips along one axis, or along both with their product."""
    if not axes:
        return None
    if len(axes) == 1:
        return count(axes[0])
    return say("{x} × {y} = {n}", x=axes[0], y=axes[1], n=Amount(sp.Integer(axes[0] * axes[1])))


def _most(bound: sp.Expr, found: FoundMesh) -> Prose:
    number, axes = found.number(bound), _whole(found.whole(bound))
    if number is None:
        return say("at most {bound} chips", bound=bound)
    pieces = {"bound": bound, "number": about(Amount(number))}
    if axes is None:
        return say("at most {bound} chips, here {number}", **pieces)
    return say("at most {bound} chips, here {number} and in whole chips {axes}", axes=axes, **pieces)
