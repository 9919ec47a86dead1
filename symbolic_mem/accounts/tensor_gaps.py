"""Saved tensors of two sides of a comparison, matched by layer and name: which of them differ, and why."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from symbolic_mem.document.prose import Prose, say, text
from symbolic_mem.recipes.recompute import recompute
from symbolic_mem.study.study import Study


@dataclass(frozen=True)
class TensorGap:
    """One saved tensor of one layer, all repetitions together, whose bytes differ between the two sides."""

    layer: str
    tensor: str
    difference: sp.Expr
    said: Prose

    @property
    def reason(self) -> str:
        """Why it differs, as a program reads it."""
        return "".join(str(part) for part in self.said.parts)


def tidy(expr: sp.Expr) -> sp.Expr:
    """Write a difference with its common factors in front, without cancelling what an author wrote apart."""
    return sp.factor_terms(sp.expand(expr))


def tensor_gaps(a: Study, b: Study) -> list[TensorGap]:
    """Match the saved tensors of both sides by layer and name; equal ones are left out."""
    one, other = _kept(a), _kept(b)
    gaps = []
    layers = list(dict.fromkeys(layer for layer, _ in (*one, *other)))
    for key in sorted(dict.fromkeys((*one, *other)), key=lambda key: layers.index(key[0])):
        difference = tidy(other.get(key, _NOTHING).bytes - one.get(key, _NOTHING).bytes)
        if difference != 0:
            gaps.append(TensorGap(*key, difference, _changed(one.get(key), other.get(key))))
    return gaps


@dataclass(frozen=True)
class _Kept:
    bytes: sp.Expr
    size: sp.Expr
    elements: sp.Expr
    repeat: sp.Expr
    reason: str


_NOTHING = _Kept(sp.S.Zero, sp.S.Zero, sp.S.Zero, sp.S.Zero, "")


def _kept(study: Study) -> dict[tuple[str, str], _Kept]:
    found: dict[tuple[str, str], _Kept] = {}
    for layer in recompute(study.model, study.recipe.recompute).layers:
        for tensor in layer.saved:
            size = study.recipe.activations if tensor.bytes_per_element is None else tensor.bytes_per_element
            key = (layer.name, tensor.name)
            before = found.get(key, _NOTHING)
            whole = before.bytes + layer.repeat * size * tensor.elements
            found[key] = _Kept(whole, size, tensor.elements, before.repeat + layer.repeat, tensor.reason)
    return found


def _changed(a: _Kept | None, b: _Kept | None) -> Prose:
    if a is None or b is None:
        which, there = ("second", b) if a is None else ("first", a)
        assert there is not None, "a tensor that differs is kept on at least one side"
        return text(f"only in the {which}: {there.reason}")
    pairs = (("bytes each", a.size, b.size), ("elements", a.elements, b.elements), ("copies", a.repeat, b.repeat))
    changes = [say(f"; {what}: {{old}} → {{new}}", old=old, new=new) for what, old, new in pairs if old != new]
    whole = Prose(tuple(part for change in changes for part in change.parts))
    return Prose((str(whole.parts[0]).removeprefix("; "), *whole.parts[1:])) if changes else text("")
