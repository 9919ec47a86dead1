"""The options that every computing verb shares, and the study they make."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from symbolic_mem.base.errors import BadInput

if TYPE_CHECKING:
    from symbolic_mem.study.study import Study

_SHARED = (
    click.argument("study"),
    click.option("--set", "values", multiple=True, metavar="NAME=VALUE", help="Give a symbol another value."),
    click.option("--recipe", metavar="NAME", help="Use another recipe (see `list recipes`)."),
    click.option("--optimizer", metavar="NAME", help="Use another optimizer (see `list optimizers`)."),
    click.option("--recompute", metavar="RULE", help="none, full, selective, half, every=2 or groups=9."),
    click.option("--profile", metavar="NAME", help="What the engine keeps (see `list profiles`)."),
    click.option("--kernel", metavar="NAME", help="The attention kernel: flash, efficient, eager, math, ..."),
    click.option("--loss", metavar="NAME", help="How the loss works: bf16, fp32, fp32-held, chunked:8 or fused."),
    click.option("--device", metavar="NAME", help="Ask about another device (see `list devices`)."),
    click.option("--capacity", metavar="AMOUNT", help='Ask about this much memory, as in "95 GiB".'),
    click.option("--reading", metavar="READING", help="Which bytes count: marketed, binary or reported."),
    click.option(
        "--plan", metavar="NAME", help="Where the states live: one-device, dp, zero-1 to zero-3, fsdp2, hsdp."
    ),
    click.option("--place", multiple=True, metavar="KIND=FRACTION", help="Divide this fraction of a kind of memory."),
    click.option("--rest", metavar="FATE", help="What is not divided is kept on every device, or dropped."),
    click.option("--variant", type=int, metavar="N", help="Take the variant of that number (`[variants]` of a study)."),
    click.option("--devices", metavar="FILE", help="A TOML file with your own devices."),
    click.option("--like", metavar="FAMILY", help="Read a config.json as this family, whatever it says."),
    click.option(
        "--from", "origin", metavar="LIBRARY", help="Count what an installed transformers builds of a config."
    ),
)
SHARED = (
    *("study", "values", "recipe", "optimizer", "recompute", "profile", "kernel", "loss", "plan"),
    *("device", "capacity", "reading", "place", "rest", "devices", "like", "origin", "variant"),
)


def study_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the argument STUDY and the options that change it."""
    return _SHARED[0](study_changes(command))


def study_changes(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that change a study."""
    for option in reversed(_SHARED[1:]):
        command = option(command)
    return command


def chosen_study(options: dict[str, Any]) -> Study:
    """Take the shared options out of `options` and return the study that they describe."""
    from symbolic_mem.library.read import load_study
    from symbolic_mem.study.values import typed

    shared = {name: options.pop(name) for name in SHARED}
    reading = {name: shared.pop(name) for name in ("like", "origin")}
    variant = shared.pop("variant")
    study = load_study(shared.pop("study"), shared["devices"], **reading)
    study = study if variant is None else study.varied(variant)
    values = {name: typed(value) for name, value in pairs(shared.pop("values"), "--set").items()}
    return study.change(values=values, place=pairs(shared.pop("place"), "--place"), **shared)


def pairs(given: tuple[str, ...], option: str) -> dict[str, str]:
    """Read ``NAME=VALUE`` pairs; the last one of a name counts."""
    found = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise BadInput(f"{option} {pair!r} is not a pair: write {option} NAME=VALUE")
        found[name.strip()] = value.strip()
    return found


def print_json(content: object) -> None:
    """Print one JSON object."""
    import json

    click.echo((json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode(), nl=False)
