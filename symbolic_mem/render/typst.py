r"""LaTeX to PDF without TeX: pandoc's reader, Typst's typesetting, both from the wheels of the extra `documents`.

A template author can count on the following; what pandoc skips or cannot convert is an error, never a silent loss.

- Before `\begin{document}` only `\title{}`, `\author{}`, `\date{}`, each on a line of its own, the class option
  `letterpaper` and `pdflang={}` are read. Macros and environments defined there are unknown.
- Text: `\section` to `\paragraph` (starred or not: never numbered), `\textbf \emph \texttt \textsc \textsuperscript`,
  `\url \href \nolinkurl \footnote \verb`, `\label` after a heading and `\hyperref[]{}` to it, quotes, dashes, `~`, `\,`, `\\`, escaped characters.
- `itemize`, `enumerate`, `description`, `quote`, `center`, `verbatim`, and our own `answer` (a rule at the left) `answers` (between two rules) and `fine` (smaller type).
- Mathematics: `\( \)`, `\[ \]`, `align*`, and inside `aligned`, `cases`, `\frac`, `\left \right` and `\bigl`-like
  fences, `\lceil \lfloor \lvert`, `\mathrm \mathit \text \operatorname`, `\underbrace`, `\boxed`, `\substack`,
  relations and arrows (`\approx \le \iff \implies \Longleftrightarrow`), spaces. No `\label`, no `\ref` of equations.
  `aligned` stays on one page; `align*` may run over pages, so it is the one for more than some twelve lines. Remarks go
  after `&&`.
- Tables: `longtable` with columns `l r c p{...}` and `@{}` (no `>{}` or `<{}`: `\multicolumn` is lost after them), the
  head before `\midrule\endhead`, `\toprule \midrule \bottomrule`, `\multicolumn`, `\caption` (set without a number).
  Widths are written `p{0.3\textwidth}`; the other columns are as wide as their content, and all must fit the line.
  Between the outer rules only two kinds are drawn: the one below the head, and one above a row that begins with
  `\textbf` (a row of totals); so put `\midrule` nowhere else.
- Refused: other environments, `\cmidrule`, `\cline`, `\\*`, `\today` (which would differ from day to day), conditionals.
- Left out without complaint: commands of layout such as `\newpage`, `\small`, `\noindent` (see `LAYOUT`).
- No files: `\input`, `\include`, `\includegraphics` fail.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from symbolic_mem.base.errors import MissingProgram, RenderError
from symbolic_mem.render.process import full_place, is_full, run_program, scratch_folder
from symbolic_mem.render.signs import composed, lacks, unprinted
from symbolic_mem.render.templates import template_folder
from symbolic_mem.render.tex_engine import whole_pdf

if TYPE_CHECKING:
    from symbolic_mem.document.figure import Figure

LAYOUT = re.compile(
    r"\\(maketitle|noindent|indent|newpage|clearpage|pagebreak|nopagebreak|allowbreak|needspace|centering|raggedright|"
    r"small|footnotesize|normalsize|large|bigskip|medskip|smallskip|vspace|hspace|hfill|vfill|linebreak|nolinebreak|"
    r"endhead|endfirsthead|endfoot|endlastfoot|toprule|midrule|bottomrule|addlinespace|arraybackslash|sloppy|par|quad|"
    r"qquad|thispagestyle|pagestyle|allowdisplaybreaks|leavevmode|relax|(begin|end)\{(answer|answers|fine|samepage)\})(?![A-Za-z])"
)
UNKNOWN = (r"\newcommand{\textbar}{|}", r"\newcommand{\textasciigrave}{\`{}}")  # to pandoc's reader
_MOST_SAID, _MOST_LOG = 1_000, 10_000_000  # bytes
_COMPILE = """
import json, typst
def made(**inputs):
    compiler = typst.Compiler(sys.argv[1], root=".", ignore_system_fonts=True, sys_inputs=inputs)
    return compiler.compile(format="pdf", timestamp=0), json.loads(compiler.query("<end>", field="value", one=True))
try:
    pdf, end = made()
    if end["page"] > 1 and end["filled"] < 0.3:
        closer, end_of_closer = made(closer="yes")
        if end_of_closer["page"] < end["page"]:
            pdf = closer
    with open(sys.argv[2], "wb") as file:
        file.write(pdf)
except typst.TypstError as error:
    print(error.message)
    sys.exit(1)
