"""What an answer says can be claimed in its own words: rows of its tables, sums, shares, what stays free, the run as it is given."""

import pytest

from symbolic_mem.claims.check import check
from symbolic_mem.library.read import load_study

CLAIMS = [
    ("cs336-a2-xxl", None, "AdamW moments = 1638 GiB", "master weights = 830 GiB"),
    ("cs336-a2-xxl", None, "weights and gradients = 1638 GiB", "weights + gradients = 1700 GiB"),
    ("cs336-a2-xxl", None, "weights and gradients = 8 P", "weights and gradients = 12 P"),
    ("cs336-a2-xxl", None, "NFSDP = 46", "NFSDP = 47"),
    ("cs336-a2-xxl", None, "num_layers = 126", "number of layers = 125"),
    ("cs336-a2-xxl", None, "free = 0.5 GiB", "headroom = 0.6 GiB"),
    ("cs336-a2-xxl", None, "11,626 tokens per device", "T = 11627"),
    ("cs336-a2-xxl", None, "T = 131072", "T = 131073"),
    ("cs336-a1-adamw", "b", "maximum batch size = 2", "largest batch size = 3"),
    ("cs336-a1-transformer", None, "66.9 %", "share_mlp = 67.8 %"),
    ("cs336-a1-transformer", None, "feed-forward layers, share = 49.75 %", "feed-forward layers = 3.03 TFLOP"),
    ("cs336-a1-transformer", "e", "33.1 times", None),
    ("cluster-llama-3.1-70b-64-h100", "a", "64 devices", None),
    ("cluster-llama-3.1-70b-64-h100", "a", "59.696 GiB", None),
    ("cluster-llama-3.1-70b-64-h100", "a", "32.645 GiB", None),
    ("cluster-gpt-3-175b", "a", "80 GiB", None),
    ("headroom", "a", "8 devices", None),
    ("deepseek-v3", "a", "13.641 GiB", "activations and buffers = 13.65 GiB"),
    ("korthikanti", "engine", "180.12 GiB", "less = 180.2 GiB"),
]


@pytest.mark.parametrize(("name", "label", "said", "near"), CLAIMS, ids=[f"{row[0]}: {row[2]}" for row in CLAIMS])
def test_what_is_printed_is_right_and_its_neighbour_wrong(name, label, said, near):
    study = load_study(name)
    assert check(study, said, question=label).right
    assert near is None or not check(study, near, question=label).right


def test_a_number_of_the_run_that_is_given_is_told_from_the_smallest():
    study = load_study("cluster-llama-3.1-70b-64-h100")
    given, found = (check(study, f"devices = {number}", question="a") for number in (64, 32))
    assert (given.claimed.given, found.claimed.given) == (True, False)
    assert (given.expected, found.expected) == (64, 32)
