"""The pages in a real browser: mathematics of the right height, aligned, in our font; nothing fetched, nothing cut off."""

from __future__ import annotations

import base64
import io

import pypdf
import pytest

from symbolic_mem.document.prose import text
from symbolic_mem.document.steps import Paragraph, Section
from symbolic_mem.documents.derivation import Derivation
from symbolic_mem.documents.documents import homework, report
from symbolic_mem.library.read import load_study
from symbolic_mem.render.document import render

pytestmark = pytest.mark.system
PHONE = 390


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    study, folder = load_study("cs336-a2-xxl"), tmp_path_factory.mktemp("pages")
    paths = {}
    for document in (homework, report):
        layout = document.__name__
        paths[layout] = folder / f"{layout}.html"
        paths[layout].write_bytes(render(document(study), layout, "html"))
    paths["model"] = folder / "model.html"  # its tables have the longest formulas
    paths["model"].write_bytes(render(report(load_study("llama-3.1-8b")), "report", "html"))
    return paths


@pytest.fixture(scope="module")
def wide(tab, pages):
    return tab(pages["homework"])


@pytest.fixture(scope="module")
def phone(tab, pages):
    return tab(pages["homework"], width=PHONE)


@pytest.mark.parametrize("layout", ["homework", "report"])
def test_nothing_is_fetched_and_nothing_complains(tab, pages, layout):
    page = tab(pages[layout])
    outside = {url for url in page.requests if not url.startswith("data:font/woff2;")}
    assert outside == {pages[layout].as_uri()}
    assert page.complaints == []


def test_the_policy_of_a_page_stops_what_a_page_must_not_do(tab, pages, tmp_path):
    changed = tmp_path / "changed.html"
    page = pages["homework"].read_text(encoding="utf-8")
    inserted = '<img src="https://example.org/a.png"><script>document.title = "run"</script>'
    changed.write_text(page.replace("<main", inserted + "<main", 1), encoding="utf-8")
    opened = tab(changed)
    assert opened.value("document.title") != "run"
    assert len(opened.complaints) == 2


def test_the_words_of_a_user_make_no_elements(tab, tmp_path):
    words = "<script>document.title = 'run'</script><img src=x onerror=\"document.title = 'run'\">"
    path = tmp_path / "hostile.html"
    sections = (Section(text(words), (Paragraph(text(words)),)),) * 4
    path.write_bytes(render(Derivation(words, words, sections), "homework", "html"))
    page = tab(path)
    assert page.value("document.querySelectorAll('script, img').length") == 0
    assert page.value("document.title") == page.value("document.querySelector('section p').textContent") == words
    assert page.complaints == []


@pytest.mark.parametrize("selector", ["math msub mi", "math msub mtext", "math mn", "math mfrac", "mo", ".figure"])
def test_mathematics_and_figures_are_set_in_the_font_that_the_page_brings(wide, selector):
    fonts = wide.fonts_of(selector)
    assert fonts and all(custom for _, custom in fonts), fonts


def test_a_display_with_fractions_is_taller_than_lines_of_text(wide):
    line = wide.value("parseFloat(getComputedStyle(document.querySelector('.step p')).lineHeight)")
    tall, low = wide.value("""[true, false].map(wanted => Math.min(...[...document.querySelectorAll('math.lines mtr')]
        .filter(row => !!row.querySelector('mtd > mfrac, mtd > mrow > mfrac') === wanted)
        .map(row => row.getBoundingClientRect().height)))""")
    assert tall > 1.5 * line
    assert 0.8 * line < low < 1.2 * line


def test_fences_grow_with_the_fraction_between_them(wide):
    pairs = wide.value("""[...document.querySelectorAll('math.lines mrow > mo:first-child')]
        .filter(mo => '⌈⌊'.includes(mo.textContent) && mo.nextElementSibling.localName === 'mfrac')
        .map(mo => [mo.getBoundingClientRect().height, mo.nextElementSibling.getBoundingClientRect().height])""")
    assert len(pairs) >= 2
    assert all(fence >= 0.9 * fraction > 30 for fence, fraction in pairs), pairs


