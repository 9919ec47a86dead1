import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.base.symbols import B, n_heads
from symbolic_mem.solvers.rules import AtMost, Divides, MultipleOf, PowerOfTwo, allowed, contradiction

_NUMBERS = {MultipleOf: lambda n, k: n % k == 0, Divides: lambda n, k: k % n == 0, AtMost: lambda n, k: n <= k}
_RULES = st.lists(
    st.one_of(
        st.builds(MultipleOf, st.integers(1, 12)),
        st.builds(Divides, st.integers(1, 400)),
        st.builds(AtMost, st.integers(1, 300)),
        st.just(PowerOfTwo()),
    ),
    max_size=4,
)


def _obeys(rule, n):
    if isinstance(rule, PowerOfTwo):
        return n.bit_count() == 1
    return _NUMBERS[type(rule)](n, next(value for value in vars(rule).values() if isinstance(value, int)))


@given(_RULES, st.integers(1, 500))
@settings(max_examples=150, deadline=None)
def test_first_and_last_agree_with_exhaustive_search(rules, start):
    together = allowed(rules)
    good = [n for n in range(1, 25_000) if all(_obeys(rule, n) for rule in rules)]
    above = [n for n in good if n >= start]
    below = [n for n in good if n <= start]
    assert together.first(start) == (above[0] if above else None)
    assert together.last(start) == (below[-1] if below else None)
    conflict = contradiction(rules)
    assert bool(conflict) == (not good)
    for left_out in conflict:
        assert allowed([rule for rule in conflict if rule is not left_out]).first(1) is not None


def test_rules_take_their_number_from_a_symbol_and_still_name_it():
    rule = Divides(B * n_heads).at({B: sp.Integer(4), n_heads: sp.Integer(12)})
    assert (rule.number, rule.words) == (48, "a divisor of 48 (B*n_heads)")
    assert MultipleOf(8, "devices of a node").words == "a multiple of 8 (devices of a node)"


def test_rules_need_whole_numbers():
    with pytest.raises(MissingValue, match="needs a value for B"):
        Divides(B).at({})
    with pytest.raises(BadInput, match="a whole number of at least 1, not 1/2"):
        MultipleOf(sp.Rational(1, 2)).at({})
    with pytest.raises(BadInput, match="a whole number of at least 1, not 0"):
        AtMost(0).at({})


def test_large_numbers_stay_exact():
    assert allowed([PowerOfTwo()]).first(2**80 + 1) == 2**81
    assert allowed([MultipleOf(3)]).first(10**30) == 10**30 + 2
    assert allowed([Divides(3 * 2**90), PowerOfTwo()]).last(2**70 + 5) == 2**70


@given(_RULES)
@settings(max_examples=100, deadline=None)
def test_no_allowed_degree_exceeds_the_largest(rules):
    together = allowed(rules)
    numbers = [
        next(v for v in vars(rule).values() if isinstance(v, int))
        for rule in rules
        if isinstance(rule, Divides | AtMost)
    ]
    assert together.largest == min(numbers, default=None)
    if together.largest is not None:
        assert together.first(together.largest + 1) is None
