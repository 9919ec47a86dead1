"""`MeshBounds`: over how many chips a batch can be spread on a mesh of two axes, and the steps that show it."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from symbolic_mem.base.exact import Values
from symbolic_mem.base.symbols import C, F_layer, N_devices, X, Y, t_fsdp, t_math, t_tp
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Chain, Prose, Total, say, text
from symbolic_mem.document.steps import Block
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.one_axis import BothAxes
from symbolic_mem.solvers.chips import largest_mesh, only_axis
from symbolic_mem.solvers.critical import tidy


@dataclass(frozen=True)
class MeshBounds:
    """The most chips of a mesh whose axes alone keep `fsdp` and `tensor` chips busy, `overlapped` or `added`.

    An axis of `silent` chips sends nothing (1 of an exact ring, 0 of its limit). `leading` is the overlapped bound for
    axes that are long against that. Where it is best to put all chips along one axis, one after the other, `only` names
    it. `numbers` are those of `fsdp` and `tensor`, None while they have none.
    """

    fsdp: sp.Expr
    tensor: sp.Expr
    silent: int
    numbers: tuple[sp.Expr, sp.Expr] | None
    only: sp.Symbol | None
    overlapped: sp.Expr
    added: sp.Expr
    leading: sp.Expr

    @classmethod
    def of(cls, fsdp: sp.Expr, tensor: sp.Expr, ring: str, known: Values) -> MeshBounds:
        """Bound a mesh from the bounds of its axes, with rings that are ``exact`` or taken at their ``limit``."""
        silent = 1 if ring == "exact" else 0
        numbers = fsdp.xreplace(dict(known)), tensor.xreplace(dict(known))
        counted = all(number.is_number for number in numbers)
        only = only_axis(*numbers, silent) if counted and min(numbers) > 1 else None
        return cls(
            fsdp,
            tensor,
            silent,
            numbers=numbers if counted else None,
            only=None if only is None else (X, Y)[only],
            overlapped=largest_mesh(fsdp, tensor, "max"),
            added=largest_mesh(fsdp, tensor, "sum", silent) if only is None else (fsdp, tensor)[only],
            leading=tidy((fsdp - silent) * (tensor - silent)),
        )

    @property
    def long(self) -> bool:
        """Whether there is another form for axes that are long against the one chip that sends nothing."""
        return self.silent == 1

    @property
    def rows(self) -> tuple[tuple[Prose, sp.Expr], ...]:
        """The bounds by their names in a table."""
        same = text("the same, for long axes")
        apart = text("not overlapped")
        if self.only is not None:
            apart = say("not overlapped, all along {axis}", axis=self.only)
        rows = [
            (text("FSDP and tensor parallelism, overlapped"), self.overlapped),
            (same, self.leading),
            (apart, self.added),
            (same, self.leading / 4),
        ]
        kept = (True, self.long, True, self.long and self.only is None)
        return tuple(row for row, keep in zip(rows, kept, strict=True) if keep)

    def impossible(self, bound: sp.Expr) -> bool:
        """Whether `bound` is one of `rows` and an axis of its mesh would have less than one chip, or stay at one."""
        if self.numbers is None or bound not in [each for _, each in self.rows]:
            return False
        if bound == self.overlapped:
            return min(self.numbers) < 1
        return min(self.numbers) <= 1

    def steps(self, times: BothAxes, work: Work) -> Iterator[Block]:
        """Solve a forward pass for the chips of both axes, which send at the same time or one after the other."""
        yield _pass(times, work)
        long = (("≈", self.leading),) if self.long else ()
        yield work.step(
            say(
                "Both axes, sending at the same time: each axis has its own bound, and {chips} is at most their product",
                chips=Chain(N_devices, (("=", X * Y),), asked=True),
            ),
            Chain(N_devices, (("≤", self.overlapped), *long), asked=True),
            reason=text("The last form is the leading part, for axes that are long against one." if long else ""),
        )
        long = (("≈", self.leading / 4),) if self.long and self.only is None else ()
        along = [(axis - self.silent) / (most - self.silent) for axis, most in ((X, self.fsdp), (Y, self.tensor))]
        yield work.step(
            text("Both axes, one after the other. The times add up to at most those of the products:"),
            Chain(sp.Add(*along), (("≤", sp.S.One),), asked=True),
            Chain(N_devices, (("≤", self.added), *long), asked=True),
            reason=self._midway,
        )

    @property
    def _midway(self) -> Prose:
        """Why the product of the axes is at most that, where they do not send at the same time."""
        line = say("On the boundary {y} is a falling line in {x}, so {product} is a parabola", x=X, y=Y, product=X * Y)
        if self.only is not None:
            return say(
                "{line}. No point of it with more than one chip along each axis has as many chips as {axis} alone.",
                line=line,
                axis=self.only,
            )
        return say(
            "{line}, greatest midway between its zeros. Overlap is worth a factor of {four}{where}.",
            line=line,
            four=sp.Integer(4),
            where=text(" for long axes" if self.long else ""),
        )


def _pass(times: BothAxes, work: Work) -> Block:
    for symbol, expr in ((t_math, times.math), (F_layer, times.math * C), (t_fsdp, times.fsdp), (t_tp, times.tensor)):
        work.define(symbol, expr)
    return work.step(
        say(
            "Both axes, forward pass. One device multiplies its part, and sends weights along {x} and activations along {y}:",
            x=X,
            y=Y,
        ),
        Chain(F_layer, (("=", sp.cancel(times.math * C)),)),
        Chain(t_math, (("=", F_layer / C),)),
        Chain(t_fsdp, (("=", times.fsdp),)),
        Chain(t_tp, (("=", times.tensor),)),
        reason=say(
            "What is sent takes {overlapped} where the axes send at the same time, and {added} where they do not.",
            overlapped=sp.Max(t_fsdp, t_tp),
            added=Total((t_fsdp, t_tp)),
        ),
    )
