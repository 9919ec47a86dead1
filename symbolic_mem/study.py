"""`Study`: everything that a TOML file declares, checked key by key: model, recipe, values, placement, questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sympy as sp

from symbolic_mem.account import account
from symbolic_mem.asks import ASKS
from symbolic_mem.errors import BadInput, MissingValue, nearest
from symbolic_mem.evaluate import missing
from symbolic_mem.formula import read_formula, read_number
from symbolic_mem.hardware import READINGS, device
from symbolic_mem.models.build import Built, build_model
from symbolic_mem.models.tensors import Model
from symbolic_mem.placement import RESTS, Placed, place
from symbolic_mem.read import entry, known_keys, parse_toml, read_toml
from symbolic_mem.recipes.recipe import Recipe, recipe
from symbolic_mem.recipes.recompute import COUNTED, Recompute
from symbolic_mem.solve.capacity import Capacity, capacity_from, capacity_of
from symbolic_mem.symbols import lookup, n_fsdp, named, table
from symbolic_mem.terms import KINDS, STATIC, Memory

if TYPE_CHECKING:
    from symbolic_mem.comms.network import Network

CONFIG_RECIPE = "fsdp2"
MAX_VALUE = 10**30
_TOP = ("title", "source", "text", "notes", "model", "values", "recipe", "placement", "capacity", "network", "question")
_PLACED = ("fraction", "over", "rest")


@dataclass(frozen=True)
class Question:
    """One question of a study: its label, what is asked, and the options of that kind of question as written."""

    label: str
    ask: str
    options: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""

    def get(self, key: str, default: Any = None) -> Any:
        """Return an option, or the default where the study does not give it."""
        return self.options.get(key, default)


@dataclass(frozen=True)
class Study:
    """What a study file declares; `overridden` is what the caller changed, for the document to say.

    `moment` is that of the account, where gradients do not persist.
    """

    name: str
    title: str
    built: Built
    recipe: Recipe
    values: Mapping[sp.Symbol, sp.Rational]
    placement: Mapping[str, Placed] = field(default_factory=dict)
    questions: tuple[Question, ...] = ()
    source: str = ""
    text: str = ""
    notes: tuple[str, ...] = ()
    overridden: tuple[str, ...] = ()
    devices: str | None = None
    network: Network | None = None
    moment: str = "backward"

    @property
    def model(self) -> Model:
        """What is trained."""
        return self.built.model

    @cached_property
    def memory(self) -> Memory:
        """The memory of the whole training at its `moment` (see `account`), before it is placed."""
        return account(self.model, self.recipe, self.moment)

    def placed(self, rest: str | None = None, kinds: tuple[str, ...] = ()) -> Memory:
        """The memory of one device; `rest` overrides what happens to undivided fractions, `kinds` keeps only some."""
        placement = self.placement
        if rest is not None:
            placement = {kind: replace(placed, rest=rest) for kind, placed in placement.items()}
        memory = self.memory.of(*kinds) if kinds else self.memory
        return place(memory, placement)

    def need(self, expr: sp.Expr, what: str) -> None:
        """Raise `MissingValue` when a symbol of `expr` has no value, other than a degree that is solved for."""
        absent = missing(expr, self.values)
        if absent:
            raise MissingValue(absent, what)

    def under(self, question: Question) -> Study:
        """The study with the values that the question gives for itself."""
        if "values" not in question.options:
            return self
        return replace(self, values={**self.values, **read_values(question.get("values"), f"{question.where} values")})

    def capacity(self, question: Question) -> Capacity:
        """The capacity that a question names: a device in a reading, or an amount with its unit."""
        limits: dict[str, Any] = {}
        if "reserved" in question.options:
            limits["reserved"] = capacity_from(str(question.options["reserved"])).nominal
        if "usable" in question.options:
            limits["usable"] = read_number(str(question.options["usable"]), "the usable fraction")
        if "capacity" in question.options:
            return capacity_from(str(question.options["capacity"]), **limits)
        if "device" in question.options:
            chosen = device(str(question.options["device"]), self.devices)
            return capacity_of(chosen, str(question.options.get("reading", "binary")), **limits)
        raise BadInput(f'{question.where}: no capacity; give device = "h100-80gb" or capacity = "80 GiB"')


def bundled() -> dict[str, str]:
    """Return the names of the bundled studies and their titles."""
    folder = Path(__file__).with_name("studies")
    found = {}
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if path.name.endswith(".toml"):
            content = parse_toml(path.read_bytes(), path.name)
            found[path.name.removesuffix(".toml")] = entry(content, "title", str, path.name)
    return found


def load_study(name: str, devices: str | None = None) -> Study:
    """Load a study: the name of a bundled one, or the path of a ``.toml`` study or of a ``config.json``.

    >>> load_study("cs336-a2-xxl").model.parameters
    2*L*d_ff*d_model
    """
    if name.endswith((".toml", ".json")) or "/" in name:
        path = Path(name)
        if path.suffix == ".json":
            return _of_config(path, devices)
        return read_study(read_toml(path), str(path), path.name.removesuffix(".toml"), path.parent, devices)
    folder = Path(__file__).with_name("studies")
    chosen = folder / f"{name}.toml"
    if not name or not chosen.is_file():
        known = bundled()
        raise BadInput(f"unknown study {name!r}; {nearest(name, known)}; or give the path of a .toml file")
    return read_study(parse_toml(chosen.read_bytes(), name), name, name, folder, devices)


def read_study(content: Mapping[str, Any], where: str, name: str, folder: Path, devices: str | None = None) -> Study:
    """Check the parsed `content` of a study file and return the `Study`."""
    known_keys(content, _TOP, where)
    model_table = entry(content, "model", dict, where)
    built = build_model(model_table, f"{where} [model]", folder)
    values = dict(built.values)
    values |= read_values(entry(content, "values", dict, where, {}), f"{where} [values]")
    built.check(values, f"{where} [values]")
    notes = entry(content, "notes", list, where, [])
    network = None
    if "network" in content:
        from symbolic_mem.comms.read import read_network

        table_of_rates = entry(content, "network", dict, where)
        network, rates = read_network(table_of_rates, values, f"{where} [network]", devices)
        values |= rates
    return Study(
        name=name,
        title=_printable(entry(content, "title", str, where), "title", where),
        built=built,
        recipe=Recipe.from_table(entry(content, "recipe", dict, where, {}), f"{where} [recipe]"),
        values=values,
        placement=_placement(entry(content, "placement", dict, where, {}), f"{where} [placement]"),
        questions=_questions(entry(content, "question", list, where, []), where),
        source=_printable(entry(content, "source", str, where, ""), "source", where),
        text=_printable(entry(content, "text", str, where, ""), "text", where),
        notes=tuple(_printable(str(note), "notes", where) for note in notes),
        devices=devices,
        network=network,
    )


def read_values(content: Mapping[str, Any], where: str) -> dict[sp.Symbol, sp.Rational]:
    """Check a table of values, each under the name of its symbol, and return them by symbol.

    >>> read_values({"L": 2}, "my.toml [values]")
    {L: 2}
    """
    return {_symbol(key, where): _value(key, value, where) for key, value in content.items()}


def override(
    study: Study,
    *,
    values: Mapping[str, str] | None = None,
    recipe_name: str | None = None,
    device_name: str | None = None,
    capacity: str | None = None,
    reading: str | None = None,
    fractions: Mapping[str, str] | None = None,
    rest: str | None = None,
    profile: str | None = None,
    kernel: str | None = None,
    optimizer_name: str | None = None,
    recompute: str | Mapping[str, Any] | None = None,
) -> Study:
    """Return the study with what a caller changed: the command line's ``--set``, ``--recipe``, ``--place`` and so on.

    `recompute` is a rule as `Recompute.read` takes it, or its short form on the command line: ``every=2``.
    """
    said = []
    new_values = dict(study.values)
    for key, text in (values or {}).items():
        new_values[_symbol(key, "--set")] = _value(key, _typed(text), "--set")
        said.append(f"{key} = {text}")
    placement = dict(study.placement)
    for kind, fraction in (fractions or {}).items():
        if kind not in KINDS:
            raise BadInput(f"--place: unknown kind {kind!r} of memory; {nearest(kind, KINDS)}")
        old = placement.get(kind, Placed(n_fsdp))
        placement[kind] = replace(old, fraction=_fraction(fraction, "--place"))
        said.append(f"{fraction} of the {kind} divided")
    if rest is not None:
        if rest not in RESTS:
            raise BadInput(f"--rest: unknown {rest!r}; {nearest(rest, RESTS)}")
        placement = {kind: replace(placed, rest=rest) for kind, placed in placement.items()}
        said.append(f"the rest is {rest}")
    if reading is not None and reading not in READINGS:
        raise BadInput(f"--reading: unknown reading {reading!r}; {nearest(reading, READINGS)}")
    asked = [q for q in study.questions if rest is None or "rest" not in q.options]
    if device_name is not None:
        said.append(f"device {device(device_name, study.devices).name}")
    said += [f"capacity {capacity}"] * (capacity is not None) + [f"{reading} reading"] * (reading is not None)
    if recipe_name is not None:
        said.append(f"recipe {recipe_name}")
    if profile is not None:
        said.append(f"profile {profile}")
    if kernel is not None:
        said.append(f"attention kernel {kernel}")
    chosen = study.recipe if recipe_name is None else recipe(recipe_name).with_recompute(study.recipe.recompute)
    if optimizer_name is not None:
        chosen = chosen.with_optimizer(optimizer_name)
        said.append(f"optimizer {optimizer_name}")
    if recompute is not None:
        chosen = chosen.with_recompute(Recompute.read(_rule(recompute), "--recompute"))
        said.append(f"recomputation: {chosen.recompute}")
    built = study.built if profile is None and kernel is None else study.built.under(profile, kernel)
    built.check(new_values, "--set")
    return replace(
        study,
        built=built,
        values=new_values,
        recipe=chosen,
        placement=placement,
        questions=tuple(_asked(question, device_name, capacity, reading) for question in asked),
        overridden=study.overridden + tuple(said),
    )


def _asked(question: Question, device_name: str | None, capacity: str | None, reading: str | None) -> Question:
    """A question with its own choices replaced by the caller's."""
    options = dict(question.options)
    if not {"device", "capacity"} & set(ASKS[question.ask].keys):
        return question
    if device_name is not None:
        options.pop("capacity", None)
        options["device"] = device_name
    if capacity is not None:
        try:
            capacity_from(capacity)
        except BadInput as error:
            raise BadInput(f"--capacity: {error}") from None
        options.pop("device", None)
        options.pop("reading", None)
        options["capacity"] = capacity
    if reading is not None and "device" in options:
        options["reading"] = reading
    return replace(question, options=options)


