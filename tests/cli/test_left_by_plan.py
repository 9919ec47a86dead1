"""What a plan leaves uncounted on one rank: each size by hand, and in every face."""

from __future__ import annotations

import json

from symbolic_mem import load_study
from symbolic_mem.cli.main import main
from symbolic_mem.questions.parts.uncounted import uncounted_records

MEGATRON = {"recipe": "megatron-18", "plan": "megatron"}
TORCH = {"recipe": "fsdp2", "plan": "fsdp2-cp"}
TOKENS, HEADS, KEYS, HEAD = 8192, 32, 8, 128  # of Llama 3.1 8B with one sequence


def sizes(how: dict, **degrees: int) -> dict[str, int]:
    """The bytes of what is left out and has a size, by the first words that say it."""
    one = load_study("llama-3.1-8b").change(values={"S": TOKENS, "B": 1} | degrees, **how)
    return {
        row["what"].partition(",")[0]: row["bytes"]
        for row in uncounted_records(one, one.values)
        if row["bytes"] is not None
    }


def test_buffers_of_megatron_are_padded_to_64_numbers_for_each_tensor():
    """Six tensors of a block and the embedding, each with less than 64 weights of 2 bytes and as many gradients of 4."""
    found = sizes(MEGATRON, n_tp=2, n_pp=4, n_micro=8, n_fsdp=2)
    assert found["padding of the buffers of weights and gradients"] == 64 * 6 * (8 * 6 + 2)
    assert found["the token ids of the micro-batches in flight"] == 8 * TOKENS * 4
    assert sizes(MEGATRON, n_tp=2)["the token ids of the micro-batches in flight"] == 8 * TOKENS


def test_megatron_keeps_a_table_of_rotations_for_each_chunk():
    """Megatron-LM d98e8a6, rotary_pos_embedding.py: the angles of a rank's tokens in FP32, cached for each model chunk."""
    name, engine = "the table of rotations in FP32", MEGATRON | {"profile": "te-cuda-bf16"}
    assert sizes(engine, n_tp=2, n_pp=4, n_micro=8)[name] == 4 * TOKENS * HEAD
    assert sizes(engine, n_tp=2, n_cp=4)[name] == 4 * TOKENS // 4 * HEAD
    assert name not in sizes(MEGATRON, n_tp=2)  # profile torch-cuda-bf16 counts the tables
    one = load_study("gpt2-xl").change(plan="megatron", values={"n_fsdp": 2})
    assert not any("rotations" in row["what"] for row in uncounted_records(one, one.values))


def test_latent_attention_has_one_for_each_block_of_the_rank_with_most():
    one = load_study("cluster-deepseek-v3")
    found = {row["what"]: row["bytes"] for row in uncounted_records(one, one.values)}
    words = "the tables of rotations in FP32, one for each block, as latent attention makes them"
    assert found[words] == 8 * 4 * 4096 * 64  # two stages of four blocks, and 64 turned of each head


def test_keys_and_values_go_round_the_ring_in_pieces():
    found = sizes(MEGATRON, n_tp=2, n_cp=4, n_fsdp=2)
    assert found["keys and values that go round the ring"] == 2 * 2 * TOKENS // 4 * KEYS * HEAD // 2
    others = (sizes(MEGATRON, n_tp=2, n_fsdp=2), sizes(MEGATRON | {"plan": "megatron-all-to-all"}, n_cp=4, n_fsdp=2))
    assert not any("keys and values that go round the ring" in one for one in others)


def test_pytorch_gathers_keys_and_values_of_the_whole_sequence_for_each_query_head():
    """Whatever the number of ranks: `docs/accuracy.md` names 2 GiB of Llama 3.1 405B with 262,144 tokens on 8 ranks of n_tp."""
    for ranks in (2, 8):
        assert (
            sizes(TORCH, n_cp=ranks, n_fsdp=2)["keys and values of the whole sequence"] == 2 * 2 * TOKENS * HEADS * HEAD
        )
    assert "keys and values of the whole sequence" not in sizes(TORCH, n_cp=1, n_fsdp=2)


def test_ranks_that_share_a_key_value_head_gather_what_they_project():
    name = "queries"  # keys and values of all ranks
    assert sizes(MEGATRON, n_tp=16, n_fsdp=2)[name] == 2 * TOKENS * (HEADS + 2 * KEYS) * HEAD
    assert name not in sizes(MEGATRON, n_tp=8, n_fsdp=2)


