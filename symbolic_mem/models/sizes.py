"""The sizes of a counted family: numbers from the fields of its config, and formulas of the sizes before them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.formula import read_formula
from symbolic_mem.base.tomlfile import clipped
from symbolic_mem.models.json_file import kind_of

MOST = 10**9
_LONGEST = 100_000
_MOST_LABELS = 1_000_000


def labels(table: Mapping[str, Any], asked: set[str], absent: dict[str, str], where: str) -> int:
    """Return how many labels a head tells apart: a number, or as many as have a name; the default is two.

    >>> labels({"id2label": {"0": "no", "1": "yes", "2": "both"}}, set(), {}, "config.json")
    3
    """
    asked.update(("num_labels", "id2label"))
    number, names = table.get("num_labels"), table.get("id2label")
    if isinstance(names, dict) and names:
        return len(names)
    if number is None:
        absent["num_labels"] = "2"
        return 2
    if type(number) is not int or not 1 <= number <= _MOST_LABELS:
        raise BadInput(f"{where}: num_labels must be a whole number from 1 to {_MOST_LABELS:,}")
    return number


class Sizes:
    """Read the sizes of a family one after the other; what was `asked` for and what was `absent` is remembered."""

    def __init__(
        self,
        table: Mapping[str, Any],
        rows: Mapping[str, Mapping[str, Any]],
        where: str,
        known: Mapping[str, sp.Expr] | None = None,
    ) -> None:
        self.table, self.where = table, where
        self.numbers: dict[str, sp.Expr] = dict(known or {})
        self.asked: set[str] = set()
        self.absent: dict[str, str] = {}
        for name, row in rows.items():
            self.numbers[name] = self._read(name, row)

    @property
    def read(self) -> set[str]:
        """The fields of the config that were asked for, or something in them."""
        return {name.partition(".")[0] for name in self.asked}

    def formula(self, text: str, what: str) -> sp.Expr:
        """Return the whole number, zero or more, that a formula of the sizes gives."""
        value = read_formula(text, self.numbers, f"{self.where}: {what}")
        if not (value.is_Integer and value >= 0):
            raise BadInput(f"{self.where}: {what} = {text} is {value}, not a whole number; change a size so that it is")
        return sp.Integer(value)

    def chosen(self, row: Mapping[str, str], known: Mapping[str, Any]) -> Any:
        """Return what one of the names that are `known` stands for: that of a field, or the usual one."""
        key, value = self._find([row["field"]])
        name = row.get("usual", "auto") if value is None else value
        if name not in known:
            self._refuse(key, f"is {clipped(str(name))}; it must be one of {', '.join(known)}")
        return known[name]

    def _read(self, name: str, row: Mapping[str, Any]) -> sp.Expr:
        if "formula" in row:
            return self.formula(row["formula"], name)
        if "labels" in row:
            return sp.Integer(labels(self.table, self.asked, self.absent, self.where))
        if "step" in row:
            return self._stepped(*row["step"])
        key, value = self._find(row["field"])
        if value is None and row.get("indices") in self.table:
            return self._indices(row["indices"])
        if value is None or value == "auto":
            return self._default(name, key or row["field"][0], row["default"], row.get("unless", ""))
        if "count" in row:
            return self._counted(key, value, row)
        if "entries" in row:
            return sp.Integer(len(value) if isinstance(value, list) else 1)
        if "total" in row and isinstance(value, list):
            return self._total(key, value, self.formula(row["total"], name))
        if "total" in row:
            return self._number(key, value) * self.formula(row["total"], name)
        return self._number(key, value)

    def _find(self, names: list[str]) -> tuple[str, Any]:
        """Return the first field that has a value; ``a.b`` is field b of the table a."""
        self.asked.update(names)
        for name in names:
            outer, _, inner = name.partition(".")
            value = self.table.get(outer)
            if inner:
                value = value.get(inner) if isinstance(value, dict) else None
            if value is not None:
                return name, value
        return "", None

    def _default(self, name: str, key: str, default: Any, unless: str) -> sp.Expr:
        """The size where the file has none; it has no part in the model where the file has the field `unless`."""
        if isinstance(default, str):
            return self.formula(default, name)
        if self.table.get(unless) is None:
            self.absent[key] = str(default).lower()
        return sp.Integer(int(default))

    def _number(self, key: str, value: Any) -> sp.Expr:
        if isinstance(value, bool):
            return sp.Integer(int(value))
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if type(value) is not int:
            self._refuse(key, f"must be a whole number, not {kind_of(value)}")
        if not 0 <= value <= MOST:
            self._refuse(key, f"is out of range; it must be from 0 to {MOST:,}")
        return sp.Integer(value)

    def _counted(self, key: str, value: Any, row: Mapping[str, Any]) -> sp.Expr:
        kinds, layers = row.get("of"), self.numbers.get("L")
        listed = value if isinstance(value, list) else list(value) if isinstance(value, str) else None
        if listed is None or len(listed) > _LONGEST:
            self._refuse(key, "must be a list with the kind of each layer")
        if layers is not None and len(listed) != layers:
            self._refuse(key, f"has {len(listed)} entries for {layers} layers; it must have one for each")
        unknown = next((kind for kind in listed if kinds is not None and kind not in kinds), None)
        if unknown is not None:
            said = f"{self.where}: {key} has a layer of kind {clipped(str(unknown))}"
            raise BadInput.one_of(said, kinds or ())
        first = int(self.formula(row["first"], key)) if "first" in row else None
        return sp.Integer(sum(kind in row["count"] for kind in listed[:first]))

    def _indices(self, key: str) -> sp.Expr:
        self.asked.add(key)
        value, layers = self.table[key], self.numbers["L"]
        if not (isinstance(value, list) and all(type(i) is int and 0 <= i < layers for i in value)):
            self._refuse(key, f"must be a list of layer numbers from 0 to {layers - 1}")
        return sp.Integer(len(set(value)))

    def _total(self, key: str, value: list[Any], entries: sp.Expr) -> sp.Expr:
        if len(value) != entries:
            self._refuse(
                key, f"has {len(value)} entries for {entries} layers; it must have one for each, or be one number"
            )
        return sp.Add(*(self._number(key, each) for each in value))

    def _stepped(self, step: str, plain: str) -> sp.Expr:
        """Count the layers with experts: each `step`-th, without those that are listed as `plain`."""
        layers = int(self.numbers["L"])
        _, every = self._find([step])
        _, listed = self._find([plain])
        every, listed = 1 if every is None else int(self._number(step, every)), [] if listed is None else listed
        if every < 1:
            self._refuse(step, "is 0; it must be 1 or more")
        if not (isinstance(listed, list) and all(type(i) is int and 0 <= i < layers for i in listed)):
            self._refuse(plain, f"must be a list of layer numbers from 0 to {layers - 1}")
        return sp.Integer(sum((i + 1) % every == 0 for i in set(range(layers)) - set(listed)))

    def _refuse(self, key: str, why: str) -> NoReturn:
        raise BadInput(f"{self.where}: {key} {why}")
