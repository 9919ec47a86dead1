"""What a rank of a cluster sends in a step, against counts of its collectives one by one."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
import sympy as sp

from symbolic_mem.accounts.ranks import ranks
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import n_chunks, n_cp, n_ep, n_etp, n_fsdp, n_micro, n_pp, n_replica, n_tp
from symbolic_mem.library.read import load_study, read_study
from symbolic_mem.plans.pipeline import pipeline
from symbolic_mem.questions.layouts import Layouts
from symbolic_mem.questions.parts.sends import idle, volumes
from symbolic_mem.recipes.read import read_recipe

SIZES = {"L": 8, "d_model": 512, "d_ff": 2048, "n_heads": 16, "n_kv": 8, "d_head": 32, "V": 32768, "B": 2, "S": 1024}
AXES = {"n_tp": 4, "n_pp": 2, "n_cp": 2, "n_fsdp": 8, "n_micro": 16}


def study(plan: str | dict, model: dict | None = None, **values: int):
    tables = {
        "title": "x",
        "model": {"kind": "transformer", "profile": "te-cuda-bf16"} | (model or {}),
        "values": SIZES | AXES | values,
        "recipe": {"preset": "megatron-18"},
        "plan": {"preset": plan} if isinstance(plan, str) else plan,
    }
    return read_study(tables, "x", "x", None)


def walked(*, divided: bool) -> dict[str, Fraction]:
    """Every ring collective of every block and micro-batch, added up."""
    v = SIZES | AXES
    stream = 2 * v["B"] * (v["S"] // v["n_cp"]) * v["d_model"]  # bytes of the residual stream, whole, in BF16
    ring = Fraction(v["n_tp"] - 1, v["n_tp"])
    sent: dict[str, Fraction] = {"n_tp": Fraction(0), "n_cp": Fraction(0), "n_pp": Fraction(0)}
    for _ in range(v["n_micro"]):
        for _ in range(v["L"] // v["n_pp"]):
            for _part in ("attention", "MLP"):
                for _way in ("forward", "backward"):
                    sent["n_tp"] += 2 * ring * stream  # gathered and summed, an all-reduce in two halves
                if divided:
                    sent["n_tp"] += ring * stream  # the input is gathered again for the gradient of the weight
            keys = 2 * 2 * v["B"] * (v["S"] // v["n_cp"]) * (v["n_kv"] // v["n_tp"]) * v["d_head"]
            sent["n_cp"] += 3 * (v["n_cp"] - 1) * keys  # forward, again backward, and the gradients
        sent["n_pp"] += 2 * Fraction(stream, v["n_tp"] if divided else 1)  # to the next stage, and the gradient back
    return sent


@pytest.mark.parametrize(("plan", "divided"), [("megatron", True), ("megatron-no-sp", False)])
def test_what_is_sent_is_the_sum_of_all_collectives(plan, divided):
    found = {str(axis): size for axis, (_, size) in volumes(study(plan)).axes.items()}
    right = walked(divided=divided)
    assert {axis: found[axis] for axis in right} == right


def test_gradients_and_weights_are_sent_once_in_a_step():
    one = study("megatron", n_cp=1, n_tp=1, n_pp=1)
    parameters = one.numbers[one.model.parameters]
    assert volumes(one).axes[n_fsdp][1] == Fraction(7, 8) * 6 * parameters


def test_experts_are_sent_their_tokens_and_send_them_back():
    one = study("megatron", {"experts": True}, E=8, k=2, d_expert=256, n_ep=4)
    tokens = SIZES["B"] * SIZES["S"] // (AXES["n_cp"] * AXES["n_tp"])
    each = 2 * tokens * SIZES["d_model"] * 2  # two choices of every token, in BF16
    assert volumes(one).axes[n_ep][1] == AXES["n_micro"] * (SIZES["L"] // AXES["n_pp"]) * 4 * each * Fraction(3, 4)


def test_experts_are_summed_over_their_own_replicas():
    """Dense parameters over n_fsdp n_cp devices, those of experts over as many as each of them has."""
    one = study("megatron", {"experts": True}, E=8, k=2, d_expert=256, n_ep=4)
    v, found = SIZES | AXES, volumes(one)
    experts = v["L"] * 3 * (8 // 4) * 256 * v["d_model"] // v["n_pp"]
    replicas = v["n_fsdp"] * v["n_cp"] * v["n_tp"] // 4
    dense = one.numbers[one.model.parameters] / v["n_pp"] - experts
    group = v["n_fsdp"] * v["n_cp"]
    right = 6 * dense * Fraction(group - 1, group) + 6 * experts * Fraction(replicas - 1, replicas)
    assert found.axes[n_fsdp][1] == right and set(found.held.values()) == {dense, experts}


def test_routed_experts_take_the_place_of_the_gathers_of_an_mlp():
    """A block with experts gathers and sums for attention alone, and for its shared experts where it has some."""
    plain = volumes(study("megatron")).axes[n_tp][1]
    experts = {"E": 8, "k": 2, "d_expert": 256, "n_ep": 4}
    assert volumes(study("megatron", {"experts": True}, **experts)).axes[n_tp][1] == plain / 2
    assert volumes(study("megatron", {"experts": {"d_shared": 64}}, **experts)).axes[n_tp][1] == plain


def test_latent_attention_gathers_its_narrow_vectors_and_sends_its_wide_keys():
    latent = {"d_c": 64, "d_cq": 96, "d_nope": 32, "d_rope": 16, "d_v": 32}
    one, v = study("megatron", {"latent": True}, **latent), SIZES | AXES
    tokens, blocks = v["B"] * v["S"] // v["n_cp"], v["L"] // v["n_pp"] * v["n_micro"]
    narrow, wide = 64 + 96 + 16, v["d_model"]
    each = 2 * tokens * (3 * narrow + 2 * wide + 5 * wide)
    assert volumes(one).axes[n_tp][1] == blocks * each * Fraction(v["n_tp"] - 1, v["n_tp"])
    keys = 2 * tokens * (v["n_heads"] // v["n_tp"]) * (32 + 16 + 32)
    assert volumes(one).axes[n_cp][1] == blocks * 3 * (v["n_cp"] - 1) * keys


def test_all_to_all_exchanges_what_goes_into_attention_and_what_comes_out():
    v = SIZES | AXES
    tokens, blocks = v["B"] * v["S"] // v["n_cp"], v["L"] // v["n_pp"] * v["n_micro"]
    widths = (2 * v["n_heads"] + 2 * v["n_kv"]) * v["d_head"] // v["n_tp"]
    found = volumes(study("megatron-all-to-all")).axes[n_cp][1]
    assert found == blocks * 2 * 2 * tokens * widths * Fraction(v["n_cp"] - 1, v["n_cp"])


def test_parts_of_an_expert_gather_the_rows_of_each_other():
    one = study("megatron", {"experts": True}, E=8, k=2, d_expert=256, n_ep=2, n_etp=2)
    tokens = SIZES["B"] * SIZES["S"] // (AXES["n_cp"] * AXES["n_tp"])
    rows = 2 * tokens * SIZES["d_model"] * 2
    assert volumes(one).axes[n_etp][1] == AXES["n_micro"] * (SIZES["L"] // AXES["n_pp"]) * 4 * rows


def test_ptd_p_sends_eight_times_the_stream_for_each_block_and_once_more_for_each_chunk():
    """Narayanan et al. (2021), section 3.2: 8 b s h (t - 1)/t elements a layer and micro-batch, and b s h from stage to stage."""
    v = SIZES | AXES | {"n_cp": 1}
    stream, t = v["B"] * v["S"] * v["d_model"], v["n_tp"]
    found = volumes(study("megatron-no-sp", n_cp=1)).axes
    each = found[n_tp][1] / 2 / v["n_micro"] / (v["L"] // v["n_pp"])
    assert each == 8 * stream * Fraction(t - 1, t)
    assert found[n_pp][1] / 2 / v["n_micro"] == 2 * stream
    tables = {"preset": "zero-1+megatron-tp+pp", "schedule": "interleaved"}
    more = volumes(study(tables, n_cp=1, n_chunks=2)).axes[n_pp][1]
    assert more == 2 * found[n_pp][1]


@pytest.mark.parametrize(
    ("plan", "times"),
    [("dp+torch-tp", 2 * 4), ("zero-1+torch-tp", 4 + 2), ("zero-2+torch-tp", 4 + 2), ("zero-3+torch-tp", 2 + 2 + 4)],
)
def test_data_parallelism_sends_as_often_as_zero_says(plan, times):
    """Rajbhandari et al. (2020), section 7: gradients summed are sent twice, or once with the weights; all divided three times."""
    one = study(plan, n_cp=1, n_pp=1)
    parameters = one.numbers[one.model.parameters]
    assert volumes(one).axes[n_fsdp][1] == times * parameters * Fraction(7, 8)


def test_weights_that_stay_whole_are_gathered_once_and_replicas_sum_their_parts():
    kept = study({"preset": "fsdp2+torch-tp", "reshard": False}, n_cp=1, n_pp=1)
    parameters = kept.numbers[kept.model.parameters]
    assert volumes(kept).axes[n_fsdp][1] == 6 * parameters * Fraction(7, 8)
    inside = study({"preset": "fsdp2+torch-tp", "reshard": 4}, n_cp=1, n_pp=1)
    assert volumes(inside).axes[n_fsdp][1] == parameters * (6 * Fraction(7, 8) + 2 * Fraction(3, 4))
    over_all = volumes(study({"preset": "fsdp2+torch-tp", "reshard": 8}, n_cp=1, n_pp=1)).axes[n_fsdp]
    assert over_all == volumes(study("fsdp2+torch-tp", n_cp=1, n_pp=1)).axes[n_fsdp]
    hybrid = volumes(study("hsdp+torch-tp", n_cp=1, n_pp=1, n_replica=2)).axes
    assert hybrid[n_replica][1] == 8 * parameters / 8 * Fraction(1, 2)


def test_an_axis_of_one_device_sends_nothing():
    assert set(volumes(study("megatron", n_cp=1, n_pp=1)).axes) == {n_tp, n_fsdp}
    assert n_cp in volumes(study("megatron")).axes


def test_the_bubble_is_that_of_ptd_p():
    """Narayanan et al. (2021), section 2.2: (p - 1)/m, and with v chunks (p - 1)/(v m)."""
    given = {n_pp: sp.Integer(8), n_micro: sp.Integer(64), n_chunks: sp.Integer(3)}
    found = [pipeline(name).bubble.xreplace(given) for name in ("gpipe", "1f1b", "interleaved")]
    assert found == [sp.Rational(7, 64), sp.Rational(7, 64), sp.Rational(7, 192)]


def test_gradients_that_context_ranks_share_are_summed_between_them_once():
    # FSDP over 8 ranks beside 2 context ranks of their own: each rank sums its eighth in FP32, twice round a ring of 2
    one = study("fsdp2+cp", n_tp=1, n_pp=1)
    rest = volumes(study("fsdp2+cp", n_tp=1, n_pp=1, B=4)).axes[n_cp][1] - volumes(one).axes[n_cp][1]
    parameters = one.numbers[one.model.parameters]
    assert volumes(one).axes[n_cp][1] - rest == 2 * 4 * Fraction(parameters, 8) * Fraction(1, 2)


def test_the_last_stage_has_its_own_copy_of_a_matrix_that_the_first_has_too():
    """GPT-2 XL: 48 blocks, norms, positions, and the vocabulary, padded to a multiple of 128, once on the first stage and once on the last."""
    blocks, width, rows = 48 * (12 * 1600**2 + 13 * 1600), 1600, 50304
    whole = blocks + 2 * width + 1024 * width + rows * width
    for stages, copies in ((1, 0), (2, 1), (4, 1)):
        one = load_study("gpt2-xl").change(plan="megatron", values={"n_pp": stages, "n_micro": 8, "n_fsdp": 2})
        found = volumes(one)
        assert list(found.held.values()) == [Fraction(whole + copies * rows * width, stages)]
        assert found.axes[n_fsdp][1] == Fraction(1, 2) * 8 * Fraction(whole + copies * rows * width, stages)


def test_stages_whose_ranks_have_both_ends_have_one_copy():
    """ZBV has both ends on its first rank; of a vocabulary that all divide, padded to a multiple of 4 times 128, each has a part."""
    blocks, width, few = 48 * (12 * 1600**2 + 13 * 1600), 1600, 2 * 1600 + 1024 * 1600
    one = load_study("gpt2-xl").change(plan="megatron", values={"n_pp": 4, "n_micro": 8, "n_fsdp": 2})
    for schedule, right in (("zbv", blocks + few + 50304 * width), ("vocab-1", blocks + 4 * few + 50688 * width)):
        found = volumes(replace(one, plan=replace(one.plan, schedule=schedule)))
        assert list(found.held.values()) == [Fraction(right, 4)], schedule


@pytest.mark.parametrize("name", ["cluster-gpt-3-175b", "cluster-llama-3-405b", "cluster-mixtral-8x7b", "gpt2-xl"])
def test_an_average_stage_has_the_mean_of_what_all_have(name):
    one = load_study(name)
    if name == "gpt2-xl":
        one = one.change(plan="megatron", values={"n_pp": 4, "n_micro": 8, "n_fsdp": 2})
    stages = ranks(one.plan, one.rank, one.numbers)
    own = sum(one.numbers[rank.parameters(experts=kind)] for rank in stages for kind in (False, True))
    assert len(stages) == one.values[n_pp]
    assert sum(volumes(one).held.values()) * len(stages) == own


LLAMA, ADAPTERS = 8_030_261_248, 32 * 8 * (2 * 4096 + 4096 + 1024)  # rank 8 on q_proj and v_proj of 32 blocks
PACKED = 32 * (2 * 4096**2 + 2 * 4096 * 1024 + 3 * 4096 * 14336)  # the matrices of the blocks


@pytest.mark.parametrize(
    ("plan", "size"),
    [
        ("dp", 8 * ADAPTERS),  # gradients in FP32, summed
        ("zero-1", (4 + 4) * ADAPTERS),  # and the weights of adapters, which are FP32
        ("fsdp2", (2 + 2) * LLAMA + (2 + 2 + 4) * ADAPTERS),  # all weights gathered in BF16, of adapters gradients
    ],
)
def test_frozen_weights_send_no_gradients(plan, size):
    one = load_study("lora-llama-3.1-8b").change(plan=plan, values={"n_fsdp": 8})
    assert volumes(one).axes[n_fsdp][1] == Fraction(7, 8) * size


def test_blocks_that_no_gradient_has_to_reach_are_gathered_once():
    """Adapters on the last 16 of 32 blocks, nothing recomputed: the first 16 have no backward pass. Embedding and head have one."""
    block = PACKED // 32 + 2 * 4096
    lora = {"adapters": ["q_proj", "v_proj"], "rank": 8, "layers": list(range(16, 32))}
    one = load_study("llama-3.1-8b")
    recipe = read_recipe({"preset": "lora", "trained": lora}, "x")
    one = one.change(plan="fsdp2", recipe=recipe, values={"n_fsdp": 8})
    right = 4 * LLAMA - 2 * 16 * block + 8 * ADAPTERS // 2
    assert volumes(one).axes[n_fsdp][1] == Fraction(7, 8) * right
    again = one.change(recompute="full")  # PEFT asks for the gradient of what enters the first block
    assert volumes(again).axes[n_fsdp][1] == Fraction(7, 8) * (4 * LLAMA + 8 * ADAPTERS // 2)


def test_packed_weights_are_gathered_as_they_are_packed():
    """NF4: half a byte, a byte of a scale for 64 numbers, and 4 bytes for 256 scales; embedding, head and norms have BF16."""
    one = load_study("qlora-llama-3.1-8b").change(plan="fsdp2", values={"n_fsdp": 8})
    each = Fraction(1, 2) + Fraction(1, 64) + Fraction(4, 64 * 256)
    adapters = 32 * 64 * (2 * (4096 + 4096) + 2 * (4096 + 1024) + 3 * (4096 + 14336))
    right = 2 * each * PACKED + 4 * (LLAMA - PACKED) + 8 * adapters
    assert volumes(one).axes[n_fsdp][1] == Fraction(7, 8) * right


def test_each_kind_of_gradient_has_its_own_bytes():
    """PEFT has adapters in FP32, and what is trained whole beside them in BF16."""
    trained = {"adapters": ["q_proj", "v_proj"], "rank": 8, "whole": ["head"]}
    tables = {
        "title": "x",
        "model": {"kind": "transformer", "profile": "torch-cuda-bf16"},
        "values": SIZES | {"n_fsdp": 8},
        "recipe": {"preset": "lora", "trained": trained},
        "plan": {"preset": "dp"},
    }
    one, v = read_study(tables, "x", "x", None), SIZES
    heads, keys = v["n_heads"] * v["d_head"], v["n_kv"] * v["d_head"]
    adapters = v["L"] * 8 * (2 * v["d_model"] + heads + keys)
    whole = v["V"] * v["d_model"]
    assert volumes(one).axes[n_fsdp][1] == Fraction(7, 8) * 2 * (4 * adapters + 2 * whole)


def test_gradients_that_are_summed_in_fp32_beside_are_sent_so():
    one = load_study("llama-3.1-8b").change(plan="dp", recipe="playbook-20", values={"n_fsdp": 8})
    assert volumes(one).axes[n_fsdp][1] == Fraction(7, 8) * 8 * LLAMA


def test_a_degree_over_which_a_plan_cuts_nothing_sends_nothing():
    """Mixtral has values for stages and experts; under a plan without them a rank has all blocks and experts, and 4 times as much to gather."""
    one = load_study("cluster-mixtral-8x7b")
    alone = one.change(plan="zero-1+megatron-sp")
    found = volumes(alone)
    assert set(found.axes) == {n_tp, n_fsdp}
    assert sum(found.held.values()) == alone.numbers[alone.model.parameters]
    v = {str(symbol): int(value) for symbol, value in one.values.items()}
    stream = 2 * v["B"] * v["S"] * v["d_model"]
    assert found.axes[n_tp][1] == 5 * stream * v["L"] * Fraction(v["n_tp"] - 1, v["n_tp"])
    assert idle(alone) == tuple(
        f"{name} = {v[name]} divides nothing under plan zero-1+megatron-sp" for name in ("n_pp", "n_ep")
    )
    assert idle(one) == ()


OWN = {"title": "x", "source": "x"}


@pytest.mark.parametrize(
    ("cuts", "axis", "ways"),
    [({"inner": "n_tp"}, n_tp, 4), ({"heads": "n_tp", "keys": "n_tp"}, n_tp, 4), ({"inner": "n_cp"}, n_cp, 4)],
)
def test_what_is_sent_along_an_axis_follows_from_what_is_cut_over_it(cuts, axis, ways):
    """An MLP or an attention that alone is cut: two all-reduces of the stream for each block, along the axis that the row names."""
    one = study(
        OWN | {"cuts": cuts, "sends": "dp", "divided": ["optimizer"]},
        n_tp=2 if axis == n_tp else 1,
        n_cp=2 if axis == n_cp else 1,
        n_pp=1,
    )
    stream = 2 * SIZES["B"] * SIZES["S"] * SIZES["d_model"]
    found = volumes(one).axes
    assert set(found) == {axis, n_fsdp}
    assert found[axis][1] == ways * stream * SIZES["L"] * Fraction(1, 2)


def test_a_dimension_over_two_axes_at_once_is_refused():
    one = study(OWN | {"cuts": {"inner": "n_tp*n_cp"}, "sends": "dp", "divided": ["optimizer"]}, n_pp=1)
    with pytest.raises(BadInput, match=r"what is sent is known along single axes"):
        volumes(one)


def test_a_mesh_whose_sending_is_not_known_is_not_refused_for_it():
    """The MLP over two axes at once: the memory of a rank is known, and what it sends is not."""
    cut = {"cuts": {"inner": "n_tp*n_cp"}, "rests": {"inner": "uneven"}, "sends": "dp", "divided": ["optimizer"]}
    one = study(OWN | cut, n_tp=1, n_cp=1, n_pp=1, n_fsdp=1)
    found = Layouts("a", devices=4).answer(one.change(device="h100-80gb")).facts["meshes"]
    assert {row["refused"] for row in found} == {None} and None in {row["sent_bytes"] for row in found}