def _rule(given: str | Mapping[str, Any]) -> str | Mapping[str, Any]:
    """Read the short form of a rule with a number, ``every=2``; any other is returned as it is."""
    if not isinstance(given, str) or not given.startswith(COUNTED):
        return given
    rule, _, number = given.partition("=")
    if not number.isdecimal() or len(number) > 9:
        raise BadInput(f"--recompute {given!r}: {rule} counts blocks; write for example every=2")
    return {rule: int(number)}


def _of_config(path: Path, devices: str | None) -> Study:
    """A study of a config.json alone: a documented recipe, states divided, B sequences on each device."""
    built = build_model({"config": path.name}, str(path), path.parent)
    return Study(
        name=path.stem,
        title=f"Memory of training {path.stem}",
        built=built,
        recipe=recipe(CONFIG_RECIPE),
        values=built.values,
        placement={kind: Placed(n_fsdp) for kind in STATIC},
        source=path.name,
        notes=("B counts the sequences on one device; its activations are not divided.",),
        devices=devices,
    )


def _symbol(name: str, where: str) -> sp.Symbol:
    symbol = lookup(name)
    if symbol is None or not named(symbol).given:
        raise BadInput(f"{where}: unknown symbol {name!r}; {nearest(name, [str(n.symbol) for n in table(given=True)])}")
    return symbol


