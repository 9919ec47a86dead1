"""Errors carry the names that they list, so that no face reads them out of the words."""

import ast

import pytest
import sources

from symbolic_mem.base.errors import BadInput, MissingValue, NotDescribed, at_place
from symbolic_mem.base.formula import read_formula
from symbolic_mem.base.units import parse_bytes
from symbolic_mem.hardware.nodes import read_nodes
from symbolic_mem.study.derived import read_derived


def test_names_with_a_comma_and_many_names_are_carried_whole():
    error = BadInput.unknown("no question 'c'", "c", ["b, literally", "a"], then="; give one")
    assert str(error) == "no question 'c'; known: a; b, literally; give one" and error.known == ("a", "b, literally")
    many = [f"n{number}" for number in range(50)]
    error = BadInput.unknown("unknown 'n50'", "n50", many, "list numbers")
    assert str(error).endswith("known: n5, n0, n45, n40, n35; 45 more: symbolic-mem list numbers")
    assert error.known[:5] == ("n5", "n0", "n45", "n40", "n35") and sorted(error.known) == sorted(many)


def test_names_that_the_cut_of_a_long_message_loses_are_carried():
    names = [f"a_rather_long_name_of_a_thing_{number}" for number in range(1000)]
    error = BadInput.one_of("none", names)
    assert len(str(error)) < 2_000 and error.known == tuple(names)


def test_the_kind_of_error_stays_where_it_is_made_and_others_know_no_names():
    assert type(NotDescribed.unknown("none", "a", ["b"])) is NotDescribed
    assert BadInput("what was given").known == MissingValue(["B"]).known == ()


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: read_formula("sin(2)", {}), "ceiling"),
        (lambda: read_formula("d_modl", {"d_model": 1}), "d_model"),
        (lambda: read_derived({"d_ff": "4*n_head"}, "[values]"), "n_heads"),
        (lambda: parse_bytes("80 XB"), "kB"),
        (lambda: parse_bytes("80 G"), "GiB"),
        (lambda: read_nodes("8x h1000"), "h100-80gb"),
    ],
)
def test_what_reads_a_part_of_what_was_given_hands_the_names_on(call, name):
    with pytest.raises(BadInput) as caught, at_place("my.toml [values]"):
        call()
    assert str(caught.value).startswith("my.toml [values]: ")
    assert name in caught.value.known


def test_no_message_lists_names_that_its_error_does_not_carry():
    calls = [
        (f"{path.relative_to(sources.PACKAGE)}:{node.lineno}", node)
        for path in sources.FILES
        for node in sources.nodes(path)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("BadInput", "NotDescribed")
    ]
    assert len(calls) > 500
    text = [
        place
        for place, call in calls
        if len(call.args) + len(call.keywords) == 1
        and any("known: " in str(getattr(each, "value", "")) or _lists(each) for each in ast.walk(call))
    ]
    assert not text, f"give the names to the error too: {', '.join(text)}"


def _lists(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") == "nearest"
