"""What a question says itself gives way only to a caller who says something else."""

import pytest

from symbolic_mem.library.read import load_study
from symbolic_mem.render.text import plain_prose
from symbolic_mem.study.precedence import precedence


def of_its_own(question):
    """The number of devices that the question has: of its one row, or the one that it is about."""
    if question.ask == "stages":
        return question.rows[1][0] if len(question.rows[1]) == 1 else None
    return question.devices if question.ask == "headroom" else None


@pytest.mark.parametrize("name", ["headroom", "zero-table-1"])
def test_a_caller_who_gives_what_the_question_has_takes_nothing_from_it(name):
    study = load_study(name)
    asked = {question.label: of_its_own(question) for question in study.questions if of_its_own(question)}
    for label, own in asked.items():
        for value, lost in ((own, ()), (2 * own, (f"= {own}”",))):
            called = study.change(values={"n_fsdp": value})
            beside = [plain_prose(each) for each in precedence(called, called.question(label))]
            gave_way = [said for said in beside if "sets it otherwise" in said]
            assert len(gave_way) == len(lost) and all(part in said for part, said in zip(lost, gave_way, strict=True))
    assert asked
