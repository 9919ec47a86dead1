"""`Plan`: what a sweep is asked, read and checked, as cases that are ready to be answered; nothing is evaluated here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import sympy as sp

from symbolic_mem.base.errors import BadInput, MissingProgram
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Prose
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.min_degree import MinDegree
from symbolic_mem.questions.parts.asking import turned, usual
from symbolic_mem.questions.parts.unread import refuse_unread
from symbolic_mem.study.changes import changes
from symbolic_mem.study.derived import refuse_followed
from symbolic_mem.study.precedence import precedence
from symbolic_mem.study.study import Study
from symbolic_mem.sweeps.axes import Axes, Choice, read_axes
from symbolic_mem.sweeps.cases import Cases, cases
from symbolic_mem.sweeps.idle import idle
from symbolic_mem.sweeps.not_compared import not_compared
from symbolic_mem.sweeps.sending import COLUMN, with_rates
from symbolic_mem.sweeps.structure import check_sizes

if TYPE_CHECKING:
    from symbolic_mem.sweeps.engine import Piece

MOST_POINTS = 10**9
ENGINES = ("numpy", "numba")
MOST_VALUES = 10**7  # of one axis: some hundred megabytes while they are answered
COLUMNS = ("fits", "peak", "left", "instant", COLUMN)


@dataclass(frozen=True)
class Plan:
    """What a sweep is going to do: its axes, its cases, the columns that are wanted of them, and what is said `beside` the rows."""

    study: Study
    axes: Axes
    symbol: sp.Symbol
    cases: Cases
    columns: tuple[str, ...]
    instants: bool
    terms: bool
    engine: str = ENGINES[0]
    beside: tuple[Prose, ...] = ()

    @property
    def points(self) -> int:
        """How many configurations there are."""
        return self.axes.points

    @property
    def words(self) -> tuple[str, ...]:
        """The instants that some configuration has, each once."""
        return tuple(dict.fromkeys(one.name for case in self.cases.cases for one in case.named))

    @property
    def axes_names(self) -> tuple[str, ...]:
        """The names of the columns that say which configuration a row is: of each choice and of each symbol."""
        found: list[str] = []
        for axis in self.axes:
            found += [axis.name] if isinstance(axis, Choice) else map(str, axis.columns)
        return tuple(found)

    @property
    def extras(self) -> tuple[str, ...]:
        """The names of the columns of each instant and of each term, where they are asked for."""
        every = (one for case in self.cases.cases for one in (case, case.one) if one is not None)
        terms = (term.name for one in every for group in one.terms for term in group)
        found = [f"instant: {words}" for words in self.words] if self.instants else []
        return (*found, *(f"term: {name}" for name in dict.fromkeys(terms)))

    def refuse_too_many(self, yes: bool, how: str) -> None:
        """Raise `BadInput` for a sweep that takes long, unless that is known, and for an axis that no piece of one can hold.

        What is said tells how large it is, and `how` to have it all the same.
        """
        if self.points > MOST_POINTS and not yes:
            size, hours = self.points * 8 * len(self.columns), self.points / 2e7 / 3600
            raise BadInput(
                f"sweep: {self.points:,} configurations take about {size / 1e9:,.0f} GB and, at 20 million a second, "
                f"{hours:,.1f} hours; vary fewer values, or say {how}"
            )
        for axis in self.axes:
            if len(axis) > MOST_VALUES:
                raise BadInput(
                    f"sweep: {axis.name} takes {len(axis):,} values, and an axis is held whole: at most {MOST_VALUES:,} are "
                    "read; take larger steps, or several sweeps"
                )

    def pieces(self, size: int) -> Iterator[Piece]:
        """Cut all cases into pieces of about that many configurations."""
        from symbolic_mem.sweeps.arrays import Layout, compact
        from symbolic_mem.sweeps.engine import Piece
        from symbolic_mem.sweeps.loops import loops

        wanted = tuple("degree" if name == str(self.symbol) else name for name in self.columns)
        for one in self.cases.cases:
            case = compact(one)
            layout = Layout(case)
            compiled = self.engine == "numba" and not (self.instants or self.terms)
            each = [None if one is None or not compiled else loops(one, wanted) for one in (case, case.one)]
            step = max(1, size // layout.columns)
            for first in range(0, layout.rows, step):
                last = min(first + step, layout.rows)
                yield Piece(case, first, last, wanted, self.instants, self.terms, (each[0], each[1]))


def plan(
    study: Study | str,
    *,
    rows: Mapping[str, Any] | None = None,
    columns: Sequence[str] | None = None,
    instants: bool = False,
    terms: bool = False,
    question: str | None = None,
    asks: Mapping[str, Any] | None = None,
    axes: Mapping[str, Any] | None = None,
    where: str = "sweep",
    options: Mapping[str, str] | None = None,
    engine: str = ENGINES[0],
) -> Plan:
    """Read what a sweep is asked and prepare its cases; nothing is evaluated yet.

    What stands `where` is named in messages; keys of the question that come from `options` of a call have the places of these.
    """
    need_engine(engine, options)
    study = load_study(study) if isinstance(study, str) else study
    varied = read_axes(axes or {}, rows, study.names, where)
    followed = {symbol: expr for symbol, expr in study.formulas.items() if symbol not in varied.symbols}
    refuse_followed(followed, map(str, varied.symbols), where)
    asked = _question(study, question).given(dict(asks or {}), where, options)
    symbol = asked.symbol
    sends = COLUMN in (columns or ())
    studies = _studies(study, varied, asked)
    if symbol not in varied.symbols and all(_whole(one) for one in studies.values()):
        varied = Axes((*varied, *read_axes({str(symbol): [int(study.values.get(symbol, 1))]}, None)))
    given = symbol in varied.symbols
    if sends:
        studies = {choice: with_rates(one) for choice, one in studies.items()}
    for one in studies.values():
        check_sizes(one, varied.numbers, where)
    found = cases(studies, varied, asked, symbol, terms=terms, sends=sends)
    refuse_unread(study, (asked,), also=found.read)
    known = all(case.capacity is not None for case in found.cases)
    allowed = [name for name in COLUMNS if known or name not in ("fits", "left")]
    allowed = allowed if given else [str(symbol), *allowed]
    for name in columns or ():
        if name not in allowed:
            place = where if options is None else "--column"
            raise BadInput.unknown(f"{place}: there is no column {name!r} here", name, allowed)
    chosen = tuple(
        dict.fromkeys((*(() if given else (str(symbol),)), *(columns or (one for one in allowed if one != COLUMN))))
    )
    unused = () if given else precedence(study, asked)
    compares = not_compared(studies, varied, asked.counted) if "fits" in chosen else ()
    beside = tuple(dict.fromkeys((*unused, *idle(studies, varied), *compares)))
    return Plan(study, varied, symbol, found, chosen, instants, terms, engine, beside)


def _question(study: Study, label: str | None) -> MinDegree:
    """The question about a degree that the study asks, or that is named; else a new one like the first that it asks."""
    own = [study.question(label)] if label is not None else list(usual(study))
    degree = next((one for one in own if isinstance(one, MinDegree)), None)
    if degree is not None:
        return degree
    if label is not None:
        raise BadInput(f"sweep: question {label!r} does not ask for a degree; leave it out, or name one that does")
    return turned(own[0] if own else None, MinDegree, "sweep", study.name)


def _whole(study: Study) -> bool:
    """Whether no degree is asked for: of inference, and where every device holds all that one alone would hold."""
    divided = (placed.degree for placed in study.placement.values() if placed.fraction)
    return not study.recipe.trains or not any(degree.free_symbols for degree in divided)


def _studies(study: Study, axes: Axes, question: MinDegree) -> dict[tuple[int, ...], Study]:
    """The study under each choice of names, as the question sees it, at the first value of each axis."""
    first: dict[str, object] = {}
    for axis in axes.numbers:
        first |= {str(symbol): int(values[0]) for symbol, values in axis.columns.items()}
    found = {}
    for picked in product(*(range(len(one)) for one in axes.choices)):
        named = {one.name: one.options[i] for one, i in zip(axes.choices, picked, strict=True)}
        named |= {"devices": study.devices} if "device" in named and study.devices is not None else {}
        changed = study.called(changes(values=first, **named))  # ty: ignore[invalid-argument-type]
        found[picked] = changed.under(question)
    return found


def need_engine(engine: str, options: Mapping[str, str] | None = None) -> None:
    """Raise `BadInput` for an engine that is none, and `MissingProgram` where it or NumPy is not installed."""
    need_numpy()
    if engine not in ENGINES:
        raise BadInput.unknown(f"{'engine' if options is None else '--engine'} {engine!r} is none", engine, ENGINES)
    if engine == "numba":
        from symbolic_mem.sweeps.compiled import need_numba

        need_numba()


def need_numpy() -> None:
    """Raise `MissingProgram` where NumPy is not installed."""
    try:
        import numpy  # noqa: F401
    except ImportError:
        raise MissingProgram(
            "a sweep needs NumPy, which is not installed; `pip install 'symbolic-mem[sweep]'` installs it"
        ) from None
