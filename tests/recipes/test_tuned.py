"""What of a model a recipe trains: adapters, frozen and packed weights, further copies; and every wrong way to say it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sympy as sp

from symbolic_mem.accounts.units import units
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import at
from symbolic_mem.base.symbols import r_lora
from symbolic_mem.library.read import load_study, read_study
from symbolic_mem.models.adapters import adapter_config
from symbolic_mem.models.packing import packing
from symbolic_mem.models.profile import profile
from symbolic_mem.models.tensors import Held, Tensor, Weights
from symbolic_mem.models.trained import Trained
from symbolic_mem.models.transformer import transformer
from symbolic_mem.questions.parts.cautions import not_packed
from symbolic_mem.recipes.bases import under
from symbolic_mem.recipes.read import read_recipe, recipe
from symbolic_mem.recipes.states import State, parts_of
from symbolic_mem.render.text import plain_prose

DATA = Path(__file__).parents[1] / "data"
PACKED = json.loads((DATA / "packed.json").read_text())["cases"]
MIXTRAL = DATA / "hf_configs" / "mixtral-8x7b.json"
MODEL = {
    "kind": "transformer",
    "profile": "torch-cuda-bf16",
}
SIZES = {"L": 2, "d_model": 64, "d_ff": 128, "n_heads": 4, "n_kv": 2, "d_head": 16, "V": 100, "B": 2, "S": 16}


def study(folder, **recipe_table):
    content = {"title": "t", "model": MODEL, "values": SIZES, "recipe": recipe_table}
    return read_study(content, "t.toml", "t", folder)


def size(study, name):
    (term,) = (term for term in study.memory if term.name == name)
    return term.at(study.values)


@pytest.mark.parametrize(
    "modules", [("q_proj", "v_proj"), ("all-linear",), ("o_proj",), ("gate_proj", "down_proj"), ("W_k",)]
)
@pytest.mark.parametrize("dropout", [False, True])
@pytest.mark.parametrize("converts", [False, True])
@pytest.mark.parametrize("engine", ["torch-cuda-bf16", "hf-cuda-bf16"])
def test_the_operations_keep_what_the_layers_keep(modules, dropout, converts, engine):
    how = profile(engine, kernel="flash").using(trained=Trained(modules, (), dropout=dropout, converts=converts))
    found = units(transformer(None, how))
    assert all(unit.work is not None for unit in found.blocks) and found.work is not None


def test_gradients_and_states_are_those_of_the_adapters(tmp_path):
    found = study(tmp_path, preset="pure-bf16", trained={"adapters": ["q_proj", "down_proj"], "rank": 4})
    trained = 2 * (4 * (64 + 64) + 4 * (128 + 64))
    assert found.values[r_lora] == 4
    assert size(found, "gradients") == 2 * trained and size(found, "AdamW moments") == 4 * trained
    whole = study(tmp_path, preset="pure-bf16")
    assert size(found, "BF16 weights") == size(whole, "BF16 weights") + 2 * trained


def test_an_adapter_in_fp32_keeps_an_input_of_its_own(tmp_path):
    """Measured with saved-tensor hooks under autocast, PyTorch 2.13: each of three adapters on one x keeps x in BF16, and A x."""
    table = {"adapters": ["q_proj", "k_proj", "v_proj"], "rank": 4}
    alone, shared = (
        size(study(tmp_path, preset="lora", trained=table | {"converts": how}), "activations of the attention")
        for how in (True, False)
    )
    assert alone - shared == 2 * (3 - 1) * 2 * (2 * 16 * 64)
    assert size(study(tmp_path, preset="lora", trained=table), "activations of the attention") == alone


def test_what_is_frozen_alone_has_no_gradient(tmp_path):
    found = study(tmp_path, preset="pure-bf16", trained={"frozen": ["embed_tokens"]})
    whole = study(tmp_path, preset="pure-bf16")
    assert size(whole, "gradients") - size(found, "gradients") == 2 * 100 * 64
    assert size(whole, "BF16 weights") == size(found, "BF16 weights")


def test_packed_weights_take_half_a_byte_and_their_scales(tmp_path):
    found = study(tmp_path, preset="qlora")
    matrices = {(64, 64): 2, (32, 64): 2, (128, 64): 3}
    assert size(found, "NF4 weights") == 2 * sum(n * a * b for (a, b), n in matrices.items()) / 2
    assert size(found, "scales of the NF4 weights") == 2 * sum(n * -(-a * b // 64) for (a, b), n in matrices.items())
    assert size(found, "scales of these scales") == 2 * 4 * sum(matrices.values())
    assert size(found, "BF16 weights, not packed") == 2 * (2 * 100 * 64 + 5 * 64)


def test_a_packed_weight_is_unpacked_for_its_product(tmp_path):
    def inside(name):
        found = study(tmp_path, preset=name, trained={"adapters": "all-linear", "rank": 64})
        at_work = [one for one in found.timeline if one.words.endswith("last block, at the product with W_down")]
        return {tensor.name: term for one in at_work for term in one.memory for tensor in term.inside}

    assert "unpacked weight" in inside("qlora") and "unpacked weight" not in inside("lora")


@pytest.mark.parametrize("modules", [["q_proj"], ["c_attn"], ["q_proj", "foo"], [], "some", 3, [1]])
def test_modules_that_are_not_there_are_refused(modules, tmp_path):
    if modules == ["q_proj"]:
        assert study(tmp_path, trained={"adapters": modules}).built.trained.modules == ("q_proj",)
        return
    with pytest.raises(BadInput, match=r"c_attn|foo|all-linear|some|'1'"):
        study(tmp_path, trained={"adapters": modules})


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"adapters": "all-linear", "rank": 0}, "the rank is a whole number of at least 1, not 0"),
        ({"adapters": "all-linear", "rank": "8"}, "not the text '8': write it without quotes"),
        ({"adapters": "all-linear", "rank": True}, "the rank is a whole number"),
        ({"adapters": "all-linear", "dropout": 1}, "dropout is a probability"),
        ({"adapters": "all-linear", "base": "nf4", "packs_experts": 1}, "packs_experts is true or false"),
        ({"adapters": "all-linear", "packs_experts": True}, "packs_experts is of packed weights; give a base"),
        ({"adapters": "all-linear", "base": "nf5"}, "unknown base 'nf5'"),
        ({"adapters": "all-linear", "frozen": ["norm"]}, "leave out frozen or adapters"),
        ({"rank": 4}, "give adapters"),
        ({"frozen": ["nothing"]}, "unknown module 'nothing'"),
        ({"adapters": "none.json"}, "there is no such file"),
        ({"adapters": "none.json", "rank": 3}, "leave out rank"),
        ("some", "what is trained is"),
    ],
)
def test_a_wrong_table_is_one_line(table, words, tmp_path):
    with pytest.raises(BadInput, match=words) as refused:
        study(tmp_path, trained=table)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("layers", "blocks", "start", "count", "words"),
    [
        ([1], 2, 1, 1, "the blocks from number 1 on"),
        ([1], 4, 1, 1, "block 1, counted from 0"),
        ([0, 1], 3, 0, 2, "the blocks 0 to 1"),
    ],
)
def test_some_layers_alone_have_adapters(layers, blocks, start, count, words, tmp_path):
    made = study(tmp_path, trained={"adapters": ["q_proj"], "layers": layers}).change(values={"L": blocks})
    there = units(made.model).blocks
    adapted = [
        one for one in there if any(weight.group == "adapters" for layer in one.layers for weight in layer.weights)
    ]
    assert (adapted[0].start, sum(at(one.count, made.values) for one in adapted)) == (start, count)
    assert sum(at(one.count, made.values) for one in there) == blocks
    assert any(words in line for line in made.model.assumptions)


def test_adapters_on_a_part_of_a_product_that_an_engine_fuses_are_one_line():
    one = load_study("llama-3.1-8b").change(
        recipe="lora", adapters="q_proj,v_proj", plan="megatron", values={"n_tp": 2}
    )
    with pytest.raises(
        BadInput, match=r"plan 'megatron': the adapters go on 'q_proj', .* it has qkv_proj.*; give all-linear"
    ):
        assert one.memory
    with pytest.raises(BadInput, match="adapters go on 'q_proj'"):
        assert one.timeline


def test_layers_that_a_model_does_not_have_are_one_line(tmp_path):
    given = {"adapters": ["q_proj"], "layers": [1]}
    with pytest.raises(BadInput, match="adapters go on layer 1, and the model has L = 1 layers, counted from 0"):
        study(tmp_path, trained=given).change(values={"L": 1})
    mixed = {"title": "t", "model": MODEL | {"experts": {"dense_layers": 1}}, "recipe": {"trained": given}}
    with pytest.raises(BadInput, match="has dense ones and ones with experts; leave layers_to_transform out"):
        read_study(mixed, "t.toml", "t", tmp_path)


GIVEN = {"peft_type": "LORA", "r": 4, "target_modules": ["q_proj"]}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"peft_type": "IA3"}, "'IA3' are not described; known: LORA"),
        ({"use_dora": True}, "use_dora"),
        ({"rank_pattern": {"model.layers.0.q_proj": 8}}, "is a path or a pattern"),
        ({"rank_pattern": {"q_proj": 0}}, "rank_pattern: q_proj: the rank is a whole number of at least 1"),
        ({"rank_pattern": {"all-linear": 4}}, "leave it out and give the largest rank as r"),
        ({"use_qalora": True, "qalora_group_size": 16}, "use_qalora = 'True' is not described; leave it out"),
        ({"use_bdlora": {"nblocks": 2}}, "use_bdlora"),
        ({"velora_config": {}}, "velora_config"),
        ({"layers_pattern": "layers"}, "layers_pattern"),
        ({"lora_rank": 4}, "'lora_rank' is no field of a LoraConfig"),
        ({"ensure_weight_tying": True, "modules_to_save": ["lm_head"]}, "leave one of both out"),
        ({"layers_to_transform": [1, 3]}, "layers that follow one another; give all from 1 to 3"),
        ({"layers_to_transform": ["1"]}, "layers_to_transform: give the numbers of layers"),
        ({"layers_to_transform": 1, "target_modules": "all-linear"}, "with a list of target_modules, not with"),
        ({"bias": "all"}, "bias"),
        ({"r": 0}, "the rank is a whole number"),
        ({"r": None}, "r is missing"),
        ({"target_modules": ".*q_proj"}, "a path or a pattern; give the names of modules"),
        ({"target_modules": ["self_attn.q_proj"]}, "'self_attn.q_proj' is a path"),
        ({"lora_dropout": 2}, "lora_dropout"),
        ({"modules_to_save": ["x"]}, "unknown module 'x'"),
        ({"target_modules": []}, "all-linear"),
        ({"target_parameters": "mlp.experts.down_proj"}, "target_parameters: give a list"),
        (
            {"target_parameters": ["mlp.gate.weight"]},
            "'mlp.gate.weight' is not described; known: the gate_up_proj and down_proj",
        ),
        ({"target_parameters": ["layers.0.mlp.experts.down_proj"]}, "is not described"),
        ({"target_parameters": [3]}, "'3' is not described"),
    ],
)
def test_an_adapter_config_is_read_or_refused(changed, words):
    assert adapter_config(GIVEN, "a.json").modules == ("q_proj",)
    with pytest.raises(BadInput, match=words):
        adapter_config(GIVEN | changed, "a.json")


PARAMETERS = ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]


def mixtral(tmp_path, **trained):
    config = {
        "model_type": "mixtral",
        "architectures": ["MixtralForCausalLM"],
        "hidden_size": 64,
        "num_hidden_layers": 2,
    }
    config |= {"intermediate_size": 96, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 100}
    (tmp_path / "config.json").write_text(json.dumps(config | {"num_local_experts": 8, "num_experts_per_tok": 2}))
    content = {"title": "t", "model": {"config": "config.json"}, "values": {"B": 2, "S": 32}}
    content["recipe"] = {"preset": "pure-bf16", "trained": trained}
    return read_study(content, "study.toml", "study", tmp_path)


@pytest.mark.parametrize("plain", [None, []])
def test_target_parameters_need_no_modules(plain):
    given = GIVEN | {"target_modules": plain, "target_parameters": PARAMETERS}
    assert adapter_config(given, "a.json").modules == ("experts.gate_up_proj", "experts.down_proj")


def test_every_block_keeps_the_weights_of_its_experts_with_their_adapters(tmp_path):
    """Whatever the number of tokens: 8 experts of 3 matrices of 64 times 96, in BF16, in both blocks."""
    study = mixtral(tmp_path, adapters=["experts.gate_up_proj", "experts.down_proj"], rank=4)
    frozen = mixtral(tmp_path, adapters=["q_proj"], rank=4)
    summed, alone = (size(one, "activations of the mixture of experts") for one in (study, frozen))
    rows = 2 * 32 * 2  # the copies of the tokens, and what W_down multiplies: frozen products keep neither
    assert summed - alone == 2 * 2 * (8 * 3 * 64 * 96 + rows * (64 + 96))
    assert size(study, "gradients") == 2 * 2 * 8 * 4 * (64 + 2 * 96 + 96 + 64)


@pytest.mark.parametrize(
    ("more", "words"),
    [({"dropout": 0.1}, "without a dropout"), ({"base": "nf4", "packs_experts": True}, "without packed weights")],
)
def test_what_is_added_to_weights_takes_neither_dropout_nor_packed_weights(more, words, tmp_path):
    with pytest.raises(BadInput, match=words):
        mixtral(tmp_path, adapters=["experts.down_proj"], rank=4, **more)


def test_a_dense_model_has_no_weights_of_experts(tmp_path):
    with pytest.raises(BadInput, match=r"adapters go on 'experts\.down_proj'"):
        study(tmp_path, trained={"adapters": ["experts.down_proj"]})


def test_a_file_of_peft_is_found_beside_the_study(tmp_path):
    (tmp_path / "adapter_config.json").write_text(json.dumps(GIVEN | {"modules_to_save": ["lm_head"], "r": 3}))
    found = study(tmp_path, preset="pure-bf16", trained={"adapters": "adapter_config.json"})
    assert found.values[r_lora] == 3
    assert size(found, "gradients") == 2 * (2 * 3 * 128 + 100 * 64)
    assert size(found, "BF16 weights") == size(study(tmp_path, preset="pure-bf16"), "BF16 weights") + size(
        found, "gradients"
    )


def test_the_rank_is_that_of_what_was_chosen_last():
    found = load_study("llama-3.1-8b").change(recipe="qlora")
    assert found.values[r_lora] == 64
    assert found.change(recipe="lora").values[r_lora] == 8
    assert found.change(values={"r_lora": 16}).change(recipe="lora").values[r_lora] == 16
    assert found.change(adapters="q_proj").values[r_lora] == 64
    assert r_lora not in found.change(recipe="fsdp2").values


def test_the_memory_of_a_recipe_that_trains_all_is_what_it_was():
    whole = load_study("llama-3.1-8b")
    assert whole.change(recipe="lora").change(recipe="fsdp2").memory == whole.memory


def test_a_stack_without_names_has_no_adapters():
    with pytest.raises(BadInput, match="of this kind of model"):
        load_study("cs336-a2-xxl").change(recipe="lora")


def test_further_copies_are_weights(tmp_path):
    found = study(tmp_path, preset="pure-bf16", ema=4, reference=2)
    parameters = at(found.model.parameters, found.values)
    assert size(found, "moving average of the weights") == 4 * parameters
    assert size(found, "weights of the reference model") == 2 * parameters


@pytest.mark.parametrize("recipe", ["lora", "qlora"])
def test_a_reference_model_has_no_adapters(recipe):
    """Llama 3.1 8B has 8,030,261,248 parameters; a moving average is of what is trained, the adapters alone."""
    found = load_study("llama-3.1-8b").change(recipe=recipe, copies="ema=4,reference=2", values={"r_lora": 16})
    assert size(found, "weights of the reference model") == 2 * 8_030_261_248
    assert size(found, "moving average of the weights") == 4 * 41_943_040


@pytest.mark.parametrize("kind", ["weights", "gradients", "optimizer"])
def test_no_bytes_and_fractions_are_read_alike(kind, tmp_path):
    assert not study(tmp_path, preset="pure-bf16", **{kind: 0}).memory.of(kind).terms
    for text in ("1/50", "0.02"):
        found = study(tmp_path, preset="pure-bf16", **{kind: text}).memory.of(kind)
        assert {term.bytes_per_element for term in found} == {found.terms[0].bytes_per_element}
        assert found.terms[0].bytes_per_element * 50 == 1
    with pytest.raises(BadInput):
        study(tmp_path, preset="pure-bf16", **{kind: -1})


def test_in_the_backward_pass_there_is_one_gradient_at_a_time(tmp_path):
    found = study(tmp_path, preset="pure-bf16", optimizer_in_backward=True)
    assert "gradients" not in found.memory.kinds
    assert not next(one for one in found.timeline if one.name == "step").memory.of("gradients", "activations").terms
    most = max(one.memory.of("gradients").at(found.values) for one in found.timeline)
    assert most == 2 * 128 * 64  # that of the largest matrix
    with pytest.raises(BadInput, match="leave out gradients_persist"):
        study(tmp_path, optimizer_in_backward=True, gradients_persist=True)


def test_recipes_that_train_a_part_name_no_bytes_per_parameter():
    assert recipe("lora").bytes_per_parameter is None and recipe("qlora").bytes_per_parameter is None
    with pytest.raises(BadInput, match="trains a part"):
        read_recipe({"preset": "lora", "trained": "all"}, "t.toml [recipe]")


def test_a_packed_matrix_has_the_bytes_of_bitsandbytes():
    """Linear4bit(256, 512) of bitsandbytes 0.50.2 with nf4 and compressed statistics: its data, absmax and state2.absmax."""
    matrix = Tensor("W_up", (sp.Integer(512), sp.Integer(256)), group="mlp", trained=False)
    weights = Weights((Held((matrix,), sp.S.One, None, True, True),))
    found = [
        sum(part.elements for part in parts_of(piece.rule, 1, "weights", weights)) * piece.bytes
        for piece in packing("nf4-double").pieces
    ]
    assert found == [65536, 2048, 8 * 4]


def test_torchao_has_scales_of_scales_in_the_dtype_of_the_weights():
    """Llama 3.1 8B: 6,979,321,856 numbers in matrices of the blocks, and 64 x 256 of them for a scale of two bytes."""
    found = load_study("llama-3.1-8b").change(recipe="torchtune-qlora")
    scales = {term.name: term for term in found.memory}["scales of these scales"]
    assert scales.at(found.values) == 2 * 6_979_321_856 // (64 * 256) == 851_968


def nf4(study):
    return 2 * sum(term.at(study.values) for term in study.memory if term.name == "NF4 weights")


@pytest.mark.parametrize("case", PACKED, ids=lambda case: case["config"]["model_type"])
def test_what_is_packed_is_what_bitsandbytes_replaces(case, tmp_path):
    """Linear layers of transformers 5.24 on the meta device; those of Falcon are of a class of its own, and Hunyuan's router is a linear layer."""
    file = tmp_path / "config.json"
    file.write_text(json.dumps(case["config"]))
    study = load_study(str(file)).change(recipe="qlora", plan="one-device")
    assert nf4(study) == case["packed"]
    base = sum(2 * numbers for numbers in counted_groups(study).values()) - 2 * case["packed"]
    assert size(study, "BF16 weights, not packed") == base
    if case["config"]["model_type"] == "falcon":
        (said,) = not_packed(study)
        assert plain_prose(said).startswith("Nothing is packed")
        assert not not_packed(study.change(recipe="lora"))


