"""`Found`: the answer to a question as one value, from which every face is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sympy as sp

from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Prose
from symbolic_mem.document.steps import Answer
from symbolic_mem.plans.placement import Placed
from symbolic_mem.study.precedence import precedence
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

if TYPE_CHECKING:
    from symbolic_mem.base.ledger import Entry, Ledger


@dataclass(frozen=True, repr=False)
class Found:
    """The answer to a question: the study as the question saw it, and the value; every face is a function of this.

    `value` is the number that was asked for, None where there is none (`reason` then says why and what would help) or
    where the answer is several numbers, which stand in the `ledger`. `others` are the answers at other instants of a
    step, which ask for less.
    """

    study: Study
    question: Question
    others: tuple[Found, ...] = field(default=(), kw_only=True)

    @property
    def capacity_unit(self) -> str | None:
        """The unit in which the memory of a device is read, GiB or GB; None where no device is asked about."""
        capacity = getattr(self, "capacity", None)
        return None if capacity is None else capacity.unit

    @property
    def reading(self) -> str | None:
        """How the label of the device that is asked about is read; None where there is no such device."""
        capacity = getattr(self, "capacity", None)
        return None if capacity is None or capacity.device is None else capacity.reading

    def __repr__(self) -> str:
        answer = "" if self.feasible and self.value is None else f": {self.value}"
        return f"<answer to {self.question.label!r} of {self.study.name}{answer}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        from symbolic_mem.document.family import in_family
        from symbolic_mem.render.arrange import TERMINAL, arrange_prose
        from symbolic_mem.render.notebook import bundle, facts

        unit = self.capacity_unit or "GiB"
        lines = (
            *self.summary,
            *(() if self.software is None else (("software", self.software.row),)),
            *(("caution", said) for said in self.cautions),
            *(("beside", said) for said in self.beside),
        )
        rows = [(head, arrange_prose(in_family(said, unit), TERMINAL)) for head, said in lines]
        table = [facts("At a glance", rows)] if rows else []
        return bundle(repr(self), [Answer(in_family(self.told, unit)), *table])

    @property
    def value(self) -> Any:
        """The number that answers, exactly; None where there is none, or more than one."""
        return None

    @property
    def feasible(self) -> bool:
        """Whether there is an answer."""
        return True

    @property
    def enough(self) -> bool:
        """Whether there is an answer, and what was given is enough where that was asked."""
        return self.feasible

    @property
    def reason(self) -> Prose | None:
        """Why there is no answer, and what would help."""
        return None

    @property
    def ledger(self) -> Ledger:
        """The named lines that the answer rests on."""
        from symbolic_mem.base.ledger import Ledger

        return Ledger((), self.study.values)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of memory that are kept and counted."""
        return self.study.memory.of(*self.question.counted).kinds

    @property
    def placement(self) -> Mapping[str, Placed]:
        """Where those kinds live."""
        return {kind: placed for kind, placed in self.study.placement.items() if kind in self.kinds}

    def __getitem__(self, name: str | sp.Symbol) -> Entry:
        """Return a named line of the answer, such as ``M_device``."""
        return self.ledger[name]

    @property
    def summary(self) -> Iterable[tuple[str, Prose]]:
        """The answer at a glance, below its sentence: lines with a word at their head."""
        return ()

    @property
    def tried(self) -> tuple[str, ...]:
        """The names of what was asked for of which the answer says, too, whether the value that it has is enough."""
        return ()

    @cached_property
    def software(self) -> Any:
        """The answers that count what no tensor is, too; None where the question names nothing of it."""
        return self.question.beyond_tensors(self)

    @property
    def beside(self) -> tuple[Prose, ...]:
        """What must be said beside the answer: which values counted, then what the type of the question adds."""
        return (*self.preceded, *self.question.beside(self))

    @property
    def preceded(self) -> tuple[Prose, ...]:
        """Which values counted, and which gave way."""
        return precedence(self.study, self.question, self.tried)

    @property
    def cautions(self) -> tuple[Prose, ...]:
        """What is true of the answer and easily missed; every face says it with the answer."""
        return ()

    @property
    def crowded(self) -> tuple[Prose, ...]:
        """That what is not counted may take more than is left of what fits."""
        return ()

    @property
    def beside_it(self) -> tuple[Prose, ...]:
        """The same in short, for the sentence of the answer."""
        return ()

    @property
    def told(self) -> Prose:
        """The answer as a sentence, and what it must not say alone."""
        from symbolic_mem.document.words import sentences

        return sentences(self.question.sentence(self), *self.beside_it)

    @property
    def facts(self) -> Mapping[str, Any]:
        """What a program reads, beside study and question: numbers, formulas and sentences by name."""
        return {}

    @property
    def record(self) -> Mapping[str, Any]:
        """All that a program reads, in order."""
        return dict(self._record)

    @cached_property
    def _record(self) -> Mapping[str, Any]:
        head = {"study": self.study.name, "question": self.question.label}
        said, cautions = self.preceded, self.cautions
        beside = {"beside": said} if said else {}
        counted = {} if self.software is None else {"software": self.software.facts}
        return {**head, **self.facts, **counted, **beside, **({"cautions": cautions} if cautions else {})}
