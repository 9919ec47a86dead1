"""One question, one answer: whichever face a question is asked through, it gives the same number."""

from __future__ import annotations

import csv
import io
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, lru_cache, partial
from importlib import import_module
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sympy as sp
from sampled import sampled

import symbolic_mem as sm
from symbolic_mem.cli.main import main
from symbolic_mem.document.prose import Prose

# What this file knows of the inside of the package, all of it.


def registered() -> set[str]:
    """The question types that a study can ask."""
    from symbolic_mem.questions.registry import ASKS

    return set(ASKS)


def study_files() -> list[Path]:
    """The bundled studies, wherever they lie in the package."""
    files = Path(sm.__file__).parent.rglob("*.toml")
    return sorted(path for path in files if re.search(r"^\[model\]", path.read_text(), re.MULTILINE))


def question_of(table: Mapping[str, Any]) -> Any:
    """A question as a study has it that is read from a file."""
    from symbolic_mem.questions.registry import question_type

    return question_type(table["ask"]).read(table, "the law", "law")


def found_value(found: Any) -> Any:
    """The number that an answer of the Python API holds, or all its facts where it is a table of them."""
    record = found.record
    return {"value": found.value} if "value" in record else record


@pytest.fixture(scope="module")
def read_once() -> Iterator[None]:
    """A file with the same text is one study: the law is about what its faces say of it."""
    read = import_module("symbolic_mem.library.read")
    load = read.load_study

    @lru_cache(4)
    def kept(text: str, name: str, devices: str | None, named: tuple[tuple[str, Any], ...]) -> Any:
        return load(name, devices, **dict(named))

    def once(name: str, devices: str | None = None, **named: Any) -> Any:
        text = Path(name).read_text(encoding="utf-8") if name.endswith(".toml") else name
        return kept(text, name, devices, tuple((key, value) for key, value in named.items() if value))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read, "load_study", once)
        patch.setattr(sm, "load_study", once)
        yield


# Asking


class Refused(Exception):
    """The command line did not answer."""


