"""The share that a part of the account has in all of it, or in another part, as tables print it beside the bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.claims.parts import SUMS, kinds_of, memory_called, memory_of, part_of, parts_of_account
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.study import Study

_NAME = re.compile(r"share of (?P<part>.+?)(?: in (?P<whole>.+))?")
_ARTICLE = r"(?:(?:the|all|our|its)\s+)*"
_SHARE = r"(?:share|part|fraction|proportion|percentage)"
_CALLED = re.compile(
    rf"{_ARTICLE}{_SHARE}\s+(?:of|for)\s+{_ARTICLE}(?P<part>.+?)(?:\s+(?:in|of)\s+{_ARTICLE}(?P<whole>.+))?"
    rf"|(?P<before>.+?)(?:['’]s?|,)?\s+{_SHARE}|(?P<above>[^/]+?)\s*/\s*(?P<below>[^/]+)",
    re.IGNORECASE,
)
_ANY_WHOLE = r"|total|whole|everything|it|that"
_WHOLE = re.compile(
    rf"{_ANY_WHOLE}|(?:(?:total|whole|entire|overall)\s+)?(?:memory|footprint|bytes)|what is counted", re.IGNORECASE
)
_OTHER_WHOLE = re.compile(rf"{_ANY_WHOLE}|FLOPs?|operations|time|step", re.IGNORECASE)


def share_called(study: Study, words: str) -> str | None:
    """The name of the share that somebody calls so; None where it is none of a part of the account.

    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("cs336-a2-xxl")
    >>> [share_called(study, words) for words in ("the share of the weights", "AdamW moments, share", "M_act/M_total")]
    ['share of weights', 'share of AdamW moments', 'share of activations']
    """
    match = _CALLED.fullmatch(words.strip())
    if match is None:
        return None
    part, whole = (match["part"] or match["before"] or match["above"], match["whole"] or match["below"] or "")
    return _share_of(study, part, whole)


def share_meant(study: Study, name: str, of: str, stated: str) -> str:
    """The name of what a claim in per cent is about: of a part of the account its share, of anything else itself.

    `of` are the words for the whole, where they are said. Raises `BadInput` where there is none that is called so.
    """
    if is_share(study, name):
        return name
    found = _share_of(study, name, of)
    if found is not None or not of or (memory_called(study, name) is None and _OTHER_WHOLE.fullmatch(of)):
        return found or name
    if _WHOLE.fullmatch(of):
        raise BadInput(f"claim {stated!r}: {name} is no part of the memory; leave out of what it is a share")
    raise BadInput(
        f"claim {stated!r}: {of!r} is no memory of which something could be a share; name a part of the account, or leave it out"
    )


def shares(study: Study, of: str = "") -> Iterator[str]:
    """The names of the shares that a table of the account prints, and of the kinds of memory there are; `of` a part of it."""
    names = dict.fromkeys((*study.memory.kinds, *parts_of_account(study), "static"))
    yield from filter(None, (_share_of(study, name, of) for name in names))


def is_share(study: Study, name: str) -> bool:
    """Whether a name is that of a share of the account."""
    return _parts(study, name) is not None


def share_formula(study: Study, name: str, counted: tuple[str, ...] = KINDS) -> sp.Expr:
    """A share in per cent, as a formula."""
    part, whole = _of(study, name)
    return 100 * memory_of(study, part, counted).total / memory_of(study, whole, counted).total


def share_claim(study: Study, name: str, counted: tuple[str, ...] = KINDS) -> Claimed:
    """A share in per cent; raises `MissingValue` for what it needs."""
    part, whole = _of(study, name)
    held, all_of_it = (memory_of(study, each, counted).at(study.numbers) for each in (part, whole))
    if not all_of_it:
        raise BadInput(f"there is no {whole} here, of which {part} could be a share; claim bytes")
    of = "all that is counted" if whole == "total" else whole
    return Claimed(100 * Fraction(held) / all_of_it, "number", f"the share of {part} in {of}", unit="%")


def _share_of(study: Study, words: str, of: str) -> str | None:
    part, whole = memory_called(study, words), "total" if _WHOLE.fullmatch(of) else memory_called(study, of)
    if part is None or whole is None:
        return None
    return f"share of {part}" if whole == "total" else f"share of {part} in {whole}"


def _of(study: Study, name: str) -> tuple[str, str]:
    found = _parts(study, name)
    assert found is not None, "only a share has a part and a whole"
    return found


def _parts(study: Study, name: str) -> tuple[str, str] | None:
    """The part and the whole of a share; None where the name is that of none."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    part, whole = match["part"], match["whole"] or "total"
    known = all(each in SUMS or kinds_of(each) or part_of(study, each) for each in (part, whole))
    return (part, whole) if known else None
