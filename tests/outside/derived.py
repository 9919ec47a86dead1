"""Documents of bundled studies, derived once in a process for all tests that read them."""

from functools import cache
from typing import Any

from symbolic_mem.documents import documents
from symbolic_mem.library.read import load_study


@cache
def homework(name: str) -> Any:
    return documents.homework(load_study(name))


@cache
def report(name: str) -> Any:
    return documents.report(load_study(name))
