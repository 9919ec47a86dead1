"""A page of play as data: what it holds is what Python computes, and what it cannot hold is refused in one line."""

from __future__ import annotations

import json
import re
import runpy
from dataclasses import replace
from fractions import Fraction
from math import ceil, floor, prod
from pathlib import Path

import pytest
from pages import carried
from sampled import sampled

from symbolic_mem.accounts.timeline import possible
from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.base.rational import fraction
from symbolic_mem.cli.main import main
from symbolic_mem.explore.command import options_of
from symbolic_mem.explore.data import asked, data
from symbolic_mem.explore.held import groups
from symbolic_mem.explore.ledgers import Ledgers
from symbolic_mem.explore.packed import digest
from symbolic_mem.explore.page import explorer
from symbolic_mem.library.bundled import bundled_path
from symbolic_mem.library.read import load_study
from symbolic_mem.plans.read import plan
from symbolic_mem.questions.parts.host_keys import Host
from symbolic_mem.recipes.read import presets
from symbolic_mem.render.html import math_font
from symbolic_mem.study.changed_device import reserve

DOCS = Path(__file__).parents[2] / "docs"


def number(nodes, place, values):
    """The value of a node, as a reader of the list computes it."""
    node = nodes[place]
    if isinstance(node, str):
        return Fraction(values[node])
    if isinstance(node, int):
        return Fraction(node)
    sign, *rest = node
    if sign == "n":
        return Fraction(rest[0])
    if sign == "q":
        return Fraction(int(rest[0]), int(rest[1]))
    first = number(nodes, rest[0], values)
    if sign == "^":
        return first ** rest[1]
    if sign in "cf":
        return Fraction({"c": ceil, "f": floor}[sign](first))
    parts = [first, *(number(nodes, part, values) for part in rest[1:])]
    return {"+": sum, "*": prod, "M": max, "m": min}[sign](parts)


@pytest.mark.parametrize("name", ["cs336-a2-xxl", "llama-3.1-8b", "fits-and-computes"])
def test_a_ledger_as_data_gives_the_numbers_of_the_ledger(name):
    study = load_study(name)
    for question in (one for one in study.questions if one.ask in ("min_degree", "fits_and_computes")):
        ledger = question.answer(study.under(question)).ledger
        for symbol, value in ledger.numbers.items():
            if not value.is_Rational:
                continue
            nodes = ledger.compile("js", symbol)
            values = {str(own): fraction(given) for own, given in ledger.values.items()}
            assert number(nodes, len(nodes) - 1, values) == fraction(value), symbol


@pytest.mark.slow
def test_the_buckets_of_data_parallelism_are_not_there_on_one_device():
    study = load_study("llama-3.1-8b").change(recipe="pure-bf16", plan="zero-1")
    content = data(study, asked(study), None)
    beside = content["ledgers"][content["made"][0][0]]["beside"]
    parameters = 8_030_261_248
    for n, size in ((1, 0), (2, 2 * parameters), (8, 2 * parameters)):
        assert number(content["nodes"], beside, dict(content["symbols"]) | {"n_fsdp": str(n)}) == size


@pytest.mark.parametrize("blocks", [4, 15])
@pytest.mark.parametrize("how", ["full", "half", "every=3+last", "groups=4", "block=3", "products=2"])
def test_a_page_takes_the_numbers_of_blocks_that_have_its_instants(how, blocks):
    whole = load_study("cs336-a2-xxl").change(recipe="fsdp2", place={"activations": "1"}, recompute=how)

    def held(number):
        study = whole.change(values={"L": number})
        found = possible(study.rank, study.recipe, study.placement, study.numbers)
        return [(one, [term.name for term in one.memory]) for one in found]

    study = whole.change(values={"L": blocks})
    ledgers = Ledgers(asked(study))
    when = ledgers.ledgers.listed[ledgers.ledger(study)]["when"]
    taken = [
        number
        for number in range(1, 20)
        if all(
            number % several == rest and number >= least and (not most or number <= most[0])
            for _, _, several, rest, least, *most in when
        )
    ]
    own = held(blocks)
    assert blocks in taken and [number for number in taken if held(number) != own] == []
    assert bool(when) == (how not in ("full", "products=2"))


def test_what_is_free_in_data_stays_a_name():
    study = load_study("cs336-a2-xxl")
    question = asked(study)
    ledger = question.answer(study.under(question)).ledger
    (b,) = [symbol for symbol in study.values if str(symbol) == "B"]
    nodes = ledger.compile("js", ledger.lines[-1].symbol, free=(b,))
    assert [node for node in nodes if isinstance(node, str)] == ["B"]
    with pytest.raises(BadInput, match="unknown target 'c'; known: int, js"):
        ledger.compile("c", ledger.lines[-1].symbol)


