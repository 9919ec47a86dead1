"""Templates of a user, which are a stranger's programs: run in a process of their own that is limited and can be ended.

The caller's side is `filled`; `serve` is what that process runs. A template reads nothing outside its folder, through
links either; its time, its memory and what it prints are limited, and a fault in it is one line with file and line.
"""

from __future__ import annotations

import json
import pickle
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sympy as sp
from sympy.core.operations import AssocOp
from sympy.functions.elementary.miscellaneous import MinMaxBase

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.harmless import harmless
from symbolic_mem.base.outside import decoded, read_content
from symbolic_mem.base.symbols import Written, write
from symbolic_mem.render.arrange import arrange
from symbolic_mem.render.process import OutOfTime, run_program, scratch_folder
from symbolic_mem.render.templates import folder_of

if TYPE_CHECKING:
    from types import TracebackType

    from jinja2 import BaseLoader

SECONDS = 60.0
COMPUTING = 15  # seconds of a processor
MOST_CHARACTERS = 20_000_000
MOST_MEMORY = 2 * 2**30  # bytes of addresses
_GIVEN, _MADE = "given.pickle", "made.json"


def render_own(derivation: Any, layout: str, ending: str, templates: str | Path) -> str:
    """Write a derivation as text by the templates in a user's folder, and by the bundled ones that it lacks."""
    folder = folder_of(templates, f"{layout}.{ending}.j2")
    plain = replace(derivation, found=())  # what was found is for programs, and templates are not given it
    (text,) = filled([{"document": arrange(plain), "unarranged": plain}], derivation.written, layout, ending, folder)
    return text.strip() + "\n"


def sections_own(derivation: Any, ending: str, templates: str | Path) -> list[str]:
    """Write each section of a derivation as a text of its own by the templates in a user's folder, and the bundled ones."""
    folder = folder_of(templates, f"_section.{ending}.j2")
    given = [{"section": section} for section in arrange(derivation).sections]
    return [text.strip() for text in filled(given, derivation.written, "_section", ending, folder)]


def filled(
    given: Sequence[Mapping[str, Any]],
    written: Written,
    layout: str,
    ending: str,
    folder: Path,
    seconds: float = SECONDS,
) -> list[str]:
    """Return what the templates in `folder` make of each thing that is `given`, which is arranged, in that order.

    Some symbols are `written` otherwise than by their names. Raises `BadInput` for a fault in a template, one that takes more than `seconds`, and one that prints or needs too much.
    """
    with scratch_folder() as scratch:
        with (scratch / _GIVEN).open("wb") as file:
            _AsBuilt(file).dump((tuple(given), written, layout, ending, str(folder.resolve()), COMPUTING))
        code = f"import sys; sys.path[:] = {sys.path!r}; from symbolic_mem.render.own_templates import serve; serve()"
        try:
            status = run_program(
                (sys.executable, "-c", code),
                folder=scratch,
                deadline=time.monotonic() + seconds,
                output=scratch / "said",
            )
        except OutOfTime:
            status = -getattr(signal, "SIGXCPU", 24)
        made = scratch / _MADE
        if status == -getattr(signal, "SIGXCPU", 24):
            raise BadInput(
                f"template {layout}.{ending}.j2: it was not done in time and was stopped; a loop in it is too long"
            )
        if status != 0 or not made.is_file():
            raise BadInput(
                f"template {layout}.{ending}.j2: it ended its process (status {status}), most likely for lack of memory; "
                "print less"
            )
        answer = json.loads(made.read_text(encoding="utf-8"))
    if "fault" in answer:
        raise BadInput(answer["fault"], answer["known"])
    return answer["texts"]


class _AsBuilt(pickle.Pickler):
    """Writes expressions so that they are read as they were built: SymPy's own way would evaluate them again."""

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, AssocOp):
            return type(obj)._from_args, (obj.args,)
        if isinstance(obj, sp.Pow | sp.Function | MinMaxBase):
            return _unevaluated, (type(obj), obj.args)
        return NotImplemented


def _unevaluated(kind: Any, args: tuple[Any, ...]) -> Any:
    return kind(*args, evaluate=False)


def serve() -> None:
    """Fill the templates that the current folder's file names, and write the text or the fault beside it."""
    given, written, layout, ending, folder, computing = pickle.loads(Path(_GIVEN).read_bytes())
    _limit(computing)
    write(written)
    try:
        answer = {"texts": _filled(given, layout, ending, Path(folder))}
    except BadInput as error:
        answer = {"fault": str(error), "known": error.known}
    Path(_MADE).write_text(json.dumps(answer), encoding="utf-8")


def _limit(computing: int) -> None:
    """Bound the memory and the processor time of this process, where the system can."""
    try:
        import resource
    except ImportError:
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    least = MOST_MEMORY if most == resource.RLIM_INFINITY else min(MOST_MEMORY, most)
    resource.setrlimit(resource.RLIMIT_AS, (least, most))
    resource.setrlimit(resource.RLIMIT_CPU, (computing, computing + 1))


def _filled(given: Sequence[Mapping[str, Any]], layout: str, ending: str, folder: Path) -> list[str]:
    from jinja2 import TemplateError

    from symbolic_mem.base.version import __version__
    from symbolic_mem.render.jinja import environment, faces

    name = f"{layout}.{ending}.j2"
    made = environment(faces()[ending], own_loader(folder))
    texts, length = [], 0
    try:
        for each in given:
            pieces = []
            for piece in made.get_template(name).generate(**each, version=__version__):
                length += len(piece)
                if length > MOST_CHARACTERS:
                    raise _TooMuch
                pieces.append(piece)
            texts.append("".join(pieces))
    except BadInput:
        raise
    except TemplateError as error:
        line, named = getattr(error, "lineno", None), getattr(error, "name", None) or name
        place = _place(error.__traceback__, folder) if line is None else f"{named}, line {line}"
        raise BadInput(f"template {place or named}: {error.message or type(error).__name__}") from None
    except Exception as error:  # noqa: BLE001 (whatever a template raises is its fault)
        place = _place(error.__traceback__, folder)
        raise BadInput(f"template {place or name}: {_words(error)}") from None
    return texts


class _TooMuch(Exception):
    """A template prints more than is taken."""


def _words(error: Exception) -> str:
    match error:
        case RecursionError():
            return "it calls or includes itself without an end"
        case MemoryError():
            return "it needs more memory than a template has"
        case _TooMuch():
            return f"it prints more than {MOST_CHARACTERS:,} characters"
    return f"{type(error).__name__}: {error}"


def _place(trace: TracebackType | None, folder: Path) -> str:
    """The file and the line of the innermost template in a trace."""
    place = ""
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if file.suffix == ".j2":
            shown = file.relative_to(folder) if file.is_relative_to(folder) else file.name
            place = f"{shown}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return place


def own_loader(folder: Path) -> BaseLoader:
    """Return the loader of the templates of a user's `folder`: regular files in it, and none elsewhere through a link."""
    from jinja2 import FunctionLoader
    from jinja2.loaders import split_template_path

    root = folder.resolve()

    def load(name: str) -> tuple[str, str, None] | None:
        path = root.joinpath(*split_template_path(name))
        if not path.exists():
            return None
        if not path.resolve().is_relative_to(root):
            raise BadInput(f"template {name}: it is a link to a file outside its folder; copy the file into the folder")
        text = harmless(decoded(read_content(path, "template"), name), f"template {name}")
        return text, str(path), None

    return FunctionLoader(load)
