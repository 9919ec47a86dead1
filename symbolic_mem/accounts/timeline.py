"""`timeline`: the instants of a training step, each with the memory of one device: the peak is the largest of them."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, lru_cache
from pathlib import Path

import sympy as sp

from symbolic_mem.accounts.account import saved_terms, state_term
from symbolic_mem.accounts.momentary import loss_term, step_terms
from symbolic_mem.accounts.places import Place, places
from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.accounts.units import Unit, Units, units
from symbolic_mem.accounts.working import Moment, moments
from symbolic_mem.base.exact import Given, Numbers, missing
from symbolic_mem.base.once import hashed_once, later
from symbolic_mem.base.symbols import P, n_fsdp, n_replica
from symbolic_mem.models.build import Built
from symbolic_mem.models.tensors import Held, Layer, Model, Part, Tensor, Weights
from symbolic_mem.plans.placement import Placed
from symbolic_mem.recipes.recipe import Recipe
from symbolic_mem.recipes.recompute import block_input, counts, without_scores

PHASES = ("forward", "loss", "backward", "step")


@hashed_once
@dataclass(frozen=True)
class Row:
    """A row of a schedule (see schedules.toml): what is there at an instant, or at one instant for every place of `at`."""

    name: str
    phase: str
    words: str
    gradients: str
    activations: str
    at: str = ""
    block: int = 0
    next: int = 0
    previous: int = 0
    root: int = 0
    whole: str = ""
    sent: str = ""
    shares: bool = False
    enters: bool = False
    leaves: bool = False
    arrives: bool = False
    resharded: int = 0
    working: bool = False
    loss: bool = False
    scalars: int = 0
    step: bool = False


@dataclass(frozen=True)
class Instant:
    """An instant of a `phase` of a step, in `words`; it exists where `count` is at least `least`, and at most `most` (None: any)."""

    name: str
    phase: str
    words: str
    make: Callable[[], Memory] = field(compare=False, repr=False)
    count: sp.Expr = sp.S.One
    least: int = 1
    most: int | None = None

    @cached_property
    def memory(self) -> Memory:
        """What one device holds, before its kinds are placed; what is whole on each device is a buffer."""
        return self.make()

    def without(self, names: Sequence[str]) -> Instant:
        """The instant without the terms of some names."""
        return replace(self, make=lambda: self.memory.where(lambda term: term.name not in names))

    def exists(self, numbers: Numbers) -> bool:
        """Whether there are as many blocks as it needs; where their number is not known they are many."""
        if self.count not in numbers and missing(self.count, numbers.values_given):
            return self.most is None
        count = numbers[self.count]
        return self.least <= count and (self.most is None or count <= self.most)


@cache
def schedules() -> Mapping[str, tuple[Row, ...]]:
    """Return the instants of each schedule, in the order of a step.

    >>> [row.name for row in schedules()["eager"]]
    ['forward', 'forward end', 'loss', 'backward', 'step']
    """
    content = tomllib.loads(Path(__file__).with_name("schedules.toml").read_text(encoding="utf-8"))
    return {name: tuple(Row(**row) for row in table["instants"]) for name, table in content.items()}


def schedule_of(recipe: Recipe, model: Model, placement: Mapping[str, Placed]) -> str:
    """Return the name of the schedule of a step, or "" where only the sum of what is kept is known.

    An engine that gathers weights runs ``fsdp2`` where all weights are divided over n_fsdp, and ``eager`` where
    neither weights nor gradients are divided.
    """
    if not recipe.schedule or not any(layer.block for layer in model.layers):
        return ""
    if any(state.kind == "buffers" for state in recipe.states) or "buffers" in placement:
        return ""
    if any("buffers" in layer.saved_kinds for layer in model.layers):
        return ""
    weights, gradients = placement.get("weights"), placement.get("gradients")
    if weights is None or weights.fraction == 0:
        return "eager" if gradients is None or gradients.fraction == 0 else ""
    whole = weights.fraction == 1 and weights.degree.has(n_fsdp)
    return "fsdp2" if whole and recipe.gathers is not None and recipe.reduces is not None else ""


@lru_cache(maxsize=256)
def _timeline(
    name: str,
    model: Model,
    recipe: Recipe,
    loss: Term | None,
    placement: tuple[tuple[str, Placed], ...],
    keep: sp.Rational,
    residues: tuple[int, ...],
    alone: bool,
    hybrid: bool,
) -> tuple[Instant, ...]:
    """The instants of a schedule; `residues` say which of the last blocks are recomputed: see `places`.

    On one device `alone` nothing is gathered: its weights are converted once, when their turn has come. A `hybrid` of
    shards and replicas keeps what it sums over the replicas until the backward pass is over.
    """
    step = _Step(model, recipe, loss, dict(placement), keep, residues, name == "fsdp2", alone, hybrid)
    return tuple(instant for row in schedules()[name] for instant in step.instants(row))


@dataclass(frozen=True)
class _Step:
    """A step of training: what all its instants are made of."""

    model: Model
    recipe: Recipe
    loss: Term | None
    placement: Mapping[str, Placed]
    keep: sp.Rational
    residues: tuple[int, ...]
    gathers: bool
    alone: bool = False
    hybrid: bool = False

    @cached_property
    def units(self) -> Units:
        return units(self.model)

    @cached_property
    def places(self) -> tuple[Place, ...]:
        return tuple(places(self.units.blocks, self.recipe.recompute, self.residues))

    def instants(self, row: Row) -> Iterator[Instant]:
        if row.loss and self.loss is None:
            return
        if (row.resharded and self.keep in (0, 1)) or (row.block == 2 and row.arrives and self.keep == 1):
            return
        if (row.root or row.whole == "root") and not row.at and not self.units.root and row.name != "forward end":
            return
        if not row.at:
            yield from self._plain(row)
            return
        for place in self.places if row.at == "each" else self._last():
            count, least, most = place.unit.count, place.least, place.most
            if row.at == "each" and row.activations == "work":
                for moment in self._moments(place):
                    words = row.words.format(block=place.words) + (f", at {moment.name}" if moment.name else "")
                    yield Instant(row.name, row.phase, words, self._maker(row, place, moment), count, least, most)
                continue
            words = row.words.format(block=place.words)
            for copied in range(1, len(place.unit.weights) + 1) if row.resharded else (0,):
                each = row if copied == row.resharded else replace(row, resharded=copied)
                for held in self._working(place, row) if row.working else ((),):
                    yield Instant(row.name, row.phase, words, self._maker(each, place, None, held), count, least, most)

    def _plain(self, row: Row) -> Iterator[Instant]:
        if not row.step:
            yield Instant(row.name, row.phase, row.words, self._maker(row, None))
            return
        for held, count in step_terms(self.model, self.recipe) or ((None, sp.S.One),):
            step = () if held is None else (held,)
            least = 1 if count == 1 else 2
            yield Instant(row.name, row.phase, row.words, self._maker(row, None, None, (), step), count, least)

    def _last(self) -> Iterator[Place]:
        """The last block, and the only one."""
        name = self.units.blocks[-1].name
        found = [place for place in self.places if place.unit.name == name and place.done == 0]
        yield from (place for place in found if place.most is not None or place.least == 2)

    def _moments(self, place: Place) -> tuple[Moment, ...]:
        first = place.index == 0
        raw = self.model.batch is not None
        incoming = not (raw and place.later is None)
        return moments(place.unit, incoming, self.model.batch if first else None)

    def _working(self, place: Place, row: Row) -> tuple[tuple[Tensor, ...], ...]:
        """What the forward pass of a block holds beside what it keeps, and its output with the sum that is made of it."""
        layer = place.unit.layers[-1]
        inside = (layer.passing if place.again else layer.working) or ((),)
        output = inside[-1][-1:]
        if row.resharded:
            return (output,)
        summed = self.recipe.scalars and self.model.batch is not None and (not self.gathers or self.keep == 1)
        return (*inside, (*output, Tensor("loss", ()))) if summed else inside

    def _maker(
        self,
        row: Row,
        place: Place | None,
        moment: Moment | None = None,
        working: tuple[Tensor, ...] = (),
        step: tuple[Term, ...] = (),
    ) -> Callable[[], Memory]:
        return lambda: Memory(
            tuple(
                term
                for term in self._terms(row, place, moment, working, step)
                if any(p.copies != 0 for p in term.parts)
            ),
            definitions=((P, self.model.parameters),),
        )

    def _terms(
        self, row: Row, place: Place | None, moment: Moment | None, working: tuple[Tensor, ...], step: tuple[Term, ...]
    ) -> Iterator[Term]:
        for state in self.recipe.states:
            weights = self.model.weights if state.kind != "gradients" else self._with_gradients(row, place, moment)
            if weights is not None and weights.held:
                yield state_term(state, weights, self.recipe.source)
        yield from self._activations(row, place, moment)
        if working:
            yield self._tensors("tensors of the block at work", working)
        if moment is not None and moment.gradients:
            yield self._tensors("gradients inside the block", moment.gradients)
        if row.arrives and place is not None and not (self.model.batch is not None and place.later is None):
            yield self._tensors("gradient of what leaves the block", (block_input(place.unit.layers[0]),))
        if row.leaves and place is not None:
            leaving = self._entering(place)
            if leaving is not None:
                yield self._tensors("gradient of what enters the block", (leaving,))
        if row.loss and self.loss is not None:
            yield self.loss
        if row.scalars and self.recipe.scalars and self.model.batch is not None:
            yield self._tensors("loss and its gradient", (Tensor("loss", ()),) * row.scalars)
        if self.gathers:
            yield from self._gathered(row, place, moment)
        elif moment is not None and self.recipe.gradients_persist:
            yield self._whole(
                "gradients before they are added", moment.making, self._gradient_bytes, "made anew, then added"
            )
        yield from step

    # gradients that the rank keeps

    @property
    def _gradient_bytes(self) -> sp.Rational:
        return next((s.bytes_per_element for s in self.recipe.states if s.kind == "gradients"), sp.S.Zero)

    def _with_gradients(self, row: Row, place: Place | None, moment: Moment | None) -> Weights | None:
        """The weights whose gradients are there, as this rank keeps them."""
        if self.recipe.gradients_persist or row.gradients == "all":
            return self.model.weights
        if row.gradients == "none":
            return None
        held: list[Held] = []
        for unit in self.units.blocks:
            times = unit.count if place is None else self._done(unit, place)
            held += (
                Held(one.weights, one.repeat * times, None, bool(one.matmuls)) for one in unit.layers if one.weights
            )
        if not self.gathers:
            held += _held(self.units.head)
            held += _held(moment.made if moment is not None else ())
        return Weights(tuple(one for one in held if one.repeat != 0))

    def _done(self, unit: Unit, place: Place) -> sp.Expr:
        """How many blocks of a kind are behind the block at work."""
        kinds = [one.name for one in self.units.blocks]
        here, there = kinds.index(place.unit.name), kinds.index(unit.name)
        return place.done if here == there else unit.count if there > here else sp.S.Zero

    def _before(self, unit: Unit, place: Place) -> sp.Expr:
        kinds = [one.name for one in self.units.blocks]
        here, there = kinds.index(place.unit.name), kinds.index(unit.name)
        return place.before if here == there else unit.count if there < here else sp.S.Zero

    # activations

    def _activations(self, row: Row, place: Place | None, moment: Moment | None) -> Iterator[Term]:
        if row.activations == "none":
            yield from self._batch()
            return
        layers = list(self.units.before)
        if row.activations in ("all", "blocks"):
            for unit in self.units.blocks:
                layers += self._kept(unit, unit.count)
            layers += self.units.after if row.activations == "all" else ()
        elif row.activations == "own":
            assert place is not None
            for unit in self.units.blocks:
                layers += self._kept(unit, self._before(unit, place) + int(unit.name == place.unit.name))
        else:
            assert place is not None
            for unit in self.units.blocks:
                own = unit.name == place.unit.name and moment is not None
                layers += self._kept(unit, self._before(unit, place), place if own else None)
            if place.index == 0 and moment is None:
                yield from self._batch()
        for title, name, same in _by_name(layers):
            yield from saved_terms(title, name, same, self.recipe)
        if row.activations == "work":
            assert moment is not None
            again = place is not None and place.again
            yield from saved_terms(
                "activations of the block at work" + (", computed again" if again else ""),
                "",
                moment.saved,
                self.recipe,
            )
        if row.enters and place is not None:
            entering = self._entering(place)
            if entering is not None:
                yield self._tensors("input of the last block", (entering,))

    def _kept(self, unit: Unit, number: sp.Expr, place: Place | None = None) -> Iterator[Layer]:
        """What `number` blocks of a kind keep, from its first one on; `place` is the block at work that follows them."""
        if number == 0:
            return
        how = self.recipe.recompute
        inputs, full = counts(how, unit.start, unit.start + number)
        if place is not None and how.rule == "groups":
            inputs, full = counts(how, unit.start, unit.start + number + 1)[0] - 1, full + place.grouped
        layers = tuple(map(without_scores, unit.layers)) if how.rule == "selective" else unit.layers
        if inputs != 0:
            yield Layer(f"recomputed {unit.name}", saved=(block_input(unit.layers[0]),), repeat=inputs, block=unit.name)
        if full != 0:
            yield from (replace(layer, repeat=layer.repeat * full, weights=(), matmuls=()) for layer in layers)

    def _entering(self, place: Place) -> Tensor | None:
        """What enters the block at work, where a gradient reaches it."""
        if place.index == 0 and self.model.batch is not None:
            return None
        return block_input(place.unit.layers[0])

    def _batch(self) -> Iterator[Term]:
        if self.model.batch is not None:
            yield self._tensors("input of the first block", (self.model.batch,))

    def _tensors(self, name: str, tensors: tuple[Tensor, ...]) -> Term:
        (term,) = saved_terms(name, "", (Layer("", saved=tuple(map(_activation, tensors))),), self.recipe)
        return term

    # what is whole for a moment

    def _gathered(self, row: Row, place: Place | None, moment: Moment | None) -> Iterator[Term]:
        each, sends = self.recipe.gathers, self.recipe.reduces
        assert each is not None and sends is not None
        gathered: list[Part] = []
        stays = self.keep
        if place is not None:
            own = place.unit.weights
            copies = row.block + (row.previous if place.least > 1 or place.earlier is not None else 0)
            if self.alone:
                copies = min(copies, 1)
                gathered += own[-1:] if row.block == 2 and not row.working and self._converts else ()
            if row.loss and stays == 1:
                copies = 0
            done = max(row.resharded - 1, 0)  # weights of which only the shares that stay are left
            gathered += _times(own[:done], copies - 1)
            gathered += _times(own[done:], copies)
            gathered += _times(own[: row.resharded], stays)
            if row.next and place.earlier is not None and stays != 1 and not self.alone:
                gathered += _times(place.earlier.weights, row.next)
            if stays != 0:
                everywhere = row.activations == "all"
                for unit in self.units.blocks:
                    times = unit.count if everywhere and not row.working else self._before(unit, place)
                    if row.activations == "own" and unit.name == place.unit.name:
                        times += 1
                    gathered += _times(unit.weights, stays * times)
        elif row.activations == "all" and stays != 0:
            for unit in self.units.blocks:
                gathered += _times(unit.weights, stays * unit.count)
        gathered += _times(self.units.root, row.root)
        if gathered:
            yield self._whole(
                "gathered weights", tuple(gathered), each, "weights are gathered for the computation", n_fsdp
            )
        made = () if moment is None else moment.made
        if place is not None and row.whole == "all":
            made = place.unit.weights
        if place is not None and row.whole == "last" and not self.alone:
            made = place.unit.weights[-1:]
        if row.at == "each":
            made = (*made, *self.units.head)
        if row.whole == "root":
            made = self.units.root
        if row.whole and made:
            yield self._whole("gradients of whole weights", made, each, "as the backward pass computes them")
        elif row.at == "each" and self.units.head:
            yield self._whole("gradients of whole weights", self.units.head, each, "as the backward pass computes them")
        sent = self._sent(row, place)
        if sent:
            yield self._whole("gradients that are sent", sent, sends, "input of the reduce-scatter", n_fsdp)
        if row.shares and place is not None:
            yield self._share(place.unit.weights)
        if self.hybrid and self.recipe.gradients_persist and row.gradients in ("done", "blocks"):
            summed: list[Part] = []
            for unit in self.units.blocks:
                summed += _times(unit.weights, unit.count if place is None else self._done(unit, place))
            if summed:
                yield self._share(tuple(summed))

    @property
    def _converts(self) -> bool:
        """Whether weights are gathered in another dtype than they are kept in."""
        return any(one.kind == "weights" and one.bytes_per_element != self.recipe.gathers for one in self.recipe.states)

    def _sent(self, row: Row, place: Place | None) -> tuple[Part, ...]:
        match row.sent:
            case "own" if place is not None:
                return place.unit.weights
            case "before" if place is not None:
                return place.later.weights if place.later is not None else ()
            case "first":
                return self.units.blocks[0].weights
            case "root":
                return self.units.root
        return ()

    def _whole(
        self, name: str, parts: tuple[Part, ...], each: sp.Expr, reason: str, padded: sp.Symbol | None = None
    ) -> Term:
        """What is divided over the data-parallel devices, whole again; another parallelism divides it still."""
        placed = self.placement.get("weights")
        degree = sp.S.One if placed is None else placed.degree
        others = degree.xreplace({n_fsdp: sp.S.One, n_replica: sp.S.One})
        return _term(name, "buffers", parts, each, reason, others, padded)

    def _share(self, parts: tuple[Part, ...]) -> Term:
        reason = "output of the reduce-scatter"
        return _term("gradients that arrive", "gradients", parts, self._gradient_bytes, reason, sp.S.One)


def _term(
    name: str,
    kind: str,
    parts: tuple[Part, ...],
    each: sp.Expr,
    reason: str,
    degree: sp.Expr,
    padded: sp.Symbol | None = None,
) -> Term:
    elements = later(lambda: sp.Add(*(part.elements for part in parts)))
    return Term(name, kind, elements, each, reason, "", degree, parts=parts, padded=padded)


def _times(parts: tuple[Part, ...], number: sp.Expr | int) -> Iterator[Part]:
    return (Part(part.copies * number, part.shape) for part in parts if number != 0)


def _held(parts: tuple[Part, ...]) -> Iterator[Held]:
    return (Held((Tensor("", part.shape),), part.copies, None, True) for part in parts)


def _activation(tensor: Tensor) -> Tensor:
    return replace(tensor, kind="activations")


def _by_name(layers: list[Layer]) -> Iterator[tuple[str, str, tuple[Layer, ...]]]:
    found: dict[str, list[Layer]] = {}
    for layer in layers:
        if layer.saved:
            found.setdefault(layer.name, []).append(layer)
    return ((f"activations of the {name}", name, tuple(same)) for name, same in found.items())


def timeline(
    built: Built,
    recipe: Recipe,
    placement: Mapping[str, Placed],
    values: Given | Numbers | None = None,
    keep: sp.Rational = sp.S.Zero,
) -> tuple[Instant, ...]:
    """Return the instants of a training step, each with the memory of one device in bytes; the peak is the largest.

    There are none where only the sum of what is kept is known: see `schedule_of`. `values` say how many blocks there are
    (those that have none are many), and `keep` the share of the gathered weights that stays after the forward pass:
    FSDP2's ``reshard_after_forward``, 0 where it is true, 1 where it is false, 1/k where it is k.

    >>> from symbolic_mem.models.ffn import ffn
    >>> from symbolic_mem.recipes.recipe import recipe
    >>> step = timeline(Built(ffn(), {}), recipe("pure-bf16"), {})
    >>> [one.words for one in step][-2:]
    ['the backward pass of the first block, at x W_in', 'the optimizer step']
    """
    name = schedule_of(recipe, built.model, placement)
    if not name:
        return ()
    numbers = Numbers.of({} if values is None else values)
    size, known = recipe.recompute.size, numbers.values_given
    residues = tuple(
        0 if size == 1 or missing(one.end, known) else int(numbers[one.end]) % size for one in units(built.model).blocks
    )
    alone, hybrid = known.get(n_fsdp) == 1, known.get(n_replica, 1) > 1
    found = _timeline(
        name, built.model, recipe, loss_term(built, recipe), tuple(placement.items()), keep, residues, alone, hybrid
    )
    return tuple(one for one in found if one.exists(numbers))
