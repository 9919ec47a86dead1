r"""What the README and the pages of docs/ print is executed and compared.

How a page is written:

- A `console` block: a line `$ symbolic-mem ...` is run and the lines below it are what it prints (both streams), up to the
  next `$`. A last line `...` stands for all that follows.
- A `python` block: a doctest; the names of a page live on from block to block.
- After `toml title="my.toml"` (any language) the block is a file of that name in the folder where the page's commands run;
  `append="my.toml"` adds to it. A file that ends in `.toml` and has a title is loaded as a study.
- A `sh` block: set-up for a reader's machine, run by .ci/run for the README.
- A figure of three digits or more in prose stands in something that the page runs, or in a file of the page.
- `symbolic-mem ...` in prose names verbs and options that exist.

`SYMBOLIC_MEM_UPDATE=1 python -m pytest tests/test_docs.py` writes the outputs anew.
"""

from __future__ import annotations

import doctest
import io
import os
import re
import runpy
import shlex
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from symbolic_mem.cli.main import VERBS, group, main
from symbolic_mem.library.read import load_study

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
UPDATE = os.environ.get("SYMBOLIC_MEM_UPDATE") == "1"
FENCE = re.compile(r"^```([a-z]+)(?: +(title|append)=\"([^\"]+)\")?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# Figures that name things: papers, years, standards, courses, versions of other programs.
NAMES = re.compile(
    r"\| 130 \||Python 3[.]1\d|arXiv:[\d.]+|\(?\b20\d\d(?:-\d\d-\d\d)?\b\)?|CS336|H100|H200|\bLlama 3(?:\.1)? [\d.]+B|UTF-8|\bRFC \d+"
)
GENERATED = re.compile(r"<!-- generated.*?<!-- end -->", re.DOTALL)
GENERATE = runpy.run_path(str(ROOT / "docs" / "generate.py"))
ids = {"ids": lambda path: path.name}


def long(pages: list[Path], *names: str) -> list[Any]:
    """The pages, of which those of these names take long; all of them where they are written again."""
    return (
        pages
        if UPDATE
        else [pytest.param(page, marks=pytest.mark.slow) if page.stem in names else page for page in pages]
    )


@dataclass(frozen=True)
class Call:
    """A command of a console block and the lines printed below it; `open` when a `...` follows them."""

    command: str
    lines: list[str]
    open: bool

    def run(self) -> list[str]:
        """Run the command in this process and return what it prints, cut where the page is open."""
        words = shlex.split(self.command)
        assert words[0] == "symbolic-mem", f"a console block runs symbolic-mem only: {self.command}"
        both = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
        with redirect_stdout(both), redirect_stderr(both):
            main(words[1:])
        assert isinstance(both.buffer, io.BytesIO)
        found = [line.rstrip() for line in both.buffer.getvalue().decode().splitlines()]
        return found[: len(self.lines)] if self.open else found


def calls(block: str) -> list[Call]:
    """Split a console block into its calls."""
    found = []
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *lines = part.rstrip("\n").split("\n")
        is_open = bool(lines) and lines[-1] == "..."
        lines = [line.rstrip() for line in (lines[:-1] if is_open else lines)]
        while lines and not lines[-1]:
            lines.pop()
        found.append(Call(command, lines, is_open))
    return found


def written(made: list[tuple[Call, list[str]]]) -> str:
    """Write a console block."""
    return "\n".join("\n".join([f"$ {call.command}", *lines, *["..."] * call.open]) for call, lines in made) + "\n"


def figures(text: str) -> set[str]:
    """Every number of a text that has three digits or more, without the commas between its digits."""
    joined = re.sub(r"(?<=\d)(?:,|\\,)(?=\d{3})", "", text)
    return {number for number in re.findall(r"(?<![\w.])\d+(?:\.\d+)?", joined) if len(number.replace(".", "")) > 2}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    return tmp_path


@pytest.mark.parametrize("page", long(PAGES, "check", "explore", "inference", "sweep", "templates"), **ids)
def test_what_a_page_prints_is_what_comes_out(page, folder):
    text = page.read_text(encoding="utf-8")
    names: dict[str, object] = {}
    shown: list[str] = []
    wrong: list[str] = []

    def check(match: re.Match[str]) -> str:
        language, how, name, body = match.groups()
        shown.append(body)
        if how:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            old = path.read_text(encoding="utf-8") if how == "append" else ""
            path.write_text(old + body, encoding="utf-8")
            if name.endswith(".toml") and (old + body).startswith("title"):
                load_study(str(path))
        elif language == "console":
            made = [(call, call.run()) for call in calls(body)]
            wrong.extend(f"$ {c.command}\n" + "\n".join(got) for c, got in made if got != c.lines)
            shown.extend("\n".join(got) for _, got in made)
            return match[0].replace(body, written(made)) if UPDATE else match[0]
        elif language == "python":
            report = io.StringIO()
            test = doctest.DocTestParser().get_doctest(body, names, page.name, str(page), 0)
            assert test.examples, f"a python block without >>>:\n{body}"
            runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
            runner.run(test, out=report.write, clear_globs=False)
            names.update(test.globs)
            wrong.extend([report.getvalue()] if runner.failures else [])
        else:
            assert language in ("sh", "text", "json", "jinja"), f"a block of {language} without a title is not checked"
        return match[0]

    new = FENCE.sub(check, GENERATE["generated"](text) if UPDATE else text)
    if UPDATE:
        page.write_text(new, encoding="utf-8")
        wrong = [found for found in wrong if not found.startswith("$")]
    assert not wrong, "\n\n".join(
        [f"{page.name} prints something else; run with SYMBOLIC_MEM_UPDATE=1 if meant", *wrong]
    )
    shown += GENERATED.findall(new)
    prose = NAMES.sub("", re.sub(r"\]\([^)]*\)", "", GENERATED.sub("", FENCE.sub("", new))))
    loose = figures(prose) - figures("\n".join(shown))
    assert not loose, f"{page.name}: no block of the page shows {sorted(loose)}"


@pytest.mark.parametrize("page", long(PAGES, "accuracy"), **ids)
def test_generated_parts_are_fresh(page):
    text = page.read_text(encoding="utf-8")
    assert text == GENERATE["generated"](text), "run: python docs/generate.py"


@pytest.mark.parametrize("page", PAGES, **ids)
def test_commands_in_prose_exist(page):
    for command in re.findall(r"`symbolic-mem ([^`\n]+)`", FENCE.sub("", page.read_text(encoding="utf-8"))):
        verb, *rest = command.split()
        if verb.startswith("-") or verb.isupper():
            continue
        assert verb in VERBS, command
        found = group.get_command(None, verb)  # ty: ignore[invalid-argument-type]
        known = {name for parameter in found.params for name in (*parameter.opts, *parameter.secondary_opts)}
        assert {word for word in rest if word.startswith("-")} <= {*known, "--help"}, command


@pytest.mark.parametrize("page", PAGES, **ids)
def test_links_between_pages_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", FENCE.sub("", text)):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_page_is_reachable_from_the_readme():
    linked = set(re.findall(r"\]\(docs/([\w.]+)\)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert {path.name for path in PAGES[1:]} <= linked


def test_a_false_output_is_seen(folder):
    (call,) = calls("$ symbolic-mem --version\nsymbolic-mem 9.9.9\n")
    assert call.run() != call.lines
    (call,) = calls("$ symbolic-mem account cs336-a2-xxl\nCS336 assignment 2: communication accounting\n...\n")
    assert call.open and call.run() == call.lines
    assert figures("819 GiB and 3,276 or 12") == {"819", "3276"}
