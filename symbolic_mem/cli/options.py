"""The options that every computing verb shares, and the study they make."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from symbolic_mem.base.errors import BadInput, at_place, clipped
from symbolic_mem.base.written import NO_COUNT, counted
from symbolic_mem.cli import complete
from symbolic_mem.cli.complete import of

if TYPE_CHECKING:
    from symbolic_mem.study.study import Study


class Whole(click.ParamType):
    """A whole number of at least 1, in decimal digits as every other number is written."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it, or refuse it in the words of all numbers."""
        number = counted(str(value))
        if not number:
            option = "" if param is None else f"{param.opts[0]} "
            raise BadInput(f"{option}{clipped(str(value))} {NO_COUNT}; write digits, for example 8")
        return number


_PLANS = click.option("--plans", metavar="FILE", help="A TOML file with your own plans.")
_SHARED = (
    click.argument("study", shell_complete=of(complete.studies, files="file")),
    click.option(
        "--set",
        "values",
        multiple=True,
        metavar="NAME=VALUE",
        shell_complete=of(complete.SYMBOLS, after="="),
        help="Give a symbol another value.",
    ),
    click.option(
        "--recipe", metavar="NAME", shell_complete=of(complete.recipes), help="Use another recipe (see `list recipes`)."
    ),
    click.option(
        "--optimizer",
        metavar="NAME",
        shell_complete=of(complete.optimizers),
        help="Use another optimizer (see `list optimizers`).",
    ),
    click.option(
        "--recompute",
        metavar="RULE",
        shell_complete=of(complete.RULES),
        help="none, full, selective, half, products, products=2, every=2, groups=9 or block=4; full+transient: with what that holds.",
    ),
    click.option(
        "--adapters",
        metavar="MODULES",
        help="Train adapters alone: all-linear, q_proj,v_proj, adapter_config.json, or none.",
    ),
    click.option(
        "--gradients",
        metavar="FATE",
        help="kept between micro-batches, freed after a step, or one-by-one: the optimizer steps in the backward pass.",
    ),
    click.option(
        "--offload",
        metavar="KINDS",
        help="Keep these in the host's memory: weights, gradients, optimizer, activations, or none.",
    ),
    click.option(
        "--copies",
        metavar="KIND=BYTES",
        help="Further weights beside: ema=4, a moving average, reference=2, those of a reference model; or none.",
    ),
    click.option(
        "--cache",
        metavar="DTYPE",
        shell_complete=of(complete.caches),
        help="How the caches of inference are stored: bf16, fp8, int8, int4, ...",
    ),
    click.option("--page", metavar="TOKENS", help="The caches of inference are kept in pages of so many tokens."),
    click.option(
        "--profile",
        metavar="NAME",
        shell_complete=of(complete.profiles),
        help="What the engine keeps (see `list profiles`).",
    ),
    click.option("--kernel", metavar="NAME", help="The attention kernel: flash, efficient, eager, math, ..."),
    click.option(
        "--loss",
        metavar="NAME",
        shell_complete=of(complete.losses),
        help="How the loss works: bf16, fp32, fp32-held, chunked:8 or fused.",
    ),
    click.option(
        "--device",
        metavar="NAME",
        shell_complete=of(complete.devices),
        help="Ask about another device (see `list devices`).",
    ),
    click.option("--capacity", metavar="AMOUNT", help='Ask about this much memory, as in "95 GiB".'),
    click.option(
        "--reading",
        metavar="READING",
        shell_complete=of(complete.READINGS),
        help="Which bytes count: marketed, binary or reported.",
    ),
    click.option(
        "--plan",
        metavar="NAME",
        shell_complete=of(complete.plans),
        help="Where the states live and what cuts the model: fsdp2, zero-1, hsdp, megatron-sp (see `list plans`).",
    ),
    click.option(
        "--place",
        multiple=True,
        metavar="KIND=FRACTION[,REST]",
        shell_complete=of(complete.KINDS, after="="),
        help="Divide this fraction of a kind of memory; the rest is kept or dropped (repeatable).",
    ),
    click.option(
        "--rest",
        metavar="FATE",
        shell_complete=of(complete.RESTS),
        help="What is not divided is kept on every device, or dropped.",
    ),
    click.option(
        "--variant", type=Whole(), metavar="N", help="Take the variant of that number (`[variants]` of a study)."
    ),
    click.option("--devices", metavar="FILE", help="A TOML file with your own devices."),
    click.option("--recipes", metavar="FILE", help="A TOML file with your own recipes."),
    click.option("--profiles", metavar="FILE", help="A TOML file with your own engine profiles."),
    _PLANS,
    click.option("--like", metavar="FAMILY", help="Read a config.json as this family, whatever it says."),
    click.option(
        "--from", "origin", metavar="LIBRARY", help="Count what an installed transformers builds of a config."
    ),
)
PADDED_ROWS = click.option("--padded-rows", is_flag=True, help="Tensors are cut into whole rows, as FSDP2 does.")
_RULES = (
    click.option("--multiple-of", metavar="NUMBER", help="The degree is a multiple of it: whole nodes of 8."),
    click.option("--power-of-two", is_flag=True, help="The degree is 1, 2, 4, 8, ..."),
    click.option("--divides", metavar="NUMBER", help="The degree divides it: a number, or a symbol such as B."),
    click.option("--at-most-devices", metavar="NUMBER", help="There are no more devices than this."),
    click.option("--whole-samples", is_flag=True, help="A sequence is not cut: each device holds whole ones."),
    PADDED_ROWS,
)
SPELLED = {"kinds": "kind", "at_most": "at-most-devices"}  # options that have not the names of the keys that they give
SHARED = (
    *(
        "study",
        "values",
        "recipe",
        "optimizer",
        "recompute",
        "adapters",
        "gradients",
        "offload",
        "copies",
        "cache",
        "page",
        "profile",
        "kernel",
        "loss",
        "plan",
    ),
    *(
        "device",
        "capacity",
        "reading",
        "place",
        "rest",
        "devices",
        "recipes",
        "profiles",
        "plans",
        "like",
        "origin",
        "variant",
    ),
)


