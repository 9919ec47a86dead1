"""Words for what is counted: whether those after a number are those for what a quantity is a number of."""

from __future__ import annotations

import re

_COUNTED, _WORD = re.compile(r"number of ((?:(?! in | that | of | with| for |,).)*)"), re.compile(r"[a-z]+")
_KEY_VALUE = re.compile(r"\bkv\b", re.IGNORECASE)
_ANY = re.compile(r"\b(?:transformer|decoder|hidden)\s+(?=layers?\b|blocks?\b)")
# What people call a thing, by how its meaning begins in words of the package.
_ALSO = (
    (
        r"(?:dense|plain|non-moe) (?:layer|block)s?|(?:layer|block)s? without experts",
        "number of layers without experts",
    ),
    (r"(?:active|activated|selected|chosen) (?:routed )?experts?", "number of routed experts that a token visits"),
    (r"(?:routed )?experts? (?:per|for each|for every|/) ?token", "number of routed experts that a token visits"),
    (r"experts? per layer", "number of routed experts in a layer"),
    (r"(?:virtual|interleaved) stages?|(?:model )?chunks?", "number of model chunks"),
)
# What a word alone means, of several things that are called so.
_PLAIN = {"head": "number of attention", "expert": "number of routed experts in a layer"}
_CALLED = tuple((re.compile(words), begins) for words, begins in _ALSO)


def of_things(unit: str, meaning: str) -> bool:
    """Whether the words after a number are those for what a number of things counts.

    >>> [of_things(unit, "number of attention (query) heads") for unit in ("heads", "query heads", "KV heads", "attention")]
    [True, True, False, False]
    >>> of_things("layers", "number of blocks (layers)"), of_things("kv heads", "number of key-value heads")
    (True, True)
    >>> of_things("experts per token", "number of routed experts that a token visits"), of_things("dense layers", "number of blocks (layers)")
    (True, False)
    """
    said = " ".join(_ANY.sub("", _KEY_VALUE.sub("key-value", unit).lower()).split())
    begins = next((each for words, each in _CALLED if words.fullmatch(said)), None)
    if begins is not None:
        return meaning.startswith(begins)
    counted = _COUNTED.match(meaning)
    spoken = [each.removesuffix("s") for each in _WORD.findall(said)]
    words = _WORD.findall(counted[1].lower()) if counted else []
    return bool(spoken) and f"{spoken[-1]}s" in words and {each.removesuffix("s") for each in words}.issuperset(spoken)


def plainly(unit: str, meaning: str) -> bool:
    """Whether the words after a number alone say what a number of things counts: heads are no key-value heads.

    >>> [plainly("heads", meaning) for meaning in ("number of attention (query) heads", "number of key-value heads")]
    [True, False]
    >>> plainly("KV heads", "number of key-value heads")
    True
    """
    alone = _PLAIN.get(unit.strip().lower().removesuffix("s"))
    return of_things(unit, meaning) and (alone is None or meaning.startswith(alone))
