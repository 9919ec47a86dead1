"""What a study can ask: the type of each question, by the word that a study writes, and by what is asked for.

Each type is imported when it is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import cast

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import missing
from symbolic_mem.base.symbols import lookup, n_fsdp, table
from symbolic_mem.questions.parts.asking import counted, turned
from symbolic_mem.questions.parts.assumptions import about_memory
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

ASKS = {
    "device_count": "DeviceCount",
    "min_degree": "MinDegree",
    "largest": "Largest",
    "insight": "Insight",
    "headroom": "Headroom",
    "stages": "Stages",
    "compute_bound": "ComputeBound",
    "smaller_batch": "SmallerBatch",
    "largest_mesh": "LargestMesh",
    "fits_and_computes": "FitsAndComputes",
    "recompute": "RecomputeOtherwise",
    "compare": "Compare",
    "evaluate": "Evaluate",
    "account": "Account",
    "flops": "Flops",
    "buckets": "Buckets",
    "layouts": "Layouts",
}
REPORT = "report"
_COUNTS = ("n_heads", "n_kv", "n_pos", "n_shared")


def question_type(ask: str, where: str = "question") -> type[Question]:
    """Return the type of question that `ask` names: the class of that line, in the module of the same name.

    Raises `BadInput` with the nearest name for an unknown one.

    >>> question_type("min_degree").keys()[:3]
    ('title', 'text', 'figures')
    """
    if ask not in ASKS:
        raise BadInput.unknown(f"{where}: unknown ask {ask!r}", ask, ASKS)
    return getattr(import_module(f"symbolic_mem.questions.{ask}"), ASKS[ask])


def ask_of(study: Study, symbol: str, own: Sequence[Question], where: str) -> str:
    """The type of question that finds a symbol: a smallest degree, one of an axis that the plan cuts over, or the largest.

    `own` are the questions that the study answers; the first keeps its type where it finds the symbol. Raises `BadInput`
    for a symbol that is none.

    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("cluster-gpt-3-175b")
    >>> [ask_of(study, name, (), "--for") for name in ("n_fsdp", "n_tp", "B")]
    ['min_degree', 'layouts', 'largest']
    """
    from symbolic_mem.questions.parts.unknown import ALIASES

    name = ALIASES.get(symbol, symbol)
    degree = name.startswith("n_") and name not in _COUNTS
    if lookup(name) is None and not degree:
        known = [str(name.symbol) for name in table(given=True)]
        raise BadInput.unknown(f"{where} {symbol!r}: unknown symbol", symbol, [*known, *ALIASES], "list symbols")
    if not degree:
        return "largest"
    if study.plan is not None and lookup(name) in study.plan.axes:
        return "layouts"
    return own[0].ask if own and name in own[0].claimable else "min_degree"


def asking_for(study: Study, symbol: str, own: Sequence[Question], where: str) -> Question:
    """The question that finds a symbol, with device, kinds, values and rules of the first of `own` that is of its type.

    Where none is, those of the first; it has the label of that one, or `where` as its label where there is none.

    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("cs336-a2-xxl")
    >>> question = asking_for(study, "B", study.questions[1:2], "here")
    >>> question.label, question.ask, question.claimable, question.strict
    ('b', 'largest', ('B',), True)
    """
    ask = ask_of(study, symbol, own, where)
    like = next((each for each in own if each.ask == ask), own[0] if own else None)
    label = like.label if like is not None else where
    return turned(like, question_type(ask), label, where).given({"for": symbol}, where)


def depends(study: Study) -> Question | None:
    """Return the question what the memory depends on: what stays on every device, the crossover, and what one percent more adds.

    It is the same for that very study; None where no question is about memory, or a value is missing.

    >>> from symbolic_mem.library.read import load_study
    >>> depends(load_study("cluster-mixtral-8x7b")).about
    ('floor', 'crossover', 'sensitivities')
    """
    return cast(Question | None, study.numbers.once(study, lambda _: (_asked(study),), REPORT)[0])


def _asked(study: Study) -> Question | None:
    kinds = counted(study)
    if not about_memory(study) or missing(study.memory.of(*kinds).total, study.values):
        return None
    placed = study.placed(kinds)
    _, kept = placed.split(n_fsdp)
    asked = {
        "floor": n_fsdp in placed.total.free_symbols and not missing(kept.total, study.values),
        "crossover": "activations" in kinds,
        "sensitivities": True,
    }
    about = tuple(topic for topic, wanted in asked.items() if wanted)
    return question_type("insight")(REPORT, REPORT, kinds=kinds, about=about)  # ty: ignore[unknown-argument]
