"""Steps from the model to its memory: parameters, states, activations, total."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import lru_cache

import sympy as sp

from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.base.errors import MissingValue
from symbolic_mem.base.exact import put
from symbolic_mem.base.factors import common_factors_first
from symbolic_mem.base.rational import rational
from symbolic_mem.base.shown import bytes_words
from symbolic_mem.base.symbols import B, M_activations, M_buffers, M_static, M_total, P, S, T, local
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Brief, Chain, Long, Prose, Side, Total, amount, say, text
from symbolic_mem.document.steps import Block, Bullets, Column, Paragraph, Step, Table, in_full, in_short
from symbolic_mem.document.words import about, count, gib, listed, plural, share
from symbolic_mem.document.work import Work
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.groups import groups
from symbolic_mem.models.tensors import STATIC, Layer, Model
from symbolic_mem.questions.parts.assumptions import whose
from symbolic_mem.questions.parts.parameters import experts_tables
from symbolic_mem.questions.parts.repeated import added, summed
from symbolic_mem.questions.parts.words import KIND_SYMBOLS, KIND_WORDS
from symbolic_mem.recipes.recipe import Recipe
from symbolic_mem.recipes.recompute import NONE, recompute
from symbolic_mem.study.study import Study

_FLOAT = 20  # signs of the longest number that a calculator prints


@dataclass(frozen=True)
class _Asked:
    """All of a study that the derivation of its memory reads: what is equal here is derived once for many questions.

    The hash is that of little, since the parts are large and mostly the very same.
    """

    kinds: tuple[str, ...]
    recipe: Recipe
    memory: Memory = field(hash=False)
    model: Model = field(hash=False)
    architecture: Architecture | None = field(hash=False)
    values: Mapping[sp.Symbol, sp.Expr] = field(hash=False)
    of: str
    now: bool


def memory_blocks(study: Study, work: Work, kinds: tuple[str, ...]) -> list[Block]:
    """Derive every kind of memory in `kinds` that the study keeps, and their total."""
    built, now = study.built.architecture, study.at is not None
    asked = _Asked(kinds, study.recipe, study.memory, study.model, built, study.values, whose(study), now)
    blocks, known = _derived(asked)
    work.values.update(known)
    return [*blocks]


@lru_cache(maxsize=16)
def _derived(asked: _Asked) -> tuple[tuple[Block, ...], Mapping[sp.Symbol, sp.Expr]]:
    """The blocks, and the numbers that are known after them."""
    memory, work = asked.memory.of(*asked.kinds), Work(asked.values)
    blocks: list[Block] = [*parameter_steps(asked.model, work, asked.of)]
    blocks += experts_tables(asked.model, asked.architecture, asked.values, asked.of)
    static = [kind for kind in memory.kinds if kind in STATIC]
    states = [_state_step(kind, memory.of(kind), work) for kind in static]
    blocks += in_full(states) if len(static) > 1 else states
    if len(static) > 1:
        blocks.append(_static_step(static, memory, work))
    if "activations" in memory.kinds:
        blocks += _activation_blocks(asked, memory.of("activations"), work)
    if "buffers" in memory.kinds:
        blocks += _buffer_blocks(memory.of("buffers"), work)
    if "cache" in memory.kinds:
        blocks.append(_plain_step("The caches of decoding are", "cache", memory.of("cache"), work))
    if len(memory.kinds) > len(static) or len(static) == 1:
        blocks.append(_total_step(memory, static, work))
    else:
        work.define(M_total, M_static)
    blocks.append(term_table(memory, asked.values))
    return tuple(blocks), work.values


def memory_numbers(study: Study, work: Work, kinds: tuple[str, ...]) -> None:
    """Give every kind of memory in `kinds`, and their sums, their numbers, where another part of the document tells how."""
    memory = study.memory.of(*kinds)
    work.define(P, study.model.parameters)
    sums = {KIND_SYMBOLS[kind]: memory.of(kind) for kind in memory.kinds}
    static = memory.of(*STATIC)
    if len(static.kinds) > 1:
        sums[M_static] = static
    for symbol, part in {**sums, M_total: memory}.items():
        try:
            work.values[symbol] = rational(part.at(study.numbers))
        except MissingValue:
            work.define(symbol, part.total)


def parameter_steps(model: Model, work: Work, of: str = "") -> list[Block]:
    """Count the parameters of each kind of layer, then all together; they are those `of` a rank, where that is not the model."""
    found = groups(model)
    if len(found) == 1:
        statement = text("The number of parameters is given:")
        if found[0].repeat != 1:
            statement = say(
                "Each {name} holds {weights} weights, and there are {repeat} of them. The number of parameters is",
                name=text(found[0].name),
                weights=found[0].parameters,
                repeat=found[0].repeat,
            )
        links: list[tuple[str, Side]] = [("=", model.parameters)]
        links += [] if isinstance(model.parameters, sp.Symbol) else [("=", work.put(model.parameters))]
    else:
        chains, counted = [], []
        for group in found:
            symbol = local("P", group.name)
            value = work.define(symbol, group.parameters)
            chains.append(
                Chain(symbol, (("=", Long(common_factors_first(group.parameters))), amount(value, "parameters")))
            )
            counted.append(sp.Mul(group.repeat, symbol))
        value = work.define(P, model.parameters)
        told = (
            work.step(text("One layer of each kind holds"), *chains),
            work.step(
                text(f"All layers{of} together hold"),
                Chain(P, (("=", Total(tuple(counted))), amount(value, "parameters"))),
            ),
        )
        written = sp.Add(*(group.repeat * common_factors_first(group.parameters) for group in found))
        brief = Chain(P, (("=", Long(written)), amount(value, "parameters")))
        return [*in_full(told), *in_short([work.step(text(f"The number of parameters{of} is"), brief)])]
    value = work.define(P, model.parameters)
    return [work.step(statement, Chain(P, (*links, amount(value, "parameters"))))]


def term_table(memory: Memory, values: Mapping[sp.Symbol, sp.Expr]) -> Table:
    """Tabulate the terms: formula, bytes, GiB and share of the total."""
    known = dict(values)
    total = put(memory.total, known)
    shown = [term.bytes if term.short is None else term.short for term in memory.terms]
    rows = []
    for term, formula in zip(memory.terms, shown, strict=True):
        name = _row(term) if len(memory.of("activations")) > 1 else term.name
        rows.append((text(name), say("{f}", f=formula), *_figures(put(term.bytes, known), total)))
    rows.append((text("total"), text(""), *_figures(total, total)))
    return Table(
        text("The terms of the memory"),
        (
            Column(text("term")),
            Column(text("formula"), "formula"),
            Column(text("bytes"), "right"),
            Column(text("memory"), "right"),
            Column(text("share"), "right"),
        ),
        tuple(rows),
        totals=True,
    )


def _row(term: Term) -> str:
    """What the row of a term is called in the table of terms, where several layers keep something."""
    return term.layer or term.name


def _figures(value: sp.Rational, total: sp.Rational) -> tuple[Prose, Prose, Prose]:
    return count(value), about(gib(value)), share(value, total)


def _state_step(kind: str, memory: Memory, work: Work) -> Step:
    names = []
    for term in memory.terms:
        copies = sp.cancel(term.short / (term.bytes_per_element * P)) if term.short is not None else sp.S.One
        size = bytes_words(term.bytes_per_element)
        each = f"{copies} × {size}" if copies != 1 else size
        reason = f"{term.reason}: " if term.reason else ""
        names.append(f"{term.name} ({reason}{each} {'each' if term.short is None else 'for each parameter'})")
    return _plain_step(f"{_sentence(listed(names))} take", kind, memory, work)


def _plain_step(start: str, kind: str, memory: Memory, work: Work) -> Step:
    symbol = KIND_SYMBOLS[kind]
    shorts = tuple(term.short if term.short is not None else term.bytes for term in memory.terms)
    value = work.define(symbol, memory.total)
    formula: Side = Long(shorts[0]) if len(shorts) == 1 else Total(shorts)
    numbers: Side = work.put(shorts[0]) if len(shorts) == 1 else Total(tuple(work.put(short) for short in shorts))
    chain = Chain(
        symbol, (("=", formula), ("=", Brief(numbers)), amount(value, "bytes", digits=14), amount(value, "GiB"))
    )
    return work.step(text(start), chain)


def _buffer_blocks(memory: Memory, work: Work) -> Iterator[Block]:
    """The buffers with their formula; in short they name the first and the last of their rows in the table of all terms, which have it."""
    yield from in_full([_plain_step("Buffers are", "buffers", memory, work)])
    value = work.number(M_buffers)
    line = Chain(M_buffers, (amount(value, "bytes", digits=14), amount(value, "GiB")))
    said = say("Buffers ({rows} in the table) are {line}.", rows=text(_rows(memory)), line=line)
    yield from in_short([Paragraph(said)])


def _rows(memory: Memory) -> str:
    """The first and the last row of a memory in the table of terms."""
    first, last = _row(memory.terms[0]), _row(memory.terms[-1])
    return first if first == last else f"{first} to {last}"


def _static_step(static: list[str], memory: Memory, work: Work) -> Step:
    parts = Total(tuple(KIND_SYMBOLS[kind] for kind in static))
    shorts = [term.short for term in memory.of(*static).terms if term.short is not None]
    value = work.define(M_static, memory.static)
    middle = [("=", sp.Add(*shorts))] if len(shorts) == len(memory.of(*static)) else []
    names = listed([KIND_WORDS[kind] for kind in static])
    return work.step(
        text(f"{_sentence(names)} together, the static part of the memory, take"),
        Chain(M_static, (("=", parts), *middle, amount(value, "bytes", digits=14), amount(value, "GiB"))),
    )


def _activation_blocks(asked: _Asked, memory: Memory, work: Work) -> list[Block]:
    recipe = asked.recipe
    saving = [layer for layer in recompute(asked.model, recipe.recompute).layers if layer.saved]
    blocks: list[Block] = []
    if len(memory.terms) > 1:
        blocks += by_layer(memory, work, now=asked.now)
        if recipe.trains:
            blocks += in_full([kept_table(saving, recipe, now=asked.now)])
    elif asked.now and not any(memory.terms[0].layer == layer.name for layer in saving):
        blocks.append(_one_term(text(f"{_sentence(memory.terms[0].name)}, for a moment, take"), memory.terms[0], work))
    else:
        for layer in saving:
            blocks += _kept(layer, recomputed=recipe.recompute != NONE)
        term = memory.terms[0]
        size = term.bytes_per_element
        reason = f" ({recipe.activations_reason})" if recipe.activations_reason else ""
        statement = say(
            "At {size} each{reason}, all activations take", size=text(bytes_words(size)), reason=text(reason)
        )
        blocks.append(_one_term(statement, term, work))
    return [*blocks, *_per_token(memory, work)]


def _kept(layer: Layer, *, recomputed: bool) -> list[Block]:
    intro = say("For the backward pass each {name} keeps", name=text(layer.name))
    if recomputed:
        name = text(_sentence(layer.name))
        intro = say("{name}: for the backward pass {n} of them keep", name=name, n=layer.repeat)
    items = tuple(
        say(
            "{shape} {elements}, {why}",
            shape=tensor.elements,
            elements=plural(tensor.elements, "element", "elements"),
            why=tensor.reason or tensor.name,
        )
        for tensor in layer.saved
    )
    return [Step(intro), Bullets(items)]


def by_layer(memory: Memory, work: Work, *, now: bool = False, layers: Sequence[Layer] = ()) -> Iterator[Step]:
    """Sum what each kind of layer keeps for the backward pass, or what of it is there `now`; in short the sum alone.

    That has a formula of its own, by the `layers` that have them, or names the first and the last of its terms, which then
    stand in the table of all terms.
    """
    chains, symbols = [], []
    for term in memory.terms:
        symbol = local("M", term.layer or term.name)
        value = work.define(symbol, term.bytes)
        symbols.append(symbol)
        chains.append(Chain(symbol, (("=", Long(term.bytes)), amount(value, "GiB"))))
    value = work.define(M_activations, memory.total)
    whole = Chain(M_activations, (("=", Total(tuple(symbols))), amount(value, "bytes"), amount(value, "GiB")))
    said = (
        text("The activations that are there at that instant, all repetitions together, and their sum:")
        if now
        else text("What the layers keep for the backward pass, all repetitions together, and its sum:")
    )
    yield replace(work.step(said, *chains, whole), told="in full")
    if layers:
        ones, sums = summed(memory, layers, work)
        if ones:
            said = text("One repetition of layers keeps for the backward pass")
            yield replace(work.step(said, *ones), told="in short")
        brief = text("What all layers keep for the backward pass takes")
        short = work.step(brief, Chain(M_activations, (*added(sums, work), *whole.links[1:])))
    else:
        rows = f" ({_rows(memory)} in the table)"
        brief = (
            text(f"The activations that are there{rows} take")
            if now
            else text(f"What all layers keep for the backward pass{rows} takes")
        )
        short = work.step(brief, Chain(M_activations, whole.links[1:]))
    yield replace(short, told="in short")


KEPT = "Every tensor that is kept for the backward pass, in one repetition of its layer, and why"


def kept_table(layers: Sequence[Layer], recipe: Recipe, *, now: bool = False) -> Table:
    """Tabulate every tensor that is kept for the backward pass, with the reason why."""
    rows, last = [], ""
    for layer in layers:
        for tensor in layer.saved:
            size = recipe.widths.of(tensor)
            name = layer.name if layer.name != last else ""
            last = layer.name
            rows.append(
                (text(name), text(tensor.name), say("{s}", s=tensor.elements), count(size), text(tensor.reason))
            )
    return Table(
        text(KEPT if not now else f"{KEPT}; what of it is there at an instant, the terms of that instant say"),
        (
            Column(text("layer")),
            Column(text("tensor")),
            Column(text("elements")),
            Column(text("bytes each"), "right"),
            Column(text("why"), "text"),
        ),
        tuple(rows),
    )


def _one_term(statement: Prose, term: Term, work: Work) -> Step:
    value = work.define(M_activations, term.bytes)
    links = (("=", term.bytes), ("=", work.put(term.bytes)), amount(value, "bytes", digits=14), amount(value, "GiB"))
    return work.step(statement, Chain(M_activations, links))


def _per_token(memory: Memory, work: Work) -> list[Block]:
    each = sp.Add(*(term.bytes / (B * S) for term in memory.terms))
    if each.has(B) or each.has(S):
        return []
    tokens, size = work.define(T, B * S), work.number(each)
    batch, many = Chain(T, (("=", B * S), amount(tokens))), plural(tokens, "token", "tokens")
    written_out = Amount(size, "GiB", full=True)  # as a calculator prints it, where that is no longer than a float
    short = len(written_out.shown.figures) <= _FLOAT
    links = (("=", each), amount(size, "bytes"), amount(size, "GiB", full=short))
    step = work.step(
        say("The batch has {t} {many}, so this is for each token", t=batch, many=many), Chain(M_activations / T, links)
    )
    line = Chain(M_activations / T, links[1:])
    brief = say("The batch has {t} {many}, so this is {line} for each token.", t=batch, many=many, line=line)
    return [*in_full([step]), *in_short([Paragraph(brief)])]


def _total_step(memory: Memory, static: list[str], work: Work) -> Step:
    symbols = [M_static] if len(static) > 1 else [KIND_SYMBOLS[kind] for kind in static]
    symbols += [KIND_SYMBOLS[kind] for kind in memory.kinds if kind not in static]
    value = work.define(M_total, memory.total)
    sizes = [gib(work.values[symbol]) for symbol in symbols]
    links: list[tuple[str, Side]] = [("=", Total(tuple(symbols)))]
    if len(symbols) > 1 and all(size.shown.exact for size in sizes):
        links.append(("=", Total(tuple(sizes))))
    links += [amount(value, "bytes", digits=14), amount(value, "GiB")]
    return work.step(text("All that is counted takes"), Chain(M_total, tuple(links)))


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]
