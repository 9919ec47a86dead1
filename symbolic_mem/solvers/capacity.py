"""`Capacity`: the memory of one device that counts, and which reading of its label that is."""

from __future__ import annotations

from functools import lru_cache

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.rational import Number, rational
from symbolic_mem.base.shown import shown
from symbolic_mem.base.units import read_amount
from symbolic_mem.base.values import dataclass
from symbolic_mem.hardware.devices import Device

RESERVED = "{reserved} are reserved, and the device holds {nominal}: reserve less"
READING_UNITS = {"marketed": "GB", "binary": "GiB", "reported": "GiB"}


@dataclass(frozen=True)
class Capacity:
    """`nominal` bytes of one device, less `reserved` bytes, times the `usable` fraction of what is left."""

    nominal: Number
    device: Device | None = None
    reading: str | None = None
    unit: str = "GiB"
    reserved: Number = 0
    usable: sp.Rational = sp.S.One

    def __post_init__(self) -> None:
        if self.reserved >= self.nominal:
            reserved, nominal = (shown(size, "GiB").plain for size in (self.reserved, self.nominal))
            raise BadInput(RESERVED.format(reserved=reserved, nominal=nominal))
        if not 0 < self.usable <= 1:
            raise BadInput(f"the usable fraction is {self.usable}; it must be more than 0 and at most 1")

    @property
    def counted(self) -> sp.Rational:
        """Bytes that the memory of one device is compared with, exactly."""
        return rational(self.nominal - self.reserved) * self.usable

    @property
    def title(self) -> str:
        """What is counted, in words: the device and the reading of its label."""
        if self.device is None:
            return f"a device of {shown(self.nominal, self.unit).plain}"
        return self.device.title


@lru_cache(maxsize=64)
def capacity_of(device: Device, reading: str, **limits: Number | sp.Rational) -> Capacity:
    """Return the capacity of a catalogue device under a ``marketed``, ``binary`` or ``reported`` reading; "": the nearest to what a run has.

    >>> from symbolic_mem.hardware.catalogue import device
    >>> capacity_of(device("tpu-v5p"), "binary").counted
    102005473280
    """
    reading = reading or device.nearest_reading
    return Capacity(device.capacity(reading), device, reading, READING_UNITS[reading], **limits)  # ty: ignore[invalid-argument-type]


def capacity_from(text: str, **limits: Number | sp.Rational) -> Capacity:
    """Return a capacity written with its unit, such as ``95 GiB``.

    >>> capacity_from("95 GB").counted, capacity_from("1 EiB").unit
    (95000000000, 'EiB')
    """
    size, unit = read_amount(text)
    return Capacity(size, unit=unit, **limits)  # ty: ignore[invalid-argument-type]
