import pytest
import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.hardware.catalogue import device
from symbolic_mem.solvers.capacity import Capacity, capacity_from, capacity_of


def test_what_is_reserved_is_taken_off_before_the_fraction():
    capacity = capacity_from("95 GiB", reserved=2 * 2**30, usable=sp.Rational(9, 10))
    assert capacity.counted == sp.Rational(93 * 2**30 * 9, 10)
    assert (capacity.nominal, capacity.reserved, capacity.usable) == (95 * 2**30, 2 * 2**30, sp.Rational(9, 10))


def test_a_fraction_is_exact():
    assert capacity_from("10 B", usable=sp.Rational(1, 3)).counted == sp.Rational(10, 3)


def test_limits_apply_to_a_device_of_the_catalogue():
    counted = capacity_of(device("tpu-v5p"), "marketed", reserved=5 * 10**9).counted
    assert counted == 90 * 10**9


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"reserved": 95 * 2**30}, "are reserved, and the device holds 95 GiB: reserve less"),
        ({"usable": sp.Rational(11, 10)}, "usable fraction is 11/10; it must be more than 0 and at most 1"),
        ({"usable": sp.S.Zero}, "usable fraction is 0"),
    ],
)
def test_limits_that_leave_nothing_are_refused(limits, message):
    with pytest.raises(BadInput, match=message):
        Capacity(95 * 2**30, **limits)
