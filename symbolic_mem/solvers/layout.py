"""Rules that change the exact memory of a device: whole samples, padded rows, a unit gathered for the computation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import sympy as sp

from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.base.exact import Given, Numbers, missing
from symbolic_mem.base.rational import Number, ratio
from symbolic_mem.base.symbols import B
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.tensors import STATIC, Part
from symbolic_mem.solvers.profile import Profile, Rows


@dataclass(frozen=True)
class WholeSamples:
    """A sequence is not cut: a device that shares a batch of B holds ceil(B/n) sequences of activations."""

    batch: sp.Symbol = B

    @property
    def words(self) -> str:
        """What the rule says, as a sentence without its end."""
        return f"each device holds whole sequences, ceiling({self.batch}/n) of them"

    def cut(self, term: Term, n: sp.Symbol, numbers: Numbers) -> Profile | None:
        """Return the term in whole sequences, or None when it does not grow with the batch."""
        if term.kind != "activations" or not term.degree.has(n) or not term.elements.has(self.batch):
            return None
        per_sample = sp.diff(term.undivided_bytes, self.batch)
        if per_sample.has(self.batch):
            raise BadInput(f"{term.name} is not linear in {self.batch}: whole sequences cannot be counted")
        share, batch = _share(term, n, numbers), numbers[self.batch]
        each = numbers[per_sample]
        rest = numbers[term.undivided_bytes] - each * batch
        return Profile(0, ratio(rest, share), (Rows(batch, each, share),))

    def gathered(self, n: sp.Symbol, numbers: Numbers) -> tuple[Rows, ...]:
        """Nothing is gathered by this rule."""
        return ()


@dataclass(frozen=True)
class PaddedRows:
    """PyTorch's FSDP2 cuts every tensor along its first dimension: each rank stores ceil(rows/n) rows of it.

    Source: `torch.distributed.fsdp.fully_shard`, whose shards are padded to equal size on every rank.
    """

    kinds: tuple[str, ...] = STATIC

    @property
    def words(self) -> str:
        """What the rule says, as a sentence without its end."""
        return "every tensor is cut into whole rows, and each device stores ceiling(rows/n) of them"

    def cut(self, term: Term, n: sp.Symbol, numbers: Numbers) -> Profile | None:
        """Return the rows of each tensor of the term, or None for a kind that is not cut by rows."""
        over = self.over(term, n)
        if over is None:
            return None
        whole, share = self.whole(term, n), numbers[over / n]
        size = term.bytes_per_element / (term.degree if whole else 1)
        rows = tuple(_rows(part, size, share, numbers) for part in term.parts)
        return Profile(0, gathered=rows) if whole else Profile(0, rows=rows)

    def over(self, term: Term, n: sp.Symbol) -> sp.Expr | None:
        """Over how many devices the rows of a placed term are cut; None where they are not cut over `n`."""
        whole = self.whole(term, n)
        if not whole and (term.kind not in self.kinds or not term.degree.has(n)):
            return None
        if not term.parts:
            raise BadInput(f"{term.name} does not say which tensors it is made of: padded rows cannot be counted")
        return term.degree * term.padded if whole else term.degree

    def whole(self, term: Term, n: sp.Symbol) -> bool:
        """Whether a term is gathered from, or sent to, the devices along `n`: then each has the rows of all of them."""
        return term.padded is not None and term.padded.has(n)

    def gathered(self, n: sp.Symbol, numbers: Numbers) -> tuple[Rows, ...]:
        """Nothing is gathered by this rule."""
        return ()


@dataclass(frozen=True)
class Gathered:
    """While a unit is computed every device also holds it whole, padded to n equal shares: `unit` in `bytes` each.

    The padded size n ceil(rows/n) rises and falls with n, so the memory is not monotone.
    """

    unit: tuple[Part, ...]
    bytes: sp.Expr | int = 2

    @property
    def words(self) -> str:
        """What the rule says, as a sentence without its end."""
        return f"the unit that is computed is also held whole, in {self.bytes} bytes per padded element"

    def cut(self, term: Term, n: sp.Symbol, numbers: Numbers) -> Profile | None:
        """No term changes: the gathered unit comes in addition."""
        return None

    def gathered(self, n: sp.Symbol, numbers: Numbers) -> tuple[Rows, ...]:
        """Return the rows of the unit, which every device holds whole."""
        return tuple(_rows(part, sp.sympify(self.bytes), 1, numbers) for part in self.unit)


Layout = WholeSamples | PaddedRows | Gathered


def profile(memory: Memory, n: sp.Symbol, values: Given | Numbers, layouts: Sequence[Layout] = ()) -> Profile:
    """Return the exact bytes of one device as a function of the degree `n`, at the other `values`.

    >>> from symbolic_mem.base.symbols import L, d_ff, d_model, n_fsdp
    >>> part = Part(sp.S.One, (sp.Integer(10), sp.Integer(3)))
    >>> term = Term("w", "weights", sp.Integer(30), sp.Integer(4), "", degree=n_fsdp, parts=(part,))
    >>> profile(Memory((term,)), n_fsdp, {}, [PaddedRows()]).at(4)
    Fraction(36, 1)
    """
    numbers = Numbers.of(values, "the bound")
    if n in numbers.values_given:
        numbers = numbers.under({n: None})
    try:
        if not layouts:
            return numbers.once(memory, lambda known: _profile(memory, n, known, ()), n)
        return _profile(memory, n, numbers, layouts)
    except MissingValue as absent:
        if str(n) in absent.symbols:
            raise BadInput(f"the memory depends on {n} in another way than U + P/{n}") from None
        raise MissingValue(missing(memory.total.xreplace({n: sp.S.One}), numbers.values_given), "the bound") from None


def cuts_at(layouts: Sequence[Layout], n: sp.Symbol, degree: int, values: Given | Numbers) -> Callable[[Term], Number]:
    """Return what one device holds of a term at a `degree` of `n` under some layouts.

    >>> from symbolic_mem.base.symbols import n_fsdp
    >>> part = Part(sp.S.One, (sp.Integer(10), sp.Integer(3)))
    >>> term = Term("w", "weights", sp.Integer(30), sp.Integer(4), "", degree=n_fsdp, parts=(part,))
    >>> cuts_at([PaddedRows()], n_fsdp, 4, {})(term)
    Fraction(36, 1)
    """
    return lambda term: profile(Memory((term,)), n, values, layouts).at(degree)


def _profile(memory: Memory, n: sp.Symbol, numbers: Numbers, layouts: Sequence[Layout]) -> Profile:
    fixed: Number = 0
    divided: Number = 0
    rows: list[Rows] = []
    gathered: list[Rows] = []
    for term in memory:
        cut = _first(layout.cut(term, n, numbers) for layout in layouts) if layouts else None
        if cut is not None:
            divided += cut.divided
            rows += cut.rows
            gathered += cut.gathered
        elif term.degree == n:
            divided += term.undivided_at(numbers)
        elif term.degree.has(n):
            divided += ratio(term.undivided_at(numbers), numbers[term.degree / n])
        else:
            fixed += term.at(numbers)
    gathered += (part for layout in layouts for part in layout.gathered(n, numbers) if part.bytes)
    return Profile(fixed, divided, tuple(rows), tuple(gathered))


def _first(found: Iterable[Profile | None]) -> Profile | None:
    return next((cut for cut in found if cut is not None), None)


def _rows(part: Part, size: sp.Expr, share: Number, numbers: Numbers) -> Rows:
    """The rows of a tensor, found once for what several instants hold of it."""

    def find(known: Numbers) -> Rows:
        rest = part.copies * sp.Mul(*part.shape[1:]) * size
        rows = part.shape[0] if part.shape else sp.S.One  # a single number is not cut: every device holds it
        return Rows(known[rows], known[rest], share)

    return numbers.once(part, find, ("rows", size, share))


def _share(term: Term, n: sp.Symbol, numbers: Numbers) -> Number:
    """The factor c where the term is divided over c n devices."""
    return numbers[term.degree / n]
