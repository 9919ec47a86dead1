"""Answering computes, telling does not: steps, sentences and facts are made of what was found, without any solver."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from inspect import isclass, isfunction
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

import pytest
from sampled import sampled

from symbolic_mem import solvers
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study
from symbolic_mem.questions import parts
from symbolic_mem.questions.registry import ASKS, question_type
from symbolic_mem.render.json import jsonable

ROOM = solvers.__name__
SOLVERS = [import_module(f"{ROOM}.{module.name}") for module in iter_modules(solvers.__path__)]
QUESTIONS = [(name, question.label) for name in bundled() for question in load_study(name).questions]
for ask in ASKS:
    question_type(ask)  # imports the module of each type, with all that it takes from the solvers
for part in iter_modules(parts.__path__):
    import_module(f"{parts.__name__}.{part.name}")  # a type may import these where it answers


class Computed(Exception):
    """A solver was called where nothing is left to be computed."""


def _forbidden(function: Callable[..., Any]) -> Callable[..., Any]:
    def refuse(*_: Any, **__: Any) -> Any:
        raise Computed(f"{function.__module__}.{function.__qualname__}")

    return refuse


def _is_solver(value: object) -> bool:
    """Whether a value is a function that a solver offers, a cached one among them.

    Classes hold answers, and their methods and the private functions below these only read them.
    """
    module, name = getattr(value, "__module__", None), getattr(value, "__name__", "_")
    offered = callable(value) and not isclass(value) and not name.startswith("_")
    return offered and isinstance(module, str) and module.startswith(f"{ROOM}.")


def _holders() -> Iterator[tuple[ModuleType, str, Any]]:
    """Every name in a module of the package that stands for a function of a solver."""
    for name, module in list(sys.modules.items()):
        if name.startswith("symbolic_mem"):
            for attribute, value in list(vars(module).items()):
                if _is_solver(value):
                    yield module, attribute, value


@contextmanager
def without_solvers() -> Iterator[None]:
    """Every function of a solver refuses, under whatever name a module of the package has it."""
    with pytest.MonkeyPatch.context() as patch:
        for module, attribute, value in _holders():
            patch.setattr(module, attribute, _forbidden(value))
        yield


@pytest.mark.parametrize(("name", "label"), sampled(QUESTIONS, 4))
def test_what_was_found_is_told_without_a_solver(name, label):
    study = load_study(name)
    question = study.question(label)
    found = question.answer(study.under(question))
    with without_solvers():
        assert list(question.steps(found))
        assert question.sentence(found).parts
        assert jsonable(found.record)
        assert question.heading(found)
        list(found.summary)
        list(question.beside(found))


def test_a_function_of_a_solver_refuses_under_every_name_that_a_module_has_for_it():
    from symbolic_mem.questions.parts import mesh
    from symbolic_mem.solvers import optimum

    assert mesh.best_mesh is optimum.best_mesh
    study = load_study("cs336-a2-xxl")
    question = study.question("b")
    best_mesh = optimum.best_mesh
    before = {(module.__name__, attribute): value for module, attribute, value in _holders()}
    assert len(before) > 2 * len(SOLVERS) and all(not isclass(value) for value in before.values())
    with without_solvers():
        assert isfunction(mesh.best_mesh) and mesh.best_mesh is not best_mesh
        with pytest.raises(Computed):
            question.answer(study.under(question))
    assert {(module.__name__, attribute): value for module, attribute, value in _holders()} == before
