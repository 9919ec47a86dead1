"""The header of a GGUF file: weights by name and bytes by type; the tensors themselves are a hole."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.documents.account import Account
from symbolic_mem.library.read import load_study
from symbolic_mem.models.gguf import read_header

F32, Q4_K, Q8_0 = 0, 12, 8
TENSORS = [
    ("token_embd.weight", (256, 10), Q4_K),
    *((f"blk.{i}.attn_norm.weight", (256,), F32) for i in range(2)),
    *((f"blk.{i}.attn_q.weight", (256, 256), Q8_0) for i in range(2)),
    *((f"blk.{i}.ffn_gate_exps.weight", (256, 64, 4), Q4_K) for i in range(2)),
    *((f"blk.{i}.ffn_gate_inp.weight", (256, 4), F32) for i in range(2)),
    ("rope_freqs.weight", (32,), F32),
    ("output.weight", (256, 10), Q8_0),
]
BYTES = {F32: (1, 4), Q4_K: (256, 144), Q8_0: (32, 34)}


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def content(tensors: list[tuple[str, tuple[int, ...], int]], *, version: int = 3, fields: bytes | None = None) -> bytes:
    if fields is None:
        names = b"".join(map(text, ("a", "bc")))
        fields = text("general.architecture") + struct.pack("<I", 8) + text("llama")
        fields += text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 2) + names
        fields += text("x") + struct.pack("<If", 6, 1.0)
    infos, at = b"", 0
    for name, shape, kind in tensors:
        infos += text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        infos += struct.pack("<IQ", kind, at)
        numbers, held = BYTES.get(kind, (1, 1))
        size = held
        for length in shape:
            size *= length
        at += size // numbers
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), 3 if fields else 0)
    return head + fields + infos + b"\0" * at


def test_weights_are_counted_by_name_and_bytes_by_type(tmp_path):
    path = tmp_path / "tiny.gguf"
    path.write_bytes(content(TENSORS))
    record = Account(load_study(str(path))).record
    assert record["parameters_by_group"] == {
        "token embedding": 2560,
        "attention": 2 * 256 * 256,
        "router": 2 * 1024,
        "experts": 2 * 256 * 64 * 4,
        "norm": 2 * 256,
        "head": 2560,
    }
    assert record["published_weight_bytes"] == (
        2560 // 256 * 144 + 2 * 1024 + 2 * 65536 // 32 * 34 + 2 * 65536 // 256 * 144 + 2 * 4096 + 128 + 2560 // 32 * 34
    )
    assert record["activation_bytes"] is None
    inference = load_study(str(path)).change(recipe="vllm").memory.of("weights")
    assert inference.at({}) == record["published_weight_bytes"]
    assert [term.name for term in inference] == ["Q4_K weights", "F32 weights", "Q8_0 weights"]


PROJECTED = [(f"blk.{i}.attn_{x}.weight", (256, 64), F32) for i in range(2) for x in "kv"]


@pytest.mark.parametrize(
    ("tensors", "more", "held"),
    [
        (PROJECTED, (), 3 * 50 * 2 * (64 + 64) * 2),
        (PROJECTED[:3], (), None),
        (PROJECTED, ("llama.attention.sliding_window",), None),
        (PROJECTED, ("llama.attention.shared_kv_layers",), None),
    ],
)
def test_caches_are_the_rows_of_what_projects_keys_and_values(tensors, more, held, tmp_path):
    """Of two blocks with two key-value heads of 32; not where one has no values of its own, or not all tokens stay."""
    path = tmp_path / "tiny.gguf"
    names = ("general.file_type", "llama.attention.head_count_kv", *more)
    fields = b"".join(text(name) + struct.pack("<II", 4, 2) for name in (*names, *("x",) * (3 - len(names))))
    path.write_bytes(content([*TENSORS, *tensors], fields=fields))
    one = load_study(str(path)).change(recipe="inference", values={"B": 3, "S": 50})
    assert one.memory.of("cache").at(one.values) == (held or 0)
    words = [told["what"] for told in Account(one).record["not_counted"]]
    assert any("what decoding keeps" in what for what in words) == (held is None)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"GGML", "does not begin with GGUF"),
        (b"GG", "is cut off"),
        (content([], version=1, fields=b""), "has version 1"),
        (b"GGUF" + struct.pack("<IQQ", 3, 2**60, 0), "says that it has 1,152,921,504,606,846,976 tensors"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + struct.pack("<Q", 2**40), "has a name of 1,099,511,627,776 bytes"),
        (content(TENSORS)[:-1], "past its end"),
        (content(TENSORS)[:200], "is cut off"),
        (content([("x", (256,), 99)], fields=b""), "the unknown type 99"),
        (content([("x", (100,), Q4_K)], fields=b""), "rows of 100, which are no blocks of 256"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("k") + struct.pack("<IIQ", 9, 8, 2**60), "a list of"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("k") + struct.pack("<I", 77), "a field of the unknown type 77"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("k") + struct.pack("<IIQ", 9, 0, 2**62), "is cut off"),
    ],
)
def test_a_header_that_lies_is_refused(tmp_path, data, message):
    path = tmp_path / "x.gguf"
    path.write_bytes(data)
    with pytest.raises(BadInput) as caught:
        read_header(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_one_line():
    with pytest.raises(BadInput, match="there is no such file"):
        load_study(str(Path("nowhere.gguf")))
