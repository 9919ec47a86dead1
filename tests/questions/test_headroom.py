"""What is left on n devices, and how far batch and depth can grow there; the expected numbers are plain Python integers."""

import json
from dataclasses import replace
from fractions import Fraction

import pytest
import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import L
from symbolic_mem.claims.check import check
from symbolic_mem.cli.main import main
from symbolic_mem.documents.documents import homework
from symbolic_mem.library.read import load_study, read_study
from symbolic_mem.questions.headroom import Headroom
from symbolic_mem.render.json import jsonable
from symbolic_mem.render.text import plain, plain_prose
from symbolic_mem.study.changes import changes

MIB = 2**20
D, FF, LAYERS, BATCH, LENGTH = 512, 2048, 4, 16, 256
STATIC = 16 * 2 * LAYERS * D * FF  # 16 bytes for each of two matrices' weights in each block
KEPT = 2 * BATCH * LENGTH * LAYERS * (D + FF)  # the BF16 inputs of both
SMALL = {
    "title": "A small stack",
    "model": {"kind": "ffn"},
    "values": {"d_model": D, "d_ff": FF, "L": LAYERS, "B": BATCH, "S": LENGTH},
    "recipe": {"preset": "cs336"},
    "placement": {
        **{kind: {"over": "n_fsdp"} for kind in ("weights", "gradients", "optimizer")},
        "activations": {"fraction": "1/2", "over": "n_fsdp", "rest": "kept"},
    },
}


def small(tmp_path, **changes):
    return read_study({**SMALL, **changes}, "small.toml", "small", tmp_path)


def asked(study, **keys):
    question = Headroom.read(keys, "here", "a")
    return question.answer(study.under(question))


def largest(found):
    return {most["symbol"]: most for most in jsonable(found.facts)["largest"]}


def test_the_bundled_study_is_what_the_published_config_gives():
    vocabulary, d, ff, heads, groups, head, layers, length, sequences, devices = (
        *(128256, 4096, 14336, 32, 8, 128, 32, 4096),
        *(2, 8),
    )
    block = 2 * d + 2 * d * heads * head + 2 * d * groups * head + 3 * d * ff
    ends = 2 * vocabulary * d + d

    def on_each(sequences, layers):
        states = Fraction(16 * (layers * block + ends), devices)
        tokens = sequences * length
        norm = tokens * (2 * d + 4)
        attention = tokens * (2 * d + 2 * 2 * heads * head + 2 * 2 * groups * head + 4 * heads) + 24
        mlp = tokens * (2 * d + 2 * 4 * ff)
        kept = 4 * length * head + layers * (2 * norm + attention + mlp) + norm + tokens * 2 * (vocabulary + d)
        loss = 2 * 2 * tokens * vocabulary  # gradients of the log probabilities and of the logits
        return states + kept + loss + 2 * (block + ends)  # one block and the rest are gathered

    capacity = 81559 * MIB  # what nvidia-smi prints
    (found,) = homework(load_study("headroom")).found
    facts, most = jsonable(found.facts), largest(found)
    assert facts["capacity_bytes"] == capacity
    assert facts["used_bytes"] == on_each(sequences, layers) == 69_097_554_688
    assert facts["free_bytes_each"] == capacity - on_each(sequences, layers) == found.value
    assert facts["free_bytes"] == 8 * facts["free_bytes_each"]
    assert facts["feasible"] is True and facts["reason"] is None
    assert list(most) == ["B", "L"]  # the rotary angles grow with S alone, so tokens do not decide
    for name, value, at in (("B", 2, lambda n: on_each(n, layers)), ("L", 41, lambda n: on_each(sequences, n))):
        assert most[name]["value"] == value
        assert at(value) <= capacity < at(value + 1)
        assert most[name]["per_device_bytes"] == at(value)
        assert most[name]["one_more_needs_bytes"] == at(value + 1) - capacity
    assert (most["B"]["now"], most["L"]["now"]) == (sequences, layers)


