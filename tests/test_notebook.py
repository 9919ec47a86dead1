"""What Python shows of a value: a short line, and in a notebook the package's own notation."""

from __future__ import annotations

import re

import pytest

import symbolic_mem as sm

XXL = {"d_model": 16384, "d_ff": 53248, "L": 126, "B": 128, "S": 1024}


def memory():
    return sm.account(sm.ffn(), sm.recipe("cs336"))


def placed(**kinds):
    spread = sm.over(sm.n_fsdp)
    return memory().place(**{"weights": spread, "gradients": spread, "optimizer": spread, **kinds})


def bound(**options):
    return sm.solve(placed(**options.pop("kinds", {})), sm.n_fsdp, sm.device("tpu-v5p").binary, **options)


VALUES = {
    "memory": memory,
    "term": lambda: memory().terms[0],
    "bound": bound,
    "solved": lambda: bound().at(XXL),
    "device": lambda: sm.device("h100-80gb"),
    "recipe": lambda: sm.recipe("fsdp2"),
    "study": lambda: sm.load_study("llama-3.1-8b").change(values={"B": 2}),
    "found": lambda: sm.answer(sm.load_study("cs336-a2-xxl"), "b"),
    "degree": lambda: sm.answer(sm.load_study("cs336-a2-xxl"), "b").degree,
    "document": lambda: sm.homework(sm.load_study("cs336-a2-xxl")),
    "part": lambda: sm.homework(sm.load_study("cs336-a2-xxl")).part("b"),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_has_a_short_line_and_shows_itself(name):
    value = VALUES[name]()
    assert len(repr(value)) <= 120 and "\n" not in repr(value)
    shown = value._repr_mimebundle_()
    assert shown["text/plain"] == repr(value)
    assert shown["text/html"].lstrip().startswith('<div class="symbolic-mem">')
    assert re.sub("<[^>]*>", "", shown["text/html"]).strip()


@pytest.mark.parametrize(
    "make",
    [
        sm.ffn,
        lambda: sm.load_study("llama-3.1-8b").model,
        lambda: sm.load_study("cs336-a2-xxl").question("b"),
        lambda: sm.check(sm.load_study("cs336-a2-xxl"), "n_fsdp=58", question="b"),
        lambda: sm.homework(sm.load_study("cs336-a2-xxl")).sections[0],
        lambda: sm.smallest_degree(placed(activations=sm.over(sm.n_fsdp)), sm.n_fsdp, 2**36, symbols()),
        lambda: sm.answer(sm.load_study("cs336-a2-xxl"), "b")["M_device"],
        lambda: upper(),
        lambda: upper().bound,
        lambda: sm.compare(sm.account(sm.ffn(), sm.recipe("cs336")), sm.account(sm.ffn(), sm.recipe("fp32")))[0],
        lambda: sm.profile("torch-cuda-bf16"),
        lambda: sm.fit(sm.load_study("cs336-a2-xxl"), "8x h100-80gb"),
    ],
    ids=("ffn", "model", "question", "verdict", "section", "degree", "line", "upper", "bound", "gap", "profile", "fit"),
)
def test_other_values_are_short_lines(make):
    assert len(repr(make())) <= 160


def test_a_section_shows_itself():
    shown = [section._repr_mimebundle_() for section in sm.homework(sm.load_study("cs336-a2-buckets")).sections]
    assert all("<p" in one["text/html"] or "<li" in one["text/html"] for one in shown)
    assert any("<math" in one["text/html"] for one in shown) and max(len(one["text/plain"]) for one in shown) <= 160


def upper():
    return sm.largest(placed(weights=sm.over(sm.n_fsdp)), sm.B, 2**42, {**symbols(), sm.n_fsdp: 46})


def symbols():
    return {sm.d_model: 16384, sm.d_ff: 53248, sm.L: 126, sm.B: 128, sm.S: 1024}


@pytest.mark.parametrize(("strict", "sign"), [(False, r"\ge"), (True, ">")])
def test_a_bound_shows_its_sign_and_its_condition(strict, sign):
    shown = bound(strict=strict)
    needed = r"\text{where } 102\,005\,473\,280 >"
    assert rf"n_{{\mathrm{{fsdp}}}} {sign} \frac" in shown._repr_latex_() and needed in shown._repr_latex_()
    assert "otherwise no number is enough" in shown._repr_mimebundle_()["text/html"]
    free = bound(strict=strict, kinds={"activations": sm.over(sm.n_fsdp)})
    assert "where" not in free._repr_latex_() and "always such a number" in free._repr_mimebundle_()["text/html"]


def test_where_no_number_is_enough_that_is_shown():
    found = bound().at(XXL)
    assert repr(found) == "<no n_fsdp is enough>"
    assert "There is no such" in found._repr_mimebundle_()["text/html"]


def test_numbers_are_put_in_by_symbol_or_by_name_everywhere():
    by_symbol, everywhere = symbols(), placed(activations=sm.over(sm.n_fsdp, "1/2", rest="dropped"))
    limit = sm.solve(everywhere, sm.n_fsdp, sm.device("tpu-v5p").binary, strict=True)
    assert limit.at(by_symbol).value == limit.at(XXL).value == limit.at(**XXL).value == 46
    assert limit.at({sm.B: 128, "S": 1024}, d_model=16384, d_ff=53248, L=126).value == 46
    total = memory().total
    assert memory().at(by_symbol) == memory().at(XXL) == memory().at(**XXL) == 5817533202432
    assert sm.evaluate(total, by_symbol) == sm.evaluate(total, XXL) == sm.evaluate(total, **XXL) == 5817533202432
    term = memory().terms[0]
    assert term.at(by_symbol) == term.at(**XXL) == 8 * 126 * 16384 * 53248
    study = sm.load_study("cs336-a2-xxl")
    assert sm.answer(study.change(values={sm.B: 64}), "b").value == sm.answer(study.change(values={"B": 64}), "b").value
    line = sm.answer(study, "b")["M_device"]
    assert line.at(n_fsdp=92) == line.at({sm.n_fsdp: 92}) == line.at({"n_fsdp": 92}) == 101468602368 // 2


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: memory().at(zork=1), "unknown symbol 'zork'"),
        (lambda: memory().at(B="many"), "B"),
        (lambda: memory().at(B=True), "B = True is no number"),
        (lambda: memory().at(B=1), "needs a value for L, S, d_ff, d_model"),
        (lambda: sm.evaluate(memory().total, {"B": 1}), "needs a value for L, S, d_ff, d_model"),
        (lambda: sm.load_study("cs336-a2-xxl").change(values={"zork": 1}), "unknown symbol 'zork'"),
        (
            lambda: sm.homework(sm.load_study("cs336-a2-xxl")).part("z"),
            "no question 'z' in this document; known: a; b; b, literally",
        ),
    ],
    ids=("unknown", "word", "truth", "missing", "evaluate", "change", "label"),
)
def test_errors(call, said):
    with pytest.raises(sm.BadInput, match=said.replace("(", r"\(")):
        call()


def test_things_are_given_as_they_are_or_by_name():
    study = sm.load_study("llama-3.1-8b")
    assert study.change(recipe=sm.recipe("fp32")).recipe == study.change(recipe="fp32").recipe
    assert study.change(device=sm.device("a100-80gb")).device == study.change(device="a100-80gb").device
    assert sm.answer(study, study.question("b")).value == sm.answer(study, "b").value
