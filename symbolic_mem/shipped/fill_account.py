"""The account of a study from data: what is kept and the instants of a step, without SymPy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from symbolic_mem.base.walk import Number, numbers, renumbered
from symbolic_mem.questions.parts.held import Instant, device_record, fullest_of_each
from symbolic_mem.questions.parts.turns import Turn, turns
from symbolic_mem.shipped.close import cautions
from symbolic_mem.shipped.fill import Asked, Filled


def of_account(asked: Asked, form: Mapping[str, Any]) -> Any:
    """The record of an account."""
    return FilledAccount(asked, numbers(asked.nodes, asked.values), form["step"], form["powers"]).fill(form["record"])


class FilledAccount(Filled):
    """Those of an account: `step` are the instants of a step, each with its phase, words and rank, its node, and that of what is kept.

    `powers` are those of the symbols in their bytes.
    """

    def __init__(
        self,
        asked: Asked,
        found: Sequence[Number | None],
        step: Sequence[Sequence[Any]],
        powers: Mapping[str, int | None],
    ) -> None:
        super().__init__(asked, found)
        self.step, self.powers = step, powers
        held = [self.numbers[place] for *_, place, _ in step]
        self.held = [] if None in held else [one for one in held if one is not None]  # all of a step, or nothing

    def absent(self, names: Sequence[str]) -> list[str]:
        """The symbols among those of a formula that have no value."""
        return [name for name in names if name not in self.asked.values]

    def given(self) -> Mapping[str, Number]:
        """All values."""
        return self.asked.values

    def device(self, degrees: Sequence[str], kept: int, loss: str | None) -> Mapping[str, Any] | None:
        """What one device keeps and its peak, under a loss; of stages, what the rank keeps that has the peak."""
        found = [Instant(*self.step[place][:3], held) for place, held in enumerate(self.held)]
        if found:
            fullest = self.step[max(range(len(found)), key=self.held.__getitem__)]
            kept = kept if fullest[4] is None else fullest[4]
        divided = {name: value for name, value in self.asked.values.items() if name in degrees}
        capacity = None if self.counted is None else (self.counted, self.asked.device.get("reading"))
        return device_record(divided, self.numbers[kept], fullest_of_each(found), capacity, loss, self._turns())

    def _turns(self) -> Sequence[Turn]:
        """Where another instant takes over from the fullest."""
        if not self.held:
            return ()

        def amounts(changed: Mapping[str, int]) -> list[Any]:
            found = renumbered(self.asked.nodes, self.numbers, changed)
            return [found[place] for *_, place, _ in self.step]

        words = [one[1] for one in self.step]
        fullest = words[self.held.index(max(self.held))]
        return turns(self.powers, self.asked.values, amounts, words, fullest).found

    def close(self, kept: int, rows: Sequence[int], more: Sequence[Any], taken: Sequence[str]) -> Any:
        """Whether a process finds free what one device holds, where that fits, and whole rows and what is not counted do."""
        held = max(self.held) if self.held else self.numbers[kept]
        if held is None or self.counted is None or held > self.counted:
            return self.unless_empty(())
        padding = sum(self.numbers[place] or 0 for place in rows)
        moments = more[0 if self.held else 1]
        beyond = max((sum(self.size(place) or 0 for place in places) for places in moments), default=0)
        return self.unless_empty(cautions(self.asked.device, held, padding, beyond, taken, "account"))

    def beyond(self, of_step: Any, of_kept: Any) -> Any:
        """What is not counted: what the instants of a step do not, where these have numbers, or what is kept does not."""
        return self.fill(of_step if self.held else of_kept)
