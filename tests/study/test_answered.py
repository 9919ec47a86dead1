from collections import Counter

from symbolic_mem.claims.check import check_all
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.min_degree import MinDegree
from symbolic_mem.study.answered import answer_to, seen_by


def test_a_question_is_answered_once_for_all_claims_of_one_person(monkeypatch):
    asked, answer = Counter(), MinDegree.answer

    def counting(self, study):
        asked[self.label] += study.mistaken is None
        return answer(self, study)

    monkeypatch.setattr(MinDegree, "answer", counting)
    claims = [(f"{name}={number} B", None) for name in ("weights", "optimizer", "total") for number in (1, 2)]
    check_all(load_study("cs336-a2-xxl").only("b"), claims)
    assert asked["b"] == 1


def test_an_answer_is_that_of_its_own_study_and_question():
    study = load_study("cs336-a2-xxl")
    question = study.question("b")
    assert answer_to(seen_by(study, question), question).value == 46
    smaller = study.change(capacity="80 GiB")
    assert answer_to(seen_by(smaller, question), question).value > 46
    on_other = study.on_device(smaller.device)
    assert answer_to(on_other, question).value == question.answer(on_other).value > 46
