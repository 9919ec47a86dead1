"""`Nest`: the statements of a loop nest over rows and columns, each written where it is done least often.

What changes with neither is done once, what changes along the columns alone once for each of them and kept in a table, what
changes with the row alone once for each row, and only the rest for every configuration.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from symbolic_mem.base.values import dataclass
from symbolic_mem.sweeps.polynomial import Monomial, Polynomial, split

ROW, COLUMN = 1, 2
STRIP = 1024
"""Columns that are gone through for all rows before the next: their tables stay in a core's nearest memory."""


@dataclass(frozen=True)
class Value:
    """A number in the nest: how it is written where it was made, and whether it changes with the row, the column, or both."""

    text: str
    level: int = 0


class Nest:
    """Collects statements; only names of our own stand in them, and numbers come as the array `k`.

    `columns` are the generators that change along a row, `small` those below 2^51. With `tables` what changes along the columns alone is kept, as
    where there are many rows; without, it is done again.
    """

    def __init__(self, columns: frozenset[int], *, tables: bool, kind: str, small: frozenset[int]) -> None:
        self.columns, self.tables, self.kind, self.small = columns, tables, kind, small
        self.constants: list[int] = []
        self.places: list[int] = []
        self.written: list[str] = []
        self.lines: dict[int, list[str]] = {0: [], ROW: [], COLUMN: [], ROW | COLUMN: []}
        self._kept: dict[str, str] = {}
        self._made: dict[tuple[int, str], Value] = {}
        self._polynomials: dict[frozenset[object], Value] = {}

    def make(self, template: str, *values: Value) -> Value:
        """Write one statement where all that it reads is known and it is done least often; the same one is written once."""
        level = 0
        for one in values:
            level |= one.level
        return self._stated(level, template.format(*(self._read(one, level) for one in values)))

    def _stated(self, level: int, text: str) -> Value:
        level = ROW | COLUMN if level == COLUMN and not self.tables else level
        if (level, text) not in self._made:
            name = f"v{len(self._made)}"
            self.lines[level].append(f"{name} = {text}")
            self._made[level, text] = Value(name, level)
        return self._made[level, text]

    def _read(self, value: Value, level: int) -> str:
        """How a value is written in a statement of a level: what was made for each column is read from its table."""
        if value.level != COLUMN or level == COLUMN:
            return value.text
        if value.text not in self._kept:
            table = f"t{len(self._kept)}"
            self.lines[COLUMN].append(f"{table}[j] = {value.text}")
            self._kept[value.text] = f"{table}[j]"
        return self._kept[value.text]

    def constant(self, number: int) -> Value:
        """A whole number."""
        if number not in self.constants:
            self.constants.append(number)
        return self._stated(0, f"np.{self.kind}(k[{self.constants.index(number)}])")

    def generator(self, place: int) -> Value:
        """A generator at a configuration."""
        if place not in self.places:
            self.places.append(place)
        inner = place in self.columns
        return self._stated(COLUMN if inner else ROW, self._known(place, f"g{place}[{'j' if inner else 'i'}]"))

    def given(self, name: str) -> Value:
        """What an array that is handed over has at a configuration."""
        return self._stated(ROW | COLUMN, f"np.{self.kind}({name}[i, j])")

    def _known(self, place: int, number: str) -> str:
        """A machine integer as a number of this nest; a small one as a float by its bits, which is done for several at once."""
        if self.kind == "int64" or place not in self.small:
            return f"np.{self.kind}({number})"
        return f"np.int64({number} + BITS).view(np.float64) - SHIFT"

    def polynomial(self, polynomial: Polynomial) -> Value:
        """A polynomial, of which what changes along the columns alone is one number."""
        key = frozenset(polynomial)
        if key not in self._polynomials:
            self._polynomials[key] = self._polynomial(polynomial)
        return self._polynomials[key]

    def _polynomial(self, polynomial: Polynomial) -> Value:
        alone: dict[Monomial, Value | None] = {}
        parts: list[Value] = []
        for inner, outer in split(polynomial, self.columns).items():
            before = self._horner({term: self._factor(int(factor)) for term, factor in outer})
            if not self.tables or before is None or not before.level:
                alone[inner] = before
            else:
                term = self._horner({inner: None})
                parts.append(before if term is None else self.make("{} * {}", before, term))
        if alone:
            parts.insert(0, self._horner(alone) or self.constant(1))
        total = parts[0] if parts else self.constant(0)
        for one in parts[1:]:
            total = self.make("{} + {}", total, one)
        return total

    def _factor(self, number: int) -> Value | None:
        return None if number == 1 else self.constant(number)

    def _horner(self, terms: Mapping[Monomial, Value | None]) -> Value | None:
        """A sum of monomials, each with what stands before it; nothing stands for one."""
        counts = Counter(place for term in terms for place, _ in term)
        if not counts:
            return terms[()]
        place = max(counts, key=lambda one: (counts[one], -one))
        power = min(own for term in terms for at, own in term if at == place)
        inside: dict[Monomial, Value | None] = {}
        rest: dict[Monomial, Value | None] = {}
        for term, before in terms.items():
            own = dict(term).get(place)
            if own is None:
                rest[term] = before
            else:
                left = own - power
                inside[tuple((at, left if at == place else p) for at, p in term if at != place or left)] = before
        found, one = self._horner(inside), self.generator(place)
        for _ in range(power):
            found = one if found is None else self.make("{} * {}", found, one)
        if rest:
            assert found is not None
            found = self.make("{} + {}", found, self._horner(rest) or self.constant(1))
        return found

    def write(self, name: str, template: str, *values: Value) -> None:
        """Write an element of an answer, at every configuration."""
        every = ROW | COLUMN
        text = template.format(*(self._read(one, every) for one in values))
        self.lines[every].append(f"{name}[i, j] = {text}")
        self.written.append(name)

    def source(self, arrays: tuple[str, ...]) -> str:
        """The function ``kernel(k, arrays..., generators...)`` of all statements; the first array tells the size."""
        names = ", ".join(("k", *arrays, *(f"g{place}" for place in self.places)))
        tables = [f"t{i} = np.empty(columns, np.{self.kind})" for i in range(len(self._kept))]
        start = [f"rows, columns = {arrays[0]}.shape", *self.lines[0], *tables]
        loop = ["for j in range(columns):", *_in(self.lines[COLUMN])] if self.lines[COLUMN] else []
        strip = [
            f"for begin in range(0, columns, {STRIP}):",
            f"    end = min(begin + {STRIP}, columns)",
            "    for i in range(rows):",
            *_in(self.lines[ROW], 2),
            "        for j in range(begin, end):",
            *_in(self.lines[ROW | COLUMN], 3),
        ]
        return "\n".join((f"def kernel({names}):", *_in([*start, *loop, *strip]), ""))


def _in(lines: list[str], times: int = 1) -> list[str]:
    return [f"{'    ' * times}{line}" for line in lines]
