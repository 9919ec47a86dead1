"""`held`: what the account of a setting says that one device holds at the marks of a training step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from symbolic_mem.accounts.instant import Instant
from symbolic_mem.accounts.terms import Memory
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import Numbers
from symbolic_mem.base.rational import Number
from symbolic_mem.base.values import dataclass
from symbolic_mem.solvers.shards import on_rank
from symbolic_mem.study.setting import Setting

MARKS = {
    "start": "the start of the step",
    "forward": "the most in the forward pass",
    "forward end": "the end of the forward pass",
    "backward": "the most in the backward pass",
    "backward end": "the end of the backward pass",
    "step": "the most in the optimizer step",
}


@dataclass(frozen=True)
class Held:
    """Bytes of one device at a mark, and the instant at which it holds them."""

    mark: str
    bytes: Number
    instant: str = ""


def held(setting: Setting, rank: int = 0) -> dict[str, Held]:
    """Return what one device holds at each of `MARKS`, in exact bytes; shards are padded to whole rows, as FSDP2 does.

    `rank` is the device. Raises `BadInput` where only the sum
    of what is kept is known.
    """
    step = setting.timeline
    if not step:
        raise BadInput(
            f"recipe {setting.recipe.name!r} has no instants for this placement: only the sum of what is kept is known"
        )
    by_name = {name: [one for one in step if one.name == name] for name in {one.name for one in step}}
    during = {phase: [one for one in step if one.phase == phase] for phase in {one.phase for one in step}}
    ends = by_name["forward end"]
    found = {
        "forward": _most(setting, rank, "forward", during["forward"]),
        "forward end": _most(setting, rank, "forward end", ends),
        "backward": _most(setting, rank, "backward", (*ends, *during.get("loss", ()), *during["backward"])),
        "step": _most(setting, rank, "step", during["step"]),
    }
    still = replace(setting, recipe=replace(setting.recipe, optimizer="")).timeline
    (after,) = (one.memory for one in still if one.name == "step")
    kinds = [kind for kind in after.kinds if kind != "gradients" or setting.recipe.gradients_persist]
    found["start"] = Held("start", bytes_of(setting, after.of(*kinds), rank))
    found["backward end"] = Held("backward end", bytes_of(setting, after, rank))
    return {mark: found[mark] for mark in MARKS}


def _most(setting: Setting, rank: int, mark: str, instants: Iterable[Instant]) -> Held:
    return max(
        (Held(mark, bytes_of(setting, one.memory, rank), one.words) for one in instants), key=lambda one: one.bytes
    )


def bytes_of(setting: Setting, memory: Memory, rank: int = 0) -> Number:
    """The bytes of one device, with padded rows where weights are divided over the data-parallel devices."""
    return on_rank(memory.placed(setting.placement), Numbers.of(setting.numbers), rank)
