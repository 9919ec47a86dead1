"""`Tape`: the operations of a block in the order of its forward pass, as autograd records them, in symbols.

A program (see `programs.py`) calls the operations as the module of an engine does, and drops what goes out of scope there.
The tape then knows which tensors the backward pass needs, and what is alive at every moment of both passes: a node of the
backward pass makes its results and its temporaries while what it saved and the gradient that it was given are still there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import sympy as sp

from symbolic_mem.models.tensors import Alive, Part, Tensor

Shape = tuple[sp.Expr, ...]
Size = sp.Expr | None


class Storage:
    """Memory of a tensor, which its views share: `held` says how many still need it."""

    __slots__ = ("held", "key", "tensor", "times")

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor
        self.held = 0
        self.times, self.key = _monomial(tensor)


def _monomial(tensor: Tensor) -> tuple[int | sp.Expr, tuple[object, ...]]:
    """Its number of elements as a number and a product of symbols, which with its bytes say what is larger than what."""
    times, rest = sp.Mul(*tensor.shape).as_coeff_Mul()
    return times, (rest, tensor.bytes_per_element)


@dataclass(eq=False)
class Value:
    """A tensor of the program, or a `view` of a part of one; gradients reach it where it `needs` one."""

    storage: Storage
    needs: bool = True
    view: Tensor | None = None

    @property
    def tensor(self) -> Tensor:
        """What it is."""
        return self.storage.tensor if self.view is None else self.view


class Make(NamedTuple):
    """A step of a node of the backward pass: it makes a tensor, the gradient of `weight` where that is named."""

    name: str
    shape: Shape
    size: Size
    weight: str = ""


class Free(NamedTuple):
    """A step of a node of the backward pass: one of its tensors is no longer needed."""

    name: str


class Applied(NamedTuple):
    """A step of a node: its function is over, and its results are summed up or converted for those that wait for them.

    What was computed again is gone by then; what was kept all the time goes when the node is done.
    """


GRADIENT = "the gradient itself"


@dataclass(eq=False)
class Node:
    """An operation `label`: what it `saved`, the steps of its backward pass, and which of its tensors is whose gradient.

    It may have results `beside` its first, whose gradients it takes, too. `results` are those of a `product` with a
    weight, and of a fused attention, which a rule of recomputation may keep.
    """

    label: str
    out: Value
    saved: tuple[Storage, ...] = ()
    steps: tuple[Make | Free | Applied, ...] = ()
    gives: tuple[tuple[Value, str], ...] = ()
    beside: tuple[Value, ...] = ()
    results: tuple[Storage, ...] = ()
    product: bool = False


@dataclass
class Tape:
    """A record of a block: its nodes, and what happened in the forward pass."""

    nodes: list[Node] = field(default_factory=list)
    entering: Value | None = None
    leaving: Value | None = None
    label: str = ""
    _events: list[tuple[bool, Value]] = field(default_factory=list)

    def enter(self, tensor: Tensor) -> Value:
        """Return the input of the block, which its caller holds until the block is over."""
        self.entering = Value(Storage(tensor))
        self._events.append((True, self.entering))
        return self.entering

    def new(self, name: str, shape: Shape, size: Size, *, needs: bool = True) -> Value:
        """Return a new tensor of the program."""
        value = Value(Storage(Tensor(name, shape, bytes_per_element=size)), needs)
        self._events.append((True, value))
        return value

    def record(
        self,
        out: Value,
        saved: Iterable[Value] = (),
        steps: Iterable[Make | Free | Applied] = (),
        gives: Mapping[Value, str] | None = None,
        *,
        results: Iterable[Value] = (),
        product: bool = False,
    ) -> Value:
        """Record the operation that made `out`, and return it."""
        given = tuple((value, name) for value, name in (gives or {}).items() if value.needs)
        found, kept = (tuple(one.storage for one in values) for values in (results, saved))
        self.nodes.append(Node(self.label, out, kept, tuple(steps), given, results=found, product=product))
        return out

    def split(self, whole: Value, halves: tuple[Value, ...], joined: Make) -> None:
        """Record that parts of a tensor are looked at apart: their gradients are `joined` when all of them are there."""
        first = Node(self.label, halves[0], (), (joined,), ((whole, joined.name),), halves[1:])
        self.nodes.append(first)

    def drop(self, *values: Value) -> None:
        """Say that the program no longer names some tensors."""
        self._events += [(False, value) for value in values]

    @property
    def saved(self) -> tuple[Tensor, ...]:
        """The tensors that the backward pass needs, each once."""
        found = {id(one): one for node in self.nodes for one in node.saved}
        return tuple(one.tensor for one in found.values())

    @property
    def keeps_input(self) -> bool:
        """Whether the backward pass needs what enters the block."""
        return self.entering is not None and any(
            self.entering.storage is one for node in self.nodes for one in node.saved
        )

    def results(self, every: int) -> tuple[Tensor, ...]:
        """The results of products and of a fused attention, but for one of `every` so many products (1: of all of them)."""
        return tuple(one.tensor for one in self._results(every))

    def unused(self, every: int) -> tuple[Tensor, ...]:
        """Those of them that nothing takes when the block is computed again: that ends when all that is needed is there."""
        last = max(position for position, node in enumerate(self.nodes) if node.saved)
        late = {id(one) for node in self.nodes[last:] for one in node.results} - {
            id(one) for one in self.nodes[last].saved
        }
        return tuple(one.tensor for one in self._results(every) if id(one) in late)

    def _results(self, every: int) -> tuple[Storage, ...]:
        found: list[Storage] = []
        products = 0
        for node in self.nodes:
            products += int(node.product)
            if not node.product or every == 1 or products % every:
                found += node.results
        return tuple(found)

    def forward(self, *, keeps: bool = True, every: int = 0) -> tuple[Alive, ...]:
        """Return the fullest moments of the forward pass; what autograd saves stays where it `keeps` it.

        Where it does not, `every` says which results do (0: none).
        """
        live = _Live()
        kept = [one for node in self.nodes for one in node.saved] if keeps else self._results(every) if every else ()
        needed = Counter(map(id, kept))
        at = {id(node.out): node.label for node in self.nodes}
        last = ""
        for made, value in self._events:
            if made:
                last = at.get(id(value), last)
                value.storage.held = 1 + needed[id(value.storage)]
                live.make(value.storage)
            else:
                live.peak(last)
                live.free(value.storage)
        live.peak(last)
        return live.fullest()

    def backward(self, *, held: bool = False, steps: bool = False) -> tuple[Alive, ...]:
        """Return the fullest moments of the backward pass, the last operation first.

        The input is `held` to its end where the block is computed again from it. Where an optimizer `steps` on each gradient
        as soon as it is there, each of its steps is a moment, too.
        """
        assert self.leaving is not None and self.entering is not None
        live = _Live()
        self.entering.storage.held = 0
        for node in self.nodes:
            for one in node.saved:
                one.held = 0
        for node in self.nodes:
            for one in node.saved:
                live.hold(one)
        if held:
            live.hold(self.entering.storage)
        gradients: dict[int, Storage] = {}
        incoming = Storage(self.leaving.tensor)
        live.make(incoming, gradient=True)
        gradients[id(self.leaving)] = incoming
        for node in reversed(self.nodes):
            given = gradients.pop(id(node.out), None)
            if given is None:
                continue
            own = {GRADIENT: given}
            own |= {f"gradient {i}": gradients.pop(id(one)) for i, one in enumerate(node.beside)}
            saved = node.saved
            for step in node.steps:
                if isinstance(step, Applied):
                    live.peak(node.label)
                    for one in saved if held else ():
                        live.free(one)
                    saved = () if held else saved
                elif isinstance(step, Free):
                    live.peak(node.label)
                    live.free(own.pop(step.name))
                elif step.weight:
                    live.weight(step.shape)
                else:
                    own[step.name] = made = Storage(Tensor(step.name, step.shape, bytes_per_element=step.size))
                    live.make(made, gradient=True)
            live.peak(node.label)
            made = live.store()
            for _, name in node.gives:
                live.hold(own[name])
            for one in (*own.values(), *saved):
                live.free(one)
            for value, name in node.gives:
                before = gradients.get(id(value))
                if before is None:
                    gradients[id(value)] = own[name]
                    continue
                gradients[id(value)] = total = Storage(value.tensor)
                live.make(total, gradient=True)
                live.peak(node.label)
                live.free(before)
                live.free(own[name])
            for position, part in enumerate(made if steps else ()):
                live.step(node.label, part, made[position:])
        return live.fullest()


class _Live:
    """What is alive, with the fullest moments so far: those than which no other has more of everything."""

    def __init__(self) -> None:
        self.there: dict[int, tuple[Storage, bool]] = {}
        self.made: list[Part] = []
        self.making: list[Part] = []
        self.total: dict[tuple[object, ...], sp.Expr | int] = {}
        self.grown = False
        self.front: list[tuple[dict[tuple[object, ...], sp.Expr | int], Alive]] = []

    def make(self, one: Storage, *, gradient: bool = False) -> None:
        one.held = max(one.held, 1)
        self.there[id(one)] = (one, gradient)
        self._add(one.key, one.times)

    def hold(self, one: Storage) -> None:
        one.held += 1
        if id(one) not in self.there:
            self.there[id(one)] = (one, False)
            self._add(one.key, one.times)

    def free(self, one: Storage) -> None:
        one.held -= 1
        if one.held == 0:
            del self.there[id(one)]
            self.total[one.key] -= one.times

    def weight(self, shape: Shape) -> None:
        times, rest = sp.Mul(*shape).as_coeff_Mul()
        self.making.append(Part(sp.S.One, shape))
        self._add((rest, "made"), times)
        self._add((rest, "making"), times)

    def store(self) -> tuple[Part, ...]:
        """The gradients of weights that have been made are stored: with others of earlier batches they are summed."""
        made = tuple(self.making)
        for part in self.making:
            times, rest = sp.Mul(*part.shape).as_coeff_Mul()
            self.total[rest, "making"] -= times
        self.made += self.making
        self.making = []
        return made

    def step(self, label: str, part: Part, waiting: tuple[Part, ...]) -> None:
        """Note the moment at which an optimizer works on one weight, while the gradients of others are `waiting` with it."""
        total = dict(self.total)
        for kind, parts in (("making", waiting), ("stepping", (part,))):
            for one in parts:
                times, rest = sp.Mul(*one.shape).as_coeff_Mul()
                total[rest, kind] = total.get((rest, kind), 0) + times
        self._note(total, f"{label}, the optimizer", waiting, (part,))

    def _add(self, key: tuple[object, ...], times: sp.Expr | int) -> None:
        self.total[key] = self.total.get(key, 0) + times
        self.grown = True

    def peak(self, label: str) -> None:
        """Note this moment, unless another has as much of everything."""
        if not self.grown:
            return
        self.grown = False
        self._note(dict(self.total), label, tuple(self.making))

    def _note(
        self,
        total: dict[tuple[object, ...], sp.Expr | int],
        label: str,
        making: tuple[Part, ...],
        stepping: tuple[Part, ...] = (),
    ) -> None:
        if any(_covers(other, total) for other, _ in self.front):
            return
        self.front = [(other, moment) for other, moment in self.front if not _covers(total, other)]
        kept = tuple(one.tensor for one, gradient in self.there.values() if not gradient)
        gradients = tuple(one.tensor for one, gradient in self.there.values() if gradient)
        made = (*self.made, *self.making)
        self.front.append((total, Alive(label, kept, gradients, made, making, stepping)))

    def fullest(self) -> tuple[Alive, ...]:
        return tuple(moment for _, moment in self.front)


def _covers(more: Mapping[tuple[object, ...], sp.Expr | int], less: Mapping[tuple[object, ...], sp.Expr | int]) -> bool:
    return all(times <= more.get(key, 0) for key, times in less.items() if times != 0)
