"""The instants of a step at the answer: what is there at each of them, as a table, and the largest as an equation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property, partial
from typing import Any

import sympy as sp

from symbolic_mem.accounts.schedule import PHASES
from symbolic_mem.accounts.terms import Term
from symbolic_mem.base.errors import MissingValue
from symbolic_mem.base.exact import Numbers
from symbolic_mem.base.rational import Number, plain, symbolic
from symbolic_mem.base.symbols import B, S, V, n_fsdp, n_pos
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Chain, Prose, amount, say, text
from symbolic_mem.document.steps import Block, Column, Paragraph, Table, in_full, in_short
from symbolic_mem.document.words import about, gib, joined
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.questions.parts.held import Instant, margin, peak_record
from symbolic_mem.questions.parts.instants import decided_instants, kept_instants
from symbolic_mem.questions.parts.turns import Turn, Turns, turns
from symbolic_mem.questions.parts.words import few_figures
from symbolic_mem.solvers.capacity import Capacity
from symbolic_mem.study.study import Study

ACTIVATIONS = "activations"
SYMBOLS = (B, S, V, n_fsdp)
"""Where one of these changes alone, another instant may take over."""


@dataclass(frozen=True)
class Fullest:
    """The fullest instant of a phase of the step: the study at it, its bytes on one device, and the bytes of its parts."""

    phase: str
    study: Study
    bytes: Number
    parts: Mapping[str, Number]
    values: Mapping[sp.Symbol, Any] = field(default_factory=dict, repr=False)
    held_of: Callable[[Term], Number] | None = field(default=None, repr=False, compare=False)

    @property
    def words(self) -> str:
        """The instant."""
        return self.instant.words

    @property
    def instant(self) -> Instant:
        """The same without its study and its parts."""
        assert self.study.at is not None
        return Instant(self.phase, self.study.at.words, self.study.at.rank, self.bytes)

    @cached_property
    def turns(self) -> Turns:
        """Where another instant takes over from this one, which is the fullest; nothing of a number that changes how terms are cut into whole pieces."""
        from symbolic_mem.solvers.powers import highest_power

        step = [one for one in self._there.timeline if not one.lasting]
        step.sort(key=lambda one: PHASES.index(one.phase))
        memories = [self.study.seen_at(one).placed() for one in step]
        shared = {id(term): term for memory in memories for term in memory.terms}  # most are there at many instants
        rest, cut = self._of_whole_pieces(shared)
        named = {str(symbol): symbol for symbol in SYMBOLS if symbol in self.values and symbol not in cut}
        places = [[id(term) for term in memory.terms] for memory in memories]

        def amounts(changed: Mapping[str, int]) -> list[Number]:
            values = {**self.values, **{named[name]: sp.Integer(value) for name, value in changed.items()}}
            numbers = Numbers(values, "the instants of a step")
            sizes = {place: term.at(numbers) + rest.get(place, 0) for place, term in shared.items()}
            return [sum(sizes[place] for place in each) for each in places]

        known = {str(symbol): plain(self.values[symbol]) for symbol in (*SYMBOLS, n_pos) if symbol in self.values}
        powers = {name: highest_power(memories, symbol) for name, symbol in named.items()}
        return turns(powers, known, amounts, [one.words for one in step], self.words) if named else Turns((), ())

    @property
    def _there(self) -> Study:
        """The study whose step has this instant: that at its values, where the study's own, of more devices or blocks, has other ones."""
        numbers = Numbers(self.values, "the instants of a step")
        there = [one for one in self.study.timeline if one.exists(numbers)]
        own = len(there) == len(self.study.timeline) and any(one is self.study.at for one in there)
        return self.study if own else replace(self.study, values={**self.study.values, **self.values}, at=None)

    def _of_whole_pieces(self, terms: Mapping[int, Term]) -> tuple[Mapping[int, Number], set[sp.Symbol]]:
        """What whole pieces take beside the share of each of the `terms` that has them, and the symbols on which that depends."""
        if self.held_of is None:
            return {}, set()
        numbers = Numbers(self.values, "the instants of a step")
        pieces = {place: term for place, term in terms.items() if term.degree != 1 or term.padded is not None}
        rest = {place: self.held_of(term) - term.at(numbers) for place, term in pieces.items()}
        return rest, {n_fsdp}.union(*(term.symbols for term in pieces.values()))


