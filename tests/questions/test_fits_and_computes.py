"""The two bounds together against plain loops over degrees and batches."""

import json
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolic_mem.base.limit import Limit
from symbolic_mem.base.symbols import n_fsdp
from symbolic_mem.library.read import load_study
from symbolic_mem.plans.placement import Placed
from symbolic_mem.questions.min_degree import MinDegree
from symbolic_mem.render.text import plain_prose
from symbolic_mem.solvers.both import Both, Share, both
from symbolic_mem.solvers.bound import solve
from symbolic_mem.study.answered import found_for


def small(folder, rates):
    """A small model under FSDP on devices of these rates, of which one question is asked."""
    states = ["weights", "gradients", "optimizer"]
    placed = "\n".join(f'{kind} = {{ fraction = "1", over = "n_fsdp" }}' for kind in states)
    (folder / "x.toml").write_text(
        'title = "x"\n[model]\nconfig = "c.json"\n[recipe]\npreset = "pure-bf16"\n[placement]\n'
        f'{placed}\n[values]\n{rates}\nM_X = 1\nB = 4\nS = 16\n[network]\ndirection = "both-ways"\n'
        '[[question]]\nlabel = "a"\nask = "fits_and_computes"\n'
    )
    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3, "vocab_size": 400}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    (folder / "c.json").write_text(json.dumps({"model_type": "llama", **sizes, **heads}))
    return load_study(folder / "x.toml")


SMALL = st.integers(0, 6)


def recount(limits, tokens, most=400):
    """Degrees that do both, one after the other."""
    found = []
    for n in range(1, most):
        (share,) = limits.shares
        counted = Fraction(tokens, n if share.own else 1)
        memory = share.fixed + share.fixed_per_token * counted
        memory += Fraction(share.divided + share.divided_per_token * counted) / n
        fits = memory < limits.limit.capacity if limits.limit.strict else memory <= limits.limit.capacity
        if fits and (n == 1 or n * limits.beta < tokens):
            found.append(n)
    return found


@given(
    fixed=SMALL,
    fixed_per_token=st.sampled_from([Fraction(0), Fraction(1, 7), Fraction(1, 50)]),
    divided=st.integers(1, 900),
    divided_per_token=SMALL,
    beta=st.fractions(Fraction(1, 3), 6, max_denominator=5),
    sequence=st.integers(1, 8),
    tokens=st.integers(1, 300),
    strict=st.booleans(),
    own=st.booleans(),
)
@settings(deadline=None, max_examples=100)
def test_interval_and_first_batch(
    fixed, fixed_per_token, divided, divided_per_token, beta, sequence, tokens, strict, own
):
    limits = Both(
        Limit(25, strict),
        (Share(Fraction(fixed), fixed_per_token, Fraction(divided), Fraction(divided_per_token), own),),
        beta,
        sequence,
    )
    degrees = recount(limits, tokens)
    interval = limits.interval(tokens)
    if interval is None:
        assert not degrees
    else:
        assert degrees == [n for n in range(interval[0], interval[1] + 1) if n < 400]
    first = limits.first_batch()
    if first is not None:
        batch, degree = first
        assert batch % sequence == 0
        assert degree in recount(limits, batch, degree + 1)
        earlier = range(sequence, min(batch, 40 * sequence), sequence)
        assert not any(limits.interval(t) for t in earlier)
    else:
        assert not any(limits.interval(t) for t in range(sequence, 60 * sequence, sequence))


def test_a_share_that_fills_the_device_exactly_is_at_most_and_not_less_than():
    """100/(25 - 5) = 5 devices hold exactly 25 bytes each."""
    at_most, less = (Both(Limit(25, strict), (Share(5, 0, 100, 0),), 1, 1) for strict in (False, True))
    assert (at_most.least(10), less.least(10)) == (5, 6)
    assert (at_most.interval(6), less.interval(6)) == ((5, 5), None)
    assert (at_most.first_batch(), less.first_batch()) == ((6, 5), (7, 6))


def test_one_device_is_the_first_where_one_is_enough():
    """A share of 3 + 1 T bytes on 10 bytes: one device holds 1 token, and sends nothing."""
    limits = Both(Limit(10, False), (Share(0, 0, 3, 1),), 1, 1)
    assert limits.first_batch() == (1, 1)


