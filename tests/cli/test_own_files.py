"""Plans and recipes of a caller's own files, named in a study; a loss in parts, where the tokens are asked for."""

import json

import pytest

STUDY = """
title = "small"
[model]
kind = "gated-ffn"
residual = true
[values]
d_model = 64
d_ff = 128
L = 4
B = 1
S = 16
n_fsdp = 2
"""
PLANS = '[ours]\ntitle = "our plan"\nsource = "us"\ndivided = ["weights", "gradients", "optimizer"]\n'
RECIPES = '[mine]\ntitle = "our recipe"\nsource = "us"\npreset = "pure-bf16"\n'


@pytest.fixture
def files(tmp_path):
    written = {"plans": PLANS, "recipes": RECIPES, "study": STUDY}
    for name, text in written.items():
        (tmp_path / f"{name}.toml").write_text(text)
    named = STUDY + '[recipe]\npreset = "mine"\n[plan]\npreset = "ours"\n'
    (tmp_path / "named.toml").write_text(named)
    return {name: str(tmp_path / f"{name}.toml") for name in (*written, "named")}


def test_a_study_names_a_plan_and_a_recipe_of_the_callers_files(run, files):
    own = ("--plans", files["plans"], "--recipes", files["recipes"])
    named = json.loads(run("account", files["named"], *own, "--json").out)
    chosen = json.loads(run("account", files["study"], *own, "--plan", "ours", "--recipe", "mine", "--json").out)
    for key in ("recipe", "terms", "per_device"):
        assert named[key] == chosen[key]
    assert named["recipe"] == "mine" and named["per_device"]["degrees"] == {"n_fsdp": 2}


def test_without_the_files_their_names_are_not_known(run, files):
    done = run("account", files["named"], "--plans", files["plans"])
    assert done.status == 2 and "unknown recipe 'mine'" in done.err


def test_a_file_of_which_neither_study_nor_caller_names_anything_is_refused(run, files):
    done = run("account", "llama-3.1-8b", "--plans", files["plans"])
    assert done.status == 2 and "none of them is asked for" in done.err


def test_a_degree_of_the_file_is_that_of_a_plan_that_is_given(run, files):
    assert "n_fsdp = 2" in run("account", files["study"], "--plan", "fsdp2").out
    refused = run("account", files["study"])
    assert refused.status == 2 and "nothing in this study reads n_fsdp" in refused.err


@pytest.mark.parametrize(("symbol", "parts", "of"), [("B", 3, 3), ("S", 6, 3)])
def test_a_loss_in_parts_cuts_the_tokens_that_are_asked_for(run, symbol, parts, of):
    """The study has a batch of 2 and 4096 tokens, which three parts do not divide."""
    options = ("--set", "n_fsdp=64", "--recompute", "full", "--loss", f"chunked:{parts}", "--json")
    found = json.loads(run("solve", "llama-3.1-8b", "--for", symbol, *options).out)
    assert found["value"] > 0 and found["value"] % of == 0
    assert run("solve", "llama-3.1-8b", *options).status == 2
