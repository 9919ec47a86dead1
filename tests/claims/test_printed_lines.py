"""What a derivation prints on a line may be claimed as it stands there: its number, and its formula in the symbols of the page."""

import pytest
from sampled import sampled

from symbolic_mem.base.errors import BadInput
from symbolic_mem.claims.check import check
from symbolic_mem.claims.names import same_symbol
from symbolic_mem.claims.printed_lines import numbers_of_lines
from symbolic_mem.document.steps import Step
from symbolic_mem.documents.documents import homework
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study
from symbolic_mem.render.text import plain

STUDIES = ["cs336-a2-xxl", "llama-3.1-8b", "cs336-a1-adamw", "headroom", "lora-llama-3.1-8b"]


@pytest.mark.usefixtures("verdicts_alone")
@pytest.mark.parametrize("name", sampled(bundled(), 12))
def test_every_line_of_a_worked_solution_is_right_under_its_question(name):
    """Formulas, numbers put in and numbers; what is only required of the values that are solved for is refused."""
    study, wrong, right = load_study(name), [], 0
    for part in homework(study, detail="full").sections:
        chains = [chain for block in part.blocks if isinstance(block, Step) for chain in block.chains if part.label]
        for chain in chains:
            for relation, side in chain.links:
                if relation not in ("=", "≈"):
                    break
                said = f"{plain(chain.left)} {relation} {plain(side)}"
                try:
                    verdict = check(study, said, question=part.label)
                except BadInput:
                    wrong += [] if chain.asked else [said]
                else:
                    wrong += [] if verdict.right else [said]
                    right += verdict.right
    assert not wrong
    assert right or name in ("cluster-deepseek-v3", "cluster-mixtral-8x7b")  # which ask nothing that is derived


@pytest.mark.parametrize("name", STUDIES)
def test_every_number_of_a_line_is_right_by_the_name_on_its_left(name):
    study, found = load_study(name), set()
    for question in study.questions:
        for one in numbers_of_lines(study, question):
            if not one.name.replace("_", "").replace(" ", "").isalnum() or one.unit == "s":
                continue  # no name, or among the seconds that `comms` prints
            if any(same_symbol(name, one.name) for name in question.claimable):
                continue  # what the question asks for has one answer
            said = f"{one.name} = {one.shown.figures} {one.unit}".strip()
            assert check(study, said, question=question.label).right, said
            found.add(one.name)
    assert found


@pytest.mark.parametrize(
    "claim", ["T_min = 5111.1", "T_min = X C/(n_pp M_X W)", "T_min = 25,301.7 tokens", "T_min = 10,222.2"]
)
def test_lines_of_several_ways_share_a_name(claim):
    assert check(load_study("cs336-a2-xxl"), claim, question="d").right


@pytest.mark.parametrize("claim", ["T_min = 3924.8", "T_min = 15,699.2", "T_min = X C/(n_pp M_X W)"])
def test_a_line_is_not_the_answer_of_a_question_that_asks_for_its_name(claim):
    assert not check(load_study("cs336-a2-xxl"), claim, question="c").right
    assert not check(load_study("cs336-a2-xxl"), claim).right


@pytest.mark.parametrize(("name", "label", "before"), [("scaling-book-h100s", "b", 9), ("set-sharding", "c", 11)])
def test_a_degree_before_the_rule_of_a_question_is_not_its_answer(name, label, before):
    study = load_study(name)
    assert not check(study, f"n_fsdp = {before}", question=label).right
    assert check(study, "n_fsdp = 16", question=label).right
    (part,) = (part for part in homework(study, detail="full").sections if part.label == label)
    chains = [chain for block in part.blocks if isinstance(block, Step) for chain in block.chains]
    lines = [f"{plain(chain.left)} {sign} {plain(side)}" for chain in chains for sign, side in chain.links]
    assert not any(line == f"n_fsdp = {before}" for line in lines)
    assert any(line.startswith("⌈M_div") and line.endswith(f"⌉ = {before}") for line in lines)


