"""The question `insight`: what no sharding removes, where activations overtake states, what one percent more adds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp

from symbolic_mem.accounts.terms import Memory
from symbolic_mem.base.errors import BadInput, nearest
from symbolic_mem.base.exact import missing, rational
from symbolic_mem.base.symbols import B, M_activations, M_fixed, M_static, M_total, S, T, lookup, n_fsdp
from symbolic_mem.base.tomlfile import known_keys
from symbolic_mem.document.prose import Amount, Chain, Prose, amount, say, text
from symbolic_mem.document.steps import Answer, Block, Bullets, Column, Paragraph, Section, Table
from symbolic_mem.document.words import about, count, gib
from symbolic_mem.document.work import Work
from symbolic_mem.models.tensors import KINDS, STATIC
from symbolic_mem.questions.min_degree import LONGEST_FORMULA, solved_symbol
from symbolic_mem.questions.parts.memory import LONG_FORMULA
from symbolic_mem.questions.parts.rules import rules_of
from symbolic_mem.questions.parts.words import capacity_blocks
from symbolic_mem.solvers.capacity import Capacity
from symbolic_mem.solvers.insight import Crossover, crossover, floor_of, left_over, sensitivities
from symbolic_mem.solvers.region import region
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

TOPICS = ("floor", "crossover", "sensitivities", "region", "left_over")
MAX_CELLS = 400


def insight(study: Study, question: Question) -> tuple[Section, dict[str, Any]]:
    """Derive what a person asks next; `about` picks from `TOPICS`, the default is all that the question has keys for.

    Raises `BadInput` for an unknown topic, and for a region or a left-over without its numbers.
    """
    study = study.under(question)
    n = solved_symbol(question)
    memory = study.placed(question.get("rest"), tuple(question.get("kinds") or KINDS))
    study.need(memory.total.xreplace({n: sp.S.One}), f"question {question.label}")
    topics = _topics(question, memory, n)
    work = Work(study.values)
    capacity = study.capacity(question) if {"device", "capacity"} & set(question.options) else None
    blocks: list[Block] = capacity_blocks(capacity, work) if capacity is not None else []
    facts: dict[str, Any] = {"study": study.name, "question": question.label}
    closing: list[Prose] = []
    if "floor" in topics:
        blocks += floor_blocks(memory, n, work, facts, closing)
    if "crossover" in topics:
        blocks += crossover_blocks(study, work, facts, closing)
    if "sensitivities" in topics:
        blocks += sensitivity_blocks(study, study.memory, facts, closing)
    if "region" in topics:
        blocks += _region(study, question, memory, n, _needed(capacity, question), facts, closing)
    if "left_over" in topics:
        blocks += _left_over(study, question, memory, n, _needed(capacity, question), facts, closing)
    sentence = closing[0] if closing else text("Nothing of this applies here.")
    for more in closing[1:]:
        sentence = say("{a} {b}", a=sentence, b=more)
    blocks.append(Answer(sentence))
    title = question.get("title", "What the memory depends on")
    return Section(text(f"({question.label}) {title}"), tuple(blocks)), facts


def floor_blocks(memory: Memory, n: sp.Symbol, work: Work, facts: dict[str, Any], closing: list[Prose]) -> list[Block]:
    """Say what stays on every device however many there are, term by term."""
    floor = floor_of(memory, n)
    value = work.define(M_fixed, floor.bytes)
    facts["floor_bytes"], facts["floor_terms"] = value, [term.name for term in floor.terms]
    if not floor.terms:
        said = say("Every term is divided over {n} devices, so no part of the memory stays on all of them.", n=n)
        closing.append(said)
        return [Paragraph(said)]
    names = tuple(say(f"{term.name}: {{f}}", f=_short_or_size(term.bytes, work)) for term in floor.terms)
    in_full = [("=", floor.bytes), ("=", work.put(floor.bytes))] if len(str(floor.bytes)) <= LONGEST_FORMULA else []
    chain = Chain(M_fixed, (*in_full, amount(value, "GiB")))
    closing.append(say("No number of devices brings one of them below {f}.", f=about(gib(value))))
    return [
        work.step(say("As {n} grows, the memory of one device falls towards what is not divided:", n=n), chain),
        Bullets(names),
    ]


def crossover_blocks(study: Study, work: Work, facts: dict[str, Any], closing: list[Prose]) -> list[Block]:
    """Say from how many tokens (or sequences) on the activations are larger than the states."""
    memory = study.memory
    if not memory.of("activations").terms or not memory.of(*STATIC).terms:
        return []
    found, x = _crossover(memory, study)
    if found is None or found.first is None or found.bound.quotient is None:
        return []
    slope = dict(found.bound.powers).get(1)
    work.define(M_static, memory.static)
    work.define(M_activations, memory.of("activations").total)
    facts["crossover"] = {"symbol": str(x), "first": found.first}
    blocks: list[Block] = []
    statement = say("Activations grow with {x} and states do not. They are larger once", x=x)
    if (
        slope is not None
        and len(str(slope)) <= LONGEST_FORMULA // 2
        and found.bound.degree == 1
        and 0 not in dict(found.bound.powers)
    ):
        quotient = M_static / slope
        number = work.number(quotient)
        lines = (
            Chain(slope * x, ((">", M_static),), asked=True),
            Chain(x, ((">", quotient), amount(number, digits=8)), asked=True),
        )
        blocks.append(work.step(statement, *lines))
    now = work.number(B * S if x == T else x)
    here = ""
    if now.is_number:
        here = f" The study has {{now}}: they are {'larger' if now >= found.first else 'not larger'}."
    what = "tokens" if x == T else "sequences"
    closing.append(
        say(
            f"Activations are larger than the states from {{first}} {what} on.{here}",
            first=Amount(sp.Integer(found.first)),
            now=Amount(now) if now.is_number else "",
        )
    )
    return blocks


def sensitivity_blocks(study: Study, memory: Memory, facts: dict[str, Any], closing: list[Prose]) -> list[Block]:
    """Tabulate what one percent more of each symbol adds to the whole memory."""
    found = sensitivities(memory, study.values)
    facts["sensitivities"] = [
        {
            "symbol": str(one.symbol),
            "derivative": one.derivative,
            "elasticity": one.elasticity,
            "rate": None if one.rate is None else rational(one.rate),
            "added_bytes": rational(one.added),
        }
        for one in found
    ]
    rows = tuple(
        (
            say("{x}", x=one.symbol),
            text("–") if one.derivative is None else say("{d}", d=_in_a_line(one.derivative)),
            text("–") if one.rate is None else about(Amount(rational(one.rate), digits=3)),
            about(Amount(rational(one.added) / 2**30, digits=4)),
        )
        for one in found
    )
    if not rows:
        return []
    closing.append(
        say(
            "One percent more of {x} adds the most, {gib}.",
            x=found[0].symbol,
            gib=about(gib(rational(found[0].added))),
        )
    )
    longest = max(len(str(one.derivative)) for one in found)
    heads = (
        Column(say("{x}", x=sp.Symbol("x", positive=True))),
        Column(text("bytes for one more"), "text" if longest > LONG_FORMULA else "left"),
        Column(text("% for 1 % more"), "right"),
        Column(text("GiB for 1 % more"), "right"),
    )
    caption = say("How {m} answers to each symbol, the others held: derivative, elasticity, addition", m=M_total)
    return [Table(caption, heads, rows)]


def _short_or_size(size: sp.Expr, work: Work) -> sp.Expr | Prose:
    return size if len(str(size)) <= LONGEST_FORMULA else about(gib(work.number(size)))


def _in_a_line(derivative: sp.Expr) -> sp.Expr:
    """Common factors in front; multiplied out where that would be one wide fraction, which no table can break."""
    short = sp.gcd_terms(derivative)
    return sp.expand(derivative) if short.as_numer_denom()[1].free_symbols else short


def report_section(study: Study, kinds: tuple[str, ...]) -> Section | None:
    """What a report says after its account: sensitivities, and the floor where something is divided."""
    work, facts, closing = Work(study.values), {}, []
    blocks: list[Block] = []
    memory = study.placed(kinds=kinds)
    if n_fsdp in memory.total.free_symbols:
        n = n_fsdp
        if not missing(floor_of(memory, n).bytes, study.values):
            blocks += floor_blocks(memory, n, work, facts, closing)
    if "activations" in kinds:
        blocks += crossover_blocks(study, work, facts, closing)
    blocks += sensitivity_blocks(study, study.memory.of(*kinds), facts, closing)
    return Section(text("What the memory depends on"), tuple(blocks)) if blocks else None


def _region(
    study: Study,
    question: Question,
    memory: Memory,
    n: sp.Symbol,
    capacity: Capacity,
    facts: dict[str, Any],
    closing: list[Prose],
) -> list[Block]:
    where = question.where or "insight"
    rows, columns = _axis(question, "rows", where), _axis(question, "columns", where)
    if len(rows[1]) * len(columns[1]) > MAX_CELLS:
        raise BadInput(f"{where}: {len(rows[1])} x {len(columns[1])} cells are too many; give at most {MAX_CELLS}")
    strict, rules = bool(question.get("strict", False)), rules_of(question)
    found = region(memory, n, capacity.counted, study.values, rows, columns, strict=strict, rules=rules)
    facts["region"] = {
        "rows": {str(rows[0]): rows[1]},
        "columns": {str(columns[0]): columns[1]},
        "entries": found.entries,
    }
    blocks: list[Block] = []
    open_values = {x: v for x, v in study.values.items() if x not in (rows[0], columns[0])}
    fixed = sp.expand(found.bound.fixed.xreplace(open_values))
    whole = found.bound.per_device(n).xreplace(open_values)
    relation = "<" if strict else "≤"
    work = Work(open_values)
    lines = [Chain(whole, ((relation, capacity.counted),), asked=True)]
    if fixed != 0:
        lines.append(Chain(fixed, (("<", capacity.counted),), asked=True))
    statement = say("{r} and {c} fit on {n} devices where", r=rows[0], c=columns[0], n=n)
    reason = text("The second line is where any number of devices is enough.") if fixed != 0 else None
    blocks.append(work.step(statement, *lines, reason=reason))
    heads = (
        Column(say("{r}", r=rows[0]), "right"),
        *(Column(say("{c} = {v}", c=columns[0], v=sp.Integer(value)), "right") for value in columns[1]),
    )
    cells = tuple(
        (count(value), *(count(entry) for entry in entries))
        for value, entries in zip(rows[1], found.entries, strict=True)
    )
    caption = say("The smallest {n}; – where no number of devices is enough", n=n)
    known = [entry for line in found.entries for entry in line if entry is not None]
    total = len(rows[1]) * len(columns[1])
    closing.append(text(f"Of the {total} pairs in the table {len(known)} have a number of devices that is enough."))
    return [*blocks, Table(caption, heads, cells)]


def _left_over(
    study: Study,
    question: Question,
    memory: Memory,
    n: sp.Symbol,
    capacity: Capacity,
    facts: dict[str, Any],
    closing: list[Prose],
) -> list[Block]:
    numbers = question.get("devices")
    if not isinstance(numbers, list) or not numbers or not all(type(m) is int and m > 0 for m in numbers):
        raise BadInput(f"{question.where or 'insight'}: devices = {numbers!r}; give whole numbers: devices = [46, 64]")
    found = [left_over(memory, n, number, capacity.counted, study.values) for number in numbers]
    facts["left_over"] = [
        {
            "devices": one.count,
            "used_bytes": rational(one.used),
            "free_bytes_each": rational(one.each),
            "free_bytes": rational(one.together),
            "fits": one.fits,
        }
        for one in found
    ]
    rows = tuple(
        (
            count(one.count),
            about(Amount(rational(one.used), capacity.unit)),
            about(Amount(rational(one.each), capacity.unit)) if one.fits else text("does not fit"),
            about(Amount(rational(one.together), capacity.unit)) if one.fits else text("–"),
        )
        for one in found
    )
    heads = (
        Column(say("{n}", n=n), "right"),
        Column(text("used on each"), "right"),
        Column(text("free on each"), "right"),
        Column(text("free on all together"), "right"),
    )
    fitting = [one for one in found if one.fits]
    if fitting:
        free = about(Amount(rational(fitting[-1].each), capacity.unit))
        closing.append(say(f"On {fitting[-1].count} devices each has {{free}} to spare.", free=free))
    else:
        closing.append(text("None of these numbers of devices is enough."))
    return [Table(text("What is left over"), heads, rows)]


def _crossover(memory: Memory, study: Study) -> tuple[Crossover | None, sp.Symbol]:
    """The crossover in tokens; in sequences where tokens alone do not decide, as with attention scores."""
    for symbol in (T, B):
        try:
            return crossover(memory, study.values, symbol), symbol
        except BadInput:
            continue
    return None, T


def _topics(question: Question, memory: Memory, n: sp.Symbol) -> tuple[str, ...]:
    default = ["floor"] * any(term.degree.has(n) for term in memory) + ["crossover", "sensitivities"]
    default += ["region"] * ("rows" in question.options) + ["left_over"] * ("devices" in question.options)
    topics = tuple(question.get("about") or default)
    for topic in topics:
        if topic not in TOPICS:
            raise BadInput(f"{question.where}: unknown topic {topic!r}; {nearest(str(topic), TOPICS)}")
    return topics


def _axis(question: Question, key: str, where: str) -> tuple[sp.Symbol, list[int]]:
    axis: Mapping[str, Any] = question.get(key, {})
    if len(axis) != 1:
        raise BadInput(f"{where}: {key} = {axis!r}; give one symbol with its values: {key} = {{ B = [1, 2, 4] }}")
    name, values = next(iter(axis.items()))
    symbol = lookup(name)
    if symbol is None:
        known_keys(axis, [str(B), str(S)], f"{where}: {key}")
        raise BadInput(f"{where}: {key}: unknown symbol {name!r}")
    if not isinstance(values, list) or not values or not all(type(v) is int and v > 0 for v in values):
        raise BadInput(f"{where}: {key}: {name} = {values!r}; give whole numbers: {name} = [1, 2, 4]")
    return symbol, values


def _needed(capacity: Capacity | None, question: Question) -> Capacity:
    if capacity is None:
        raise BadInput(f'{question.where}: no capacity; give device = "h100-80gb" or capacity = "80 GiB"')
    return capacity
