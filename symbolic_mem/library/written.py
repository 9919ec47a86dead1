"""A study as the text of a file that can be copied: a bundled one, or what is made of a config.json."""

from __future__ import annotations

import json
import re
from pathlib import Path

from symbolic_mem.base.tomlfile import read_content
from symbolic_mem.library.bundled import bundled_path, refuse_unknown
from symbolic_mem.library.cache import cached, is_name

_CONFIG = re.compile(r'(\bconfig = )"([^"]+)"')


def written(name: str) -> str:
    """Return the text of the study `name`; a bundled one names the files beside it by their full paths.

    A config.json becomes the study that the other verbs ask: with its recipe and its placement written out.

    >>> written("cs336-a2-xxl").splitlines()[0]
    'title = "CS336 assignment 2: communication accounting"'
    """
    refuse_unknown(name)
    bundled = bundled_path(name)
    if bundled is not None:
        folder = bundled.parent
        return _CONFIG.sub(lambda found: f"{found[1]}{_quoted(folder / found[2])}", bundled.read_text(encoding="utf-8"))
    from symbolic_mem.library.read import (
        CONFIG_RECIPE,
        load_study,
    )  # which imports SymPy, and a bundled study needs none

    study = load_study(name)  # a file that is no study is refused as everywhere
    path = Path(name)
    if path.suffix == ".toml":
        return read_content(path, "TOML").decode()
    folder = cached(name) if is_name(name) and not path.exists() else path
    file = folder / "config.json" if folder.is_dir() else folder
    lines = [
        f"title = {json.dumps(study.title, ensure_ascii=False)}",
        "",
        "[model]",
        f"config = {_quoted(file.resolve())}",
        "",
        "[values]  # add what you ask about: B = 1, S = 4096",
        "",
        "[recipe]",
        f'preset = "{CONFIG_RECIPE}"',
        "",
        "[placement]",
        *(f'{kind} = {{ over = "{placed.degree}" }}' for kind, placed in study.placement.items()),
        "",
    ]
    return "\n".join(lines)


def _quoted(path: Path) -> str:
    return json.dumps(str(path), ensure_ascii=False)
