"""Every number that is shown is exact or marked, in every face: read back here from what is printed, by other means.

Nothing of how the package writes numbers is used: figures and relations are parsed from the output and held against
exact values.
"""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import fields, is_dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import derived
import pytest
import sympy as sp
from sampled import sampled

import symbolic_mem
from symbolic_mem.cli.main import main
from symbolic_mem.document.prose import Amount, Prose, text
from symbolic_mem.documents.documents import homework, report
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study
from symbolic_mem.render import html as html_face
from symbolic_mem.render import latex as latex_face
from symbolic_mem.render import markdown as markdown_face
from symbolic_mem.render.text import plain_prose

STUDIES = sorted(bundled())
DOCUMENTS = {"homework": homework, "report": report}
BYTES = {"byte": 1, "bytes": 1}
BYTES |= {unit: 1000 ** (n + 1) for n, unit in enumerate(("kB", "MB", "GB", "TB", "PB"))}
BYTES |= {unit: 1024 ** (n + 1) for n, unit in enumerate(("KiB", "MiB", "GiB", "TiB", "PiB"))}
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
NUMBER = r"-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
POWER = r"(?: × 10[⁰¹²³⁴⁵⁶⁷⁸⁹]+)?"
FIGURE = re.compile(rf"(≈ )?({NUMBER}{POWER})(?: ([A-Za-z%][A-Za-z%/ -]*))?")
RELATION = re.compile(r" (=|≈|<|≤|>|≥) ")


# Reading what is printed


def number(figures: str) -> Fraction:
    """The number that figures say: grouped digits, perhaps a power of ten."""
    mantissa, _, power = figures.replace(",", "").partition(" × 10")
    return Fraction(mantissa) * Fraction(10) ** int(power.translate(RAISED) or 0)


def last_place(figures: str) -> Fraction:
    """One unit of the last figure that is shown."""
    return Fraction(1, 10 ** len(figures.partition(".")[2]))


def scale(unit: str | None) -> int:
    """What the number is multiplied by: the bytes of a unit of memory, else one."""
    return BYTES.get(unit or "", 1)


