"""A number of devices is that of all degrees together, in every sentence, claim and table; groups of a plan come out."""

import tomllib
from pathlib import Path

import pytest

import symbolic_mem as sm
from symbolic_mem.accounts.account import account
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import lookup
from symbolic_mem.claims.check import check
from symbolic_mem.library.read import load_study, read_study
from symbolic_mem.plans.read import plan
from symbolic_mem.questions.parts.assumptions import ranks_beside
from symbolic_mem.render.text import plain_prose
from symbolic_mem.study.changes import changes

MESH = {"n_tp": 2, "n_pp": 4, "n_ep": 8, "n_micro": 32}


def mixtral(ask, **keys):
    """One question about Mixtral on a mesh of 2 x 4 x n_fsdp devices, its experts over 8 of them."""
    table = tomllib.loads(Path(sm.__file__).parent.joinpath("library/studies/cluster-mixtral-8x7b.toml").read_text())
    del table["values"]["n_fsdp"]
    table["values"] |= MESH
    table["model"]["config"] = str(Path(sm.__file__).parent / "library/studies/configs/mixtral-8x7b.json")
    table["question"] = [{"label": "q", "ask": ask, "device": "h100-80gb", **keys}]
    return read_study(table, "mixtral.toml", "mixtral", Path())


def answer(study, label="q"):
    question = study.question(label)
    found = question.answer(study.under(question))
    return found, plain_prose(question.sentence(found))


def test_a_degree_that_is_given_is_said_with_all_its_devices():
    _, said = answer(
        load_study("llama-3.1-8b").called(changes(plan="fsdp2+torch-tp", values={"n_tp": 8, "n_fsdp": 4})), "b"
    )
    assert "On 32 devices (NVIDIA H100 SXM 80 GB, n_fsdp = 4) the peak of each" in said
    assert "The smallest n_fsdp is 1: on 8 devices" in said


def test_replicas_multiply_the_devices():
    _, said = answer(load_study("llama-3.1-8b").called(changes(plan="hsdp", values={"n_replica": 4})), "b")
    assert "The smallest n_fsdp is 4: on 16 devices" in said


def test_devices_of_one_group_are_called_so_where_nobody_says_how_many_groups_there_are():
    _, said = answer(load_study("llama-3.1-8b").called(changes(plan="hsdp")), "b")
    assert "on 4 devices (NVIDIA H100 SXM 80 GB) of each group the peak of each" in said


def test_degrees_of_a_placement_multiply_the_devices():
    placed = {"weights": "n_fsdp*n_tp", "gradients": "n_fsdp*n_tp", "optimizer": "n_fsdp*n_tp"}
    table = {
        "title": "t",
        "model": {"kind": "ffn"},
        "values": {"d_model": 4096, "d_ff": 16384, "L": 32, "B": 1, "S": 128, "n_tp": 4},
        "recipe": {"preset": "cs336"},
        "placement": {kind: {"over": over} for kind, over in placed.items()},
        "question": [{"ask": "min_degree", "label": "q", "capacity": "16 GiB"}],
    }
    found, said = answer(read_study(table, "t.toml", "t", Path()))
    assert f"on {4 * found.value} devices" in said and found.value > 1


def test_headroom_takes_a_degree_for_all_its_devices():
    study = mixtral("headroom", devices=64)
    found, _ = answer(study)
    assert (found.facts["devices"], found.facts["degree"]) == (64, 8)
    given, said = answer(study.called(changes(values={"n_fsdp": 4})))
    assert (given.facts["devices"], given.facts["degree"]) == (32, 4)
    assert given.facts["free_bytes"] == 32 * given.facts["free_bytes_each"]
    assert "On 32 devices (n_fsdp = 4) each holds" in said


@pytest.mark.parametrize(("ask", "devices"), [("headroom", 16), ("insight", [32, 16])])
def test_devices_on_which_the_groups_of_experts_do_not_come_out_are_refused(ask, devices):
    with pytest.raises(BadInput, match=r"devices = 16, and .* a multiple of 32; give one"):
        answer(mixtral(ask, devices=devices))