def asked(*arguments: str) -> Any:
    """What the command line prints with ``--json``."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        status = main([*arguments, "--json"])
    printed, said = (stream.buffer.getvalue().decode() for stream in (out, err))
    if status != 0:
        raise Refused(f"{' '.join(arguments)}: {said or printed}".strip())
    return json.loads(printed, object_hook=_exactly_named)


def _exactly_named(record: dict[str, Any]) -> dict[str, Any]:
    """A JSON object without the names of its rounded numbers, which only JSON has."""
    return {name: value for name, value in record.items() if name != "approximate"}


def toml(value: Any) -> str:
    """A value as TOML writes it in a line."""
    match value:
        case bool():
            return str(value).lower()
        case Mapping():
            return "{ " + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + " }"
        case list():
            return f"[{', '.join(map(toml, value))}]"
        case str():
            return json.dumps(value, ensure_ascii=False)
    return repr(value)


def written(path: Path, table: Mapping[str, Any]) -> str:
    """Write a study to a file, and return its path for the command line."""
    lines = [f"{key} = {toml(value)}" for key, value in table.items() if key != "question"]
    for question in table["question"]:
        lines += ["[[question]]", *(f"{key} = {toml(value)}" for key, value in question.items())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


@dataclass
class Together:
    """Things that are asked at once (`ask_all`) when the first answer is wanted; each alone where one of them is refused."""

    ask_all: Callable[[list[Any]], list[Any]]
    things: list[Any] = field(default_factory=list)

    def ask(self, thing: Any) -> Callable[[], Any]:
        """What will be answered to one of them."""
        self.things.append(thing)
        position = len(self.things) - 1
        return lambda: self.found[position] if self.found is not None else self.ask_all([thing])[0]

    @cached_property
    def found(self) -> list[Any] | None:
        """The answers to all; None where one of them is refused."""
        try:
            return self.ask_all(self.things)
        except (Refused, sm.BadInput):
            return None


def other_answers(study: Any, questions: list[Mapping[str, Any]]) -> list[Any]:
    """What Python finds for other questions about the memory of a study."""
    return [numbers(found_value(sm.answer(study, question_of(question)))) for question in questions]


def changed_answer(table: Mapping[str, Any], folder: Path, question: Mapping[str, Any]) -> Any:
    """What Python finds for another question about another memory."""
    study = sm.load_study(written(folder / "other.toml", {**table, "question": [{**question, "label": "law"}]}))
    return numbers(found_value(sm.answer(study, "law")))


def verdicts(path: str, folder: Path, claims: list[tuple[str, list[str]]]) -> list[list[bool]]:
    """Whether `check` calls each claim exactly right; claims are lists with the label of their question, or "" for none."""
    said = [(claim, label) for label, each in claims for claim in each]
    rows = [(*one, person) for person, one in enumerate(said)]  # so that none follows from another
    file = folder / "claims.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("claim", "question", "person"), *rows])
    right = iter([one["right"] and not one["rounded"] for one in asked("check", path, "--claims", str(file))])
    return [list(islice(right, len(each))) for _, each in claims]


@dataclass(frozen=True)
class Asked:
    """One question of a study (`path`, its `table`) with what `homework` answers: its `facts` and its `sentence`."""

    path: str
    table: Mapping[str, Any]
    question: Mapping[str, Any]
    label: str
    facts: Mapping[str, Any]
    sentence: str
    folder: Path
    others: Together
    claims: Together

    def options(self, *left_out: str) -> dict[str, Any]:
        """The keys of the question that decide its number."""
        words = ("label", "ask", "title", "text", "tokens", "printed", "printed_note", "edition", "figures", "software")
        return {key: value for key, value in self.question.items() if key not in (*words, *left_out)}


Face = tuple[str, Callable[[], Any], Any]  # its name, what it says, what it must say

# Reading sentences

UNITS = {"bytes": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "billion": 10**9}
UNITS |= {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
NUMBER = re.compile(r"(?<![\w.,])(\d+(?:,\d{3})*)(\.\d+)?(?:\s×\s10([⁰¹²³⁴⁵⁶⁷⁸⁹]+))?(?:\s([A-Za-z]+))?")
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


def says(sentence: str, value: float) -> bool:
    """Whether a sentence holds the number, rounded to the figures that it is printed with."""
    for whole, decimals, power, unit in NUMBER.findall(sentence):
        scale = Fraction(10 ** int(power.translate(RAISED) or 0)) * UNITS.get(unit, 1)
        step = scale / 10 ** max(len(decimals) - 1, 0)
        if abs(Fraction(whole.replace(",", "") + decimals) * scale - Fraction(value)) <= step * Fraction(501, 1000):
            return True
    return False


def number_after(sentence: str, pattern: str, none: str) -> Any:
    """The whole number where a sentence has it; None where it says that there is none; else the sentence."""
    found = re.search(pattern.replace("#", r"(\d[\d,]*)"), sentence)
    if found:
        return int(found[1].replace(",", ""))
    return None if re.search(none, sentence) else sentence


def numbers(value: Any) -> Any:
    """The numbers of an answer in their places; what is a formula or a word is left out."""
    match value:
        case Mapping():
            return {str(key): numbers(item) for key, item in value.items()}
        case list() | tuple():
            return [numbers(item) for item in value]
        case sp.Expr():
            return None if not value.is_number else int(value) if value.is_Integer else float(value)
        case Fraction():
            return int(value) if value.denominator == 1 else float(value)
        case str() | Prose():
            return None
    return value


# The faces that a question is asked through


def claimed(one: Asked, name: str, value: Any, wrong: Iterable[Any] = ()) -> Callable[[], Any]:
    """Whether `check` says that the value is exactly right, and that each of its neighbours is not."""
    stated = ["none" if value is None else value, *wrong]
    return one.claims.ask((one.label, [f"{name}={each}" for each in stated]))


def check_faces(one: Asked, name: str, value: int | None) -> Iterator[Face]:
    wrong = [1] if value is None else [value + 1, *([value - 1] if value > 1 else [])]
    yield "check", claimed(one, name, value, wrong), [True, *(False for _ in wrong)]


def solve_faces(one: Asked) -> Iterator[Face]:
    def solve() -> Any:
        found = asked("solve", one.path, "--question", one.label)
        return {name: fact for name, fact in found.items() if name != "remedies"}  # which a document has no room for

    yield "solve", solve, one.facts


def room(question: Mapping[str, Any]) -> sp.Rational:
    """Bytes of one device that the question counts."""
    if "capacity" in question:
        nominal = in_bytes(question["capacity"])
    else:
        nominal = Fraction(getattr(sm.device(question["device"]), question.get("reading", "binary")))
    counted = (nominal - in_bytes(question.get("reserved", "0 B"))) * Fraction(str(question.get("usable", 1)))
    return sp.Rational(counted.numerator, counted.denominator)


def in_bytes(amount: str) -> Fraction:
    number, unit = amount.split()
    return Fraction(number) * UNITS[unit]


def rules(question: Mapping[str, Any], names: Mapping[str, sp.Symbol]) -> list[Any]:
    numbered = {"multiple_of": sm.MultipleOf, "divides": sm.Divides, "at_most": sm.AtMost}
    plain = {"whole_samples": sm.WholeSamples, "padded_rows": sm.PaddedRows, "power_of_two": sm.PowerOfTwo}
    found = [rule(names.get(question[key], question[key])) for key, rule in numbered.items() if key in question]
    return found + [rule() for key, rule in plain.items() if question.get(key)]


def by_hand(one: Asked) -> int | None:
    """The answer to a question about memory from the account, its placement and the solvers of the Python API."""
    study, question = sm.load_study(one.path), one.question
    recipe, kinds, ask = study.recipe, question.get("kinds"), question["ask"]
    if ask == "recompute":
        recipe = recipe.with_recompute(sm.Recompute.read(question.get("recompute", "full"), "the law"))
    names = {str(symbol): symbol for symbol in {*sm.account(study.model, recipe).total.free_symbols, *study.values}}
    names |= {name: getattr(sm, name) for name in ("n_fsdp", "n_tp", "n_replica")}
    values = {**study.values, **{names[name]: sp.Integer(value) for name, value in question.get("values", {}).items()}}
    unknown = {"largest": "B", "device_count": "n_fsdp"}.get(ask, "n_fsdp")
    unknown = question.get("for", unknown)
    if unknown in ("T", "tokens"):  # a batch of sequences of one token
        unknown, values[names["S"]] = "B", sp.Integer(1)
    answers = []
    persist = recipe.gradients_persist or (kinds and "gradients" not in kinds)
    placement = {}
    if ask != "device_count":
        for kind, placed in one.table.get("placement", {}).items():
            fraction = question.get("place", {}).get(kind, placed.get("fraction", 1))
            degree = sp.Mul(*(names[name.strip()] for name in placed.get("over", "n_fsdp").split("*")))
            rest = question.get("rest", placed.get("rest", "kept"))
            placement[kind] = sm.over(degree, str(fraction), rest)
    known = {symbol: value for symbol, value in values.items() if symbol != names[unknown]}
    step = () if kinds or ask == "device_count" else sm.timeline(study.built, recipe, placement, known)
    kept = [sm.account(study.model, recipe, moment) for moment in ("backward", "step")[: 1 if persist else 2]]
    for memory in [instant.memory for instant in step] or kept:
        memory = memory.of(*kinds) if kinds else memory
        if ask == "device_count":
            placement = {kind: sm.over(sm.n_fsdp) for kind in memory.kinds}
        placed_memory = memory.place(**{kind: placed for kind, placed in placement.items() if kind in memory.kinds})
        strict, x = bool(question.get("strict", False)), names[unknown]
        others = {symbol: value for symbol, value in values.items() if symbol != x}
        if (step or not persist) and not placed_memory.total.has(
            x
        ):  # at this moment it fits whatever x is, or it never does
            held = sm.evaluate(placed_memory.total, others)
            if held > room(question) or (strict and held == room(question)):
                answers.append(None)
            elif ask != "largest":
                answers.append(1)
        elif ask == "largest":
            answers.append(sm.largest(placed_memory, x, room(question), others, strict=strict).value)
        else:
            under = rules(question, names)
            found = sm.smallest_degree(placed_memory, x, room(question), others, strict=strict, rules=under)
            answers.append(found.value)
    return None if None in answers else min(answers) if ask == "largest" else max(answers)


def hand_faces(one: Asked, value: int | None) -> Iterator[Face]:
    if "plan" not in one.table:  # what a plan cuts is put together by hand in tests/studies/test_cluster_studies.py
        yield "Python by hand", lambda: by_hand(one), value


def device_count(one: Asked) -> Iterator[Face]:
    value = one.facts["value"]
    yield "sentence", lambda: number_after(one.sentence, r"kept fits on # devices?\b", "no number"), value
    yield from solve_faces(one)
    yield from check_faces(one, "devices", value)
    yield from hand_faces(one, value)


def bytes_said(one: Asked) -> bool:
    held = one.facts["per_device_bytes"]  # rounded up; the sentence rounds what is exact
    return held is None or any(says(one.sentence, Fraction(8 * held - part, 8)) for part in range(9))


def min_degree(one: Asked) -> Iterator[Face]:
    value, degree = one.facts["value"], one.facts["for"]
    none = "here is no such"
    yield "sentence", lambda: (number_after(one.sentence, " is #: on", none), bytes_said(one)), (value, True)
    yield "devices", lambda: number_after(one.sentence, r": on # devices?\b", none), one.facts["devices"]
    yield from solve_faces(one)
    yield from check_faces(one, degree, value)
    yield from hand_faces(one, value)
    yield from table_faces(one, value)


def table_faces(one: Asked, value: int | None) -> Iterator[Face]:
    """The tables of an `insight` question about the same memory: a cell of its region, and what is left over."""
    given = {**one.table.get("values", {}), **one.question.get("values", {})}
    integer = {"multiple_of", "power_of_two", "divides", "at_most"} & set(one.question)
    same = {"ask": "insight", **one.options()}
    if {"B", "S"} <= set(given):
        region = same | {"about": ["region"], "rows": {"B": [given["B"]]}, "columns": {"S": [given["S"]]}}
        cells = one.others.ask(region)
        yield "insight region", lambda: cells()["region"]["entries"], [[value]]
    if value is not None:
        tried = [value] if integer or value == 1 else [value - 1, value]
        each = one.facts["devices"] // value
        left = same | {"about": ["left_over"], "devices": [n * each for n in tried]}
        fits = [n == value for n in tried]
        rows = one.others.ask(left)
        yield "insight left_over", lambda: [row["fits"] for row in rows()["left_over"]], fits


def largest(one: Asked) -> Iterator[Face]:
    value, unknown = one.facts["value"], one.facts["for"]
    none = "here is no (such|largest)"
    yield (
        "sentence",
        lambda: (number_after(one.sentence, r"\) is #: (what|the peak of) one", none), bytes_said(one)),
        (value, True),
    )
    yield from solve_faces(one)
    yield from check_faces(one, unknown, value)
    if unknown != "P":
        yield from hand_faces(one, value)


def recompute(one: Asked) -> Iterator[Face]:
    value = one.facts["value"]
    said = "smallest n_.* is #: (what each|the peak of each|its peak|what the device)"
    yield "sentence", lambda: (number_after(one.sentence, said, "no such"), bytes_said(one)), (value, True)
    yield from solve_faces(one)
    yield from check_faces(one, one.facts["for"], value)
    yield from hand_faces(one, value)
    # The same study, written with that rule and those fractions
    placement = {kind: dict(placed) for kind, placed in one.table.get("placement", {}).items()}
    for kind, fraction in one.question.get("place", {}).items():
        placement.setdefault(kind, {})["fraction"] = fraction
    recipe = one.table.get("recipe", {}) | {"recompute": one.question.get("recompute", "full")}
    changed = {**one.table, "recipe": recipe, "placement": placement}
    same = {"ask": "min_degree", **one.options("recompute", "place")}
    yield "min_degree", lambda: changed_answer(changed, one.folder, same)["value"], value


def fits_and_computes(one: Asked) -> Iterator[Face]:
    value, least = one.facts["value"], one.facts["smallest_that_fits"]
    yield "sentence", lambda: number_after(one.sentence, r"smallest is #\.", "no degree does both"), value
    yield from check_faces(one, one.facts["for"], value)
    if one.question.get("tokens") == "device":  # of the tokens of one device, which no other question counts
        return
    yield from hand_faces(one, least)
    if "place" not in one.question:
        smallest = one.others.ask({"ask": "min_degree", **one.options()})
        yield "min_degree", lambda: smallest()["value"], least


def compute_bound(one: Asked) -> Iterator[Face]:
    smallest, critical = one.facts["smallest_batch_tokens"], one.facts["critical_batch_tokens"]
    if critical != 0:
        said = "from # tokens in the whole batch"
        yield "sentence", lambda: number_after(one.sentence, said, "No batch is large enough"), smallest
    chosen = [part for key, value in one.options().items() for part in (f"--{key}", str(value))]

    def comms() -> list[Any]:
        found = asked("comms", one.path, *chosen)
        return [found["smallest_batch_tokens"], found["critical_batch_tokens"], found["per_chip"]]

    yield "comms", comms, [smallest, critical, one.facts["per_chip"]]
    yield from check_faces(one, "batch_tokens", smallest)


def smaller_batch(one: Asked) -> Iterator[Face]:
    critical = one.facts["critical_batch_tokens"]
    yield "sentence", lambda: says(one.sentence, critical), True
    yield "comms", lambda: asked("comms", one.path, "--scheme", "fsdp+tp")["critical_batch_tokens"], critical
    given = one.others.ask({"ask": "compute_bound", "axes": "given"})
    yield "compute_bound", lambda: given()["critical_batch_tokens"], critical


def comparison(one: Asked) -> Iterator[Face]:
    gap = one.facts["difference_bytes"]
    if gap:
        yield "sentence", lambda: says(one.sentence, abs(gap)), True
    choices = {key: value if isinstance(value, list) else [value] for key, value in one.options().items()}
    choices["recompute"] = [sm.Recompute.read(each, "").short for each in choices.get("recompute", [])]
    chosen = [part for key, values in choices.items() for each in values for part in (f"--{key}", option(each))]

    def compare() -> list[Any]:
        found = asked("compare", one.path, *chosen)
        return [found["difference_bytes"], found["first"]["bytes"], found["second"]["bytes"]]

    yield "compare", compare, [gap, one.facts["first"]["bytes"], one.facts["second"]["bytes"]]


def option(value: Any) -> str:
    """A table of a study file as the command line writes it: ``every=2``, ``activations=1/2,weights=1``."""
    return ",".join(f"{key}={each}" for key, each in value.items()) if isinstance(value, dict) else str(value)


def stages(one: Asked) -> Iterator[Face]:
    cells = one.facts["cells"]
    last = [cell["value"] for cell in cells][-len({cell["stage"] for cell in cells}) :]
    yield "sentence", lambda: [says(one.sentence, value) for value in last], [True for _ in last]
    if "for" not in one.question and "n_tp" not in {**one.table.get("values", {}), **one.question["rows"]}:
        yield "Python by hand", lambda: [stage_by_hand(one, cell) for cell in cells], [cell["value"] for cell in cells]


def stage_by_hand(one: Asked, cell: Mapping[str, Any]) -> int | float:
    study = sm.load_study(one.path)
    memory = sm.account(study.model, study.recipe, "step").of("weights", "gradients", "optimizer")
    divided = {0: (), 1: ("optimizer",), 2: ("gradients", "optimizer"), 3: memory.kinds}[cell["stage"]]
    placed = memory.place(**{kind: sm.over(sm.n_fsdp) for kind in divided if kind in memory.kinds})
    given = {**one.question.get("values", {}), "n_fsdp": cell["n_fsdp"]}
    names = {str(symbol): symbol for symbol in {*placed.total.free_symbols, sm.n_fsdp}}
    values = study.values | {names[name]: sp.Integer(value) for name, value in given.items() if name in names}
    held = sm.evaluate(placed.total, values)
    return int(held) if held.is_Integer else float(held)


def insight(one: Asked) -> Iterator[Face]:
    fitting = [row for row in one.facts.get("left_over", ()) if row["fits"]]
    if fitting:
        yield "sentence, left over", lambda: says(one.sentence, fitting[-1]["free_bytes_each"]), True
    if "crossover" in one.facts:
        yield "sentence, crossover", lambda: says(one.sentence, one.facts["crossover"]["first"]), True


def headroom(one: Asked) -> Iterator[Face]:
    facts, n, degree = one.facts, one.question["devices"], one.facts["for"]
    yield "sentence", lambda: says(one.sentence, abs(facts["free_bytes_each"])), True
    left = {"ask": "insight", "about": ["left_over"], **one.options("devices"), "devices": [n]}
    row = [facts["used_bytes"], facts["free_bytes_each"], facts["free_bytes"], facts["feasible"]]
    names = ("used_bytes", "free_bytes_each", "free_bytes", "fits")
    rows = one.others.ask(left)
    yield "insight left_over", lambda: [rows()["left_over"][0][name] for name in names], row
    if facts["feasible"] and isinstance(facts["value"], int) and facts["value"]:
        stated = [f"{facts['value'] + more} B" for more in (0, 1)]
        yield "check", claimed(one, "headroom", stated[0], stated[1:]), [True, False]
    for most in facts["largest"]:
        name, value = most["symbol"], most["value"]
        yield from check_faces(one, name, value)
        if value is not None:
            same = {"ask": "largest", **one.options("devices", "for"), "for": name, "values": {degree: n}}
            yield "sentence", lambda value=value: says(one.sentence, value), True
            again = one.others.ask(same)
            yield f"largest {name}", lambda again=again: again()["value"], value


def evaluate(one: Asked) -> Iterator[Face]:
    names = one.question.get("answer", one.question["steps"][-1]["name"])
    for case in one.facts.get("cases", {"": one.facts.get("values")}).values():
        for name in [names] if isinstance(names, str) else names:
            found = case[name]
            times = 10**9 if found["unit"].startswith("billion") else 1  # a number of billions, where bytes are bytes
            yield "sentence", lambda value=found["value"] * times: says(one.sentence, value), True


def flops(one: Asked) -> Iterator[Face]:
    for case in one.facts.get("cases", {"": one.facts}).values():
        value = case["value"]
        yield "sentence", lambda value=value: says(one.sentence, value), True
        yield "sum of the parts", lambda parts=case["parts"]: sum(part["value"] for part in parts.values()), value
    if "cases" not in one.facts:
        yield from check_faces(one, "F_forward", one.facts["value"])


def account(one: Asked) -> Iterator[Face]:
    lines = one.facts["lines"]
    sizes = [line["value"] for name, line in lines.items() if name not in ("P", "M_total")]
    if None not in sizes:
        yield "sum of the kinds", lambda: sum(sizes), one.facts["value"]
        yield "check", claimed(one, "M_total", f"{one.facts['value']} B"), [True]


def layouts(one: Asked) -> Iterator[Face]:
    rows = one.facts["meshes"]
    fitting, axis = [row for row in rows if row["fits"]], one.question.get("for")
    value = len(fitting) if axis is None else fitting[0]["degrees"][axis] if fitting else None
    yield "meshes", lambda: value, one.facts["value"]
    if value:
        yield "sentence", lambda: says(one.sentence, value), True
        yield from check_faces(one, axis or "meshes", value)


def formulas(one: Asked) -> Iterator[Face]:
    """Questions whose sentence is a formula: only what every question has is compared."""
    yield from ()


CASES: dict[str, Callable[[Asked], Iterator[Face]]] = {
    "device_count": device_count,
    "min_degree": min_degree,
    "largest": largest,
    "insight": insight,
    "headroom": headroom,
    "stages": stages,
    "compute_bound": compute_bound,
    "smaller_batch": smaller_batch,
    "largest_mesh": formulas,
    "fits_and_computes": fits_and_computes,
    "recompute": recompute,
    "compare": comparison,
    "evaluate": evaluate,
    "buckets": formulas,
    "flops": flops,
    "account": account,
    "layouts": layouts,
}


def bytes_face(path: str, claims: Together) -> Iterator[Face]:
    """The kinds of memory as `account` counts them are right for `check`, and one byte more is not."""
    account = asked("account", path)
    stated = {"total": account["total_bytes"], "static": account["static_bytes"]}
    for kind in {term["kind"] for term in account["terms"]}:
        parts = [term["bytes"] for term in account["terms"] if term["kind"] == kind]
        stated[kind] = None if None in parts else sum(parts)
    whole = {name: value for name, value in stated.items() if isinstance(value, int) and value > 0}
    if whole:
        said = claims.ask(
            ("", [f"{name}={value + more} B" for name, value in sorted(whole.items()) for more in (0, 1)])
        )
        yield "check bytes", said, [True, False] * len(whole)


def failures_of(
    path: str, table: Mapping[str, Any], folder: Path, *, report: bool = True
) -> Iterator[tuple[str, str, str]]:
    """Every face of every question of a study that says something else than `homework`: label, face, what it says."""

    def tried(label: str, faces: Iterable[Face]) -> Iterator[tuple[str, str, str]]:
        for face, says_it, expected in faces:
            try:
                got = says_it()
            except (Refused, sm.BadInput) as refusal:
                yield label, face, f"refused: {refusal}"
            else:
                if got != expected:
                    yield label, face, f"{got!r} is not {expected!r}"

    try:
        homework = asked("homework", path, "--detail", "short" if report else "answer")
    except Refused as refusal:
        yield "", "homework", str(refusal)
        return
    study = sm.load_study(path)
    others, claims = Together(partial(other_answers, study)), Together(partial(verdicts, path, folder))
    faces: list[tuple[str, list[Face]]] = []  # all before the first is asked, as some are asked together
    if report:
        said = (homework["questions"], homework["answers"])
        faces.append(("", [("report", lambda: report_of(path), said), *bytes_face(path, claims)]))
    answered = zip(table["question"], homework["questions"], homework["answers"], strict=True)
    for position, (question, facts, sentence) in enumerate(answered, start=1):
        label = question.get("label", str(position))
        value = numbers(found_value(sm.answer(study, label)))
        value.pop("remedies", None)  # which a document has no room for
        expected = numbers(facts if len(value) > 1 else {"value": facts["value"]})
        one = Asked(path, table, question, label, facts, sentence, folder, others, claims)
        python: Face = ("Python", lambda value=value: value, expected)
        faces.append((label, [python, *CASES[question["ask"]](one)]))
    for label, each in faces:
        yield from tried(label, each)


def report_of(path: str) -> tuple[Any, Any]:
    report = asked("report", path, "--detail", "answer")
    return report["questions"], report["answers"]


# Generated studies: small models, one thing that is special in each kind of study


@dataclass
class Maker:
    """A study in the making: an FFN of random size, its states divided, and room for it on a few devices."""

    rng: Random
    table: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        pick = self.rng.randint
        self.table = {
            "title": "A generated study",
            "model": {"kind": "ffn"},
            "values": {"d_model": 16 * pick(1, 40), "d_ff": 16 * pick(1, 160), "L": pick(1, 24), "B": pick(1, 48)},
            "recipe": {"preset": self.rng.choice(["cs336", "fp32", "zero-16", "megatron-18", "pure-bf16"])},
            "placement": {kind: {"over": "n_fsdp"} for kind in ("weights", "gradients", "optimizer", "activations")},
            "question": [],
        }
        self.table["values"]["S"] = 16 * pick(1, 40)

    @property
    def states(self) -> int:
        values = self.table["values"]
        return 32 * values["L"] * values["d_model"] * values["d_ff"]

    @property
    def activations(self) -> int:
        values = self.table["values"]
        return 2 * values["B"] * values["S"] * values["L"] * (values["d_model"] + values["d_ff"])

    def room(self, *, kept: Fraction | int = 0, least: int = 2, most: int = 40) -> dict[str, str]:
        """A capacity at which the smallest degree is somewhere between `least` and `most`."""
        room = int(self.activations * kept + Fraction(self.states + self.activations) / self.rng.randint(least, most))
        return {"capacity": self.rng.choice([f"{room + 1} B", f"{room // 2**10 + 1} KiB"])}

    def ask(self, ask: str, **options: Any) -> None:
        self.table["question"].append({"label": f"q{len(self.table['question'])}", "ask": ask, **options})

    def part(self, rest: str) -> Fraction:
        """Divide a part of the activations; return the part of them that every device keeps."""
        fraction = Fraction(self.rng.randint(1, 7), 8)
        self.table["placement"]["activations"] |= {"fraction": str(fraction), "rest": rest}
        return 1 - fraction if rest == "kept" else Fraction(0)

    def network(self, *, mesh: bool) -> None:
        self.table["network"] = {"direction": "both-ways", "flops": "459 TFLOP/s", "bandwidth": "90 GB/s"}
        self.table["values"] |= {"M_X": self.rng.randint(1, 2), "M_Y": 1, "d_ff": 4096 * self.rng.randint(6, 12)}
        if mesh:
            self.table["values"] |= {"X": 2 ** self.rng.randint(1, 4), "Y": self.rng.choice([2, 4])}


def two_asks(make: Maker, **options: Any) -> None:
    for ask in ("device_count", "min_degree"):
        make.ask(ask, **options)


def plain(make: Maker) -> None:
    two_asks(make, **make.room())


def kept(make: Maker) -> None:
    make.ask("min_degree", **make.room(kept=make.part("kept")))


def dropped(make: Maker) -> None:
    make.part("dropped")
    make.ask("min_degree", **make.room())


def strict(make: Maker) -> None:
    """Room for exactly the whole over a power of two: one more device under `strict`."""
    make.table["recipe"] = {"preset": "cs336"}
    exact = (make.states + make.activations) // 2 ** make.rng.randint(1, 5)
    for strict in (False, True):
        two_asks(make, capacity=f"{exact} B", strict=strict)


def kinds(make: Maker) -> None:
    chosen = make.rng.choice([["weights", "gradients", "optimizer"], ["optimizer"], ["weights", "activations"]])
    two_asks(make, **make.room(least=20, most=60), kinds=chosen)


def rest(make: Maker) -> None:
    part = make.part("dropped")
    make.ask("min_degree", **make.room(), rest="dropped")
    make.ask("min_degree", **make.room(kept=1 - part), rest="kept")


def reserved(make: Maker) -> None:
    amount = int(make.room(least=3)["capacity"].split()[0]) + 2
    two_asks(make, capacity=f"{2 * amount} KiB", reserved=f"{amount} KiB", strict=make.rng.random() < 0.5)


def usable(make: Maker) -> None:
    two_asks(make, **make.room(), usable=make.rng.choice(["0.9", "0.95", "0.33"]))


def software(make: Maker) -> None:
    two_asks(make, **make.room(least=3), software=make.rng.choice(["allocator", "context=1KiB,workspaces=5KiB"]))


def device(make: Maker) -> None:
    make.table["values"] |= {"d_model": 16384, "d_ff": 53248, "L": make.rng.randint(20, 126)}
    for name, reading in (("h100-80gb", "marketed"), ("h100-80gb", "reported"), ("tpu-v5p", "binary")):
        two_asks(make, device=name, reading=reading)


def two_degrees(make: Maker) -> None:
    """Tensor parallelism or replicas beside FSDP, with a number; or the other way round."""
    other = make.rng.choice(["n_tp", "n_replica"])
    for kind in ("weights", "activations"):
        make.table["placement"][kind]["over"] = f"n_fsdp * {other}"
    solved, given = ("n_fsdp", other) if make.rng.random() < 0.6 else (other, "n_fsdp")
    make.table["values"][given] = make.rng.randint(2, 8)
    if solved == "n_fsdp":
        make.ask("min_degree", **make.room())
    else:
        make.ask("min_degree", **make.room(least=1, most=2), **{"for": solved})


def multiple_of(make: Maker) -> None:
    make.ask("min_degree", **make.room(), multiple_of=make.rng.choice([2, 3, 8]))


def power_of_two(make: Maker) -> None:
    make.ask("min_degree", **make.room(least=5), power_of_two=True)


def divides(make: Maker) -> None:
    make.ask("min_degree", **make.room(), divides=make.rng.choice([240, "d_ff"]))


def at_most(make: Maker) -> None:
    make.ask("min_degree", **make.room(), at_most=make.rng.choice([4, 64]))


def whole_samples(make: Maker) -> None:
    make.ask("min_degree", **make.room(), whole_samples=True)


def padded_rows(make: Maker) -> None:
    make.table["values"] |= {"d_model": make.rng.randint(5, 30), "d_ff": make.rng.randint(5, 30)}
    make.ask("min_degree", **make.room(least=4, most=12), padded_rows=True)


def all_rules(make: Maker) -> None:
    make.ask("min_degree", **make.room(), whole_samples=True, multiple_of=4, at_most=512, padded_rows=True)


def own_values(make: Maker) -> None:
    make.table["values"]["B"] = 32
    make.ask("min_degree", **make.room(), values={"B": make.rng.choice([8, 64])})
    own = {"B": make.rng.choice([1, 2]), "n_fsdp": 2}
    make.ask("largest", **make.room(), **{"for": "S"}, values=own, kinds=["activations"])


def recomputed(make: Maker) -> None:
    make.table["values"]["L"] = 8
    for rule in ("none", "full", {"every": 2}):
        options = {"place": {"activations": 1}} if make.rng.random() < 0.5 else {}
        make.ask("recompute", **make.room(), recompute=rule, **options)


def recomputed_kept(make: Maker) -> None:
    """The fraction of the placement stands for recomputation, and the question says so."""
    make.part("kept")
    make.ask("recompute", **make.room(), recompute={"every": 2}, place={"activations": 1})


def recipe_recomputes(make: Maker) -> None:
    make.table["recipe"]["recompute"] = make.rng.choice(["full", {"every": 2}, {"rule": "full", "transient": True}])
    two_asks(make, **make.room())


def gradients_freed(make: Maker) -> None:
    make.table["recipe"] = {"preset": "cs336", "gradients_persist": False}
    make.table["values"] |= {"B": make.rng.choice([1, 2]), "S": 32, "d_model": 512}
    two_asks(make, **make.room())
    make.ask("recompute", **make.room(), recompute="none")


def gradients_freed_and_computes(make: Maker) -> None:
    gradients_freed(make)
    make.network(mesh=False)
    make.table["network"]["bandwidth"] = "900 GB/s"
    make.table["values"] |= {"d_model": 8192, "B": make.rng.randint(3, 5), "S": 1024}
    make.table["question"] = []
    make.ask("fits_and_computes", **make.room(least=3, most=10))


def fits_and_computes_study(make: Maker) -> None:
    make.table["recipe"]["schedule"] = "sum"
    make.network(mesh=make.rng.random() < 0.5)
    make.table["values"] |= {"B": 2 ** make.rng.randint(5, 11), "S": 1024}
    make.ask("fits_and_computes", **make.room(), strict=make.rng.random() < 0.5)
    make.ask("fits_and_computes", **make.room(least=1, most=12), strict=make.rng.random() < 0.5)
    make.ask("fits_and_computes", **make.room(least=1, most=12), tokens="device")
    make.ask("fits_and_computes", **make.room(least=1, most=12), place={"activations": "1/2"})


def never_both(make: Maker) -> None:
    make.table["recipe"]["schedule"] = "sum"
    make.network(mesh=False)
    make.ask("fits_and_computes", **make.room(least=30))
    make.part("kept")
    make.ask("fits_and_computes", capacity="1 MiB")


def compute_bound_mesh(make: Maker) -> None:
    make.network(mesh=True)
    make.ask("compute_bound")
    make.ask("compute_bound", axes="given", overlap="sum")
    make.ask("compute_bound", axes="optimal", overlap="max")
    make.ask("compute_bound", **{"pass": make.rng.choice(["backward", "step"])})
    make.ask("smaller_batch")


def compute_bound_chips(make: Maker) -> None:
    make.network(mesh=False)
    make.ask("compute_bound", chips=2 ** make.rng.randint(4, 6))


def compute_bound_scheme(make: Maker) -> None:
    make.network(mesh=False)
    make.table["values"]["X"] = 2 ** make.rng.randint(1, 6)
    make.ask("compute_bound")
    make.ask("compute_bound", scheme="fsdp")


def largest_of(name: str) -> Callable[[Maker], None]:
    def build(make: Maker) -> None:
        make.part("kept")
        options = {"strict": make.rng.random() < 0.5, "for": name}
        counted = ["weights", "optimizer"] if name == "P" else None
        make.table["values"]["n_fsdp"] = make.rng.randint(1, 4)
        make.ask("largest", **make.room(kept=1, least=1, most=1), **options, **({"kinds": counted} if counted else {}))

    return build


def never_largest(make: Maker) -> None:
    make.table["values"]["n_fsdp"] = 2
    make.ask("largest", capacity="1 KiB", **{"for": "B"})


def infeasible(make: Maker) -> None:
    make.part("kept")
    two_asks(make, capacity=f"{make.activations // 8 // 2**10 or 1} KiB")


def parameters(make: Maker) -> None:
    make.table |= {"model": {"kind": "parameters"}, "values": {"Psi": make.rng.randint(10**6, 10**9)}}
    make.table["placement"].pop("activations")
    room = f"{16 * make.table['values']['Psi'] // make.rng.randint(2, 50) + 1} B"
    two_asks(make, capacity=room)
    make.ask("stages", rows={"n_fsdp": [1, 2, make.rng.randint(3, 64)]}, unit="GB")


def transformer(make: Maker) -> None:
    heads = make.rng.choice([2, 4])
    shape = {"n_heads": heads, "n_kv": heads, "d_head": 16, "V": 1000, "d_model": 16 * heads, "d_ff": 64 * heads}
    make.table |= {"model": {"kind": "transformer"}, "values": shape | {"L": 2, "B": make.rng.randint(2, 6), "S": 64}}
    make.table["placement"].pop("activations")
    make.ask("device_count", capacity="1 MiB")
    make.table["values"]["n_fsdp"] = 4
    make.ask("largest", capacity=f"{make.rng.randint(16, 64)} MiB", **{"for": make.rng.choice(["B", "S"])})


def transformer_degree(make: Maker) -> None:
    transformer(make)
    make.table["values"].pop("n_fsdp")
    make.table["question"] = []
    make.ask("min_degree", capacity=f"{make.rng.randint(4, 16)} MiB", strict=make.rng.random() < 0.5)


def lost(make: Maker) -> None:
    """A step of FSDP2 with its instants, under one of the losses that people choose."""
    transformer_degree(make)
    loss = make.rng.choice(["bf16", "fp32", "fp32-held", "chunked:2", "chunked:4", "fused"])
    make.table |= {
        "recipe": {"preset": "fsdp2"},
        "model": {"kind": "transformer", "profile": "hf-cuda-bf16", "loss": loss},
    }
    make.table["values"]["V"] = 16 * make.rng.randint(40, 400)


def compared(make: Maker) -> None:
    make.ask("compare", recipe=["cs336", make.rng.choice(["zero-16", "megatron-18"])])
    make.ask("compare", recompute=["none", {"every": 2}])
    make.table["values"]["n_fsdp"] = 4
    make.ask("compare", place=[{"activations": "1/2"}, {"activations": 1}])


def worked(make: Maker) -> None:
    steps = [{"name": "a", "formula": "2*d_model*L", "unit": "bytes"}, {"name": "b", "formula": "a/7", "unit": "GB"}]
    make.ask("evaluate", steps=[step | {"statement": "It is"} for step in steps])
    make.ask("evaluate", steps=[step | {"statement": "It is"} for step in steps], answer=["a", "b"])
    cases = [{"name": name, "L": make.rng.randint(2, 9)} for name in ("small", "large")]
    make.ask("evaluate", steps=[step | {"statement": "It is"} for step in steps], answer=["a", "b"], cases=cases)
    make.ask("flops")
    make.ask("flops", about="shares", cases=cases)
    make.ask("account")


def sent(make: Maker) -> None:
    make.network(mesh=True)
    make.ask("largest_mesh")
    make.ask("buckets", size=f"{make.rng.randint(1, 9)} GB", bandwidth="450 GB/s", overhead="1e-4")


def tables(make: Maker) -> None:
    make.ask("insight", about=["left_over", "crossover"], **make.room(), devices=[2, make.rng.randint(30, 90)])


def left(make: Maker) -> None:
    share = make.part("kept")
    for _ in range(2):
        strict, devices = make.rng.random() < 0.5, make.rng.randint(1, 40)
        make.ask("headroom", **make.room(kept=share), strict=strict, devices=devices)


def left_where_gradients_are_freed(make: Maker) -> None:
    gradients_freed(make)
    make.table["question"] = []
    make.ask("headroom", **make.room(), devices=make.rng.randint(1, 40))


def gradients_freed_in_part(make: Maker) -> None:
    """At one of the two moments nothing may be divided, and where both ask for as many either may be the fuller."""
    gradients_freed(make)
    names = ["weights", "gradients", "optimizer", "activations"]
    placed = make.rng.choice([["activations"], ["gradients"], make.rng.sample(names, 2), make.rng.sample(names, 3)])
    make.table["placement"] = {kind: {"over": "n_fsdp"} for kind in placed if kind != "weights"} or {"gradients": {}}
    make.table["question"] = []
    room = {"capacity": f"{make.states * make.rng.randint(40, 120) // 100} B"}
    for ask in ("min_degree", "recompute", "device_count"):
        make.ask(ask, **room)
    make.ask("headroom", **room, devices=make.rng.randint(1, 40))


def largest_where_gradients_are_freed(make: Maker) -> None:
    gradients_freed(make)
    make.table["placement"].pop(make.rng.choice(["gradients", "activations", "optimizer"]))
    make.table["question"] = []
    for name in ("B", "S", "L"):
        room = f"{make.states * make.rng.randint(30, 120) // 100} B"
        make.ask("largest", **{"for": name}, values={"n_fsdp": make.rng.randint(1, 4)}, capacity=room)


def cluster(make: Maker) -> None:
    heads = make.rng.choice([4, 8])
    shape = {"n_heads": heads, "n_kv": heads, "d_head": 16, "V": 1024, "d_model": 16 * heads, "d_ff": 64 * heads}
    make.table |= {"model": {"kind": "transformer", "profile": "te-cuda-bf16", "loss": "vocab-parallel-te"}}
    make.table |= {
        "values": shape | {"L": 4, "B": 1, "S": 64, "n_fsdp": 1, "n_micro": 4},
        "plan": {"preset": "megatron"},
    }
    make.table |= {"recipe": {"preset": "megatron-18"}}
    make.table.pop("placement")
    room = f"{make.rng.randint(107, 112)} MiB"
    make.ask("layouts", capacity=room, **{"for": make.rng.choice(["n_tp", "n_pp"])})
    make.ask("layouts", capacity=room, devices=make.rng.choice([4, 8]), sequences=8)


KINDS_OF_STUDY: dict[str, Callable[[Maker], None]] = {
    "plain": plain,
    "left": left,
    "left, gradients freed": left_where_gradients_are_freed,
    "part kept": kept,
    "part dropped": dropped,
    "strict": strict,
    "kinds": kinds,
    "rest": rest,
    "reserved": reserved,
    "usable": usable,
    "software": software,
    "device": device,
    "two degrees": two_degrees,
    "multiple_of": multiple_of,
    "power_of_two": power_of_two,
    "divides": divides,
    "at_most": at_most,
    "whole_samples": whole_samples,
    "padded_rows": padded_rows,
    "all rules": all_rules,
    "own values": own_values,
    "recompute": recomputed,
    "recompute in place of a part": recomputed_kept,
    "recipe recomputes": recipe_recomputes,
    "gradients freed": gradients_freed,
    "gradients freed, in part": gradients_freed_in_part,
    "gradients freed, largest": largest_where_gradients_are_freed,
    "gradients freed, both": gradients_freed_and_computes,
    "fits and computes": fits_and_computes_study,
    "never both": never_both,
    "mesh given": compute_bound_mesh,
    "mesh not given": compute_bound_chips,
    "one axis": compute_bound_scheme,
    **{f"largest {name}": largest_of(name) for name in ("B", "S", "L", "d_model", "T", "P")},
    "never largest": never_largest,
    "infeasible": infeasible,
    "parameters": parameters,
    "transformer": transformer,
    "transformer's degree": transformer_degree,
    "loss": lost,
    "compared": compared,
    "worked": worked,
    "sent": sent,
    "tables": tables,
    "cluster": cluster,
}
EACH = 4
PARTS = 12  # of the bundled studies, for as many processes


def generated(kind: str, number: int) -> dict[str, Any]:
    """The study of a kind with a number: always the same one."""
    make = Maker(Random(f"{kind} {number}"))
    KINDS_OF_STUDY[kind](make)
    return make.table


def agree(found: Mapping[str, str]) -> None:
    """Fail for every face that gives another answer."""
    assert not found, "two faces give two answers:\n" + "\n".join(f"{one}: {said}" for one, said in found.items())


def test_every_question_type_has_a_case_and_is_asked_by_a_generated_study():
    assert set(CASES) == registered()
    made = [generated(kind, number) for kind in KINDS_OF_STUDY for number in range(EACH)]
    assert len(made) >= 200
    assert {question["ask"] for table in made for question in table["question"]} == registered()


def test_every_bundled_study_is_asked():
    assert [path.stem for path in study_files()] == sorted(each["name"] for each in asked("list", "studies")["studies"])


@pytest.mark.usefixtures("verdicts_alone", "read_once")
@pytest.mark.parametrize("part", sampled(range(PARTS), 6))
def test_every_question_of_a_bundled_study_has_one_answer(part, tmp_path):
    found = {}
    for path in study_files()[part::PARTS]:
        table = tomllib.loads(path.read_text())
        if "config" in table["model"]:
            table["model"]["config"] = str(path.parent / table["model"]["config"])
        for label, face, said in failures_of(path.stem, table, tmp_path):
            found[f"{path.stem}/{label}: {face}"] = said
    agree(found)


@pytest.mark.usefixtures("verdicts_alone", "read_once")
@pytest.mark.parametrize("number", sampled(range(EACH), EACH))
def test_every_question_of_a_generated_study_has_one_answer(number, tmp_path):
    found: dict[str, str] = {}
    for kind in KINDS_OF_STUDY:
        table = generated(kind, number)
        path = written(tmp_path / "study.toml", table)
        asks = {question["label"]: question["ask"] for question in table["question"]}
        for label, face, said in failures_of(path, table, tmp_path, report=number == 1):
            found.setdefault(f"{asks.get(label, 'study')}, {kind}: {face}", f"{label}: {said}")
    agree(found)


# The order in which changes apply: study < question < caller


def homework_of_xxl(**question: Any) -> dict[str, Any]:
    """The FFN of the homework with one question, `b`."""
    half = {"over": "n_fsdp", "fraction": "1/2", "rest": "dropped"}
    return {
        "title": "The order of changes",
        "model": {"kind": "ffn"},
        "values": {"d_model": 16384, "d_ff": 53248, "L": 126, "B": 32, "S": 1024},
        "recipe": {"preset": "cs336"},
        "placement": {kind: {"over": "n_fsdp"} for kind in ("weights", "gradients", "optimizer")}
        | {"activations": half},
        "question": [{"label": "b", "capacity": "80 GiB"} | question],
    }


def on_device(name: str, reading: str = "binary") -> dict[str, Any]:
    return {"device": name, "reading": reading, "capacity": None}


# What the question says, what the caller says, and the caller's choice as an option.
ORDER: dict[str, tuple[str, dict[str, Any], dict[str, Any], list[str]]] = {
    "values": ("min_degree", {"values": {"B": 64}}, {"values": {"B": 128}}, ["--set", "B=128"]),
    "values, largest": ("largest", {"values": {"B": 1}}, {"values": {"B": 4}}, ["--set", "B=4"]),
    "rest": ("min_degree", {"rest": "kept"}, {"rest": "dropped"}, ["--rest", "dropped"]),
    "capacity": ("min_degree", {}, {"capacity": "95 GiB"}, ["--capacity", "95 GiB"]),
    "device": ("min_degree", on_device("h100-80gb"), on_device("tpu-v5p"), ["--device", "tpu-v5p"]),
    "reading": (
        "min_degree",
        on_device("h100-80gb"),
        on_device("h100-80gb", "marketed"),
        ["--reading", "marketed"],
    ),
    "recompute": ("recompute", {"recompute": "none"}, {"recompute": {"every": 2}}, ["--recompute", "every=2"]),
    "place": (
        "recompute",
        {"recompute": "none", "place": {"activations": 1}},
        {"recompute": "none", "place": {"activations": "1/4"}},
        ["--place", "activations=1/4"],
    ),
}
# The symbol that `largest` solves for, and a degree for it to be divided over.
SOLVED = {"largest": {"for": "S"}}


def order_failures(name: str, folder: Path) -> Iterator[tuple[str, str]]:
    """The faces in which the caller's choice does not win over that of the question."""
    ask, own, callers, chosen = ORDER[name]
    first, second = ({"ask": ask, **SOLVED.get(ask, {}), **given} for given in (own, callers))
    files = []
    for position, question in enumerate((first, second)):
        table = homework_of_xxl(**question)
        table["question"] = [{key: value for key, value in table["question"][0].items() if value is not None}]
        if ask == "largest":
            table["values"]["n_fsdp"] = 64
        files.append(written(folder / f"order {position}.toml", table))
    before, expected = (asked("homework", path)["questions"][0]["value"] for path in files)
    assert before != expected, f"{name}: the two choices do not differ"
    symbol = second.get("for", "n_fsdp")

    def homework() -> Any:
        return [question["value"] for question in asked("homework", files[0], *chosen)["questions"]]

    def solve() -> Any:
        return [asked("solve", files[0], *chosen, "--question", "b")["value"]]

    def check() -> Any:
        stated = "none" if expected is None else expected
        return [asked("check", files[0], *chosen, "--question", "b", "--claim", f"{symbol}={stated}")[0]["right"]]

    faces = {"homework": (homework, [expected]), "check": (check, [True]), "solve": (solve, [expected])}
    for face, (says_it, right) in faces.items():
        try:
            got = says_it()
        except Refused as refusal:
            yield f"{name}: {face}", f"refused: {refusal}"
        else:
            if got != right:
                yield f"{name}: {face}", f"{got} is not {right}"


