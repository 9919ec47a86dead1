"""What is compiled answers what Python's integers do: the text of the loops in many cases, and compiled in some."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from points import COLUMNS, agree, edge, some_cases

from symbolic_mem.base.errors import BadInput, MissingProgram
from symbolic_mem.sweeps import compiled
from symbolic_mem.sweeps.arrays import Layout
from symbolic_mem.sweeps.case import Case, Held
from symbolic_mem.sweeps.engine import Piece
from symbolic_mem.sweeps.loops import loops
from symbolic_mem.sweeps.polynomial import Polynomial
from symbolic_mem.sweeps.sweep import sweep

BITS = [4, 8, 10, 12, 14, 16, 20]


@pytest.fixture(scope="module")
def interpreted():
    """The text of the loops, read by Python instead of a compiler."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "kernel", lambda source: compiled.written(source, compiled.down))
        yield


def read(case):
    written = loops(case, COLUMNS)
    if written is None:
        assert case.most >= 1 << 62
    with np.errstate(divide="ignore", invalid="ignore"):
        agree(case, written)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(BITS).flatmap(some_cases))
def test_the_smallest_degree_of_the_text_is_that_of_integers(interpreted, case):
    read(case)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(BITS).flatmap(lambda bits: some_cases(bits, 1)))
def test_what_is_held_in_the_text_is_that_of_integers(interpreted, case):
    read(case)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("room", [1, 3, 10**9 + 7, (1 << 49) - 1, (1 << 60) - 1])
@pytest.mark.parametrize("bits", [48, 52, 53, 60])
def test_quotients_beside_whole_numbers(interpreted, bits, room, strict):
    around = [room * (((1 << bits) // room) + k) + d for k in (-1, 0, 1) for d in (-1, 0, 1)]
    read(edge(1, room, [max(one, 1) for one in around], strict))


@settings(max_examples=300, deadline=None)
@given(st.integers(-(1 << 62), 1 << 62), st.integers(1, 1 << 62))
def test_a_quotient_is_floored(above, below):
    for k in (-1, 0, 1):
        near = max(-(1 << 62), min(1 << 62, above // below * below + k))
        assert compiled.down(np.int64(near), np.int64(below)) == near // below


def grid(scale, degree, strict):
    """Two instants, of which either may bind, over a long leading axis and two axes of columns."""
    fixed = Polynomial({((0, 1), (1, 1)): 3 * scale, ((2, 2),): 5, ((0, 1),): 2})
    return Case(
        (), range(40), {0: list(range(1, 41))}, ((30, {1: range(1, 31)}), (7, {2: [1, 9, 2, 8, 3, 7, 4]})), degree,
        (
            Held("one", Polynomial({((0, 1),): 900 * scale, (): 11}), fixed),
            Held("other", Polynomial({((1, 1),): 700 * scale, ((0, 1), (2, 1)): 1}), fixed + Polynomial({((2, 1),): 40 * scale})),
        ), (), Polynomial({(): 1}), Polynomial({(): 2500 * scale}), strict, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("bits", "degree", "strict"),
    [
        (10, None, False),
        *(
            pytest.param(bits, degree, strict, marks=pytest.mark.slow)
            for bits in (10, 42)
            for degree in (None, 2)
            for strict in (False, True)
            if (bits, degree, strict) != (10, None, False)
        ),
    ],
)
def test_what_numba_compiles_is_what_numpy_answers_and_integers(bits, degree, strict):
    pytest.importorskip("numba", reason="numba is optional")
    case = grid(1 << bits, degree, strict)
    written = loops(case, COLUMNS)
    assert written is not None
    agree(case, written)
    rows = Layout(case).rows
    piece = Piece(case, 3, rows - 5, COLUMNS, loops=(written, None))
    for name, column in piece.answer().items():
        own = replace(piece, loops=(None, None)).answer()[name]
        assert column.dtype == own.dtype and np.array_equal(column, own), name


def test_a_last_axis_that_is_long_is_gone_through_in_strips():
    pytest.importorskip("numba", reason="numba is optional")
    axes = {"B": [1, 2, 3], "S": range(1, 20_001)}
    one, other = (sweep("cs336-a2-xxl", columns=["peak"], engine=engine, **axes) for engine in ("numpy", "numba"))
    assert all(np.array_equal(column, other[name]) for name, column in one.columns.items())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("study", "given"),
    [
        ("llama-3.1-8b", {"B": range(1, 9), "S": range(512, 8193, 512), "L": [1, 8], "device": ["h100-80gb", "b200"]}),
        ("llama-3.1-8b", {"n_fsdp": range(1, 17), "S": range(512, 8193, 512), "B": [1, 2]}),
        ("llama-3.1-8b", {"rows": {"B": [1, 2, 4], "S": [8192, 4096, 2048]}, "asks": {"multiple_of": 8, "strict": True}}),
        ("cs336-a2-xxl", {"B": [10**k for k in range(12)], "S": [10**k for k in range(12)]}),
        ("deepseek-v3", {"B": range(1, 9), "S": range(512, 8193, 512), "columns": ["fits", "communication"]}),
        ("cluster-llama-3.1-70b-64-h100", {"n_tp": [2, 4, 8], "n_fsdp": [2, 8], "S": [4096, 8192]}),
        ("llama-3.1-8b", {"B": [1, 2], "S": [8192], "instants": True, "terms": True}),
    ],
)  # fmt: skip
def test_a_sweep_that_is_compiled_is_the_same(study, given):
    pytest.importorskip("numba", reason="numba is optional")
    one, other = sweep(study, **given), sweep(study, engine="numba", **given)
    assert one.dims == other.dims and list(one.columns) == list(other.columns)
    for name, column in one.columns.items():
        assert column.dtype == other[name].dtype and np.array_equal(column, other[name]), name


def test_an_engine_that_is_none_or_not_installed_is_refused(monkeypatch):
    with pytest.raises(BadInput, match="engine 'numbra' is none; did you mean 'numba'"):
        sweep("cs336-a2-xxl", B=[1], engine="numbra")
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(MissingProgram, match=r"`pip install 'symbolic-mem\[numba\]'` installs it"):
        sweep("cs336-a2-xxl", B=[1], engine="numba")
