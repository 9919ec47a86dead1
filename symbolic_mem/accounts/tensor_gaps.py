"""Saved tensors of two accounts, matched by layer and name: which of them differ, and in what."""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from symbolic_mem.accounts.gaps import Contrast, contrasts, factored
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.tensors import Model
from symbolic_mem.recipes.recipe import Recipe
from symbolic_mem.recipes.recompute import recompute


@dataclass(frozen=True)
class SavedTensor:
    """What all repetitions of a layer keep of one tensor: `bytes`, and the `size` of each of its `elements`.

    `repeat` counts the repetitions and `reason` says why it is kept.
    """

    bytes: sp.Expr
    size: sp.Expr
    elements: sp.Expr
    repeat: sp.Expr
    reason: str


Saved = Mapping[tuple[str, str], SavedTensor]


def saved_tensors(model: Model, recipe: Recipe) -> Saved:
    """Return what a recipe keeps of a model for the backward pass, by the names of layer and tensor."""
    found: dict[tuple[str, str], SavedTensor] = {}
    for layer in recompute(model, recipe.recompute).layers:
        for tensor in layer.saved:
            size = recipe.widths.of(tensor)
            whole, repeat = layer.repeat * size * tensor.elements, layer.repeat
            before = found.get((layer.name, tensor.name))
            if before is not None:
                whole, repeat = before.bytes + whole, before.repeat + repeat
            found[layer.name, tensor.name] = SavedTensor(whole, size, tensor.elements, repeat, tensor.reason)
    return found


@dataclass(frozen=True)
class TensorGap:
    """One saved tensor of one layer, all repetitions together, whose bytes differ; None where an account has it not."""

    layer: str
    tensor: str
    a: SavedTensor | None
    b: SavedTensor | None
    difference: sp.Expr

    @property
    def sides(self) -> tuple[sp.Expr, sp.Expr]:
        """Bytes that both accounts keep of it; 0 where one keeps none."""
        return _bytes(self.a), _bytes(self.b)

    @property
    def only(self) -> str:
        """Where the tensor is, if one account alone keeps it: ``first`` or ``second``; else empty."""
        return "second" if self.a is None else "first" if self.b is None else ""

    @property
    def note(self) -> str:
        """Why a tensor is kept that one account alone keeps."""
        there = self.b or self.a
        return there.reason if self.only and there is not None else ""

    @property
    def contrasts(self) -> tuple[Contrast, ...]:
        """What differs of a tensor that both keep."""
        if self.a is None or self.b is None:
            return ()
        return contrasts(
            ("bytes each", self.a.size, self.b.size),
            ("elements", self.a.elements, self.b.elements),
            ("copies", self.a.repeat, self.b.repeat),
        )

    @property
    def reason(self) -> str:
        """Why it differs, as a program reads it."""
        if self.only:
            return f"only in the {self.only}: {self.note}" if self.note else f"only in the {self.only}"
        return "; ".join(f"{each.what}: {each.old} → {each.new}" for each in self.contrasts)


def tensor_gaps(a: Saved, b: Saved) -> tuple[TensorGap, ...]:
    """Match the saved tensors of two accounts by layer and name; those of equal bytes are left out.

    >>> from symbolic_mem import ffn, recipe
    >>> from symbolic_mem.recipes.recompute import Recompute
    >>> plain, full = recipe("cs336"), recipe("cs336").with_recompute(Recompute("full"))
    >>> gaps = tensor_gaps(saved_tensors(ffn(), plain), saved_tensors(ffn(), full))
    >>> [(gap.layer, gap.tensor, gap.difference) for gap in gaps][1]
    ('feed-forward block', 'h', -2*B*L*S*d_ff)
    """
    gaps = []
    layers = list(dict.fromkeys(layer for layer, _ in (*a, *b)))
    for key in sorted(dict.fromkeys((*a, *b)), key=lambda key: layers.index(key[0])):
        difference = factored(_bytes(b.get(key)) - _bytes(a.get(key)))
        if difference != 0:
            gaps.append(TensorGap(*key, a.get(key), b.get(key), difference))
    return tuple(gaps)


def _bytes(saved: SavedTensor | None) -> sp.Expr:
    return sp.S.Zero if saved is None else saved.bytes
