"""What a config says at its ends: the head of its class, and the lines that tell how the file was read."""

from __future__ import annotations

from typing import Any

import sympy as sp

from symbolic_mem.models.families import families
from symbolic_mem.models.fields import Fields
from symbolic_mem.models.recognise import Named
from symbolic_mem.models.sizes import labels
from symbolic_mem.models.tensors import NOT_DESCRIBED
from symbolic_mem.models.unread import unread

WITHOUT_A_PART = "In the file, but without a part in a model of this family"
OTHERWISE = ("quantization_config", "num_labels", "id2label")  # read, but not by a family


def head(fields: Fields, kind: str, bias: bool) -> dict[str, Any]:
    """Return the fields of `Architecture` that make the head of this `kind`; a `bias` is that of the language model's."""
    if kind == "language model":
        return {"head_bias": bias}
    if kind == "none":
        return {"head": "none"}
    if kind == "reward":
        return {"head": "reward", "labels": sp.Integer(1)}
    if kind == "reward of each step":
        return {"head": "reward", "labels": sp.Integer(2)}
    return {
        "head": "score",
        "labels": sp.Integer(labels(fields.table, fields.asked, fields.absent, fields.where)),
        "head_bias": kind == "score of each token",
    }


def assumptions(fields: Fields, named: Named, tied: bool, like: str | None) -> tuple[str, ...]:
    """Return what was read, what was not in the file, and what in the file has no part in the model."""
    family, table = fields.family, families()
    if like is not None:
        said = f"The file is read as {family.architecture} because --like {like} says so: every count rests on that."
    else:
        said = (
            f"The file is read as {named.architecture or family.architecture}, by its model_type “{family.model_type}”."
        )
    lines = [said]
    if fields.absent:
        listed = ", ".join(f"{key} = {value}" for key, value in fields.absent.items())
        if family.published:
            lines.append(f"Not in the file, so what is published of {family.published} holds: {listed}.")
        else:
            lines.append(f"Not in the file, so the default of {family.config_class} holds: {listed} ({table.source}).")
    lines += fields.notes
    lines.append(_head_line(fields, named.head, tied))
    if not family.describes or like is not None:
        lines.append(NOT_DESCRIBED)
    return (*lines, *(_ignored(fields) if like is not None else _without_a_part(fields)))


def _head_line(fields: Fields, kind: str, tied: bool) -> str:
    key = fields.name("tied")
    if kind == "none":
        return "The model ends with its last norm: there is no head."
    if kind != "language model":
        return "The head gives scores, not tokens; the few numbers that its loss keeps are not counted."
    if tied:
        return f"The head shares the weights of the token embedding ({key} is true)."
    return f"The head has weights of its own ({key} is false)."


def not_read(fields: Fields, like: str | None) -> tuple[str, ...]:
    """Name the fields that nothing reads and that may change the model; a family read for another says them itself."""
    known = {*fields.asked, *families().fields, *OTHERWISE}
    return () if like is not None else unread(fields.table, known, fields.where)


def _ignored(fields: Fields) -> list[str]:
    """Every field that the family which is read for another does not have."""
    rest = unread(fields.table, {*fields.asked, *OTHERWISE}, fields.where)
    return [f"Ignored, as that family does not have them: {', '.join(rest)}."] if rest else []


def _without_a_part(fields: Fields) -> list[str]:
    """Name the fields that other families have."""
    other = sorted(key for key in families().fields - fields.asked if fields.table.get(key) not in (None, False))
    rest = unread({key: fields.table[key] for key in other}, (), fields.where)
    return [f"{WITHOUT_A_PART}: {', '.join(rest)}."] if rest else []
