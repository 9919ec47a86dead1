"""What is said is decided by values, how it is set by the renderer: no room in between reads a text back or measures it."""

from __future__ import annotations

import ast
from collections.abc import Sequence

import pytest
from sources import FILES, PACKAGE, nodes, tree

ROOMS = ("accounts", "claims", "cli", "document", "documents", "questions")
OURS = [path for path in FILES if path.relative_to(PACKAGE).parts[0] in ROOMS]
CUTS = ("startswith", "endswith", "removeprefix", "removesuffix", "split", "partition", "rpartition")
SETTERS = ("plain_prose", "plain_chain", "plain")
SENTENCES = ("prose", "statement", "sentence", "meaning", "says", "source", "reason", "words", "caption")


def read(source: str) -> list[ast.AST]:
    """The nodes of a piece of code."""
    return list(ast.walk(ast.parse(source)))


def faults(every: Sequence[ast.AST]) -> list[str]:
    """Places that measure the text of a value, or that cut or test a sentence that is already written."""
    written = {
        target.id
        for node in every
        if isinstance(node, ast.Assign) and _is_sentence(node.value, set())
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found = []
    for node in every:
        if isinstance(node, ast.Compare) and _asks_for_a_word(node, written):
            found.append(f"line {node.lineno}: looks for a word in a sentence")
        if not isinstance(node, ast.Call):
            continue
        if _called(node) == "len" and any(_turns_to_text(argument) for argument in node.args):
            found.append(f"line {node.lineno}: measures the text of a value")
        if isinstance(node.func, ast.Attribute) and _cuts(node, node.func) and _is_sentence(node.func.value, written):
            found.append(f"line {node.lineno}: reads a sentence back")
    return found


def _cuts(node: ast.Call, called: ast.Attribute) -> bool:
    only_a_stop = called.attr in ("endswith", "removesuffix") and all(map(_is_mark, node.args))
    return called.attr in CUTS and not only_a_stop


def _asks_for_a_word(node: ast.Compare, written: set[str]) -> bool:
    sought = _literal(node.left) and not _is_mark(node.left)
    return isinstance(node.ops[0], ast.In | ast.NotIn) and sought and _is_sentence(node.comparators[0], written)


def _is_mark(node: ast.AST) -> bool:
    """Whether it is a full stop and the like, or the place of a piece of a template."""
    return _literal(node) and (node.value.startswith("{") or not any(map(str.isalpha, node.value)))


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


def test_no_room_measures_or_reads_back_what_is_set():
    assert {path: found for path in OURS if (found := faults(nodes(path)))} == {}


@pytest.mark.parametrize(
    "source",
    [
        "if len(str(formula)) > 30: pass",
        "long = max(len(str(f)) for f in shown)",
        "len(plain(bound)) <= 240",
        "plain_prose(block.prose).startswith('Each ')",
        "said = plain_prose(x)\nsaid.removesuffix(' So')",
        "step.statement.endswith('take')",
        "least = 'smallest' in claimed.meaning",
        "seen = slip.source.startswith('seen')",
        "head = found.words.partition(' ')[0]",
    ],
)
def test_this_test_sees_such_a_place(source):
    assert len(faults(read(source))) == 1


@pytest.mark.parametrize(
    "source",
    ["len(rows)", "name.startswith('n_')", "str(len(rows))", "said = plain_prose(x)", "x.source.removesuffix('.')"],
)
def test_this_test_lets_other_text_be(source):
    assert faults(read(source)) == []


def loose_templates(every: Sequence[ast.AST]) -> list[str]:
    """Places where the template of `say` is not one plain literal, so that words of a user could be read as its names.

    A table of such literals, a constant of a module, is as good: see `sentences_of`.
    """
    return [
        f"line {node.lineno}: {ast.unparse(node)[:80]}"
        for node in every
        if isinstance(node, ast.Call)
        and (_called(node) == "say" or (isinstance(node.func, ast.Attribute) and node.func.attr == "say"))
        and not (node.args and (_literal(node.args[0]) or _table(node.args[0])))
    ]


def _literal(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _table(node: ast.AST) -> str | None:
    """The name of the constant in which a template is looked up."""
    looked_up = isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id.isupper()
    return node.value.id if looked_up else None


def sentences_of(name: str) -> list[ast.AST]:
    """The templates in every constant of that name."""
    tables = (
        node.value
        for path in FILES
        for node in tree(path).body
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [name]
    )
    return [value for table in tables for value in (table.values if isinstance(table, ast.Dict) else [table])]


def test_a_table_of_sentences_holds_plain_literals_and_sums_of_them():
    names = {
        _table(node.args[0])
        for path in FILES
        for node in nodes(path)
        if isinstance(node, ast.Call) and _called(node) == "say" and node.args
    } - {None}
    assert names == {"CLOSE", "NOT_ENOUGH", "REASONS"}
    for name in names:
        pieces = [part for each in sentences_of(name) for part in _summed(each)]
        assert pieces, name
        for part in pieces:
            (inner,) = sentences_of(part.id) if isinstance(part, ast.Name) else (part,)
            assert _literal(inner), ast.unparse(part)


def _summed(node: ast.AST) -> list[ast.AST]:
    return [*_summed(node.left), *_summed(node.right)] if isinstance(node, ast.BinOp) else [node]


def test_a_sentence_is_one_plain_literal_with_its_pieces():
    assert {path: found for path in FILES if (found := loose_templates(nodes(path)))} == {}


@pytest.mark.parametrize(
    "source",
    ['say(f"at {n}")', 'say("a" + b)', "say(words)", 'say("a".format(1))', "say()", "prose.say(x)", "say(words[0])"],
)
def test_a_template_that_is_made_is_seen(source):
    assert len(loose_templates(read(source))) == 1


@pytest.mark.parametrize("source", ['say("at {n}", n=n)', 'say("a " "b")', "text(words)", "say(WORDS[x])"])
def test_a_template_that_is_written_is_let_be(source):
    assert loose_templates(read(source)) == []
