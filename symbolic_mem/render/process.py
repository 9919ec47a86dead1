"""Running a program of somebody else's: by its absolute path, in its own folder, for a limited time."""

from __future__ import annotations

import errno
import os
import signal
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symbolic_mem.base.errors import RenderError
from symbolic_mem.render.leftover import mark, sweep

if TYPE_CHECKING:
    import subprocess


SCRATCH = "symbolic-mem-"
ENDING = tuple(signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP") if name in signal.Signals.__members__)
MOST_WRITTEN = 500_000_000  # bytes in the folder of a program
_PATIENCE = 0.25  # seconds between two looks at what it wrote
_LOOKS = 0.02  # and at whether it has ended, at most
_ROOM = 65_536  # bytes: less than any of these programs needs


class NoProgram(RenderError):
    """A program that is there, and that the system does not run."""


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
    """Give a new temporary folder that is gone afterwards, however the block ends; those of killed runs go, too.

    Raises `RenderError` where the place of temporary files is full or cannot be written.
    """
    import tempfile

    place = tempfile.gettempdir()
    sweep(Path(place), SCRATCH)
    try:
        with tempfile.TemporaryDirectory(prefix=f"{SCRATCH}{mark()}-") as name:
            yield Path(name).resolve()
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            raise
        raise RenderError(full_place(place, str(error.strerror))) from None


def full_place(place: str | Path, why: str = "") -> str:
    """Say that the place of temporary files has no room left."""
    reason = f" ({why})" if why else ""
    return f"{place}: temporary files cannot be written there{reason}; make room, or set TMPDIR to another folder"


def is_full(folder: Path) -> bool:
    """Whether next to nothing more can be written in a folder."""
    import shutil

    return shutil.disk_usage(folder).free < _ROOM


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
        NoProgram: the system does not run it.
        RenderError: it wrote more than any document needs.
    """
    import subprocess

    name, process = Path(command[0]).name, None
    with Path(os.devnull if output is None else output).open("wb") as sink:
        try:
            with _signals_held():
                process = subprocess.Popen(
                    [str(part) for part in command],
                    cwd=folder,
                    env={**os.environ, "PATH": search_path(), **(environment or {})},
                    stdin=subprocess.DEVNULL,
                    stdout=sink,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            while time.monotonic() < deadline:
                status = _ended(process, min(time.monotonic() + _PATIENCE, deadline))
                if status is not None:
                    return status
                if _size(folder) > MOST_WRITTEN:
                    raise RenderError(
                        f"{name} wrote more than {MOST_WRITTEN:,} bytes and was stopped; correct the document"
                    )
            raise OutOfTime(f"{name} did not finish in time and was stopped; make the document shorter, or correct it")
        except OSError as error:
            if process is not None:
                raise
            raise NoProgram(f"{command[0]} does not start ({error.strerror}); mend or remove it") from None
        finally:
            if process is not None and process.returncode is None:
                _kill_group(process)


def _ended(process: subprocess.Popen[bytes], until: float) -> int | None:
    """The exit status of a process that ends by a time, else None.

    A signal comes between two looks: a look takes a lock, which an exception inside it would leave locked for ever.
    """
    pause = 0.0005
    while True:
        with _signals_held():
            status = process.poll()
        if status is not None or time.monotonic() >= until:
            return status
        time.sleep(pause)
        pause = min(2 * pause, _LOOKS)


@contextmanager
def _signals_held() -> Generator[None]:
    """Let signals that end this process come after the block: in it a program starts that only its caller can end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[int, Any]] = []
    ours = {number: handler for number in ENDING if callable(handler := signal.getsignal(number))}
    for number in ours:
        signal.signal(number, lambda number, frame: came.append((number, frame)))
    try:
        yield
    finally:
        for number, handler in ours.items():
            signal.signal(number, handler)
        for number, frame in came:
            ours[signal.Signals(number)](number, frame)


def _size(folder: Path) -> int:
    """The bytes of the files in a folder, without those in the folders in it."""
    with os.scandir(folder) as entries:
        return sum(entry.stat(follow_symlinks=False).st_size for entry in entries)


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
