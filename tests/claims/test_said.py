"""Claims as people write and typeset them: one verdict for a number however it stands there, and no verdict by a guess."""

from fractions import Fraction

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.claims.check import check
from symbolic_mem.claims.read import read_claim
from symbolic_mem.claims.reckoned import reckoned
from symbolic_mem.claims.said import plain, said, separated
from symbolic_mem.library.read import load_study

XXL = load_study("cs336-a2-xxl")
COUNT = """n_fsdp=46|n_fsdp = 46|n_fsdp: 46|n_fsdp is 46|n_fsdp ≈ 46|n_fsdp≈46|n_fsdp=about 46|n_fsdp=approximately 46|n_fsdp=approx. 46
n_fsdp=ca. 46|n_fsdp=roughly 46|n_fsdp=exactly 46|n_fsdp := 46|n_fsdp=46 (devices)|n_fsdp=46 [GPUs]|n_{fsdp}=46|$n_{fsdp} = 46$
n_{\\mathrm{fsdp}} = 46|n_fsdp=at least 46|n_fsdp ≥ 46|n_fsdp >= 46|n_fsdp=46 or more|n_fsdp=46 GPUs.|n_fsdp=~46|N_FSDP=≈ 46"""
MEMORY = """3,276 GiB|3 276 GiB|3\u202f276 GiB|3\u00a0276 GiB|3'276 GiB|3.276e3 GiB|3.276E3 GiB|3.276 × 10^3 GiB|3.276x10^3 GiB|3.276 x 10^3 GiB
3.276 \\times 10^3 GiB|3.276 \\times 10^{3} GiB|3.276 \\cdot 10^3\\,GiB|$3276\\,\\text{GiB}$|3276~\\mathrm{GiB}|3{,}276 GiB|3276 gib|3276 gibibytes
3.276·10³ GiB|(3276 GiB)|3276 (GiB)|3276 [GiB]|≈3276 GiB|about 3276 GiB|3276 GiB in total|3276GiB|2 × 1638 GiB|1638 GiB + 1638 GiB|1638 GiB * 2
4 × 819 GiB|3 TiB + 204 GiB|4*(800 + 19) GiB|3276 GiB."""
FORMULAS = """16 x P|16 × P|16P|16 P|16\\,P|16\\cdot P|16 \\times P|$16P$|16 * P bytes|16 bytes × P|16 B × P|\\frac{32 L d_model d_ff}{1}|4*M_weights
32\\, L\\, d_{\\mathrm{model}}\\, d_{\\mathrm{ff}}|32 L d_{model} d_{ff}|32 \\times L \\times d_{\\text{model}} \\times d_{\\text{ff}}"""


def rows(text):
    return [each for line in text.splitlines() for each in line.split("|")]


@pytest.mark.parametrize("text", rows(COUNT))
def test_a_count_is_read_however_it_stands_there(text):
    claim = read_claim(text)
    assert claim.spelled is not None and claim.spelled.number == 46
    assert claim.name.lower() == "n_fsdp"
    assert claim.spelled.unit in ("", "devices", "GPUs")
    assert claim.bound == ("least" if any(word in text for word in ("least", "≥", ">=", "more")) else "")


def test_what_is_at_least_as_many_is_the_smallest_number_and_no_other():
    assert check(XXL, "n_fsdp=at least 46", question="b").right
    assert check(XXL, "at least 46 GPUs", question="b").right
    assert not check(XXL, "n_fsdp ≥ 45", question="b").right
    for text in ("n_fsdp=at most 46", "static ≥ 3276 GiB", "P=up to 219.8B"):
        with pytest.raises(BadInput, match="is one number, not a bound"):
            check(XXL, text, question="b" if "n_fsdp" in text else None)


@pytest.mark.parametrize("text", rows(MEMORY))
def test_an_amount_has_one_verdict_however_it_is_written(text):
    verdict = check(XXL, f"static={text}")
    assert (verdict.right, verdict.figures, verdict.value) == (True, 0, 3276 * 2**30)


