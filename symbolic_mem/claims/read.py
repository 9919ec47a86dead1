"""A claim as somebody writes it, read: its name and its number, its formula, or that there is none."""

from __future__ import annotations

import re
from dataclasses import replace

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.units import BYTES_PER
from symbolic_mem.claims.claim import INFINITE, NEVER, Claim
from symbolic_mem.claims.reckoned import in_bytes, reckoned
from symbolic_mem.claims.rule import right_to
from symbolic_mem.claims.said import DEVICE, Said, chained, multiplied, plain, said, separated
from symbolic_mem.claims.spelled import Spelled, spelled
from symbolic_mem.claims.turned import held_by_one, named_before, named_behind, none_of

MAX_LENGTH = 2000
_RESTATED = re.compile(r"(?P<first>[^()]+?)\s*\(\s*(?:=|≈|~|or|i\.e\.,?|that is,?)?\s*(?P<again>[^()]+?)\s*\)")
_SYMBOLS = "CDELNPST"  # behind a number rather a symbol than a multiplier
_ANSWER = re.compile(r"[^\W\d][\w ]*[:=]\s*")
_PERCENT_OF = re.compile(r"(?P<value>.*\d\s*(?:%|percent))\s+of\s+(?:(?:the|all|our|its)\b\s*)*(?P<of>.*)", re.DOTALL)
_FOR_ONE = re.compile(
    rf"(?P<name>[^\W\d][\w -]*?),?\s+(?:per|on each|for each|on every|on one|of one)\s+(?P<of>{DEVICE})"
    rf"|per[ -](?P<one>{DEVICE})\s+(?P<then>[^\W\d][\w -]*)",
    re.IGNORECASE,
)
_NUMBER_OF = re.compile(r"(?:the\s+)?number\s+of\s+(?P<of>[A-Z]{1,3}\d\w*)", re.IGNORECASE)  # H100s
_ANY_MEMORY = ("memory", "the memory", "bytes", "memory needed", "memory usage")
_OF_MEMORY = re.compile(r"(?<=B)\s+(?:of\s+)?(?:(?:device|GPU)\s+)?(?:memory|HBM|VRAM)$")
_RANGE = re.compile(r"[0-9][0-9.,]*\s*(?:-|–|—|to)\s*[0-9][0-9.,]*\s*[^\W\d]*$")
_SHORTENED, _IN_BYTES = re.compile(r"[0-9]B(?=\s*[×*·⋅])|[×*·⋅]\s*[0-9][0-9.,]*B\s*$"), re.compile(r"\bbytes?\b")
_FORMULA = re.compile(r"[\w\s.+*/^()\[\]{},·⋅×÷√⌈⌉⌊⌋−⁻⁺-]*[\w)\]⌉⌋]", re.DOTALL)
_OPERATES = re.compile(r"[*/+^×·⋅÷√⌈⌊]")


def read_claim(text: str) -> Claim:
    """Read a claim such as ``n_fsdp=38``, ``M_static = 3,276 GB``, ``n_fsdp=none``, ``P=2*L*d_model*d_ff`` or ``46 GPUs``.

    A number or a formula without a name has an empty one. Raises `BadInput` for anything else.

    >>> read_claim("activations=102.1 GB").spelled
    Spelled(number=Fraction(1021, 10), shown=4, unit='GB')
    >>> read_claim("P = 2*L*d_model*d_ff").formula, read_claim("n_fsdp=none").never
    ('2*L*d_model*d_ff', True)
    >>> read_claim("46 devices").name, read_claim("46 devices").spelled.unit
    ('', 'devices')
    """
    if not text.strip():
        raise BadInput("nothing is claimed; write for example 46, 3276 GiB or none")
    if none := none_of(plain(text)):
        return Claim(*none)
    named = separated(plain(text)) or separated(_unnamed(plain(text)))
    return _without_name(text) if named is None else _with_name(text, *named)


def _without_name(text: str) -> Claim:
    """A number or a formula alone, or one whose name stands elsewhere than before a sign."""
    if plain(text).strip().lower() in (*NEVER, *INFINITE):
        return Claim("", text.strip(), bare=True)
    if one := held_by_one(plain(text)):
        return read_claim(one)
    whole = said(_unnamed(plain(text)))
    if behind := named_behind(_OF_MEMORY.sub("", whole.value)):
        return replace(read_claim(" = ".join(behind)), bound=whole.bound, each=whole.each)
    read, of = _of_a_whole(replace(whole, value=_OF_MEMORY.sub("", whole.value)))
    alone = None if "=" in read.value else spelled(read.value)
    if alone is None and (before := named_before(read.value)):
        share = f"{before[1]} of {of}" if of else before[1]
        return read_claim(" = ".join((before[0], f"{share} {read.each}".strip())))
    formula = "" if alone is not None else in_bytes(multiplied(read.value))
    if alone is None and not (_FORMULA.fullmatch(formula) and _OPERATES.search(formula)):
        raise BadInput(
            f"claim {text!r} is not NAME=VALUE; write for example n_fsdp=38, static=3276GiB, or a number with its "
            "unit alone, as in '46 devices'"
        )
    return Claim("", text.strip(), alone, formula, bare=True, bound=read.bound, each=read.each, of=of)


