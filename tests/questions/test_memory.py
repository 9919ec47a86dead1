"""Steps from a model to its memory: every line holds, parts sum to the whole."""

from __future__ import annotations

import pytest
import sympy as sp

from symbolic_mem.base.symbols import L, M_activations, M_total, P
from symbolic_mem.document.prose import Amount, Chain
from symbolic_mem.document.steps import Step, Table
from symbolic_mem.document.work import FalseLine, Work
from symbolic_mem.library.read import load_study
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.questions.parts.memory import memory_blocks, term_table
from symbolic_mem.questions.parts.parameters import experts_tables
from symbolic_mem.render.text import plain_prose
from symbolic_mem.study.changed_recipe import use_recompute

MODELS = ("llama-3.1-8b", "mixtral-8x7b", "deepseek-v3", "gpt2-xl", "cs336-a2-xxl", "kv-cache")


@pytest.mark.parametrize("name", MODELS)
def test_the_derived_totals_are_those_of_the_account(name):
    study = load_study(name)
    work = Work(study.values)
    memory_blocks(study, work, KINDS)
    values = dict(study.values)
    assert work.values[M_total] == study.memory.total.xreplace(values)
    assert work.values[M_activations] == study.memory.of("activations").total.xreplace(values)
    assert work.values[P] == study.model.parameters.xreplace(values)


@pytest.mark.parametrize("name", MODELS)
def test_the_table_of_terms_sums_to_its_last_row(name):
    study = load_study(name)
    *rows, last = term_table(study.memory, study.values).rows
    figures = [int(row[2].parts[0].value) for row in rows]
    assert sum(figures) == int(last[2].parts[0].value)
    assert len(rows) == len(study.memory)


def test_a_wrong_line_is_refused():
    work = Work(load_study("llama-3.1-8b").values)
    with pytest.raises(FalseLine):
        work.check(Chain(L, (("=", Amount(sp.Integer(33))),)))


def test_experts_are_tabled_in_all_and_active():
    # Jiang et al. (2024) name 47B and 13B; transformers counts 46,702,792,704, of which 12,879,925,248 are active
    (table,) = _experts("mixtral-8x7b")
    *_, whole, active = (plain_prose(cell) for cell in table.rows[-1])
    assert (whole, active) == ("46,702,792,704", "12,879,925,248")
    assert _experts("llama-3.1-8b") == ()


def _experts(name: str):
    study = load_study(name)
    return experts_tables(study.model, study.built.architecture, study.values)


def test_every_kept_tensor_has_its_reason():
    blocks = memory_blocks(load_study("llama-3.1-8b"), Work(load_study("llama-3.1-8b").values), KINDS)
    (table,) = [b for b in blocks if isinstance(b, Table) and plain_prose(b.caption).startswith("Every tensor")]
    rows = [[plain_prose(cell) for cell in row] for row in table.rows]
    assert all(why for *_, why in rows)
    assert [row[1] for row in rows if row[1] in ("q", "k", "v", "out", "logsumexp")] == [
        "q",
        "k",
        "v",
        "out",
        "logsumexp",
    ]


def test_what_is_recomputed_at_a_time_is_a_buffer():
    study = load_study("llama-3.1-8b").called([use_recompute({"rule": "full", "transient": True})])
    blocks = memory_blocks(study, Work(study.values), KINDS)
    said = [plain_prose(block.statement) for block in blocks if isinstance(block, Step)]
    assert any(sentence.startswith("Buffers") for sentence in said)