SOFTWARE = click.option(
    "--software",
    metavar="LIST",
    help="Also say it with what no tensor is: context, workspaces, allocator, or all; each may be given (context=1GiB).",
)


def study_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the argument STUDY and the options that change it."""
    return _SHARED[0](study_changes(command))


def model_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the same but for a file of plans, for a verb whose ``--plans`` are a number."""
    command = refused_early(command)
    for option in reversed(_SHARED[1:]):
        command = command if option is _PLANS else option(command)
    return _SHARED[0](command)


def study_changes(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that change a study."""
    command = refused_early(command)
    for option in reversed(_SHARED[1:]):
        command = option(command)
    return command


def rule_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for the rules that a degree obeys."""
    for option in reversed(_RULES):
        command = option(command)
    return command


def refused_early(command: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse what needs no arithmetic before the command imports SymPy: a name that is not known, a pair that is none."""

    @wraps(command)
    def refusing(**given: Any) -> Any:
        from symbolic_mem.library.known import refuse_unknown_names

        refuse_unknown_names(given)
        for option, name in (("--set", "values"), ("--place", "place")):
            pairs(given.get(name) or (), option)
        return command(**given)

    return refusing


def chosen_study(options: dict[str, Any], reads_devices: bool = False, asked: str = "", meshes: bool = False) -> Study:
    """Take the shared options out of `options` and return the study that they describe.

    A file of devices that nothing asks about is refused, unless the verb itself `reads_devices` of it. Tokens that are `asked` for are
    not those that a loss which is given has to cut into equal parts; of a degree that is, and of all where `meshes` are, the plan
    has no value yet.
    """
    from symbolic_mem.base.symbols import write
    from symbolic_mem.library.read import load_study
    from symbolic_mem.study.changes import changes
    from symbolic_mem.study.values import typed

    shared = {name: options.pop(name, None) for name in SHARED}
    reading = {name: shared.pop(name) for name in ("like", "origin")}
    variant = shared.pop("variant")
    files = {what: shared.get(what) for what in ("plans", "recipes")}
    study = load_study(shared.pop("study"), shared["devices"], planned=shared["plan"] is not None, **files, **reading)
    if variant is not None:
        with at_place("--variant"):
            study = study.varied(variant)
    if shared["device"] is None and (reads_devices or study.names_device):
        shared["devices"] = None  # the study has read it, and no change does
    for what, chosen in (("plan", study.plan), ("recipe", study.recipe)):
        if shared[what] is None and chosen is not None and _holds(files[f"{what}s"], chosen.name):
            shared[f"{what}s"] = None  # the study has read it, too
    for symbol in study.values if shared["loss"] else ():
        study = study.without(symbol) if symbol.name in _TOKENS.get(asked, ()) else study
    write(study.written)
    values = {name: typed(value) for name, value in pairs(shared.pop("values"), "--set").items()}
    given: dict[str, Any] = {"values": values, "place": pairs(shared.pop("place"), "--place"), **shared}
    if shared["plan"] is not None and (meshes or asked):
        from symbolic_mem.plans.plan import AXES

        found = tuple(axis for axis in AXES if axis.name not in values and (meshes or axis.name == asked))
        given |= {"finds": found} if found else {}
    return study.called(changes(**given, by_option=True), given)


_TOKENS = {"B": ("B",), "S": ("S",), "T": ("B", "S"), "tokens": ("B", "S")}


def _holds(path: str | None, name: str) -> bool:
    """Whether a file has a table of that name, or of one of those that it joins."""
    from symbolic_mem.base.tomlfile import read_toml

    return path is not None and not set(name.split("+")).isdisjoint(read_toml(path))


def pairs(given: tuple[str, ...], option: str) -> dict[str, str]:
    """Read ``NAME=VALUE`` pairs, each name once."""
    found: dict[str, str] = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise BadInput(f"{option} {pair!r} is not a pair: write {option} NAME=VALUE")
        if name.strip() in found:
            raise BadInput(f"{option} {name.strip()} is given twice; give it once")
        found[name.strip()] = value.strip()
    return found


def print_json(content: object) -> None:
    """Print one JSON object."""
    import json

    click.echo((json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode(), nl=False)
