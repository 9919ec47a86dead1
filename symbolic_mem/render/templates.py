"""Where the templates lie: inside the installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

from symbolic_mem.base.errors import BadInput, MissingProgram

KNOWN_FILE = "_preamble.tex.j2"
LOOKS = "looks"


def looks() -> tuple[str, ...]:
    """Return the names of the bundled looks: folders of templates that may be named in place of a folder of one's own.

    >>> looks()
    ('course-sheet', 'two-column')
    """
    return tuple(sorted(folder.name for folder in (template_folder() / LOOKS).iterdir() if folder.is_dir()))


def folder_of(templates: str | Path, needs: str) -> Path:
    """Return the folder of templates that is meant: one's own, or a bundled look by its name.

    Raises `BadInput` where it is neither, naming the file that a folder of one's own `needs`, and for a look without that
    file, which would change nothing.

    >>> folder_of("two-column", "report.tex.j2").name
    'two-column'
    >>> folder_of("two-column", "report.md.j2")
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: --templates two-column: the look has no report.md.j2; it has homework.tex.j2, report.tex.j2
    """
    own = Path(templates)
    if str(templates) and own.is_dir():
        return own
    if str(templates) in looks():
        look = template_folder() / LOOKS / str(templates)
        if not (look / needs).is_file():
            sets = ", ".join(sorted(file.name for file in look.glob("*.j2")))
            raise BadInput(f"--templates {templates}: the look has no {needs}; it has {sets}")
        return look
    raise BadInput(
        f"--templates {str(templates)!r} is not a folder; give one that holds {needs}, or a bundled look: {', '.join(looks())}"
    )


def compiled_folder() -> Path:
    """Return where a wheel carries the bundled templates as Python for the Jinja2 that is installed; it need not be there."""
    from jinja2 import __version__

    return template_folder() / "compiled" / __version__


def template_folder() -> Path:
    """Return the folder of the bundled templates.

    A wheel carries `templates/` inside the package; an editable install and a checkout have it beside the package.

    Raises:
        MissingProgram: the folder is in neither place, so the installation is damaged.

    >>> (template_folder() / "_preamble.tex.j2").is_file()
    True
    """
    package = Path(__file__).resolve().parent.parent
    places = (package / "templates", package.parent / "templates")
    for folder in places:
        if (folder / KNOWN_FILE).is_file():
            return folder
    looked = " and ".join(str(folder) for folder in places)
    raise MissingProgram(f"the bundled templates are not in {looked}; install symbolic-mem again")