def evaluated(side: str) -> tuple[sp.Expr, str | None, str | None] | None:
    """The value of a side of a line that holds numbers alone, its unit, and its figures if it is one number."""
    side = side.removesuffix(".")  # the end of a sentence
    one = FIGURE.fullmatch(side)
    if one and not one[1] and not (one[3] and re.fullmatch(r"[A-Z]|[A-Z] .*", one[3])):
        return sp.Rational(number(one[2])), one[3], one[2]
    tail = re.search(r"(?<=[\d)⌉⌋]) ([a-z%][A-Za-z%/ -]*|[KMGTP]i?B)$", side)
    unit, formula = (tail[1], side[: tail.start()]) if tail else (None, side)
    if not re.fullmatch(r"[\d.,()·/+−^×⁰¹²³⁴⁵⁶⁷⁸⁹⌈⌉⌊⌋√ -]+", formula):
        return None
    formula = re.sub(r"(\d),(?=\d{3})", r"\1", formula)
    formula = re.sub(r" × 10([⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda m: f"*ten**{m[1].translate(RAISED)}", formula)
    formula = re.sub(r"\d+(?:\.\d+)?", lambda m: f"R('{m[0]}')", formula).replace("10**R", "10**R")
    for old, new in (("−", "-"), ("·", "*"), ("^", "**"), ("⌈", "C("), ("⌉", ")"), ("⌊", "F("), ("⌋", ")"), ("√", "Q")):
        formula = formula.replace(old, new)
    formula = re.sub(r"(?<=\)) (?=[RQCF(])|(?<=\))(?=[RQCF(])", "*", formula)
    names = {"R": sp.Rational, "C": sp.ceiling, "F": sp.floor, "Q": sp.sqrt, "ten": sp.Integer(10)}
    return eval(formula, {"__builtins__": {}}, names), unit, None


def false_relations(line: str) -> Iterator[str]:
    """The relations of a line between numbers that are not true, or whose sign is not the right one."""
    parts = RELATION.split(line)
    for position in range(0, len(parts) - 2, 2):
        relation, shown = parts[position + 1], evaluated(parts[position + 2])
        known = evaluated(parts[position]) if position == 0 or parts[position - 1] != "≈" else exactly(parts, position)
        if shown is None or known is None:
            continue
        one, other = known[0], shown[0]
        if scale(known[1]) != scale(shown[1]) or (known[1] is None) != (shown[1] is None):
            one, other = one * scale(known[1]), other * scale(shown[1])
        if not holds(one, relation, other, shown):
            yield f"{parts[position]} {relation} {parts[position + 2]}"


def exactly(parts: list[str], position: int) -> tuple[sp.Expr, str | None, str | None] | None:
    """The last side before a rounded one whose number is exact."""
    for before in range(position, -1, -2):
        if before == 0 or parts[before - 1] != "≈":
            return evaluated(parts[before])
    return None


def holds(one: sp.Expr, relation: str, other: sp.Expr, shown: tuple) -> bool:
    """Whether a relation between numbers is true; what is rounded must differ, and be rounded to the figures shown."""
    match relation:
        case "=":
            return bool(sp.simplify(one - other) == 0)
        case "≈":
            half = sp.Rational(last_place(shown[2])) * scale(shown[1]) / 2
            return bool(one != other) and bool(abs(sp.N(one - other, 30)) <= half)
        case "<":
            return bool(one < other)
        case "≤":
            return bool(one <= other)
        case ">":
            return bool(one > other)
    return bool(one >= other)


def misread(shown: str, amount: Amount) -> str | None:
    """What is wrong with how an amount is shown; None where it is exact, or marked and rightly rounded."""
    match = FIGURE.fullmatch(shown)
    if match is None:
        return f"{shown!r} is no number"
    value = sp.nsimplify(amount.value) if amount.value.is_Float else amount.value
    said = number(match[2]) * scale(match[3])
    exact = value.is_Rational and said == Fraction(int(value.p), int(value.q))
    if match[1] is None:
        return None if exact else f"{shown!r} is not exactly {value}"
    half = last_place(match[2]) * scale(match[3]) / 2
    if exact or abs(sp.N(value - sp.Rational(said), 30)) > half:
        return f"{shown!r} is not {value} rounded"
    return None


# The faces of a sentence, as a reader sees them


def read_latex(markup: str) -> str:
    plain = markup.replace(r"\(", "").replace(r"\)", "").replace("$", "").replace(r"\,", ",").replace("~", " ")
    plain = re.sub(r"\\(?:mathrm|text)\{([^{}]*)\}", r"\1", plain).replace(r"\%", "%").replace(r"\approx", "≈")
    plain = re.sub(r" ?\\times 10\^\{(\d+)\}", lambda m: " × 10" + raised(m[1]), plain)
    return re.sub(r"^10\^\{(\d+)\}", lambda m: "1 × 10" + raised(m[1]), plain)


def read_html(markup: str) -> str:
    markup = re.sub(r'<math alttext="([^"]*)">.*?</math>', r"\1", markup)
    plain = html.unescape(re.sub(r"<[^>]*>", "", markup))
    return plain.replace("\N{NARROW NO-BREAK SPACE}", ",").replace("\N{NO-BREAK SPACE}", " ").replace("−", "-")


def raised(digits: str) -> str:
    return digits.translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


FACES = {
    "terminal": plain_prose,
    "LaTeX": lambda said: read_latex(latex_face.prose(said)),
    "Markdown": lambda said: read_latex(markdown_face.prose(said)),
    "HTML": lambda said: read_html(html_face.prose(said)),
}


# What is looked at


def proses(value: Any) -> Iterator[Prose]:
    """Every sentence and cell of a document."""
    if isinstance(value, Prose):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from proses(item)
    elif is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            yield from proses(getattr(value, each.name))


@cache
def document(verb: str, name: str) -> Any:
    return DOCUMENTS[verb](load_study(name))


@cache
def written() -> str:
    """All that is written in the package: what is quoted from there was not computed."""
    package = Path(symbolic_mem.__file__).parent
    files = (path for ending in ("toml", "json", "py") for path in package.rglob(f"*.{ending}"))
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def printed(*arguments: str) -> str:
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        main(list(arguments))
    return out.buffer.getvalue().decode()


@pytest.mark.parametrize("verb", DOCUMENTS)
@pytest.mark.parametrize("name", sampled(STUDIES, 8))
def test_every_displayed_relation_between_numbers_is_true(name, verb):
    shown = json.loads(printed(verb, name, "--json"))
    lines = [line for part in shown["sections"] for block in part["blocks"] for line in block.get("lines", ())]
    assert [false for line in lines for false in false_relations(line)] == []


@pytest.mark.parametrize("verb", DOCUMENTS)
@pytest.mark.parametrize("name", sampled(STUDIES, 8))
def test_every_amount_that_stands_alone_is_exact_or_marked_in_every_face(name, verb):
    amounts = {
        part for said in proses(document(verb, name).sections) for part in said.parts if isinstance(part, Amount)
    }
    wrong = [
        f"{face}: {found}"
        for amount in amounts
        for face, read in FACES.items()
        if (found := misread(read(Prose((amount,))).strip(), amount))
    ]
    assert wrong == []


@pytest.mark.parametrize("verb", DOCUMENTS)
@pytest.mark.parametrize("name", sampled(STUDIES, 8))
def test_no_number_is_typed_into_a_sentence(name, verb):
    """A decimal, or a number that should be grouped, stands in words only where a source or a study has written it."""
    typed = re.compile(r"(?<![\d.])\d+\.\d+(?!\.?\d)|(?<![\d.,A-Za-z])\d{5,}(?![\d.])")
    found = {
        figures
        for said in proses(document(verb, name).sections)
        for part in said.parts
        if isinstance(part, str)
        for figures in typed.findall(part)
        if figures not in written()
    }
    assert found == set()


def exact_numbers(value: Any) -> Iterator[Fraction]:
    """Every exact number in a record, however deep."""
    match value:
        case bool() | None | str():
            return
        case Mapping():
            for item in value.values():
                yield from exact_numbers(item)
        case tuple() | list():
            for item in value:
                yield from exact_numbers(item)
        case int() | Fraction():
            yield Fraction(value)
        case sp.Expr() if value.is_Rational:
            yield Fraction(int(value.p), int(value.q))


@pytest.mark.parametrize("name", sampled(STUDIES, 8))
def test_the_terminal_marks_what_it_rounds(name):
    """Relations hold, and a decimal without a mark is an exact number of the answer, in one of its units."""
    solved = [one for one in derived.homework(name).found if one.question.solvable]
    known = {number for one in solved for number in exact_numbers(one.record)}
    held = [one for one in solved if callable(getattr(one, "held", None)) and isinstance(one.value, int)]
    known |= {Fraction(one.held(n)) for one in held for n in (one.value - 1, one.value, one.value + 1) if n}
    for verb in ("solve", "account", "comms"):
        for line in printed(verb, name).splitlines():
            alone = re.split(r" from (?=\w+ = )", line)  # each value from which another instant takes over
            assert [false for part in alone for false in false_relations(part)] == [], line
            for match in re.finditer(rf"(≈ )?(?<![\w.,])({NUMBER})(?![\w.,]*\d)(?: ([KMGTk]i?B|bytes|%)\b)?", line):
                if "." not in match[2] or match[1] or match[2] in written():
                    continue
                value = number(match[2]) * scale(match[3])
                assert value.denominator == 1 or value in known or match[3] == "%" or verb == "account", line


@pytest.mark.parametrize("name", sampled(STUDIES, 8))
def test_shares_of_the_account_are_marked_where_they_are_rounded(name):
    lines = printed("account", name).splitlines()
    assert lines
    if any(line.startswith("missing") for line in lines):
        return  # no numbers, which the account says
    rows = re.findall(rf"  ({NUMBER})  +((?:≈ )?{NUMBER} \w+)  +((?:≈ |< )?{NUMBER} %)", "\n".join(lines))
    total = max((number(row[0]) for row in rows), default=Fraction(0))
    for whole, memory, share in rows:
        size = sp.Rational(number(whole))
        assert misread(memory, Amount(size)) is None
        if share.startswith("<"):
            assert size < sp.Rational(total) / 10000
        else:
            assert misread(share, Amount(100 * size / sp.Rational(total))) is None


UNCLAIMED = (
    "cs336-a2-2026-mesh",
    "cs336-a2-buckets",
    "cs336-a2-memory",
    "scaling-book-gpus",
    "utilisation",
    "zero-table-2",
)
"""Studies that ask about nothing that a claim of states is about."""
UNCOMPARED = (
    *UNCLAIMED[:-1],
    *("gpt2-xl", "korthikanti", "lora-llama-3.1-8b", "playbook", "qlora-llama-3.1-8b"),
    *(name for name in STUDIES if name.startswith("cluster-")),
)
"""Studies in which these recipes do not differ, or take no part, or a value is missing."""


@pytest.mark.parametrize("name", sampled([name for name in STUDIES if name not in UNCOMPARED], 4))
def test_a_comparison_shows_each_gap_exactly_or_marked(name):
    lines = printed("compare", name, "--recipe", "fp32", "--recipe", "zero-16")
    rows = re.findall(rf"  ({NUMBER})  +((?:≈ )?{NUMBER} (?:bytes?|[KMG]iB))\b", lines)
    assert rows
    for whole, memory in rows:
        assert misread(memory, Amount(sp.Rational(number(whole)))) is None


@pytest.mark.parametrize("name", sampled([name for name in STUDIES if name not in UNCLAIMED], 4))
def test_a_verdict_shows_the_number_exactly_or_marked(name):
    claim = ("check", name, "--claim", "static=1 GB")
    said = re.search(rf"it is ((?:≈ )?{NUMBER} GB)", printed(*claim))
    assert said is not None
    (verdict,) = json.loads(printed(*claim, "--json"))
    assert misread(said[1], Amount(sp.Rational(repr(verdict["expected"])))) is None


def inexact(exact: Any, shown: Any, path: str = "") -> Iterator[str]:
    """The places at which a JSON value differs from the exact one."""
    match exact:
        case Mapping():
            for key, item in exact.items():
                if key != "formula":
                    yield from inexact(item, shown[str(key)], f"{path}/{key}")
        case tuple() | list():
            for position, item in enumerate(exact):
                yield from inexact(item, shown[position], f"{path}/{position}")
        case sp.Expr() if exact.is_number:
            if not exact.is_Rational or Fraction(repr(shown)) != Fraction(int(exact.p), int(exact.q)):
                yield path.lstrip("/")
        case Fraction():
            if Fraction(repr(shown)) != exact:
                yield path.lstrip("/")


@pytest.mark.parametrize("name", sampled(STUDIES, 8))
def test_json_names_every_number_that_it_rounds(name):
    shown = json.loads(printed("homework", name, "--json"))["questions"]
    for found, record in zip(derived.homework(name).found, shown, strict=True):
        named = set(record.get("approximate", ()))
        assert set(inexact(found.record, record)) <= named
        for place in named:  # and nothing else, but bytes of one device that are rounded up
            assert place in set(inexact(found.record, record)) or place.endswith("bytes") or "bytes" in place


def test_the_reader_finds_what_is_false():
    assert [*false_relations("M = 103,723,460,199 bytes = 96.6 GiB")] == ["103,723,460,199 bytes = 96.6 GiB"]
    assert [*false_relations("M = 103,723,460,198.4 bytes = 96.6 GiB")] == []
    assert [*false_relations("x = 1/3 = 0.333")] == ["1/3 = 0.333"]
    assert [*false_relations("x = 1/3 ≈ 0.333 < 1")] == []
    assert [*false_relations("x = 2 · 1.8 × 10¹¹ = 3.6 × 10¹¹")] == []
    assert [*false_relations("x = 7 ≈ 7")] == ["7 ≈ 7"]
    assert [*false_relations("x ≈ 41,943,041.0000 > 41,943,041")] == []  # nothing exact to hold it against
    assert misread("20,444.4 tokens", Amount(sp.Rational(184000, 9))) is not None
    assert misread("≈ 20,444.4 tokens", Amount(sp.Rational(184000, 9))) is None
    assert misread("≈ 2 GiB", Amount(sp.Integer(2**31))) is not None
    assert misread("≈ 80.000 GiB", Amount(sp.Integer(80 * 2**30 - 10**7))) is not None
    assert plain_prose(text("a")) == "a"
