"""The memory of a host as a second capacity: the smallest degree under both, which decides, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from math import ceil

import pytest
from small import STACK

import symbolic_mem as sm
from symbolic_mem.base.errors import BadInput
from symbolic_mem.claims.check import check
from symbolic_mem.documents.account import Account
from symbolic_mem.questions.parts.host_keys import Host

STUDY = (
    'title = "A small stack with its moments on the host"'
    + STACK
    + """offload = ["optimizer"]
[placement]
weights = {{ over = "n_fsdp" }}
gradients = {{ over = "n_fsdp" }}
optimizer = {{ over = "n_fsdp" }}
activations = {{ over = "n_fsdp" }}
[[question]]
label = "q"
ask = "min_degree"
capacity = "{capacity}"
{more}
"""
)


@pytest.fixture
def study(tmp_path):
    def make(capacity="20 MiB", **keys):
        lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
        path = tmp_path / "hosts.toml"
        path.write_text(STUDY.format(capacity=capacity, more=lines), encoding="utf-8")
        return sm.load_study(str(path))

    return make


def answer(study):
    question = study.questions[0]
    return question.answer(study.under(question))


def on_hosts(study, n, per_host):
    """What one host holds at a degree, from the account of the study there: exact bytes."""
    account = Account(study.change(values={"n_fsdp": n}))
    return min(n, per_host) * account.at(account.on_host)


@pytest.mark.parametrize(
    ("host", "per_host"), [("8 MiB", 8), ("30 MiB", 8), ("1 GiB", 8), ("3 MiB", 1), ("40 MiB", 64)]
)
def test_the_smallest_degree_is_the_first_at_which_device_and_host_both_hold_it(study, host, per_host):
    plain = study()
    alone = answer(plain).value
    found = answer(study(host=host, per_host=per_host))
    room = int(host.split()[0]) * 2 ** (30 if "GiB" in host else 20)
    both = next(n for n in range(alone, 500) if on_hosts(plain, n, per_host) <= room)
    assert found.value == both
    told = found.record["host"]
    assert told["bytes"] == ceil(on_hosts(plain, both, per_host)) and told["capacity_bytes"] == room
    assert told["decides"] == ("host" if both > alone else "device")
    assert (told["devices_per_host"], told["devices"]) == (per_host, min(both, per_host))


@pytest.mark.parametrize(("host", "degree"), [("256 GiB", 1), ("64 GiB", 17)])
def test_a_degree_that_divides_what_the_host_holds_alone_is_found(host, degree):
    """ZeRO-2 with its gradients and optimizer on the host: 18 bytes for each of 8,030,261,248 parameters, over n, of up to 8 devices."""
    study = sm.load_study("llama-3.1-8b").change(
        recipe="deepspeed-z2-20", plan="zero-2", offload="optimizer,gradients", values={"B": 1, "S": 1024}
    )
    question = replace(study.question("b"), host=Host(int(host.split()[0]) * 2**30, host), per_host=8)
    found = question.answer(study.under(question))
    held = [min(n, 8) * 18 * 8_030_261_248 / n for n in (1, 16, 17)]
    assert [one <= 64 * 2**30 for one in held] == [False, False, True] and held[0] <= 256 * 2**30
    assert found.value == degree


def test_every_face_says_the_same(study):
    one = study(host="8 MiB", per_host=8, multiple_of=8)
    found = answer(one)
    assert found.record["host"]["decides"] == "host" and found.value % 8 == 0
    said = sm.render_document(sm.homework(one), "homework", "md").decode()
    assert "The host decides: with" in said and "which the device and the other rules ask for" in said
    assert "C_{\\mathrm{host}}" in said and "8 devices to a host of 8 MiB" in said
    assert check(one, f"n_fsdp={found.value}").right
    device_alone = answer(study()).value
    verdict = check(one, f"n_fsdp={device_alone}")
    assert not verdict.right and "rules forgotten" in str(verdict.explanations)


def test_where_the_device_asks_for_more_it_decides_and_that_is_said(study):
    said = sm.render_document(sm.homework(study(host="1 GiB", per_host=8)), "homework", "md").decode()
    assert "The device decides: a host with" in said


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"host": "8 MiB"}, "say how many devices share a host"),
        ({"per_host": 8}, "say the memory of one host"),
        ({"host": "8 M", "per_host": 8}, "does not say which unit"),
        ({"host": "8 MiB", "per_host": 0}, "at least 1"),
        ({"host": "8 MiB", "per_host": True}, "whole number"),
        ({"host": "8 MiB", "per_host": 8, "padded_rows": True}, "divided evenly"),
    ],
)
def test_what_makes_no_sense_is_refused(study, keys, said):
    with pytest.raises(BadInput, match=said):
        answer(study(**keys))


def test_a_sweep_refuses_what_it_does_not_count(study):
    pytest.importorskip("numpy")
    with pytest.raises(BadInput, match="does not know what hosts hold"):
        sm.sweep(study(host="8 MiB", per_host=8), B=[8, 16])


LARGEST = """
[[question]]
label = "q"
ask = "largest"
for = "{symbol}"
capacity = "{capacity}"
{more}
"""


@pytest.fixture
def largest(tmp_path):
    def make(symbol="B", capacity="64 MiB", offload=("optimizer", "activations"), **keys):
        lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
        text = (
            STUDY[: STUDY.index("[[question]]")].replace('["optimizer"]', json.dumps(list(offload))).replace("{{", "{")
        )
        path = tmp_path / "largest.toml"
        path.write_text(
            text.replace("}}", "}") + LARGEST.format(symbol=symbol, capacity=capacity, more=lines), encoding="utf-8"
        )
        return sm.load_study(str(path)).change(values={"n_fsdp": 4})

    return make


def on_one_host(study, symbol, value, devices):
    account = Account(study.change(values={symbol: value}))
    return devices * account.at(account.on_host)


@pytest.mark.parametrize(
    ("symbol", "host", "per_host", "decides"),
    [
        ("B", "200 MiB", 8, "host"),
        ("B", "90 MiB", 2, "host"),
        ("S", "200 MiB", 4, "host"),
        ("L", "150 MiB", 4, "host"),
        ("L", "80 GiB", 4, "device"),
        ("d_ff", "300 MiB", 3, "host"),
    ],
)
def test_the_largest_value_is_the_last_at_which_device_and_host_both_hold_it(largest, symbol, host, per_host, decides):
    plain = largest(symbol)
    found = answer(largest(symbol, host=host, per_host=per_host))
    room = int(host.split()[0]) * 2 ** (30 if "GiB" in host else 20)
    devices = min(4, per_host)
    assert on_one_host(plain, symbol, found.value, devices) <= room
    told = found.record["host"]
    assert told["decides"] == decides and told["devices"] == devices
    assert told["bytes"] == ceil(on_one_host(plain, symbol, found.value, devices))
    if decides == "host":
        assert on_one_host(plain, symbol, found.value + 1, devices) > room
    else:
        assert found.value == answer(plain).value
    assert check(found.study, f"{symbol}={found.value}").right
    said = sm.render_document(sm.homework(found.study), "homework", "md").decode()
    assert f"The {decides} decides: " in said and "C_{\\mathrm{host}}" in said


def test_where_the_device_keeps_nothing_of_the_unknown_the_host_bounds_it(largest):
    found = answer(largest(host="200 MiB", per_host=4, offload=("activations",)))
    with pytest.raises(BadInput, match="for = 'B' is not in the memory"):
        answer(largest(offload=("activations",)))
    assert found.value == 200 * 2**20 // on_one_host(found.study, "B", 1, 4)


def test_a_host_too_small_for_the_smallest_value_is_named_and_not_the_device(largest):
    found = answer(largest(host="8 MiB", per_host=4))
    assert not found.feasible and found.value is None and found.record["host"]["decides"] == "host"
    said = sm.render_document(sm.homework(found.study), "homework", "md").decode()
    assert "leaves a host with 4 devices" in said and "It does not at the smallest" in said


def test_a_largest_value_under_a_host_refuses_what_is_not_described(largest):
    with pytest.raises(BadInput, match="say how many devices share a host"):
        answer(largest(host="8 MiB"))
    with pytest.raises(BadInput, match="nothing is offloaded"):
        answer(largest(host="8 MiB", per_host=4).change(offload="none"))
