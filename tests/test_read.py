import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.tomlfile import LIMIT, entry, known_keys, parse_toml, read_toml


def message_of(call, *arguments):
    with pytest.raises(BadInput) as caught:
        call(*arguments)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_good_file_is_read_with_or_without_byte_order_mark(tmp_path):
    path = tmp_path / "a.toml"
    for start in (b"", b"\xef\xbb\xbf"):
        path.write_bytes(start + b"title = 'Gr\xc3\xb6\xc3\x9fe'\n")
        assert read_toml(path) == read_toml(str(path)) == {"title": "Größe"}


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"a = \n", "is not valid TOML: Invalid value (at line 1, column 5)"),
        (b"a = 1\na = 2\n", "is not valid TOML: Cannot overwrite a value (at "),
        (b"ok = 1\ntitle = '\xff'", "is not UTF-8 text (line 2)"),
        ("a = 1".encode("utf-16"), "is not UTF-8 text (line 1)"),
        (b"a = " + b"9" * 5000, "is not usable TOML: it has a number of too many digits; write fewer"),
        (b"a = " + b"[" * 100_000, "nested too deeply"),
        (b"a = '\x00'", "is not valid TOML"),
        (b"a = 2026-13-45", "is not valid TOML"),
    ],
    ids=["value", "duplicate", "latin-1", "utf-16", "digits", "nesting", "nul", "date"],
)
def test_a_faulty_file_is_one_line_that_names_it(tmp_path, content, part):
    path = tmp_path / "my.toml"
    path.write_bytes(content)
    message = message_of(read_toml, path)
    assert message.startswith(f"{path}: ")
    assert part in message


def test_a_missing_file_a_folder_and_an_impossible_name_are_refused(tmp_path):
    assert "there is no such file" in message_of(read_toml, tmp_path / "none.toml")
    assert "is a folder" in message_of(read_toml, tmp_path)
    assert "cannot be read" in message_of(read_toml, "a\0b")
    assert "cannot be read" in message_of(read_toml, "a" * 5000)
    assert "there is no such file" in message_of(read_toml, tmp_path / "a\nb.toml")


@pytest.mark.skipif(os.name == "nt" or getattr(os, "geteuid", lambda: 0)() == 0, reason="permissions do not bind here")
def test_a_forbidden_file_is_refused(tmp_path):
    path = tmp_path / "my.toml"
    path.touch(mode=0)
    assert "Permission denied" in message_of(read_toml, path)


def test_the_limit_is_in_bytes_and_inclusive(tmp_path):
    path = tmp_path / "my.toml"
    path.write_bytes(b"#" * LIMIT)
    assert read_toml(path) == {}
    path.write_bytes(b"#" * (LIMIT + 1))
    assert "larger than 1,000,000 bytes" in message_of(read_toml, path)
    path.write_bytes(b"a=1\n")
    assert read_toml(path, limit=4) == {"a": 1}
    assert "larger than 3 bytes" in message_of(read_toml, path, 3)


def test_an_unknown_key_is_answered_with_the_known_ones():
    known_keys({"d_ff": 1}, iter(["d_ff", "L"]), "my.toml")
    known_keys({}, [], "my.toml")
    message = message_of(known_keys, {"d_f": 1}, ["d_ff", "L"], "my.toml [values]")
    assert message == "my.toml [values]: unknown key 'd_f'; did you mean 'd_ff'? known: L, d_ff"
    assert len(message_of(known_keys, {"x" * 9999: 1}, ["d_ff"], "my.toml")) < 200


@pytest.mark.parametrize(
    ("value", "kind", "given"),
    [
        (True, int, "a whole number, not true or false"),
        (1, bool, "true or false, not a whole number"),
        (1.5, int, "a whole number, not a float"),
        ("1", int, "a whole number, not text"),
        ([], dict, "a table, not a list"),
        ({}, str, "text, not a table"),
    ],
)
def test_an_entry_of_another_kind_is_refused(value, kind, given):
    assert message_of(entry, {"key": value}, "key", kind, "my.toml") == f"my.toml: key must be {given}"


def test_an_entry_is_returned_or_its_default():
    assert entry({"key": False}, "key", bool, "my.toml", True) is False
    assert entry({}, "key", str, "my.toml", "") == ""
    assert message_of(entry, {}, "key", str, "my.toml") == "my.toml: key is missing; give text"


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=60))
def test_any_bytes_are_a_table_or_one_line(content):
    try:
        assert isinstance(parse_toml(content, "my.toml"), dict)
    except BadInput as error:
        assert str(error).startswith("my.toml: ")
        assert "\n" not in str(error)
