"""One dtype policy: recipe, engine profile and what the text says agree, or their pair is refused with both named."""

from __future__ import annotations

import itertools
import re

import pytest
import sympy as sp

from symbolic_mem.accounts.account import account
from symbolic_mem.accounts.left_out import left_out
from symbolic_mem.accounts.tensor_gaps import saved_tensors
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import evaluate
from symbolic_mem.documents.documents import homework, report
from symbolic_mem.library.read import load_study
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.notes import WHEN, notes
from symbolic_mem.models.profile import PRECISIONS, profile, profiles
from symbolic_mem.recipes.read import presets, recipe
from symbolic_mem.render.document import render

LLAMA = load_study("llama-3.1-8b")
SAID = "What is kept for the backward pass: "


def kept_of(study) -> str:
    (line,) = (said for said in study.model.said if said.startswith(SAID))
    return line.removeprefix(SAID).removesuffix(".")


def test_every_precision_has_words_and_every_recipe_and_profile_has_a_precision():
    assert {how.precision for how in profiles().values()} == set(PRECISIONS)
    assert {one for preset in presets().values() for one in preset.precisions} == set(PRECISIONS)


TRAINING = [name for name, preset in presets().items() if preset.trains]


@pytest.mark.parametrize("name", TRAINING)
def test_a_recipe_brings_the_profile_of_its_precision(name):
    study = LLAMA.change(recipe=name)
    how = profile(study.built.profile)
    assert how.precision == recipe(name).precisions[0] and how.engine == "torch-cuda"
    assert kept_of(study) == how.title


@pytest.mark.parametrize(("name", "engine"), list(itertools.product(TRAINING, profiles())))
def test_a_pair_agrees_or_is_refused_with_both_named(name, engine):
    if profile(engine).precision in recipe(name).precisions:
        assert kept_of(LLAMA.change(recipe=name, profile=engine)) == profile(engine).title
    else:
        with pytest.raises(BadInput) as refused:
            LLAMA.change(recipe=name, profile=engine)
        message = str(refused.value)
        assert repr(name) in message and repr(engine) in message and "\n" not in message
        remedies = message.partition("choose profile ")[2].partition(" or recipe ")[0].split(", ")
        assert remedies and all(profile(one).precision in recipe(name).precisions for one in remedies)


def test_inference_has_no_use_for_a_loss():
    with pytest.raises(BadInput, match="recipe 'inference' is one of inference, which keeps nothing for a backward"):
        LLAMA.change(recipe="inference", loss="fused")


def test_the_last_word_counts_where_a_caller_says_one_after_the_other():
    assert LLAMA.change(recipe="fp32").change(recipe="autocast").built.profile == "torch-cuda-autocast"
    with pytest.raises(BadInput, match="recipe 'fp32' trains in FP32"):
        LLAMA.change(recipe="fp32").change(profile="torch-cuda-bf16")


def test_autocast_keeps_what_autocast_keeps():
    # Llama 3.1 8B, 2 x 4096 tokens: 57.094 GiB, measured row by row for torch-cuda-autocast
    memory = LLAMA.change(recipe="autocast").memory.of("activations")
    assert evaluate(memory.total, LLAMA.values) == 61_303_980_804


def test_a_kernel_stays_when_a_recipe_brings_a_profile():
    assert LLAMA.change(recipe="autocast", kernel="eager").built.kernel == "eager"


def test_an_engine_without_that_precision_is_refused():
    with pytest.raises(BadInput, match="recipe 'fp32' trains in FP32, and profile 'hf-cuda-bf16' is that of 16 bits"):
        load_study("gpt2-xl").change(recipe="fp32")


@pytest.fixture
def written(tmp_path):
    def write(model: str, recipe_table: str):
        path = tmp_path / "s.toml"
        path.write_text(
            f'title = "t"\n[model]\nkind = "transformer"\n{model}\n[values]\nL = 2\nd_model = 64\nd_ff = 128\n'
            f"n_heads = 4\nn_kv = 2\nd_head = 16\nV = 99\nB = 2\nS = 32\n[recipe]\n{recipe_table}\n"
        )
        return load_study(str(path))

    return write


def test_a_file_is_held_to_the_same_policy(written):
    assert written("", 'preset = "fp32"').built.profile == "torch-cuda-fp32"
    assert written("", 'preset = "cs336"\nactivations = 4').built.profile == "torch-cuda-fp32"
    with pytest.raises(
        BadInput, match=r"s\.toml \[recipe\]: recipe 'fp32' trains in FP32, and profile 'torch-cuda-bf16'"
    ):
        written('profile = "torch-cuda-bf16"', 'preset = "fp32"')
    with pytest.raises(BadInput, match="recipe 'cs336' with 1 bytes for each activation has a precision of its own"):
        written("", "activations = 1")


def test_copies_of_the_weights_that_are_counted_are_not_said_to_be_left_out(written):
    def left(profile: str) -> str:
        study = written(f'profile = "{profile}"', 'preset = "cs336"')
        return " ".join(one.words for one in left_out(study.built, study.recipe, study.placement))

    assert "working copy of the weights" in left("torch-cuda-bf16")
    assert "working copy of the weights" not in left("torch-cuda-autocast")


# FP8: what DeepSeek-V3 (arXiv:2412.19437, section 3.3) quantises, tensor by tensor


