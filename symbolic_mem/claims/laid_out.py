"""A claim as it stands in a table, a list or a box: what lays it out is taken away, and two cells are a name and a value."""

from __future__ import annotations

import re

_BULLET = re.compile(r"\s*(?:[-*•–]\s+(?=[^\W\d])|\d{1,2}[.)]\s+(?=[^\W\d]|\\|\$)|\(?[a-z]\)\s+|>\s+(?!\d)|#+\s+)")
_NUMBER_OF = re.compile(r"^\s*#\s*(?:of\s+)?(?=param)")
_MARKED = re.compile(r"(?<![\w)\]*])(\*\*|`+)(?=\S)(.+?)(?<=\S)\1(?![\w(*])")
_ROW_END = re.compile(r"\s*(?:\\\\|\\tabularnewline|\\hline|\\midrule|\\bottomrule)\s*$")
_CELLS = re.compile(r"\s*(?:\||(?<!\\)&|\t|;)\s*")
_WITH_COMMA = re.compile(r'\s*(?:"([^\W\d][^"]*)"\s*,\s*"([^"]+)"|([^\W\d]\w*)\s*,\s*(\S.*))')
_SAID = re.compile(r"[=:≈≥≤<>]")


def laid_out(text: str) -> str:
    r"""Return the claim without the marks of Markdown, of a list, or of a row of a table; two cells as ``name = value``.

    >>> laid_out("| static | 3276 GiB |"), laid_out(r"static & 3276 GiB \\"), laid_out("- **n_fsdp**: `46`")
    ('static = 3276 GiB', 'static = 3276 GiB', 'n_fsdp: 46')
    >>> laid_out("static; 3276 GiB"), laid_out("n_fsdp, 46"), laid_out("12*L*d_model**2")
    ('static = 3276 GiB', 'n_fsdp = 46', '12*L*d_model**2')
    """
    before = ""
    while before != text:
        before = text
        text = _ROW_END.sub("", text)
        text = _MARKED.sub(r"\2", text)
    text = _NUMBER_OF.sub("", text)
    text = _BULLET.sub("", text, count=1) if _BULLET.match(text) else text
    if _SAID.search(text):
        return text
    cells = [cell for cell in _CELLS.split(text.strip()) if cell]
    if len(cells) == 2 and not cells[0][0].isdigit():
        return f"{cells[0]} = {cells[1]}"
    pair = _WITH_COMMA.fullmatch(text)
    return (
        " = ".join(filter(None, pair.groups())) if pair and len(cells) == 1 else cells[0] if len(cells) == 1 else text
    )
