"""What stages of PyTorch's pipelining over FSDP2 hold whole, counted in plain Python."""

from __future__ import annotations

import pytest

from symbolic_mem.accounts.cluster import cluster_timeline
from symbolic_mem.base.errors import BadInput
from symbolic_mem.library.read import read_study

WIDTH, INNER, HEADS, KEYS, HEAD, WORDS = 512, 1536, 8, 4, 64, 4096
SAMPLES, TOKENS, TENSOR, STAGES, MICRO = 2, 256, 2, 4, 6
BLOCKS = 8


def study(schedule="1f1b", **values):
    """A small Llama on four stages of two tensor-parallel ranks."""
    sizes = {"L": BLOCKS, "d_model": WIDTH, "d_ff": INNER, "n_heads": HEADS, "n_kv": KEYS, "d_head": HEAD, "V": WORDS}
    run = {"B": SAMPLES, "S": TOKENS, "n_fsdp": 2, "n_tp": TENSOR, "n_pp": STAGES, "n_micro": MICRO}
    tables = {
        "title": "t",
        "model": {"kind": "transformer", "loss": "fp32-held"},
        "values": {**sizes, **run, **values},
        "recipe": {"preset": "torchtitan", "recompute": "full"},
        "plan": {"preset": "torchtitan", "schedule": schedule},
    }
    return read_study(tables, "t", "t", None)


def parameters(first, last):
    """Those of a rank of two blocks, with the ends that it has."""
    block = WIDTH * HEAD * (2 * HEADS + 2 * KEYS) // TENSOR + 3 * WIDTH * INNER // TENSOR + 2 * WIDTH
    ends = WORDS * WIDTH // TENSOR
    return 2 * block + (ends if first else 0) + (ends + WIDTH if last else 0)


def of(one, name):
    """Bytes of a term at the values of a study, by rank, in the backward pass."""
    step = cluster_timeline(one.plan, one.rank, one.recipe, one.numbers, every=True)
    found = {}
    for instant in step:
        if instant.name == "backward":
            found[instant.rank] = int(instant.memory.where(lambda term: term.name == name).at(one.numbers))
    return found


RANKS = ("the first stage", "stage 2 of 4", "stage 3 of 4", "the last stage")


def test_weights_and_their_gradients_are_whole_on_each_rank():
    """In 16 bits as they are gathered, and in 32 as they are added up."""
    numbers = [parameters(rank == 0, rank == 3) for rank in range(4)]
    assert list(of(study(), "gathered weights of the stage").values()) == [2 * one for one in numbers]
    assert of(study(), "gradients of whole weights") == {
        name: 4 * one for name, one in zip(RANKS, numbers, strict=True)
    }


@pytest.mark.parametrize(
    ("schedule", "micro", "in_turn"), [("interleaved", 4, True), ("interleaved", 8, False), ("looped-bfs", 8, True)]
)
def test_gradients_of_a_chunk_are_sent_before_those_of_the_next_where_chunks_have_turns(schedule, micro, in_turn):
    """Two chunks of one block each: the first rank has the embedding with its first, the last rank the head with its second."""
    block, ends = parameters(False, False) // 2, WORDS * WIDTH // TENSOR
    expected = [(block if in_turn else 2 * block) + more for more in (ends, 0, 0, ends + WIDTH)]
    found = of(study(schedule=schedule, n_micro=micro, n_chunks=2), "gradients of whole weights")
    assert list(found.values()) == [4 * one for one in expected]
    gathered = of(study(schedule=schedule, n_micro=micro, n_chunks=2), "gathered weights of the stage")
    assert list(gathered.values()) == [2 * parameters(rank == 0, rank == 3) for rank in range(4)]


# The most that is alive in the recomputation and the backward pass of one block of torchtitan's Llama, eager, in bytes: PyTorch 2.13,
# a fake process group of 8 ranks, meta tensors, SequenceParallel and PrepareModuleInput, every storage of one rank followed.
ONE_BLOCK = {(1, 32768): 6_981_451_800, (4, 8192): 6_998_229_016}


@pytest.mark.parametrize(("samples", "tokens"), ONE_BLOCK)
def test_what_a_block_of_llama_405b_works_with_is_what_pytorch_holds(samples, tokens):
    """Within six percent: what is gathered and what the MLP makes are counted as Megatron-LM's stages have them."""
    sizes = {"L": 16, "d_model": 16384, "d_ff": 53248, "n_heads": 128, "n_kv": 8, "d_head": 128, "V": 128256}
    one = study(**sizes, B=samples, S=tokens, n_tp=8)
    names = (
        "gradients inside the MLP",
        "recomputed activations of the block at work",
        "gathered input and its gradient",
    )
    works = sum(of(one, name)["stage 2 of 4"] for name in names)
    assert works == pytest.approx(ONE_BLOCK[samples, tokens], rel=0.06)


def test_what_stages_receive_and_send():
    """A tensor to receive each micro-batch, which is the first input of those in flight, and one for its gradient; what was sent."""
    stream = 2 * SAMPLES * TOKENS * WIDTH // TENSOR
    expected = []
    for rank in range(STAGES):
        flight = min(STAGES - rank, MICRO)
        received = 0 if rank == 0 else MICRO - flight
        sent = 0 if rank == STAGES - 1 else flight + MICRO
        expected.append((received + sent) * stream)
    assert list(of(study(), "received and sent between stages").values()) == expected


def test_the_last_stage_keeps_the_logits_of_all_micro_batches():
    logits = 2 * SAMPLES * TOKENS * WORDS // TENSOR
    found = of(study(), "logits of other micro-batches")
    assert found["the last stage"] == (MICRO - 1) * logits
    assert sum(found.values()) == found["the last stage"]


def test_gradients_of_one_micro_batch_are_not_added_up():
    assert not any(of(study("gpipe", n_micro=1), "gradients of whole weights").values())


def test_the_plan_of_stages_needs_stages():
    with pytest.raises(BadInput, match=r"give n_pp of at least 2, or the plan of its parts"):
        study(n_pp=1)


def test_each_rank_has_its_rotary_tables_once():
    """Cosines and sines of every token and number of a head, in 16 bits, whatever is in flight; of two chunks twice."""
    assert of(study(), "activations of the rotary tables") == dict.fromkeys(RANKS, 2 * 2 * TOKENS * HEAD)
    two = of(study("interleaved", n_chunks=2, n_micro=8), "activations of the rotary tables")
    assert two == dict.fromkeys(RANKS, 2 * 2 * 2 * TOKENS * HEAD)
