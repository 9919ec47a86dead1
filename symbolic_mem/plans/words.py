"""The words of a study for what is sent: its pass, its scheme, its mesh, and how the mesh axes overlap."""

from __future__ import annotations

PASSES = ("forward", "backward", "step")
SCHEMES = ("dp", "fsdp", "tp", "fsdp+tp", "hsdp")
AXES = ("given", "optimal")
OVERLAPS = ("max", "sum")