def in_fp8(name: str) -> dict[str, set[str]]:
    """The tensors of every layer that FP8 keeps in another width than BF16 does, by that width."""
    study = load_study(name)
    before, after = (saved_tensors(study.model, recipe(each)) for each in ("pure-bf16", "fp8"))
    found: dict[str, set[str]] = {}
    for key, one in after.items():
        if one.size != before[key].size:
            found.setdefault(str(one.size), set()).add(" ".join(key))
    return found


def test_fp8_quantises_the_inputs_of_linear_layers_and_nothing_else():
    assert in_fp8("llama-3.1-8b") == {
        "33/32": {"attention input", "MLP input", "MLP product"},
        "49/32": {"attention out"},
    }
    deepseek = in_fp8("deepseek-v3")
    assert deepseek == {
        "33/32": {
            "attention input",
            "attention narrow query input",
            "attention narrow key-value input",
            "MLP input",
            "MLP product",
            "mixture of experts input",
            "mixture of experts product",
        },
        "49/32": {"attention out"},
    }


def test_fp8_leaves_embedding_head_norms_and_routers_as_they_are():
    # Llama 3.1 8B: 32 blocks of 4096 x (4096 + 1024 + 1024 + 4096) and 3 x 4096 x 14336 weights, 128 x 128 to a scale
    memory = account(LLAMA.model, recipe("fp8"))
    matrices = 32 * (4096 * (4096 + 1024 + 1024 + 4096) + 3 * 4096 * 14336)
    terms = {term.name: evaluate(term.bytes, LLAMA.values) for term in memory.of("weights")}
    assert terms == {
        "FP8 weights": matrices,
        "scales of the FP8 weights": 4 * matrices // 128**2,
        "BF16 weights": 2 * (8_030_261_248 - matrices),
    }
    deepseek = load_study("deepseek-v3")
    routers, embeddings = 58 * 256 * 7168, 2 * 129_280 * 7168
    norms = 61 * (2 * 7168 + 1536 + 512) + 7168
    (others,) = (term for term in account(deepseek.model, recipe("fp8")) if term.name == "BF16 weights")
    assert evaluate(others.bytes, deepseek.values) == 2 * (routers + embeddings + norms)


def test_fp8_of_a_model_without_shapes_is_refused():
    study = load_study("scaling-book-chips").change(recipe="fp8")
    with pytest.raises(BadInput, match=r"recipe 'fp8' keeps the matrices of the blocks .* shapes are not given"):
        study.memory  # noqa: B018


@pytest.mark.parametrize("document", [homework, report])
def test_a_document_says_what_counts_where_its_text_says_otherwise(document):
    said = "The caller has set: recipe fp8. Where the text says otherwise, this counts."
    assert said in render(document(LLAMA.change(recipe="fp8")), document.__name__, "md").decode()
    assert "The caller has set" not in render(document(LLAMA), document.__name__, "md").decode()


# assumptions of a profile are said of the models to which they apply


def test_every_condition_of_a_note_is_known():
    assert {note.when for how in profiles().values() for note in how.assumptions if note.when} == set(WHEN)


def said(name: str, **facts: object) -> str:
    how, _, kernel = name.partition("/")
    chosen = profile(how, kernel=kernel) if kernel else profile(how)
    return " ".join(notes(Architecture(**facts), chosen))  # ty: ignore[invalid-argument-type]


def test_notes_are_said_only_where_they_apply():
    assert "RMSNorm is written out" in said("hf-cuda-bf16")
    assert "RMSNorm" not in said("hf-cuda-bf16", norm="layer")
    assert "repeated for every query head" in said("hf-cuda-bf16")
    assert "repeated for every query head" not in said("hf-cuda-bf16", n_kv=Architecture().n_heads)
    assert "kernel flash_gqa counts" in said("hf-cuda-bf16/flash")
    assert not any("repeated" in said(f"hf-cuda-bf16/{kernel}") for kernel in ("flash_gqa", "cudnn"))
    assert "beside a mask" in said("hf-cuda-bf16/flash") and "beside a mask" not in said("hf-cuda-bf16/eager")
    assert "two sequences or more" in said("torch-cuda-bf16/eager")
    assert "two sequences or more" not in said("torch-cuda-bf16/flash")
    assert "dropout mask" in said("torch-cpu-bf16", residual_dropout=sp.Rational(1, 10))
    assert "dropout" not in said("torch-cpu-bf16").lower()
    assert "GELU" in said("korthikanti", activation="gelu_new")
    assert "GELU" not in said("korthikanti", activation="silu")


def test_gpt2_is_not_said_to_have_rmsnorm_or_grouped_keys():
    text = " ".join(load_study("gpt2-xl").model.said)
    assert "RMSNorm" not in text and "repeated" not in text


@pytest.mark.parametrize("model", ["mixtral-8x7b", "deepseek-v3"])
def test_a_profile_that_cannot_count_a_model_is_told_with_recipes_and_profiles_that_can(model):
    study = load_study(model)
    with pytest.raises(BadInput, match="does not say what 'router' keeps") as refused:
        study.change(recipe="autocast")
    said = str(refused.value)
    assert "did you mean" not in said
    profiles_named = re.findall(r"[\w-]+", said.partition("; the profiles ")[2].partition(" do; ")[0].replace(",", ""))
    recipes_named = said.partition("; choose recipe ")[2].split(", ")
    assert {"fsdp2", "fp32"} <= set(recipes_named) and "autocast" not in recipes_named
    for name in recipes_named:
        assert study.change(recipe=name).built.profile in profiles_named
