"""Where gradients do not persist and no instants are known, two moments must fit: an account holds both against the device, as solve does."""

from __future__ import annotations

import pytest

from symbolic_mem.documents.account import Account
from symbolic_mem.library.read import load_study
from symbolic_mem.study.answered import found_for

WAYS = (
    ("gpt2-xl", {"plan": "fsdp2", "recipe": "deepspeed-z2-20", "capacity": "25 GiB"}),
    ("gpt2-xl", {"plan": "one-device", "recipe": "megatron-18", "capacity": "24 GiB"}),
    ("gpt2-xl", {"plan": "fsdp2", "recipe": "deepspeed-z2-20", "capacity": "12 GiB"}),
    ("llama-3.1-8b", {"plan": "zero-2", "recipe": "zero-16", "capacity": "80 GiB"}),
)


@pytest.mark.parametrize(("name", "way"), WAYS)
@pytest.mark.parametrize("n", [1, 2, 3])
def test_an_account_fits_where_the_smallest_degree_is_no_larger(name, way, n):
    study = load_study(name).change(gradients="freed", values={"B": 2, "S": 128}, **way)
    if way["plan"] == "one-device":
        study = study.change(plan="fsdp2")
    found = found_for(study, study.question("b"))
    account = Account(study.change(values={"n_fsdp": n}))
    assert account.fits == (found.value is not None and n >= found.value)
    assert account.per_device_record["fits"] == account.fits
    assert account.per_device_record["left_bytes"] == account.left // 1


def test_the_moment_is_the_step_and_has_all_gradients_and_no_activations():
    study = load_study("gpt2-xl").change(
        plan="fsdp2", recipe="deepspeed-z2-20", gradients="freed", values={"B": 2, "S": 128, "n_fsdp": 1}
    )
    record = Account(study).per_device_record
    assert record["peak_bytes"] == 20 * 1_557_611_200
    assert record["instant"].startswith("the optimizer step")
    assert record["total_bytes"] < record["peak_bytes"]
