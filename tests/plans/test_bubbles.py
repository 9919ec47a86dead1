"""Bubbles of pipelines, against a walk over the passes of every rank, each as soon as what it needs is there."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import sympy as sp

from symbolic_mem.base.symbols import n_chunks, n_micro, n_pp
from symbolic_mem.plans.pipeline import pipeline, pipelines

Pass = tuple[str, int, int]  # F, B (gradients of inputs) or W, the stage of the model, and the micro-batch


def loop(p: int, m: int, v: int, rank: int, warm: int, late: int, group: int) -> Iterator[Pass]:
    """Forward passes to warm up, then one B and one F in turn; each W `late` backward passes after its own B."""

    def nth(n: int, chunk: int) -> tuple[int, int]:
        round_, rest = divmod(n, group * v)
        turn, micro = divmod(rest, group)
        return (turn if chunk > 0 else v - 1 - turn) * p + rank, round_ * group + micro

    ahead, total = min(warm, m * v), m * v
    yield from (("F", *nth(n, 1)) for n in range(ahead))
    for n in range(total):
        yield ("B", *nth(n, -1))
        if n >= late:
            yield ("W", *nth(n - late, -1))
        if ahead + n < total:
            yield ("F", *nth(ahead + n, 1))
    yield from (("W", *nth(n, -1)) for n in range(max(0, total - late), total))


def vee(p: int, m: int, rank: int) -> Iterator[Pass]:
    """ZBV: what an endless run of blocks of F, B and W of both chunks leaves when it starts and ends."""
    down, up = rank, 2 * p - 1 - rank
    first = 2 * (p - rank) - 1 + rank
    yield from (("F", down, n) for n in range(2 * (p - rank) - 1))
    for n in range(rank):
        yield ("F", up, n)
        yield ("F", down, 2 * (p - rank) - 1 + n)
    for n in range(p - rank):
        yield ("F", up, rank + n)
        yield from ((kind, up, n) for kind in "BW")
    for n in range(m - p):
        if first + n < m:
            yield ("F", down, first + n)
        yield from ((kind, down, n) for kind in "BW")
        yield ("F", up, p + n)
        yield from ((kind, up, p - rank + n) for kind in "BW")
    for n in range(rank):
        yield ("B", down, m - p + n)
        yield ("B", up, m - rank + n)
    for n in range(p - rank):
        yield ("B", down, m - p + rank + n)
        yield ("W", down, m - p + n)
    yield from (("W", up, n) for n in range(m - rank, m))
    yield from (("W", down, n) for n in range(m - rank, m))


def order(name: str, p: int, m: int, v: int, rank: int) -> list[Pass]:
    if name == "zbv":
        return list(vee(p, m, rank))
    warm = {
        "gpipe": m,
        "1f1b": p - rank,
        "interleaved": (v - 1) * p + 2 * (p - rank - 1) + 1,
        "looped-bfs": m * v,
        "interleaved-zero-bubble": (v - 1) * p + (p - rank - 1) + 1,
        "zb-h1": p - rank,
        "zb-h2": 2 * (p - rank) - 1,
    }[name]
    late = {"interleaved-zero-bubble": rank, "zb-h1": rank, "zb-h2": 2 * rank}.get(name, 0)
    return list(loop(p, m, v, rank, warm, late, m if name in ("gpipe", "looped-bfs") else p))


def longest_wait(name: str, p: int, m: int, v: int, took: dict[str, int]) -> int:
    """The longest that a rank waits between its first pass and its last."""
    rows = [order(name, p, m, v, rank) for rank in range(p)]
    assert all(len(row) == len(set(row)) == 3 * m * v for row in rows)
    done: dict[Pass, int] = {}
    clock, begun, at = [0] * p, [-1] * p, [0] * p
    while any(at[rank] < len(rows[rank]) for rank in range(p)):
        for rank, row in enumerate(rows):
            while at[rank] < len(row):
                kind, stage, micro = row[at[rank]]
                needs = {
                    "F": [("F", stage - 1, micro)] * (stage > 0),
                    "B": [("F", stage, micro)] + [("B", stage + 1, micro)] * (stage < p * v - 1),
                    "W": [("B", stage, micro)],
                }[kind]
                if name in ("gpipe", "1f1b", "interleaved", "looped-bfs") and kind == "B" and stage < p * v - 1:
                    needs = [*needs, ("W", stage + 1, micro)]  # the backward pass is one pass there
                if not all(need in done for need in needs):
                    break
                start = max([clock[rank], *(done[need] for need in needs)])
                begun[rank] = start if begun[rank] < 0 else begun[rank]
                clock[rank] = done[kind, stage, micro] = start + took[kind]
                at[rank] += 1
    return max(clock[rank] - begun[rank] for rank in range(p)) - m * v * sum(took.values())


def published(name: str, p: int, m: int, v: int, took: dict[str, int]) -> sp.Expr:
    one = pipeline(name)
    if one.bubble is not None:
        share = one.bubble.xreplace({n_pp: sp.Integer(p), n_micro: sp.Integer(m), n_chunks: sp.Integer(v)})
        return share * m * v * sum(took.values())
    formula = one.waits.partition(": ")[0]
    if formula == "0 where F = W = B - W":
        return sp.Integer(0) if took["F"] == took["W"] == took["B"] else sp.nan
    product = re.sub(r"(\d) (?=[A-Z])", r"\1*", formula.replace(") (", ")*("))
    return sp.sympify(product, {"n_pp": p, "F": took["F"], "B": took["B"] + took["W"], "W": took["W"]})


@pytest.mark.parametrize("took", [{"F": 1, "B": 1, "W": 1}, {"F": 4, "B": 5, "W": 3}])
@pytest.mark.parametrize(
    "name", ["gpipe", "1f1b", "interleaved", "looped-bfs", "interleaved-zero-bubble", "zb-h1", "zb-h2", "zbv"]
)
def test_a_walk_waits_as_long_as_the_published_formula_says(name, took):
    for p, m in ((2, 4), (4, 8), (4, 12), (8, 16)):
        for v in (pipeline(name).chunks,) if pipeline(name).chunks else (2, 3):
            said = published(name, p, m, v, took)
            if said is not sp.nan:
                assert longest_wait(name, p, m, v, took) == said


@pytest.mark.parametrize("name", ["zb-h2", "zbv"])
def test_two_of_them_wait_longer_with_few_micro_batches(name):
    took = {"F": 1, "B": 1, "W": 1}
    chunks = pipeline(name).chunks
    if name == "zb-h2":
        assert [longest_wait(name, 4, m, chunks, took) for m in (4, 6, 7, 8)] == [3, 1, 0, 0]
    assert pipeline(name).apart and longest_wait(name, 4, 7, chunks, took) == 0


def test_what_has_no_formula_is_known_by_name():
    without = {name for name, one in pipelines().items() if one.bubble is None and not one.waits}
    assert without == {"vocab-1", "vocab-2", "interlaced"}
