"""The fields of one config, read by what they mean, with the family's names, defaults and rules."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.tomlfile import clipped
from symbolic_mem.models.families import Family, families
from symbolic_mem.models.json_file import kind_of

MOST_LAYERS = 100_000
MOST = 10**9
RULE = "rule"


class Fields:
    """Read one field at a time; `numbers`, `absent` fields, `notes` and what was `asked` for are collected on the way."""

    def __init__(self, table: dict[str, Any], family: Family, where: str) -> None:
        self.table, self.family, self.where = table, family, where
        self.numbers: dict[sp.Symbol, sp.Rational] = {}
        self.absent: dict[str, str] = {}
        self.notes: list[str] = []
        self.asked: set[str] = set()

    def find(self, what: str) -> tuple[str | None, Any]:
        """Return the field that says `what` and its value; a null counts only where no other name has a value."""
        self.asked.update(self.family.keys[what])
        given = [(key, self.table[key]) for key in self.family.keys[what] if key in self.table]
        said = [(key, value) for key, value in given if value is not None]
        if len(said) > 1 and any(value != said[0][1] for _, value in said):
            self.refuse("", f"{said[0][0]} and {said[1][0]} mean the same and differ; keep one")
        return (said or given or [(None, None)])[0]

    def default(self, what: str, key: str | None) -> Any:
        """Return the documented default, and note that the file does not say it."""
        if what not in self.family.defaults:
            self.refuse(what, f"is not in the file, and {self.family.config_class} has no default for it; give it")
        value = self.family.defaults[what]
        names = self.family.keys[what]  # none: a constant of the family's code
        if names:
            self.absent[key or names[0]] = json.dumps(value) if not isinstance(value, str) else value
        return value

    def whole(self, what: str, least: int = 1) -> int:
        """Return a whole number, at least `least` and at most `MOST`, or `MOST_LAYERS` layers."""
        key, value = self.find(what)
        if key is None:
            value = self.default(what, key)
        if type(value) is not int:
            self.refuse(what, f"must be a whole number, not {kind_of(value)}")
        most = MOST_LAYERS if what == "layers" else MOST
        if not least <= value <= most:
            self.refuse(what, f"is {value}; it must be from {least} to {most:,}")
        return value

    def size(self, what: str, symbol: sp.Symbol, rule: sp.Expr | None = None, least: int = 1) -> sp.Expr:
        """Return the symbol of a size and note its number, or the `rule` that it follows when it is not given."""
        if rule is not None:
            key, value = self.find(what) if self.family.reads(what) else (None, None)
            if value is None and (key is not None or what not in self.family.defaults):
                if self.family.reads(what) and self.family.keys[what]:
                    state = "null" if key else "not in the file"
                    self.notes.append(f"{key or self.family.keys[what][0]} is {state}: {symbol} = {rule}.")
                return rule
        number = self.whole(what, least)
        if number == 0:
            return sp.S.Zero
        self.numbers[symbol] = sp.Integer(number)
        return symbol

    def choice(self, what: str) -> bool:
        """Return a true or false."""
        key, value = self.find(what)
        if value is None:
            value = self.default(what, key)
        if not isinstance(value, bool):
            self.refuse(what, f"must be true or false, not {kind_of(value)}")
        return value

    def kinds(self, what: str, allowed: tuple[str, ...], layers: int) -> list[str]:
        """Return a list that says the kind of each of the `layers`."""
        value = self.find(what)[1]
        if not (isinstance(value, list) and len(value) == layers and all(kind in allowed for kind in value)):
            said = f"has {len(value)} entries for {layers} layers" if isinstance(value, list) else "is no list"
            self.refuse(what, f"{said}; it must say {' or '.join(allowed)} for each of the {layers} layers")
        return value

    def layers(self, what: str, layers: int) -> list[int] | None:
        """Return a list of layer numbers, or None where neither the file nor the family gives one."""
        key, value = self.find(what)
        if value is None:
            value = self.default(what, key) if self.family.defaults[what] != RULE else None
            if value is None:
                return None
        if not (isinstance(value, list) and all(type(i) is int and 0 <= i < layers for i in value)):
            self.refuse(what, f"must be a list of layer numbers from 0 to {layers - 1}")
        return value

    def fraction(self, what: str) -> sp.Rational:
        """Return a fraction of one, exactly as it is written; it may stand in the table of the rotary parameters."""
        key, value = self.find(what)
        for table in ("rope_parameters", "rope_scaling"):
            nested = self.table.get(table)
            if value is None and isinstance(nested, dict):
                value = next((nested[name] for name in self.family.keys[what] if nested.get(name) is not None), None)
        if value is None:
            value = self.default(what, key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
            self.refuse(what, "must be a fraction: more than 0, at most 1")
        return sp.Rational(repr(value))

    def probability(self, what: str) -> sp.Rational:
        """Return a probability of dropout, exactly as it is written."""
        key, value = self.find(what)
        if value is None:
            value = self.default(what, key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
            self.refuse(what, "must be a probability: 0 or more, less than 1")
        return sp.Rational(repr(value))

    def activation(self) -> str:
        """Return the activation function, by the name that the layers use."""
        key, value = self.find("activation")
        if value is None:
            value = self.default("activation", key)
        known = families().activations
        if not isinstance(value, str):
            self.refuse("activation", f"must be the name of a function, not {kind_of(value)}")
        if value not in known:
            raise BadInput.unknown(f"{self.place('activation')} is {clipped(value)}", value[:60], known)
        return known[value]

    def name(self, what: str) -> str:
        """Return the field that says `what`: the one in the file, else the preferred one."""
        return self.find(what)[0] or next(iter(self.family.keys[what]), what)

    def place(self, what: str) -> str:
        """Return where the field that says `what` stands."""
        return f"{self.where}: {self.name(what)}"

    def refuse(self, what: str, why: str) -> NoReturn:
        """Raise `BadInput` about the field that says `what`."""
        raise BadInput(f"{self.place(what)} {why}" if what else f"{self.where}: {why}")
