"""`schema`: what `--json` prints is as the schemas say, with no key that they do not name; study files, too."""

from __future__ import annotations

import json
import tomllib
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from sampled import sampled

import symbolic_mem
from symbolic_mem.base.errors import BadInput
from symbolic_mem.cli.main import VERBS, group
from symbolic_mem.cli.schema import schema, schemas
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import _PLACED, _TOP, load_study
from symbolic_mem.models.described import ARCHITECTURE_KEYS
from symbolic_mem.plans.network_table import KEYS as NETWORK
from symbolic_mem.questions.registry import ASKS, question_type
from symbolic_mem.recipes.read import KEYS as RECIPE
from symbolic_mem.render.json import record_json
from symbolic_mem.study.keys import At

STUDIES = Path(symbolic_mem.__file__).parent / "library" / "studies"
XXL = "cs336-a2-xxl"
CALLS = [
    ("account", XXL),
    ("solve", XXL, "--set", "n_fsdp=8"),
    ("solve", XXL, "--rest", "kept"),
    ("check", XXL, "--claim", "n_fsdp=38", "--claim", "what=ever"),
    ("compare", XXL, "--recipe", "cs336", "--recipe", "megatron-18"),
    ("sweep", XXL, "--vary", "B=1,2", "-o", "a.csv"),
    ("list", "recipes"),
    ("account", "nope"),
]
LONG = [
    ("account", "llama-3.1-8b", "--set", "n_fsdp=8"),
    ("account", "llama-3.1-8b", "--offload", "optimizer", "--host", "1 TiB"),
    ("solve", XXL, "--multiple-of", "8"),
    ("solve", XXL, "--for", "B", "--set", "n_fsdp=64"),
    ("homework", XXL),
    ("report", "llama-3.1-8b"),
    ("comms", XXL),
    ("comms", "cluster-gpt-3-175b"),
    ("comms", "cluster-deepseek-v3", "--device", "h100-80gb"),
    ("compare", "llama-3.1-8b", "--profile", "hf-cuda-bf16"),
    ("sweep", "llama-3.1-8b", "--vary", "B=1,2"),
    ("fit", "llama-3.1-8b", "--on", "2x h100-80gb"),
    ("fit", "cluster-llama-3.1-70b-64-h100", "--plans", "32"),
    ("list",),
]
# One value of each type of TOML, of which a key takes some.
TYPED = (
    True,
    -1,
    1,
    0.5,
    "1",
    "no such thing",
    [],
    [1],
    ["1"],
    [[]],
    [{}],
    {},
    {"B": 1},
    {"n_fsdp": [1]},
    {"no such thing": []},
)


def closed(content: Any) -> Any:
    """A schema that refuses the keys that it does not name."""
    if isinstance(content, dict):
        made = {key: closed(value) for key, value in content.items()}
        if "properties" in content and "additionalProperties" not in content:
            made["additionalProperties"] = False
        return made
    return [closed(each) for each in content] if isinstance(content, list) else content


def faults(name: str, found: Any, *, whole: bool = True) -> list[str]:
    content = closed(deepcopy(schema(name))) if whole else schema(name)
    return [f"{each.json_path}: {each.message}"[:300] for each in Draft202012Validator(content).iter_errors(found)]


def test_every_verb_that_prints_json_has_a_schema():
    printing = {verb for verb in VERBS for one in group.get_command(None, verb).params if "--json" in one.opts}
    assert set(schemas()) == {*printing, "error", "study"}


@pytest.mark.slow
@pytest.mark.parametrize("name", schemas())
def test_a_schema_is_one(name):
    Draft202012Validator.check_schema(schema(name))


def test_they_are_printed_one_or_all(run):
    assert json.loads(run("schema", "solve").out) == schema("solve")
    assert list(json.loads(run("schema").out)) == list(schemas())


def test_an_unknown_one_is_refused_with_the_nearest(refused):
    assert "there is no schema 'solv'; did you mean 'solve'?" in refused("schema", "solv")


@pytest.mark.parametrize(
    "arguments", [*CALLS, *(pytest.param(one, marks=pytest.mark.slow) for one in LONG)], ids=" ".join
)
def test_what_is_printed_is_as_its_schema_says(run, arguments):
    done = run(*arguments, "--json")
    assert faults("error" if "nope" in arguments else arguments[0], json.loads(done.out)) == []


@pytest.mark.parametrize("name", sampled(bundled(), every=50))
def test_what_questions_find_is_as_the_schema_says(name):
    study = load_study(name)
    found = [record_json(asked.answer(study.under(asked)).record) for asked in study.questions]
    assert faults("homework", {"title": "", "subtitle": "", "answers": [], "sections": [], "questions": found}) == []


@pytest.mark.parametrize("name", sampled(bundled(), every=12))
def test_a_bundled_study_is_as_the_schema_says(name):
    content = tomllib.loads((STUDIES / f"{name}.toml").read_text(encoding="utf-8"))
    assert faults("study", json.loads(json.dumps(content, default=str)), whole=False) == []


def test_a_wrong_study_is_not():
    wrong = {"title": "x", "model": {"kind": "ffn"}, "question": [{"ask": "min_degree", "strict": "yes"}]}
    assert faults("study", wrong) and faults("study", {"title": "x", "model": {"kind": "rnn"}})


def test_tables_have_the_keys_that_their_readers_know():
    content = schema("study")
    tables = content["properties"] | content["$defs"]
    assert set(content["properties"]) == set(_TOP)
    assert set(tables["placement"]["additionalProperties"]["properties"]) == set(_PLACED)
    assert set(tables["network"]["properties"]) == set(NETWORK)
    assert set(tables["recipe"]["properties"]) == set(RECIPE)
    more = {"kind", "config", "like", "from", "edition", "profile", "kernel", "loss", "saved_per_layer", "saved_reason"}
    assert set(tables["model"]["properties"]) == {*ARCHITECTURE_KEYS, *more, "residual"}


@pytest.mark.parametrize("ask", ASKS)
def test_what_the_schema_refuses_of_a_question_its_reader_refuses(ask):
    made = question_type(ask)
    content = schema("study")
    allowed = next(each for each in content["$defs"]["question"]["oneOf"] if each["title"] == ask)["properties"]
    assert set(allowed) == {"label", "ask", *made.keys()}
    for key in sorted(allowed.keys() - {"label", "ask"}):
        assert allowed[key] is not None, key
        holds = Draft202012Validator({**allowed[key], "$defs": content["$defs"]})
        for value in TYPED:
            if not holds.is_valid(value):
                with pytest.raises(BadInput):
                    made.read({"ask": ask, key: value}, At("here"), "a")
