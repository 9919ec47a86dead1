"""What is true of an answer and easily missed: a fit beside which something else has no room, a cut sequence, no backend."""

from __future__ import annotations

from typing import Any

import sympy as sp

from symbolic_mem.base.exact import Given, at
from symbolic_mem.base.rational import Number, fraction, symbolic
from symbolic_mem.base.symbols import B, S
from symbolic_mem.document.prose import Amount, Prose, say, text
from symbolic_mem.document.words import about, gib, listed
from symbolic_mem.hardware.catalogue import UNSTATED, taken_by_a_context
from symbolic_mem.hardware.devices import Device
from symbolic_mem.models.packing import is_matrix
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.plans.placement import Placed
from symbolic_mem.questions.parts.closeness import CLOSE, Known, Size, closeness
from symbolic_mem.questions.parts.uncounted import rows_take, uncounted_bytes
from symbolic_mem.recipes.libraries import Library, libraries
from symbolic_mem.recipes.recipe import Recipe
from symbolic_mem.solvers.capacity import Capacity
from symbolic_mem.study.study import Study


def close_fit(capacity: Capacity, held: Number | None) -> tuple[Prose, ...]:
    """Say that what fits the capacity is more than a process finds free on such a device.

    Where that is not known of the device, a fit says so that leaves less than `RESERVE` of the bytes that software reports,
    or else of the label.

    >>> from symbolic_mem.hardware.catalogue import device
    >>> from symbolic_mem.render.text import plain_prose
    >>> from symbolic_mem.solvers.capacity import capacity_of
    >>> h100 = capacity_of(device("h100-80gb"), "reported")
    >>> close_fit(h100, 70 * 2**30)
    ()
    >>> plain_prose(close_fit(h100, h100.nominal)[0]).startswith("A process finds ≈ 78.664 GiB free on such a device")
    True
    """
    device = capacity.device
    if device is None or held is None:
        return ()
    known = Known(
        capacity.nominal,
        None if device.process is None else (device.process.bytes, device.process.by),
        device.reported,
        device.reported_as,
    )
    said = closeness(known, held, taken_by_a_context)
    if said is None:
        return ()
    which, pieces = said
    return (say(CLOSE[which], **{name: _piece(piece) for name, piece in pieces.items()}),)


def _piece(piece: str | Size) -> Prose | Amount:
    return text(piece) if isinstance(piece, str) else Amount(symbolic(piece.bytes), "GiB", piece.digits)


def cautions_of_fit(
    study: Study,
    values: Given,
    capacity: Capacity,
    held: Number | None,
    verb: str,
    *,
    padded: bool = False,
    counted: tuple[str, ...] = KINDS,
) -> tuple[Prose, ...]:
    """Say what may have no room beside what is `held` and fits: a process, whole rows that are not `padded`, what is not counted."""
    rows = () if padded else whole_rows(study, values, capacity, held, verb)
    more = crowded(study, values, capacity, held, padded=padded, counted=counted)
    others = (*elsewhere(study.recipe, capacity.device), *not_packed(study), *too_long(study, values))
    return (*close_fit(capacity, held), *rows, *more, *others)


def too_long(study: Study, values: Given) -> tuple[Prose, ...]:
    """Say that a sequence is longer than the positions that a model with rotary ones is made for.

    >>> from symbolic_mem.library.read import load_study
    >>> from symbolic_mem.base.symbols import S
    >>> study = load_study("llama-3.1-8b")
    >>> len(too_long(study, {S: 131072})), len(too_long(study, {S: 131073}))
    (0, 1)
    """
    architecture, tokens = study.built.architecture, values.get(S)
    if architecture is None or architecture.turned is None or architecture.reach is None or tokens is None:
        return ()
    if tokens <= architecture.reach:
        return ()
    refused = text(" vLLM refuses such a length unless it is told to take it." if study.recipe.serves == "vLLM" else "")
    return (
        say(
            "{S} = {tokens} is more than the {reach} positions that the model's config.json gives (max_position_embeddings, with its rotary "
            "scaling if it has one): the memory is as counted.{refused}",
            S=S,
            tokens=Amount(symbolic(tokens)),
            reach=Amount(symbolic(architecture.reach)),
            refused=refused,
        ),
    )


def not_packed(study: Study) -> tuple[Prose, ...]:
    """Say that the library of a recipe packs nothing of a model, or of experts that it does not pack what they take.

    Source: transformers 5.24, integrations/bitsandbytes.py, replace_with_bnb_linear; bitsandbytes, issues 1849 and 1965.

    >>> from symbolic_mem.library.read import load_study
    >>> [len(not_packed(load_study(name).change(recipe="qlora"))) for name in ("mixtral-8x7b", "llama-3.1-8b")]
    [1, 0]
    """
    experts = [
        (layer.repeat, weight)
        for layer in study.model.layers
        for weight in layer.weights
        if weight.group == "experts" and is_matrix(weight)
    ]
    trained = study.recipe.tuned.trained
    if study.recipe.tuned.base and not trained.packed:
        return (
            say(
                "Nothing is packed: transformers 5 gives bitsandbytes the layers whose class is PyTorch's nn.Linear itself, and those of this "
                "model are of a class of its own: they stay in 16 bits."
            ),
        )
    if not experts or not trained.packed or trained.unpacks("experts"):
        return ()
    whole = at(2 * sp.Add(*(repeat * weight.elements for repeat, weight in experts)), study.values)
    return (
        say(
            "The experts are not packed: bitsandbytes packs linear layers, and transformers 5 has the experts of a layer in one tensor, which "
            "stays in 16 bits{size}. With transformers 4 they were linear layers (packs_experts = true beside base in what a recipe trains).",
            size=text("") if whole is None else say(", {whole} in all", whole=about(gib(whole))),
        ),
    )


