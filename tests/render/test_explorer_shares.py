"""A share of a kind that is typed in a page of play: any fraction, answered as Python does, in the command and in the link."""

from __future__ import annotations

import json
import random
import shlex
import subprocess
import sys
from fractions import Fraction

import pytest
from pages import carried

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.rational import fraction
from symbolic_mem.document.family import in_family
from symbolic_mem.explore.data import asked
from symbolic_mem.library.read import load_study
from symbolic_mem.render.arrange import arrange_prose
from symbolic_mem.render.text import plain_prose

pytestmark = pytest.mark.system
READ = "document.getElementById({!r}).{}".format


def drawn(kinds, count, seed):
    """Shares of one state and of what else is placed, as they are written, with the same for Python."""
    draw = random.Random(seed)
    for _ in range(count):
        chosen = {draw.choice([one for one in kinds if one != "activations"]), *draw.choice([(), ("activations",)])}
        place = {}
        for kind in sorted(chosen & {*kinds}):
            q = draw.choice([1, 2, 3, 4, 7, 10, 97])
            written = draw.choice([f"{draw.randint(1, q)}/{q}", f"0.{draw.randint(1, 999):03}", "1", "0"])
            place[kind] = written + draw.choice(["", ",kept", ",dropped"])
        yield " ".join(f"{kind}={share}" for kind, share in place.items()), place


def as_option(kind, share):
    """A share as the options of a page write it, of a kind whose rest is kept unless something else is said."""
    divided, _, rest = share.partition(",")
    return f"{kind}=1" if Fraction(divided) == 1 else f"{kind}={Fraction(divided)},{rest or 'kept'}"


@pytest.mark.parametrize(
    ("name", "values"),
    [("cs336-a2-xxl", {}), ("cs336-a2-xxl", {"n_fsdp": 45}), ("cluster-deepseek-v3", {}), ("llama-3.1-8b", {})],
)
def test_any_share_gives_pythons_answer(tab, pages, name, values):
    study = load_study(name).change(values=values)
    question, path = asked(study), pages(name, **values)
    content = carried(path.read_text(encoding="utf-8"))[0]
    kinds = [kind for kind, _, option, options in content["choices"] if option == "--place" and len(options) > 1]
    if not kinds:
        assert tab(path).value("document.getElementById('share')") is None
        return
    names = {option for _, _, kind, options in content["choices"] if kind == "--place" for option, _ in options}
    page, answered = tab(path), 0
    for text, place in drawn(kinds, 60, f"{name} {values}"):
        found = page.value(f"explorer.answer({{shares: {json.dumps(text)}}})")
        try:
            expected = question.answer(study.change(place=place).under(question))
        except BadInput as refusal:
            said = found.get("refused", "an answer")
            assert str(refusal).endswith(said) or said.endswith("no answer of this kind; the command says why"), text
            continue
        known = all(
            as_option(kind, share) in names for kind, share in place.items()
        )  # else no page knows what is not counted
        said = in_family(expected.told if known else question.sentence(expected), expected.capacity_unit or "GiB")
        assert found["sentence"] == plain_prose(arrange_prose(said)), text
        assert found["value"] == (None if expected.value is None else str(expected.value)), text
        if expected.value is not None:
            assert found["bytes"] == str(fraction(expected.held(expected.value))), text
        answered += 1
    assert answered > 20


def test_a_share_that_is_typed_stands_in_the_page_its_command_and_its_link(tab, pages):
    page = tab(pages("cs336-a2-xxl"))
    page.write("share", "activations=0.3")
    said = page.value(READ("answer", "dataset.said"))
    assert said.startswith("With the undivided 7/10 of the activations dropped, the smallest n_fsdp is 42:")
    command = page.value(READ("command", "textContent"))
    assert command == "symbolic-mem solve cs336-a2-xxl --place activations=3/10,dropped"
    done = subprocess.run(
        [sys.executable, "-m", "symbolic_mem", *shlex.split(command)[1:]], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[1] == said
    assert page.value(READ("choose-activations", "selectedIndex")) == -1
    page.value("dispatchEvent(new Event('beforeprint'))")
    assert "activations: 3/10 divided, the rest dropped" in page.value(READ("settings", "textContent"))
    page.write("share", "activations=3/2")
    refusal = page.value(READ("why-share", "textContent"))
    assert refusal.startswith("'activations=3/2' is no share; give a kind that is divided here (weights, gradients, ")
    assert page.value(READ("answer", "dataset.said")) == said
    page.value("new Promise(done => setTimeout(done, 400))")
    linked = page.value("location.hash")
    assert linked == "#place=activations%3D3%2F10%2Cdropped"
    page.write("share", "")
    page.value("new Promise(done => setTimeout(done, 400))")
    assert "is 46" in page.value(READ("answer", "dataset.said"))
    page.follow(linked)
    assert page.value(READ("answer", "dataset.said")) == said
    assert page.value(READ("share", "value")) == "activations=3/10,dropped"
    page.value("(one => { one.selectedIndex = 1; one.dispatchEvent(new Event('change')) })"
               "(document.getElementById('choose-activations'))")  # fmt: skip
    assert page.value(READ("share", "value")) == "" and page.value(READ("answer", "dataset.said")) != said


@pytest.mark.parametrize(
    "text",
    ["x", "activations", "weights=x", "weights=-1", "weights=1/0", "cache=1/2", "weights=1/3,gone", "=1", "a=<b>"],
)
def test_what_is_no_share_is_refused_at_its_field(tab, pages, text):
    page = tab(pages("cs336-a2-xxl"))
    before = page.value(READ("answer", "dataset.said"))
    page.write("share", text)
    assert "is no share; give a kind that is divided here" in page.value(READ("why-share", "textContent"))
    assert page.value(READ("share", "getAttribute('aria-invalid')")) == "true"
    assert page.value(READ("answer", "dataset.said")) == before
