import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.base.symbols import B, n_heads
from symbolic_mem.solvers.rules import Allowed, AtMost, Divides, MultipleOf, PowerOfTwo, allowed, contradiction

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
@settings(max_examples=60, deadline=None)
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


@pytest.mark.parametrize(
    ("rule", "said"), [(MultipleOf, "a multiple of"), (Divides, "a divisor of"), (AtMost, "at most")], ids=str
)
def test_a_rule_at_values_keeps_its_reason_and_says_what_it_needs(rule, said):
    given = rule(B * n_heads, "heads of the batch")
    found = given.at({B: sp.Integer(4), n_heads: sp.Integer(12)})
    assert type(found) is rule and found.why == "heads of the batch"
    assert found.words == f"{said} 48 (heads of the batch)" and rule(8).words == f"{said} 8"
    assert rule(8).at({}) == rule(8) and rule(8).symbols == frozenset() and given.symbols == {B, n_heads}
    with pytest.raises(MissingValue, match=f"^the rule “{said} B” needs a value for B; give it"):
        rule(B).at({})
    with pytest.raises(BadInput, match=f"{said} .*a whole number of at least 1, not 1/2"):
        rule(B).at({B: sp.Rational(1, 2)})


def test_what_is_allowed_is_exact_at_its_edges():
    every = Allowed(factor=4, power=True, numbers=(64, 96), limit=32)
    assert [n for n in range(1, 200) if every.admits(n)] == [4, 8, 16, 32]
    assert (every.first(1), every.first(5), every.first(32), every.first(33)) == (4, 8, 32, None)
    assert (every.last(3), every.last(4), every.last(31), every.last(1000)) == (None, 4, 16, 32)
    divisors = Allowed(factor=6, numbers=(36, 48))
    assert [n for n in range(1, 60) if divisors.admits(n)] == [6, 12]
    assert (divisors.first(1), divisors.first(7), divisors.first(13)) == (6, 12, None)
    assert (divisors.last(5), divisors.last(11), divisors.last(99), divisors.largest) == (None, 6, 12, 36)
    assert Allowed(factor=5, numbers=(36,)).first(1) is None
    assert (Allowed(factor=8).first(0), Allowed(factor=8).first(-3), Allowed(factor=8).last(0)) == (8, 8, None)
    assert (Allowed(limit=7).largest, Allowed(numbers=(100,), limit=7).largest, Allowed().largest) == (7, 7, None)
