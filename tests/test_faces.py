"""What a reader sees in every document: one family of units, grouped digits, singular and plural, where numbers come from.

The faces are read as text, by means that share nothing with how they are written.
"""

from __future__ import annotations

import html
import io
import re
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path

import pytest
from sampled import sampled

import symbolic_mem
from symbolic_mem.cli.main import main
from symbolic_mem.documents.documents import homework, report
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study
from symbolic_mem.render.document import render

STUDIES = sorted(bundled())
DOCUMENTS = {"homework": homework, "report": report}
FORMATS = ("md", "tex", "html")
FACES = [(name, verb) for name in STUDIES for verb in ("homework", "report")]
# The text of these asks for an amount in both families, or gives a limit in the other one; then both stand together.
BOTH = {"cs336-a1-adamw", "cs336-a1-2026-adamw", "cs336-a1-transformer", "cs336-a1-2026-transformer"}
DEVICES = re.compile(r"(?:SXM\d?|PCIe|NVL|NVIDIA|AMD|Google|GPU|TPU|[ABHV][1-3]00)(?:(?!GB)[^.;:|()]){0,30}$")
THINGS = (
    "byte device token sequence layer block parameter chip step stage bucket mesh day element second hour expert head"
)
ONE = re.compile(r"(?<![\d.,/·^(−+*-])(?<![−+] )(?<!≈ )\b1 ([a-z]+s)\b")
MANY = re.compile(rf"(?<![\w.,-])(?!1 )\d[\d,.]* ({THINGS.replace(' ', '|')})\b(?![-s])")
# What documents once said and what was false or could not be known (an end of a verdict, a word for a number).
FALSE = (
    "cannot be reproduced",
    "cut off and not rounded",
    "not yet rounded",
    "proof that none exists",
    "exactly ≈",
    "well-known",
    "off by",
    "e+02",
    "shard more of what",
    "fu}",
    "1p7",
)
SINGULAR = {"is", "as", "has", "times", "bias", "less", "this", "its", "was", "fits", "gives", "says", "holds", "takes"}


def read(markup: str, form: str) -> str:
    """The words and numbers of a face."""
    if form == "html":
        markup = re.sub(r"<(style|script|svg)\b.*?</\1>", " ", markup, flags=re.DOTALL)
        markup = re.sub(r'<math alttext="([^"]*)">.*?</math>', r" \1 ", markup, flags=re.DOTALL)
        markup = html.unescape(re.sub(r"<[^>]*>", " ", re.sub(r"</t[dh]>", " | ", markup)))
    if form == "tex":
        markup = re.sub(r"\\begin\{picture\}.*?\\end\{picture\}", " ", markup, flags=re.DOTALL)
    markup = markup.replace(r"\,", ",").replace("~", " ").replace("\u202f", ",").replace("\u00a0", " ")
    markup = re.sub(r"\\(?:mathrm|text|mbox)\{([^{}]*)\}", r" \1 ", markup)
    return re.sub(r"[ \t\n]+", " ", markup.replace("$", "").replace("\\", ""))


@cache
def face(name: str, verb: str, form: str) -> str:
    return read(render(DOCUMENTS[verb](load_study(name)), verb, form).decode(), form)


def printed(*arguments: str) -> str:
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        main(list(arguments))
    return out.buffer.getvalue().decode()


def families(text: str) -> set[str]:
    """The families of the units of memory after numbers; the sentence that defines both, devices and their memory, and rates are none."""
    text = re.sub(r"\b1 Gi?B (?:is|=) (?:10|2)\S* ?bytes", " ", text.replace("textsuperscript", ""))
    found = set()
    for match in re.finditer(r"(?<=[\d}]) ?([KMGTPE]i?B|kB)\b(?! ?/ ?s| (?:GDDR|HBM))", text):
        if not DEVICES.search(text[max(0, match.start() - 40) : match.start()]):
            found.add("binary" if "i" in match[1] else "decimal")
    return found


@pytest.mark.parametrize(("name", "verb"), sampled(FACES, 23))
def test_a_document_has_one_family_of_units_grouped_digits_and_the_right_number(name, verb):
    for form in FORMATS:
        text = face(name, verb, form)
        assert len(families(text.partition("GPU Memory (GB)")[0])) <= (2 if name in BOTH else 1), form
        loose = {m[0] for m in re.finditer(r"(?<![\w.,/#@:%-])\d{5,}(?![\w-]|\.\d{6})", text)}
        assert {figures for figures in loose if figures not in quoted()} == set(), form
        ones = [m for m in ONE.finditer(text) if m[1] not in SINGULAR]
        assert [
            m[0] for m in ones if not re.match("1 steps of a whole|1 steps sends", m[0] + text[m.end() :][:20])
        ] == [], form
        assert [m[0] for m in MANY.finditer(text)] == [], form