def fullest(
    studies: Sequence[Study], values: Mapping[sp.Symbol, Any], held_of: Callable[[Term], Number] | None = None
) -> tuple[Fullest, ...]:
    """Return the fullest instant of each phase at `values`, which also give the degrees; none without instants.

    `held_of` is what one device holds of a term where that is cut into whole pieces.
    """
    numbers = Numbers(values, "the instants of a step")
    found: dict[str, Fullest] = {}
    for study in studies:
        if study.at is None or study.at.lasting:
            continue
        memory = study.placed()
        held = memory.at(numbers) if held_of is None else sum(map(held_of, memory.terms))
        best = found.get(study.at.phase)
        if best is None or held > best.bytes:
            found[study.at.phase] = Fullest(
                study.at.phase,
                study,
                held,
                parts_of(memory.terms, held_of or partial(Term.at, values=numbers)),
                values,
                held_of,
            )
    return tuple(found[phase] for phase in PHASES if phase in found)


def step_of(study: Study, held_of: Callable[[Term], Number] | None = None) -> tuple[Fullest, ...]:
    """Return the fullest instant of each phase of a step at the values of a study; none while a symbol has no value.

    >>> from symbolic_mem.library.read import load_study
    >>> [one.phase for one in step_of(load_study("lora-llama-3.1-8b"))]
    ['forward', 'loss', 'backward', 'step']
    """
    try:
        return fullest(decided_instants(study, KINDS) if study.timeline else (), study.values, held_of)
    except MissingValue:
        return ()


def peak(found: Sequence[Fullest]) -> Fullest:
    """The fullest of all."""
    return max(found, key=lambda one: one.bytes)


def peak_bytes(study: Study) -> Number:
    """The bytes of one device at its fullest: what it keeps, where the instants of a step are not known.

    Raises `MissingValue` while a symbol has no value.
    """
    if found := step_of(study):
        return peak(found).bytes
    return max(one.placed().at(study.numbers) for one in kept_instants(study, KINDS))


def settle(*answers: Sequence[Fullest]) -> None:
    """Find where another instant takes over from the fullest one, which steps only tell."""
    for found in answers:
        if found:
            _ = peak(found).turns


def parts_of(terms: Sequence[Term], held_of: Callable[[Term], Number]) -> Mapping[str, Number]:
    """The bytes of the parts that terms are of, by name; the activations of all layers are one part."""
    parts: dict[str, Number] = {}
    for term in terms:
        name = ACTIVATIONS if term.kind == "activations" and term.layer else term.whole_name
        parts[name] = parts.get(name, 0) + held_of(term)
    return parts


def peak_blocks(
    found: Sequence[Fullest], *, ahead: bool = True, named: str = "", turned: bool = True
) -> Iterator[Block]:
    """The parts at the fullest instant of each phase as a table, what is always there once, and where it is most; how far `ahead` that is, too.

    The instant whose words are `named` already is the peak's own, and is not named again. What takes over stands below, if it is `turned`.
    """
    if not found:
        return
    most = peak(found)
    names = list(dict.fromkeys(name for one in found for name in one.parts))
    always = [n for n in names if len({one.parts.get(n) for one in found}) == 1]
    rows: list[tuple[Prose, ...]] = []
    if always:
        shown = _shown(sum(found[0].parts[name] for name in always))
        rows.append((say("always: {names}", names=", ".join(always)), *(shown for _ in found)))
    for name in (name for name in names if name not in always):
        rows.append((text(name), *(_shown(one.parts[name]) if name in one.parts else text("–") for one in found)))
    rows.append((text("together"), *(_shown(one.bytes) for one in found)))
    columns = (Column(text("on one device"), "text"), *(Column(text(one.phase), "right") for one in found))
    if len(found) > 1:
        yield Paragraph(_fullest_words(found, most, margin(found) if ahead else None, named))
        caption = text("The instants of a step, each phase at its fullest")
    else:
        yield Paragraph(say("A step is fullest at {words}:", words=most.words))
        caption = text("The instants of a step")
    yield Table(caption, columns, tuple(rows), totals=True)
    if turned:
        yield from turn_blocks(most)


def turn_blocks(most: Fullest) -> Iterator[Block]:
    """What takes over from the fullest instant where one number changes alone, and in short at which values."""
    if taken := tuple(turn_words(most.turns)):
        said = say("Where one number changes alone, this takes over: {taken}.", taken=joined(taken, "; ", "; "))
        yield from in_full([Paragraph(said)])
    if most.turns.found:
        yield from in_short([Paragraph(say("Another instant is the fullest {when}.", when=_values(most.turns)))])


