"""The rules of a question as data: what each asks, with its number as a node, and how it and its failing are told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import sympy as sp

from symbolic_mem.accounts.terms import Term
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.nodes import Nodes
from symbolic_mem.base.symbols import B
from symbolic_mem.questions.parts.rules import short_words
from symbolic_mem.solvers.layout import Layout, PaddedRows, WholeSamples
from symbolic_mem.solvers.rules import AtMost, Divides, MultipleOf, PowerOfTwo, Rule
from symbolic_mem.study.study import Study

NUMBERS = {MultipleOf: "factor", Divides: "number", AtMost: "limit"}


class _Blank(NamedTuple):
    """Stands for the number of a rule in its words."""

    words: str = "{number}"

    def __str__(self) -> str:
        return self.words


def rules_as_data(rules: Sequence[Rule | Layout | Any], study: Study, nodes: Nodes) -> list[Any]:
    """Return each rule as ``[kind, node, words, short words]``; the words have ``{number}`` where its number stands.

    Raises `BadInput` for a rule that a page does not know, as that of a host.
    """
    return [_rule(rule, study, nodes) for rule in rules]


def _rule(rule: Any, study: Study, nodes: Nodes) -> list[Any]:
    if isinstance(rule, WholeSamples | PaddedRows):
        return ["samples" if isinstance(rule, WholeSamples) else "rows", 0, rule.words, short_words(rule)]
    if isinstance(rule, PowerOfTwo):
        return ["power", nodes.add(sp.S.One), rule.words, short_words(rule)]
    if type(rule) not in NUMBERS:
        raise BadInput("a page of play does not know the memory of a host; leave host out, or ask solve")
    name = NUMBERS[type(rule)]
    given = sp.sympify(getattr(rule, name))
    study.need(given, "a page of play")
    blank = type(rule)(_Blank(), why=rule.at(study.values).why)
    kind = {MultipleOf: "multiple", Divides: "divides", AtMost: "most"}[type(rule)]
    return [kind, nodes.add(given), blank.words, short_words(blank)]


def cut_as_data(term: Term, rules: Sequence[Any], n: sp.Symbol, nodes: Nodes) -> list[Any] | int:
    """Return how rules cut a term that is not placed yet: ``["samples", each, rest]`` or ``["rows" | "gathered", rows, bytes, ...]``.

    0 where no rule does. The numbers are nodes: bytes of one sequence and what does not grow with them; rows of each tensor
    and the bytes of a row.
    """
    kinds = {type(rule): rule for rule in rules}
    add = nodes.add
    if WholeSamples in kinds and term.kind == "activations" and term.elements.has(B):
        each = sp.diff(term.undivided_bytes, B)
        if each.has(B):
            raise BadInput(f"{term.name} is not linear in {B}: whole sequences cannot be counted")
        return ["samples", add(each), add(sp.expand(term.undivided_bytes - each * B))]
    rule = kinds.get(PaddedRows)
    if rule is None or not (rule.whole(term, n) or term.kind in rule.kinds):
        return 0
    if not term.parts:
        raise BadInput(f"{term.name} does not say which tensors it is made of: padded rows cannot be counted")
    whole = rule.whole(term, n)
    times, share = (term.padded / n, term.degree) if whole else (sp.S.One, sp.S.One)
    cut = [
        (
            add((part.shape[0] if part.shape else sp.S.One) / times),
            nodes.product((part.copies, *part.shape[1:], term.bytes_per_element, times / share)),
        )
        for part in term.parts
    ]
    return ["gathered" if whole else "rows", *(place for row in cut for place in row)]
