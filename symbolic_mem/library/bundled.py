"""Which studies there are: the bundled ones by name, and what else a caller can name. It reads none of them."""

from __future__ import annotations

from pathlib import Path

from symbolic_mem.base.errors import BadInput, clipped, shown
from symbolic_mem.base.tables import Tables
from symbolic_mem.library.cache import cached, is_name

MOST_PATH, MOST_NAME = 4_096, 255  # of the usual systems
_FOLDER = Path(__file__).with_name("studies")
_FILES = (".toml", ".json", ".gguf")


def bundled() -> dict[str, str]:
    """Return the names of the bundled studies and their titles.

    >>> bundled()["cs336-a2-xxl"]
    'CS336 assignment 2: communication accounting'
    """
    return {name: Tables.of(_FOLDER / f"{name}.toml").rest["title"] for name in _names()}


def bundled_path(name: str) -> Path | None:
    """Return the file of the bundled study of that name; None where there is none."""
    path = _FOLDER / f"{name}.toml"
    return path if name and "/" not in name and path.is_file() else None


def refuse_unknown(name: str) -> None:
    """Refuse what can be no study: the name of none, a path where nothing is, a model that was never fetched.

    >>> refuse_unknown("./nobody.txt")
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: nobody.txt: there is no such file or folder; nothing is downloaded, so name a .toml study, a model's config.json, or the folder in which that lies
    """
    if len(name) > MOST_PATH or any(len(part) > MOST_NAME for part in Path(name).parts):
        raise BadInput(f"study {clipped(name)} is {len(name):,} characters long, more than a name or a path can have")
    path = Path(name)
    if bundled_path(name) is not None or path.suffix in _FILES or (name and path.is_dir()):
        return
    if is_name(name) and not path.exists():
        cached(name)
    elif "/" not in name:
        raise BadInput.unknown(
            f"unknown study {name!r}",
            name,
            _names(),
            "list studies",
            then="; or give the path of a .toml study or of a config.json",
        )
    elif not path.exists():
        raise BadInput(
            f"{shown(path)}: there is no such file or folder; nothing is downloaded, so name a .toml study, a model's "
            "config.json, or the folder in which that lies"
        )


def _names() -> list[str]:
    return sorted(path.name.removesuffix(".toml") for path in _FOLDER.iterdir() if path.name.endswith(".toml"))
