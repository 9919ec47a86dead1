"""`cluster_timeline`: the instants of a training step on every rank of a cluster that differs; the peak is the largest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path

import sympy as sp

from symbolic_mem.accounts.account import saved_terms, state_terms
from symbolic_mem.accounts.instant import Instant
from symbolic_mem.accounts.kept import TABLES, without
from symbolic_mem.accounts.momentary import loss_term
from symbolic_mem.accounts.ranks import Rank, ranks
from symbolic_mem.accounts.received import received, returned
from symbolic_mem.accounts.stage import of_chunks
from symbolic_mem.accounts.terms import Memory, Term, of_parts
from symbolic_mem.accounts.units import units
from symbolic_mem.accounts.whole_stage import whole_stage
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import Numbers
from symbolic_mem.base.symbols import B, P, d_model
from symbolic_mem.base.tables import tables_of
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.built import Built
from symbolic_mem.models.tensors import PREDICTION, Layer, Model, Part, Tensor
from symbolic_mem.plans.engines import Engine, engines
from symbolic_mem.plans.plan import Plan
from symbolic_mem.recipes.recipe import Recipe
from symbolic_mem.recipes.recompute import recompute, transient


@dataclass(frozen=True)
class Row:
    """A row of clusters.toml: what is there at an instant of a step."""

    name: str
    phase: str
    words: str
    at: str
    flight: bool = False
    ends: bool = False
    loss: bool = False
    mlp: bool = False
    module: bool = False
    again: bool = False
    gathered: bool = False
    received: bool = False


@cache
def rows() -> tuple[Row, ...]:
    """Return the instants of a step of a cluster, in their order."""
    return tuple(Row(**row) for row in tables_of(Path(__file__).with_name("clusters.toml"))["instants"])


def cluster_timeline(
    plan: Plan, built: Built, recipe: Recipe, numbers: Numbers, *, every: bool = False
) -> tuple[Instant, ...]:
    """Return the instants of a step on each rank that may hold most, each with the memory of that rank in bytes.

    A rank between the first and the last that has the same blocks as one before it holds no more than that (see `deciding`),
    and is left out unless `every` rank is wanted. `built` is what one rank of all axes but the pipeline has of the model. Raises `BadInput` where the blocks do not
    divide into stages.
    """
    engine = engines()[plan.engine]
    if "activations" in recipe.offload:
        raise BadInput(
            f"how {engine.name} offloads activations is not described; leave activations out of what is offloaded"
        )
    found = []
    for rank in ranks(plan, built, numbers, every=every):
        step = _Step(plan, built, recipe, engine, rank, numbers)
        for row in rows():
            if row.at == "all" or (rank.stage.last and (row.at == "last" or step.module)):
                words = row.words.format(rank=rank.stage.words)
                found.append(Instant(row.name, row.phase, words, step.maker(row), rank=rank.stage.words))
    return tuple(found)


@dataclass(frozen=True)
class _Step:
    """How the instants of a step of one rank are made."""

    plan: Plan
    built: Built
    recipe: Recipe
    engine: Engine
    rank: Rank
    numbers: Numbers

    def maker(self, row: Row) -> Callable[[], Memory]:
        return lambda: Memory(
            tuple(term for term in self.terms(row) if any(part.copies != 0 for part in term.parts)),
            definitions=((P, self.rank.model.parameters),),
        )

    def terms(self, row: Row) -> Iterator[Term]:
        yield from self.states
        yield self.workspaces
        yield from self.dummies
        if row.flight:
            yield from self.flight
            if self.engine.refers:
                yield from returned(self.rank, self.recipe, self.numbers)
            if self.engine.whole:
                yield from whole_stage(self.rank, self.built, self.recipe, self.numbers)
        if row.ends:
            yield from self._saved(tuple(one for one in units(self.rank.model).after if not one.block))
        if row.ends or row.module:
            yield from self._saved(
                recompute(self._of(self.module), self.recipe.recompute).layers if self.module else ()
            )
        if row.loss:
            momentary = loss_term(self.built, self.recipe)
            if momentary is not None:
                yield momentary
        at_work = self.module if row.module else self.last
        if row.mlp:
            yield from self.mlp(at_work)
        if row.again and at_work:
            again = transient(self._of(at_work), self.recipe.recompute)
            yield from saved_terms("recomputed activations of the block at work", "", again, self.recipe)
        if row.gathered:
            yield from self.gathered
        if row.received and self.engine.refers:
            yield from received(self.rank, self.recipe)

    @cached_property
    def states(self) -> tuple[Term, ...]:
        """What the recipe keeps for the parameters of the rank, of routed experts apart."""
        weights, source = self.rank.model.weights, self.recipe.source
        return tuple(
            term
            for state in self.recipe.states
            if state.kind not in self.recipe.offload
            for term in state_terms(state, weights, source, (state.kind,))
        )

    @cached_property
    def workspaces(self) -> Term:
        """What the engine holds for itself."""
        return of_parts(
            "workspaces of the engine",
            "buffers",
            (Part(sp.Integer(self.engine.bytes), ()),),
            sp.S.One,
            "libraries keep them all the time",
            source=self.engine.source,
        )

    @cached_property
    def dummies(self) -> tuple[Term, ...]:
        """One gradient for each shape of weight of the rank, which Transformer Engine hands to autograd."""
        if not self.engine.dummies:
            return ()
        shapes = {
            weight.shape[1:] if weight.group == "experts" else weight.shape: None
            for layer in self.rank.model.layers
            if layer.matmuls
            for weight in layer.weights
            if len(weight.shape) > 1 and weight.group != "router"
        }
        if not shapes:
            return ()
        reason = "one for each shape of weight: gradients are added elsewhere, and autograd asks for a tensor"
        parts = tuple(Part(sp.S.One, shape) for shape in shapes)
        source = "Transformer Engine 2.11, get_dummy_wgrad: shared by all weights of a shape"
        return (of_parts("dummy gradients", "buffers", parts, self.recipe.activations, reason, source=source),)

    @cached_property
    def flight(self) -> tuple[Term, ...]:
        """What the micro-batches in flight keep, in the blocks and in the layers before them.

        Rotary tables are no micro-batch's: each chunk of each stage has them once, as torchtitan registers them (9dec370, models/llama/model.py,
        freqs_cis) and Megatron-LM makes them for the first (d98e8a6, rotary_pos_embedding.py, forward is cached).
        """
        rank, layers = self.rank, []
        whole = units(rank.model)
        held = rank.held or (sp.S.One,)
        layers += [replace(without(layer, TABLES), repeat=layer.repeat * held[0]) for layer in whole.before]
        for layer in units(self.built.model).before:
            tables = tuple(one for one in layer.saved if one.name in TABLES)
            layers += [Layer("rotary tables", saved=tables, repeat=layer.repeat * len(held))] if tables else []
        for chunk, times in self._chunks(held):
            kept = recompute(chunk, self.recipe.recompute).layers
            layers += [replace(layer, repeat=layer.repeat * times) for layer in kept]
        return tuple(self._saved(tuple(layers)))

    def _chunks(self, held: tuple[sp.Expr, ...]) -> Iterator[tuple[Model, sp.Expr]]:
        """The blocks of the rank with how many micro-batches each has in flight, those of one number together."""
        model, stage = self.rank.model, self.rank.stage
        blocks = tuple(layer for layer in model.layers if layer.block and layer.block != PREDICTION)
        if len(held) == 1 or (stage.even and len(units(self.built.model).blocks) == 1):
            yield replace(model, layers=blocks), sp.Add(*held) / len(held)
            return
        for number, times in enumerate(held):
            only = tuple(sp.S.One if chunk == number else sp.S.Zero for chunk in range(len(held)))
            yield replace(model, layers=tuple(of_chunks(self.built.model, stage, only, self.numbers))), times

    def _saved(self, layers: tuple[Layer, ...]) -> Iterator[Term]:
        by_name: dict[str, list[Layer]] = {}
        for layer in layers:
            by_name.setdefault(layer.name, []).append(layer)
        for name, same in by_name.items():
            yield from saved_terms(f"activations of the {name}", name, tuple(same), self.recipe)

    @cached_property
    def last(self) -> tuple[Layer, ...]:
        """The layers of the last block of the rank."""
        blocks = units(self.rank.model).blocks
        return tuple(layer for layer in self.rank.model.layers if blocks and layer.block == blocks[-1].name)

    @cached_property
    def module(self) -> tuple[Layer, ...]:
        """The layers of the block that predicts one token more, where the rank has one."""
        return tuple(layer for layer in units(self.rank.model).after if layer.block)

    def _of(self, layers: tuple[Layer, ...]) -> Model:
        return replace(self.rank.model, layers=layers)

    def mlp(self, block: tuple[Layer, ...]) -> tuple[Term, ...]:
        """The gradients of what the first projections of an MLP give, when those of its inputs are made."""
        tensors = tuple(
            replace(tensor, kind="activations", feeds="")
            for layer in block
            for tensor in layer.saved
            if tensor.name in ("preactivation", "up")
        )
        name = "gradients inside the MLP"
        return tuple(saved_terms(name, "", (Layer("", saved=tensors),), self.recipe)) if tensors else ()

    @cached_property
    def gathered(self) -> tuple[Term, ...]:
        """What is whole for a moment where the residual stream is divided: the input of a linear layer, and its gradient."""
        cut = self.built.cut
        if cut is None or cut.degree("heads") == 1:
            return ()
        shape = (B, cut.tokens.inside, self._width)
        reason = "gathered for the product of the gradients, and the gradient before it is summed over the ranks"
        whole = Tensor("input of a linear layer, and its gradient", shape, reason)
        layer = Layer("", saved=(whole,), repeat=sp.Integer(2))
        return tuple(saved_terms("gathered input and its gradient", "", (layer,), self.recipe))

    @property
    def _width(self) -> sp.Expr:
        return d_model if self.built.architecture is None else self.built.architecture.d_model
