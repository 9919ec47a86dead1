"""A model by its name on the hub: from the local cache, never from a network."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.library.cache import is_name
from symbolic_mem.library.read import load_study

COMMITS = ("0" * 40, "1" * 40)


def snapshot(hub: Path, commit: str, layers: int) -> Path:
    folder = hub / "models--acme--tiny" / "snapshots" / commit
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "llama", "num_hidden_layers": layers}))
    return folder


def layers(name: str = "acme/tiny") -> int:
    study = load_study(name)
    assert study.name == "tiny"
    return int({str(symbol): value for symbol, value in study.values.items()}["L"])


@pytest.mark.parametrize("variable", ["HF_HUB_CACHE", "HF_HOME"])
def test_the_commit_of_the_main_branch_counts(tmp_path, monkeypatch, variable):
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv(variable, str(tmp_path))
    hub = tmp_path / "hub" if variable == "HF_HOME" else tmp_path
    snapshot(hub, COMMITS[0], 2), snapshot(hub, COMMITS[1], 3)
    (hub / "models--acme--tiny" / "refs").mkdir()
    (hub / "models--acme--tiny" / "refs" / "main").write_text(COMMITS[0])
    assert layers() == 2


def test_without_it_the_newest_snapshot_counts(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    old = snapshot(tmp_path, COMMITS[0], 2)
    snapshot(tmp_path, COMMITS[1], 3)
    os.utime(old, (1, 1))
    assert layers() == 3


@pytest.mark.parametrize("main", ["../../../etc", "2" * 40, ""])
def test_a_reference_that_leads_nowhere_is_no_way_out_of_the_cache(tmp_path, monkeypatch, main):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    snapshot(tmp_path, COMMITS[0], 2)
    (tmp_path / "models--acme--tiny" / "refs").mkdir()
    (tmp_path / "models--acme--tiny" / "refs" / "main").write_text(main)
    assert layers() == 2


def test_what_is_not_there_is_said_with_the_command_that_fetches_it(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(BadInput) as caught:
        load_study("acme/tiny")
    assert str(caught.value) == (
        f"acme/tiny: there is no such file or folder, nor its config.json in the local cache of the hub ({tmp_path}); "
        "nothing is downloaded here, and `hf download acme/tiny config.json` puts it there"
    )


@pytest.mark.parametrize("text", ["a", "a/b/c", "/a/b", "a/..", "../a", "a b/c", "a/", ".a/b"])
def test_a_path_is_no_name(text):
    assert not is_name(text)
