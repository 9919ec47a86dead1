"""The question `flops`: the matrix products of a forward pass, and which part of the model needs how much of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.ledger import Ledger, Line
from symbolic_mem.base.rational import fraction
from symbolic_mem.base.symbols import local
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Prose
from symbolic_mem.document.steps import Block
from symbolic_mem.models.named import PRODUCTS
from symbolic_mem.models.tensors import Matmul
from symbolic_mem.questions.parts.flops_steps import PARTS, TOTAL, case_blocks, in_cases, one_blocks, one_sentence
from symbolic_mem.questions.parts.keys import one_of, values
from symbolic_mem.questions.parts.worked import Case, cases
from symbolic_mem.study.answered import answer_to
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.found import Found
from symbolic_mem.study.keys import key, sets
from symbolic_mem.study.question import Question, symbols_in
from symbolic_mem.study.setting import Change
from symbolic_mem.study.study import Study

FACTOR = local("r", "forward")
ABOUT = ("products", "shares")


@dataclass(frozen=True, repr=False)
class Flops(Question):
    """Floating-point operations of one forward pass over the batch, product by product, or part by part."""

    ask = "flops"
    subject = "formulas"

    about: str = key(one_of(*ABOUT), "products")
    values: tuple[Change, ...] = sets(values)
    cases: tuple[Case, ...] = key(cases, ())

    @property
    def unknowns(self) -> tuple[str, ...]:
        """What the cases give values to, and the question for itself."""
        return (*(self.cases[0].symbols if self.cases else ()), *(change.aspect for change in self.values))

    def reads(self, study: Study) -> frozenset[str]:
        """The names of the symbols in the products, and in the sizes of the model, that its cases do not fix."""
        sizes = symbols_in(study.model.layers)
        return frozenset(map(str, (*study.model.forward_flops.free_symbols, *sizes))) - {*self.finds}

    def answer(self, study: Study) -> FoundFlops | FoundFlopsOfCases:
        """Count the products of every layer; raises `MissingValue` for a symbol without a value."""
        if not self.cases:
            return self._counted(study)
        found = tuple((case, self._counted(study.changed(case.values))) for case in self.cases)
        return FoundFlopsOfCases(study, self, found)

    def _counted(self, study: Study) -> FoundFlops:
        products = tuple(
            Product(matmul, layer.repeat, matmul.group or layer.name)
            for layer in study.model.layers
            for matmul in layer.matmuls
        )
        if not products:
            raise BadInput(f"question {self.label}: the {study.model.name} has no matrix product that is known")
        study.need(sp.Add(*(product.flops for product in products)), f"question {self.label}")
        return FoundFlops(study, self, products)

    def steps(self, found: FoundFlops | FoundFlopsOfCases) -> Iterator[Block]:
        """List the products, sum them part by part, and put the parts beside each other."""
        if isinstance(found, FoundFlopsOfCases):
            return case_blocks(found)
        return one_blocks(found, products=self.about == "products")

    def sentence(self, found: FoundFlops | FoundFlopsOfCases) -> Prose:
        """Say the operations of all products and the share of each part; of several cases how they change."""
        return in_cases(found) if isinstance(found, FoundFlopsOfCases) else one_sentence(found)

    def heading(self, found: FoundFlops | FoundFlopsOfCases) -> str:
        """The title where the study gives none."""
        return self.title or "The matrix products of a forward pass"

    @cached_property
    def claimable(self) -> tuple[str, ...]:
        """What can be claimed: the operations and the share of each part, and all operations, in every case."""
        lines = (*(local("F", part) for part in PRODUCTS), TOTAL, *(local("share", part) for part in PRODUCTS))
        if not self.cases:
            return tuple(map(str, lines))
        return (*(str(case.of(one)) for case in self.cases for one in lines), FACTOR.name)

    def claims(self, study: Study) -> Mapping[str, Claimed]:
        """The operations of every part and of all, and the shares, by the names of their lines."""
        return {
            str(entry.line.symbol): Claimed(fraction(entry.value), "number", entry.line.says, unit=entry.line.unit)
            for entry in answer_to(study, self).ledger
        }


@dataclass(frozen=True)
class Product:
    """A product of matrices that a forward pass makes `times`, and the `part` of the model that it counts to."""

    matmul: Matmul
    times: sp.Expr
    part: str

    @property
    def flops(self) -> sp.Expr:
        """Floating-point operations of all repetitions."""
        return self.times * self.matmul.flops


@dataclass(frozen=True, repr=False)
class FoundFlops(Found):
    """The products in the order of the layers."""

    products: tuple[Product, ...]

    @cached_property
    def parts(self) -> Mapping[str, sp.Expr]:
        """The operations of each part as a formula, in the order in which the parts come."""
        found: dict[str, sp.Expr] = {}
        for product in self.products:
            found[product.part] = found.get(product.part, sp.S.Zero) + product.flops
        return found

    def number(self, part: str) -> sp.Expr:
        """The operations of a part."""
        return self.parts[part].xreplace(dict(self.study.values))

    @property
    def value(self) -> sp.Expr:
        """The operations of all products."""
        return sp.Add(*(self.number(part) for part in self.parts))

    def share(self, part: str) -> sp.Expr:
        """The share of a part in all, in percent."""
        return 100 * self.number(part) / self.value

    @property
    def ledger(self) -> Ledger:
        """The operations of each part, and of all, and the share of each part."""
        symbols = {part: local("F", part) for part in self.parts}
        lines = [Line(symbols[part], formula, "FLOP", PARTS.get(part, part)) for part, formula in self.parts.items()]
        lines.append(Line(TOTAL, sp.Add(*symbols.values()), "FLOP", "all products"))
        shares = [
            Line(local("share", part), 100 * symbol / TOTAL, "%", f"{PARTS.get(part, part)}, share")
            for part, symbol in symbols.items()
        ]
        return Ledger((*lines, *shares), self.study.values)

    @property
    def facts(self) -> Mapping[str, Any]:
        """All operations, and by part their number and their share in percent."""
        parts = {part: {"value": self.number(part), "percent": self.share(part)} for part in self.parts}
        return {"value": self.value, "unit": "FLOP", "parts": parts}


@dataclass(frozen=True, repr=False)
class FoundFlopsOfCases(Found):
    """The products of every case."""

    cases: tuple[tuple[Case, FoundFlops], ...]

    @property
    def ledger(self) -> Ledger:
        """The lines of every case, as numbers: ``F_mlp, small``; and how much larger all is in the last than in the first."""
        lines = [
            Line(case.of(entry.line.symbol), entry.value, entry.line.unit, entry.line.says)
            for case, found in self.cases
            for entry in found.ledger
        ]
        first, last = (self.cases[k][0].of(TOTAL) for k in (0, -1))
        return Ledger((*lines, Line(FACTOR, last / first, "times", "all products, factor")), self.study.values)

    @property
    def facts(self) -> Mapping[str, Any]:
        """By case what a single one would say."""
        return {"cases": {case.name: found.facts for case, found in self.cases}}
