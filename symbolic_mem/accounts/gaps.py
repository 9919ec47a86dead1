"""Which term explains the gap between two accounts of memory, in formula and bytes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator

import sympy as sp

from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.base.errors import BadInput, clipped
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.tensors import KINDS

_FEW = 6  # tensors, of which each is told why it is there


@dataclass(frozen=True)
class Contrast:
    """One thing that is otherwise in the second account: `what` it is, and its `old` and its `new` expression."""

    what: str
    old: sp.Expr
    new: sp.Expr


def contrasts(*triples: tuple[str, sp.Expr, sp.Expr]) -> tuple[Contrast, ...]:
    """Return what differs of things that each have a name, an old and a new expression, however these are written.

    >>> [contrast.what for contrast in contrasts(("copies", sp.S(1), sp.S(2)), ("bytes", sp.S(4), sp.S(4)))]
    ['copies']
    """
    return tuple(Contrast(*triple) for triple in triples if sp.expand(triple[1] - triple[2]) != 0)


@dataclass(frozen=True)
class Otherwise:
    """Saved tensors of the same change: `only` in the first or the second account, else of `old` and of `new` bytes each."""

    names: tuple[str, ...]
    only: str
    old: str = ""
    new: str = ""

    def words(self, arrow: str) -> str:
        """Say which tensors they are, and what becomes of them.

        >>> Otherwise(("input", "out"), "", "2", "4").words("→"), Otherwise(("causal mask",), "first").words("→")
        ('input, out: 2 → 4 bytes each', 'causal mask: only in the first')
        """
        names = ", ".join(self.names)
        if self.only:
            return f"{names}: only in the {self.only}"
        return f"{names}: {self.old} {arrow} {self.new} bytes each"


def _widths(term: Term) -> dict[str, str]:
    """The bytes of each element of every tensor that a term sums up, by its name; all of them where there are several."""
    found: dict[str, list[str]] = {}
    for one in term.inside:
        sizes = found.setdefault(one.name, [])
        if str(one.size) not in sizes:
            sizes.append(str(one.size))
    return {name: " or ".join(sizes) for name, sizes in found.items()}


@dataclass(frozen=True)
class Held:
    """A term of an account, whole, with its `bytes` on one device and the `part` that these are of it."""

    term: Term
    bytes: sp.Expr
    part: sp.Expr


def _held(memory: Memory) -> list[Held]:
    """The terms of an account in their order; what one device holds of a term in two parts stands together."""
    found: dict[int, Held] = {}
    for share in memory:
        whole, fraction = share, sp.S.One
        while whole.part_of is not None:
            fraction, whole = fraction * whole.part_of[0], whole.part_of[1]
        before = found.get(id(whole))
        size, part = share.bytes, fraction / share.degree
        found[id(whole)] = Held(
            whole, size if before is None else before.bytes + size, part if before is None else before.part + part
        )
    return list(found.values())


@dataclass(frozen=True, repr=False)
class Gap:
    """A term of account `a` and the term of account `b` that stands for the same thing; None where it has none."""

    first: Held | None
    second: Held | None

    def __repr__(self) -> str:
        return f"<gap {self.name}: {self.difference} bytes, {self.reason}>"

    @property
    def a(self) -> Term | None:
        """The term of the first account, whole."""
        return None if self.first is None else self.first.term

    @property
    def b(self) -> Term | None:
        """The term of the second account, whole."""
        return None if self.second is None else self.second.term

    @property
    def kind(self) -> str:
        """The kind of memory."""
        return self._either.kind

    @property
    def name(self) -> str:
        """The name of the term, or both names when it is renamed."""
        return " / ".join(dict.fromkeys(term.name for term in self._terms))

    @property
    def layer(self) -> str:
        """The layer whose activations it is, or both where they differ; its name where there is none."""
        names = dict.fromkeys(term.layer or term.name for term in (self.a, self.b) if term is not None)
        return " / ".join(names)

    @property
    def sides(self) -> tuple[sp.Expr, sp.Expr]:
        """Bytes of both terms; 0 where an account has none."""
        return _bytes(self.first), _bytes(self.second)

    @property
    def difference(self) -> sp.Expr:
        """Bytes that `b` needs more than `a`; negative when it needs fewer."""
        first, second = self.sides
        return second - first

    @property
    def only(self) -> str:
        """Where the term is, if one account alone has it: ``first`` or ``second``; else empty."""
        return "second" if self.a is None else "first" if self.b is None else ""

    @property
    def note(self) -> str:
        """Why a term is there that one account alone has."""
        return self._either.reason if self.only else ""

    @property
    def said(self) -> str:
        """The same in few words: of many saved tensors, how many they are."""
        many = len(self._either.inside) > _FEW
        return f"{len(self._either.inside)} saved tensors of one block" if many else self.note

    @property
    def contrasts(self) -> tuple[Contrast, ...]:
        """What differs of a term that both have: the bytes per element, the number of elements, the division.

        A term that sums up saved tensors counts them in a unit: their own widths are those of `tensors`.
        """
        if self.first is None or self.second is None or self.a is None or self.b is None:
            return ()
        old, new = self.first.part, self.second.part
        whole = all(part.as_numer_denom()[0] == 1 and part.as_coeff_Mul()[0] == 1 for part in (old, new))
        degrees = ("divided by", 1 / old, 1 / new) if whole else ("part on one device", old, new)
        if self._sums:
            elements = () if self.tensors else (("elements", self.a.elements, self.b.elements),)
            return contrasts(*elements, degrees)
        return contrasts(
            ("bytes per element", self.a.bytes_per_element, self.b.bytes_per_element),
            ("elements", self.a.elements, self.b.elements),
            degrees,
        )

    @property
    def tensors(self) -> tuple[Otherwise, ...]:
        """Which saved tensors appear, disappear or change their width, where both terms sum up saved tensors."""
        if not self._sums or self.a is None or self.b is None:
            return ()
        old, new = _widths(self.a), _widths(self.b)
        names: dict[tuple[str, ...], list[str]] = {}
        for name in dict.fromkeys((*old, *new)):
            only = "second" if name not in old else "first" if name not in new else ""
            change = (only,) if only else ("", old[name], new[name])
            if only or old[name] != new[name]:
                names.setdefault(change, []).append(name)
        return tuple(Otherwise(tuple(which), *change) for change, which in names.items())

    @property
    def reason(self) -> str:
        """Say what differs, as a program reads it: what is otherwise, or that one account has no such term."""
        if self.only:
            return f"only in the {self.only}: {self.note}" if self.note else f"only in the {self.only}"
        said = [each.words("->") for each in self.tensors]
        said += [f"{each.what}: {each.old} -> {each.new}" for each in self.contrasts]
        return "; ".join(said)

    @property
    def _sums(self) -> bool:
        return self.a is not None and self.b is not None and bool(self.a.inside and self.b.inside)

    @property
    def _terms(self) -> tuple[Term, ...]:
        return tuple(term for term in (self.a, self.b) if term is not None)

    @property
    def _either(self) -> Term:
        return self._terms[-1]


def factored(expr: sp.Expr) -> sp.Expr:
    """Write a difference with its common factors in front, without cancelling what an author wrote apart.

    >>> from symbolic_mem.base.symbols import L, V, d_model
    >>> factored(2 * L * (V + d_model) - L * V)
    L*(V + 2*d_model)
    """
    return sp.factor_terms(sp.expand(expr))


def compare(a: Memory, b: Memory) -> tuple[Gap, ...]:
    """Return the terms that explain how `b` differs from `a`, by kind; their differences sum to that of the totals.

    Terms of one kind are matched by name, then by their number of elements, then in order, but sums of saved tensors only
    where as many are left on both sides: a block is none of its layers. Terms of equal bytes are left out. Raises `BadInput` for what is no memory.

    >>> from symbolic_mem import account, ffn, recipe
    >>> for gap in compare(account(ffn(), recipe("cs336")), account(ffn(), recipe("scaling-book-10"))):
    ...     print(gap.kind, "|", gap.name, "|", gap.difference, "|", gap.reason)
    weights | master weights / BF16 weights | -4*L*d_ff*d_model | bytes per element: 4 -> 2
    gradients | accumulated gradients | -8*L*d_ff*d_model | only in the first: FP32
    """
    for given in (a, b):
        if not isinstance(given, Memory):
            raise BadInput(
                f"compare takes two memories, and {clipped(str(given))} is none; give study.memory or study.placed()"
            )
    gaps = (gap for kind in KINDS for gap in _matched(_held(a.of(kind)), _held(b.of(kind))))
    return tuple(gap for gap in gaps if sp.expand(gap.difference) != 0)


_SAME: tuple[Callable[[Term], Hashable], ...] = (
    lambda term: (term.name, term.elements),
    lambda term: term.name,
    lambda term: (term.elements, term.bytes_per_element),
    lambda term: term.elements,
)


def _matched(left: list[Held], right: list[Held]) -> Iterator[Gap]:
    partner: dict[int, int] = {}
    for key in _SAME:
        for i, held in enumerate(left):
            if i not in partner:
                taken, own = partner.values(), key(held.term)
                free = (j for j, other in enumerate(right) if j not in taken and key(other.term) == own)
                match = next(free, None)
                if match is not None:
                    partner[i] = match
    before = [i for i in range(len(left)) if i not in partner]
    after = [j for j in range(len(right)) if j not in partner.values()]
    if len(before) == len(after) or not any(left[i].term.inside for i in before):
        partner |= dict(zip(before, after, strict=False))
    for i, held in enumerate(left):
        yield Gap(held, right[partner[i]] if i in partner else None)
    for j, held in enumerate(right):
        if j not in partner.values():
            yield Gap(None, held)


def _bytes(held: Held | None) -> sp.Expr:
    return sp.S.Zero if held is None else held.bytes