@pytest.mark.parametrize(
    ("less", "interval", "said"),
    [
        (0, (1, 1), "At 64 tokens one device both holds what is kept and stays busy, and no more do."),
        (1, None, "At 64 tokens no degree does both."),
    ],
)
def test_one_device_sends_nothing_so_it_stays_busy_with_any_batch(tmp_path, less, interval, said):
    """At 1e15 FLOP/s and 1e10 bytes/s no two devices are busy with 64 tokens: only one can do both, where it holds them."""
    study = small(tmp_path, "C = 1e15\nW = 1e10").change(loss="fused", recompute="full", optimizer="sgd")
    question = study.question("a")
    study = study.change(capacity=f"{ceil(_peak(study, 1)) - less} B")
    found = question.answer(study.under(question))
    assert (found.limits.beta > 64, found.most, found.interval) == (True, 1, interval)
    assert plain_prose(question.sentence(found)).startswith(said)
    assert list(question.steps(found))


def test_one_device_that_is_asked_by_its_own_step():
    """Of 10 bytes one device alone needs 9 and each of several 6 + 12/n: 1 fits, 2 does not, and 3 and more do."""
    several, alone = Share(6, 0, 12, 0), Share(9, 0, 0, 0)
    limits = Both(Limit(10, False), (several,), 1, 1, alone=(alone,))
    assert [n for n in range(1, 6) if limits.fits(n, 5)] == [1, 3, 4, 5]
    assert (limits.least(5), limits.interval(5), limits.between(5)) == (1, (1, 4), (2, 2))
    assert (limits.interval(3), limits.first_batch()) == ((1, 1), (1, 1))
    assert Both(Limit(20, False), (several,), 1, 1, alone=(Share(21, 0, 0, 0),)).interval(5) == (2, 4)
    less = Both(Limit(9, True), (several,), 1, 1, alone=(alone,))
    assert (less.least(9), less.interval(9), less.between(9)) == (5, (5, 8), None)


@pytest.mark.parametrize("room", [2, 3, 5])
def test_a_step_on_one_device_is_no_second_answer(tmp_path, room):
    """Degrees are counted one by one, each by the peak of its own step; `solve` says the same first one."""
    study = small(tmp_path, "C = 1e12\nW = 1e11").change(loss="fused", recompute="full", optimizer="sgd")
    peaks = [_peak(study, n) for n in range(1, 12)]
    capacity = sorted({*peaks})[room]
    study = study.change(capacity=f"{ceil(capacity)} B")
    question = study.question("a")
    found = question.answer(study.under(question))
    fits = [n for n, peak in enumerate(peaks, 1) if peak <= ceil(capacity) and (n == 1 or n * found.limits.beta < 64)]
    first, last = found.interval or (1, 0)
    but = found.limits.between(64) or (1, 0)
    assert fits == [n for n in range(first, min(last, 11) + 1) if not but[0] <= n <= but[1]]
    assert (
        found.least
        == MinDegree("a").answer(study).value
        == next(n for n, p in enumerate(peaks, 1) if p <= ceil(capacity))
    )
    assert list(question.steps(found)) and question.sentence(found)


def _peak(study, devices):
    there = study.change(values={"n_fsdp": devices})
    return max(Fraction(one.memory.placed(there.placement).at(there.numbers)) for one in there.timeline)


def of_study(rest):
    study = load_study("fits-and-computes")
    placement = {
        kind: Placed(n_fsdp, placed.fraction, rest if kind == "activations" else placed.rest)
        for kind, placed in study.placement.items()
    }
    bound = solve(study.memory.placed(placement), n_fsdp, 95 * 2**30, strict=True)
    return both(study.model, study.network, [bound], study.values)


def test_the_homeworks_model_fits_on_46_and_stays_busy_on_102():
    """46: the public solutions of CS336 (2025), part (b), for 128 x 1024 tokens; 131,072 / 1277.8 = 102.6."""
    limits = of_study("dropped")
    assert limits.interval(131072) == (46, 102)
    assert limits.beta == Fraction(11500, 9)


def test_when_half_of_the_activations_stay_no_degree_does_both():
    limits = of_study("kept")
    assert limits.interval(131072) is None
    assert limits.discriminant(*limits.shares) < 0
    assert limits.first_batch() is None
    assert not any(limits.interval(1024 * b) for b in range(1, 400))


