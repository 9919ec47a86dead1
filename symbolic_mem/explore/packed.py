"""What a page of play carries: the script of its files in their order, and what it holds, deflated as one text."""

from __future__ import annotations

import json
import re
import zlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

SCRIPTS = (
    "exact",
    "shown",
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


_ASIDE = re.compile(r"\s// .*")  # a comment at the end of a line
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
    """A file of a script without comments and indents, which are for those who change it: no text of it spans lines."""
    lines = (_ASIDE.sub("", line.strip()) for line in (folder / f"{name}.js").read_text(encoding="utf-8").splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.startswith("//"))


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


def packed(content: Mapping[str, Any], script: str) -> str:
    """Return what a page holds, on one line, and its script after it: deflated, in signs that HTML leaves alone.

    >>> packed({"n": "n_fsdp"}, "run();")
    'eNqrVspTslLKi08rTilQquUqKs3T0LQGAElQBo4='
    """
    written = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return b64encode(zlib.compress(f"{written}\n{script}".encode(), 9)).decode("ascii")


def digest(script: str) -> str:
    """Return how the policy of a page names a script that may run.

    >>> digest("run();")
    'sha256-vUOElbTHLp1UxxGV/I6teJfpCV5vgaasYjEhPKN2fqQ='
    """
    return f"sha256-{b64encode(sha256(script.encode()).digest()).decode('ascii')}"