def _fullest_words(found: Sequence[Fullest], most: Fullest, ahead: Number | None, named: str) -> Prose:
    """Where a step is fullest, if that is not `named`, of which phases that is the most, and by how much it is `ahead` (None: not said)."""
    size, phases = _shown(most.bytes), ", ".join(one.phase for one in found)
    if most.words == named:
        said = say("The peak, {size}, is max({phases})", size=size, phases=phases)
    else:
        words = most.words
        said = say("A step is fullest at {words}: {size} is max({phases})", words=words, size=size, phases=phases)
    if ahead is None:
        return say("{said}:", said=said)
    if ahead:
        return say("{said}, {ahead} over the next:", said=said, ahead=_shown(ahead))
    return say("{said}, as much as the next:", said=said)


def _shown(size: Number) -> Prose:
    return about(gib(symbolic(size)))


def peak_summary(found: Sequence[Fullest]) -> Iterator[tuple[str, Prose]]:
    """The fullest instant of each phase at a glance, the largest first."""
    for place, one in enumerate(sorted(found, key=lambda one: one.bytes, reverse=True)):
        pieces = {"words": one.words, "size": _shown(one.bytes)}
        ahead = margin(found) if place == 0 else None
        if ahead is None:
            yield "instant", say("{words}: {size}", **pieces)
        elif ahead == 0:
            yield "instant", say("{words}: {size}, as much as the next", **pieces)
        else:
            yield "instant", say("{words}: {size}, {ahead} over the next", ahead=_shown(ahead), **pieces)
    if found:
        yield from (("takes over", said) for said in turn_words(peak(found).turns))


def turn_words(turns: Turns) -> Iterator[Prose]:
    """Each instant that takes over, and where; or that none does."""
    when: dict[str, list[Prose]] = {}
    typeset = {str(symbol): symbol for symbol in SYMBOLS}
    for one in turns.found:
        when.setdefault(one.instant, []).append(_when(one))
    for words, sides in when.items():
        yield say("{words}: {sides}", words=words, sides=joined(sides, last=" or "))
    if turns.symbols and not when:
        yield say(
            "no other instant, if {symbols} changes",
            symbols=joined([say("{x}", x=typeset[symbol]) for symbol in turns.symbols], last=" or "),
        )


def _values(turns: Turns) -> Prose:
    """Where any other instant takes over, by the symbols alone."""
    sides = {name: [_when(one) for one in turns.found if one.symbol == name] for name in turns.symbols}
    return joined([joined(each, last=" or ") for each in sides.values() if each], last=" or ")


def _when(turn: Turn) -> Prose:
    (symbol,) = (one for one in SYMBOLS if str(one) == turn.symbol)
    value = Chain(symbol, (amount(turn.value, digits=18),))
    if turn.alone:
        return say("at {value}", value=value)
    return say("from {value} up", value=value) if turn.above else say("from {value} down", value=value)


def peak_facts(found: Sequence[Fullest]) -> Mapping[str, Any]:
    """The peak and its instant, and the bytes of the fullest instant of each phase, rounded up."""
    return peak_record([one.instant for one in found], peak(found).turns.found) if found else {}


def verdict(
    found: Sequence[Fullest],
    capacity: Capacity | None,
    left: Number | None,
    fuller: Instant | None = None,
    *,
    crowded: bool = False,
) -> Iterator[tuple[str, Prose]]:
    """Whether the peak, or what is kept, fits the device that counts, and how much is left or too much; and a `crowded` fit.

    What is kept at a `fuller` moment counts where the account is of another.
    """
    if capacity is None or left is None:
        return
    pieces = {
        "what": "the peak" if found else "what is kept" if fuller is None else f"what is kept at {fuller.words},",
        "room": few_figures(capacity) or about(Amount(capacity.counted, capacity.unit, beside=True)),
        "read": text("" if capacity.reading is None else f" ({capacity.reading})"),
        "left": about(Amount(symbolic(abs(left)), capacity.unit)),
    }
    if left < 0:
        said = say("{what} does not fit the {room}{read} of one device: {left} too much", **pieces)
    elif crowded:
        said = say(
            "{what} fits the {room}{read} of one device, and {left} stay free; what is not counted may not fit beside it",
            **pieces,
        )
    else:
        said = say("{what} fits the {room}{read} of one device, and {left} stay free", **pieces)
    yield "capacity", said
