"""Slips about what is kept: kinds, states and tensors that are left out, added, or taken of another size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import sympy as sp

from symbolic_mem.accounts.mistaken import Mistaken
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.rational import fraction, rational
from symbolic_mem.base.symbols import E, lookup
from symbolic_mem.claims.case import Case
from symbolic_mem.models.counts import active_parameters
from symbolic_mem.models.tensors import KINDS, STATIC, Layer, Model, Tensor
from symbolic_mem.questions.parts.peaks import fullest
from symbolic_mem.recipes.recipe import Recipe
from symbolic_mem.recipes.recompute import block_input
from symbolic_mem.recipes.states import State
from symbolic_mem.study.study import Study


def count_kinds(case: Case, kinds: list[str]) -> Case | None:
    """Count only some kinds of memory, as a question that names them does: the sum of what is kept of them."""
    counted = case.question.counted if case.question is not None else KINDS
    present = [kind for kind in case.study.memory.kinds if kind in counted]
    kept = [kind for kind in present if kind in kinds]
    if not kept or kept == present:
        return None
    if hasattr(case.question, "kinds"):
        return replace(case, question=replace(case.question, kinds=tuple(kept)))
    return _without(case, [kind for kind in present if kind not in kinds])


def forget_kind(case: Case, kind: str) -> Case | None:
    """Leave one kind of memory out."""
    return _without(case, [kind]) if kind in case.study.memory.kinds else None


def keep_moments(case: Case, copies: int) -> Case | None:
    """Keep fewer values for the optimizer's algorithm than it has; none, where that leaves master weights alone."""
    recipe = case.study.recipe
    if not copies and all(state.moment for state in recipe.states if state.kind == "optimizer"):
        return None  # which is to forget the optimizer state
    states = tuple(replace(s, copies=copies) if s.moment and s.copies > copies else s for s in recipe.states)
    return _recipe(case, replace(recipe, states=tuple(state for state in states if state.copies)))


def add_state(case: Case, kind: str, size: int) -> Case | None:
    """Keep something more for every parameter."""
    more = State("added by the slip", kind, sp.Integer(size))
    return _recipe(case, replace(case.study.recipe, states=(*case.study.recipe.states, more)))


def size_of(case: Case, kind: str, size: int) -> Case | None:
    """Use another number of bytes for each element of a kind."""
    recipe = case.study.recipe
    if kind == "activations":
        return _recipe(case, replace(recipe, activations=sp.Integer(size)))
    states = tuple(replace(s, bytes_per_element=sp.Integer(size)) if s.kind == kind else s for s in recipe.states)
    return _recipe(case, replace(recipe, states=states))


def forget_saved(case: Case, tensor: str) -> Case | None:
    """Leave out one of the tensors that are kept for the backward pass; what enters a block stays what it was."""
    if not case.study.recipe.trains:
        return None
    layers = tuple(_entered(layer) for layer in case.study.model.layers)
    entered = replace(case.study.built, model=replace(case.study.model, layers=layers))
    kept = replace(case, study=replace(case.study, built=entered))
    return _layers(kept, "saved", lambda one: one.name == tensor)


def forget_weights(case: Case, group: str) -> Case | None:
    """Leave out a group of weights, such as the head."""
    return _layers(case, "weights", lambda one: one.group == group)


def forget_matrix(case: Case, tensor: str) -> Case | None:
    """Leave out one of the matrices of every block, such as the gate of a gated feed-forward layer.

    What is sent and what is computed would both be less by it, so no bound on the batch changes.
    """
    if case.question is not None and case.question.subject == "layers":
        return None
    return _layers(case, "weights", lambda one: one.name == tensor and len(one.shape) > 1)


def count_file(case: Case) -> Case | None:
    """Take all numbers of the published file for the parameters: with further modules, their copies, and scales."""
    built, values = case.study.built, case.study.values
    if built.in_file is None or any(values.get(symbol) != size for symbol, size in built.values.items()):
        return None
    try:
        return _instead(case, built.in_file())
    except BadInput:
        return None  # a family whose modules are not built


