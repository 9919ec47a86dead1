"""`WithSoftware`: a question whose answer is also said with what no tensor is, where its key ``software`` names it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from symbolic_mem.base.values import dataclass
from symbolic_mem.study.keys import At, key, wrong_type
from symbolic_mem.study.question import Question

if TYPE_CHECKING:
    from symbolic_mem.questions.parts.beyond_tensors import Answers


def _software(given: Any, at: At) -> str:
    """Read which of them count: one text, or a list of names, each with an amount or a factor where that is known."""
    from symbolic_mem.hardware.software import read_software

    named = given if isinstance(given, list) else [given]
    if not named or not all(isinstance(one, str) for one in named):
        raise wrong_type(given, at, '"all", or a list of names such as ["context=1GiB", "allocator"]')
    read_software(",".join(named), where=at.where)
    return ",".join(named)


@dataclass(frozen=True, repr=False)
class WithSoftware(Question):
    """A question with one whole number as its answer, which counts what no tensor is beside that answer, not in it."""

    software: str = key(_software, "")

    @property
    def software_counted(self) -> tuple[str, ...]:
        """The names of what counts beside the answer."""
        from symbolic_mem.hardware.software import read_software

        return read_software(self.software).names if self.software else ()

    def beyond_tensors(self, found: Any) -> Answers | None:
        """The answers at the least and at the most of what the software holds; None where none is named."""
        if not self.software:
            return None
        from symbolic_mem.questions.parts.beyond_tensors import answers

        return answers(self, found.study.seen_at(None), self.software, f"{self.where}: software")
