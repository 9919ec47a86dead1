"""`Run`: a training step in numbers, as an engine can carry it out, from a setting in symbols."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import sympy as sp

from symbolic_mem.base import symbols as s
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.ffn import ffn
from symbolic_mem.models.gated_ffn import gated_ffn
from symbolic_mem.recipes.recipe import Recipe
from symbolic_mem.recipes.recompute import recomputed_at
from symbolic_mem.study.setting import Setting
from symbolic_mem.verify.halves import FAMILIES

DTYPES = {2: "bfloat16", 4: "float32"}
LOSSES = ("bf16", "fp32", "fp32-held", "chunked")
KERNELS = ("flash", "flash_gqa", "efficient", "eager")
OPTIMIZERS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "sgd": ("SGD", {}),
    "sgd-momentum": ("SGD", {"momentum": 0.9}),
    "adam": ("Adam", {}),
    "adamw": ("AdamW", {}),
    "adamw-fused": ("AdamW", {"foreach": None, "fused": True}),
    "amsgrad": ("AdamW", {"amsgrad": True}),
    "nadam": ("NAdam", {}),
    "radam": ("RAdam", {}),
    "adamax": ("Adamax", {}),
    "adadelta": ("Adadelta", {}),
    "adagrad": ("Adagrad", {}),
    "rmsprop": ("RMSprop", {}),
    "rmsprop-momentum": ("RMSprop", {"momentum": 0.9}),
    "rmsprop-centered": ("RMSprop", {"centered": True}),
    "rmsprop-centered-momentum": ("RMSprop", {"centered": True, "momentum": 0.9}),
    "rprop": ("Rprop", {}),
}


NOT_DIVIDED = ("rprop",)
"""Those with an operation that DTensor does not divide."""

EVEN = 8
"""Numbers of 16 bits in 16 bytes, of which a row of a grouped product has a multiple (PyTorch 2.13, check_valid_strides in _meta_registrations.py)."""

BATCHED = ("llama4_text",)
"""Families whose experts transformers 5.24 multiplies as a batch, in products of any width, and not in groups."""


@dataclass(frozen=True)
class Run:
    """A training step in numbers.

    `stack` is ``ffn``, ``gated-ffn`` or ``gated-ffn with residual``; else `architecture` says what the model is. `shards`
    is the degree of FSDP2 (None: one device, without it) in `replicas` groups. Parameters, computation and reduction
    have dtypes of their own. `recomputed` says of each block whether it is computed again, and with `persist` gradients
    of an earlier micro-batch are there; `in_backward` the optimizer steps as soon as a gradient is there. A block that is recomputed may keep results, as `products` of `Recompute` says; with `half` it does not even keep its input. The `loss` is that of transformers (""), or one by its name. `keep` is the share of the gathered weights that stays until the backward pass.
    """

    stack: str
    architecture: Architecture | None
    sizes: Mapping[sp.Symbol, int]
    batch: int
    sequence: int
    shards: int | None
    replicas: int
    keep: sp.Rational
    parameters: str
    computes: str
    reduces: str
    optimizer: str
    foreach: bool
    persist: bool
    recomputed: tuple[bool, ...]
    kernel: str = ""
    products: int = 0
    in_backward: bool = False
    loss: str = ""
    half: bool = False


def run_of(setting: Setting) -> Run:
    """Return the step that a setting describes.

    Raises `BadInput` for what is not known how to run.
    """
    values, recipe = setting.values, setting.recipe
    if not recipe.schedule:
        raise BadInput(
            f"recipe {recipe.name!r} states a sum, and no engine says when what is there; add --recipe fsdp2, fp32 or "
            "pure-bf16"
        )
    stack = _stack(setting)
    needed = (s.L, s.B, s.S, *((s.d_model, s.d_ff) if stack else ()))
    absent = [str(symbol) for symbol in needed if symbol not in values]
    if absent:
        raise BadInput(f"the step needs a value for {', '.join(absent)}; give it as --set {absent[0]}=...")
    sizes = {symbol: int(value) for symbol, value in values.items() if value.is_Integer}
    shards = _shards(setting)
    batch = Fraction(sizes[s.B], _cut(setting))
    if batch.denominator != 1:
        raise BadInput(
            f"{sizes[s.B]} sequences do not come out evenly over {_cut(setting)} devices; set B to a multiple"
        )
    if recipe.optimizer not in OPTIMIZERS:
        raise BadInput.one_of(f"optimizer {recipe.optimizer!r} is not one that is run in PyTorch here", OPTIMIZERS)
    if recipe.optimizer in NOT_DIVIDED and shards is not None:
        raise BadInput(
            f"PyTorch cannot step {recipe.optimizer} on divided tensors; take --plan one-device, or another optimizer"
        )
    if setting.built.loss.partition(":")[0] not in ("", *LOSSES):
        raise BadInput.one_of(
            f"loss {setting.built.loss!r} is compiled, or a kernel that PyTorch does not have",
            (*LOSSES[:-1], "chunked:8"),
        )
    if setting.built.kernel not in ("", *KERNELS):
        raise BadInput.one_of(f"kernel {setting.built.kernel!r} is not one that is run here", KERNELS)
    parameters, computes = _dtypes(recipe, shards)
    rule = recipe.recompute
    if rule.rule not in ("none", "full", "every", "half", "block", "products"):
        known = ("none", "full", "every=2", "half", "block=2", "products")
        raise BadInput.one_of(f"recomputation {rule.rule!r} is not one that is run here", known)
    half = not rule.keeps_input
    architecture = setting.built.architecture
    if half and (shards is not None or not (architecture is None or architecture.family in FAMILIES)):
        known = ", ".join(FAMILIES)
        raise BadInput(
            "half recomputes a block from inside the one before it, which is run here on one device, of stacks of matrices and of "
            f"blocks of {known}; take every=2, or another model or plan"
        )
    if architecture is not None:
        _check_experts(architecture, values)
        _check_kernel(architecture, setting.built.kernel, values)
    return Run(
        stack=stack,
        architecture=architecture,
        sizes=sizes,
        batch=int(batch),
        sequence=sizes[s.S],
        shards=shards,
        replicas=sizes.get(s.n_replica, 1),
        keep=setting.keep,
        parameters=parameters,
        computes=computes,
        reduces=parameters if recipe.reduces is None else DTYPES[int(recipe.reduces)],
        optimizer=recipe.optimizer,
        foreach=recipe.foreach,
        persist=recipe.gradients_persist,
        recomputed=tuple(recomputed_at(rule, block) for block in range(sizes[s.L])),
        kernel=setting.built.kernel,
        products=rule.products,
        in_backward=recipe.in_backward,
        loss=setting.built.loss,
        half=half,
    )


def _check_experts(architecture: Architecture, values: Mapping[sp.Symbol, sp.Expr]) -> None:
    """Refuse widths of experts that PyTorch's grouped product does not take."""
    experts = architecture.experts
    if experts is None or architecture.family in BATCHED or architecture.expert_layers.xreplace(dict(values)) == 0:
        return
    for width in (architecture.d_model, experts.d_expert):
        given = width.xreplace(dict(values))
        if given.is_Integer and given % EVEN != 0:
            raise BadInput(
                f"{width} = {given}: PyTorch multiplies the experts in one grouped product, whose rows are a multiple of 16 bytes, "
                f"{EVEN} numbers of 16 bits; set {width} to a multiple of {EVEN}, as --set {width}={given + -given % EVEN}"
            )


