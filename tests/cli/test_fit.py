"""The verb `fit`: a table of meshes, or one JSON object."""

from __future__ import annotations

import json

import pytest

from symbolic_mem.library.read import load_study
from symbolic_mem.questions.parts.meshes import volumes

CLUSTER = (
    *("llama-3.1-8b", "--plan", "megatron", "--recipe", "megatron-18", "--profile", "te-cuda-bf16"),
    *("--loss", "vocab-parallel-te", "--set", "B=1", "--set", "S=8192"),
)


def test_meshes_are_listed_with_what_is_left(run):
    done = run("fit", *CLUSTER, "--plans", "8", "--sequences", "16")
    assert done.status == 0
    assert "meshes of 8 devices that the model allows" in done.out and "too much" in done.out


def test_the_json_has_every_mesh(run):
    done = run("fit", *CLUSTER, "--plans", "8", "--sequences", "16", "--json")
    record = json.loads(done.out)
    assert record["allowed"] == len(record["meshes"]) and record["value"] == sum(m["fits"] for m in record["meshes"])
    for mesh in record["meshes"]:
        assert mesh["refused"] or mesh["left_bytes"] == record["capacity_bytes"] - mesh["peak_bytes"]


def test_solve_finds_the_smallest_degree_of_an_axis(run):
    given = ("--set", "n_pp=1", "--set", "n_fsdp=8", "--capacity", "50 GiB")
    done = run("solve", *CLUSTER, *given, "--for", "n_tp", "--json")
    record = json.loads(done.out)
    rows = {mesh["degrees"]["n_tp"]: mesh["peak_bytes"] for mesh in record["meshes"]}
    assert list(rows) == [1, 2, 4, 8]
    assert record["value"] == next(degree for degree, peak in rows.items() if peak <= 50 * 2**30)


@pytest.mark.parametrize("number", ["0", "many", "-8", "1.5"])
def test_what_is_no_number_of_devices_is_one_line(refused, number):
    assert "--plans" in refused("fit", *CLUSTER, "--plans", number)


def test_comms_shows_the_axes_of_a_plan_without_a_network(run, refused):
    done = run("comms", "cluster-gpt-3-175b", "--json")
    record = json.loads(done.out)
    assert record["bubble"] == {"schedule": "interleaved", "formula": "(n_pp - 1)/(n_chunks*n_micro)", "share": "7/192"}
    sizes = {str(axis): size for axis, (_, size) in volumes(load_study("cluster-gpt-3-175b")).items()}
    assert {axis: one["bytes"] for axis, one in record["sent_in_a_step"].items()} == {
        k: -(-v // 1) for k, v in sizes.items()
    }
    assert "bubble  (n_pp - 1)/(n_chunks*n_micro) = 7/192" in run("comms", "cluster-gpt-3-175b").out
    assert "sends along every axis" in refused("comms", "cluster-gpt-3-175b", "--scheme", "dp")
