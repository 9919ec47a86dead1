"""`Term` and `Memory`: what is kept, how many bytes, and why; ordered, exact, never simplified."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import sympy as sp

KINDS = ("weights", "gradients", "optimizer", "activations", "buffers")
STATIC = ("weights", "gradients", "optimizer")


@dataclass(frozen=True)
class Part:
    """Tensors of one shape inside a term: `copies` of them (repeats, moments), each of `shape`."""

    copies: sp.Expr
    shape: tuple[sp.Expr, ...]

    @property
    def elements(self) -> sp.Expr:
        """Elements of all copies together."""
        return self.copies * sp.Mul(*self.shape)


@dataclass(frozen=True)
class Term:
    """One thing that a person would name: `elements` of `bytes_per_element`, divided over `degree` devices.

    `short` is the same number of bytes before division, written with the model's named parts (``4*P``).
    """

    name: str
    kind: str
    elements: sp.Expr
    bytes_per_element: sp.Expr
    reason: str
    source: str = ""
    degree: sp.Expr = sp.S.One
    short: sp.Expr | None = None
    parts: tuple[Part, ...] = ()

    @property
    def undivided_bytes(self) -> sp.Expr:
        """Bytes of the whole term, over all devices."""
        return self.bytes_per_element * self.elements

    @property
    def bytes(self) -> sp.Expr:
        """Bytes on one device."""
        return self.undivided_bytes / self.degree

    def scaled(self, fraction: sp.Rational, name: str, degree: sp.Expr) -> Term:
        """Return that fraction of the term, under another name, divided over `degree`."""
        return replace(
            self,
            name=name,
            elements=fraction * self.elements,
            short=None if self.short is None else fraction * self.short,
            parts=tuple(replace(part, copies=fraction * part.copies) for part in self.parts),
            degree=degree,
        )

    def _repr_latex_(self) -> str:
        from symbolic_mem.render.latex import latex

        return f"$\\displaystyle {latex(self.bytes)}$"


@dataclass(frozen=True)
class Memory:
    """An ordered tuple of terms; `definitions` gives the named parts (such as P) that their short forms use."""

    terms: tuple[Term, ...]
    definitions: tuple[tuple[sp.Symbol, sp.Expr], ...] = ()

    def __iter__(self) -> Iterator[Term]:
        return iter(self.terms)

    def __len__(self) -> int:
        return len(self.terms)

    @property
    def total(self) -> sp.Expr:
        """Bytes of all terms, on one device once the memory is placed."""
        return sp.Add(*(term.bytes for term in self.terms))

    def of(self, *kinds: str) -> Memory:
        """Return the terms of the given kinds, in their order."""
        return self.where(lambda term: term.kind in kinds)

    def where(self, keep: Callable[[Term], bool]) -> Memory:
        """Return the terms for which `keep` holds, in their order."""
        return replace(self, terms=tuple(term for term in self.terms if keep(term)))

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that occur, in the order of `KINDS`."""
        present = {term.kind for term in self.terms}
        return tuple(kind for kind in KINDS if kind in present)

    @property
    def static(self) -> sp.Expr:
        """Bytes of weights, gradients and optimizer state."""
        return self.of(*STATIC).total

    def split(self, n: sp.Symbol) -> tuple[Memory, Memory]:
        """Return the terms divided by `n` and the terms that no number of devices divides."""
        return self.where(lambda term: term.degree.has(n)), self.where(lambda term: not term.degree.has(n))

    def place(self, **placements: object) -> Memory:
        """Return the memory of one device: per kind, which fraction is divided over which degree (see `over`)."""
        from symbolic_mem.placement import place

        return place(self, placements)  # ty: ignore[invalid-argument-type]

    def _repr_latex_(self) -> str:
        from symbolic_mem.render.latex import latex_sum

        return f"$\\displaystyle {latex_sum([term.bytes for term in self.terms])}$"

    def _repr_html_(self) -> str:
        from symbolic_mem.render.tables import memory_html

        return memory_html(self)