@pytest.fixture(scope="module")
def content():
    """What a page of the study holds."""
    study = load_study("cs336-a2-xxl")
    return data(study, asked(study), None)


def test_a_page_holds_every_recipe_with_every_recomputation_and_says_why_one_is_not_possible(content):
    offered = {name: [option for option, _ in options] for name, _, _, options in content["choices"]}
    trained = {name for name, recipe in presets().items() if recipe.trains and recipe.tuned.rank is None}
    assert set(offered["recipe"]) == trained and offered["recipe"][0] == "cs336"
    assert offered["recompute"] == ["none", "full", "half", "selective"]
    assert offered["activations"] == [f"activations={one}" for one in ("1/2,dropped", "1", "1/2,kept", "0,kept")]
    for kind in ("weights", "gradients", "optimizer"):
        assert offered[kind] == [f"{kind}={one}" for one in ("1", "1/2,kept", "0,kept")]
    single = 1 + (len(trained) - 1) + (len(offered["plan"]) - 1) + 3 * 2
    assert len(content["made"]) == single * 4 * 4
    words = [made for made in content["made"] if isinstance(made, str)]
    assert any("'autocast' keeps BF16 copies of the weights, and half recomputation" in one for one in words)


def test_a_device_that_has_no_more_than_is_kept_free_is_not_offered(content):
    study = load_study("cs336-a2-xxl").called([reserve("30 GiB")])
    offered = {one["name"] for one in data(study, asked(study), None)["devices"]}
    every = {one["name"] for one in content["devices"]}
    assert {"tpu-v5p", "h100-80gb"} <= offered < every
    with pytest.raises(BadInput, match="96 GiB are reserved, and the device holds 95 GiB"):
        data(load_study("cs336-a2-xxl").called([reserve("96 GiB")]), asked(study), None)


def test_equal_things_stand_once_in_a_page(content):
    for pool in ("nodes", "trees", "terms", "instants", "ledgers", "words"):
        written = [json.dumps(one) for one in content[pool]]
        assert len(set(written)) == len(written), pool


def test_the_data_of_a_page_cannot_end_its_script():
    page = explorer(load_study("cs336-a2-xxl")).html
    content, script = carried(page)
    assert content["n"] == "n_fsdp" and digest(script) in page
    assert len(re.findall("</script>", page)) == 3


@pytest.mark.parametrize(("letter", "font"), [("n", "play"), ("h", "math")])
def test_a_page_whose_symbols_slant_other_letters_carries_the_whole_font(tmp_path, letter, font):
    own = bundled_path("set-states").read_text(encoding="utf-8") + f'[symbols]\nd_model = "{letter}"\n'
    (tmp_path / "own.toml").write_text(own, encoding="utf-8")
    page = explorer(load_study(str(tmp_path / "own.toml"))).html
    assert math_font(font) in page


def test_one_command_makes_the_gallery_and_the_explainer_with_pages_inside_it(tmp_path):
    gallery = runpy.run_path(str(DOCS / "gallery.py"))
    gallery["write"](tmp_path, ("cs336-a2-xxl",))
    assert {path.name for path in tmp_path.iterdir()} == {"cs336-a2-xxl.html", "explainer.html", "gallery.html"}
    text = (tmp_path / "explainer.html").read_text(encoding="utf-8")
    inside = re.findall(r'<iframe src="([^"]+)\.html"', text)
    assert len(inside) == 3 and set(inside) <= set(gallery["GALLERY"])
    linked = (tmp_path / "gallery.html").read_text(encoding="utf-8")
    assert [name for name in gallery["GALLERY"] if f'href="{name}.html"' not in linked] == []
    assert ".md" not in text + linked


REFUSED = [
    ("cs336-a2-xxl", "a", "asks for device_count; a page of play answers min_degree: 'b', 'b, literally'"),
    ("cs336-a2-xxl", "z", "has no question 'z'; known"),
]


def added(study):
    """The ledgers of the study alone, and what a page would hold of it."""
    question = asked(study)
    ledgers = Ledgers(question)
    return ledgers, ledgers.add(study.under(question).without(question.symbol))


def test_replicas_and_the_rule_of_a_plan_are_in_the_page():
    study = load_study("llama-3.1-8b")
    _, made = added(study.change(plan="hsdp", values={"n_replica": 2}))
    assert made[3] == 2
    resharded = replace(study, plan=plan("fsdp2").resharding(8, "here"))
    ledgers, made = added(resharded)
    assert [rule[0] for rule in ledgers.ruled.listed[made[2]]] == ["multiple"]
    ((p, q, words, itself),) = groups(resharded)
    assert (p, q, itself) == ("1", "8", True) and "{found}; give a divisor of it" in words