def counted_groups(study):
    found = {}
    for layer in study.model.layers:
        for weight in layer.weights:
            if not weight.trained:
                found[weight.group] = found.get(weight.group, 0) + at(layer.repeat * weight.elements, study.values)
    return found


def test_experts_of_mixtral_stay_in_16_bits_unless_they_are_linear_layers(tmp_path):
    """45,097,156,608 numbers of experts; 1,342,177,280 of attention; the other 263,458,816 are packed in neither."""
    experts, attention, others = 45_097_156_608, 1_342_177_280, 263_458_816
    found = load_study("mixtral-8x7b").change(recipe="qlora", plan="one-device")
    assert nf4(found) == attention
    assert size(found, "BF16 weights, not packed") == 2 * (experts + others)
    given = {"preset": "qlora", "trained": {"adapters": "all-linear", "packs_experts": True}}
    content = {"title": "t", "model": {"config": str(MIXTRAL)}, "recipe": given}
    packed = read_study(content, "t.toml", "t", tmp_path)
    assert nf4(packed) == experts + attention
    assert size(packed, "BF16 weights, not packed") == 2 * others


def test_what_is_trained_is_told_whole():
    given = {"adapters": ["q_proj"], "whole": ["embed_tokens"], "base": "nf4"}
    assert str(read_recipe({"trained": given}, "here").tuned) == (
        "adapters on q_proj; whole: token embedding; frozen weights packed as nf4"
    )