def test_relations_stand_under_each_other_after_a_left_side_that_ends_before_them(wide):
    displays = wide.value("""[...document.querySelectorAll('math.lines')].map(math =>
        [...math.querySelectorAll('mtr')].filter(row => row.lastElementChild.firstElementChild.localName === 'mo')
        .map(row => [row.lastElementChild.firstElementChild.getBoundingClientRect().left,
            row.firstElementChild.lastElementChild?.getBoundingClientRect().right]))""")
    assert sum(len(rows) > 1 for rows in displays) > 8
    for rows in displays:
        for relation, left in rows:
            assert relation == pytest.approx(rows[0][0], abs=0.5)
            assert left is None or 3 < relation - left < 7


def test_factors_are_apart_and_fences_are_close(wide):
    gap = wide.value("""(() => { const sign = [...document.querySelectorAll('math mo')]
        .find(mo => mo.textContent === '\\u2062'); const [a, b] = [sign.previousElementSibling,
        sign.nextElementSibling].map(e => e.getBoundingClientRect()); return b.left - a.right })()""")
    assert 2 < gap < 6


@pytest.mark.parametrize("width", [PHONE, 768, 1024, 1440])
@pytest.mark.parametrize("layout", ["homework", "report"])
def test_nothing_sticks_out_of_the_window(tab, pages, layout, width):
    page = tab(pages[layout], width=width)
    assert page.value("document.documentElement.scrollWidth") == width
    outside = page.value(f"""[...document.querySelectorAll('main *')]
        .filter(e => !e.parentElement.closest('.display, .wide'))
        .filter(e => e.getBoundingClientRect().right > {width}).map(e => e.outerHTML.slice(0, 200))""")
    assert outside == []


@pytest.mark.parametrize("width", [320, PHONE, 768, 1280])
@pytest.mark.parametrize("layout", ["homework", "report", "model"])
def test_no_number_and_no_display_is_cut_by_what_scrolls(tab, pages, layout, width):
    cut = tab(pages[layout], width=width).value("""[...document.querySelectorAll('.display, .wide, .figure, mtable, table')]
        .filter(e => { for (let box = e; box && box !== document.body; box = box.parentElement)
            if (getComputedStyle(box).overflowX !== 'visible' &&
                e.getBoundingClientRect().right > box.getBoundingClientRect().right + 1) return true; return false })
        .map(e => e.outerHTML.slice(0, 200))""")
    assert cut == []


def test_no_formula_of_a_table_is_cut_on_the_narrowest_phone(tab, tmp_path):
    page = tmp_path / "report.html"  # its derivatives are the widest formulas in tables
    page.write_bytes(render(report(load_study("deepseek-v3")), "report", "html"))
    cells = tab(page, width=320).value(
        "[...document.querySelectorAll('td')].map(e => [e.scrollWidth - e.clientWidth, e.textContent])"
    )
    assert len(cells) > 50
    assert [cell for cell in cells if cell[0] > 1] == []


@pytest.mark.parametrize("width", range(320, 400, 10))
def test_no_line_begins_with_the_sign_that_follows_a_formula(tab, pages, width):
    signs, fallen = tab(pages["homework"], width=width).value("""(() => {
        const after = [...document.querySelectorAll('main :is(p, li) math')]
            .map(math => [math.getBoundingClientRect(), math.nextSibling])
            .filter(([, next]) => next?.nodeType === 3 && /^[,.:;!?)]/.test(next.data))
            .map(([math, next]) => { const range = document.createRange(); range.setStart(next, 0);
                range.setEnd(next, 1); return [math, range.getBoundingClientRect()] })
        return [after.length, after.filter(([math, sign]) => sign.left < math.left).length] })()""")
    assert signs > 10
    assert fallen == 0


def test_displays_are_as_large_as_the_text_where_they_have_room_and_none_is_cut(tab, tmp_path):
    wide = tmp_path / "headroom.html"  # it has the widest display of all bundled studies
    wide.write_bytes(render(homework(load_study("headroom")), "homework", "html"))
    sizes = tab(wide, width=320).value("""[...document.querySelectorAll('math.lines')].map(math => [
        parseFloat(getComputedStyle(math).fontSize) / parseFloat(getComputedStyle(math.parentElement).fontSize),
        math.getBoundingClientRect().right > math.parentElement.getBoundingClientRect().right + 1])""")
    assert not any(cut for _, cut in sizes)
    assert max(size for size, _ in sizes) == 1 > min(size for size, _ in sizes)


