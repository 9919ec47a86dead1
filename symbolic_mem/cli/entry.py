"""The program: what a wheel carries ready answers at once; anything else is the command line's."""

from __future__ import annotations

import os
import sys


def run() -> None:
    """Run the command line as a process of its own; it never returns."""
    given = sys.argv[1:]
    if given[:1] in (["account"], ["solve"]) and "--json" in given:
        _answer(given)
    from symbolic_mem.cli.main import run as whole

    whole()


def _answer(given: list[str]) -> None:
    """Print the answer that is ready and end the process; where there is none, or it cannot be printed, do nothing."""
    from symbolic_mem.shipped.read import answer

    ready = answer(given)
    if ready is None or sys.stdout is None or sys.stderr is None:
        return
    try:
        sys.stdout.buffer.write(ready)
        sys.stdout.flush()
    except OSError:
        return
    os._exit(0)
