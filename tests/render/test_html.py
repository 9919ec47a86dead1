"""The page: one file, nothing fetched, everything a user wrote escaped, every drawn character in the font."""

from __future__ import annotations

import base64
import html as standard
import io
import re
import unicodedata
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from xml.etree import ElementTree as ET

import pytest
import sympy as sp
from fontTools.ttLib import TTFont
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.base.symbols import L, P, S, d_model, table
from symbolic_mem.base.units import BYTES_PER
from symbolic_mem.document.prose import Amount, Chain, say, text
from symbolic_mem.document.steps import Answer, Bullets, Column, Paragraph, Section, Step, Table
from symbolic_mem.documents.derivation import Derivation
from symbolic_mem.documents.documents import homework, report
from symbolic_mem.explore.page import SLANTED
from symbolic_mem.library.read import load_study
from symbolic_mem.render import html
from symbolic_mem.render.document import render
from symbolic_mem.render.jinja import fragment_html
from symbolic_mem.render.mathml import display, mathml

VOID = {"meta", "wbr"}
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\" onload='alert(3)' & {{ 7 * 7 }} {% raw %}"


class Page(HTMLParser):
    """The tags of a page with their attributes, the text, and a check that tags nest."""

    def __init__(self, page: str):
        super().__init__()
        self.tags, self.text, self.open = [], [], []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text.append(data)

    def of(self, *names):
        return [attrs for tag, attrs in self.tags if tag in names]


def everywhere(words: str) -> Derivation:
    """A document with the same words in every place that takes words."""
    prose = text(words)
    rows = ((prose, say("{a}", a=Amount(sp.Integer(7), "")), prose),)
    columns = (Column(prose), Column(prose, "right"), Column(prose, "text"))
    blocks = (
        Step(prose, (Chain(P, (("=", 2 * L),), note=words),), prose),
        Paragraph(prose),
        Bullets((prose, prose)),
        Table(prose, columns, rows, totals=True),
        Answer(prose),
    )
    return Derivation(words, words, (Section(prose, blocks),) * 4)


@pytest.fixture(scope="module")
def study():
    return load_study("cs336-a2-xxl")


@pytest.fixture(scope="module", params=[homework, report])
def page(request: pytest.FixtureRequest, study) -> str:
    return render(request.param(study), request.param.__name__, "html").decode()


def test_style_and_font_take_thirty_kilobytes_and_the_worked_documents_stay_small(page):
    empty = render(Derivation("", "", ()), "homework", "html")
    assert 20_000 < len(empty) <= 32_000
    assert len(page.encode()) <= 155_000 + 4_000 * page.count("<svg")


