"""`Form`: the account of a study with holes where numbers are: what `account --json` prints, as data for any values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, cast

import sympy as sp

from symbolic_mem.accounts.left_out import ROWS, LeftOut
from symbolic_mem.accounts.schedule import PHASES
from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.accounts.together import together
from symbolic_mem.base.looked_up import LookedUp, Node
from symbolic_mem.base.nodes import Nodes
from symbolic_mem.base.symbols import n_fsdp
from symbolic_mem.documents.account import Account
from symbolic_mem.hardware.catalogue import taken_by_a_context
from symbolic_mem.models.tensors import KINDS, STATIC
from symbolic_mem.questions.parts.instants import instants
from symbolic_mem.questions.parts.peaks import SYMBOLS
from symbolic_mem.questions.parts.uncounted import cut_rows, is_a_run, range_of, range_record, taken_beside, uncounted
from symbolic_mem.shipped.fill import HOLE
from symbolic_mem.solvers.powers import highest_power
from symbolic_mem.study.study import Study


class Form(Account):
    """An account of which each number is a hole: the nodes that compute it, or what is told of them together.

    It reads no value where it asks for a number, so that what it has read of the study's values has decided its form.
    """

    def __init__(self, study: Study, nodes: Nodes) -> None:
        super().__init__(study)
        object.__setattr__(self, "nodes", LookedUp(nodes))

    nodes: LookedUp

    def at(self, memory: Memory) -> Any:
        """The node of the bytes of a memory."""
        return hole("exact", place_of(memory, self.nodes))

    def number(self, expr: sp.Expr) -> Any:
        """The node of an expression."""
        return hole("exact", self.nodes.node(expr).place)

    def whole(self, found: Any) -> Any:
        """The same number, rounded up where it is shown."""
        (_, place) = found[HOLE]
        return hole("up", place)

    def without_value(self, memory: Memory) -> Any:
        """The symbols of a memory, of which those without a value are told."""
        return hole("absent", sorted(map(str, memory.total.free_symbols)))

    @property
    def given(self) -> Any:
        """All values, as the reader has them."""
        return hole("given")

    @property
    def capacity_bytes(self) -> Any:
        """What counts of the device that the reader is asked about."""
        return hole("capacity")

    @property
    def per_device_record(self) -> Any:
        """The degrees that may be there, and what one device keeps; the rest is in `step`."""
        over = set().union(*(placed.degree.free_symbols for placed in self.study.placement.values()))
        over |= set() if self.study.plan is None else set(self.study.plan.axes)
        return hole("device", sorted(map(str, over)), place_of(self.study.placed(), self.nodes), self.loss)

    @property
    def not_counted(self) -> Any:
        """What the instants of a step do not count, and what an account of what is kept does not."""
        timeline = self.study.timeline
        of_step = self.study.seen_at(timeline[0]) if timeline else self.study
        return hole("beyond", uncounted_form(of_step, self.nodes), uncounted_form(self.study, self.nodes))

    def cautions(self, verb: str) -> Any:
        """What the reader finds of a fit that comes close."""
        sizes = (one.size for one in cut_rows(self.study) if one.size is not None)
        rows = [self.nodes.node(size).place for size in sizes]
        taken = [str(size) for size in taken_by_a_context()]
        timeline = self.study.timeline
        of_step = self.study.seen_at(timeline[0]) if timeline else self.study
        more = [sizes_of(one, self.nodes) for one in (of_step, self.study)]
        return hole("close", place_of(self.study.placed(), self.nodes), rows, more, taken)

    @cached_property
    def step(self) -> list[list[Any]]:
        """Each instant in the order of phases: its phase, words and rank, its node, and that of what is kept at it where ranks differ."""
        found = []
        for study in instants(self.study, KINDS) if self.study.timeline else ():
            one = study.at
            assert one is not None, "a timeline has instants"
            placed = study.placed()
            kept = placed.where(lambda term: term.kind in STATIC or bool(term.layer)) if one.rank else None
            found.append(
                [
                    one.phase,
                    one.words,
                    one.rank,
                    place_of(placed, self.nodes),
                    None if kept is None else place_of(kept, self.nodes),
                ]
            )
        return sorted(found, key=lambda one: PHASES.index(one[0]))

    @property
    def powers(self) -> Mapping[str, int | None]:
        """The highest power of each symbol at whose values another instant may take over."""
        return powers_of([study.placed() for study in instants(self.study, KINDS)]) if self.study.timeline else {}


def uncounted_form(study: Study, nodes: LookedUp) -> list[Any]:
    """What a study does not count: what whole rows take where the degree that cuts them has a value, else its bound."""
    free, known = uncounted(study), uncounted(study, degree=True)
    padding = [_uncounted(study, one, nodes) for one in known if one.name == ROWS]
    bounds = [_uncounted(study, one, nodes) for one in free if one.name == ROWS]
    found = [_uncounted(study, one, nodes) for one in free if one.name != ROWS]
    if padding:
        place = next(place for place, one in enumerate(free) if one.name == ROWS)
        found.insert(place, hole("rows", nodes.node(n_fsdp).place, padding, bounds))
    return found


def sizes_of(study: Study, nodes: LookedUp) -> list[list[int | list[int]]]:
    """For each moment the places of the sizes of what a study does not count of a run, beside the padding of rows; some with that of a degree (see `Filled.size`)."""
    if not is_a_run(study):
        return []
    found = ((one, taken_beside(study, one)) for one in uncounted(study) if one.name != ROWS)
    sized = ((one, nodes.node(size).place) for one, size in found if size is not None)
    with_degree = ((one, place if one.among is None else [place, nodes.node(one.among).place]) for one, place in sized)
    return list(map(list, together(with_degree)))


def _uncounted(study: Study, one: LeftOut, nodes: LookedUp) -> dict[str, Any]:
    size = None if one.size is None else hole("up", nodes.node(one.size).place)
    record = {"what": one.words, "bytes": size, "formula": one.size}
    if one.software:
        found = range_record(range_of(one, study.numbers))
        for told in found.values():
            if "times" in told:
                told["times"] = [hole("exact", nodes.node(each).place) for each in told["times"]]
        record |= found
    elif one.seen is not None:
        record["range"] = {"bytes": [hole("up", nodes.node(side).place) for side in one.seen]}
    return record if one.among is None else hole("among", nodes.node(one.among).place, record)


def powers_of(step: Sequence[Memory]) -> Mapping[str, int | None]:
    """The highest power of each symbol at whose values another instant of a step may take over."""
    return {str(symbol): highest_power(step, symbol) for symbol in SYMBOLS}


def place_of(memory: Memory, nodes: LookedUp) -> int:
    """The place of the bytes of a memory."""
    return sum((_bytes(term, nodes) for term in memory.terms), start=nodes.node(sp.S.Zero)).place


def _bytes(term: Term, nodes: LookedUp) -> Node:
    whole = cast(Node, term.undivided_at(nodes))
    return whole if term.degree == 1 else whole.over(nodes.node(term.degree))


def hole(kind: str, *told: Any) -> dict[str, Any]:
    """A hole in a record, which `Filled` fills by its method of that `kind` with what is `told` of it."""
    return {HOLE: [kind, *told]}