def test_read_for_the_tokens_of_one_device_39_devices_fit_1278_tokens_each():
    """(16 P + a 1278/2)/39 + a 1278/2 bytes, with P = 2 L d_model d_ff and a = 2 L (d_model + d_ff)."""
    study = load_study("fits-and-computes")
    question = study.question("c")
    limits, tokens = question.limits(study.under(question))
    states, each = 16 * 2 * 126 * 16384 * 53248, 2 * 126 * (16384 + 53248)

    def held(n, own):
        return Fraction(states + each * own // 2, n) + Fraction(each * own, 2)

    assert [n for n in range(1, 200) if held(n, Fraction(tokens, n)) < 95 * 2**30 and n * limits.beta < tokens] == list(
        range(47, 103)
    )
    assert limits.interval(tokens) == (47, 102)
    assert held(39, 1278) < 95 * 2**30 <= held(38, 1278)
    assert limits.first_batch() == (50176, 39)


def answered(study):
    """The answer of its question."""
    return found_for(study, study.question("a"))


ZERO_2 = """
title = "x"
model = { kind = "gated-ffn", residual = true }
values = { d_model = 4096, d_ff = 14336, L = 32, B = 64, S = 2048, M_X = 2, C = 4.6e14, W = 1.8e11 }
recipe = { preset = "pure-bf16" }
plan = { preset = "zero-2" }
network = { direction = "both-ways" }
question = [{ label = "a", ask = "fits_and_computes", device = "h100-80gb", reading = "reported", tokens = "device" }]
"""


def test_an_answer_says_where_what_is_not_counted_may_have_no_room(tmp_path):
    """DeepSpeed's bucket and its copy, of 500,000,000 numbers of BF16 each, beside what one of the smallest number of devices holds."""
    (tmp_path / "x.toml").write_text(ZERO_2)
    study, seen = load_study(tmp_path / "x.toml"), set()
    for batch in (56, 64, 66, 68, 70):
        found = answered(study.change(values={"B": batch}))
        full = 85_520_809_984 - found.held < 2 * 2 * 500_000_000
        assert any("hat is not counted" in plain_prose(one) for one in found.cautions) == full
        assert plain_prose(found.told).endswith("What is not counted may not fit beside it.") == full
        seen.add(full)
    assert seen == {True, False}


def test_what_is_not_counted_is_that_of_a_device_s_own_tokens(tmp_path):
    """What one device holds of the loss, where each keeps what its own tokens need: a part of that of the whole batch."""
    text = ZERO_2.replace('kind = "gated-ffn", residual = true', 'config = "c.json"').replace(
        "pure-bf16", "bf16-master"
    )
    text = text.replace("d_model = 4096, d_ff = 14336, L = 32, ", "")
    (tmp_path / "x.toml").write_text(text)
    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3, "vocab_size": 400}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    (tmp_path / "c.json").write_text(json.dumps({"model_type": "llama", **sizes, **heads}))
    study = load_study(tmp_path / "x.toml").change(values={"B": 4096}, capacity="4 GiB")
    found = answered(study)
    (loss,) = [one for one in found.facts["not_counted"] if "which the loss holds together" in one["what"]]
    assert found.value > 1
    assert loss["bytes"] == ceil(Fraction(4096, found.value) * 2048 * 400 * 2 * 2)


EDGE = """
title = "x"
[model]
kind = "ffn"
[values]
d_model = 2
d_ff = 4
L = 1
B = 11
S = 1
M_X = 1
C = 8
W = 3
[recipe]
preset = "cs336"
[placement]
weights = { fraction = "1", over = "n_fsdp" }
gradients = { fraction = "1", over = "n_fsdp" }
optimizer = { fraction = "1", over = "n_fsdp" }
activations = { fraction = "1/2", over = "n_fsdp", rest = "kept" }
[network]
direction = "both-ways"
[[question]]
label = "a"
ask = "fits_and_computes"
"""


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    ("capacity", "said"),
    [
        (143, "no degree, at any batch"),
        (144, "no degree, at any batch"),
        (145, "need not be whole"),
        (146, "need not be whole"),
        (147, "some degrees do both"),
    ],
)
def test_roots_without_a_whole_degree_between_them_are_no_degree_that_does_both(tmp_path, capacity, said, strict):
    """256 bytes of states and 12 for each token, half of them whole on every device; 8/3 tokens keep a chip busy."""
    (tmp_path / "x.toml").write_text(f'{EDGE}capacity = "{capacity} B"\nstrict = {str(strict).lower()}\n')
    study = load_study(tmp_path / "x.toml")
    found = found_for(study, study.question("a"))
    fits = [
        (tokens, n)
        for tokens in range(1, 60)
        for n in range(1, 60)
        if (n == 1 or Fraction(tokens, n) > Fraction(8, 3))
        and (held := Fraction(256 + 6 * tokens, n) + 6 * tokens) <= capacity
        and not (strict and held == capacity)
    ]
    assert found.first == (min(fits) if fits else None)
    words = "".join(
        plain_prose(block.reason) for block in found.question.steps(found) if getattr(block, "reason", None)
    )
    assert said in words
