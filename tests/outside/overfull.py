"""The boxes of a LaTeX document that stick out, by TeX's own log."""

from __future__ import annotations

import os
import re
import subprocess

PASSES = 2  # the widths of long tables settle in the second


def overfull(tex: str, folder) -> list[str]:
    """The boxes that are more than a point too wide."""
    (folder / "x.tex").write_text(tex, encoding="utf-8")
    command = ["pdflatex", "-draftmode", "-interaction=nonstopmode", "-halt-on-error", "x.tex"]
    for _ in range(PASSES):
        quiet = {**os.environ, "max_print_line": "10000"}
        subprocess.run(command, cwd=folder, env=quiet, stdout=subprocess.DEVNULL, check=True)
    log = (folder / "x.log").read_text(encoding="utf-8", errors="replace")
    return [
        line[0] for line in re.finditer(r"^Overfull \\hbox \(([\d.]+)pt.*", log, re.MULTILINE) if float(line[1]) > 1
    ]
