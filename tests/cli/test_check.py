"""`check` on the command line: one paragraph for a claim, a JSON list, exit status 0 for every answer."""

from __future__ import annotations

import json

import pytest

STUDY = "cs336-a2-xxl"


def test_right_claims(run):
    done = run("check", STUDY, "--claim", "n_fsdp=46", "--claim", "static=3276 GiB", "--claim", "static=3.52 TB")
    assert (done.status, done.err) == (0, "")
    first, second, third = done.out.strip().split("\n\n")
    assert first.endswith("is right: it is the exact number, and what is kept fits there.")
    assert second.endswith("is right: it is the exact number.")
    assert "is right to three figures: the exact number is ≈ 3.51758 TB" in third


def test_a_wrong_claim_is_an_answer_with_its_slip(run):
    done = run("check", STUDY, "--claim", "static=3276 GB")
    assert done.status == 0
    assert "wrong" in done.out and "too little" in done.out and "“GiB printed as GB”" in done.out


def test_no_slip_is_said_plainly(run):
    done = run("check", STUDY, "--claim", "parameters=123456789")
    assert done.status == 0 and "No known slip" in done.out


def test_json_is_a_list(run):
    done = run("check", STUDY, "--claim", "n_fsdp=38", "--claim", "n_fsdp=none", "--json")
    wrong, right = json.loads(done.out)
    assert (wrong["right"], wrong["expected"], wrong["difference"]) == (False, 46, -8)
    assert all(slip["source"] for one in wrong["explanations"] for slip in one["slips"])
    assert right["right"] and right["expected"] is None


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ((), "nothing is claimed"),
        (("--claim", "static=12"), "has no unit"),
        (("--claim", "static"), "is not NAME=VALUE"),
        (("--claim", "foo=1"), "unknown quantity 'foo'"),
        (("--claim", "n_fsdp=3 GB"), "has a unit"),
        (("--claim", "n_fsdp=38", "--question", "z"), "no question 'z'"),
    ],
)
def test_what_cannot_be_checked_is_refused(refused, claims, said):
    assert said in refused("check", STUDY, *claims)
