"""The figures of an answer: every number in them is one of the answer, from which its sentences and tables are made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial

from symbolic_mem.accounts.schedule import PHASES
from symbolic_mem.accounts.terms import Term
from symbolic_mem.base.exact import Numbers
from symbolic_mem.base.rational import Number, plain, symbolic
from symbolic_mem.base.symbols import P, T
from symbolic_mem.document.charts import Capacity, Column, Held, Told, against, columns, stacked
from symbolic_mem.document.figure import Figure
from symbolic_mem.document.prose import Amount, Prose, say, text
from symbolic_mem.document.words import joined
from symbolic_mem.questions.parts.found_instants import FoundAtInstants
from symbolic_mem.questions.parts.instants import words_of
from symbolic_mem.questions.parts.peaks import parts_of, peak
from symbolic_mem.questions.parts.words import KIND_WORDS, few_figures
from symbolic_mem.solvers import capacity as solvers

_POINTS = 48  # at which a curve is computed


def memory_chart(found: FoundAtInstants, name: str, family: str) -> Figure | None:
    """The figure of that name: ``device``, ``bound`` or ``step``."""
    return {"device": device_chart, "bound": bound_chart, "step": step_chart}[name](found, name, family)


def device_chart(found: FoundAtInstants, name: str, family: str) -> Figure | None:
    """What one device holds at the answer, part by part, against its capacity."""
    if found.value is None or not found.known or found.symbol in (P, T):
        return None
    parts, moment = parts_at(found)
    pieces = {"n": found.symbol, "v": found.value, "moment": moment, **_room(found.capacity)}
    caption = say(
        "What one device holds at {n} = {v}, part by part, beside {room}, when it is fullest: {moment}.", **pieces
    )
    if found.study.at is None and found.study.recipe.gradients_persist:
        caption = say("What one device keeps at {n} = {v}, part by part, beside {room}.", **pieces)
    listed = joined([_sized(text(part), size, family) for part, size in parts.items()])
    whole = Amount(symbolic(found.held(found.value)), family)
    said = say(
        "One bar: {listed}; together {whole}, beside {room}.", listed=listed, whole=whole, **_room(found.capacity)
    )
    return stacked(Told(name, caption, said), parts, capacity_of(found.capacity, family))


def parts_at(found: FoundAtInstants) -> tuple[Mapping[str, Number], Prose]:
    """The bytes of each part where one device holds most, and when that is."""
    if found.fullest_instants:
        most = peak(found.fullest_instants)
        return most.parts, text(most.words)
    study = found.fullest(found.value).study
    held_of = found.held_of or partial(Term.at, values=Numbers(found.known, "a figure"))
    return parts_of(study.placed(found.question.counted).terms, held_of), words_of(study)


def bound_chart(found: FoundAtInstants, name: str, family: str) -> Figure:
    """The bytes of one device against the unknown, with the capacity, the answer and the part that fits."""
    falls = found.falls
    limit = found.limit
    sizes = {number: found.held(number) for number in _places(found)}
    points = tuple((number, size, limit.holds(size)) for number, size in sizes.items())
    answer, n = found.value, found.symbol
    start = found.fits_from
    floor = _floor(found)
    held = Held(say("{n}", n=n), str(n), points, answer, start, falls, floor, tuple(_between(found, points[-1][0])))
    pieces = {"n": n, **_room(found.capacity)}
    if answer is None:
        pieces["least"] = (
            say("never less than {size}", size=Amount(symbolic(floor), family)) if floor else text("too much")
        )
        caption = say("What one device holds against {n}: {least}, above {room}.", **pieces)
        said = say("A curve over {n} that stays above {room}; {least}.", **pieces)
    else:
        pieces["v"] = answer
        caption = (
            say("What one device holds against {n}: from {v} on it fits {room}.", **pieces)
            if falls and start == answer
            else say(
                "What one device holds against {n}: the smallest that is allowed and fits {room} is {v}.", **pieces
            )
            if falls
            else say("What one device holds against {n}: up to {v} it fits {room}.", **pieces)
        )
        size = Amount(symbolic(found.held(answer)), family)
        said = say("A curve over {n} that meets {room} at {v}, where one device holds {size}.", size=size, **pieces)
    return against(Told(name, caption, said), held, capacity_of(found.capacity, family))


def _places(found: FoundAtInstants) -> list[int]:
    """The powers of two from one to well beyond the answer, with the answer and its neighbours."""
    answer = found.value
    if answer is not None:
        last = 8 * 2 ** (answer - 1).bit_length() if found.falls else 4 * 2 ** answer.bit_length()
    else:
        last = _flat(found) if found.falls else 16
    near = set() if answer is None else {answer - 1, answer, answer + 1}
    powers = {2**exponent for exponent in range(last.bit_length())}
    return sorted(number for number in near | powers if number >= 1)


def _between(found: FoundAtInstants, last: int) -> Iterator[tuple[Number, Number]]:
    """What one device holds between those: of fractions, too, where the memory is a curve; of whole numbers where rows are cut."""
    powers = [one.powers_here for one in found.everywhere]
    step = last.bit_length() - 1
    places = {Fraction(round(16 * 2 ** (step * place / _POINTS)), 16) for place in range(_POINTS)}
    if None in powers:
        yield from ((place, found.held(place)) for place in {max(1, round(one)) for one in places})
        return
    known = [each for each in powers if each]
    yield from ((place, _highest(known, place)) for place in places)


def _highest(powers: Sequence[Mapping[int, Number]], place: Fraction) -> Number:
    """The largest of some sums of powers at a place, compared in whole numbers."""
    exponents = [k for each in powers for k in each] or [0]
    low, high = min(exponents), max(exponents)
    above, below = place.numerator, place.denominator
    times = {k: above ** (k - low) * below ** (high - k) for k in range(low, high + 1)}
    most = max((sum(size * times[k] for k, size in each.items()) for each in powers), default=0)
    return most * Fraction(above) ** low / Fraction(below) ** high


def _flat(found: FoundAtInstants) -> int:
    """The first power of two at which nearly nothing is left of what is divided."""
    floor, last = _floor(found), 64
    while floor and last < 2**20 and found.held(last) > floor * 21 / 20:
        last *= 2
    return last


def _floor(found: FoundAtInstants) -> Number:
    """What one device holds whatever the unknown is; 0 where rows are cut."""
    powers = [one.powers_here for one in found.everywhere]
    return 0 if None in powers else max(each.get(0, 0) for each in powers if each is not None)


def step_chart(found: FoundAtInstants, name: str, family: str) -> Figure | None:
    """What one device holds at each instant of a step that can decide, at the answer, part by part."""
    if not found.fullest_instants:
        return None
    numbers = Numbers(found.known, "a figure")
    order = {one: place for place, one in enumerate(found.study.timeline)}
    studies = [(one.study.at, one.study) for one in found.everywhere if one.study.at is not None]
    studies.sort(key=lambda pair: (PHASES.index(pair[0].phase), pair[0].turn, order[pair[0]]))
    shown = [Column(at.phase, at.words, _by_kind(study.placed().terms, numbers)) for at, study in studies]
    most = peak(found.fullest_instants)
    pieces = {"n": found.symbol, "v": found.value, "words": text(most.words), **_room(found.capacity)}
    caption = say(
        "What one device holds at the {number} instants of a step that can decide, at {n} = {v}, beside {room}; it is "
        "fullest at {words}.",
        number=len(shown),
        **pieces,
    )
    said = say(
        "{number} columns, one for each instant, in the order of a step; the highest is {size}, at {words}.",
        number=len(shown),
        size=Amount(symbolic(most.bytes), family),
        words=text(most.words),
    )
    return columns(Told(name, caption, said), shown, capacity_of(found.capacity, family))


def _by_kind(terms: Sequence[Term], numbers: Numbers) -> Mapping[str, Number]:
    """The bytes of each kind of memory; of what is there for a moment, by name."""
    parts: dict[str, Number] = {}
    for term in terms:
        name = term.whole_name if term.kind == "buffers" else KIND_WORDS[term.kind]
        parts[name] = parts.get(name, 0) + term.at(numbers)
    return parts


def _sized(part: Prose, size: Number, family: str) -> Prose:
    return say("{part} {size}", part=part, size=Amount(symbolic(size), family))


def capacity_of(capacity: solvers.Capacity, family: str) -> Capacity:
    """Return what counts of one device, as a figure shows it."""
    return Capacity(plain(capacity.counted), family, few_figures(capacity))


def _room(capacity: solvers.Capacity) -> dict[str, Prose]:
    size = few_figures(capacity) or Amount(symbolic(capacity.counted), capacity.unit, beside=True)
    return {"room": say("the {size} of one device", size=size)}
