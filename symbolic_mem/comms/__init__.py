"""What training must send: collectives, parallel schemes, rooflines and the batch from which chips are busy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symbolic_mem import symbols
from symbolic_mem.lazy import load_on_first_use

if TYPE_CHECKING:
    from symbolic_mem.comms.collectives import Collective as Collective
    from symbolic_mem.comms.critical import Critical as Critical
    from symbolic_mem.comms.critical import critical as critical
    from symbolic_mem.comms.critical import next_whole as next_whole
    from symbolic_mem.comms.largest import largest as largest
    from symbolic_mem.comms.largest import largest_mesh as largest_mesh
    from symbolic_mem.comms.load import Load as Load
    from symbolic_mem.comms.load import load as load
    from symbolic_mem.comms.network import Network as Network
    from symbolic_mem.comms.network import same_direction as same_direction
    from symbolic_mem.comms.optimum import BestMesh as BestMesh
    from symbolic_mem.comms.optimum import best_mesh as best_mesh
    from symbolic_mem.comms.optimum import mesh_size as mesh_size
    from symbolic_mem.comms.optimum import whole_meshes as whole_meshes
    from symbolic_mem.comms.roofline import Roofline as Roofline
    from symbolic_mem.comms.schemes import Mesh as Mesh
    from symbolic_mem.comms.schemes import Pass as Pass
    from symbolic_mem.comms.schemes import Scheme as Scheme
    from symbolic_mem.comms.schemes import bubble as bubble
    from symbolic_mem.comms.schemes import scheme as scheme

_NAMES = {
    "symbolic_mem.comms.collectives": ("Collective",),
    "symbolic_mem.comms.critical": (
        "Critical",
        "critical",
        "next_whole",
    ),
    "symbolic_mem.comms.largest": (
        "largest",
        "largest_mesh",
    ),
    "symbolic_mem.comms.load": (
        "Load",
        "load",
    ),
    "symbolic_mem.comms.network": (
        "Network",
        "same_direction",
    ),
    "symbolic_mem.comms.optimum": (
        "BestMesh",
        "best_mesh",
        "mesh_size",
        "whole_meshes",
    ),
    "symbolic_mem.comms.roofline": ("Roofline",),
    "symbolic_mem.comms.schemes": (
        "Mesh",
        "Pass",
        "Scheme",
        "bubble",
        "scheme",
    ),
}
_HOMES = {name: home for home, names in _NAMES.items() for name in names}

__all__ = ["symbols", *_HOMES]  # noqa: PLE0604 (the names of a literal above)

load_on_first_use(__name__, _HOMES)
