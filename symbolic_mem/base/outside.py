"""Files that come from outside: regular ones of limited size, in UTF-8."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from symbolic_mem.base.errors import BadInput, shown

LIMIT = 1_000_000
_read: set[tuple[int, int, int]] = set()  # what tells the files apart that were read


@contextmanager
def opened(path: str | Path, kind: str) -> Generator[BinaryIO]:
    """Open a file of that `kind` for reading bytes.

    Raises `BadInput` for one that is missing, unreadable or no regular file: a FIFO would keep its reader for ever.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        raise BadInput(f"{shown(path)}: there is no such file; check the path") from None
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        if stat.S_ISDIR(mode):
            raise BadInput(f"{shown(path)} is a folder; name a {kind} file in it")
        raise BadInput(f"{shown(path)} is no regular file but a device or a pipe; save what it gives as a {kind} file")
    _read.add(_identity(os.fstat(descriptor)))
    with os.fdopen(descriptor, "rb") as file:
        try:
            yield file
        except OSError as error:
            raise _unreadable(path, error) from None


def was_read(path: Path) -> bool:
    """Whether a file is one that this process has read, and as it was then."""
    return _identity(path.stat()) in _read


def _identity(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_dev, found.st_ino, found.st_mtime_ns


def _unreadable(path: str | Path, error: OSError | ValueError) -> BadInput:
    reason = (error.strerror if isinstance(error, OSError) else None) or error
    return BadInput(f"{shown(path)}: cannot be read ({reason}); check the path and its permissions")


def read_content(path: str | Path, kind: str, limit: int = LIMIT) -> bytes:
    """Return the bytes of a file of that `kind`, at most `limit` of them.

    Raises `BadInput` as `opened` does, and for a file that is too large.
    """
    with opened(path, kind) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise BadInput(f"{shown(path)}: is larger than {limit:,} bytes, the most that is read; is it the right file?")
    return content


def decoded(content: bytes, where: str) -> str:
    """Return the text of a file that messages call `where`; raises `BadInput` when it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadInput(f"{shown(where)}: is not UTF-8 text (line {line}); save it as UTF-8") from None
