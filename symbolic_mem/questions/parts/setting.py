"""`Setting`: one pass of one scheme on the network of a study, with its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import evaluate
from symbolic_mem.base.symbols import B, N_devices, S, T, X, Y, n_pod
from symbolic_mem.base.values import dataclass
from symbolic_mem.plans.load import Load, load
from symbolic_mem.plans.roofline import Roofline
from symbolic_mem.plans.schemes import Mesh, Scheme, scheme
from symbolic_mem.solvers.optimum import mesh_size
from symbolic_mem.study.study import Study


@dataclass(frozen=True)
class Setting:
    """What is computed and sent (`load`, `scheme`, `roofline`) and the numbers that are known of it.

    `values` hold N = X Y where the mesh is known; `tokens` is the study's own batch, None while it gives none.
    `names` are what the load is written with, where it is long: each with its meaning.
    """

    load: Load
    scheme: Scheme
    roofline: Roofline
    values: Mapping[sp.Symbol, sp.Rational]
    tokens: sp.Rational | None
    names: Mapping[sp.Symbol, sp.Expr] = field(default_factory=dict)

    @property
    def chips(self) -> int | None:
        """The number of chips, where it is known."""
        number = self.values.get(N_devices)
        return None if number is None else int(number)


_AROUND = ' (around a config.json in a study of your own, with [model] config = "config.json")'


def setting(
    study: Study,
    scheme_name: str | None = None,
    pass_name: str = "forward",
    chips: int | None = None,
    mesh: Mesh | None = None,
    *,
    short: bool = False,
) -> Setting:
    """Return the setting of a study; without `scheme_name` its mesh decides: X and Y give ``fsdp+tp``.

    With `short`, a model of several kinds of layers is written with the four quantities of `Load.named`.
    Raises `BadInput` for a study without network, for X Y that is not `chips`, and for a backward pass of which not all weights
    have gradients.
    """
    if study.network is None:
        raise BadInput(
            f"study {study.name!r} says nothing about its network; add [network] with flops, bandwidth and its "
            'direction, for example direction = "both-ways"' + _AROUND * (study.built.architecture is not None)
        )
    if pass_name != "forward" and not (study.recipe.trains and study.model.weights.all_are("trained")):
        raise BadInput(
            f"the {pass_name} of one scheme counts gradients of all weights, and recipe {study.recipe.name!r} has some without; "
            "ask for the forward pass, or give --plan NAME and --set n_fsdp=N for what one rank sends in a step"
        )
    values = dict(study.values)
    chosen = scheme_name or implied(values)
    load_of_model, names = load(study.built.model), {}
    if short and len(study.model.layers) > 1:
        load_of_model, names = load_of_model.named()
        values |= {symbol: evaluate(meaning, values, "the load of the model") for symbol, meaning in names.items()}
    keep = study.keep if study.plan is not None and study.plan.sends == chosen else sp.S.Zero
    plan = scheme(chosen, load_of_model, mesh, keep=keep)
    number = _chips(chosen, values, chips)
    if number is not None:
        values[N_devices] = number
    tokens = values[B] * values[S] if B in values and S in values else None
    values.pop(T, None)
    return Setting(load_of_model, plan, Roofline(plan.of(pass_name), study.network).on(values), values, tokens, names)


def implied(values: Mapping[sp.Symbol, sp.Rational]) -> str:
    """Return the scheme that the axes of a mesh with values give."""
    if n_pod in values and X in values and Y in values:
        return "hsdp"
    if X in values and Y not in values:
        return "fsdp"
    return "tp" if Y in values and X not in values else "fsdp+tp"


def _chips(name: str, values: Mapping[sp.Symbol, sp.Rational], chips: int | None) -> sp.Rational | None:
    if name in ("dp", "fsdp", "tp"):
        alone = values.get(Y if name == "tp" else X)
        if alone is None or (chips is not None and alone != chips):
            return None if chips is None else mesh_size({X: alone, Y: sp.S.One} if alone else {}, chips)
        return alone
    known = X in values and Y in values
    number = mesh_size(values, chips) if known or chips is not None else None
    return number * values.get(n_pod, 1) if name == "hsdp" and number is not None else number
