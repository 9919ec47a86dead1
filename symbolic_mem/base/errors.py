"""The errors that a user can cause: each says what was given, what is allowed and what to do."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Self

MOST_SAID = 2_000  # characters of a message
MOST_NAMED, FEW = 12, 5  # names in a message: all of them, and the nearest of more
_WORD, _CLIP = 240, 60
_LONG = re.compile(rf"\S{{{_WORD + 1},}}")


class SymbolicMemError(Exception):
    """Base of every error that this package raises on purpose.

    `exit_status` is the command line's, and `kind` what a program reads. Its message is one line of printable
    characters, and short however long what it quotes is.
    """

    exit_status = 2
    kind = "bad-input"
    known: tuple[str, ...] = ()

    def __init__(self, message: object = "") -> None:
        """Say what was given, what is allowed and what to do."""
        super().__init__(one_line(str(message)))


class BadInput(SymbolicMemError, ValueError):
    """A value, name, file or option that cannot be used as given; `known` are the names that would be read in its place."""

    def __init__(self, message: object = "", known: Iterable[object] = ()) -> None:
        """Say what was given, what is allowed and what to do; `known` are the names that the message lists, for programs."""
        super().__init__(message)
        self.known = tuple(map(str, known))

    @classmethod
    def unknown(cls, said: str, given: str, known: Iterable[str], listed_by: str = "", then: str = "") -> Self:
        """Return that `given` is none of the names that are `known`: what is `said` of it, the nearest, and `then` what to do.

        >>> error = BadInput.unknown("unknown device 'h100'", "h100", ["tpu-v5p", "h100-80gb"])
        >>> error
        BadInput("unknown device 'h100'; did you mean 'h100-80gb'? known: h100-80gb, tpu-v5p")
        >>> error.known
        ('h100-80gb', 'tpu-v5p')
        """
        names = list(known)
        in_order = _nearest_first(given, names) if _cut(names, listed_by) else sorted(names)
        return cls(f"{said}; {nearest(given, names, listed_by)}{then}", in_order)

    @classmethod
    def one_of(cls, said: str, known: Iterable[object], then: str = "") -> Self:
        """Return what is `said`, and all names that are `known`, in their own order, where none is nearer than another.

        >>> BadInput.one_of("route 'word' is not known", ["tex", "typst"], then="; leave it out")
        BadInput("route 'word' is not known; known: tex, typst; leave it out")
        """
        names = [str(name) for name in known]
        return cls(f"{said}; known: {', '.join(names)}{then}", names)


class NotDescribed(BadInput):
    """What is asked may well be possible: nothing here describes it."""


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

    A message that begins with that place keeps it once.

    >>> with at_place("my.toml [values]"):
    ...     raise BadInput("'80' has no unit")
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: my.toml [values]: '80' has no unit
    """
    try:
        yield
    except MissingValue:
        raise
    except BadInput as error:
        said = str(error)
        placed = said.startswith(where) and not said[len(where) : len(where) + 1].isalnum()
        raise BadInput(said if placed else f"{where}: {said}", known=error.known) from None


def one_line(message: str) -> str:
    r"""Return a message as one line: new lines become spaces, signs that a terminal obeys are written out, long words are cut.

    >>> one_line("a\nb\x1b " + "y" * 1000)[:70]
    'a b\\x1b yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy'
    >>> len(one_line("y" * 1000)), len(one_line("y " * 10**6))
    (239, 1983)
    """
    message = _LONG.sub(lambda word: f"{word[0][: _WORD // 2]}...{word[0][-_WORD // 2 + 4 :]}", message)
    words = message.split() if len(message) <= 10 * MOST_SAID else message[: 10 * MOST_SAID].split()
    line = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in " ".join(words))
    if len(line) <= MOST_SAID:
        return line
    head = line[: MOST_SAID // 2].rpartition(" ")[0]
    return f"{head} ... {line[-MOST_SAID // 2 + 20 :].partition(' ')[2]}"


def clipped(text: str) -> str:
    """Quote what a user gave, cut where a message would drown in it."""
    return repr(text if len(text) <= _CLIP else text[:_CLIP] + "...")


def shown(path: object) -> str:
    """Return a path, or a place in a file, as it is, or quoted where it would break the line of a message."""
    text = str(path)
    return text if text.isprintable() and text.strip() else repr(text)


def nearest(given: str, allowed: Iterable[str], listed_by: str = "") -> str:
    """Return the end of an error message: the closest allowed name, then all of them.

    Of many names that a command lists, as ``list devices`` does, the nearest are given, and the command.

    >>> nearest("h100", ["h100-80gb", "tpu-v5p"])
    "did you mean 'h100-80gb'? known: h100-80gb, tpu-v5p"
    >>> nearest("n50", [f"n{number}" for number in range(50)], "list numbers")
    "did you mean 'n5'? known: n5, n0, n45, n40, n35; 45 more: symbolic-mem list numbers"
    """
    names = list(allowed)
    meant = did_you_mean(given, names)
    if _cut(names, listed_by):
        few = _nearest_first(given, names)[:FEW]
        return f"{meant}known: {', '.join(few)}; {len(names) - len(few)} more: symbolic-mem {listed_by}"
    between = "; " if any("," in name for name in names) else ", "
    return f"{meant}known: {between.join(sorted(names))}"


def did_you_mean(given: str, allowed: Iterable[str]) -> str:
    """Return the closest allowed name as a question, behind a character of what was given that looks like another.

    >>> did_you_mean("h100", ["h100-80gb", "tpu-v5p"])
    "did you mean 'h100-80gb'? "
    """
    close = _close(given, list(allowed)) if given else []
    foreign = next((f"{sign!r} in it is {name_of(sign)}; " for sign in given[:_CLIP] if not sign.isascii()), "")
    return foreign + (f"did you mean {close[0]!r}? " if close else "")


def _cut(names: Sequence[str], listed_by: str) -> bool:
    return bool(listed_by) and len(names) > MOST_NAMED


def _nearest_first(given: str, names: Sequence[str]) -> list[str]:
    from difflib import get_close_matches

    in_order = sorted(names)
    similar = get_close_matches(_wanted(given), in_order, n=FEW, cutoff=0.4)
    return [*dict.fromkeys((*_close(given, names), *similar, *in_order))]


def _wanted(given: str) -> str:
    return given[:_CLIP].lower()


def _close(given: str, allowed: Sequence[str]) -> list[str]:
    """The names that begin as what was given, else the most similar, else those that contain it."""
    from difflib import get_close_matches

    names, wanted = sorted(allowed), _wanted(given)
    return (
        [name for name in allowed if name.lower().startswith(wanted)]
        or get_close_matches(wanted, names, n=1, cutoff=0.5)
        or [name for name in names if len(wanted) > 1 and wanted in name.lower()]
    )


def name_of(sign: str) -> str:
    """Return the code and the name of a character, for one that looks like another.

    >>> name_of("В")
    'U+0412 cyrillic capital letter ve'
    """
    from unicodedata import name

    return f"U+{ord(sign):04X} {name(sign, '').lower()}".strip()
