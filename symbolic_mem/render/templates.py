"""Where the templates lie: inside the installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

from symbolic_mem.base.errors import MissingProgram

KNOWN_FILE = "_preamble.tex.j2"


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