@pytest.mark.usefixtures("verdicts_alone", "read_once")
def test_what_the_caller_says_wins_over_the_question(tmp_path):
    agree({one: said for name in ORDER for one, said in order_failures(name, tmp_path)})


# What gave way, as a sentence beside the answer: the aspect, what the question sets, what the caller sets.
GAVE_WAY = {
    "values": ("B = 64", "B = 128"),
    "values, largest": ("B = 1", "B = 4"),
    "rest": ("the rest is kept", "the rest is dropped"),
    "capacity": ("capacity 80 GiB", "capacity 95 GiB"),
    "device": ("device NVIDIA H100 SXM 80 GB", "device Google TPU v5p"),
    "reading": ("binary reading", "marketed reading"),
    "recompute": ("recomputation: nothing is recomputed", "recomputation: of every 2 blocks the first is recomputed"),
    "place": ("1 of the activations divided", "1/4 of the activations divided"),
}


@pytest.mark.parametrize("name", ORDER)
def test_what_of_a_question_gave_way_is_said_beside_the_answer(name, tmp_path):
    ask, own, _, chosen = ORDER[name]
    given = homework_of_xxl(**({"ask": ask, **SOLVED.get(ask, {}), **own}))
    given["question"] = [{key: value for key, value in given["question"][0].items() if value is not None}]
    if ask == "largest":
        given["values"]["n_fsdp"] = 64
    path = written(tmp_path / "study.toml", given)
    first, second = GAVE_WAY[name]
    said = f"The question itself sets “{first}”; the caller sets “{second}"
    assert "The question itself sets" not in json.dumps(asked("homework", path), ensure_ascii=False)
    for face in ("homework", "report"):
        assert said in json.dumps(asked(face, path, *chosen), ensure_ascii=False)
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with redirect_stdout(out):
        assert main(["solve", path, "--question", "b", *chosen]) == 0
    (line,) = [line for line in out.buffer.getvalue().decode().splitlines() if "The question itself sets" in line]
    assert line.startswith(f"beside      {said}")


