"""The entry point: verbs are imported when they are called, errors become one line and an exit status."""

from __future__ import annotations

import contextlib
import errno
import gc
import importlib
import io
import os
import signal
import sys
import threading
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from symbolic_mem.base.errors import SymbolicMemError, clipped, nearest, one_line
from symbolic_mem.base.harmless import harmless
from symbolic_mem.base.version import __version__
from symbolic_mem.cli.tensors import put_off

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click.shell_completion import CompletionItem

VERBS = {
    "homework": "Write the worked solution of a study's questions.",
    "report": "Write the account as a report: terms, bounds, assumptions, sources.",
    "fragment": "Write one piece for a paper: a table, the account, a bound, a derivation, a figure.",
    "account": "Show the memory terms: formula, bytes, share.",
    "solve": "Find the smallest degree, or the largest batch or model, at which a step fits.",
    "sweep": "Answer a whole grid of configurations: the smallest degree or the peak of each, exactly.",
    "fit": "Say what fits on the devices that you have, and how; or list the meshes that hold a step.",
    "explore": "Write a page to play with, which computes in the browser and needs no network.",
    "comms": "Show what is sent, how long it takes, and the batch that keeps chips busy.",
    "compare": "Explain the gap between two accounts, term by term.",
    "check": "Say whether a claimed number is right, and which slip explains it if it is not.",
    "verify": "Compare our bytes with an installed engine, or with measured and published cases.",
    "list": "Show the bundled studies, devices, recipes, optimizers, profiles and plans.",
    "show": "Print a study as a .toml file to copy.",
    "schema": "Print the JSON Schema of what --json prints, or of a study file.",
    "completion": "Print the completion script of a shell.",
}


_UNPRINTED = {errno.ENOSPC: "make room there", errno.EBADF: "it is closed", errno.EIO: "look at what it is"}


class UnknownVerb(click.UsageError):
    """A verb that there is not."""

    known = tuple(VERBS)

    def __init__(self, given: str) -> None:
        super().__init__(f"unknown verb {clipped(given)}; {nearest(given, self.known)}")


