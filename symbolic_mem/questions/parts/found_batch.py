"""`FoundBatch`: the compute-bound batch of a study, with the times it comes from; every face is a function of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp

from symbolic_mem.base.exact import Values, at
from symbolic_mem.base.ledger import Ledger, Line
from symbolic_mem.base.symbols import N_devices, T, T_min, X_best
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Prose, Typeset, say, text
from symbolic_mem.questions.parts.conventions import Threshold
from symbolic_mem.questions.parts.demands import Demand
from symbolic_mem.questions.parts.mesh import FreeMesh
from symbolic_mem.questions.parts.times import PassTimes, line
from symbolic_mem.study.found import Found


@dataclass(frozen=True, repr=False)
class FoundBatch(Found):
    """The batch that must be exceeded under the convention that is `used`, and the numbers `known` of the mesh.

    `smallest` is the first whole number of tokens above it, `tokens` the study's own batch (None: it gives none) and
    `winner` what that batch waits for. `demands` are those of the given mesh; `free` and `conventions` are there
    where the mesh has two axes.
    """

    times: PassTimes
    known: Values
    used: Threshold
    smallest: int | None
    tokens: sp.Expr | None
    winner: str | None
    demands: tuple[Demand, ...] = ()
    conventions: tuple[Threshold, ...] = ()
    free: FreeMesh | None = None

    @property
    def value(self) -> int | None:
        """The smallest whole batch in tokens; None where no batch is enough."""
        return self.smallest

    @property
    def feasible(self) -> bool:
        """Whether some batch is large enough."""
        return self.used.tokens is not None

    @property
    def reason(self) -> Prose | None:
        """Why no batch is large enough, or why the best mesh cannot be built."""
        if self.used.tokens is None:
            return text(
                "what grows with the batch takes at least as long to send as to compute: no batch is large enough on this mesh"
            )
        if self.used.axes == "optimal" and self.used.x is not None and not 1 <= self.used.x <= self.chips:
            return say(
                "the best X is {x}, which is no part of {n} chips; use whole meshes",
                x=Amount(self.used.x, digits=4),
                n=Amount(self.chips),
            )
        return None

    @property
    def chips(self) -> sp.Expr:
        """The number of chips of the mesh, of all pods."""
        return self.known[N_devices]

    @property
    def at_batch(self) -> Values:
        """The numbers that are known, with the study's own batch where it gives one."""
        return self.known if self.tokens is None else {**self.known, T: self.tokens}

    @property
    def ledger(self) -> Ledger:
        """The load, the rates, the times and the bound on the tokens; on a free mesh the best X too."""
        bound = [line(T_min, self.used.formula)]
        if self.free is not None and self.used.axes == "optimal":
            bound.append(Line(X_best, self.free.x[self.used.overlap], "chips", "the best X at that batch"))
        return Ledger((*self.times.lines, *bound), self.at_batch)

    @property
    def facts(self) -> Mapping[str, Any]:
        """The convention, and the batch in tokens: exact, whole, per chip and per rank of the FSDP axis."""
        bound = self.used.tokens
        return {
            "conventions": {"overlap": self.used.overlap, "axes": self.used.axes, "unit": "tokens"},
            "feasible": self.feasible,
            "critical_batch_tokens": bound,
            "smallest_batch_tokens": self.smallest,
            "per_chip": None if bound is None else bound / self.chips,
            "per_fsdp_rank": None if bound is None or self.used.x is None else bound / self.used.x,
            "formula": self.used.formula,
        }

    @property
    def communication(self) -> Mapping[str, Any]:
        """The facts with all that the pass sends, in symbols of the model and in numbers: what `comms` shows."""
        facts, formula = self.facts, self["T_min"].formula
        setting = {
            "pass": self.times.one_pass,
            "scheme": self.times.scheme,
            "direction": self.times.direction,
            "ring": self.times.ring,
        }
        batch = ("feasible", "critical_batch_tokens", "per_chip", "per_fsdp_rank", "smallest_batch_tokens")
        return {
            "study": self.study.name,
            "conventions": {**facts["conventions"], **setting},
            **{name: facts[name] for name in batch},
            "formula": formula,
            "latex": Typeset(formula),
            "conditions": [sp.Gt(self._long(margin), 1, evaluate=False) for margin in self.used.conditions],
            "reason": self.reason,
            **self._best_mesh,
            "values": {str(symbol): number for symbol, number in self.known.items() if symbol not in self.times.names},
            "batch_tokens": self.tokens,
            "times": [{"name": "mathematics", **self._seconds(self.times.math)}, *self._sent()],
            "winner": self.winner,
            "assumptions": [*self._assumed(), *map(self.study.plain, self.study.model.said_of_layers)],
        }

    @property
    def _best_mesh(self) -> Mapping[str, Any]:
        """The best X, and the best mesh of whole axes, where the mesh is free."""
        if self.free is None or self.used.axes == "given":
            return {}
        whole = self.free.best_whole[self.used.overlap]
        best = None if whole is None else {"X": whole.x, "Y": whole.y, "critical_batch_tokens": whole.tokens}
        return {
            "optimal_x": self.used.x,
            "optimal_x_formula": self._long(self.free.best_x),
            "best_whole_mesh": best,
        }

    def _sent(self) -> list[Mapping[str, Any]]:
        return [
            {
                "name": each.name,
                "axis": each.axis,
                "volume_formula": self._long(each.volume),
                "bytes": at(each.volume, self.at_batch),
                **self._seconds(each.time),
            }
            for each in self.times.sent
        ]

    def _seconds(self, time: sp.Expr) -> Mapping[str, Any]:
        formula = self._long(time)
        return {"formula": formula, "latex": Typeset(formula), "seconds": at(time, self.at_batch)}

    def _long(self, expr: sp.Expr) -> sp.Expr:
        """An expression in the sizes of the model, without the short names of its load."""
        return expr.xreplace(dict(self.times.names))

    def _assumed(self) -> tuple[Prose, Prose]:
        together = text(
            "Tokens are counted in the whole batch: T = B S; the mesh axes send at the same time, and each must take "
            "less time than the mathematics."
        )
        added = text(
            "Tokens are counted in the whole batch: T = B S; the mesh axes send one after the other, and together must "
            "take less time than the mathematics."
        )
        sent = say("What is sent has two bytes per element; all is counted for one {what}.", what=text(self.times.what))
        return (together if self.used.overlap == "max" else added, sent)