def test_a_page_says_its_language_its_width_and_what_it_may_load(page):
    read = Page(page)
    assert page.startswith("<!doctype html>\n")
    assert read.of("html") == [{"lang": "en"}]
    metas = read.of("meta")
    assert {"charset": "utf-8"} in metas
    assert any(meta.get("name") == "viewport" for meta in metas)
    (policy,) = [meta["content"] for meta in metas if meta.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in policy and "script" not in policy and "http" not in policy


def test_a_page_has_no_scripts_and_refers_to_nothing_outside(page):
    read = Page(page)
    assert not read.of("script", "link", "img", "iframe", "object", "base")
    for _, attrs in read.tags:
        assert not [name for name in attrs if name.startswith("on") or name in ("src", "srcset")]
        assert re.fullmatch(r"((fill|stroke):var\(--[\w-]+,#[0-9a-f]+\);?)*", attrs.get("style", ""))
        assert attrs.get("href", "#").startswith("#")
    assert all(url.startswith("data:font/woff2;base64,") for url in re.findall(r'url\("?([^)"]*)', page))
    assert "@import" not in page


def test_links_of_the_contents_lead_to_headings(page):
    read = Page(page)
    anchors = [attrs["href"][1:] for attrs in read.of("a")]
    assert len(anchors) > 3
    assert set(anchors) <= {attrs.get("id") for attrs in read.of("h2")}
    ids = [attrs["id"] for _, attrs in read.tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_headings_do_not_skip_a_level_and_tables_name_their_columns(page):
    read = Page(page)
    levels = [int(tag[1]) for tag, _ in read.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and set(levels[1:]) == {2}
    assert {attrs["scope"] for attrs in read.of("th")} == {"col", "row"}
    drawings = [attrs for attrs in read.of("figure") if attrs.get("class") == "drawn"]
    assert len(read.of("figcaption")) == len(read.of("table")) + len(drawings)


@pytest.mark.parametrize(("document", "answers"), [(homework, 'class="answers"'), (report, 'id="summary"')])
def test_the_contents_stand_behind_the_answers_and_before_the_derivations(study, document, answers):
    page = render(document(study), document.__name__, "html").decode()
    assert page.count("<nav") == 1
    assert page.index(answers) < page.index("<nav") < page.index('class="step"')


def test_short_documents_have_no_contents(study):
    short = replace(homework(study), sections=homework(study).sections[:3])
    assert not Page(render(short, "homework", "html").decode()).of("nav")


@pytest.mark.parametrize("layout", ["homework", "report"])
def test_words_of_a_user_are_never_markup(layout):
    hostile = Page(render(everywhere(HOSTILE), layout, "html").decode())
    words = re.sub(r"\S", "w", HOSTILE)  # broken at the same places
    harmless = Page(render(everywhere(words), layout, "html").decode())
    heads = {attrs.pop("data-head") for read in (hostile, harmless) for _, attrs in read.tags if "data-head" in attrs}
    assert hostile.tags == harmless.tags
    assert {head for head in heads if "<" in head} <= {HOSTILE}
    assert "".join(hostile.text).count(HOSTILE) == "".join(harmless.text).count(words) >= 20


@settings(deadline=None, max_examples=60)
@given(st.text())
def test_escaped_text_reads_back_as_it_was_without_control_characters(words):
    written = html.escape(words)
    ET.fromstring(f'<p title="{written}">{written}</p>')
    kept = "".join(" " if unicodedata.category(c) in ("Cc", "Cs") or c in "\ufffe\uffff" else c for c in words)
    assert standard.unescape(written) == kept


def test_numbers_in_a_sentence_are_text_that_can_be_copied():
    written = html.prose(say("{n} of {a}", n=sp.Integer(131072), a=Amount(sp.Integer(2**30), "GiB")))
    assert "<math" not in written
    assert "".join(Page(written).text) == "131\u202f072 of 1\N{NO-BREAK SPACE}GiB"


def test_a_power_of_ten_in_a_sentence_stays_mathematics():
    assert "<msup>" in html.prose(say("{n}", n=sp.Integer(10) ** 14))


def test_a_notebook_shows_a_derivation_without_a_page_around_it(study):
    fragment = homework(study)._repr_html_()
    read = Page(fragment)
    assert not read.of("html", "body", "main", "script")
    assert read.tags[0] == ("div", {"class": "symbolic-mem"})
    assert "base64" not in fragment
    assert "{% raw %}" in fragment_html(everywhere(HOSTILE))


def test_a_notebook_shows_a_memory_as_a_table_with_a_total(study):
    read = Page(study.memory._repr_html_())
    rows = len(study.memory) + 2
    assert len(read.of("tr")) == rows
    assert "total" in "".join(read.text)


def test_a_memory_of_numbers_shows_them_with_their_size():
    terms = (Term("gradients", "gradients", sp.Integer(2**30), sp.Integer(4), "FP32: 4 bytes each"),)
    shown = "".join(Page(Memory(terms)._repr_html_()).text)
    assert shown.count("4\u202f294\u202f967\u202f296 = 4\N{NO-BREAK SPACE}GiB") == 2


# The font.


@pytest.fixture(scope="module")
def font():
    data = base64.b64decode(html.math_font().removeprefix("data:font/woff2;base64,"))
    return TTFont(io.BytesIO(data))


def drawn(markup: str) -> set[str]:
    """The characters that a browser draws: a name of one letter slants unless it is told not to."""
    characters = set()
    for element in ET.fromstring(markup).iter():
        content = element.text or ""
        slants = element.tag == "mi" and len(content) == 1 and element.get("mathvariant") != "normal"
        characters |= {slanted(content)} if slants else set(content)
    return characters


def slanted(letter: str) -> str:
    if letter == "h":
        return "\N{PLANCK CONSTANT}"
    kind = "SMALL" if letter.islower() else "CAPITAL"
    return unicodedata.lookup(f"MATHEMATICAL ITALIC {kind} {unicodedata.name(letter).split()[-1]}")


def test_slanted_letters_are_those_of_unicode():
    assert [slanted(letter) for letter in "dhPα"] == ["𝑑", "ℎ", "𝑃", "𝛼"]


def test_the_font_holds_every_character_of_every_symbol_number_unit_and_sign(font):
    units = [*BYTES_PER, "%", *(name.unit for name in table())]
    signs = ["=", "≈", "≤", "≥", "<", ">", "⇔"]
    numbers = [sp.Integer(-1234567890), sp.Rational(22, 7), sp.Integer(46) * 10**13]
    functions = [sp.Max(L, S), sp.Min(L, S), sp.log(L), sp.sqrt(L), sp.ceiling(P / L), sp.floor(P / L)]
    forms = [2 * L * (P + S) - d_model**2, -L, L / 2]
    sides = [
        *(name.symbol for name in table()),
        *(sp.Symbol(letter) for letter in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"),
        *(Amount(sp.Rational(314159, 100000), unit) for unit in units),
        *numbers,
        *functions,
        *forms,
    ]
    markups = [*map(mathml, sides), *(display([Chain(P, ((sign, L),))]) for sign in signs)]
    missing = set().union(*map(drawn, markups)) - set(map(chr, font.getBestCmap()))
    assert not missing, sorted(map(hex, map(ord, missing)))


def test_the_font_holds_every_character_of_the_worked_documents(font, page):
    formulas = re.findall(r"<math.*?</math>", page, flags=re.DOTALL)
    assert len(formulas) > 40
    assert not set().union(*map(drawn, formulas)) - set(map(chr, font.getBestCmap()))


def test_the_font_of_pages_of_play_holds_what_they_draw_as_the_whole_one_does(font):
    own = TTFont(io.BytesIO(base64.b64decode(html.math_font("play").removeprefix("data:font/woff2;base64,"))))
    held, whole = own.getBestCmap(), font.getBestCmap()
    letters = [name.symbol for name in table() if len(name.base) > 1 or name.base in {*SLANTED, "Ψ"}]
    forms = [2 * L * (P + S) - d_model**2, L / 2, sp.ceiling(P / L), sp.floor(P / L), sp.Integer(46) * 10**13]
    needed = set().union(*map(drawn, map(mathml, [*letters, *forms, *(sp.Symbol(letter) for letter in SLANTED)])))
    needed |= set("0123456789 %()+,-./:=×≈≤≥⋅−⌈⌉⌊⌋abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    assert needed <= set(map(chr, held)) <= set(map(chr, whole))
    assert all(own["hmtx"][held[code]] == font["hmtx"][whole[code]] for code in held)
    assert "GUST Font License" in own["name"].getDebugName(0)


def test_the_font_grows_its_fences_and_carries_its_licence(font):
    grows = font["MATH"].table.MathVariants
    names = dict(zip(grows.VertGlyphCoverage.glyphs, grows.VertGlyphConstruction, strict=True))
    for fence in "⌈⌉⌊⌋()√":
        assert len(names[font.getBestCmap()[ord(fence)]].MathGlyphVariantRecord) > 3, fence
    assert "GUST Font License" in font["name"].getDebugName(0)
    folder = files("symbolic_mem.render").joinpath("fonts")
    assert "LaTeX Project Public License" in folder.joinpath("GUST-FONT-LICENSE.txt").read_text()
