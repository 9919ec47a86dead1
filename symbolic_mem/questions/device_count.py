"""The question `device_count`: how many devices hold the memory when nothing but its size matters."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.accounts.terms import Memory, place
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import C_mem, M_total, N_devices
from symbolic_mem.document.prose import Amount, Chain, Prose, amount, say, text
from symbolic_mem.document.steps import Answer, Column, Section, Table
from symbolic_mem.document.words import about, count, listed, plural
from symbolic_mem.document.work import Work
from symbolic_mem.hardware import READINGS
from symbolic_mem.models.tensors import KINDS, STATIC
from symbolic_mem.plans.placement import Placed
from symbolic_mem.questions.parts.assumptions import assumptions
from symbolic_mem.questions.parts.facts import Found
from symbolic_mem.questions.parts.memory import memory_blocks
from symbolic_mem.questions.parts.printed import printed_blocks
from symbolic_mem.questions.parts.words import KIND_WORDS, READING_WORDS, capacity_blocks
from symbolic_mem.solvers.bound import solve
from symbolic_mem.solvers.capacity import Capacity, capacity_of
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study


def device_count(study: Study, question: Question) -> tuple[Section, Found]:
    """Derive the memory of the kinds asked for and the number of devices that hold it."""
    kinds = tuple(question.get("kinds") or KINDS)
    memory = study.memory.of(*kinds)
    if not memory.terms:
        kept = listed([KIND_WORDS[kind] for kind in study.memory.kinds])
        raise BadInput(f"question {question.label} counts nothing: of {', '.join(kinds)} none is kept; kept are {kept}")
    study.need(memory.total, f"question {question.label}")
    capacity, strict = study.capacity(question), bool(question.get("strict", False))
    work = Work(study.values)
    blocks = memory_blocks(study, work, kinds)

    bound = solve(_spread(memory), N_devices, capacity.counted, strict=strict)
    answer = bound.at(study.values)
    number = sp.Integer(answer.value or 0)
    work.define(N_devices, number)
    work.define(C_mem, capacity.counted)
    quotient = work.number(M_total / C_mem)
    relation = ">" if strict else "≥"
    rounding = sp.floor(M_total / C_mem, evaluate=False) + 1 if strict else sp.ceiling(M_total / C_mem, evaluate=False)
    blocks += [
        *capacity_blocks(capacity, work),
        work.step(
            text("When the memory is spread evenly, the number of devices satisfies"),
            Chain(N_devices, ((relation, M_total / C_mem),)),
            Chain(M_total / C_mem, (("=", work.put(M_total / C_mem)), amount(quotient))),
            Chain(N_devices, (("=", rounding), amount(number, "devices"))),
        ),
    ]
    blocks += printed_blocks(question, number, "devices")
    if capacity.device is not None:
        blocks.append(_readings(study, capacity, memory, strict))
    blocks.append(Answer(_sentence(study, memory, capacity, answer.value)))
    title = question.get("title", "Memory, and how many devices that is")
    return Section(text(f"({question.label}) {title}"), tuple(blocks)), Found(
        study.name, question.label, capacity, answer, assumptions(study)
    )


def _spread(memory: Memory) -> Memory:
    return place(memory, dict.fromkeys(memory.kinds, Placed(N_devices)))


def _readings(study: Study, chosen: Capacity, memory: Memory, strict: bool) -> Table:
    """Count again under every reading of the device's label, for the states alone and for everything."""
    device = chosen.device
    assert device is not None
    groups = [("states only", memory.of(*STATIC)), ("with activations", memory)]
    if not {"activations"} & set(memory.kinds) or not memory.of(*STATIC).terms:
        groups = [("devices", memory)]
    rows = []
    for reading in READINGS:
        if getattr(device, reading) is None:
            continue
        capacity = capacity_of(device, reading, reserved=chosen.reserved, usable=chosen.usable)
        counts = [
            solve(_spread(part), N_devices, capacity.counted, strict=strict).at(study.values).value
            for _, part in groups
        ]
        mark = " (used here)" if reading == chosen.reading else ""
        rows.append(
            (
                text(f"{reading}{mark}"),
                text(READING_WORDS[reading]),
                count(capacity.counted),
                *(count(found) for found in counts),
            )
        )
    return Table(
        text(f"The same count under the readings of the memory of one {device.title}"),
        (
            Column(text("reading")),
            Column(text("what counts"), "text"),
            Column(text("bytes"), "right"),
            *(Column(text(name), "right") for name, _ in groups),
        ),
        tuple(rows),
    )


def _sentence(study: Study, memory: Memory, capacity: Capacity, number: int | None) -> Prose:
    values = dict(study.values)
    total = memory.total.xreplace(values)
    names = listed([KIND_WORDS[kind] for kind in memory.kinds])
    static, rest = memory.of(*STATIC), memory.of("activations", "buffers")
    devices = plural(number, "device", "devices")
    holder = f"{devices} ({capacity.device.title})" if capacity.device else devices
    parts = say(f"{names.capitalize()} take {{total}}", total=about(Amount(total, capacity.unit)))
    if static.terms and rest.terms:
        parts = say(
            "{parts} ({s} of states and {a} of {kept})",
            parts=parts,
            s=about(Amount(static.total.xreplace(values), capacity.unit)),
            a=about(Amount(rest.total.xreplace(values), capacity.unit)),
            kept=listed([KIND_WORDS[kind] for kind in rest.kinds]),
        )
    return say(
        f"{{parts}}: that is {number} {holder} of {{each}} each.",
        parts=parts,
        each=about(Amount(capacity.counted, capacity.unit)),
    )