def test_tokens_decide_where_the_memory_depends_on_them_alone(tmp_path):
    found = asked(small(tmp_path), capacity="128 MiB", devices=2)
    facts, most = jsonable(found.facts), largest(found)
    on_each = STATIC // 2 + KEPT // 2 // 2 + KEPT // 2
    assert facts["used_bytes"] == on_each == 124 * MIB
    assert facts["free_bytes_each"] == 4 * MIB
    per_token = LAYERS * (D + FF) + LAYERS * (D + FF) // 2
    tokens = (128 * MIB - STATIC // 2) // per_token
    assert most["T"]["value"] == tokens == 4369
    assert most["T"]["now"] == BATCH * LENGTH
    assert most["T"]["one_more_needs_bytes"] == STATIC // 2 + (tokens + 1) * per_token - 128 * MIB
    assert most["L"]["value"] == 128 * MIB // (on_each // LAYERS) == 4


def test_strictly_less_leaves_out_what_fills_the_device(tmp_path):
    at_most = asked(small(tmp_path), capacity="124 MiB", devices=2)
    strict = asked(small(tmp_path), capacity="124 MiB", devices=2, strict=True)
    assert (at_most.value, at_most.feasible) == (0, True)
    assert (strict.value, strict.feasible) == (None, False)
    assert "all that it has" in plain_prose(strict.reason)
    assert [m["value"] for m in largest(at_most).values()] == [BATCH * LENGTH, LAYERS]
    assert [m["value"] for m in largest(strict).values()] == [BATCH * LENGTH - 1, LAYERS - 1]


def test_too_much_is_an_answer_with_its_reason(tmp_path):
    study = small(tmp_path)
    found = asked(study, capacity="64 MiB", devices=4)
    on_each = STATIC // 4 + KEPT // 2 // 4 + KEPT // 2
    assert not found.feasible and found.value is None
    assert jsonable(found.facts)["free_bytes_each"] == 64 * MIB - on_each == -18 * MIB
    assert "18 MiB too much" in plain_prose(found.reason)
    assert largest(found)["T"]["value"] == (64 * MIB - STATIC // 4) // 12800 == 2621
    never = asked(study, capacity="20 MiB", devices=1)
    assert [m["value"] for m in largest(never).values()] == [None, None]
    assert "does not depend on T already takes 128 MiB" in plain_prose(never.question.sentence(never))


def test_only_some_kinds_may_count(tmp_path):
    found = asked(small(tmp_path), capacity="128 MiB", devices=2, kinds=["weights", "optimizer"])
    assert found.left.used == 24 * LAYERS * D * FF // 2
    assert list(largest(found)) == ["L"]
    assert "activations" not in plain_prose(found.question.sentence(found))
    assert found.question.claimable == ("headroom", "L")


def test_a_rest_may_be_dropped_for_the_question_alone(tmp_path):
    found = asked(small(tmp_path), capacity="128 MiB", devices=2, rest="dropped")
    assert found.left.used == STATIC // 2 + KEPT // 2 // 2


def test_of_two_instants_the_one_that_leaves_less_decides_each_number(tmp_path):
    placement = {kind: {"over": "n_fsdp"} for kind in ("weights", "gradients", "optimizer")}
    freed = {"recipe": {"preset": "cs336", "gradients_persist": False}, "placement": placement}
    parameters = 2 * LAYERS * D * FF
    for batch in (1, 16):
        study = small(tmp_path, values={**SMALL["values"], "B": batch}, **freed)
        kept = KEPT // BATCH * batch
        backward, step = (4 + 8) * parameters // 2 + kept, 16 * parameters // 2
        found = asked(study, capacity="160 MiB", devices=2)
        assert found.left.used == max(backward, step)
        assert largest(found)["T"]["value"] == (160 * MIB - 12 * parameters // 2) // (2 * LAYERS * (D + FF))
        per_layer = max(backward, step) // LAYERS
        assert largest(found)["L"]["value"] == 160 * MIB // per_layer
        assert "two moments must fit" in plain_prose(found.question.beside(found)[0])
    too_small = asked(study, capacity="60 MiB", devices=2)  # the states of the step, 64 MiB, do not fit by themselves
    assert largest(too_small)["T"]["value"] is None


def test_answer_ledger_claims_and_check_are_one_number(tmp_path):
    study = load_study("headroom")
    (question,) = study.questions
    found, claims = question.answer(study.under(question)), question.claims(study.under(question))
    assert claims["headroom"].value == found.value == found["M_free"].value
    assert found["M_device"].value == found.left.used
    assert {name: claims[name].value for name in ("B", "L")} == {"B": 2, "L": 41}
    assert "T" not in claims
    for claim in ("B=2", "L=41", f"headroom={found.value} B", "headroom=15.295 GiB"):
        assert check(study, claim).right
    for claim in ("B=3", "L=42", "headroom=15.295 GB", "L=none"):
        assert not check(study, claim).right


def test_the_caller_wins_over_the_study(tmp_path, capsys):
    assert main(["homework", "headroom", "--set", "B=1", "--capacity", "80 GB", "--json"]) == 0
    (facts,) = json.loads(capsys.readouterr().out)["questions"]
    assert facts["capacity_bytes"] == 80 * 10**9
    assert facts["used_bytes"] == 43_848_876_800


def test_every_line_that_is_told_is_checked_and_nothing_is_solved_while_it_is_told(tmp_path, monkeypatch):
    found = [
        asked(small(tmp_path), capacity="128 MiB", devices=2),
        asked(small(tmp_path), capacity="64 MiB", devices=4, strict=True),
        asked(small(tmp_path), capacity="20 MiB", devices=1),
    ]

    def solved(*_, **__):
        raise AssertionError("the way asks a solver")

    for name in ("left_over", "upper_anyway", "bound_at"):
        monkeypatch.setattr(f"symbolic_mem.questions.headroom.{name}", solved)
    for one in found:
        assert len(list(one.question.steps(one))) > 8
        assert plain_prose(one.question.sentence(one)).endswith(".")
        assert list(one.summary)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"capacity": "1 GiB"}, "devices is missing"),
        ({"capacity": "1 GiB", "devices": 0}, "devices = 0 is not allowed"),
        ({"capacity": "1 GiB", "devices": [8]}, "give a whole number"),
        ({"devices": 8, "device": "h100"}, "unknown device 'h100'"),
        ({"devices": 8, "multiple_of": 8}, "unknown key 'multiple_of'"),
    ],
)
def test_a_wrong_key_is_refused_where_it_stands(keys, said):
    with pytest.raises(BadInput, match=said):
        Headroom.read(keys, "my.toml", "a")


