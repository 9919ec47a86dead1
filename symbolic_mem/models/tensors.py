"""`Tensor`, `Matmul`, `Layer`, `Model`: what is trained, as symbolic shapes; every account is a function of these."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from typing import NamedTuple, Protocol

import sympy as sp

from symbolic_mem.base.once import hashed_once
from symbolic_mem.base.values import dataclass

GROUPS = (
    "token embedding",
    "position embedding",
    "attention",
    "mlp",
    "router",
    "experts",
    "shared experts",
    "mixer",
    "norm",
    "head",
    "prediction",
    "adapters",
)
ADAPTERS = GROUPS[-1]
SCORES = "attention scores"  # products of two activations
NOT_DESCRIBED = "What its blocks keep for the backward pass is not described: only weights are counted."
# Which weights some states are of: those that are trained, or not; adapters, all others, and those of these that are trained whole;
# embeddings that are trained, and what else is.
EMBEDDINGS = GROUPS[:2]
SOME: Mapping[str, Callable[[Tensor], bool]] = {
    "": lambda weight: True,
    "trained": lambda weight: weight.trained,
    "frozen": lambda weight: not weight.trained,
    "adapters": lambda weight: weight.group == ADAPTERS,
    "base": lambda weight: weight.group != ADAPTERS,
    "whole": lambda weight: weight.trained and weight.group != ADAPTERS,
    "embeddings": lambda weight: weight.trained and weight.group in EMBEDDINGS,
    "no embeddings": lambda weight: weight.trained and weight.group not in EMBEDDINGS,
}
KINDS = ("weights", "gradients", "optimizer", "activations", "buffers", "cache")
STATIC = ("weights", "gradients", "optimizer")
LINEAR, AFTER_ATTENTION = "linear layer", "linear layer after attention"
FEEDS = (LINEAR, AFTER_ATTENTION)
EMBEDDING = "embedding"  # the layer that reads the tokens
END = "what comes after the blocks"
PREDICTION = "module that predicts one token more"  # the block of such a module, which comes after all others
HEAD = "the product with W_head"
OPTIMIZER = ", the optimizer"  # after the name of an operation whose weight is stepped
EMBEDDED = "output of the embedding"
SUMMANDS = ("embedded tokens", "embedded positions")  # of which the input of the first block is made
UNSCALED = "unscaled"  # the embedded tokens of which it is made by a factor
HIDDEN = "output of the last norm"
REPEATED, LAID_OUT = (
    "repeated",
    "keys or values laid out by heads",
)  # for all query heads, of all tokens that are attended
EXPANDED = "W_kv_up"  # of latent attention: keys and values of all heads, made of what is cached
TABLE = "rotary table in FP32"  # which every block converts for itself
UNREAD = "causal mask of no block"  # which the caller makes anyway


@hashed_once
@dataclass(frozen=True)
class Tensor:
    """A named tensor of symbolic `shape`; `reason` says why it exists or is kept for the backward pass.

    `bytes_per_element` is None when the recipe decides, and a number where the engine fixes it (an fp32 statistic).
    `group` is one of `GROUPS` for a weight of a transformer: parameters are counted by it. `kind` is the kind of memory
    that a saved tensor counts as: a copy of a weight is a buffer, not an activation. `feeds` is one of `FEEDS` where the
    tensor is the input of a linear layer of a block: a recipe may keep those in fewer bytes than others. A weight that is
    not `trained` is frozen: it has no gradient and no optimizer state. One that is `turned` is stored for input and output,
    where that of a linear layer is for output and input.
    """

    name: str
    shape: tuple[sp.Expr, ...]
    reason: str = ""
    bytes_per_element: sp.Expr | None = None
    group: str = ""
    kind: str = "activations"
    feeds: str = ""
    trained: bool = True
    turned: bool = False

    @cached_property
    def elements(self) -> sp.Expr:
        """Number of elements: the product of the shape."""
        return sp.Mul(*self.shape)


@hashed_once
@dataclass(frozen=True)
class Part:
    """Tensors of one shape inside a term: `copies` of them (repeats, moments), each of `shape`."""

    copies: sp.Expr
    shape: tuple[sp.Expr, ...]

    @property
    def elements(self) -> sp.Expr:
        """Elements of all copies together."""
        return self.copies * sp.Mul(*self.shape)


@dataclass(frozen=True)
class Matmul:
    """A product of an (m, k) and a (k, n) matrix: 2 m k n FLOPs forward, twice that backward.

    `group` is the part of the model that it counts to, the `group` of its weight if it has one. It `enters` where it reads the
    residual stream, normed or not, and `leaves` where what it gives is added to it: tensor parallelism gathers before the one
    and sums after the other.
    """

    name: str
    m: sp.Expr
    k: sp.Expr
    n: sp.Expr
    group: str = ""
    enters: bool = False
    leaves: bool = False

    @property
    def flops(self) -> sp.Expr:
        """Floating-point operations of the forward product: one multiplication and one addition per m k n."""
        return 2 * self.m * self.k * self.n


@hashed_once
@dataclass(frozen=True)
class Op:
    """An operation of a layer as its backward pass sees it: what it works on, what it makes and what it lets go.

    It `takes` the gradients of its outputs, which are gone when it is done, and `gives` those of its inputs; `into` are
    gradients of what enters the block. It makes the gradients of `weights` and `releases` saved tensors, both by name.
    """

    name: str
    takes: tuple[Tensor, ...] = ()
    gives: tuple[Tensor, ...] = ()
    weights: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()
    into: tuple[Tensor, ...] = ()


@hashed_once
@dataclass(frozen=True)
class Layer:
    """Weights, tensors saved for backward and matmuls of one layer, which the model has `repeat` times.

    `block` names the repeated block that it is part of (recomputation works on whole blocks; "" is outside any), and
    `enters` is the input of that block (None: the first tensor that the block saves, in the recipe's dtype), and `given` what
    it is given beside that, in copies of its own. `stream` is the residual stream to which the last product of the block is
    added, where the block does not keep it. `kept`
    counts the repetitions that keep what autograd saves, where some are recomputed (None: all). `ops` are its operations
    in the order of the forward pass, where they are described; `working` are the sets of tensors that the forward pass
    holds at its fullest moments beside what it saves, and `passing` those where it saves nothing. What enters a block that is
    not `reached` needs no gradient.
    """

    name: str
    weights: tuple[Tensor, ...] = ()
    saved: tuple[Tensor, ...] = ()
    matmuls: tuple[Matmul, ...] = ()
    repeat: sp.Expr = sp.S.One
    source: str = ""
    block: str = ""
    enters: Tensor | None = None
    given: tuple[Tensor, ...] = ()
    stream: Tensor | None = None
    kept: sp.Expr | None = None
    ops: tuple[Op, ...] = ()
    working: tuple[tuple[Tensor, ...], ...] = ()
    passing: tuple[tuple[Tensor, ...], ...] = ()
    reached: bool = True

    @cached_property
    def parameters(self) -> sp.Expr:
        """Parameters of one repetition."""
        return sp.Add(*(weight.elements for weight in self.weights))

    def keeps(self, tensor: Tensor) -> bool:
        """Whether it saves what it reads, and that is this tensor in its own dtype."""
        wanted = (tensor.shape, tensor.bytes_per_element)
        return any(one.name == "input" and (one.shape, one.bytes_per_element) == wanted for one in self.saved)

    @cached_property
    def saved_kinds(self) -> frozenset[str]:
        """The kinds of memory of what it saves."""
        return frozenset(tensor.kind for tensor in self.saved)


def goes_back(block: Iterable[Layer]) -> bool:
    """Say whether the layers of a block have a backward pass: a gradient reaches what enters it, or is made of a weight of its own."""
    return any(layer.reached or any(weight.trained for weight in layer.weights) for layer in block)


@hashed_once
@dataclass(frozen=True)
class Cached:
    """What decoding keeps in `repeat` layers for the tokens that it has seen: `tensors` whose first dimension is the batch.

    The second dimension of a cache that `grows` are the tokens, of which a layer with a sliding window sees `window`
    (None: all); the last is the width of a vector with a scale of its own where the cache is quantised. What does not grow
    is a state of each sequence, whatever its length; an engine that serves models may keep what is `served` in its place. `there` says of each layer of the model whether it has the cache, where
    not all have it and that is known.
    """

    name: str
    repeat: sp.Expr
    tensors: tuple[Tensor, ...]
    grows: bool = True
    window: sp.Expr | None = None
    there: tuple[bool, ...] = ()
    served: tuple[Tensor, ...] = ()


class Alive(NamedTuple):
    """What is alive at an operation of a block: tensors, gradients of tensors, and weights whose gradients are there.

    `making` are the weights of the operation itself, whose gradients are stored when it is over. When it is, an optimizer that
    steps inside the backward pass is `stepping` those of one weight.
    """

    name: str
    kept: tuple[Tensor, ...]
    gradients: tuple[Tensor, ...] = ()
    made: tuple[Part, ...] = ()
    making: tuple[Part, ...] = ()
    stepping: tuple[Part, ...] = ()


class Work(Hashable, Protocol):
    """The operations of the blocks of a model, by the name of the block, and of what comes after them (END).

    Those of some may not be described.
    """

    def described(self, block: str) -> bool:
        """Say whether they are."""
        ...

    @property
    def keeps(self) -> bool:
        """Whether what they keep for a backward pass must be what the layers keep."""
        ...

    def saved(self, block: str) -> tuple[Tensor, ...]:
        """Return what the backward pass of a block needs."""
        ...

    def workspaces(self, block: str) -> Tensor | None:
        """Return the buffers that all blocks of a kind share, and that stay between passes; None where they have none."""
        ...

    def beside(self) -> tuple[Tensor, ...]:
        """Return what the caller of the blocks holds while they work, the EMBEDDED tokens first, where an engine does so.

        The HIDDEN states are among it where the loss finds them still there, and no one else keeps them.
        """
        ...

    def results(self, block: str, every: int) -> tuple[Tensor, ...]:
        """Return the results of the products and of the fused attention of a block, but for one of `every` so many products.

        With 1 those of all products are among them.
        """
        ...

    def unused(self, block: str, every: int) -> tuple[Tensor, ...]:
        """Return those of them that nothing takes when the block is computed again."""
        ...

    def forward(self, block: str, keeps: bool, every: int = 0) -> tuple[Alive, ...]:
        """Return the fullest moments of the forward pass of a block, which `keeps` what the backward pass needs, or not.

        If not, it keeps the results that `every` names, or none (0).
        """
        ...

    def backward(self, block: str, again: bool, steps: bool = False, held: bool = True) -> tuple[Alive, ...]:
        """Return the fullest moments of the backward pass of a block, its last operation first.

        Where it is computed `again`, its input is there until the end, unless that is not `held`. An optimizer that `steps` inside the pass has moments
        of its own.
        """
        ...


class Held(NamedTuple):
    """Weights of one layer with how often there are such layers, and how many keep what their blocks save."""

    weights: tuple[Tensor, ...]
    repeat: sp.Expr
    kept: sp.Expr | None
    multiplied: bool
    in_block: bool = False


@hashed_once
@dataclass(frozen=True)
class Weights:
    """The weights of a model, layer by layer: all that the states of its parameters depend on."""

    held: tuple[Held, ...]

    def all_are(self, what: str) -> bool:
        """Say whether all of them are what `SOME` calls so."""
        return all(SOME[what](weight) for one in self.held for weight in one.weights)

    def only(self, *, experts: bool) -> Weights:
        """Those of routed experts, or all others."""
        return self._where(lambda weight: (weight.group == "experts") == experts)

    @property
    def trained(self) -> Weights:
        """Those that are trained."""
        return self._where(SOME["trained"])

    def _where(self, keep: Callable[[Tensor], bool]) -> Weights:
        held = (one._replace(weights=tuple(filter(keep, one.weights))) for one in self.held)
        return Weights(tuple(one for one in held if one.weights))


@hashed_once
@dataclass(frozen=True, repr=False)
class Model:
    """A named sequence of layers; `assumptions` are what its builder takes for granted.

    Those of them in `of_activations` are about what is kept for the backward pass alone, and those of `unless_recomputed`
    hold only while nothing is recomputed. `batch` is the input of the first block where that is the batch itself, which no
    gradient reaches and which stays; None: the blocks read an embedding. `work` are the operations of
    its blocks, and `cached` is what decoding keeps.
    """

    name: str
    layers: tuple[Layer, ...]
    assumptions: tuple[str, ...] = ()
    unless_recomputed: tuple[str, ...] = ()
    of_activations: tuple[str, ...] = ()
    batch: Tensor | None = None
    work: Work | None = None
    cached: tuple[Cached, ...] = ()

    def __repr__(self) -> str:
        return f"<model {self.name}: {', '.join(layer.name for layer in self.layers)}>"

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    @property
    def said(self) -> tuple[str, ...]:
        """All that its builder takes for granted, as sentences."""
        return (*self.assumptions, *self.unless_recomputed)

    @property
    def said_of_weights(self) -> tuple[str, ...]:
        """Of these, what is said whether or not activations are asked about."""
        others = {*self.of_activations, NOT_DESCRIBED}
        return tuple(sentence for sentence in self.assumptions if sentence not in others)

    @property
    def said_of_layers(self) -> tuple[str, ...]:
        """What of it is about what the layers compute, as sentences."""
        return (*self.said_of_weights, *self.unless_recomputed)

    @cached_property
    def weights(self) -> Weights:
        """The weights of all layers, the same value for models that differ in what they save alone."""
        held: dict[tuple[Hashable, ...], Held] = {}
        for layer in self.layers:
            if layer.weights:
                one = Held(layer.weights, layer.repeat, layer.kept, bool(layer.matmuls), bool(layer.block))
                alike = (layer.name, layer.weights, *one[2:])
                held[alike] = one._replace(repeat=held[alike].repeat + one.repeat) if alike in held else one
        return _the_one(Weights(tuple(held.values())))

    @cached_property
    def parameters(self) -> sp.Expr:
        """Number of parameters, as an expression.

        >>> from symbolic_mem.models.ffn import ffn
        >>> ffn().parameters
        2*L*d_ff*d_model
        """
        return _parameters(self.weights)

    @property
    def forward_flops(self) -> sp.Expr:
        """Floating-point operations of the matmuls of one forward pass over the batch."""
        return sp.Add(*(layer.repeat * matmul.flops for layer in self.layers for matmul in layer.matmuls))


@lru_cache(maxsize=1024)
def _the_one(weights: Weights) -> Weights:
    return weights


@lru_cache(maxsize=1024)
def _parameters(weights: Weights) -> sp.Expr:
    return sp.Add(*(held.repeat * sp.Add(*(weight.elements for weight in held.weights)) for held in weights.held))
