"""Files that are complete or absent: everything is checked before, written beside, and moved into place."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.outside import was_read
from symbolic_mem.render.formats import FORMATS
from symbolic_mem.render.leftover import mark, sweep

_WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
_MOST_NAME = 100  # characters of a name that a temporary file beside it repeats


def checked_outputs(paths: Sequence[str], where: str = "-o ", known: Iterable[str] = FORMATS) -> list[tuple[Path, str]]:
    """Return each path with its ending, refusing what could not be written, before anything is computed."""
    outputs = []
    endings = tuple(known)
    for given in paths:
        path = Path(given)
        ending = path.suffix.removeprefix(".").lower()
        if ending not in endings:
            listed = ", ".join(f".{name}" for name in endings)
            if path.is_dir():
                raise BadInput(f"{where}{given!r} is a folder; name a file in it, ending in {listed}")
            fault = f"{path.suffix!r} is unknown" if path.suffix else "there is none"
            raise BadInput(f"{where}{given!r}: the ending says the format, and {fault}; use {listed}")
        folder = path.parent
        if not folder.is_dir():
            raise BadInput(f"{where}{given!r}: there is no folder {str(folder)!r}; make it first")
        if path.is_dir():
            raise BadInput(f"{where}{given!r} is a folder; name a file in it")
        if not os.access(folder, os.W_OK):
            raise BadInput(f"{where}{given!r}: the folder {str(folder)!r} is not writable; choose another")
        check_place(path, where)
        outputs.append((path, ending))
    return outputs


def check_place(path: Path, where: str = "-o ") -> None:
    """Refuse to replace what is no regular file, what may not be written, and what this process has read."""
    if not path.exists():
        return
    if not path.is_file():
        raise BadInput(f"{where}{str(path)!r} is no regular file but a device or a pipe; name another file")
    if not path.stat().st_mode & _WRITABLE or not os.access(path, os.W_OK):
        raise BadInput(f"{where}{str(path)!r} is there and may not be written; name another file, or allow it")
    if was_read(path):
        raise BadInput(f"{where}{str(path)!r} would replace a file that was read for it; name another file")


def write_whole(path: Path, content: bytes, where: str = "-o ") -> None:
    """Write a file so that it is never seen half-written; an existing one is replaced only by a complete one."""
    temporary, prefix = None, _prefix(path, where)
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=prefix, delete=False) as file:
            temporary = Path(file.name)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(_mode(path))
        temporary.replace(path)
    except OSError as error:
        raise _unwritten(path, where, error) from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextmanager
def replaced(path: Path, where: str = "-o ") -> Generator[Path, None, None]:
    """A folder beside `path` to work in; what then stands in it as ``whole`` takes the place of `path`, or nothing does."""
    folder, prefix = None, _prefix(path, where)
    try:
        folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=prefix))
        yield folder
        whole = folder / "whole"
        with whole.open("rb") as file:
            os.fsync(file.fileno())
        whole.chmod(_mode(path))
        whole.replace(path)
    except OSError as error:
        raise _unwritten(path, where, error) from None
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _prefix(path: Path, where: str) -> str:
    """What temporary names beside `path` begin with, where it may be replaced; those of runs that were killed are removed."""
    check_place(path, where)
    prefix = f".{path.name[:_MOST_NAME]}."
    sweep(path.parent, prefix)
    return f"{prefix}{mark()}-"


def _unwritten(path: Path, where: str, error: OSError) -> BadInput:
    return BadInput(f"{where}{str(path)!r}: cannot be written ({error.strerror or error}); nothing was changed there")


def _mode(path: Path) -> int:
    """The permissions of the file that is replaced; of a new one, those that the system gives."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        umask = os.umask(0)
        os.umask(umask)
        return 0o666 & ~umask