P = 8_030_261_248  # parameters of Llama 3.1 8B
DDP, DEEPSPEED = (
    "the buckets of DistributedDataParallel",
    "the bucket in which DeepSpeed reduces gradients",
)


def test_data_parallelism_keeps_gradients_twice_unless_they_are_views_of_its_buckets():
    """Measured on one process, PyTorch 2.13, CPU, six linear layers of 4096 x 4096.

    Its memory grows by 2.012 times the gradients in the first backward pass, by 1.012 with gradient_as_bucket_view; without it 1.012
    stay when the gradients are freed.
    """
    for plan in ("dp", "zero-1"):
        assert sizes({"recipe": "pure-bf16", "plan": plan})[DDP] == 2 * P
        assert sizes({"recipe": "fsdp2", "plan": plan}, n_fsdp=8)[DDP] == 4 * P
    adapters = 32 * 8 * (2 * (4096 + 4096) + 2 * (4096 + 1024) + 3 * (4096 + 14336))  # of rank 8, all that is trained
    assert sizes({"recipe": "lora", "plan": "dp"})[DDP] == 4 * adapters
    assert DDP not in sizes({"recipe": "fsdp2", "plan": "fsdp2"}) | sizes({"recipe": "fsdp2", "plan": "dp"}, n_fsdp=1)


def test_deepspeed_reduces_in_a_bucket_of_its_own_size_and_a_copy_of_it():
    """Numbers in the dtype of the weights, whatever the model: a bucket of 131,072 in BF16 is two tensors of 262,144 bytes."""
    for recipe, each in (("pure-bf16", 2), ("bf16-master", 2), ("fp32", 4)):
        assert sizes({"recipe": recipe, "plan": "zero-2"}, n_fsdp=8)[DEEPSPEED] == 2 * each * 500_000_000


def test_deepspeed_copies_a_rank_s_gradients_for_its_step():
    """Measured (tests/data/measure_deepspeed.py), 393,216 parameters over 4 ranks: at the step 196,608 bytes flattened, and 393,216 in FP32."""
    name = "the copies that DeepSpeed makes of a rank's gradients for its step: flattened"
    assert (196_608 + 393_216) * 4 / 393_216 == 2 + 4
    assert sizes({"recipe": "bf16-master", "plan": "zero-2"}, n_fsdp=8)[name] == (2 + 4) * P // 8
    assert sizes({"recipe": "fp32", "plan": "zero-2"}, n_fsdp=8)[name] == 4 * P // 8
    assert name not in sizes({"recipe": "pure-bf16", "plan": "zero-2"}, n_fsdp=8)


def test_an_answer_of_one_device_lists_no_buckets(run):
    """One process reduces nothing: what is not counted is that of the answer's own number of devices."""
    asked = ("solve", "llama-3.1-8b", "--plan", "zero-1", "--recipe", "pure-bf16", "--set", "B=1", "--set", "S=2048")
    for device, value, listed in (("h200", 1, False), ("h100-80gb", 1, False), ("mi250x", 2, True)):
        found = json.loads(run(*asked, "--device", device, "--json").out)
        assert found["value"] == value
        assert any(DDP in row["what"] for row in found["not_counted"]) == listed
        said = run(*asked, "--device", device).out
        assert (DDP in said, "What is not counted may not fit beside it." in said) == (listed, listed)


def test_each_is_said_in_every_face(run, tmp_path):
    given = ("cluster-mixtral-8x7b", "--set", "n_cp=2")
    lines = run("account", *given).out.splitlines()
    rows = json.loads(run("account", *given, "--json").out)["not_counted"]
    assert run("report", *given, "-o", "all.md").status == 0
    page = (tmp_path / "all.md").read_text(encoding="utf-8")
    for words in ("padding of the buffers", "the token ids", "go round the ring"):
        (line,) = (line for line in lines if words in line)
        (row,) = (row for row in rows if words in row["what"])
        assert line.startswith("not counted") and row["bytes"] > 0 and row["formula"]
        assert words in page


def test_workspaces_that_the_engine_counts_leave_the_allocator_alone(capsys):
    """What a process takes beside them is left of the range: its context alone."""
    assert main(["account", "cluster-gpt-3-175b"]) == 0
    said = capsys.readouterr().out
    assert "on NVIDIA GPUs 518.625 MiB to ≈ 1.1151 GiB, and 1.007 to 1.093 times what is allocated" in said
