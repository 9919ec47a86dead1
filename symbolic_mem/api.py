"""The public names, once: what `import symbolic_mem` offers, each loaded when the first of them is used."""

from typing import TYPE_CHECKING

from symbolic_mem.accounts.account import account as account
from symbolic_mem.accounts.gaps import compare as compare
from symbolic_mem.accounts.terms import Memory as Memory
from symbolic_mem.accounts.terms import Term as Term
from symbolic_mem.accounts.timeline import timeline as timeline
from symbolic_mem.base.errors import BadInput as BadInput
from symbolic_mem.base.errors import MissingProgram as MissingProgram
from symbolic_mem.base.errors import MissingValue as MissingValue
from symbolic_mem.base.errors import RenderError as RenderError
from symbolic_mem.base.errors import SymbolicMemError as SymbolicMemError
from symbolic_mem.base.named import evaluate as evaluate
from symbolic_mem.base.symbols import B as B
from symbolic_mem.base.symbols import L as L
from symbolic_mem.base.symbols import S as S
from symbolic_mem.base.symbols import V as V
from symbolic_mem.base.symbols import d_ff as d_ff
from symbolic_mem.base.symbols import d_head as d_head
from symbolic_mem.base.symbols import d_model as d_model
from symbolic_mem.base.symbols import n_fsdp as n_fsdp
from symbolic_mem.base.symbols import n_heads as n_heads
from symbolic_mem.base.symbols import n_kv as n_kv
from symbolic_mem.base.symbols import n_pp as n_pp
from symbolic_mem.base.symbols import n_replica as n_replica
from symbolic_mem.base.symbols import n_tp as n_tp
from symbolic_mem.claims.check import check as check
from symbolic_mem.documents.derivation import Derivation as Derivation
from symbolic_mem.documents.documents import answer as answer
from symbolic_mem.documents.documents import homework as homework
from symbolic_mem.documents.documents import report as report
from symbolic_mem.documents.fragment import Fragment as Fragment
from symbolic_mem.documents.fragment import fragment as fragment
from symbolic_mem.documents.runs import fit as fit
from symbolic_mem.explore.page import Explorer as Explorer
from symbolic_mem.explore.page import explorer as explorer
from symbolic_mem.hardware.catalogue import device as device
from symbolic_mem.hardware.devices import Device as Device
from symbolic_mem.library.read import load_study as load_study
from symbolic_mem.models.architecture import Architecture as Architecture
from symbolic_mem.models.counts import active_parameters as active_parameters
from symbolic_mem.models.counts import parameters_by_group as parameters_by_group
from symbolic_mem.models.ffn import ffn as ffn
from symbolic_mem.models.gated_ffn import gated_ffn as gated_ffn
from symbolic_mem.models.huggingface import read_config as read_config
from symbolic_mem.models.profile import Profile as Profile
from symbolic_mem.models.profile import profile as profile
from symbolic_mem.models.tensors import Layer as Layer
from symbolic_mem.models.tensors import Matmul as Matmul
from symbolic_mem.models.tensors import Model as Model
from symbolic_mem.models.tensors import Tensor as Tensor
from symbolic_mem.models.transformer import transformer as transformer
from symbolic_mem.plans.placement import over as over
from symbolic_mem.recipes.recipe import Recipe as Recipe
from symbolic_mem.recipes.recipe import recipe as recipe
from symbolic_mem.recipes.recompute import Recompute as Recompute
from symbolic_mem.recipes.recompute import recompute as recompute
from symbolic_mem.render import document as _document
from symbolic_mem.solvers.bound import Bound as Bound
from symbolic_mem.solvers.bound import solve as solve
from symbolic_mem.solvers.degree import smallest_degree as smallest_degree
from symbolic_mem.solvers.inverse import largest as largest
from symbolic_mem.solvers.layout import PaddedRows as PaddedRows
from symbolic_mem.solvers.layout import WholeSamples as WholeSamples
from symbolic_mem.solvers.rules import AtMost as AtMost
from symbolic_mem.solvers.rules import Divides as Divides
from symbolic_mem.solvers.rules import MultipleOf as MultipleOf
from symbolic_mem.solvers.rules import PowerOfTwo as PowerOfTwo
from symbolic_mem.study.changes import place_kind as place_kind
from symbolic_mem.study.changes import reserve as reserve
from symbolic_mem.study.changes import set_rest as set_rest
from symbolic_mem.study.changes import set_value as set_value
from symbolic_mem.study.changes import use_capacity as use_capacity
from symbolic_mem.study.changes import use_device as use_device
from symbolic_mem.study.changes import use_fraction as use_fraction
from symbolic_mem.study.changes import use_kernel as use_kernel
from symbolic_mem.study.changes import use_optimizer as use_optimizer
from symbolic_mem.study.changes import use_profile as use_profile
from symbolic_mem.study.changes import use_reading as use_reading
from symbolic_mem.study.changes import use_recipe as use_recipe
from symbolic_mem.study.changes import use_recompute as use_recompute
from symbolic_mem.study.question import Found as Found
from symbolic_mem.study.setting import Change as Change
from symbolic_mem.study.study import Study as Study
from symbolic_mem.sweeps.sweep import sweep as sweep

render_document = _document.render

if not TYPE_CHECKING:  # a list that is computed hides all names from some checkers of types
    __all__ = [name for name in dir() if not name.startswith("_") and name != "TYPE_CHECKING"]
