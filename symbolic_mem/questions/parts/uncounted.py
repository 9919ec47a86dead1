"""What an answer does not count, with its size on one device where it is known: as lines, as items and as records."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import sympy as sp

from symbolic_mem.accounts.left_by_plan import left_by_plan
from symbolic_mem.accounts.left_in_passes import left_in_passes
from symbolic_mem.accounts.left_out import KERNEL, OTHER, ROWS, STEP, WORKING, LeftOut, beyond, left_out
from symbolic_mem.accounts.row_padding import row_padding
from symbolic_mem.accounts.schedule import schedule_of
from symbolic_mem.accounts.terms import Memory
from symbolic_mem.accounts.together import together
from symbolic_mem.base.errors import MissingValue
from symbolic_mem.base.exact import Given, Numbers, missing
from symbolic_mem.base.rational import Number, rounded_up, symbolic
from symbolic_mem.base.symbols import n_fsdp, table
from symbolic_mem.document.prose import Amount, Brief, Chain, Prose, amount, say, text
from symbolic_mem.document.words import about, gib, joined, listed
from symbolic_mem.hardware.software import WORKSPACES, open_words, taken_by_software
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.plans.engines import engines
from symbolic_mem.questions.parts.keys import OfRows
from symbolic_mem.questions.parts.peaks import peak, step_of
from symbolic_mem.study.study import Study

PEAKS = text(
    "The account adds up what is kept. Whether it fits is asked at every instant of a step, with all that is there for a "
    "moment."
)
NOT_AT_ONCE = text("Each size is that on one device, and they are not all there at the same moment.")
NOT_AT_ONCE_WHOLE = text(
    "Each size is that where one device holds the whole model, and they are not all there at the same moment."
)


def uncounted(study: Study, *, degree: bool = False) -> tuple[LeftOut, ...]:
    """List what the account of a study leaves out, or what its timeline does at an instant of a step.

    Where the `degree` is known that cuts tensors into whole rows, what that takes is said instead of a bound.
    """
    left = (left_out if study.recipe.trains else left_in_passes)(study.rank, study.recipe, study.placement)
    rows = tuple(_row_padding(study, degree=degree)) if _cuts_rows(study) else ()
    first = next((place for place, one in enumerate(left) if one.name in (ROWS, OTHER)), len(left))
    others = tuple(one for one in left if one.name != ROWS)
    found = tuple(_but((*others[:first], *rows, *others[first:]), counted_already(study)))
    by_plan: tuple[LeftOut, ...] = ()
    if study.plan is not None and study.recipe.trains:
        by_plan = tuple(left_by_plan(study.plan, study.built, study.rank, study.recipe, study.numbers))
    only_kept = study.at is None or (study.at.lasting and not study.recipe.trains)
    if only_kept:
        return (*by_plan, *found)
    rank = study.rank
    built = rank if study.recipe.trains else rank.serving if study.recipe.serves else rank.evaluating
    return (*by_plan, *beyond(built.model, study.recipe, study.placement, found, mlp=bool(study.at.rank)))


def rows_take(study: Study, values: Given) -> Number:
    """How much whole rows take at most on one device at a degree; nothing where it has no value, or no rows are cut."""
    numbers = Numbers.of(values)
    if n_fsdp not in numbers.values_given:
        return 0
    return sum(one.at(numbers) or 0 for one in cut_rows(study))


def cut_rows(study: Study) -> tuple[LeftOut, ...]:
    """What whole rows take at most on one device at a degree; nothing where no tensors are cut into rows."""
    return tuple(_row_padding(study, degree=True)) if _cuts_rows(study) else ()


def _cuts_rows(study: Study) -> bool:
    """Whether tensors are cut into whole rows: the recipe says so, or the step is that of PyTorch's ``fully_shard``."""
    if any(said.rows for said in study.recipe.not_counted):
        return True
    engine = study.plan is not None and study.plan.engine
    return not engine and schedule_of(study.recipe, study.rank.model, study.placement) == "fsdp2"


def _row_padding(study: Study, *, degree: bool) -> Iterator[LeftOut]:
    return row_padding(study.rank.model, study.recipe, study.placement, stays=study.keep != 0, bound=not degree)


def beyond_instants(study: Study) -> tuple[LeftOut, ...]:
    """List what nothing in a document about a study counts: its instants where they are known, else its account."""
    asked = [question for question in study.questions if question.subject == "memory"]
    ruled = bool(asked) and all(isinstance(question, OfRows) and question.padded_rows for question in asked)
    here = study.seen_at(study.timeline[0]) if study.timeline else study
    counted = set.intersection(*(set(question.software_counted) for question in asked)) if asked else ()
    numbers = Numbers.of(study.values)
    return tuple(one for one, _ in _besides(here, numbers, padded=ruled, software=counted))


