"""What of inference and training fits on the devices that somebody has, and how: one row for each, with the call that derives it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from functools import cached_property
from math import prod
from typing import Any

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import Numbers
from symbolic_mem.base.rational import Number, fraction, rounded_up
from symbolic_mem.base.symbols import B, S, n_fsdp, n_pos, n_tp
from symbolic_mem.base.symbols import r_lora as RANK
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Prose
from symbolic_mem.documents.account import Account
from symbolic_mem.hardware.devices import Device
from symbolic_mem.hardware.nodes import Nodes, read_nodes
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.questions.parts.cautions import close_fit, whole_rows
from symbolic_mem.questions.parts.instants import instants
from symbolic_mem.questions.parts.uncounted import uncounted_records
from symbolic_mem.study.changes import changes
from symbolic_mem.study.study import Study, of_study

ONE, TOKENS = 1, 4096
CHUNKS = 8
MOST = 2**40
INFERENCE, TRAINING = "inference", "full training"
ADAPTERS = {"LoRA": "lora", "QLoRA": "qlora"}  # and their recipes
USUAL_RANK = 16
Way = Mapping[str, Any]
DEGREES = (n_fsdp.name, n_tp.name)  # which follow from the number of devices
READ = ("reported", "binary", "marketed")  # the first that is known of a device
OF_TRAINING = ("optimizer", "gradients", "offload")
ALONE: Way = {"plan": "one-device"}


@dataclass(frozen=True)
class Run:
    """One way to run a model on the devices: `changes` as a caller would make them, and the account of one device.

    `name` is what the model is called on the command line, with `extra` words for how it is read; all replicas of inference, or
    all devices of training, have so many `sequences` together.
    """

    what: str
    name: str
    changes: Way
    account: Account
    sequences: int
    extra: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether the peak of one device fits it."""
        return bool(self.account.fits)

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        """What one device holds, as ``account --json`` prints it."""
        return self.account.per_device_record or {}

    @property
    def plan(self) -> str:
        """The plan, with its degrees."""
        degrees = ", ".join(f"{name} = {value}" for name, value in self.changes["values"].items() if name in DEGREES)
        return f"{self.changes.get('plan', 'one-device')}{f' with {degrees}' if degrees else ''}"

    @property
    def loss(self) -> str | None:
        """How the loss works; None where there is none, or where it is not described."""
        return self.account.loss

    @property
    def recompute(self) -> str:
        """The rule by which blocks are recomputed, the study's own where nothing is changed, as ``--recompute`` takes it."""
        return self.account.study.recipe.recompute.short

    @property
    def described(self) -> bool:
        """Whether what it keeps is counted: the caches of inference, what blocks keep of training."""
        built = self.account.study.built
        return bool(built.model.cached) if self.what == INFERENCE else not built.not_described

    @property
    def command(self) -> str:
        """The call that gives the same numbers."""
        words = ["symbolic-mem", "account", self.name, *self.extra]
        for option, given in self.changes.items():
            pairs = [f"{name}={value}" for name, value in given.items()] if option == "values" else [given]
            words += [word for one in pairs for word in (f"--{'set' if option == 'values' else option}", str(one))]
        return shlex.join(words)

    @cached_property
    def left_tokens(self) -> int | None:
        """How many more tokens the sequences on one device may have together; None where any number fits, or none does.

        All sequences are made longer alike, as far as the peak of every instant allows.
        """
        study = self.account.study
        if not self.fits or S not in study.values or B not in study.values:
            return None
        placed = [one.placed() for one in instants(study, KINDS)]
        room = fraction(study.capacity.counted)

        def held(tokens: int) -> Number:
            numbers = Numbers({**study.values, S: tokens}, "the memory of one device")
            return max(memory.at(numbers) for memory in placed)

        most = _most(held, int(study.values[S]), room)
        return None if most is None else (most - int(study.values[S])) * int(study.values[B])

    @property
    def not_counted(self) -> list[Mapping[str, Any]]:
        """What the peak leaves out, with sizes where they are known."""
        return uncounted_records(self.account.beyond, self.account.study.values)

    @property
    def not_tried(self) -> str | None:
        """What might fit where this does not, and is not among the ways that are tried."""
        if self.fits:
            return None
        if self.what == INFERENCE:
            packed = self.account.study.built.packing
            fewer = [] if packed is not None else ["weights in fewer bits (give the config.json of a quantised file)"]
            fewer += [] if "cache" in self.changes else ["caches in fewer bits (--cache fp8)"]
            fewer += ["pipeline parallelism"] if self.changes.get("plan", ALONE["plan"]) != ALONE["plan"] else []
            return ", ".join(fewer) or None
        cuts = "plans that cut the blocks (tensor, expert, context and pipeline parallelism)"
        ways = [*([] if self.changes.get("plan") == ALONE["plan"] else [cuts]), *([] if self.offloads else ["offload"])]
        return ", and ".join(ways) or None

    @property
    def offloads(self) -> tuple[str, ...]:
        """The kinds of memory that live on the host."""
        return self.account.study.recipe.offload

    @property
    def host_bytes(self) -> int | None:
        """What the host holds of it for each device; None where nothing is offloaded."""
        held = self.account.held_on_host if self.offloads else None
        return None if held is None else rounded_up(held)

    @property
    def cautions(self) -> tuple[Prose, ...]:
        """That no process finds so much memory free, where the peak comes close to all there is."""
        study = self.account.study
        if not self.fits:
            return ()
        capacity, held = study.capacity, self.facts["peak_bytes"]
        return (*close_fit(capacity, held), *whole_rows(study, study.values, capacity, held))

    @property
    def record(self) -> Mapping[str, Any]:
        """The row as ``fit --json`` prints it."""
        return {
            "what": self.what,
            "plan": self.plan,
            "recompute": self.recompute,
            "loss": self.loss,
            "fits": self.fits,
            "peak_bytes": self.facts["peak_bytes"],
            "instant": self.facts["instant"],
            "rank": self.facts["rank"],
            "left_bytes": self.facts["left_bytes"],
            "left_tokens": self.left_tokens,
            "host_bytes": self.host_bytes,
            "sequences": self.sequences,
            "not_counted": self.not_counted,
            "not_tried": self.not_tried,
            "command": self.command,
        }


