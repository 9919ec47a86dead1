"""The options of the command line that make a study of its file again, as far as there are such options."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from symbolic_mem.study.changed_values import PLACEMENTS
from symbolic_mem.study.study import Study

Option = tuple[str, str]
Command = tuple[list[str], list[Option]]


def options_of(study: Study, told: Mapping[str, str] | None = None) -> Sequence[Option] | None:
    """Return the options that make what a caller changed, each with its value; None where one of them has no option.

    An aspect that a caller has `told` by the option of its name stands as it was told.

    >>> from symbolic_mem.library.read import load_study
    >>> options_of(load_study("cs336-a2-xxl").change(values={"B": 64}, device="h100-80gb"))
    [('--set', 'B=64'), ('--device', 'h100-80gb')]
    """
    found: list[Option] = []
    said = told or {}
    for aspect in dict.fromkeys(change.aspect for change in study.caller):
        made = [(f"--{aspect}", said[aspect])] if aspect in said else list(_option(study, aspect))
        if not made:
            return None
        found += made
    if study.devices is not None:
        found.append(("--devices", study.devices))
    if study.variant:
        found.append(("--variant", str(study.variant)))
    return found


def _option(study: Study, aspect: str) -> Iterator[Option]:
    values = {str(symbol): value for symbol, value in study.values.items()}
    built, device = study.built, study.device
    kind = PLACEMENTS.get(aspect)
    if aspect in values:
        yield "--set", f"{aspect}={values[aspect]}"
    elif aspect == "rest" or kind in study.placement:
        for name, placed in study.placement.items():
            if aspect == "rest" or name == kind:
                yield "--place", f"{name}={placed.fraction},{placed.rest}"
    plain = {
        "recipe": study.recipe.name,
        "optimizer": study.recipe.optimizer,
        "profile": built.profile,
        "kernel": built.kernel,
        "loss": built.loss,
        "plan": "" if study.plan is None else study.plan.name,
        "reading": device.reading,
        "recompute": study.recipe.recompute.short,
        "reserved": f"{device.reserved} B",
        "usable": str(device.usable),
    }
    if aspect == "device":
        yield ("--device", device.name) if device.name else ("--capacity", device.amount or "")
    elif plain.get(aspect):
        yield {"reserved": "--reserve"}.get(aspect, f"--{aspect}"), str(plain[aspect])
