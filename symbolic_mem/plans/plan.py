"""`Plan`: where the states of the parameters live, by name, and the scheme of what must be sent for it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput, at_place, nearest
from symbolic_mem.base.symbols import n_fsdp
from symbolic_mem.base.tomlfile import entry, known_keys
from symbolic_mem.plans.placement import Placed


@dataclass(frozen=True)
class Plan:
    """The kinds of memory that are `divided` over n_fsdp, and the scheme that `sends` ("": nothing is sent).

    `keep` is the share of gathered weights that stays on a device after the forward pass, where there are any: 0, all of
    them, or 1/k where they are divided again over k devices.
    """

    name: str
    title: str
    source: str
    divided: tuple[str, ...] = ()
    sends: str = ""
    reshards: bool = False
    replicas: bool = False
    keep: sp.Rational = sp.S.Zero

    @property
    def shares(self) -> Mapping[str, Placed]:
        """Where each divided kind lives.

        >>> sorted(plan("zero-2").shares)
        ['gradients', 'optimizer']
        """
        return {kind: Placed(n_fsdp) for kind in self.divided}

    @property
    def words(self) -> str:
        """The plan as a sentence."""
        if not self.reshards or self.keep == 0:
            return f"Plan {self.name}: {self.title}."
        if self.keep == 1:
            return f"Plan {self.name}: {self.title}. Gathered weights stay whole until the backward pass."
        among = self.keep.q
        return f"Plan {self.name}: {self.title}. Between the passes gathered weights are divided over {among} devices."

    def resharding(self, given: object, where: str) -> Plan:
        """Return the plan with FSDP2's ``reshard_after_forward``: true, false, or a number of devices.

        >>> plan("fsdp2").resharding(8, "here").keep
        1/8
        """
        if not self.reshards:
            raise BadInput(
                f"{where}: plan {self.name!r} gathers no weights, so there is nothing to reshard; remove reshard"
            )
        if isinstance(given, bool):
            return replace(self, keep=sp.S.Zero if given else sp.S.One)
        if not isinstance(given, int) or given < 2:
            raise BadInput(f"{where}: reshard = {given!r}; give true, false, or a number of devices of at least 2")
        return replace(self, keep=sp.Rational(1, given))

    def check(self, values: Mapping[sp.Symbol, sp.Rational]) -> None:
        """Refuse a reshard over a number of devices that does not divide n_fsdp."""
        among, devices = self.keep.q, values.get(n_fsdp)
        if devices is not None and int(devices) % among != 0:
            raise BadInput(
                f"plan {self.name!r} reshards over {among} devices, which does not divide n_fsdp = {devices}; give a "
                "divisor of it"
            )


@cache
def plans() -> Mapping[str, Plan]:
    """Return the bundled plans by name, in the order of the file."""
    content = tomllib.loads(Path(__file__).with_name("plans.toml").read_text(encoding="utf-8"))
    return {name: _read(name, table) for name, table in content.items()}


def _read(name: str, table: Mapping[str, Any]) -> Plan:
    flags = (table.get("reshards", False), table.get("replicas", False))
    return Plan(name, table["title"], table["source"], tuple(table["divided"]), table.get("sends", ""), *flags)


def plan(name: str) -> Plan:
    """Return the bundled plan of that name; raises `BadInput` naming those there are.

    >>> plan("hsdp").sends
    'hsdp'
    """
    known = plans()
    if name not in known:
        raise BadInput(f"unknown plan {name!r}; {nearest(name, known)}")
    return known[name]


def read_plan(table: Mapping[str, Any], where: str) -> Plan:
    """Read the table ``[plan]`` of a study: ``preset``, and ``reshard`` where the plan gathers weights."""
    known_keys(table, ("preset", "reshard"), where)
    if "preset" not in table:
        raise BadInput(f"{where} names no plan; add for example preset = 'fsdp2'; known: {', '.join(plans())}")
    with at_place(where):
        chosen = plan(entry(table, "preset", str, where))
    return chosen.resharding(table["reshard"], where) if "reshard" in table else chosen
