"""`compare`: the terms that explain a gap, with the arithmetic done by hand beside them."""

from __future__ import annotations

import json

import pytest

P = 2 * 126 * 16384 * 53248  # parameters of the homework's stack


@pytest.fixture
def gap(run):
    """Give `gap(study, *options)`: the JSON object of a comparison."""

    def call(*arguments: str) -> dict:
        done = run("compare", *arguments, "--json")
        assert done.status == 0, done
        return json.loads(done.out)

    return call


def test_two_recipes_differ_in_the_bytes_of_their_states(gap):
    # cs336 keeps 4 + 4 + 8 bytes, megatron-18 keeps 2 + 4 + 4 + 8
    found = gap("cs336-a2-xxl", "--recipe", "cs336", "--recipe", "megatron-18")
    assert {term["term"]: term["bytes"] for term in found["gaps"]} == {
        "master weights / BF16 weights": -2 * P,
        "FP32 master weights": 4 * P,
    }
    assert [(term["first_bytes"] // P, term["second_bytes"] // P) for term in found["gaps"]] == [(4, 2), (0, 4)]
    assert found["difference_bytes"] == 2 * P
    assert found["second"]["bytes"] - found["first"]["bytes"] == 2 * P
    assert found["difference_formula"] == "4*L*d_ff*d_model"
    assert not found["per_device"] and found["missing"] == []


def test_recomputing_every_second_layer_saves_819_gib_in_two_terms(gap):
    # 2142 GiB of activations against 1323: a block that is recomputed still keeps its input
    found = gap("cs336-a2-xxl", "--recompute", "every=2")
    assert [term["bytes"] for term in found["gaps"]] == [-1071 * 2**30, 252 * 2**30]
    assert found["difference_bytes"] == -819 * 2**30
    assert [(t["layer"], t["tensor"], t["bytes"] // 2**30) for t in found["tensors"]] == [
        ("feed-forward block", "x", -252),
        ("feed-forward block", "h", -819),
        ("recomputed feed-forward block", "x", 252),
    ]


def test_hugging_face_norms_keep_fp32_copies_and_repeat_keys(gap):
    # Llama 3.1 8B, 2 x 4096 tokens: each of 64 norms keeps 2 + 2 more bytes per element in FP32 and normalised copies,
    # and keys and values are repeated from 8 to 32 heads of 128
    found = gap("llama-3.1-8b", "--profile", "torch-cuda-bf16", "--profile", "hf-cuda-bf16")
    tensors = {(t["layer"], t["tensor"]): t["bytes"] for t in found["tensors"]}
    assert tensors["attention norm", "input"] == tensors["attention norm", "normalised"] == 32 * 2 * 8192 * 4096
    assert tensors["attention", "k"] == tensors["attention", "v"] == 32 * 2 * 8192 * (32 - 8) * 128
    assert sum(tensors.values()) == found["difference_bytes"] == sum(term["bytes"] for term in found["gaps"])


def test_placements_are_compared_on_one_device(gap):
    # half of 2142 GiB over 46 devices is dropped in the first
    halves = ("--place", "activations=1/2", "--place", "activations=1")
    found = gap("cs336-a2-xxl", "--set", "n_fsdp=46", *halves)
    assert found["per_device"]
    assert found["difference_bytes"] == pytest.approx(1071 * 2**30 / 46)
    unknown = gap("cs336-a2-xxl", *halves)
    assert unknown["difference_bytes"] is None and unknown["missing"] == ["n_fsdp"]
    assert unknown["difference_formula"] == "B*L*S*(d_ff + d_model)/n_fsdp"


def test_one_option_is_compared_with_the_study_as_it_stands(run):
    done = run("compare", "llama-3.1-8b", "--optimizer", "lion")
    assert done.status == 0
    # Lion keeps one FP32 momentum where AdamW keeps two: 4 bytes less for each of 8,030,261,248 parameters
    assert "-32,121,044,992" in done.out
    assert "the study as it stands" in done.out
    assert done.out.rstrip().splitlines()[-1].startswith("Optimizer lion needs ≈ 29.915 GiB less")


def test_what_is_given_once_holds_for_both_sides_where_something_is_given_twice(gap):
    # dropping the rest on both sides, half of 2142 GiB over 46 devices against all of it
    found = gap(
        "cs336-a2-xxl",
        "--set",
        "n_fsdp=46",
        "--rest",
        "dropped",
        "--place",
        "activations=1/2",
        "--place",
        "activations=1",
    )
    assert [found[side]["name"] for side in ("first", "second")] == [
        "placement activations 1/2",
        "placement activations 1",
    ]
    assert found["difference_bytes"] == pytest.approx(1071 * 2**30 / 46)
    recipes = gap("cs336-a2-xxl", "--optimizer", "lion", "--recipe", "cs336", "--recipe", "megatron-18")
    assert recipes["difference_bytes"] == 2 * P  # one momentum of 4 bytes on both sides
    assert recipes["first"]["bytes"] == gap("cs336-a2-xxl", "--optimizer", "lion")["second"]["bytes"]


def test_what_is_given_once_is_the_second_sides_alone_where_nothing_is_given_twice(gap):
    found = gap("cs336-a2-xxl", "--recipe", "megatron-18", "--recompute", "full")
    assert found["first"]["name"].startswith("the study as it stands")
    assert found["second"]["name"].startswith("recipe megatron-18 and recomputation")


def test_nothing_differs(run):
    done = run("compare", "cs336-a2-xxl", "--recipe", "cs336")
    assert done.status == 0 and "Nothing differs" in done.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "nothing to compare; give one of recipe"),
        (("--recipe", "cs336") * 3, "--recipe is given 3 times"),
        (("--profile", "hf-cuda"), "--profile: unknown profile 'hf-cuda'; did you mean 'hf-cuda-bf16'"),
        (("--recipe", "nope"), "unknown recipe 'nope'"),
        (("--optimizer", "adamww"), "unknown optimizer 'adamww'; did you mean 'adamw'"),
        (("--recompute", "every"), "every counts blocks; write for example every=2"),
        (("--recompute", "block:0=2"), "unknown recomputation 'block:0=2'; did you mean 'block'"),
        (("--recompute", "every=0"), "give a whole number of at least 1"),
        (("--profile", "hf-cuda-bf16"), "not built from a profile"),
        (("--place", "activations"), "is not a pair"),
        (("--place", "activation=1/2"), "unknown kind 'activation' of memory; did you mean 'activations'"),
        (("--rest", "lost"), "unknown 'lost'"),
    ],
)
def test_what_cannot_be_compared_is_one_line(refused, options, said):
    assert said in refused("compare", "cs336-a2-xxl", *options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--set", "n_kv=5"), "n_kv = 5 does not divide n_heads = 32"),
        (("--set", "L=-1"), "L = -1 is not allowed"),
        (("--profile", "hf-cuda"), "unknown profile 'hf-cuda'; did you mean 'hf-cuda-bf16'"),
        (("--kernel", "flsh"), "has no attention kernel"),
        (("--recompute", "groups=x"), "groups counts blocks"),
    ],
)
def test_bad_options_of_a_model_are_one_line(refused, options, said):
    assert said in refused("account", "llama-3.1-8b", *options)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ('config = "nowhere.json"', "nowhere.json: there is no such file"),
        ('kind = "transformer"\nprofile = "tf"', "unknown profile 'tf'"),
        ('kind = "transformer"\nkernel = "slow"', "no attention kernel 'slow'"),
        ('kind = "transformer"\nnorms = "rms"', "unknown key 'norms'; did you mean 'norm'"),
        ('kind = "transformer"\nnorm = "batch"', "the norm is 'batch'"),
        ('kind = "transformer"\nlayers = -2', "layers = -2 is not allowed"),
        ('kind = "transformer"\nd_ff = "4*width"', "unknown"),
        ('kind = "transformer"\ngated = 1', "gated must be true or false"),
        ('kind = "transformer"\nattention_dropout = 1.5', "is a probability"),
        ('kind = "transformer"\nexperts = { number = 8 }', "unknown key 'number'"),
        ('kind = "transformer"\nexperts = true', "k = 9 is more than E = 8"),
        ('kind = "transformer"\nd_head = "d_model/n_heads"', "d_head = d_model/n_heads is 64/3, not a whole number"),
        ('kind = "transformer"', "n_kv = 2 does not divide n_heads = 3"),
        ('kind = "ffn"\nnorm = "rms"', "has no norm; remove it"),
        ('kind = "ffn"\nconfig = "x.json"', "has no config; remove it"),
        ('kind = "rnn"', "unknown kind 'rnn' of model"),
    ],
)
def test_bad_models_of_a_study_are_one_line(refused, tmp_path, model, said):
    values = "[values]\nd_model = 64\nn_heads = 3\nn_kv = 2\nE = 8\nk = 9\n"
    if "n_kv" not in said:
        values = values.replace("n_kv = 2", "n_kv = 1")
    (tmp_path / "my.toml").write_text(f'title = "x"\n[model]\n{model}\n{values}')
    assert said in refused("account", "my.toml")


