"""What is too long for its place is broken, said otherwise or left out, in every face alike; the check sees it all."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import sympy as sp

from symbolic_mem.base.symbols import B, L, M_total, P, S, V, d_ff, d_model, n_heads, n_kv
from symbolic_mem.document.prose import Amount, Brief, Chain, Long, Prose, Put, Total, amount, say, text
from symbolic_mem.document.steps import Answer, Bullets, Column, Paragraph, Section, Step, Table
from symbolic_mem.document.work import FalseLine, Work
from symbolic_mem.documents.derivation import Derivation
from symbolic_mem.render import arrange as places
from symbolic_mem.render.arrange import arrange_prose, arrange_section, arrange_table, fits, spread
from symbolic_mem.render.document import render
from symbolic_mem.render.latex import latex
from symbolic_mem.render.tabular import tabular
from symbolic_mem.render.text import plain_chain, plain_prose

WIDE = sp.Add(*(sp.Symbol(f"w{i}", positive=True) for i in range(60)))
LONG = [
    2 * B * S * L * (d_model + 2 * n_heads + 2 * n_heads * d_model + 2 * n_kv * d_ff) + 24 * L,
    d_model * (V + 3 * d_ff * d_model + 5 * n_heads * n_kv * d_model + 7 * L * d_model * n_heads + 9 * V * n_kv),
    16 * L * d_model * d_ff + 32 * V * d_model + 48 * L * d_model * n_heads + 64 * L * n_kv * d_model,
]


def value(side) -> sp.Expr:
    return sp.Add(*(value(part) for part in side.sides)) if isinstance(side, Total) else side


def arranged(*chains: Chain, **more) -> tuple:
    return arrange_section(Section(text("s"), (Step(text("It is"), chains, **more),))).blocks


@pytest.mark.parametrize("expr", LONG)
def test_a_long_formula_is_a_sum_of_short_terms_of_the_same_value(expr):
    assert not fits(expr, places.DISPLAY.line)
    found = spread(expr)
    assert isinstance(found, Total) and len(found.sides) > 1
    assert sp.expand(value(found) - expr) == 0
    assert all(fits(side, places.DISPLAY.line) for side in found.sides)


def test_a_short_formula_stays_as_it_is():
    assert spread(2 * L * (d_model + V)) == 2 * L * (d_model + V)


def test_a_long_side_is_spread_in_a_display():
    (step,) = arranged(Chain(P, (("=", Long(LONG[0])),)))
    assert isinstance(step.chains[0].links[0][1], Total)


def test_a_brief_link_is_left_out_where_it_is_long():
    kept = ("=", Amount(sp.Integer(8)))
    (step,) = arranged(Chain(P, (("=", Brief(WIDE, wraps=True)), ("=", Brief(L)), kept)))
    assert step.chains[0].links == (("=", L), kept)
    (step,) = arranged(Chain(P, (("≤", Brief(WIDE)), kept)))
    assert len(step.chains[0].links) == 2, "a bound is no equation that can be skipped"


def test_numbers_put_in_stand_where_their_formula_does_and_a_sum_breaks():
    numbers = Put(L, ((L, sp.Integer(10) ** 80 + 1),))
    (step,) = arranged(Chain(P, (("=", Brief(numbers)), ("=", Brief(Total((LONG[2] / 64, L) * 1 + (L,) * 9))))))
    assert step.chains[0].links[0] == ("=", numbers)


def test_a_chain_without_links_and_a_brief_step_with_a_long_line_are_left_out():
    (step,) = arranged(Chain(P, (("=", Brief(WIDE)),)), Chain(L, (("=", V),)))
    assert [chain.left for chain in step.chains] == [L]
    assert arranged(Chain(WIDE, ((">", L),)), brief=True) == ()
    assert len(arranged(Chain(P, ((">", L),)), brief=True)) == 1


def test_what_is_said_otherwise_may_hold_formulas_of_its_own():
    nested = Brief(WIDE, otherwise=say("{x} bytes", x=Brief(WIDE, otherwise=say("{l}", l=L))))
    assert arrange_prose(say("It takes {n}.", n=nested)).parts == ("It takes ", L, " bytes", ".")
    assert arrange_prose(Prose((Brief(text("w" * 500), otherwise=text("short")),))).parts == ("short",)


@pytest.mark.parametrize(
    ("role", "cell", "words", "found"),
    [
        ("formula", say("{f}", f=2 * L * d_model), False, "left"),
        ("formula", say("{f}", f=2 * L * d_model * (V + d_ff + n_heads)), False, "left"),
        ("formula", say("{f}", f=2 * L * d_model * (V + d_ff + n_heads)), True, "text"),
        ("formula", say("{f}", f=LONG[0]), False, "text"),
        ("formula", say("{f}", f=Brief(WIDE, otherwise=text("a sum"))), False, "left"),
        ("name", text("embedding"), False, "left"),
        ("name", text("activations of the attention norm"), False, "note"),
        ("right", text("w" * 200), True, "right"),
    ],
)
def test_a_column_is_set_by_its_longest_cell(role, cell, words, found):
    columns = (Column(text("it"), role), Column(text("why"), "text" if words else "left"))
    table = Table(text("t"), columns, ((cell, text("because")), (text(""), text(""))))
    assert arrange_table(table).columns[0].align == found


@pytest.fixture(scope="module")
def everywhere() -> Derivation:
    """A document with something too long in every place."""
    brief = say("{b}", b=Brief(WIDE, otherwise=text("BRIEFLY")))
    wide = Chain(M_total, (("=", Brief(WIDE, wraps=True)), ("=", Long(LONG[0])), amount(8, "bytes")))
    blocks = (
        Step(brief, (wide,), brief),
        Paragraph(brief),
        Bullets((brief,)),
        Table(brief, (Column(text("f"), "formula"),), ((brief,),)),
        Answer(brief),
    )
    return Derivation("t", "s", (Section(text("one"), blocks),))


@pytest.mark.parametrize("ending", ["tex", "html", "md", "json", "notebook"])
@pytest.mark.parametrize("layout", ["homework", "report"])
def test_every_face_sets_what_is_arranged(everywhere, ending, layout):
    written = everywhere._repr_html_() if ending == "notebook" else render(everywhere, layout, ending).decode()
    assert "w33" not in written and "w_33" not in written
    assert written.count("BRIEFLY") >= 6
    if ending == "json":
        (line,) = json.loads(written)["sections"][0]["blocks"][0]["lines"]
        assert line.startswith("M_total = 4 B S L d_ff n_kv + ") and line.endswith(" + 24 L = 8 bytes")


def test_what_is_not_arranged_is_text_in_full_and_refused_by_the_other_faces():
    assert plain_prose(say("{b}", b=Brief(say("{l} here", l=L)))) == "L here"
    assert plain_chain(Chain(P, (("=", Brief(Long(L * V))),))) == "P = L V"
    with pytest.raises(TypeError, match="not arranged"):
        latex(Long(L))


def test_the_check_sees_what_may_be_left_out():
    work = Work({L: sp.Integer(3), V: sp.Integer(5)})
    work.check(
        Chain(L * V, (("=", Brief(Long(L * V))), ("=", Brief(work.put(L * V))), ("=", Brief(Amount(sp.Integer(15))))))
    )
    for wrong in (Brief(L + V), Long(L + V), Brief(Amount(sp.Integer(16)))):
        with pytest.raises(FalseLine):
            work.check(Chain(L * V, (("=", wrong),)))
    with pytest.raises(FalseLine):
        work.step(text("s"), Chain(L, (("=", V),)), brief=True)
    with pytest.raises(TypeError):
        work.check(Chain(L, (("=", Brief(text("three"))),)))


def test_a_long_side_of_a_sum_is_broken_into_its_terms():
    from symbolic_mem.base.symbols import B, L, S, V, d_ff, d_head, d_model, n_heads, n_kv
    from symbolic_mem.document.prose import Chain, Total, text
    from symbolic_mem.document.steps import Step
    from symbolic_mem.render.arrange import arrange_block

    inner = L * d_model * d_ff + L * d_model * n_heads * d_head + L * d_model * n_kv * d_head + V * d_model + B * S * L
    for side in (Total((2 * inner, B * S)), 2 * inner):
        (chain,) = arrange_block(Step(text("a"), (Chain(B, (("=", side),), asked=True),))).chains
        shown = chain.links[0][1]
        assert (
            isinstance(shown, Total)
            and len(shown.sides) >= 5
            and sum(shown.sides) == sum(getattr(side, "sides", [side])).expand()
        )


BELOW = (text("BECAUSE"), text(""))


def test_what_stands_under_a_row_has_the_width_of_its_columns_and_an_empty_one_no_line():
    columns = (Column(text("it")), Column(text("which"), "name"), Column(text("size"), "right"))
    rows = ((text("a"), text("first"), text("1 GiB")), (text("b"), text("second"), text("2 GiB")))
    bare = arrange_table(Table(text("t"), columns, rows))
    under = Column(text("why"), "under")
    told = Table(text("t"), (*columns, under), tuple((*row, why) for row, why in zip(rows, BELOW, strict=True)))
    found = arrange_table(told)
    assert (found.beside, found.columns[:3], [row[:3] for row in found.rows]) == (3, bare.columns, list(bare.rows))
    assert 0 < found.columns[3].width < 1 and found.columns[3].align == "under"
    silent = replace(told, rows=tuple((*row, text("")) for row in rows))
    assert arrange_table(silent) == bare


@pytest.mark.parametrize(("ending", "line"), [("tex", r"\multicolumn{1}{p{"), ("html", '<tr class="under">')])
def test_a_face_sets_one_line_under_the_one_row_that_has_words_for_it(ending, line):
    columns = (Column(text("it")), Column(text("which")), Column(text("why"), "under"))
    rows = tuple((text("a"), text("b"), below) for below in BELOW)
    document = Derivation("t", "s", (Section(text("one"), (Table(text("t"), columns, rows),)),))
    written = render(document, "homework", ending).decode()
    assert written.count(line) == written.count("BECAUSE") == 1


def test_a_table_in_a_width_sets_it_over_the_columns_from_the_second_on():
    columns = (Column(text("it")), Column(text("which")), Column(text("size"), "right"), Column(text("why"), "under"))
    written = tabular(Table(text("t"), columns, ((text("a"), text("b"), text("1"), BELOW[0]),)), 200)
    assert written.count(r" & \multicolumn{2}{p{") == 1 and r"\begin{tabular}{@{}llr@{}}" in written


@pytest.mark.parametrize(
    ("ending", "row", "below"),
    [
        ("tex", "all of it &  & 1", r" & \multicolumn{2}{p{"),
        ("html", '>all of it</th><td data-head="formula"></td><td', '<tr class="under">'),
        ("md", "| all of it | $", None),
    ],
)
def test_a_formula_of_many_lines_stands_below_its_row_where_a_table_has_columns_of_a_width(ending, row, below):
    sizes = sp.symbols("x:30", positive=True)
    columns = (Column(text("term")), Column(text("formula"), "formula"), Column(text("bytes"), "right"))
    rows = ((text("all of it"), Prose((sp.Add(*sizes),)), text("1" * 40)), (text("one"), Prose((sizes[0],)), text("2")))
    document = Derivation("t", "s", (Section(text("one"), (Table(text("t"), columns, rows),)),))
    written = render(document, "homework", ending).decode()
    assert row in written
    assert below is None or written.count(below) == 1
