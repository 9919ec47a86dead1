"""Running a program of somebody else's: by its absolute path, in its own folder, for a limited time."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from symbolic_mem.base.errors import RenderError

if TYPE_CHECKING:
    import subprocess


class OutOfTime(RenderError):
    """A program that was not done in time, and was stopped."""


def search_path() -> str:
    """Return PATH without its relative entries, which would find programs in the current folder."""
    entries = os.environ.get("PATH", "").split(os.pathsep)
    return os.pathsep.join(entry for entry in entries if Path(entry).is_absolute())


def find_program(name: str) -> Path | None:
    """Return the absolute path of program `name`, or None; the current folder is never searched.

    >>> find_program("no-such-program") is None
    True
    """
    import shutil

    folders = search_path()
    found = shutil.which(name, path=folders) if folders else None
    if found is None or str(Path(found).parent) not in map(str, map(Path, folders.split(os.pathsep))):
        return None  # Windows' search begins in the current folder, whatever the path says
    return Path(found)


@contextmanager
def scratch_folder() -> Generator[Path]:
    """Give a new temporary folder that is gone afterwards, however the block ends."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="symbolic-mem-") as name:
        yield Path(name).resolve()


def run_program(
    command: Sequence[str | Path],
    *,
    folder: Path,
    deadline: float,
    environment: Mapping[str, str] | None = None,
    output: Path | None = None,
) -> int:
    """Run `command` in `folder` without a shell and return its exit status; `output` receives what it prints.

    The program and all that it starts form one process group, which is killed when the time is over or when the
    caller is interrupted.

    Args:
        command: the program's absolute path and its arguments.
        folder: where it runs.
        deadline: when it must be done, on the clock of `time.monotonic`, in seconds.
        environment: variables beside those of this process.
        output: a file for standard output and error; None throws them away.

    Raises:
        OutOfTime: the deadline passed.
    """
    import subprocess

    with Path(os.devnull if output is None else output).open("wb") as sink:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            env={**os.environ, "PATH": search_path(), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            return process.wait(timeout=max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            name = Path(command[0]).name
            raise OutOfTime(
                f"{name} did not finish the PDF in time and was stopped; give it a longer `timeout` or a shorter document"
            ) from None
        finally:
            if process.returncode is None:
                _kill_group(process)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and its descendants, and wait until none of them can write any more."""
    if os.name != "posix":
        process.kill()
        process.wait()
        return
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    patience = time.monotonic() + 2
    while time.monotonic() < patience:
        try:
            os.killpg(process.pid, 0)
        except (ProcessLookupError, PermissionError):
            return
        time.sleep(0.01)
