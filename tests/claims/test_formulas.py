"""Claims that are formulas: equal for all values or not, with numbers put in or not, never evaluated as code."""

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.claims.check import check
from symbolic_mem.claims.verdicts import verdict_words
from symbolic_mem.library.read import load_study
from symbolic_mem.render.text import plain_prose

XXL = "cs336-a2-xxl"
RIGHT = [
    ("P", "2*L*d_model*d_ff"),
    ("P", "2 L d_model d_ff"),
    ("P", "L (2 d_ff d_model)"),
    ("P", "2·L·d_{ff}·d_model".replace("{", "").replace("}", "")),
    ("P", "2*126*d_model*d_ff"),  # with L = 126 put in
    ("P", "2*126*16384*53248"),
    ("static", "16 P"),
    ("static", "16*P"),
    ("static", "32*L*d_model*d_ff/2**30 GiB"),
    ("static", "M_weights + M_gradients + M_optimizer"),
    ("static", "4*M_weights"),
    ("weights", "4 P"),
    ("activations", "2 T L (d_model + d_ff)"),
    ("activations", "2*B*S*L*d_model*(1 + d_ff/d_model)"),
    ("total", "static + activations"),
    ("bytes_per_parameter", "32*L*d_model*d_ff/P"),
    ("T", "B*S"),
    ("T_min", "X α/M_X"),
    ("devices", "⌈(16 P + M_act)/C_mem⌉"),
    ("devices", "ceil((16*P + M_act)/(80*2^30))"),
    ("n_fsdp", "floor((16*P + M_act/2)/C_mem) + 1"),
    ("M_device", "(16*P + M_act/2)/n_fsdp"),
]
WRONG = [
    ("P", "3*L*d_model*d_ff", "the formula is 2 L d_model d_ff"),
    ("static", "32*L*d_model*d_ff/95", "Here it comes to"),
    ("static", "12 P", "weights forgotten"),
    ("n_fsdp", "ceiling((16*P + M_act/2)/C_mem)", "although both come to 46 at these values"),
    ("P", "2*L*d_model**2*13/4", "although both come to 219,848,638,464 at these values"),
    ("activations", "2*T*L*d_model", "saved tensor forgotten: h"),
]


@pytest.mark.parametrize(("name", "formula"), RIGHT, ids=[f"{name} = {formula}" for name, formula in RIGHT])
def test_a_formula_that_is_equal_for_all_values_is_right(name, formula):
    verdict = check(load_study(XXL), f"{name}={formula}")
    assert verdict.right and verdict.figures == 0
    assert not check(load_study(XXL), f"{name}=({formula.removesuffix(' GiB')})*3").right


@pytest.mark.parametrize(("name", "formula", "said"), WRONG, ids=[f"{name} = {formula}" for name, formula, _ in WRONG])
def test_a_formula_that_is_another_is_wrong_and_told_so(name, formula, said):
    verdict = check(load_study(XXL), f"{name}={formula}")
    assert not verdict.right
    assert said in plain_prose(verdict_words(verdict))


def test_a_formula_without_numbers_needs_none():
    study = load_study("cs336-a2-buckets")
    assert check(study, "s_bucket=sqrt(s*w*o)", question="b").right
    wrong = check(study, "s_bucket=s*w*o", question="b")
    assert (wrong.right, wrong.value, wrong.expected) == (False, None, None)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("__import__('os').system('true')", "neither a number nor a formula"),
        ("P.__class__", "only numbers, names"),
        ("2*speed", "unknown name 'speed'"),
        ("P**P", "an exponent must be a number"),
        ("9**9**9**9", "an exponent must be a number"),
        ("P/0", "division by zero"),
        ("2*(P", "is not a formula"),
        ("exec(P)", "unknown name 'exec'"),
        ("(9**64)**20", "comes to a number of more than 4000 bits"),
        ("((9**64)**64)*((9**64)**64)", "more than 20,000 bits, too large to be read"),
        ("(((9**64)**64)**64)**64", "more than 20,000 bits, too large to be read"),
        ("1" * 3000, "3000 characters long"),
        ("9" * 1900, "at most 100 of them"),
    ],
)
def test_what_is_no_formula_is_refused(formula, message):
    with pytest.raises(BadInput, match=f"claim .*{message}"):
        check(load_study(XXL), f"static={formula}")


COEFFICIENTS = [
    ("M_device = 15.5 GB * B + 34.0 GB", "M_device = 15.6 GB * B + 34.0 GB"),
    ("M_device = 15.5e9 * B + 34.03e9", "M_device = 15.5e9 * B + 34.04e9"),
    ("total = 15.52 GB * batch_size + 34.03 GB", "total = 15.51 GB * batch_size + 34.03 GB"),
    ("M_device = 14.45 GiB * B + 31.70 GiB", "M_device = 14.45 GiB * B + 31.71 GiB"),
    ("M_device = 15,517,753,344 B + 34,032,921,600", "M_device = 15,517,753,345 B + 34,032,921,600"),
    ("M_device = 15.5 GB * B + 34.0 GB", "M_device = 15.5 GB * B"),
    ("M_device = 15.5 GB * B + 34.0 GB", "M_device = 34.0 GB * B + 15.5 GB"),
]


@pytest.mark.parametrize(("said", "near"), COEFFICIENTS)
def test_numbers_in_a_formula_that_values_make_are_rounded_as_a_number_is(said, near):
    study = load_study(
        "cs336-a1-adamw"
    )  # a_1 = 15,517,753,344 and a_0 = 34,032,921,600 bytes, by hand from the handout's list
    assert check(study, said).right
    assert not check(study, near).right


def test_numbers_of_a_formula_whatever_the_values_are_exact():
    study = load_study("cs336-a2-xxl")
    assert not check(study, "static = 15.9 P").right and not check(study, "static = 31.9 L d_model d_ff").right
