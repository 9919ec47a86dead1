"""Files of a run that was killed: each bears the machine and the process, so that a later run removes it."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
from pathlib import Path
from zlib import crc32


def mark() -> str:
    """Return what names a temporary file of this process on this machine.

    >>> mark().endswith(f"-{os.getpid()}")
    True
    """
    return f"{crc32(platform.node().encode()):08x}-{os.getpid()}"


def sweep(folder: Path, prefix: str) -> None:
    """Remove the files and folders `prefix` + `mark` + anything in a folder whose process is no longer there."""
    machine = f"{prefix}{mark().partition('-')[0]}-"
    with contextlib.suppress(OSError):
        for path in [path for path in folder.iterdir() if path.name.startswith(machine)]:
            process = path.name.removeprefix(machine).partition("-")[0]
            if process.isdecimal() and not _runs(int(process)):
                _remove(path)


def _runs(process: int) -> bool:
    """Whether there is a process of that number; where that cannot be known, it is taken to be there."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
