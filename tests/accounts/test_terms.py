"""A term and what becomes of it where it is divided, and how both show themselves."""

import re

import pytest
import sympy as sp

import symbolic_mem as sm
from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.base.symbols import L, P, d_model
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study
from symbolic_mem.models.tensors import Part
from symbolic_mem.plans.placement import Placed

SHORT = Term(
    "states",
    "weights",
    P,
    sp.Integer(3),
    "three bytes",
    "a paper",
    short=3 * P,
    parts=(Part(L, (P / L,)),),
    layer="block",
)

QUARTER = sp.Rational(1, 4)


def shares(rest: str, fraction: sp.Expr = QUARTER) -> list[Term]:
    return list(Memory((SHORT,)).placed({"weights": Placed(sm.n_fsdp, fraction, rest)}))


def test_a_divided_part_and_what_is_kept_are_named_and_sum_to_the_whole():
    divided, kept = shares("kept")
    assert [one.name for one in (divided, kept)] == ["states, divided part", "states, kept part"]
    assert [one.layer for one in (divided, kept)] == ["block, divided part", "block, kept part"]
    assert (divided.bytes, kept.bytes) == (3 * P / 4 / sm.n_fsdp, 9 * P / 4)
    assert (divided.short, kept.short) == (3 * P / 4, 9 * P / 4)
    assert [one.parts[0].copies for one in (divided, kept)] == [L / 4, 3 * L / 4]
    assert {(one.reason, one.source) for one in (divided, kept)} == {("three bytes", "a paper")}


def test_what_is_divided_whole_or_not_at_all_keeps_its_name():
    (whole,), (none,) = shares("kept", sp.S.One), shares("kept", sp.S.Zero)
    assert (whole.name, whole.bytes, none.name, none.bytes) == ("states", 3 * P / sm.n_fsdp, "states", 3 * P)


def test_what_is_dropped_is_nowhere():
    assert [one.name for one in shares("dropped")] == ["states, divided part"]


def test_a_memory_tells_its_terms_and_kinds():
    other = Term("gradients", "gradients", P, sp.Integer(2), "")
    said = [repr(Memory(terms)) for terms in ((), (SHORT,), (SHORT, other))]
    assert said == [
        "<memory of 0 terms: nothing>",
        "<memory of 1 term: weights>",
        "<memory of 2 terms: weights, gradients>",
    ]


def test_a_term_shows_its_kind_its_bytes_its_reason_and_its_source():
    shown = SHORT._repr_mimebundle_()
    cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", shown["text/html"])
    told = [re.sub(r"<[^>]*>", "", cell) for cell in cells]
    assert told[0::2] == ["kind", "bytes, in all", "reason", "source"]
    assert (told[1], told[5], told[7]) == ("weights", "three bytes", "a paper")
    assert shown["text/latex"] == "$\\displaystyle 3 \\, P$"
    (divided, _) = shares("kept")
    assert "bytes, one device" in divided._repr_mimebundle_()["text/html"]


def test_the_table_of_a_memory_says_gibibytes_where_the_bytes_are_a_number():
    from symbolic_mem.render.text import plain_prose

    sizes = [sp.Integer(2**30), sp.Integer(10**9), sp.Integer(3), L * d_model]
    rows = Memory(tuple(Term("x", "weights", size, sp.S.One, "") for size in sizes)).table.rows
    assert [plain_prose(row[1]) for row in rows[:4]] == [
        "1,073,741,824 = 1 GiB",
        "1 × 10⁹ ≈ 953.67 MiB",
        "3",
        "L d_model",
    ]


@pytest.mark.parametrize("name", [*bundled()])
def test_what_is_there_at_every_moment_is_what_an_account_has_of_it(name):
    study = load_study(name).as_given
    for kinds in (("weights",), ("optimizer",), ("weights", "optimizer")):
        assert study.at_least(kinds) == study.seen_at(None).placed(kinds), kinds
