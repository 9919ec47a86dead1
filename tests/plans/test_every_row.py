"""Every bundled plan is checked against a published table or against measured cases, and says against which."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from symbolic_mem.documents.account import Account
from symbolic_mem.library.read import load_study
from symbolic_mem.plans.known import plan_tables
from symbolic_mem.plans.read import plan, plans
from symbolic_mem.verify.cases import Compared, read_cases
from symbolic_mem.verify.families import compare_case, family_of

DATA = Path(__file__).parent.parent / "data"
EXACT = ("torch-", "fsdp2-", "mcore-params")


def rows_of(said) -> set[str]:
    """The bundled rows that the plan of a study has a part in: those that its name joins, and what they are products of."""
    given = (said.get("plan") or {}).get("preset") or "one-device"
    found = set(given.split("+"))
    found |= {part for name in found for part in plan_tables()[name].get("product", ())}
    made = replace(plan(given), name="", title="", source="")
    return found | {name for name, one in plans().items() if replace(one, name="", title="", source="") == made}


@cache
def said_of() -> dict[str, dict[str, list[Compared]]]:
    """Cases that a study says, by row and by family: one of those of a family whose ids differ in numbers alone.

    Numbers that make another plan of them, and those of tables, count as other words.
    """
    wanted = {family for row in plan_tables().values() for family in named(row["checked"])}
    found: dict[str, dict[str, list[Compared]]] = defaultdict(lambda: defaultdict(list))
    asked: set[str] = set()
    for case in (*read_cases(DATA / "parallel.json"), *read_cases(DATA / "peaks.json")):
        family = family_of(case)
        kind = re.sub(r"(?<!rep)(?<!cp)(?<!pp)(?<!titan-t)\d+", "", case.id)
        if family is None or family.beginning not in wanted or kind in asked:
            continue
        asked.add(kind)
        row = compare_case(case)
        if row.said is not None and row.miss is not None:
            for name in rows_of(row.said):
                found[name][row.family].append(row)
    return found


def share(row: Compared) -> float:
    theirs = max(row.case.theirs) if isinstance(row.case.theirs, list) else row.case.theirs
    return abs(float(row.miss)) / theirs


def named(checked: str) -> list[str]:
    """The families that a row names: `cases a, b: what they are`."""
    return checked.removeprefix("cases ").partition(":")[0].split(", ") if checked.startswith("cases ") else []


@pytest.mark.parametrize("name", [name for name in plans() if named(plan_tables()[name]["checked"])])
def test_a_row_that_names_cases_is_checked_by_cases_of_each(name):
    """To the byte where an engine was asked, and at least one case of a real run within 3 %."""
    for family in named(plan_tables()[name]["checked"]):
        rows = said_of()[name][family]
        assert rows, f"no case of {family} is said with plan {name}"
        assert min(map(share, rows)) <= 0.03
        if family.startswith(EXACT):
            assert all(row.miss == 0 for row in rows)


def test_a_row_that_names_no_cases_is_checked_by_a_printed_table():
    """`test_bytes_of_one_device_are_those_of_zero_table_1` has those of ZeRO, and the test below those of vLLM."""
    others = {name for name in plans() if not named(plan_tables()[name]["checked"])}
    assert others == {"dp", "zero-1", "zero-2", "zero-3", "vllm-tp", "dcp"}


@pytest.mark.parametrize(
    ("study", "ranks", "printed"),
    [
        ("llama-3.1-70b", 8, 16.4610),  # vllm-project/vllm-ascend, issue 2235: DeepSeek-R1-Distill-Llama-70B, -tp=8
        ("llama-3.1-8b", 2, 7.5100),  # aws-ia/terraform-aws-eks-blueprints, patterns/multi-node-vllm: two ranks
    ],
)
def test_weights_of_a_rank_are_what_vllm_prints_when_it_has_loaded_them(study, ranks, printed):
    """In GiB, which it calls GB; beside the weights it makes a rotary table of 131,072 positions in BF16."""
    one = load_study(study).change(recipe="inference", plan="vllm-tp", values={"n_tp": ranks})
    (weights,) = (term["bytes"] for term in Account(one).record["terms"] if term["kind"] == "weights")
    assert (weights + 131_072 * 128 * 2) / 2**30 == pytest.approx(printed, abs=0.001)
    assert str(f"{printed:.4f}") in plan_tables()["vllm-tp"]["checked"]


@pytest.mark.parametrize(
    ("config", "ranks", "divided", "copies"),
    [
        ("deepseek-v3", 8, 1, 8),  # DeepSeek-R1
        ("deepseek-v3", 8, 8, 1),
        ("deepseek-v3", 16, 1, 16),  # Kimi-K2, whose attention is that of DeepSeek-R1
        ("deepseek-v3", 16, 8, 2),
        ("deepseek-v3", 16, 16, 1),
        ("qwen3-235b-a22b", 8, 1, 2),
        ("qwen3-235b-a22b", 8, 2, 1),
    ],
)
def test_copies_of_a_cache_are_those_of_the_case_study_of_vllm(config, ranks, divided, copies):
    study = load_study(str(DATA / "hf_configs" / f"{config}.json"))
    whole, one = (
        study.change(recipe="vllm", plan="vllm-tp+dcp", values={"n_tp": n, "n_dcp": parts, "B": 1, "S": 4096})
        for n, parts in ((1, 1), (ranks, divided))
    )
    of_all = ranks * one.memory.of("cache").at(one.values)
    assert of_all == copies * whole.memory.of("cache").at(whole.values)