def test_packing_leaves_the_states_of_what_is_trained():
    trained = State("master", "weights", sp.Integer(4), reason="FP32", of="trained")
    frozen = State("copy", "weights", sp.Integer(2), reason="BF16", of="frozen")
    whole = State("weights", "weights", sp.Integer(2), reason="BF16")
    packed = [piece.name for piece in packing("nf4").pieces]
    named = [one.name for one in under(packing("nf4"), (trained, frozen, whole), ["mlp"]) if one.name not in packed]
    assert named == ["master", "copy, not packed", "weights, not packed", "weights, trained"]


@pytest.mark.parametrize(
    ("family", "modules", "weights"),
    [
        ("starcoder2", "c_fc,c_proj", {"W_in", "W_out"}),
        ("gpt_neo", "c_proj", {"W_out"}),
        ("gpt2", "c_proj", {"W_o", "W_out"}),
        ("nemotron", "up_proj,down_proj", {"W_in", "W_out"}),
        ("apertus", "up_proj", {"W_in"}),
        ("qwen", "c_proj,w2", {"W_o", "W_down", "W_gate"}),
        ("llama", "w2", {"W_down"}),
    ],
)
def test_a_family_s_modules_are_its_own_weights(family, modules, weights, tmp_path):
    """The linear layers of these names in transformers 5.24, of qwen those of its modeling_qwen.py."""
    path = tmp_path / "config.json"
    path.write_text(f'{{"model_type": "{family}"}}')
    found = load_study(str(path)).change(recipe="lora", adapters=modules)
    named = (weight.name for layer in found.model.layers for weight in layer.weights)
    assert {name.removeprefix("A of ") for name in named if name.startswith("A of ")} == weights


