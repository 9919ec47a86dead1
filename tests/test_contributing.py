"""CONTRIBUTING.md: each thing that it adds is added to a copy of the package, and its commands run there."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)(?: append=\"([^\"]+)\")?\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the package with all that the page adds."""
    folder = tmp_path_factory.mktemp("copy")
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("symbolic_mem", "templates"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for _, path, body in BLOCK.findall(PAGE):
        if path:
            with (folder / path).open("a", encoding="utf-8") as file:
                file.write(body)
    return folder


ASK = """
import contextlib, io, json, sys
from symbolic_mem.cli.main import main
said = []
for words in json.loads(sys.argv[1]):
    out, err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(words)
    out.flush()
    said.append((status, err.getvalue(), out.buffer.getvalue().decode()))
print(json.dumps(said))
"""


def asked(folder: Path, commands: list[str]) -> dict[str, str]:
    """What each command prints in the copy, where all are answered: one process asks them in their order."""
    words = [shlex.split(command) for command in commands]
    assert {each[0] for each in words} == {"symbolic-mem"}
    done = subprocess.run(
        [sys.executable, "-c", ASK, json.dumps([each[1:] for each in words])],
        check=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        encoding="utf-8",
    )
    said = json.loads(done.stdout)
    assert [each[:2] for each in said] == [[0, ""]] * len(said)
    return {command: out for command, (_, _, out) in zip(commands, said, strict=True)}


SAID = {
    "--device ours-48gb": "Our accelerator, 48 GB",
    "--recipe ours": "total",
    "--plan weights-only": "Plan weights-only: Only the weights are divided.",
    "solve our-problem": "what is kept fits on 4 devices of 64 MiB each",  # 128 MiB of states and 80 of activations
    "check cs336": "is right",
    "--question b": "There are 4 blocks.",
    "symbolic-mem count": "2*L*d_ff*d_model",
}


def commands() -> list[str]:
    """The commands of the page, in order."""
    return [line[2:] for kind, _, body in BLOCK.findall(PAGE) if kind == "console" for line in body.splitlines()]


OF_A_FILE = "symbolic-mem account config.json --set B=1 --set S=8"


@pytest.fixture(scope="module")
def printed(copy):
    """What the commands of the page print in the copy, and what an account of a file of the added family does."""
    config = (
        '{"architectures": ["OurModelForCausalLM"], "model_type": "ourmodel", "hidden_size": 64, "num_hidden_layers": 2, '
        '"num_attention_heads": 4, "num_key_value_heads": 4, "intermediate_size": 128, "vocab_size": 100, '
        '"tie_word_embeddings": true}'
    )
    (copy / "config.json").write_text(config, encoding="utf-8")
    return asked(copy, [*commands(), OF_A_FILE])


@pytest.mark.parametrize("command", commands())
def test_what_is_added_works(printed, command):
    said = next(words for part, words in reversed(SAID.items()) if part in command)
    assert said in printed[command]


def test_a_family_of_our_own_is_read(printed):
    assert "P" in printed[OF_A_FILE]


def test_every_file_that_is_named_exists():
    for path in re.findall(r"`((?:claims|questions|library|docs|tests)/[\w/.]*)`", PAGE):
        assert (ROOT / "symbolic_mem" / path).exists() or (ROOT / path).exists(), path