def test_what_decides_how_a_plan_cuts_the_model_is_held_and_the_rest_is_free():
    study = load_study("cluster-gpt-3-175b")
    content = data(study, asked(study), None)
    free = [name for name, value in content["symbols"] if [name, value] not in content["held"]]
    assert free == ["B", "S", "d_model", "d_head", "n_pos"] and content["shows"] == "1"
    assert content["made"][0][3] == 64
    assert content["demands"][0][:2] == ["plan", "S"]


def test_the_memory_of_a_host_is_refused():
    study = load_study("llama-3.1-8b").change(offload="optimizer")
    question = replace(asked(study), host=Host(2**39, "512 GiB"), per_host=8)
    with pytest.raises(BadInput, match="does not know the memory of a host"):
        added(replace(study, questions=(question,)))


@pytest.mark.parametrize(("name", "label", "words"), REFUSED)
def test_what_a_page_cannot_answer_is_refused(name, label, words):
    with pytest.raises(BadInput, match=re.escape(words)):
        _ = explorer(load_study(name), label).html


def test_a_size_without_a_value_is_named(tmp_path):
    from importlib.resources import files

    config = files("symbolic_mem") / "library" / "studies" / "configs" / "llama-3.1-8b.json"
    study = load_study(str(config)).change(device="h100-80gb", values={"B": 1})
    with pytest.raises(MissingValue, match="S"):
        _ = explorer(study).html


def test_a_study_that_asks_about_a_cache_shows_training_where_a_recipe_of_it_is_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["explore", "set-inference", "--device", "h100-80gb", "--recipe", "cs336", "-o", "page.html"]) == 0
    content, _ = carried((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert content["command"][1] == [["--device", "h100-80gb"], ["--recipe", "cs336"]]


CHANGED = [
    ({"values": {"B": 64}, "recipe": "fp8"}, [("--set", "B=64"), ("--recipe", "fp8")]),
    (
        {"rest": "kept"},
        [("--place", f"{kind}=1,kept") for kind in ("weights", "gradients", "optimizer")]
        + [("--place", "activations=1/2,kept")],
    ),
    ({"capacity": "40 GiB"}, [("--capacity", "40 GiB")]),
    ({"recompute": "every=2", "plan": "zero-3"}, [("--plan", "zero-3"), ("--recompute", "every=2")]),
    ({"recompute": {"rule": "full", "transient": True}}, [("--recompute", "full+transient")]),
]


@pytest.mark.parametrize(("given", "options"), CHANGED)
def test_a_changed_study_knows_the_options_that_make_it(given, options):
    assert options_of(load_study("cs336-a2-xxl").change(**given)) == options


def test_the_verb_writes_a_page_that_starts_where_its_options_say(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["explore", "cs336-a2-xxl", "--set", "B=64", "--question", "b, literally", "-o", "page.html"]) == 0
    assert "wrote page.html" in capsys.readouterr().err
    content, _ = carried((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert dict(content["symbols"])["B"] == "64"
    assert content["command"] == [
        ["symbolic-mem", "solve", "cs336-a2-xxl"],
        [["--set", "B=64"], ["--question", "b, literally"]],
    ]


def test_an_option_that_only_the_command_line_can_write_stands_as_it_was_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert (
        main(["explore", "cs336-a2-xxl", "--offload", "optimizer,gradients", "--device", "b200", "-o", "page.html"])
        == 0
    )
    content, _ = carried((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert content["command"][1] == [["--device", "b200"], ["--offload", "optimizer,gradients"]]


def test_a_wrong_call_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for given in (["cs336-a2-xxl", "-o", "page.pdf"], ["nosuch", "-o", "page.html"], ["cs336-a2-xxl"]):
        assert main(["explore", *given]) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) <= 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", sampled(["cs336-a2-xxl", "qlora-llama-3.1-8b", "llama-3.1-8b"]))
def test_the_command_of_a_page_asks_what_the_page_answers(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    page = explorer(load_study(name))
    content, _ = carried(page.html)
    start, options = content["command"]
    assert main([*start[1:], *(word for option in options for word in option), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["for"] == content["n"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["llama-3.1-8b", "--recipe", "inference"], "recipe 'inference' is one of inference"),
        (["llama-3.1-8b", "--recipe", "vllm", "--set", "B=3"], "recipe 'vllm' is one of inference"),
        (["lora-llama-3.1-8b", "--question", "b"], "lora-llama-3.1-8b has no such question, leave the label out"),
        (["cs336-a2-xxl", "--question", "d"], "min_degree: 'b', 'b, literally'"),
        (["kv-cache", "--device", "h100-80gb"], "kv-cache asks nothing about the memory of training"),
        (["set-inference", "--device", "h100-80gb"], "is trained, such as --recipe cs336"),
        (["set-communication"], "set-communication asks nothing about the memory of training"),
    ],
)
def test_what_a_page_cannot_show_is_one_line(given, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["explore", *given, "-o", "page.html"]) == 2
    assert said in capsys.readouterr().err and list(tmp_path.iterdir()) == []
