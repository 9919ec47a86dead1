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


def test_a_bad_claim_silences_no_other(run):
    done = run("check", STUDY, "--claim", "n_fsdp=46", "--claim", "speed=3", "--claim", "static=3276 GiB")
    first, second, third = done.out.strip().split("\n\n")
    assert done.status == 2
    assert "is right" in first and "is right" in third
    assert second.startswith("speed=3 could not be checked: unknown quantity 'speed'")
    assert done.err == "symbolic-mem: 1 of 3 claims could not be checked: speed=3\n"


def test_json_of_a_bad_claim_has_an_error(run):
    done = run("check", STUDY, "--claim", "speed=3", "--claim", "static=3500 GB", "--json")
    bad, good = json.loads(done.out)
    assert done.status == 2
    assert bad["claim"] == "speed=3" and "unknown quantity" in bad["error"] and "right" not in bad
    assert (good["right"], good["rounded"], good["figures"], good["quantity"]) == (True, True, 2, "static")


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        (("n_fsdp=46",), 0),
        (("n_fsdp=46", "static=3500 GB"), 0),
        (("n_fsdp=46", "n_fsdp=45"), 1),
        (("n_fsdp=45",), 1),
        (("n_fsdp=45", "speed=3"), 2),
    ],
)
def test_fail_if_wrong(run, claims, status):
    given = [word for claim in claims for word in ("--claim", claim)]
    assert run("check", STUDY, *given, "--fail-if-wrong").status == status
    assert run("check", STUDY, *given).status == (2 if status == 2 else 0)


def test_a_file_of_claims_becomes_a_table_and_a_file_of_verdicts(run, tmp_path):
    (tmp_path / "claims.csv").write_text("name,claim\nAnn,n_fsdp=46\nBo,static=3276 GB\nBo,speed=3\n")
    done = run("check", STUDY, "--claims", str(tmp_path / "claims.csv"), "-o", str(tmp_path / "verdicts.csv"))
    assert done.status == 2
    head, _, ann, bo, bad, _, last = done.out.rstrip().split("\n")
    assert head.split() == ["person", "claim", "question", "verdict", "it", "is", "why"]
    assert ann.startswith("Ann") and " right " in ann and ann.endswith("exactly")
    assert " WRONG " in bo and bo.endswith("GiB printed as GB")
    assert " not read " in bad and last == "1 of 3 right"
    header, *rows = (tmp_path / "verdicts.csv").read_text().splitlines()
    assert header.startswith("person,claim,question,verdict,figures") and len(rows) == 3


def test_files_of_claims_that_cannot_be_are_refused(refused, tmp_path):
    assert "there is no such file" in refused("check", STUDY, "--claims", str(tmp_path / "none.csv"))
    assert "name a file that ends in .csv" in refused("check", STUDY, "--claim", "n_fsdp=46", "-o", "verdicts.txt")
    assert "there is no folder" in refused("check", STUDY, "--claim", "n_fsdp=46", "-o", str(tmp_path / "a" / "v.csv"))


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        ("n_fsdp=92", "(2 times the truth)"),
        ("n_fsdp=4600", "(100 times the truth)"),
        ("n_fsdp=80", "(≈ +74 %)"),
        ("n_fsdp=30", "(≈ -35 %)"),
        ("n_fsdp=5", "(the truth is 9.2 times the claim)"),
        ("P=219848638465", "(≈ +0.00000000045 %)"),
        ("P=2198486384640000", "(10,000 times the truth)"),
        ("static=1 B", "(the truth is about 3,500,000,000,000 times the claim)"),
        ("n_fsdp=0", "so the claim is 46 too few."),
        ("n_fsdp=-4", "(of the other sign)"),
    ],
)
def test_how_far_off_is_said_in_numbers_that_a_person_reads(run, claim, said):
    out = run("check", STUDY, "--claim", claim).out
    assert said in out and "e+" not in out and "e-" not in out
