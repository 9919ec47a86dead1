"""What `comms` prints is right as it is printed, and other numbers by the same names are not."""

import json
from fractions import Fraction

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.claims.check import check
from symbolic_mem.claims.verdicts import verdict_words
from symbolic_mem.cli.main import main
from symbolic_mem.library.read import load_study
from symbolic_mem.render.text import plain_prose

ALONG_AXES = ["cluster-gpt-3-175b", "cluster-llama-3.1-70b-64-h100", "cluster-llama-3-405b"]


def _comms(name, capsys, *options):
    assert main(["comms", name, *options, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", ALONG_AXES)
def test_what_a_rank_sends_along_each_axis(name, capsys):
    study, sent = load_study(name), _comms(name, capsys)["sent_in_a_step"]
    assert len(sent) > 1
    for axis, row in sent.items():
        right, wrong = (check(study, f"{axis} = {size} bytes") for size in (row["bytes"], row["bytes"] * 11 // 10))
        assert right.right and not wrong.right and wrong.expected == right.expected
        assert f"That is what one rank sends in a step along {axis}." in plain_prose(verdict_words(wrong))
        assert check(study, f"{row['bytes']:,} bytes").right


@pytest.mark.parametrize("name", ["cs336-a2-xxl", "set-communication"])
def test_what_is_sent_in_a_pass_of_a_block(name, capsys):
    study = load_study(name)
    rows = [row for row in _comms(name, capsys)["times"] if row.get("bytes") is not None]
    assert rows
    for row in rows:
        assert check(study, f"{row['name']} = {row['bytes']} bytes").right
        assert not check(study, f"{row['name']} = {row['bytes'] * 2} bytes").right
        assert check(study, f"{row['name']} = {row['seconds']:.6g} s").right
        assert check(study, f"{row['name']} = {1000 * row['seconds']:.4g} ms").right
        assert not check(study, f"{row['name']} = {1.1 * row['seconds']:.6g} s").right
        for formula in (row["formula"], row["volume_formula"]):
            right, wrong = (check(study, f"{row['name']} = {told}") for told in (formula, f"2*{formula}"))
            assert right.right and right.compared is not None and not wrong.right


def test_the_lines_below_the_table_are_read_by_their_heads(capsys):
    study, found = load_study("cs336-a2-xxl"), _comms("cs336-a2-xxl", capsys)
    heads = {
        "critical batch": found["critical_batch_tokens"],
        "per chip": found["per_chip"],
        "per FSDP rank": found["per_fsdp_rank"],
        "smallest batch": found["smallest_batch_tokens"],
    }
    for head, tokens in heads.items():
        assert check(study, f"{head} = {tokens:.8g} tokens").right, head
        assert not check(study, f"{head} = {2 * tokens:.8g} tokens").right, head
    seconds = next(row["seconds"] for row in found["times"] if row["name"] == "mathematics")
    assert check(study, f"mathematics = {seconds:.6g} s").right


@pytest.mark.parametrize("name", ALONG_AXES)
def test_what_is_said_of_a_rank_beside_what_it_sends(name, capsys):
    study, found = load_study(name), _comms(name, capsys)
    for symbol, count in found["parameters"].items():
        assert check(study, f"{symbol} = {count:,}").right
        assert not check(study, f"{symbol} = {count * 11 // 10}").right
    share = Fraction(found["bubble"]["share"])
    for said in (f"{share}", f"{float(100 * share):.4g} %", found["bubble"]["formula"]):
        assert check(study, f"bubble = {said}").right, said
    assert not check(study, f"bubble = {float(110 * share):.4g} %").right
    assert not check(study, "bubble = n_pp/n_micro").right


def test_seconds_of_a_step_at_the_rates_of_a_device_that_the_caller_names(capsys):
    name = "cluster-llama-3.1-70b-64-h100"
    found = _comms(name, capsys, "--device", "h100-80gb")
    study = load_study(name).change(device="h100-80gb")
    assert check(study, f"computing = {found['computing']['seconds']:.5g} s").right
    assert not check(study, f"computing = {1.1 * found['computing']['seconds']:.5g} s").right
    for axis, row in found["sent_in_a_step"].items():
        assert check(study, f"{axis} = {row['seconds']:.5g} s").right
        assert not check(study, f"{axis} = {1.1 * row['seconds']:.5g} s").right
        assert check(study, f"{axis} = {row['formula']}").right


def test_what_is_of_a_rank_has_no_word_about_another_part_of_the_model():
    verdict = check(load_study("cluster-gpt-3-175b"), "bubble = 7/192")
    assert plain_prose(verdict_words(verdict)) == "bubble = 7/192 is right: it comes to the exact number."


def test_a_number_of_devices_stays_one():
    study = load_study("cluster-gpt-3-175b")
    assert check(study, "devices = 64").claimed.measures == "devices"
    assert check(study, "n_tp = 8").claimed.measures != "bytes"


@pytest.mark.parametrize("name", ["difference", "gap", "second"])
def test_what_compare_says_of_two_accounts_is_refused_in_a_line_of_its_own(name):
    with pytest.raises(BadInput, match="which has two accounts, and check asks one"):
        check(load_study("llama-3.1-8b"), f"{name} = 30 GiB")