"""
MISREAD = re.compile(r"\\(cmidrule|cline|today)(?![A-Za-z])|\\\\\*")


def pandoc_program() -> Path | None:
    """Return the pandoc that the package `pypandoc_binary` carries, or None."""
    package = find_spec("pypandoc")
    if package is None or package.origin is None:
        return None
    files = Path(package.origin).parent / "files"
    return next((files / name for name in ("pandoc", "pandoc.exe") if (files / name).is_file()), None)


def is_installed() -> bool:
    """Tell whether the extra `documents` is there."""
    return pandoc_program() is not None and find_spec("typst") is not None


def typeset(tex: str, figures: Sequence[Figure] = (), *, deadline: float) -> bytes:
    """Return the PDF of the LaTeX document `tex`.

    Raises:
        MissingProgram: the extra `documents` is not installed.
        RenderError: the document uses what this route does not understand, or `deadline` passed.
    """
    if not is_installed():
        raise MissingProgram('the PDF route without TeX is not installed; do `pip install "symbolic-mem[documents]"`')
    with scratch_folder() as folder:
        source = to_typst(_with_files(tex, figures, folder), folder, deadline=deadline)
        made, said = folder / "document.pdf", folder / "said.txt"
        code = f"import sys; sys.path[:] = {sys.path!r}\n{_COMPILE}"
        command = (sys.executable, "-c", code, source.name, made.name)
        status = run_program(command, folder=folder, deadline=deadline, output=said)
        if status != 0:
            raise _complaint("Typst", status, said)
        return whole_pdf(made, "Typst")


def _complaint(program: str, status: int, output: Path) -> RenderError:
    """Say why a program of this route failed: in its own words, where it has any."""
    if is_full(output.parent):
        return RenderError(full_place(output.parent.parent))
    with output.open("rb") as file:
        said = " ".join(file.read(_MOST_SAID).decode("utf-8", "replace").split())
    if status < 0:
        return RenderError(f"{program} crashed (signal {-status}); run it again, or install a TeX engine (TeX Live)")
    return RenderError(
        f"{program} refuses the document: {said or f'it ended with status {status} and gave no reason'}; correct the "
        "template or the text"
    )


def _with_files(tex: str, figures: Sequence[Figure], folder: Path) -> str:
    """The document with each `picture` of a figure, which pandoc does not know, replaced by a drawing in the folder."""
    from symbolic_mem.render.picture import BEGIN, END
    from symbolic_mem.render.svg import svg

    for figure in figures:
        (folder / f"{figure.name}.svg").write_text(svg(figure), encoding="utf-8", newline="\n")
        drawn = re.compile(rf"^{re.escape(BEGIN + figure.name)}$.*?^{END}$", re.MULTILINE | re.DOTALL)
        tex = drawn.sub(rf"\\includegraphics{{{figure.name}.svg}}", tex)
    return tex


def to_typst(tex: str, folder: Path, *, deadline: float) -> Path:
    """Write the LaTeX document `tex` as Typst text into `folder` and return the file.

    Raises:
        RenderError: something would be lost or changed on the way.
    """
    pandoc = pandoc_program()
    if pandoc is None:
        raise MissingProgram('pandoc is not installed; do `pip install "symbolic-mem[documents]"`')
    head, begin, body = tex.partition("\\begin{document}")
    if not begin:
        raise RenderError("the text is not a LaTeX document: it has no \\begin{document}; give the whole document")
    if sign := unprinted(composed(body)):
        raise RenderError(lacks(sign))
    if misread := MISREAD.search(re.sub(r"(?<!\\)%.*", "", body)):
        raise _not_understood(misread[0])
    kept = [line for line in head.splitlines() if line.startswith(("\\title{", "\\author{", "\\date{"))]
    language = re.search(r"pdflang=\{([A-Za-z]+)", head)
    (folder / "document.tex").write_text("\n".join([*UNKNOWN, *kept, begin + body]), encoding="utf-8", newline="\n")
    templates = template_folder()
    status = run_program(
        [
            *(pandoc, "+RTS", "-M1G", "-RTS", "document.tex", "--output=document.typ", "--log=log.json"),
            *("--from=latex", "--to=typst", "--sandbox", f"--data-dir={folder}", "--wrap=preserve"),
            *(f"--template={templates / 'pandoc.typ'}", f"--lua-filter={templates / 'pandoc.lua'}"),
            f"--variable=papersize:{'us-letter' if 'letterpaper' in head else 'a4'}",
            f"--variable=lang:{language[1] if language else 'en'}",
        ],
        folder=folder,
        deadline=deadline,
        output=folder / "output.txt",
    )
    if status != 0:
        raise _complaint("pandoc", status, folder / "output.txt")
    made = folder / "document.typ"
    try:
        with (folder / "log.json").open("rb") as file:
            messages = json.loads(file.read(_MOST_LOG))
        losses = _losses(messages)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise RenderError("pandoc ended well and left no log of what it lost; its installation is broken") from None
    if losses:
        raise _not_understood(losses[0])
    if made.is_symlink() or not made.is_file():
        raise RenderError("pandoc ended well and left no Typst text; its installation is broken")
    return made


def _losses(messages: list[dict[str, str]]) -> list[str]:
    """The messages of pandoc's log that mean lost or changed content."""
    return [
        " ".join(message.get("pretty", message["type"]).split())
        for message in messages
        if (
            not LAYOUT.match(message["contents"])
            if message["type"] == "SkippedContent"
            else message["verbosity"] in ("WARNING", "ERROR")
        )
    ]


def _not_understood(what: str) -> RenderError:
    return RenderError(
        f"the PDF route without TeX does not understand a part of the document: {what}; "
        "install a TeX engine (TeX Live) or write it with the commands named in symbolic_mem.render.typst"
    )