def _with_name(text: str, name: str, whole: str) -> Claim:
    """What is claimed of a quantity by its name."""
    if things := _NUMBER_OF.fullmatch(name):
        return read_claim(f"{whole} {things['of']}")
    if one := _FOR_ONE.fullmatch(name):
        rest, called = f"{whole} per {one['of'] or one['one']}", one["name"] or one["then"]
        return read_claim(rest if called.lower() in _ANY_MEMORY else f"{called} = {rest}")
    if _RANGE.match(said(whole).value):
        raise BadInput(f"claim {text!r}: {whole!r} is a range; claim one number")
    *before, stated = chained(whole) or [whole]
    if any(_is_formula(part) for part in before):
        each = " and ".join(parted(text))
        raise BadInput(f"claim {text!r} says several things: check each by itself, {each}")
    if len(stated) > MAX_LENGTH:
        raise BadInput(f"claim {text[:40]!r}... is {len(stated)} characters long; at most {MAX_LENGTH} are read")
    if stated.lower() in (*NEVER, *INFINITE):
        return Claim(name, stated)
    if none := none_of(stated):
        return Claim(name, none[1])
    read, of = _of_a_whole(said(stated))
    try:
        number = _restated(read.value) or spelled(read.value) or reckoned(multiplied(read.value))
    except BadInput as error:
        raise BadInput(f"claim {text!r}: {error}", error.known) from None
    if number is not None:
        return Claim(name, stated, number, bound=read.bound, each=read.each, of=of)
    formula = in_bytes(multiplied(read.value))
    if _SHORTENED.search(formula) and _IN_BYTES.search(formula):
        raise BadInput(f"claim {text!r}: B after a number is bytes here; write 8.03e9 for billions")
    if not _FORMULA.fullmatch(formula):
        raise BadInput(
            f"claim {text!r}: {stated!r} is neither a number nor a formula; write for example 38, 3276 GiB, "
            "16*P or none"
        )
    return Claim(name, stated, formula=formula, bound=read.bound, each=read.each)


def names_itself(text: str) -> bool:
    """Whether a claim has the name of its quantity in it, before a sign, a bound or its number, or behind that.

    >>> [names_itself(text) for text in ("n_fsdp=46", "static 3276 GiB", ">= 46", "about 46 GPUs", "46 GPUs")]
    [True, True, False, False, False]
    """
    written = plain(text)
    if "=" in text.lstrip("<>= ") or separated(written) is not None:
        return True
    value = said(_unnamed(written)).value
    return any(each(value) is not None for each in (named_before, named_behind, none_of))


def parted(text: str) -> tuple[str, ...]:
    """Return the claims of which one claim is made: a formula and the number that it is said to come to are two.

    >>> parted("static = 16 P = 3276 GiB"), parted("n_fsdp = 45.76 = 46")
    (('static=16 P', 'static=3276 GiB'), ('n_fsdp = 45.76 = 46',))
    """
    named = separated(plain(text))
    if named is None:
        return (text,)
    *before, last = chained(named[1]) or [named[1]]
    formulas = [part for part in before if _is_formula(part)]
    return tuple(f"{named[0]}={part}" for part in (*formulas, last)) if formulas else (text,)


def _is_formula(text: str) -> bool:
    try:
        number = spelled(said(text).value)
        symbol = number is not None and len(number.unit) == 1 and number.unit in _SYMBOLS
        return symbol or (number is None and reckoned(multiplied(text)) is None)
    except BadInput:
        return False


def _of_a_whole(read: Said) -> tuple[Said, str]:
    """A number in per cent without the words that say of what it is a share, and these words."""
    match = _PERCENT_OF.fullmatch(read.value)
    return (read, "") if match is None else (replace(read, value=match["value"]), match["of"])


def _unnamed(text: str) -> str:
    """A value behind a word that names no quantity, such as "Answer: 46 devices"."""
    return _ANSWER.sub("", text, count=1) if _ANSWER.match(text) else text


def _restated(text: str) -> Spelled | None:
    """The first of an amount and the same one in another unit, in brackets; None where it is not said twice.

    Raises `BadInput` where the two are not the same.
    """
    match = _RESTATED.fullmatch(text)
    if match is None:
        return None
    first, again = spelled(match["first"]), spelled(match["again"])
    if first is None or again is None or not {first.unit, again.unit} <= BYTES_PER.keys():
        return None
    one, other = (each.number * BYTES_PER[each.unit] for each in (first, again))
    if (
        right_to(one / BYTES_PER[again.unit], again.number) is None
        and right_to(other / BYTES_PER[first.unit], first.number) is None
    ):
        raise BadInput(f"{match['first']} and {match['again']} are two amounts; claim one of them")
    return first