@pytest.mark.usefixtures("verdicts_alone", "read_once")
@pytest.mark.parametrize("own", [{"B": 64}, {"B": 64, "L": 12}])
def test_what_a_question_says_wins_over_the_study(own, tmp_path):
    plain = homework_of_xxl(ask="min_degree")
    answers = []
    for table in (homework_of_xxl(ask="min_degree", values=own), plain | {"values": plain["values"] | own}):
        path = written(tmp_path / "study.toml", table)
        found = asked("homework", path)["questions"][0]["value"]
        assert asked("solve", path, "--question", "b")["value"] == found
        answers.append(found)
    assert (
        answers[0] == answers[1] != asked("homework", written(tmp_path / "study.toml", plain))["questions"][0]["value"]
    )


def test_no_option_makes_a_question_vanish(tmp_path):
    lost = {}
    for path in study_files():
        table = tomllib.loads(path.read_text())
        if any("rest" in question for question in table["question"]):
            for fate in ("kept", "dropped"):
                left = len(asked("homework", path.stem, "--rest", fate)["questions"])
                if left != len(table["question"]):
                    lost[f"{path.stem}: --rest {fate}"] = f"{left} of {len(table['question'])} questions are left"
    for number in range(2):
        table = generated("rest", number)
        path = written(tmp_path / "study.toml", table)
        for fate in ("kept", "dropped"):
            try:
                left = len(asked("homework", path, "--rest", fate)["questions"])
            except Refused as refusal:
                lost[f"generated: --rest {fate}"] = str(refusal)
            else:
                if left != len(table["question"]):
                    lost[f"generated: --rest {fate}"] = f"{left} questions are left"
    agree(lost)
