"""Shares that an account prints may be claimed as they stand there, of all that is counted or of a part of it."""

from fractions import Fraction

import pytest
from sampled import sampled

from symbolic_mem.accounts.terms import Memory
from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.claims.check import check
from symbolic_mem.document.words import share
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study
from symbolic_mem.render.text import plain_prose

XXL = [
    ("15.1 %", True),
    ("weights = 15.1 %", True),
    ("master weights: 15.1%", True),
    ("the share of the weights is 0.151", True),
    ("AdamW moments, share = 30.2 %", True),
    ("39.5 % of the memory", True),
    ("39.5 % activations", True),
    ("activations are 39.5 percent of the total", True),
    ("weights and gradients = 30.2 %", True),
    ("total = 100 %", True),
    ("weights are 25 % of the states", True),
    ("M_weights/M_static = 25 %", True),
    ("share of the weights = 4 P/M_total", True),
    ("61.76 % of the 2142 GiB", True),
    ("25 % of the states are weights", True),
    ("39.5 % of the memory goes to activations", True),
    ("15.1 % of the states are weights", False),
    ("the weights take 25 % of the states", True),
    ("the weights take 15.1 % of the states", False),
    ("weights = 15.2 %", False),
    ("weights are 24 % of the states", False),
    ("weights are 25 % of the total", False),
    ("share of the weights = 2 P/M_total", False),
    ("15.3 %", False),
]


@pytest.mark.usefixtures("verdicts_alone")
@pytest.mark.parametrize(("said", "right"), XXL)
def test_a_share_is_right_as_it_is_printed_and_in_words(said, right):
    assert check(load_study("cs336-a2-xxl"), said).right is right


def test_a_share_has_the_slips_of_the_bytes_that_it_is_of():
    moments, whole = 4, 16 - 4  # bytes for each parameter, of one moment and of all states without the other
    activations = Fraction(2142, 3276) * 16
    verdict = check(load_study("cs336-a2-xxl"), f"moments = {float(100 * moments / (whole + activations)):.1f} %")
    assert [each.name for one in verdict.explanations for each in one.slips] == ["one moment forgotten"]


def test_what_nothing_is_a_share_of_is_refused():
    with pytest.raises(BadInput, match="'moon' is no memory"):
        check(load_study("cs336-a2-xxl"), "weights are 12 % of the moon")
    with pytest.raises(BadInput, match="is in devices"):
        check(load_study("cs336-a2-xxl"), "n_fsdp = 15 %")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cs336-a2-xxl", "15.1 % of HBM"),
        ("cs336-a2-xxl", "15.1 % of the capacity"),
        ("cs336-a2-xxl", "15.1 % of HBM are weights"),
        ("cs336-a2-xxl", "15.1 % of the FLOPs are weights"),
        ("cs336-a2-xxl", "master weights = 15.1 % of the capacity"),
        ("cs336-a2-xxl", "master weights = 15.1 % of the FLOPs"),
        ("cs336-a1-transformer", "share_mlp = 66.9 % of the memory"),
        ("mixtral-8x7b", "27.6 % of parameters are inactive"),
        ("mixtral-8x7b", "27.6 % of the tokens"),
    ],
)
def test_a_share_is_right_of_nothing_but_its_own_whole(name, said):
    with pytest.raises(BadInput, match=r"share|unknown quantity"):
        check(load_study(name), said)


@pytest.mark.usefixtures("verdicts_alone")
def test_what_a_sentence_says_a_share_of_may_be_claimed_with_it():
    study = load_study("mixtral-8x7b")
    assert check(study, "27.6 % of the parameters").right  # 12,879,925,248 of 46,702,792,704
    assert check(load_study("cs336-a1-transformer"), "66.9 % of the FLOPs").right


@pytest.mark.usefixtures("verdicts_alone")
@pytest.mark.parametrize("name", sampled(bundled(), 12))
def test_every_share_of_an_account_is_right_by_the_name_of_its_row(name):
    study = load_study(name)
    try:
        total = study.memory.at(study.numbers)
    except MissingValue:
        return  # which prints no share
    for term in study.memory:
        rows = Memory(tuple(one for one in study.memory if one.name == term.name))
        said = plain_prose(share(rows.at(study.numbers), total))
        if total and not said.startswith("<"):
            assert check(study, f"{term.name} = {said}").right, (term.name, said)
