"""A model's folder: the headers of its files, held against its config; no tensor is read."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.documents.account import Account
from symbolic_mem.library.read import load_study
from symbolic_mem.models.safetensors import INDEX, header, stored_tensors

CONFIG = {
    "model_type": "llama",
    "hidden_size": 8,
    "intermediate_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "vocab_size": 20,
}
LAYER = {
    "input_layernorm": (8,),
    "post_attention_layernorm": (8,),
    "self_attn.q_proj": (8, 8),
    "self_attn.k_proj": (4, 8),
    "self_attn.v_proj": (4, 8),
    "self_attn.o_proj": (8, 8),
    "mlp.gate_proj": (12, 8),
    "mlp.up_proj": (12, 8),
    "mlp.down_proj": (8, 12),
}
WEIGHTS = {
    "model.embed_tokens.weight": (20, 8),
    **{f"model.layers.{i}.{name}.weight": shape for i in range(2) for name, shape in LAYER.items()},
    "model.norm.weight": (8,),
    "lm_head.weight": (20, 8),
}
BYTES = {"BF16": 2, "F32": 4, "I32": 4, "F8_E4M3": 1}


def described(tensors: dict[str, tuple[int, ...]], dtype: str = "BF16") -> dict[str, object]:
    table, at = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in tensors.items():
        size = math.prod(shape) * BYTES[dtype]
        table[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    return table


def write(path: Path, table: dict[str, object], room: int | None = None) -> None:
    """A file whose tensors are a hole: it has its length, and nothing in it can be read by mistake."""
    content = json.dumps(table).encode()
    ends = [row["data_offsets"][1] for name, row in table.items() if name != "__metadata__"]
    with path.open("wb") as file:
        file.write(len(content).to_bytes(8, "little") + content)
        file.truncate(8 + len(content) + (max(ends, default=0) if room is None else room))


def folder(path: Path, tensors: dict[str, tuple[int, ...]], dtype: str = "BF16", **config: object) -> Path:
    (path / "config.json").write_text(json.dumps(CONFIG | config))
    write(path / "model.safetensors", described(tensors, dtype))
    return path


def files(path: Path) -> dict:
    return Account(load_study(str(path))).record["files"]


def test_files_that_hold_what_the_config_says(tmp_path):
    study = load_study(str(folder(tmp_path, WEIGHTS)))
    record = Account(study).record
    assert record["files"] == {
        "tensors": 21,
        "elements": record["parameters"],
        "bytes": 2 * record["parameters"],
        "bytes_by_dtype": {"BF16": 2 * record["parameters"]},
        "parameters_against_config": 0,
        "explanation": "",
    }
    assert f"They hold the {int(record['parameters']):,} parameters that the config gives." in study.model.said
    assert study.change(profile="hf-cuda-bf16").built.files == study.built.files


def test_a_difference_is_explained_by_the_names_of_tensors(tmp_path):
    extra = {f"model.layers.2.{name}.weight": shape for name, shape in LAYER.items()}
    found = files(folder(tmp_path, WEIGHTS | extra | {"model.layers.2.eh_proj.weight": (8, 16)}))
    assert found["parameters_against_config"] == sum(map(math.prod, extra.values())) + 128
    assert "prediction +128" in found["explanation"]
    assert "model.layers.*.eh_proj.weight" in found["explanation"]


def test_buffers_and_a_tied_head_that_is_stored_twice_are_no_difference(tmp_path):
    buffers = {"model.layers.0.self_attn.rotary_emb.inv_freq": (2,)}
    found = files(folder(tmp_path, WEIGHTS | buffers, tie_word_embeddings=True))
    assert found["parameters_against_config"] == 0
    assert found["elements"] == sum(map(math.prod, WEIGHTS.values())) + 2


def test_packed_weights_are_not_counted_against_the_config(tmp_path):
    packed = {name.replace("proj.weight", "proj.qweight"): shape for name, shape in WEIGHTS.items()}
    assert files(folder(tmp_path, packed, "I32"))["parameters_against_config"] is None


def test_shards_are_found_by_their_index_and_one_that_is_missing_is_named(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    names = list(WEIGHTS)
    halves = {"a.safetensors": names[:9], "b.safetensors": names[9:]}
    places = {name: file for file, some in halves.items() for name in some}
    (tmp_path / INDEX).write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": places}))
    write(tmp_path / "a.safetensors", described({name: WEIGHTS[name] for name in names[:9]}))
    with pytest.raises(BadInput, match=r"b\.safetensors: this file of weights, which .* names, is missing; fetch it"):
        load_study(str(tmp_path))
    write(tmp_path / "b.safetensors", described({name: WEIGHTS[name] for name in names[9:]}))
    assert files(tmp_path)["parameters_against_config"] == 0
    write(tmp_path / "b.safetensors", described({name: WEIGHTS[name] for name in names[10:]}))
    with pytest.raises(BadInput, match="is in none of the files that it names"):
        load_study(str(tmp_path))


@pytest.mark.parametrize("place", ["../a.safetensors", "/etc/passwd", "sub/a.safetensors"])
def test_an_index_names_files_of_its_folder_only(tmp_path, place):
    (tmp_path / INDEX).write_text(json.dumps({"weight_map": {"x": place}}))
    with pytest.raises(BadInput, match="is not the name of a file beside it"):
        stored_tensors(tmp_path)


def test_a_config_without_weights_beside_it_is_read_alone(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    assert "files" not in Account(load_study(str(tmp_path))).record


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a header of 0 bytes follows, and the file has 0 in all"),
        (b"\x08\0\0\0\0\0\0\0{}", "a header of 8 bytes follows, and the file has 10 in all"),
        (b"\xff" * 8 + b"{}", "a header of 18,446,744,073,709,551,615 bytes follows"),
        (b"\x02\0\0\0\0\0\0\0[]", "is a list, not a JSON object"),
        (b"\x02\0\0\0\0\0\0\0{x", "is not valid JSON"),
    ],
)
def test_a_header_that_lies_about_its_length_is_refused(tmp_path, content, message):
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(BadInput) as caught:
        header(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (3, "has no description"),
        ({"dtype": "F99", "shape": [1], "data_offsets": [0, 2]}, "has the unknown dtype 'F99'"),
        ({"dtype": ["F32"], "shape": [1], "data_offsets": [0, 2]}, "has the unknown dtype"),
        ({"dtype": "BF16", "shape": [-1], "data_offsets": [0, 2]}, "has no shape of whole numbers"),
        ({"dtype": "BF16", "shape": [1], "data_offsets": [0]}, "has no place"),
        ({"dtype": "BF16", "shape": [1], "data_offsets": [0, 99]}, "should lie at bytes 0 to 99 of 4"),
        ({"dtype": "BF16", "shape": [1], "data_offsets": [2, 0]}, "should lie at bytes 2 to 0 of 4"),
        ({"dtype": "BF16", "shape": [7], "data_offsets": [0, 4]}, "has 4 bytes, which do not fit its shape"),
    ],
)
def test_a_tensor_that_does_not_fit_its_place_is_refused(tmp_path, row, message):
    path = tmp_path / "x.safetensors"
    content = json.dumps({"w": row}).encode()
    path.write_bytes(len(content).to_bytes(8, "little") + content + b"\0" * 4)
    with pytest.raises(BadInput, match="the tensor 'w'") as caught:
        header(path)
    assert message in str(caught.value)
