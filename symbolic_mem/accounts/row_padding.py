"""What whole rows take beside the share that the formulas count, where PyTorch's ``fully_shard`` cuts tensors over ranks.

A rank stores ceil(rows/n) rows of every tensor, where rows/n are counted: (ceil(rows/n) - rows/n) rows more, less than one,
and none where n divides the rows. What is gathered, and gradients that are sent, are n such shares. At most four copies of a
block are gathered at a time, two of all that lies outside the blocks, and the gradients of one of them are sent; where
weights stay gathered, so do all blocks. What the optimizer copies in its step is cut as its moments are. With a degree these
sizes are arithmetic; without one each is given a bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import starmap

import sympy as sp

from symbolic_mem.accounts.account import apart, state_term
from symbolic_mem.accounts.left_out import ROWS, LeftOut, Parts
from symbolic_mem.accounts.momentary import step_terms
from symbolic_mem.accounts.units import units
from symbolic_mem.base.exact import Numbers
from symbolic_mem.base.rational import Number
from symbolic_mem.base.symbols import n_cp, n_fsdp
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.tensors import STATIC, Model, Part
from symbolic_mem.plans.placement import Placed
from symbolic_mem.recipes.recipe import Recipe

COPIES = sp.Integer(4)
KEPT = "row padding of what each device keeps"
WHOLE = "row padding of what is gathered, sent or copied for a moment"
SOURCE = "PyTorch 2.13 torch.distributed.fsdp.fully_shard: shards are padded to equal size on every rank"


@dataclass(frozen=True)
class Padding(LeftOut):
    """The rows that `sets` of tensors lack to be cut over `degree` devices without a rest: one device has its share of them."""

    @cached_property
    def size(self) -> sp.Expr | None:
        """Bytes on one device as a formula, tensors with as many rows together."""
        sums = [sp.Add(*starmap(self._lacking, _by_rows(parts).items())) for parts in self.sets]
        return self.each * (sums[0] if len(sums) == 1 else sp.Max(*sums, evaluate=False))

    def _lacking(self, rows: sp.Expr, each: sp.Expr) -> sp.Expr:
        return each * (sp.ceiling(rows / self.degree) - rows / self.degree)

    def elements(self, parts: Parts, numbers: Numbers) -> Number:
        """How many elements the rows have that a set of tensors lacks."""
        degree = numbers[self.degree]
        sizes = ((numbers[part.copies] * numbers.product(part.shape[1:]), numbers[_rows(part)]) for part in parts)
        return sum(each * (-rows % degree) for each, rows in sizes)


def row_padding(
    model: Model, recipe: Recipe, placement: Mapping[str, Placed], *, stays: bool = False, bound: bool = False
) -> Iterator[LeftOut]:
    """Yield both paddings, in bytes of one device; nothing where no tensor is divided over `n_fsdp`. Gathered weights may stay so.

    With `bound` each is the most that it is at any degree, less than one row of every tensor.

    >>> from symbolic_mem.base.symbols import L, d_ff, d_model
    >>> from symbolic_mem.models.ffn import ffn
    >>> from symbolic_mem.recipes.read import recipe
    >>> divided = {kind: Placed(n_fsdp) for kind in ("weights", "gradients", "optimizer")}
    >>> values = {L: 2, d_ff: 16, d_model: 4, n_fsdp: 6}
    >>> [(one.at(values), one.size) for one in row_padding(ffn(), recipe("fsdp2"), divided)][0]
    (Fraction(640, 3), 16*L*d_ff*(-d_model/n_fsdp + ceiling(d_model/n_fsdp)) + 16*L*d_model*(-d_ff/n_fsdp + ceiling(d_ff/n_fsdp)))
    >>> [one.size for one in row_padding(ffn(), recipe("fsdp2"), divided, bound=True)]
    [16*L*d_ff + 16*L*d_model, Max(4*L*d_ff + 4*L*d_model, 12*d_ff*n_fsdp + 12*d_model*n_fsdp)]
    """
    cut = {kind: placed for kind, placed in placement.items() if kind in STATIC and placed.degree.has(n_fsdp)}
    kept = _kept(model, recipe, cut)
    if not kept:
        return
    stacked = any(weight.group == "experts" and len(weight.shape) > 2 for one in model.layers for weight in one.weights)
    for degree, parts in kept.items():
        if bound:
            words = f"{_at_most(KEPT, 'one row', stacked)}; none where {n_fsdp} divides the rows"
            yield LeftOut(ROWS, words, (_one_row(parts),), source=SOURCE)
        else:
            yield Padding(ROWS, KEPT, (parts,), degree=degree, source=SOURCE)
    moments = tuple(_moments(model, recipe, cut, stays=stays))
    if not moments:
        return
    if bound:
        words = _at_most(WHOLE, "one row for each device", stacked)
        yield LeftOut(ROWS, words, tuple(map(_one_row, moments)), source=SOURCE)
    else:
        yield Padding(ROWS, f"{WHOLE}, at most", moments, degree=cut["weights"].degree, source=SOURCE)


def _moments(model: Model, recipe: Recipe, cut: Mapping[str, Placed], *, stays: bool) -> Iterator[Parts]:
    """What is there together for a moment, so many times as it has shares, of so many bytes for an element."""
    found, sent = units(model), recipe.reduces
    if "weights" not in cut or recipe.gathers is None or sent is None or not found.blocks:
        return
    degree = cut["weights"].degree
    shares = degree / degree.xreplace(dict.fromkeys((n_fsdp, n_cp), sp.S.One))
    own = tuple(Part(one.repeat, weight.shape) for one in model.layers for weight in one.weights)
    for parts in (own,) if stays else tuple((*block.weights, *found.root) for block in found.blocks):
        yield _times(parts, shares * (COPIES * recipe.gathers + sent))
    for term, _ in step_terms(model, recipe) if "optimizer" in cut else ():
        yield _times(term.parts, term.bytes_per_element)


def _times(parts: Parts, each: sp.Expr) -> Parts:
    return tuple(Part(each * part.copies, part.shape) for part in parts)


def _kept(model: Model, recipe: Recipe, cut: Mapping[str, Placed]) -> Mapping[sp.Expr, Parts]:
    """The tensors that are kept, each so many times as it has bytes for an element, by the degree that cuts them."""
    found: dict[sp.Expr, list[Part]] = {}
    for state in recipe.states:
        placed = cut.get(state.kind)
        if placed is None or state.kind in recipe.offload:
            continue
        one = state_term(state, model.weights, recipe.source)
        terms = (one,) if placed.experts is None else apart(state, model.weights, recipe.source)
        for share in (share for term in terms for share in term.shares(placed) if share.degree.has(n_fsdp)):
            found.setdefault(share.degree, []).extend(_times(share.parts, share.bytes_per_element))
    return {degree: tuple(parts) for degree, parts in found.items()}


def _at_most(what: str, less: str, stacked: bool) -> str:
    of_experts = "; that of stacked experts is an expert" if stacked else ""
    return f"{what}, less than {less} of each tensor{of_experts}"


def _rows(part: Part) -> sp.Expr:
    """How many rows a tensor has; a single number is one, which every device holds."""
    return part.shape[0] if part.shape else sp.S.One


def _by_rows(parts: Parts) -> Mapping[sp.Expr, sp.Expr]:
    """The size of one row of all tensors that have as many rows."""
    sizes: dict[sp.Expr, sp.Expr] = {}
    for part in parts:
        sizes[_rows(part)] = sizes.get(_rows(part), sp.S.Zero) + part.copies * sp.Mul(*part.shape[1:])
    return sizes


def _one_row(parts: Parts) -> Parts:
    return tuple(Part(part.copies, part.shape[1:]) for part in parts)
