"""The question `insight`: what a person asks next about a memory; each topic answers, tells its way and says a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Self

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.ledger import Ledger
from symbolic_mem.base.symbols import n_fsdp
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.figure import Figure
from symbolic_mem.document.prose import Prose, text
from symbolic_mem.document.steps import Block
from symbolic_mem.document.words import sentences
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.grids import LeftOvers, RegionTable, left_overs, region_table
from symbolic_mem.questions.parts.insight_claims import region_names, topic_claims
from symbolic_mem.questions.parts.instants import each_words, instants
from symbolic_mem.questions.parts.keys import OfKinds, Ruled, axis, degree, items, values, whole_numbers
from symbolic_mem.questions.parts.lines import account_lines
from symbolic_mem.questions.parts.region_chart import region_chart
from symbolic_mem.questions.parts.trends import Crossing, FloorOf, Sensitivities, crossing, floor, what_it_answers_to
from symbolic_mem.questions.parts.uncounted import uncounted_records
from symbolic_mem.questions.parts.words import capacity_blocks
from symbolic_mem.solvers.bound import is_divided
from symbolic_mem.solvers.capacity import Capacity
from symbolic_mem.study.answered import answer_to
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.found import Found
from symbolic_mem.study.keys import At, key, sets
from symbolic_mem.study.setting import Change
from symbolic_mem.study.study import Study

TOPICS = ("floor", "crossover", "sensitivities", "region", "left_over")
MAX_CELLS = 400
Topic = FloorOf | Crossing | Sensitivities | RegionTable | LeftOvers


def _topics(given: Any, at: At) -> tuple[str, ...]:
    for topic in items(given, at):
        if topic not in TOPICS:
            raise BadInput.unknown(f"{at.where}: unknown topic {topic!r}", str(topic), TOPICS)
    return tuple(given)


@dataclass(frozen=True, repr=False)
class Insight(Ruled, OfKinds):
    """What no sharding removes, where activations overtake states, what one percent more adds, where it fits, what is left.

    `about` picks topics; without it all that the question has keys for.
    """

    ask = "insight"
    drawn = ("region",)

    symbol: sp.Symbol = key(degree, n_fsdp, name="for")
    values: tuple[Change, ...] = sets(values)
    about: tuple[str, ...] = key(_topics, ())
    rows: tuple[sp.Symbol, tuple[int, ...]] | None = key(axis)
    columns: tuple[sp.Symbol, tuple[int, ...]] | None = key(axis)
    devices: tuple[int, ...] = key(whole_numbers, ())

    def checked(self) -> Self:
        """Refuse a region without both of its axes or with too many cells, and a left-over without numbers."""
        if "region" in self.about or self.rows or self.columns:
            for name in ("rows", "columns"):
                if getattr(self, name) is None:
                    raise BadInput(
                        f"{self.where}: {name} is missing; give one symbol with its values: {{ B = [1, 2, 4] }}"
                    )
        if self.rows and self.columns and self.rows[0] == self.columns[0]:
            raise BadInput(f"{self.where}: rows and columns are both over {self.rows[0]}; give two symbols")
        if self.rows and self.columns and len(self.rows[1]) * len(self.columns[1]) > MAX_CELLS:
            size = f"{len(self.rows[1])} x {len(self.columns[1])}"
            raise BadInput(f"{self.where}: {size} cells are too many; give at most {MAX_CELLS}")
        if "left_over" in self.about and not self.devices:
            raise BadInput(f"{self.where}: devices is missing; give whole numbers: devices = [46, 64]")
        return super().checked()

    @property
    def unknowns(self) -> tuple[str, ...]:
        """The degree, and what the question gives values to for itself."""
        return (str(self.symbol), *(change.aspect for change in self.values))

    @property
    def weighed(self) -> bool:
        """Whether a topic compares memory with that of one device."""
        return not {"region", "left_over"}.isdisjoint(self.about) or (
            not self.about and bool(self.rows or self.devices)
        )

    def answer(self, study: Study) -> FoundInsight:
        """Answer every topic; where two instants must fit, each number is that of the one that asks for more."""
        study = study.without(self.symbol)
        memory = study.placed(self.counted)
        study.need(memory.total.xreplace({self.symbol: sp.S.One}), f"question {self.label}")
        topics = self.about or self._default(study)
        found: list[Topic | None] = [*self.trends(study, topics)]
        if "region" in topics:
            found.append(region_table(self, study))
        if "left_over" in topics:
            found.append(left_overs(self, study))
        capacity = study.capacity if study.device.known and self.weighed else None
        return FoundInsight(study, self, capacity, tuple(topic for topic in found if topic is not None))

    def trends(self, study: Study, topics: tuple[str, ...]) -> Iterator[Topic | None]:
        """Answer the topics that need no device: what stays on all of them, the crossover, the sensitivities."""
        if "floor" in topics:
            yield floor(instants(study, self.counted), self.counted, self.symbol)
        if "crossover" in topics:
            yield crossing(study)
        if "sensitivities" in topics:
            yield what_it_answers_to(study, self.counted)

    def _default(self, study: Study) -> tuple[str, ...]:
        moments = instants(study, self.counted)
        asked = {
            "floor": any(is_divided(one.placed(self.counted), self.symbol) for one in moments),
            "crossover": True,
            "sensitivities": True,
            "region": self.rows is not None,
            "left_over": bool(self.devices),
        }
        return tuple(topic for topic, wanted in asked.items() if wanted)

    def steps(self, found: FoundInsight) -> Iterator[Block]:
        """The capacity where there is one, then each topic."""
        work = Work(found.study.values)
        if found.capacity is not None:
            yield from capacity_blocks(found.capacity, work)
        for topic in found.topics:
            yield from topic.steps(work)

    def sentence(self, found: FoundInsight) -> Prose:
        """The closing sentences of all topics."""
        closing = [topic.closing for topic in found.topics]
        return sentences(*closing) if closing else text("Nothing of this applies here.")

    def beside(self, found: Any) -> tuple[Prose, ...]:
        """Say that two instants count, where gradients do not persist, and which topics are about one of them."""
        if len(instants(found.study, self.counted)) < 2:
            return ()
        if any(isinstance(topic, Crossing | Sensitivities) for topic in found.topics):
            return (
                each_words(found.study),
                text("A crossover and what one percent more adds are those of the backward pass."),
            )
        return (each_words(found.study),)

    def figure(self, found: FoundInsight, name: str, family: str) -> Figure | None:
        """The region, where the question asks for one."""
        tables = [topic for topic in found.topics if isinstance(topic, RegionTable)]
        return region_chart(tables[0], name) if tables else None

    def heading(self, found: FoundInsight) -> str:
        """The title where the study gives none."""
        return self.title or "What the memory depends on"

    @cached_property
    def claimable(self) -> tuple[str, ...]:
        """What can be claimed: the floor, the crossover, every entry of the region, and what is left on each number."""
        region = [name for name, *_ in region_names(self)] if self.rows and self.columns else []
        return ("floor", "crossover", *region, *(f"left_over_at_{number}" for number in self.devices))

    def claims(self, study: Study) -> Mapping[str, Claimed]:
        """The numbers of the topics that apply."""
        return {name: claim for topic in answer_to(study, self).topics for name, claim in topic_claims(self, topic)}

    def unclaimable(self, study: Study, name: str) -> Prose:
        """That the topic does not apply."""
        return text("nothing of the kind applies to what is kept")


@dataclass(frozen=True, repr=False)
class FoundInsight(Found):
    """The topics that apply, each with its numbers."""

    capacity: Capacity | None
    topics: tuple[Topic, ...]

    @property
    def ledger(self) -> Ledger:
        """The account that the topics are about."""
        return Ledger(account_lines(self.study, self.question.counted), self.study.values)

    @property
    def facts(self) -> Mapping[str, Any]:
        """The numbers of every topic."""
        found = {name: value for topic in self.topics for name, value in topic.facts.items()}
        if not any(isinstance(topic, LeftOvers | RegionTable) for topic in self.topics):
            return found
        return {**found, "not_counted": uncounted_records(self.study, self.study.values)}
