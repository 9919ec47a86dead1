"""`FoundCount`: how many devices hold the memory, wherever on them it lives."""

from __future__ import annotations

from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Prose
from symbolic_mem.questions.parts.assumptions import assumptions
from symbolic_mem.questions.parts.cautions import CUT, spread_evenly
from symbolic_mem.questions.parts.found_degree import FoundDegree
from symbolic_mem.questions.parts.instants import instant_words


@dataclass(frozen=True, repr=False)
class FoundCount(FoundDegree):
    """The number of devices; `cut` says that the plan of the study cuts the model, of which all is counted."""

    cut: bool = False

    @property
    def cautions(self) -> tuple[Prose, ...]:
        """That something is divided which the study keeps whole on every device."""
        if self.value is None:
            return ()
        return (CUT,) if self.cut else spread_evenly(self.study, self.kinds)

    @property
    def assumptions(self) -> tuple[Prose, ...]:
        """What the answer takes for granted: nothing of where the memory lives."""
        said = assumptions(self.study)
        return (*said, *instant_words(self.study), *self.fuller) if "gradients" in self.question.counted else said
