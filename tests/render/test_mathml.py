"""MathML is well-formed, typographically right, and read back as mathematics it has the value of the expression."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolic_mem.base.symbols import B, C_mem, L, M_static, P, S, alpha, d_ff, d_model, n_fsdp, table
from symbolic_mem.document.prose import Amount, Chain, Put, Total
from symbolic_mem.documents.documents import homework
from symbolic_mem.library.read import load_study
from symbolic_mem.render.arrange import arrange
from symbolic_mem.render.mathml import MathML, display, inline_chain, mathml

VALUES = {symbol: sp.Integer(value) for symbol, value in {B: 3, S: 5, L: 7, d_model: 11, d_ff: 13, n_fsdp: 2}.items()}
CHILDREN = {"mfrac": 2, "msub": 2, "msup": 2, "msubsup": 3}


def parsed(markup: str) -> ET.Element:
    root = ET.fromstring(markup)
    for element in root.iter():
        assert len(element) == CHILDREN.get(element.tag, len(element)), ET.tostring(element)
    return root


class Reader:
    """A reader of MathML that knows nothing of the typesetter: it evaluates what a person sees."""

    def __init__(self, values):
        self.names = {(name.base, name.sub): values[name.symbol] for name in table() if name.symbol in values}

    def value(self, element):
        children = list(element)
        match element.tag:
            case "mn":
                return sp.Rational(element.text.replace("\N{NARROW NO-BREAK SPACE}", "").replace("−", "-"))
            case "mi":
                return self.names[(element.text, "")]
            case "msub":
                return self.names[(children[0].text, children[1].text)]
            case "msubsup":
                return self.names[(children[0].text, children[1].text)] ** self.value(children[2])
            case "msup":
                return self.value(children[0]) ** self.value(children[1])
            case "mfrac":
                return self.value(children[0]) / self.value(children[1])
            case "msqrt":
                return sp.sqrt(self.sequence(children))
        return self.sequence(children)

    def sequence(self, parts):
        if parts[0].tag == "mo" and parts[0].text in "(⌈⌊":
            inner = self.sequence(parts[1:-1])
            return {"(": inner, "⌈": sp.ceiling(inner), "⌊": sp.floor(inner)}[parts[0].text]
        total, sign, product = sp.Integer(0), 1, None
        for part in parts:
            if part.tag == "mo" and part.text in "+−":
                total, product = total + sign * (product if product is not None else 0), None
                sign = 1 if part.text == "+" else -1
            elif part.tag != "mo":
                product = self.value(part) if product is None else product * self.value(part)
            else:
                assert part.text in "⋅\N{INVISIBLE TIMES}×", part.text
        return total + sign * product


def read(markup: str, values=VALUES):
    return Reader(values).value(parsed(markup))


leaves = st.sampled_from([*VALUES]) | st.integers(-30, 30).filter(bool).map(sp.Integer)
expressions = st.recursive(
    leaves | st.fractions(-3, 3, max_denominator=7).filter(bool).map(lambda q: sp.Rational(q.numerator, q.denominator)),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: pair[0] + pair[1]),
        st.tuples(inner, inner).map(lambda pair: pair[0] * pair[1]),
        st.tuples(inner, leaves).map(lambda pair: pair[0] / pair[1]),
        st.tuples(inner, st.integers(2, 3)).map(lambda pair: pair[0] ** pair[1]),
        inner.map(sp.ceiling),
        inner.map(sp.floor),
    ),
    max_leaves=6,
)


@settings(deadline=None, max_examples=150)
@given(expressions)
def test_what_is_drawn_has_the_value_of_the_expression(expr):
    assert read(mathml(expr)) == expr.xreplace(VALUES)


@settings(deadline=None, max_examples=100)
@given(expressions)
def test_numbers_put_in_have_the_value_of_the_expression(expr):
    put = Put(expr, tuple(VALUES.items()))
    assert read(mathml(put), {}) == expr.xreplace(VALUES)


def test_every_line_of_the_worked_solution_is_well_formed_and_numbers_agree_between_links():
    chains = [
        chain
        for section in arrange(homework(load_study("cs336-a2-xxl"))).sections
        for block in section.blocks
        for chain in getattr(block, "chains", ())
    ]
    assert len(chains) > 20
    for chain in chains:
        parsed(display([chain]))
        puts = [side for _, side in chain.links if isinstance(side, Put)]
        for put in puts:
            assert read(mathml(put), {}) == put.expr.xreplace(dict(put.values))


def test_subscripts_are_upright_words_and_a_power_stands_above_them():
    square = parsed(mathml(d_model**2))[0]
    assert square.tag == "msubsup"
    assert [(child.tag, child.text) for child in square] == [("mi", "d"), ("mtext", "model"), ("mn", "2")]


def test_a_subscript_of_one_letter_is_upright_too():
    below = parsed(mathml(sp.Symbol("M_X", positive=True)))[0][1]
    assert (below.tag, below.text) == ("mtext", "X")


def test_the_sign_of_subtraction_is_a_minus_and_not_a_hyphen():
    signs = [mo.text for mo in parsed(mathml(C_mem - M_static)).iter("mo")]
    assert signs == ["\N{MINUS SIGN}"]
    assert "-" not in "".join(parsed(mathml(Amount(sp.Integer(-46)))).itertext())


def test_factors_are_multiplied_by_an_invisible_sign_and_numbers_by_a_dot():
    assert [mo.text for mo in parsed(mathml(2 * L * d_model)).iter("mo")] == ["\N{INVISIBLE TIMES}"] * 2
    put = Put(2 * L * d_model, ((L, sp.Integer(126)), (d_model, sp.Integer(16384))))
    assert [mo.text for mo in parsed(mathml(put)).iter("mo")] == ["\N{DOT OPERATOR}"] * 2


def test_digits_are_grouped_by_narrow_spaces_in_one_number():
    (number,) = parsed(mathml(sp.Integer(219848638464))).iter("mn")
    assert number.text == "219\u202f848\u202f638\u202f464"


def test_an_amount_has_its_unit_in_upright_text():
    figure, unit = parsed(mathml(Amount(sp.Integer(819 * 2**30), "GiB")))[0]
    assert (figure.text, unit.tag, unit.text) == ("819", "mtext", "\N{NO-BREAK SPACE}GiB")


def test_a_round_number_is_a_power_of_ten():
    ten = parsed(mathml(sp.Integer(10) ** 14))[0]
    assert [child.text for child in ten] == ["10", "14"]


def test_fences_grow_around_a_fraction_only():
    tall = parsed(mathml(sp.ceiling(P / n_fsdp)))
    assert [mo.get("stretchy") for mo in tall.iter("mo")] == [None, None]
    low = parsed(mathml(L * (d_model + d_ff)))
    assert [mo.get("stretchy") for mo in low.iter("mo") if mo.text in "()"] == ["false", "false"]


def test_functions_are_upright_names():
    maximum = parsed(mathml(sp.Max(L, S)))
    assert [mi.text for mi in maximum.iter("mi")] == ["max", "S", "L"]
    assert "\N{FUNCTION APPLICATION}" in [mo.text for mo in maximum.iter("mo")]
    assert [mi.text for mi in parsed(mathml(sp.log(L))).iter("mi")] == ["log", "L"]


def test_small_greek_slants_and_capital_greek_does_not():
    assert parsed(mathml(alpha))[0].get("mathvariant") is None
    capital = next((name.symbol for name in table() if name.base == "Ψ"), sp.Symbol("Ψ"))
    assert next(parsed(mathml(capital)).iter("mi")).get("mathvariant") == "normal"


@pytest.mark.parametrize("hostile", ["<script>", 'x"onload="', "a&b", "d_<b>"])
def test_a_name_from_outside_is_escaped(hostile):
    markup = mathml(sp.Symbol(hostile))
    assert not {element.tag for element in parsed(markup).iter()} - {"math", "mi", "msub", "mtext"}
    assert parsed(markup).attrib.keys() == {"alttext"}


def test_a_display_is_one_block_with_relations_in_the_second_column():
    root = parsed(display([Chain(P, (("=", 2 * L * d_model * d_ff),)), Chain(B, (("<", S), ("≥", L)))]))
    assert root.attrib["display"] == "block"
    assert [child.tag for child in root] == ["mtable"]
    assert root[0].get("displaystyle") == "true"
    cells = [row.findall("mtd") for row in root.iter("mtr")]
    assert [(len(row), row[1][0].text, row[1][0].get("form")) for row in cells] == [
        (2, "=", "infix"),
        (2, "<", "infix"),
    ]


def test_a_long_sum_breaks_between_its_terms_and_each_line_says_plus():
    long = Total(tuple(k * L * d_model * d_ff * B * S for k in range(2, 8)))
    _, *more = parsed(display([Chain(P, (("=", long),))])).iter("mtr")
    assert more
    for row in more:
        assert row[0].text is None and not len(row[0])
        assert [child.tag for child in row[1]][:2] == ["mspace", "mo"]
        assert row[1][1].text == "+"


def test_each_display_carries_its_plain_text():
    root = parsed(display([Chain(P, (("=", 2 * L * d_model),))]))
    assert root.attrib["alttext"] == "P = 2 L d_model"


def test_a_chain_in_a_sentence_can_break_after_each_relation():
    pieces = re.split("<wbr/>", inline_chain(Chain(P, (("=", 2 * L), ("≤", S)))))
    assert ["".join(parsed(piece).itertext()) for piece in pieces] == ["P=", "2\N{INVISIBLE TIMES}L≤", "S"]


def test_every_symbol_of_the_package_is_one_element():
    for name in table():
        for expr in (name.symbol, name.symbol**3):
            ET.fromstring(MathML().side(expr))
