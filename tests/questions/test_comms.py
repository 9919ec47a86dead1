"""Parts (c) and (d), the largest mesh, both bounds and worked problems, as derivations."""

from dataclasses import replace
from fractions import Fraction

import pytest
import sympy as sp
from sampled import sampled

from symbolic_mem.base.errors import BadInput
from symbolic_mem.document.steps import Answer, Paragraph, Step, Table
from symbolic_mem.document.work import Work
from symbolic_mem.documents.parts import part
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.largest_mesh import LargestMesh
from symbolic_mem.render.arrange import arrange_section
from symbolic_mem.render.latex import display
from symbolic_mem.render.text import plain_chain, plain_prose
from symbolic_mem.study.changed_values import set_value

ASKED = ("compute_bound", "smaller_batch", "largest_mesh", "fits_and_computes", "evaluate", "buckets")
QUESTIONS = [
    (name, question.label) for name in bundled() for question in load_study(name).questions if question.ask in ASKED
]


def answer(name, label, study=None, **keys):
    """The part of the worked solution that answers a question, and what a program reads of it."""
    study = study or load_study(name)
    question = study.question(label).given(keys, "test")
    found = question.answer(study.under(question))
    return part(found), found.facts


def words(section):
    said = []
    for block in section.blocks:
        match block:
            case Step():
                said += [plain_prose(block.statement), *(plain_chain(chain) for chain in block.chains)]
                said += [plain_prose(block.reason)] if block.reason else []
            case Table():
                said += [" | ".join(plain_prose(cell) for cell in row) for row in block.rows]
            case Answer():
                said.append(plain_prose(block.prose))
    return "\n".join(said)


@pytest.mark.parametrize(("name", "label"), QUESTIONS)
def test_every_bundled_question_is_answered_in_every_notation(name, label):
    section = arrange_section(answer(name, label)[0])
    said = words(section)
    assert "{" not in said
    assert isinstance(section.blocks[-1], Answer)
    for block in section.blocks:
        if isinstance(block, Step) and block.chains:
            assert display(block.chains)


def test_part_c_shows_the_four_conventions_and_names_the_one_it_uses():
    section, facts = answer("cs336-a2-xxl", "c")
    said = words(section)
    assert facts["critical_batch_tokens"] == sp.Rational(184000, 9)
    for figure in ("20,444.4", "25,301.7", "3924.8", "15,699.2", "319.44", "395.34", "61.325", "245.30", "1277.8"):
        assert figure in said
    assert "max, X and Y given (used here)" in said
    assert "320 on each and 20,480 together" in said


@pytest.mark.parametrize(
    ("overlap", "axes", "tokens"),
    [("max", "given", 20445), ("sum", "given", 25302), ("max", "optimal", 3925), ("sum", "optimal", 15700)],
)
def test_part_c_follows_the_convention_of_the_question(overlap, axes, tokens):
    section, facts = answer("cs336-a2-xxl", "c", overlap=overlap, axes=axes)
    assert facts["smallest_batch_tokens"] == tokens
    assert f"{overlap}, {'X and Y given' if axes == 'given' else 'best X'} (used here)" in words(section)


def test_part_c_on_a_mesh_where_no_batch_is_enough_says_so():
    study = load_study("cs336-a2-xxl").called([set_value("X", 2), set_value("Y", 32)])
    section, facts = answer("", "c", study)
    assert facts["feasible"] is False
    assert "No batch is large enough" in words(section)


def test_part_d_measures_nine_ways():
    _, facts = answer("cs336-a2-xxl", "d")
    base = facts["critical_batch_tokens"]
    times = {name: tokens / base for name, tokens in facts["ways"].items()}
    assert len(times) == 9
    assert times["Gradient accumulation does not help"] == 4
    assert times["Lower precision in what is sent"] == sp.Rational(1, 2)
    assert times["Pipelining"] == sp.Rational(1, 4)
    assert times["Experts, and expert parallelism"] == 4
    assert times["A wider feed-forward layer"] == times["The best X and Y"] / 2
    assert float(facts["ways"]["Overlapping the two axes"]) == pytest.approx(25301.71, abs=0.005)


def test_the_step_of_every_way_begins_with_its_title():
    study = load_study("cs336-a2-xxl")
    ways = study.question("d").answer(study).ways
    assert len({way.key for way in ways}) == 9
    for way in ways:
        assert plain_prose(way.statement).startswith(f"{way.title}. ")


