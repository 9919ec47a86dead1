"""`Solved`: the smallest degree of a study as data: what `solve --json` prints where an instant decides, with holes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from symbolic_mem.accounts.schedule import PHASES
from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.limit import Limit
from symbolic_mem.base.looked_up import LookedUp, Node
from symbolic_mem.base.rational import Number, plain
from symbolic_mem.base.symbols import B
from symbolic_mem.questions.min_degree import MinDegree
from symbolic_mem.questions.parts.assumptions import ranks_beside
from symbolic_mem.questions.parts.degree_words import part_in_full
from symbolic_mem.questions.parts.found_degree import FoundDegree
from symbolic_mem.questions.parts.instants import instants, kept_instants
from symbolic_mem.questions.parts.one_device import GATHERED, is_another_step, on_one_device
from symbolic_mem.questions.parts.remedies import may_help
from symbolic_mem.questions.parts.uncounted import cut_rows
from symbolic_mem.render.json import plain_record
from symbolic_mem.shipped.fill import CHANGED, REST, Asked, Otherwise
from symbolic_mem.shipped.fill_degree import Degrees
from symbolic_mem.shipped.form import hole, place_of, powers_of, sizes_of, uncounted_form
from symbolic_mem.solvers.bound import Bound
from symbolic_mem.study.changes import changes
from symbolic_mem.study.precedence import precedence
from symbolic_mem.study.setting import Change
from symbolic_mem.study.study import Study

# Capacities by which their place in texts is found: odd, without zeros at the end, and with many factors.
_PROBES = (123_456_789_012_345_677, 987_654_321_098_765_431, 2**20 * 3**12 * 5**3 * 7**5)
_NUMBER = re.compile(r"\d+(?:\\,\d{3})*")


class _Stub:
    """Stands for an object of which only these attributes are asked."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


class FormOfDegree(FoundDegree):
    """An answer at one instant of which each number is a hole: see `Form`."""

    nodes: LookedUp
    real: Study

    @classmethod
    def at_instant(cls, study: Study, real: Study, question: MinDegree, nodes: LookedUp, capacity: int) -> FormOfDegree:
        """Make it of the study at an instant, whose values are watched, and of the `real` one."""
        bound = Bound(study.placed(question.counted), question.symbol, Limit(capacity, question.strict))
        ideal = _Stub(feasible=True, value=hole("degree"), bound=bound)
        degree = _Stub(ideal=ideal, rules=(), reason=None)
        device = _Stub(counted=capacity, reading=hole("reading"), device=_Stub(name=hole("name")))
        found = cls(study, question, cast(Any, device), cast(Any, degree))
        object.__setattr__(found, "nodes", nodes)
        object.__setattr__(found, "real", real)
        return found

    @property
    def value(self) -> Any:
        """The degree that the reader finds."""
        return hole("degree")

    @property
    def devices(self) -> Any:
        """That times the devices beside it."""
        return hole("times", ranks_beside(self.study, self.symbol))

    def held_bytes(self, value: Any) -> Any:
        """What one device holds there."""
        return hole("held", 0)

    @property
    def _below_bytes(self) -> Any:
        return hole("held", -1)

    @property
    def fuller(self) -> tuple[Any, ...]:
        """Nothing: the reader leaves it to the formulas where another instant is fuller."""
        return ()

    @property
    def _peak_facts(self) -> Mapping[str, Any]:
        if self.study.at is None:
            return {"total_bytes": hole("held", 0), "peak_bytes": hole("held", 0)}
        counted = self.question.counted
        kept = [place_of(one.placed(counted), self.nodes) for one in kept_instants(self.study, counted)]
        return {"total_bytes": hole("kept", *kept), REST: hole("peak")}

    @property
    def not_counted(self) -> Any:
        """What the instant does not count."""
        return uncounted_form(self.study, self.nodes)

    @property
    def read_otherwise(self) -> Any:
        """The degree under each reading of the label."""
        return hole("readings")

    @property
    def preceded(self) -> Any:
        """What gave way to the caller, where that is the device, and where it is not."""
        plain = precedence(self.real, self.question, ())
        own = next((change.words for change in self.question.own if change.aspect == "device"), None)
        caller = Change("device", CHANGED, lambda same: same)
        given = plain if own is None else precedence(_called_by(self.real, caller), self.question, ())
        return hole("beside", plain_record(plain), plain_record(given), own)

    @property
    def cautions(self) -> Any:
        """What the reader finds."""
        placed = self.placement.get("activations")
        cut = placed is not None and placed.fraction != 0 and self.symbol in placed.degree.free_symbols
        sizes = (one.size for one in cut_rows(self.study))
        rows = [self.nodes.node(size).place for size in sizes if size is not None]
        return hole("close", str(B) if cut else None, rows, sizes_of(self.study, self.nodes))


def _called_by(study: Study, caller: Change) -> Study:
    from dataclasses import replace

    return replace(study, caller=(caller,))


