"""What every type of question has in common: keys that are read and refused with their place, and words of the user."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from math import inf, nan

import derived
import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.documents.documents import homework, report
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.registry import ASKS, question_type
from symbolic_mem.render.document import render
from symbolic_mem.render.json import document_json, jsonable
from symbolic_mem.study.question import Question

KEYS = [(ask, key) for ask in ASKS for key in list(question_type(ask).keys())]
WHERE = "my.toml [[question]] number 1"
STRANGE = (
    *(
        True,
        1.5,
        nan,
        inf,
        -1,
        0,
        10**400,
        "",
        "{",
        "\x1b[31m",
        "none",
        [],
        {},
        [[]],
        [True],
        [nan],
        [{}],
        [[1, 2], [3]],
    ),
    *(
        {"": 1},
        {"B": True},
        {"B": [1, 0]},
        {"B": [nan]},
        {"B": {}},
        {"B": "{"},
        {"every": -1},
        {"{": "}"},
        [{"name": 1}],
    ),
    *({"n_fsdp": 10**400}, [date(2026, 11, 23)], {"B": date(2026, 11, 23)}, {"B": [date(2026, 11, 23)]}),
)


def read(ask: str, **table):
    return question_type(ask).read({"ask": ask, **table}, WHERE, "1")


@pytest.mark.parametrize("ask", ASKS)
def test_the_keys_of_a_type_are_unique_and_each_has_a_reader(ask):
    kind = question_type(ask)
    assert kind.ask == ask and issubclass(kind, Question)
    assert len(set(kind.keys())) == len(kind.keys())
    assert {"title", "text"} <= set(kind.keys()) and not {"label", "ask"} & set(kind.keys())
    unread = {each.name for each in fields(kind) if not callable(each.metadata.get("read"))}
    assert unread == {"label", "where", "replaced"}, "a field that no key sets"
    drawn = "figures" in set(kind.keys())
    assert drawn == bool(kind.drawn), "a question can ask for figures exactly where there are any"
    assert len(fields(kind)) == len(kind.keys()) + len(unread) + (not drawn)


@pytest.mark.parametrize("ask", ASKS)
def test_an_unknown_key_is_refused_with_its_place_and_the_nearest_one(ask):
    with pytest.raises(BadInput) as refused:
        read(ask, titel="x")
    assert str(refused.value).startswith(f"{WHERE}: unknown key 'titel'; did you mean 'title'? known: ")
    with pytest.raises(BadInput, match="unknown key 'titel'"):
        question_type(ask)("1").given({"titel": "x"}, "solve")


@pytest.mark.parametrize(("ask", "key"), KEYS)
def test_a_wrong_type_is_refused_with_its_place(ask, key):
    with pytest.raises(BadInput) as refused:
        read(ask, **{key: date(2026, 11, 23)})
    assert str(refused.value).startswith(f"{WHERE}: {key}"), refused.value
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("ask", "key"), KEYS)
def test_whatever_is_given_is_read_or_refused_in_one_line(ask, key):
    for given in STRANGE:
        try:
            read(ask, **{key: given})
        except BadInput as refused:
            said = str(refused)
            assert said.startswith(WHERE), (given, said)
            assert said.isprintable() and len(said) < 1500, (given, said)


@pytest.mark.parametrize("ask", ASKS)
def test_the_place_is_that_in_the_file(tmp_path, ask):
    path = tmp_path / "my.toml"
    path.write_text(f'title = "x"\n[model]\nkind = "ffn"\n[[question]]\nask = "{ask}"\ntext = 3\n', encoding="utf-8")
    with pytest.raises(BadInput, match=r"my\.toml \[\[question\]\] number 1: text = 3 has the wrong type; give text"):
        load_study(str(path))


def test_a_control_character_is_refused_in_every_text():
    for key in ("title", "text", "printed_note"):
        with pytest.raises(
            BadInput, match=rf"{key} holds a control character .U\+001B, the 1st of its characters.; remove it"
        ):
            read("min_degree", **{key: "\x1b[31mred"})


def test_every_type_answers_a_question_of_a_bundled_study():
    answered: dict[str, list[object]] = {}
    for name in bundled():
        for found in derived.homework(name).found:
            answered.setdefault(found.question.ask, []).append(found)
            assert jsonable(found.record)["question"] == found.question.label
            assert found.feasible is (found.reason is None)
            if "value" in found.facts:
                assert found.value == found.facts["value"]
    assert set(answered) == set(ASKS)


# Words of a user hold braces: they are printed as they are written

SMALL = """
title = "A study of {{x}} and {y}"
editions = { v1 = "paper {v1}, 2 May 2024" }
text = "Text with {braces} and {0}."
source = "A {source}"
notes = ["A {note}"]
[model]
kind = "ffn"
[values]
d_model = 64
d_ff = 256
L = 2
B = 8
S = 32
n_fsdp = 4
X = 4
Y = 2
M_X = 1
M_Y = 1
[recipe]
preset = "cs336"
[placement]
weights = {}
gradients = {}
optimizer = {}
activations = { fraction = "1/2", rest = "kept" }
[network]
direction = "both-ways"
flops = "459 TFLOP/s"
bandwidth = "90 GB/s"
"""
DEVICES = """
[sources.sheet]
text = "Our {data} sheet"
date = "2026-11-23"
confidence = "vendor"
[devices.mine]
title = "Our {fast} card"
capacity = { label = "1 MB", source = "sheet" }
"""
ASKED = {
    "device_count": 'device = "mine"\nprinted = 3\nedition = "v1"\nprinted_note = "see {x}"',
    "min_degree": 'device = "mine"\nprinted = 3\nedition = "v1"\nprinted_note = "see {x}"\nmultiple_of = 2',
    "largest": 'device = "mine"\nprinted = 3\nedition = "v1"\nprinted_note = "see {x}"\nfor = "B"',
    "insight": 'device = "mine"\ndevices = [4, 8]\nrows = { B = [1] }\ncolumns = { S = [16] }',
    "headroom": 'device = "mine"\ndevices = 4',
    "stages": 'rows = { n_fsdp = [2] }\nprinted = [["1", "2", "3"]]\nedition = "v1"\nprinted_note = "see {x}"',
    "compute_bound": "",
    "smaller_batch": "",
    "largest_mesh": "",
    "fits_and_computes": 'device = "mine"',
    "recompute": 'device = "mine"',
    "compare": 'recipe = ["cs336", "zero-16"]',
    "evaluate": 'steps = [{ name = "a", formula = "2*L", statement = "So {many} of {0}", unit = "GiB", '
    'printed = "1", note = "for {reason}" }]\nedition = "v1"',
    "buckets": "",
    "flops": "",
    "account": "",
    "layouts": 'device = "mine"\nplan = "torch-tp"\nfor = "n_tp"',
}


@pytest.fixture
def small(tmp_path):
    def load(ask):
        question = f'[[question]]\nask = "{ask}"\nlabel = "{{x}}"\ntitle = "About {{y}} {{}}"\ntext = "What {{z}}?"\n'
        (tmp_path / "my.toml").write_text(SMALL + question + ASKED[ask] + "\n", encoding="utf-8")
        (tmp_path / "devices.toml").write_text(DEVICES, encoding="utf-8")
        return load_study(str(tmp_path / "my.toml"), str(tmp_path / "devices.toml"))

    return load


@pytest.mark.parametrize("build", [homework, report])
@pytest.mark.parametrize("ask", ASKS)
def test_braces_of_a_user_are_printed_as_they_are_written(small, ask, build):
    derivation = build(small(ask))
    layout = build.__name__
    html, markdown = (render(derivation, layout, ending).decode() for ending in ("html", "md"))
    tex = render(derivation, layout, "tex").decode()
    written = str(document_json(derivation))
    for words in ("({x}) About {y} {}", "What {z}?"):
        assert words in written and words in html
        assert words.replace("{", r"\{").replace("}", r"\}") in tex
    assert "A study of {{x}} and {y}" in written and "{y}" in markdown
    if "printed_note" in ASKED[ask]:
        assert "see {x}" in written and "see {x}" in html
    if 'device = "mine"' in ASKED[ask] and ask in ("device_count", "min_degree"):
        assert "Our {fast} card" in written
    if "edition" in ASKED[ask]:
        assert "paper {v1}, 2 May 2024" in written and "paper {v1}, 2 May 2024" in html
    if ask == "evaluate":
        assert "So {many} of {0}" in written
