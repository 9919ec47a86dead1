import re

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolic_mem.accounts.account import account
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import L, d_ff, d_model, n_fsdp
from symbolic_mem.hardware.software import read_software
from symbolic_mem.library.read import load_study
from symbolic_mem.models.ffn import ffn
from symbolic_mem.models.tensors import Layer, Matmul, Model, Tensor
from symbolic_mem.plans.engines import engines
from symbolic_mem.plans.placement import over
from symbolic_mem.questions.parts.uncounted import uncounted_lines
from symbolic_mem.recipes.optimizers import optimizers
from symbolic_mem.recipes.read import presets, read_recipe, recipe
from symbolic_mem.recipes.recompute import Recompute
from symbolic_mem.render.text import plain_prose

PARAMETERS = 2 * L * d_ff * d_model
WHERE = "my.toml [recipe]"


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("cs336", 16),  # assignment 2: FP32 weights, gradients and two moments
        ("zero-16", 16),  # arXiv:1910.02054, section 3.1: 2 + 2 + K, K = 12
        ("megatron-18", 18),  # theoretical memory report without distributed optimizer
        ("deepspeed-z2-20", 20),  # estimate_zero2: 2 + 18 / N at N = 1
        ("deepspeed-z3-18", 18),  # estimate_zero3: 18 / N
        ("playbook-16", 16),  # Ultra-Scale Playbook: 2 + 2 + 4 + 8
        ("playbook-20", 20),  # and FP32 gradients
        ("scaling-book-10", 10),  # 2 + 4 + 4, chapter Training, question 2
        ("accelerate", 8),  # the maximum rule in half precision
        ("fsdp2", 16),  # 12 with FP32 master and moments, and 4 of gradients
        ("fp32", 16),
        ("bf16-master", 16),  # the ZeRO sum in BF16
        ("pure-bf16", 8),  # moments follow the parameters: 2 + 2 + 4
    ],
)
def test_bytes_per_parameter_are_the_published_ones(name, printed):
    assert recipe(name).bytes_per_parameter == printed
    assert account(ffn(), recipe(name)).static == printed * PARAMETERS


@pytest.mark.parametrize(
    ("sharded", "gigabytes"), [((), 120), (("optimizer",), "31.40625"), (("optimizer", "gradients"), "16.640625")]
)
def test_zero_figure_1(sharded, gigabytes):
    # Rajbhandari et al. (2020), figure 1: 7.5 billion parameters, 64 devices: 120 / 31.4 / 16.6 / 1.9 GB
    placed = account(ffn(), recipe("zero-16")).place(**dict.fromkeys(sharded, over(n_fsdp)))
    psi = sp.Integer(7_500_000_000)
    per_device = placed.static.xreplace({L: psi / 2, d_ff: sp.S.One, d_model: sp.S.One, n_fsdp: sp.Integer(64)})
    assert per_device == sp.Rational(gigabytes) * 10**9


def test_megatron_distributed_optimizer_is_six_and_twelve_over_dp():
    placed = account(ffn(), recipe("megatron-18")).place(optimizer=over(n_fsdp))
    assert sp.expand(placed.static - 6 * PARAMETERS - 12 * PARAMETERS / n_fsdp) == 0


def test_deepspeed_zero_2_is_two_and_eighteen_over_n():
    placed = account(ffn(), recipe("deepspeed-z2-20")).place(optimizer=over(n_fsdp), gradients=over(n_fsdp))
    assert sp.expand(placed.static - 2 * PARAMETERS - 18 * PARAMETERS / n_fsdp) == 0


def test_fp8_keeps_a_scale_for_every_tile_and_half_size_moments():
    # DeepSeek-V3, arXiv:2412.19437, section 3.3: 128 x 128 weights and 1 x 128 activations share an FP32 scale
    weight, gain = Tensor("W_in", (sp.Integer(7168), sp.Integer(2100))), Tensor("g", (sp.Integer(7168),))
    read, other = Tensor("x", (sp.Integer(128),), feeds="linear layer"), Tensor("y", (sp.Integer(128),))
    model = Model("one", (Layer("linear", weights=(weight, gain), saved=(read, other), block="block"),))
    memory = account(model, recipe("fp8"))
    parameters = 7168 * 2100
    assert memory.of("weights").total == parameters + 4 * 56 * 17 + 2 * 7168
    assert memory.of("optimizer").total == (4 + 2 + 2) * (parameters + 7168)
    assert memory.of("activations").total == (128 + 4) + 2 * 128
    assert recipe("fp8").bytes_per_parameter is None