def test_a_table_is_folded_on_a_phone_and_each_number_keeps_its_head(phone):
    heads, shown = phone.value("""(cells => [cells.map(cell => cell.dataset.head),
        cells.map(cell => getComputedStyle(cell, '::before').content)])([...document.querySelectorAll('tbody td')])""")
    assert phone.value("getComputedStyle(document.querySelector('thead')).display") == "none"
    assert all(said not in ("none", "normal") for head, said in zip(heads, shown, strict=True) if head)
    assert "bytes" in heads


@pytest.mark.parametrize("width", [1000, 1440])
def test_a_line_of_text_has_sixty_to_eighty_characters(tab, pages, width):
    page = tab(pages["homework"], width=width)
    characters = page.value("""(() => { const p = document.querySelector('section p'); const range = document.createRange();
        range.selectNodeContents(p); const widths = [...range.getClientRects()].map(r => r.width);
        return p.textContent.length * Math.max(...widths) / widths.reduce((a, b) => a + b) })()""")
    assert 55 <= characters <= 80


LUMINANCE = """(color => { const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255)
    .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b })"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_that_of_print_in_both_colour_schemes(tab, pages, scheme):
    page = tab(pages["report"], scheme=scheme)
    paper = page.value(f"{LUMINANCE}(getComputedStyle(document.body).backgroundColor)")
    assert (paper > 0.5) == (scheme == "light")
    for selector, least in (("section p", 7), ("math", 7), ("figcaption", 4.5), (".subtitle", 4.5), ("footer", 4.5)):
        ink = page.value(f"{LUMINANCE}(getComputedStyle(document.querySelector('{selector}')).color)")
        dark, light = sorted((paper, ink))
        assert (light + 0.05) / (dark + 0.05) >= least, selector  # WCAG 2.2, 1.4.3 and 1.4.6


@pytest.mark.parametrize(("layout", "answers"), [("homework", ".answers"), ("report", "#summary")])
def test_the_first_answer_is_on_the_first_screen_of_a_phone(tab, pages, layout, answers):
    page = tab(pages[layout], width=PHONE)
    top = page.value(f"document.querySelector('{answers}').getBoundingClientRect().top")
    assert top < 844 - 200  # the height of the screen, less some lines of the answer


def test_on_paper_the_contents_are_gone_and_nothing_scrolls(tab, pages):
    page = tab(pages["homework"], scheme="dark", medium="print")
    assert page.value("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert page.value("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.value("getComputedStyle(document.querySelector('.display')).overflowX") == "visible"


@pytest.mark.parametrize("layout", ["homework", "report"])
def test_a_document_loads_within_eight_times_a_blank_page(blanks, pages, layout):
    assert blanks(pages[layout], 8) < 8


@pytest.mark.slow
@pytest.mark.parametrize("document", [homework, report])
@pytest.mark.parametrize("name", ["llama-3.1-8b", "deepseek-v3", "korthikanti", "fits-and-computes", "set-sharding"])
def test_documents_of_other_studies_load_as_soon(blanks, tmp_path, name, document):
    path = tmp_path / "document.html"
    path.write_bytes(render(document(load_study(name)), document.__name__, "html"))
    assert blanks(path, 8) < 8


def test_what_is_not_laid_out_yet_is_found_and_linked_and_printed(tab, pages):
    page = tab(pages["report"])
    headings = page.value("[...document.querySelectorAll('nav a')].map(link => link.getAttribute('href').slice(1))")
    shown = "(id => document.getElementById(id).checkVisibility({contentVisibilityAuto: true}))"
    assert not page.value(f"{shown}({headings[-1]!r})")
    for target in (headings[-1], headings[1]):
        page.value(f"document.querySelector('nav a[href=\"#{target}\"]').click()")
        page.value("new Promise(done => setTimeout(done, 300))")
        bottom = page.value("document.documentElement.scrollHeight - innerHeight - scrollY")
        top = page.value(f"document.getElementById({target!r}).getBoundingClientRect().top")
        assert 0 <= top < 60 or (bottom < 60 and top < 844)
    last = page.value("document.querySelector('section:last-of-type > :last-child').textContent.trim().slice(0, 30)")
    page.value("scrollTo(0, 0); new Promise(done => setTimeout(done, 100))")
    assert page.value(f"find({last!r})") and page.value("scrollY") > 1000
    printed = pypdf.PdfReader(io.BytesIO(base64.b64decode(page.call("Page.printToPDF")["data"])))
    words = "".join("".join(sheet.extract_text().split()) for sheet in printed.pages)
    assert "".join(last.split()) in words
