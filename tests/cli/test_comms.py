"""`symbolic-mem comms` against the published answers to part (c) of CS336 assignment 2 (2025)."""

import json

import pytest

from symbolic_mem.cli.main import main

# Convention -> tokens in the whole batch, per chip: three public solutions and the Scaling Book before and after 2025-08.
PUBLISHED = {
    ("max", "given"): (20_444.44, 319.44),
    ("sum", "given"): (25_301.71, 395.34),
    ("max", "optimal"): (3_924.8, 61.33),
    ("sum", "optimal"): (15_699.2, 245.3),
}

MESH = """title = "A mesh to choose"
model = { kind = "ffn" }
values = { d_model = 16384, d_ff = 53248, L = 126, B = 128, S = 1024, M_X = 2, M_Y = 1 }
network = { flops = "460 TFLOP/s", bandwidth = "180 GB/s", direction = "both-ways" }
"""


@pytest.mark.parametrize(("overlap", "axes"), PUBLISHED)
def test_four_conventions_give_the_four_published_batches(capsys, overlap, axes):
    assert main(["comms", "cs336-a2-xxl", "--overlap", overlap, "--axes", axes, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    whole, each = PUBLISHED[overlap, axes]
    assert found["critical_batch_tokens"] == pytest.approx(whole, rel=1e-5)
    assert found["per_chip"] == pytest.approx(each, rel=1e-4)
    assert found["conventions"]["overlap"] == overlap
    assert found["conventions"]["axes"] == axes
    assert found["conventions"]["unit"] == "tokens"


def test_the_terminal_names_all_three_batches_and_what_is_sent(capsys):
    assert main(["comms", "cs336-a2-xxl"]) == 0
    shown = capsys.readouterr().out
    for piece in ("≈ 20,444.4 tokens in the whole batch", "≈ 319.444", "(T/N)", "≈ 1277.78", "(T/X)", "872,415,232"):
        assert piece in shown


def test_a_mesh_on_which_no_batch_is_enough_is_an_answer(capsys):
    assert main(["comms", "cs336-a2-xxl", "--set", "Y=64", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["feasible"] is False
    assert found["critical_batch_tokens"] is None
    assert "no batch is large enough" in found["reason"]


def test_the_question_of_the_study_counts_and_the_caller_over_it(capsys, tmp_path):
    path = tmp_path / "mesh.toml"
    path.write_text(MESH + '[[question]]\nask = "compute_bound"\noverlap = "sum"\nchips = 64\n', encoding="utf-8")
    assert main(["comms", str(path), "--json"]) == 0
    own = json.loads(capsys.readouterr().out)
    assert (own["smallest_batch_tokens"], own["conventions"]["axes"]) == (15700, "optimal")
    assert main(["comms", str(path), "--overlap", "max", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["smallest_batch_tokens"] == 3925


def test_without_a_mesh_the_best_one_of_as_many_chips_is_shown(capsys, tmp_path):
    path = tmp_path / "mesh.toml"
    path.write_text(MESH, encoding="utf-8")
    assert main(["comms", str(path), "--chips", "64"]) == 0
    shown = capsys.readouterr().out
    assert "axes optimal" in shown
    assert "smallest batch  3925 tokens" in shown
    assert "takes longer" not in shown
    assert main(["comms", str(path)]) == 2
    assert "the number of chips is not known" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["cs336-a2-xxl", "--overlap", "both"], "unknown overlap 'both'; known: max, sum"),
        (["cs336-a2-xxl", "--axes", "free"], "unknown axes 'free'"),
        (["cs336-a2-xxl", "--axes", "optimal", "--scheme", "dp"], "scheme 'dp' is not X times Y"),
        (["cs336-a2-xxl", "--chips", "60"], "X = 16 times Y = 4 is 64 chips, not 60"),
        (["cs336-a2-xxl", "--set", "M_X=0"], "M_X = 0 is not allowed"),
        (["llama-3.1-8b"], 'around a config.json in a study of your own, with [model] config = "config.json"'),
        (["cs336-a2-xxl", "--device", "h100-80gb"], "names a memory, and comms asks about rates"),
    ],
)
def test_bad_input_is_one_line(capsys, arguments, said):
    assert main(["comms", *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err
    assert shown.err.count("\n") == 1