GPT_NEO = {"model_type": "gpt_neo", "num_hidden_layers": 4, "attention_types": [[["global", "local"], 2]]}


@pytest.mark.parametrize(
    ("config", "modules", "ranks", "trained"),
    [
        ({"model_type": "starcoder2", "num_key_value_heads": 2}, ["o_proj", "c_proj"], {"c_proj": 8}, 6912),
        (
            {"model_type": "starcoder2", "num_key_value_heads": 2},
            ["o_proj", "c_proj"],
            {"o_proj": 2, "c_proj": 16},
            11_520,
        ),
        (GPT_NEO, ["out_proj", "c_proj"], {"c_proj": 8}, 9216),
        (GPT_NEO, ["out_proj", "c_proj"], {"out_proj": 2, "c_proj": 16}, 15_360),
        ({"model_type": "gpt2", "n_inner": 160}, ["c_proj", "c_attn"], {"c_proj": 8}, 11_520),
        ({"model_type": "gpt2", "n_inner": 160}, ["c_proj", "c_attn"], {"c_proj": 2, "c_attn": 16}, 14_400),
    ],
)
def test_a_pattern_of_ranks_means_a_family_s_own_weights(config, modules, ranks, trained, tmp_path):
    """What PEFT 0.21.2 trains of such models of transformers 5.24: numel of all that requires a gradient."""
    sizes = {"hidden_size": 64, "intermediate_size": 160, "num_hidden_layers": 3, "num_attention_heads": 4}
    (tmp_path / "config.json").write_text(json.dumps(sizes | config))
    (tmp_path / "adapter_config.json").write_text(
        json.dumps({"peft_type": "LORA", "r": 4, "target_modules": modules, "rank_pattern": ranks})
    )
    found = load_study(str(tmp_path)).change(recipe="pure-bf16", adapters=str(tmp_path))
    assert size(found, "gradients") == 2 * trained


@pytest.mark.parametrize("family", ["gpt2", "gpt_neox", "phi", "mpt", "qwen", "deepseek_v3", "phi3"])
def test_the_modules_that_a_refusal_names_are_taken(family, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(f'{{"model_type": "{family}"}}')
    study = load_study(str(path))
    with pytest.raises(BadInput, match="adapters go on 'foo'") as refused:
        study.change(recipe="lora", adapters="foo")
    named = str(refused.value).partition("it has ")[2].split(", ")
    found = study.change(recipe="lora", adapters=",".join(named))
    assert found.model.parameters == study.change(recipe="lora").model.parameters
