"""Reading config.json: what each family's file means, and what is refused in which words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolic_mem.base import symbols as s
from symbolic_mem.base.errors import BadInput
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.counts import parameters_by_group
from symbolic_mem.models.families import families
from symbolic_mem.models.huggingface import architecture_of, parse_config, read_config
from symbolic_mem.models.recognise import known_types
from symbolic_mem.models.transformer import transformer

CONFIGS = Path(__file__).parents[1] / "data" / "hf_configs"
LLAMA = {
    "model_type": "llama",
    "hidden_size": 48,
    "intermediate_size": 40,
    "num_hidden_layers": 5,
    "num_attention_heads": 6,
    "num_key_value_heads": 3,
    "vocab_size": 101,
}
MIXTRAL = LLAMA | {"model_type": "mixtral", "num_local_experts": 4, "num_experts_per_tok": 2}
QWEN3_MOE = LLAMA | {"model_type": "qwen3_moe", "num_experts": 4, "num_experts_per_tok": 2}
KNOWN = f"known: {', '.join(known_types())}"


def read(config: object, **changes: object) -> Architecture:
    return parse_config(json.dumps({**config, **changes} if changes else config).encode(), "c.json")


def refusal(content: bytes) -> str:
    with pytest.raises(BadInput) as caught:
        parse_config(content, "c.json")
    return str(caught.value)


def refused(config: object, **changes: object) -> str:
    return refusal(json.dumps({**config, **changes} if changes else config).encode())


def test_a_published_config_is_read_from_its_file() -> None:
    model = read_config(CONFIGS / "llama-3.1-405b.json")
    assert model.family == "llama"
    assert model.values() == {
        s.L: 126,
        s.V: 128256,
        s.d_model: 16384,
        s.d_ff: 53248,
        s.n_heads: 128,
        s.n_kv: 8,
        s.d_head: 128,
    }
    assert (model.n_kv, model.d_head, model.d_ff) == (s.n_kv, s.d_head, s.d_ff)


def test_the_gate_comes_from_the_family_and_not_from_the_ratio_of_the_widths() -> None:
    assert read(LLAMA, intermediate_size=4 * 48).gated
    assert not read({"model_type": "gpt2", "n_embd": 768, "n_inner": 2688}).gated


def test_sizes_that_a_family_derives_stay_formulas() -> None:
    gpt2 = read_config(CONFIGS / "gpt2-xl.json")
    assert (gpt2.d_ff, gpt2.n_kv, gpt2.d_head) == (4 * s.d_model, s.n_heads, s.d_model / s.n_heads)
    assert "n_inner is not in the file: d_ff = 4*d_model." in gpt2.assumptions
    assert s.d_ff not in gpt2.values()


def test_the_defaults_that_were_used_are_said() -> None:
    said = read({"model_type": "mistral", "hidden_size": 4096}).assumptions
    (line,) = [line for line in said if line.startswith("Not in the file")]
    assert "the default of MistralConfig holds" in line
    assert "num_key_value_heads = 8" in line
    assert "tie_word_embeddings = false" in line
    assert "hidden_size" not in line


def test_the_head_is_tied_only_where_the_file_or_the_family_says_so() -> None:
    assert not read(LLAMA).tied
    assert read(LLAMA, tie_word_embeddings=True).tied
    assert read({"model_type": "gemma2"}).tied
    tied = read(LLAMA, tie_word_embeddings=True).assumptions
    assert "The head shares the weights of the token embedding (tie_word_embeddings is true)." in tied


def test_the_first_layers_of_deepseek_v3_are_dense_and_its_balancing_bias_is_a_buffer() -> None:
    model = read_config(CONFIGS / "deepseek-v3.json")
    assert model.experts is not None and model.latent is not None
    assert (model.experts.dense_layers, model.values()[s.L_dense]) == (s.L_dense, 3)
    assert model.expert_layers == s.L - s.L_dense
    assert model.experts.d_shared == s.n_shared * s.d_expert
    assert "The bias that balances the experts is a buffer, not a parameter." in model.assumptions


def test_every_layer_dense_means_no_experts() -> None:
    model = read({"model_type": "deepseek_v3", "num_hidden_layers": 3})
    assert model.experts is None
    assert s.E not in model.values()


def test_dropout_is_exact() -> None:
    gpt2 = read({"model_type": "gpt2"})
    assert (gpt2.attention_dropout, gpt2.residual_dropout, gpt2.embedding_dropout) == (sp.Rational(1, 10),) * 3


def test_a_file_without_model_type_is_recognised_by_its_architecture() -> None:
    assert read({"architectures": ["LLaMAForCausalLM"]}).family == "llama"


def test_a_byte_order_mark_is_no_fault() -> None:
    assert parse_config(b"\xef\xbb\xbf" + json.dumps(LLAMA).encode(), "c.json").family == "llama"


def test_what_has_no_part_in_the_family_is_named() -> None:
    said = read(LLAMA, num_local_experts=8).assumptions
    assert "In the file, but without a part in a model of this family: num_local_experts." in said


def test_an_unknown_family_says_what_was_found_and_the_two_ways_to_count_it() -> None:
    said = refused({"model_type": "llama5", "hidden_size": 64, "num_hidden_layers": 2, "gates": 3})
    assert said == (
        "c.json: model_type 'llama5' is not known; fields that a known family has: hidden_size, num_hidden_layers; "
        "--from transformers counts what that library builds of it, and --like llama reads it as that family and says "
        f"what this ignores; {KNOWN}"
    )


@pytest.mark.parametrize("model_type", ["seed_os", "qwen0", "gpt", "mamba3", "llava_llama"])
def test_no_family_is_guessed_from_how_its_name_is_spelt(model_type: str) -> None:
    assert "did you mean" not in refused({"model_type": model_type})


@pytest.mark.parametrize("model_type", ["bart", "t5", "xlm-roberta", "whisper"])
def test_an_encoder_is_refused(model_type: str) -> None:
    said = refused({"model_type": model_type})
    assert said.startswith(f"c.json: model_type {model_type!r} has an encoder, which is not described; it has no field")
    assert "--from transformers" in said


def test_an_encoder_decoder_of_any_name_is_refused() -> None:
    assert "has an encoder" in refused({"model_type": "newt5", "is_encoder_decoder": True})


def test_a_file_may_be_read_as_another_family_which_says_all_that_this_ignores() -> None:
    strange = LLAMA | {"model_type": "llama5", "gates": 3, "num_local_experts": 8, "torch_dtype": "bfloat16"}
    model = architecture_of(strange, "c.json", like="llama")
    assert model.values() == read(LLAMA).values()
    assert not model.described
    assert "The file is read as LlamaForCausalLM because --like llama says so: every count rests on that." in (
        model.assumptions
    )
    assert "Ignored, as that family does not have them: gates, num_local_experts." in model.assumptions
    with pytest.raises(BadInput, match="--like 'lama': there is no such family; known: apertus, "):
        architecture_of(strange, "c.json", like="lama")


@pytest.mark.parametrize(
    ("config", "head", "parameters"),
    [
        ({"architectures": ["LlamaModel"]}, "none", 0),
        ({"architectures": ["LlamaForSequenceClassification"], "num_labels": 1}, "score", 48),
        (
            {"architectures": ["LlamaForSequenceClassification"], "id2label": {"0": "a", "1": "b", "2": "c"}},
            "score",
            144,
        ),
        ({"architectures": ["LlamaForSequenceClassification"]}, "score", 96),
        ({"architectures": ["LlamaForTokenClassification"], "num_labels": 3}, "score", 147),
        ({"architectures": ["LlamaForRewardModel"]}, "reward", 48 * 48 + 48 + 48 + 1),
        ({"architectures": ["LlamaForProcessRewardModel"]}, "reward", 48 * 48 + 48 + 96 + 2),
        ({"architectures": ["LlamaForCausalLM"]}, "language model", 48 * 101),
    ],
)
def test_the_head_is_the_one_of_the_class(config: dict[str, object], head: str, parameters: int) -> None:
    model = read(LLAMA | config)
    groups = parameters_by_group(transformer(model))
    assert model.head == head
    assert groups.get("head", sp.S.Zero).xreplace(model.values()) == parameters


def test_a_head_that_is_not_known_is_refused() -> None:
    said = refused(LLAMA, architectures=["LlamaForJokes"])
    assert said.startswith(
        "c.json: architectures names 'LlamaForJokes', which is not known of model_type 'llama': counted"
    )
    assert "LlamaForCausalLM and, of Llama..., Model, ForSequenceClassification" in said


def test_a_published_activation_is_read_as_it_is_published() -> None:
    assert read({"model_type": "gpt_neox", "hidden_act": "gelu_fast"}).activation == "gelu_new"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model_type": "glm4_moe_lite", "mlp_layer_types": ["dense"]}, "mlp_layer_types has 1 entries for 47 layers"),
        ({"model_type": "glm4_moe_lite", "mlp_layer_types": "dense"}, "mlp_layer_types is no list"),
        ({"model_type": "llama4_text", "moe_layers": [48]}, "moe_layers must be a list of layer numbers from 0 to 47"),
        ({"model_type": "deepseek_v2"}, "num_experts_per_tok is not in the file, and DeepseekV2Config has no default"),
        ({"model_type": "phi", "partial_rotary_factor": 2}, "partial_rotary_factor must be a fraction"),
    ],
)
def test_a_pattern_of_layers_that_does_not_fit_is_refused(config: dict[str, object], message: str) -> None:
    assert refused(config).startswith(f"c.json: {message}")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "c.json: is not valid JSON: Expecting value (line 1, column 1)"),
        (b'{"model_type": "llama",\n}', "c.json: is not valid JSON"),
        (b'{"model_type": "llama"} x', "c.json: is not valid JSON: Extra data (line 1, column 25)"),
        (b'{"model_type": "\xff"}', "c.json: is not UTF-8 text (line 1); save it as UTF-8"),
        (b'{"a": 1, "a": 1}', "c.json: the key 'a' stands twice in one object; keep one"),
        (b'{"x": {"a": 1, "a": 2}}', "c.json: the key 'a' stands twice in one object; keep one"),
        (b'{"vocab_size": NaN}', "c.json: NaN is not a JSON number; write a number"),
        (b'{"vocab_size": -Infinity}', "c.json: -Infinity is not a JSON number; write a number"),
        (b'{"vocab_size": ' + b"9" * 5000 + b"}", "c.json: is not usable JSON: a number has thousands of digits"),
        (b"[" * 200_000, "c.json: is not usable JSON: its lists or objects are nested too deeply"),
        (b'{"a":' * 100_000, "c.json: is not usable JSON: its lists or objects are nested too deeply"),
        (b"[1]", "c.json: is a list, not a JSON object of fields such as model_type and hidden_size"),
        (b"null", "c.json: is null, not a JSON object of fields such as model_type and hidden_size"),
        (
            b"{}",
            (
                "c.json: there is no model_type, which a config.json of Hugging Face transformers has; other files of a "
                "model, such as a params.json, are not read; it has no field that a known family has; --from transformers"
            ),
        ),
        (b'{"model_type": 3}', f"c.json: model_type must be text; {KNOWN}"),
        (b'{"architectures": 3}', "c.json: architectures must be a list of names"),
    ],
)
def test_a_file_that_is_no_config_is_refused(content: bytes, message: str) -> None:
    said = refusal(content)
    assert said.startswith(message)
    assert "\n" not in said


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (LLAMA | {"num_hidden_layers": -1}, "num_hidden_layers is -1; it must be from 1 to 100,000"),
        (LLAMA | {"num_hidden_layers": 0}, "num_hidden_layers is 0; it must be from 1 to 100,000"),
        (LLAMA | {"num_hidden_layers": 10**6}, "num_hidden_layers is 1000000; it must be from 1 to 100,000"),
        (LLAMA | {"vocab_size": 10**40}, "vocab_size = 1000000000"),
        (LLAMA | {"hidden_size": True}, "hidden_size must be a whole number, not true or false"),
        (LLAMA | {"hidden_size": 48.5}, "hidden_size must be a whole number, not a fraction"),
        (LLAMA | {"hidden_size": 48.0}, "hidden_size must be a whole number, not a fraction"),
        (LLAMA | {"hidden_size": "48"}, "hidden_size must be a whole number, not text"),
        (LLAMA | {"hidden_size": None}, "hidden_size must be a whole number, not null"),
        (LLAMA | {"hidden_size": [48]}, "hidden_size must be a whole number, not a list"),
        (
            LLAMA | {"num_attention_heads": 7, "num_key_value_heads": 7},
            "num_attention_heads is 7, which does not divide hidden_size 48; give head_dim",
        ),
        (LLAMA | {"num_key_value_heads": 4}, "num_key_value_heads is 4, which does not divide the 6 query heads"),
        (LLAMA | {"num_key_value_heads": 12}, "num_key_value_heads is 12, which does not divide the 6 query heads"),
        (LLAMA | {"tie_word_embeddings": 1}, "tie_word_embeddings must be true or false, not a number"),
        (LLAMA | {"attention_dropout": 1.5}, "attention_dropout must be a probability: 0 or more, less than 1"),
        (LLAMA | {"attention_dropout": 1}, "attention_dropout must be a probability: 0 or more, less than 1"),
        (LLAMA | {"attention_dropout": True}, "attention_dropout must be a probability: 0 or more, less than 1"),
        (LLAMA | {"hidden_act": "gelu_pytorch"}, "hidden_act is 'gelu_pytorch'; did you mean 'gelu_pytorch_tanh'?"),
        (LLAMA | {"hidden_act": 3}, "hidden_act must be the name of a function, not a number"),
        (MIXTRAL | {"num_experts_per_tok": 5}, "num_experts_per_tok is 5, more than the 4 experts that there are"),
        (MIXTRAL | {"num_experts": 3}, "num_local_experts and num_experts mean the same and differ; keep one"),
        (QWEN3_MOE | {"mlp_only_layers": [5]}, "mlp_only_layers must be a list of layer numbers from 0 to 4"),
        (QWEN3_MOE | {"decoder_sparse_step": 0}, "decoder_sparse_step is 0; it must be from 1 to 1,000,000,000"),
        ({"model_type": "gpt2", "n_head": 7}, "n_head is 7, which does not divide n_embd 768"),
        ({"model_type": "bloom", "n_head": 7}, "n_head is 7, which does not divide n_embed 64"),
    ],
)
def test_a_value_that_no_model_can_have_is_refused(config: dict[str, object], message: str) -> None:
    assert refused(config).startswith(f"c.json: {message}")


def test_heads_need_not_divide_the_width_when_their_own_is_given() -> None:
    model = read(LLAMA, num_attention_heads=7, num_key_value_heads=7, head_dim=8)
    assert model.values()[s.d_head] == 8


def test_a_token_may_visit_every_expert() -> None:
    assert read(MIXTRAL, num_experts_per_tok=4).values()[s.k] == 4


def test_the_largest_layer_count_is_read() -> None:
    assert read(QWEN3_MOE, num_hidden_layers=100_000).values()[s.L] == 100_000


def test_a_missing_a_huge_and_a_folder_path_are_refused(tmp_path: Path) -> None:
    huge = tmp_path / "config.json"
    huge.write_bytes(b" " * 1_000_001)
    for path, message in (
        (tmp_path / "none.json", "there is no such file"),
        (huge, "is larger than 1,000,000 bytes"),
        (tmp_path, "is a folder; name a JSON file in it"),
    ):
        with pytest.raises(BadInput, match=message):
            read_config(path)


_scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 70), st.integers(), st.floats(allow_nan=False), st.text(max_size=8)
)
_anything = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
_fields = sorted(families().fields | {"text_config", "is_encoder_decoder", "architectures", "quantization_config"})
_configs = st.fixed_dictionaries(
    {"model_type": st.sampled_from(sorted(families().known))},
    optional={field: st.one_of(st.integers(1, 12), st.booleans(), _anything) for field in _fields},
)


@settings(deadline=None, max_examples=60)
@given(_configs)
def test_any_fields_give_an_architecture_or_one_line(config: dict[str, object]) -> None:
    try:
        model = read(config)
    except BadInput as error:
        assert "\n" not in str(error)
    else:
        assert all(value.is_Integer and value > 0 for value in model.values().values())


@settings(deadline=None, max_examples=100)
@given(st.one_of(st.binary(max_size=40), _anything.map(lambda value: json.dumps(value).encode())))
def test_any_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        parse_config(content, "c.json")
    assert "\n" not in str(caught.value)
