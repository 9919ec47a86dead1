"""The instants of inference, against passes of transformers followed on the CPU: see tests/data/measure_passes.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sympy as sp

from symbolic_mem.accounts.passes import passes
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import B, S, V, d_model
from symbolic_mem.library.read import load_study
from symbolic_mem.models.build import build_model
from symbolic_mem.recipes.read import read_recipe, recipe

DATA = Path(__file__).parents[1] / "data"
MEASURED = json.loads((DATA / "passes.json").read_text(encoding="utf-8"))
LLAMA = load_study("llama-3.1-8b").change(recipe="inference", values={"B": 4, "S": 1000})


def made(instant, values):
    return instant.memory.of("activations").at(values)


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in MEASURED["cases"]])
def test_a_pass_holds_what_transformers_holds(case, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(case["config"]), encoding="utf-8")
    kernel = "flash" if case["attention"] == "sdpa" else case["attention"]
    profile = "torch-cuda-bf16" if case.get("plain") else "hf-cuda-bf16"
    built = build_model({"config": path.name, "profile": profile, "kernel": kernel}, str(path), tmp_path)
    values = {**built.values, B: MEASURED["B"], S: case["S"]}
    how = recipe("inference").with_logits("last" if case["last"] else "all")
    drawn = 4 * MEASURED["B"] * case["config"]["vocab_size"]  # of an FP32 copy, which the model does not make
    step = [one for one in passes(built, how) if one.phase == case.get("phase", "prefill")]
    held = max(made(one, values) - drawn * one.name.startswith("the logits") for one in step)
    if case.get("plain"):  # the caller of the blocks names the embedded tokens and their positions
        held += 2 * MEASURED["B"] * case["S"] * int(d_model.xreplace(values)) + 8 * case["S"]
    if "phase" not in case:
        assert held == case["bytes"]
        return
    # In a step of decoding key and value of its token are in the cache by the time of the scores, and the mask of a window has its
    # columns alone; four positions are not counted.
    a, config = built.architecture, case["config"]
    copies = 1 if a.fused_qkv else 2  # values that are a part of all three are there as long as these
    each = a.latent.d_c + a.latent.d_rope if a.latent else copies * a.n_kv * a.d_head
    token = 2 * MEASURED["B"] * int(each.xreplace(values))
    narrow = (
        2 * MEASURED["B"] * (case["S"] - config["sliding_window"]) if config["model_type"].startswith("gemma") else 0
    )
    assert held - case["bytes"] in range(token + narrow - 32, token + narrow + 1)


def test_every_weight_and_cache_is_there_at_each_instant():
    kept = LLAMA.memory
    for one in LLAMA.timeline:
        assert one.memory.of("weights", "cache").total == kept.total and one.memory.of("activations").terms


def test_logits_of_all_positions_need_as_many_rows():
    last, everywhere = (
        next(one for one in passes(LLAMA.built, how) if one.words == "the logits of prefill")
        for how in (LLAMA.recipe, LLAMA.recipe.with_logits("all"))
    )
    more = everywhere.memory.total - last.memory.total
    assert (more - 2 * B * V * (S - 1)).expand() == 0


@pytest.mark.parametrize("tokens", [1, 512, 8192])
def test_a_pass_over_a_chunk_does_not_grow_with_the_batch(tokens):
    chunk = LLAMA.recipe.with_prefill(tokens)
    block = [one for one in passes(LLAMA.built, chunk) if one.phase == "prefill" and "block" in one.words]
    assert block and not any(one.memory.of("activations").total.has(B, S) for one in block)
    whole = LLAMA.change(values={"B": 1, "S": tokens})
    there = max(made(one, whole.values) for one in whole.timeline if "prefill, in a block" in one.words)
    assert max(made(one, LLAMA.values) for one in block) == there


def test_a_decoding_step_is_a_pass_over_one_token_of_each_sequence():
    one = LLAMA.change(values={"S": 1})
    decode, prefill = (
        [made(i, s.values) for i in s.timeline if i.phase == p] for s, p in ((LLAMA, "decode"), (one, "prefill"))
    )
    assert decode == prefill


def test_the_peak_is_that_of_the_fullest_instant():
    from symbolic_mem.documents.account import Account

    account = Account(LLAMA.change(device="h100-80gb"))
    told = account.record["per_device"]
    assert told["peak_bytes"] == max(one.memory.at(LLAMA.values) for one in LLAMA.timeline)
    assert told["instant"] == "prefill, in a block, at the product of gate and up projection"
    assert [one["phase"] for one in told["instants"]] == ["prefill", "decode"]
    assert not any("activations of a pass" in one["what"] for one in account.record["not_counted"])


def test_nothing_is_dropped_out_where_nothing_is_trained():
    study = load_study("gpt2-xl").change(recipe="inference")
    assert study.built.architecture.attention_dropout != 0
    assert study.timeline and not any("dropout" in one.words for one in study.timeline)


def test_blocks_that_are_not_described_have_no_instants_and_say_so(tmp_path):
    path = tmp_path / "config.json"  # an attention with sinks
    path.write_text('{"model_type": "gpt_oss"}', encoding="utf-8")
    study = load_study(path).change(recipe="inference")
    assert study.timeline == ()
    from symbolic_mem.documents.account import Account

    assert "the activations of a pass, and the logits" in [one["what"] for one in Account(study).record["not_counted"]]


def test_tensor_parallelism_cuts_what_a_block_works_with():
    one, two = (
        load_study("llama-3.1-8b").change(recipe="vllm", plan="vllm-tp", values={"n_tp": n, "B": 1, "S": 100})
        for n in (1, 2)
    )
    fullest = [max(made(i, s.values) for i in s.timeline if "in a block" in i.words) for s in (one, two)]
    assert fullest[0] / 2 < fullest[1] < fullest[0]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"preset": "inference", "prefill": -1}, "prefill: -1 is no number of tokens"),
        ({"preset": "inference", "logits": "none"}, "logits: unknown 'none'; known: all, last"),
        ({"preset": "cs336", "logits": "all"}, "recipe 'cs336' trains, and keeps no cache"),
        ({"preset": "cs336", "prefill": 512}, "recipe 'cs336' trains, and keeps no cache"),
    ],
)
def test_keys_of_a_pass_are_checked(table, words):

    with pytest.raises(BadInput, match=words):
        read_recipe(table, "my.toml [recipe]")


def of_stages(name="llama-3.1-8b", plan="vllm-tp+pp", **values):
    study = load_study(name).change(recipe="inference", plan=plan, values={"B": 2, "S": 1000} | values)
    found = {}
    for one in study.timeline:
        kept = {kind: one.memory.of(kind).at(study.values) for kind in ("weights", "cache")}
        assert found.setdefault(one.rank, kept) == kept
    return study, found


def test_a_stage_holds_the_weights_and_the_caches_of_its_blocks():
    """Llama 3.1 8B in plain arithmetic: 32 blocks, matrices cut over two ranks, norms whole."""
    _, found = of_stages(n_tp=2, n_pp=4)
    block = (2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 14336) // 2 + 2 * 4096
    words, cache = 128256 * 4096 // 2, 2 * 2 * 2 * 1000 * 8 * 128 * 8 // 2
    first = {"weights": 2 * (8 * block + words), "cache": cache}
    last = {"weights": 2 * (8 * block + words + 4096), "cache": cache}
    assert found == {"the first stage": first, "the last stage": last} or found == {
        "the first stage": first,
        "stage 2 of 4": {"weights": 2 * 8 * block, "cache": cache},
        "the last stage": last,
    }


def test_all_stages_together_hold_the_model_once():
    study, found = of_stages(n_tp=1, n_pp=2)
    whole = {kind: study.memory.of(kind).at(study.values) for kind in ("weights", "cache")}
    assert {kind: sum(one[kind] for one in found.values()) for kind in whole} == whole


def test_logits_are_those_of_the_last_stage():
    study, _ = of_stages(n_tp=1, n_pp=2)
    assert {one.rank for one in study.timeline if "logits" in one.words} == {"the last stage"}


GEMMA = {"model_type": "gemma3_text", "hidden_size": 64, "num_hidden_layers": 6, "num_attention_heads": 4}
GEMMA |= {"num_key_value_heads": 1, "head_dim": 16, "intermediate_size": 96, "vocab_size": 100, "sliding_window": 8}
SIZES_OF_WINDOWS = """title = "Windows in some layers"
[model]
kind = "transformer"
window = true
[values]
L = 6
L_window = 5
S_window = 8
d_model = 64
d_ff = 96
n_heads = 4
n_kv = 1
d_head = 16
V = 100
B = 1
S = 64
[recipe]
preset = "inference"
[plan]
preset = "pp"
"""


def test_a_stage_has_the_windows_of_its_layers(tmp_path):
    """The last of every six layers attends to all tokens: of three and three layers the last stage has it."""
    (tmp_path / "gemma.json").write_text(json.dumps(GEMMA))
    study = load_study(str(tmp_path / "gemma.json")).change(
        recipe="inference", plan="pp", values={"n_pp": 2, "B": 3, "S": 64}, profile="hf-cuda-bf16"
    )
    each = 2 * 2 * 3 * 16  # keys and values in BF16, of three sequences and 16 numbers
    held = {one.rank: one.memory.of("cache").at(study.values) for one in study.timeline}
    assert held == {"the first stage": each * 3 * 8, "the last stage": each * (2 * 8 + 64)}
    one = study.change(values={"n_pp": 1})
    assert sum(held.values()) == one.memory.of("cache").at(one.values)


def test_layers_without_a_known_place_are_in_no_known_stage(tmp_path):
    (tmp_path / "windows.toml").write_text(SIZES_OF_WINDOWS, encoding="utf-8")
    study = load_study(str(tmp_path / "windows.toml")).change(values={"n_pp": 2})
    with pytest.raises(BadInput, match=r"is known where a config.json says the kind of each; choose a plan without pp"):
        _ = study.timeline
    (tmp_path / "gemma.json").write_text(json.dumps(GEMMA))
    fewer = load_study(str(tmp_path / "gemma.json")).change(
        recipe="inference", plan="pp", values={"n_pp": 2, "L": 4, "L_window": 2, "B": 1, "S": 64}
    )
    with pytest.raises(BadInput, match="not all layers of gemma3_text cache the same"):
        _ = fewer.timeline


def test_blocks_that_do_not_divide_are_given_out_as_vllm_does():
    """Of 32 blocks three stages have 11, 11 and 10, of two key-value tensors in BF16 each."""
    study, found = of_stages(n_pp=3)
    block = 2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 14336 + 2 * 4096
    words, cache = 128256 * 4096, 2 * 2 * 2 * 1000 * 8 * 128
    first = {"weights": 2 * (11 * block + words), "cache": 11 * cache}
    last = {"weights": 2 * (10 * block + words + 4096), "cache": 10 * cache}
    assert found == {"the first stage": first, "the last stage": last}
    with pytest.raises(BadInput, match=r"divides L = 32 .* which does not come out"):
        study.change(plan="pp")
    with pytest.raises(BadInput, match="33 stages are more than the L = 32 blocks"):
        _ = study.change(values={"n_pp": 33}).timeline


@pytest.mark.parametrize("plan", ["cp", "vllm-tp+cp", "megatron-sp"])
def test_plans_that_divide_tokens_are_refused_for_inference(plan):
    with pytest.raises(BadInput, match="what a device caches under it is not described"):
        load_study("llama-3.1-8b").change(recipe="inference", plan=plan, values={"n_tp": 2} if "tp" in plan else {})


@pytest.mark.parametrize(("page", "blocks"), [(1, -(-100_001 // 8)), (16, -(-100_001 // (16 * 8)) * 16)])
def test_ranks_that_would_cache_copies_divide_the_tokens(page, blocks):
    """DeepSeek-V3, 61 layers of 512 and 64 numbers a token: the first of eight ranks has one token, or page, more."""
    path = str(DATA / "hf_configs" / "deepseek-v3.json")
    study = load_study(path).change(
        recipe="inference", page=page, plan="vllm-tp+dcp", values={"n_tp": 16, "n_dcp": 8, "B": 3, "S": 100_001}
    )
    assert study.memory.of("cache").at(study.values) == 61 * 2 * (512 + 64) * 3 * blocks
    whole = study.change(values={"n_dcp": 1})
    assert study.memory.of("weights").at(study.values) == whole.memory.of("weights").at(whole.values)
    assert study.plan.ranks(study.values) == 16


@pytest.mark.parametrize(
    ("name", "values", "recipe", "words"),
    [
        (
            "llama-3.1-70b",
            {"n_tp": 8, "n_dcp": 2},
            "vllm",
            "n_tp = 8 of n_kv = 8 has 1; give a divisor of n_tp up to that",
        ),
        (
            "llama-3.1-70b",
            {"n_tp": 24, "n_dcp": 3},
            "vllm",
            "the query heads of each key-value head, 8; give a divisor of 8",
        ),
        ("deepseek-v3", {"n_tp": 16, "n_dcp": 3}, "vllm", "n_tp = 16 of n_kv = 1 has 16"),
        ("gemma-3-1b", {"n_tp": 4, "n_dcp": 2}, "vllm", "no sliding window and of no state, and this model has some"),
        ("llama-3.1-70b", {}, None, "training caches nothing; give --recipe inference"),
    ],
)
def test_cached_tokens_are_divided_as_vllm_can(name, values, recipe, words):
    path = DATA / "hf_configs" / f"{name}.json"
    study = load_study(str(path) if path.exists() else name)
    with pytest.raises(BadInput, match=words):
        study.change(plan="vllm-tp+dcp", values=values, **({} if recipe is None else {"recipe": recipe}))


def test_where_no_pass_is_described_a_stage_has_what_is_kept(tmp_path):
    content = {"model_type": "gpt_oss", "hidden_size": 64, "num_hidden_layers": 4, "num_attention_heads": 4}
    content |= {"num_key_value_heads": 2, "head_dim": 16, "intermediate_size": 32, "num_local_experts": 4}
    content |= {"layer_types": ["full_attention"] * 4, "vocab_size": 100}  # an attention with sinks
    (tmp_path / "oss.json").write_text(json.dumps(content))
    study = load_study(str(tmp_path / "oss.json")).change(
        recipe="inference", plan="pp", values={"n_pp": 2, "B": 2, "S": 50}
    )
    assert [one.words for one in study.timeline] == [
        "what is kept on the first stage",
        "what is kept on the last stage",
    ]
    held = [one.memory.of("cache").at(study.values) for one in study.timeline]
    assert held == [2 * 2 * 2 * 50 * 2 * 2 * 16] * 2


def decoding(name, **changed):
    study = load_study(name).change(
        recipe="inference", values={"B": 2, "S": 100, **changed.pop("values", {})}, **changed
    )
    return study, [one.memory.of("activations") for one in study.timeline if one.phase == "decode"]


def test_keys_of_all_tokens_are_made_of_a_latent_cache_by_transformers_alone():
    """DeepSeek-V3: other kernels attend with the cached vectors themselves, as section 2.1.2 of the DeepSeek-V2 paper does."""
    path = str(DATA / "hf_configs" / "deepseek-v3.json")
    _, absorbed = decoding(path, profile="torch-cuda-bf16")
    assert absorbed and not any(one.total.has(S) for one in absorbed)
    study, expanded = decoding(path, profile="hf-cuda-bf16", kernel="efficient")
    more, less = (max(one.at({**study.values, S: tokens}) for one in expanded) for tokens in (3000, 2000))
    assert more - less == 1000 * 2 * 2 * 128 * (
        128 + 64 + 128 + 128
    )  # keys, and the product that has them and the values


@pytest.mark.parametrize(
    ("name", "devices", "workspaces", "streams", "router", "rotations"),
    [
        ("mixtral-8x7b", 2, 16384 * (7168 + 14336), 4 * 4096, 2 * 8 + 2 * 8, 2 * 2 * 128),
        ("deepseek-v3", 8, 65536 * (7168 + 7168), 5 * 7168, 2 * 256 + 8 * 8, 2 * 2 * 64),
    ],
)
def test_experts_that_vllm_serves_are_one_operation_with_two_buffers(
    name, devices, workspaces, streams, router, rotations
):
    """A pass of 8192 tokens, by hand from workspace_shapes of TritonExperts: M k (max(n, K) + max(2 n, K)) numbers of two bytes.

    What entered the block, the residual, the input, shared experts' result and that of the experts are there, scores, weights and choices of the router.
    """
    path = str(DATA / "hf_configs" / f"{name}.json")
    study = load_study(path).change(recipe="vllm", plan="vllm-tp", values={"n_tp": devices, "B": 1, "S": 8192})
    buffers = {term.at(study.values) for one in study.timeline for term in one.memory if "workspaces" in term.name}
    assert buffers == {2 * workspaces}
    (found,) = (one for one in study.timeline if one.phase == "prefill" and one.words.endswith("at the experts"))
    assert made(found, study.values) == 2 * workspaces + 8192 * (2 * streams + router + rotations)
    for other in ({"recipe": "inference"}, {"profile": "hf-cuda-bf16", "kernel": "efficient"}):
        assert not any("workspaces" in term.name for one in study.change(**other).timeline for term in one.memory)


@pytest.mark.parametrize(("name", "choices", "inner"), [("mixtral-8x7b", 2, 14336), ("deepseek-v3", 8, 2048)])
def test_tensor_parallelism_cuts_the_inner_width_of_experts(name, choices, inner):
    """Each rank works on all choices of all tokens: two products, of gate and up, and what the activation function gives."""
    path = str(DATA / "hf_configs" / f"{name}.json")
    fullest = {}
    for n in (1, 2):
        study = load_study(path).change(recipe="inference", plan="vllm-tp", values={"n_tp": n, "B": 1, "S": 100})
        words = "prefill, in a{} block, at the product of gate and up projection of the experts"
        found = [
            made(one, study.values)
            for one in study.timeline
            if one.words in (words.format(""), words.format("n expert"))
        ]
        fullest[n] = max(found)
    assert fullest[1] - fullest[2] == 2 * 100 * choices * 4 * inner // 2


PHI = {"hidden_size": 5120, "intermediate_size": 17_920, "num_hidden_layers": 40, "num_attention_heads": 40}
PHI |= {"num_key_value_heads": 10, "vocab_size": 100_352}


@pytest.mark.parametrize("cut", [{}, {"plan": "vllm-tp", "values": {"B": 2, "S": 4096, "n_tp": 2}}])
def test_projections_that_are_one_product_make_no_other_pass(cut, tmp_path):
    """Phi3ForCausalLM of vLLM is its LlamaForCausalLM, with other names of weights."""
    found = []
    for family in ("phi3", "llama"):
        path = tmp_path / f"{family}.json"
        path.write_text(json.dumps(PHI | {"model_type": family}))
        study = load_study(str(path)).change(recipe="vllm", **{"values": {"B": 2, "S": 4096}, **cut})
        found.append([(one.words, made(one, study.values)) for one in passes(study.built, study.recipe)])
    assert found[0] == found[1] and len(found[0]) == 8


def test_a_part_of_a_head_is_rotated_from_tables_of_its_width(tmp_path):
    """Phi-4-mini: 8192 tokens with gate, up and their product, three streams, and tables of 96 of each head's 128 elements."""
    mini = {"model_type": "phi3", "hidden_size": 3072, "intermediate_size": 8192, "num_hidden_layers": 32}
    mini |= {"num_attention_heads": 24, "num_key_value_heads": 8, "vocab_size": 200_064, "partial_rotary_factor": 0.75}
    (tmp_path / "config.json").write_text(json.dumps(mini))
    study = load_study(str(tmp_path)).change(recipe="vllm", values={"B": 1, "S": 4096})
    most = max(made(one, study.values) for one in passes(study.built, study.recipe))
    assert most == 8192 * 2 * (3 * 8192 + 3 * 3072 + 2 * 96)


