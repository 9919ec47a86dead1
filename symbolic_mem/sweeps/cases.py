"""`cases`: the configurations of a sweep, those that the same polynomials answer as one `Case`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import prod
from typing import cast

import sympy as sp

from symbolic_mem.accounts.instants import instant
from symbolic_mem.accounts.schedule import PHASES
from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import number
from symbolic_mem.base.rational import plain
from symbolic_mem.base.values import dataclass
from symbolic_mem.questions.parts.instants import one_is_asked
from symbolic_mem.solvers.bound import need_divided
from symbolic_mem.solvers.rules import allowed
from symbolic_mem.study.study import Study
from symbolic_mem.sweeps.axes import Axes, Axis
from symbolic_mem.sweeps.case import Case, Held, Seconds
from symbolic_mem.sweeps.polynomial import Generators, Polynomial, constant, scale
from symbolic_mem.sweeps.sending import Sending
from symbolic_mem.sweeps.structure import Asked, Shape, shape

MOST_SHAPES = 20_000


@dataclass(frozen=True)
class Leading:
    """The axes whose values decide which formulas answer, as one: its positions run through all their combinations."""

    axes: tuple[Axis, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each of them."""
        return tuple(map(len, self.axes))

    def values(self, symbol: sp.Symbol) -> list[int]:
        """The value of one of their symbols at every position."""
        position = next(i for i, axis in enumerate(self.axes) if symbol in axis.columns)
        before, after = prod(self.shape[:position]), prod(self.shape[position + 1 :])
        return [int(v) for _ in range(before) for v in self.axes[position].columns[symbol] for _ in range(after)]

    def groups(self, decisive: Sequence[sp.Symbol]) -> tuple[list[dict[sp.Symbol, int]], list[int]]:
        """The different values that decisive symbols have together, and for each position which of them."""
        found, number = [{}], [0]
        for axis in self.axes:
            symbols = [symbol for symbol in axis.columns if symbol in decisive]
            options, inverse = axis.distinct(symbols)
            found = [{**one, **dict(zip(symbols, each, strict=True))} for one, each in product(found, options)]
            number = [one * len(options) + each for one, each in product(number, inverse)]
        return found, number


@dataclass(frozen=True)
class Cases:
    """The cases of a sweep, and how their leading axes lie: the shape of an answer is choices x leading x trailing."""

    leading: Leading
    trailing: tuple[Axis, ...]
    cases: tuple[Case, ...]
    read: frozenset[str]


def cases(
    study_of: Mapping[tuple[int, ...], Study],
    axes: Axes,
    question: Asked,
    symbol: sp.Symbol,
    *,
    terms: bool,
    sends: bool = False,
) -> Cases:
    """Return the cases of the `study_of` each choice, as the question sees it: see `Case`.

    Raises `BadInput` where the memory depends on the degree in another way than U + P/n, or on a varied symbol in no way.
    """
    decisive: set[sp.Symbol] = set()
    while True:
        found = _cases(study_of, axes, question, symbol, decisive, terms=terms, sends=sends)
        if isinstance(found, Cases):
            alone = {str(symbol)} if all(not one.recipe.trains for one in study_of.values()) else set()
            _all_read(found, axes, alone)
            return found
        decisive |= found


def _all_read(found: Cases, axes: Axes, unless: set[str]) -> None:
    for name in map(str, axes.symbols):
        if name not in found.read and name not in unless:
            raise BadInput(f"sweep: nothing that is asked reads {name}; it reads {', '.join(sorted(found.read))}")