def test_a_device_must_be_known_and_something_must_be_divided(tmp_path):
    with pytest.raises(BadInput, match="the memory of one device is not given"):
        asked(small(tmp_path), devices=8)
    with pytest.raises(BadInput, match="n_fsdp"):
        asked(small(tmp_path, placement={}), devices=8, capacity="1 GiB")
    with pytest.raises(BadInput, match="needs a value for n_fsdp"):
        asked(small(tmp_path), devices=8, capacity="1 GiB", **{"for": "n_tp"})


def test_the_numbers_are_exact(tmp_path):
    found = asked(small(tmp_path), capacity="1 GiB", devices=7)
    assert found.left.used == Fraction(STATIC + KEPT // 2, 7) + KEPT // 2
    assert sp.sympify(found["M_device"].value) == sp.Rational(STATIC + KEPT // 2, 7) + KEPT // 2


def test_a_depth_that_the_memory_is_no_polynomial_in_is_said_not_to_be_found():
    study = load_study("headroom").change(recompute={"every": 2})
    (found,) = homework(study).found
    most = largest(found)
    assert most["L"]["value"] is None and most["L"]["feasible"] is None
    assert most["L"]["reason"] == "the memory is no polynomial in L"
    assert plain_prose(found.question.sentence(found)).endswith(
        "How far L (number of blocks [layers]) can grow is not found: the memory is no polynomial in L."
    )
    assert [plain_prose(cell) for cell in found.table.rows[-1]] == ["L", "32", "–", "–", "–"]
    with pytest.raises(BadInput, match="question a has no L here: the memory is no polynomial in L"):
        check(study, "L=100")


def test_a_claim_about_tokens_where_they_do_not_decide_says_so():
    said = "question a has no T here: tokens alone do not decide, because some of what is kept depends on B"
    with pytest.raises(BadInput, match=said):
        check(load_study("headroom"), "T=100", question="a")


def test_the_coefficient_of_the_states_is_written_once():
    (found,) = homework(load_study("headroom")).found
    depth = next(most for most in found.most if most.symbol == L)
    assert plain(depth.written[1][0]) == "(16 d_model (3 d_ff + 2 n_heads d_head + 2 n_kv d_head + 2))/n_fsdp"


def test_the_devices_are_all_of_them_where_a_plan_cuts_the_model():
    study = load_study("headroom").called(changes(plan="fsdp2+torch-sp", values={"n_tp": 2}))
    (question,) = study.questions
    found = question.answer(study.under(question))
    assert question.degree(study) == 4 and found.facts["free_bytes"] == 8 * found.left.each
    alone = load_study("llama-3.1-8b").called(changes(plan="fsdp2+torch-sp", values={"n_tp": 2, "n_fsdp": 4}))
    peak = max(one.placed().at(one.numbers) for one in map(alone.seen_at, alone.timeline))
    assert found.left.used == peak
    cut = load_study("headroom").called(changes(plan="fsdp2+torch-sp", values={"n_tp": 8}))
    assert question.degree(cut) == 1
    with pytest.raises(BadInput, match=r"devices = 12, and .* a multiple of 8; give one"):
        replace(question, devices=12).degree(cut)