@pytest.mark.parametrize("recipe", ["vllm", "inference"])
def test_a_rank_that_has_some_of_the_experts_alone_has_no_pass_that_is_described(recipe):
    """How many tokens choose its experts is not known."""
    study = load_study("mixtral-8x7b").change(recipe=recipe, plan="ep", values={"n_ep": 2, "B": 1, "S": 100})
    assert study.timeline == () and study.change(values={"n_ep": 1}).timeline


LEARNED = ("gpt2", "gpt_bigcode", "opt")
SERVED = json.loads((DATA / "served.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in SERVED["cases"]])
def test_a_block_that_is_served_holds_what_the_model_file_of_vllm_does(case, tmp_path):
    """One pass of one sequence; cosines and sines of its positions, or their numbers, are given to the model there, and are counted here."""
    (tmp_path / "config.json").write_text(json.dumps(case["config"]), encoding="utf-8")
    study = load_study(str(tmp_path)).change(recipe="vllm", values={"B": 1, "S": SERVED["S"]})
    step = passes(study.built, study.recipe.with_prefill(SERVED["S"]))
    blocks = [one for one in step if one.phase == "prefill" and "block" in one.words]
    buffers = {term.at(study.values) for one in blocks for term in one.memory if "workspaces" in term.name}
    turned = study.built.architecture.turned
    table = 2 * int(sp.sympify(turned or 0).xreplace(study.values)) or 4 * (case["config"]["model_type"] in LEARNED)
    held = max(made(one, study.values) for one in blocks)
    assert held == case["bytes"] + 2 * SERVED["S"] * table + sum(buffers)
    assert len(buffers) == (study.built.architecture.experts is not None)
