"""Which value counted, in sentences: a question's own over the study's, a caller's over both."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from symbolic_mem.base.symbols import degrees, spelled
from symbolic_mem.document.prose import Amount, Prose, say, text
from symbolic_mem.document.words import joined
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.study.study import Asked, Study


def precedence(study: Study, question: Asked, tried: tuple[str, ...] = ()) -> tuple[Prose, ...]:
    """Say what the question sets for itself and what of that gave way to the caller, and what of the caller is not used.

    What the question finds and the answer has `tried`, too, is used.

    >>> from symbolic_mem.library.read import load_study
    >>> from symbolic_mem.render.text import plain_prose
    >>> study = load_study("cs336-a2-xxl").change(device="h100-80gb", values={"n_fsdp": 8})
    >>> for said in precedence(study, study.question("b, remark")):
    ...     print(plain_prose(said))
    The question itself sets “device Google TPU v5p”; the caller sets “device NVIDIA H100 SXM 80 GB”, and that counts.
    “n_fsdp = 8” is not used here: the question finds or sets n_fsdp itself.
    """
    lost = study.lost(question)
    gave_way = {own.aspect for own, _ in lost}
    own = [change.aspect for change in question.own if change.aspect not in (*gave_way, *question.finds)]
    values = [
        say("{x} = {value}", x=symbol, value=value if value.is_Integer else Amount(value))
        for symbol, value in study.values.items()
        if symbol.name in own
    ]
    return (
        *(() if not values else (say("Here {values}.", values=joined(values)),)),
        *(
            say(
                "The question itself sets “{own}”; the caller sets “{other}”, and that counts.",
                own=text(one.words),
                other=text(other.words),
            )
            for one, other in lost
        ),
        *(
            say("The question itself sets “{own}”; the caller sets it otherwise, and that counts.", own=text(own))
            for key, own in question.replaced
            if key != "for"
        ),
        *(
            say(
                "“{given}” is not used here: the question finds or sets {name} itself.",
                given=text(change.words),
                name=text(change.aspect),
            )
            for change in study.caller
            if change.aspect in question.finds and change.aspect not in tried
        ),
        *_unused(study, question),
        *idle_rest(study),
    )


def _unused(study: Study, question: Asked) -> Iterator[Prose]:
    """Say what the caller gives and this question does not read, whatever others of the study do with it.

    Of degrees the assumptions say what they divide.
    """
    for change in {change.aspect: change for change in study.caller}.values():
        symbol = spelled(study.names).get(change.aspect)
        if change.aspect in ("device", "reading") and not question.weighed:
            why = text("the question compares no memory with that of a device")
        elif symbol is not None and not _reads(study, question, symbol):
            why = say("the answer does not depend on {x}", x=symbol)
        else:
            continue
        yield say("“{given}” is not used here: {why}.", given=text(change.words), why=why)


def _reads(study: Study, question: Asked, symbol: sp.Symbol) -> bool:
    """Whether the answer may depend on a symbol, also at an instant of a step, or by what is offloaded."""
    depends = question.depends(study)
    if depends is None or symbol.name in (*question.finds, *depends):
        return True
    if question.subject != "memory":
        return False
    moments = study.timeline if set(question.counted) == set(KINDS) else ()
    return (
        symbol.name in degrees()
        or bool(study.recipe.offload)
        or any(symbol in one.memory.total.free_symbols for one in moments)
    )


def idle_rest(study: Study) -> tuple[Prose, ...]:
    """Say where the caller keeps or drops what is not divided, and there is no such part."""
    if any(placed.fraction != 1 for placed in study.placement.values()):
        return ()
    return tuple(
        say("“{given}” changes nothing here: no kind of memory is divided in part.", given=text(change.words))
        for change in study.caller
        if change.aspect == "rest"
    )
