import json
from dataclasses import replace
from fractions import Fraction
from math import ceil
from pathlib import Path

import pytest
import sympy as sp
from sampled import sampled

from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.base.symbols import n_fsdp, n_replica
from symbolic_mem.claims.catalogue import catalogue, together
from symbolic_mem.claims.changes import CHANGES
from symbolic_mem.claims.check import check
from symbolic_mem.claims.rule import right_to
from symbolic_mem.claims.verdicts import verdict_words
from symbolic_mem.documents.account import Account
from symbolic_mem.library.read import load_study
from symbolic_mem.models.tensors import STATIC
from symbolic_mem.plans.placement import Placed
from symbolic_mem.questions.compute_bound import ComputeBound
from symbolic_mem.questions.device_count import DeviceCount
from symbolic_mem.questions.min_degree import MinDegree
from symbolic_mem.render.text import plain_prose
from symbolic_mem.study.changed_device import use_capacity
from symbolic_mem.study.changes import changes

DATA = Path(__file__).parents[1] / "data"
CLAIMS = json.loads((DATA / "claims.json").read_text())["claims"]
P, PER_TOKEN, GB, GIB = 219848638464, 17547264, 10**9, 2**30


def _study(tokens, reading="marketed", rest="kept"):
    """The reference problem with that many tokens; without tokens its questions count the states only."""
    kinds = {} if tokens else {"kinds": list(STATIC)}
    sequences = 4 if 0 < tokens < 100_000 else 128
    study = load_study("cs336-a2-xxl").changed(changes(values={"B": sequences, "S": max(tokens // sequences, 1)}))
    a = {"device": "h100-80gb", "reading": reading, **kinds}
    b = {"for": "n_fsdp", "device": "tpu-v5p", "reading": reading, "strict": True, "rest": rest, **kinds}
    return replace(study, questions=(DeviceCount.read(a, "here", "a"), MinDegree.read(b, "here", "b")))


def _with_capacity(study, amount):
    return study.called([use_capacity(amount)])


def _names(verdict):
    return [[slip.name for slip in one.slips] for one in verdict.explanations]


@pytest.mark.parametrize(
    ("answer", "tokens", "claim", "right", "named"), CLAIMS, ids=[f"{c[0]}: {c[2]}" for c in CLAIMS]
)
def test_the_eleven_public_answers(answer, tokens, claim, right, named):
    verdict = check(load_study("cs336-a2-xxl") if tokens == "c" else _study(tokens), claim)
    assert verdict.right is right
    assert _names(verdict) == named


def test_what_each_answer_is_known_to_have_done():
    """The slips that the answers' own working shows, beside whatever else gives the same number."""
    named = {(claim, tokens): slips for _, tokens, claim, _, slips in CLAIMS}
    assert named["batch_tokens=25302", "c"] == [["times added, or the longest taken"]]
    assert named["batch_tokens=20480", "c"] == [["rounded up on each chip first"]]
    assert named["batch_tokens_per_chip=10222", "c"] == []
    assert named["devices=41", 0] == [["GiB for GB on the device"]]
    assert named["static=3276 GB", 0] == [["GiB printed as GB"]]
    assert ["BF16 copy of the weights added"] in named["n_fsdp=42", 0]
    assert named["n_fsdp=76", 8192] == [["GiB for GB on the device", "saved tensor forgotten: x"]]
    assert ["GiB for GB on the device", "rest dropped"] in named["n_fsdp=46", 131072]
    assert named["activations_per_token=17543808 B", 0] == []
    assert named["static=3272 GB", 0] == []


def _degree(states, divided, kept, capacity):
    quotient = Fraction(states + divided) / (capacity - kept)
    return int(quotient) + 1


A = PER_TOKEN * 2048
HALF, V5P = A // 2, 95 * GB


@pytest.mark.parametrize(
    ("slip", "claim"),
    [
        ("GiB for GB on the device", _degree(16 * P, HALF, HALF, 95 * GIB)),
        ("rest dropped", _degree(16 * P, HALF, 0, V5P)),
        ("rest divided too", _degree(16 * P, A, 0, V5P)),
        ("nothing of it divided", _degree(16 * P, 0, A, V5P)),
        ("states only", _degree(16 * P, 0, 0, V5P)),
        ("activations only", _degree(0, HALF, HALF, V5P)),
        ("weights forgotten", _degree(12 * P, HALF, HALF, V5P)),
        ("gradients forgotten", _degree(12 * P, HALF, HALF, V5P)),
        ("optimizer state forgotten", _degree(8 * P, HALF, HALF, V5P)),
        ("one moment forgotten", _degree(12 * P, HALF, HALF, V5P)),
        ("inner width four times the width", _degree(16 * P * 4 * 16384 // 53248, *[126 * 5 * 16384 * 2048] * 2, V5P)),
        ("BF16 copy of the weights added", _degree(18 * P, HALF, HALF, V5P)),
        ("FP32 gradients added", _degree(20 * P, HALF, HALF, V5P)),
        ("gradients in 2 bytes", _degree(14 * P, HALF, HALF, V5P)),
        ("weights in 2 bytes", _degree(14 * P, HALF, HALF, V5P)),
        ("activations in 4 bytes", _degree(16 * P, A, A, V5P)),
        ("saved tensor forgotten: x", _degree(16 * P, 126 * 53248 * 2048, 126 * 53248 * 2048, V5P)),
        ("saved tensor forgotten: h", _degree(16 * P, 126 * 16384 * 2048, 126 * 16384 * 2048, V5P)),
        ("one sequence only", _degree(16 * P, HALF // 4, HALF // 4, V5P)),
        ("sequences taken for tokens", _degree(16 * P, HALF // 512, HALF // 512, V5P)),
        ("one block only", _degree(16 * P // 126, HALF // 126, HALF // 126, V5P)),
        ("floor for ceiling", _degree(16 * P, HALF, HALF, V5P) - 1),
        ("rounded before the ceiling", ceil(Fraction(3520 + 18) / (95 - 18))),
    ],
)
def test_each_slip_gives_its_own_number(slip, claim):
    verdict = check(_study(2048), f"n_fsdp={claim}")
    if verdict.right:
        assert slip in {"rounded before the ceiling", "sequences taken for tokens"}
        return
    assert [slip] in _names(verdict)
    assert next(one.value for one in verdict.explanations if one.slips[0].name == slip) == claim


@pytest.mark.parametrize(
    ("slip", "study", "claim"),
    [
        ("GB for GiB on the device", _study(0, "binary"), "devices=44"),
        ("GB printed as GiB", _study(0), "static=3517.6 GiB"),
        ("figures cut off", _study(0), "static=3517 GB"),
        ("rest kept", _study(2048, rest="dropped"), "n_fsdp=46"),
        ("tokens taken for sequences", _study(2048), f"activations={PER_TOKEN * 2048 * 512 // GB / 10**3:.1f} TB"),
        ("nearest for ceiling", _study(512), f"devices={round((16 * P + PER_TOKEN * 512) / (80 * GB))}"),
    ],
)
def test_slips_of_units_readings_and_rounding(slip, study, claim):
    verdict = check(study, claim)
    assert not verdict.right
    assert [slip] in _names(verdict)


def test_a_slip_about_the_label_says_what_the_question_counts():
    study = load_study("cs336-a2-xxl")
    told = {}
    for reading in ("binary", "reported"):
        (first, *_) = check(study.called(changes(reading=reading)), "devices=73", question="a").explanations
        told[reading] = (first.slips[0].name, first.slips[0].sentence)
    assert told["binary"][0] == "GB for GiB on the device" and "counts GiB (2^30 bytes)" in told["binary"][1]
    assert told["reported"][0] == "GB for the reported bytes of the device"
    assert "counts the bytes that software reports" in told["reported"][1]


def test_cut_before_the_division():
    # 16 P = 3517.6 GB is cut to 3510 GB: 3510/78 = 45 exactly, and the truth is 46
    verdict = check(_with_capacity(_study(0), "78 GB"), "devices=45")
    assert verdict.expected == 46
    assert ["cut before the ceiling"] in _names(verdict)


def test_less_than_and_at_most_differ_where_the_quotient_is_whole():
    exact = f"{16 * P // 1008} B"  # 1008 divides 16 P = 2^32 * 3^2 * 7 * 13
    assert 16 * P % 1008 == 0
    verdict = check(_with_capacity(_study(0), exact), "n_fsdp=1008")
    assert (verdict.right, verdict.expected) == (False, 1009)
    assert ["at most taken for less than, or the reverse"] in _names(verdict)


def _llama(**values):
    study = load_study(str(DATA / "hf_configs" / "llama-3.1-8b.json")).called(changes(values=values))
    return replace(study, placement=dict.fromkeys(STATIC, Placed(n_fsdp)))


def test_slips_of_transformers():
    width, vocabulary, total = 4096, 128256, 8030261248
    named = {}
    for wrong in (total - width * vocabulary, total - 65 * width):
        verdict = check(_llama(), f"parameters={wrong}")
        assert verdict.expected == total
        named[wrong] = _names(verdict)
    assert named[total - width * vocabulary] == [["output head forgotten"], ["token embedding forgotten"]]
    assert named[total - 65 * width] == [["norms forgotten"]]
    shared = check(_llama(B=1, S=2048), "activations=1 GB").expected
    unshared = check(_llama(B=1, S=2048, n_kv=32), "activations=1 GB").expected
    assert unshared > shared
    assert ["keys and values of every head"] in _names(check(_llama(B=1, S=2048), f"activations={unshared} B"))
    assert check(_llama(), "parameters=8.03e9").rounded
    assert _names(check(_llama(), "parameters=7.48e9")) == [["2^30 for a billion"]]


def test_parameters_are_claimed_without_the_modules_that_predict_further_tokens():
    verdict = check(load_study("cluster-deepseek-v3"), "P=671e9")  # as the abstract of its paper counts
    assert verdict.expected == 682_636_472_320 and _names(verdict) == [["prediction modules left out"]]


ALPHA = Fraction(46 * 10**13, 18 * 10**10)
TOKENS = 16 * ALPHA / 2  # X = 16, M_X = 2, and the FSDP axis takes the longest


@pytest.mark.parametrize(
    ("slip", "claim"),
    [
        ("times added, or the longest taken", f"batch_tokens={ceil(16 * ALPHA / 2 / (1 - 4 * ALPHA / 53248))}"),
        ("best mesh, or the given one", f"T_min_per_chip={float(ALPHA**2 / (2 * 53248)):.2f}"),
        ("one mesh axis", f"batch_tokens={ceil(2 * TOKENS)}"),
        ("axes of the mesh exchanged", f"batch_tokens={ceil(TOKENS / 4)}"),
        ("half the bandwidth", f"batch_tokens={ceil(2 * TOKENS)}"),
        ("twice the bandwidth", f"batch_tokens={ceil(TOKENS / 2)}"),
        ("bandwidth ten times too large", f"batch_tokens={ceil(TOKENS / 10)}"),
        ("whole batch for a part", "batch_tokens_per_chip=20445"),
        ("per chip", "batch_tokens=320"),
        ("per FSDP rank", "batch_tokens_per_chip=1278"),
        ("in sequences", f"batch_tokens={ceil(TOKENS / 1024)}"),
        ("rounded up on each chip first", "batch_tokens=20480"),
        ("rounded up on each rank first", "batch_tokens=20448"),
        ("floor for ceiling", "batch_tokens=20444"),
        ("arithmetic ten times too fast", "batch_tokens=none"),
    ],
)
def test_slips_of_the_compute_bound_batch(slip, claim):
    verdict = check(load_study("cs336-a2-xxl"), claim)
    assert not verdict.right
    assert [slip] in _names(verdict)


def test_the_compute_bound_batch_under_its_own_question():
    study = load_study("cs336-a2-xxl")
    added = replace(study, questions=(ComputeBound.read({"overlap": "sum"}, "here", "s"),))
    assert check(added, "batch_tokens=25302").right
    assert check(replace(study, questions=()), "batch_tokens=20445").right
    best = replace(study, questions=(ComputeBound.read({"overlap": "sum", "axes": "optimal"}, "here", "o"),))
    assert check(best, "batch_tokens=15700").right
    assert _names(check(best, "batch_tokens=15699")) == [["floor for ceiling"], ["nearest for ceiling"]]
    with pytest.raises(BadInput, match=r"says nothing about its network; add \[network\]"):
        check(replace(study, network=None), "batch_tokens=3")
    with pytest.raises(BadInput, match="unknown quantity 'batch_tokens'"):
        check(replace(study, network=None, questions=()), "batch_tokens=3")


def test_a_degree_is_that_under_its_rules_and_forgetting_them_is_a_slip():
    asked = {"device": "h100-80gb", "reading": "marketed", "multiple_of": 32, "kinds": list(STATIC)}
    ruled = replace(_study(0), questions=(MinDegree.read(asked, "here", "b"),))
    verdict = check(ruled, "n_fsdp=44")
    assert (verdict.right, verdict.expected) == (False, 64)
    assert _names(verdict) == [["rules forgotten"]]
    assert check(ruled, "n_fsdp=64").right


def test_every_slip_of_the_catalogue_is_reached_by_a_test():
    source = Path(__file__).read_text() + (DATA / "claims_told.json").read_text()
    for slip in catalogue():
        assert slip.name in source
    assert len({slip.name for slip in catalogue()}) == len(catalogue())
    assert {slip.change for slip in catalogue()} == set(CHANGES)
    assert all(slip.source and slip.sentence for slip in catalogue())
    names = {slip.name for slip in catalogue()}
    assert all(name.partition(":")[0] in names for made in together() for name in made.slips)


def test_slips_of_other_recipes():
    mixed = load_study("cs336-a2-xxl").called(changes(recipe="zero-16"))
    assert _names(check(mixed, f"static={18 * P} B")) == [
        ["BF16 copy of the weights added"],
        ["BF16 gradients added"],
        ["gradients in 4 bytes"],
        ["weights in 4 bytes"],
    ]
    fat = load_study("cs336-a2-xxl")
    fat = replace(fat, recipe=fat.recipe.override({"activations": 4}))
    assert ["activations in 2 bytes"] in _names(check(fat, f"activations={PER_TOKEN * 131072} B"))


@pytest.mark.parametrize(
    ("claim", "figures"),
    [
        ("static=3517578215424 B", 0),
        ("static=3276 GiB", 0),
        ("static=3517.6 GB", 5),
        ("static=3520 GB", 3),
        ("static=3.5 TB", 2),
        ("static=3500 GB", 2),
        ("static=3,518 GB", 4),
        ("devices=44", 0),
        ("devices=44.0", 0),
        ("parameters=219848638464", 0),
        ("parameters=220e9", 2),
        ("bytes_per_parameter=16", 0),
        ("activations_per_token=17.55 MB", 4),
    ],
)
def test_a_right_claim_says_to_how_many_figures(claim, figures):
    verdict = check(_study(0), claim)
    assert (verdict.right, verdict.figures, verdict.rounded) == (True, figures, figures > 0)
    assert verdict.explanations == ()


@pytest.mark.parametrize(
    "claim", ["static=3517 GB", "static=3510 GB", "static=4 TB", "static=3.517 TB", "devices=43.97", "parameters=2e11"]
)
def test_a_claim_that_is_not_the_rounded_truth_is_wrong(claim):
    assert not check(_study(0), claim).right


def test_how_far_a_wrong_claim_is():
    verdict = check(_study(0), "n_fsdp=76")
    assert (verdict.expected, verdict.difference, verdict.ratio) == (38, 38, 2)
    amount = check(_study(0), "static=3276 GB")
    assert amount.difference == 3276 * GB - 16 * P
    assert amount.ratio == Fraction(3276 * GB, 16 * P)
    assert check(_study(0), "devices=41.5").difference == Fraction(83, 2) - 44


def test_degrees_that_are_given_divide_what_they_divide():
    study = _study(2048).called(changes(values={"n_replica": 4}))
    divided = dict.fromkeys(STATIC, Placed(n_fsdp)) | {"activations": Placed(n_replica * n_fsdp, sp.Rational(1, 2))}
    claim = _degree(16 * P, Fraction(HALF, 4), HALF, V5P)
    assert check(replace(study, placement=divided), f"n_fsdp={claim}").right
    fixed = divided | {"activations": Placed(n_replica, sp.Rational(1, 2)), "gradients": Placed(n_replica)}
    room = Fraction(10**12) - HALF - Fraction(HALF, 4) - P
    verdict = check(_with_capacity(replace(study, placement=fixed), "1 TB"), "n_fsdp=1")
    assert verdict.quotient == Fraction(12 * P) / room
    sharded = replace(study, placement=fixed).called(changes(values={"n_fsdp": 64}))
    replicas = check(_with_capacity(sharded, "1 TB"), "n_replica=9")
    assert replicas.quotient == (4 * P + HALF) / (10**12 - Fraction(12 * P, 64) - HALF)
    without = replace(study, placement={"activations": divided["activations"]})
    assert check(without, "n_fsdp=none").right


def test_that_nothing_fits_can_be_claimed():
    assert check(_study(131072), "n_fsdp=none").right
    wrong = check(_study(131072), "n_fsdp=62")
    assert (wrong.expected, wrong.difference, wrong.ratio) == (None, None, None)
    assert _names(wrong) == [["rest divided too"]]
    never = check(_study(512), "n_fsdp=infeasible")
    assert (never.right, never.difference, never.ratio) == (False, None, None)
    assert ["tokens taken for sequences"] in _names(never)


def test_a_claim_is_right_when_it_answers_any_question_that_asks_for_it():
    study = load_study("cs336-a2-xxl")
    assert (check(study, "n_fsdp=46").question, check(study, "n_fsdp=none").question) == ("b", "b, literally")
    assert not check(study, "n_fsdp=46", question="b, literally").right
    assert check(_with_capacity(study, "95 GB"), "n_fsdp=50").right


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        (
            "static=3276",
            r"^claim static=3276 has no unit; write static=3276 B, static=3276 GB \(10\^9 bytes\) or static=3276 GiB",
        ),
        ("static=3276G", "does not say which unit: write 3276 GB"),
        (
            "n_fsdp=38 GB",
            "claim n_fsdp=38 GB has a unit of memory, and the smallest degree n_fsdp at which .* fits is in devices",
        ),
        (
            "speed=3",
            r"unknown quantity 'speed'; .*known: .*activations, .*n_fsdp, optimizer, parameters, peak, static, .*total",
        ),
        ("n_fsdp", "is not NAME=VALUE; write for example n_fsdp=38"),
        ("n_fsdp=many", "claim n_fsdp=many: formula 'many': column 1: unknown name 'many'"),
        ("n_fsdp=?!", r"'\?!' is neither a number nor a formula; write for example 38, 3276 GiB"),
        ("static=3,52 TB", "a comma stands only before groups of three digits, as in 3,276"),
        ("n_fsdp=38 parsecs", "unknown unit 'parsecs'; .* is in devices"),
        ("static=none", "is always a number; give one"),
        ("static=3 parsecs", "unknown unit 'parsecs'"),
    ],
)
def test_claims_that_cannot_be_compared_are_refused(claim, message):
    with pytest.raises(BadInput, match=message):
        check(_study(0), claim)


def test_questions_and_values_that_are_missing_are_named():
    with pytest.raises(BadInput, match="no question 'z'; known: 'a', 'b'"):
        check(_study(0), "n_fsdp=3", question="z")
    with pytest.raises(BadInput, match="the study does not ask for n_fsdp: say on which device"):
        check(replace(_study(0), questions=()), "n_fsdp=3")
    with pytest.raises(MissingValue, match="a value for B, S"):
        check(_llama(), "activations=3 GB")


def test_claims_are_exact_far_beyond_machine_integers():
    study = _study(0).called(changes(values={"L": 10**25}))
    exact = 10**25 * 32 * 16384 * 53248
    assert check(study, f"static={exact} B").right
    assert not check(study, f"static={exact + 1} B").right


def test_a_half_may_be_rounded_either_way():
    assert [right_to(Fraction(8375, 2), Fraction(claim)) for claim in (4187, 4188, 4189)] == [4, 4, None]


def test_the_sum_for_the_peak():
    """17 devices hold what Llama 3.1 70B keeps; the reduce-scatter of a block needs 20."""
    found = check(load_study("llama-3.1-70b"), "n_fsdp=17", question="b")
    assert not found.right and found.expected == 20
    assert ["the sum for the peak"] in [[slip.name for slip in one.slips] for one in found.explanations]


@pytest.mark.parametrize(
    ("study", "label", "forgotten", "size"),
    [
        ("llama-3.1-8b", "b", "the gradients inside the loss forgotten", 2 * 2 * 2 * 4096 * 128256),
        ("llama-3.1-70b", "b", "the gathered weights forgotten", None),
        ("llama-3.1-70b", "b", "the whole gradients forgotten", None),
        ("llama-3.1-70b", "b", "the gradients that are sent forgotten", None),
        ("llama-3.1-70b", "d", "the copy of the optimizer forgotten", None),
    ],
)
def test_a_term_of_the_peak_is_missed(study, label, forgotten, size):
    loaded = load_study(study)
    asked = loaded.question(label)
    found = asked.answer(loaded.under(asked))
    name = next(slip for slip in catalogue() if slip.name == forgotten).arguments["term"]
    numbers = {**found.study.values, found.symbol: found.value}
    placed = [instant.memory.placed(loaded.placement) for instant in found.study.timeline]
    assert size is None or size in [term.at(numbers) for memory in placed for term in memory if term.name == name]
    without = max(memory.where(lambda term: term.name != name).at(numbers) for memory in placed)
    claim = f"peak={without} B"
    verdict = check(loaded, claim, question=label)
    assert [forgotten] in [[slip.name for slip in one.slips] for one in verdict.explanations]


@pytest.mark.parametrize(
    ("study", "degree", "forgotten"),
    sampled(
        [
            ("llama-3.1-8b", 8, "gradients inside the loss"),
            ("llama-3.1-8b", 8, "activations of the head and loss"),
            ("llama-3.1-8b", 8, "gathered weights"),
            ("llama-3.1-70b", 64, "gradients inside the block"),
            ("llama-3.1-70b", 64, "gradients that are sent"),
        ],
        3,
    ),
)
def test_a_term_is_left_out_of_the_fullest_instant_though_another_is_fuller_then(study, degree, forgotten):
    loaded = load_study(study).change(values={"n_fsdp": degree, "B": 1})
    placed = [instant.memory.placed(loaded.placement) for instant in loaded.timeline]
    most = max(placed, key=lambda memory: memory.at(loaded.values))
    without = most.where(lambda term: term.name != forgotten).at(loaded.values)
    assert without < most.at(loaded.values)
    names = [name for names in _names(check(loaded, f"peak={without} B", question="b")) for name in names]
    own = {slip.arguments.get("term"): slip.name for slip in catalogue()}
    told = {f"term forgotten at the fullest instant: {forgotten}", own.get(forgotten)} & set(names)
    assert len(told) == 1


@pytest.mark.parametrize(("study", "degree"), [("llama-3.1-8b", 4), ("llama-3.1-70b", 20)])
def test_another_instant_is_taken_for_the_peak(study, degree):
    loaded = load_study(study)
    values = {**loaded.values, **load_study(study).change(values={"n_fsdp": degree}).values}
    (step,) = (one for one in loaded.timeline if one.name == "step")
    held = step.memory.placed(loaded.placement).at(values)
    assert ["another instant for the peak: the optimizer step"] in _names(
        check(loaded, f"peak={float(held)} B", question="b")
    )


@pytest.mark.parametrize("given", [{"n_fsdp": "38"}, 38, None, b"n_fsdp=38"])
def test_what_is_no_claim_is_refused(given):
    with pytest.raises(BadInput, match=r"a claim is text such as 'n_fsdp=38', and .* is none"):
        check(load_study("cs336-a2-xxl"), given)


@pytest.mark.parametrize(
    ("study", "claim", "slip"),
    [
        # The hub's metadata say 684,531,386,000, of which 3,918,786,560 in BF16, 680,571,043,840 in FP8 and 41,555,600 in FP32.
        ("deepseek-v3", "P=684531386000", "numbers of the published file"),
        ("deepseek-v3", "P=685e9", "numbers of the published file"),
        ("cluster-deepseek-v3", "P=685e9", "numbers of the published file"),
        ("mixtral-8x7b", "P=56e9", "the name of the model multiplied"),
        ("mixtral-8x7b", "P=12.9e9", "active parameters for all"),  # 13B in arXiv:2401.04088
        ("qwen3-30b-a3b", "P=3.35e9", "active parameters for all"),
        ("mixtral-8x7b", "active=46.7B", "all parameters for the active ones"),
        ("lora-llama-3.1-8b", "trainable parameters=8.03B", "all parameters for those that are trained"),
        # 32 blocks, queries and values: 8 (2 * 4096 + 4096 + 1024)
        ("lora-llama-3.1-8b", "P=3.41M", "trained parameters for all"),
        ("cs336-a2-xxl", "T=128K", "1024 for a thousand"),
        # 8 (46,702,792,704 - 7 * 32 (3 * 4096 * 14336 + 4096)): the shared parts eight times
        ("mixtral-8x7b", "P=57934905344", "experts multiplied with the shared parts"),
    ],
)
def test_a_count_of_a_hub_and_a_multiplied_name_are_slips(study, claim, slip):
    assert _names(check(load_study(study), claim)) == [[slip]]


def test_what_no_file_and_no_expert_explains_has_no_such_slip():
    """Other sizes than those of the file have no file, and a dense model has no experts to multiply."""
    changed = load_study("deepseek-v3").change(values={"L": 60})
    assert _names(check(changed, "P=684531386000")) == []
    assert _names(check(load_study("llama-3.1-8b"), "P=56e9")) == []


@pytest.mark.parametrize(
    ("claim", "right", "question"),
    [
        ("peak=56.5 GiB", True, "a"),
        ("peak=40.766 GiB", True, None),
        ("peak=60 GiB", False, "a"),
        ("peak=42 GiB", False, None),
    ],
)
def test_the_peak_of_a_mesh_can_be_claimed_where_nothing_else_asks_for_it(claim, right, question):
    """The answer says 56.516 GiB at the smallest n_ep, the account 40.766 GiB at that which is given."""
    verdict = check(load_study("cluster-mixtral-8x7b"), claim)
    assert (verdict.right, verdict.question) == (right, question)


@pytest.mark.parametrize(
    ("claim", "question", "slips"),
    [
        ("C_mem=95 GB", "b", {"GB for GiB on the device", "GiB printed as GB"}),
        ("C_mem=80 GB", "a", {"GB for GiB on the device", "GiB printed as GB"}),
    ],
)
def test_a_line_of_several_questions_is_held_against_the_nearest(claim, question, slips):
    """80 GiB are 85,899,345,920 bytes and 95 GiB 102,005,473,280: 95 GB are 11 % off the one and 7 % off the other."""
    verdict = check(load_study("cs336-a2-xxl"), claim)
    assert (verdict.right, verdict.question) == (False, question)
    assert {slip for (slip,) in _names(verdict)} == slips


def _of_one_device(study, values=()):
    """What the account of a study says of one device at its fullest, and its instants."""
    told = Account(study.change(values=dict(values)) if values else study).per_device_record
    assert told is not None
    return told["peak_bytes"], {one["instant"]: one["bytes"] for one in told["instants"]}


@pytest.mark.usefixtures("verdicts_alone")
@pytest.mark.parametrize(
    ("study", "changed"),
    [
        ("lora-llama-3.1-8b", {}),
        ("lora-llama-3.1-8b", {"plan": "dp"}),
        ("llama-3.1-8b", {"plan": "one-device"}),
        ("llama-3.1-8b", {"plan": "dp"}),
        ("llama-3.1-8b", {"recipe": "inference", "profile": "hf-cuda-bf16"}),
        ("cluster-llama-3.1-70b-64-h100", {}),
    ],
)
def test_the_peak_of_a_run_is_that_of_its_account(study, changed):
    loaded = load_study(study).change(**changed)
    most, instants = _of_one_device(loaded)
    for claim in (f"peak={most} B", f"peak_bytes={most} B", *(f"{name}={size} B" for name, size in instants.items())):
        verdict = check(loaded, claim)
        assert verdict.right and not verdict.rounded and verdict.question is None
    assert not check(loaded, f"peak={most + 1} B").right
    (words,) = [name for name, size in instants.items() if size == most]
    assert f"The instant is {words}." in plain_prose(verdict_words(check(loaded, f"peak={most} B")))


def test_the_peak_of_a_largest_batch_and_of_the_run_that_is_given_are_both_right():
    study = load_study("lora-llama-3.1-8b")
    found = study.question("a").answer(study.under(study.question("a")))
    claims = f"peak={_of_one_device(study)[0]} B", f"peak={_of_one_device(study, {'B': found.value})[0]} B"
    assert [(check(study, one).right, check(study, one).question) for one in claims] == [(True, None), (True, "a")]
    assert f"One device holds that at B = {found.value}." in plain_prose(verdict_words(check(study, claims[1])))


def test_memory_that_is_spread_evenly_is_no_peak():
    study = load_study("llama-3.1-8b")
    found = study.question("a").answer(study.under(study.question("a")))
    spread = Fraction(study.memory.at(study.values), found.value)
    assert check(study, f"M_device={float(spread) / 2**30} GiB", question="a").right
    assert not check(study, f"peak={float(spread) / 2**30} GiB").right


@pytest.mark.slow
def test_the_block_that_is_gathered_ahead_and_the_fate_of_gradients_are_slips():
    study = load_study("llama-3.1-70b").change(values={"n_fsdp": 32})
    most = _of_one_device(study)[0]
    d, f, keys = 8192, 28672, 8 * 128
    block = 2 * (2 * d * d + 2 * d * keys + 3 * d * f + 2 * d)  # BF16
    assert _names(check(study, f"peak={most - block} B")) == [["the block gathered ahead forgotten"]]
    freed = study.change(gradients="freed")
    assert ["gradients freed"] in _names(check(study, f"peak={_of_one_device(freed)[0]} B"))
    assert ["gradients kept"] in _names(check(freed, f"peak={most} B"))


def test_the_sum_for_the_peak_of_a_pass_and_of_a_stage():
    passes = load_study("llama-3.1-8b").change(recipe="inference", profile="hf-cuda-bf16")
    assert ["the sum for the peak"] in _names(check(passes, f"peak={passes.memory.at(passes.values)} B"))
    staged = load_study("cluster-llama-3.1-70b-64-h100")
    kept = Account(staged).per_device_record["total_bytes"]
    assert ["the sum for the peak"] in _names(check(staged, f"peak={kept} B"))


def test_what_is_one_slip_is_named_once_and_only_where_its_words_are_true():
    study = load_study("cs336-a2-xxl")
    assert ["optimizer state forgotten"] in _names(check(study, "static=1638 GiB"))
    assert ["moments forgotten"] not in _names(check(study, "static=1638 GiB"))
    assert ["nothing of it divided"] not in _names(check(study, "n_fsdp=35"))  # nothing is kept there
    assert _names(check(study, "T_min=10222")) == [["twice the bandwidth"]]
    assert _names(check(load_study("llama-3.1-8b"), "parameters=6.98e9")) == [
        ["output head forgotten", "token embedding forgotten"]
    ]
    assert _names(check(load_study("cs336-a1-2026-adamw"), "P=2.13e9")) == [["inner width four times the width"]]


def test_a_figure_of_an_edition_is_named_with_the_edition_and_its_slip():
    verdict = check(load_study("scaling-book-training"), "P_all=13.1e9")
    assert not verdict.right
    said = plain_prose(verdict_words(verdict))
    assert "It is the figure printed in jax-ml/scaling-book, training.md at commit 0819a7d of 18 February 2025." in said
    assert "The sum has 0.39e9 for the vocabulary" in said and "No known slip" not in said
    assert "printed in" not in plain_prose(verdict_words(check(load_study("scaling-book-training"), "P_all=13.2e9")))


def test_the_weights_alone_and_a_tied_head_are_known():
    xl = load_study("gpt2-xl")
    assert _names(check(xl, "parameters=1.638e9")) == [["tied head counted"]]  # 1,557,611,200 + 50,257 · 1600
    v3 = load_study("deepseek-v3")
    assert _names(check(v3, "weights=671 GB")) == [["weights in 1 byte"]]
    assert _names(check(v3, "parameters=37e9")) == [["active parameters for all", "figures cut off"]]
    assert _names(check(load_study("qlora-llama-3.1-8b"), "parameters=8.03e9")) == [["adapters forgotten"]]
    alone = ["gradients forgotten", "optimizer state forgotten"]
    assert _names(check(xl, "static=6.23 GB")) == [alone]
    assert _names(check(xl, "static=3.115 GB")) == [[*alone, "weights in 2 bytes"]]


@pytest.mark.parametrize("claim, figures", [("47.0 GiB", "three"), ("47 GiB", "two"), ("47.00 GiB", "four")])
def test_a_zero_behind_the_point_is_a_figure_that_is_shown(claim, figures):
    verdict = check(load_study("cluster-llama-3.1-70b-64-h100"), f"peak={claim}")  # 47.0027
    assert f"is right to {figures} figures: the exact number" in plain_prose(verdict_words(verdict))


def test_what_no_question_knows_is_unknown_where_one_has_no_answer():
    """Plan dp divides nothing, so that the question of the study has no answer."""
    study = load_study("headroom").change(plan="dp")
    with pytest.raises(
        BadInput, match=r"^unknown quantity 'foo'; known: .*; what question 'a' would show .* no term of the memory"
    ):
        check(study, "foo=1 GiB")
