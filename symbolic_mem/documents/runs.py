"""What of inference and training fits on the devices that somebody has, and how: one row for each, with the call that derives it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from math import prod
from typing import Any

from symbolic_mem.base.errors import BadInput, NotDescribed, at_place
from symbolic_mem.base.rational import Number, fraction
from symbolic_mem.base.symbols import B, L, S, n_fsdp, n_heads, n_pos
from symbolic_mem.base.symbols import r_lora as RANK
from symbolic_mem.base.values import dataclass
from symbolic_mem.documents.account import Account
from symbolic_mem.documents.run import ALONE, DEGREES, INFERENCE, Run, Way
from symbolic_mem.hardware.devices import Device
from symbolic_mem.hardware.nodes import Nodes, read_nodes
from symbolic_mem.models.attention import BY_PARTS
from symbolic_mem.models.trained import EVERY_PRODUCT, Trained
from symbolic_mem.recipes.caches import cache_format
from symbolic_mem.recipes.read import recipe
from symbolic_mem.recipes.tuned import CONFIG, in_folder
from symbolic_mem.study.changed_recipe import use_adapters
from symbolic_mem.study.changes import changes
from symbolic_mem.study.study import Study, of_study
from symbolic_mem.study.tuning import trains

ONE, TOKENS = 1, 4096
CHUNKS = 8
PLAIN = "torch-"  # how the names of engines without models of their own begin
STAGES = 16  # up to so many are all tried, beyond them those that divide the blocks
TRAINING = "full training"
ADAPTERS = {"LoRA": "lora", "QLoRA": "qlora"}  # and their recipes
USUAL_RANK = 16
OF_TRAINING = ("optimizer", "gradients", "offload", "copies")


@dataclass(frozen=True, repr=False)
class Runs:
    """What was asked, and a `Run` for each thing that one does with a model; `refused` says why a thing cannot be done.

    `sizes` are B and S, and what else the caller gave values to, and `host` is the memory of the host that all devices share.
    """

    study: Study
    nodes: Nodes
    runs: tuple[Run, ...]
    refused: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    host: Number | None = None

    def __repr__(self) -> str:
        from symbolic_mem.render.notebook import short

        words = {True: "fits", False: "does not", None: "may or may not"}
        told = ", ".join(f"{run.what} {words[run.fits]}" for run in self.runs)
        return f"<{self.study.name} on {self.nodes.number} {self.nodes.device.name}: {short(told)}>"

    @property
    def record(self) -> Mapping[str, Any]:
        """All rows as ``fit --json`` prints them."""
        return {
            "study": self.study.name,
            "devices": self.nodes.number,
            "device": self.nodes.device.name,
            "values": self.sizes,
            **({} if self.host is None else {"host_bytes": int(self.host)}),
            "rows": [run.record for run in self.runs],
            "refused": dict(self.refused),
            "assumed": list(self.assumed),
        }

    @property
    def assumed(self) -> tuple[str, ...]:
        """How the file was read, and whose modules rows of adapters have where they are not those that PEFT trains."""
        plain = [
            run.what
            for run in self.runs
            if run.what in ADAPTERS
            and run.described
            and getattr(run.account.study.built.how, "engine", "").startswith(PLAIN)
        ]
        said = (
            f"What blocks keep of {' and '.join(plain)} is counted for plain modules of PyTorch. PEFT trains the models of transformers, "
            "which keep more: --profile hf-cuda-bf16 counts these."
        )
        return (*self.study.built.rests_on, *([said] if plain else []))


@of_study
def fit(
    study: Study,
    on: str,
    extra: tuple[str, ...] = (),
    by_option: bool = False,
    padded_rows: bool = False,
    host: Number | None = None,
    **given: Any,
) -> Runs:
    """Find how inference and training of a model fit on devices, ``8x h100-80gb``: of what fits, what is changed least.

    `given` are words of `Study.change` that hold for every row that knows them; B is 1 and S 4096, or as many as the model has
    positions if these are fewer, where neither study nor caller says otherwise, r_lora 16, on all linear layers. Inference has as many replicas as there is room for, each over devices that its heads
    are divided over, adapters beside frozen weights that are whole where that
    fits, and training is divided over all of them; then with a loss in chunks, then recomputed. With `padded_rows` what is
    divided is cut into whole rows, as FSDP2 does. What is offloaded fits a `host` of so many bytes, which all devices share.

    >>> from symbolic_mem.library.read import load_study
    >>> [(run.what, run.fits, run.plan) for run in fit(load_study("llama-3.1-8b"), "8x h100-80gb").runs]
    [('inference', True, 'one-device'), ('LoRA', True, 'dp'), ('QLoRA', True, 'dp'), ('full training', True, 'fsdp2 with n_fsdp = 8')]
    """
    devices = given.get("devices") or study.devices
    given |= {} if devices is None else {"devices": devices}
    nodes = read_nodes(on, devices=devices)
    if padded_rows and nodes.number == 1:
        raise BadInput(f"--padded-rows cuts tensors over {n_fsdp} devices, and --on {on!r} is one; leave it out")
    kinds = given.get("offload")
    if host is not None and not (study.recipe.offload if kinds is None else kinds != "none"):
        raise BadInput(
            "--host asks about the memory of a host, and nothing is offloaded to it; add --offload KINDS, or leave it out"
        )
    name = given.pop("name", study.name)
    tokens = min(TOKENS, int(study.values.get(n_pos, TOKENS)), _reach(study) or TOKENS)
    sizes = {str(symbol): study.values.get(symbol, usual) for symbol, usual in ((B, ONE), (S, tokens))}
    asked = given.pop("values", None) or {}
    for degree in asked.keys() & set(DEGREES):
        raise BadInput(f"{degree} = {asked[degree]}: --on {on!r} says how many devices there are; leave {degree} out")
    given = {**_own_adapters(study), **{key: value for key, value in given.items() if value is not None}}
    kept = "" if "adapters" in given else _as_the_study_has_them(study)
    on_these: dict[str, Any] = {"device": nodes.device, **given}
    _ = (
        tuple(changes(by_option=by_option, **on_these)),
        study.called(changes(values=asked, by_option=by_option)),
    )  # or refuses
    if given.get("adapters") not in (None, "none"):
        _has_modules(study, given["adapters"], by_option=by_option)
    values = {**{key: int(size) for key, size in sizes.items()}, **asked}
    found: list[Run] = []
    refused: dict[str, BadInput] = {}
    rank = values.pop(RANK.name, study.values.get(RANK))
    if rank is None and not in_folder(str(given.get("adapters"))).endswith(CONFIG):  # such a file has a rank
        rank = USUAL_RANK
    rows = {
        INFERENCE: _inference(
            nodes, int(study.values.get(n_heads, 1)), int(study.values.get(L, 1)), _serving(given.get("cache"))
        ),
        **{
            what: _adapters({} if kept else {"recipe": own}, nodes, values, rank)
            for what, own in ADAPTERS.items()
            if kept in ("", what)
        },
        TRAINING: _training(study, nodes, values),
    }
    for what in ADAPTERS if kept else ():
        if what != kept:
            refused[what] = BadInput(
                "this study's adapters are more than modules and a rank, and are counted as it has them; for others give "
                "--adapters with a list of modules, or with an adapter_config.json"
            )
    for what, ways in rows.items():
        ready = [_whole(way, values, nodes.device, given, what) for way in ways]
        run = _first(what, study, name, nodes, extra, ready, int(values[B.name]), by_option, padded_rows, host)
        if isinstance(run, Run):
            found.append(run)
        else:
            refused[what] = run
    if not found and len(set(map(str, refused.values()))) == 1:
        raise refused[INFERENCE]
    reasons = {what: str(error) for what, error in refused.items()}
    for key in asked.keys() - {B.name, S.name, RANK.name}:
        if found and not any(key in run.changes["values"] for run in found):
            raise BadInput(f"{key} = {asked[key]}: no row reads {key}; leave it out")
    return Runs(study, nodes, tuple(found), reasons, {key: int(value) for key, value in values.items()}, host)


def _own_adapters(study: Study) -> dict[str, str]:
    """The adapters of a study that are modules with one rank, as a caller gives them, where they are not those of the recipes."""
    trained = study.recipe.tuned.trained
    own = trained == _plain(trained) and trained.modules not in ((), (EVERY_PRODUCT,))
    return {"adapters": ",".join(trained.modules)} if own else {}


def _as_the_study_has_them(study: Study) -> str:
    """What a study does whose adapters no list of modules says, such as those of some layers; "" for any other study."""
    tuned = study.recipe.tuned
    if not tuned.trained.modules or tuned.trained == _plain(tuned.trained):
        return ""
    return next(what for what, name in ADAPTERS.items() if bool(recipe(name).tuned.base) == bool(tuned.base))


def _plain(trained: Trained) -> Trained:
    return Trained(trained.modules, whole=(), packed=trained.packed, converts=trained.converts, asks=trained.asks)


def _reach(study: Study) -> int | None:
    """For how many positions a model with rotary ones is made, where its file says so."""
    architecture = study.built.architecture
    return None if architecture is None or architecture.turned is None else architecture.reach


def _has_modules(study: Study, adapters: str, *, by_option: bool) -> None:
    """Raise `BadInput` for adapters on modules or in layers that no row of this model can have."""
    where = "--adapters" if by_option else "adapters"
    with at_place(where):
        trains(use_adapters(adapters, where).apply(replace(study, recipe=recipe("lora"))))


def _whole(way: Way, values: Mapping[str, Any], device: Device, given: Mapping[str, Any], what: str) -> Way:
    """A way with all that a caller has to give, in the order of the command line."""
    by_parts = ("kernel",) if given.get("kernel") in BY_PARTS else ()  # which no engine that serves models has
    of_others = (*OF_TRAINING, *by_parts) if what == INFERENCE else ("cache", "page")
    of_others = of_others if what in ADAPTERS else (*of_others, "adapters")
    own = {key: value for key, value in given.items() if value is not None and key not in of_others}
    reading = {"reading": device.nearest_reading}
    degrees = way.get("values", {})
    rest = {key: value for key, value in way.items() if key != "values"}
    return {**rest, "values": {**degrees, **values}, "device": device.name, **reading, **own}


def _serving(cache: str | None) -> str:
    """The recipe of inference, which is vLLM's unless it has no such caches."""
    return "vllm" if cache is None or not cache_format(cache).engine else "inference"


