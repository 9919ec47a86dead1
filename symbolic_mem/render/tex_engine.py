"""LaTeX to PDF by a TeX engine of the machine, run so that a document can neither run nor read anything else.

TeX is a programming language, so a document is treated as a stranger's: no shell escape, no absolute file names
(`openin_any=p`, `openout_any=p` of the TeX Live file search), no configuration file of latexmk, Lua without its
input and output library, a temporary folder, a time limit.
"""

from __future__ import annotations

import re
from pathlib import Path

from symbolic_mem.base.errors import RenderError
from symbolic_mem.base.values import dataclass
from symbolic_mem.render.process import NoProgram, find_program, full_place, is_full, run_program, scratch_folder
from symbolic_mem.render.signs import lacks

JOB = "document"
SAFE_FLAGS = ("-no-shell-escape", "-halt-on-error", "-interaction=nonstopmode")
ENVIRONMENT = {
    "openin_any": "p",
    "openout_any": "p",
    "TEXINPUTS": "",
    "MKTEXPK": "0",  # no bitmap fonts: a missing outline is an error, never a Type 3 font
    "SOURCE_DATE_EPOCH": "0",
    "FORCE_SOURCE_DATE": "1",
    "max_print_line": "10000",
}
LUA_SOURCE = rf"\pdfvariable suppressoptionalinfo 608\relax\input{{{JOB}.tex}}"  # no dates, and no /ID with the folder
UNDATED = r"\def\today{}\ifdefined\pdfinfoomitdate\pdfinfoomitdate=1\fi"  # no date but the one that is given
TODAY = re.compile(r"\\today(?![A-Za-z])")
MAX_PASSES = 5
_MOST_LOG = 10_000_000  # bytes


class IncompleteTeX(RenderError):
    """The engine is there, but a package, a font or the format that the document needs is not."""


@dataclass(frozen=True)
class Engine:
    """A TeX engine: its command line, whether it repeats its passes by itself, and how it is told the document."""

    command: tuple[str | Path, ...]
    repeats: bool
    source: str = f"{JOB}.tex"

    @property
    def name(self) -> str:
        """The program's name."""
        return Path(self.command[0]).name


def engines() -> tuple[Engine, ...]:
    """Return the TeX engines on the PATH, the preferred one first."""
    latexmk, pdflatex, lualatex, tectonic = map(find_program, ("latexmk", "pdflatex", "lualatex", "tectonic"))
    found = []
    if latexmk and pdflatex:
        found.append(Engine((latexmk, "-norc", "-pdf", "-silent", *SAFE_FLAGS), repeats=True))
    elif pdflatex:
        found.append(Engine((pdflatex, *SAFE_FLAGS), repeats=False))
    if lualatex:
        command = (lualatex, "--safer", "--nosocket", f"--jobname={JOB}", *SAFE_FLAGS)
        found.append(Engine(command, repeats=False, source=LUA_SOURCE))
    if tectonic:
        found.append(Engine((tectonic, "--untrusted"), repeats=True))
    return tuple(found)


def typeset(tex: str, engine: Engine, *, deadline: float) -> bytes:
    """Return the PDF of the LaTeX document `tex`.

    Raises:
        IncompleteTeX: the installation lacks something; another route may do.
        RenderError: the document is wrong (the message has TeX's complaint and line), or `deadline` passed.
    """
    if TODAY.search(re.sub(r"(?<!\\)%.*", "", tex)):
        raise RenderError(
            "the document prints \\today, which would differ from day to day; write the date out, or give it as --date"
        )
    undated = tex.replace("\\begin{document}", f"{UNDATED}\\begin{{document}}", 1)
    with scratch_folder() as folder:
        (folder / f"{JOB}.tex").write_text(undated, encoding="utf-8", newline="\n")
        before = None
        for _ in range(1 if engine.repeats else MAX_PASSES):
            try:
                status = run_program(
                    (*engine.command, engine.source),
                    folder=folder,
                    deadline=deadline,
                    environment={**ENVIRONMENT, "TMPDIR": str(folder)},
                )
            except NoProgram as absent:
                raise IncompleteTeX(str(absent)) from None
            if status != 0:
                raise _complaint(folder, engine)
            after = _side_files(folder)
            if after == before:
                break
            before = after
        pdf = folder / f"{JOB}.pdf"
        if not pdf.exists() and "No pages of output" in _log(folder):
            raise RenderError(
                f"{engine.name} made no PDF: the document has no pages; put text after \\begin{{document}}"
            )
        return whole_pdf(pdf, engine.name)


def _side_files(folder: Path) -> tuple[bytes, ...]:
    """Return what a pass left for the next one; when it no longer changes, no further pass is needed."""
    files = (folder / f"{JOB}.{ending}" for ending in ("aux", "out", "toc"))
    return tuple(file.read_bytes() if file.is_file() else b"" for file in files)


def whole_pdf(path: Path, program: str) -> bytes:
    """Return the PDF that a program says it has made; raises `RenderError` for what is none, not whole, or not its own."""
    if path.is_symlink() or not path.is_file():
        what = "a link in its place" if path.is_symlink() else "no PDF"
        raise RenderError(f"{program} ended well and left {what}; its installation is broken")
    content = path.read_bytes()
    if not content.startswith(b"%PDF-") or b"%%EOF" not in content[-1024:]:
        raise RenderError(f"{program} ended well and left a file of {len(content):,} bytes that is no whole PDF")
    return content


def _log(folder: Path) -> str:
    file = folder / f"{JOB}.log"
    if file.is_symlink() or not file.is_file():
        return ""
    with file.open("rb") as log:
        return log.read(_MOST_LOG).decode("utf-8", "replace")


def _complaint(folder: Path, engine: Engine) -> RenderError:
    """Turn the log of a failed run into an error that quotes the line that matters."""
    log = _log(folder)
    if is_full(folder) or "fwrite() failed" in log:
        return RenderError(full_place(folder.parent))
    if not log:
        return IncompleteTeX(f"{engine.name} does not start: its installation is incomplete")
    error = re.search(r"^(?:! ?|!pdfTeX error: )(?P<what>.+)$", log, re.MULTILINE)
    what = error["what"].strip() if error else f"no reason in the log, exit status of {engine.name} not 0"
    missing = re.search(
        r"File `[^']+\.(?:sty|cls|def|fd|clo|cfg)' not found|Font \S+ .*(?:not found|not loadable)|"
        r"cannot open (?:Type 1|encoding) .*file|font .*(?:cannot be found|not found)",
        what,
    )
    if missing:
        return IncompleteTeX(f"{engine.name} lacks a part of LaTeX: {what}; install it, or use another route to a PDF")
    sign = re.search(r"Unicode character .*?\(U\+([0-9A-F]{4,6})\)", what)
    if sign:
        return RenderError(lacks(chr(int(sign[1], 16))))
    line = re.search(r"^l\.(?P<number>\d+) (?P<text>.*)$", log[error.end() if error else 0 :], re.MULTILINE)
    where = f" at line {line['number']}, `{line['text'].strip()}`" if line else ""
    return RenderError(f"{engine.name} refuses the document: {what}{where}; correct the template or the text")
