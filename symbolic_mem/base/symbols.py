"""The only place where a symbol is made: each with its meaning, unit and printed name.

All symbols are positive and none is declared integer: SymPy's solvers return nothing for integer unknowns, so ceilings
are taken at the end. The order of definition is the order in which the factors of a product are printed.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace

import sympy as sp

from symbolic_mem.base.glossary import GLOSSARY
from symbolic_mem.base.told import grouped_words
from symbolic_mem.base.values import dataclass


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


def _symbol(name: str) -> sp.Symbol:
    symbol, entry = sp.Symbol(name, positive=True), GLOSSARY[name]
    _names[symbol] = Name(symbol, *entry[1:-1], len(_names), entry.whole)
    return symbol


# What is trained.
B = _symbol("B")
S = _symbol("S")
L = _symbol("L")
V = _symbol("V")
d_model = _symbol("d_model")
d_ff = _symbol("d_ff")
n_heads = _symbol("n_heads")
n_kv = _symbol("n_kv")
d_head = _symbol("d_head")
n_pos = _symbol("n_pos")
E = _symbol("E")
k = _symbol("k")
n_shared = _symbol("n_shared")
d_expert = _symbol("d_expert")
L_dense = _symbol("L_dense")
L_mtp = _symbol("L_mtp")
S_window = _symbol("S_window")
L_window = _symbol("L_window")
d_c = _symbol("d_c")
d_cq = _symbol("d_cq")
d_nope = _symbol("d_nope")
d_rope = _symbol("d_rope")
d_v = _symbol("d_v")
r_lora = _symbol("r_lora")
Psi = _symbol("Psi")

# Where it lives.
n_fsdp = _symbol("n_fsdp")
n_replica = _symbol("n_replica")
n_tp = _symbol("n_tp")
n_pp = _symbol("n_pp")
n_cp = _symbol("n_cp")
n_dcp = _symbol("n_dcp")
n_ep = _symbol("n_ep")
n_etp = _symbol("n_etp")
f_load = _symbol("f_load")
n_chunks = _symbol("n_chunks")
n_group = _symbol("n_group")

# What is derived. A derivation defines each of these before it uses it.
P = _symbol("P")
T = _symbol("T")
M_weights = _symbol("M_weights")
M_gradients = _symbol("M_gradients")
M_optimizer = _symbol("M_optimizer")
M_static = _symbol("M_static")
M_activations = _symbol("M_activations")
M_buffers = _symbol("M_buffers")
M_cache = _symbol("M_cache")
M_total = _symbol("M_total")
M_device = _symbol("M_device")
M_divided = _symbol("M_divided")
M_fixed = _symbol("M_fixed")
r_pp = _symbol("r_pp")
C_mem = _symbol("C_mem")
N_devices = _symbol("N_devices")

# What it must send, and how fast. Tokens are T = B S; the Scaling Book writes B for them.
X = _symbol("X")
Y = _symbol("Y")
n_pod = _symbol("n_pod")
n_micro = _symbol("n_micro")
M_X = _symbol("M_X")
M_Y = _symbol("M_Y")
C = _symbol("C")
W = _symbol("W")
W_dcn = _symbol("W_dcn")
b_sent = _symbol("b_sent")
alpha = _symbol("alpha")
F_layer = _symbol("F_layer")
phi = _symbol("phi")
a_in = _symbol("a_in")
a_out = _symbol("a_out")
t_math = _symbol("t_math")
t_fsdp = _symbol("t_fsdp")
t_tp = _symbol("t_tp")
t_pods = _symbol("t_pods")
t_comm = _symbol("t_comm")
X_best = _symbol("X_best")
T_min = _symbol("T_min")


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
        known = Name(sp.Symbol(str(symbol)), base, grouped_words(_POINT.sub(".", sub)), "", "", True, len(_names))
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


def hidden(symbol: sp.Basic) -> sp.Symbol:
    """Return a positive whole number of which nothing else is known, to stand for the value of a symbol; no number is equal to it.

    >>> hidden(L) == 1, hidden(L) == hidden(L)
    (False, False)
    """
    return sp.Dummy(f"hidden_{symbol}", integer=True, positive=True)


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


def spelled(own: Iterable[Name] = ()) -> dict[str, sp.Symbol]:
    """Return the symbols that formulas may use by name: those that are given as input, and the `own` ones of a study.

    >>> spelled()["d_model"] is d_model, "M_total" in spelled()
    (True, False)
    """
    return {name.symbol.name: name.symbol for name in (*table(given=True), *own)}


def degrees() -> dict[str, sp.Symbol]:
    """Return those of them that say over how many devices something is divided.

    >>> "n_fsdp" in degrees(), "d_model" in degrees()
    (True, False)
    """
    return {name: symbol for name, symbol in spelled().items() if name.startswith("n_")}


def lookup(name: str) -> sp.Symbol | None:
    """Return the symbol of that name, or None when there is none.

    >>> lookup("d_model") is d_model, lookup("hidden_size")
    (True, None)
    """
    return next((symbol for symbol in _names if symbol.name == name), None)
