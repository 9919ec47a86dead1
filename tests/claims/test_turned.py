"""Claims in the order of words that people write: the name before its number, behind it, in a sentence; counts by any word for them."""

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.claims.check import check
from symbolic_mem.claims.table import check_rows, read_claims
from symbolic_mem.claims.verdict import Unread, Verdict
from symbolic_mem.library.read import load_study

SAID = [
    ("cs336-a2-xxl", None, "n_fsdp 46", "n_fsdp", "n_fsdp 47"),
    ("cs336-a2-xxl", None, "the weights take 819 GiB", "weights", "the weights take 829 GiB"),
    ("cs336-a2-xxl", None, "the size of the weights is 819 GiB", "weights", None),
    ("cs336-a2-xxl", None, "static comes to 3276 GiB", "static", "static comes to 3376 GiB"),
    ("cs336-a2-xxl", None, "answer: static = 3276 GiB", "static", "answer: static = 3376 GiB"),
    ("cs336-a2-xxl", None, "question b: n_fsdp = 46", "n_fsdp", "question b: n_fsdp = 45"),
    ("cs336-a2-xxl", None, "each device holds 94.5 GiB", "M_device", "each device holds 84.5 GiB"),
    ("llama-3.1-8b", None, "each device holds 79.31 GiB", "M_device", "each device holds 79.65 GiB"),  # the capacity
    ("llama-3.1-8b", None, "the weights and gradients take 59.83 GiB", "weights and gradients", None),
    ("llama-3.1-8b", None, "12 P bytes of gradients and moments", "gradients and optimizer", "16 P bytes of weights"),
    ("llama-3.1-8b", None, "32 heads", "n_heads", "8 heads"),  # those of keys and values
    ("mixtral-8x7b", None, "8 experts", "E", "2 experts"),  # those that a token visits
    ("cs336-a2-xxl", None, "46 or more GPUs", "n_fsdp", "45 or more GPUs"),
    ("cs336-a2-xxl", None, "a minimum of 46 GPUs", "n_fsdp", "a minimum of 45 GPUs"),
    ("cs336-a2-xxl", None, "46 devices minimum", "n_fsdp", None),
    ("cs336-a2-xxl", None, "we'd need 46 TPUs", "n_fsdp", "we'd need 47 TPUs"),
    ("cs336-a2-xxl", None, "batch size 128", "B", "batch size 127"),
    ("cs336-a2-xxl", None, "T = 20444.4", "T_min", "T = 20443.4"),
    ("cs336-a2-xxl", None, "T = 20445", "batch_tokens", "T = 20444"),
    ("cs336-a2-xxl", None, "T = 131072", "tokens", "T = 131073"),
    ("cs336-a2-xxl", "b, literally", "no number of devices is enough", "devices", None),
    ("cs336-a2-xxl", "b, literally", "n_fsdp = infinite", "n_fsdp", "n_fsdp = 46"),
    ("cs336-a2-xxl", "b, literally", "none", "n_fsdp", "46"),
    ("cs336-a2-xxl", None, "the answer is n_fsdp = 46", "n_fsdp", "the answer is n_fsdp = 47"),
    ("cs336-a2-xxl", None, "number of H100s = 68", "devices", "number of H100s = 69"),
    ("cs336-a2-xxl", None, "we need 68 H100 80 GB GPUs", "devices", "we need 69 H100 80 GB GPUs"),
    ("cs336-a2-xxl", None, "46 GPUs are enough", "n_fsdp", "45 GPUs are enough"),
    ("cs336-a2-xxl", None, "memory per device: 94.5 GiB", "M_device", "memory per device: 84.5 GiB"),
    ("cs336-a2-xxl", None, "per-device batch size = 319.44 tokens", "T_min_per_chip", None),
    ("cs336-a2-xxl", None, "batch size of 20445 tokens", "batch_tokens", "batch size of 20440 tokens"),
    ("cs336-a2-xxl", None, "grads = 819 GiB", "gradients", "grads = 820.5 GiB"),
    (
        "cs336-a2-xxl",
        None,
        "weights, gradients and optimizer states = 3276 GiB",
        "weights and gradients and optimizer",
        None,
    ),
    ("cs336-a1-adamw", None, "parameters: 4P bytes", "weights", "parameters: 2P bytes"),
    ("zero-table-1", None, "1.88 GB per GPU", "stage_3_at_64", None),
    ("cs336-a1-transformer", "b", "feed-forward layers take 67 % of the FLOPs", "share_mlp", None),
    ("utilisation", None, "master weights = 4 P", "master weights", "master weights = 2 P"),
    ("llama-3.1-8b", None, "4096 tokens", "S", "4100 tokens"),
    ("llama-3.1-8b", None, "8192 tokens", "tokens", "8200 tokens"),
    ("llama-3.1-8b", None, "hidden_size = 4096", "d_model", "hidden_size = 4095"),
    ("llama-3.1-8b", None, "32 transformer layers", "L", "33 transformer layers"),
    ("deepseek-v3", None, "3 dense layers", "L_dense", "4 dense layers"),
    ("deepseek-v3", None, "8 experts per token", "k", "256 experts per token"),
    ("deepseek-v3", None, "256 routed experts", "E", "255 routed experts"),
    ("cluster-deepseek-v3", None, "61 layers", "L", "60 layers"),
    ("cluster-deepseek-v3", None, "16 pipeline stages", "n_pp", "15 stages"),
    ("cluster-deepseek-v3", None, "120 micro-batches", "n_micro", "121 micro-batches"),
    ("cs336-a1-adamw", "b", "M_device = 15.5 B + 34.0 GB", "M_device", "M_device = 15.6 B + 34.0 GB"),
    ("cs336-a1-adamw", "b", "a = 15.52 GB", "a_1", "a = 15.53 GB"),
    ("cs336-a1-adamw", "b", "b = 34.0 GB", "a_0", "b = 34.1 GB"),
]