def test_the_document_of_a_comparison(run, tmp_path):
    (tmp_path / "my.toml").write_text(
        'title = "x"\n[model]\nkind = "ffn"\n[values]\nd_model = 2\nd_ff = 3\nL = 5\nB = 7\nS = 11\n'
        '[[question]]\nask = "compare"\nrecipe = ["zero-16", "megatron-18"]\n'
    )
    done = run("homework", "my.toml", "--json")
    assert done.status == 0, done
    (answer,) = json.loads(done.out)["answers"]
    assert "Recipe megatron-18 needs" in answer and "bytes per element: 2 → 4" in answer
    # 2 bytes more for each of 2 * 5 * 2 * 3 parameters
    assert json.loads(done.out)["questions"][0]["difference_bytes"] == 120


def test_terms_of_another_form_and_the_same_bytes_are_no_difference_at_these_values(run):
    """Caches in pages of 16 tokens are those of single tokens where 16 divides the length."""
    for length, said in (
        (4096, "needs as much as recipe vllm at these values, term by term"),
        (4097, "less than recipe vllm"),
    ):
        done = run("compare", "llama-3.1-8b", "--recipe", "vllm", "--recipe", "inference", "--set", f"S={length}")
        assert done.out.startswith("llama-3.1-8b: the memory of inference")
        assert said in done.out and ("The terms that differ" in done.out) == (length % 16 != 0)