def _besides(
    study: Study, numbers: Numbers, *, padded: bool, software: Collection[str] = ()
) -> Iterator[tuple[LeftOut, Number | None]]:
    """What is left out, with its size where that is known; rows that are cut whole count their padding, and `software` itself."""
    for one in _but(uncounted(study, degree=n_fsdp in numbers.values_given), software):
        size = _of_a_pass(study) if one.name == WORKING and not one.sets else one.at(numbers)
        if one.there(numbers.values_given) and (one.name != ROWS or not (padded or size == 0)):
            yield one, size


def _but(left: Iterable[LeftOut], counted: Collection[str]) -> Iterator[LeftOut]:
    """What is left out, without what software holds for itself that is `counted`."""
    for one in left:
        still = tuple(name for name in one.software if name not in counted)
        if still == one.software:
            yield one
        elif still:
            yield replace(one, words=listed(open_words(still)), software=still)


def _of_a_pass(study: Study) -> Number | None:
    """What inference holds for a moment beside what it keeps, at its fullest; None in training, and where it is not described."""
    if study.recipe.trains or study.at is not None:
        return None
    found = step_of(study)
    return peak(found).bytes - study.placed().at(study.numbers) if found else None


def uncounted_lines(
    study: Study, values: Given, *, padded: bool = False, software: Collection[str] = ()
) -> Iterator[tuple[str, Prose]]:
    """One line for each at a glance: what it is and its size at `values`, or the formula of that, where it is known."""
    numbers = Numbers.of(values)
    for one, size in _besides(study, numbers, padded=padded, software=software):
        if size is not None:
            yield "not counted", say("{what}: {size}", what=text(one.words), size=about(gib(size)))
        else:
            yield "not counted", _open(study, one, numbers, put=one.name == ROWS)


def is_a_run(study: Study) -> bool:
    """Whether what is asked is a run of an engine, or under a plan; else it is a sum, of what its source counts."""
    return bool(study.recipe.engine) or study.plan is not None


def uncounted_bytes(study: Study, values: Given, *, padded: bool = False, counted: tuple[str, ...] = KINDS) -> Number:
    """The most of what is not counted of a run and has a size that may be there at one moment; nothing where that is the padding of rows alone.

    At an instant of a step what a kernel holds while it works is not among it: see `weighed`.
    What the optimizer makes in its step has the room of the activations, which are gone then: more than they is beside them.
    """
    if not is_a_run(study):
        return 0
    numbers = Numbers.of(values)
    besides = [(one, size) for one, size in _besides(study, numbers, padded=padded) if weighed(study, one)]
    gone = _gone(study, numbers, counted) if any(one.name == STEP and size for one, size in besides) else 0
    found = [(one, max(size - gone, 0) if one.name == STEP else size) for one, size in besides if size]
    if all(one.name == ROWS for one, _ in found):
        return 0
    return max(map(sum, together(found)))


def weighed(study: Study, one: LeftOut) -> bool:
    """Whether something may be there at the moment that is counted.

    What a kernel holds in a block is not at most instants of a step, and on a rank of a pipeline the fullest gradients of a
    block are counted, beside which its other work is a bound alone.
    """
    if study.at is None:
        return True
    return one.name != KERNEL and not (one.name == WORKING and study.at.rank)


def taken_beside(study: Study, one: LeftOut, counted: tuple[str, ...] = KINDS) -> sp.Expr | None:
    """The bytes that something takes beside what is counted and there at its moment, as `uncounted_bytes` has them.

    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("cs336-a1-adamw").change(values={"B": 3})
    >>> copy = next(one for one in uncounted(study) if one.name == STEP)
    >>> [int(expr.xreplace(dict(study.values))) for expr in (copy.size, taken_beside(study, copy))]
    [8508230400, 0]
    """
    if not weighed(study, one):
        return None
    if one.size is None or one.name != STEP or not (there := _there_no_more(study, counted)):
        return one.size
    return sp.Max(sp.S.Zero, one.size - there.total)


def _there_no_more(study: Study, counted: tuple[str, ...]) -> Memory:
    """What is counted on one device and gone when the optimizer steps."""
    kinds = tuple(kind for kind in ("activations", "buffers") if kind in counted)
    return study.placed(kinds) if kinds else Memory(())


def _gone(study: Study, numbers: Numbers, counted: tuple[str, ...]) -> Number:
    there = _there_no_more(study, counted)
    try:
        return numbers[there.total] if there else 0
    except MissingValue:
        return 0


def uncounted_items(
    study: Study, found: Sequence[LeftOut], named: Collection[sp.Symbol], rows: tuple[Prose, ...] | None = None
) -> tuple[Prose, ...]:
    """One item for each in a document: the formula of its size, and the size where all symbols of it have values.

    Symbols that are not `named` before have their meaning beside it.
    What whole rows take at the degrees of the answers (`rows`) takes the place of a bound at any degree.
    """
    numbers = Numbers.of(study.values)
    first = next((place for place, one in enumerate(found) if one.name == ROWS), len(found))
    before, after = found[:first], [one for one in found[first:] if rows is None or one.name != ROWS]
    said = tuple(tuple(_item(study, one, one.at(numbers), numbers, named) for one in each) for each in (before, after))
    return (*said[0], *(rows or ()), *said[1])


