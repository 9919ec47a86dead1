"""What users script against is there, word by word: verbs, options, keys of JSON, names in Python."""

from __future__ import annotations

import inspect

import pytest

import symbolic_mem as sm
from symbolic_mem.cli.main import VERBS, group
from symbolic_mem.cli.schema import schema

CHANGES = "--set --recipe --optimizer --profile --kernel --loss --plan --device --capacity --reading --place --rest"
FILES = "--recompute --devices --recipes --profiles --plans"
RULES = "--multiple-of --power-of-two --divides --at-most-devices --whole-samples --padded-rows"
OPTIONS = {
    "homework": f"{CHANGES} {FILES} -o --question --detail --sheet --variant --templates --json",
    "report": f"{CHANGES} {FILES} -o --question --detail --templates --json",
    "fragment": f"{CHANGES} {FILES} --part --width -o",
    "account": f"{CHANGES} {FILES} --json --fail-if-infeasible",
    "solve": f"{CHANGES} {FILES} {RULES} --for --question --kind --strict --at-most --reserve --usable --json --fail-if-infeasible",
    "fit": f"{CHANGES} {FILES} --on --plans --json",
    "comms": f"{CHANGES} {FILES} --overlap --axes --scheme --pass --chips --json",
    "compare": "--set --recipe --optimizer --recompute --profile --kernel --loss --plan --place --rest --json",
    "check": f"{CHANGES} {FILES} --claim --claims --fail-if-wrong --json",
    "sweep": f"{CHANGES} {FILES} --vary --where --sort --top -o --json",
    "explore": f"{CHANGES} {FILES} -o",
    "verify": "--set --recipe --optimizer --profile --kernel --loss --plan --place --cases --json",
    "list": "--json",
    "show": "",
    "schema": "",
    "completion": "",
}
KEYS = {
    "account": "study values recipe terms parameters static_bytes activation_bytes total_bytes per_device not_counted assumptions missing",
    "account terms": "name kind elements formula latex bytes per_device_formula per_device_bytes reason source",
    "account per_device": "degrees total_bytes peak_bytes instant rank loss capacity_bytes fits",
    "account not_counted": "what bytes",
    "solve": "study for feasible value formula latex condition strict capacity_bytes reading device per_device_bytes "
    "at_value_minus_one_bytes at_value_plus_one_bytes assumptions reason given fits peak_bytes left_bytes total_bytes",
    "homework": "title answers questions sections",
    "homework questions": "study question for feasible value",
    "report": "title answers questions sections",
    "check": "study question claim quantity right rounded figures claimed expected difference explanations sentence error",
    "compare": "first second difference_bytes per_device gaps",
    "compare gaps": "term first_bytes second_bytes reason",
    "fit": "rows",
    "fit rows": "what plan fits peak_bytes instant rank left_bytes not_counted command",
    "comms": "conventions critical_batch_tokens per_chip per_fsdp_rank formula",
    "error": "error",
    "error error": "kind message known",
}
NAMES = "ffn account recipe over n_fsdp solve device load_study answer homework report fragment explorer figure sweep"
METHODS = {"Memory": "total place at", "Bound": "at", "Study": "change", "Fragment": "save", "Derivation": "save"}


@pytest.mark.parametrize("verb", OPTIONS)
def test_a_verb_takes_its_options(verb):
    command = group.get_command(None, verb)
    assert command is not None
    known = {word for one in command.params for word in (*one.opts, *one.secondary_opts)}
    assert set(OPTIONS[verb].split()) - known == set()


def test_there_are_no_other_verbs():
    assert set(VERBS) == set(OPTIONS)


@pytest.mark.parametrize("place", KEYS)
def test_json_has_its_keys(place):
    name, *way = place.split()
    content = schema(name)

    def inside(part):
        while "$ref" in part or "items" in part:
            part = content["$defs"][part["$ref"].removeprefix("#/$defs/")] if "$ref" in part else part["items"]
        return part

    part = inside(content)
    for key in way:
        part = inside(part["properties"][key])
    assert set(KEYS[place].split()) - set(part["properties"]) == set()


@pytest.mark.parametrize("name", NAMES.split())
def test_python_has_its_names(name):
    assert name in sm.__all__ and getattr(sm, name) is not None


@pytest.mark.parametrize("name", METHODS)
def test_values_have_their_methods(name):
    for method in METHODS[name].split():
        assert inspect.getdoc(getattr(getattr(sm, name), method))
