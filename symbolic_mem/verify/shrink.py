"""Sizes at which an engine answers within seconds: fewer blocks, and values for what has none, each of them said."""

from __future__ import annotations

from symbolic_mem.base import symbols as s
from symbolic_mem.base.exact import missing
from symbolic_mem.study.changed_values import set_value
from symbolic_mem.study.study import Study

MOST_BLOCKS = 8
MOST_DENSE = 2
ABSENT = {s.L: 4, s.d_model: 256, s.d_ff: 1024, s.B: 1, s.S: 128, s.n_fsdp: 8}


def shrunk(study: Study) -> tuple[Study, tuple[str, ...]]:
    """Return the study at sizes that are quick to run, and what was set otherwise, in words.

    Only the number of blocks shrinks: what a step holds changes by the same amount from block to block. The rule of
    recomputation meets as many of the last blocks as before. A symbol that the step needs and that has no value is
    given one.

    >>> from symbolic_mem.library.read import load_study
    >>> small, words = shrunk(load_study("cs336-a2-xxl"))
    >>> small.values[s.L], words
    (8, ('L = 8 in place of 126', 'n_fsdp = 8, which had no value'))
    """
    values, words = {}, []
    blocks, dense = study.values.get(s.L), study.values.get(s.L_dense)
    if blocks is not None and blocks > MOST_BLOCKS:
        fewer = MOST_BLOCKS + (int(blocks) - MOST_BLOCKS) % study.recipe.recompute.period
        if fewer < blocks:
            values[s.L] = fewer
            words.append(f"L = {fewer} in place of {blocks}")
            windows = _windows(study, fewer)
            if windows is not None:
                values[s.L_window] = windows
                words.append(f"L_window = {windows} in place of {study.values[s.L_window]}")
    if dense is not None and dense > MOST_DENSE:
        values[s.L_dense] = MOST_DENSE
        words.append(f"L_dense = {MOST_DENSE} in place of {dense}")
    degrees = {one.degree for one in study.placement.values() if one.fraction != 0}
    needed = {s.L, s.B, s.S} | ({s.d_model, s.d_ff} if study.built.architecture is None else set())
    needed |= {s.n_fsdp} if any(degree.has(s.n_fsdp) for degree in degrees) else set()
    for symbol, value in ABSENT.items():
        if symbol in needed and missing(symbol, study.values):
            values[symbol] = value
            words.append(f"{symbol} = {value}, which had no value")
    return study.changed(set_value(str(symbol), value) for symbol, value in values.items()), tuple(words)


def _windows(study: Study, blocks: int) -> int | None:
    """How many of the first blocks have a sliding window; None where all do, or where that is no value of the study."""
    architecture = study.built.architecture
    window = None if architecture is None else architecture.window
    if window is None or window.layers != s.L_window or not window.kinds:
        return None
    return sum(window.kinds[:blocks])
