"""`Live`: the memory that is alive while a block is computed, and the moments at which no other has more of everything."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.rational import Number, plain
from symbolic_mem.models.tensors import OPTIMIZER, Alive, Part, Tensor

Shape = tuple[sp.Expr, ...]
Total = dict[tuple[object, ...], Number]


class Storage:
    """Memory of a tensor, which its views share: `held` says how many still need it."""

    __slots__ = ("held", "key", "tensor", "times")

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor
        self.held = 0
        self.times, elements = _monomial(tensor.shape)
        self.key = (elements, tensor.bytes_per_element)


def _monomial(shape: Shape) -> tuple[Number, sp.Expr]:
    """A number of elements as a number and a product of symbols, which say what is larger than what."""
    times, rest = sp.Mul(*shape).as_coeff_Mul()
    return plain(times), rest


class Live:
    """What is alive, with the fullest moments so far: those than which no other has more of everything."""

    def __init__(self) -> None:
        self.there: dict[int, tuple[Storage, bool]] = {}
        self.made: list[Part] = []
        self.making: list[Part] = []
        self.total: Total = {}
        self.grown = False
        self.front: list[tuple[Total, Alive]] = []

    def make(self, one: Storage, *, gradient: bool = False) -> None:
        """Something new is there: a tensor of the program, or a `gradient`."""
        one.held = max(one.held, 1)
        self.there[id(one)] = (one, gradient)
        self._add(one.key, one.times)

    def hold(self, one: Storage) -> None:
        """One more needs it."""
        one.held += 1
        if id(one) not in self.there:
            self.there[id(one)] = (one, False)
            self._add(one.key, one.times)

    def free(self, one: Storage) -> None:
        """One less needs it; the last one lets it go."""
        one.held -= 1
        if one.held == 0:
            del self.there[id(one)]
            self.total[one.key] -= one.times

    def weight(self, shape: Shape) -> None:
        """The gradient of a weight is made."""
        times, rest = _monomial(shape)
        self.making.append(Part(sp.S.One, shape))
        self._add((rest, "made"), times)
        self._add((rest, "making"), times)

    def store(self) -> tuple[Part, ...]:
        """The gradients of weights that have been made are stored: with others of earlier batches they are summed."""
        made = tuple(self.making)
        for part in self.making:
            times, rest = _monomial(part.shape)
            self.total[rest, "making"] -= times
        self.made += self.making
        self.making = []
        return made

    def step(self, label: str, part: Part, waiting: tuple[Part, ...]) -> None:
        """Note the moment at which an optimizer works on one weight, while the gradients of others are `waiting` with it."""
        total = dict(self.total)
        for kind, parts in (("making", waiting), ("stepping", (part,))):
            for one in parts:
                times, rest = _monomial(one.shape)
                total[rest, kind] = total.get((rest, kind), 0) + times
        self._note(total, label + OPTIMIZER, waiting, (part,))

    def _add(self, key: tuple[object, ...], times: Number) -> None:
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
        total: Total,
        label: str,
        making: tuple[Part, ...],
        stepping: tuple[Part, ...] = (),
    ) -> None:
        if self._covered(total):
            return
        kept = tuple(one.tensor for one, gradient in self.there.values() if not gradient)
        gradients = tuple(one.tensor for one, gradient in self.there.values() if gradient)
        made = (*self.made, *self.making)
        self._keep(total, Alive(label, kept, gradients, made, making, stepping))

    def _covered(self, total: Total) -> bool:
        return any(_covers(other, total) for other, _ in self.front)

    def _keep(self, total: Total, moment: Alive) -> None:
        self.front = [(other, one) for other, one in self.front if not _covers(total, other)]
        self.front.append((total, moment))

    def join(self, other: Live) -> None:
        """Take over the moments of another, unless there are fuller ones."""
        for total, moment in other.front:
            if not self._covered(total):
                self._keep(total, moment)

    def fullest(self) -> tuple[Alive, ...]:
        """Return the moments that were noted."""
        return tuple(moment for _, moment in self.front)


def _covers(more: Total, less: Total) -> bool:
    return all(times <= more.get(key, 0) for key, times in less.items() if times != 0)
