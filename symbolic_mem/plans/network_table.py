"""The [network] table of a study: rates with their direction, written out or taken from the device catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput, at_place
from symbolic_mem.base.rational import Number, rational
from symbolic_mem.base.symbols import C, W, W_dcn
from symbolic_mem.base.tomlfile import entry, known_keys
from symbolic_mem.hardware.catalogue import device, parse_flops, parse_rate
from symbolic_mem.hardware.devices import Device
from symbolic_mem.plans.network import Network

KEYS = ("device", "link", "scope", "direction", "flops", "bandwidth", "pods", "ring", "source")


def read_network(
    table: Mapping[str, Any], values: Mapping[sp.Symbol, sp.Rational], where: str, devices: str | None = None
) -> tuple[Network, dict[sp.Symbol, sp.Rational]]:
    """Return the network of a study, and the values of C, W and W_dcn that it gives beside the study's own `values`.

    Raises `BadInput` for a rate that is given twice or without direction, and for a device that lacks it.

    >>> rates = {"flops": "460 TFLOP/s", "bandwidth": "180 GB/s", "direction": "both-ways"}
    >>> read_network(rates, {}, "my.toml [network]")[1]
    {C: 460000000000000, W: 180000000000}
    """
    known_keys(table, KEYS, where)
    texts = {key: entry(table, key, str, where, "") for key in KEYS}
    with at_place(where):
        chosen = device(texts["device"], devices) if texts["device"] else None
    if texts["link"] and chosen is None:
        raise BadInput(f"{where}: link {texts['link']!r} belongs to no device; give device, or the bandwidth itself")
    with at_place(where):
        source, named = _source(texts["source"], chosen), "" if chosen is None else chosen.name
        network = Network(texts["direction"], texts["ring"] or "limit", source=source, device=named)
        given = _rates(texts, chosen, values)
    for symbol in given:
        if symbol in values:
            raise BadInput(f"{where}: {symbol} is given under [values] too; give it once")
    return network, given


def _rates(
    texts: Mapping[str, str], chosen: Device | None, values: Mapping[sp.Symbol, sp.Rational]
) -> dict[sp.Symbol, sp.Rational]:
    given: dict[sp.Symbol, Number] = {}
    if texts["flops"]:
        given[C] = parse_flops(texts["flops"])
    elif chosen is not None and C not in values:
        given[C] = chosen.figure("flops_bf16")
    if texts["bandwidth"]:
        given[W] = parse_rate(texts["bandwidth"])
    elif chosen is not None and W not in values:
        link = chosen.link(texts["link"] or None, direction=texts["direction"], scope=texts["scope"] or None)
        given[W] = link.bytes_per_second
    if texts["pods"]:
        given[W_dcn] = parse_rate(texts["pods"])
    return {symbol: rational(rate) for symbol, rate in given.items()}


def _source(text: str, chosen: Device | None) -> str:
    if text or chosen is None:
        return text
    return f"the catalogue of devices, {chosen.title}"
