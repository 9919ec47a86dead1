"""The devices a model must fit in: capacity under three readings, FLOP/s, and bandwidths with their direction."""

from symbolic_mem.hardware.catalogue import device, load
from symbolic_mem.hardware.devices import CONFIDENCES, DIRECTIONS, READINGS, SCOPES, Bandwidth, Device, Evidence

__all__ = [
    "CONFIDENCES",
    "DIRECTIONS",
    "READINGS",
    "SCOPES",
    "Bandwidth",
    "Device",
    "Evidence",
    "device",
    "load",
]