def _cases(
    study_of: Mapping[tuple[int, ...], Study],
    axes: Axes,
    question: Asked,
    symbol: sp.Symbol,
    decisive: set[sp.Symbol],
    *,
    terms: bool,
    sends: bool,
) -> Cases | set[sp.Symbol]:
    """The cases, or more symbols that turned out to be decisive."""
    varied = frozenset(axes.symbols)
    leading = Leading(tuple(axis for axis in axes.numbers if decisive.intersection(axis.columns)))
    trailing = tuple(axis for axis in axes.numbers if axis not in leading.axes)
    options, which = leading.groups(sorted(decisive, key=str))
    if len(options) * len(study_of) > MOST_SHAPES:
        names = ", ".join(sorted(map(str, decisive)))
        raise BadInput(
            f"sweep: which formulas answer depends on {names} here, which take {len(options) * len(study_of):,} combinations; "
            f"at most {MOST_SHAPES:,} are gone through: vary fewer values of them"
        )
    first = {one: int(values[0]) for axis in axes.numbers for one, values in axis.columns.items()}
    made: list[Case] = []
    read: set[str] = set()
    memories: list[Memory] = []
    for choice, study in study_of.items():
        shapes: dict[tuple[object, ...], tuple[Shape, set[int]]] = {}
        for position, option in enumerate(options):
            values = {one: sp.Integer(value) for one, value in (first | option).items()}
            here, seen = shape(study, question, symbol, values, sends=sends)
            more = varied.intersection(cast("set[sp.Symbol]", seen)) - decisive
            if more:
                return set(more)
            read |= {str(one) for one in seen if isinstance(one, sp.Symbol)}
            shapes.setdefault(here.signature, (here, set()))[1].add(position)
        for here, positions in shapes.values():
            reader = Reader(study, axes.symbols, symbol)
            instants, parts = reader.instants(here.moments, question.counted, terms=terms)
            seconds = None if here.sends is None else reader.seconds(here.sends)
            more = reader.names.inside - decisive
            if more:
                return set(more)
            read |= reader.used
            memories += reader.memories
            where = (leading, trailing, options, which)
            case = reader.case(choice, here, instants, parts, seconds, positions, where, strict=question.strict)
            if here.one:
                whole, its_parts = reader.on_one(here.one, question.counted, terms=terms)
                one = reader.case(choice, here, whole, its_parts, None, positions, where, strict=question.strict)
                case = case if one.never else replace(case, one=one)
            made.append(case)
    if symbol not in varied and not any(one_is_asked(study, symbol) for study in study_of.values()):
        need_divided(symbol, *memories)
    return Cases(leading, trailing, tuple(made), frozenset(read))


