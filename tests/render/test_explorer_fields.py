"""What is typed and chosen in a page of play: taken or refused at its field, and in its command, its link and beside A."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from fractions import Fraction

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.document.family import in_family
from symbolic_mem.explore.data import asked
from symbolic_mem.explore.page import explorer
from symbolic_mem.library.read import load_study
from symbolic_mem.render.arrange import arrange_prose
from symbolic_mem.render.text import plain_prose
from symbolic_mem.study.changed_device import reserve, use_fraction

pytestmark = pytest.mark.system
AMOUNTS = [
    "95 GiB",
    "80 GB",
    "80.5 GB",
    " 0.1TiB ",
    "95,000 MB",
    "1e11 B",
    "15.77 GiB",
    "95.123456789123 GiB",
    "1 EiB",
    "3 kB",
    "1 B",
]
NO_AMOUNTS = [
    "80",
    "80G",
    "80 gib",
    "80 kb",
    "0 GB",
    "-5 GB",
    "it's 80 GiB",
    "80 quux",
    "80 GiB GiB",
    "1" * 201,
    "12,34 GB",
    "1e400 GB",
]


@pytest.mark.parametrize("name", ["cs336-a2-xxl", "llama-3.1-8b"])
def test_an_amount_of_memory_is_read_and_counted_as_python_does(tab, tmp_path, name):
    study = load_study(name).called([reserve("1500 B"), use_fraction("9/10")])
    question, path = asked(study), tmp_path / "page.html"
    explorer(study).save(path)
    page = tab(path)
    for text in AMOUNTS + NO_AMOUNTS:
        found = page.value(f"explorer.answer({{amount: {json.dumps(text)}}})")
        try:
            changed = question.answer(study.change(capacity=text).under(question))
        except BadInput as refusal:
            assert str(refusal).endswith(found["refused"]) and len(found["refused"]) > 20, text
            continue
        said = in_family(question.sentence(changed), changed.capacity_unit)
        assert found["sentence"] == plain_prose(arrange_prose(said)), text
        assert found["value"] == (None if changed.value is None else str(changed.value)), text


def test_an_amount_that_is_typed_stands_in_the_page_its_command_and_its_link(tab, pages):
    page = tab(pages("cs336-a2-xxl"))
    read = "document.getElementById({!r}).{}".format

    page.write("amount", "80.5 GB")
    said = page.value(read("answer", "dataset.said"))
    assert said.endswith("the smallest n_fsdp is 58: on 58 devices what each keeps, ≈ 80.475 GB, fits its 80.5 GB.")
    assert page.value(read("capacity", "textContent")) == "Each device has 80.5 GB: 80,500,000,000 bytes."
    command = page.value(read("command", "textContent"))
    assert command == "symbolic-mem solve cs336-a2-xxl --capacity '80.5 GB'"
    done = subprocess.run(
        [sys.executable, "-m", "symbolic_mem", *shlex.split(command)[1:]], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[1] == said
    page.write("amount", "80G")
    assert page.value(read("why-amount", "textContent")) == (
        "'80G' does not say which unit: write 80 GB (10^9 bytes each) or 80 GiB (2^30 bytes each)"
    )
    assert page.value(read("answer", "dataset.said")) == said
    page.value("new Promise(done => setTimeout(done, 400))")
    linked = page.value("location.hash")
    assert linked == "#capacity=80.5+GB"
    page.write("amount", "")
    page.value("new Promise(done => setTimeout(done, 400))")
    assert page.value(read("answer", "dataset.said.includes('is 46')")) and page.value("location.hash") == ""
    page.follow(linked)
    assert page.value(read("answer", "dataset.said")) == said and page.value(read("amount", "value")) == "80.5 GB"
    page.value(
        """(one => { one.selectedIndex = 0; one.dispatchEvent(new Event('change')); })(document.getElementById('device'))"""
    )
    assert page.value(read("answer", "dataset.said.includes('is 46')")) and page.value(read("amount", "value")) == ""


def test_a_size_that_is_typed_changes_the_answer_at_once(tab, pages):
    page = tab(pages("cs336-a2-xxl"))
    assert page.value("document.getElementById('answer').textContent.includes('is 46')")
    page.write("field-B", "64")
    assert page.value("document.getElementById('answer').dataset.said") == (
        "With the undivided half of the activations dropped, the smallest n_fsdp is 41: on 41 devices (Google TPU v5p) "
        "what each keeps, ≈ 92.963 GiB, fits its 95 GiB."
    )
    assert page.value("document.getElementById('command').textContent") == "symbolic-mem solve cs336-a2-xxl --set B=64"


@pytest.mark.parametrize("text", ["abc", "", "-5", "1e400", "12.5", "9" * 31, "1" + "0" * 31, "10^30"])
def test_what_is_no_size_is_said_at_its_field_and_the_rest_keeps_its_answer(tab, pages, text):
    page = tab(pages("cs336-a2-xxl"))
    before = page.value("document.getElementById('answer').dataset.said")
    page.write("field-B", text)
    assert page.value("document.getElementById('field-B').getAttribute('aria-invalid')") == "true"
    why = page.value("document.getElementById('why-B').textContent")
    assert "at most 10^30" in why or "give a positive whole number" in why
    assert page.value("document.getElementById('answer').dataset.said") == before
    page.write("field-B", "64")
    assert page.value("document.getElementById('field-B').getAttribute('aria-invalid')") == "false"


def test_sizes_that_no_such_model_has_are_refused_in_pythons_words(tab, pages):
    page = tab(pages("llama-3.1-8b"))
    before = page.value("document.getElementById('answer').dataset.said")
    page.write("field-n_kv", "3")
    assert "n_kv = 3 does not divide n_heads = 32" in page.value("document.getElementById('refused').textContent")
    assert page.value("document.getElementById('answer').dataset.said") == before


def test_a_link_brings_its_setting_back_and_what_it_does_not_know_is_left(tab, pages):
    page = tab(pages("cs336-a2-xxl"))
    page.write("field-B", "64")
    page.value("new Promise(done => setTimeout(done, 400))")
    assert page.value("location.hash") == "#B=64"
    said = page.value("document.getElementById('answer').dataset.said")
    page.value("location.hash = '#B=64&evil=<script>&S=-3&recipe=nosuch'")
    page.value("new Promise(done => setTimeout(done, 100))")
    assert page.value("document.getElementById('answer').dataset.said") == said


def test_two_settings_stand_side_by_side_and_their_differences_sum_to_the_whole(tab, pages):
    page = tab(pages("cs336-a2-xxl"))
    page.value("document.getElementById('keep').click()")
    page.write("field-B", "64")
    assert page.value("document.getElementById('said-a').textContent.includes('is 46')")
    assert page.value("document.getElementById('said-b').textContent.includes('is 41')")
    rows = page.value(
        """[...document.querySelectorAll('#gaps tr')].map(row => [...row.children].map(one => one.textContent))"""
    )
    # master weights: 8 L d_model d_ff bytes, over 46 devices and over 41
    expected = Fraction(8 * 126 * 16384 * 53248, 2**30)
    assert rows[0] == [
        "master weights",
        f"≈ {float(expected / 46):.3f} GiB",
        f"≈ {float(expected / 41):.3f} GiB",
        f"≈ +{float(expected / 41 - expected / 46):.4f} GiB",
    ]
    gaps = [float(row[3].strip("≈ GiB").replace("−", "-").replace("≈ ", "")) for row in rows]
    assert sum(gaps[:-1]) == pytest.approx(gaps[-1], abs=1e-2)
    page.value("new Promise(done => setTimeout(done, 400))")
    assert page.value("location.hash") == "#B=64&A="
    page.value("document.getElementById('forget').click()")
    assert page.value("document.getElementById('against').hidden")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"values": {"B": "0"}}, "B = 0 is not allowed"),
        ({"values": {"B": "-1"}}, "B = -1 is not allowed"),
        ({"values": {"B": ""}}, "B = nothing is not allowed"),
        ({"values": {"B": 2.5}}, "B = 2.5 is not allowed"),
        ({"values": {"foo": "1"}}, "unknown symbol foo; known: B, S, L"),
        ({"device": "nosuch"}, "unknown device nosuch; known: tpu-v5p"),
        ({"reading": "nosuch"}, "tpu-v5p has no reading nosuch; known: marketed, binary, reported"),
    ],
)
def test_a_program_is_refused_what_a_field_refuses(pages, tab, setting, said):
    page = tab(pages("cs336-a2-xxl"))
    assert page.value(f"explorer.answer({json.dumps(setting)})")["refused"].startswith(said)


def test_a_link_counts_where_the_address_of_what_was_typed_is_written_before_the_page_is_told_of_it(tab, pages):
    page = tab(pages("cs336-a2-xxl"))
    page.write("field-B", "64")
    page.value("new Promise(done => setTimeout(done, 400))")
    written = page.value("location.hash")
    assert written == "#B=64"
    page.value(
        "new Promise((done) => { addEventListener('hashchange', () => done(), {once: true}); location.hash = 'B=128';"
        f" history.replaceState(null, '', {written!r}); }})"
    )
    assert page.value("document.getElementById('field-B').value") == "128"
