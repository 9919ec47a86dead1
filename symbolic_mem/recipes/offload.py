"""What can live in the memory of the host instead of the device's."""

from __future__ import annotations

from symbolic_mem.base.errors import BadInput, clipped

OFFLOADED = ("weights", "gradients", "optimizer", "activations")
_CALLED = {
    "parameters": "weights",
    "params": "weights",
    "optimizer states": "optimizer",
    "optimizer_states": "optimizer",
    "moments": "optimizer",
}


def known_offload(kinds: tuple[str, ...], where: str) -> tuple[str, ...]:
    """Return kinds of memory that live on the host, by their names here; raises `BadInput` for those that cannot.

    >>> known_offload(("parameters", "optimizer"), "--offload")
    ('weights', 'optimizer')
    """
    for kind in kinds:
        if kind not in (*OFFLOADED, *_CALLED):
            raise BadInput.unknown(f"{where}: {clipped(kind)} cannot be offloaded", kind, OFFLOADED)
    return tuple(dict.fromkeys(_CALLED.get(kind, kind) for kind in kinds))
