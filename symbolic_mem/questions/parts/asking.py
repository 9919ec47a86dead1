"""Questions that nobody wrote down: the one that is meant where none is named, and one of another type in its place."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

import sympy as sp

from symbolic_mem.models.tensors import KINDS
from symbolic_mem.study.question import Question
from symbolic_mem.study.setting import OneDevice, Setting
from symbolic_mem.study.study import Study

USUAL = ("min_degree", "largest")
_ITS_OWN = ("label", "where", "title", "text", "symbol", "printed", "printed_note", "edition")
Q = TypeVar("Q", bound=Question)


def usual(study: Study) -> tuple[Question, ...]:
    """Those questions about a degree or a largest value that `solve` answers; where there are none, others that it can.

    >>> from symbolic_mem.library.read import load_study
    >>> [question.label for question in usual(load_study("cs336-a2-xxl"))]
    ['b', 'b, literally']
    """
    found = tuple(question for question in study.questions if question.ask in USUAL)
    return found or tuple(question for question in study.questions if question.solvable)


def counted(study: Study) -> tuple[str, ...]:
    """The kinds of memory that some question of a study counts."""
    asked = [question.counted for question in study.questions if question.subject == "memory"]
    return tuple(kind for kind in KINDS if any(kind in kinds for kinds in asked)) or KINDS


def served_over(study: Study) -> sp.Symbol | None:
    """The axis whose smallest degree is meant where a model of inference is cut by a plan: the first without a value, if any.

    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("llama-3.1-8b").change(recipe="inference", plan="vllm-tp+pp", values={"n_tp": 4})
    >>> served_over(study), served_over(study.change(plan="one-device"))
    (n_pp, None)
    """
    if study.recipe.trains or study.plan is None:
        return None
    given = {change.aspect for change in study.caller}
    axes = study.plan.axes
    return next((axis for axis in axes if str(axis) not in given), next(iter(axes), None))


def as_asked(study: Study) -> OneDevice:
    """The memory of one device that counts: one that the caller names is read as by the question that `solve` answers.

    >>> from symbolic_mem.library.read import load_study
    >>> as_asked(load_study("llama-3.1-8b").change(device="a100-80gb")).reading
    'reported'
    """
    setting: Setting = study
    if any(change.aspect == "device" for change in study.caller):
        asked = next((question for question in usual(study) if question.weighed), None)
        for change in (*(() if asked is None else asked.own), *study.caller):
            setting = change.apply(setting) if change.aspect in ("reading", "reserved", "usable") else setting
    return setting.device


def turned(question: Question | None, kind: type[Q], label: str, where: str, **keys: Any) -> Q:
    """A question of the type `kind` that shares with another the device, the kinds, the values and the rules.

    >>> from symbolic_mem.library.read import load_study
    >>> from symbolic_mem.questions.device_count import DeviceCount
    >>> question = turned(load_study("cs336-a2-xxl").question("b"), DeviceCount, "new", "here")
    >>> question.device[0].words, question.strict
    ('device Google TPU v5p', True)
    """
    if question is not None:
        common = {each.name for each in fields(kind)} & {each.name for each in fields(question)}
        keys = {name: getattr(question, name) for name in common.difference(_ITS_OWN)} | keys
    return kind(label, where, **keys)
