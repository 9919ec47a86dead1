"""Every option of every verb acts, or is refused with a reason: the list of what was changed does not count as an answer."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from pages import carried
from sampled import sampled

from symbolic_mem.cli.main import VERBS, group
from symbolic_mem.verify import verify

STUDY = "llama-3.1-8b"
CUT = "cluster-llama-3.1-70b-64-h100"
# The calls that are turned, one of each verb that computes, or more where options of a verb exclude each other.
BASE = {
    "account": ("account", STUDY, "--set", "n_fsdp=8"),
    "solve": ("solve", STUDY),
    "check": ("check", STUDY, "--claim", "n_fsdp=3"),
    "compare": ("compare", STUDY, "--recipe", "pure-bf16"),
    "comms": ("comms", STUDY, "--device", "h100-80gb", "--set", "X=8", "--set", "Y=8"),
    "homework": ("homework", STUDY),
    "report": ("report", STUDY),
    "fragment": ("fragment", STUDY, "--part", "derivation", "--question", "a"),
    "fragment of the account": ("fragment", STUDY, "--part", "account"),
    "fit on": ("fit", STUDY, "--on", "2x h100-80gb"),
    "fit plans": ("fit", CUT, "--plans", "32"),
    "sweep": ("sweep", STUDY, "--vary", "S=1024,2048"),
    "explore": ("explore", "cs336-a2-xxl", "-o", "page.html"),
    "verify": ("verify", STUDY),
}
# A value of each option that is not the one that the study has.
SHARED = {
    "values": "B=3",
    "recipe": "fp32",
    "optimizer": "lion",
    "recompute": "full",
    "adapters": "q_proj,v_proj",
    "gradients": "one-by-one",
    "offload": "optimizer,gradients",
    "copies": "ema=4",
    "cache": "fp8",
    "page": "16",
    "profile": "hf-cuda-autocast",
    "kernel": "eager",
    "loss": "fused",
    "device": "a100-80gb",
    "capacity": "30 GiB",
    "reading": "marketed",
    "plan": "zero-1",
    "place": "gradients=1/2",
    "rest": "dropped",
    "devices": "no-such-file.toml",
    "recipes": "no-such-file.toml",
    "profiles": "no-such-file.toml",
    "plans": "no-such-file.toml",
    "like": "llama",
    "origin": "transformers",
    "variant": "1",
    "questions": "a",
    "labels": "a",
    "detail": "full",
    "author": "A. Student",
    "course": "CS336",
    "date": "May 2026",
    "sheet": True,
    "key": True,
    "route": "typst",  # without a .pdf it is refused
}
# These compute nothing: what their options do stands in test_shell.py and test_own_*.py.
OTHERS = {"list", "show", "schema", "completion"}
OWN: dict[str, dict[str, str | bool | None]] = {
    "account": {"host": "64 GiB", "padded_rows": True, "software": "all"},
    "solve": {
        "software": "all",
        "symbol": "S",
        "question": "c",
        "kinds": "weights",
        "strict": True,
        "reserve": "2 GiB",
        "usable": "0.9",
        "multiple_of": "3",
        "power_of_two": None,  # 4 is one already
        "divides": "6",
        "at_most_devices": "3",
        "whole_samples": None,  # nothing of the activations is divided
        "padded_rows": True,
        "host": "64 GiB",
        "per_host": "8",
    },
    "check": {"given": "P=3", "question": "c"},
    "comms": {"overlap": "sum", "axes": "optimal", "scheme": "fsdp", "pass": "step", "chips": "16"},
    "fragment": {"part": "bound", "question": "b", "pick": "2", "width": "3.3in"},
    "fragment of the account": {"part": "derivation", "question": "a", "pick": "2", "width": "3.3in"},
    "fit on": {
        "on": "3x a100-80gb",
        "number": "2",
        "sequences": "16",
        "strict": True,
        "reserve": "2 GiB",
        "padded_rows": True,
        "host": "64 GiB",
    },
    "fit plans": {
        "host": "64 GiB",
        "on": "4x a100-80gb",
        "number": "16",
        "sequences": "256",
        "strict": None,
        "reserve": "30 GiB",
        "padded_rows": True,
    },
    "sweep": {
        "varied": "B=1,2",
        "columns": "left",
        "instants": True,
        "terms": True,
        "conditions": "n_fsdp>3",
        "sort": "-S",
        "pareto": "n_fsdp,S",
        "top": "1",
        "question": "c",
        "kinds": "weights",
        "strict": None,
        "multiple_of": "3",
        "power_of_two": True,
        "divides": "16",
        "at_most_devices": "2",
        "whole_samples": True,
        "padded_rows": True,
        "engine": None,  # the same integers in another way: test_compiled.py
        "yes": None,  # of more configurations than a test answers: test_sweep.py
    },
    "explore": {"question": "a", "values": "B=64", "device": "h100-80gb"},
    "verify": {"cases": "no-such-file.json"},
}
BEFORE: dict[str, list[str]] = {}
COUNTED = {"as_json", "fail_if_infeasible", "fail_if_wrong", "outputs", "output", "templates", "path", "study", "help"}


def answers(text):
    """What a verb prints, but for the lines that only repeat what was asked."""
    told = ("Changed by the caller", "The caller has set", "question itself sets", "% symbolic-mem")
    return [line for line in text.splitlines() if not any(words in line for words in told)]


def printed(done):
    """What a call answers: what it prints, or the page that it writes, whose data hold the call, too."""
    if not done.out:
        data, _ = carried(Path("page.html").read_text(encoding="utf-8"))
        return {name: value for name, value in data.items() if name not in ("command", "given")}
    return answers(done.out)


def cases():
    """Each option of each verb that computes, with a value of it."""
    for name, call in BASE.items():
        for option in group.get_command(click.Context(group), call[0]).params:
            if option.name in COUNTED:
                continue
            known = {**SHARED, **OWN.get(name, {})}
            assert option.name in known, f"{name} {option.name}: give this table a value of it"
            if known[option.name] is not None:
                words = (option.opts[0],) if known[option.name] is True else (option.opts[0], known[option.name])
                yield pytest.param(name, words, id=f"{name} {' '.join(words)}")


def test_strict_acts_where_what_is_held_is_just_the_capacity(run):
    for call, rows, peak in (
        (("sweep", STUDY, "--vary", "n_fsdp=8"), "rows", "peak"),
        (("fit", CUT, "--plans", "8"), "meshes", "peak_bytes"),
    ):
        held = [row[peak] for row in json.loads(run(*call, "--json").out)[rows]]
        full = (*call, "--capacity", f"{min(held)} B", "--json")
        fitting = [[row["fits"] for row in json.loads(run(*full, *more).out)[rows]] for more in ((), ("--strict",))]
        assert (sum(fitting[0]), sum(fitting[1])) == (1, 0)


def test_every_verb_that_computes_is_turned():
    assert set(VERBS) - {call[0] for call in BASE.values()} == OTHERS, "a new verb belongs in BASE"


@pytest.fixture
def no_engine(monkeypatch):
    """Let `verify` measure nothing, so that what it prints is ours."""
    monkeypatch.setattr(verify, "measure", lambda run: dict.fromkeys(verify.MARKS, run.batch))
    monkeypatch.setattr(verify, "engine", lambda run: f"no engine, which would run {run}")


@pytest.mark.parametrize(("name", "words"), sampled(cases(), 31))
@pytest.mark.usefixtures("no_engine")
def test_every_option_acts_or_is_refused(run, name, words):
    if name not in BEFORE:
        done = run(*BASE[name])
        assert done.status == 0, done.err
        BEFORE[name] = printed(done)
    Path("page.html").unlink(missing_ok=True)
    after = run(*BASE[name], *words)
    if after.status == 0:
        assert printed(after) != BEFORE[name]
    else:
        assert (after.status, after.out) == (2, "") and len(after.err.splitlines()) == 1


@pytest.mark.parametrize("words", [("--cache", "fp8"), ("--page", "1001"), ("--plan", "vllm-tp", "--set", "n_tp=2")])
@pytest.mark.parametrize(
    "verb", [("account",), ("solve", "--for", "B"), ("report",), ("check", "--claim", "cache=3 GiB")]
)
def test_options_of_inference_act(run, verb, words):
    name, *more = verb
    call = (name, STUDY, *more, "--recipe", "inference")
    before, after = run(*call), run(*call, *words)
    assert before.status == after.status == 0, after.err
    assert answers(before.out) != answers(after.out)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            ("account", STUDY, "--recipe", "inference", "--optimizer", "lion"),
            "has no optimizer; leave optimizer lion out",
        ),
        (
            ("account", STUDY, "--recipe", "inference", "--recompute", "full"),
            "has no backward pass; leave recompute out",
        ),
        (
            ("account", STUDY, "--recipe", "inference", "--cache", "fp9"),
            "unknown cache dtype 'fp9'; did you mean 'fp8'?",
        ),
        (("account", STUDY, "--recipe", "inference", "--page", "16.5"), "'16.5' is no number of tokens"),
        (("account", STUDY, "--cache", "fp8"), "recipe 'fsdp2' trains, and keeps no cache; choose recipe inference"),
        (("account", STUDY, "--page", "16"), "recipe 'fsdp2' trains, and keeps no cache; choose recipe inference"),
        (("account", STUDY, "--set", "E=4"), "E = 4: nothing that llama-3.1-8b asks reads E"),
        (("solve", STUDY, "--set", "E=4"), "E = 4: nothing that llama-3.1-8b asks reads E"),
        (("check", STUDY, "--set", "E=4", "--claim", "n_fsdp=4"), "reads E"),
        (("compare", STUDY, "--set", "E=4", "--recipe", "fp32"), "reads E"),
        (("comms", "cs336-a2-xxl", "--set", "E=4"), "reads E"),
        (("explore", STUDY, "--set", "E=4", "-o", "page.html"), "reads E"),
        (("sweep", STUDY, "--set", "E=4", "--vary", "B=1,2"), "reads E"),
        (("fragment", STUDY, "--set", "E=4", "--part", "bound"), "reads E"),
        (("fragment", STUDY, "--set", "E=4", "--part", "account"), "reads E"),
        (("fragment", STUDY, "--set", "n_fsdp=4", "--part", "account"), "of which nothing is divided"),
        (("fit", STUDY, "--set", "E=4", "--on", "8x h100-80gb"), "reads E"),
        (("comms", "cs336-a2-xxl", "--recompute", "full"), "--recompute changes what is kept"),
        (("comms", "cs336-a2-xxl", "--recipe", "fp32"), "two bytes for each element"),
        (("account", STUDY, "--reading", "marketed"), "none is named; add --device"),
        (("account", STUDY, "--capacity", "80 GB", "--reading", "marketed"), "has none; leave it out"),
        (
            ("homework", "kv-cache", "--device", "h100-80gb"),
            "device NVIDIA H100 SXM 80 GB: nothing that kv-cache asks is about the memory",
        ),
        (("report", "kv-cache", "--recipe", "fp32"), "recipe fp32: nothing that kv-cache asks is about memory"),
        (("homework", "cs336-a2-buckets", "--set", "L=8"), "nothing that cs336-a2-buckets asks reads L"),
        (("homework", "cs336-a2-buckets", "--set", "n_fsdp=8"), "nothing that cs336-a2-buckets asks reads n_fsdp"),
        (("homework", "zero-table-1", "--recompute", "full"), "is about what is kept for the backward pass"),
        (("homework", "zero-table-1", "--capacity", "80 GB"), "capacity 80 GB: nothing that zero-table-1 asks"),
    ],
)
def test_what_nothing_reads_is_refused(refused, call, said):
    assert said in refused(*call)


def test_a_degree_takes_the_place_of_the_devices_of_a_question(run):
    eight, four = (
        run("solve", "headroom", "--question", "a"),
        run("solve", "headroom", "--question", "a", "--set", "n_fsdp=4"),
    )
    assert "On 8 devices each holds" in eight.out and "On 4 devices each holds" in four.out
    assert run("check", "headroom", "--question", "a", "--set", "n_fsdp=4", "--claim", "B=2").out.count("right") == 1


def test_a_degree_takes_the_place_of_the_rows_of_a_table(run):
    said = run("homework", "zero-table-1", "--set", "n_fsdp=8").out
    assert "| $8$ | $120$ | $41.25$ | $28.125$ | $15$ |" in said  # 16 P, 4 P + 12 P/8, 2 P + 14 P/8, 16 P/8; P = 7.5e9


def test_the_rates_of_a_device_count_in_what_is_sent(run):
    def mathematics(*call):
        rows = json.loads(run("comms", *call, "--json").out)["times"]
        return next(row["seconds"] for row in rows if row["name"] == "mathematics")

    rates = {"h100-80gb": 989.4e12, "a100-80gb": 312e12}  # dense BF16 FLOP/s of the data sheets
    times = {name: mathematics("cs336-a2-xxl", "--device", name) for name in rates}
    assert times["h100-80gb"] * rates["h100-80gb"] == pytest.approx(times["a100-80gb"] * rates["a100-80gb"])
    assert mathematics(STUDY, "--device", "h100-80gb", "--set", "X=8", "--set", "Y=8") > 0
