"""Recipes whose matrices of the blocks are packed: the states that they keep of them, and of all other weights."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.models.packing import OTHERS, Packing, is_matrix, shape_by, share_by
from symbolic_mem.models.tensors import Tensor
from symbolic_mem.recipes.states import EVERY_ELEMENT, ONCE, State


def under(packing: Packing, states: tuple[State, ...], groups: Iterable[str]) -> tuple[State, ...]:
    """Return the states of a recipe with frozen matrices of some groups packed; all other weights stay as they are.

    >>> import sympy as sp
    >>> from symbolic_mem.models.packing import packing
    >>> weights = State("BF16 weights", "weights", sp.Integer(2))
    >>> [(one.name, one.only) for one in under(packing("nf4"), (weights,), ["mlp"])][1:]
    [('scales of the NF4 weights', 'frozen'), ('BF16 weights, not packed', 'frozen'), ('BF16 weights, trained', 'trained')]
    """
    kept = [one for one in states if one.kind != "weights"]
    weights = [part for one in states if one.kind == "weights" for part in _not_packed(one)]
    return among((*_packed(packing, "frozen"), *weights, *kept), groups)


def among(states: tuple[State, ...], groups: Iterable[str]) -> tuple[State, ...]:
    """Return the states with frozen matrices of these groups packed, in place of those that were; of no group, none."""
    named = frozenset(groups) or frozenset({"none"})
    packed = (one.only == "frozen" and (one.rule == OTHERS or shape_by(one.rule) is not None) for one in states)
    return tuple(replace(one, among=named) if of else one for one, of in zip(states, packed, strict=True))


def of_all(
    packing: Packing,
    states: tuple[State, ...],
    among: frozenset[str] = frozenset(),
    apart: tuple[tuple[str, sp.Rational], ...] = (),
) -> tuple[State, ...]:
    """Return the states of a recipe that trains nothing, with all matrices of the blocks packed, or those `among` some groups.

    Of some groups a share of the blocks is `apart`, whose matrices stay as they are.

    >>> import sympy as sp
    >>> from symbolic_mem.models.packing import packing
    >>> weights = State("BF16 weights", "weights", sp.Integer(2))
    >>> [one.name for one in of_all(packing("fp8"), (weights,))]
    ['FP8 weights', 'scales of the FP8 weights', 'BF16 weights, not packed']
    """
    others = (
        replace(one, name=f"{one.name}, not packed", rule=OTHERS, among=among, apart=apart)
        for one in states
        if one.kind == "weights"
    )
    return (*_packed(packing, "", among, apart), *others, *(one for one in states if one.kind != "weights"))


def of_file(kinds: Iterable[tuple[str, int]], states: tuple[State, ...]) -> tuple[State, ...]:
    """Return the states of a recipe that trains nothing, with the weights of a file: the bytes of all its tensors of a type.

    >>> [(one.name, one.copies) for one in of_file([("Q4_K", 144)], ())]
    [('Q4_K weights', 144)]
    """
    one, reason = sp.S.One, "as the file has them"
    weights = (State(f"{kind} weights", "weights", one, size, reason, ONCE) for kind, size in kinds)
    return (*weights, *(one for one in states if one.kind != "weights"))


def is_packed(weight: Tensor, groups: Collection[str]) -> bool:
    """Whether a weight of a block is packed where frozen matrices of these groups are.

    >>> import sympy as sp
    >>> weight = Tensor("W_up", (sp.Integer(8), sp.Integer(8)), group="mlp", trained=False)
    >>> is_packed(weight, ["mlp"]), is_packed(weight, ["attention"])
    (True, False)
    """
    return not weight.trained and weight.group in groups and is_matrix(weight)


def packed_bytes(states: Iterable[State]) -> sp.Rational:
    """Return the bytes of an element of a packed weight, with all that stands beside them; 0 where `states` have none packed.

    >>> import sympy as sp
    >>> from symbolic_mem.models.packing import packing
    >>> packed_bytes(under(packing("nf4"), (State("BF16 weights", "weights", sp.Integer(2)),), ["mlp"]))
    9/16
    """
    packed = (one for one in states if one.only == "frozen" and one.kind == "weights")
    return sum((one.bytes_per_element * share_by(one.rule) for one in packed), sp.S.Zero)


def _packed(
    packing: Packing,
    of: str,
    among: frozenset[str] = frozenset(),
    apart: tuple[tuple[str, sp.Rational], ...] = (),
) -> Iterator[State]:
    for piece in packing.pieces:
        rule = piece.rule
        yield State(piece.name, "weights", piece.bytes, reason=piece.reason, rule=rule, of=of, among=among, apart=apart)


def _not_packed(state: State) -> Iterator[State]:
    if state.rule != EVERY_ELEMENT:
        raise BadInput(
            f"the recipe fixes how its {state.name} are kept, so that they cannot be packed; choose another recipe"
        )
    if state.only in ("", "frozen", "base"):
        yield replace(state, name=f"{state.name}, not packed", of="frozen", rule=OTHERS)
    if state.only in ("", "base"):
        yield replace(state, name=f"{state.name}, trained", of="whole" if state.only else "trained")
    if state.only in ("trained", "adapters", "whole"):
        yield state
