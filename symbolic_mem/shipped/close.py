"""What is said of a fit that comes close to all there is, without SymPy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from symbolic_mem.base.walk import Number
from symbolic_mem.shipped.fill import exact


def cautions(
    device: Mapping[str, Any], held: Number, rows: Number, more: Number, taken: Sequence[str], verb: str
) -> list[str]:
    """Say that no process finds `held` free on a device, and that whole rows may take more than is left, which a `verb` counts.

    So may `more` that is not counted, where it is anything, with those rows. `taken` are the least and the most that a context takes of devices of which it is known.
    """
    left = exact(device["counted"]) - held
    if left < 0:
        return []
    return [
        *(() if device.get("name") is None else _free(device, held, taken)),
        *_padded(rows, left, verb),
        *_crowded(more, rows, left),
    ]


def _free(device: Mapping[str, Any], held: Number, taken: Sequence[str]) -> list[str]:
    from symbolic_mem.base.shown import shown
    from symbolic_mem.questions.parts.closeness import CLOSE, Known, closeness

    process, reported = device["process"], device["reported"]
    free = None if process is None else (exact(process[0]), process[1])
    known = Known(exact(device["nominal"]), free, None if reported is None else exact(reported), device["reported_as"])
    said = closeness(known, held, lambda: (exact(taken[0]), exact(taken[1])))
    if said is None:
        return []
    which, pieces = said
    words = {
        name: piece if isinstance(piece, str) else shown(piece.bytes, "GiB", piece.digits).plain
        for name, piece in pieces.items()
    }
    return [CLOSE[which].format(**words)]


def _padded(rows: Number, left: Number, verb: str) -> list[str]:
    if rows <= left:
        return []
    from symbolic_mem.base.shown import shown
    from symbolic_mem.questions.parts.closeness import CLOSE

    return [CLOSE["rows"].format(rows=shown(rows, "GiB").plain, left=shown(left, "GiB").plain, verb=verb)]


def _crowded(more: Number, rows: Number, left: Number) -> list[str]:
    if not more or more + rows <= left:
        return []
    from symbolic_mem.base.shown import shown
    from symbolic_mem.questions.parts.closeness import CLOSE

    return [CLOSE["uncounted"].format(more=shown(more + rows, "GiB").plain, left=shown(left, "GiB").plain)]
