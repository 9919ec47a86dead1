"""`sweep`: the smallest degree, or the peak at a given one, of every configuration of a grid or of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

from symbolic_mem.study.study import Study
from symbolic_mem.sweeps.plan import plan

if TYPE_CHECKING:
    from symbolic_mem.sweeps.table import Sweep


def sweep(
    study: Study | str,
    *,
    rows: Mapping[str, Any] | None = None,
    columns: Sequence[str] | None = None,
    instants: bool = False,
    terms: bool = False,
    question: str | None = None,
    asks: Mapping[str, Any] | None = None,
    executor: Executor | None = None,
    engine: str = "numpy",
    yes: bool = False,
    **axes: Any,
) -> Sweep:
    """Answer every configuration of the product of the `axes`, and of `rows` of values that belong together, exactly.

    An axis is the name of a symbol with whole numbers (``B=range(1, 9)``), or device, capacity, reading, plan, recipe,
    optimizer, recompute, profile, kernel, loss, cache, adapters, gradients, offload or copies with names. Where the degree is no axis the smallest one is found, else
    what is held at it. `columns` are some of fits, peak, left, instant and communication, beside the degree that is found (all but the
    last where none are named); bytes are whole ones of one device, communication is the seconds in which it sends in a step; `instants` adds the bytes at each instant, `terms` those of each term at the instant that binds. `asks`
    are keys of the question, such as ``{"strict": False}``; work is given to an `executor` in pieces. The `engine`
    "numba" compiles the same arithmetic, which takes seconds and pays from some ten million configurations on. More than 10^9
    configurations need `yes`, and no axis has more than 10^7 values. Raises `BadInput` for what cannot be asked and `MissingProgram` without NumPy or the engine.

    >>> found = sweep("cs336-a2-xxl", B=[64, 128], S=[512, 1024])
    >>> found["n_fsdp"].tolist()
    [[38, 41], [41, 46]]
    """
    planned = plan(
        study,
        rows=rows,
        columns=columns,
        instants=instants,
        terms=terms,
        question=question,
        asks=asks,
        axes=axes,
        engine=engine,
    )
    planned.refuse_too_many(yes, "yes=True")
    from symbolic_mem.sweeps.run import PIECE, answers
    from symbolic_mem.sweeps.table import collected

    return collected(planned, answers(planned, PIECE, executor))
