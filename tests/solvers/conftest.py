"""The reference problem of the solver's tests and its golden numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sympy as sp

from symbolic_mem import account, ffn, n_fsdp, over, recipe
from symbolic_mem.accounts.terms import Memory
from symbolic_mem.base.symbols import B, L, S, d_ff, d_model
from symbolic_mem.models.tensors import STATIC


@pytest.fixture(scope="session")
def golden() -> dict:
    return json.loads((Path(__file__).parent.parent / "data" / "solve.json").read_text())


@pytest.fixture
def memory() -> Memory:
    return account(ffn(), recipe("cs336"))


@pytest.fixture
def place(memory):
    """Give `place("1/2", "dropped")`: states divided, and that fraction of the activations."""

    def placed(fraction: str = "1", rest: str = "kept", degree: sp.Expr = n_fsdp) -> Memory:
        states = dict.fromkeys(STATIC, over(degree))
        return memory.place(**states, activations=over(degree, fraction, rest))

    return placed


@pytest.fixture
def xxl():
    """Give `xxl(B, S)`: the sizes of CS336's model XXL."""

    def values(sequences: int = 128, length: int = 1024) -> dict[sp.Symbol, sp.Expr]:
        sizes = {d_model: 16384, d_ff: 53248, L: 126, B: sequences, S: length}
        return {symbol: sp.Integer(value) for symbol, value in sizes.items()}

    return values
