"""What a page of play carries: the script of its files in their order, and what it holds, deflated as one text."""

from __future__ import annotations

import json
import re
import zlib
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

SCRIPTS = (
    "exact",
    "shown",
    "ticks",
    "setting",
    "elements",
    "amount",
    "rules",
    "shares",
    "ledger",
    "tree",
    "draw",
    "formulas",
    "fields",
    "view",
    "table",
    "region",
    "against",
    "inverse",
    "links",
    "copied",
    "start",
)


NODES = "+*Mmcf"  # signs of nodes that name other nodes alone
TREES = "*r/kv(F^"  # signs of what is typeset that name others
BLOCK = 2500  # signs that are worth a code of their own
_ASIDE = re.compile(r"\s// .*|/\*.*?\*/")  # a comment at the end of a line, or within one
# A string, a template, an expression of a match, all of which stay; and spaces. No template stands inside one with spaces.
_WRITTEN = re.compile(
    r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|(?<=[(=]) ?/(?:[^/\\[]|\\.|\[(?:[^]\\]|\\.)*])+/| +"""
)
_APART = re.compile(r"[\w$]{2}|\+\+|--")  # signs that would be one without the space between them
_ENDS = re.compile(r"(?<=[{(\[,;])\n|\n(?=[})\]])")
SIGNS = bytes(range(32, 127)).decode().replace("<", "")  # all that can be printed but the one that ends a script
BYTES, IN_SIGNS = 9, 11  # 94**11 is over 256**9
NEAR = 8  # places back that are told as such
_LOOSE = re.compile(r'("[^"]*")|/\*.*?\*/|\s*([{};,])\s*|(:)\s+|(\s)\s+', re.DOTALL)


def tight(sheet: str) -> str:
    """Return a style sheet without comments and without spaces that say nothing; strings stay.

    >>> tight('a , b { color: red; content: "; "; } /* why */')
    'a,b{color:red;content:"; "}'
    """
    return _LOOSE.sub(lambda found: next(filter(None, found.groups()), ""), sheet).replace(";}", "}")


def script(folder: Path) -> str:
    """Return the script of the page, whose names are its own."""
    return '"use strict";\n(() => {\n' + "".join(bare(folder, name) for name in SCRIPTS) + "})();\n"


def bare(folder: Path, name: str) -> str:
    """A file of a script without comments and spaces, which are for those who change it: no text of it spans lines."""
    lines = (_ASIDE.sub("", line).strip() for line in (folder / f"{name}.js").read_text(encoding="utf-8").splitlines())
    return _ENDS.sub("", "".join(f"{close(line)}\n" for line in lines if line and not line.startswith("//")))


def close(line: str) -> str:
    """Return a line of a script without the spaces that say nothing.

    >>> close('if (a + b) return `${a} of ${b}`.split(" ", - -1);')
    'if(a+b)return`${a} of ${b}`.split(" ",- -1);'
    """

    def kept(found: re.Match[str]) -> str:
        beside = line[found.start() - 1] + line[found.end() : found.end() + 1]
        return found[0] if found[0].strip() else " " * bool(_APART.fullmatch(beside))

    return _WRITTEN.sub(kept, line)


def steps(values: Sequence[Any]) -> list[Any]:
    """Return whole numbers as how much each is more than the one before, because places rise; other values as they are.

    >>> steps([4, 5, 6, 2]), steps([4, None])
    ([4, 1, 1, -4], [4, None])
    """
    if not all(type(value) is int for value in values):
        return [*values]
    return [value - before for value, before in zip(values, [0, *values], strict=False)]


def columns(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Return rows of one length by columns, each by its steps: they deflate far smaller.

    >>> columns([["a", 7, 2], ["b", 8, 5]])
    [['a', 'b'], [7, 1], [2, 3]]
    """
    return [steps(column) for column in zip(*rows, strict=True)]


def ragged(rows: Sequence[Sequence[Any]], head: int) -> list[list[Any]]:
    """Return rows of any length by columns: `head` values of each, and what follows as it differs.

    Of what follows, the last three columns say how many first values the row before has as well, how many last ones, and
    what stands between them.

    >>> ragged([["a", 1, 2, 3], ["b", 1, 5, 3]], 1)
    [['a', 'b'], [0, 1], [0, 1], [[1, 2, 3], [5]]]
    """
    found: list[list[Any]] = [[] for _ in range(head + 3)]
    before: Sequence[Any] = ()
    for row in rows:
        values = row[head:]
        first = _alike(before, values)
        last = _alike(before[first:][::-1], values[first:][::-1])
        told = (*row[:head], first, last, [*values[first : len(values) - last]])
        for column, value in zip(found, told, strict=True):
            column.append(value)
        before = values
    return [*map(steps, found[:head]), *found[head:]]


def _alike(before: Sequence[Any], after: Sequence[Any]) -> int:
    """How many first values two rows share."""
    return next(
        (place for place, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
    )


def near(listed: Sequence[Any], signs: str) -> list[Any]:
    """Return lists that begin with one of the `signs`, in which a place not far before their own is told by how far: most name such.

    >>> near(["L", 2, ["*", 0, 1], ["+", 0, 2]], NODES), near([*"abcdefghi", ["m", 0, 8]], NODES)[-1]
    (['L', 2, ['*', -2, -1], ['+', -3, -1]], ['m', 0, -1])
    """
    return [
        [part - place if type(part) is int and place - part <= NEAR else part for part in one]
        if isinstance(one, list) and one[0] in signs
        else one
        for place, one in enumerate(listed)
    ]


def runs(ledgers: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return ledgers of which each run of instants says how far it begins from the end of the run before.

    >>> runs([{"instants": [0, 9]}, {"instants": [9, 2, 4, 1]}])
    [{'instants': [0, 9]}, {'instants': [0, 2, -7, 1]}]
    """
    end, found = 0, []
    for ledger in ledgers:
        told: list[int] = []
        for first, count in zip(ledger["instants"][::2], ledger["instants"][1::2], strict=True):
            told += [first - end, count]
            end = first + count
        found.append({**ledger, "instants": told})
    return found


def packed(content: Mapping[str, Any], script: str) -> str:
    """Return what a page holds, on one line, and its script after it: deflated, in signs of which HTML leaves each alone in a script.

    >>> packed({"n": "n_fsdp"}, "run();")
    'QTqG>]Q;eEJKI6ht=czqcP4ejK`$w:!_.q1 '
    """
    deflating, deflated, waiting = zlib.compressobj(9, memLevel=9), b"", ""
    for part in (*_parts(content), script):
        waiting += part
        if len(waiting) > BLOCK:  # numbers and words take turns, and each has its own code
            deflated += deflating.compress(waiting.encode()) + deflating.flush(zlib.Z_BLOCK)
            waiting = ""
    deflated += deflating.compress(waiting.encode()) + deflating.flush()
    return "".join(_signs(deflated[at : at + BYTES]) for at in range(0, len(deflated), BYTES))


def _signs(some: bytes) -> str:
    """So many bytes as whole number of their signs, the last first; fewer bytes in fewer signs."""
    number, found = int.from_bytes(some), ""
    for _ in range(-(-len(some) * IN_SIGNS // BYTES)):
        number, rank = divmod(number, len(SIGNS))
        found += SIGNS[rank]
    return found


def _parts(content: Mapping[str, Any]) -> Iterator[str]:
    """What a page holds as JSON, key by key, and the end of its line."""
    mark = "{"
    for key, value in content.items():
        yield f"{mark}{json.dumps(key)}:{json.dumps(value, ensure_ascii=False, separators=(',', ':'))}"
        mark = ","
    yield "}\n"


def digest(script: str) -> str:
    """Return how the policy of a page names a script that may run.

    >>> digest("run();")
    'sha256-vUOElbTHLp1UxxGV/I6teJfpCV5vgaasYjEhPKN2fqQ='
    """
    return f"sha256-{b64encode(sha256(script.encode()).digest()).decode('ascii')}"
