"""What a question says itself gives way only to a caller who says something else."""

import pytest

from symbolic_mem.library.read import load_study
from symbolic_mem.questions.parts.asking import usual
from symbolic_mem.render.text import plain_prose
from symbolic_mem.study.answered import answer_to, seen_by
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


@pytest.mark.parametrize(("given", "said"), [(64, ["Of n_fsdp = 4: "]), (4, [""]), (None, [""])])
def test_an_answer_that_fits_with_too_little_to_spare_says_so_beside_a_degree_that_has_more(given, said):
    study = load_study("llama-3.1-8b")
    study = study if given is None else study.change(values={"n_fsdp": given})
    question = usual(study)[0]
    found = answer_to(seen_by(study, question), question)
    cautions = [one for each in found.cautions if "A process finds" in (one := plain_prose(each))]
    assert [one.partition("A process")[0] for one in cautions] == said
