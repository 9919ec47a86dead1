"""`Fragment`: one piece of a document for a paper: a table, the account, a bound, a derivation or a figure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from symbolic_mem.base.cells import line
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import C_mem, M_divided, M_fixed, N_devices, P, T, T_min, Written, lookup, writing
from symbolic_mem.base.values import dataclass
from symbolic_mem.base.version import __version__
from symbolic_mem.base.written import counted
from symbolic_mem.document.family import family_of, in_family
from symbolic_mem.document.figure import Figure
from symbolic_mem.document.prose import Amount, Brief, Chain, Prose, amount, say
from symbolic_mem.document.steps import Block, Step, Table
from symbolic_mem.documents.given import references
from symbolic_mem.documents.parts import part
from symbolic_mem.questions.parts.assumptions import DEGREES, used_by_plan
from symbolic_mem.questions.parts.memory import term_table
from symbolic_mem.questions.parts.unread import refuse_unread, refuse_values
from symbolic_mem.render import piece
from symbolic_mem.render.files import write_whole
from symbolic_mem.render.svg import svg
from symbolic_mem.render.text import plain_prose
from symbolic_mem.study.answered import found_for
from symbolic_mem.study.changed_values import PLACEMENTS
from symbolic_mem.study.found import Found
from symbolic_mem.study.study import Study, of_study

PARTS = ("table", "account", "bound", "derivation", "figure")
ENDINGS = {"tex": PARTS, "svg": ("figure",), "csv": ("figure", "table", "account"), "bib": PARTS}


@dataclass(frozen=True, repr=False)
class Fragment:
    """A piece of a `study`: its `blocks` as data, its `label`, its `sources`, and the `command` that makes it.

    Some symbols are `written_as` the study says.
    """

    part: str
    study: str
    label: str
    blocks: tuple[Block, ...]
    sources: tuple[Prose, ...]
    command: str
    written_as: Written = ()

    def __repr__(self) -> str:
        return f"<fragment {self.label}>"

    def tex(self, width: str | None = None) -> str:
        """The piece as LaTeX without a preamble, for a width such as ``3.3in`` (without one: that of LaTeX's article).

        Its head says which packages it needs and which command made it. Raises `BadInput` for a width that is too small.
        """
        wide = piece.TEXT if width is None else piece.points(width)
        with writing(self.written_as):
            body = self._body(wide)
        needs = "".join(rf" \usepackage{{{name}}}" for name in piece.packages(body)) or " nothing"
        return f"% symbolic-mem {__version__}: {' '.join(self.command.split())}\n% needs:{needs}\n{body}\n"

    def _body(self, wide: float) -> str:
        match self.part, self.blocks:
            case (("table" | "account"), (Table() as table,)):
                return piece.table_tex(table, self.label, wide)
            case "figure", (Figure() as figure,):
                return piece.figure_tex(figure, self.label, wide)
            case "bound", (Step() as step,):
                return piece.equation_tex(step.chains, self.label, wide)
        return piece.derivation_tex(self.blocks, wide)

    @property
    def bib(self) -> str:
        """The sources as BibTeX entries, and this package."""
        entries = [_entry(f"{self.study}-{i}", plain_prose(said)) for i, said in enumerate(self.sources, 1)]
        return "\n".join([*entries, _entry("symbolic-mem", f"symbolic-mem {__version__}")])

    @property
    def csv(self) -> str:
        """The numbers of a figure, or the cells of a table as text."""
        (shown,) = self.blocks
        if isinstance(shown, Table):
            with writing(self.written_as):
                heads = tuple(plain_prose(column.head) for column in shown.columns)
                rows = tuple(tuple(plain_prose(cell) for cell in row) for row in shown.rows)
            return "".join(map(line, (heads, *rows)))
        assert isinstance(shown, Figure)
        return shown.csv

    def svg(self, width: str | None = None) -> str:
        """A figure as SVG."""
        (figure,) = self.blocks
        assert isinstance(figure, Figure)
        with writing(self.written_as):
            return svg(figure) if width is None else svg(figure, piece.points(width) / 1.00375)

    def written(self, ending: str, width: str | None = None) -> str:
        """The piece in the format of an ending: ``tex``, ``bib``, of a figure ``svg``, of figures and tables ``csv``."""
        if ending not in ENDINGS or self.part not in ENDINGS[ending]:
            known = [name for name, parts in ENDINGS.items() if self.part in parts]
            raise BadInput(
                f"the {self.part} is not written as .{ending}; use {', '.join('.' + name for name in known)}"
            )
        match ending:
            case "svg":
                return self.svg(width)
            case "csv":
                return self.csv
            case "bib":
                return self.bib
        return self.tex(width)

    def save(self, path: str | Path, width: str | None = None) -> None:
        """Write the piece to a file, whole or not at all; the ending says the format."""
        path = Path(path)
        write_whole(path, self.written(path.suffix.removeprefix(".").lower(), width).encode(), "")

    def _repr_html_(self) -> str:
        from symbolic_mem.render.jinja import blocks_html

        with writing(self.written_as):
            return blocks_html(self.blocks)


def known_part(part: str) -> None:
    """Refuse what is no part of a document."""
    if part not in PARTS:
        raise BadInput.unknown(f"unknown part {part!r}", part, PARTS)


@of_study
def fragment(
    study: Study, part: str, question: str | None = None, pick: str | int | None = None, command: str = ""
) -> Fragment:
    """Make one piece of a study: its ``account``, or of a question a ``table``, the ``bound``, the ``derivation``, a ``figure``.

    Args:
        study: what it is about.
        part: which piece.
        question: the label of the question; without it the first that has such a piece.
        pick: which of several: the number of a table, the name of a figure.
        command: how it is said in the head of the LaTeX; without it a call of this function.

    Raises:
        BadInput: there is no such piece; it names those there are.

    >>> from symbolic_mem.library.read import load_study
    >>> fragment(load_study("cs336-a2-xxl"), "figure", "b", "bound").label
    'cs336-a2-xxl-b-bound'
    """
    known_part(part)
    made = (
        command
        or f"fragment({study.name!r}, {part!r}"
        + "".join(
            f", {name}={value!r}" for name, value in (("question", question), ("pick", pick)) if value is not None
        )
        + ")"
    )
    if part == "account":
        if question is not None or pick is not None:
            raise BadInput("the account is one table of the whole study; leave --question and --pick out")
        return _account(study, made)
    refuse_unread(study)
    labels = [one.label for one in study.questions] if question is None else [study.question(question).label]
    asked = [study.question(label) for label in labels]
    if part == "figure" and question is None and pick is not None:
        asked = [one for one in asked if pick in one.drawn] or asked[:1]
    if part in ("derivation", "bound") and pick is not None:
        raise BadInput(f"a question has one {part}; leave --pick out")
    for one in asked:
        found = found_for(study, one)
        blocks = _blocks(found, part, pick)
        if blocks is not None:
            name = "-".join(filter(None, (study.name, found.question.label, blocks[0])))
            return Fragment(part, _slug(study.name), _slug(name), blocks[1], references(study), made, study.written)
    raise BadInput(_none(study, part, question, pick))


@of_study
def figure(study: Study, question: str | None = None, name: str | None = None) -> Fragment:
    """A figure of a study as a piece: that of a `question`, by its `name` where there are several; see `fragment`.

    >>> from symbolic_mem.library.read import load_study
    >>> figure(load_study("cs336-a2-xxl"), "b", "bound")
    <fragment cs336-a2-xxl-b-bound>
    """
    return fragment(study, "figure", question, name)


def _account(study: Study, command: str) -> Fragment:
    if not study.memory.terms:
        raise BadInput(f"study {study.name!r} has no terms of memory; ask for another part: {', '.join(PARTS)}")
    study.need(study.memory.total, "the account")
    full = term_table(study.memory, study.values)
    unit = family_of([study.capacity.unit] if study.device.known else [], ())
    read = study.memory.total.free_symbols | (set() if study.plan is None else used_by_plan(study, study.plan))
    refuse_values(study, [frozenset(map(str, read))])
    for change in study.caller:
        divides = change.aspect in ("plan", "rest", *PLACEMENTS)
        divides |= lookup(change.aspect) in {*DEGREES} - read
        weighs = change.aspect in ("device", "reading") and unit == family_of([], ())
        if divides or weighs:
            raise BadInput(
                f"{change.words}: the account is the memory of the whole model, of which {'nothing is divided' if divides else 'no device holds a share'}; "
                "leave it out, or ask for another part"
            )
    table = in_family(replace(full, caption=_with_parameters(full.caption, study)), unit)
    return Fragment(
        "account",
        _slug(study.name),
        _slug(f"{study.name}-account"),
        (table,),
        references(study),
        command,
        study.written,
    )


def _with_parameters(caption: Prose, study: Study) -> Prose:
    """A caption that says what P is, where the formulas of the table are written with it."""
    if not any(term.short is not None and term.short.has(P) for term in study.memory.terms):
        return caption
    count = study.model.parameters
    shown = Chain(P, (("=", Brief(count)), amount(count.xreplace(dict(study.values)), "parameters")))
    return say("{caption}; {p}", caption=caption, p=shown)


def _blocks(found: Found, wanted: str, pick: str | int | None) -> tuple[str, tuple[Block, ...]] | None:
    """The blocks of a piece of an answer with its own name; None where it has none."""
    family = family_of([] if found.capacity_unit is None else [found.capacity_unit], ())
    if wanted == "figure":
        return _figure(found, family, pick)
    blocks = in_family(part(found).blocks, family)
    if wanted == "derivation":
        return "", blocks
    if wanted == "bound":
        chains = _bound(blocks, found)
        return None if not chains else ("bound", (Step(Prose(()), chains),))
    tables = [block for block in blocks if isinstance(block, Table)]
    if not tables:
        return None
    if pick is None and len(tables) > 1:
        raise BadInput(f"question {found.question.label} has {len(tables)} tables; pick one: {_listed(tables)}")
    number = 1 if pick is None else counted(str(pick)) or 0
    if not 1 <= number <= len(tables):
        raise BadInput(f"question {found.question.label} has no table {pick!r}; pick one: {_listed(tables)}")
    return f"table-{number}", (tables[number - 1],)


def _figure(found: Found, family: str, pick: str | int | None) -> tuple[str, tuple[Block, ...]] | None:
    question = found.question
    if pick is not None and pick not in question.drawn:
        said = f"question {question.label} has no figure {pick!r}"
        raise BadInput.unknown(said, str(pick), question.drawn) if question.drawn else BadInput(said)
    names = question.drawn if pick is None else (str(pick),)
    drawn = (question.figure(found, name, family) for name in names)
    figure = next((one for one in drawn if one is not None), None)
    if figure is None:
        return None
    return figure.name, (replace(figure, name=_slug(f"{question.label}-{figure.name}")),)


def _bound(blocks: Sequence[Block], found: Found) -> tuple[Chain, ...]:
    """What bounds the unknown, what the parts of that are, and its number: the lines of the derivation that say so."""
    lines = [chain for block in blocks if isinstance(block, Step) for chain in block.chains]
    unknown = getattr(found, "symbol", None)
    bounded = [chain for chain in lines if chain.left in (unknown, T, N_devices) and chain.links]
    parts = [chain for chain in lines if chain.left in (M_divided, M_fixed, C_mem, T_min)]
    asked = [chain for chain in bounded if chain.links[0][0] != "="][:1]
    number = [chain for chain in bounded if chain.links[0][0] == "="][:1]
    if not asked and not number:
        return ()
    seen: dict[object, Chain] = {}
    for chain in parts:
        seen.setdefault(chain.left, chain)
    capacity = getattr(found, "capacity", None)
    if capacity is not None and C_mem not in seen:
        counted = Amount(capacity.counted, capacity.unit)
        seen[C_mem] = Chain(C_mem, (("=" if counted.shown.exact else "≈", counted),))
    return (*asked, *seen.values(), *number)


def _none(study: Study, part: str, question: str | None, pick: str | int | None) -> str:
    where = f"question {question}" if question is not None else f"study {study.name!r}"
    which = "" if pick is None else f" {pick!r} to show"
    advice = "ask for another part, or another --question"
    return f"{where} has no {part}{which}; {advice}"


def _listed(tables: Sequence[Table]) -> str:
    return ", ".join(f"{i} ({plain_prose(table.caption)})" for i, table in enumerate(tables, 1))


def _slug(words: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", words).strip("-")


def _entry(key: str, said: str) -> str:
    year = re.search(r"\b(19|20)[0-9]{2}\b", said)
    title = re.sub(r"([&%$#_{}])", r"\\\1", said.replace("\\", " "))
    dated = f",\n  year = {{{year[0]}}}" if year else ""
    return f"@misc{{{key},\n  title = {{{{{title}}}}}{dated}\n}}"
