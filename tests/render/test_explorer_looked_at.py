"""What was seen in pages of play by looking: the keyboard under the answer that stays, rings that are cut, rows out of line."""

from __future__ import annotations

import pytest

from symbolic_mem.explore.data import asked
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.parts.bounded import condition_fails

pytestmark = pytest.mark.system

# Of what has the focus: its name, whether all of it is in the window and below the answer, and whether its ring is whole.
FOCUSED = """new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))).then(() => {
        const one = document.activeElement, own = one.getBoundingClientRect(), style = getComputedStyle(one);
        const ring = parseFloat(style.outlineWidth) + parseFloat(style.outlineOffset), said = document.getElementById('said').getBoundingClientRect();
        const group = one.closest('fieldset')?.getBoundingClientRect();
        return [one.id || one.getAttribute('aria-label') || one.tagName, own.top >= said.bottom && own.bottom <= innerHeight,
            style.outlineStyle === 'solid' && (!group || own.left - ring >= group.left && own.right + ring <= group.right && own.bottom + ring <= group.bottom)]; })"""


@pytest.mark.parametrize(("name", "width", "height"), [("cs336-a2-xxl", 1000, 700), ("deepseek-v3", 390, 700)])
def test_who_goes_back_with_the_keyboard_sees_each_field_and_its_whole_ring(tab, pages, name, width, height):
    page = tab(pages(name), width=width)
    page.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
    page.call("Page.bringToFront")
    page.value("document.querySelector('#reset').focus()")
    seen = []
    while len(seen) < 80 and not (seen and seen[-1][0].startswith("B, ")):
        for kind in ("rawKeyDown", "keyUp"):  # with shift
            page.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9, modifiers=8)
        seen.append(page.value(FOCUSED))
    assert 20 < len(seen) < 80
    assert [one for one in seen if not (one[1] and one[2])] == []


def test_the_names_of_terms_stand_on_the_first_line_of_their_formulas(tab, pages):
    """Also where a parenthesis is wider than a line."""
    page = tab(pages("mixtral-8x7b"), width=1280)
    page.value("dispatchEvent(new Event('scroll')); new Promise(done => setTimeout(done, 300))")
    apart = page.value("""[...document.querySelectorAll('#terms tr:not(.total)')].map((row) => {
        const words = document.createRange();
        words.selectNodeContents(row.querySelector('th').lastChild);
        const middle = (one) => (one.top + one.bottom) / 2;
        return Math.abs(middle(words.getClientRects()[0]) - middle(row.querySelector('td math').getBoundingClientRect())); })""")
    assert len(apart) > 8 and max(apart) < 8


def test_the_sizes_of_a_legend_are_not_parted_from_their_units(tab, pages):
    page = tab(pages("cs336-a2-xxl"), width=320)
    lines = page.value("""[...document.querySelectorAll('#legend li')].map((one) => {
        const size = document.createRange(), text = one.lastChild;
        size.setStart(text, text.data.lastIndexOf(': ') + 2), size.setEnd(text, text.length);
        return [size.toString(), size.getClientRects().length]; })""")
    assert len(lines) == 4 and all(size.endswith("GiB") and count == 1 for size, count in lines), lines


@pytest.mark.parametrize("more", [0, -1, 1])
def test_where_no_number_is_enough_the_page_says_which_condition_fails_as_solve_does(tab, pages, more):
    """With less than what is held in full, with just that, and with a byte more, which is room."""
    study, page = load_study("llama-3.1-8b"), tab(pages("llama-3.1-8b"))
    fixed = int(page.value("explorer.answer({amount: '1 GB'}).fixed"))
    page.write("amount", f"{fixed + more} B")
    page.value("dispatchEvent(new Event('scroll')); new Promise(done => setTimeout(done, 200))")
    bound, said = page.value("['bound', 'capacity'].map((one) => document.getElementById(one).textContent)")
    given = study.change(capacity=f"{fixed + more} B")
    question = asked(study)
    ideal = question.answer(given.under(question)).degree.ideal
    assert ideal.fixed == fixed and ideal.feasible == (more > 0)
    digits = [f"{one:,}".replace(",", "\u202f") for one in (fixed, fixed + more)]
    assert all(one in bound for one in digits)
    if more > 0:
        assert "condition" not in said and "if" not in bound and "≥" in bound
    else:
        assert said.endswith(condition_fails(ideal))
        assert bound.endswith(f"{digits[0]}{'>' if more else '='}Cmem={digits[1]}") and "−" not in bound.split("if")[1]
        assert f"= {fixed:,}".replace(",", "\\,") in page.value("explorer.latex()")


def test_an_amount_in_any_unit_is_drawn_and_told(tab, pages):
    page = tab(pages("llama-3.1-8b"))
    for amount in ("900 MB", "0.5 TB", "1 TiB", "85899345920 B"):
        page.write("amount", amount)
        page.value("dispatchEvent(new Event('scroll')); new Promise(done => setTimeout(done, 200))")
        assert amount.split()[0] in page.value("document.getElementById('capacity').textContent").replace(",", "")
        assert page.complaints == []