@cache
def quoted() -> frozenset[str]:
    """The figures that are printed in a source, as the studies quote them, and numbers of documents and commits."""
    studies = (Path(symbolic_mem.__file__).parent / "library").rglob("*.toml")
    written = "\n".join(path.read_text(encoding="utf-8") for path in studies)
    sentences = re.findall(r'"(?:[^"\\]|\\.)*"', written)
    names = set(re.findall(r'name = "[^"]*?(\d{5,})', written))
    return frozenset({figures for said in sentences for figures in re.findall(r"\d{5,}", said)} - names)


@pytest.mark.parametrize("name", sampled(STUDIES, 6))
def test_one_is_singular_and_more_are_plural_in_the_terminal(name):
    for verb in ("solve", "account", "comms"):
        text = re.sub(r"\s{2,}|\n", " | ", printed(verb, name))
        assert [m[0] for m in ONE.finditer(text) if m[1] not in SINGULAR] == [], verb
        assert [m[0] for m in MANY.finditer(text)] == [], verb


def lines_of_numbers(markdown: str) -> list[tuple[str, list[str]]]:
    """The lines of the displayed formulas, as the name on the left and what follows it."""
    found = []
    for block in re.findall(r"\$\$\n(.*?)\n\$\$", markdown, flags=re.DOTALL):
        joined = []
        for line in re.split(r"\\\\(?:\[[^\]]*\])?\n?", re.sub(r"\\(?:begin|end)\{aligned\}", "", block)):
            line = line.strip()
            if line.startswith("&") and joined:
                joined[-1] += line
            elif line:
                joined.append(line)
        for line in joined:
            name, *sides = re.split(r"=|\\approx|\\le(?![a-z])|\\ge(?![a-z])|<|>", line.replace("&", ""))
            found.append((name.strip(), sides))
    return found


def bare(markdown: str) -> set[str]:
    """The names whose numbers are displayed, and nowhere with the numbers that they come from."""
    number = re.compile(r"(?:[\d.]|\\,|\\times|\{|\}|\^|~|\s|\\(?:mathrm|text)\{[^{}]*\}|\\%|-)*")
    shown = lines_of_numbers(markdown)
    named = [(name, sides) for name, sides in shown if re.fullmatch(r"\\?[A-Za-z]+(?:_(?:\w|\{.*\}))?", name)]
    reckoned = {name for name, sides in named if len(sides) > 1 or not number.fullmatch(sides[0] if sides else "x")}
    return {name for name, sides in named if len(sides) == 1 and number.fullmatch(sides[0])} - reckoned


@pytest.mark.parametrize("name", sampled(STUDIES, 6))
def test_a_number_is_displayed_with_a_formula_and_the_numbers_put_in(name):
    for verb in ("homework", "report"):
        markup = render(DOCUMENTS[verb](load_study(name)), verb, "md").decode()
        assert bare(markup) <= {r"C_{\mathrm{mem}}"}, verb  # the memory of a device is given


def test_this_test_sees_such_slips():
    assert bare("$$\nx &\\approx 3.28 \\\\\ny &= 2 x = 6\n$$") == {"x"}
    assert bare("$$\nx &\\approx 3.28 \\\\\nx &= a + b \\\\\n&= 1 + 2.28\n$$") == set()
    assert families("it is 3 GiB of 4 GB") == {"binary", "decimal"}
    assert families("NVIDIA H100 SXM 80 GB holds 3 GiB at 450 GB/s") == {"binary"}
    assert ONE.findall("the rest takes 1 bytes") == ["bytes"]
    assert MANY.findall("on 46 device, 1 device and 21 token") == ["device", "token"]
    assert read(r"\(12\,345~\mathrm{bytes}\)", "tex") == "(12,345 bytes )"


@pytest.mark.parametrize(("name", "verb"), sampled(FACES, 23))
def test_no_document_says_again_what_was_false(name, verb):
    text = face(name, verb, "md")
    assert [words for words in FALSE if words in text] == []
