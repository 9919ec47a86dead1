"""The source files of the package as trees, each read and walked once for all tests."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import symbolic_mem

PACKAGE = Path(symbolic_mem.__file__).parent
FILES = tuple(sorted(PACKAGE.rglob("*.py")))


@cache
def tree(path: Path) -> ast.Module:
    """The tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """All nodes of it, in the order of `ast.walk`."""
    return tuple(ast.walk(tree(path)))
