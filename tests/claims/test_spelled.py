"""One number, one verdict, however it is written; and what is no spelling of a number is refused, not guessed."""

from fractions import Fraction

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.claims.check import check
from symbolic_mem.claims.rule import right_to
from symbolic_mem.claims.spelled import figures, spelled
from symbolic_mem.claims.subjects import called
from symbolic_mem.library.read import load_study

# Spellings of one number in each row, and whether the exact one (46; 879.395 GB; 3276 GiB; 219,848,638,464) is that.
SAME = [
    ("n_fsdp", ("46", "46.0", "46.", "4.6e1", "0.46e2", "4.6 × 10^1", "4.6*10**1", "4.6·10¹", "46 devices"), 0),
    ("n_fsdp", ("46 GPUs", "46 chips", "0.046k", "+46", "≈ 46", "~46", "46 TPUs"), 0),
    ("n_fsdp", ("45.8", "45.80", "4.58e1", "45.8 devices"), None),
    ("n_fsdp", ("45", "45.0", "4.5e1", "45 devices"), None),
    ("weights", ("880 GB", "880.0 GB", "8.8e2 GB", "0.88 TB", "0.880 TB", "880,000 MB", "880 000 MB", "8.8e11 B"), 2),
    ("weights", ("879.4 GB", "0.8794 TB", "879_400 MB", "8.794e11 bytes", "8.794 × 10¹¹ B"), 4),
    ("weights", ("900 GB", "0.9 TB", "9e2 GB", "900,000 MB"), None),
    ("weights", ("879 GB", "0.879 TB", "879e9 B"), 3),
    ("weights", ("879.3 GB", "0.8793 TB"), None),
    ("weights", ("819 GiB", "819.0 GiB", "838,656 MiB", "8.19e2 GiB"), 0),
    ("total", ("6 TB", "6000 GB", "6e12 B", "6.0 TB"), None),
    ("static", ("3500 GB", "3.5 TB", "3.5e12 B", "3,500 GB"), 2),
    ("static", ("3520 GB", "3.52 TB", "3.520 TB"), 3),
    ("P", ("219,848,638,464", "219848638464", "219_848_638_464", "219 848 638 464", "219848638464 parameters"), 0),
    ("P", ("220e9", "220B", "0.22T", "220 billion", "220,000M", "220 billion parameters", "2.2 × 10¹¹"), 2),
    ("P", ("2e11", "200B", "0.2T", "200 billion"), None),
]


@pytest.mark.parametrize(("name", "spellings", "figures"), SAME, ids=[f"{row[0]}={row[1][0]}" for row in SAME])
def test_one_number_one_verdict(name, spellings, figures):
    study = load_study("cs336-a2-xxl")
    verdicts = [check(study, f"{name}={spelling}") for spelling in spellings]
    assert [verdict.figures for verdict in verdicts] == [figures] * len(spellings)
    assert len({verdict.value for verdict in verdicts}) == 1
    assert len({tuple(one.slips for one in verdict.explanations) for verdict in verdicts}) == 1


@pytest.mark.parametrize("text", ["3,52", "3,5 TB", "46,0", "1,2345", "12,34,567", "1,23.4 GB"])
def test_a_comma_stands_only_before_groups_of_three(text):
    with pytest.raises(BadInput, match="a comma stands only before groups of three digits"):
        spelled(text)


@pytest.mark.parametrize("text", ["16*P", "n", "12 L d_model^2", "4..2", "1_00", "", "2 (L + 1)"])
def test_what_is_no_number_is_none(text):
    assert spelled(text) is None


def _spellings(number: Fraction):
    """The same number in powers of ten, with zeros, grouped."""
    places = 0
    while (number * 10**places).denominator != 1:
        places += 1
    digits = int(number * 10**places)
    plain = str(digits) if not places else f"{digits // 10**places}.{digits % 10**places:0{places}d}"
    yield plain
    yield f"{plain}.00" if not places else f"{plain}00"
    yield from (f"{digits}e{-places}", f"{digits}000e{-places - 3}", f"{digits} × 10^{-places}")
    whole, dot, rest = plain.partition(".")
    yield f"{int(whole):,}{dot}{rest}"
    yield f"{int(whole):,}{dot}{rest}".replace(",", " ")