def elsewhere(recipe: Recipe, device: Device | None) -> tuple[Prose, ...]:
    """Say of each library of the recipe that has no backend of its own for such a device what its bytes are.

    >>> from symbolic_mem.hardware.catalogue import device
    >>> from symbolic_mem.recipes.read import recipe
    >>> [len(elsewhere(recipe("qlora"), device(name))) for name in ("h100-80gb", "mi300x", "gaudi2", "tpu-v5e")]
    [0, 0, 1, 2]
    """
    if device is None or device.vendor == UNSTATED:
        return ()
    return tuple(_not_its_own(one, device) for one in libraries(recipe) if device.vendor not in one.backends)


def _not_its_own(library: Library, device: Device) -> Prose:
    called, vendor = text(library.title), text(device.vendor)
    if device.vendor in library.packages:
        return say(
            "{library} runs on devices of {vendor} by {package}: what is counted is what it keeps on GPUs.",
            library=called,
            vendor=vendor,
            package=text(library.packages[device.vendor]),
        )
    return say(
        "{library} has backends for devices of {vendors}, and none is known for those of {vendor}: this is an account of bytes, "
        "and does not say that the run is possible there.",
        library=called,
        vendors=listed(library.backends),
        vendor=vendor,
    )


def crowded(
    study: Study,
    values: Given,
    capacity: Capacity | None,
    held: Number | None,
    *,
    padded: bool = False,
    counted: tuple[str, ...] = KINDS,
) -> tuple[Prose, ...]:
    """Say that what is not counted may take more beside what is `counted` than is left of a fit.

    >>> from symbolic_mem.library.read import load_study
    >>> from symbolic_mem.study.answered import found_for
    >>> study = load_study("llama-3.1-8b").change(plan="zero-2", recompute="full", values={"B": 1})
    >>> found = found_for(study, study.question("b"))
    >>> len(found.crowded), len(found_for(study.change(plan="fsdp2"), study.question("b")).crowded)
    (1, 0)
    """
    left = -1 if held is None or capacity is None else fraction(capacity.counted) - held
    if left < 0:
        return ()
    more = uncounted_bytes(study, values, padded=padded, counted=counted)
    return () if more <= left else (say(CLOSE["uncounted"], more=about(gib(more)), left=about(gib(left))),)


def whole_rows(study: Study, values: Given, capacity: Capacity, held: Number | None, verb: str) -> tuple[Prose, ...]:
    """Say that the rows of what fits, cut whole, may take more than is left, and which verb counts them."""
    rows, left = rows_take(study, values), -1 if held is None else fraction(capacity.counted) - held
    if left < 0 or rows <= left:
        return ()
    return (say(CLOSE["rows"], rows=about(gib(rows)), left=about(gib(left)), verb=text(verb)),)


def cut_sequences(study: Study, placed: Placed | None, symbol: sp.Symbol, value: int | None) -> tuple[Prose, ...]:
    """Say that there are more devices than sequences, where the activations are divided over them."""
    sequences = study.values.get(B)
    if sequences is None or value is None or value <= sequences:
        return ()
    if placed is None or placed.fraction == 0 or symbol not in placed.degree.free_symbols:
        return ()
    return (
        say(
            "There are more devices than sequences ({n} = {value}, {B} = {sequences}), so each holds a part of one. Where a "
            "sequence cannot be cut, ask for whole ones (whole_samples in a study, --whole-samples).",
            n=symbol,
            value=value,
            B=B,
            sequences=Amount(sequences),
        ),
    )


BESIDE = text("What is not counted may not fit beside it.")


def beside_at(**pieces: Any) -> Prose:
    """The same at one of several degrees `n`, that of a `value`."""
    return say("At {n} = {value} what is not counted may not fit beside it.", **pieces)


CUT = text(
    "This counts amounts of memory, those of the whole model, which the plan cuts; how many devices it takes is the question "
    "of the smallest degree."
)


def spread_evenly(study: Study, kinds: tuple[str, ...]) -> tuple[Prose, ...]:
    """Say that a count of devices divides what the study keeps whole on every device."""
    whole = [
        kind
        for kind in kinds
        if (placed := study.placement.get(kind)) is None or (placed.fraction < 1 and placed.rest == "kept")
    ]
    if not study.placement or not whole:
        return ()
    return (
        say(
            "This counts amounts of memory. It divides the {kinds}, too, which the study keeps whole on every device; how "
            "many devices train it is the question of the smallest degree.",
            kinds=listed(whole),
        ),
    )
