"""Changes of a value, and of where memory lives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import sympy as sp

from symbolic_mem.base.errors import BadInput, at_place
from symbolic_mem.base.glossary import BY_LETTER
from symbolic_mem.base.symbols import Name, lookup, n_fsdp
from symbolic_mem.models.tensors import KINDS, STATIC
from symbolic_mem.plans.placement import RESTS, Placed
from symbolic_mem.plans.read import plan as plan_of
from symbolic_mem.plans.read import read_plans
from symbolic_mem.study.setting import Change, Setting
from symbolic_mem.study.values import given_symbol, read_fraction, read_value


def placement_of(kind: str) -> str:
    """Return what a change of where a kind of memory lives is about."""
    return f"placement of the {kind}"


PLACEMENTS = {placement_of(kind): kind for kind in KINDS}


def set_value(name: str, given: object, where: str = "--set", own: Iterable[Name] | None = None) -> Change:
    """Give the symbol called `name`, or printed as that letter, another value; one that only a study has is among its `own`, or looked up there.

    >>> set_value("B", 64).words
    'B = 64'
    """
    name = BY_LETTER.get(name, name)
    now = own is not None or lookup(name) is not None
    known = read_value(given_symbol(name, where, own or ()), given, where) if now else None

    def apply(setting: Setting) -> Setting:
        chosen = given_symbol(name, where, setting.names)
        value = read_value(chosen, given, where) if known is None else known
        formulas = {symbol: expr for symbol, expr in setting.formulas.items() if symbol != chosen.symbol}
        return replace(setting, values={**setting.values, chosen.symbol: value}, formulas=formulas)

    return Change(name, f"{name} = {given}", apply)


def use_plan(name: str, plans: str | None = None, where: str = "--plan", finds: tuple[sp.Symbol, ...] = ()) -> Change:
    """Divide the states as a plan says (also one of the file `plans`); where activations and buffers live stays.

    Its degrees that a question `finds` are not refused before it does.
    """
    own = None if plans is None else read_plans(plans)  # a fault of that file has a place of its own
    with at_place(where):
        chosen = replace(plan_of(name, own), finds=finds)

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
        raise BadInput.unknown(f"{where}: unknown kind {kind!r} of memory", kind, KINDS)
    share, comma, rest = given.partition(",") if isinstance(given, str) else (given, "", "")
    if comma and "=" in rest:
        raise BadInput(f"{where} {kind}={given}: give each kind its own, as in --place {kind}={share} --place {rest}")
    if comma and rest.strip() not in RESTS:
        raise BadInput.unknown(f"{where} {kind}: unknown {rest.strip()!r} after the comma", rest.strip(), RESTS)
    fraction = read_fraction(share.strip() if isinstance(share, str) else share, where)

    def apply(setting: Setting) -> Setting:
        old = setting.placement.get(kind, Placed(n_fsdp))
        new = replace(old, fraction=fraction, rest=rest.strip() if comma else old.rest)
        return replace(setting, placement={**setting.placement, kind: new})

    words = f"{share} of the {kind} divided" + (f", the rest is {rest.strip()}" if comma else "")
    return Change(placement_of(kind), words, apply)


def set_rest(rest: str, where: str = "--rest") -> Change:
    """Keep or drop what is not divided, of every kind that is placed."""
    if rest not in RESTS:
        raise BadInput.unknown(f"{where}: unknown {rest!r}", rest, RESTS)

    def apply(setting: Setting) -> Setting:
        placement = {kind: replace(placed, rest=rest) for kind, placed in setting.placement.items()}
        return replace(setting, placement=placement)

    return Change("rest", f"the rest is {rest}", apply)
