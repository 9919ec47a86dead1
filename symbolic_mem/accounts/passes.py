"""`passes`: the instants of inference, each with the memory of one device: the fullest moments of prefill and of decoding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

import sympy as sp

from symbolic_mem.accounts.account import account, saved_terms
from symbolic_mem.accounts.instant import Instant
from symbolic_mem.accounts.momentary import SOFTCAP
from symbolic_mem.accounts.ranks import deciding
from symbolic_mem.accounts.stage import Stage, spread, stage_model, stages
from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.accounts.units import units
from symbolic_mem.accounts.working import passing
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import Numbers, missing
from symbolic_mem.base.symbols import B, S, n_pp
from symbolic_mem.models.built import Built
from symbolic_mem.models.program_attention import FUSED
from symbolic_mem.models.programs import BY_HAND
from symbolic_mem.models.tensors import EMBEDDING, END, EXPANDED, LAID_OUT, REPEATED, Cached, Layer, Model, Tensor
from symbolic_mem.plans.plan import Plan
from symbolic_mem.recipes.recipe import Recipe

PREFILL, DECODE = "prefill", "decode"
WORKING, WORKSPACES, LOGITS = "tensors of the pass", "workspaces of the experts", "W_head"
LOSS = "cross_entropy_fp32"
SAMPLED = sp.Integer(4)  # bytes of a logit that is sampled from: in FP32


def passes(
    built: Built, recipe: Recipe, plan: Plan | None = None, numbers: Numbers | None = None
) -> tuple[Instant, ...]:
    """Return the instants of prefill and of one step of decoding; none where the operations of a block are not described.

    All weights and caches are there at each, the caches with all the tokens that they will have, and the buffers that experts of an
    engine share, as large as the longest pass makes them. Under a `plan` with a
    pipeline each stage has its instants, with the weights and caches of its blocks; `numbers` say how many these are.
    Raises `BadInput` where the blocks do not divide into stages, or not all of them cache the same.

    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("llama-3.1-8b").change(recipe="inference")
    >>> [one.words for one in passes(study.built, study.recipe)][-1]
    'the logits of a decoding step'
    """
    model = (built.serving if recipe.serves else built.evaluating).model
    numbers = Numbers.of({}) if numbers is None else numbers
    known = numbers.values_given
    logits = built.architecture is not None and built.architecture.head == "language model"
    bounds = logits and _bounds(built)
    context = _attended(built.evaluating)
    if plan is None or not plan.pipelined or known.get(n_pp, 1) == 1:
        return _passes(model, recipe, logits, bounds, context)
    blocks = units(model).blocks
    if any(missing(unit.count, known) for unit in blocks):
        return ()
    number, ranks = int(sum(numbers[one.count] for one in blocks)), int(known[n_pp])
    uneven = plan.layers or (spread(number, ranks) if plan.spreads and number > ranks and number % ranks else ())
    every = stages(number, ranks, layers=uneven)
    cached = [_placed(held, model, number, numbers) for held in model.cached]

    def caches(stage: Stage) -> tuple[int, ...]:
        return tuple(sum(sum(there[start:end]) for start, end in stage.chunks) for there in cached)

    found: list[Instant] = []
    for stage in deciding(every, built, numbers, caches):
        of_stage = stage_model(model, stage, numbers)
        alike = stage.even and all(map(all, cached))
        counts = zip(model.cached, caches(stage), strict=True)
        own = (replace(one, repeat=one.repeat / n_pp if alike else sp.Integer(count)) for one, count in counts)
        of_stage = replace(of_stage, cached=tuple(one for one in own if one.repeat != 0))
        ends = logits and stage.last
        step = _passes(of_stage, recipe, ends, bounds, context, units(model).before) or (_alone(of_stage, recipe),)
        found += (
            replace(one, words=f"{one.words}{'' if one.lasting else ','} on {stage.words}", rank=stage.words)
            for one in step
        )
    return tuple(found)


def _alone(model: Model, recipe: Recipe) -> Instant:
    """What is kept, where nothing is known of the moments of a pass."""
    return Instant("kept", DECODE, "what is kept", lambda: account(model, recipe), lasting=True)


def _placed(held: Cached, model: Model, blocks: int, numbers: Numbers) -> tuple[bool, ...]:
    """Which of so many blocks have a cache: all of them, or those that the description of the model names."""
    layers = numbers[held.repeat]
    if layers == blocks:
        return (True,) * blocks
    if len(held.there) == blocks and sum(held.there) == layers:
        return held.there
    raise BadInput(
        f"not all layers of {model.name} cache the same, and which of its {blocks} blocks a stage of a pipeline has is known where a "
        "config.json says the kind of each; choose a plan without pp"
    )


def _bounds(built: Built) -> bool:
    """Whether the family bounds its logits by a tanh, as Gemma 2 does."""
    a, how = built.architecture, built.how
    return a is not None and how is not None and SOFTCAP in how.for_family(a.family).row(LOSS)


def _attended(built: Built) -> sp.Expr | None:
    """The tokens that decoding attends to in operations of their own; None where one kernel reads the caches as they are.

    Of narrow vectors transformers makes keys and values of all heads before any kernel, other engines put that into the queries.
    """
    if built.how is None or built.architecture is None:
        return None
    expands = built.architecture.latent is not None and built.how.engine in BY_HAND
    if (built.kernel or built.how.kernel) in FUSED and not expands:
        return None
    windows = [one.window for one in built.model.cached if one.grows]
    return S if None in windows else sp.Min(S, sp.Max(*(one for one in windows if one is not None)))


@lru_cache(maxsize=64)
def _passes(
    model: Model,
    recipe: Recipe,
    logits: bool,
    bounds: bool,
    context: sp.Expr | None,
    before: tuple[Layer, ...] | None = None,
) -> tuple[Instant, ...]:
    blocks = units(model).blocks
    if not blocks or any(unit.work is None for unit in blocks):
        return ()
    own = units(model).before if before is None else before
    return tuple(_instants(model, recipe, logits, bounds, context, own))


def _instants(
    model: Model, recipe: Recipe, logits: bool, bounds: bool, context: sp.Expr | None, before: tuple[Layer, ...]
) -> Iterator[Instant]:
    rows = {
        PREFILL: (B, S) if recipe.prefill is None else (sp.S.One, sp.Integer(recipe.prefill)),
        DECODE: (B, sp.S.One),
    }
    kept = account(model, recipe)
    shared = {unit.work.workspaces(unit.name) for unit in units(model).blocks if unit.work is not None} - {None}
    if shared:
        most = _term(WORKSPACES, filter(None, shared), recipe, dict(zip((B, S), rows[PREFILL], strict=True)), None)
        kept = Memory((*kept.terms, most), kept.definitions)
    held_by_caller = () if model.work is None else model.work.beside()
    for phase, (batch, tokens) in rows.items():
        words = "prefill" if phase == PREFILL else "a decoding step"
        sizes: dict[sp.Symbol, sp.Expr] = {B: batch, S: tokens}
        attended = context if phase == DECODE else None
        beside = (*held_by_caller, *(tensor for layer in before if layer.name == EMBEDDING for tensor in layer.saved))
        for unit in units(model).blocks:
            kind = unit.name if len(units(model).blocks) > 1 else "block"
            for moment in passing(unit, False):
                found = (*beside, *(tensor for layer in moment.saved for tensor in layer.saved))
                there = _term(WORKING, found, recipe, sizes, attended)
                yield _instant(
                    phase, f"{words}, in a{'n' if kind[0] == 'e' else ''} {kind}, at {moment.name}", kept, there
                )
        end = units(model).work
        if end is None or not logits:
            continue
        for moment in end.forward(END, False)[-1:]:
            found = list(moment.kept)
            made = next(tensor for tensor in found if tensor.name == LOGITS)
            there = _term(WORKING, (one for one in found if one is not made), recipe, sizes, attended)
            rows_of_logits = (B, sp.S.One) if phase == DECODE or recipe.logits == "last" else (batch, tokens)
            whole = replace(made, name="logits", shape=(*rows_of_logits, made.shape[-1]), kind="activations")
            if bounds:
                yield _instant(phase, f"the bound of the logits of {words}", kept, there, _logits(recipe, whole, whole))
            drawn = Tensor("those to draw from", (B, made.shape[-1]), "a copy in FP32", SAMPLED)
            yield _instant(phase, f"the logits of {words}", kept, there, _logits(recipe, whole, drawn))


def _logits(recipe: Recipe, *found: Tensor) -> Term:
    """The logits that a pass makes, with what is made of them: as many bounded ones, or an FP32 copy of the last position."""
    (term,) = saved_terms("logits", "", (Layer("", saved=found),), recipe)
    return term


def _term(
    name: str, found: Iterable[Tensor], recipe: Recipe, sizes: Mapping[sp.Symbol, sp.Expr], context: sp.Expr | None
) -> Term:
    """Tensors of a pass over other numbers of sequences and tokens, in the dtype of the computation.

    Those that decoding makes of its caches have all tokens of the `context`, and it lays none of them out anew: scores have
    a column for each, keys and values are repeated for all query heads.
    """
    saved = []
    for one in found:
        if context is not None and one.name == LAID_OUT:
            continue
        shape = [size.xreplace(sizes) for size in one.shape]
        if context is not None and one.name in (REPEATED, EXPANDED):
            shape = [size.xreplace({**sizes, S: context}) for size in one.shape]
        elif context is not None and one.shape.count(S) > 1:
            shape[-1] = context
        saved.append(replace(one, kind="activations", shape=tuple(shape)))
    (term,) = saved_terms(name, "", (Layer("", saved=tuple(saved)),), recipe)
    return term


def _instant(phase: str, words: str, kept: Memory, *there: Term) -> Instant:
    memory = Memory((*kept.terms, *there), kept.definitions)
    return Instant(words, phase, words, lambda: memory)
