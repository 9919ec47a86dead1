"""The symbols in the sizes of what is not counted: each stands in the table of what is given, or beside its size with its meaning."""

from __future__ import annotations

import pytest

from symbolic_mem.base.symbols import table
from symbolic_mem.documents.documents import homework
from symbolic_mem.documents.given import notation
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.parts.uncounted import beyond_instants
from symbolic_mem.render.document import render
from symbolic_mem.render.text import plain_prose


@pytest.mark.parametrize(
    ("name", "beside"),
    [
        ("cs336-a2-optimizer-sharding", ["($B$: batch size, $S$: sequence length)"]),
        ("cs336-a2-2026-sharding", ["($B$: batch size, $S$: sequence length)"]),
        ("set-states", ["($B = 1$: batch size, $S = 4096$: sequence length)"]),
        ("cs336-a1-adamw", []),
        ("cs336-a2-xxl", []),
        ("scaling-book-chips", []),
    ],
)
def test_no_size_has_a_symbol_that_the_document_does_not_name(name, beside):
    study = load_study(name)
    rows = {plain_prose(row[0]) for row in notation(study).rows}
    page = render(homework(study), "homework", "md").decode().split("## What is not counted")[1].split("\n## ")[0]
    given = {str(one.symbol) for one in table(given=True)}
    sizes = [one.size if one.short is None else one.short for one in beyond_instants(study)]
    used = {str(symbol) for size in sizes if size is not None for symbol in size.free_symbols} & given
    assert bool(used - rows) is bool(beside)
    assert all(page.count(each) >= 1 for each in beside)
    assert (": batch size" in page) is bool(beside)
