"""`Row`: an instant of a step as data: the rows of schedules.toml, and which engine's schedule a step has."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from symbolic_mem.accounts.units import units
from symbolic_mem.base.once import hashed_once
from symbolic_mem.base.symbols import n_fsdp
from symbolic_mem.base.tables import Tables
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.built import Built
from symbolic_mem.models.tensors import Model
from symbolic_mem.plans.placement import Placed
from symbolic_mem.recipes.recipe import Recipe

PHASES = ("forward", "loss", "backward", "step", "prefill", "decode")


@hashed_once
@dataclass(frozen=True)
class Row:
    """A row of a schedule (see schedules.toml): what is there at an instant, or at one instant for every place of `at`."""

    name: str
    phase: str
    words: str
    gradients: str
    activations: str
    at: str = ""
    block: int = 0
    next: int = 0
    previous: int = 0
    root: int = 0
    whole: str = ""
    sent: str = ""
    shares: bool = False
    stepped: bool = False
    enters: bool = False
    leaves: bool = False
    arrives: bool = False
    resharded: int = 0
    working: bool = False
    loss: bool = False
    inside: bool = False
    caller: bool = False
    embedded: bool = False
    tied: int = 0
    reduced: str = ""
    part: int = 0
    master: bool = False
    norm: bool = False
    scalars: int = 0
    step: bool = False

    @property
    def outside(self) -> bool:
        """Whether a gradient of what lies before the blocks is reduced, when what its operation needed is let go."""
        return self.embedded and self.reduced in ("full", "own")


@cache
def schedule(name: str) -> tuple[Row, ...]:
    """Return the instants of a schedule, in the order of a step.

    >>> [row.name for row in schedule("eager")]
    ['forward', 'head', 'loss inside', 'forward end', 'loss', 'end', 'backward', 'embedding', 'tied', 'step']
    """
    return tuple(Row(**row) for row in _tables()[name]["instants"])


@cache
def _tables() -> Tables:
    return Tables.of(Path(__file__).with_name("schedules.toml"))


def schedule_of(recipe: Recipe, model: Model, placement: Mapping[str, Placed]) -> str:
    """Return the name of the schedule of a step, or "" where only the sum of what is kept is known.

    An engine that gathers weights runs ``fsdp2`` where all weights are divided over n_fsdp, ``zero2`` where all gradients
    are and no weights, in one dtype, and ``eager`` where neither are. DeepSpeed's has ``deepspeed-2`` and ``deepspeed-1``:
    all of the optimizer is divided, with the gradients or without, and no weights.
    """
    if not recipe.schedule or not any(layer.block for layer in model.layers):
        return ""
    if recipe.schedule == "deepspeed":
        return _of_deepspeed(recipe, placement)
    if any(state.kind == "buffers" for state in recipe.states) or "buffers" in placement:
        return ""
    if _copies_unseen(model):
        return ""
    weights, gradients = placement.get("weights"), placement.get("gradients")
    known = recipe.gathers is not None and recipe.reduces is not None
    if recipe.in_backward and gradients is not None and gradients.fraction != 0 and not _all(weights):
        return ""
    if "weights" in recipe.offload and (weights is None or weights.fraction == 0):
        return "fsdp2" if known else ""
    if weights is None or weights.fraction == 0:
        if gradients is None or gradients.fraction == 0:
            return "eager"
        return "zero2" if _all(gradients) and known and _one_dtype(recipe) else ""
    return "fsdp2" if _all(weights) and known and not (recipe.in_backward and "weights" in recipe.offload) else ""


def _of_deepspeed(recipe: Recipe, placement: Mapping[str, Placed]) -> str:
    weights, gradients = placement.get("weights"), placement.get("gradients")
    if recipe.offload or recipe.in_backward or "buffers" in placement or not _all(placement.get("optimizer")):
        return ""
    if not _one_dtype(recipe) or not (weights is None or weights.fraction == 0):
        return ""
    if (
        recipe.gradient_bytes() != recipe.activations or recipe.moments != 4
    ):  # kept or updated in another dtype, by other ways
        return ""
    if gradients is None or gradients.fraction == 0:
        return "deepspeed-1"
    return "deepspeed-2" if _all(gradients) else ""


def converting(built: Built, recipe: Recipe, placement: Mapping[str, Placed]) -> Built:
    """Return a model as the blocks of a step have it: FSDP2 in mixed precision converts what a block is given, too.

    PyTorch 2.13, ``MixedPrecisionPolicy(cast_forward_inputs=True)``, its default.
    """
    kept = {state.bytes_per_element for state in recipe.states if state.kind == "weights"}
    if built.converting is built or recipe.gathers is None or kept == {recipe.gathers}:
        return built
    return built.converting if schedule_of(recipe, built.model, placement) == "fsdp2" else built


def _copies_unseen(model: Model) -> bool:
    """Whether copies of weights are kept by operations that are not described, so that nothing says when they are there."""
    if not any("buffers" in layer.saved_kinds for layer in model.layers):
        return False
    found = units(model)
    unseen = [*found.before, *(layer for unit in found.blocks if unit.work is None for layer in unit.layers)]
    unseen += found.after if found.work is None else ()
    return any("buffers" in layer.saved_kinds for layer in unseen)


def _all(placed: Placed | None) -> bool:
    return placed is not None and placed.fraction == 1 and placed.degree.has(n_fsdp)


def _one_dtype(recipe: Recipe) -> bool:
    """Whether weights are kept in the dtype of the computation, so that none are converted for it."""
    return all(one.bytes_per_element == recipe.activations for one in recipe.states if one.kind == "weights")
