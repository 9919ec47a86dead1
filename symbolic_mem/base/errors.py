"""The errors that a user can cause: each says what was given, what is allowed and what to do."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager


class SymbolicMemError(Exception):
    """Base of every error that this package raises on purpose.

    `exit_status` is the command line's, and `kind` what a program reads.
    """

    exit_status = 2
    kind = "bad-input"


class BadInput(SymbolicMemError, ValueError):
    """A value, name, file or option that cannot be used as given."""


class MissingValue(BadInput):
    """A number was asked for, and symbols in its formula have no value; `symbols` names them."""

    kind = "missing-value"

    def __init__(self, symbols: Iterable[str], what: str = "this answer") -> None:
        """Name the missing `symbols` and `what` needed them."""
        self.symbols = tuple(symbols)
        names = ", ".join(self.symbols)
        example = self.symbols[0] if self.symbols else "NAME"
        super().__init__(
            f"{what} needs a value for {names}; give it under [values] in the study, as --set {example}=..., or in Python as "
            f"{example}=..."
        )


class MissingProgram(SymbolicMemError):
    """A program or optional package that the request needs is not installed."""

    exit_status = 3
    kind = "missing-program"


class RenderError(SymbolicMemError):
    """A document that a typesetting program refuses, or cannot finish in time."""

    kind = "render"


@contextmanager
def at_place(where: str) -> Generator[None, None, None]:
    """Put the place of what was given (a file and a key, an option) before a `BadInput` of a reader that has no place.

    >>> with at_place("my.toml [values]"):
    ...     raise BadInput("'80' has no unit")
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: my.toml [values]: '80' has no unit
    """
    try:
        yield
    except BadInput as error:
        raise BadInput(f"{where}: {error}") from None


def nearest(given: str, allowed: Iterable[str]) -> str:
    """Return the end of an error message: the closest allowed name, then all of them.

    >>> nearest("h100", ["h100-80gb", "tpu-v5p"])
    "did you mean 'h100-80gb'? known: h100-80gb, tpu-v5p"
    """
    from difflib import get_close_matches

    listed = list(allowed)
    names, wanted = sorted(listed), given.lower()
    close = [name for name in listed if name.lower().startswith(wanted)]
    close = (
        close
        or get_close_matches(wanted, names, n=1, cutoff=0.5)
        or [name for name in names if len(wanted) > 1 and wanted in name.lower()]
    )
    hint = f"did you mean {close[0]!r}? " if close and given else ""
    return f"{hint}known: {', '.join(names)}"