@dataclass(frozen=True, repr=False)
class Runs:
    """What was asked, and a `Run` for each thing that one does with a model; `refused` says why a thing cannot be done.

    `sizes` are B and S, and what else the caller gave values to.
    """

    study: Study
    nodes: Nodes
    runs: tuple[Run, ...]
    refused: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        from symbolic_mem.render.notebook import short

        told = ", ".join(f"{run.what} {'fits' if run.fits else 'does not'}" for run in self.runs)
        return f"<{self.study.name} on {self.nodes.number} {self.nodes.device.name}: {short(told)}>"

    @property
    def record(self) -> Mapping[str, Any]:
        """All rows as ``fit --json`` prints them."""
        return {
            "study": self.study.name,
            "devices": self.nodes.number,
            "device": self.nodes.device.name,
            "values": self.sizes,
            "rows": [run.record for run in self.runs],
            "refused": dict(self.refused),
            "assumed": list(self.study.built.rests_on),
        }


@of_study
def fit(study: Study, on: str, extra: tuple[str, ...] = (), by_option: bool = False, **given: Any) -> Runs:
    """Find how inference and training of a model fit on devices, ``8x h100-80gb``: of what fits, what is changed least.

    `given` are words of `Study.change` that hold for every row that knows them; B is 1 and S 4096, or as many as there are learned
    positions, where neither study nor caller says otherwise, r_lora 16. Inference is cut over as few devices as hold it, adapters beside frozen weights that are whole where that
    fits, and training is divided over all of them; then with a loss in chunks, then recomputed.

    >>> from symbolic_mem.library.read import load_study
    >>> [(run.what, run.fits, run.plan) for run in fit(load_study("llama-3.1-8b"), "8x h100-80gb").runs]
    [('inference', True, 'one-device'), ('LoRA', True, 'dp'), ('QLoRA', True, 'dp'), ('full training', True, 'fsdp2 with n_fsdp = 8')]
    """
    devices = given.get("devices") or study.devices
    given |= {} if devices is None else {"devices": devices}
    nodes = read_nodes(on, devices=devices)
    name = given.pop("name", study.name)
    tokens = min(TOKENS, int(study.values.get(n_pos, TOKENS)))
    sizes = {str(symbol): study.values.get(symbol, usual) for symbol, usual in ((B, ONE), (S, tokens))}
    asked = given.pop("values", None) or {}
    for degree in asked.keys() & set(DEGREES):
        raise BadInput(f"{degree} = {asked[degree]}: --on {on!r} says how many devices there are; leave {degree} out")
    on_these: dict[str, Any] = {"device": nodes.device, **given}
    _ = (
        tuple(changes(by_option=by_option, **on_these)),
        study.called(changes(values=asked, by_option=by_option)),
    )  # or refuses
    values = {**{key: int(size) for key, size in sizes.items()}, **asked}
    found, refused = [], {}
    rank = values.pop(RANK.name, study.values.get(RANK))
    if rank is None and not str(given.get("adapters")).endswith(".json"):  # such a file has a rank
        rank = USUAL_RANK
    rows = {
        INFERENCE: _inference(nodes),
        **{what: _adapters(recipe, nodes, values, rank) for what, recipe in ADAPTERS.items()},
        TRAINING: _training(study, nodes, values),
    }
    for what, ways in rows.items():
        ready = [_whole(way, values, nodes.device, given, what) for way in ways]
        run = _first(what, study, name, nodes, extra, ready, int(values[B.name]), by_option)
        if isinstance(run, Run):
            found.append(run)
        else:
            refused[what] = run
    if not found and len(set(refused.values())) == 1:
        raise BadInput(refused[INFERENCE])
    for key in asked.keys() - {B.name, S.name, RANK.name}:
        if found and not any(key in run.changes["values"] for run in found):
            raise BadInput(f"{key} = {asked[key]}: no row reads {key}; leave it out")
    return Runs(study, nodes, tuple(found), refused, {key: int(value) for key, value in values.items()})


