"""What decoding keeps as terms: the caches of a model in the format and the pages of a recipe, with their scales."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import sympy as sp

from symbolic_mem.accounts.terms import Term
from symbolic_mem.base.factors import common_factors_first
from symbolic_mem.base.once import later
from symbolic_mem.base.symbols import S
from symbolic_mem.models.tensors import Cached, Model, Part, Tensor
from symbolic_mem.recipes.caches import CacheFormat
from symbolic_mem.recipes.recipe import Recipe

KIND = "cache"


def cache_terms(model: Model, recipe: Recipe) -> Iterator[Term]:
    """Yield one term for each cache of a model, in bytes, and one for the scales of each that is quantised.

    >>> from symbolic_mem.models.transformer import transformer
    >>> from symbolic_mem.recipes.read import recipe
    >>> [(term.name, term.bytes) for term in cache_terms(transformer(), recipe("inference"))]
    [('keys and values', 4*B*L*S*d_head*n_kv)]
    """
    how = recipe.cache
    if how is None:
        return
    for held in model.cached:
        kept = held.served if recipe.serves and held.served else held.tensors
        tensors = [replace(one, shape=_in_pages(one, held, recipe.page)) for one in kept]
        own = next((one.bytes_per_element for one in tensors if one.bytes_per_element is not None), None)
        each = bytes_each(own, held, recipe)
        yield _term(held.name, held, tensors, each, _reason(held, how if own is None else None), how)
        if held.grows and own is None and how.scales:
            scales = [replace(one, shape=how.scaled(one)) for one in tensors]
            yield _term(f"scales of the {held.name}", held, scales, how.scale_bytes, how.title, how)


def bytes_each(own: sp.Expr | None, held: Cached, recipe: Recipe) -> sp.Expr:
    """Return the bytes of an element of a cache: its `own`, those of the format, or for a state those of the activations."""
    how = recipe.cache
    return own if own is not None else how.bytes_each if how is not None and held.grows else recipe.activations


def cached_per_token(model: Model, recipe: Recipe) -> sp.Expr:
    """Return the bytes that one token of a sequence leaves in the caches of all layers, with what scales it has of its own.

    >>> from symbolic_mem.models.transformer import transformer
    >>> from symbolic_mem.recipes.read import recipe
    >>> cached_per_token(transformer(), recipe("inference").with_cache("fp8"))
    2*L*d_head*n_kv
    """
    terms = cache_terms(model, replace(recipe, page=1))
    of_tokens = (
        term.bytes_per_element * part.copies * sp.Mul(*part.shape[2:])
        for term in terms
        for part in term.parts
        if part.shape and part.shape[1:2] and part.shape[1].has(S)
    )
    return sp.Add(*of_tokens)


def _in_pages(tensor: Tensor, held: Cached, page: int) -> tuple[sp.Expr, ...]:
    """The shape with the tokens that there is room for: those of the window, in whole pages.

    A window may begin inside a page, so that it needs one more.
    """
    if not held.grows:
        return tensor.shape
    batch, tokens, *rest = tensor.shape
    seen = tokens if held.window is None else sp.Min(tokens, held.window)
    if page == 1 and not tokens.is_Symbol:  # of those that are divided over ranks the first has one more
        seen = sp.ceiling(seen)
    elif page > 1:
        seen = page * (sp.ceiling(seen / page) + (0 if held.window is None else 1))
    return (batch, seen, *rest)


def _term(name: str, held: Cached, tensors: list[Tensor], each: sp.Expr, reason: str, how: CacheFormat) -> Term:
    parts = tuple(Part(held.repeat, one.shape) for one in tensors)
    elements = later(lambda: common_factors_first(sp.Add(*(part.elements for part in parts))))
    return Term(name, KIND, elements, each, reason, how.source, parts=parts)


def _reason(held: Cached, how: CacheFormat | None) -> str:
    why = "; ".join(dict.fromkeys(one.reason for one in held.tensors))
    return why if how is None or not held.grows else f"{how.title}: {why}"
