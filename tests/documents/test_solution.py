"""A solution reads as a textbook sets it: answers in front, each derivation once, few pages, and only what was asked."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pypdf
import pytest
from sampled import sampled

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import M_activations
from symbolic_mem.document.figure import Figure
from symbolic_mem.document.prose import Long, Prose, Put, Reference, Total
from symbolic_mem.document.steps import Answer, Answers, Kept, Paragraph, Step, Table
from symbolic_mem.document.words import about, gib
from symbolic_mem.documents.documents import homework, report
from symbolic_mem.library.read import load_study
from symbolic_mem.render.arrange import arrange
from symbolic_mem.render.document import render
from symbolic_mem.render.pdf import pdf
from symbolic_mem.render.text import plain_prose

XXL = load_study("cs336-a2-xxl")
MODELS = ("deepseek-v3", "llama-3.1-70b", "llama-3.1-405b")  # the longest of them
ROUTES = ["typst", pytest.param("tex", marks=pytest.mark.system)]
FEW = pytest.mark.parametrize("name", ["cs336-a2-xxl", "llama-3.1-405b", "scaling-book-chips", "korthikanti"])


def paper(study, route, build=homework):
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(set_by(build(study), route))).pages]


def set_by(document, route):
    tex = render(document, document.layout, "tex").decode()
    figures = tuple(b for section in document.sections for b in section.blocks if isinstance(b, Figure))
    return pdf(tex, figures, route=route)


@pytest.fixture(params=ROUTES)
def route(request, needs):
    if request.param == "tex":
        needs("latexmk", "pdflatex")
    return request.param


def test_a_peak_is_told_with_its_margin_over_the_next_phase():
    document = homework(load_study("llama-3.1-8b"))
    told = [plain_prose(b.prose) for section in document.sections for b in section.blocks if isinstance(b, Paragraph)]
    (first, *_) = (one for one in told if one.startswith("The peak, "))
    assert first.endswith("≈ 79.310 GiB, is max(forward, loss, backward, step), ≈ 1.9570 GiB over the next:")


@pytest.mark.parametrize(
    ("name", "label"), [("llama-3.1-8b", "b"), ("llama-3.1-405b", "b"), ("llama-3.1-8b", "c"), ("gpt2-xl", "c")]
)
def test_a_short_solution_tells_at_which_values_another_instant_takes_over(name, label):
    document = homework(load_study(name))
    (found,) = (one for one in document.found if one.question.label == label)
    (part,) = (one for one in document.parts if one.label == label)
    told = [plain_prose(b.prose) for b in part.blocks if isinstance(b, Paragraph)]
    (said,) = (one for one in told if one.startswith("Another instant is the fullest "))
    turns = found.record["takeovers"]
    values = re.findall(r"(\w+) = ([\d,]+\d|\d)", said)
    assert [(symbol, int(value.replace(",", ""))) for symbol, value in values] == [
        (one["symbol"], one["value"]) for one in turns
    ]


@pytest.mark.parametrize("label", ["b", "c"])
def test_a_full_solution_has_the_instants_of_every_degree_in_a_table(label):
    document = homework(load_study("llama-3.1-8b"), "full")
    (found,) = (one for one in document.found if one.question.label == label)
    (part,) = (one for one in document.parts if one.label == label)
    (table,) = (b for b in part.blocks if isinstance(b, Table) and plain_prose(b.caption).startswith("The instants of"))
    assert [plain_prose(cell) for cell in table.rows[-1]] == [
        "together",
        *(plain_prose(about(gib(one["bytes"]))) for one in found.record["instants"]),
    ]


def test_all_answers_stand_in_one_box_before_anything_is_derived():
    document = homework(XXL)
    (box,) = [block for block in document.sections[0].blocks if isinstance(block, Answers)]
    assert [(entry.label, entry.prose) for entry in box.entries] == [
        (found.question.label, found.question.sentence(found)) for found in document.found
    ]
    assert [entry.target for entry in box.entries] == [part.target for part in document.parts]


def test_the_homework_has_its_answers_on_page_one_and_the_memory_in_two_pages(route):
    pages = paper(XXL, route)
    assert len(pages) <= 6
    assert all(f"({label})" in pages[0] for label in ("a", "b", "c", "d"))
    derived = [i for i, page in enumerate(pages) if "(b, literally) The same when" in page]
    assert derived == [2]  # (a) and (b) stand on pages two and three


@pytest.mark.parametrize("name", sampled(MODELS, 4))
def test_a_model_is_told_in_five_pages(name, route):
    assert len(paper(load_study(name), route)) <= 5


@FEW
@pytest.mark.parametrize("build", [homework, report])
def test_no_step_is_told_twice(name, build):
    told: dict = {}
    for section in build(load_study(name)).sections:
        steps = [block for block in section.blocks if isinstance(block, Step) and block.chains]
        repeated = [step for step in steps if step in told]
        assert not repeated, (section.target, told[repeated[0]])
        told |= dict.fromkeys(steps, section.target)


def test_a_part_names_the_part_that_it_rests_on_and_what_is_otherwise():
    parts = {part.label: part for part in homework(load_study("llama-3.1-405b")).parts}
    said = [plain_prose(block.prose) for block in parts["c"].blocks if isinstance(block, Paragraph)]
    assert "As in (b), with another capacity, counted otherwise." in said
    (led,) = [
        p for block in parts["c"].blocks for p in getattr(block, "prose", Prose(())).parts if isinstance(p, Reference)
    ]
    assert led.target == parts["b"].target


def test_a_report_refers_to_its_account():
    part = report(XXL).parts[0]
    assert "As in The account; what is not derived here stands there." in [
        plain_prose(block.prose) for block in part.blocks if isinstance(block, Paragraph)
    ]


@FEW
def test_every_reference_leads_somewhere(name):
    for build in (homework, report):
        for detail in ("answer", "short", "full"):
            document = build(load_study(name), detail)
            there = {section.target for section in document.sections}
            html = render(document, build.__name__, "html").decode()
            for target in {piece.partition('"')[0] for piece in html.split('href="#')[1:]}:
                assert f'id="{target}"' in html
            for block in (b for s in document.sections for b in s.blocks if isinstance(b, Answers)):
                assert {entry.target for entry in block.entries} <= there | {""}


@pytest.mark.parametrize(("detail", "other"), [("full", "in short"), ("short", "in full")])
def test_what_one_detail_tells_otherwise_the_other_leaves_out(detail, other):
    parts = homework(load_study("qwen3-30b-a3b"), detail).parts
    told = {block.told for part in parts for block in part.blocks if isinstance(block, Kept)}
    assert other not in told and len(told) == 2


def test_in_full_what_stands_at_an_instant_has_a_formula():
    parts = homework(load_study("qwen3-30b-a3b"), "full").parts
    lines = [
        chain
        for part in parts
        for block in part.blocks
        if isinstance(block, Step) and plain_prose(block.statement).startswith("At the instant that counts")
        for chain in block.chains
    ]
    assert {str(line.left) for line in lines} == {"M_activations", "M_buffers", "M_optimizer", "M_static"}
    assert all(isinstance(line.links[0][1], Long | Total) for line in lines)


def test_a_full_derivation_tells_every_part_whole_and_an_answer_none():
    full, short, answer = (homework(XXL, detail) for detail in ("full", "short", "answer"))
    assert all(isinstance(part.blocks[-1], Answer) for part in full.parts)
    assert not answer.parts and len(answer.found) == len(XXL.questions)
    lines = {c for part in full.parts for b in part.blocks for c in getattr(b, "chains", ())}
    assert len(lines) > len({c for part in short.parts for b in part.blocks for c in getattr(b, "chains", ())})
    with pytest.raises(BadInput, match="unknown detail 'long'; "):
        homework(XXL, "long")  # ty: ignore[invalid-argument-type]


def test_a_pdf_has_its_title_block_and_never_the_year_1970(route):
    first = paper(XXL.signed(author="A. Student", course="A course", date="26 November 2026"), route)[0]
    assert all(words in first for words in ("A. Student", "A course", "26 November 2026"))
    assert "1970" not in "".join(paper(XXL.only("a"), route))
    info = pypdf.PdfReader(io.BytesIO(set_by(homework(XXL), route))).metadata
    assert info is not None and info.creation_date is None
    assert info.title == XXL.title


def test_the_texts_of_a_study_are_its_wording():
    study = replace(XXL, questions=(replace(XXL.questions[0], text="How many H100s?"),))
    (part,) = homework(study).parts
    assert part.asked == "How many H100s?"
    assert plain_prose(part.blocks[0].prose) == "How many H100s?"
    assert arrange(homework(study)).answers == homework(study).answers


KEPT = ("cs336-a2-xxl", "llama-3.1-8b", "llama-3.1-70b", "llama-3.1-405b", "deepseek-v3", "mixtral-8x7b")


@pytest.mark.parametrize("name", KEPT)
def test_what_another_rule_keeps_has_its_formula_with_numbers_put_in(name):
    document = homework(load_study(name))
    tex = render(document, document.layout, "tex").decode()
    line = tex.split("What all layers keep for the backward pass takes")[1].split("aligned")[1]
    formula, numbers, *_ = line.split(r"\\" + "\n&=")
    assert r"d_{\mathrm{model}}" in formula
    assert r"\mathrm" not in numbers and r"\cdot" in numbers


@pytest.mark.parametrize(
    ("name", "block", "kept"),
    [
        ("llama-3.1-70b", 4 * 2 * 4096 * (2 * 8192 + 2 * 28672 + 64 * 129 + 8 * 128 + 2) + 24, None),
        (
            "llama-3.1-405b",
            4 * 2 * 4096 * (2 * 16384 + 2 * 53248 + 128 * 129 + 8 * 128 + 2) + 24,
            2 * 2 * 4096 * (128256 + 2 * 16384 + 2) + 4 * 4096 * 128 + 2 + 63 * 2 * 2 * 4096 * 16384,
        ),
    ],
)
def test_what_a_block_keeps_under_another_rule_is_named_and_repeated(name, block, kept):
    (found,) = (one for one in homework(load_study(name)).found if one.question.ask == "recompute")
    told = [step for step in found.question.steps(found) if isinstance(step, Step) and step.told == "in short"]
    ones, whole = told[0].chains[0], next(step for step in told if step.chains[0].left == M_activations).chains[0]
    assert str(ones.left) == "m_block"
    assert ones.links[-1][1].value == block
    if kept is not None:  # 63 blocks keep what enters them, 63 keep all
        assert whole.links[-1][1].value == kept + 63 * block


def test_a_comparison_has_both_sides_by_formula_with_numbers_put_in():
    (found,) = (one for one in homework(load_study("korthikanti")).found if one.question.ask == "compare")
    chains = [chain for step in found.question.steps(found) if isinstance(step, Step) for chain in step.chains]
    first, second = (next(chain for chain in chains if str(chain.left) == f"M_{side}") for side in ("first", "second"))
    P = 96 * (12 * 12288**2 + 13 * 12288) + 12288 * (51200 + 2048) + 2 * 12288
    layer = 2048 * 12288 * 34 + 5 * 96 * 2048**2
    assert first.links[-1][1].value == 18 * P + 96 * layer + 2048 * (4 * 51200 + 5 * 12288)
    for chain in (first, second):
        formula, numbers = (side for _, side in chain.links[:2])
        assert isinstance(formula, Total) and all(isinstance(one, Put) for one in numbers.sides)
