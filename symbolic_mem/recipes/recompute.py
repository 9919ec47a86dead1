"""Recomputation (activation checkpointing): what blocks still keep for the backward pass, as a change of the model.

A block that is recomputed keeps its input, always: a rule that recomputes every second block does not halve the
activations. Source: Chen et al. (2016), Training Deep Nets with Sublinear Memory Cost, arXiv:1604.06174;
Korthikanti et al. (2022), arXiv:2205.05198, section 5, for the selective rule; Megatron-LM's ``--recompute-method`` for
``block`` and ``uniform``, which is ``groups`` here; torchtitan's ``selective_ac_option = "op"`` for ``products = 2``
(torchtitan/distributed/activation_checkpoint.py at cfb9326, its list of operations in models/llama3/infra/parallelize.py at 018740b).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput, at_place
from symbolic_mem.base.symbols import S
from symbolic_mem.base.tomlfile import entry, known_keys
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.stacks import FIRST, LATER
from symbolic_mem.models.tensors import PREDICTION, Layer, Model, Tensor, goes_back

PLAIN = ("none", "full", "half", "selective")
COUNTED = ("every", "groups", "block")
PRODUCTS = "products"
UNIFORM = "uniform"  # Megatron-LM's word for groups
PHASES = ("first", "last")
TRANSIENT = "transient"
OF_A_RESULT = "result of a product or of the attention, which is not computed again"
STREAMS = "residual stream of every two blocks"
OF_A_PAIR = "the last product of the first of two blocks is added to it, and nothing else keeps it in its dtype"


@dataclass(frozen=True)
class Recompute:
    """Which blocks are recomputed in the backward pass.

    ``none``; ``full``: every block keeps its input only; ``every``: of `size` blocks in a row one, the `phase`, keeps
    its input only; ``groups``: of `size` blocks in a row only the first keeps its input; ``half``: the first block of
    every two keeps all that it saves, with the residual stream that its last product is added to, and the second nothing, not even
    its input; ``block``: the first `size` blocks (of a
    pipeline stage, where there are stages) keep their input only; ``selective``: every block drops the
    attention scores; ``products``: every block keeps its input, what a fused attention gives, and the results of its
    products with weights, of which one of `size` in a row is computed again, too (1: none). With `transient` the account also shows what the backward pass holds while it recomputes.
    """

    rule: str = "none"
    size: int = 1
    phase: str = "first"
    transient: bool = False

    def __post_init__(self) -> None:
        known = (*PLAIN, PRODUCTS, *COUNTED)
        if self.rule not in known:
            raise BadInput.unknown(f"unknown recomputation {self.rule!r}", self.rule, (*known, UNIFORM))
        if self.rule == PRODUCTS and self.transient:
            raise BadInput(
                "what a block computes again beside its products counts at its instants; leave out transient"
            )
        if self.phase not in PHASES:
            raise BadInput.unknown(f"the phase of the recomputed block is {self.phase!r}", self.phase, PHASES)
        if self.size < 1:
            raise BadInput(f"recomputation counts {self.size} blocks in a row; give a whole number of at least 1")

    @classmethod
    def read(cls, given: Any, where: str) -> Recompute:
        """Read ``"full"``, or a table such as ``{ every = 2 }`` or ``{ groups = 9, transient = true }``.

        Raises `BadInput` for anything else.

        >>> Recompute.read({"every": 2, "phase": "last"}, "my.toml [recipe]: recompute")
        Recompute(rule='every', size=2, phase='last', transient=False)
        """
        if isinstance(given, str):
            if given in (*COUNTED, UNIFORM):
                raise BadInput(f"{where}: {given!r} needs a number; write {{ {given} = 2 }}")
            with at_place(where):
                return cls(given)
        if not isinstance(given, Mapping):
            known = ", ".join((*PLAIN, PRODUCTS))
            raise BadInput(f"{where}: give one of {known}, or a table such as {{ every = 2 }}")
        known_keys(given, ("rule", *COUNTED, PRODUCTS, UNIFORM, "phase", TRANSIENT), where)
        if UNIFORM in given and "groups" not in given:
            given = {"groups" if key == UNIFORM else key: value for key, value in given.items()}
        rules = [key for key in ("rule", *COUNTED, PRODUCTS) if key in given]
        if len(rules) != 1:
            raise BadInput(f"{where}: give one of rule, every, groups, block and products, not {len(rules)} of them")
        transient = entry(given, TRANSIENT, bool, where, False)
        if "phase" in given and rules == ["rule"]:
            raise BadInput(f"{where}: phase says which block of every few is recomputed; drop phase, or give every")
        if rules == ["rule"]:
            return replace(cls.read(entry(given, "rule", str, where), where), transient=transient)
        phase = entry(given, "phase", str, where, "first")
        if "phase" in given and rules == ["groups"]:
            raise BadInput(f"{where}: a group keeps the input of its first block; drop phase")
        if "phase" in given and rules == [PRODUCTS]:
            raise BadInput(f"{where}: products counts inside each block; drop phase")
        if "phase" in given and rules == ["block"]:
            raise BadInput(f"{where}: block counts the first blocks; drop phase")
        size = entry(given, rules[0], int, where)
        if rules == [PRODUCTS] and size < 2:
            raise BadInput(
                f"{where}: one product of {size} is computed again; give at least 2, or recompute = {PRODUCTS!r}"
            )
        with at_place(where):
            return cls(rules[0], size, phase, transient)

    @property
    def short(self) -> str:
        """The rule in a word, as options take it.

        >>> Recompute("every", 2).short, Recompute("full", transient=True).short
        ('every=2', 'full+transient')
        """
        counted = self.rule in COUNTED or (self.rule == PRODUCTS and self.size > 1)
        beside = (f"+{self.phase}" * (self.phase != PHASES[0]), f"+{TRANSIENT}" * self.transient)
        return "".join((f"{self.rule}={self.size}" if counted else self.rule, *beside))

    @property
    def period(self) -> int:
        """After how many blocks the way in which they are kept comes again; of ``block`` after how many it changes, once.

        >>> [Recompute.read(given, "").period for given in ("full", "half", {"every": 3}, {"products": 3})]
        [1, 2, 3, 1]
        """
        return {"half": 2, PRODUCTS: 1}.get(self.rule, self.size)

    @property
    def keeps_input(self) -> bool:
        """Whether a block that is computed again keeps what enters it: under ``half`` that is computed again, too."""
        return self.rule != "half"

    @property
    def products(self) -> int:
        """One of how many products is computed again, where the results of the others are kept (1: of none); 0: all are."""
        return self.size if self.rule == PRODUCTS else 0

    def __str__(self) -> str:
        match self.rule:
            case "none":
                return "nothing is recomputed"
            case "full":
                return "every block is recomputed from its input"
            case "half":
                return "of every two blocks the second is recomputed from what the first keeps"
            case "selective":
                return "the attention scores of every block are recomputed"
            case "products":
                rest = "" if self.size == 1 else f", and one product of {self.size} in a row"
                return f"all but the results of products and of the fused attention is recomputed{rest}"
            case "block":
                many = f"the first {self.size} blocks are recomputed from their inputs"
                return "the first block is recomputed from its input" if self.size == 1 else many
            case "groups":
                return f"groups of {self.size} blocks are recomputed from the input of the group"
        return f"of every {self.size} blocks the {self.phase} is recomputed from its input"


NONE = Recompute()


def recomputed_at(how: Recompute, index: int) -> bool:
    """Whether the block at that position (or, but for ``block``, any that differs by a multiple of the `period`) is computed again.

    >>> [recomputed_at(Recompute("every", 2), index) for index in range(4)]
    [True, False, True, False]
    """
    match how.rule:
        case "none":
            return False
        case "half":
            return index % 2 == 1
        case "block":
            return index < how.size
        case "every":
            return index % how.size == (0 if how.phase == "first" else how.size - 1)
    return True


def recompute(model: Model, how: Recompute) -> Model:
    """Return the model whose blocks keep only what `how` leaves; weights, matmuls and parameters stay as they are.

    >>> from symbolic_mem.models.ffn import ffn
    >>> for layer in recompute(ffn(), Recompute("every", 2)).layers:
    ...     print(layer.name, layer.repeat, [tensor.name for tensor in layer.saved])
    feed-forward block L []
    recomputed feed-forward block ceiling(L/2) ['x']
    feed-forward block floor(L/2) ['x', 'h']
    """
    return model if how.rule == "none" else _recomputed(model, how)


@lru_cache(maxsize=512)
def _recomputed(model: Model, how: Recompute) -> Model:
    blocks = _blocks(model)
    assumption = f"Recomputation: {how}."
    if how.rule == "selective":
        layers = tuple(without_scores(layer) if layer.block else layer for layer in model.layers)
        if layers == model.layers:
            assumption += " This model keeps no attention scores, so that nothing changes."
    else:
        output = tuple(replace(one, reason=OF_A_RESULT) for one in kept_output(model, how))
        last = (Layer("output of the last block", saved=output),) if output else ()
        layers = (*_fewer(model, how, blocks), *last)
    return replace(
        model,
        layers=layers,
        assumptions=(*model.assumptions, assumption),
        of_activations=(*model.of_activations, assumption),
        unless_recomputed=(),
    )


@lru_cache(maxsize=512)
def transient(model: Model, how: Recompute) -> tuple[Layer, ...]:
    """Return the layers that the backward pass of the last block, or group of blocks, recomputes at a time.

    Their saved tensors come on top of what is kept; the input that is kept anyway is not listed again.
    """
    if how.rule == "none":
        return ()
    name, (start, end) = list(_blocks(model).items())[-1]
    return _at_once(tuple(layer for layer in model.layers if layer.block == name), how, start, end)


@lru_cache(maxsize=2048)
def _at_once(block: tuple[Layer, ...], how: Recompute, start: sp.Expr, end: sp.Expr) -> tuple[Layer, ...]:
    at_once = sp.Min(how.size, end - start) if how.rule == "groups" else sp.S.One
    layers = [_again(layer, how.rule, at_once, end - start) for layer in block]
    if how.rule in ("half", "selective"):
        return tuple(layer for layer in layers if layer.saved)
    first, kept = layers[0], block_input(layers[0])
    same = [one for one in first.saved if (one.shape, one.bytes_per_element) == (kept.shape, kept.bytes_per_element)]
    if same:  # the kept input itself, and not a converted copy of it
        rest = tuple(tensor for tensor in first.saved if tensor is not same[0])
        again = replace(first, saved=(same[0],), repeat=first.repeat - 1)
        layers[:1] = [replace(first, saved=rest), *((again,) if again.repeat != 0 else ())]
    return tuple(layer for layer in layers if layer.saved)


@lru_cache(maxsize=4096)
def _again(layer: Layer, rule: str, at_once: sp.Expr, blocks: sp.Expr) -> Layer:
    saved = tuple(one for one in layer.saved if (is_score(one) if rule == "selective" else one not in layer.given))
    return replace(layer, weights=(), matmuls=(), saved=saved, repeat=at_once * (layer.repeat / blocks))


def _blocks(model: Model) -> dict[str, tuple[sp.Expr, sp.Expr]]:
    """Return, for every kind of block, the position of its first block in the model and that after its last."""
    blocks: dict[str, tuple[sp.Expr, sp.Expr]] = {}
    position: sp.Expr = sp.S.Zero
    for layer in model.layers:
        if layer.block and layer.block not in blocks:
            blocks[layer.block] = (position, position + layer.repeat)
            position += layer.repeat
    if not blocks:
        raise BadInput(f"{model.name!r} has no repeated blocks, so that nothing can be recomputed; use recompute none")
    return blocks


def _multiples(size: int, offset: int, end: sp.Expr) -> sp.Expr:
    """Count the positions below `end` that leave the remainder `offset`, 0 or ``size - 1``, when divided by `size`."""
    if size == 1:
        return end
    return sp.ceiling(end / size) if offset == 0 else sp.floor(end / size)


def _between(size: int, offset: int, start: sp.Expr, end: sp.Expr) -> sp.Expr:
    return _multiples(size, offset, end) - (0 if start == 0 else _multiples(size, offset, start))


def _fewer(model: Model, how: Recompute, blocks: Mapping[str, tuple[sp.Expr, sp.Expr]]) -> Iterator[Layer]:
    begun: set[str] = set()
    back = {layer.block for layer in model.layers if goes_back((layer,))}
    for layer in model.layers:
        if not layer.block:
            yield layer
            continue
        first = layer.block not in begun
        results = kept_results(model, layer.block, how) if first else ()
        yield from _kept(layer, how, *blocks[layer.block], first and layer.block in back, results)
        if first and layer.block != PREDICTION:
            last = [end for name, (_, end) in blocks.items() if name != PREDICTION][-1]
            yield from streams(layer, how, *blocks[layer.block], last)
        begun.add(layer.block)


def streams(layer: Layer, how: Recompute, start: sp.Expr, end: sp.Expr, last: sp.Expr) -> tuple[Layer, ...]:
    """Return what is kept for blocks that start again from inside those before them: the residual stream of these, if they do not keep it.

    It is that of the blocks from `start` to `end`, of the kind that a layer is of; the model has none after `last`.
    """
    if how.keeps_input or layer.stream is None:
        return ()
    pairs = (sp.floor(end / 2) if end == last else sp.ceiling(end / 2)) - sp.ceiling(start / 2)
    kept = Layer(STREAMS, saved=(replace(layer.stream, reason=OF_A_PAIR),), repeat=pairs, block=layer.block)
    return () if pairs == 0 else (kept,)


def kept_results(model: Model, block: str, how: Recompute) -> tuple[Tensor, ...]:
    """Return the results of operations that a block keeps beside its input, where the rule names some.

    Raises `BadInput` for a block whose operations are not described.
    """
    if not how.products:
        return ()
    if model.work is not None and model.work.described(block):
        results = model.work.results(block, how.products)
    else:
        results = tuple(one for one in _of_products(model, how) if one not in kept_output(model, how))
    return tuple(replace(one, reason=OF_A_RESULT) for one in results)


def kept_output(model: Model, how: Recompute) -> tuple[Tensor, ...]:
    """Return what leaves a block where that is the result of a product that it keeps: it is the input of the next block, too.

    So all blocks keep one tensor more than they have inputs.
    """
    if not how.products or model.work is not None:
        return ()
    given = {tensor for layer in model.layers for op in layer.ops for tensor in (*op.gives, *op.into)}
    return tuple(one for one in _of_products(model, how) if one not in given)


@lru_cache(maxsize=64)
def _of_products(model: Model, how: Recompute) -> tuple[Tensor, ...]:
    """The results that a block of nothing but products keeps; raises `BadInput` for another block."""
    blocks = [layer for layer in model.layers if layer.block]
    ops = [op for layer in blocks for op in layer.ops]
    if model.work is not None or len(blocks) != 1 or not ops or not all(op.weights for op in ops):
        raise BadInput(
            f"recompute = {how.short}: the operations of its blocks ({model.name}) are not described, so that nothing says "
            "which results they keep; use full, every=2 or none"
        )
    return tuple(one for turn, op in enumerate(ops, 1) if how.products == 1 or turn % how.products for one in op.takes)


@lru_cache(maxsize=4096)
def _kept(
    layer: Layer, how: Recompute, start: sp.Expr, end: sp.Expr, first: bool, results: tuple[Tensor, ...]
) -> tuple[Layer, ...]:
    """A layer of the blocks from `start` to `end` without what it saves, the input that it keeps, and those kept whole."""
    alone = layer.block == PREDICTION and not how.keeps_input  # nothing before it keeps what it could start again from
    inputs, kept = counts(NONE if alone else how, start, end)
    inside = layer.repeat / (end - start)  # a layer may occur several times in a block
    layers = [replace(layer, saved=(), kept=kept * inside)]
    if first and inputs != 0:
        saved = (block_input(layer), *layer.given, *results)
        layers.append(
            Layer(recomputed(layer.block), saved=saved, repeat=inputs, source=layer.source, block=layer.block)
        )
    if kept != 0 and layer.saved:
        layers.append(replace(layer, weights=(), matmuls=(), repeat=kept * inside))
    return tuple(layers)


def recomputed(block: str) -> str:
    """Return what blocks of a kind are called that are computed again; the first of them keeps what the others do.

    >>> recomputed("later block"), recomputed("expert block")
    ('recomputed block', 'recomputed expert block')
    """
    return f"recomputed {block.removeprefix(FIRST).removeprefix(LATER)}"


def counts(how: Recompute, start: sp.Expr, end: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """Return how many of the blocks from `start` to `end` keep their input only, and how many keep everything.

    >>> from symbolic_mem.base.symbols import L
    >>> counts(Recompute("every", 2), sp.S.Zero, L)
    (ceiling(L/2), floor(L/2))
    """
    if how.rule in ("none", "selective"):
        return sp.S.Zero, end - start
    if how.rule in ("full", PRODUCTS):
        return end - start, sp.S.Zero
    if how.rule == "groups":
        return _between(how.size, 0, start, end), sp.S.Zero
    if how.rule == "half":
        return sp.S.Zero, _between(2, 0, start, end)
    if how.rule == "block":
        again = _first(how.size, end) - _first(how.size, start)
        return again, end - start - again
    first, last = _between(how.size, 0, start, end), _between(how.size, how.size - 1, start, end)
    recomputed = first if how.phase == "first" else last
    if how.size == 2:
        return recomputed, last if how.phase == "first" else first
    return recomputed, end - start - recomputed


def _first(size: int, end: sp.Expr) -> sp.Expr:
    return sp.S.Zero if end == 0 else sp.Min(size, end)


def block_input(layer: Layer) -> Tensor:
    """Return what enters the block that a layer begins; raises `BadInput` where nothing says it."""
    reason = "input of a block: its backward pass starts again from here"
    if layer.enters is not None:
        return replace(layer.enters, reason=reason)
    for tensor in layer.saved:
        if tensor.kind == "activations":
            return replace(tensor, reason=reason, bytes_per_element=None, feeds="")
    raise BadInput(f"layer {layer.name!r} begins a block and saves nothing, so that the block's input is unknown")


def is_score(tensor: Tensor) -> bool:
    """Scores, their softmax, their dropout and masks are the tensors that grow with the square of the sequence."""
    return tensor.shape.count(S) >= 2


def without_scores(layer: Layer) -> Layer:
    """Return the layer without what grows with the square of the sequence."""
    return replace(layer, saved=tuple(tensor for tensor in layer.saved if not is_score(tensor)))
