"""What shells and scripts use: completion, errors as objects, exit statuses, studies to copy."""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from symbolic_mem.base.errors import SymbolicMemError
from symbolic_mem.base.symbols import table
from symbolic_mem.cli import complete, main
from symbolic_mem.hardware.catalogue import load_devices
from symbolic_mem.hardware.devices import READINGS
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study
from symbolic_mem.models.losses import known_losses
from symbolic_mem.models.profile import profiles
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.plans.placement import RESTS
from symbolic_mem.plans.read import plans
from symbolic_mem.recipes.optimizers import optimizers
from symbolic_mem.recipes.read import presets

STUDY = "cs336-a2-xxl"


def test_completion_offers_what_there_is():
    assert set(complete.studies()) == set(bundled())
    assert set(complete.devices()) == set(load_devices())
    assert set(complete.recipes()) == set(presets())
    assert set(complete.optimizers()) == set(optimizers())
    assert set(complete.profiles()) == set(profiles())
    assert set(complete.plans()) == set(plans())
    assert {name.partition(":")[0] for name in known_losses()} >= set(complete.losses())
    assert set(complete.SYMBOLS) == {str(name.symbol) for name in table(given=True)}
    assert (tuple(KINDS), tuple(READINGS), tuple(RESTS)) == (complete.KINDS, complete.READINGS, complete.RESTS)


def offered(*words: str) -> list[str]:
    """What the program offers a shell for the last of these words."""
    typed = {"COMP_WORDS": " ".join(("symbolic-mem", *words)), "COMP_CWORD": str(len(words))}
    variables = {**os.environ, **typed, "_SYMBOLIC_MEM_COMPLETE": "bash_complete"}
    done = subprocess.run(
        [sys.executable, "-m", "symbolic_mem"], check=True, env=variables, capture_output=True, text=True
    )
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("account", "llama-3.1-4"), "llama-3.1-405b"),
        (("solve", STUDY, "--device", "tpu-v5p"), "tpu-v5p"),
        (("solve", STUDY, "--for", "n_fs"), "n_fsdp"),
        (("account", STUDY, "--set", "d_m"), "d_model="),
        (("account", STUDY, "--place", "act"), "activations="),
        (("account", STUDY, "--recompute", "sel"), "selective"),
    ],
)
def test_a_shell_is_offered_names(words, wanted):
    assert offered(*words) == [wanted]


def test_completion_does_not_import_sympy():
    code = "import sys, symbolic_mem.cli.options, symbolic_mem.cli.complete as c; c.devices(); c.studies(); print('sympy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout == b"False\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell(run, shell):
    done = run("completion", shell)
    assert done.status == 0 and f"_SYMBOLIC_MEM_COMPLETE={shell}_complete" in done.out


def test_another_shell_is_refused(refused):
    assert "'csh'" in refused("completion", "csh")


@pytest.mark.parametrize(
    ("call", "kind", "status", "known"),
    [
        (("solve", STUDY[:-1]), "bad-input", 2, STUDY),
        (("solve", STUDY, "--device", "h1000"), "bad-input", 2, "h100-80gb"),
        (("solve", STUDY, "--for", "B"), "missing-value", 2, None),
        (("solve", STUDY, "--nosuch"), "usage", 2, None),
        (("nosuch", STUDY), "usage", 2, "solve"),
    ],
)
def test_an_error_is_an_object_for_a_program(run, call, kind, status, known):
    plain, done = run(*call), run(*call, "--json")
    error = json.loads(done.out)["error"]
    assert (done.status, done.err, error["kind"], error["status"]) == (status, "", kind, status)
    assert plain.err == f"symbolic-mem: {error['message']}\n" and plain.out == ""
    assert known is None or known in error["known"]


def test_every_kind_of_error_stands_in_the_schema_and_on_the_page(run):
    def below(kind):
        return {kind}.union(*map(below, kind.__subclasses__()))

    tree = ast.parse(inspect.getsource(main))
    said = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "fail"]
    literal = {call.args[2].value for call in said if isinstance(call.args[2], ast.Constant)}
    assert len(said) > len(literal) > 3
    kinds = literal | {error.kind for error in below(SymbolicMemError)}
    schema = json.loads(run("schema", "error").out)
    assert {*schema["properties"]["error"]["properties"]["kind"]["enum"]} == kinds
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    listed = page[page.index("`kind` is ") :].partition(".")[0]
    assert {*re.findall("`([a-z-]+)`", listed)} - {"kind"} == kinds


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (("solve", STUDY), 0),
        (("solve", STUDY, "--question", "b, literally"), 1),
        (("solve", STUDY, "--set", "n_fsdp=46"), 0),
        (("solve", STUDY, "--set", "n_fsdp=45"), 1),
        (("account", STUDY, "--set", "n_fsdp=46", "--capacity", "95 GiB"), 0),
        (("account", STUDY, "--set", "n_fsdp=45", "--capacity", "95 GiB"), 1),
        (("account", STUDY, "--capacity", "95 GiB"), 2),
    ],
)
def test_what_does_not_fit_fails_where_that_is_asked(run, call, status):
    done = run(*call, "--fail-if-infeasible")
    assert done.status == status
    assert run(*call).status == 0


@pytest.mark.parametrize("name", bundled())
def test_a_study_that_is_shown_is_the_study(run, tmp_path, name):
    copy = tmp_path / "copy.toml"
    copy.write_text(run("show", name).out, encoding="utf-8")
    study, copied = load_study(name), load_study(str(copy))
    assert copied.memory == study.memory and copied.values == study.values and copied.title == study.title
    assert [question.label for question in copied.questions] == [question.label for question in study.questions]


def test_a_config_is_shown_as_a_study(run, tmp_path):
    config = Path(__file__).parents[1] / "data" / "hf_configs" / "gemma-2-9b.json"
    (tmp_path / "my.toml").write_text(run("show", str(config)).out, encoding="utf-8")
    made, read = load_study(str(tmp_path / "my.toml")), load_study(str(config))
    assert (made.memory, made.placement, made.recipe) == (read.memory, read.placement, read.recipe)
