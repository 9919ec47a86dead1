"""What a caller changes in a study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from symbolic_mem.base.errors import BadInput, nearest
from symbolic_mem.base.symbols import n_fsdp
from symbolic_mem.hardware import READINGS, device
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.plans.placement import RESTS, Placed
from symbolic_mem.questions.registry import ASKS
from symbolic_mem.recipes.recipe import recipe
from symbolic_mem.recipes.recompute import COUNTED, Recompute
from symbolic_mem.solvers.capacity import capacity_from
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study
from symbolic_mem.study.values import given_symbol, read_fraction, read_value, typed


def override(
    study: Study,
    *,
    values: Mapping[str, str] | None = None,
    recipe_name: str | None = None,
    device_name: str | None = None,
    capacity: str | None = None,
    reading: str | None = None,
    fractions: Mapping[str, str] | None = None,
    rest: str | None = None,
    profile: str | None = None,
    kernel: str | None = None,
    optimizer_name: str | None = None,
    recompute: str | Mapping[str, Any] | None = None,
) -> Study:
    """Return the study with what a caller changed: the command line's ``--set``, ``--recipe``, ``--place`` and so on.

    `recompute` is a rule as `Recompute.read` takes it, or its short form on the command line: ``every=2``.
    """
    said = []
    new_values = dict(study.values)
    for key, text in (values or {}).items():
        new_values[given_symbol(key, "--set")] = read_value(key, typed(text), "--set")
        said.append(f"{key} = {text}")
    placement = dict(study.placement)
    for kind, fraction in (fractions or {}).items():
        if kind not in KINDS:
            raise BadInput(f"--place: unknown kind {kind!r} of memory; {nearest(kind, KINDS)}")
        old = placement.get(kind, Placed(n_fsdp))
        placement[kind] = replace(old, fraction=read_fraction(fraction, "--place"))
        said.append(f"{fraction} of the {kind} divided")
    if rest is not None:
        if rest not in RESTS:
            raise BadInput(f"--rest: unknown {rest!r}; {nearest(rest, RESTS)}")
        placement = {kind: replace(placed, rest=rest) for kind, placed in placement.items()}
        said.append(f"the rest is {rest}")
    if reading is not None and reading not in READINGS:
        raise BadInput(f"--reading: unknown reading {reading!r}; {nearest(reading, READINGS)}")
    asked = [q for q in study.questions if rest is None or "rest" not in q.options]
    if device_name is not None:
        said.append(f"device {device(device_name, study.devices).name}")
    said += [f"capacity {capacity}"] * (capacity is not None) + [f"{reading} reading"] * (reading is not None)
    if recipe_name is not None:
        said.append(f"recipe {recipe_name}")
    if profile is not None:
        said.append(f"profile {profile}")
    if kernel is not None:
        said.append(f"attention kernel {kernel}")
    chosen = study.recipe if recipe_name is None else recipe(recipe_name).with_recompute(study.recipe.recompute)
    if optimizer_name is not None:
        chosen = chosen.with_optimizer(optimizer_name)
        said.append(f"optimizer {optimizer_name}")
    if recompute is not None:
        chosen = chosen.with_recompute(Recompute.read(_rule(recompute), "--recompute"))
        said.append(f"recomputation: {chosen.recompute}")
    built = study.built if profile is None and kernel is None else study.built.under(profile, kernel)
    built.check(new_values, "--set")
    return replace(
        study,
        built=built,
        values=new_values,
        recipe=chosen,
        placement=placement,
        questions=tuple(_asked(question, device_name, capacity, reading) for question in asked),
        overridden=study.overridden + tuple(said),
    )


def _asked(question: Question, device_name: str | None, capacity: str | None, reading: str | None) -> Question:
    """A question with its own choices replaced by the caller's."""
    options = dict(question.options)
    if not {"device", "capacity"} & set(ASKS[question.ask].keys):
        return question
    if device_name is not None:
        options.pop("capacity", None)
        options["device"] = device_name
    if capacity is not None:
        try:
            capacity_from(capacity)
        except BadInput as error:
            raise BadInput(f"--capacity: {error}") from None
        options.pop("device", None)
        options.pop("reading", None)
        options["capacity"] = capacity
    if reading is not None and "device" in options:
        options["reading"] = reading
    return replace(question, options=options)


def _rule(given: str | Mapping[str, Any]) -> str | Mapping[str, Any]:
    """Read the short form of a rule with a number, ``every=2``; any other is returned as it is."""
    if not isinstance(given, str) or not given.startswith(COUNTED):
        return given
    rule, _, number = given.partition("=")
    if not number.isdecimal() or len(number) > 9:
        raise BadInput(f"--recompute {given!r}: {rule} counts blocks; write for example every=2")
    return {rule: int(number)}
