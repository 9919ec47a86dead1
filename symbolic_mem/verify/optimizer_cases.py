"""Cases of optimizers: what one keeps for one tensor."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import sympy as sp

from symbolic_mem.accounts.account import account
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.tables import tables_of
from symbolic_mem.models.tensors import Layer, Model, Tensor
from symbolic_mem.recipes.read import read_recipe
from symbolic_mem.verify.cases import Case, Keys
from symbolic_mem.verify.stack_cases import Said

PRECISIONS = {"float32": "fp32", "bfloat16": "pure-bf16"}


@cache
def names() -> dict[str, dict[str, str]]:
    """Return, for each engine, our name of each of its optimizers."""
    return tables_of(Path(__file__).with_name("optimizers.toml"))


def optimizer_state(case: Case) -> Said:
    """``optim-``: the state of one tensor, its single numbers included."""
    keys = Keys(case, {})
    engine = case.id.removeprefix("optim-").partition("-")[0]
    known = names().get(engine)
    if known is None:
        raise BadInput.unknown(f"engine {engine!r} is not known", engine, names())
    name = keys.take("optimizer")
    if name not in known:
        raise BadInput.unknown(f"optimizer {name!r} of {engine} is not known", str(name), known)
    precision = PRECISIONS[keys.take("param_dtype", *PRECISIONS)]
    shape = keys.take("shape")
    keys.done()
    if not isinstance(shape, list) or not all(type(size) is int and size > 0 for size in shape):
        raise BadInput("shape is no list of whole numbers of at least 1")
    if case.quantity != "optimizer_state":
        raise BadInput.one_of(f"quantity {case.quantity!r} is not known", ["optimizer_state"])
    tables: dict[str, Any] = {"recipe": {"preset": precision, "optimizer": known[name], "step_counters": True}}
    weight = Tensor("weight", tuple(map(sp.Integer, shape)))
    memory = account(Model("one tensor", (Layer("layer", weights=(weight,)),)), read_recipe(tables["recipe"], "case"))
    return memory.of("optimizer").at({}), tables
