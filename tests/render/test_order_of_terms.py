import pytest
import sympy as sp

from symbolic_mem.accounts.account import account
from symbolic_mem.base.symbols import B, L, S, d_ff, d_model
from symbolic_mem.models.ffn import ffn
from symbolic_mem.recipes.read import recipe
from symbolic_mem.recipes.recompute import Recompute
from symbolic_mem.render.text import plain


def test_sums_of_products_with_and_without_rounding_have_an_order():
    shown = plain(d_model * sp.ceiling(L / 2) + sp.floor(L / 2) * (d_model + d_ff) + B * S)
    assert sorted(shown.split(" + ")) == sorted(["B S", "d_model ⌈1/2 L⌉", "⌊1/2 L⌋ (d_model", "d_ff)"])


@pytest.mark.parametrize(
    "rule", [Recompute("every", 2), Recompute("every", 3, "last"), Recompute("groups", 9, transient=True)]
)
@pytest.mark.parametrize("optimizer", ["adamw-8bit", "optax-adafactor", "muon"])
def test_totals_of_every_kind_of_recipe_can_be_written(rule, optimizer):
    memory = account(ffn(), recipe("autocast").with_optimizer(optimizer, step_counters=True).with_recompute(rule))
    assert plain(memory.total).count("d_ff") >= 2


def test_a_round_number_is_a_power_of_ten_as_a_person_writes_it():
    assert plain(sp.Integer(8 * 10**10) - d_ff) == "8 × 10¹⁰ − d_ff"