def test_left_over_counts_all_devices():
    found, said = answer(mixtral("insight", devices=[32, 64], about=["left_over"]))
    rows = found.facts["left_over"]
    assert [(row["devices"], row["degree"]) for row in rows] == [(32, 4), (64, 8)]
    assert [row["free_bytes"] for row in rows] == [32 * rows[0]["free_bytes_each"], 64 * rows[1]["free_bytes_each"]]
    assert said.startswith("On 64 devices each has")


def test_a_region_obeys_the_groups_and_refuses_an_axis_of_the_plan():
    grid = {"about": ["region"], "rows": {"B": [1, 2]}, "columns": {"S": [1024, 4096]}}
    found, _ = answer(mixtral("insight", **grid))
    entries = found.facts["region"]["entries"]
    assert {entry % 4 for line in entries for entry in line} == {0}
    with pytest.raises(BadInput, match="cuts the model over n_ep, so that each of its values is another model"):
        answer(mixtral("insight", **(grid | {"rows": {"n_ep": [1, 2]}})))


def test_other_recomputation_obeys_the_groups():
    found, said = answer(mixtral("recompute"))
    assert found.value == 4 and "the smallest n_fsdp under the rules (a multiple of 4) is 4" in said


def test_the_group_of_experts_is_that_of_megatron_core():
    """`world % (etp * ep * pp) == 0`: parallel_state of Megatron-Core refuses all other meshes."""
    built = mixtral("min_degree").built
    for n_tp, n_ep, n_etp in ((1, 8, 1), (2, 8, 1), (8, 4, 1), (2, 4, 2), (4, 8, 4)):
        values = {lookup(name): value for name, value in (("n_tp", n_tp), ("n_ep", n_ep), ("n_etp", n_etp))}
        values |= {lookup("n_cp"): 1}
        first = next(n for n in range(1, 65) if n * n_tp % (n_ep * n_etp) == 0)
        assert plan("megatron").multiple(values, built) == first


def test_claims_count_devices_as_devices():
    study = load_study("llama-3.1-8b").called(changes(plan="fsdp2+torch-tp", values={"n_tp": 8}))
    assert check(study, "8 devices", question="b").right and check(study, "n_fsdp=1", question="b").right
    assert not check(study, "1 devices", question="b").right


def test_a_claim_that_names_the_degree_states_the_degree_whatever_its_unit():
    study = load_study("llama-3.1-8b").called(changes(plan="fsdp2+torch-tp", values={"n_tp": 8}))
    for right in ("n_fsdp=1 device", "n_fsdp=1 GPU", "n_fsdp=1"):
        assert check(study, right, question="b").right, right
    wrong = check(study, "n_fsdp=8 devices", question="b")
    assert (wrong.right, wrong.value, wrong.expected, wrong.ratio) == (False, 8, 1, 8)


def test_states_of_experts_are_divided_over_their_own_replicas_in_the_account_too():
    study = load_study("cluster-mixtral-8x7b")
    kept = {term.name: term for term in study.placed(("optimizer",)).terms}
    at = {name: term.at(study.numbers) for name, term in kept.items()}
    whole = account(study.model, study.recipe).of("optimizer").at(study.numbers)
    experts = sum(bytes_ for name, bytes_ in at.items() if name.endswith("of the experts"))
    rest = sum(at.values()) - experts
    assert 8 * rest + 4 * experts == whole  # n_fsdp = 8; of an expert 8 * 2 / 4


def test_what_has_no_group_for_experts_is_refused():
    with pytest.raises(BadInput, match=r"give distributed-optimizer\+ep, or megatron"):
        plan("fsdp2+ep")
    assert plan("distributed-optimizer+ep").groups


def test_ranks_beside_a_degree_without_a_plan_or_with_one_that_divides_states_alone():
    for name in ("fsdp2", "zero-3"):
        study = load_study("llama-3.1-8b").called(changes(plan=name))
        assert ranks_beside(study, sm.n_fsdp) == 1