@pytest.mark.parametrize("exact", [Fraction(1), Fraction(46), Fraction(1, 3) * 10**6, Fraction(879394553856, 10**9)])
def test_every_spelling_of_a_number_has_the_figures_and_the_verdict_of_the_number(exact):
    for places in range(-3, 6):
        number = round(exact * Fraction(10) ** places) / Fraction(10) ** places
        for neighbour in (number, number + Fraction(10) ** -places):
            for text in _spellings(neighbour):
                read = spelled(text)
                assert read is not None and read.number == neighbour, text
                assert right_to(exact, read.number) == right_to(exact, neighbour)
                assert read.shown >= figures(neighbour)


@pytest.mark.parametrize(
    ("exact", "claim", "figures"),
    [
        ("45.76", "45.76", 0),
        ("45.76", "45.8", 3),
        ("45.76", "46", 2),
        ("45.76", "50", None),  # at two figures it is 46
        ("9.96", "10", 2),
        ("0.0496", "0.05", 2),
        ("0.0494", "0.05", None),
        ("99.96", "100", 2),
        ("104.9", "100", 2),
        ("105.1", "100", None),
        ("0", "0", 0),
        ("0.001", "0", None),
        ("-5.36", "-5.4", 2),
        ("-5.36", "5.4", None),
        ("2.5", "2.5", 0),
        ("12.5", "12", 2),  # a half either way
        ("12.5", "13", 2),
    ],
)
def test_the_rule(exact, claim, figures):
    assert right_to(Fraction(exact), Fraction(claim)) == figures


@pytest.mark.parametrize(
    ("exact", "cut"), [("3517.6", "3517"), ("405.85", "405"), ("19.9653", "19.96"), ("-3.18", "-3.1")]
)
def test_figures_that_are_cut_off(exact, cut):
    assert right_to(Fraction(exact), Fraction(cut)) is None
    assert right_to(Fraction(exact), Fraction(cut), cut=True) is not None


# A claim without a name, the question that is named, and how it is read; whether it is right.
BARE = [
    ("46 devices", None, ("n_fsdp", "b"), True),
    ("68 H100s", None, ("devices", "a"), True),
    ("68 A100s", None, None, None),
    ("68 GPUs", None, ("devices", "a"), True),
    ("819 GiB", None, ("weights", None), True),
    ("1071 GiB", None, ("M_fixed", "b, literally"), True),
    ("93.857 GiB", "b, remark", ("M_device", "b, remark"), True),
    ("219.8B parameters", None, ("parameters", None), True),
    ("50 devices", None, ("n_fsdp", "b"), False),
    ("3276 GB", None, ("static", None), False),
    ("46", "b", ("n_fsdp", "b"), True),
    ("49", "b, remark", ("n_fsdp", "b, remark"), True),
    ("20445 tokens", None, ("batch_tokens", "c"), True),
]


@pytest.mark.parametrize(("claim", "question", "read", "right"), BARE, ids=[row[0] for row in BARE])
def test_a_number_with_its_unit_needs_no_name(claim, question, read, right):
    study = load_study("cs336-a2-xxl")
    if read is None:
        with pytest.raises(BadInput, match="nothing of the study is counted in"):
            check(study, claim, question=question)
        return
    verdict = check(study, claim, question=question)
    assert ((verdict.name, verdict.question), verdict.right) == (read, right)
    assert verdict.claim.stated == claim


def test_a_number_alone_does_not_say_of_what_it_is():
    with pytest.raises(BadInput, match="give its unit, as in '46 devices', its name, as in n_fsdp=46, or the question"):
        check(load_study("cs336-a2-xxl"), "46")


def test_the_tokens_of_a_question_that_asks_for_them_are_those_it_finds():
    study = load_study("cs336-a2-xxl")
    assert check(study, "T=20445", question="c").right and not check(study, "T=131072", question="c").right
    assert check(study, "T=131072").right and check(study, "T=20445").question == "c"
    assert check(study, "T=131072", question="a").right


@pytest.mark.parametrize("name", ["peak", "peak memory", "M_peak", "memory_peak"])
def test_the_peak_has_the_names_that_people_give_it(name):
    assert called(load_study("cluster-mixtral-8x7b"), name) == "peak"


def test_that_there_is_no_solution_is_said_in_words():
    assert check(load_study("deepseek-v3"), "n_fsdp = No solution").right


def test_a_batch_is_no_byte_in_a_formula():
    study = load_study("cs336-a2-xxl")
    assert check(study, "activations = 2 B × S × L × (d_model + d_ff)").right
    assert not check(study, "activations = 4 B × S × L × (d_model + d_ff)").right
