"""The matrix products of a forward pass, and the account as a question."""

import pytest
import sympy as sp

from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.base.symbols import B, L, P, S, V, d_model, n_heads
from symbolic_mem.library.read import load_study
from symbolic_mem.models.transformer import transformer
from symbolic_mem.plans.load import load
from symbolic_mem.questions.account import Account
from symbolic_mem.questions.flops import Flops
from symbolic_mem.render.text import plain_prose

GPT = load_study("cs336-a1-transformer").change(values={"B": 1})
ADAMW = load_study("cs336-a1-adamw")


def flops(**keys):
    return Flops.read(keys, "my.toml", "x")


def test_the_products_are_those_of_the_layers_and_add_up():
    question = flops()
    found = question.answer(GPT)
    assert found.value == GPT.model.forward_flops.xreplace(dict(GPT.values)) == 4_513_336_524_800
    assert {part: found.number(part) for part in found.parts} == {
        "attention": 48 * 8 * 1024 * 1600**2,
        "attention scores": 48 * 4 * 1024**2 * 1600,
        "mlp": 48 * 6 * 1024 * 1600 * 6400,
        "head": 2 * 1024 * 1600 * 50257,
    }
    assert sum(found.share(part) for part in found.parts) == 100
    assert plain_prose(question.sentence(found)) == (
        "A forward pass over 1024 tokens takes 4,513,336,524,800 FLOP in its matrix products, most of them in the "
        "feed-forward layers: feed-forward layers ≈ 66.91 %, attention projections ≈ 22.30 %, attention scores and weighted "
        "values ≈ 7.137 % and head (logits) ≈ 3.649 %."
    )
    products, *_ = [block for block in question.steps(found) if hasattr(block, "rows")]
    assert len(products.rows) == 10


def test_both_descriptions_of_the_transformer_of_the_assignment_multiply_alike():
    assert sp.expand(GPT.model.forward_flops - ADAMW.model.forward_flops) == 0


def test_shares_of_several_cases_stand_side_by_side():
    question = flops(about="shares", cases=[{"name": "short", "S": 1024}, {"name": "long", "S": 16384}])
    found = question.answer(GPT)
    assert found["F_forward, long"].value == 149_522_795_724_800
    said = plain_prose(question.sentence(found))
    assert "from short to long that is a factor of ≈ 33.129" in said
    assert "attention scores and weighted values from ≈ 7.137 % to ≈ 55.15 %" in said
    *_, table = question.steps(found)
    assert [plain_prose(cell) for cell in table.rows[-1]] == [
        "all products, FLOP",
        "4,513,336,524,800",
        "149,522,795,724,800",
    ]
    assert found.record["cases"]["short"]["value"] == 4_513_336_524_800


def test_a_model_without_products_and_one_without_values_are_refused():
    with pytest.raises(BadInput, match="has no matrix product"):
        flops().answer(load_study("zero-table-1"))
    with pytest.raises(MissingValue, match="B"):
        flops().answer(ADAMW)
    with pytest.raises(BadInput, match="unknown about 'parts'"):
        flops(about="parts")


def test_the_account_is_an_expression_with_one_size_in_others():
    question = Account.read({"written": {"d_ff": "4*d_model"}}, "my.toml", "a")
    found = question.answer(ADAMW)
    assert sp.expand(found["P"].formula - (2 * V * d_model + L * (16 * d_model**2 + 2 * d_model) + d_model)) == 0
    activations = 4 * B * S * (L * (16 * d_model + 2 * n_heads * S) + d_model + 2 * V)
    assert sp.expand(found["M_activations"].formula - activations) == 0
    assert found["M_weights"].line.expr == 4 * P and found.value is None
    assert "weights M_weights = 4 P" in plain_prose(question.sentence(found))


def test_the_account_has_numbers_where_every_symbol_has_one():
    question = Account.read({"values": {"B": 2}}, "my.toml", "a")
    study = ADAMW.under(question)
    found = question.answer(study)
    assert found.value == 2 * 15_517_753_344 + 34_032_921_600
    assert question.claims(study)["P"].value == 2_127_057_600
    assert "FP32" not in plain_prose(question.sentence(found))
    with pytest.raises(BadInput, match="'d_gg' is no symbol"):
        Account.read({"written": {"d_gg": "1"}}, "my.toml", "a")


def test_a_block_in_one_layer_sends_what_its_parts_send_in_layers_of_their_own():
    """The output projection of the attention is cut by row though the feed-forward products follow it."""
    one, other = load(ADAMW.model), load(transformer())
    assert (sp.expand(one.inputs - other.inputs), sp.expand(one.outputs - other.outputs)) == (0, 0)