def _check_kernel(architecture: Architecture, kernel: str, values: Mapping[sp.Symbol, sp.Expr]) -> None:
    """Refuse FlashAttention of values that are not as wide as queries and keys: it takes one width of all of them."""
    latent = architecture.latent
    if latent is None or kernel in ("efficient", "eager"):
        return
    wide, narrow = (one.xreplace(dict(values)) for one in (latent.d_nope + latent.d_rope, latent.d_v))
    if wide != narrow:
        raise BadInput(
            f"queries of {wide} and values of {narrow} numbers a head: FlashAttention takes one width of both, and what fills the "
            "values up is not run here; take --kernel efficient, or eager"
        )


def _stack(setting: Setting) -> str:
    if setting.built.architecture is not None:
        return ""
    known = {
        ffn(): "ffn",
        gated_ffn(): "gated-ffn",
        gated_ffn(residual=True): "gated-ffn with residual",
    }
    if setting.model not in known:
        raise BadInput.one_of(f"how to build {setting.model.name} in PyTorch is not known", known.values())
    return known[setting.model]


def _shards(setting: Setting) -> int | None:
    """The degree of FSDP2, or None where weights are not divided."""
    placed = {kind: one for kind, one in setting.placement.items() if one.fraction != 0}
    states = {kind: one for kind, one in placed.items() if kind in ("weights", "gradients", "optimizer")}
    if not states:
        return None
    if len(states) < 3 or any(one.fraction != 1 or one.degree != s.n_fsdp for one in states.values()):
        raise BadInput(
            "only one device and FSDP2 are run: weights, gradients and optimizer states all divided over n_fsdp, or none"
        )
    if s.n_fsdp not in setting.values:
        raise BadInput("the step needs a value for n_fsdp; give it as --set n_fsdp=...")
    return int(setting.values[s.n_fsdp])


def _cut(setting: Setting) -> int:
    """Over how many devices the batch is cut."""
    placed = setting.placement.get("activations")
    if placed is None or placed.fraction == 0:
        return 1
    if placed.fraction != 1 or placed.degree != s.n_fsdp or s.n_fsdp not in setting.values:
        raise BadInput(
            "a part of the activations is divided, which no engine does; add --place activations=1, and a value for n_fsdp"
        )
    return int(setting.values[s.n_fsdp])


def _dtypes(recipe: Recipe, shards: int | None) -> tuple[str, str]:
    """The dtypes of parameters and of computation."""
    sizes = {state.kind: state.bytes_per_element for state in recipe.states if not state.moment}
    weights = sizes.get("weights")
    computes = recipe.activations if shards is None else recipe.gathers
    known = weights in DTYPES and computes in DTYPES and sizes.get("gradients") == weights == recipe.moments
    if not known or len([state for state in recipe.states if not state.moment]) != 2:
        raise BadInput(
            f"recipe {recipe.name!r} keeps states that PyTorch does not keep in one step; try --recipe fsdp2"
        )
    if shards is None and computes != weights:
        raise BadInput(
            f"on one device recipe {recipe.name!r} computes in another dtype; try --recipe fp32 or pure-bf16"
        )
    assert weights is not None and computes is not None
    return DTYPES[int(weights)], DTYPES[int(computes)]
