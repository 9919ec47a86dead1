"""Claims that the package once judged wrongly, or explained with a false sentence, and what it must say of them.

The sum beside each row is plain arithmetic of the claim, not of the package.
"""

import pytest
from sampled import sampled

from symbolic_mem.claims.check import check
from symbolic_mem.claims.verdicts import verdict_words
from symbolic_mem.library.read import load_study
from symbolic_mem.render.text import plain_prose

TB = 10**12
STATIC, ACTIVATIONS = 3276 * 2**30, 2142 * 2**30  # 16 bytes to each parameter; and the saved tensors
XXL = "cs336-a2-xxl"

ONCE = [
    (XXL, "n_fsdp=49", "b, remark", "is right"),
    (XXL, "n_fsdp=46", "b, remark", "it is 49, so the claim is 3 too few"),
    (XXL, "n_fsdp=none", None, "is right: no number of devices is enough"),
    (XXL, "n_fsdp=38", "b", "“states only”"),
    (
        XXL,
        "n_fsdp=45.76",
        "b",
        "it is 46, so the claim is 0.24 too few (≈ -0.52 %). One slip gives it: “not rounded up”",
    ),
    (XXL, "n_fsdp=4500", "b", "4454 too many (about 98 times the truth). No known slip"),
    (XXL, "devices=68.0", "a", "is right"),
    (
        XXL,
        "devices=67.725",
        "a",
        "it is 68, so the claim is 0.275 too few (≈ -0.4 %). One slip gives it: “not rounded up”",
    ),
    (XXL, "devices=69", "a", "“reported bytes of the device”"),
    (XXL, "total=6 TB", None, f"≈ {(STATIC + ACTIVATIONS) / TB:.5f} TB"),
    (XXL, "total=5.42 TB", None, "“GiB printed as GB”"),
    (XXL, "static=3.28 TB", None, f"it is ≈ {STATIC / TB:.5f} TB"),
    (XXL, "static=3.276 TiB", None, "“1000 for 1024 between units”"),
    (XXL, "activations=2.14 TB", None, f"it is ≈ {ACTIVATIONS / TB:.5f} TB"),
    (
        XXL,
        "activations=1071 GiB",
        None,
        "it is 2142 GiB, so the claim is 1071 GiB too little (the truth is 2 times the claim)",
    ),
    (XXL, "parameters=439697276928", None, "(2 times the truth)"),
    (XXL, "P=219.8B", None, "is right to four figures: the exact number is 219,848,638,464"),
    (XXL, "batch_sequences=19.96", "c", "it is 20, so the claim is 0.04 too few"),
    (XXL, "batch_tokens=20444", "c", "cannot tell which: “floor for ceiling”"),
    (XXL, "batch_tokens_per_chip=319", "c", "cannot tell which: “floor for ceiling”"),
    ("scaling-book-h100s", "n_fsdp=16", "b", "is right"),
    ("scaling-book-h100s", "n_fsdp=9", "b", "“rules forgotten”"),
    ("qwen3-30b-a3b", "n_fsdp=7", "c", "it is 8, so the claim is 1 too few"),
    ("llama-3.1-8b", "n_fsdp=2", "c", "is right"),
    ("gpt2-xl", "n_fsdp=1", "c", "is right"),
    ("llama-3.1-70b", "n_fsdp=none", "c", "is right: no number of devices is enough"),
    ("llama-3.1-405b", "parameters=405e9", None, "“figures cut off”"),
    ("cs336-a1-adamw", "B=2", None, "is right"),
    ("zero-table-1", "stage_1_at_64=31.4 GB", None, "is right to three figures: the exact number is 31.40625 GB"),
    ("cs336-a2-buckets", "615.4 MB", None, "is right to four figures: the exact number is ≈ 615.385 MB"),
    ("cluster-mixtral-8x7b", "M_fix=32.564 GiB", None, "is right to five figures"),
    ("cluster-mixtral-8x7b", "M_fix=32.564 GB", None, "it is ≈ 34.9656 GB"),
    ("cs336-a1-adamw", "15.5 GB * B + 34.0 GB", "b", "is right to two figures in its numbers"),
    ("cs336-a1-adamw", "15.6 GB * B + 34.0 GB", "b", "is wrong: the formula is"),
    ("cs336-a2-optimizer-sharding", "total=16.749 GiB", None, "No known slip, and no likely pair of them"),
]


@pytest.mark.parametrize(
    ("study", "claim", "question", "said"), sampled(ONCE, 10), ids=lambda one: one and str(one)[:30]
)
def test_a_claim_that_was_once_judged_wrongly(study, claim, question, said):
    verdict = check(load_study(study), claim, question=question)
    words = plain_prose(verdict_words(verdict))
    assert said in words
    assert verdict.right == ("is right" in said)
    assert ("is right" in words) == verdict.right
