"""A solution that is handed in: one question of it, under a name, for a course, with a date as it was given."""

from __future__ import annotations

import json

import pytest


def test_one_question_alone_is_derived_whole(run):
    alone = json.loads(run("homework", "cs336-a2-xxl", "--question", "b", "--json").out)
    assert [question["question"] for question in alone["questions"]] == ["b"]
    assert any(
        "P" in line and "219,848,638,464" in line
        for s in alone["sections"]
        for b in s["blocks"]
        for line in b.get("lines", ())
    )
    both = json.loads(run("report", "cs336-a2-xxl", "--question", "c", "--question", "b", "--json").out)
    assert [question["question"] for question in both["questions"]] == ["b", "c"]
    assert run("homework", "cs336-a2-xxl", "--question", "x").status == 2


NAMED = ("--author", "Å. Student & Co", "--course", "CS336", "--date", "2026-11-26")


@pytest.mark.parametrize("ending", ["tex", "html", "md"])
def test_the_title_block_has_what_was_given_and_nothing_else(run, tmp_path, ending):
    assert run("homework", "cs336-a2-xxl", *NAMED, "-o", f"x.{ending}").status == 0
    named = (tmp_path / f"x.{ending}").read_text(encoding="utf-8")
    assert all(words in named for words in ("Å. Student", "CS336", "2026"))
    run("homework", "cs336-a2-xxl", "-o", f"y.{ending}")
    assert "Student" not in (tmp_path / f"y.{ending}").read_text(encoding="utf-8")


def test_a_study_file_has_a_title_block(run, tmp_path):
    text = 'title = "T"\nauthor = "A. Student"\ndate = 2026-11-26\n[model]\nkind = "parameters"\n[values]\nPsi = 8\n'
    (tmp_path / "s.toml").write_text(text, encoding="utf-8")
    assert "A. Student\n\n2026-11-26\n" in run("report", "s.toml").out
    assert "B. Else\n\n2026-11-26\n" in run("report", "s.toml", "--author", "B. Else").out
    done = run("report", "s.toml", "--author", "a\nb")
    assert done.status == 2 and done.err.startswith("symbolic-mem: author holds a line break")


def test_an_account_of_a_file_read_as_another_family_says_on_what_it_rests_and_what_it_ignores(run, tmp_path):
    fields = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
    (tmp_path / "c.json").write_text(json.dumps({"model_type": "new", "vocab_size": 100, "gate": 3, **fields}))
    (tmp_path / "q.json").write_text(
        json.dumps({"model_type": "llama", "quantization_config": {"quant_method": "new"}, **fields})
    )
    assert "assumed      Its quantisation 'new' is not known, so the bytes" in run("account", "q.json").out
    said = run("account", "c.json", "--like", "llama").out
    assert "assumed      The file is read as LlamaForCausalLM because --like llama says so: every count rests" in said
    assert "assumed      Ignored, as that family does not have them: gate.\n" in said
