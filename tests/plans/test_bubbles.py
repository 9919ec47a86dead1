"""Bubbles of pipelines, against a walk over the passes of every rank, each as soon as what it needs is there."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest
import sympy as sp

from symbolic_mem.base.symbols import n_chunks, n_micro, n_pp, r_pp
from symbolic_mem.plans.pipeline import pipeline, pipelines

# F, B (gradients of inputs), W, or S and T of a divided vocabulary, each of which begins when every rank is through with what
# it needs of the one before; the stage of the model, and the micro-batch.
Pass = tuple[str, int, int]
VOCABULARY = ("vocab-1", "vocab-2", "interlaced")
WHOLE = ("gpipe", "1f1b", "interleaved", "looped-bfs", *VOCABULARY)  # their backward pass is one pass


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


def divided(name: str, p: int, m: int, rank: int, took: dict[str, int]) -> Iterator[Pass]:
    """sail-sg/VocabularyParallelism 6191c3b: vocab_parallel_schedule.py and interlaced_schedule.py, as lists of passes.

    A vocabulary pass stands on every rank where it falls in the time between the backward and the forward pass of its blocks:
    the backward pass ends a forward pass later on each rank before the last, counted in turns of both.
    """
    behind = p - 1 - rank
    if name == "interlaced":
        ahead = p // 2 - behind // 2
        kinds = "F" * (3 * p // 2 - rank) + "V" * (p - rank) + "BV" * ahead
        kinds += ("FBV" if rank % 2 == p % 2 else "BFV") * m
    else:
        forward, both = took["F"], took["F"] + took["B"] + took["W"]
        turns = max(0, -(-behind * forward // both) - 1)
        after = behind * forward - turns * both <= took["B"] + took["W"]
        kinds = "F" * (p - rank) + "VF" * (2 if name == "vocab-1" else 1) + "V" * (behind - turns)
        kinds += ("BVF" if after else "BFV") * m
    done = dict.fromkeys("FBV", 0)
    for kind in kinds:
        n = done[kind]
        done[kind] += 1
        if kind == "B":
            row = [("B", n), ("W", n)]
        elif kind == "F":
            row = [("F", n)]
        elif name == "interlaced":
            row = [("S", n), ("T", n)]
        else:  # T of the micro-batch before, in one kernel with S; the last backward pass needs it in vocab-1 alone
            row = [("T", n - 1), ("S", n)] if n < m or name == "vocab-1" else []
        yield from ((one, rank, micro) for one, micro in row if 0 <= micro < m)
    if name == "vocab-2":
        yield ("T", rank, m - 1)


def order(name: str, p: int, m: int, v: int, rank: int, took: dict[str, int]) -> list[Pass]:
    if name == "zbv":
        return list(vee(p, m, rank))
    if name in VOCABULARY:
        return list(divided(name, p, m, rank, took))
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
    rows = [order(name, p, m, v, rank, took) for rank in range(p)]
    assert all(len(row) == len(set(row)) == len(took) * m * v for row in rows)
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
                    "S": [("F", p - 1, micro)],
                    "T": [("S", every, micro) for every in range(p)],
                }[kind]
                if name in WHOLE and kind == "B" and stage < p * v - 1:
                    needs = [*needs, ("W", stage + 1, micro)]
                if name in VOCABULARY and kind == "B" and stage == p - 1:
                    needs = [*needs, *(("S" if name == "vocab-2" else "T", every, micro) for every in range(p))]
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


@pytest.mark.parametrize("took", [{"F": 10, "B": 9, "W": 7, "S": 1, "T": 2}, {"F": 4, "B": 2, "W": 2, "S": 2, "T": 1}])
@pytest.mark.parametrize("name", VOCABULARY)
def test_with_a_divided_vocabulary_ranks_wait_and_hold_as_said(name, took):
    for p, m in ((2, 4), (3, 3), (4, 8), (5, 6), (8, 32)):
        assert (
            longest_wait(name, p, m, 1, took)
            == published(name, p, m, 1, took)
            == (p - 1) * (sum(took.values()) - took["S"] - took["T"])
        )
        for rank in range(p):
            flight = itertools.accumulate(
                {"F": 1, "B": -1}.get(kind, 0) for kind, *_ in order(name, p, m, 1, rank, took)
            )
            assert max(flight) == pipeline(name).held.xreplace(
                {n_pp: sp.Integer(p), n_micro: sp.Integer(m), r_pp: sp.Integer(rank)}
            )


@pytest.mark.parametrize("name", ["zb-h2", "zbv"])
def test_two_of_them_wait_longer_with_few_micro_batches(name):
    took = {"F": 1, "B": 1, "W": 1}
    chunks = pipeline(name).chunks
    if name == "zb-h2":
        assert [longest_wait(name, 4, m, chunks, took) for m in (4, 6, 7, 8)] == [3, 1, 0, 0]
    assert pipeline(name).apart and longest_wait(name, 4, 7, chunks, took) == 0


def test_every_schedule_says_how_long_a_rank_waits():
    assert all(one.bubble is not None or one.waits for one in pipelines().values())