@pytest.mark.parametrize("text", rows(FORMULAS))
def test_a_formula_is_one_however_it_is_typeset(text):
    verdict = check(XXL, f"static={text}")
    assert verdict.right and verdict.compared is not None and verdict.compared.same


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [
        ("8 x 7B", 56, "B"),
        ("8x7B", 56, "B"),
        ("8 × 7B", 56, "B"),
        ("2 × 126 × 16,384 × 53,248", 219_848_638_464, ""),
        ("126(2·16384·53248)", 219_848_638_464, ""),
        ("5418 GiB / 80 GiB", Fraction(5418, 80), ""),
        ("1/2 × 440 GB", 220, "GB"),
        ("2 × 1071 GiB", 2142, "GiB"),
    ],
)
def test_what_is_reckoned_from_numbers_is_the_number_that_it_comes_to(text, number, unit):
    found = reckoned(plain(text))
    assert found is not None
    assert (found.number, found.unit) == (number, unit)


def test_a_product_of_rounded_numbers_has_the_verdict_of_its_number():
    assert [check(XXL, f"weights={text}").figures for text in ("4 × 220 GB", "880 GB")] == [2, 2]
    mixtral = load_study("mixtral-8x7b")
    by_name = {
        tuple(one.slips for one in check(mixtral, f"P={text}").explanations) for text in ("8 x 7B", "8×7B", "56B")
    }
    assert len(by_name) == 1 and by_name != {()}


@pytest.mark.parametrize("text", ["16 P", "1000/3", "2**(2**(2**9))", "3 GiB + 4", "7B × 3 GiB", "nodes", "9**9**9**9"])
def test_what_is_no_number_of_one_unit_is_not_reckoned(text):
    assert reckoned(text) is None


@pytest.mark.parametrize(
    ("text", "question", "message"),
    [
        ("static=3.5T", None, "does not say which unit|unknown unit|GiB"),
        ("static=16 × 219.8B", None, "B after a number is bytes here"),
        ("static=3276 GiB per GPU", None, "is not counted per GPU"),
        ("static=3276", None, "has no unit"),
        ("46 GPUs or 47", None, "is not NAME=VALUE"),
        ("we need half of 46 GPUs", None, "is not NAME=VALUE"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(text, question, message):
    with pytest.raises(BadInput, match=message):
        check(XXL, text, question=question)


@pytest.mark.parametrize(
    "text", ["94.5 GiB per GPU", "94.5 GiB/GPU", "94.5 GiB per device", "94.5 GiB each", "94.5 GiB on each device"]
)
def test_the_memory_of_one_device_may_say_so(text):
    read = said(plain(text))
    assert read.value == "94.5 GiB" and read.each
    if text == "94.5 GiB per GPU":
        assert check(XXL, f"M_device={text}", question="b").right


def test_a_claim_without_a_name_has_none():
    assert separated("46 devices") is None
    assert separated("at least 46 GPUs") is None
    assert separated("F_attention scores, small = 3e9") == ("F_attention scores, small", "3e9")


@pytest.mark.parametrize(
    "text", ["we need 46 GPUs", "So we need at least 46 TPUs", "it takes 46 chips", "You would need about 46 devices"]
)
def test_words_before_a_count_say_no_more_than_the_count(text):
    verdict = check(XXL, text)
    assert (verdict.right, verdict.name, verdict.question, verdict.value) == (True, "n_fsdp", "b", 46)


@pytest.mark.parametrize(
    ("text", "name", "question", "right"),
    [
        ("68 H100s", "devices", "a", True),
        ("we need 68 H100 SXM GPUs", "devices", "a", True),
        ("46 H100s", "devices", "a", False),  # 46 is the number of TPUs, and 55 that of an n_fsdp that nobody asks for
        ("55 H100s", "devices", "a", False),
        ("46 TPU v5p", "n_fsdp", "b", True),
        ("49 v5ps", "n_fsdp", "b, remark", True),
        ("68 TPU v5p chips", "n_fsdp", "b", False),
        ("n_fsdp=46 v5ps", "n_fsdp", "b", True),
    ],
)
def test_a_count_of_devices_of_a_name_is_that_of_a_question_about_them(text, name, question, right):
    verdict = check(XXL, text)
    assert (verdict.name, verdict.question, verdict.right) == (name, question, right)


def test_devices_that_a_question_is_not_about_are_refused():
    with pytest.raises(BadInput, match="question 'b' is about Google TPU v5p; ask 'a'"):
        check(XXL, "46 H100s", question="b")
    with pytest.raises(BadInput, match="nothing of the study is counted in A100s"):
        check(XXL, "46 A100s")


def test_a_count_under_a_question_that_counts_devices_is_its_answer():
    assert [check(XXL, f"{count} devices", question="a").name for count in (46, 55, 68)] == ["devices"] * 3
