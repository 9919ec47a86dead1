"""A test that needs an absent program skips, except where skipping is forbidden."""

import pytest


def test_a_present_program_is_no_reason_to_skip(needs):
    assert needs() is None


def test_an_absent_program_skips(needs, monkeypatch):
    monkeypatch.delenv("SYMBOLIC_MEM_NO_SKIP", raising=False)
    with pytest.raises(pytest.skip.Exception, match="needs no-such-program"):
        needs("no-such-program")


def test_an_absent_program_fails_where_skipping_is_forbidden(needs, monkeypatch):
    monkeypatch.setenv("SYMBOLIC_MEM_NO_SKIP", "1")
    with pytest.raises(pytest.fail.Exception, match="needs no-such-program"):
        needs("no-such-program")