class Reader:
    """Reads memories of one study as polynomials of what is varied."""

    def __init__(self, study: Study, symbols: Sequence[sp.Symbol], degree: sp.Symbol) -> None:
        self.study, self.degree = study, degree
        self.names = Generators(symbols)
        self.values = {one: value for one, value in study.values.items() if one not in symbols and one != degree}
        self.used: set[str] = set()
        self.memories: list[Memory] = []
        self._known: dict[sp.Expr, Polynomial] = {}
        self._wholes: dict[
            tuple[int, sp.Expr], tuple[object, Polynomial]
        ] = {}  # by what many instants share, kept alive

    def read(self, expr: sp.Expr) -> Polynomial:
        """An expression as a polynomial."""
        found = self._known.get(expr)
        if found is None:
            self.used |= {str(one) for one in expr.free_symbols}
            if expr.has(self.degree):
                raise BadInput(f"the memory depends on {self.degree} in another way than U + P/{self.degree}")
            found = self._known[expr] = self.names.read(expr, self.values)
        return found

    def instants(
        self, moments: Sequence[Study], kinds: tuple[str, ...], *, terms: bool
    ) -> tuple[list[Held], list[tuple[Held, ...]]]:
        """What is held at each instant, in the order of the phases of a step, and its terms where they are asked for."""
        ordered = sorted(moments, key=lambda one: 0 if one.at is None else PHASES.index(one.at.phase))
        memories = [one.placed(kinds) for one in ordered]
        self.memories += memories
        found, parts = [], []
        for one, memory in zip(ordered, memories, strict=True):
            words = instant(one.instant, one.recipe).words if one.at is None else one.at.words
            each = [self._term(term) for term in memory]
            zero = constant(0)
            found.append(
                Held(words, sum((t.divided for t in each), start=zero), sum((t.fixed for t in each), start=zero))
            )
            parts.append(tuple(each) if terms else ())
        return found, parts

    def on_one(
        self, moments: Sequence[Study], kinds: tuple[str, ...], *, terms: bool
    ) -> tuple[list[Held], list[tuple[Held, ...]]]:
        """What one device holds at each instant, of which nothing is divided."""
        found, parts = self.instants(moments, kinds, terms=terms)
        return [_whole(one) for one in found], [tuple(map(_whole, each)) for each in parts]

    def seconds(self, sends: Sending) -> Seconds:
        """How long one device sends, as polynomials."""
        if self.degree in self.names.symbols:
            fixed, divided = self.names.read(sends.more, self.values), constant(0)
            self.used |= {str(one) for one in sends.more.free_symbols}
        else:
            at = [self.read(sends.more.xreplace({self.degree: sp.Integer(n)})) for n in (1, 2, 3)]
            divided = (at[0] - at[1]) * constant(2)
            fixed = at[0] - divided
            if at[2] - fixed - divided * constant(Fraction(1, 3)):
                raise BadInput(f"what is sent depends on {self.degree} in another way than U + V/{self.degree}")
        one = self.read(sends.one)
        below = scale([fixed, divided, one])
        return Seconds(fixed * below, divided * below, one * below, below)

    def _term(self, term: Term) -> Held:
        size = self._undivided(term)
        if not term.degree.has(self.degree):
            return Held(term.name, constant(0), size * self.read(1 / term.degree))
        self.used.add(str(self.degree))
        return Held(term.name, size * self.read(self.degree / term.degree), constant(0))

    def _undivided(self, term: Term) -> Polynomial:
        """Bytes of the whole term, straight from its parts where its elements were not yet written as a formula."""
        if term.part_of is not None:
            fraction, whole = term.part_of
            return self._undivided(whole) * constant(plain(fraction))
        if not term.made_later("elements"):
            return self.read(term.bytes_per_element) * self.read(term.elements)
        key = id(term.parts), term.bytes_per_element
        if key not in self._wholes:
            self._wholes[key] = term.parts, self.read(term.bytes_per_element) * self._elements(term)
        return self._wholes[key][1]

    def _elements(self, term: Term) -> Polynomial:
        total = constant(0)
        for part in term.parts:
            whole = self.read(sp.sympify(part.copies))
            for size in part.shape:
                whole = whole * self.read(sp.sympify(size))
            total = total + whole
        return total

    def case(
        self,
        choice: tuple[int, ...],
        here: Shape,
        instants: Sequence[Held],
        parts: Sequence[tuple[Held, ...]],
        seconds: Seconds | None,
        positions: set[int],
        where: tuple[Leading, tuple[Axis, ...], list[dict[sp.Symbol, int]], list[int]],
        *,
        strict: bool,
    ) -> Case:
        """The case of those options of the leading axes, scaled to whole numbers."""
        leading, trailing, options, which = where
        known = self.study.device.known
        room = constant(plain(self.study.capacity.counted)) if known or self.degree not in self.names.symbols else None
        everything = [*instants, *(each for group in parts for each in group)]
        scaled = scale(
            [*(p for one in everything for p in (one.divided, one.fixed)), *([] if room is None else [room])]
        )
        lead = [i for i, option in enumerate(which) if option in positions]
        degree = self.names.symbols.index(self.degree) if self.degree in self.names.symbols else None
        return Case(
            choice,
            range(len(which)) if len(lead) == len(which) else lead,
            dict(self._leading(leading, options, which, lead)),
            tuple(
                (len(axis), {self.names.symbols.index(one): values for one, values in axis.columns.items()})
                for axis in trailing
            ),
            degree,
            tuple(_times(one, scaled) for one in instants),
            tuple(tuple(_times(one, scaled) for one in group) for group in parts) if any(parts) else (),
            scaled,
            None if room is None else room * scaled,
            strict,
            allowed(here.rules) if here.rules else None,
            seconds,
        )

    def _leading(
        self, leading: Leading, options: list[dict[sp.Symbol, int]], which: list[int], lead: list[int]
    ) -> Iterator[tuple[int, list[int]]]:
        for position, name in enumerate(self.names.all):
            if name in self.names.symbols:
                if any(name in axis.columns for axis in leading.axes):
                    values = leading.values(cast(sp.Symbol, name))
                    yield position, [values[i] for i in lead]
                continue
            each = {i: number(name, {**self.values, **options[i]}) for i in {which[i] for i in lead}}
            wrong = next((value for value in each.values() if not isinstance(value, int)), None)
            if wrong is not None:
                raise BadInput(
                    f"{name} is {wrong}, not a whole number, which a sweep counts with; ask about single values"
                )
            yield position, [cast(int, each[which[i]]) for i in lead]


def _whole(one: Held) -> Held:
    return Held(one.name, constant(0), one.divided + one.fixed)


def _times(one: Held, scaled: Polynomial) -> Held:
    return Held(one.name, one.divided * scaled, one.fixed * scaled)
