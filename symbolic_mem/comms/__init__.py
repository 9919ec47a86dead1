"""What training must send: collectives, parallel schemes, rooflines and the batch from which chips are busy."""

from symbolic_mem import symbols
from symbolic_mem.comms.collectives import Collective
from symbolic_mem.comms.critical import Critical, critical, next_whole
from symbolic_mem.comms.largest import largest, largest_mesh
from symbolic_mem.comms.load import Load, load
from symbolic_mem.comms.network import Network, same_direction
from symbolic_mem.comms.optimum import BestMesh, best_mesh, mesh_size, whole_meshes
from symbolic_mem.comms.roofline import Roofline
from symbolic_mem.comms.schemes import Mesh, Pass, Scheme, bubble, scheme

__all__ = [
    "BestMesh",
    "Collective",
    "Critical",
    "Load",
    "Mesh",
    "Network",
    "Pass",
    "Roofline",
    "Scheme",
    "best_mesh",
    "bubble",
    "critical",
    "largest",
    "largest_mesh",
    "load",
    "mesh_size",
    "next_whole",
    "same_direction",
    "scheme",
    "symbols",
    "whole_meshes",
]
