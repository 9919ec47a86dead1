"""The local cache of the Hugging Face hub: where a model that was fetched before lies. Nothing is fetched here."""

from __future__ import annotations

import os
import re
from pathlib import Path

from symbolic_mem.base.errors import BadInput

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_COMMIT = re.compile(r"[0-9a-f]{40}")


def is_name(text: str) -> bool:
    """Say whether a text has the form of a model's name on the hub, such as ``meta-llama/Llama-3.1-8B``."""
    return _NAME.fullmatch(text) is not None and ".." not in text


def cached(name: str) -> Path:
    """Return the folder of the newest snapshot of a model in the local cache.

    The cache is where ``HF_HUB_CACHE`` or ``HF_HOME`` say, else in the home folder. Raises `BadInput` with the command
    that fetches it where it is not there.
    """
    root = _root()
    model = root / f"models--{name.replace('/', '--')}"
    folder = _snapshot(model)
    if folder is None or not (folder / "config.json").is_file():
        raise BadInput(
            f"{name}: there is no such file or folder, nor its config.json in the local cache of the hub ({root}); nothing "
            f"is downloaded here, and `hf download {name} config.json` puts it there"
        )
    return folder


def _root() -> Path:
    cache, home = os.environ.get("HF_HUB_CACHE"), os.environ.get("HF_HOME")
    if cache:
        return Path(cache)
    return (Path(home) if home else Path.home() / ".cache" / "huggingface") / "hub"


def _snapshot(model: Path) -> Path | None:
    """The snapshot that ``refs/main`` names, else the newest one."""
    try:
        commit = (model / "refs" / "main").read_text(encoding="utf-8")[:41].strip()
    except (OSError, UnicodeDecodeError):
        commit = ""
    if _COMMIT.fullmatch(commit) and (model / "snapshots" / commit).is_dir():
        return model / "snapshots" / commit
    try:
        found = [path for path in (model / "snapshots").iterdir() if path.is_dir()]
    except OSError:
        return None
    return max(found, key=lambda path: path.stat().st_mtime, default=None)
