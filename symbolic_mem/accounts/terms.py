"""`Term` and `Memory`: what is kept, how many bytes, and why; ordered, exact, never simplified."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field, replace
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, cast

import sympy as sp

from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.base.exact import Numbers, missing
from symbolic_mem.base.formula import write_formula
from symbolic_mem.base.named import put_in
from symbolic_mem.base.once import MadeLater, later
from symbolic_mem.base.rational import Number, ratio
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Prose, say, text
from symbolic_mem.document.steps import Column, Table
from symbolic_mem.models.tensors import KINDS, STATIC, Part
from symbolic_mem.plans.placement import Placed


class Inside(NamedTuple):
    """A saved tensor inside a term: its `name`, and the bytes of each of its elements."""

    name: str
    size: sp.Expr


class Times(NamedTuple):
    """A `number` of times the same parts, which many terms may share; those of a block whose turn is next are there `ahead`."""

    number: sp.Expr
    parts: tuple[Part, ...]
    ahead: bool = False

    def at(self, numbers: Numbers) -> Number:
        """How many elements they are."""
        return numbers[self.number] * numbers.once(self.parts, self._once)

    def _once(self, numbers: Numbers) -> Number:
        return sum(numbers[part.copies] * numbers.product(part.shape) for part in self.parts)


@dataclass(frozen=True, repr=False)
class Term(MadeLater):
    """One thing that a person would name: `elements` of `bytes_per_element`, divided over `degree` devices.

    `short` is the same number of bytes before division, written with the model's named parts (``4*P``). `layer` is the
    name of the layer whose activations it is, `part_of` the term that this is a fraction of. The elements of a sum of
    `parts` are written when they are first asked for: numbers come from the parts. `inside` are the saved tensors that it
    sums up; they may have several sizes, and `bytes_per_element` is then the unit in which they are counted. What is `padded` to a
    degree is held whole by every device, cut into that many equal shares where whole rows are cut. What belongs to routed
    `experts` alone may be divided over other devices. Where its parts are `times` others, those are not written for a number.
    """

    name: str
    kind: str
    elements: sp.Expr
    bytes_per_element: sp.Expr
    reason: str
    source: str = field(default_factory=str)
    degree: sp.Expr = sp.S.One
    short: sp.Expr | None = None
    parts: tuple[Part, ...] = field(default_factory=tuple)
    layer: str = ""
    inside: tuple[Inside, ...] = ()
    part_of: tuple[sp.Rational, Term] | None = field(default=None, compare=False, repr=False)
    padded: sp.Expr | None = None
    experts: bool = False
    times: tuple[Times, ...] = field(default=(), compare=False, repr=False)

    @property
    def whole_name(self) -> str:
        """The name of the term that this is a part of, or its own."""
        return self.name if self.part_of is None else self.part_of[1].whole_name

    @cached_property
    def undivided_bytes(self) -> sp.Expr:
        """Bytes of the whole term, over all devices."""
        return self.bytes_per_element * self.elements

    @cached_property
    def bytes(self) -> sp.Expr:
        """Bytes on one device."""
        return self.undivided_bytes / self.degree

    @cached_property
    def symbols(self) -> frozenset[sp.Symbol]:
        """What the bytes of one device depend on."""
        return frozenset(cast("set[sp.Symbol]", self.bytes.free_symbols))

    def at(self, values: Numbers | Mapping[Any, Any] | None = None, **named: Any) -> Number:
        """The exact number of bytes on one device, at values by symbol or name, or at `Numbers` that several accounts share.

        >>> from symbolic_mem.base.symbols import L, d_model, n_fsdp
        >>> Term("w", "weights", L * d_model, sp.Integer(2), "", degree=n_fsdp).at({L: 3, d_model: 5, n_fsdp: 4})
        Fraction(15, 2)
        """
        numbers = Numbers.of(put_in(values, named), self.name)
        return ratio(self.undivided_at(numbers), numbers[self.degree])

    def undivided_at(self, numbers: Numbers) -> Number:
        """The exact number of bytes of the whole term, over all devices."""
        return numbers.once(self, self._undivided_at)

    def _undivided_at(self, numbers: Numbers) -> Number:
        if self.part_of is not None:
            fraction, term = self.part_of
            return numbers[fraction] * term.undivided_at(numbers)
        if not self.made_later("elements"):
            return numbers[self.bytes_per_element] * numbers[self.elements]
        several = self.times or (Times(sp.S.One, self.parts),)
        elements = sum(one.at(numbers) for one in several)
        return numbers[self.bytes_per_element] * elements

    def shares(self, placed: Placed | None) -> tuple[Term, ...]:
        """What one device holds of the term: its divided part, and what every device keeps."""
        if placed is None:
            return (self,)
        made = self._shares.get(placed)
        if made is None:
            made = self._shares[placed] = tuple(self._placed(placed))
        return made

    @cached_property
    def _shares(self) -> dict[Placed, tuple[Term, ...]]:
        return {}

    def _placed(self, placed: Placed) -> Iterator[Term]:
        degree = placed.experts if self.experts and placed.experts is not None else placed.degree
        if placed.fraction != 0:
            yield self.scaled(placed.fraction, self.degree * degree, "" if placed.fraction == 1 else "divided part")
        if placed.fraction != 1 and placed.rest == "kept":
            yield self.scaled(1 - placed.fraction, self.degree, "" if placed.fraction == 0 else "kept part")

    def scaled(self, fraction: sp.Rational, degree: sp.Expr, share: str = "") -> Term:
        """Return that fraction of the term, divided over `degree`; `share` says in its name which part it is."""
        if fraction == 1:
            elements, parts = self.taken("elements"), self.taken("parts")
        else:
            elements = later(lambda: fraction * self.elements)
            parts = later(lambda: tuple(replace(part, copies=fraction * part.copies) for part in self.parts))
        short = None if self.short is None else fraction * self.short
        size, reason, source = self.bytes_per_element, self.taken("reason"), self.taken("source")
        name, layer = (f"{whole}, {share}" if share and whole else whole for whole in (self.name, self.layer))
        inside, part_of = self.inside, (fraction, self)
        return Term(
            name,
            self.kind,
            elements,
            size,
            reason,
            source,
            degree,
            short,
            parts,
            layer,
            inside,
            part_of,
            experts=self.experts,
        )

    def in_turn(self) -> Term:
        """The term without what is there ahead of its turn."""
        times = tuple(one for one in self.times if not one.ahead)
        if len(times) == len(self.times):
            return self
        more = {"degree": self.degree, "padded": self.padded, "experts": self.experts}
        return of_times(self.name, self.kind, times, self.bytes_per_element, self.reason, **more)

    def _repr_latex_(self) -> str:
        from symbolic_mem.render.latex import latex

        return f"$\\displaystyle {latex(self.bytes)}$"

    def __repr__(self) -> str:
        from symbolic_mem.render.notebook import short

        return short(f"<term {self.name}: {write_formula(self.bytes)} bytes>")

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        from symbolic_mem.render.notebook import bundle, facts

        where = "one device" if self.degree != 1 else "in all"
        rows = (
            ("kind", text(self.kind)),
            (f"bytes, {where}", _bytes(self.bytes)),
            ("reason", text(self.reason)),
            *([("source", text(self.source))] if self.source else []),
        )
        return bundle(repr(self), [facts(self.name, rows)], latex=self._repr_latex_())


def of_parts(name: str, kind: str, parts: tuple[Part, ...], each: sp.Expr, reason: str, **more: Any) -> Term:
    """Return a term of `each` bytes for every element of some parts; `more` are further fields of it.

    >>> from symbolic_mem.base.symbols import L
    >>> of_parts("w", "weights", (Part(L, (sp.Integer(3),)),), sp.Integer(2), "").bytes
    6*L
    """
    elements = later(lambda: sp.Add(*(part.elements for part in parts)))
    return Term(name, kind, elements, each, reason, parts=parts, **more)


@lru_cache(maxsize=4096)
def of_times(name: str, kind: str, times: tuple[Times, ...], each: sp.Expr, reason: str, **more: Any) -> Term:
    """Return a term of `each` bytes for every element of some parts, each a number of times.

    >>> from symbolic_mem.base.symbols import L
    >>> of_times("w", "weights", (Times(L, (Part(sp.S.One, (sp.Integer(3),)),)),), sp.Integer(2), "").bytes
    6*L
    """
    parts = later(lambda: tuple(Part(one.number * part.copies, part.shape) for one in times for part in one.parts))
    elements = later(lambda: sp.Add(*(one.number * part.elements for one in times for part in one.parts)))
    return Term(name, kind, elements, each, reason, parts=parts, times=times, **more)


@dataclass(frozen=True, repr=False)
class Memory:
    """An ordered tuple of terms; `definitions` gives the named parts (such as P) that their short forms use."""

    terms: tuple[Term, ...]
    definitions: tuple[tuple[sp.Symbol, sp.Expr], ...] = ()

    def __iter__(self) -> Iterator[Term]:
        return iter(self.terms)

    def __len__(self) -> int:
        return len(self.terms)

    @cached_property
    def total(self) -> sp.Expr:
        """Bytes of all terms, on one device once the memory is placed."""
        return sp.Add(*(term.bytes for term in self.terms))

    def at(self, values: Numbers | Mapping[Any, Any] | None = None, what: str = "the memory", **named: Any) -> Number:
        """The exact number of bytes of all terms, straight from their parts; raises `MissingValue` naming the symbols.

        Values are given by symbol or by name.

        >>> from symbolic_mem import account, ffn, recipe
        >>> from symbolic_mem.base.symbols import B, L, S, d_ff, d_model
        >>> account(ffn(), recipe("cs336")).at({B: 1, L: 2, S: 8, d_ff: 16, d_model: 4})
        4736
        >>> account(ffn(), recipe("cs336")).at(B=1, L=2, S=8, d_ff=16, d_model=4)
        4736
        """
        numbers = Numbers.of(put_in(values, named), what)
        try:
            return ratio(sum(term.at(numbers) for term in self.terms), 1)
        except MissingValue:
            raise MissingValue(missing(self.total, numbers.values_given), what) from None

    def of(self, *kinds: str) -> Memory:
        """Return the terms of the given kinds, in their order."""
        return self.where(lambda term: term.kind in kinds)

    def where(self, keep: Callable[[Term], bool]) -> Memory:
        """Return the terms for which `keep` holds, in their order."""
        kept = tuple(term for term in self.terms if keep(term))
        return self if len(kept) == len(self.terms) else Memory(kept, self.definitions)

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

    def place(self, **placements: Placed) -> Memory:
        """Return the memory of one device: per kind, which fraction is divided over which degree (see `over`)."""
        return self.placed(placements)

    def placed(self, placements: Mapping[str, Placed]) -> Memory:
        """Return the memory of one device; a kind without a placement stays whole on every device.

        ZeRO stages 1, 2, 3 (Rajbhandari et al., 2020, section 5) divide the optimizer state, then also the gradients,
        then also the weights; CS336's half of the activations is fraction 1/2.
        """
        given = tuple(placements.items())
        made = self._placed.get(given)
        if made is None:
            for kind in placements:
                if kind not in KINDS:
                    raise BadInput.unknown(f"unknown kind {kind!r} of memory", kind, KINDS)
            placed = (part for term in self.terms for part in term.shares(placements.get(term.kind)))
            made = self._placed[given] = Memory(tuple(placed), self.definitions)
        return made

    @cached_property
    def _placed(self) -> dict[tuple[tuple[str, Placed], ...], Memory]:
        return {}

    @property
    def table(self) -> Table:
        """What a notebook shows: each term with its bytes and its reason, and their sum.

        >>> from symbolic_mem.base.symbols import P
        >>> len(Memory((Term("gradients", "gradients", P, sp.Integer(2), "one BF16 number each"),)).table.rows)
        2
        """
        rows = [(text(term.name), _bytes(term.bytes), text(term.reason)) for term in self.terms]
        rows.append((text("total"), _bytes(self.total), Prose(())))
        columns = (Column(text("term")), Column(text("bytes")), Column(text("reason"), "text"))
        return Table(text("Memory"), columns, tuple(rows), totals=True)

    def _repr_latex_(self) -> str:
        from symbolic_mem.render.latex import latex_sum

        return f"$\\displaystyle {latex_sum([term.bytes for term in self.terms])}$"

    def _repr_html_(self) -> str:
        from symbolic_mem.render.jinja import table_html

        return table_html(self.table)

    def __repr__(self) -> str:
        from symbolic_mem.render.notebook import short

        kinds = ", ".join(self.kinds) or "nothing"
        return short(f"<memory of {len(self.terms)} term{'s' * (len(self.terms) != 1)}: {kinds}>")

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        from symbolic_mem.render.notebook import bundle

        return bundle(repr(self), [self.table], latex=self._repr_latex_())


def _bytes(expr: sp.Expr) -> Prose:
    if not expr.is_Rational:
        return say("{formula}", formula=expr)
    shown = Amount(expr, "GiB")
    if shown.shown.unit == "bytes":
        return say("{bytes}", bytes=expr)
    if shown.shown.exact:
        return say("{bytes} = {gib}", bytes=expr, gib=shown)
    return say("{bytes} {gib}", bytes=expr, gib=shown)  # which marks itself as rounded
