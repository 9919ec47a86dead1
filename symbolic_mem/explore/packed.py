"""What a page of play carries: the script of its files in their order, and what it holds, deflated as one text."""

from __future__ import annotations

import json
import re
import zlib
from base64 import b64encode
from collections.abc import Mapping
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
