"""Files that are complete or absent: everything is checked before, written beside, and moved into place."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from symbolic_mem.base.errors import BadInput
from symbolic_mem.render.formats import FORMATS


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
        outputs.append((path, ending))
    return outputs


def write_whole(path: Path, content: bytes, where: str = "-o ") -> None:
    """Write a file so that it is never seen half-written; an existing one is replaced only by a complete one."""
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = Path(file.name)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    except OSError as error:
        raise BadInput(
            f"{where}{str(path)!r}: cannot be written ({error.strerror}); nothing was changed there"
        ) from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