class Verbs(click.Group):
    """A group that knows its verbs by name and imports each one only when it runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of the table above."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of a verb."""
        if cmd_name not in VERBS:
            return None
        return importlib.import_module(f"symbolic_mem.cli.{cmd_name}").command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer the verbs without importing them."""
        from click.shell_completion import CompletionItem

        verbs = [CompletionItem(name, help=words) for name, words in VERBS.items() if name.startswith(incomplete)]
        return verbs + click.Command.shell_complete(self, ctx, incomplete)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Refuse an unknown verb with the nearest known one."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            raise UnknownVerb(args[0])
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the verb; a reader that closes the pipe early (``| head``) is no fault of the call."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            _forget_output()
            return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs without importing them."""
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="symbolic-mem", message="%(prog)s %(version)s")
def group() -> None:
    """How much memory, how many devices, and why.

    STUDY is the name of a bundled study, the path of a .toml study, or a model's config.json or folder.
    """


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status.

    That is 0 answered, 1 wrong, 2 bad input, 3 a program is missing, 70 a defect of this package, 130 interrupted.
    """
    _stand_in()
    _accept_any_text()
    fail = partial(_fail, as_json="--json" in (sys.argv[1:] if arguments is None else arguments))
    handlers = _end_by_signals()
    collecting = gc.isenabled()
    gc.disable()  # a run is short: collecting garbage while SymPy is imported is an eighth of its time
    try:
        given = sys.argv[1:] if arguments is None else arguments
        for position, argument in enumerate(given, start=1):
            harmless(argument, f"argument {position}, {clipped(argument)},")
        run_it = partial(group.main, args=given, prog_name="symbolic-mem", standalone_mode=False)
        status = copy_context().run(run_it)  # how a study writes its symbols holds for this run alone
        sys.stdout.flush()
        return status if isinstance(status, int) else 0
    except click.exceptions.NoArgsIsHelpError as help_shown:
        click.echo(help_shown.format_message(), err=True)
        return 2
    except click.UsageError as error:
        known = error.known if isinstance(error, UnknownVerb) else ()
        verb = error.ctx.command_path if error.ctx is not None else "symbolic-mem"
        return fail(f"{error.format_message().rstrip('.')}; see `{verb} --help`", 2, "usage", known)
    except click.ClickException as error:
        return fail(error.format_message(), 2, "usage")
    except SymbolicMemError as error:
        return fail(str(error), error.exit_status, error.kind, error.known)
    except (KeyboardInterrupt, click.Abort):
        return fail("interrupted; no file was left half-written", 130, "interrupted")
    except _Ended as ended:
        return fail(f"ended by {ended.signal.name}; no file was left half-written", 128 + ended.signal, "interrupted")
    except BrokenPipeError:
        _forget_output()
        return 0
    except OSError as error:
        return fail(_explain(error), 2, "system", unprinted=error.errno in _UNPRINTED and error.filename is None)
    except MemoryError:
        return fail("this needs more memory than there is; give smaller values or a shorter file", 2, "system")
    except Exception as error:  # noqa: BLE001 (a defect is one line, too)
        from symbolic_mem.cli.defect import defect

        return fail(defect(error), 70, "defect")
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if collecting:
            gc.enable()
    return 0


def run() -> None:
    """Run the command line as a process of its own, which ends at once: freeing SymPy piece by piece takes 50 ms."""
    gc.disable()  # `main` leaves it as it was: one collection at the end would look through all that the run has made
    put_off()
    status = main()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


def _explain(error: OSError) -> str:
    """Say what the system refused; without a file name it was standard output."""
    if error.errno in _UNPRINTED and error.filename is None:
        _forget_output()
        return f"standard output: cannot be written ({error.strerror}); {_UNPRINTED[error.errno]}"
    place = f"{error.filename}: " if error.filename is not None else ""
    return f"{place}{error.strerror or error}; check that the place is there and is writable"


class _Ended(BaseException):
    """A signal that ends the process, so that what it began is put away first."""

    def __init__(self, number: int) -> None:
        self.signal = signal.Signals(number)


def _end_by_signals() -> dict[signal.Signals, Any]:
    """Let the signals that end a process raise `_Ended`, and return what they did before; one that is ignored stays so."""

    def end(number: int, _: object) -> None:
        raise _Ended(number)

    if threading.current_thread() is not threading.main_thread():
        return {}
    ending = [signal.Signals[name] for name in ("SIGTERM", "SIGHUP") if name in signal.Signals.__members__]
    return {number: signal.signal(number, end) for number in ending if signal.getsignal(number) is signal.SIG_DFL}


class _Closed(io.RawIOBase):
    """Standard output that the caller closed: what is printed there cannot be."""

    def writable(self) -> bool:
        return True

    def write(self, _: object) -> int:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def _stand_in() -> None:
    """Give closed standard streams a descriptor each, which the next file that is opened would get instead."""
    if sys.stdout is None or sys.stderr is None:
        while os.open(os.devnull, os.O_RDWR) < 3:
            pass
    if sys.stdout is None:
        sys.stdout = io.TextIOWrapper(_Closed(), encoding="utf-8", write_through=True)  # ty: ignore[invalid-argument-type]
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115


def _accept_any_text() -> None:
    """Print a sign that the terminal's encoding lacks as a question mark, instead of stopping there."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _forget_output() -> None:
    """Point standard output at nothing, so that the interpreter's last flush cannot fail again."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(
    message: str, status: int, kind: str, known: Sequence[str] = (), *, as_json: bool, unprinted: bool = False
) -> int:
    """Say what went wrong in one line, or for a program as one object on standard output, but where that is `unprinted`."""
    line = one_line(message)
    if not as_json or unprinted or not _say_object(line, status, kind, known):
        with contextlib.suppress(OSError):
            click.echo(f"symbolic-mem: {line}", err=True)
    return status


def _say_object(line: str, status: int, kind: str, known: Sequence[str]) -> bool:
    """Print what went wrong as one object on standard output, and tell whether it could be."""
    import json

    error = {"kind": kind, "message": line, "known": [*known], "status": status}
    try:
        click.echo((json.dumps({"error": error}, indent=2, ensure_ascii=False) + "\n").encode(), nl=False)
        sys.stdout.flush()
    except OSError:
        _forget_output()
        return False
    return True
