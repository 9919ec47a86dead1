"""Why no number of devices is enough at an instant of a step, and what would help; it needs no SymPy."""

from __future__ import annotations

NOT_ENOUGH = {
    "at": "no number of devices is enough, because at one instant of a step, {at}, each holds {fixed} in full, "
    "of which the {name} take {size}, and has {capacity}: {remedy}"
}
_DIVIDE = "divide the layers of a block themselves, as tensor or expert parallelism does"
REMEDIES = {
    "gradients inside the loss": "compute the loss in chunks, or lower the batch or the sequence length",
    "gathered weights": _DIVIDE,
    "gradients of whole weights": _DIVIDE,
    "gradients that are sent": _DIVIDE,
    "activations": "recompute more of the activations, or lower the batch or the sequence length",
}


def remedy(name: str) -> str:
    """What makes a part smaller that every device holds in full.

    >>> remedy("activations")
    'recompute more of the activations, or lower the batch or the sequence length'
    """
    return REMEDIES.get(name, "divide more of the memory, or choose a smaller model")
