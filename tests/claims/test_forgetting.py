"""A slip that only leaves memory out makes no degree larger, and one that only adds some no smaller: such pairs need not be asked."""

from __future__ import annotations

from fractions import Fraction

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.claims.case import Case, Misreading
from symbolic_mem.claims.catalogue import Slip, occurring
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study
from symbolic_mem.study.study import Study

QUICK = "cs336-a2-xxl"


def degree(case: Case, name: str) -> float | None:
    """The degree that a case asks for: infinite where none is enough, None where there is nothing to ask about."""
    assert case.question is not None
    try:
        value = case.question.claims(case.study)[name].value
    except BadInput:
        return None
    return float("inf") if value is None else Fraction(value)


def held(study: Study, every: int = 1) -> int:
    """Try such pairs of the first question of each kind that asks for a degree; the number of pairs that were tried.

    Of the pairs that may be tried one in `every`, which are others for each slip.
    """
    tried = 0
    for question in {question.ask: question for question in reversed(study.questions)}.values():
        names = [name for name in question.claimable if question.grows(name)]
        if not names:
            continue
        made = [pair for pair in occurring(Case(study.under(question), question)) if pair[1].misread == Misreading()]
        for start, (other, slipped) in enumerate(made):
            alone, least = degree(slipped, names[0]), {}
            for slip, _ in made[start % every :: every] if alone is not None else ():
                likely = (slip.seen or other.seen) and slip.aspect != other.aspect and (slip.forgets or slip.adds)
                both = slip.apply(slipped) if likely else None
                found = None if both is None else degree(both, names[0])
                if found is None:
                    continue
                if slip.row not in least:
                    least[slip.row] = together(slip.row, made, slipped, names[0])
                assert found >= alone if slip.adds else least[slip.row] <= found <= alone, (slip.name, other.name)
                tried += 1
    return tried


def together(row: str, made: list[tuple[Slip, Case]], case: Case, name: str) -> float:
    """What a case asks for with all slips of a row; 0 where they leave nothing to ask about."""
    for slip in (slip for slip, _ in made if slip.row == row):
        case = slip.apply(case) or case
    return degree(case, name) or 0


def test_forgetting_makes_no_degree_larger_and_adding_none_smaller() -> None:
    assert held(load_study(QUICK)) > 50


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in sorted(bundled()) if name != QUICK])
def test_forgetting_and_adding_in_any_study(name: str) -> None:
    held(load_study(name), every=8)


@pytest.mark.parametrize(
    ("name", "parameters", "capacity"),
    [("llama-3.1-70b", 70_553_706_496, 85_520_809_984), ("cs336-a2-xxl", 2 * 16_384 * 53_248 * 126, 95 * 2**30)],
)
def test_states_only_is_the_sum_of_the_states(name: str, parameters: int, capacity: int) -> None:
    """As people add them up: without what a step holds for a moment, and without the inputs of recomputed blocks."""
    study = load_study(name)
    question = study.question("b")
    (slipped,) = (case for slip, case in occurring(Case(study.under(question), question)) if slip.name == "states only")
    assert degree(slipped, "n_fsdp") == -(-16 * parameters // capacity)


def test_a_block_that_is_recomputed_is_recomputed_from_its_input_under_every_slip() -> None:
    study = load_study("cs336-a2-xxl")
    question = study.question("b, remark")
    case = Case(study.under(question), question)
    found = {slip.name: degree(slipped, "n_fsdp") for slip, slipped in occurring(case)}
    assert found["saved tensor forgotten: x"] < degree(case, "n_fsdp")