def solved(
    study: Study, real: Study, question: MinDegree, nodes: LookedUp, capacities: Sequence[Number]
) -> dict[str, Any]:
    """Return the bytes at each instant that must fit, of a study whose values are watched, and the records of those that decide.

    An instant decides here that does under one of the `capacities`, or at values of the batch and the lengths beside those of
    the study; where another does, the formulas answer. Raises `ValueError` where a capacity does not stand in a text as a sum of it and a
    number.
    """
    moments = instants(study, question.counted)
    told: list[list[Any]] = []
    alone = is_another_step(study, question.counted, question.symbol)
    for one in moments:
        at = one.at
        phase = "" if at is None else at.phase
        said = ["", ""] if at is None else [at.words, at.rank]
        placed = one.placed(question.counted)
        divided, fixed = _places(one, question, nodes)
        whole = placed.where(lambda term: term.name in GATHERED)
        gathered = place_of(whole, nodes) if alone and whole.terms else None
        told.append([phase, *said, PHASES.index(phase) if phase else 0, divided, fixed, None, None, gathered])
    found = {"symbol": str(question.symbol), "strict": question.strict, "instants": told}
    found["powers"] = powers_of([one.placed(question.counted) for one in moments if one.at is not None])
    common: dict[str, Any] | None = None
    for place in sorted(_deciding(found, nodes.nodes.listed, real, capacities)):
        first, *others = (
            plain_record(FormOfDegree.at_instant(moments[place], real, question, nodes, capacity).record)
            for capacity in _PROBES
        )
        record = _with_capacity(first, others)
        common = record if common is None else common
        assert list(record) == list(common), "all instants are told under the same names"
        told[place][6] = {key: value for key, value in record.items() if common.get(key) != value}
        if moments[place].at is not None:
            told[place][7] = _in_full(Bound(moments[place].placed(question.counted), question.symbol, Limit(1)), nodes)
    if common is None:
        raise ValueError("no degree is enough under any capacity")
    return {**found, "record": common, "remedies": list(_remedies(study, question, nodes))}


def _places(one: Study, question: MinDegree, nodes: LookedUp) -> tuple[int, int]:
    """The nodes of what is divided at an instant, and of what is not."""
    placed = one.placed(question.counted)
    return _split(placed, Bound(placed, question.symbol, Limit(1)), nodes)


def _remedies(study: Study, question: MinDegree, nodes: LookedUp) -> Iterator[list[Any]]:
    """What may help where no degree is enough: in words, as an option, the values that it sets, and its nodes at each instant.

    Those are of a step on several devices, and of one where that is another step.
    """
    for words, option, change in may_help(study) if study.timeline else ():
        sets = change.get("values", {})
        try:
            changed = study.changed(changes(**{name: item for name, item in change.items() if name != "values"}))
            steps = (
                instants(changed, question.counted),
                on_one_device(changed, question.counted, question.symbol, instants),
            )
        except BadInput:
            continue
        several, alone = ([_places(one, question, nodes) for one in moments] for moments in steps)
        yield [words, option, {str(symbol): value for symbol, value in sets.items()}, several, alone]


def _deciding(found: Mapping[str, Any], nodes: Sequence[Any], study: Study, capacities: Sequence[Number]) -> set[int]:
    base = {str(symbol): plain(value) for symbol, value in study.values.items()}
    cases = [base]
    for name in {"B", "S"} & set(base):
        cases += [{**base, name: -(-base[name] * times // 4)} for times in (1, 2, 8, 16, 32)]
    deciding = set()
    for values in cases:
        for capacity in capacities:
            try:
                deciding.add(Degrees(Asked(nodes, values, {"counted": capacity}, ""), found).order[0])
            except Otherwise:
                continue
    return deciding


def _split(placed: Memory, bound: Bound, nodes: LookedUp) -> tuple[int, int]:
    """The nodes of what is divided by the degree, as a whole, and of what is not."""
    divided, fixed = placed.split(bound.symbol)
    whole: Any = nodes.node(cast(Any, 0 * bound.symbol))
    for term in divided:
        whole = whole + _undivided(term, bound, nodes)
    return whole.place, place_of(fixed, nodes)


def _in_full(bound: Bound, nodes: LookedUp) -> list[list[Any]]:
    """The parts of what every device holds in full, each with the node of its bytes."""
    parts: dict[str, list[Term]] = {}
    for term in bound.kept:
        parts.setdefault(part_in_full(term), []).append(term)
    return [[name, place_of(Memory(tuple(terms)), nodes)] for name, terms in parts.items()]


def _undivided(term: Term, bound: Bound, nodes: LookedUp) -> Node:
    by = term.degree / bound.symbol
    if by.has(bound.symbol):
        raise ValueError("the memory depends on the degree in another way")
    whole = cast(Node, term.undivided_at(nodes))
    return whole if by == 1 else whole.over(nodes.node(by))


def _with_capacity(first: Any, others: Sequence[Any]) -> Any:
    """What is made at several capacities, as one: where they differ, a hole that is filled from the capacity."""
    if all(one == first for one in others):
        return first
    match first:
        case dict():
            return {key: _with_capacity(value, [one[key] for one in others]) for key, value in first.items()}
        case list():
            return [_with_capacity(value, [one[i] for one in others]) for i, value in enumerate(first)]
        case int():
            if (first, *others) != _PROBES:
                raise ValueError("a number depends on the capacity in another way")
            return hole("capacity")
    return hole("told", *_pieces([first, *others]))


def _pieces(texts: Sequence[str]) -> Iterator[str | list[Any]]:
    """A text cut where a capacity stands: what is added to it there, and whether LaTeX groups its digits."""
    numbers = [list(_NUMBER.finditer(text)) for text in texts]
    if len({len(one) for one in numbers}) != 1 or len({_NUMBER.sub("#", text) for text in texts}) != 1:
        raise ValueError("a text depends on the capacity in another way")
    end = 0
    for found in zip(*numbers, strict=True):
        values = [int(one[0].replace("\\,", "")) for one in found]
        if len(set(values)) == 1:
            continue
        added = {value - probe for value, probe in zip(values, _PROBES, strict=True)}
        if len(added) != 1:
            raise ValueError("a text depends on the capacity in another way")
        yield texts[0][end : found[0].start()]
        yield [added.pop(), "\\" in found[0][0]]
        end = found[0].end()
    yield texts[0][end:]
