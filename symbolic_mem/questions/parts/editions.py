"""A figure as one edition of a source prints it, and what that edition computes where it is another number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput, at_place
from symbolic_mem.base.exact import Values, missing
from symbolic_mem.base.formula import read_formula, read_written
from symbolic_mem.base.tomlfile import known_keys
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Chain, Prose, Put, amount, say, text
from symbolic_mem.document.words import sentences
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.figures import figure, verdict
from symbolic_mem.study.keys import At, words, wrong_type

_KEYS = ("figure", "edition", "computes", "slip")


@dataclass(frozen=True)
class Figure:
    """A figure as it is `written` in an `edition` of a source, which says commit or version and date.

    Where that edition `computes` another number than ours, its formula comes out to the figure, and the `slip` says in
    a sentence where the two part; `written_out` is that formula with each number where the study writes it.
    """

    written: str
    edition: str = ""
    computes: sp.Expr | None = None
    written_out: Put | None = None
    slip: str = ""


def edition(given: Any, at: At) -> str:
    """Read the name of an edition that the study declares under ``[editions]``, and return what it says of it.

    >>> edition("v3", At("my.toml: edition", editions={"v3": "arXiv:1910.02054v3 of 13 May 2020"}))
    'arXiv:1910.02054v3 of 13 May 2020'
    """
    name = words(given, at)
    if name not in at.editions:
        said = f"{at.where}: unknown edition {name!r}"
        if at.editions:
            raise BadInput.unknown(said, name, at.editions)
        raise BadInput(f"{said}; declare it under [editions]")
    return at.editions[name]


def read_figures(given: Any, at: At, names: Mapping[str, sp.Expr] | None = None) -> tuple[Figure, ...]:
    """Read what sources print: a figure, a table of it with its edition, or a list of those; `names` of formulas.

    >>> read_figures("31.4", At("my.toml: printed"))
    (Figure(written='31.4', edition='', computes=None, written_out=None, slip=''),)
    """
    listed = given if isinstance(given, list) else [given]
    return tuple(_figure(each, at, at.names if names is None else names) for each in listed)


def in_edition(printed: Sequence[Figure], usual: str, where: str) -> tuple[Figure, ...]:
    """Return the figures with the `usual` edition where they name none; raises `BadInput` for one without any."""
    found = tuple(each if each.edition else replace(each, edition=usual) for each in printed)
    for each in found:
        if not each.edition:
            raise BadInput(
                f"{where} = {each.written!r} is not dated; declare the edition that prints it (commit or version, and "
                'date) under [editions], and name it: edition = "NAME"'
            )
    return found


def check_computed(printed: Figure, values: Values, where: str, scale: int = 1) -> None:
    """Refuse a figure to which what its edition is said to compute does not come out; `scale` is that of its unit."""
    if printed.computes is None:
        return
    if missing(printed.computes, values):
        raise BadInput(f"{where}: computes = {printed.computes} has no number; give its symbols values")
    value = printed.computes.xreplace(dict(values)) / scale
    rounded = value if value.is_Rational else sp.Rational(str(sp.N(value, 40))) if value.is_real else None
    if rounded is None or verdict(rounded, printed.written) == "different":
        shown = Amount(value, digits=6).shown.plain if value.is_real else str(value)
        raise BadInput(f"{where}: computes comes out to {shown}, and that is not printed as {printed.written}")


def computed_words(printed: Figure, values: Values, unit: str = "") -> Prose:
    """Say what the edition computes in place of the exact number, and where the two part; empty where nothing is said."""
    if printed.computes is None:
        return text("")
    work = Work(values)
    chain = computed_chain(printed, work, unit)
    work.check(chain)
    return sentences(say("That edition computes {chain}.", chain=chain), text(printed.slip))


def computed_chain(printed: Figure, work: Work, unit: str = "", digits: int = 5) -> Chain:
    """What the edition computes: its formula, the numbers put in, and its value."""
    assert printed.computes is not None and printed.written_out is not None
    value = amount(work.number(printed.computes), unit, digits=digits, fixed=True)
    if printed.computes.free_symbols:
        return Chain(printed.computes, (("=", work.put(printed.computes)), value))
    return Chain(printed.written_out, (value,))


def _figure(given: Any, at: At, names: Mapping[str, sp.Expr]) -> Figure:
    content = given if isinstance(given, Mapping) else {"figure": given}
    known_keys(content, _KEYS, at.where)
    written = content.get("figure")
    if isinstance(written, bool) or not isinstance(written, str | int | float):
        raise wrong_type(written, at, 'a figure such as 31.4 or "128B"')
    with at_place(at.where):
        figure(str(written))
    if ("computes" in content) != ("slip" in content):
        raise BadInput(f"{at.where}: computes and slip stand together: the formula that gives the figure, and why")
    if "computes" not in content:
        return Figure(str(written), _edition(content, at))
    formula = words(content["computes"], at.at(f"{at.where}: computes")), names, f"{at.where}: computes"
    slip = words(content["slip"], at.at(f"{at.where}: slip"))
    return Figure(str(written), _edition(content, at), read_formula(*formula), Put(*read_written(*formula)), slip)


def _edition(content: Mapping[str, Any], at: At) -> str:
    return edition(content["edition"], at.at(f"{at.where}: edition")) if "edition" in content else ""