def test_a_line_of_the_ledger_stands_for_every_way_and_every_scheme():
    study = load_study("cs336-a2-xxl")
    found = study.question("d").answer(study)
    assert {way.key: found[f"T_{way.key}"].value for way in found.ways} == {way.key: way.tokens for way in found.ways}
    study = load_study("cs336-a2-2026-mesh")
    found = study.question("fsdp_tp_calcs").answer(study)
    assert found["N_fsdp forward"].value == found.facts["values"]["fsdp forward"]


def test_the_largest_meshes_of_2026_have_their_numbers():
    _, facts = answer("cs336-a2-2026-mesh", "fsdp_tp_calcs")
    b, f, ratio = 65536, 28672, 450e9 / 989.4e12
    assert float(facts["values"]["fsdp forward"]) == pytest.approx(1 + b * ratio)
    assert float(facts["values"]["tp backward"]) == pytest.approx(1 + 3 * f * ratio)
    assert float(facts["values"]["max"]) == pytest.approx((1 + b * ratio) * (1 + 1.5 * f * ratio))


def test_where_one_axis_is_short_all_chips_stand_along_the_other():
    study = load_study("cs336-a2-2026-mesh").change(values={"B": 1, "S": 1024})
    found = LargestMesh("m").answer(study)
    assert found.bounds["sum"] == found.bounds["tp forward"]
    assert found.facts["whole"]["sum"] == [20]
    assert found.facts["values"]["sum"] < found.facts["values"]["max"]  # what overlaps keeps no fewer busy
    assert LargestMesh("m").answer(load_study("cs336-a2-2026-mesh")).mesh.only is None


def test_both_bounds_are_an_interval_or_a_proof_that_there_is_none():
    _, facts = answer("fits-and-computes", "a")
    assert (facts["value"], facts["interval"]) == (46, (46, 102))
    assert answer("fits-and-computes", "b")[1]["interval"] == (58, 102)
    _, facts = answer("fits-and-computes", "c")
    assert (facts["interval"], facts["first_batch_degree"]) == ((47, 102), 39)
    section, facts = answer("fits-and-computes", "d")
    assert facts["feasible"] is False
    assert "That is the proof that several devices never do both" in words(section)


def test_buckets_are_best_where_both_parts_are_equal():
    _, facts = answer("cs336-a2-buckets", "b, example")
    assert facts["buckets"] * facts["bucket_bytes"] == 8 * 10**9
    assert facts["bucket_bytes"] == sp.sqrt(8 * 10**9 * 450 * 10**9 * sp.Rational(1, 10**4))


def test_a_false_line_is_refused():
    from symbolic_mem.base.symbols import C, W
    from symbolic_mem.document.prose import Chain
    from symbolic_mem.document.work import FalseLine

    work = Work({C: sp.Integer(10), W: sp.Integer(2)})
    with pytest.raises(FalseLine):
        work.check(Chain(C / W, (("=", sp.Integer(4)),)))


def small(**values):
    sizes = {"X": 8, "Y": 2, "M_X": 2, "M_Y": 1, "d_model": 64, "d_ff": 256, "B": 4, "S": 16, "L": 4}
    return load_study("cs336-a2-xxl").change(values=sizes | values)


def test_where_no_batch_is_large_enough_the_bound_does_not_fall_from_one():
    study = load_study("cs336-a2-xxl").change(values={"Y": 64})
    section, facts = answer("cs336-a2-xxl", "d", study)
    assert facts["critical_batch_tokens"] is None
    assert (
        facts["ways"]["The best X and Y"] == sp.Rational(25392 * 10**4, 4043493)
        or facts["ways"]["The best X and Y"] > 0
    )
    assert words(section).endswith(
        "On the mesh as given no batch is large enough. The bound is ≈ 81,777.8 tokens on the best mesh of whole axes, "
        "64 × 16 (≈ 62,796.8 at X ≈ 49.145, which is no whole number of chips). "  # 64 4.6e14/(2 1.8e11)
        "There is none with one byte per element sent or with four pipeline stages that keep their weights. Neither "
        "more axes for FSDP nor gradient accumulation changes that."
    )


def test_one_byte_can_make_a_batch_large_enough_that_was_not():
    study = load_study("cs336-a2-xxl").change(values={"Y": 32})  # the margin is 0.651, and twice that with one byte
    section, facts = answer("cs336-a2-xxl", "d", study)
    assert facts["critical_batch_tokens"] is None and facts["ways"]["Lower precision in what is sent"] > 0
    assert "one byte per element sent" in words(section).splitlines()[-1].split("There is none")[0]


