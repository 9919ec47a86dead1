"""The page of play in a real browser: its numbers and sentences are those of Python, it opens from disk, it refuses in place."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from pages import changed, held_by, settings

from symbolic_mem.accounts.units import units
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.rational import fraction, symbolic
from symbolic_mem.base.symbols import B, n_heads
from symbolic_mem.cli.main import main
from symbolic_mem.document.family import in_family
from symbolic_mem.document.words import about, gib
from symbolic_mem.explore.choices import places
from symbolic_mem.explore.data import asked
from symbolic_mem.explore.page import explorer
from symbolic_mem.library.read import load_study
from symbolic_mem.plans.read import plan
from symbolic_mem.questions.parts.uncounted import uncounted_bytes
from symbolic_mem.render.arrange import arrange_prose
from symbolic_mem.render.text import plain_prose
from symbolic_mem.solvers.layout import PaddedRows, WholeSamples
from symbolic_mem.solvers.rules import AtMost, Divides, MultipleOf, PowerOfTwo
from symbolic_mem.study.answered import found_for

pytestmark = pytest.mark.system
PICTURE = Path(__file__).parents[2] / "docs" / "explore.png"
# A stack without instants, a dense model, a mixture of experts, and latent attention.
STUDIES = ["cs336-a2-xxl", "llama-3.1-8b", "mixtral-8x7b", "deepseek-v3"]
SETTINGS = 300  # tried of each
BESIDE = ("What is not counted may not fit beside it.", "what is not counted may not fit beside it.")


def in_python(study, question, content, setting):
    """What Python answers: the sentence and the exact numbers, or the words of its refusal."""
    try:
        found = question.answer(changed(study, content, setting).under(question))
    except BadInput as refusal:
        return {"refused": str(refusal)}
    said = in_family(found.told, found.capacity_unit or "GiB")
    return {
        "sentence": plain_prose(arrange_prose(said)),
        "value": None if found.value is None else str(found.value),
        "bytes": None if found.value is None else str(fraction(found.held(found.value))),
        "divided": str(Fraction(found.degree.ideal.divided)),
        "fixed": str(Fraction(found.degree.ideal.fixed)),
    }


def other_blocks(study, content, setting):
    """Whether the rule of recomputation counts blocks, and the setting has other instants than the page by their number: it has those of turns of two."""
    there = changed(study, content, setting)
    period = there.recipe.recompute.period
    ends = [one.end for one in units(there.model).blocks]
    held = 2 if len(ends) == 1 else 1
    return period > held and any((int(there.numbers[end]) - int(study.numbers[end])) % period for end in ends)


def alike(tab, path, study, count, seed, label=None):
    """Ask a page and Python at so many settings, and return how many of them have an answer; the others are refused alike.

    A page has the instants of its own number of blocks alone where a rule of recomputation counts them, and says so.
    """
    question, content, page, answered = asked(study, label), held_by(path), tab(path), 0
    for setting in settings(content, count, seed):
        expected, found = in_python(study, question, content, setting), page.value(f"explorer.answer({setting!r})")
        if "refused" in expected:
            assert expected["refused"].endswith(found.get("refused", "an answer")), setting
        elif found.get("refused", "").startswith("this page holds this recomputation for numbers of blocks that leave"):
            assert other_blocks(study, content, setting), setting
        else:
            assert {key: found.get(key) for key in expected} == expected, setting
            answered += 1
    return answered


def test_a_page_holds_recomputation_by_turns_of_two_for_any_number_of_blocks(tab, pages):
    """With 31 and 5 blocks a step has instants that one of 32 has not; on the fewest devices, too."""
    study, path = load_study("llama-3.1-8b"), pages("llama-3.1-8b")
    question, content, page = asked(study), held_by(path), tab(path)
    chosen = [
        [option for option, _ in options].index("half") if head == "recompute" else 0
        for head, _, _, options in content["choices"]
    ]
    told = set()
    for blocks in ("1", "2", "3", "5", "31", "32"):
        for size in ({}, {"B": "1", "S": "512"}):
            values = {**dict(content["symbols"]), "L": blocks, **size}
            setting = {"values": values, "device": "h100-80gb", "reading": "reported", "chosen": chosen}
            found = page.value(f"explorer.answer({setting!r})")
            assert found.items() >= in_python(study, question, content, setting).items(), setting
            told.add(found["bytes"])
    assert len(told) == 12


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_every_number_and_sentence_of_a_page_is_that_of_python(tab, pages, name):
    assert alike(tab, pages(name), load_study(name), SETTINGS, seed=f"{name}, again") > SETTINGS / 3


# Plans that cut the model: what they hold fast is left, and everything else is drawn.
CUT = ["cluster-gpt-3-175b", "cluster-llama-3-405b", "cluster-llama-3.1-70b-64-h100", "cluster-deepseek-v3"]


@pytest.mark.parametrize(("name", "count"), [*((name, 12) for name in CUT), ("cluster-mixtral-8x7b", 18)])
def test_a_page_of_a_plan_that_cuts_the_model_answers_as_python_does(tab, pages, name, count):
    assert alike(tab, pages(name), load_study(name), count, seed=name) > 4


RULED = [
    ("cs336-a2-xxl", {"multiple_of": (MultipleOf(8, "whole nodes"),)}),
    ("cs336-a2-xxl", {"padded_rows": (PaddedRows(),), "whole_samples": (WholeSamples(),), "divides": (Divides(B),)}),
    ("cs336-a2-xxl", {"power_of_two": (PowerOfTwo(),), "at_most": (AtMost(64),), "divides": (Divides(126),)}),
    ("llama-3.1-8b", {"padded_rows": (PaddedRows(),), "multiple_of": (MultipleOf(6),)}),
    ("mixtral-8x7b", {"padded_rows": (PaddedRows(),), "power_of_two": (PowerOfTwo(),), "divides": (Divides(n_heads),)}),
]


@pytest.mark.parametrize(("name", "rules"), RULED)
def test_a_page_answers_under_rules_as_python_does(tab, tmp_path, name, rules):
    study = load_study(name)
    question = replace(asked(study), **rules)
    study, path = replace(study, questions=(question,)), tmp_path / "page.html"
    explorer(study).save(path)
    assert alike(tab, path, study, 25, seed=f"{name} {sorted(rules)}") > 6


def test_a_page_of_a_reshard_answers_as_python_does_on_the_fewest_devices_too(tab, tmp_path):
    study = replace(load_study("llama-3.1-8b"), plan=plan("fsdp2").resharding(4, "here"))
    path = tmp_path / "page.html"
    explorer(study).save(path)
    question, content, page = asked(study), held_by(path), tab(path)
    assert question.answer(study.under(question)).one_words
    for setting in settings(content, 12, "reshard"):
        for shows in (None, "4", "8"):
            sizes = dict(content["symbols"])
            there = {**setting, "values": {**sizes, "B": setting["values"]["B"]}}
            there = {key: value for key, value in there.items() if key != "shows"} | ({"shows": shows} if shows else {})
            expected, found = in_python(study, question, content, there), page.value(f"explorer.answer({there!r})")
            assert "refused" not in expected and {key: found.get(key) for key in expected} == expected, there


def test_a_page_says_that_what_is_not_counted_may_not_fit_as_python_does(tab, pages):
    path = pages("llama-3.1-8b")
    study, content, page = load_study("llama-3.1-8b"), held_by(path), tab(path)
    question, told = asked(study), set()
    made = zip(places([len(options) for *_, options in content["choices"]]), content["made"], strict=True)
    there = [chosen for chosen, one in made if not isinstance(one, str) and "beside" in content["ledgers"][one[0]]]
    sizes = dict(content["symbols"])
    for chosen in there:
        for batch, shows in (("1", {}), ("1", {"shows": "16"}), (sizes["B"], {"shows": "3"})):
            for device in ("h100-80gb", "b200"):
                setting = {"values": {**sizes, "B": batch}, "device": device, "chosen": list(chosen), **shows}
                setting["reading"] = content["reading"] or "reported"
                expected, found = (
                    in_python(study, question, content, setting),
                    page.value(f"explorer.answer({setting!r})"),
                )
                if "refused" not in expected:
                    assert {key: found.get(key) for key in expected} == expected, setting
                    told |= {where for where in BESIDE if where in expected["sentence"]}
    assert told == set(BESIDE)


PARTS = [
    ("cs336-a2-xxl", {}, {}),
    ("cs336-a2-xxl", {"B": 64}, {"recipe": "megatron-18"}),
    ("llama-3.1-8b", {}, {}),
    ("llama-3.1-8b", {"B": 1, "S": 3072}, {"recompute": "full"}),
    ("mixtral-8x7b", {}, {"loss": "fused"}),
]


@pytest.mark.parametrize(("name", "values", "change"), PARTS)
def test_the_parts_of_one_device_are_those_of_the_fullest_instant(tab, pages, name, values, change):
    study = load_study(name)
    question, content = asked(study), held_by(pages(name))
    found = question.answer(study.change(values=values, **change).under(question))
    known = {**found.study.values, question.symbol: found.value}
    fullest = max(found.everywhere, key=lambda one: one.study.placed(found.kinds).at(known))
    parts = {}
    for term in fullest.study.placed(found.kinds):
        part = "activations" if term.kind == "activations" and term.layer else term.name
        parts[part] = parts.get(part, 0) + term.at(known)
    chosen = [0] * len(content["choices"])
    for place, (head, _, _, options) in enumerate(content["choices"]):
        if head in change:
            chosen[place] = [option for option, _ in options].index(change[head])
    setting = {"values": {key: str(value) for key, value in values.items()}, "chosen": chosen}
    told = tab(pages(name)).value(f"explorer.parts({setting!r})")
    assert {part: Fraction(size) for part, size in told.items()} == {part: size for part, size in parts.items() if size}
    assert len(told) > 3


def test_the_difference_of_two_settings_is_what_compare_says(tab, pages):
    page, terms = tab(pages("cs336-a2-xxl")), {}
    a, b = ({"shows": "46", "chosen": [0, 0, 0, 0, 0, 0, 0, place]} for place in (2, 1))
    options = held_by(pages("cs336-a2-xxl"))["choices"][7][3]
    places = [options[place][0] for place in (2, 1)]
    assert places == ["activations=1/2,kept", "activations=1"]
    a, b = (page.value(f"explorer.parts({setting!r})") for setting in (a, b))
    for name in {**a, **b}:
        gap = Fraction(b.get(name, 0)) - Fraction(a.get(name, 0))
        if gap:
            terms[name] = float(gap)
    words = ["compare", "cs336-a2-xxl", "--set", "n_fsdp=46", "--place", places[0], "--place", places[1], "--json"]
    done = subprocess.run([sys.executable, "-m", "symbolic_mem", *words], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert {one["kind"]: one["bytes"] for one in told["gaps"]} == terms and len(terms) == 1
    assert told["difference_bytes"] == sum(terms.values())


@pytest.mark.parametrize("name", ["cs336-a2-xxl", "llama-3.1-8b"])
def test_every_share_of_a_state_gives_pythons_answer_and_a_link_brings_shares_back(tab, pages, name):
    study = load_study(name)
    question = asked(study)
    content = held_by(pages(name))
    page, values = tab(pages(name)), dict(content["symbols"])
    places = {choice: place for place, (choice, *_) in enumerate(content["choices"])}
    seen = set()
    for kind in ("weights", "gradients", "optimizer"):
        for option in range(1, len(content["choices"][places[kind]][3])):
            chosen = [option if place == places[kind] else 0 for place in range(len(places))]
            for device in content["devices"][:4]:
                reading = next(iter(device["readings"]))
                setting = {"values": values, "device": device["name"], "reading": reading, "chosen": chosen}
                expected, found = (
                    in_python(study, question, content, setting),
                    page.value(f"explorer.answer({setting!r})"),
                )
                assert {key: found.get(key) for key in expected} == expected, setting
                seen.add(found["sentence"])
    assert len(seen) > 8
    shares = "weights=1/2,kept", "activations=0,kept"
    page.value(f"location.hash = new URLSearchParams({[['place', one] for one in shares]!r})")
    page.value("new Promise(done => setTimeout(done, 400))")
    command = page.value("document.getElementById('command').textContent")
    there = [one for one in shares if one.split("=")[0] in study.placement]
    assert command == " ".join(["symbolic-mem solve", name, *(f"--place {one}" for one in there)])


def test_a_page_opens_from_disk_fetches_nothing_and_complains_of_nothing(tab, pages):
    page = tab(pages("llama-3.1-8b"))
    assert {url for url in page.requests if not url.startswith("data:font/woff2;")} == {pages("llama-3.1-8b").as_uri()}
    assert page.complaints == []
    policy = page.value("document.querySelector('meta[http-equiv]').content")
    assert "default-src 'none'" in policy and "unsafe-eval" not in policy and "script-src 'sha256-" in policy


def test_a_page_answers_with_the_network_switched_off(tab, pages):
    page = tab(pages("cs336-a2-xxl"))
    page.call("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)
    page.value("globalThis.before = true")
    page.call("Page.reload", ignoreCache=True)
    for _ in range(20):
        if page.value("globalThis.before === undefined && document.readyState === 'complete'"):
            break
        time.sleep(0.1)
    assert page.value("navigator.onLine") is False
    assert page.value(
        "globalThis.before === undefined && document.getElementById('answer').dataset.said.includes('is 46')"
    )
    assert page.complaints == []


def test_the_command_of_a_setting_gives_its_sentence(tab, pages):
    page = tab(pages("cs336-a2-xxl"))
    setting = {"values": {"B": "256"}, "device": "h100-80gb", "reading": "binary", "chosen": [3, 0, 0, 0, 0, 0, 1, 2]}
    found = page.value(f"explorer.answer({setting!r})")
    program, *words = shlex.split(found["command"])
    assert program == "symbolic-mem"
    done = subprocess.run([sys.executable, "-m", "symbolic_mem", *words], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1] == found["sentence"]


LARGEST = [
    ("cs336-a2-xxl", {}, 46),
    ("cs336-a2-xxl", {"S": 300}, 3),
    ("llama-3.1-8b", {}, 4),
    ("llama-3.1-8b", {"B": 3, "S": 1000}, 1),
    ("mixtral-8x7b", {"B": 1}, 16),
    ("cluster-gpt-3-175b", {}, 1),
]


@pytest.mark.parametrize(("name", "values", "devices"), LARGEST)
def test_the_largest_batch_and_length_are_those_that_solve_finds(tab, pages, capsys, name, values, devices):
    setting = {"values": {key: str(value) for key, value in values.items()}, "shows": str(devices)}
    told = tab(pages(name)).value(f"explorer.largest({setting!r})")
    sizes = {**values, "n_fsdp": devices}
    label = ["--device", held_by(pages(name))["devices"][0]["name"], "--reading", held_by(pages(name))["reading"]]
    assert set(told) == ({"B"} if name.startswith("cluster") else {"B", "S"})
    for unknown, found in told.items():
        words = [word for key, value in sizes.items() if key != unknown for word in ("--set", f"{key}={value}")]
        assert main(["solve", name, "--for", unknown, *words, *label, "--json"]) in (0, 1)
        value = json.loads(capsys.readouterr().out)["value"]
        assert found == (None if value is None else str(value)), unknown


def test_a_page_says_how_large_is_what_is_not_counted(tab, tmp_path):
    study = load_study("llama-3.1-8b").change(plan="zero-2", recompute="full", values={"B": 1})
    path = tmp_path / "page.html"
    explorer(study).save(path)
    found = found_for(study, study.question("b"))
    size = uncounted_bytes(study, found.known)
    shown = plain_prose(about(gib(symbolic(size))))
    page = tab(path)
    page.value("dispatchEvent(new Event('beforeprint'))")
    said = page.value("document.getElementById('beyond').textContent")
    assert (
        size and said == f"What is not counted takes up to {shown} on one device at one moment, where sizes are known. "
    )
