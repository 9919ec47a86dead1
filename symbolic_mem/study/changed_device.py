"""Changes of the device that is asked about: which one, how its label is read, and what of it counts."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from symbolic_mem.base.errors import BadInput, at_place
from symbolic_mem.base.formula import read_number
from symbolic_mem.base.rational import rational
from symbolic_mem.base.symbols import M_X, M_Y, C, W
from symbolic_mem.base.units import parse_bytes
from symbolic_mem.hardware.catalogue import device as device_of
from symbolic_mem.hardware.catalogue import load_devices
from symbolic_mem.hardware.devices import READINGS, Device
from symbolic_mem.plans.network import Network
from symbolic_mem.solvers.capacity import capacity_from
from symbolic_mem.study.setting import Change, Setting


def use_device(name: str | Device, devices: str | None = None, where: str = "--device") -> Change:
    """Ask about a device of the catalogue, or of the file `devices`."""
    name = name.name if isinstance(name, Device) else name
    if devices is not None:
        load_devices(devices)  # a fault of that file has a place of its own
    with at_place(where):
        chosen = device_of(name, devices)

    def apply(setting: Setting) -> Setting:
        return replace(setting, device=replace(setting.device, name=chosen.name, amount=None))

    return Change("device", f"device {chosen.title}", apply)


def use_rates(name: str, devices: str | None = None, where: str = "--device") -> Change:
    """Compute and send as fast as a device of the catalogue, or of the file `devices`.

    Its bandwidth is the one that a mesh axis has: of a link of a torus, both ways, or out of a chip, one way. Where a
    setting has no network, each axis of the mesh is laid over one of these.
    """
    with at_place(where):
        chosen = device_of(name, devices)
        flops = chosen.figure("flops_bf16")

    def apply(setting: Setting) -> Setting:
        torus = any(link.scope == "per link" and link.direction == "both-ways" for link in chosen.bandwidths)
        network = setting.network or Network("both-ways" if torus else "one-way", source=chosen.source)
        scope = "per link" if network.direction == "both-ways" and torus else "per chip"
        with at_place(where):
            sent = chosen.link(direction=network.direction, scope=scope).bytes_per_second
        laid = {} if setting.network is not None else {M_X: sp.S.One, M_Y: sp.S.One}
        values = {**laid, **setting.values, C: rational(flops), W: rational(sent)}
        return replace(setting, network=network, values=values)

    return Change("rates", f"rates of {chosen.title}", apply)


def use_capacity(amount: str, where: str = "--capacity") -> Change:
    """Ask about an amount of memory with its unit."""
    with at_place(where):
        capacity_from(amount)

    def apply(setting: Setting) -> Setting:
        return replace(setting, device=replace(setting.device, name=None, amount=amount, reading="binary"))

    return Change("device", f"capacity {amount}", apply)


def use_reading(reading: str, where: str = "--reading") -> Change:
    """Count the bytes of the device in another reading of its label."""
    if reading not in READINGS:
        raise BadInput.unknown(f"{where}: unknown reading {reading!r}", reading, READINGS)

    def apply(setting: Setting) -> Setting:
        return replace(setting, device=replace(setting.device, reading=reading)) if setting.device.name else setting

    return Change("reading", f"{reading} reading", apply)


def reserve(amount: str, where: str = "--reserve") -> Change:
    """Keep that much of each device free."""
    with at_place(where):
        size = parse_bytes(amount)

    def apply(setting: Setting) -> Setting:
        return replace(setting, device=replace(setting.device, reserved=size))

    return Change("reserved", f"{amount} reserved", apply)


def use_fraction(given: object, where: str = "--usable") -> Change:
    """Count only this fraction of what is left of each device."""
    usable = read_number(str(given), f"{where}: the usable fraction")
    if usable > 1:
        raise BadInput(f"{where}: the usable fraction is {given}; it must be more than 0 and at most 1")

    def apply(setting: Setting) -> Setting:
        return replace(setting, device=replace(setting.device, usable=sp.Rational(usable)))

    return Change("usable", f"usable fraction {given}", apply)
