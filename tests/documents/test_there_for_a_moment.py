"""What is there for a moment at the instant that counts has its formula in every document that adds it up."""

import pytest
import sympy as sp
from sampled import sampled

from symbolic_mem.base.exact import Numbers, missing
from symbolic_mem.base.symbols import M_weights, P
from symbolic_mem.document.prose import Total
from symbolic_mem.document.steps import Step, Table
from symbolic_mem.documents.documents import homework, report
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.parts.words import KIND_SYMBOLS
from symbolic_mem.render.text import plain_prose

BUILDS = {"homework": homework, "report": report}
DETAILS = ("short", "full")
WITH_INSTANTS = sorted(name for name in bundled() if load_study(name).timeline)
CASES = [(name, build, detail) for name in WITH_INSTANTS for build in BUILDS for detail in DETAILS]
PLANS = [
    ("llama-3.1-8b", {"recipe": "deepspeed-bf16"}),
    ("llama-3.1-8b", {"plan": "zero-2"}),
    ("llama-3.1-8b", {"plan": "hsdp"}),
    ("mixtral-8x7b", {"plan": "fsdp2"}),
    ("gpt2-xl", {"plan": "zero-3"}),
]


def there(found):
    """The numbers of an answer, with what formulas name for short."""
    values = {**found.study.values, **getattr(found, "known", {})}
    numbers = Numbers(values, "an answer")
    parts = {M_weights: found.study.memory.of("weights").at(numbers), P: numbers[found.study.model.parameters]}
    return Numbers({**values, **{symbol: sp.Rational(size) for symbol, size in parts.items()}}, "an answer")


def for_a_moment(found, numbers):
    """The bytes of what is there at the instant of an answer and no account has, by kind and name."""
    study, sizes = found.study, {}
    if study.at is None or study.at.lasting:
        return {}
    kept = {term.name for term in study.seen_at(None).memory.terms}
    for term in study.memory.of(*found.kinds).terms:
        if term.name not in kept:
            sizes[term.kind, term.name] = sizes.get((term.kind, term.name), 0) + term.at(numbers)
    return sizes


def in_tables(blocks, numbers):
    """The name of each row that has a formula, and what this gives."""
    for table in (block for block in blocks if isinstance(block, Table)):
        for name, formula in (row[:2] for row in table.rows):
            for part in (one for one in formula.parts if isinstance(one, sp.Expr)):
                if not missing(part, numbers.values_given):
                    yield plain_prose(name), numbers[part]


def in_sums(blocks, numbers):
    """The symbol of each line and the words before it, with what each formula of its sums gives."""
    for step in (block for block in blocks if isinstance(block, Step)):
        for chain in step.chains:
            for side in chain.links[0][1].sides if isinstance(chain.links[0][1], Total) else ():
                if isinstance(side, sp.Expr) and side.free_symbols and not missing(side, numbers.values_given):
                    yield chain.left, plain_prose(step.statement), numbers[side]


def bare(document):
    """What a document adds up at an instant whose formula stands neither in the sum nor in a table by then."""
    told = []
    for section in document.sections:
        told += section.blocks
        for found in (
            one for one in document.found if section.answer is not None and one.question.label == section.label
        ):
            if not hasattr(found, "kinds"):
                continue
            numbers = there(found)
            rows, sums = {*in_tables(told, numbers)}, [*in_sums(section.blocks, numbers)]
            for (kind, name), size in for_a_moment(found, numbers).items():
                named = any(line == KIND_SYMBOLS[kind] and name in said and size == one for line, said, one in sums)
                if (name, size) not in rows and not named:
                    yield section.label, kind, name, size


@pytest.mark.parametrize(("name", "build", "detail"), sampled(CASES, 9))
def test_what_is_there_for_a_moment_has_its_formula_in_every_document(name, build, detail):
    assert not [*bare(BUILDS[build](load_study(name), detail))]


@pytest.mark.parametrize(("name", "changes"), sampled(PLANS, 3))
def test_so_it_has_under_every_plan(name, changes):
    assert not [*bare(homework(load_study(name).change(**changes)))]
