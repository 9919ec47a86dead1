"""Expressions as a page of its own script sets them: what is typeset as data, so that symbols and numbers share one form."""

from __future__ import annotations

import json
from collections.abc import Sequence

import sympy as sp

from symbolic_mem.base.symbols import Name
from symbolic_mem.render.typeset import Typesetter


class Script(Typesetter):
    """Each method returns JSON: a list that starts with the name of what it is, or the name of a symbol alone."""

    def digits(self, text: str) -> str:
        return json.dumps(["n", text], ensure_ascii=False)

    def scientific(self, mantissa: str, exponent: int) -> str:
        return json.dumps(["e", mantissa, exponent])

    def name(self, name: Name, exponent: str = "") -> str:
        own = json.dumps(name.symbol.name, ensure_ascii=False)
        return f'["^",{own},{exponent}]' if exponent else own

    def words(self, text: str) -> str:
        return json.dumps(["t", text], ensure_ascii=False)

    def operator(self, sign: str) -> str:
        return json.dumps(["o", sign], ensure_ascii=False)

    def mark(self) -> str:
        return self.operator("≈")

    def product(self, factors: Sequence[str], dotted: bool) -> str:
        return f'["*",{",".join(factors)}]'

    def row(self, parts: Sequence[str]) -> str:
        return f'["r",{",".join(parts)}]'

    def fraction(self, above: str, below: str) -> str:
        return f'["/",{above},{below}]'

    def coefficient(self, above: str, below: str) -> str:
        return f'["k",{self.digits(above)},{self.digits(below)}]'

    def power(self, base: str, exponent: str) -> str:
        return f'["^",{base},{exponent}]'

    def root(self, radicand: str) -> str:
        return f'["v",{radicand}]'

    def fenced(self, left: str, inner: str, right: str) -> str:
        return f'["(",{json.dumps(left, ensure_ascii=False)},{inner},{json.dumps(right, ensure_ascii=False)}]'

    def call(self, function: str, arguments: Sequence[str]) -> str:
        return f'["F",{json.dumps(function)},{",".join(arguments)}]'


def script(expr: sp.Basic) -> str:
    """Return how an expression is typeset as JSON: ``["*", ...]`` a product, ``["^", x, k]`` a power, ``"L"`` a symbol.

    >>> from symbolic_mem.base.symbols import L, d_model
    >>> script(16 * L * d_model**2)
    '["*",["n", "16"],"L",["^","d_model",["n", "2"]]]'
    """
    return Script().expr(expr)