def test_autocast_copies_the_weights_of_products_only():
    model = Model(
        "block",
        (
            Layer("embedding", weights=(Tensor("E", (sp.Integer(100), sp.Integer(8))),)),
            Layer("norm", weights=(Tensor("g", (sp.Integer(8),)),)),
            Layer(
                "linear",
                weights=(Tensor("W", (sp.Integer(8), sp.Integer(9))), Tensor("b", (sp.Integer(9),))),
                matmuls=(Matmul("x W", sp.Integer(2), sp.Integer(8), sp.Integer(9)),),
            ),
        ),
    )
    # fake-tensor measurement, PyTorch 2.13: embedding, norm and bias have no copy that backward keeps
    assert account(model, recipe("autocast")).of("buffers").total == 2 * 8 * 9


def test_copies_that_the_model_states_are_not_counted_twice():
    copy = Tensor("BF16 W", (sp.Integer(8), sp.Integer(9)), "saved", bytes_per_element=sp.Integer(2), kind="buffers")
    linear = Layer(
        "linear",
        weights=(Tensor("W", (sp.Integer(8), sp.Integer(9))),),
        saved=(copy,),
        matmuls=(Matmul("x W", sp.Integer(2), sp.Integer(8), sp.Integer(9)),),
    )
    assert account(Model("linear", (linear,)), recipe("autocast")).of("buffers").total == 2 * 8 * 9


def test_gradients_that_do_not_persist_are_absent_when_the_activations_are_all_there():
    kept, freed = recipe("cs336"), recipe("cs336").without_persistent_gradients()
    assert account(ffn(), kept).total - account(ffn(), freed).total == 4 * PARAMETERS
    assert account(ffn(), kept, at="step") == account(ffn(), freed, at="step")
    assert account(ffn(), freed, at="step").total == 16 * PARAMETERS
    assert "optimizer step" in freed.said[-1]
    with pytest.raises(BadInput, match="unknown moment 'later' of a training step; known: backward, step"):
        account(ffn(), kept, at="later")


def test_a_change_is_said_once_and_the_last_one_of_a_thing_alone():
    freed = recipe("fsdp2").without_persistent_gradients()
    assert freed.with_gradients("freed").changes == freed.changes != ()
    assert freed.with_gradients("kept").changes == freed.with_gradients("one-by-one").changes == ()
    (said,) = freed.with_gradients("kept").with_optimizer("sgd").with_optimizer("lion").changes
    assert "the optimizer is Lion" in said
    caches = recipe("inference").with_cache("fp8").with_pages(16).with_cache("int8").with_pages(32).changes
    assert len(caches) == 2 and "pages of 32" in caches[1] and "fp8" not in "".join(caches).lower()


@given(
    preset=st.sampled_from(sorted(name for name, one in presets().items() if one.trains)),
    one=st.sampled_from(sorted(optimizers())),
    other=st.sampled_from(sorted(optimizers())),
)
@settings(deadline=None, max_examples=40)
def test_the_last_optimizer_counts_and_everything_else_stays(preset, one, other):
    twice = recipe(preset).with_optimizer(one, step_counters=True).with_optimizer(other)
    once = recipe(preset).with_optimizer(other)
    assert twice.states == once.states
    stays = [state for state in recipe(preset).states if not state.moment]
    assert [state for state in once.states if not state.moment] == stays


