"""Claims that are formulas: read through the whitelist of the package, and compared by exact equivalence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import cast

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import at, missing, number
from symbolic_mem.base.formula import read_formula
from symbolic_mem.base.rational import fraction
from symbolic_mem.base.symbols import table
from symbolic_mem.base.units import BYTES_PER
from symbolic_mem.base.values import dataclass
from symbolic_mem.claims.account import account_formula, in_account
from symbolic_mem.claims.lines import exactly
from symbolic_mem.claims.measures import share_of
from symbolic_mem.claims.names import ALIASES, words_of_symbols, written
from symbolic_mem.claims.of_a_rank import BUBBLE, bubble_formula
from symbolic_mem.claims.rule import right_to
from symbolic_mem.claims.shares import is_share
from symbolic_mem.claims.spelled import RAISED
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.found import Found
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

MAX_BITS = 4000
_WRITTEN = {"−": "-", "×": "*", "·": "*", "⋅": "*", "÷": "/", "^": "**", "[": "(", "]": ")", "{": "(", "}": ")"}
_WRITTEN |= {"⌈": "ceiling(", "⌉": ")", "⌊": "floor(", "⌋": ")", "√": "sqrt"}
_CALLS = {"ceiling": "ceiling", "ceil": "ceiling", "floor": "floor", "sqrt": "sqrt", "log": "log"}
_CALLS |= {"Max": "Max", "max": "Max", "Min": "Min", "min": "Min"}
_TOKEN = re.compile(r"\s*((?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)|(?P<name>[^\W\d]\w*)|(?P<sign>\*\*|\S))")
_GROUPS = re.compile(r"(?<![\w.,])[0-9]{1,3}(?:,[0-9]{3})+(?![0-9,])")
_RAISED = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+")
_UNIT = re.compile(rf"(.*[\w)\]⌉⌋}}])\s+({'|'.join(map(re.escape, BYTES_PER))})\s*", re.DOTALL)
_UNIT_WORD = re.compile(rf"(?<![\w])(?:{'|'.join(unit for unit in BYTES_PER if unit != 'B')})(?!\w)")
_BYTES_EACH = re.compile(r"(?<=[0-9])\s?B(?=\s*[×*·⋅])")
_LINES = {"devices": ("N_devices",), "headroom": ("M_free",)}
_OPAQUE = (sp.ceiling, sp.floor, sp.Max, sp.Min)


@dataclass(frozen=True)
class Compared:
    """A claimed formula, the one of the quantity, the values that were put in for symbols that the claim lacks.

    `same` says that they are equal for all values of the others; `value` is what the claim comes to at the study's. Where
    its numbers are rounded, which values that are put in make, `rounded` is to how many figures each of them is right.
    """

    claimed: sp.Expr
    expected: sp.Expr
    put: Mapping[sp.Symbol, sp.Expr]
    same: bool
    value: Fraction | None
    rounded: int = 0


def compare_formula(
    text: str, study: Study, question: Question | None, name: str, counted: tuple[str, ...]
) -> Compared:
    """Read a formula and hold it against that of the quantity `name`, for all values of the symbols that it has.

    Raises `BadInput` for what is no formula, for unknown names, and where the quantity has no formula of its own.

    >>> from symbolic_mem.library.read import load_study
    >>> from symbolic_mem.models.tensors import KINDS
    >>> study = load_study("cs336-a2-xxl")
    >>> compare_formula("32 L d_model d_ff", study, None, "static", KINDS).same
    True
    >>> compare_formula("12*L*d_model**2", study, None, "parameters", KINDS).same
    False
    """
    found = None if question is None else question.answer(study)
    expected = _formula_of(study, found, name, counted)
    line = () if found is None else (one.line for one in found.ledger)
    percent = (
        name == BUBBLE or is_share(study, name) or any(str(one.symbol) == name and one.unit == "%" for one in line)
    )
    return compare_to(text, expected, study, found, counted, percent=percent)


def compare_to(
    text: str,
    expected: sp.Expr,
    study: Study,
    found: Found | None,
    counted: tuple[str, ...] = KINDS,
    *,
    percent: bool = False,
) -> Compared:
    """Hold a formula against that which is `expected`, in `percent` or not, of an answer that was `found` or of the account."""
    names = {each: expr for each, expr in _names(study, found, counted) if not expr.has(sp.zoo)}
    names |= {each: cast(sp.Expr, one) for one in expected.free_symbols for each in written(one)}
    names |= dict.fromkeys(("bytes", "byte"), sp.S.One)
    names |= {unit: sp.Integer(size) for unit, size in BYTES_PER.items() if unit != "B"}
    said, unit = _split(text)
    said = joined(said, names)
    claimed = read_formula(pythonic(said), names, "formula") * BYTES_PER.get(unit, 1)
    values = study.values if found is None else {**study.values, **found.ledger.values}
    if _BYTES_EACH.search(said):  # 4 B × P: bytes, where that makes it the formula, else a batch
        in_bytes = read_formula(pythonic(_BYTES_EACH.sub("", said)), names, "formula") * BYTES_PER.get(unit, 1)
        claimed = in_bytes if equivalent(in_bytes, expected.xreplace(_put(values, expected, in_bytes))) else claimed
    if percent:
        claimed = _in_percent(claimed, expected, values)
    put = _put(values, expected, claimed)
    value = None if missing(claimed, values) else at(claimed, values)
    if value is not None and value.is_Rational and max(int(value.p).bit_length(), int(value.q).bit_length()) > MAX_BITS:
        raise BadInput(
            f"formula {text[:60]!r} comes to a number of more than {MAX_BITS} bits here; claim a smaller one"
        )
    same, rounded = equivalent(claimed, expected.xreplace(put)), 0
    if not same and put:
        rounded = rounded_to(claimed, expected.xreplace(put), (1, *_sizes(text))) or 0
    return Compared(claimed, expected, put, same or bool(rounded), None if value is None else exactly(value), rounded)


def rounded_to(claimed: sp.Expr, exact: sp.Expr, sizes: Iterable[int] = (1,)) -> int | None:
    """To how many figures every coefficient of a claimed polynomial is right, by the rule of a number; None where one is not.

    A coefficient is written in bytes or in a unit of so many: `sizes` are those of all that stand in the claim.

    >>> from symbolic_mem.base.symbols import B
    >>> exact = 15517753344 * B + 34032921600
    >>> [rounded_to(a * B + b, exact) for a, b in ((155 * 10**8, 340 * 10**8), (155 * 10**8, 341 * 10**8), (155 * 10**8, 0))]
    [2, None, None]
    """
    symbols = sorted(claimed.free_symbols, key=str)
    if not symbols or exact.free_symbols != claimed.free_symbols:
        return None
    try:
        mine, theirs = (sp.Poly(each, *symbols).as_dict() for each in (claimed, exact))
    except sp.PolynomialError:
        return None
    numbers = (*mine.values(), *theirs.values())
    if mine.keys() != theirs.keys() or not all(isinstance(each, sp.Rational) for each in numbers):
        return None
    right = [_right_in(fraction(theirs[power]), fraction(number), sizes) for power, number in mine.items()]
    shown = [each for each in right if each]
    return min(shown) if shown and None not in right else None


def _right_in(exact: Fraction, number: Fraction, sizes: Iterable[int]) -> int | None:
    """To how many figures a number is right in a unit in which it can be written."""
    found = (right_to(exact / size, number / size) for size in sizes)
    return next((each for each in found if each is not None), None)


def _sizes(text: str) -> tuple[int, ...]:
    """How many bytes the units of memory are that stand in a formula."""
    return tuple(BYTES_PER[unit] for unit in dict.fromkeys(_UNIT_WORD.findall(text)))


def _in_percent(claimed: sp.Expr, expected: sp.Expr, values: Mapping[sp.Symbol, sp.Expr]) -> sp.Expr:
    """A formula of a share in per cent, where it is that of the share itself, or comes nearer to it so."""
    times = 100 * claimed
    mine, exact = at(claimed, values), at(expected, values)
    if mine is None or exact is None:
        return times if equivalent(times, expected.xreplace(_put(values, expected, times))) else claimed
    return claimed * int(share_of(exactly(mine), exactly(exact)))


def counts_otherwise(compared: Compared, claimed: Claimed) -> bool:
    """Whether a formula is that of the quantity with another number of what it counts for each."""
    counts = claimed.counts
    if counts is None:
        return False
    ratio = sp.cancel(compared.claimed / compared.expected)
    return bool(ratio.is_Rational) and fraction(ratio) * Fraction(claimed.value) in map(Fraction, counts.amounts)


def _put(values: Mapping[sp.Symbol, sp.Expr], expected: sp.Expr, claimed: sp.Expr) -> dict[sp.Symbol, sp.Expr]:
    """The values of the symbols that a claimed formula lacks."""
    absent = expected.free_symbols - claimed.free_symbols
    return {symbol: value for symbol, value in values.items() if symbol in absent}


def equivalent(one: sp.Expr, other: sp.Expr) -> bool:
    """Whether two formulas are equal for all positive values of their symbols; what is rounded must be equal inside.

    >>> from symbolic_mem.base.symbols import B, L, S
    >>> equivalent(sp.ceiling((L + B) / S), sp.ceiling(L / S + B / S)), equivalent(L / S, S / L)
    (True, False)
    """
    if one == other:
        return True
    if _differ_at_a_point(one, other):
        return False
    difference = _settled(one) - _settled(other)
    return sp.expand(difference) == 0 or sp.expand(sp.fraction(sp.together(difference))[0]) == 0


def _differ_at_a_point(one: sp.Expr, other: sp.Expr) -> bool:
    """Whether two formulas have different numbers where their symbols are different primes: then they are not equal."""
    symbols = sorted(one.free_symbols | other.free_symbols, key=str)
    values = {cast(sp.Symbol, symbol): sp.Integer(sp.prime(100 + i)) for i, symbol in enumerate(symbols)}
    try:
        return number(one, values) != number(other, values)
    except (BadInput, ZeroDivisionError):  # a root has no exact number
        return False


def pythonic(text: str) -> str:
    """Write a formula as people and documents write it in Python's signs: powers, products without a sign, ceilings.

    >>> pythonic("⌈(4 L d_model^2)/n_fsdp⌉"), pythonic("2·(L + 1)"), pythonic("ceil(P/8)")
    ('ceiling((4*L*d_model**2)/n_fsdp)', '2*(L+1)', 'ceiling(P/8)')
    >>> pythonic("131,072 L d_model²"), pythonic("Max(1, 200)"), pythonic("7 × 10¹¹")
    ('131072*L*d_model**(2)', 'Max(1,200)', '7*10**(11)')
    """
    text = _ungrouped(text)
    text = _RAISED.sub(lambda match: f"**({match[0].translate(RAISED)})", text)
    for sign, plain in _WRITTEN.items():
        text = text.replace(sign, plain)
    python, ended = "", False
    for match in _TOKEN.finditer(text):
        token = match[1]
        starts = token == "(" or match["sign"] is None
        if ended and starts:
            python += "*"
        call = match["name"] in _CALLS and text[match.end() :].lstrip().startswith("(")
        python += _CALLS[token] if call else token
        ended = token == ")" or (match["sign"] is None and not call)
    return python


def joined(text: str, names: Iterable[str]) -> str:
    """Write names of several words in a formula as one word each, where they are known.

    >>> joined("M_embedding + M_final norm", ["M_embedding", "M_final_norm"]), joined("2 P_head and loss", ["P_head_and_loss"])
    ('M_embedding + M_final_norm', '2 P_head_and_loss')
    """
    text = _ungrouped(text)
    for name in sorted((each for each in names if each.count("_") > 1), key=len, reverse=True):
        base, first, *more = map(re.escape, name.split("_"))
        spaced = "".join(rf"(?:_|[\s,-]+){each}" for each in more)
        text = re.sub(rf"(?<!\w){base}_{first}{spaced}(?!\w)", name, text)
    return text


def _ungrouped(text: str) -> str:
    return _GROUPS.sub(lambda match: match[0].replace(",", ""), text)


def _settled(expr: sp.Expr) -> sp.Expr:
    """The expression with what is rounded or compared inside it in one form, which equal ones share."""
    settled = expr.replace(lambda part: isinstance(part, _OPAQUE), lambda part: part.func(*map(sp.cancel, part.args)))
    return cast(sp.Expr, settled)


def _split(text: str) -> tuple[str, str]:
    """A formula and the unit of memory after it; where a part of it has a unit too, each is that of its own part."""
    match = _UNIT.fullmatch(text)
    return (match[1], match[2]) if match and not _UNIT_WORD.search(match[1]) else (text, "")


def _names(study: Study, found: Found | None, counted: tuple[str, ...]) -> Iterator[tuple[str, sp.Expr]]:
    """Yield every name that a claimed formula may use: symbols, numbers of the account, lines of the answer."""
    yield from words_of_symbols()
    yield from ((each, one.symbol) for one in table(given=True) for each in written(one.symbol))
    account = {
        each: account_formula(study, each, counted) for each in ("parameters", "tokens", "static", "total", *KINDS)
    }
    yield from account.items()
    yield from ((symbol, account[each]) for symbol, each in ALIASES.items() if each in account)
    for entry in () if found is None else found.ledger:
        yield from ((each, entry.formula) for each in written(entry.line.symbol))


def _formula_of(study: Study, found: Found | None, name: str, counted: tuple[str, ...]) -> sp.Expr:
    if found is None and in_account(study, name):
        return account_formula(study, name, counted)
    if found is None and name == BUBBLE and (waits := bubble_formula(study)) is not None:
        return 100 * waits
    if found is None:
        raise BadInput(f"{name} is a value that the study gives, and no formula; claim a number")
    for entry in found.ledger:
        if str(entry.line.symbol) == name or written(entry.line.symbol)[0] in (f"M_{name}", *_LINES.get(name, ())):
            return entry.formula
    formula = found.facts.get("formula")
    if (
        isinstance(formula, sp.Expr)
        and found.facts.get("for") in (name, *_LINES.get(name, ()))
        and "rules" not in found.facts
    ):
        return formula
    raise BadInput(f"{name} is no formula here; claim a number")