def _whole(way: Way, values: Mapping[str, Any], device: Device, given: Mapping[str, Any], what: str) -> Way:
    """A way with all that a caller has to give, in the order of the command line."""
    of_others = OF_TRAINING if what == INFERENCE else ("cache", "page")
    of_others = of_others if what in ADAPTERS else (*of_others, "adapters")
    own = {key: value for key, value in given.items() if value is not None and key not in of_others}
    known = [reading for reading in READ if getattr(device, reading) is not None]
    reading = {"reading": known[0]} if known else {}
    degrees = way.get("values", {})
    rest = {key: value for key, value in way.items() if key != "values"}
    return {**rest, "values": {**degrees, **values}, "device": device.name, **reading, **own}


def _inference(nodes: Nodes) -> Iterator[Way]:
    yield {"recipe": "vllm"}
    for n in range(2, nodes.number + 1):
        if nodes.number % n == 0:
            yield {"recipe": "vllm", "plan": "vllm-tp", "values": {"n_tp": n}}


def _adapters(recipe: str, nodes: Nodes, values: Mapping[str, Any], rank: object) -> Iterator[Way]:
    """Frozen weights whole on each device, then divided over all."""
    ways: list[Way] = [{"plan": "dp"}, *_divided(nodes)] if nodes.number > 1 else [ALONE]
    for way in _memories(ways, values):
        ranks = {} if rank is None else {RANK.name: rank}
        yield {"recipe": recipe, **way, "values": {**ranks, **way.get("values", {})}}


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
) -> Run | str:
    """The first way that fits, else that with the smallest peak; why there is none, where all are refused."""
    best, reason = None, ""
    for way in ways:
        try:
            account, read = _read(study, way, by_option)
            if account.fits is None:
                raise BadInput(f"{', '.join(account.lacking)} without a value: give it with --set")
        except BadInput as error:
            reason = reason or str(error)
            continue
        copies = nodes.number // int(way["values"].get("n_tp", 1))
        run = Run(what, name, read, account, copies * sequences, extra)
        if run.fits:
            return run
        if best is None or run.facts["peak_bytes"] < best.facts["peak_bytes"]:
            best = run
    return best if best is not None else reason


def _read(study: Study, way: Way, by_option: bool) -> tuple[Account, Way]:
    """The account of a way, and the way without the sizes that nothing in it reads: a state has no length."""
    account = Account(study.called(changes(**way, by_option=by_option), way))
    parts = (part for term in account.study.memory for part in term.parts)
    read = {str(symbol) for part in parts for size in (part.copies, *part.shape) for symbol in size.free_symbols}
    kept = {key: value for key, value in way["values"].items() if key in read or key in DEGREES}
    if len(kept) == len(way["values"]):
        return account, way
    return Account(study.without(B).without(S).change(**{**way, "values": kept})), {**way, "values": kept}


def _most(held: Callable[[int], Number], low: int, room: Number) -> int | None:
    """The last number at which what is `held` fits the room, as `low` does; None where there is none.

    What is held never falls. Along a line the next try is the answer; every third halves what is left, wherever that is.
    """
    at_low, high = held(low), 2 * low
    while (at_high := held(high)) <= room:
        if high > MOST:
            return None
        low, at_low, high = high, at_high, 2 * high
    tries = 0
    while high - low > 1:
        tries += 1
        guess = (low + high) // 2 if tries % 3 == 0 else low + (room - at_low) * (high - low) // (at_high - at_low)
        middle = int(min(max(guess, low + 1), high - 1))
        found = held(middle)
        if found <= room:
            low, at_low = middle, found
        else:
            high, at_high = middle, found
    return low
