"""Which slips reproduce a claimed number: each alone, several that were made together, else every likely pair."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from math import inf

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.values import dataclass
from symbolic_mem.claims.case import Case, Misreading, Result, read_off
from symbolic_mem.claims.catalogue import Slip, Together, occurring, together
from symbolic_mem.claims.stated import Stated
from symbolic_mem.claims.subjects import claim_of
from symbolic_mem.study.claimed import Claimed

# How each measure can be misread: two such slips of a number that neither changes alone may change it together.
_READ_BY = {
    "bytes": ("shown", "cut"),
    "number": ("cut",),
    "count": ("shown",),
    "devices": ("rounding", "before", "cut", "shown"),
    "tokens": ("rounding", "per", "first", "cut", "shown"),
}

_MANY = 8  # slips that are alike: from so many on they are tried together first


@dataclass(frozen=True)
class Explanation:
    """Slips that reproduce the claim: under them the quantity is exactly `value`; `made` says that they were made together."""

    slips: tuple[Slip, ...]
    value: Fraction | None
    made: Together | None = None

    @property
    def seen(self) -> bool:
        """Whether people made it, in answers that were read."""
        return self.made.seen if self.made is not None else len(self.slips) == 1 and self.slips[0].seen

    @property
    def source(self) -> str:
        """Where it is from."""
        return self.made.source if self.made is not None else self.slips[0].source


@dataclass(frozen=True)
class Search:
    """A wrong claim to explain: the number that was `stated` of the quantity `name`, the `case`, and what is true there."""

    stated: Stated
    name: str
    case: Case
    truth: Claimed

    def explanations(self, earlier: Iterable[tuple[Slip, Case]] = ()) -> tuple[Explanation, ...]:
        """Every slip that gives the claim, after those that follow from `earlier` claims; only where there is none, pairs.

        Those that people made come first, then others that are known to have been made together.
        """
        right = read_off(self.truth, self.case.misread)
        matter: list[_Tried] = []
        following, singles, known = [], [], {}
        for slips, found in ((earlier, following), (occurring(self.case), singles)):
            for slip, slipped in slips:
                known[slip.row or slip.name] = slip
                tried = self._tried(slip, slipped, right)
                if tried is None:
                    continue
                matter.append(tried)
                told = any(one.slips[0].aspect == slip.aspect for one in found)
                if self._gives(tried.claimed, tried.found, slipped) and not (slip.last and told):
                    found.append(Explanation((slip,), tried.found.value))
        made = self._made(known, {one.slips[0].row or one.slips[0].name for one in (*following, *singles)})
        if following or singles or made:
            rest = sorted((*singles, *made), key=lambda one: (not one.seen, one.made is None))
            return (*following, *rest)
        return tuple(sorted(self._pairs(matter), key=lambda one: sum(not slip.seen for slip in one.slips)))

    def follows(self, earlier: Iterable[tuple[Slip, Case]]) -> bool:
        """Whether the claim follows from one of the `earlier` ones."""
        right = read_off(self.truth, self.case.misread)
        tried = (self._tried(slip, slipped, right) for slip, slipped in earlier)
        return any(self._gives(one.claimed, one.found, one.slipped) for one in tried if one is not None)

    def _tried(self, slip: Slip, slipped: Case, right: Result | None) -> _Tried | None:
        """What a slip makes of the number; None where it leaves nothing to ask about, or the number as it was."""
        claimed = self.truth if slipped.asks_as(self.case) else self._claimed(slipped)
        found = None if claimed is None else read_off(claimed, slipped.misread)
        if claimed is None or found is None:
            return None
        if (claimed, found) == (self.truth, right) and not self._read_otherwise(claimed, slipped):
            return None
        return _Tried(slip, slipped, claimed, found)

    def _read_otherwise(self, claimed: Claimed, slipped: Case) -> bool:
        """Whether it is read off in a way that may change it beside another slip."""
        names = ("shown", "cut") if claimed.unit == "parameters" else _READ_BY[claimed.measures]
        return any(getattr(slipped.misread, name) != getattr(self.case.misread, name) for name in names)

    def _made(self, known: Mapping[str, Slip], alone: set[str]) -> list[Explanation]:
        """Those slips made together that give the claim and of which no part gives it already."""
        found: list[Explanation] = []
        for made in together():
            slips = [known[name] for name in made.slips if name in known]
            smaller = any({slip.row or slip.name for slip in one.slips} < set(made.slips) for one in found)
            if len(slips) < len(made.slips) or alone & set(made.slips) or smaller:
                continue
            slipped: Case | None = self.case
            for slip in slips:
                slipped = None if slipped is None else slip.apply(slipped)
            claimed = None if slipped is None else self._claimed(slipped)
            number = None if slipped is None or claimed is None else read_off(claimed, slipped.misread)
            if (
                slipped is not None
                and claimed is not None
                and number is not None
                and self._gives(claimed, number, slipped)
            ):
                found.append(Explanation(tuple(slips), number.value, made))
        return found

    def _pairs(self, matter: Sequence[_Tried]) -> Iterable[Explanation]:
        """Every pair that gives the claim and of which people made one slip: two that nobody made explain nothing."""
        least: dict[tuple[str, Slip], float | Fraction] = {}
        for one, other in combinations((each for each in matter if not each.slip.alone), 2):
            if not (one.slip.seen or other.slip.seen) or one.slip.aspect == other.slip.aspect:
                continue
            if any(self._cannot(*both, matter, least) for both in ((one, other), (other, one))):
                continue
            first, then = (other, one) if one.slipped.steps_as(self.case) else (one, other)  # the step is made once
            both = then.slip.apply(first.slipped)
            if both is None:
                continue
            if both.asks_as(first.slipped):
                claimed: Claimed | None = first.claimed
            else:
                claimed = then.claimed if first.slipped.asks_as(self.case) else self._claimed_if_it_can(both)
            found = None if claimed is None else read_off(claimed, both.misread)
            if claimed is not None and found is not None and self._gives(claimed, found, both):
                yield Explanation((one.slip, other.slip), found.value)

    def _cannot(
        self, one: _Tried, other: _Tried, matter: Sequence[_Tried], least: dict[tuple[str, Slip], float | Fraction]
    ) -> bool:
        """Whether a slip that only adds memory, or only leaves some out, cannot give the claim beside another one.

        Both together give no less than the other alone; or no more, and no less than it does with all slips that are alike.
        """
        question, value, most = self.case.question, self.stated.value, other.claimed.value
        if question is None or value is None or not question.grows(self.name) or other.slipped.misread != Misreading():
            return False
        if one.slip.adds:
            return most is None or value < most
        if not one.slip.forgets:
            return False
        if most is not None and value > most:
            return True
        if (one.slip.row, other.slip) not in least:
            alike = [each.slip for each in matter if each.slip.row == one.slip.row]
            least[one.slip.row, other.slip] = self._least(alike, other.slipped) if len(alike) >= _MANY else 0
        return value < least[one.slip.row, other.slip]

    def _least(self, slips: Sequence[Slip], case: Case) -> float | Fraction:
        """What a case gives with all these slips: infinite where no number is enough, 0 where it is not known."""
        slipped: Case | None = case
        for slip in slips:
            slipped = None if slipped is None else slip.apply(slipped)
        claimed = None if slipped is None else self._claimed(slipped)
        if claimed is None:
            return 0
        return inf if claimed.value is None else Fraction(claimed.value)

    def _claimed(self, slipped: Case) -> Claimed | None:
        """The number in a slipped case, asked of the question itself."""
        of, name = slipped.taken or (self.name, self.name)
        if of != self.name:
            return None
        try:
            return claim_of(slipped.study, slipped.question, name, slipped.counted, slipped.instead)
        except BadInput:
            return None  # what slipped leaves nothing to ask about

    def _claimed_if_it_can(self, slipped: Case) -> Claimed | None:
        """The number in a slipped case that is read rightly; None also where it cannot be what is stated."""
        question, value = slipped.question, self.stated.value
        if question is None or value is None or slipped.instead or slipped.misread != Misreading():
            return self._claimed(slipped)
        try:
            return self._claimed(slipped) if question.can_be(slipped.study, self.name, value) else None
        except BadInput:
            return None  # as above

    def _gives(self, claimed: Claimed, found: Result, slipped: Case) -> bool:
        return self.stated.agrees(claimed, found, slipped.misread) is not None


@dataclass(frozen=True)
class _Tried:
    """A slip with the case and the number that it leads to."""

    slip: Slip
    slipped: Case
    claimed: Claimed
    found: Result
