"""`Pipeline`: how a pipeline orders its micro-batches, and how many activations each rank then holds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import Given, at, number, symbols_of
from symbolic_mem.base.formula import read_formula
from symbolic_mem.base.symbols import n_chunks, n_group, n_micro, n_pp, r_pp
from symbolic_mem.base.tables import tables_of
from symbolic_mem.base.values import dataclass

Values = Mapping[sp.Symbol, sp.Rational]
SYMBOLS = (n_pp, n_chunks, n_micro, n_group, r_pp)


@dataclass(frozen=True)
class Pipeline:
    """A schedule of a pipeline: how many activations are `held` on a rank, of one micro-batch through one chunk each.

    A rank has so many `chunks` (0: as many as are given), in an `order` of the stages, and `weights` copies of its
    parameters. It needs at `least` so many micro-batches, and a `multiple`, or at least a `rest` over it; an `even` one takes even
    numbers of stages and of micro-batches alone. An engine may hold more than a `bound`.
    PyTorch has it where it is `in_torch`, and takes no fewer than `fewest_in_torch`. With fewer than `fewest_chunks` it is another schedule. So many micro-batches come back through a chunk `together`, before another's turn (None: its chunks take turns as they can).
    With a divided `vocabulary` every rank has a part of the embedding and of the head. The `bubble` is the time that a rank
    waits, as a share of the time that it computes (None: its source gives no formula); `waits` says what the source gives of
    the times of passes instead, and `apart` that it takes enough micro-batches, and ranks that do not
    wait for each other before the optimizer step.

    >>> pipeline("1f1b").held
    Min(n_micro, n_pp - r_pp)
    """

    name: str
    title: str
    source: str
    held: sp.Expr
    chunks: int = 0
    order: str = "loop"
    least: sp.Expr = sp.S.One
    multiple: sp.Expr = sp.S.One
    rest: sp.Expr | None = None
    weights: int = 1
    even: bool = False
    bound: bool = False
    vocabulary: bool = False
    bubble: sp.Expr | None = None
    waits: str = ""
    apart: bool = False
    together: sp.Expr | None = None
    in_torch: bool = False
    fewest_in_torch: sp.Expr = sp.S.One
    fewest_chunks: int = 1

    @property
    def reads(self) -> frozenset[sp.Basic]:
        """The degrees that say what its ranks hold, and which runs it takes.

        >>> sorted(map(str, pipeline("1f1b").reads))
        ['n_micro', 'n_pp']
        """
        read = symbols_of(self.held) | symbols_of(self.least) | symbols_of(self.multiple)
        return frozenset(read - {r_pp} | (set() if self.chunks else {n_chunks}))

    def complete(self, values: Values) -> dict[sp.Symbol, sp.Rational]:
        """Return the values with those that follow: one chunk, groups of as many micro-batches as there are stages.

        >>> from symbolic_mem.base.symbols import n_pp
        >>> pipeline("1f1b").complete({n_pp: sp.Integer(4)})[n_group]
        4
        """
        found = {n_pp: sp.S.One, n_micro: sp.S.One, **values}
        found.setdefault(n_chunks, sp.Integer(self.chunks or 1))
        found.setdefault(n_group, found[n_pp])
        return found

    def in_turn(self, values: Given) -> bool:
        """Whether all micro-batches come back through one of several chunks before the next one's turn.

        >>> from symbolic_mem.base.symbols import n_chunks, n_micro, n_pp
        >>> pipeline("interleaved").in_turn({n_pp: sp.Integer(4), n_chunks: sp.Integer(2), n_micro: sp.Integer(4)})
        True
        """
        known = self.complete({symbol: sp.Rational(values[symbol]) for symbol in SYMBOLS if symbol in values})
        return self.together is not None and known[n_chunks] > 1 and known[n_micro] <= number(self.together, known)

    def counts(self, values: Values) -> tuple[int, ...]:
        """How many activations each rank holds, the first rank first.

        >>> counts = pipeline("interleaved").counts
        >>> counts({n_pp: sp.Integer(2), n_chunks: sp.Integer(4), n_micro: sp.Integer(8)})
        (9, 7)
        """
        known = self.complete(values)
        self.check(known)
        return tuple(self.count(known, rank) for rank in range(int(known[n_pp])))

    def count(self, values: Values, rank: int) -> int:
        """How many one rank holds, at values that are complete."""
        return int(number(self.held, {**values, r_pp: sp.Integer(rank)}))

    def check(self, values: Values, *, torch: bool = False) -> None:
        """Refuse what PyTorch does not have, too few micro-batches, a number that is no multiple, and chunks that the schedule does not have.

        >>> from symbolic_mem.base.symbols import n_micro, n_pp
        >>> pipeline("1f1b").check({n_pp: sp.Integer(4), n_micro: sp.Integer(2)}, torch=True)
        Traceback (most recent call last):
        symbolic_mem.base.errors.BadInput: schedule '1f1b' of PyTorch needs at least n_pp = 4 micro-batches, and n_micro = 2; give at least 4
        """
        known = self.complete(values)
        if torch and not self.in_torch:
            theirs = ", ".join(name for name, one in pipelines().items() if one.in_torch)
            raise BadInput(f"schedule {self.name!r} is none of PyTorch's; give one of {theirs}, or plan megatron")
        fewest = at(self.fewest_in_torch, known) if torch else None
        if fewest is not None and known[n_micro] < fewest:
            raise BadInput(
                f"schedule {self.name!r} of PyTorch needs at least {self.fewest_in_torch} = {fewest} micro-batches, and n_micro = "
                f"{known[n_micro]}; give at least {fewest}"
            )
        chunks, micro = known[n_chunks], known[n_micro]
        if self.chunks and chunks != self.chunks:
            raise BadInput(
                f"schedule {self.name!r} has {self.chunks} chunk{'s'[: self.chunks - 1]} on each rank, and n_chunks = {chunks}; leave it out, or choose "
                "schedule 'interleaved'"
            )
        group, stages = known[n_group], known[n_pp]
        if stages != 1 and chunks < self.fewest_chunks:
            raise BadInput(
                f"schedule {self.name!r} needs at least {self.fewest_chunks} chunks on each rank, and n_chunks = {chunks}, with which "
                "Megatron-LM runs 1F1B; give --set n_chunks=2 or more, or schedule '1f1b'"
            )
        if n_group in symbols_of(self.held) and group < stages:
            raise BadInput(
                f"schedule {self.name!r} sends groups of n_group = {group} micro-batches through a chunk, and there are n_pp = "
                f"{stages} stages; its engines refuse smaller groups than that, so give at least {stages}"
            )
        least, multiple = at(self.least, known), at(self.multiple, known)
        if least is not None and micro < least:
            raise BadInput(
                f"schedule {self.name!r} needs at least {self.least} = {least} micro-batches, and n_micro = {micro}; its "
                "engine refuses fewer"
            )
        for degree, what in ((n_pp, "stages"), (n_micro, "micro-batches")):
            if self.even and stages != 1 and known[degree] % 2:
                raise BadInput(
                    f"schedule {self.name!r} takes an even number of {what}, and {degree} = {known[degree]}; its "
                    "engine refuses an odd one"
                )
        over = 0 if multiple is None else micro % multiple
        if over and (self.rest is None or over < number(self.rest, known)):
            more = "" if self.rest is None else f", or {self.rest} = {at(self.rest, known)} or more over it"
            raise BadInput(
                f"schedule {self.name!r} needs a multiple of {self.multiple} = {multiple} micro-batches{more}, and n_micro = {micro}"
            )


def pipelines() -> Mapping[str, Pipeline]:
    """Return the schedules of pipelines by name, in the order of the file.

    >>> list(pipelines())[:3]
    ['gpipe', '1f1b', 'interleaved']
    """
    return {name: pipeline(name) for name in _tables()}


@cache
def pipeline(name: str) -> Pipeline:
    """Return the schedule of that name; raises `BadInput` naming those there are."""
    known = _tables()
    if name not in known:
        raise BadInput.unknown(f"unknown schedule {name!r} of a pipeline", name, known)
    table, formulas = known[name], ("held", "least", "multiple", "rest", "bubble", "together", "fewest_in_torch")
    names = {str(symbol): symbol for symbol in SYMBOLS}
    read = {key: read_formula(table[key], names, f"schedule {name}") for key in formulas if key in table}
    return Pipeline(name, **{key: value for key, value in table.items() if key not in formulas}, **read)


@cache
def _tables() -> Mapping[str, Mapping[str, Any]]:
    return tables_of(Path(__file__).with_name("pipelines.toml"))