def test_a_table_of_a_study():
    read = read_recipe(
        {"preset": "zero-16", "gradients": 4, "optimizer": "lion", "gradients_persist": False, "recompute": "full"},
        WHERE,
    )
    assert [(state.name, state.bytes_per_element) for state in read.states] == [
        ("FP16 weights", 2),
        ("gradients", 4),
        ("FP32 master weights", 4),
        ("Lion momentum", 4),
    ]
    assert not read.gradients_persist
    assert read.recompute == Recompute("full")
    assert read_recipe({}, WHERE) == recipe("cs336")
    assert read_recipe({"optimizer": 2}, WHERE).bytes_per_parameter == 12
    assert read_recipe({"weights": "1/2"}, WHERE).bytes_per_parameter == sp.Rational(25, 2)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"presets": "cs336"}, r"my.toml \[recipe\]: unknown key 'presets'; did you mean 'preset'\?"),
        ({"preset": "cs-336"}, r"unknown recipe 'cs-336'; did you mean 'cs336'\?"),
        ({"preset": 3}, "preset must be text, not a whole number"),
        ({"optimizer": "adamww"}, r"unknown optimizer 'adamww'; did you mean 'adamw'\?"),
        ({"optimizer": True}, "optimizer is given in bytes per element, for example optimizer = 2"),
        ({"gradients": -1}, r"my.toml \[recipe\]: gradients '-1' is not a positive number"),
        ({"gradients": [2]}, "gradients is given in bytes per element"),
        ({"preset": "scaling-book-10", "gradients": 2}, "recipe 'scaling-book-10' keeps no 'gradients'"),
        ({"preset": "fp8", "weights": 2}, "fixes the bytes of its FP8 weights; leave weights as it is"),
        ({"preset": "autocast", "activations": 4}, "recipe 'autocast' trains in 16 bits with .*; leave activations as"),
        ({"gradients_persist": "no"}, "gradients_persist must be true or false, not text"),
        ({"step_counters": True}, "step_counters belongs to an optimizer by name; add for example optimizer = 'adamw'"),
        ({"recompute": "some"}, "unknown recomputation 'some'"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(table, message):
    with pytest.raises(BadInput, match=message):
        read_recipe(table, WHERE)


def test_every_preset_names_its_source_and_leaves_nothing_unsaid():
    for name, preset in presets().items():
        assert preset.name == name
        assert preset.title and preset.source and preset.not_counted and preset.activations_reason
        assert all(state.reason for state in preset.states)


def test_a_state_in_other_bytes_is_no_longer_named_by_its_dtype():
    changed = recipe("fp32").override({"weights": sp.Integer(2), "optimizer": sp.Integer(1)})
    assert [(state.name, state.bytes_per_element, state.reason) for state in changed.states] == [
        ("weights", 2, "2 bytes, as given"),
        ("gradients", 4, "FP32"),
        ("AdamW moments", 1, "1 byte, as given"),
    ]
    assert recipe("fp32").override({"weights": sp.Integer(4)}).states == recipe("fp32").states


@pytest.mark.parametrize("name", ["cs336", "fsdp2"])
def test_what_is_assumed_of_an_optimizer_goes_with_it(name):
    assert any("AdamW" in said for said in recipe(name).said)
    assert not any("AdamW" in said for said in recipe(name).with_optimizer("lion").said)


def test_other_bytes_for_saved_tensors_are_another_precision():
    given = recipe("cs336").override({"activations": sp.Integer(4)})
    assert (given.activations, given.precisions, given.activations_reason) == (4, ("FP32",), "")
    assert given.bytes_per_parameter == 16
    odd = recipe("cs336").override({"activations": sp.Rational(3, 2)})
    assert (odd.activations, odd.precisions) == (sp.Rational(3, 2), ())
    same = recipe("cs336").override({"activations": sp.Integer(2)})
    assert (same.precisions, same.activations_reason) == (
        recipe("cs336").precisions,
        recipe("cs336").activations_reason,
    )


def test_a_pass_of_prefill_works_on_so_many_tokens_or_on_all():
    assert recipe("inference").with_prefill(512).prefill == 512
    assert recipe("inference").with_prefill(512).with_prefill(0).prefill is None
    with pytest.raises(BadInput, match=r"^prefill"):
        recipe("inference").with_prefill(-1)


def test_a_recipe_shows_its_states_its_recomputation_and_its_source():
    shown = recipe("cs336")._repr_mimebundle_()["text/html"]
    cells = [re.sub(r"<[^>]*>", "", cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", shown, re.DOTALL)]
    states = ["master weights", "accumulated gradients", "AdamW moments"]
    assert cells[0::2] == [*states, "activations", "recomputation", "source"]
    assert cells[7:10:2] == ["2 bytes for each element that is kept", "nothing is recomputed"]


def test_what_is_changed_of_inference_is_said():
    plain = recipe("inference")
    paged, filled = plain.with_pages(16), plain.with_prefill(512)
    assert (paged.page, paged.changes) == (16, ("Changed from the preset: caches are in pages of 16 tokens.",))
    assert filled.changes == ("Changed from the preset: a pass of prefill works on 512 tokens at once.",)
    whole = filled.with_prefill(0)
    assert whole.prefill is None and "works on all tokens of all sequences at once" in whole.changes[-1]
    assert plain.with_prefill(0) is plain and plain.with_pages(plain.page) is plain


def test_a_study_chooses_the_schedule_and_the_cache():
    assert read_recipe({"preset": "fsdp2", "schedule": "sum"}, WHERE).schedule == ""
    assert read_recipe({"preset": "inference", "cache": "fp8"}, WHERE).cache.bytes_each == 1


def test_what_changes_nothing_is_not_said():
    zero = recipe("cs336").override({"weights": 4})
    assert zero.changes == ("Changed from the preset: weights: 4 bytes each.",)
    assert recipe("cs336").override({}).changes == ()


def test_inference_has_no_gradients_to_free():
    with pytest.raises(BadInput, match="has no gradients; leave optimizer_in_backward out"):
        recipe("inference").in_backward_pass()


def test_whose_parameters_a_state_is_of():
    assert [state.of for state in recipe("lora").states][:5] == ["base", "adapters", "adapters", "adapters", "whole"]
    assert {state.of for state in recipe("fsdp2").states} == {""} and recipe("cs336").units == 1


def test_a_notebook_shows_the_bytes_of_each_state():
    shown = recipe("cs336")._repr_mimebundle_()["text/html"]
    assert re.search("master weights</th><td[^>]*>4 bytes for each parameter<", shown)


def test_what_an_engine_holds_for_itself_has_the_range_that_software_counts():
    engines = [one for one in presets().values() if one.engine or one.serves]
    assert len(engines) == 14
    assert all(sum(bool(said.software) for said in one.not_counted) == 1 for one in engines)
    study = load_study("llama-3.1-8b")
    (line,) = (
        plain_prose(said) for _, said in uncounted_lines(study, study.values) if "fragmentation" in plain_prose(said)
    )
    counted = {one.name: one for one in read_software("all").overheads}
    low, high = (sum(getattr(counted[name], side) for name in ("context", "workspaces")) for side in ("low", "high"))
    assert line.endswith(
        f"on NVIDIA GPUs {low / 2**20} MiB to ≈ {high / 2**30:.4f} GiB, and 1.007 to 1.093 times what is allocated"
    )


def test_workspaces_that_an_engine_counts_are_not_in_the_range_of_what_is_not_counted():
    sizes = {"n_tp": 2, "n_pp": 2, "n_fsdp": 2, "n_micro": 4, "B": 1}
    study = load_study("llama-3.1-8b").change(recipe="pure-bf16", plan="megatron", values=sizes)
    (line,) = (
        plain_prose(said) for _, said in uncounted_lines(study, study.values) if "fragmentation" in plain_prose(said)
    )
    (context,) = read_software("context").overheads
    assert engines()[study.plan.engine].bytes and f"NVIDIA GPUs {context.low / 2**20} MiB to" in line


def test_every_recipe_that_trains_names_the_runtime_among_what_it_does_not_count():
    """No account has the context of a process, so a list that leaves it out is silent about it."""
    for name, how in presets().items():
        named = {part for one in how.not_counted for part in one.software}
        compiled = any("XLA" in one.words for one in how.not_counted)  # which allocates all of a step beforehand
        assert not how.trains or compiled or named == {"context", "workspaces", "allocator"}, name
