"""What is said is decided by values, how it is set by the renderer: no room in between reads a text back or measures it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import symbolic_mem

ROOT = Path(symbolic_mem.__file__).parent
ROOMS = ("accounts", "claims", "cli", "document", "documents", "questions")
FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
CUTS = ("startswith", "endswith", "removeprefix", "removesuffix")
SETTERS = ("plain_prose", "plain_chain", "plain")
SENTENCES = ("prose", "statement")


def faults(source: str) -> list[str]:
    """Places that measure the text of a value, or that cut or test a sentence that is already written."""
    tree = ast.parse(source)
    written = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and _is_sentence(node.value, set())
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if _called(node) == "len" and any(_turns_to_text(argument) for argument in node.args):
            found.append(f"line {node.lineno}: measures the text of a value")
        if isinstance(node.func, ast.Attribute) and node.func.attr in CUTS and _is_sentence(node.func.value, written):
            found.append(f"line {node.lineno}: reads a sentence back")
    return found


def _called(node: ast.AST) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def _turns_to_text(node: ast.AST) -> bool:
    return _called(node) == "str" or _called(node) in SETTERS


def _is_sentence(node: ast.AST, written: set[str]) -> bool:
    match node:
        case ast.Attribute(attr=name):
            return name in SENTENCES
        case ast.Name(id=name):
            return name in written
    return _called(node) in SETTERS


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_room_measures_or_reads_back_what_is_set(path):
    assert faults(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "if len(str(formula)) > 30: pass",
        "long = max(len(str(f)) for f in shown)",
        "len(plain(bound)) <= 240",
        "plain_prose(block.prose).startswith('Each ')",
        "said = plain_prose(x)\nsaid.removesuffix(' So')",
        "step.statement.endswith('take')",
    ],
)
def test_this_test_sees_such_a_place(source):
    assert len(faults(source)) == 1


@pytest.mark.parametrize("source", ["len(rows)", "name.startswith('n_')", "str(len(rows))", "said = plain_prose(x)"])
def test_this_test_lets_other_text_be(source):
    assert faults(source) == []


def loose_templates(source: str) -> list[str]:
    """Places where the template of `say` is not one plain literal, so that words of a user could be read as its names."""
    return [
        f"line {node.lineno}: {ast.unparse(node)[:80]}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and (_called(node) == "say" or (isinstance(node.func, ast.Attribute) and node.func.attr == "say"))
        and not (node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str))
    ]


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_sentence_is_one_plain_literal_with_its_pieces(path):
    assert loose_templates(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source", ['say(f"at {n}")', 'say("a" + b)', "say(words)", 'say("a".format(1))', "say()", "prose.say(x)"]
)
def test_a_template_that_is_made_is_seen(source):
    assert len(loose_templates(source)) == 1


@pytest.mark.parametrize("source", ['say("at {n}", n=n)', 'say("a " "b")', "text(words)"])
def test_a_template_that_is_written_is_let_be(source):
    assert loose_templates(source) == []
