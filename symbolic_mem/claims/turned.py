"""Claims whose name does not stand before a sign: after its number, before it, in a sentence; each is written as NAME = VALUE."""

from __future__ import annotations

import re

from symbolic_mem.claims.claim import INFINITE, NEVER
from symbolic_mem.claims.measures import IN_BYTES, MULTIPLIERS
from symbolic_mem.claims.said import DEVICE, bounded

_NUMBER = r"[0-9][0-9.,]*(?:[eE][+-]?[0-9]+)?"
_VERB = r"(?:takes?(?: up)?|needs?|requires?|uses?|occup(?:y|ies)|costs?|holds?|has|have|equals?|(?:comes?|amounts?|adds? up) to)"
_BEFORE = re.compile(
    rf"(?!(?:half|twice|double|a third|a quarter|not|only)\b)(?:the\s+)?(?P<name>[^\W\d][\w -]*?)(?:\s+of|\s+{_VERB})?\s+(?P<amount>[≈~]?\s*[0-9][0-9.,]*(?:\s*[^\W\d]\w*)*\s*%?)"
)
_OF = re.compile(
    rf"(?P<amount>{_NUMBER}\s*(?:{'|'.join(sorted(IN_BYTES.keys() - {'B'}))}))\s+(?:(?:of|for|in)\s+)?(?:(?:all|the)\s+)*"
    r"(?P<name>(?!.*\bper\b)(?!(?:all|the|of|per|for|in|on|at|by|each|an?|total|device|memory)\b)[^\W\d][\w -]*)"
)
_OF_PRODUCT = re.compile(
    r"(?P<amount>[0-9].*[^\W\d]\w*\s+bytes)\s+of\s+(?:(?:all|the)\s+)*(?P<name>(?!.*\bper\b)[^\W\d][\w -]*)"
)
_OF_PARAMETERS = re.compile(
    rf"(?P<amount>{_NUMBER}(?:\s*(?:{'|'.join(MULTIPLIERS)}))?)\s+(?:of\s+)?(?P<name>(?:active|activated|trainable|trained)"
    r"(?:\s+(?:parameters|params|weights))?)(?:\s+per\s+token)?"
)
_IN_PERCENT = re.compile(
    rf"(?P<amount>{_NUMBER}\s*(?:%|percent))\s+(?:(?:for|are|is)\s+)?(?:the\s+)?(?P<name>(?!of\b)[^\W\d][\w -]*)"
)
_IN_PERCENT_OF = re.compile(
    rf"(?P<amount>{_NUMBER}\s*(?:%|percent)\s+of\s+\S.*?)\s+(?:is|are|(?:goes?|belongs?) to)\s+(?:the\s+)?(?P<name>[^\W\d].*)"
)
_HELD = re.compile(
    rf"(?:each|every|one|a|any)\s+(?:{DEVICE}|rank)\s+(?:holds|keeps|stores|needs)\s+"
    rf"(?P<amount>{_NUMBER}\s*(?-i:{'|'.join(sorted(IN_BYTES))}))",
    re.IGNORECASE,
)
_NO_THINGS = re.compile(
    r"(?:there\s+(?:is|are)\s+)?no\s+(?:finite\s+|such\s+)?(?:number\s+of\s+)?(?P<things>[^\W\d][\w-]*)"
    r"(?:\s+(?:is|are|will be)\s+(?:enough|sufficient|possible))?"
    r"|(?:an\s+)?infinite(?:ly\s+many|\s+number\s+of)?\s+(?P<many>[^\W\d]\w*)",
    re.IGNORECASE,
)


def none_of(text: str) -> tuple[str, str] | None:
    """Of what it is said that there is no number, or no finite one, and which of the two; None for any other claim.

    >>> none_of("no number of devices is enough"), none_of("infinitely many GPUs"), none_of("none")
    (('devices', 'none'), ('GPUs', 'infinite'), None)
    """
    match = None if text.strip().lower() in (*NEVER, *INFINITE) else _NO_THINGS.fullmatch(text.strip())
    if match is None:
        return None
    return (match["many"], INFINITE[0]) if match["many"] else (match["things"], NEVER[0])


def held_by_one(text: str) -> str | None:
    """What one device is said to hold, as a claim of its peak, which its capacity is not; None for any other claim.

    >>> held_by_one("each device holds 94.5 GiB"), held_by_one("one device has 80 GB")
    ('peak = 94.5 GiB per device', None)
    """
    match = _HELD.fullmatch(text.strip())
    return None if match is None else f"peak = {match['amount']} per device"


def named_behind(text: str) -> tuple[str, str] | None:
    """Split a claim whose name stands behind its number; None for any other.

    >>> named_behind("3276 GiB of states"), named_behind("12.9B active"), named_behind("15 % activations")
    (('states', '3276 GiB'), ('active', '12.9B'), ('activations', '15 %'))
    >>> named_behind("4 P bytes of weights"), named_behind("25 % of the states are weights")
    (('weights', '4 P bytes'), ('weights', '25 % of the states'))
    """
    matches = (each.fullmatch(text) for each in (_OF, _OF_PRODUCT, _OF_PARAMETERS, _IN_PERCENT, _IN_PERCENT_OF))
    match = next(filter(None, matches), None)
    return None if match is None else (match["name"], match["amount"])


def named_before(text: str) -> tuple[str, str] | None:
    """Split a claim whose name stands before its number without a sign, or before words that bound it; None for any other.

    >>> named_before("static 3276 GiB"), named_before("the weights take 819 GiB"), named_before("n_fsdp at least 46")
    (('static', '3276 GiB'), ('weights', '819 GiB'), ('n_fsdp', 'at least 46'))
    >>> named_before("46 GPUs") is None
    True
    """
    if within := bounded(text):
        return within
    match = _BEFORE.fullmatch(text.strip())
    return None if match is None else (match["name"], match["amount"])
