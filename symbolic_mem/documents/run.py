"""One way to run a model on the devices that somebody has: what one of them holds, and the call that derives it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from symbolic_mem.base.exact import Numbers
from symbolic_mem.base.rational import Number, fraction, rounded_up
from symbolic_mem.base.symbols import B, S, n_fsdp, n_pos, n_pp, n_tp
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Prose
from symbolic_mem.documents.account import Account
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.questions.parts.hosted import hosted
from symbolic_mem.questions.parts.instants import instants
from symbolic_mem.questions.parts.uncounted import uncounted_lines

MOST = 2**40
INFERENCE = "inference"
Way = Mapping[str, Any]
DEGREES = (n_fsdp.name, n_tp.name, n_pp.name)  # which follow from the number of devices
ALONE: Way = {"plan": "one-device"}


@dataclass(frozen=True)
class Run:
    """One way to run a model on the devices: `changes` as a caller would make them, and the account of one device.

    `name` is what the model is called on the command line, with `extra` words for how it is read; all replicas of inference, or
    all devices of training, have so many `sequences` together. `idle` are the devices that are left where all others have a whole
    replica each or a share of one. Where a model is not `divisible`, ways that divide it are none that are described here.
    Of the memory of a `host` each device has this share.
    """

    what: str
    name: str
    changes: Way
    account: Account
    sequences: int
    extra: tuple[str, ...] = ()
    idle: int = 0
    divisible: bool = True
    host: Number | None = None

    @property
    def fits(self) -> bool | None:
        """Whether the peak of one device fits it, and what is offloaded the host; None where ways with less on a device are not described."""
        return self.host_holds if self.account.fits else False if self.divisible else None

    @property
    def host_holds(self) -> bool:
        """Whether the share of the host's memory holds what is offloaded of one device."""
        return self.host is None or self.host_bytes is None or self.host_bytes <= self.host

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        """What one device holds, as ``account --json`` prints it, but for what takes over where a number changes."""
        return self.account.of_one_device(turned=False) or {}

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
    def sure(self) -> bool:
        """Whether "fits" says it all: what it keeps is counted, the rest has room, and the libraries are made for the devices."""
        return self.described and not self.account.crowded and not self.account.elsewhere

    @property
    def command(self) -> str:
        """The call that gives the same numbers."""
        words = ["symbolic-mem", "account", self.name, *self.extra]
        for option, given in self.changes.items():
            pairs = [f"{name}={value}" for name, value in given.items()] if option == "values" else [given]
            words += [word for one in pairs for word in (f"--{'set' if option == 'values' else option}", str(one))]
        return shlex.join([*words, *(["--padded-rows"] if self.account.whole_rows else [])])

    @cached_property
    def left_tokens(self) -> int | None:
        """How many more tokens the sequences on one device may have together; None where any number fits, or none does.

        All sequences are made longer alike, as far as the peak of every instant allows, and to the last learned position.
        """
        study = self.account.study
        if not self.fits or S not in study.values or B not in study.values:
            return None
        placed = [one.placed() for one in instants(study, KINDS)]
        beside = hosted(study)
        room = fraction(study.capacity.counted)

        def held(tokens: int) -> Number:
            numbers = Numbers({**study.values, S: tokens}, "the memory of one device")
            there = self.host is not None and self.account.held(beside, numbers) > self.host
            return max(*(self.account.held(memory, numbers) for memory in placed), room + 1 if there else 0)

        last = study.values.get(n_pos)
        most = int(last) if last is not None and held(int(last)) <= room else _most(held, int(study.values[S]), room)
        return None if most is None else (most - int(study.values[S])) * int(study.values[B])

    @property
    def not_counted(self) -> list[Mapping[str, Any]]:
        """What the peak leaves out, with sizes where they are known."""
        return self.account.not_counted

    @property
    def uncounted(self) -> tuple[Prose, ...]:
        """The same as lines."""
        account = self.account
        lines = uncounted_lines(
            account.beyond, account.study.values, padded=account.whole_rows, software=account.software_counted
        )
        return tuple(said for _, said in lines)

    @property
    def not_tried(self) -> str | None:
        """What might fit a device where this does not, and is not among the ways that are tried."""
        if self.account.fits:
            return None
        if self.what == INFERENCE:
            packed = self.account.study.built.packing
            fewer = (
                [] if self.divisible else ["tensor and pipeline parallelism, of which nothing describes this model's"]
            )
            fewer += [] if packed is not None else ["weights in fewer bits (give the config.json of a quantised file)"]
            fewer += [] if "cache" in self.changes else ["caches in fewer bits (--cache fp8)"]
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
        return self.account.cautions("fit")

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
            **({} if self.host is None else {"host_holds": self.host_holds}),
            "sequences": self.sequences,
            "idle": self.idle,
            "not_counted": self.not_counted,
            "not_tried": self.not_tried,
            "command": self.command,
            **({"cautions": self.cautions} if self.cautions else {}),
        }


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
