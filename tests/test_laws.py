"""Laws that hold for any numbers: sums, placement, bounds, and the lines that a document shows."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from symbolic_mem import account, ffn, n_fsdp, over, recipe, solve
from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.base.exact import evaluate
from symbolic_mem.base.symbols import B, L, M_device, S, d_ff, d_model, t_fsdp
from symbolic_mem.document.prose import Amount, Brief, Chain, Long, Put, Total
from symbolic_mem.document.steps import Step
from symbolic_mem.document.work import FalseLine, Work
from symbolic_mem.documents.documents import homework, report
from symbolic_mem.library.read import load_study
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.questions.parts.memory import _derived
from symbolic_mem.recipes.read import presets
from symbolic_mem.render.jinja import render_text
from symbolic_mem.render.latex import latex
from symbolic_mem.render.tex import FACE
from symbolic_mem.study.changes import changes

few = settings(max_examples=25, deadline=None)
whole = st.integers(1, 10**5)
sizes = st.fixed_dictionaries(dict.fromkeys((B, S, L, d_model, d_ff), whole))
fractions = st.builds(lambda part, of: Fraction(min(part, of), of), st.integers(1, 60), st.integers(1, 60))
plain_recipes = st.sampled_from(
    [name for name, found in presets().items() if found.trains and found.bytes_per_parameter is not None]
)
# Bytes per parameter and per saved element as published, typed here from the sources that the presets name.
PUBLISHED = {
    "cs336": (16, 2),
    "fp32": (16, 4),
    "zero-16": (16, 2),
    "megatron-18": (18, 2),
    "deepspeed-z2-20": (20, 2),
    "playbook-20": (20, 2),
    "scaling-book-10": (10, 2),
}


def exact(values):
    return {symbol: sp.Integer(value) for symbol, value in values.items()}


@few
@given(sizes, plain_recipes)
def test_the_total_is_the_sum_of_the_terms_and_of_the_kinds(values, name):
    memory, numbers = account(ffn(), recipe(name)), exact(values)
    total = evaluate(memory.total, numbers)
    assert total == sum(evaluate(term.bytes, numbers) for term in memory)
    assert total == sum(evaluate(memory.of(kind).total, numbers) for kind in KINDS)


@few
@given(sizes, st.sampled_from(list(PUBLISHED)))
def test_symbols_then_numbers_is_numbers_alone(values, name):
    per_parameter, per_element = PUBLISHED[name]
    width, inner, blocks, tokens = values[d_model], values[d_ff], values[L], values[B] * values[S]
    expected = per_parameter * 2 * width * inner * blocks + per_element * blocks * tokens * (width + inner)
    assert evaluate(account(ffn(), recipe(name)).total, exact(values)) == expected


@few
@given(sizes, st.integers(1, 5000), st.dictionaries(st.sampled_from(KINDS[:4]), fractions), st.booleans())
def test_what_a_device_holds_is_each_kind_s_share_and_what_is_kept(values, n, shares, kept):
    memory, numbers = account(ffn(), recipe("cs336")), exact(values)
    rest = "kept" if kept else "dropped"
    placed = memory.place(**{kind: over(n_fsdp, str(share), rest) for kind, share in shares.items()})
    expected = Fraction(0)
    for kind in memory.kinds:
        amount = Fraction(int(evaluate(memory.of(kind).total, numbers)))
        share = shares.get(kind)
        expected += amount if share is None else amount * share / n + amount * (1 - share) * kept
    assert evaluate(placed.total, {**numbers, n_fsdp: sp.Integer(n)}) == sp.Rational(expected)


@few
@given(sizes, st.integers(1, 10**15), fractions, st.booleans(), st.booleans())
def test_the_answer_fits_and_one_less_does_not(values, capacity, share, kept, strict):
    static = over(n_fsdp)
    some = over(n_fsdp, str(share), "kept" if kept else "dropped")
    memory = account(ffn(), recipe("cs336")).place(weights=static, gradients=static, optimizer=static, activations=some)
    answer = solve(memory, n_fsdp, capacity, strict=strict).at(exact(values))

    def fits(n: int) -> bool:
        held = evaluate(memory.total, {**exact(values), n_fsdp: sp.Integer(n)})
        return held < capacity if strict else held <= capacity

    if answer.feasible:
        assert fits(answer.value) and (answer.value == 1 or not fits(answer.value - 1))
        assert answer.per_device_bytes - answer.per_device(answer.value) < 1
    else:
        assert not fits(10**40)


def lump(size: int, divided: int) -> Memory:
    """Bytes that every device holds, and bytes that are divided."""
    terms = (("kept", size, sp.S.One), ("divided", divided, n_fsdp))
    return Memory(tuple(Term(name, "weights", sp.Integer(b), sp.S.One, "", degree=n) for name, b, n in terms))


@few
@given(st.integers(0, 10**12), st.integers(1, 10**12), st.integers(1, 10**6))
def test_strict_and_at_most_differ_exactly_where_the_quotient_is_whole(fixed, room, quotient):
    whole_memory = lump(fixed, room * quotient)
    assert solve(whole_memory, n_fsdp, fixed + room).at({}).value == quotient
    assert solve(whole_memory, n_fsdp, fixed + room, strict=True).at({}).value == quotient + 1
    above = lump(fixed, room * quotient + 1)
    if room > 1:
        assert solve(above, n_fsdp, fixed + room).at({}).value == quotient + 1
        assert solve(above, n_fsdp, fixed + room, strict=True).at({}).value == quotient + 1


@few
@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(0, 10**6))
def test_no_number_of_devices_helps_when_what_is_kept_fills_the_device(capacity, divided, more):
    assert not solve(lump(capacity + more, divided), n_fsdp, sp.Integer(capacity)).at({}).feasible


# What a line defines has no other value to be checked against.
DEFINED = (M_device, t_fsdp)


def altered(side):
    """The same side of a line with another value."""
    match side:
        case Amount():
            return replace(side, value=side.value + 1)
        case Put():
            return replace(side, expr=side.expr + 1)
        case Total():
            return replace(side, sides=(*side.sides, sp.S.One))
        case Long():
            return replace(side, expr=side.expr + 1)
        case Brief():
            return replace(side, shown=altered(side.shown))
    return side + 1


@pytest.mark.parametrize("build", [homework, report])
def test_every_displayed_line_is_checked_and_a_false_one_is_refused(build, monkeypatch):
    checked, refused, check = set(), 0, Work.check

    def watch(work: Work, chain: Chain) -> None:
        nonlocal refused
        check(work, chain)
        checked.add(chain)
        for i, (relation, right) in enumerate(chain.links):
            if relation == "=" and not chain.asked:
                links = (*chain.links[:i], (relation, altered(right)), *chain.links[i + 1 :])
                with pytest.raises(FalseLine):
                    check(work, replace(chain, links=links))
                refused += 1

    monkeypatch.setattr(Work, "check", watch)
    _derived.cache_clear()  # what another test has derived was checked there
    document = build(replace(load_study("cs336-a2-xxl")))  # of which nothing is answered yet
    shown = [
        chain
        for section in document.sections
        for block in section.blocks
        if isinstance(block, Step)
        for chain in block.chains
    ]
    assert len(shown) > 20 and refused > 40
    unchecked = [chain for chain in shown if chain not in checked and not chain.asked]
    assert [chain for chain in unchecked if chain.left not in DEFINED] == []


def unbalanced(text: str) -> list[str]:
    """What opens and does not close, or closes and was not open, in a LaTeX text."""
    faults: list[str] = []
    stack: list[str] = []
    partner = {"}": "{", r"\right": r"\left", r"\]": r"\[", r"\)": r"\("}
    for sign in re.findall(
        r"\\\\|\\[{}]|\\left(?![a-z])|\\right(?![a-z])|\\[][()]|[{}]|\\(?:begin|end)\{[a-z*]+\}", text
    ):
        if sign in ("\\\\", r"\{", r"\}"):
            continue
        if sign.startswith(r"\begin"):
            stack.append(sign)
        elif sign.startswith(r"\end") or sign in partner:
            opened = partner.get(sign, sign.replace(r"\end", r"\begin"))
            faults += [] if stack and stack.pop() == opened else [sign]
        else:
            stack.append(sign)
    return faults + stack


@pytest.mark.parametrize("text", [r"{", r"\left(", r"}", r"\begin{a}\end{b}", r"\left( } \right)"])
def test_an_unbalanced_text_is_seen(text):
    assert unbalanced(text)


leaves = st.sampled_from([B, S, L, d_model, d_ff, n_fsdp]) | st.integers(1, 10**12).map(sp.Integer)
leaves |= st.builds(sp.Rational, st.integers(1, 99), st.integers(2, 99))
formulas = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(sp.Add, inner, inner),
        st.builds(sp.Mul, inner, inner),
        st.builds(sp.Pow, inner, st.sampled_from([sp.Integer(-1), sp.Integer(2), sp.Rational(1, 2)])),
        inner.map(sp.ceiling),
        inner.map(sp.floor),
        st.builds(sp.Max, inner, inner),
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(formulas)
def test_the_latex_of_any_formula_is_balanced(formula):
    assume(not formula.has(sp.zoo, sp.nan))  # a division by zero is no formula
    assert unbalanced(latex(formula)) == []


@pytest.mark.parametrize("layout", ["homework", "report"])
def test_the_latex_of_the_documents_is_balanced(layout):
    study = load_study("cs336-a2-xxl")
    for chosen in (study, study.called(changes(rest="kept")), study.called(changes(recipe="fp32", capacity="80 GB"))):
        build = homework if layout == "homework" else report
        _, begin, body = render_text(build(chosen), layout, FACE).partition(r"\begin{document}")
        assert unbalanced(begin + body) == []
