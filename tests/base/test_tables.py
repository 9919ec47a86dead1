"""A catalogue that is parsed table by table says what the whole text says."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import symbolic_mem
from symbolic_mem.base.tables import Tables, as_json, tables_of

PACKAGE = Path(symbolic_mem.__file__).parent
EVERY = sorted(str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.toml"))
FILES = [file for file in EVERY if "/studies/" not in file]
UNDER = [
    ("hardware/devices.toml", "devices"),
    ("hardware/devices.toml", "sources"),
    ("models/families.toml", "families"),
]


def test_there_are_catalogues():
    assert {"hardware/devices.toml", "models/profiles.toml", "recipes/presets.toml"} <= set(FILES)


@pytest.mark.parametrize("file", FILES)
def test_the_tables_of_a_catalogue_are_those_of_the_whole_text(file):
    text = (PACKAGE / file).read_text(encoding="utf-8")
    whole = tomllib.loads(text)
    tables = Tables(text)
    assert dict(tables) | tables.rest == whole
    assert list(tables) == [name for name in whole if name not in tables.rest]


@pytest.mark.parametrize(("file", "under"), UNDER)
def test_the_tables_under_one_are_its_own(file, under):
    text = (PACKAGE / file).read_text(encoding="utf-8")
    whole = tomllib.loads(text)
    tables = Tables(text, under)
    assert dict(tables) == whole[under] and list(tables) == list(whole[under])
    assert tables.rest == {name: table for name, table in whole.items() if name != under}


@pytest.mark.parametrize(("file", "under"), [*((file, "") for file in FILES), *UNDER])
def test_the_json_of_a_wheel_is_read_as_the_text(file, under, tmp_path):
    text = (PACKAGE / file).read_text(encoding="utf-8")
    (tmp_path / "catalogue.json").write_text(as_json(text), encoding="utf-8")
    found, tables = Tables.of(tmp_path / "catalogue.toml", under), Tables(text, under)
    assert list(found.items()) == list(tables.items()) and found.rest == tables.rest
    assert len(found) == len(tables) and all(name in found for name in tables)


def test_a_whole_file_is_read_as_its_text(tmp_path):
    for file in EVERY:
        text = (PACKAGE / file).read_text(encoding="utf-8")
        (tmp_path / "whole.json").write_text(as_json(text), encoding="utf-8")
        assert tables_of(tmp_path / "whole.toml") == tables_of(PACKAGE / file) == tomllib.loads(text), file


def test_a_name_may_be_quoted():
    assert dict(Tables('[a."b.c"]\nd = 1\n[[a."b.c".e]]\nf = 2\n', "a")) == {"b.c": {"d": 1, "e": [{"f": 2}]}}