NEAR = [
    ("cs336-a2-2026-memory", "M_linear = 1600 MiB", "M_linear = 1601 MiB"),
    ("cs336-a2-buckets", "t_13 = 2.6675 ms", "t_13 = 2.6676 ms"),
    ("scaling-book-inference", "M_seq = 6.7109 GB", "M_seq = 6.7108 GB"),
    ("scaling-book-llama3-70b", "P_all = 70,552,387,584", "P_all = 70,552,387,585"),
    ("set-communication", "T_best = 12,755.6", "T_best = 12,755.7"),
    ("flops-palm-chinchilla", "C_train = 6 D N", None),
    ("playbook", "M_states, 1B = 16 Ψ", "M_states, 1B = 15 Ψ"),
    ("playbook", "M_act = 275.93 GB", "M_act = 275.94 GB"),
    ("scaling-book-training", "13,005,000/d_ff = 940.76 tokens per chip", "13,005,000/d_ff = 940.75 tokens per chip"),
    ("cs336-a1-adamw", "B_max = (8e10 - 34032921600)/15517753344", "B_max = (8e10 - 34032921601)/15517753344"),
    (
        "llama-3.1-8b",
        "M_act = M_embedding + M_recomputed block + M_final norm + M_head and loss",
        "M_act = M_embedding + M_recomputed block",
    ),
    ("cs336-a2-xxl", "M_weights = 879,394,553,856", None),
    ("cs336-a2-xxl", "(2 P)/(n_pp Y) = 25.59375 GiB", "(2 P)/(n_pp Y) = 25.69375 GiB"),
]


@pytest.mark.parametrize(("name", "said", "near"), NEAR, ids=[f"{row[0]}: {row[1]}" for row in NEAR])
def test_a_symbol_of_a_line_is_known_and_its_neighbour_is_wrong(name, said, near):
    study = load_study(name)
    assert check(study, said).right
    assert near is None or not check(study, near).right


def test_what_is_only_required_where_it_is_solved_is_refused():
    with pytest.raises(BadInput, match="requires that where it solves"):
        check(load_study("cs336-a2-xxl"), "t_fsdp = t_tp", question="c")


def test_a_bound_at_another_mesh_has_another_symbol():
    study = load_study("cs336-a2-xxl")
    assert (
        check(study, "T_best = 3924.8", question="c").right and not check(study, "T_min = 3924.8", question="c").right
    )


@pytest.mark.parametrize(
    ("claim", "right"),
    [
        ("M_fix = M_act + M_buffers", True),
        ("M_fix = M_buffers + M_act", True),
        ("M_div = M_static", True),
        ("P_embedding = V d_model", True),
        ("P_embedding = 2 V d_model", False),
        ("P_embedding = 525,336,576", True),
        ("P_embedding = 525 million parameters", True),
        ("P_embedding = 500M", False),
    ],
)
def test_a_formula_is_read_in_the_symbols_that_the_line_prints(claim, right):
    assert check(load_study("llama-3.1-8b"), claim).right is right


@pytest.mark.parametrize("name", ["cs336-a1-adamw", "cs336-a1-2026-adamw"])
def test_an_account_that_is_an_expression_is_right_as_it_is_printed(name):
    study = load_study(name)
    heads = 8 if name == "cs336-a1-adamw" else "28/3"
    layers = f"8 B S L (S n_heads + {heads} d_model) + 4 B S (2 V + d_model)"
    for claim in (f"M_act = {layers}", f"activations = {layers}", "M_weights = 4 P", "M_optimizer = 8 P"):
        assert check(study, claim).right, claim
    for claim in ("M_weights = 2 P", "M_optimizer = 4 P", "M_act = 12 B S L"):
        assert not check(study, claim).right, claim


def test_what_a_question_has_as_an_expression_has_its_number_in_the_account():
    study = load_study("cs336-a1-adamw")
    assert check(study, "M_weights = 8.508 GB").right  # 4 bytes for each of 2,127,057,600
    assert not check(study, "M_weights = 8.6 GB").right


@pytest.mark.parametrize(
    "left",
    [
        "⌈M_div/(C_mem − M_fix)⌉",
        "⌈M_div/(C_mem - M_fix)⌉",
        r"\left\lceil \frac{M_{\mathrm{div}}}{C_{\mathrm{mem}} - M_{\mathrm{fix}}}\right\rceil",
    ],
)
def test_a_formula_on_the_left_may_have_any_signs(left):
    study = load_study("set-sharding")
    assert check(study, f"{left} = 11", question="c").right
    assert not check(study, f"{left} = 12", question="c").right
