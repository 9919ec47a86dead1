"""Cases of a file: each is said by a study, or reported with the reason why none says it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.library.read import read_study
from symbolic_mem.verify.cases import Case, read_cases
from symbolic_mem.verify.families import SAID, compare_case, families

DATA = Path(__file__).parent.parent / "data"
OPTIMIZERS = json.loads((DATA / "optimizers.json").read_text(encoding="utf-8"))["cases"]
STEP = {
    "block": "SwiGLU with residual, L blocks, each an FSDP unit; AdamW fp32 states; second step",
    "L": 6,
    "d": 1024,
    "f": 4096,
    "tokens": 512,
    "n_fsdp": 8,
}
HIGHEST = "highest live bytes of one rank in phase backward0"


def case(id: str, inputs: dict, quantity: str = "", theirs: int = 1) -> Case:
    return Case(id, "", inputs, quantity, theirs, DATA)


@pytest.mark.parametrize("row", OPTIMIZERS, ids=lambda row: row["id"])
def test_the_state_of_an_optimizer_is_said_under_its_engine_s_name(row):
    inputs = {key: row[key] for key in ("optimizer", "param_dtype", "shape")}
    assert compare_case(case(row["id"], inputs, "optimizer_state", row["bytes"])).miss == 0


@pytest.mark.parametrize(("rank", "wide", "narrow"), [(0, 18, 4), (9, 18, 1), (10, 18, 0), (11, 13, 0)])
def test_the_last_ranks_hold_fewer_rows_of_the_moments_or_none(rank, wide, narrow):
    # 12 ranks: 211 rows are cut into 18 each and 37 into 4, until there are none left
    inputs = {"block": "ffn_linear", "d": 37, "f": 211, "L": 5, "n_fsdp": 12, "rank": rank, "param_dtype": "float32"}
    moments = compare_case(case("fsdp2-static-x", inputs, "adamw_two_moments_per_rank"))
    assert moments.ours == 2 * 4 * 5 * (wide * 37 + narrow * 211)
    weights = compare_case(case("fsdp2-static-x", inputs, "sharded_parameter_storage_per_rank"))
    assert weights.ours == 4 * 5 * (18 * 37 + 4 * 211)  # padded, alike on every rank


@pytest.mark.parametrize("one", read_cases(DATA / "shards.json"), ids=lambda one: one.id)
def test_the_weights_of_a_published_model_are_cut_along_the_first_dimension_of_each_tensor(one):
    assert compare_case(one).miss == 0


def test_a_case_is_said_by_a_study_that_a_user_can_write():
    found = compare_case(case("torch-fsdp-step-x", STEP | {"reshard": 2, "n_rep": 2}, HIGHEST))
    assert found.said is not None and found.said["plan"] == {"preset": "hsdp", "reshard": 2}
    assert read_study({"title": "x", **found.said}, "x", "x", DATA).plan is not None


@pytest.mark.parametrize(
    ("id", "inputs", "quantity", "reason"),
    [
        ("torch-fsdp-step-x", STEP | {"n_tp": 0}, HIGHEST, "n_tp = 0 is no whole number of at least 1"),
        ("torch-fsdp-step-x", STEP | {"reshard": 3}, HIGHEST, "does not divide n_fsdp"),
        ("torch-fsdp-step-x", STEP | {"colour": "red"}, HIGHEST, "the keys colour are not known in this family"),
        ("torch-fsdp-step-x", STEP | {"L": 0}, HIGHEST, "L = 0 is no whole number of at least 1"),
        ("torch-fsdp-step-x", STEP | {"block": "MoE"}, HIGHEST, "block = 'MoE' is not known; known: ffn_linear"),
        ("torch-fsdp-step-x", STEP, "watts", "quantity 'watts' is not known"),
        ("torch-fsdp-step-x", STEP, HIGHEST.replace("0", "1"), "of micro-batch 1, and there are 1"),
        ("torch-fsdp-step-x", {"L": 1}, HIGHEST, "block is not given"),
        ("optim-torch-x", {"optimizer": "Shampoo"}, "optimizer_state", "optimizer 'Shampoo' of torch is not known"),
        ("titan-x", {"t": 1}, "", "how the model is divided"),
        ("weather-x", {}, "", "begins as that of no known family"),
    ],
)
def test_what_cannot_be_said_is_reported_with_its_reason(id, inputs, quantity, reason):
    found = compare_case(case(id, inputs, quantity))
    assert found.ours is None and found.miss is None
    assert reason in found.reason and "\n" not in found.reason
    assert found.record() == {"id": id, "ours": None, "theirs": 1, "miss": None, "reason": found.reason}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{}", "is not a list of cases"),
        ("[1]", "case 1: is not an object with an id"),
        ('[{"id": "a"}]', "case 1 ('a'): needs settings (or inputs) and value (or value_bytes)"),
        ('[{"id": "a", "settings": {}, "value": 1, "quantity": 2}]', "engine and quantity must be text"),
        ("[", "is not valid JSON"),
        ("[" * 100_000, "is not usable JSON"),
    ],
)
def test_a_file_that_is_no_list_of_cases_is_refused_in_one_line(tmp_path, content, said):
    path = tmp_path / "cases.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BadInput) as refused:
        read_cases(path)
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_every_family_has_a_title_and_is_said_or_has_a_reason():
    for family in families():
        assert family.title and (family.find is None) == bool(family.reason)
    assert {family.beginning for family in SAID} == {family.beginning for family in families() if family.find}