def _item(study: Study, one: LeftOut, size: Number | None, numbers: Numbers, named: Collection[sp.Symbol]) -> Prose:
    shown = _shown(one)
    if shown is None:
        return _open(study, one, numbers)
    if size is None:
        put = say("{size} bytes", size=_put(shown, numbers.values_given))
        line = Brief(say("{size} bytes", size=shown), otherwise=put)
    else:
        line = Brief(say("{line}", line=Chain(shown, (amount(size, "GiB"),))), otherwise=about(gib(size)))
    return say("{what}: {line}{where}", what=text(one.words), line=line, where=_meanings(shown, numbers, named))


def _meanings(size: sp.Expr, numbers: Numbers, named: Collection[sp.Symbol]) -> Prose:
    """What the symbols of a size mean that are not `named` where the document says what is given."""
    unsaid = [one for one in table(given=True) if one.symbol in size.free_symbols and one.symbol not in named]
    if not unsaid:
        return text("")
    said = []
    for one in unsaid:
        value = numbers.values_given.get(one.symbol)
        side = one.symbol if value is None else Chain(one.symbol, (("=", Amount(symbolic(value))),))
        said.append(say("{x}: {meaning}", x=side, meaning=text(one.meaning)))
    return say(" ({said})", said=joined(said, ", ", ", "))


def _open(study: Study, one: LeftOut, numbers: Numbers, *, put: bool = False) -> Prose:
    """What has no number yet: its formula, where there is one, with values `put` in, or its range."""
    shown = _shown(one)
    if shown is not None:
        size = _put(shown, numbers.values_given if put else {})
        return say("{what}: {size} bytes", what=text(one.words), size=size)
    found = range_of(one, numbers)
    if found is None:
        return text(one.words)
    (low, high), (less, more) = found.bytes, found.times
    said = [say("{low} to {high}", low=about(gib(low)), high=about(gib(high)))] if high else []
    if more != 1:
        factors = {"less": Amount(symbolic(less)), "more": Amount(symbolic(more))}
        said.append(say("{less} to {more} times what is allocated", **factors))
    if not said:
        return text(one.words)
    where = text("on NVIDIA GPUs " if one.software else "")
    return say("{what}: {where}{said}", what=text(one.words), where=where, said=joined(said, last=", and "))


def counted_already(study: Study) -> tuple[str, ...]:
    """Return what software holds for itself that the engine of a plan has as a term of each instant."""
    plan = study.plan
    return (WORKSPACES,) if plan is not None and plan.engine and engines()[plan.engine].bytes else ()


class Range(NamedTuple):
    """From the least to the most that was seen of something: its `bytes`, and how many `times` what is allocated an allocator keeps."""

    bytes: tuple[Number, Number]
    times: tuple[Number, Number] = (1, 1)


def range_of(one: LeftOut, numbers: Numbers) -> Range | None:
    """The range of what has no size: as it was seen, or what an engine holds for itself (see software.toml); None without one."""
    if one.software:
        return Range(*taken_by_software(one.software))
    if one.seen is None or any(missing(side, numbers.values_given) for side in one.seen):
        return None
    low, high = (numbers[side] for side in one.seen)
    return Range((low, high))


def _put(size: sp.Expr, values: Given) -> sp.Expr:
    """A size with values put in; which side of a maximum is the largest is asked of its numbers, not of what is open."""
    known = dict(values)
    if not isinstance(size, sp.Max):
        return size.xreplace(known)
    sides: dict[sp.Expr, sp.Expr] = {}
    for side in size.args:
        number, rest = side.xreplace(known).as_coeff_Mul()
        sides[rest] = max(number, sides.get(rest, number))
    return sp.Max(*(number * rest for rest, number in sides.items()), evaluate=len(sides) == 1)


def _shown(one: LeftOut) -> sp.Expr | None:
    return one.size if one.short is None else one.short


def uncounted_records(
    study: Study, values: Given, *, padded: bool = False, software: Collection[str] = ()
) -> list[Mapping[str, Any]]:
    """One record for each: what it is, its bytes on one device (rounded up; None: not known), their formula, and a range where there is one."""
    numbers = Numbers.of(values)
    return [
        {
            "what": one.words,
            "bytes": rounded_up(size),
            "formula": one.size,
            **range_record(range_of(one, numbers)),
        }
        for one, size in _besides(study, numbers, padded=padded, software=software)
    ]


def range_record(found: Range | None) -> dict[str, Any]:
    """A range as a program reads it: bytes rounded up, factors as numbers."""
    if found is None:
        return {}
    times = {} if found.times == (1, 1) else {"times": list(map(symbolic, found.times))}
    return {"range": {"bytes": list(map(rounded_up, found.bytes)), **times}}
