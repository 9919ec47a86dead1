"""CONTRIBUTING.md: each thing that it adds is added to a copy of the package, and its commands run there."""

from __future__ import annotations

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


def printed(folder: Path, command: str) -> str:
    """What a command prints in the copy, where it is answered."""
    words = shlex.split(command)
    assert words[0] == "symbolic-mem"
    done = subprocess.run(
        [sys.executable, "-m", "symbolic_mem", *words[1:]],
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        encoding="utf-8",
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


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


@pytest.mark.parametrize("command", commands())
def test_what_is_added_works(copy, command):
    said = next(words for part, words in reversed(SAID.items()) if part in command)
    assert said in printed(copy, command)


def test_a_family_of_our_own_is_read(copy):
    config = (
        '{"architectures": ["OurModelForCausalLM"], "model_type": "ourmodel", "hidden_size": 64, "num_hidden_layers": 2, '
        '"num_attention_heads": 4, "num_key_value_heads": 4, "intermediate_size": 128, "vocab_size": 100, '
        '"tie_word_embeddings": true}'
    )
    (copy / "config.json").write_text(config, encoding="utf-8")
    assert "P" in printed(copy, "symbolic-mem account config.json --set B=1 --set S=8")


def test_every_file_that_is_named_exists():
    for path in re.findall(r"`((?:claims|questions|library|docs|tests)/[\w/.]*)`", PAGE):
        assert (ROOT / "symbolic_mem" / path).exists() or (ROOT / path).exists(), path
