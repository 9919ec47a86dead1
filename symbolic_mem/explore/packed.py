"""What a page of play carries: the script of its files in their order, and what it holds, deflated as one text."""

from __future__ import annotations

import json
import re
import zlib
from base64 import b64encode, b85encode
from collections.abc import Mapping, Sequence
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


PLACES = "+*Mmcf"  # signs of nodes that name other nodes alone
_ASIDE = re.compile(r"\s// .*|/\*.*?\*/")  # a comment at the end of a line, or within one
# A string, a template, an expression of a match, all of which stay; and spaces. No template stands inside one with spaces.
_WRITTEN = re.compile(
    r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|(?<=[(=]) ?/(?:[^/\\[]|\\.|\[(?:[^]\\]|\\.)*])+/| +"""
)
_APART = re.compile(r"[\w$]{2}|\+\+|--")  # signs that would be one without the space between them
_ENDS = re.compile(r"(?<=[{(\[,;])\n|\n(?=[})\]])")
_BARE_85 = str.maketrans("<>&", ",.:")
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


def columns(rows: Sequence[Sequence[Any]], head: int) -> list[list[Any]]:
    """Return rows by columns, which deflate far smaller: `head` values of each, and what follows as it differs.

    Of what follows, the last three columns say how many first values the row before has as well, how many last ones, and
    what stands between them.

    >>> columns([["a", 1, 2, 3], ["b", 1, 5, 3]], 1)
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
    return found


def _alike(before: Sequence[Any], after: Sequence[Any]) -> int:
    """How many first values two rows share."""
    return next(
        (place for place, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
    )


def near(nodes: Sequence[Any]) -> list[Any]:
    """Return nodes in which -1 stands for the place of the node before, which most sums and products name.

    >>> near(["L", 2, ["*", 0, 1], ["+", 1, 2], ["^", 3, -1]])
    ['L', 2, ['*', 0, -1], ['+', 1, -1], ['^', 3, -1]]
    """
    return [
        [-1 if part == place - 1 else part for part in node] if isinstance(node, list) and node[0] in PLACES else node
        for place, node in enumerate(nodes)
    ]


def packed(content: Mapping[str, Any], script: str) -> str:
    """Return what a page holds, on one line, and its script after it: deflated, in 85 signs that HTML leaves alone.

    The signs are those of RFC 1924 but for three: ``,`` ``.`` ``:`` stand for ``<`` ``>`` ``&``.

    >>> packed({"n": "n_fsdp"}, "run();")
    'c-pI0%2TpZ%8O4cPAO2T,ti%8)6ldA07*~=js'
    """
    written = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    deflating = zlib.compressobj(9, memLevel=6)  # small blocks, each with its own code: numbers and words take turns
    deflated = deflating.compress(f"{written}\n{script}".encode()) + deflating.flush()
    return b85encode(deflated).decode("ascii").translate(_BARE_85)


def digest(script: str) -> str:
    """Return how the policy of a page names a script that may run.

    >>> digest("run();")
    'sha256-vUOElbTHLp1UxxGV/I6teJfpCV5vgaasYjEhPKN2fqQ='
    """
    return f"sha256-{b64encode(sha256(script.encode()).digest()).decode('ascii')}"
