"""The accounts of a study as data: which terms there are at each instant, each with its bytes as nodes, every thing once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import sympy as sp

from symbolic_mem.accounts.instant import Instant
from symbolic_mem.accounts.left_out import ROWS
from symbolic_mem.accounts.places import many_blocks
from symbolic_mem.accounts.terms import Term
from symbolic_mem.accounts.timeline import possible
from symbolic_mem.accounts.together import together
from symbolic_mem.accounts.units import units
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import missing
from symbolic_mem.base.nodes import Nodes
from symbolic_mem.base.symbols import B, S, n_fsdp
from symbolic_mem.explore.ruled import cut_as_data, rules_as_data
from symbolic_mem.models.tensors import KINDS, STATIC
from symbolic_mem.questions.min_degree import MinDegree
from symbolic_mem.questions.parts.assumptions import groups_beside, ranks_beside
from symbolic_mem.questions.parts.instants import instants, kept_instants, need_asked, words_of
from symbolic_mem.questions.parts.one_device import fewest
from symbolic_mem.questions.parts.uncounted import is_a_run, taken_beside, uncounted, weighed
from symbolic_mem.questions.parts.words import reading_of
from symbolic_mem.render.script import script
from symbolic_mem.render.text import plain_prose
from symbolic_mem.solvers.tokens import in_tokens
from symbolic_mem.study.study import Study


class Pool:
    """A growing list in which equal things stand once."""

    def __init__(self) -> None:
        self.listed: list[Any] = []
        self._places: dict[str, int] = {}

    def put(self, thing: Any) -> int:
        """Return the place of a thing that JSON can write."""
        key = json.dumps(thing)
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = len(self.listed)
            self.listed.append(thing)
        return place


INSTANT = 6  # values of an instant before its terms
LEAVING, AT_LEAST, ALONE = "that leave {1} when divided by {0}", "of at least {2}", "of {2}"


class _Sum:
    """A sum of products of nodes, each by its place: what arithmetic writes where it looks up no numbers."""

    def __init__(self, products: tuple[tuple[int, ...], ...]) -> None:
        self.products = products

    def __mul__(self, other: _Sum | int) -> _Sum:
        if isinstance(other, int):
            assert other == 1, "a product starts with 1"
            return self
        if len(self.products) == len(other.products) == 1:  # as nearly all are
            return _Sum((self.products[0] + other.products[0],))
        return _Sum(tuple((*one, *two) for one in self.products for two in other.products))

    def __add__(self, other: _Sum | int) -> _Sum:
        return self if other == 0 else _Sum((*self.products, *cast(_Sum, other).products))

    __rmul__, __radd__ = __mul__, __add__


class _Written(dict[sp.Basic, _Sum]):
    """Stands where numbers are looked up, and gives the node of what is looked up."""

    def __init__(self, nodes: Nodes) -> None:
        self.nodes = nodes

    def __missing__(self, expr: sp.Basic) -> _Sum:
        found = self[expr] = _Sum(() if expr == 0 else ((self.nodes.add(expr),),))
        return found


class Ledgers:
    """Collects the ledgers of many settings of one question.

    A term is ``[name, kind, layer?, bytes, degree, tokens, tree, experts?, cut]``: `degree` is what it is divided over before it is placed (null: nothing), as ``[node, n?]`` with the node of it at n = 1; `tokens` says
    whether it grows with B S, does not know them (0), or is not so simple (null); `cut` is what `cut_as_data` says.
    An instant is ``[words, turn, count, group, inside, states, ...terms]``: `turn` is where its phase and its turn in that stand,
    `count` where it stands that there must be so many blocks, `group` and `inside` the group and the node of what differs inside
    one block (-1: nothing), `states` the place of the list of those terms that come first at many instants.
    """

    def __init__(self, question: MinDegree) -> None:
        self.question = question
        self.nodes, self.trees, self.terms, self.instants, self.ledgers = Nodes(), Pool(), Pool(), Pool(), Pool()
        self.words, self.placements, self.counts, self.states, self.ruled = Pool(), Pool(), Pool(), Pool(), Pool()
        self.turns = Pool()
        self.rules: Sequence[Any] = ()
        self.cuts: tuple[type, ...] = ()
        self.ranked = False
        self._looked_up = _Written(self.nodes)
        self._sums: dict[tuple[tuple[int, ...], ...], int] = {}
        self._terms: dict[Any, int] = {}
        self._known: dict[Any, tuple[Term, int]] = {}
        self._seen: dict[int, tuple[Instant, int]] = {}
        self._trees: dict[sp.Basic, int] = {}
        self._tokens: dict[sp.Basic, int | None] = {}

    def add(self, study: Study) -> list[Any]:
        """Return the ledger of a study as the question sees it, its placement, its rules and what else depends on a choice.

        These are places, the number of devices for each of the degree, the place of the ledger of one device, and how the
        loss cuts tokens.
        Raises `BadInput` where the question has no answer of this kind.
        """
        if not study.recipe.trains:
            raise BadInput(
                f"recipe {study.recipe.name!r} is one of inference, which a page of play does not show; ask account, "
                "solve --for B or fit --on"
            )
        rules = self.question.rules_for(study, self.question.symbol)
        self.rules, self.cuts = rules, tuple(map(type, rules))
        self.ranked = study.plan is not None and bool(study.plan.engine)
        told = self.ruled.put(rules_as_data(rules, study, self.nodes))
        ranks = ranks_beside(study, self.question.symbol)
        cut = [study.built.chunks, study.built.loss] if study.built.chunks != 1 else []
        ledger = self.ledger(study)
        return [ledger, self.placement(study), told, ranks, self._on_one(study, ledger), *cut]

    def _on_one(self, study: Study, there: int) -> int:
        """The ledger of the fewest devices, where a plan may gather nothing, or nothing that it has gathered stays."""
        if not self.ledgers.listed[there]["step"] or (study.plan is not None and study.plan.engine):
            return there
        symbol = self.question.symbol
        first = fewest(study, symbol)
        return self.ledger(replace(study, values={**study.values, symbol: sp.Integer(first)}, at=None), first)

    def placement(self, study: Study) -> int:
        """Where each kind lives: the fraction that is divided, over what, and whether the rest is kept."""
        n, told = self.question.symbol, {}
        for kind, placed in study.placement.items():
            of_experts = [] if placed.experts is None else self._degree(placed.experts, n)
            share = [*map(str, _ratio(placed.fraction)), placed.rest == "kept"]
            told[kind] = [*share, *self._degree(placed.degree, n), *of_experts]
        reading = reading_of(study.placement)
        words = None if reading is None else plain_prose(reading)
        return self.placements.put(
            {"kinds": told, "reading": words, "placed": bool(told), "beside": groups_beside(study)}
        )

    def ledger(self, study: Study, first: int = 1) -> int:
        """The place of the instants at which the memory must fit, as `instants` gives them, with those that other sizes would have.

        Where blocks are recomputed by turns of two, those of the other remainder of their number stand in a ledger `or` it.
        """
        made, turned = self._ledger(study, first), _turned(study)
        if made["when"] and turned is not None:
            made["or"] = self.ledgers.put(self._ledger(turned, first))
        return self.ledgers.put(made)

    def _ledger(self, study: Study, first: int) -> dict[str, Any]:
        """The instants of one ledger.

        Those of the fewest devices say how many these are, where they are not one. What is not counted and has a size stands
        beside them, as a node.
        """
        kinds = self.question.counted
        step = set(kinds) == set(KINDS) and bool(study.timeline)
        if step:
            replicas = study.plan is None or study.plan.replicas
            every = (
                study.timeline
                if study.plan is not None and study.plan.engine
                else possible(study.rank, study.recipe, study.placement, study.numbers, study.keep, replicas=replicas)
            )
            places = [self._instant(study.seen_at(one), one) for one in every]
            when = self._when(study)
        else:
            places, when = [self._kept(one) for one in kept_instants(study, kinds)], []
        need_asked(study, self.question.symbol, *(one.placed(kinds) for one in instants(study, kinds)))
        beside, fewer = self._beside(study.without(self.question.symbol)), {} if first == 1 else {"first": first}
        return {"step": step, "when": when, "instants": _runs(places), **beside, **fewer}

    def _beside(self, study: Study) -> Mapping[str, int]:
        """The node of the most that is not counted of a run at one moment, as `uncounted_bytes` has it; nothing where no size is known."""
        if not is_a_run(study):
            return {}
        here = instants(study, self.question.counted)[0]
        found = uncounted(here, degree=n_fsdp in (self.question.symbol, *study.values))
        found = [one for one in found if one.size is not None and weighed(here, one)]
        sized = [one for one in found if not (one.name == ROWS and self.question.padded_rows)]
        if all(one.name == ROWS for one in sized):
            return {}
        n = self.question.symbol
        sizes = (
            (one, self.nodes.add(size * (1 - sp.floor(1 / n)) if one.among == n else size))
            for one in sized
            if (size := taken_beside(here, one, self.question.counted)) is not None
            if one.there(study.values)
        )
        return {"beside": self.nodes.put("M", [self.nodes.put("+", places) for places in together(sizes)])}

    def _when(self, study: Study) -> list[Any]:
        """For which numbers of blocks the instants are these, where a rule of recomputation counts blocks, in words and numbers.

        These are a divisor with its remainder, the fewest, and the most, where there are.
        """
        how = study.recipe.recompute
        ends = [one.end for one in units(study.model).blocks if not missing(one.end, study.values)]
        found: list[Any] = []
        for end in ends if how.period > 1 or how.rule == "block" else ():
            number = int(study.numbers[end])
            if how.rule != "block":
                rest, which = number % how.period, LEAVING
                told: list[int] = [how.period, rest, 1]
            elif number >= many_blocks(how):
                told, which = [1, 0, many_blocks(how)], AT_LEAST
            else:
                told, which = [1, 0, number, number], ALONE
            words = which.format(*told)
            found.append([self.nodes.add(end), words, *told])
        return found

    def _instant(self, study: Study, at: Instant) -> int:
        """The place of an instant; one that several settings share is read once."""
        if id(at) not in self._seen:
            self._seen[id(at)] = (at, self._read(study, at))
        return self._seen[id(at)][1]

    def _read(self, study: Study, at: Instant) -> int:
        inside = None
        if at.inside is not None:
            inside = [self.words.put(f"{at.name}\n{at.place}"), self._written(at.inside)]
        most = [at.most] if at.most is not None else []
        count = [self.nodes.add(at.count), at.least, *most]
        return self._put(study, at.words, [at.phase, at.turn], count, inside)

    def _written(self, size: Callable[[Any], Any]) -> int:
        """The node of what a function of numbers computes by sums and products."""
        found = size(self._looked_up)
        products = () if found == 0 else cast(_Sum, found).products
        if products not in self._sums:  # many moments differ in the same bytes
            each = [self.nodes.put("*", [p for p in one if self.nodes.listed[p] != 1]) for one in products]
            self._sums[products] = self.nodes.put("+", each)
        return self._sums[products]

    def _kept(self, study: Study) -> int:
        return self._put(study, plain_prose(words_of(study)), ["", 0], [self.nodes.add(sp.S.One), 1], None)

    def _put(self, study: Study, words: str, turn: list[Any], count: list[int], inside: list[int] | None) -> int:
        memory = study.memory.of(*self.question.counted)
        terms = [self.term(term) for term in memory.terms]
        states = [place for place, term in zip(terms, memory.terms, strict=True) if term.kind in STATIC]
        if terms[: len(states)] != states:
            states = []
        first = [
            self.words.put(words),
            self.turns.put(turn),
            self.counts.put(count),
            *(inside or (-1, -1)),
            self.states.put(states),
        ]
        return self.instants.put([*first, *terms[len(states) :]])

    def term(self, term: Term) -> int:
        """The place of a term that is not placed yet; the very same one, which many instants share, is looked at once."""
        here = (id(term), self.cuts, self.ranked)
        if here not in self._known:
            self._known[here] = (term, self._place_of(term))
        return self._known[here][1]

    def _place_of(self, term: Term) -> int:
        sizes = term.parts or (term.elements,)
        whole = self._whole(term)
        key = (term.name, term.kind, term.layer, term.bytes_per_element, sizes, term.degree, whole, term.experts)
        key = (*key, term.padded, self.cuts)
        found = self._terms.get(key)
        if found is None:
            found = self._terms[key] = self._term(term)
        return found

    def _term(self, term: Term) -> int:
        degree = [] if term.degree == 1 else self._degree(term.degree, self.question.symbol)
        parts = [sp.Mul(part.copies, *part.shape) for part in term.parts] or [term.elements]
        cut = cut_as_data(term, self.rules, self.question.symbol, self.nodes)
        grows = {self._growth(part) for part in parts}
        tokens = grows.pop() if len(grows) == 1 else None
        layer = term.kind == "activations" and bool(term.layer)
        return self.terms.put(
            [
                self.words.put(term.name),
                KINDS.index(term.kind),
                layer,
                self._bytes(term),
                degree,
                tokens,
                self.tree(self._whole(term)),
                int(term.experts),
                cut or 0,
            ]
        )

    def _whole(self, term: Term) -> sp.Expr:
        """The bytes of a term as they are written: in short, unless each rank of a pipeline has parameters of its own."""
        return term.undivided_bytes if term.short is None or self.ranked else term.short

    def _bytes(self, term: Term) -> int:
        nodes = self.nodes
        if not term.made_later("elements"):
            return nodes.put("*", [nodes.add(term.bytes_per_element), nodes.add(term.elements)])
        sizes = [nodes.product((part.copies, *part.shape)) for part in term.parts]
        return nodes.put("*", [nodes.add(term.bytes_per_element), nodes.put("+", sizes)])

    def _growth(self, part: sp.Expr) -> int | None:
        """How a part grows with the tokens B S: 1 in proportion, 0 not at all, None in another way."""
        if part not in self._tokens:
            written = in_tokens(part)
            plain = not (part.has(B) or part.has(S))
            powers = part.as_powers_dict()
            once = written is not None and powers.get(B) == powers.get(S) == 1
            self._tokens[part] = 0 if plain else 1 if once else None
        return self._tokens[part]

    def _degree(self, degree: sp.Expr, n: sp.Symbol) -> list[Any]:
        """A degree at n = 1, and whether it has n; `BadInput` where n is in it in another way than as a factor."""
        by = degree.xreplace({n: sp.S.One})
        if degree.has(n) and sp.cancel(degree / n - by) != 0:
            raise BadInput(f"the memory depends on {n} in another way than U + P/{n}")
        return [self.nodes.add(by), degree.has(n)]

    def tree(self, formula: sp.Basic) -> int:
        """The place of how a formula is typeset."""
        if formula not in self._trees:
            self._trees[formula] = self._shared(json.loads(script(formula)))
        return self._trees[formula]

    def _shared(self, tree: Any) -> int:
        """The place of a tree, in which the places of its parts stand for them; signs, digits and fences stand as they are."""
        if not isinstance(tree, list) or tree[0] in ("n", "e", "t", "o"):
            return self.trees.put(tree)
        if tree[0] == "(":
            return self.trees.put(["(", tree[1], self._shared(tree[2]), tree[3]])
        kept = 2 if tree[0] == "F" else 1
        return self.trees.put([*tree[:kept], *map(self._shared, tree[kept:])])


def _runs(places: Sequence[int]) -> list[int]:
    """Places as pairs: the first of some that follow each other, and how many they are.

    >>> _runs([4, 5, 6, 1])
    [4, 3, 1, 1]
    """
    runs: list[int] = []
    for place in places:
        if runs and place == runs[-2] + runs[-1]:
            runs[-1] += 1
        else:
            runs += [place, 1]
    return runs


def _ratio(number: sp.Rational) -> tuple[int, int]:
    return int(number.p), int(number.q)


def definitions(study: Study, ledgers: Ledgers) -> Mapping[str, list[int]]:
    """The named parts that short formulas use, such as P: the node and the tree of each."""
    found = study.seen_at(None).memory.definitions
    return {str(symbol): [ledgers.nodes.add(expr), ledgers.tree(expr)] for symbol, expr in found}


def _turned(study: Study) -> Study | None:
    """The study with one block more, where a rule recomputes by turns of two: a step of it has the other instants that there are."""
    how, kinds = study.recipe.recompute, units(study.model).blocks
    end = kinds[0].end if len(kinds) == 1 else None
    if how.period != 2 or how.rule == "block" or not isinstance(end, sp.Symbol) or end not in study.values:
        return None
    return replace(study, values={**study.values, end: study.values[end] + 1}, at=None)
