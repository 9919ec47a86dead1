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

from symbolic_mem.models.live import Live, Shape, Storage
from symbolic_mem.models.tensors import Alive, Tensor

Size = sp.Expr | None


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
    weight, and of a fused attention, which a rule of recomputation may keep. One that `weighs` needs a weight in its backward pass, which a
    block that is computed again gives it as it does what was saved.
    """

    label: str
    out: Value
    saved: tuple[Storage, ...] = ()
    steps: tuple[Make | Free | Applied, ...] = ()
    gives: tuple[tuple[Value, str], ...] = ()
    beside: tuple[Value, ...] = ()
    results: tuple[Storage, ...] = ()
    product: bool = False
    weighs: bool = False

    @property
    def asks(self) -> bool:
        """Whether its backward pass needs something that was saved: a block is computed again for the first that does, and up to the last."""
        return bool(self.saved) or self.weighs


@dataclass
class Tape:
    """A record of a block: its nodes, and what happened in the forward pass."""

    nodes: list[Node] = field(default_factory=list)
    entering: Value | None = None
    leaving: Value | None = None
    given: list[Value] = field(default_factory=list)
    label: str = ""
    _events: list[tuple[bool, Value]] = field(default_factory=list)

    def enter(self, tensor: Tensor, *, needs: bool = True) -> Value:
        """Return the input of the block, which its caller holds until the block is over; without a gradient where none `needs` it."""
        self.entering = Value(Storage(tensor), needs)
        self._events.append((True, self.entering))
        return self.entering

    def give(self, tensor: Tensor) -> Value:
        """Return what the block is given beside its input, which no gradient reaches; it stays as long as the input does."""
        value = Value(Storage(tensor), needs=False)
        self.given.append(value)
        self._events.append((True, value))
        return value

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
        weighs: bool = False,
    ) -> Value:
        """Record the operation that made `out`, and return it.

        The backward pass has none of it where no gradient is wanted of what it read, nor of a weight: it keeps nothing then.
        """
        given = tuple((value, name) for value, name in (gives or {}).items() if value.needs)
        steps = tuple(steps)
        if gives and not given and not any(isinstance(step, Make) and step.weight for step in steps):
            out.needs = False
            return out
        found, kept = (tuple(one.storage for one in values) for values in (results, saved))
        self.nodes.append(
            Node(self.label, out, kept, tuple(steps), given, results=found, product=product, weighs=weighs)
        )
        return out

    def split(self, whole: Value, halves: tuple[Value, ...], joined: Make) -> None:
        """Record that parts of a tensor are looked at apart: their gradients are `joined` when all of them are there."""
        for half in halves:
            half.needs = whole.needs
        if whole.needs:
            self.nodes.append(Node(self.label, halves[0], (), (joined,), ((whole, joined.name),), halves[1:]))

    def drop(self, *values: Value) -> None:
        """Say that the program no longer names some tensors."""
        self._events += [(False, value) for value in values]

    @property
    def _arguments(self) -> tuple[Value, ...]:
        assert self.entering is not None
        return (self.entering, *self.given)

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
        last = max(position for position, node in enumerate(self.nodes) if node.asks)
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
        live = Live()
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

    def _again(self, waiting: tuple[Storage, ...]) -> Live:
        """The block computed again, up to the last tensor that is needed, while some gradients are `waiting`."""
        assert self.entering is not None
        last = next(node for node in reversed(self.nodes) if node.asks)
        ends, reached = id(last.out), False
        lacking = {id(one) for one in last.saved} & {id(value.storage) for made, value in self._events if made}
        live = Live()
        for one in {id(one): one for one in waiting}.values():
            live.make(Storage(one.tensor), gradient=True)
        copies: dict[int, Storage] = {}
        needed = Counter(id(one) for node in self.nodes for one in node.saved)
        for value in self._arguments:
            needed[id(value.storage)] += 1
        at = {id(node.out): node.label for node in self.nodes}
        label = ""
        for made, value in self._events:
            key = id(value.storage)
            if made:
                label = at.get(id(value), label)
                reached = reached or id(value) == ends
                if reached and not lacking:
                    break  # what the last operation needs is there before it works
                copies[key] = Storage(value.storage.tensor)
                copies[key].held = 1 + needed[key]
                live.make(copies[key])
                lacking.discard(key)
                if reached and not lacking:
                    break
            else:
                live.peak(f"{label}, computed again")
                live.free(copies[key])
        live.peak(f"{label}, computed again")
        return live

    def backward(self, *, again: bool = False, steps: bool = False, held: bool = True) -> tuple[Alive, ...]:
        """Return the fullest moments of the backward pass, the last operation first.

        The input is `held` to its end where the block is computed `again` from it. Where an optimizer `steps` on each gradient
        as soon as it is there, each of its steps is a moment, too.
        """
        assert self.leaving is not None and self.entering is not None
        live = Live()
        self.entering.storage.held = 0
        for node in self.nodes:
            for one in node.saved:
                one.held = 0
        for node in self.nodes:
            for one in node.saved:
                live.hold(one)
        for value in self._arguments if again and held else self.given if again else ():
            live.hold(value.storage)
        gradients: dict[int, Storage] = {}
        incoming = Storage(self.leaving.tensor)
        live.make(incoming, gradient=True)
        gradients[id(self.leaving)] = incoming
        anew: Live | None = None
        for node in reversed(self.nodes):
            given = gradients.pop(id(node.out), None)
            if given is None:
                continue
            if again and anew is None and node.asks:
                anew = self._again((given, *gradients.values()))
            own = {GRADIENT: given}
            own |= {f"gradient {i}": gradients.pop(id(one)) for i, one in enumerate(node.beside)}
            saved = node.saved
            for step in node.steps:
                if isinstance(step, Applied):
                    live.peak(node.label)
                    for one in saved if again else ():
                        live.free(one)
                    saved = () if again else saved
                elif isinstance(step, Free):
                    live.peak(node.label)
                    used = [one for one in saved if one.tensor.name == step.name] or [own.pop(step.name)]
                    live.free(used[0])
                    saved = tuple(one for one in saved if one is not used[0])
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
        if anew is not None:
            live.join(anew)
        return live.fullest()
