"""The entry point: verbs are imported when they are called, errors become one line and an exit status."""

from __future__ import annotations

import contextlib
import errno
import gc
import importlib
import io
import os
import sys

import click

from symbolic_mem.base.errors import SymbolicMemError
from symbolic_mem.base.version import __version__

VERBS = {
    "homework": "Write the worked solution of a study's questions.",
    "report": "Write the account as a report: terms, bounds, assumptions, sources.",
    "account": "Show the memory terms: formula, bytes, share.",
    "solve": "Find the smallest degree, or the largest batch or model, at which a step fits.",
    "fit": "List the meshes of a number of devices that hold a step, and why the others do not.",
    "comms": "Show what is sent, how long it takes, and the batch that keeps chips busy.",
    "compare": "Explain the gap between two accounts, term by term.",
    "check": "Say whether a claimed number is right, and which slip explains it if it is not.",
    "verify": "Compare our bytes with an installed engine, or with measured and published cases.",
    "list": "Show the bundled studies, devices, recipes, optimizers and profiles.",
}


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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Refuse an unknown verb with the nearest known one."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            from symbolic_mem.base.errors import nearest

            raise click.UsageError(f"unknown verb {args[0]!r}; {nearest(args[0], VERBS)}")
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
    """Run the command line and return its exit status: 0 answered, 1 wrong, 2 bad input, 3 a program is missing."""
    _accept_any_text()
    collecting = gc.isenabled()
    gc.disable()  # a run is short: collecting garbage while SymPy is imported is an eighth of its time
    try:
        status = group.main(args=arguments, prog_name="symbolic-mem", standalone_mode=False)
        sys.stdout.flush()
        return status if isinstance(status, int) else 0
    except click.exceptions.NoArgsIsHelpError as help_shown:
        click.echo(help_shown.format_message(), err=True)
        return 2
    except click.UsageError as error:
        verb = error.ctx.command_path if error.ctx is not None else "symbolic-mem"
        return _fail(f"{error.format_message().rstrip('.')}; see `{verb} --help`", 2)
    except click.ClickException as error:
        return _fail(error.format_message(), 2)
    except SymbolicMemError as error:
        return _fail(str(error), error.exit_status)
    except (KeyboardInterrupt, click.Abort):
        return _fail("interrupted; no file was left half-written", 130)
    except BrokenPipeError:
        _forget_output()
        return 0
    except OSError as error:
        return _fail(_explain(error), 2)
    finally:
        if collecting:
            gc.enable()
    return 0


def run() -> None:
    """Run the command line as a process of its own, which ends at once: freeing SymPy piece by piece takes 50 ms."""
    status = main()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


def _explain(error: OSError) -> str:
    """Say what the system refused; without a file name and on a full disk it was standard output."""
    if error.errno == errno.ENOSPC and error.filename is None:
        _forget_output()
        return f"standard output: cannot be written ({error.strerror}); make room there"
    place = f"{error.filename}: " if error.filename is not None else ""
    return f"{place}{error.strerror or error}; check that the place is there and is writable"


def _accept_any_text() -> None:
    """Print a sign that the terminal's encoding lacks as a question mark, instead of stopping there."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _forget_output() -> None:
    """Point standard output at nothing, so that the interpreter's last flush cannot fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str, status: int) -> int:
    click.echo(f"symbolic-mem: {' '.join(message.split())}", err=True)
    return status
