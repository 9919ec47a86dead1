"""How much memory, how many devices, and why: training memory accounts, derived symbolically and solved exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symbolic_mem.lazy import load_on_first_use

if TYPE_CHECKING:
    from symbolic_mem.account import account as account
    from symbolic_mem.check import check as check
    from symbolic_mem.compare import compare as compare
    from symbolic_mem.derive.documents import homework as homework
    from symbolic_mem.derive.documents import report as report
    from symbolic_mem.derive.steps import Derivation as Derivation
    from symbolic_mem.evaluate import evaluate as evaluate
    from symbolic_mem.hardware import Device as Device
    from symbolic_mem.hardware import device as device
    from symbolic_mem.models.architecture import Architecture as Architecture
    from symbolic_mem.models.counts import active_parameters as active_parameters
    from symbolic_mem.models.counts import parameters_by_group as parameters_by_group
    from symbolic_mem.models.ffn import ffn as ffn
    from symbolic_mem.models.huggingface import read_config as read_config
    from symbolic_mem.models.profile import Profile as Profile
    from symbolic_mem.models.profile import profile as profile
    from symbolic_mem.models.tensors import Layer as Layer
    from symbolic_mem.models.tensors import Matmul as Matmul
    from symbolic_mem.models.tensors import Model as Model
    from symbolic_mem.models.tensors import Tensor as Tensor
    from symbolic_mem.models.transformer import transformer as transformer
    from symbolic_mem.placement import over as over
    from symbolic_mem.recipes.recipe import Recipe as Recipe
    from symbolic_mem.recipes.recipe import recipe as recipe
    from symbolic_mem.recipes.recompute import Recompute as Recompute
    from symbolic_mem.recipes.recompute import recompute as recompute
    from symbolic_mem.solve.bound import Bound as Bound
    from symbolic_mem.solve.bound import solve as solve
    from symbolic_mem.solve.degree import smallest_degree as smallest_degree
    from symbolic_mem.solve.inverse import largest as largest
    from symbolic_mem.solve.layout import PaddedRows as PaddedRows
    from symbolic_mem.solve.layout import WholeSamples as WholeSamples
    from symbolic_mem.solve.rules import AtMost as AtMost
    from symbolic_mem.solve.rules import Divides as Divides
    from symbolic_mem.solve.rules import MultipleOf as MultipleOf
    from symbolic_mem.solve.rules import PowerOfTwo as PowerOfTwo
    from symbolic_mem.study import Study as Study
    from symbolic_mem.study import load_study as load_study
    from symbolic_mem.symbols import B as B
    from symbolic_mem.symbols import L as L
    from symbolic_mem.symbols import S as S
    from symbolic_mem.symbols import V as V
    from symbolic_mem.symbols import d_ff as d_ff
    from symbolic_mem.symbols import d_head as d_head
    from symbolic_mem.symbols import d_model as d_model
    from symbolic_mem.symbols import n_fsdp as n_fsdp
    from symbolic_mem.symbols import n_heads as n_heads
    from symbolic_mem.symbols import n_kv as n_kv
    from symbolic_mem.symbols import n_pp as n_pp
    from symbolic_mem.symbols import n_replica as n_replica
    from symbolic_mem.symbols import n_tp as n_tp
    from symbolic_mem.terms import Memory as Memory
    from symbolic_mem.terms import Term as Term

__version__ = "0.1.0"

_NAMES = {
    "symbolic_mem.account": ("account",),
    "symbolic_mem.check": ("check",),
    "symbolic_mem.compare": ("compare",),
    "symbolic_mem.derive.documents": (
        "homework",
        "report",
    ),
    "symbolic_mem.derive.steps": ("Derivation",),
    "symbolic_mem.evaluate": ("evaluate",),
    "symbolic_mem.hardware": (
        "Device",
        "device",
    ),
    "symbolic_mem.models.architecture": ("Architecture",),
    "symbolic_mem.models.counts": (
        "active_parameters",
        "parameters_by_group",
    ),
    "symbolic_mem.models.ffn": ("ffn",),
    "symbolic_mem.models.huggingface": ("read_config",),
    "symbolic_mem.models.profile": (
        "Profile",
        "profile",
    ),
    "symbolic_mem.models.tensors": (
        "Layer",
        "Matmul",
        "Model",
        "Tensor",
    ),
    "symbolic_mem.models.transformer": ("transformer",),
    "symbolic_mem.placement": ("over",),
    "symbolic_mem.recipes.recipe": (
        "Recipe",
        "recipe",
    ),
    "symbolic_mem.recipes.recompute": (
        "Recompute",
        "recompute",
    ),
    "symbolic_mem.solve.bound": (
        "Bound",
        "solve",
    ),
    "symbolic_mem.solve.degree": ("smallest_degree",),
    "symbolic_mem.solve.inverse": ("largest",),
    "symbolic_mem.solve.layout": (
        "PaddedRows",
        "WholeSamples",
    ),
    "symbolic_mem.solve.rules": (
        "AtMost",
        "Divides",
        "MultipleOf",
        "PowerOfTwo",
    ),
    "symbolic_mem.study": (
        "Study",
        "load_study",
    ),
    "symbolic_mem.terms": (
        "Memory",
        "Term",
    ),
    "symbolic_mem.symbols": (
        "L",
        "B",
        "S",
        "V",
        "d_model",
        "d_ff",
        "n_heads",
        "n_kv",
        "d_head",
        "n_fsdp",
        "n_replica",
        "n_tp",
        "n_pp",
    ),
}
_HOMES = {name: home for home, names in _NAMES.items() for name in names}

__all__ = ["__version__", *_HOMES]  # noqa: PLE0604 (the names of a literal above)

load_on_first_use(__name__, _HOMES)
