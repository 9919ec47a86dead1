import pytest

from symbolic_mem.cli.main import main

STUDY = """
title = "every second block"
[model]
kind = "ffn"
[values]
d_model = 16384
d_ff = 53248
L = 126
B = 128
S = 1024
[recipe]
optimizer = "adafactor"
recompute = { every = 2 }
[[question]]
label = "a"
ask = "device_count"
device = "tpu-v5p"
reading = "binary"
"""


@pytest.fixture
def written(tmp_path, capsys) -> str:
    study = tmp_path / "study.toml"
    study.write_text(STUDY)
    assert main(["homework", str(study), "--detail", "full"]) in (0, None)
    return capsys.readouterr().out


def test_the_homework_of_a_recomputed_stack_counts_what_the_engines_keep(written):
    assert "1\\,420\\,560\\,433\\,152" in written  # PyTorch 2.13 and JAX 0.10.2: 1323 GiB
    assert "1323" in written


def test_it_says_what_is_recomputed_and_no_longer_that_nothing_is(written):
    assert "Recomputation: of every 2 blocks the first is recomputed from its input." in written
    assert "Nothing is recomputed" not in written


def test_the_size_of_a_state_that_is_not_one_per_parameter_is_not_called_so(written):
    assert "averaged over the columns of a matrix, FP32: 4 bytes each" in written.replace("\n", " ")
    assert "master weights (FP32: 4 bytes for each parameter)" in written.replace("Master", "master")
