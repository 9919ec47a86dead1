"""What hosts hold as a rule for the degree, against a search through all degrees."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolic_mem.solvers.host import HostHolds
from symbolic_mem.solvers.rules import AtMost, MultipleOf, PowerOfTwo, allowed, contradiction

_HOSTS = st.builds(
    HostHolds,
    st.integers(0, 500),
    st.integers(0, 20),
    st.integers(1, 200),
    st.integers(1, 12),
    st.sampled_from([1, 2, 4]),
)
_RULES = st.lists(
    st.one_of(st.builds(MultipleOf, st.integers(1, 12)), st.builds(AtMost, st.integers(1, 900)), st.just(PowerOfTwo())),
    max_size=2,
)
MOST = 14_000  # 12 shares of 500 bytes, one byte of room, and the next multiple or power of two


def _fits(host, n):
    """The definition: as many parts as there are devices on a host, each what is whole and its share of the rest."""
    there = min(host.shared, host.ranks * n)
    return there * (host.fixed + Fraction(host.divided, n)) <= host.room


@given(_HOSTS, _RULES, st.integers(1, 200))
@settings(max_examples=40, deadline=None)
def test_first_and_last_agree_with_exhaustive_search(host, rules, start):
    together, plain = allowed([*rules, host]), allowed(rules)
    good = [n for n in range(1, MOST) if _fits(host, n) and plain.admits(n)]
    assert together.first(start) == next((n for n in good if n >= start), None)
    assert together.last(start) == next((n for n in reversed(good) if n <= start), None)
    assert bool(contradiction([*rules, host])) == (not good)


@pytest.mark.parametrize(("room", "least"), [(800, 1), (100, 8), (99, 9), (50, 16)])
def test_where_all_is_divided_hosts_that_are_full_hold_less_the_more_devices_there_are(room, least):
    assert HostHolds(100, 0, room, 8).first(1) == (1 if room >= 100 else least)


def test_a_rule_is_about_devices_and_the_degree_counts_only_some():
    """Of eight devices to a host, two for each of the degree: with n = 2 four share it, and from n = 4 on eight."""
    rule = HostHolds(80, 1, 1000, 8, ranks=2)
    assert [rule.on_one(n) for n in (2, 4, 9)] == [4, 8, 8]
    assert [rule.held(n) for n in (2, 4, 8)] == [4 * 41, 8 * 21, 8 * 11]
