"""`verify`: a study's step in the installed engine, mark by mark, ours beside theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.rational import Number
from symbolic_mem.base.symbols import B
from symbolic_mem.base.told import grouped
from symbolic_mem.base.values import dataclass
from symbolic_mem.study.changed_recipe import use_kernel, use_profile
from symbolic_mem.study.study import Study
from symbolic_mem.verify.held import MARKS, Held, held
from symbolic_mem.verify.measure import engine, measure, turn
from symbolic_mem.verify.run import Run, run_of
from symbolic_mem.verify.shrink import shrunk

MODELS = "hf-cuda-bf16"


@dataclass(frozen=True)
class Row:
    """Bytes of one device at a mark of the step: ours at the `instant` that we name, and theirs."""

    mark: str
    instant: str
    ours: Number
    theirs: int

    @property
    def miss(self) -> Number:
        """Ours less theirs."""
        return self.ours - self.theirs


@dataclass(frozen=True)
class Measured:
    """A study beside the `engine`: what was `changed` to run it, and a row for each mark."""

    study: Study
    engine: str
    turn: str
    changed: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def sentence(self) -> str:
        """What comes out, in one sentence."""
        worst = max(self.rows, key=lambda row: abs(row.miss))
        if worst.miss == 0:
            return f"All {len(self.rows)} agree to the byte."
        share, size = abs(worst.miss) / worst.theirs * 100, grouped(str(abs(whole(worst.miss))))
        return (
            f"{sum(row.miss == 0 for row in self.rows)} of {len(self.rows)} agree to the byte; the largest miss is "
            f"{worst.mark}: ours is {size} bytes ({float(share):.2g} %) {'below' if worst.miss < 0 else 'above'} theirs."
        )

    def record(self) -> Mapping[str, Any]:
        """Return it as JSON takes it."""
        rows = [
            {"mark": row.mark, "instant": row.instant, "ours": whole(row.ours), "theirs": row.theirs}
            | {"miss": whole(row.miss)}
            for row in self.rows
        ]
        return {"study": self.study.name, "engine": self.engine, "changed": list(self.changed), "rows": rows}


def whole(value: Number) -> int:
    """Return bytes rounded up to a whole number."""
    return int(-(-value // 1))


def _of_one(study: Study, batch: int) -> Study:
    """The same step as one device sees it: with the sequences that it has itself."""
    placement = {kind: placed for kind, placed in study.placement.items() if kind != "activations"}
    return replace(study, placement=placement, values={**study.values, B: sp.Integer(batch)})


def _as_run(study: Study) -> tuple[Study, tuple[str, ...], Run]:
    """The study as it is run, what was changed for that, and its step in numbers."""
    study, changed = shrunk(study)
    architecture = study.built.architecture
    if architecture is not None and study.built.profile != MODELS:
        own = [change for change in study.caller if change.aspect == "profile"]
        if own:
            raise BadInput(
                f"{own[-1].words}: what is run are the modules that transformers builds, which keep what profile {MODELS} says; "
                "leave it out"
            )
        kernel = [use_kernel(study.built.kernel)] if study.built.kernel else []
        study = study.changed([use_profile(MODELS), *kernel])
        changed = (*changed, f"profile {MODELS}, the modules that transformers builds")
    return study, changed, run_of(study)


def expected(study: Study, batch: int) -> Mapping[str, Held]:
    """Return what one device with `batch` sequences of its own holds at each mark, counters and loss included."""
    recipe = study.recipe
    counted = replace(recipe.with_optimizer(recipe.optimizer, step_counters=True), changes=recipe.changes)
    return held(_of_one(replace(study, recipe=counted), batch))


def verify(study: Study) -> Measured:
    """Measure one training step of a study in the installed PyTorch, and put our bytes beside its.

    The optimizer's counters and the loss count too, so that both can agree to the byte. Raises `BadInput` for a model,
    a plan or a recipe that is not run there, and `MissingProgram` where the engine is not installed.
    """
    study, changed, run = _as_run(study)
    ours = expected(study, run.batch)
    theirs = measure(run)
    rows = tuple(Row(MARKS[mark], ours[mark].instant, ours[mark].bytes, theirs[mark]) for mark in MARKS)
    return Measured(study, engine(run), turn(run), changed, rows)
