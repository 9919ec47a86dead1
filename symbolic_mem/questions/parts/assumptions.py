"""What an answer takes for granted and what it leaves out, as sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import sympy as sp

from symbolic_mem.base.exact import at
from symbolic_mem.base.symbols import (
    f_load,
    n_chunks,
    n_cp,
    n_dcp,
    n_ep,
    n_etp,
    n_fsdp,
    n_group,
    n_micro,
    n_pod,
    n_pp,
    n_replica,
    n_tp,
    r_pp,
)
from symbolic_mem.document.prose import Amount, Prose, say, text
from symbolic_mem.document.words import joined
from symbolic_mem.models.cut import DIMENSIONS
from symbolic_mem.models.tensors import STATIC
from symbolic_mem.plans.pipeline import Pipeline, pipeline
from symbolic_mem.plans.plan import Plan
from symbolic_mem.plans.rests import sizes
from symbolic_mem.questions.parts.instants import staged
from symbolic_mem.questions.parts.whose_batch import whose_batch
from symbolic_mem.questions.parts.words import KIND_WORDS, placement_sentences
from symbolic_mem.recipes.recompute import recompute
from symbolic_mem.study.question import symbols_in
from symbolic_mem.study.study import Study


def about_memory(study: Study) -> bool:
    """Whether a question of the study counts memory; a study without questions does."""
    return not study.questions or any(question.subject == "memory" for question in study.questions)


def _counts_activations(study: Study) -> bool:
    """Whether a question counts what is kept for the backward pass; where none counts memory, a line may still ask for it."""
    asked = any(question.subject == "memory" for question in study.questions)
    of_memory = (question for question in study.questions if question.subject == "memory")
    return not asked or any(kind not in STATIC for question in of_memory for kind in question.counted)


NO_INSTANTS = text(
    "The instants of a step are not known for this model, recipe and placement: what is kept is counted, and what is there "
    "for a moment is not."
)


def assumptions(study: Study) -> tuple[Prose, ...]:
    """List what the model, the recipe, the study and the caller assume; of the recipe where memory is asked for."""
    recipe = study.recipe
    said = []
    if about_memory(study):
        said.append(text(f"Recipe “{recipe.name}”: {recipe.title}. Source: {recipe.source}."))
        if recipe.presumed:
            said.append(text(f"No recipe is given, so “{recipe.name}” is taken."))
        trained = recompute(study.model, recipe.recompute)
        own = trained.said if recipe.trains and _counts_activations(study) else trained.said_of_weights
        said += [*map(study.said, own), *map(text, recipe.said), *map(text, recipe.said_of(study.model))]
        said += idle_degrees(study)
        said += whose_batch(study) if _counts_activations(study) else ()
        if recipe.schedule and not study.as_given.timeline:
            said.append(NO_INSTANTS)
    elif any(question.subject == "layers" for question in study.questions):
        said += map(study.said, study.model.said_of_layers)
    said += [study.said(note) for note in study.notes]
    if study.caller:
        said.append(say("Changed by the caller: {changes}.", changes=study.listed(study.caller)))
    return tuple(said)


def placements(study: Study) -> tuple[Prose, ...]:
    """Say where each kind of memory lives."""
    named = () if study.plan is None else (text(study.plan.words), *_copies(study.plan), *divided_model(study))
    lives = placement_sentences(study.memory.kinds, study.placement, whose(study))
    return (*named, *lives, *_undivided(study)) if study.placement or named else ()


def _undivided(study: Study) -> Iterator[Prose]:
    """Say that a recipe is of an engine that keeps whole what is divided here."""
    placed = study.placement
    divided = [kind for kind in study.recipe.undivided if kind in placed and placed[kind].fraction != 0]
    if divided:
        yield say(
            "Recipe “{name}” is of an engine that keeps the {kinds} whole on every device, and here they are divided: "
            "plan zero-2 keeps them whole.",
            name=text(study.recipe.name),
            kinds=joined([text(KIND_WORDS.get(kind, kind)) for kind in divided]),
        )


def divided_model(study: Study) -> tuple[Prose, ...]:
    """Say of whom the amounts are, where a plan cuts the model itself over several devices, and where experts live."""
    if study.plan is None:
        return ()
    mesh = () if study.plan.ranks(study.values) <= 1 else (_mesh(study, study.plan), *_few(study, study.plan))
    return (*mesh, *_of_rests(study), *_of_experts(study))


def _few(study: Study, plan: Plan) -> tuple[Prose, ...]:
    """Say that there are fewer micro-batches than stages, where the engine runs them all the same."""
    stages, micro = study.values.get(n_pp, 1), study.values.get(n_micro)
    if not plan.pipelined or micro is None or micro >= stages:
        return ()
    return (
        say(
            "There are fewer micro-batches, {m} = {micro}, than the {stages} stages: they run, and every rank waits at least as long "
            "as it computes.",
            m=n_micro,
            micro=micro,
            stages=stages,
        ),
    )


def _of_rests(study: Study) -> Iterator[Prose]:
    """What the engine does with what does not come out: it pads a vocabulary or cuts unevenly, or several ranks have the same head."""
    whole, cut = study.built.architecture, study.rank.cut
    if cut is None:
        return
    shares = dict(cut.shares)
    for dimension, size in sizes(study.built):
        share = shares.get(dimension)
        found = None if share is None or share.part is None else at(size.size, study.values)
        most = None if share is None or found is None else at(share.of(found), study.values)
        if share is not None and found is not None and most is not None:
            yield say(
                "{size} = {found} ({what}) is no multiple of {n}: the fullest rank, with {most}, is counted.",
                size=size.size,
                found=Amount(found),
                what=text(DIMENSIONS[dimension]),
                n=share.degree,
                most=Amount(most),
            )
    if whole is None:
        return
    vocabulary, padded = (at(size, study.values) for size in (whole.vocabulary, cut.vocabulary(whole.vocabulary)))
    if vocabulary is not None and padded is not None and vocabulary != padded:
        yield say(
            "The vocabulary of {v} rows is padded to {padded}, a multiple of {rows} on each rank.",
            v=vocabulary,
            padded=padded,
            rows=cut.padded,
        )
    if cut.copied and whole.latent is None:
        yield say(
            "There are more ranks than key-value heads: each works with one that others have, too, and what they project for it is "
            "gathered for a moment, which is not counted."
        )


def _of_experts(study: Study) -> Iterator[Prose]:
    """Say over how many devices the states of routed experts are divided, where that is another number, and with which load."""
    experts = None if study.built.architecture is None else study.built.architecture.experts
    for kind, placed in study.placement.items() if experts is not None else ():
        if placed.experts is not None:
            yield say(
                "Of routed experts the {kind} is divided over {n} devices, as many as each of them has replicas.",
                kind=KIND_WORDS[kind],
                n=placed.experts,
            )
    cut = study.rank.cut
    if experts is not None and cut is not None and cut.degree("experts") != 1:
        yield load_of_experts(study)


def load_of_experts(study: Study) -> Prose:
    """With which load routed experts are counted, where a plan divides them."""
    if f_load not in study.values:
        return say("The load of the routed experts is taken to be balanced; {f} gives another.", f=f_load)
    return say(
        "The experts of the fullest rank get {f} percent of the rows of a balanced load, and every rank is taken to be it.",
        f=f_load,
    )


def whose(study: Study) -> str:
    """Of whom parameters and memory are, after their name: of one rank, where a plan cuts the model; else of the model."""
    if study.rank is study.built:
        return ""
    return " of one rank, in all stages," if study.values.get(n_pp, 1) != 1 else " of one rank"


def ranks_beside(study: Study, symbol: sp.Symbol) -> int:
    """How many devices there are for each of a degree: the product of all other degrees that lay out devices."""
    return prod(int(study.values.get(degree, 1)) for degree in degrees_beside(study, symbol))


def groups_beside(study: Study) -> str:
    """Words behind a number of devices where there are groups of them that are replicas, and nobody says how many."""
    unknown = study.plan is not None and study.plan.replicas and n_replica not in study.values
    return " of each group" if unknown else ""


def lays_out(symbol: sp.Basic) -> bool:
    """Whether more of an axis of a plan means more devices: experts are divided over devices that other degrees count."""
    return symbol not in (n_dcp, n_ep, n_etp)


def degrees_beside(study: Study, symbol: sp.Symbol) -> frozenset[sp.Basic]:
    """The degrees other than `symbol` that lay out devices.

    Those are the axes of the plan, its replicas, and whatever a kind of memory is divided over; experts are divided over
    devices that the other degrees count.
    """
    laid: set[sp.Basic] = set().union(*(placed.degree.free_symbols for placed in study.placement.values()))
    if study.plan is not None:
        laid |= {axis for axis in (n_tp, n_pp, n_cp) if axis in study.plan.axes}
        laid |= {n_fsdp} if study.plan.axes else set()
        laid |= {n_replica} if study.plan.replicas else set()
        laid = {each for each in laid if lays_out(each)}
    return frozenset(laid - {symbol})


def _copies(plan: Plan) -> tuple[Prose, ...]:
    if not plan.replicas:
        return ()
    return (
        say("There are {n} such groups of devices, which multiplies the devices and divides nothing.", n=n_replica),
    )


def _mesh(study: Study, plan: Plan) -> Prose:
    """Say of whom the amounts are, where the plan cuts the model itself."""
    over = sp.Mul(*(axis for axis in (n_tp, n_pp, n_cp) if axis in plan.axes and study.values.get(axis, 1) != 1))
    if plan.pipelined and not study.recipe.trains:
        return say(
            "The model itself is divided over {n} devices. Weights and caches are those of one rank, all stages of the pipeline "
            "together; each instant is that of the stage which it names. The first has the embedding, and the last the head.",
            n=over,
        )
    if n_pp in over.free_symbols:
        return say(
            "The model itself is divided over {n} devices. Weights and activations are those of one rank, all stages of the "
            "pipeline together; each instant is that of the rank which it names. {ends}",
            n=over,
            ends=text(pipeline_ends(pipeline(plan.schedule))),
        )
    return say("The model itself is divided over {n} devices, and all amounts are those of one of them.", n=over)


def pipeline_ends(how: Pipeline) -> str:
    """Which ranks of a pipeline have most micro-batches in flight, and which the ends of the model."""
    first = how.held.has(r_pp)
    flight = (
        "Of ranks with the same blocks the first has most micro-batches in flight"
        if first
        else "All ranks have equally many micro-batches in flight"
    )
    if how.vocabulary:
        return f"{flight}; each has its part of the embedding, the head and the loss."
    if how.order == "loop":
        embedding = ", and the embedding" if first else "; the first has the embedding"
        return f"{flight}{embedding}; the last has the head and the loss."
    whose = "the first has" if how.order == "vee" else "the first and the last each have"
    return f"{flight}; {whose} the embedding, the head and the loss."


SCHEDULED = (n_micro, n_chunks, n_group)
DEGREES = (n_fsdp, n_replica, n_tp, n_pp, n_cp, n_dcp, n_ep, n_etp, f_load, *SCHEDULED, n_pod)


def idle_degrees(study: Study) -> tuple[Prose, ...]:
    """Name every degree of more than 1 that divides no memory here, and that no question and no network uses."""
    idle = idle_of(study, [symbol for symbol in DEGREES if study.values.get(symbol, 1) != 1])
    return tuple(idle_words(symbol, study.values[symbol], staged=staged(study)) for symbol in idle)


def idle_of(study: Study, given: Sequence[sp.Symbol]) -> tuple[sp.Symbol, ...]:
    """Which of some degrees divide no memory whatever their value, and no question and no network uses."""
    kinds = study.memory.kinds if given else ()
    placed = [study.placement[kind] for kind in kinds if kind in study.placement]
    used = set().union(*(one.degree.free_symbols for one in placed))
    if _experts(study):
        used = used.union(*(one.experts.free_symbols for one in placed if one.experts is not None))
    used |= set() if study.plan is None else used_by_plan(study, study.plan)
    idle = [symbol for symbol in given if symbol not in used]
    if not idle:
        return ()
    asking = [question for question in study.questions if n_fsdp not in idle or _places(study, question)]
    used = study.memory.total.free_symbols.union(*map(symbols_in, asking))
    used |= {n_pod} if study.network is not None else set()
    asked = {name for question in asking for name in (*question.unknowns, *question.places)}
    return tuple(symbol for symbol in idle if symbol not in used and str(symbol) not in asked)


def _places(study: Study, question: Any) -> bool:
    """Whether a question may place something over n_fsdp, of which the study itself places nothing there."""
    if question.places or not any(change.aspect in ("plan", n_fsdp.name) for change in study.caller):
        return True
    return any(n_fsdp in placed.degree.free_symbols for placed in study.under(question).placement.values())


def idle_words(symbol: sp.Symbol, value: sp.Rational | None = None, *, staged: bool = False) -> Prose:
    """Say that a degree divides nothing, at its value or, without one, at all that it takes."""
    named = say("{n}", n=symbol) if value is None else say("{n} = {value}", n=symbol, value=value)
    if symbol in SCHEDULED and staged:
        return say(
            "{named} changes no memory here: what the schedule of the pipeline keeps does not depend on it.",
            named=named,
        )
    if symbol in SCHEDULED:
        return say(
            "{named} changes nothing here: there are no stages of a pipeline whose schedule reads it.", named=named
        )
    if symbol == f_load:
        return say(
            "{named} changes nothing here: there are no routed experts that a plan divides over {ranks}.",
            named=named,
            ranks=n_ep,
        )
    return say("{named} divides nothing here: no kind of memory is placed over it.", named=named)


def _experts(study: Study) -> bool:
    return study.built.architecture is not None and study.built.architecture.experts is not None


def used_by_plan(study: Study, plan: Plan) -> set[sp.Basic]:
    """The axes over which a plan cuts what this model has, its replicas, and what the schedule of its stages reads."""
    axes: set[sp.Basic] = {n_replica} if plan.replicas else set()
    for dimension, by in plan.cuts:
        axes |= by.free_symbols if _experts(study) or dimension not in ("experts", "expert inner") else set()
    if study.rank.cut is not None:
        axes |= study.rank.cut.load.free_symbols
    if staged(study):
        axes |= pipeline(plan.schedule).reads
    return axes


_SIGNS = "1 GB is 10⁹ bytes and 1 GiB is 2³⁰ bytes; neither is taken for the other, and a figure that is rounded is marked with ≈."
SIGNS = text(_SIGNS)
UNITS = text(f"All amounts are exact counts of bytes. {_SIGNS}")