def _typed(text: str) -> int | float | str:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


def _printable(words: str, key: str, where: str) -> str:
    """Refuse control characters, which a terminal would obey instead of printing."""
    if not all(sign.isprintable() or sign in "\n\t" for sign in words):
        raise BadInput(f"{where}: {key} holds a control character; remove it")
    return words


def _value(name: str, value: object, where: str) -> sp.Rational:
    symbol = lookup(name)
    if symbol is not None and not named(symbol).whole and not isinstance(value, bool):
        rate = read_number(str(value), f"{where}: {name}")
        if rate <= MAX_VALUE:
            return rate
    whole = isinstance(value, int) and not isinstance(value, bool)
    if whole and value > MAX_VALUE:
        raise BadInput(f"{where}: {name} = {_literal(value)} is too large; at most 10^30 is read")
    if not whole or value <= 0:
        raise BadInput(
            f"{where}: {name} = {_literal(value)} is not allowed; give a positive whole number, as in {name} = 128"
        )
    return sp.Integer(value)


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:60] + "..."


def _fraction(text: object, where: str) -> sp.Rational:
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        raise BadInput(f'{where}: a fraction is written "1/2", 1 or 0, not {_literal(text)}')
    exact = sp.S.Zero if str(text) == "0" else read_number(str(text), f"{where}: fraction")
    if exact > 1:
        raise BadInput(f"{where}: fraction {text} is more than 1; give a part of the whole, for example 1/2")
    return exact


