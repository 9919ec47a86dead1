"""The changes there are: of a value, the recipe, what an engine keeps, where memory lives, and which device counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput, at_place, nearest
from symbolic_mem.base.formula import read_number
from symbolic_mem.base.symbols import Name, lookup, n_fsdp
from symbolic_mem.base.units import parse_bytes
from symbolic_mem.hardware.catalogue import device as device_of
from symbolic_mem.hardware.catalogue import load_devices
from symbolic_mem.hardware.devices import READINGS
from symbolic_mem.models.tensors import KINDS, STATIC
from symbolic_mem.plans.placement import RESTS, Placed
from symbolic_mem.plans.plan import plan as plan_of
from symbolic_mem.recipes.recipe import recipe as recipe_of
from symbolic_mem.recipes.recompute import COUNTED, Recompute
from symbolic_mem.solvers.capacity import capacity_from
from symbolic_mem.study.setting import Change, Setting
from symbolic_mem.study.values import given_symbol, read_fraction, read_value


def set_value(name: str, given: object, where: str = "--set", own: Iterable[Name] | None = None) -> Change:
    """Give the symbol called `name` another value; one that only a study has is among its `own`, or looked up there.

    >>> set_value("B", 64).words
    'B = 64'
    """
    now = own is not None or lookup(name) is not None
    known = read_value(given_symbol(name, where, own or ()), given, where) if now else None

    def apply(setting: Setting) -> Setting:
        chosen = given_symbol(name, where, setting.names)
        value = read_value(chosen, given, where) if known is None else known
        return replace(setting, values={**setting.values, chosen.symbol: value})

    return Change(name, f"{name} = {given}", apply)


def use_recipe(name: str) -> Change:
    """Train with another recipe; the rule of recomputation stays."""
    chosen = recipe_of(name)

    def apply(setting: Setting) -> Setting:
        return replace(setting, recipe=chosen.with_recompute(setting.recipe.recompute))

    return Change("recipe", f"recipe {name}", apply)


def use_optimizer(name: str) -> Change:
    """Train with another optimizer, for parameters of the same size."""
    return Change(
        "optimizer", f"optimizer {name}", lambda setting: replace(setting, recipe=setting.recipe.with_optimizer(name))
    )


def use_profile(name: str) -> Change:
    """Keep what another engine keeps for the backward pass."""
    return Change("profile", f"profile {name}", lambda setting: replace(setting, built=setting.built.under(name, None)))


def use_kernel(name: str) -> Change:
    """Compute attention with another kernel."""
    return Change(
        "kernel", f"attention kernel {name}", lambda setting: replace(setting, built=setting.built.under(None, name))
    )


def use_loss(name: str, where: str = "--loss") -> Change:
    """Compute the loss in another way: see `known_losses`."""
    from symbolic_mem.models.losses import loss

    with at_place(where):
        loss(name)
    return Change("loss", f"loss {name}", lambda setting: replace(setting, built=setting.built.under(loss=name)))


def use_recompute(given: str | Mapping[str, Any], where: str = "--recompute") -> Change:
    """Recompute by another rule: as `Recompute.read` takes it, or in its short form ``every=2``."""
    how = Recompute.read(_rule(given, where), where)

    def apply(setting: Setting) -> Setting:
        return replace(setting, recipe=setting.recipe.with_recompute(how))

    return Change("recompute", f"recomputation: {how}", apply)


def use_plan(name: str, where: str = "--plan") -> Change:
    """Divide the states as a plan says; where activations and buffers live stays."""
    with at_place(where):
        chosen = plan_of(name)

    def apply(setting: Setting) -> Setting:
        kept = {kind: placed for kind, placed in setting.placement.items() if kind not in STATIC}
        return replace(setting, plan=chosen, values=chosen.given(setting.values), placement={**chosen.shares, **kept})

    return Change("plan", f"plan {name}", apply)


def place_kind(kind: str, given: object, where: str = "--place") -> Change:
    """Divide another fraction of a kind of memory, over the same degree."""
    if kind not in KINDS:
        raise BadInput(f"{where}: unknown kind {kind!r} of memory; {nearest(kind, KINDS)}")
    fraction = read_fraction(given, where)

    def apply(setting: Setting) -> Setting:
        old = setting.placement.get(kind, Placed(n_fsdp))
        return replace(setting, placement={**setting.placement, kind: replace(old, fraction=fraction)})

    return Change(f"placement of the {kind}", f"{given} of the {kind} divided", apply)


def set_rest(rest: str, where: str = "--rest") -> Change:
    """Keep or drop what is not divided, of every kind that is placed."""
    if rest not in RESTS:
        raise BadInput(f"{where}: unknown {rest!r}; {nearest(rest, RESTS)}")

    def apply(setting: Setting) -> Setting:
        placement = {kind: replace(placed, rest=rest) for kind, placed in setting.placement.items()}
        return replace(setting, placement=placement)

    return Change("rest", f"the rest is {rest}", apply)


def use_device(name: str, devices: str | None = None, where: str = "--device") -> Change:
    """Ask about a device of the catalogue, or of the file `devices`."""
    if devices is not None:
        load_devices(devices)  # a fault of that file has a place of its own
    with at_place(where):
        chosen = device_of(name, devices).name

    def apply(setting: Setting) -> Setting:
        return replace(setting, device=replace(setting.device, name=chosen, amount=None))

    return Change("device", f"device {chosen}", apply)


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
        raise BadInput(f"{where}: unknown reading {reading!r}; {nearest(reading, READINGS)}")

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


def changes(
    *,
    values: Mapping[str, object] | None = None,
    place: Mapping[str, object] | None = None,
    rest: str | None = None,
    device: str | None = None,
    capacity: str | None = None,
    reading: str | None = None,
    recipe: str | None = None,
    profile: str | None = None,
    kernel: str | None = None,
    loss: str | None = None,
    plan: str | None = None,
    optimizer: str | None = None,
    recompute: str | Mapping[str, Any] | None = None,
    devices: str | None = None,
) -> Iterator[Change]:
    """Yield the changes that a caller asks for by name, in the order in which documents say them.

    `values` are whole numbers (or rates) by symbol, `place` fractions by kind of memory, `devices` the path of a device
    file; the others are names as on the command line. Raises `BadInput` for what is not known.

    >>> [change.words for change in changes(values={"B": 64}, rest="kept")]
    ['B = 64', 'the rest is kept']
    """
    if device is not None and capacity is not None:
        raise BadInput(f"--device {device} and --capacity {capacity!r} both say which memory counts; give one of them")
    if plan is not None:
        yield use_plan(plan)
    yield from (set_value(name, value) for name, value in (values or {}).items())
    yield from (place_kind(kind, fraction) for kind, fraction in (place or {}).items())
    named: list[tuple[Any, Any]] = [
        (rest, set_rest),
        (device, lambda name: use_device(name, devices)),
        (capacity, use_capacity),
        (reading, use_reading),
        (recipe, use_recipe),
        (profile, use_profile),
        (kernel, use_kernel),
        (loss, use_loss),
        (optimizer, use_optimizer),
        (recompute, use_recompute),
    ]
    yield from (make(given) for given, make in named if given is not None)


def _rule(given: str | Mapping[str, Any], where: str) -> str | Mapping[str, Any]:
    """Read the short form of a rule with a number, ``every=2``; any other is returned as it is."""
    if not isinstance(given, str) or not given.startswith(COUNTED):
        return given
    rule, _, number = given.partition("=")
    if not number.isdecimal() or len(number) > 9:
        raise BadInput(f"{where} {given!r}: {rule} counts blocks; write for example every=2")
    return {rule: int(number)}
