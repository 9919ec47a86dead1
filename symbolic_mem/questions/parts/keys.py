"""The keys that several questions share, each with its reader: which device counts, what is counted, values, rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import sympy as sp

from symbolic_mem.base.errors import BadInput, at_place
from symbolic_mem.base.formula import read_formula
from symbolic_mem.base.symbols import degrees, lookup, n_fsdp, spelled
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Prose
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.questions.parts.editions import Figure, edition, in_edition, read_figures
from symbolic_mem.questions.parts.figures import figure
from symbolic_mem.questions.parts.instants import decided_words, instant_words
from symbolic_mem.study.changed_device import reserve, use_capacity, use_device, use_fraction, use_reading
from symbolic_mem.study.changed_values import place_kind, set_rest, set_value
from symbolic_mem.study.keys import At, key, sets, words, wrong_type
from symbolic_mem.study.question import Question
from symbolic_mem.study.setting import Change

if TYPE_CHECKING:
    from symbolic_mem.solvers.layout import Layout, PaddedRows, WholeSamples
    from symbolic_mem.solvers.rules import AtMost, Divides, MultipleOf, PowerOfTwo, Rule
    from symbolic_mem.study.study import Study


def flag(given: Any, at: At) -> bool:
    """Read true or false."""
    if not isinstance(given, bool):
        raise wrong_type(given, at, "true or false")
    return given


def whole(given: Any, at: At) -> int:
    """Read a positive whole number."""
    if type(given) is not int:
        raise wrong_type(given, at, "a whole number")
    if given < 1:
        raise BadInput(f"{at.where} = {given} is not allowed; give a whole number of at least 1")
    return given


def items(given: Any, at: At) -> list[Any]:
    """Read a list."""
    if not isinstance(given, list):
        raise wrong_type(given, at, "a list")
    return given


def entries(given: Any, at: At) -> Mapping[str, Any]:
    """Read a table."""
    if not isinstance(given, dict):
        raise wrong_type(given, at, "a table")
    return given


def one_of(*allowed: str) -> Callable[[Any, At], str]:
    """Make the reader of a word that must be one of those `allowed`."""

    def read(given: Any, at: At) -> str:
        word = words(given, at)
        if word not in allowed:
            what = at.where.rpartition(" ")[2].lstrip("-")
            raise BadInput.unknown(f"{at.where}: unknown {what} {word!r}", word, allowed)
        return word

    return read


def kinds(given: Any, at: At) -> tuple[str, ...]:
    """Read a list of kinds of memory, of which at least one counts."""
    for kind in items(given, at):
        if kind not in KINDS:
            raise BadInput.unknown(f"{at.where}: unknown kind {kind!r} of memory", str(kind), KINDS)
    if not given:
        raise BadInput(f"{at.where} = [] counts nothing; name kinds of memory, or leave the key out for all of them")
    return tuple(given)


def degree(given: Any, at: At) -> sp.Symbol:
    """Read the degree that a question solves for, such as ``n_fsdp``."""
    symbol = read_formula(words(given, at), degrees(), at.where)
    if not isinstance(symbol, sp.Symbol):
        raise BadInput(f"{at.where} = {given!r} is not one symbol")
    return symbol


def values(given: Any, at: At) -> tuple[Change, ...]:
    """Read values that a question gives for itself, each under the name of its symbol."""
    return tuple(set_value(name, value, at.where, at.own) for name, value in entries(given, at).items())


def placements(given: Any, at: At) -> tuple[Change, ...]:
    """Read the fraction of each kind of memory that is divided."""
    return tuple(place_kind(kind, fraction, at.where) for kind, fraction in entries(given, at).items())


def axis(given: Any, at: At) -> tuple[sp.Symbol, tuple[int, ...]]:
    """Read one symbol with the whole numbers that it takes: ``{ B = [1, 2, 4] }``."""
    if not isinstance(given, dict) or len(given) != 1:
        raise BadInput(f"{at.where} = {given!r}; give one symbol with its values: {{ B = [1, 2, 4] }}")
    name, numbers = next(iter(given.items()))
    symbol = lookup(name)
    if symbol is None:
        known = list(spelled())
        raise BadInput.unknown(f"{at.where}: unknown symbol {name!r}", name, known, "list symbols")
    return symbol, whole_numbers(numbers, At(f"{at.where}: {name}"))


def whole_numbers(given: Any, at: At) -> tuple[int, ...]:
    """Read a list of positive whole numbers."""
    if not isinstance(given, list) or not given or not all(type(number) is int and number > 0 for number in given):
        raise BadInput(f"{at.where} = {given!r}; give whole numbers, as in [1, 2, 4]")
    return tuple(given)


def _amount(make: Callable[[str, str], Change]) -> Callable[[Any, At], Change]:
    return lambda given, at: make(words(given, at), at.where)


def _fraction(given: Any, at: At) -> Change:
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise wrong_type(given, at, 'a number such as 0.95, or "19/20"')
    return use_fraction(given, at.where)


@dataclass(frozen=True, repr=False)
class OnDevice(Question):
    """A question that compares memory with that of one device."""

    device: tuple[Change, ...] = sets(lambda given, at: use_device(words(given, at), at.devices, at.where))
    reading: tuple[Change, ...] = sets(_amount(use_reading))
    capacity: tuple[Change, ...] = sets(_amount(use_capacity))
    reserved: tuple[Change, ...] = sets(_amount(reserve))
    usable: tuple[Change, ...] = sets(_fraction)
    strict: bool = key(flag, False)

    def checked(self) -> Self:
        """Refuse an amount of memory beside a device or a reading of its label."""
        if self.capacity and (self.device or self.reading):
            other = "device" if self.device else "reading"
            raise BadInput(f"{self.where}: capacity and {other} both say which memory counts; give one of them")
        return super().checked()

    @property
    def weighed(self) -> bool:
        """It compares memory with that of one device."""
        return True

    def beside(self, found: Any) -> tuple[Prose, ...]:
        """Say which instant of a step is counted, where gradients do not persist and are counted."""
        if "gradients" not in self.counted:
            return ()
        return decided_words(found) or instant_words(found.study)


@dataclass(frozen=True, repr=False)
class OfKinds(OnDevice):
    """A question that may count only some kinds of memory, with the rest kept or dropped."""

    kinds: tuple[str, ...] = key(kinds, ())
    rest: tuple[Change, ...] = sets(_amount(set_rest))

    @property
    def counted(self) -> tuple[str, ...]:
        """The kinds of memory that the question counts."""
        return self.kinds or KINDS


def _rule(make: Callable[[sp.Expr], Rule]) -> Callable[[Any, At], tuple[Rule, ...]]:
    def read(given: Any, at: At) -> tuple[Rule, ...]:
        names = spelled()
        if isinstance(given, bool) or not isinstance(given, int | str):
            raise BadInput(
                f"{at.where} = {str(given).lower()} says no number; give a whole number such as 8, or a symbol such as B"
            )
        number = read_formula(str(given), names, at.where)
        if number.is_number and not (number.is_Integer and number >= 1):
            raise BadInput(f"{at.where} = {given} is not a whole number of at least 1; give for example 8")
        return (make(number),)

    return read


def _if_true(make: Callable[[], Rule | Layout]) -> Callable[[Any, At], tuple[Rule | Layout, ...]]:
    return lambda given, at: (make(),) if flag(given, at) else ()


def _whole_samples() -> WholeSamples:
    from symbolic_mem.solvers.layout import WholeSamples

    return WholeSamples()


def _padded_rows() -> PaddedRows:
    from symbolic_mem.solvers.layout import PaddedRows

    return PaddedRows()


def _multiple_of(number: sp.Expr) -> MultipleOf:
    from symbolic_mem.solvers.rules import MultipleOf

    return MultipleOf(number)


def _power_of_two() -> PowerOfTwo:
    from symbolic_mem.solvers.rules import PowerOfTwo

    return PowerOfTwo()


def _divides(number: sp.Expr) -> Divides:
    from symbolic_mem.solvers.rules import Divides

    return Divides(number)


def _at_most(number: sp.Expr) -> AtMost:
    from symbolic_mem.solvers.rules import AtMost

    return AtMost(number)


@dataclass(frozen=True, repr=False)
class OfRows(Question):
    """A question that may count tensors in whole rows."""

    padded_rows: tuple[PaddedRows, ...] = key(_if_true(_padded_rows), ())


@dataclass(frozen=True, repr=False)
class Ruled(OfRows):
    """A question about a degree under the rules of real clusters."""

    whole_samples: tuple[WholeSamples, ...] = key(_if_true(_whole_samples), ())
    multiple_of: tuple[MultipleOf, ...] = key(_rule(_multiple_of), ())
    power_of_two: tuple[PowerOfTwo, ...] = key(_if_true(_power_of_two), ())
    divides: tuple[Divides, ...] = key(_rule(_divides), ())
    at_most: tuple[AtMost, ...] = key(_rule(_at_most), ())

    @property
    def rules(self) -> tuple[Rule | Layout, ...]:
        """All rules, in the order of the fields.

        >>> Ruled.keys()[2:4]
        ('padded_rows', 'whole_samples')
        """
        fixed = (*self.whole_samples, *self.padded_rows, *self.multiple_of)
        return (*fixed, *self.power_of_two, *self.divides, *self.at_most)

    def rules_for(self, study: Study, symbol: sp.Symbol) -> tuple[Rule | Layout, ...]:
        """All rules, and that of a plan that reshards over some devices, or divides over groups of them."""
        layouts = (*self.whole_samples, *self.padded_rows)
        if self.padded_rows:
            need_rows(study, "padded_rows")
        return (*layouts, *plan_rules(study, symbol), *self.rules[len(layouts) :])


def need_rows(study: Study, where: str) -> None:
    """Refuse whole rows under an engine that divides its buffers anywhere. Source: Megatron-LM, distrib_optimizer.py."""
    if study.plan is not None and study.plan.engine:
        raise BadInput(
            f"{where}: plan {study.plan.name!r} divides its buffers anywhere, and not into whole rows as FSDP2 does; leave it out"
        )


def degree_on(devices: int, study: Study, symbol: sp.Symbol, where: str) -> int:
    """The degree that so many devices have: as many as there are for each of the product of all other degrees.

    Raises `BadInput` where that is no whole number, or none that the plan of the study allows.
    """
    from symbolic_mem.questions.parts.assumptions import ranks_beside

    ranks = ranks_beside(study, symbol)
    each = ranks * _multiple(study, symbol)
    if devices % each:
        raise BadInput(
            f"{where}: devices = {devices}, and with the other degrees and the groups of the plan the number of devices is a "
            f"multiple of {each}; give one"
        )
    return devices // ranks


def _multiple(study: Study, symbol: sp.Symbol) -> int:
    return 1 if study.plan is None or symbol != n_fsdp else study.plan.multiple(study.values, study.built)


def plan_rules(study: Study, symbol: sp.Symbol) -> tuple[MultipleOf, ...]:
    """The rule of a plan that reshards over some devices, or divides over groups of them: else none."""
    multiple = _multiple(study, symbol)
    if multiple == 1:
        return ()
    from symbolic_mem.solvers.rules import MultipleOf

    return (MultipleOf(multiple),)


def figures(given: Any, at: At) -> str:
    """Read a figure as a source prints it."""
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise wrong_type(given, at, 'a figure such as 31.4 or "128B"')
    with at_place(at.where):
        figure(str(given))
    return str(given)


@dataclass(frozen=True, repr=False)
class Printed(Question):
    """A question whose answer a source prints as one figure, in one edition of it or in several."""

    printed: tuple[Figure, ...] = key(read_figures, ())
    printed_note: str = key(words, "")
    edition: str = key(edition, "")

    def checked(self) -> Self:
        """The question with the edition of each figure; refuses a figure without one."""
        return replace(super().checked(), printed=in_edition(self.printed, self.edition, f"{self.where}: printed"))
