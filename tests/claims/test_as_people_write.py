"""Claims in the words and short forms of people: an answer without its name, billions beside bytes, a symbol before what it counts."""

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.claims.check import check, check_all
from symbolic_mem.claims.verdicts import verdict_words
from symbolic_mem.library.read import load_study
from symbolic_mem.render.text import plain_prose


@pytest.mark.parametrize(
    ("name", "label", "claim", "wrong"),
    [
        ("cs336-a1-adamw", "c", "2.98e10", "3.1e10"),  # 14 for each of 2,127,057,600 parameters
        ("cs336-a1-adamw", "d", "6584", "6500"),
        ("ptd-p-table-1", "days", "34", "35"),
        ("ptd-p-table-1", "days", "84", "85"),
        ("utilisation", "DeepSeek-V3", "21.6", "21.1"),
        ("cs336-a2-xxl", "c", "20444.4", "21444.4"),  # 16 4.6e14/(2 1.8e11)
        ("cs336-a2-xxl", "c", "319.44", "329.44"),  # of 64 chips
        ("cs336-a2-xxl", "c", "20445", "20448"),
        ("cs336-a1-transformer", "b", "4.5e12", "4.9e12"),
        ("headroom", "a", "2", "3"),
        ("cs336-a2-xxl", "b", "46", "45"),
    ],
)
def test_a_number_alone_is_the_answer_to_the_question_that_is_named(name, label, claim, wrong):
    study = load_study(name)
    assert check(study, claim, question=label).right
    assert not check(study, wrong, question=label).right


@pytest.mark.parametrize("claim", ["16 × 8.03B bytes", "16*8.03B bytes", "128.48B bytes"])
def test_b_is_billions_before_bytes(claim):
    assert check(load_study("llama-3.1-8b"), f"static = {claim}").right
    assert not check(load_study("llama-3.1-8b"), f"static = {claim.replace('8', '7')}").right


@pytest.mark.parametrize("claim", ["16 bytes × 8.03B", "16 bytes * 8.03B", "8.03B × 16 bytes"])
def test_b_beside_bytes_is_refused_in_a_line_that_says_how_to_write_billions(claim):
    with pytest.raises(BadInput, match=r"write 8\.03e9 for billions"):
        check(load_study("llama-3.1-8b"), f"static = {claim}")


@pytest.mark.parametrize("claim", ["14P FLOPs", "14 P FLOP", "14 P operations", "F_adamw = 14P FLOPs"])
def test_a_symbol_before_what_it_counts_is_no_peta(claim):
    assert check(load_study("cs336-a1-adamw"), claim, question="c").right


def test_what_follows_from_a_right_rounded_number_is_not_said_to_follow_from_a_wrong_one():
    said = ["weights=820 GiB", "gradients=820 GiB", "moments=1640 GiB", "static=3280 GiB", "total=5422 GiB"]
    *before, last = check_all(load_study("cs336-a2-xxl"), [(one, None) for one in said])
    assert all(one.right for one in before) and not last.right
    words = plain_prose(verdict_words(last))
    assert "It is the right method from an earlier rounded number: it follows from static = 3280 GiB" in words
    assert "earlier wrong number" not in words


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        ("C = 920 TFLOP/s", "That is twice what is given: data sheets print FLOP/s with 2:4 sparsity so."),
        ("C = 459e12", "That is the dense BF16 figure of Google TPU v5p."),
        ("C = 197 TFLOP/s", "That is the dense BF16 figure of Google TPU v5e."),
        ("W = 90e9", "That is half of what is given, as one way of a link is half of both ways."),
        ("W = 360e9", "That is twice what is given, as both ways of a link are twice one way."),
    ],
)
def test_a_wrong_rate_that_a_study_gives_is_told_whose_it_is(claim, said):
    assert plain_prose(verdict_words(check(load_study("cs336-a2-xxl"), claim))).endswith(said)


@pytest.mark.parametrize("claim", ["C = 431e12", "W = 100e9", "M_X = 4", "Y = 7"])
def test_of_another_wrong_value_that_a_study_gives_nothing_is_guessed(claim):
    assert "That is" not in plain_prose(verdict_words(check(load_study("cs336-a2-xxl"), claim)))


@pytest.mark.parametrize(
    ("claim", "slip"), [("peak = 79.3 GB", "GiB printed as GB"), ("peak = 79.31 GB", "GiB printed as GB")]
)
def test_a_wrong_peak_is_held_against_the_one_from_which_a_slip_gives_it(claim, slip):
    verdict = check(load_study("llama-3.1-8b"), claim)
    assert not verdict.right
    assert [one.slips[0].name for one in verdict.explanations] == [slip]


@pytest.mark.parametrize(
    ("name", "claim", "symbol"),
    [
        ("cs336-a2-xxl", "126 layers", "L"),
        ("cs336-a2-xxl", "L = 126 blocks", "L"),
        ("gpt2-xl", "25 heads", "n_heads"),
        ("mixtral-8x7b", "8 experts", "E"),
        ("mixtral-8x7b", "8 key-value heads", "n_kv"),
        ("mixtral-8x7b", "8 KV heads", "n_kv"),
        ("mixtral-8x7b", "n_heads = 32 query heads", "n_heads"),
        ("deepseek-v3", "1 shared expert", "n_shared"),
        ("llama-3.1-8b", "2 sequences", "B"),
    ],
)
def test_a_number_of_things_that_a_study_gives_is_read_by_what_it_counts(name, claim, symbol):
    study = load_study(name)
    verdict = check(study, claim)
    assert (verdict.name, verdict.right) == (symbol, True)
    number = next(word for word in claim.split() if word.isdigit())
    wrong = check(study, claim.replace(number, str(int(number) + 3)))
    assert (wrong.name, wrong.right, str(wrong.expected)) == (symbol, False, number)


@pytest.mark.parametrize("claim", ["n_fsdp = 7 blocks", "n_fsdp = 3 heads", "static = 7 layers", "3 heads"])
def test_words_for_things_are_no_symbol_in_a_product(claim):
    with pytest.raises(BadInput, match=r"unknown unit|counted in|amount of memory"):
        check(load_study("cs336-a2-xxl"), claim)


def test_a_number_of_tokens_is_not_held_against_what_has_another_unit():
    verdict = check(load_study("cs336-a1-2026-adamw"), "2063 tokens")
    assert (verdict.name, verdict.right) == ("S", False)
    assert check(load_study("llama-3.1-8b"), "9 tokens").name == "tokens"


def test_an_answer_in_the_unit_of_a_given_value_is_held_against_the_answer():
    verdict = check(load_study("cs336-a2-xxl"), "16 chips")  # the axis X has 16
    assert (verdict.name, verdict.right) == ("n_fsdp", False)


def test_a_product_of_a_part_of_the_account_is_still_read():
    study = load_study("cs336-a2-xxl")
    assert check(study, "static = 4 weights").right
    assert check(study, "16 P").name == "static"
