"""What a document says of its study before it derives anything: the symbols, the wording, the assumptions, the sources."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.symbols import n_micro, table
from symbolic_mem.document.prose import Amount, Prose, say, text
from symbolic_mem.document.steps import Block, Column, Paragraph, Table
from symbolic_mem.document.words import in_brackets, joined, listed
from symbolic_mem.plans.pipeline import pipeline
from symbolic_mem.questions.parts.asking import counted
from symbolic_mem.questions.parts.assumptions import SIGNS, UNITS, about_memory, assumptions
from symbolic_mem.questions.parts.keys import OnDevice
from symbolic_mem.questions.parts.unread import at_instants
from symbolic_mem.study.study import Study


def notation(study: Study) -> Table:
    """Tabulate the symbols that the study gives values to, or solves for, with meaning, unit and value."""
    return Table(
        text("What is given"),
        (
            Column(text("symbol")),
            Column(text("meaning"), "phrase"),
            Column(text("unit")),
            Column(text("value"), "right"),
        ),
        tuple(_given(study).values()),
    )


def named(study: Study) -> frozenset[sp.Symbol]:
    """The symbols that this table has.

    >>> from symbolic_mem.library.read import load_study
    >>> sorted(map(str, named(load_study("cs336-a2-optimizer-sharding"))))
    ['L', 'V', 'd_ff', 'd_model', 'n_fsdp']
    """
    return frozenset(_given(study))


def _given(study: Study) -> dict[sp.Symbol, tuple[Prose, ...]]:
    used: set[sp.Basic] = {*study.values}
    if about_memory(study):
        used |= study.memory.of(*counted(study)).total.free_symbols
        used |= {symbol for placed in study.placement.values() for symbol in placed.degree.free_symbols}
    read = [question.depends(study.under(question)) for question in study.questions]
    known = None if not read or None in read else {name for names in read if names is not None for name in names}
    stepped = {symbol for question in study.questions for symbol in question.stepped}
    used |= stepped.union(*(study.under(question).values for question in study.questions))
    known = None if known is None else known | set(map(str, stepped))
    if known is not None and study.plan is not None:
        known |= {str(axis) for axis in (*study.plan.axes, n_micro)}
        known |= set(map(str, pipeline(study.plan.schedule).reads)) if study.plan.pipelined else set()
    if known is not None:
        unread = [symbol for symbol in study.values if str(symbol) not in known]
        known |= {str(symbol) for symbol in unread if any(at_instants(study, one, symbol) for one in study.questions)}
    rows = {}
    for name in (*table(given=True), *study.names):
        if name.symbol in used and (known is None or str(name.symbol) in known):
            value = study.values.get(name.symbol)
            shown = _sought(study, name.symbol) if value is None else _value(value)
            if shown is None:
                continue
            rows[name.symbol] = (say("{s}", s=name.symbol), text(name.meaning), text(name.unit), shown)
    return rows


def _sought(study: Study, symbol: sp.Symbol) -> Prose | None:
    """What stands for a value that the study itself does not give: those that its questions give, or that it is sought.

    None where no question gives or seeks it.
    """
    shown, found = [], []
    for question in study.questions:
        seen = study.under(question)
        value = seen.values.get(symbol, question.fixed(seen).get(str(symbol)))
        if value is not None:
            shown.append(say("{v} in {label}", v=_value(sp.Rational(value)), label=in_brackets(question.label)))
        elif symbol in question.stepped:
            shown.append(text(f"several in {in_brackets(question.label)}"))
        elif str(symbol) in question.finds:
            found.append(in_brackets(question.label))
    if not shown:
        return text("to be found") if found else None
    sought = [text(f"to be found in {listed(found)}")] if found else []
    return joined((*sought, *shown), ", ", ", ")


def _value(value: sp.Rational) -> Prose:
    """A given number: a whole one as it is typeset, another in decimals where they are short."""
    return say("{v}", v=Amount(value) if Amount(value).shown.exact and not value.is_Integer else value)


def references(study: Study) -> tuple[Prose, ...]:
    """List the sources of the study, its recipe, its layers and its devices, each once."""
    found = [study.source]
    if about_memory(study):
        found.append(study.recipe.source)
    if about_memory(study) and not study.recipe.trains:
        found += [term.source for term in study.memory]
    elif about_memory(study) or any(question.subject == "layers" for question in study.questions):
        found += [layer.source for layer in study.model.layers]
    devices: dict[str, list[str]] = {}
    for question in study.questions:
        seen = study.under(question)
        device = seen.capacity.device if isinstance(question, OnDevice) and seen.device.name else None
        if device is not None:
            devices.setdefault(device.cited("capacity", "reported", "process"), []).append(device.title)
    found += [f"{listed(list(dict.fromkeys(titles)))}: {read}" for read, titles in devices.items()]
    return tuple(text(source) for source in dict.fromkeys(found) if source)


def wording(study: Study) -> list[Block]:
    """The text of a study, which is that of the file, its variant, and what the caller has set over it."""
    blocks: list[Block] = [Paragraph(study.said(study.text))] if study.text else []
    varied = len(study.variants[study.variant - 1]) if study.variant else 0
    if varied:
        sets = study.listed(study.caller[:varied])
        blocks.append(Paragraph(say("This is variant {n}: {sets}.", n=text(str(study.variant)), sets=sets)))
    if study.text and study.caller[varied:]:
        changed = study.listed(study.caller[varied:])
        blocks.append(
            Paragraph(
                say("The caller has set: {changed}. Where the text says otherwise, this counts.", changed=changed)
            )
        )
    return blocks


def assumed(study: Study, *placed: Prose) -> tuple[Prose, ...]:
    """All assumptions; where no question is about memory, none about how memory is counted."""
    return (
        (UNITS, *assumptions(study), *_otherwise(study), *placed)
        if about_memory(study)
        else (SIGNS, *assumptions(study))
    )


def _otherwise(study: Study) -> tuple[Prose, ...]:
    """Which questions count another recomputation than the assumptions of the model say."""
    other = [f"({question.label})" for question in study.questions if question.ask == "recompute"]
    if not other:
        return ()
    return (say("Another rule of recomputation counts in {places}.", places=", ".join(other)),)
