"""Problem sets on the command line: sheet, variant, key, and a claim about a variant."""

from __future__ import annotations


def test_sheet_key_and_variant_are_written(run, tmp_path):
    assert run("homework", "set-states", "--sheet", "--variant", "2", "-o", "s.tex", "-o", "s.html").status == 0
    assert "variant 2" in (tmp_path / "s.tex").read_text(encoding="utf-8")
    done = run("homework", "set-states", "--key", "-o", "key.csv", "-o", "key.md")
    assert done.status == 0 and "wrote key.csv" in done.err and not done.out
    assert (tmp_path / "key.csv").read_text(encoding="utf-8").startswith("variant,sets,question,value")
    assert "Variant 6" in (tmp_path / "key.md").read_text(encoding="utf-8")


def test_a_claim_is_checked_against_the_variant(run):
    assert "right" in run("check", "set-states", "--variant", "1", "--claim", "devices=3").out
    wrong = run("check", "set-states", "--variant", "2", "--claim", "devices=3", "--fail-if-wrong")
    assert wrong.status == 1


def test_what_cannot_be_is_one_line(refused):
    assert "has no variant 7; give a number from 1 to 6" in refused("homework", "set-states", "--variant", "7")
    assert "two documents" in refused("homework", "set-states", "--sheet", "--key")
    assert "has no variants" in refused("solve", "cs336-a2-xxl", "--variant", "1")