def _inference(nodes: Nodes, heads: int, blocks: int, name: str) -> Iterator[Way]:
    """As many replicas as there can be, those that leave no device idle first, then those over the fewest; with stages where nothing else fits."""
    number = nodes.number
    shared = [n for n in range(2, number + 1) if number % n == 0 or heads % n == 0]
    staged = [
        (n, stages)
        for n in (1, *shared)
        for stages in range(2, min(number // n, blocks) + 1)
        if (number % (n * stages) == 0 or number <= STAGES) and (stages <= STAGES or blocks % stages == 0)
    ]

    def order(n: int) -> tuple[int, bool, int]:
        return -(number // n), number % n != 0, n

    yield {"recipe": name}
    for n in sorted(shared, key=order):
        yield {"recipe": name, "plan": "vllm-tp", "values": {"n_tp": n}}
    for n, stages in sorted(staged, key=lambda one: (*order(one[0] * one[1]), one[1])):
        degrees = {"n_pp": stages} if n == 1 else {"n_tp": n, "n_pp": stages}
        yield {"recipe": name, "plan": "vllm-tp+pp", "values": degrees}


def _adapters(own: Way, nodes: Nodes, values: Mapping[str, Any], rank: object) -> Iterator[Way]:
    """Frozen weights whole on each device, then divided over all."""
    ways: list[Way] = [{"plan": "dp"}, *_divided(nodes)] if nodes.number > 1 else [ALONE]
    for way in _memories(ways, values):
        ranks = {} if rank is None else {RANK.name: rank}
        yield {**own, **way, "values": {**ranks, **way.get("values", {})}}


def _training(study: Study, nodes: Nodes, values: Mapping[str, Any]) -> Iterator[Way]:
    trains = study.recipe.trains and study.recipe.tuned.trained.everything
    own: Way = {} if trains else {"recipe": "fsdp2"}
    for way in _memories(_divided(nodes) if nodes.number > 1 else [ALONE], values):
        yield {**own, **way}


def _divided(nodes: Nodes) -> list[Way]:
    return [{"plan": "fsdp2", "values": {"n_fsdp": nodes.number}}]


def _memories(plans: list[Way], values: Mapping[str, Any]) -> Iterator[Way]:
    """Each plan as it is, then with a loss in chunks, then recomputed, then with both."""
    chunked = prod(values[name] for name in ("B", "S")) % CHUNKS == 0
    for recompute in (None, "full"):
        for loss in (None, f"chunked:{CHUNKS}") if chunked else (None,):
            options = {"recompute": recompute, "loss": loss}
            for plan in plans:
                yield {**plan, **{key: value for key, value in options.items() if value is not None}}


def _first(
    what: str,
    study: Study,
    name: str,
    nodes: Nodes,
    extra: tuple[str, ...],
    ways: list[Way],
    sequences: int,
    by_option: bool,
    padded_rows: bool,
    host: Number | None,
) -> Run | BadInput:
    """The first way that fits, else that with the smallest peak; why there is none, where all are refused."""
    best: Run | None = None
    refused: list[BadInput] = []
    for way in ways:
        try:
            account, read = _read(study, way, by_option, padded_rows)
            if account.fits is None:
                raise BadInput(f"{', '.join(account.lacking)} without a value: give it with --set")
        except BadInput as error:
            refused.append(error)
            continue
        copies, idle = divmod(nodes.number, prod(int(way["values"].get(axis, 1)) for axis in ("n_tp", "n_pp")))
        run = Run(
            what,
            name,
            read,
            account,
            copies * sequences,
            extra,
            idle,
            host=None if host is None else fraction(host) / nodes.number,
        )
        if run.fits:
            return run
        if best is None or run.facts["peak_bytes"] < best.facts["peak_bytes"]:
            best = run
    if best is None:
        return refused[0]
    described = not any(isinstance(error, NotDescribed) for error in refused)
    return best if described else replace(best, divisible=False)


def _read(study: Study, way: Way, by_option: bool, padded_rows: bool) -> tuple[Account, Way]:
    """The account of a way, with whole rows where some are divided, and the way without the sizes that nothing in it reads: a state has no length."""
    whole = padded_rows and n_fsdp.name in way["values"]
    account = Account(study.called(changes(**way, by_option=by_option), way), whole_rows=whole)
    parts = (part for memory in (account.study.memory, account.on_host) for term in memory for part in term.parts)
    read = {str(symbol) for part in parts for size in (part.copies, *part.shape) for symbol in size.free_symbols}
    kept = {key: value for key, value in way["values"].items() if key in read or key in DEGREES}
    if len(kept) == len(way["values"]):
        return account, way
    return Account(study.without(B).without(S).change(**{**way, "values": kept}), whole_rows=whole), {
        **way,
        "values": kept,
    }