def _placement(content: Mapping[str, Any], where: str) -> dict[str, Placed]:
    known_keys(content, KINDS, where)
    placement = {}
    for kind in content:
        place_table = entry(content, kind, dict, where)
        inside = f"{where} {kind}"
        known_keys(place_table, _PLACED, inside)
        degrees = {str(name.symbol): name.symbol for name in table(given=True) if str(name.symbol).startswith("n_")}
        given = entry(place_table, "over", str, inside, "n_fsdp")
        degree = read_formula(given, degrees, f"{inside}: over")
        if any(factor not in degrees.values() for factor in sp.Mul.make_args(degree)):
            raise BadInput(
                f"{inside}: over {given!r} is not a degree; give one, or a product of different ones, as in n_fsdp*n_tp"
            )
        rest = entry(place_table, "rest", str, inside, "kept")
        if rest not in RESTS:
            raise BadInput(f"{inside}: unknown rest {rest!r}; {nearest(rest, RESTS)}")
        placement[kind] = Placed(degree, _fraction(place_table.get("fraction", 1), inside), rest)
    return placement


def _questions(content: list[Any], where: str) -> tuple[Question, ...]:
    questions = []
    for position, question in enumerate(content, start=1):
        inside = f"{where} [[question]] number {position}"
        if not isinstance(question, dict):
            raise BadInput(f"{inside} must be a table")
        ask = entry(question, "ask", str, inside)
        if ask not in ASKS:
            raise BadInput(f"{inside}: unknown ask {ask!r}; {nearest(ask, ASKS)}")
        known_keys(question, ("label", "ask", *ASKS[ask].keys), inside)
        ASKS[ask].check(question, inside)
        options = {key: value for key, value in question.items() if key not in ("label", "ask")}
        label = entry(question, "label", str, inside, str(position))
        if any(earlier.label == label for earlier in questions):
            raise BadInput(f"{inside}: label {label!r} is that of an earlier question; give each its own")
        questions.append(Question(label, ask, options, inside))
    return tuple(questions)
