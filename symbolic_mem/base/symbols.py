"""The only place where a symbol is made: each with its meaning, unit and printed name.

All symbols are positive and none is declared integer: SymPy's solvers return nothing for integer unknowns, so ceilings
are taken at the end. The order of definition is the order in which the factors of a product are printed.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

import sympy as sp


@dataclass(frozen=True)
class Name:
    """How one symbol is written and what it means: `base` in italics, `sub` upright below it.

    A study gives whole numbers only, except to symbols that are not `whole` (rates such as 4.6e14 FLOP/s).
    """

    symbol: sp.Symbol
    base: str
    sub: str
    meaning: str
    unit: str
    given: bool
    rank: int
    whole: bool = True


Written = tuple[tuple[sp.Symbol, str], ...]
_written: ContextVar[Written] = ContextVar("written", default=())
_POINT = re.compile(r"(?<=[0-9])p(?=[0-9])")
_names: dict[sp.Symbol, Name] = {}


def _symbol(
    name: str, base: str, sub: str, meaning: str, unit: str = "", *, given: bool = True, whole: bool = True
) -> sp.Symbol:
    symbol = sp.Symbol(name, positive=True)
    _names[symbol] = Name(symbol, base, sub, meaning, unit, given, len(_names), whole)
    return symbol


# What is trained.
B = _symbol("B", "B", "", "batch size", "sequences")
S = _symbol("S", "S", "", "sequence length", "tokens")
L = _symbol("L", "L", "", "number of blocks (layers)")
V = _symbol("V", "V", "", "vocabulary size", "tokens")
d_model = _symbol("d_model", "d", "model", "width of the residual stream", "elements")
d_ff = _symbol("d_ff", "d", "ff", "inner width of the feed-forward layer", "elements")
n_heads = _symbol("n_heads", "n", "heads", "number of attention (query) heads")
n_kv = _symbol("n_kv", "n", "kv", "number of key-value heads")
d_head = _symbol("d_head", "d", "head", "width of one attention head", "elements")
n_pos = _symbol("n_pos", "n", "pos", "number of learned positions", "tokens")
E = _symbol("E", "E", "", "number of routed experts in a layer")
k = _symbol("k", "k", "", "number of routed experts that a token visits")
n_shared = _symbol("n_shared", "n", "shared", "number of shared experts, which every token visits")
d_expert = _symbol("d_expert", "d", "expert", "inner width of one expert", "elements")
L_dense = _symbol("L_dense", "L", "dense", "number of layers without experts in a mixture-of-experts model")
S_window = _symbol("S_window", "S", "window", "tokens that a layer with a sliding window attends to", "tokens")
L_window = _symbol("L_window", "L", "window", "number of layers with a sliding window")
d_c = _symbol("d_c", "d", "c", "width of the compressed key-value vector (latent attention)", "elements")
d_cq = _symbol("d_cq", "d", "cq", "width of the compressed query vector (latent attention)", "elements")
d_nope = _symbol("d_nope", "d", "nope", "width of a query or key head without position (latent attention)", "elements")
d_rope = _symbol(
    "d_rope", "d", "rope", "width of a query or key head with rotary position (latent attention)", "elements"
)
d_v = _symbol("d_v", "d", "v", "width of a value head (latent attention)", "elements")
r_lora = _symbol("r_lora", "r", "lora", "rank of the adapters (LoRA)", "elements")
Psi = _symbol("Psi", "Ψ", "", "number of parameters, of a model that is known only by it", "parameters")

# Where it lives.
n_fsdp = _symbol("n_fsdp", "n", "fsdp", "number of devices that the model is sharded over", "devices")
n_replica = _symbol("n_replica", "n", "replica", "number of replicas of the sharded group", "groups")
n_tp = _symbol("n_tp", "n", "tp", "degree of tensor parallelism", "devices")
n_pp = _symbol("n_pp", "n", "pp", "number of pipeline stages", "stages")
n_cp = _symbol(
    "n_cp",
    "n",
    "cp",
    "degree of context parallelism: devices that the tokens of a sequence are divided over",
    "devices",
)
n_ep = _symbol("n_ep", "n", "ep", "degree of expert parallelism", "devices")
n_etp = _symbol("n_etp", "n", "etp", "degree of tensor parallelism inside one routed expert", "devices")
n_chunks = _symbol("n_chunks", "n", "chunks", "number of model chunks on each rank of a pipeline", "chunks")
n_group = _symbol("n_group", "n", "group", "number of microbatches that go through a chunk together", "microbatches")

# What is derived. A derivation defines each of these before it uses it.
P = _symbol("P", "P", "", "number of parameters", "parameters", given=False)
T = _symbol("T", "T", "", "tokens in the batch, B S", "tokens", given=False)
M_weights = _symbol("M_weights", "M", "weights", "memory of the weights", "bytes", given=False)
M_gradients = _symbol("M_gradients", "M", "gradients", "memory of the gradients", "bytes", given=False)
M_optimizer = _symbol("M_optimizer", "M", "optimizer", "memory of the optimizer state", "bytes", given=False)
M_static = _symbol("M_static", "M", "static", "memory of weights, gradients and optimizer state", "bytes", given=False)
M_activations = _symbol(
    "M_activations", "M", "act", "memory of what is kept for the backward pass", "bytes", given=False
)
M_buffers = _symbol("M_buffers", "M", "buffers", "memory of temporary buffers", "bytes", given=False)
M_cache = _symbol("M_cache", "M", "cache", "memory of the caches of decoding", "bytes", given=False)
M_total = _symbol("M_total", "M", "total", "all memory that is counted", "bytes", given=False)
M_device = _symbol("M_device", "M", "device", "memory on one device", "bytes", given=False)
M_divided = _symbol(
    "M_divided", "M", "div", "the part of the memory that is divided over the devices", "bytes", given=False
)
M_fixed = _symbol("M_fixed", "M", "fix", "the part of the memory that every device holds in full", "bytes", given=False)
r_pp = _symbol("r_pp", "r", "pp", "number of the rank in its pipeline, from 0", given=False)
C_mem = _symbol("C_mem", "C", "mem", "memory that counts on one device", "bytes", given=False)
N_devices = _symbol("N_devices", "N", "", "number of devices", "devices", given=False)

# What it must send, and how fast. Tokens are T = B S; the Scaling Book writes B for them.
X = _symbol("X", "X", "", "number of chips along the FSDP (data) axis of the mesh", "chips")
Y = _symbol("Y", "Y", "", "number of chips along the tensor-parallel axis of the mesh", "chips")
n_pod = _symbol("n_pod", "n", "pod", "number of pods, joined by the data-center network", "pods")
n_micro = _symbol("n_micro", "n", "micro", "number of microbatches of one step", "microbatches")
M_X = _symbol("M_X", "M", "X", "number of physical mesh axes that the FSDP axis is laid over", "axes")
M_Y = _symbol("M_Y", "M", "Y", "number of physical mesh axes that the tensor-parallel axis is laid over", "axes")
C = _symbol("C", "C", "", "floating-point operations per second of one chip", "FLOP/s", whole=False)
W = _symbol("W", "W", "", "bandwidth along one mesh axis, in the direction that is named", "bytes/s", whole=False)
W_dcn = _symbol("W_dcn", "W", "dcn", "bandwidth out of one chip to other pods, one way", "bytes/s", whole=False)
b_sent = _symbol("b_sent", "b", "sent", "bytes of one element that is sent", "bytes", given=False, whole=False)
alpha = _symbol("alpha", "α", "", "intensity, C / W", "FLOP/byte", given=False, whole=False)
F_layer = _symbol("F_layer", "F", "", "floating-point operations of a pass", "FLOP", given=False, whole=False)
phi = _symbol(
    "phi", "φ", "", "floating-point operations of a forward pass, for one token", "FLOP", given=False, whole=False
)
a_in = _symbol("a_in", "a", "in", "elements that enter tensor-parallel layers, for one token", "elements", given=False)
a_out = _symbol(
    "a_out", "a", "out", "elements that leave tensor-parallel layers, for one token", "elements", given=False
)
t_math = _symbol("t_math", "t", "math", "time of the matrix products", "s", given=False, whole=False)
t_fsdp = _symbol("t_fsdp", "t", "fsdp", "time of what is sent along the FSDP axis", "s", given=False, whole=False)
t_tp = _symbol("t_tp", "t", "tp", "time of what is sent along the tensor-parallel axis", "s", given=False, whole=False)
t_pods = _symbol("t_pods", "t", "pods", "time of what is sent between pods", "s", given=False, whole=False)
t_comm = _symbol("t_comm", "t", "comm", "time of all that is sent", "s", given=False, whole=False)
X_best = _symbol(
    "X_best", "X", "best", "the best FSDP axis at a fixed number of chips", "chips", given=False, whole=False
)
T_min = _symbol("T_min", "T", "min", "tokens above which the chips are busy", "tokens", given=False, whole=False)


def named(symbol: sp.Basic) -> Name:
    """Return how `symbol` is written and what it means; an unknown symbol is written by its own name, upright.

    A ``p`` between digits of such a name is a decimal point, which a name of a study cannot have.

    >>> named(d_model).base, named(d_model).sub, named(d_model).unit
    ('d', 'model', 'elements')
    >>> named(sp.Symbol("P_1p7")).sub
    '1.7'
    """
    known = _names.get(symbol)
    if known is None:
        base, _, sub = str(symbol).partition("_")
        known = Name(sp.Symbol(str(symbol)), base, _POINT.sub(".", sub), "", "", True, len(_names))
    for own_symbol, spelled in _written.get():
        if own_symbol == symbol:
            base, _, sub = spelled.partition("_")
            return replace(known, base=base, sub=sub)
    return known


def written() -> Written:
    """How symbols are written here otherwise than by their names: see `writing`."""
    return _written.get()


@contextmanager
def writing(symbols: Written) -> Generator[None, None, None]:
    """Write some symbols as a study says, base and subscript joined by ``_``, inside a ``with``.

    >>> with writing(((d_model, "h"),)):
    ...     named(d_model).base, named(d_model).sub, named(d_model).rank == named(d_model).rank
    ('h', '', True)
    >>> named(d_model).base
    'd'
    """
    before = _written.set(symbols)
    try:
        yield
    finally:
        _written.reset(before)


def write(symbols: Written) -> None:
    """The same for all that follows, for a program that is about one study."""
    _written.set(symbols)


def local(base: str, sub: str) -> sp.Symbol:
    """Make a symbol for one derivation, such as the parameters of one kind of layer; it is written as it is named.

    >>> named(local("P", "attention norm")).sub
    'attention norm'
    """
    return sp.Symbol(f"{base}_{sub}" if sub else base, positive=True)


def own(name: str, meaning: str, unit: str, *, whole: bool) -> Name:
    """Make a symbol of one study, for a number that only it knows; it is written as it is named.

    >>> own("n_gpus", "number of GPUs", "GPUs", whole=True).sub
    'gpus'
    """
    base, _, sub = name.partition("_")
    return Name(local(base, sub), base, sub, meaning, unit, given=True, rank=len(_names), whole=whole)


def table(*, given: bool | None = None) -> tuple[Name, ...]:
    """Return every name in order of definition, optionally only those that are (or are not) given as input."""
    return tuple(name for name in _names.values() if given is None or name.given is given)


def lookup(name: str) -> sp.Symbol | None:
    """Return the symbol of that name, or None when there is none.

    >>> lookup("d_model") is d_model, lookup("hidden_size")
    (True, None)
    """
    return next((symbol for symbol in _names if symbol.name == name), None)
