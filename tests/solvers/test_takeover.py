"""Where another of several amounts becomes the largest: against every whole number, one by one."""

from fractions import Fraction

import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.base.symbols import S, V, n_fsdp, n_tp
from symbolic_mem.solvers.powers import highest_power
from symbolic_mem.solvers.takeover import Takeover, takeovers

FACTORS = st.one_of(st.integers(-300, 300), st.fractions(-50, 50, max_denominator=3))
END = 150


@st.composite
def amounts(draw):
    """Amounts that are polynomials of a power of x, or u + p/x; names, of which some are the same; and where to begin."""
    power = draw(st.sampled_from((1, 2, -1)))
    factors = draw(st.lists(st.tuples(FACTORS, FACTORS, FACTORS), min_size=1, max_size=5))
    names = draw(st.lists(st.sampled_from("abc"), min_size=len(factors), max_size=len(factors)))

    def at(x):
        step = Fraction(1, x) if power == -1 else Fraction(x)
        return [c + b * step + (a * step**2 / 10 if power == 2 else 0) for c, b, a in factors]

    return at, names, draw(st.integers(1, 40)), power


@settings(max_examples=40)
@given(amounts())
def test_the_next_takeovers_are_those_of_every_number_tried(case):
    at, names, start, power = case
    first = max(range(len(names)), key=at(start).__getitem__)

    def tried(numbers):
        for x in numbers:
            held = at(x)
            largest = [place for place, one in enumerate(held) if one == max(held)]
            if all(names[place] != names[first] for place in largest):
                return Takeover(x, largest[0])
        return None

    below, above = takeovers(at, names, first, start, power)
    assert below == tried(range(start - 1, 0, -1))
    assert (above if above is None or above.value < END else None) == tried(range(start + 1, END))


def test_where_two_are_the_largest_one_of_the_same_name_takes_nothing_over():
    assert takeovers(lambda x: (8 - 4 * x, 2, 6 - 2 * x), "acc", 1, 9, 1) == (None, None)


def test_a_symbol_inside_a_ceiling_has_no_power():

    one = Term("keys", "cache", 16 * sp.ceiling(S / 16) * V, sp.Integer(2), "", degree=n_fsdp)
    other = Term("logits", "activations", S**2 * (V + n_tp), sp.Integer(2), "")
    found = [highest_power([Memory((one, other))], symbol) for symbol in (S, V, n_fsdp, n_tp)]
    assert found == [None, 1, -1, 1]
    assert highest_power([Memory((other,))], S) == 2
