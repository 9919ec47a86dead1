"""A sweep says where sizes are known of what its column ``fits`` does not count."""

import json

import pytest

from symbolic_mem.cli.main import main
from symbolic_mem.sweeps.sweep import sweep


def sized(capsys, *given):
    """How many sizes `solve` lists beside the padding of rows and, where a step has instants, what a kernel holds inside a block."""
    assert main(["solve", "llama-3.1-8b", *given, "--set", "n_fsdp=4", "--set", "B=1", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["not_counted"]
    words = ("row padding", *([] if "zero-2" in given else ["FlashAttention"]))
    return sum(one["bytes"] is not None and not any(word in one["what"] for word in words) for one in listed)


@pytest.mark.parametrize("plan", ["zero-2", "zero-1", "fsdp2"])
def test_a_sweep_says_that_solve_weighs_sizes_where_there_are_some(capsys, plan):
    number = sized(capsys, "--plan", plan)
    said = sweep("llama-3.1-8b", B=[1, 2], plan=[plan]).beside
    assert ["fits is by what is counted; solve weighs known sizes" in one for one in said] == [True] * bool(number)


def test_it_is_said_of_the_choices_of_which_it_is_true_in_every_face(capsys, tmp_path):
    call = ["sweep", "llama-3.1-8b", "--vary", "B=1,2", "--vary", "plan=fsdp2,zero-2"]
    said = "With plan zero-2: fits is by what is counted"
    for more in ([], ["--json"], ["-o", str(tmp_path / "rows.csv")]):
        assert main([*call, *more]) == 0
        assert said in capsys.readouterr().out
    assert main([*call, "--column", "peak"]) == 0
    assert "fits is by" not in capsys.readouterr().out