@pytest.mark.parametrize(("name", "label", "said", "meant", "near"), SAID, ids=[f"{row[0]}: {row[2]}" for row in SAID])
def test_a_sentence_is_read_as_the_claim_that_it_makes(name, label, said, meant, near):
    study = load_study(name)
    verdict = check(study, said, question=label)
    assert (verdict.right, verdict.name) == (True, meant)
    assert near is None or not check(study, near, question=label).right


@pytest.mark.parametrize(
    ("name", "said", "message"),
    [
        ("cs336-a2-xxl", "static = 16*P per device", "is not counted per device; claim the formula alone"),
        ("cs336-a2-xxl", "4 P bytes of the weights each", "is not counted each"),
        ("cs336-a2-xxl", "each device holds 4 layers", "unknown quantity 'each device'"),
        ("cs336-a2-xxl", "none", "does not say of what there is none"),
        ("cs336-a2-xxl", "total 5418", "has no unit"),
        ("cs336-a2-xxl", "46 or fewer GPUs", "is one number, not a bound"),
        ("cs336-a1-adamw", "B = infinite", "is a number, or there is none"),
        ("cs336-a2-xxl", "no weights", "is always a number"),
        ("cs336-a2-xxl", "speed 3", "unknown quantity 'speed'"),
        ("deepseek-v3", "58 lines", "nothing of the study is counted in lines"),
    ],
)
def test_what_says_nothing_that_can_be_checked_is_refused_in_a_line(name, said, message):
    with pytest.raises(BadInput, match=message):
        check(load_study(name), said)


def test_a_quote_that_is_not_closed_spoils_its_own_line_and_a_sentence_in_a_cell_has_its_own_name(tmp_path):
    file = tmp_path / "answers.csv"
    file.write_text(
        'name,claim\nUwe,static 3276 GiB\nUwe,"n_fsdp=46\nEva,n_fsdp=46\nn_fsdp,we need 46 GPUs\nCy,"46" GPUs\n'
    )
    verdicts = [verdict for _, verdict in check_rows(load_study("cs336-a2-xxl"), read_claims(str(file)))]
    assert [isinstance(one, Verdict) and one.right for one in verdicts] == [True, False, True, True, False]
    faults = [str(one.error) for one in verdicts if isinstance(one, Unread)]
    assert ["line 3 of" in faults[0], "line 6 of" in faults[1]] == [True, True]
    assert all("close each quote" in one for one in faults)
