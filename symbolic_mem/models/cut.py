"""`Cut`: by what each named dimension of a model is divided on one rank; a rank's model is built from what is left."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import sympy as sp

from symbolic_mem.base.symbols import S
from symbolic_mem.base.values import dataclass

if TYPE_CHECKING:
    from symbolic_mem.models.architecture import Architecture

DIMENSIONS = {
    "heads": "query heads",
    "keys": "key-value heads",
    "joined": "rows of the projection of a module for multi-token prediction",
    "inner": "inner width of the MLP and of shared experts",
    "vocabulary": "rows of the embedding and of the head",
    "logits": "logits of a token",
    "tokens": "tokens of a sequence",
    "cached": "tokens of a sequence that are cached",
    "stream": "tokens in the residual stream",
    "inputs": "tokens that layers cut by column keep of their inputs",
    "experts": "routed experts",
    "expert inner": "inner width of a routed expert",
    "layers": "blocks",
}


class Tokens(NamedTuple):
    """The tokens of a sequence that a rank works on: `inside` the parts of a block, and in the residual `stream`.

    `inputs` are those that the first linear layers of a part keep of their input, and `attended` those with keys.
    """

    inside: sp.Expr = S
    stream: sp.Expr = S
    inputs: sp.Expr = S
    attended: sp.Expr = S


WHOLE = Tokens()


class Share(NamedTuple):
    """What one rank has of a dimension: one of `degree` equal parts, or `part` number so many of unequal ones.

    Unequal parts are those of ``torch.chunk``: all of the size rounded up, but the last ones, which have what is left.
    """

    degree: sp.Expr
    part: int | None = None

    def of(self, size: sp.Expr) -> sp.Expr:
        """The part of a size.

        >>> Share(sp.Integer(4)).of(sp.Integer(212)), [Share(sp.Integer(4), part).of(sp.Integer(211)) for part in (0, 3)]
        (53, [53, 52])
        """
        if self.part is None:
            return size / self.degree
        most = sp.ceiling(size / self.degree)
        return most if self.part == 0 else sp.Max(0, sp.Min(most, size - self.part * most))


@dataclass(frozen=True)
class Cut:
    """The `shares` of the dimensions that are divided, by their names in `DIMENSIONS`; all others are whole.

    The vocabulary is `padded` to a multiple of so many rows for each rank (1: it is not). Where the engine has them `fused`
    the projections of queries, keys and values are one, and those of a gated MLP. What attention gives is kept `twice` where
    the devices that tokens are divided over exchange it. Where experts are divided the rank gets `load` times the rows of a
    balanced load; where their inner width is, it `gathers` the rows of all that have a part of them, unless it has them.
    """

    shares: tuple[tuple[str, Share], ...] = ()
    padded: sp.Expr = sp.S.One
    fused: bool = False
    twice: bool = False
    load: sp.Expr = sp.S.One
    gathers: bool = True

    def of(self, dimension: str, size: sp.Expr) -> sp.Expr:
        """What one rank has of a dimension of a `size`."""
        found = dict(self.shares).get(dimension)
        return size if found is None else found.of(size)

    @property
    def tokens(self) -> Tokens:
        """What one rank has of the tokens of a sequence."""
        inside = self.of("tokens", S)
        return Tokens(inside, self.of("stream", inside), self.of("inputs", inside), S)

    def vocabulary(self, size: sp.Expr) -> sp.Expr:
        """The vocabulary that all ranks have together, with its padding.

        >>> Cut((("vocabulary", Share(sp.Integer(8))),), padded=sp.Integer(128)).vocabulary(sp.Integer(50257))
        51200
        """
        if self.padded == 1:
            return size
        multiple = self.padded * self.degree("vocabulary")
        return multiple * sp.ceiling(size / multiple)

    def degree(self, dimension: str) -> sp.Expr:
        """Over how many ranks a dimension is divided."""
        found = dict(self.shares).get(dimension)
        return sp.S.One if found is None else found.degree

    @property
    def copied(self) -> bool:
        """Whether several ranks work with the same key-value head, which each of them projects a part of."""
        return self.fused and self.degree("keys") != self.degree("heads")

    def architecture(self, a: Architecture) -> Architecture:
        """Return what one rank builds of an architecture: its share of each dimension, and the others whole."""
        vocabulary, experts = self.vocabulary(a.vocabulary), a.experts
        if experts is not None:
            experts = replace(
                experts,
                experts=self.of("experts", experts.experts),
                routed_among=experts.experts if experts.routed_among is None else experts.routed_among,
                d_expert=self.of("expert inner", experts.d_expert),
                d_shared=self.of("inner", experts.d_shared),
                gathered=self.degree("expert inner") if self.gathers else sp.S.One,
                load=self.load,
            )
        fused = {"fused_qkv": a.latent is None, "fused_gate": a.gated} if self.fused else {}
        return replace(
            a,
            **fused,
            n_heads=self.of("heads", a.n_heads),
            n_kv=self.of("keys", a.n_kv),
            projected=a.n_kv * a.d_head / self.degree("heads") if self.copied and a.latent is None else None,
            d_ff=self.of("inner", a.d_ff),
            vocabulary=self.of("vocabulary", vocabulary),
            logits=self.of("logits", vocabulary),
            joined=self.of("joined", a.d_model),
            experts=experts,
        )
