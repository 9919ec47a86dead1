"""Many claims in one file: rows of csv that are read, and their verdicts as rows that are written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from symbolic_mem.base.cells import line
from symbolic_mem.base.errors import BadInput, nearest, one_line, shown
from symbolic_mem.base.harmless import harmless
from symbolic_mem.base.outside import decoded, read_content
from symbolic_mem.base.values import dataclass
from symbolic_mem.claims.cells import Line, lines_of
from symbolic_mem.claims.check import check_all
from symbolic_mem.claims.read import names_itself
from symbolic_mem.claims.verdict import Unread, Verdict
from symbolic_mem.claims.verdicts import verdict_words
from symbolic_mem.document.words import plural
from symbolic_mem.render.text import plain_prose
from symbolic_mem.study.study import Study

_STRICT = re.compile(r"[<>](?!=)")
_SIGNS = {",": "a comma", ";": "a semicolon", "\t": "a tab"}
COLUMNS = ("name", "claim", "question", "person")
WRITTEN = (
    *("person", "claim", "question", "verdict", "figures", "claimed", "expected", "difference", "unit"),
    *("slips", "sentence"),
)


@dataclass(frozen=True)
class Row:
    """A claim of a file, ``NAME=VALUE``, with the label of its question (None: not said) and who made it (empty: nobody).

    Where the row cannot be read, `claim` is its text, and `fault` says why.
    """

    claim: str
    question: str | None = None
    person: str = ""
    fault: str = ""


def read_claims(given: str) -> tuple[Row, ...]:
    """Read a csv file with the columns ``name`` and ``claim``, and ``question`` and ``person`` where they are given.

    The name is that of the quantity; where the claim itself has one (``n_fsdp=46``) it is the person's. Cells are divided
    by commas; by semicolons or tabs, where the first row is. A row of too many cells or too few, or with a quote that is not closed, has a fault. Raises `BadInput` with the place for a file that cannot be read and an unknown column.
    """
    path = shown(given)
    content = decoded(read_content(given, "csv"), path)
    divided = next((sign for sign in ";\t" if sign in content.partition("\n")[0]), ",")
    rows = list(lines_of(content, divided))
    if not rows:
        raise BadInput(f"{path}: is empty; write the heads name,claim and a claim in each row below")
    first, *others = rows
    if first.fault:
        raise BadInput(f"{path}: is not csv ({first.fault}); write for example name,claim and n_fsdp,46")
    heads = [head.strip().lower() for head in first.cells]
    for head in heads:
        if head not in COLUMNS or heads.count(head) > 1:
            fault = "stands twice" if heads.count(head) > 1 else nearest(head, COLUMNS)
            said = f"{path}: column {head!r}: {fault}; the first row names the columns, as in name,claim"
            raise BadInput(said, () if head in COLUMNS else sorted(COLUMNS))
    if "claim" not in heads:
        raise BadInput(f"{path}: there is no column 'claim'; the first row names the columns, as in name,claim")
    found = [_row(heads, one, path, divided) for one in others]
    if not found:
        raise BadInput(f"{path}: holds no claims; write one in each row below the heads")
    return tuple(found)


def _row(heads: Sequence[str], one: Line, path: str, divided: str) -> Row:
    cells, where = one.cells, f"line {one.number} of {path}"
    if one.fault:
        fault = f"{where} is not csv ({one.fault}); close each quote, and write one inside a cell twice"
        return Row(one_line(one.text), fault=fault)
    if len(cells) != len(heads):
        remedy = (
            f"quote a cell with {_SIGNS[divided]} in it"
            if len(cells) > len(heads)
            else "leave a cell empty where nothing is said"
        )
        fault = f"{len(cells)} {plural(len(cells), 'cell', 'cells')} for {plural(len(heads), 'one column', f'{len(heads)} columns')} in {where}; {remedy}"
        return Row(one_line(divided.join(cells).strip()), fault=fault)
    try:
        given = {head: harmless(cell.strip(), f"{where}: {head}") for head, cell in zip(heads, cells, strict=True)}
    except BadInput as error:
        return Row(one_line(divided.join(cells).strip()), fault=str(error))
    claim, name = given["claim"], given.get("name", "")
    person, question = given.get("person", ""), given.get("question") or None
    if not claim:
        return Row("", question, person or name)
    if names_itself(claim):
        return Row(claim, question, person or name)
    joined = f"{name} {claim}" if _STRICT.match(claim) else f"{name}={claim}"  # name=> 45 would be at least 45
    return Row(joined if name else claim, question, person)


def check_rows(study: Study, rows: Iterable[Row], *, question: str | None = None) -> list[tuple[Row, Verdict | Unread]]:
    """Check every row; the claims of one person stand together, in the order of the file, which is that of the verdicts."""
    rows = list(rows)
    verdicts: dict[int, Verdict | Unread] = {}
    together: dict[str, list[int]] = {}
    for i, row in enumerate(rows):
        if row.fault:
            verdicts[i] = Unread(row.claim, BadInput(row.fault))
        else:
            together.setdefault(row.person, []).append(i)
    for own in together.values():
        found = check_all(study, [(rows[i].claim, rows[i].question) for i in own], question=question)
        verdicts |= dict(zip(own, found, strict=True))
    return [(row, verdicts[i]) for i, row in enumerate(rows)]


def written(checked: Iterable[tuple[Row, Verdict | Unread]]) -> str:
    """Return the verdicts as csv, a row for each claim: exact numbers in bytes or in what the quantity counts."""
    return line(WRITTEN) + "".join(line(_cells(row, verdict)) for row, verdict in checked)


def _cells(row: Row, verdict: Verdict | Unread) -> list[Any]:
    if isinstance(verdict, Unread):
        return [row.person, row.claim, row.question, "error", *[None] * 6, str(verdict.error)]
    return [
        row.person,
        row.claim,
        verdict.question,
        "right" if verdict.right else "wrong",
        verdict.figures or None,
        _number(verdict.value),
        _number(verdict.expected),
        _number(verdict.difference),
        verdict.claimed.unit,
        slip_names(verdict),
        plain_prose(verdict_words(verdict)),
    ]


def slip_names(verdict: Verdict) -> str:
    """The names of the slips that give a wrong claim: those of one explanation joined by ``+``, explanations by ``;``."""
    return "; ".join(" + ".join(slip.name for slip in one.slips) for one in verdict.explanations)


def _number(value: Fraction | None) -> str | None:
    if value is None:
        return None
    return str(value.numerator) if value.denominator == 1 else repr(float(value))
