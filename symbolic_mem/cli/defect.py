"""A defect of this package: one line for who met it, and the trace in a file for who mends it."""

from __future__ import annotations

import tempfile
import traceback
from pathlib import Path

from symbolic_mem.base.version import __version__

_PACKAGE = str(Path(__file__).parent.parent)


def defect(error: Exception) -> str:
    """Write the trace of an error that no user can cause to a file, and say in one line what and where it is."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = next((frame for frame in reversed(frames) if frame.filename.startswith(_PACKAGE)), frames[-1])
    place = f"{Path(ours.filename).name}, line {ours.lineno}"
    said = f"this is a defect of symbolic-mem {__version__}, not of your input: {type(error).__name__} in {place}"
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="symbolic-mem-defect-", suffix=".txt", delete=False, encoding="utf-8", errors="replace"
        ) as file:
            file.write("".join(traceback.format_exception(error)))
    except OSError as full:
        return f"{said}; its trace could not be written ({full.strerror}); report it with your call"
    return f"{said}; its trace is in {file.name}; report it with that file and your call"
