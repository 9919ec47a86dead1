"""What stands on the left of a line, a name or a formula: whether somebody calls it so."""

from __future__ import annotations

import re

from symbolic_mem.claims.formulas import pythonic
from symbolic_mem.claims.names import one_word

_INSIDE = r"((?:[^()]|\([^()]*\))*)"
_IDLE_BRACKETS = (
    (re.compile(r"(?<!\w)\((\w+)\)"), r"\1"),
    (re.compile(rf"\(\({_INSIDE}\)\)"), r"(\1)"),
    (re.compile(rf"^\({_INSIDE}\)$"), r"\1"),
)


def same_left(left: str, name: str) -> bool:
    """Whether `name` is what stands on the left: words in any case, a letter alone in its own, a formula in any signs.

    >>> same_left("⌈M_div/(C_mem − M_fix)⌉", "⌈ ((M_div)/(C_mem - M_fix)) ⌉"), same_left("M_fix/2", "m_fix/2")
    (True, True)
    >>> same_left("t", "T"), same_left("2 P", "3 P"), same_left("a − (b − c)", "a - b - c")
    (False, False, False)
    """
    if len(name) > 1 and one_word(left).lower() == one_word(name).lower():
        return True
    return _unbracketed(pythonic(left)) == _unbracketed(pythonic(name))


def _unbracketed(python: str) -> str:
    """A formula without brackets round a name, round brackets and round the whole."""
    before = ""
    while before != python:
        before = python
        for brackets, inside in _IDLE_BRACKETS:
            python = brackets.sub(inside, python)
    return python
