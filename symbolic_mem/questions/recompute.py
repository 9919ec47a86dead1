"""The question `recompute`: what another rule of recomputation keeps, and how many devices it then takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import sympy as sp

from symbolic_mem.base.errors import BadInput, nearest
from symbolic_mem.base.exact import rational
from symbolic_mem.base.formula import read_number
from symbolic_mem.base.symbols import C_mem, M_activations, M_divided, M_fixed, M_static, lookup, n_fsdp
from symbolic_mem.document.prose import Amount, Chain, Prose, amount, say, text
from symbolic_mem.document.steps import Answer, Block, Bullets, Column, Paragraph, Section, Table
from symbolic_mem.document.words import about, count, gib
from symbolic_mem.document.work import Work
from symbolic_mem.models.tensors import KINDS, STATIC
from symbolic_mem.plans.placement import Placed
from symbolic_mem.questions.parts.facts import Found
from symbolic_mem.questions.parts.memory import by_layer
from symbolic_mem.questions.parts.words import capacity_words, placement_sentences
from symbolic_mem.recipes.recompute import Recompute
from symbolic_mem.solvers.bound import Solved, solve
from symbolic_mem.solvers.capacity import Capacity
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study


def recomputed(study: Study, question: Question) -> tuple[Section, Found]:
    """Derive the activations under the rule ``recompute`` of the question, and the smallest degree that then fits.

    ``place`` gives kinds of memory another fraction that is divided: what a block keeps is all there is, so that a
    fraction which stood for recomputation becomes 1. Raises `BadInput` for a rule or kind that is not known.
    """
    how = Recompute.read(question.get("recompute", "full"), question.where)
    n = _degree(question)
    changed = replace(study, recipe=study.recipe.with_recompute(how), placement=_placement(study, question))
    study.need(changed.memory.total, f"question {question.label}")
    capacity, strict = study.capacity(question), bool(question.get("strict", False))
    before, after = (_answer(one, n, capacity, strict) for one in (study, changed))

    work = Work(study.values)
    blocks: list[Block] = [Paragraph(text(_opening(how))), by_layer(_saving(changed).memory.of("activations"), work)]
    blocks += _against(study, work)
    blocks += [
        Bullets(placement_sentences(changed.memory.kinds, changed.placement)),
        Paragraph(capacity_words(capacity)),
        _degree_step(changed, after, capacity, work),
        _table(study, changed, before, after),
        Answer(_sentence(how, after, capacity)),
    ]
    title = question.get("title", "What recomputation changes")
    said = (text(f"Recomputation: {how}."), *placement_sentences(changed.memory.kinds, changed.placement))
    reason = None if after.feasible else text("what every device holds in full is already too much")
    section = Section(text(f"({question.label}) {title}"), tuple(blocks))
    return section, Found(study.name, question.label, capacity, after, said, reason)


def _degree(question: Question) -> sp.Symbol:
    name = question.get("for", str(n_fsdp))
    symbol = lookup(name)
    if symbol is None or not name.startswith("n_"):
        raise BadInput(f"{question.where}: for = {name!r} is not a degree; give for example n_fsdp")
    return symbol


def _placement(study: Study, question: Question) -> dict[str, Placed]:
    placement = dict(study.placement)
    for kind, given in question.get("place", {}).items():
        if kind not in KINDS:
            raise BadInput(f"{question.where} place: unknown kind {kind!r} of memory; {nearest(kind, KINDS)}")
        fraction = sp.S.Zero if str(given) == "0" else read_number(str(given), f"{question.where} place {kind}")
        placement[kind] = replace(placement.get(kind, Placed(n_fsdp)), fraction=fraction)
    return placement


def _answer(study: Study, n: sp.Symbol, capacity: Capacity, strict: bool) -> Solved:
    return solve(study.placed(), n, capacity.counted, strict=strict).at(study.values)


def _saving(study: Study) -> Study:
    """The study at the moment at which there are activations."""
    return replace(study, moment="backward")


def _opening(how: Recompute) -> str:
    if how.rule == "none":
        return "Here nothing is recomputed: every layer keeps all that its backward pass needs."
    kept = {
        "half": "The others keep what they save, and nothing else is kept.",
        "selective": "Everything else is kept.",
        "groups": "The input of each group is kept, and nothing inside it.",
    }.get(how.rule, "The input of a recomputed block is still kept: its backward pass starts again from there.")
    return f"The rule is now: {how}. {kept} What the backward pass holds while it recomputes is " + (
        "counted as a buffer." if how.transient else "not counted here."
    )


def _against(study: Study, work: Work) -> list[Block]:
    old = _saving(study).memory.of("activations").total.xreplace(dict(study.values))
    new = work.number(M_activations)
    if old == 0 or old == new:
        return []
    before, whole = str(study.recipe.recompute), about(gib(old))
    if new > old:
        times = about(Amount(new / old, "", 4))
        said = say(f"That is {{times}} times the {{old}} that are kept when {before}.", times=times, old=whole)
    else:
        half = ", and not half of them" if 2 * new > old else ""
        part = about(Amount(100 * new / old, "%", 4))
        said = say(f"That is {{part}} of the {{old}} that are kept when {before}{half}.", part=part, old=whole)
    return [Paragraph(said)]


def _degree_step(study: Study, answer: Solved, capacity: Capacity, work: Work) -> Block:
    bound = answer.bound
    work.define(C_mem, capacity.counted)
    work.define(M_static, study.memory.of(*STATIC).total)
    divided, fixed = work.define(M_divided, bound.divided), work.define(M_fixed, bound.fixed)
    chains = [Chain(M_divided, (amount(divided, "GiB"),))]
    if bound.fixed != 0:
        chains.append(Chain(M_fixed, (amount(fixed, "GiB"),)))
    if not answer.feasible:
        relation = ">" if fixed > capacity.counted else "="
        return work.step(
            text("The part that is divided, and the part that every device holds in full, which is already too much:"),
            *chains,
            Chain(M_fixed, ((relation, C_mem),)),
        )
    room = C_mem - M_fixed if bound.fixed != 0 else C_mem
    quotient = M_divided / room
    rounded = sp.floor(quotient, evaluate=False) + 1 if bound.strict else sp.ceiling(quotient, evaluate=False)
    work.define(bound.symbol, sp.Integer(answer.value or 1))
    return work.step(
        text("The part that is divided and the part that is not give the smallest number of devices:")
        if bound.fixed != 0
        else text("All of it is divided, which gives the smallest number of devices:"),
        *chains,
        Chain(quotient, (("=", work.put(quotient)), amount(work.number(quotient)))),
        Chain(bound.symbol, (("=", rounded), amount(answer.value or 1))),
    )


def _table(study: Study, changed: Study, before: Solved, after: Solved) -> Table:
    rows = []
    for one, answer in ((_saving(study), before), (_saving(changed), after)):
        kept = one.memory.of("activations").total.xreplace(dict(one.values))
        counted = one.placed(kinds=("activations",)).total.xreplace({answer.bound.symbol: sp.S.One})
        rows.append(
            (
                text(str(one.recipe.recompute)),
                text(_share(one.placement)),
                about(Amount(kept / 2**30)),
                about(Amount(counted.xreplace(dict(one.values)) / 2**30)),
                count(answer.value) if answer.feasible else text("none is enough"),
            )
        )
    return Table(
        text("The study as it stands, and with this recomputation"),
        (
            Column(text("recomputation"), "text"),
            Column(text("placement of the activations"), "text"),
            Column(text("activations, GiB"), "right"),
            Column(text("counted, GiB"), "right"),
            Column(say("smallest {n}", n=after.bound.symbol), "right"),
        ),
        tuple(rows),
    )


def _share(placement: Mapping[str, Placed]) -> str:
    placed = placement.get("activations")
    if placed is None or placed.fraction == 0:
        return "whole on every device"
    if placed.fraction == 1:
        return "divided"
    return f"{placed.fraction} divided, the rest {placed.rest}"


def _sentence(how: Recompute, answer: Solved, capacity: Capacity) -> Prose:
    n, counted = answer.bound.symbol, about(Amount(capacity.counted, capacity.unit))
    if not answer.feasible:
        return say(
            f"{_when(how)}there is no such {{n}}: each device holds {{fixed}} in full and has {{counted}}.",
            n=n,
            fixed=about(gib(rational(answer.fixed))),
            counted=counted,
        )
    whole = answer.value or 1
    return say(
        f"{_when(how)}the smallest {{n}} is {whole}: each device then holds {{share}} of its {{counted}}.",
        n=n,
        share=about(Amount(rational(answer.per_device(whole)), capacity.unit)),
        counted=counted,
    )


def _when(how: Recompute) -> str:
    return "When nothing is recomputed, " if how.rule == "none" else "With this recomputation "