def multiply_experts(case: Case, billions: bool) -> Case | None:
    """Take the model with one expert, or its whole billions, as many times as there are experts."""
    values = dict(case.study.values)
    if E not in case.study.model.parameters.free_symbols or E not in values:
        return None
    one = case.study.model.parameters.xreplace({E: sp.S.One}).xreplace(values)
    if not one.is_Integer:
        return None
    return _instead(case, int(values[E]) * (round(Fraction(int(one), 10**9)) * 10**9 if billions else int(one)))


def count_tied(case: Case) -> Case | None:
    """Count the weights of the output layer beside those of the embedding, which it shares."""
    model, architecture = case.study.model, case.study.built.architecture
    if architecture is None or not architecture.tied:
        return None
    shared = [one for layer in model.layers for one in layer.weights if one.group == "token embedding"]
    whole = (
        (model.parameters + sp.Mul(*shared[0].shape)).xreplace(dict(case.study.values)) if len(shared) == 1 else None
    )
    return _instead(case, int(whole)) if whole is not None and whole.is_Integer else None


def count_active(case: Case) -> Case | None:
    """Count the parameters that one token visits."""
    built = case.study.built
    if built.architecture is None or built.architecture.experts is None:
        return None
    active = active_parameters(built.model, built.architecture).xreplace(dict(case.study.values))
    return _instead(case, int(active)) if active.is_Integer else None


def _instead(case: Case, count: int) -> Case | None:
    """The case whose parameters are read as another number."""
    parameters = case.study.model.parameters.xreplace(dict(case.study.values))
    return case.reading(times=Fraction(count, int(parameters))) if parameters.is_Integer else None


def sum_what_is_kept(case: Case) -> Case | None:
    """Add up what is kept, and leave out what is there for a moment."""
    if not case.study.timeline or all(one.lasting for one in case.study.timeline):
        return None
    return replace(case, study=replace(case.study, mistaken=Mistaken(kept=True)))


def forget_momentary(case: Case, term: str) -> Case | None:
    """Leave out one thing that a step holds for a moment from its peak; then any instant may be the fullest."""
    if not case.peak or not any(one.name == term for instant in case.study.timeline for one in instant.memory):
        return None
    mistaken = (case.study.mistaken or Mistaken()).forgetting(term)
    return replace(case, study=replace(case.study, mistaken=mistaken))


def forget_there(case: Case, tensor: str) -> Case | None:
    """Leave one term out of the fullest instant, and go on with that instant though another is fuller then."""
    if not case.peak or case.study.mistaken is None:
        return None
    return replace(case, study=replace(case.study, mistaken=replace(case.study.mistaken, without=(tensor,))))


def set_gradients(case: Case, fate: str) -> Case | None:
    """Keep gradients from step to step, or free them after each, against the recipe."""
    if not case.study.timeline or not case.study.recipe.trains:
        return None
    try:
        return _recipe(case, case.study.recipe.with_gradients(fate))
    except BadInput:
        return None  # a recipe that counts no gradients


def forget_ahead(case: Case) -> Case | None:
    """Leave out the weights of the block that is gathered while another computes; then any instant may be the fullest."""
    step = case.study.timeline if case.peak else ()
    if not any(one.ahead for instant in step for term in instant.memory for one in term.times):
        return None
    mistaken = replace(case.study.mistaken or Mistaken(), only=(), ahead=False)
    return replace(case, study=replace(case.study, mistaken=mistaken))


def take_instant(case: Case, tensor: str) -> Case | None:
    """Count an instant of the step that is not the fullest."""
    called = tuple(one.called for one in _whole_step(case).timeline if one.words == tensor)
    return replace(case, study=replace(case.study, mistaken=Mistaken(only=called))) if called else None


def _whole_step(case: Case) -> Study:
    return replace(case.study, mistaken=None, at=None)


def divide_only(case: Case) -> Case | None:
    """Count of an amount of the account only the part that is divided, where another part is not."""
    if case.question is not None:
        return None
    shares = {kind: placed.fraction for kind, placed in case.study.placement.items() if 0 < placed.fraction < 1}
    return scale_kinds(case, {kind: fraction(share) for kind, share in shares.items()}) if shares else None


