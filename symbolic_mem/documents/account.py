"""The account of a study as a value: every term with its formula, its bytes, and its bytes on one device."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sympy as sp

from symbolic_mem.accounts.instants import instant
from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import Numbers, at, missing
from symbolic_mem.base.formula import write_formula
from symbolic_mem.base.rational import Number, plain, rounded_up
from symbolic_mem.base.symbols import n_fsdp
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Prose, Typeset
from symbolic_mem.models.counts import active_parameters, parameters_by_group, trainable_parameters
from symbolic_mem.models.losses import own_loss
from symbolic_mem.models.tensors import KINDS, STATIC
from symbolic_mem.questions.parts.asking import as_asked
from symbolic_mem.questions.parts.assumptions import assumptions, placements
from symbolic_mem.questions.parts.cautions import cautions_of_fit, crowded, elsewhere, not_packed, too_long
from symbolic_mem.questions.parts.held import Instant, device_record
from symbolic_mem.questions.parts.hosted import hosted
from symbolic_mem.questions.parts.instants import instant_words, kept_instants
from symbolic_mem.questions.parts.keys import need_rows
from symbolic_mem.questions.parts.peaks import Fullest, peak, step_of
from symbolic_mem.questions.parts.uncounted import uncounted_records
from symbolic_mem.questions.parts.unread import read_beside, refuse_values
from symbolic_mem.solvers.capacity import Capacity
from symbolic_mem.study.precedence import idle_rest
from symbolic_mem.study.study import Study

if TYPE_CHECKING:
    from symbolic_mem.questions.parts.beyond_tensors import Held


@dataclass(frozen=True)
class Row:
    """One term: what it is, its bytes in all, and the memory of one device that it becomes."""

    term: Term
    bytes: Number | None
    placed: Memory
    per_device: Number | None


@dataclass(frozen=True)
class RankHeld:
    """Ranks that hold the same rows of every tensor: the bytes that each keeps, and those of its peak."""

    ranks: range
    kept: Number
    peak: Number

    @property
    def facts(self) -> Mapping[str, Any]:
        """The first and the last of them, and their bytes."""
        first, last = self.ranks[0], self.ranks[-1]
        return {"first": first, "last": last, "total_bytes": rounded_up(self.kept), "peak_bytes": rounded_up(self.peak)}


@dataclass(frozen=True)
class Account:
    """The terms of a study; what lacks a value has no bytes. `host` is the memory of a host, where one is asked about.

    With `whole_rows` a device holds whole rows of every tensor, as FSDP2 cuts them: that of most is counted, and `ranks`
    tells them apart. `software` names what no tensor is and counts beside the peak.
    """

    study: Study
    host: Number | None = None
    whole_rows: bool = False
    software: str | None = None

    def __post_init__(self) -> None:
        if self.whole_rows and n_fsdp not in self.study.values:
            raise BadInput(
                f"--padded-rows cuts tensors over {n_fsdp} devices, and it has no value; add --set {n_fsdp}=8"
            )
        if self.whole_rows and not any(term.degree.has(n_fsdp) for term in self.study.placed()):
            raise BadInput(f"--padded-rows cuts tensors over {n_fsdp} devices, and nothing is divided over it here")
        if self.whole_rows:
            need_rows(self.study, "--padded-rows")
        if self.host is not None and not self.study.recipe.offload:
            raise BadInput(
                "--host asks about the memory of a host, and nothing is offloaded to it; add --offload KINDS"
            )
        _ = self.beyond_tensors  # refused before anything is shown

    @cached_property
    def on_host(self) -> Memory:
        """What the host holds for one device; nothing where nothing is offloaded."""
        return hosted(self.study)

    @property
    def held_on_host(self) -> Number | None:
        """Its bytes."""
        return self.each(self.on_host)

    @cached_property
    def sharing(self) -> int | None:
        """How many devices' share the host holds; None where none is asked about, or a symbol has no value."""
        held = self.held_on_host
        return None if self.host is None or not held else int(self.host // held)

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Every term with its bytes."""
        study = self.study
        rows = []
        for term in study.memory.terms:
            placed = Memory((term,)).placed(study.placement)
            rows.append(Row(term, self.at(Memory((term,))), placed, self.each(placed)))
        return tuple(rows)

    def at(self, memory: Memory) -> Number | None:
        """The exact bytes of a memory at the values of the study; None while a symbol has none."""
        return None if missing(memory.total, self.study.values) else memory.at(self.study.values)

    def each(self, placed: Memory, rank: int = 0) -> Number | None:
        """The exact bytes of a placed memory on one device, of a `rank` where rows are whole; None while a symbol has no value."""
        if not self.whole_rows or missing(placed.total, self.study.values):
            return self.at(placed)
        return self.held(placed, self.study.numbers, rank)

    def held(self, placed: Memory, numbers: Numbers, rank: int = 0) -> Number:
        """The exact bytes of a placed memory on one device at other `numbers`, of a `rank` where rows are whole."""
        if not self.whole_rows:
            return placed.at(numbers)
        from symbolic_mem.solvers.shards import on_rank

        return on_rank(placed, numbers, rank)

    def number(self, expr: sp.Expr) -> sp.Rational | None:
        """The exact number of an expression at the values of the study; None while a symbol has none."""
        return at(expr, self.study.values)

    def whole(self, found: Number | None) -> int | None:
        """A number of bytes, rounded up to a whole one."""
        return rounded_up(found)

    def without_value(self, memory: Memory) -> tuple[str, ...]:
        """The symbols of a memory that have no value."""
        return tuple(missing(memory.total, self.study.values))

    @property
    def given(self) -> Mapping[str, Any]:
        """The values of the study by name."""
        return {str(symbol): value for symbol, value in self.study.values.items()}

    @property
    def capacity_bytes(self) -> int | None:
        """Bytes of one device that count; None where no device is named."""
        return None if self.capacity is None else int(self.capacity.counted)

    @property
    def not_counted(self) -> list[Mapping[str, Any]]:
        """What is not counted, each with its bytes where they are known."""
        return uncounted_records(self.beyond, self.study.values, padded=self.whole_rows, software=self.software_counted)

    @property
    def activations(self) -> Number | None:
        """The bytes of the activations; None, too, where they are not described."""
        kept = self.study.memory.of("activations")
        return self.at(kept) if kept.terms or not self.study.built.not_described else None

    @property
    def lacking(self) -> tuple[str, ...]:
        """The symbols without a value that the memory of one device needs."""
        return self.without_value(self.study.placed())

    @property
    def left(self) -> Number | None:
        """Bytes of one device that stay free, at the peak where the instants are known; negative where they lack."""
        return None if self._held is None or self.capacity is None else self.capacity.counted - self._held

    @property
    def _held(self) -> Number | None:
        if self.instants:
            return peak(self.instants).bytes
        return self.kept if self.fuller is None else self.fuller.bytes

    @cached_property
    def fuller(self) -> Instant | None:
        """The moment at which one device keeps more than the account has: the step, where gradients do not persist."""
        return self._fuller(0)

    def _fuller(self, rank: int) -> Instant | None:
        here = None if self.study.timeline else self.each(self.study.placed(), rank)
        if here is None or self.study.recipe.gradients_persist:
            return None
        moments = ((one, self.each(one.placed(), rank) or 0) for one in kept_instants(self.study, KINDS))
        most, held = max(moments, key=lambda one: one[1])
        return Instant("step", instant(most.instant, most.recipe).words, "", held) if held > here else None

    @cached_property
    def beyond_tensors(self) -> Held | None:
        """One device with what no tensor is, where that is asked; raises `BadInput` while a symbol has no value."""
        if self.software is None:
            return None
        from symbolic_mem.questions.parts.beyond_tensors import held

        if self._held is None:
            raise BadInput(f"--software counts beside what one device holds, and {self.lacking[0]} has no value")
        return held(self.study, self._held, self.capacity, self.software)

    @property
    def software_counted(self) -> tuple[str, ...]:
        """The names of what no tensor is and counts beside the peak."""
        return () if self.beyond_tensors is None else self.beyond_tensors.software.names

    @property
    def divided(self) -> Mapping[str, Any]:
        """The degrees that memory is divided over, with their values."""
        divides = set().union(*(placed.degree.free_symbols for placed in self.study.placement.values()))
        if self.study.plan is not None:
            divides |= set(self.study.plan.axes)
        return {str(symbol): value for symbol, value in self.study.values.items() if symbol in divides}

    @property
    def loss(self) -> str | None:
        """How the loss works; None where there is none, or where it is not described."""
        built = self.study.built
        if not self.study.recipe.trains or built.architecture is None or built.architecture.head != "language model":
            return None
        return built.loss or (own_loss(built.how) if built.how is not None else "") or None

    def refuse_unread(self) -> None:
        """Raise `BadInput` for what a caller gives and an account does not read."""
        study = self.study
        if study.device.name is None:
            for change in study.caller:
                if change.aspect == "reading":
                    raise BadInput("--reading says how the label of a device is read, and none is named; add --device")
        degrees = {str(symbol) for placed in study.placement.values() for symbol in placed.degree.free_symbols}
        axes = set() if study.plan is None else set(map(str, study.plan.axes))
        known = {str(symbol) for symbol in study.memory.total.free_symbols} | degrees | axes
        if any(change.aspect not in known for change in study.caller):
            known |= {str(symbol) for symbol in read_beside(study)}
        refuse_values(study, [frozenset(known)])

    @property
    def record(self) -> Mapping[str, Any]:
        """The account as ``account --json`` prints it."""
        study, memory = self.study, self.study.memory
        return {
            "study": study.name,
            "title": study.title,
            "values": self.given,
            "missing": self.without_value(memory),
            "recipe": study.recipe.name,
            "terms": [self._term(row) for row in self.rows],
            "parameters": self.number(study.model.parameters),
            "parameters_formula": write_formula(study.model.parameters),
            **self._groups(),
            **self._trained(),
            **self._files(),
            "static_bytes": self.at(memory.of(*STATIC)),
            "activation_bytes": self.activations,
            "total_bytes": self.at(memory),
            "per_device": self.per_device_record,
            "per_device_missing": self.lacking,
            **({"ranks": [one.facts for one in self.ranks]} if self.ranks else {}),
            "capacity_bytes": self.capacity_bytes,
            **self._host(),
            **({} if self.beyond_tensors is None else {"software": self.beyond_tensors.facts}),
            "not_counted": self.not_counted,
            **({"cautions": said} if (said := self.cautions("account")) else {}),
            "assumptions": self.assumptions,
        }

    def _host(self) -> dict[str, Any]:
        if not self.study.recipe.offload:
            return {}
        held = self.held_on_host
        told = {
            "offloaded": self.study.recipe.offload,
            "bytes_per_device": None if held is None else rounded_up(held),
            "formula": write_formula(self.on_host.total),
        }
        if self.host is not None:
            told |= {"capacity_bytes": int(self.host), "devices": self.sharing}
        return {"host": told}

    @cached_property
    def instants(self) -> tuple[Fullest, ...]:
        """The fullest instant of each phase of a step on one device; none while a symbol has no value."""
        return self._step(0)

    def _step(self, rank: int) -> tuple[Fullest, ...]:
        return step_of(self.study, (lambda term: self.each(Memory((term,)), rank) or 0) if self.whole_rows else None)

    @cached_property
    def ranks(self) -> tuple[RankHeld, ...]:
        """What the ranks hold, in groups of neighbours that hold as much; none where rows are not whole, or a value lacks."""
        placed = self.study.placed()
        if not self.whole_rows or missing(placed.total, self.study.values):
            return ()
        from symbolic_mem.solvers.shards import alike

        found: list[RankHeld] = []
        for ranks in alike(placed, Numbers.of(self.study.values)):
            kept, step = self.each(self._kept, ranks.start), self._step(ranks.start)
            assert kept is not None, "nothing is missing"
            fuller = self._fuller(ranks.start)
            most = peak(step).bytes if step else kept if fuller is None else fuller.bytes
            last = found[-1] if found else None
            if last is not None and (last.kept, last.peak) == (kept, most):
                ranks = range(found.pop().ranks.start, ranks.stop)
            found.append(RankHeld(ranks, kept, most))
        return tuple(found)

    @property
    def beyond(self) -> Study:
        """The study at an instant of a step where these are known: what nothing counts is then what they do not."""
        return self.study.seen_at(self.instants[0].study.at) if self.instants else self.study

    @cached_property
    def capacity(self) -> Capacity | None:
        """What counts of one device, where the study or the caller names one."""
        return self.study.on_device(as_asked(self.study)).capacity if self.study.device.known else None

    @property
    def fits(self) -> bool | None:
        """Whether the peak of one device, or what it keeps where no instants are known, fits; None where that is open."""
        return None if self.left is None else bool(self.left >= 0)

    def cautions(self, verb: str) -> tuple[Prose, ...]:
        """That no process finds so much free, or that whole rows may not have room, which the `verb` counts, of a fit alone; that S is too long."""
        if not self.fits or self.capacity is None:
            return (*not_packed(self.study), *too_long(self.study, self.study.values))
        here = self.beyond
        return cautions_of_fit(here, here.values, self.capacity, self._held, verb, padded=self.whole_rows)

    @property
    def elsewhere(self) -> bool:
        """Whether the device is one for which a library of the recipe has no backend of its own."""
        return self.capacity is not None and bool(elsewhere(self.study.recipe, self.capacity.device))

    @property
    def crowded(self) -> bool:
        """Whether what is not counted may take more than is left."""
        here = self.beyond
        return bool(crowded(here, here.values, self.capacity, self._held, padded=self.whole_rows))

    @property
    def kept(self) -> Number | None:
        """Bytes that one device keeps: of stages, the rank that has the peak; None while a symbol has no value."""
        return self.each(self._kept)

    @property
    def _kept(self) -> Memory:
        one = peak(self.instants).study if self.instants else None
        if one is not None and one.at is not None and one.at.rank:
            return one.seen_at(one.at.kept).placed()
        if self.study.timeline and self.study.timeline[0].lasting:
            return max(
                (one.placed() for one in kept_instants(self.study, KINDS)), key=lambda held: self.each(held) or 0
            )
        return self.study.placed()

    @property
    def per_device_record(self) -> Mapping[str, Any] | None:
        """What one device keeps and its peak, at the degrees that have values; None while a symbol has none."""
        return self.of_one_device()

    def of_one_device(self, *, turned: bool = True) -> Mapping[str, Any] | None:
        """The same; if not `turned`, without looking for what takes over from the fullest instant."""
        capacity = None if self.capacity is None else (plain(self.capacity.counted), self.capacity.reading)
        found = [one.instant for one in self.instants]
        turns = peak(self.instants).turns.found if self.instants and turned else ()
        found += () if self.fuller is None else (self.fuller,)
        return device_record(self.divided, self.kept, found, capacity, self.loss, turns)

    @property
    def assumptions(self) -> tuple[Prose, ...]:
        """What the account takes for granted."""
        said = (*assumptions(self.study), *instant_words(self.study), *placements(self.study))
        return (*said, *idle_rest(self.study))

    def _files(self) -> Mapping[str, Any]:
        """What the tensors beside a config.json hold, and by how many parameters they differ from it."""
        files, stored = self.study.built.files, self.study.built.stored
        published = {} if stored is None else {"published_weight_bytes": stored}
        if files is None:
            return published
        return published | {
            "files": {
                "tensors": len(files.tensors),
                "elements": files.elements,
                "bytes": files.bytes,
                "bytes_by_dtype": files.dtypes,
                "parameters_against_config": files.difference,
                "explanation": "" if not files.difference else files.explanation,
            }
        }

    def _groups(self) -> Mapping[str, Any]:
        """Parameters of a transformer by group, and those that one token visits."""
        built = self.study.built
        if built.architecture is None and built.visited is None:
            return {}
        groups = parameters_by_group(self.study.model)
        return {
            "parameters_by_group": {group: self.number(count) for group, count in groups.items()},
            "active_parameters": self.number(
                active_parameters(built.model, built.architecture, built.visited or sp.S.One)
            ),
        }

    def _trained(self) -> Mapping[str, Any]:
        """The parameters that a step of training updates."""
        return (
            {"trainable_parameters": self.number(trainable_parameters(self.study.model))}
            if self.study.recipe.trains
            else {}
        )

    def _term(self, row: Row) -> Mapping[str, Any]:
        term = row.term
        return {
            "name": term.name,
            "kind": term.kind,
            "elements": write_formula(term.elements),
            "formula": write_formula(term.bytes),
            "latex": Typeset(term.bytes),
            "bytes": row.bytes,
            "per_device_formula": write_formula(row.placed.total),
            "per_device_bytes": self.whole(row.per_device),
            "reason": term.reason,
            "source": term.source,
        }
