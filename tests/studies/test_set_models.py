"""Every given value of the studies of one model, set to another one, changes the account as plain arithmetic says.

What a device then holds, and how many there must be, is divided and searched for in `tests/solvers`.
"""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from fractions import Fraction
from typing import Any

import pytest
from plain_models import ACCOUNTS
from plain_papers import At
from test_set import given, plain

from symbolic_mem.cli.main import main

FACTORS = (2, Fraction(1, 2), Fraction(5, 2))


def accounted(name: str, **called: Any) -> dict[str, Any] | None:
    """The JSON of the account with other values, None where no such model can be."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    options = [part for symbol, value in called.items() for part in ("--set", f"{symbol}={value}")]
    with redirect_stdout(out):
        status = main(["account", name, "--recompute", "none", *options, "--json"])
    return json.loads(out.buffer.getvalue()) if status == 0 else None


def differing(name: str, **called: Any) -> list[str] | None:
    found = accounted(name, **called)
    if found is None:
        return None
    right = ACCOUNTS[name](At({symbol: plain(value) for symbol, value in given(name).items()}, called))
    wanted = {"parameters": right.parameters, "static_bytes": right.static, "activation_bytes": right.kept}
    return [f"{key} = {found[key]}, not {number}" for key, number in wanted.items() if found[key] != number]


@pytest.mark.parametrize("name", ACCOUNTS)
def test_a_model_as_published_keeps_what_plain_arithmetic_says(name):
    assert differing(name) == []


@pytest.mark.parametrize(("name", "symbol"), [(name, symbol) for name in ACCOUNTS for symbol in given(name)])
def test_another_value_changes_the_account(name, symbol, capsys):
    value = plain(given(name)[symbol])
    others = [int(value * factor) for factor in FACTORS if Fraction(value * factor).denominator == 1]
    found = next((wrong for other in others if (wrong := differing(name, **{symbol: other})) is not None), None)
    if found is None:  # a width that no layer of the model has
        assert main(["account", name, "--set", f"{symbol}={others[0]}"]) == 2
        assert f"nothing that {name} asks reads {symbol}" in capsys.readouterr().err
        return
    assert found == []
