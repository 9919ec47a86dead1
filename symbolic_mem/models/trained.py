"""`Trained`: what of a model is trained: all weights, or adapters beside some products, with some weights whole.

An adapter of rank r (LoRA; Hu et al., 2021, arXiv:2106.09685) adds B A x to a product W x with a frozen W: A has r rows, B
has r columns. A frozen product keeps nothing of its input for the backward pass; its adapter keeps x and A x.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path

import sympy as sp

from symbolic_mem.base.once import hashed_once
from symbolic_mem.base.tables import tables_of
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.tensors import GROUPS

LINEAR_GROUPS = ("attention", "mlp", "experts", "shared experts")
BLOCK_GROUPS = (*LINEAR_GROUPS, "mixer")
EVERY_PRODUCT = "all-linear"
SUMS = {"experts.gate_up_proj": ("W_gate", "W_up", "W_gate_up"), "experts.down_proj": ("W_down",)}


@cache
def modules() -> Mapping[str, tuple[str, ...]]:
    """Return the modules of engines that adapters may go on, each with the weights here that it is."""
    content = tables_of(Path(__file__).with_name("adapters.toml"))
    return {name: tuple(weights) for name, weights in content["modules"].items()}


def weights_of(module: str) -> tuple[str, ...]:
    """Return the names here of the weights of a module, by an engine's name of it or by that of the weight.

    >>> weights_of("c_proj"), weights_of("W_q")
    (('W_o', 'W_out'), ('W_q',))
    """
    return modules().get(module, (module,))


@hashed_once
@dataclass(frozen=True)
class Trained:
    """The `modules` that have adapters, as `weights_of` names them, or all products of the blocks; and the groups trained `whole`.

    Groups that are `copied` are trained whole as copies of frozen ones, as PEFT's ``modules_to_save``. With `dropout` the
    input of each adapter is dropped out, for itself. One that `converts` is in FP32 in a run with autocast: it converts its
    input for itself, to FP32 and back. Frozen matrices of the groups that are `packed` are unpacked for each product, in both
    passes. Modules of `SUMS` are weights of all experts that transformers has in one tensor: PEFT adds B A to it
    (``target_parameters``), and every block keeps the sum for the backward pass. Adapters on the modules in `ranks` have
    ranks of their own. Where `layers` are given only these blocks have adapters: from the first of them, counted from 0, up to
    the second, which has none (None: all that follow); it is one `alone` where no other follows. What enters the first block is
    `reached` by a gradient; where it is not, nothing is kept of what comes before the first adapter. Where blocks are computed again it is only
    if something `asks` for that gradient, as PEFT does.
    """

    modules: tuple[str, ...] = ()
    whole: tuple[str, ...] = GROUPS
    copied: tuple[str, ...] = ()
    dropout: bool = False
    packed: tuple[str, ...] = ()
    converts: bool = False
    ranks: tuple[tuple[str, int], ...] = ()
    layers: tuple[int, int | None] | None = None
    alone: bool = False
    reached: bool = True
    asks: bool = True

    def adapts(self, name: str, group: str) -> bool:
        """Say whether the weight `name` of a group has an adapter.

        >>> some = Trained(("W_q", "W_v"), ())
        >>> some.adapts("W_q", "attention"), some.adapts("W_k", "attention")
        (True, False)
        """
        return name in self._adapted or (EVERY_PRODUCT in self.modules and group in LINEAR_GROUPS)

    def rank(self, name: str, usual: sp.Expr) -> sp.Expr:
        """Return the rank of the adapter of a weight, `usual` unless it has one of its own.

        >>> Trained(("W_q", "W_v"), (), ranks=(("q_proj", 8),)).rank("W_q", 4)
        8
        """
        return sp.sympify(next((own for module, own in self.ranks if name in weights_of(module)), usual))

    def sums(self, name: str, group: str) -> bool:
        """Say whether what adapters give is added to the weight `name` of all experts, which are multiplied by the sum.

        >>> Trained(("experts.down_proj",), ()).sums("W_down", "experts")
        True
        """
        return group == "experts" and any(one in self.modules and name in SUMS[one] for one in SUMS)

    @cached_property
    def _adapted(self) -> frozenset[str]:
        return frozenset(name for module in self.modules for name in weights_of(module))

    def trains(self, group: str) -> bool:
        """Say whether the weights of a group get gradients themselves."""
        return self.everything or group in self.whole or group in self.copied

    def needs_input(self, name: str, group: str) -> bool:
        """Say whether a product needs its input, as it is, in the backward pass.

        >>> Trained(("W_q",), ()).needs_input("W_q", "attention"), Trained(("W_q",), (), dropout=True).needs_input("W_q", "attention")
        (True, False)
        """
        own = self.adapts(name, group) and not (self.dropout or self.converts)
        return own or self.trains(group) or self.sums(name, group)

    def unpacks(self, group: str) -> bool:
        """Say whether the matrices of a group of a block are unpacked for each product."""
        return group in self.packed

    @property
    def without_adapters(self) -> Trained:
        """What is trained of a block that has no adapters."""
        return replace(self, modules=(), ranks=(), layers=None, alone=False)

    @property
    def said(self) -> tuple[str, ...]:
        """What it takes for granted of what the backward pass keeps, as sentences."""
        if self.everything:
            return ()
        input_ = f"A frozen weight has no gradient, and its product keeps no input. {self._reaching}"
        ranks = ", ".join(f"{rank} on {name}" for name, rank in self.ranks)
        return (*self._where, *([f"Some adapters have ranks of their own: {ranks}."] if ranks else []), input_)

    @property
    def _reaching(self) -> str:
        """Whether a gradient reaches the first block, as a sentence."""
        if self.reached:
            return (
                "The first block's input is counted as one that needs a gradient, which PEFT sees to where blocks are recomputed "
                "(enable_input_require_grads); where nothing sees to it, nothing is kept of what comes before the first adapter."
            )
        if not self.asks:
            return (
                "Nothing makes the first block's input need a gradient, also where blocks are recomputed: of what comes before the "
                "first adapter nothing is kept, but for the input of a block that is computed again."
            )
        return (
            "Nothing is recomputed, and no gradient has to reach the first block's input (PEFT's enable_input_require_grads is "
            "called where blocks are recomputed): nothing is kept of what comes before the first adapter."
        )

    @property
    def _where(self) -> tuple[str, ...]:
        """Which products have adapters, as a sentence; a recipe takes other ones where a study says so."""
        if not self.modules:
            return ()
        of = self._blocks
        if EVERY_PRODUCT in self.modules:
            return (f"The adapters are on all linear layers of {of or 'the blocks'}, and not on the head.",)
        return (f"The adapters are on these modules alone{f' of {of}' if of else ''}: {', '.join(self.modules)}.",)

    @property
    def _blocks(self) -> str:
        """Which blocks have adapters, in words; "" where all have."""
        if self.layers is None:
            return ""
        first, end = self.layers
        if end is None:
            return f"the blocks from number {first} on, counted from 0"
        if end == first + 1:
            return f"block {first}, counted from 0"
        return f"the blocks {first} to {end - 1}, counted from 0"

    @property
    def everything(self) -> bool:
        """Whether nothing is frozen."""
        return self == ALL


ALL = Trained()
