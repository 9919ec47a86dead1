"""The changes there are: of a value, the recipe, what an engine keeps, where memory lives, and which device counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput, at_place, nearest
from symbolic_mem.base.formula import read_number
from symbolic_mem.base.rational import rational
from symbolic_mem.base.symbols import M_X, M_Y, C, Name, W, lookup, n_fsdp
from symbolic_mem.base.units import parse_bytes
from symbolic_mem.base.written import counted
from symbolic_mem.hardware.catalogue import device as device_of
from symbolic_mem.hardware.catalogue import load_devices
from symbolic_mem.hardware.devices import READINGS, Device
from symbolic_mem.models.tensors import KINDS, STATIC
from symbolic_mem.plans.network import Network
from symbolic_mem.plans.placement import RESTS, Placed
from symbolic_mem.plans.read import plan as plan_of
from symbolic_mem.plans.read import read_plans
from symbolic_mem.recipes.caches import cache_format
from symbolic_mem.recipes.optimizers import optimizer
from symbolic_mem.recipes.own import read_recipes, recipe_of
from symbolic_mem.recipes.recipe import GRADIENTS, Recipe, known_offload, known_pages
from symbolic_mem.recipes.recompute import COUNTED, UNIFORM, Recompute
from symbolic_mem.recipes.tuned import read_tuned
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
        formulas = {symbol: expr for symbol, expr in setting.formulas.items() if symbol != chosen.symbol}
        return replace(setting, values={**setting.values, chosen.symbol: value}, formulas=formulas)

    return Change(name, f"{name} = {given}", apply)


def chosen_recipe(name: str | Recipe, recipes: str | None = None, where: str = "--recipe") -> Recipe:
    """Return the recipe of that name, also of the file `recipes`, or one as it is; `where` is the place of the name."""
    if isinstance(name, Recipe):
        return name
    if recipes is not None:
        read_recipes(recipes)  # a fault of that file has a place of its own
    with at_place(where):
        return recipe_of(name, recipes)


def use_recipe(name: str | Recipe, recipes: str | None = None, where: str = "--recipe") -> Change:
    """Train with another recipe, by name (also of the file `recipes`) or as it is; the rule of recomputation stays."""
    chosen = chosen_recipe(name, recipes, where)

    def apply(setting: Setting) -> Setting:
        if not chosen.trains:
            return replace(setting, recipe=chosen, placement={} if setting.plan is None else setting.plan.shares)
        return replace(setting, recipe=chosen.with_recompute(setting.recipe.recompute))

    return Change("recipe", f"recipe {chosen.name}", apply)


def use_cache(name: str, where: str = "--cache") -> Change:
    """Store the caches of decoding in another format."""
    with at_place(where):
        cache_format(name)
    return Change(
        "cache", f"cache {name}", lambda setting: replace(setting, recipe=setting.recipe.with_cache(name, where))
    )


def use_pages(tokens: object, where: str = "--page") -> Change:
    """Store the caches of decoding in pages (blocks) of so many tokens."""
    number: Any = tokens if not isinstance(tokens, str) or (read := counted(tokens)) is None else read
    known_pages(number, where)

    def apply(setting: Setting) -> Setting:
        return replace(setting, recipe=setting.recipe.with_pages(number, where))

    return Change("page", f"pages of {tokens} tokens", apply)


def use_optimizer(name: str, where: str = "--optimizer") -> Change:
    """Train with another optimizer, for parameters of the same size."""
    with at_place(where):
        optimizer(name)
    return Change(
        "optimizer", f"optimizer {name}", lambda setting: replace(setting, recipe=setting.recipe.with_optimizer(name))
    )


def use_profile(name: str, profiles: str | None = None, where: str = "--profile") -> Change:
    """Keep what another engine keeps for the backward pass, by the name of a profile (also of the file `profiles`)."""
    from symbolic_mem.models.own_profiles import profile_of, read_profiles

    if profiles is not None:
        read_profiles(profiles)  # a fault of that file has a place of its own
    with at_place(where):
        how = profile_of(name, profiles)

    return Change("profile", f"profile {name}", lambda setting: replace(setting, built=setting.built.under(how, None)))


def use_kernel(name: str, where: str = "--kernel") -> Change:
    """Compute attention with another kernel."""

    def apply(setting: Setting) -> Setting:
        with at_place(where):
            return replace(setting, built=setting.built.under(None, name))

    return Change("kernel", f"attention kernel {name}", apply)


def use_loss(name: str, where: str = "--loss") -> Change:
    """Compute the loss in another way: see `known_losses`."""
    from symbolic_mem.models.losses import loss

    with at_place(where):
        loss(name)

    def apply(setting: Setting) -> Setting:
        _need_backward(setting, f"loss {name}")
        return replace(setting, built=setting.built.under(loss=name))

    return Change("loss", f"loss {name}", apply)


def _need_backward(setting: Setting, what: str) -> None:
    if not setting.recipe.trains:
        raise BadInput(
            f"recipe {setting.recipe.name!r} is one of inference, which keeps nothing for a backward pass; leave {what} out"
        )


def use_recompute(given: str | Mapping[str, Any], where: str = "--recompute") -> Change:
    """Recompute by another rule: as `Recompute.read` takes it, or in its short form ``every=2``."""
    how = Recompute.read(_rule(given, where), where)

    def apply(setting: Setting) -> Setting:
        return replace(setting, recipe=setting.recipe.with_recompute(how))

    return Change("recompute", f"recomputation: {how}", apply)


def use_adapters(given: str, where: str = "--adapters") -> Change:
    """Train adapters on these modules alone, as `read_tuned` takes them: names with commas, or a file of PEFT's; ``none``: all is trained.

    >>> use_adapters("q_proj,v_proj").words
    'adapters on q_proj,v_proj'
    """
    table: Any = "all"
    if given != "none":
        table = {"adapters": given if given.endswith(".json") else [name.strip() for name in given.split(",")]}
        read_tuned(table, where)

    def apply(setting: Setting) -> Setting:
        before = setting.recipe.tuned
        rank = {} if table == "all" or given.endswith(".json") or before.rank is None else {"rank": before.rank}
        found = read_tuned(table if table == "all" else {**table, **rank}, where, before=before)
        with at_place(where):
            return replace(setting, recipe=setting.recipe.with_tuned(found))

    return Change("adapters", f"adapters on {given}" if given != "none" else "no adapters", apply)


def keep_gradients(given: str, where: str = "--gradients") -> Change:
    """Say what becomes of gradients: ``kept`` between micro-batches, ``freed`` after a step, or there ``one-by-one``.

    >>> keep_gradients("freed").words
    'gradients freed'
    """
    if given not in GRADIENTS:
        raise BadInput(f"{where}: unknown fate {given!r} of the gradients; {nearest(given, GRADIENTS)}")

    def apply(setting: Setting) -> Setting:
        with at_place(where):
            return replace(setting, recipe=setting.recipe.with_gradients(given))

    return Change("gradients", f"gradients {given}", apply)


def use_offload(given: str, where: str = "--offload") -> Change:
    """Keep these kinds of memory in the host's, with commas between them; ``none``: all of it on the device.

    >>> use_offload("optimizer,gradients").words
    'offloaded: optimizer, gradients'
    """
    kinds = () if given.strip() == "none" else tuple(kind.strip() for kind in given.split(","))
    known_offload(kinds, where)

    def apply(setting: Setting) -> Setting:
        return replace(setting, recipe=setting.recipe.with_offload(kinds, where))

    return Change("offload", f"offloaded: {', '.join(kinds) or 'nothing'}", apply)


def use_plan(name: str, plans: str | None = None, where: str = "--plan") -> Change:
    """Divide the states as a plan says (also one of the file `plans`); where activations and buffers live stays."""
    own = None if plans is None else read_plans(plans)  # a fault of that file has a place of its own
    with at_place(where):
        chosen = plan_of(name, own)

    def apply(setting: Setting) -> Setting:
        kept = {kind: placed for kind, placed in setting.placement.items() if kind not in STATIC}
        return replace(setting, plan=chosen, values=chosen.given(setting.values), placement={**chosen.shares, **kept})

    return Change("plan", f"plan {name}", apply)


def place_kind(kind: str, given: object, where: str = "--place") -> Change:
    """Divide another fraction of a kind of memory over the same degree; after a comma the rest is kept or dropped.

    >>> place_kind("activations", "1/2,dropped").words
    '1/2 of the activations divided, the rest is dropped'
    """
    if kind not in KINDS:
        raise BadInput(f"{where}: unknown kind {kind!r} of memory; {nearest(kind, KINDS)}")
    share, comma, rest = given.partition(",") if isinstance(given, str) else (given, "", "")
    if comma and "=" in rest:
        raise BadInput(f"{where} {kind}={given}: give each kind its own, as in --place {kind}={share} --place {rest}")
    if comma and rest.strip() not in RESTS:
        raise BadInput(f"{where} {kind}: unknown {rest.strip()!r} after the comma; {nearest(rest.strip(), RESTS)}")
    fraction = read_fraction(share.strip() if isinstance(share, str) else share, where)

    def apply(setting: Setting) -> Setting:
        old = setting.placement.get(kind, Placed(n_fsdp))
        new = replace(old, fraction=fraction, rest=rest.strip() if comma else old.rest)
        return replace(setting, placement={**setting.placement, kind: new})

    words = f"{share} of the {kind} divided" + (f", the rest is {rest.strip()}" if comma else "")
    return Change(f"placement of the {kind}", words, apply)


def set_rest(rest: str, where: str = "--rest") -> Change:
    """Keep or drop what is not divided, of every kind that is placed."""
    if rest not in RESTS:
        raise BadInput(f"{where}: unknown {rest!r}; {nearest(rest, RESTS)}")

    def apply(setting: Setting) -> Setting:
        placement = {kind: replace(placed, rest=rest) for kind, placed in setting.placement.items()}
        return replace(setting, placement=placement)

    return Change("rest", f"the rest is {rest}", apply)


def use_device(name: str | Device, devices: str | None = None, where: str = "--device") -> Change:
    """Ask about a device of the catalogue, or of the file `devices`."""
    name = name.name if isinstance(name, Device) else name
    if devices is not None:
        load_devices(devices)  # a fault of that file has a place of its own
    with at_place(where):
        chosen = device_of(name, devices).name

    def apply(setting: Setting) -> Setting:
        return replace(setting, device=replace(setting.device, name=chosen, amount=None))

    return Change("device", f"device {chosen}", apply)


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

    return Change("rates", f"rates of {chosen.name}", apply)


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


def _rule(given: str | Mapping[str, Any], where: str) -> str | Mapping[str, Any]:
    """Read the short form of a rule with a number, ``every=2``; any other is returned as it is."""
    if not isinstance(given, str) or not given.startswith((*COUNTED, UNIFORM)):
        return given
    rule, _, number = given.partition("=")
    size = counted(number)
    if size is None:
        raise BadInput(f"{where} {given!r}: {rule} counts blocks; write for example every=2")
    return {rule: size}
