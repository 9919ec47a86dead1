"""`Step`: what all instants of a training step are made of: the model by units, the recipe, and where its states live."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

import sympy as sp

from symbolic_mem.accounts.places import Place, places
from symbolic_mem.accounts.schedule import Row
from symbolic_mem.accounts.terms import Term
from symbolic_mem.accounts.units import Unit, Units, adapted, units
from symbolic_mem.accounts.working import Moment
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.tensors import EMBEDDED, HEAD, HIDDEN, SUMMANDS, TABLE, UNREAD, UNSCALED, Model, Part, Tensor
from symbolic_mem.recipes.bases import is_packed, packed_bytes
from symbolic_mem.recipes.recipe import Recipe
from symbolic_mem.recipes.recompute import recomputed_at


@dataclass(frozen=True)
class Step:
    """A step of training: `residues` say which of the last blocks are recomputed (see `places`).

    `loss` is what the backward pass of the loss holds for a moment, and `inside` what its forward pass does.

    It `gathers` weights that are divided; `keep` is the share of them that stays after the forward pass. On one device
    `alone` nothing is gathered: its weights are converted once, when their turn has come. A `hybrid` of shards and
    replicas keeps what it sums over the replicas until the backward pass is over. The experts of the kinds that are `apart` are
    divided over devices of their own; `others` is by how many devices another parallelism divides the weights than the
    `shards` of those that gather them. It `reduces` each gradient when it is made, where weights are whole. It `divides` its
    optimizer, and with it the copies of the tensors at work. Nothing else of where memory lives changes an instant: shares
    divide what is there.
    """

    model: Model
    recipe: Recipe
    loss: Term | None
    inside: tuple[Tensor, ...]
    apart: tuple[str, ...]
    others: sp.Expr
    shards: sp.Expr
    keep: sp.Rational
    residues: tuple[int, ...]
    gathers: bool
    alone: bool = False
    hybrid: bool = False
    reduces: bool = False
    divides: bool = False

    @cached_property
    def units(self) -> Units:
        """Its blocks, and what lies around them."""
        return units(self.model)

    @property
    def one_by_one(self) -> bool:
        """Whether each gradient is used as soon as it is made."""
        return self.recipe.in_backward or self.reduces

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """The blocks at work that can decide."""
        return places(self.units.blocks, self.recipe.recompute, self.residues)

    def whole(self, unit: Unit) -> tuple[Part, ...]:
        """The weights of a block as they are gathered: frozen matrices that are packed stay so, in as many of the bytes of a gathered one."""
        share = self._packed
        if share == 1:
            return unit.weights
        return tuple(
            Part(layer.repeat * (share if is_packed(weight, self.recipe.tuned.trained.packed) else 1), weight.shape)
            for layer in unit.layers
            for weight in layer.weights
        )

    @cached_property
    def _packed(self) -> sp.Rational:
        """The bytes of a packed weight, over those of a gathered one; 1 where none is packed."""
        gathers = self.recipe.gathers
        if not self.recipe.tuned.base or not gathers:
            return sp.S.One
        return packed_bytes(self.recipe.states) / gathers

    def at(self, where: str) -> tuple[Place, ...]:
        """The blocks at work of a row of a schedule: "each", the "first" or the "last"."""
        if where == "each":
            return self.places
        return tuple(self.last) if where == "last" else tuple(place for place in self.places if place.index == 0)

    @property
    def last(self) -> Iterator[Place]:
        """The last block, and the only one."""
        name = self.units.blocks[-1].name
        found = [place for place in self.places if place.unit.name == name and place.done == 0]
        yield from (place for place in found if place.most is not None or place.least == 2)

    def beside(self, row: Row, place: Place | None, moment: Moment | None) -> Iterator[Tensor]:
        """What the caller of the blocks holds: the embedded tokens, until the last norm is over; what all blocks read as long.

        Where blocks are recomputed the first input is kept anyway, and what all read until the backward pass is over. The
        output of a frozen embedding stays until then, too, also where the first input is another tensor: it is where the gradient ends.
        """
        if self.model.work is None or row.phase == "step":
            return
        recomputes = self.recomputes and row.activations != "none"
        last = moment is not None and moment.name == HEAD
        for tensor in self.model.work.beside():
            if tensor.name == EMBEDDED:
                first = place is not None and place.index == 0 and row.phase == "forward" and row.caller
                named = row.caller and not last
                kept = recomputed_at(self.recipe.recompute, 0) and self.units.blocks[0].goes_back
                if (named or self.ends_at_embedding) and not (first or kept):
                    yield tensor
            elif tensor.name == HIDDEN:
                if row.inside:
                    yield tensor
            elif tensor.name in (SUMMANDS[0], UNSCALED) and self.ends_at_embedding:
                yield tensor
            elif tensor.name == UNSCALED:
                continue
            elif (recomputes and tensor.name not in (*SUMMANDS, TABLE, UNREAD)) or (row.caller and not last):
                yield tensor

    @cached_property
    def recomputes(self) -> bool:
        """Whether blocks that have a backward pass are computed again in it."""
        how = self.recipe.recompute
        first = int(next(one.start for one in self.units.blocks if one.goes_back))
        return how.rule not in ("none", "selective") and any(recomputed_at(how, first + n) for n in range(how.size + 1))

    @cached_property
    def ends_at_embedding(self) -> bool:
        """Whether the backward pass ends where the blocks begin, at the output of a frozen embedding."""
        reached = self.units.blocks[0].layers[0].reached
        return reached and not any(weight.trained for layer in self.units.before for weight in layer.weights)

    def done(self, unit: Unit, place: Place) -> sp.Expr:
        """How many blocks of a kind are behind the block at work."""
        here, there = self._order[place.unit.name], self._order[unit.name]
        return place.done if here == there else unit.count if there > here else sp.S.Zero

    def before(self, unit: Unit, place: Place) -> sp.Expr:
        """How many blocks of a kind come before the block at work."""
        here, there = self._order[place.unit.name], self._order[unit.name]
        return place.before if here == there else unit.count if there < here else sp.S.Zero

    @cached_property
    def _order(self) -> Mapping[str, int]:
        return {one.name: position for position, one in enumerate(self.units.blocks)}

    @cached_property
    def gradient_bytes(self) -> sp.Rational:
        """Bytes of an element of a gradient that the rank keeps."""
        return self.recipe.gradient_bytes()

    def scaled(self, kind: str, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        """Trained weights, each so many times as it has bytes of a kind over those of an adapter."""
        return self.recipe.scaled(kind, parts, self.adapted)

    @cached_property
    def adapted(self) -> frozenset[tuple[sp.Expr, ...]]:
        """The shapes of adapters."""
        return adapted(self.model)

    @property
    def converts(self) -> bool:
        """Whether weights are gathered in another dtype than they are kept in."""
        return any(one.kind == "weights" and one.bytes_per_element != self.recipe.gathers for one in self.recipe.states)