def scale_kinds(case: Case, ratios: Mapping[str, Fraction]) -> Case:
    """Take another amount for some kinds of memory: that many times what they take."""
    study, sizes = case.study, {kind: rational(ratio) for kind, ratio in ratios.items()}
    states = tuple(
        replace(state, bytes_per_element=state.bytes_per_element * sizes.get(state.kind, 1))
        for state in study.recipe.states
    )
    saved = study.recipe.activations
    recipe = replace(study.recipe, states=states, activations=saved * sizes.get("activations", 1))

    def resized(tensor: Tensor) -> Tensor:
        ratio = sizes.get(tensor.kind, sp.S.One)
        if tensor.bytes_per_element is None and tensor.kind == "activations":
            return tensor  # the recipe's size, which is scaled
        size = saved if tensor.bytes_per_element is None else tensor.bytes_per_element
        return replace(tensor, bytes_per_element=size * ratio)

    layers = tuple(replace(one, saved=tuple(map(resized, one.saved))) for one in study.model.layers)
    model = replace(study.model, layers=layers)
    return replace(case, study=replace(study, recipe=recipe, built=replace(study.built, model=model)))


def terms_there(case: Case) -> tuple[str, ...]:
    """The terms of the fullest instant beside the states of the parameters, where a claim is about what is held there."""
    if not case.peak:
        return ()
    terms = (term for instant in case.study.timeline for term in instant.memory if term.kind not in STATIC)
    return tuple(dict.fromkeys(term.name for term in terms))


def other_instants(case: Case) -> tuple[str, ...]:
    """The fullest instant of each phase but that of the peak, where a claim is about what is held there."""
    if not case.peak:
        return ()
    study, counted = _whole_step(case), {one.words for one in case.study.timeline}
    degrees = {symbol: rational(value) for name, value in case.instead.items() if (symbol := lookup(name)) is not None}
    found = fullest([study.seen_at(one) for one in study.timeline], {**study.values, **degrees})
    return tuple(one.words for one in found if one.words not in counted)


def saved_tensors(case: Case) -> tuple[Tensor, ...]:
    """The tensors that are kept for the backward pass, one of each name."""
    by_name = {tensor.name: tensor for layer in case.study.model.layers for tensor in layer.saved}
    return tuple(by_name.values()) if len(by_name) > 1 else ()


def matrices(case: Case) -> tuple[tuple[str, ...], ...]:
    """The matrices of the repeated blocks by their names, those of one size together."""
    sizes: dict[str, list[object]] = {}
    for i, layer in enumerate(case.study.model.layers):
        for tensor in layer.weights:
            if layer.block and len(tensor.shape) > 1:
                sizes.setdefault(tensor.name, []).append((i, tuple(sorted(tensor.shape, key=str))))
    alike: dict[tuple[object, ...], list[str]] = {}
    for name, size in sizes.items():
        alike.setdefault(tuple(size), []).append(name)
    return tuple(map(tuple, alike.values())) if len(sizes) > 1 else ()


def _entered(layer: Layer) -> Layer:
    """The layer that says what enters its block, where that was what it saves first."""
    if layer.enters is not None or not layer.block or not any(one.kind == "activations" for one in layer.saved):
        return layer
    return replace(layer, enters=block_input(layer))


def _recipe(case: Case, recipe: Recipe) -> Case | None:
    return None if recipe == case.study.recipe else replace(case, study=replace(case.study, recipe=recipe))


def _without(case: Case, kinds: Sequence[str]) -> Case:
    """The case whose model and recipe keep nothing of some kinds."""
    study = case.study
    recipe = replace(study.recipe, states=tuple(s for s in study.recipe.states if s.kind not in kinds))
    slipped = replace(case, study=replace(study, recipe=recipe))
    return _layers(slipped, "saved", lambda tensor: tensor.kind in kinds) or slipped


def _layers(case: Case, field: str, drop: Callable[[Tensor], bool]) -> Case | None:
    def without(layer: Layer) -> Layer:
        kept = tuple(one for one in getattr(layer, field) if not drop(one))
        return layer if len(kept) == len(getattr(layer, field)) else replace(layer, **{field: kept})

    model = case.study.model
    layers = tuple(without(layer) for layer in model.layers)
    if all(one is other for one, other in zip(layers, model.layers, strict=True)):
        return None
    slipped: Model = replace(model, layers=layers)
    return replace(case, study=replace(case.study, built=replace(case.study.built, model=slipped)))