def test_a_way_without_a_mesh_is_told_apart_from_those_that_lower_the_bound():
    section, facts = answer("cs336-a2-xxl", "d", load_study("cs336-a2-xxl").change(values={"X": 2, "Y": 16}))
    assert facts["critical_batch_tokens"] > facts["ways"]["The best X and Y"] > 0
    assert facts["ways"]["Pipelining"] is None  # two chips cannot be cut in four
    assert "There is none with four pipeline stages that keep their weights." in words(section).splitlines()[-1]


def test_no_way_leads_to_less_than_no_tokens():
    section, facts = answer("cs336-a2-xxl", "d", small())
    assert all(tokens is None or tokens >= 0 for tokens in facts["ways"].values())
    assert facts["ways"]["Overlapping the two axes"] is None
    assert facts["ways"]["The best X and Y"] is None  # the best X is 159.72 on 16 chips
    said = [plain_prose(block.prose) for block in section.blocks if isinstance(block, Paragraph)]
    assert "A dash stands where there is no such batch." in said


def test_no_mesh_keeps_less_than_one_chip_busy():
    question = LargestMesh("m")
    found = question.answer(small())
    assert all(number is None or number >= 1 for number in found.facts["values"].values())
    said = [plain_prose(block.prose) for block in question.steps(found) if isinstance(block, Paragraph)]
    assert said[-1].startswith("A dash stands where there is no such number of chips")
    assert not question.answer(load_study("cs336-a2-2026-mesh")).none


LENGTHS = ("1/2000", "1/3", "1", "2", "21/10", "3", "20", "4000")
RINGS = ("exact", "limit")


@pytest.mark.parametrize(
    ("a", "b", "ring"),
    sampled(
        [
            (a, b, ring)
            for a in LENGTHS
            for b in LENGTHS
            for ring in RINGS
            if ring == "exact" or min(Fraction(a), Fraction(b)) > 1
        ],
        16,
    ),
)
def test_both_axes_keep_as_many_chips_busy_as_the_best_mesh_that_is_tried(a, b, ring):
    """An axis alone stays busy up to a or b chips (one more on exact rings); meshes of both are tried in small steps."""
    study = load_study("cs336-a2-xxl").change(
        values={"B": 1, "S": 6000 * Fraction(a), "d_ff": 6000 * Fraction(b), "C": 6000, "W": 1}
    )
    found = LargestMesh("m").answer(replace(study, network=replace(study.network, ring=ring)))
    own, x, y = int(ring == "exact"), Fraction(a), Fraction(b)
    alone = [x + own, y + own]  # one chip along the other axis sends nothing there
    parts = [Fraction(step, 5000) for step in range(5001)]
    meshes = {
        "sum": [
            (own + part * x) * (own + (1 - part) * y) for part in parts if own + part * x >= 1 <= own + (1 - part) * y
        ],
        "max": [alone[0] * alone[1]] if min(alone) >= 1 else [],
    }
    for rule, tried in meshes.items():
        most = max((*alone, *tried))
        number = found.facts["values"][rule]
        assert (number is None) == (most < 1)
        assert number is None or float(number) == pytest.approx(float(most), rel=1e-6)


def test_equal_times_are_no_room():
    """At d_ff W = Y C what is sent along Y takes as long as the products, at every batch."""
    study = load_study("cs336-a2-xxl").change(values={"C": 53248 * 180 * 10**9 // 4})
    found = study.question("c").answer(study)
    assert not found.feasible and "at least as long to send as to compute" in plain_prose(found.reason)
    assert "at least as fast as what is computed" in plain_prose(study.question("c").sentence(found))


def test_a_best_mesh_of_whole_axes_is_named_where_the_best_real_one_is_none():
    study = load_study("cs336-a2-xxl").change(values={"W": 10**18})
    question = study.question("d")
    said = plain_prose(question.sentence(question.answer(study)))
    assert "It is 0 tokens on the best mesh of whole axes, 1 × 64," in said and "There is none" not in said


@pytest.mark.parametrize("axis", ["X", "Y"])
def test_ways_of_a_mesh_of_one_axis_are_refused_with_what_to_give(axis):
    study = load_study("cs336-a2-xxl").change(values={axis: 1})
    with pytest.raises(BadInput, match="give both two chips or more"):
        study.question("d").answer(study)
