"""What a wheel carries ready: the data of bundled studies prints, byte for byte, what the formulas print."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner
from sampled import sampled

from symbolic_mem.cli.main import group
from symbolic_mem.hardware.catalogue import load_devices
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.parts.cautions import elsewhere
from symbolic_mem.shipped import make
from symbolic_mem.shipped.read import answer

AMOUNTS = ("95 GiB", "80GB", "15.77 GiB", "1 TB", "3.5 TiB", "7 B")
STUDY = "llama-3.1-8b"
SOLVED = (STUDY, "cs336-a2-xxl", "gpt2-xl", "llama-3.1-405b", "llama-3.1-70b", "mixtral-8x7b", "qwen3-30b-a3b")
SOLVED += ("scaling-book-h100s", "set-activations", "set-sharding", "deepseek-v3")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("shipped")


def ready(name: str, folder: Path, verb: str = "account") -> dict:
    """The data of a study, made once."""
    path = folder / verb / f"{name}.json"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(getattr(make, verb)(load_study(name))), encoding="utf-8")
    return json.loads(path.read_text(encoding="utf-8"))


def computed(arguments: list[str]) -> tuple[bytes, int]:
    done = CliRunner().invoke(group, arguments)
    return done.stdout_bytes, done.exit_code


def drawn(verb: str, name: str, content: dict, draw: random.Random) -> list[str]:
    """A call with values that the study may have, also far from its own and with zeros at the end, a device or an amount."""
    free = sorted({symbol for form in content["forms"] for symbol in form["free"]})
    given = []
    for symbol in draw.sample(free, min(len(free), draw.choice((0, 1, 1, 2, 3)))):
        own = int(content["values"].get(symbol, 4))
        near = (own + 1, own * 2, -(-own // 2), draw.randrange(1, 2 * own + 2))
        value = draw.choice((*near, 1, 2, 64, 4096, 10**10, draw.randrange(1, 10 ** draw.randrange(1, 18))))
        given.append(f"--set={symbol}={value}")
    device = draw.choice(([], ["--device", draw.choice(list(load_devices()))], ["--capacity", draw.choice(AMOUNTS)]))
    return [verb, name, *given, *device, "--json"]


def same(verb: str, name: str, folder: Path, number: int) -> int:
    """Hold both ways equal at as many calls, and return how often there was an answer ready."""
    content, draw, answered = ready(name, folder, verb), random.Random(name), 0
    devices = content["device"]["devices"]
    largest = max(devices, key=lambda one: Fraction(devices[one]["counted"]))
    large = [verb, name, "--device", largest, "--json"]  # where no degree is enough the formulas say why
    for arguments in ([verb, name, "--json"], large, *(drawn(verb, name, content, draw) for _ in range(number))):
        found = answer(arguments, str(folder))
        if found is not None:
            answered += 1
            assert (found, 0) == computed(arguments), arguments
    return answered


@pytest.mark.parametrize("name", sampled(bundled(), every=6))
def test_the_data_of_an_account_print_what_its_formulas_print(name, folder):
    assert same("account", name, folder, 5) >= 2


@pytest.mark.parametrize("name", sampled(SOLVED, every=4))
def test_the_data_of_an_answer_print_what_its_formulas_print(name, folder):
    assert same("solve", name, folder, 8) >= 1


@pytest.mark.parametrize(
    "options",
    [
        (STUDY, "--set", "n_fsdp=4", "--device", "h100-80gb"),
        (STUDY, "--set", "n_fsdp=5", "--device", "mi300x", "--set", "B=7", "--set", "S=4120"),
        (STUDY, "--set", "n_fsdp=7", "--capacity", "66.489 GiB"),
    ],
    ids=" ".join,
)
def test_the_cautions_of_an_account_are_ready_too(options, folder):
    ready(STUDY, folder)
    found = answer(["account", *options, "--json"], str(folder))
    assert found is not None and b'"cautions"' in found
    assert (found, 0) == computed(["account", *options, "--json"])


def test_which_answers_are_about_a_degree_without_rules():
    for name in ("scaling-book-chips", "lora-llama-3.1-8b", "cluster-llama-3-405b", "kv-cache"):
        assert make.solve(load_study(name)) is None  # a count, a batch, a degree that is given, no memory


def test_that_no_degree_is_enough_is_ready_too(folder):
    ready(STUDY, folder, "solve")
    for options in (
        ["--capacity", "1 GB"],
        ["--capacity", "53.0368 GB"],
        ["--device", "rtx-4090"],
        ["--set", "S=65536"],
    ):
        arguments = ["solve", STUDY, *options, "--json"]
        found = answer(arguments, str(folder))
        assert found is not None and b'"feasible": false' in found
        assert (found, 0) == computed(arguments), options


@pytest.mark.parametrize(
    "options",
    [("--set", "n_fsdp=8"), ("--capacity", "1.5 B"), ("--strict",), ("--question", "c"), ("--set", "L=16")],
    ids=str,
)
def test_another_answer_is_left_to_the_formulas(options, folder):
    ready(STUDY, folder, "solve")
    assert answer(["solve", STUDY, "--json"], str(folder)) is not None
    assert answer(["solve", STUDY, "--json", *options], str(folder)) is None


@pytest.mark.slow
@pytest.mark.parametrize("device", load_devices())
def test_on_every_device(device, folder):
    ready(STUDY, folder)
    arguments = ["account", STUDY, "--set", "n_fsdp=8", "--device", device, "--json"]
    found = answer(arguments, str(folder))
    printed, status = computed(arguments)
    told = elsewhere(load_study(STUDY).recipe, load_devices()[device])  # a caution more, which the formulas say
    assert found == (None if status or told else printed)


@pytest.mark.parametrize(
    "options",
    [
        ("--recipe", "pure-bf16"),
        ("--set", "L=16"),  # how many blocks there are decides which instants there are
        ("--set", "n_fsdp=1"),  # one device gathers nothing
        ("--set", "B=0"),
        ("--set", "B=1e3"),
        ("--set", "E=8"),
        ("--set", "B"),
        ("--set",),
        ("--device", "nope"),
        ("--device", "h100-80gb", "--capacity", "80 GB"),
        ("--capacity", "80G"),
        ("--fail-if-infeasible",),
        ("another",),
        ("--json",),
    ],
    ids=" ".join,
)
def test_what_is_not_the_plain_case_is_left_to_the_formulas(options, folder):
    ready(STUDY, folder)
    assert answer(["account", STUDY, "--json"], str(folder)) is not None
    assert answer(["account", STUDY, "--json", *options], str(folder)) is None


def test_data_of_another_version_are_not_read(folder, tmp_path):
    content = ready(STUDY, folder)
    (tmp_path / "account").mkdir()
    (tmp_path / "account" / f"{STUDY}.json").write_text(json.dumps(content | {"version": "0.0.1"}), encoding="utf-8")
    assert answer(["account", STUDY, "--json"], str(tmp_path)) is None


def test_a_checkout_carries_none():
    assert answer(["account", STUDY, "--json"]) is None


def test_an_answer_that_is_ready_imports_neither_sympy_nor_click(folder):
    ready(STUDY, folder)
    code = (
        "import sys\n"
        "from symbolic_mem.shipped.read import answer\n"
        f"found = answer(['account', {STUDY!r}, '--set', 'n_fsdp=8', '--json'], {str(folder)!r})\n"
        "print(found is not None, *sorted({'sympy', 'click', 'jinja2', 'dataclasses', 'tomllib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


@pytest.fixture
def program(folder, tmp_path):
    """The program with the data of one study in its place."""
    ready(STUDY, folder)
    code = (
        "import functools, sys\n"
        "from symbolic_mem.cli import entry\n"
        "from symbolic_mem.shipped import read\n"
        f"read.answer = functools.partial(read.answer, folder={str(folder)!r})\n"
        "entry.run()\n"
    )

    def run(*arguments: str, **streams):
        return subprocess.run([sys.executable, "-c", code, *arguments], stderr=subprocess.PIPE, check=False, **streams)

    return run


def test_the_program_prints_it(program):
    arguments = ["account", STUDY, "--set", "B=4", "--json"]
    done = program(*arguments, stdout=subprocess.PIPE)
    assert (done.stdout, done.returncode, done.stderr) == (*computed(arguments), b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
def test_a_full_disk_is_said(program):
    with Path("/dev/full").open("wb") as full:
        done = program("account", STUDY, "--json", stdout=full)
    assert done.returncode == 2 and done.stderr.startswith(b"symbolic-mem: standard output: cannot be written")
