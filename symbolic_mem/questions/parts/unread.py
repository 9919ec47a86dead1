"""Values of a caller that nothing in a study reads: they are refused, and it is said what is read, or who fixes them."""

from __future__ import annotations

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import lookup
from symbolic_mem.questions.parts.assumptions import DEGREES
from symbolic_mem.study.study import Study


def refuse_unread(study: Study) -> None:
    """Raise `BadInput` for a value that the caller gives and no question of the study reads.

    Degrees are not refused: what divides nothing is said beside the answer.

    >>> from symbolic_mem.library.read import load_study
    >>> refuse_unread(load_study("llama-3.1-8b").change(values={"E": 4}))
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: --set E: nothing that llama-3.1-8b asks reads E; it reads B, L, S, V, d_ff, d_head, d_model, n_fsdp, n_heads, n_kv
    """
    given = [change.aspect for change in study.caller if _is_value(study, change.aspect)]
    if not given or not study.questions:
        return
    read = [question.reads(study.under(question)) for question in study.questions]
    if any(names is None for names in read):
        return
    known = set().union(*(names for names in read if names is not None))
    for name in given:
        if name in known:
            continue
        fixing = [question.label for question in study.questions if name in question.finds]
        if fixing:
            raise BadInput(
                f"--set {name}: {name} is fixed in {study.name}: question {fixing[0]!r} gives or finds it itself; "
                f"what can be set: {_listed(known)}"
            )
        raise BadInput(f"--set {name}: nothing that {study.name} asks reads {name}; it reads {_listed(known)}")


def _is_value(study: Study, name: str) -> bool:
    symbol = lookup(name)
    return symbol not in DEGREES if symbol is not None else any(str(own.symbol) == name for own in study.names)


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "no value"
