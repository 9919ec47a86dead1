"""What a page of play shows before its script runs: the same answer, fields and figures' words as after; then it wakes."""

from __future__ import annotations

import json
import time

import pytest

pytestmark = pytest.mark.system
# Of the last of these, no number of devices is enough; of those after it the degree is given.
MAIN = [("cs336-a2-xxl", {}), ("llama-3.1-8b", {}), ("mixtral-8x7b", {}), ("deepseek-v3", {})]
GIVEN = [("cluster-gpt-3-175b", {}), ("cs336-a2-xxl", {"n_fsdp": 45}), ("deepseek-v3", {"n_fsdp": 64})]
READ = """(() => {
    const text = (id) => document.getElementById(id).textContent.trim(), answer = document.getElementById('answer');
    const place = (one) => ['left', 'top', 'width', 'height'].map((side) => Math.round(one.getBoundingClientRect()[side]));
    return JSON.stringify({
        answer: [answer.textContent, answer.dataset.said], bar: [text('bar-caption'), document.getElementById('legend').innerHTML],
        fields: [...document.querySelectorAll('#fields input')].map(one => [one.id, one.value, one.max, one.getAttribute('aria-valuetext'), one.getAttribute('aria-label'), ...place(one)]),
        chosen: [...document.querySelectorAll('#fields select')].map(one => [one.id, one.selectedOptions[0]?.text, ...place(one)]),

    }); })()"""
# With the fonts lines have their height; with a frame the browser knows which parts are in sight, and those have theirs.
LAID_OUT = """Promise.all([...document.fonts].map(font => font.load()))
    .then(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true)))))"""
# No second passes; what is shorter does.
NEVER = "globalThis.setTimeout = ((real) => (call, wait, ...rest) => wait === 1000 ? 1 : real(call, wait, ...rest))(setTimeout)"


def asleep(tab, path, script=NEVER, url=None, width=1000):
    """A page that is open, and whose script has not begun."""
    page = tab(path, width=width)
    page.call("Page.addScriptToEvaluateOnNewDocument", source=script)
    page.browser.events.clear()
    page.call("Page.navigate", url=url or f"{path.as_uri()}?again")
    page.browser.wait("Page.loadEventFired", page.session)
    return page


def awake(page):
    for _ in range(50):
        if page.value("typeof explorer") == "object":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(("name", "values"), [*MAIN, *GIVEN, ("llama-3.1-8b", {"n_fsdp": 1})])
def test_what_stands_first_is_what_the_script_shows(tab, pages, name, values):
    page = asleep(tab, pages(name, **values))
    assert page.value("typeof explorer") == "undefined"
    page.value(LAID_OUT)
    before = json.loads(page.value(READ))
    assert len(before["fields"]) > 5 and len(before["answer"][1]) > 80
    assert page.value("document.querySelectorAll('#bar svg rect').length > 1")
    assert page.value("document.querySelectorAll('#curve svg polyline').length > 9")
    page.value("wake()")
    after = json.loads(page.value(READ))
    for what in ("answer", "bar", "fields", "chosen"):
        assert before[what] == after[what], what
    assert page.complaints == []


def pressed(page, **key):
    for kind in ("rawKeyDown", "keyUp"):
        page.call("Input.dispatchKeyEvent", type=kind, **key)


SIGNS = {
    "the mouse": lambda page: page.call("Input.dispatchMouseEvent", type="mouseMoved", x=200, y=200),
    "a key": lambda page: pressed(page, key="Tab", code="Tab", windowsVirtualKeyCode=9),
    "a reader that puts the focus somewhere": lambda page: page.value("document.getElementById('field-B').focus()"),
    "the printer": lambda page: page.value("dispatchEvent(new Event('beforeprint'))"),
}


@pytest.mark.parametrize("sign", SIGNS)
def test_a_page_wakes_at_a_sign_of_its_reader(tab, pages, sign):
    page = asleep(tab, pages("cs336-a2-xxl"))
    page.call("Page.bringToFront")
    assert page.value("typeof explorer") == "undefined"
    SIGNS[sign](page)
    assert awake(page)


def test_a_page_wakes_by_itself_when_a_second_has_passed(tab, pages):
    page = asleep(tab, pages("cs336-a2-xxl"), script="globalThis.since = performance.now()")
    assert awake(page)
    assert page.value("performance.getEntriesByType('paint').length") > 0


def test_what_is_written_and_pressed_while_the_script_comes_is_taken(tab, pages):
    page = asleep(tab, pages("cs336-a2-xxl"))
    page.value("""(field => { field.focus(); field.value = '64'; field.dispatchEvent(new Event('input', {bubbles: true}));
        document.getElementById('keep').click(); return wake(); })(document.getElementById('field-B'))""")
    assert page.value("document.activeElement.id") == "field-B"
    assert "is 41" in page.value("document.getElementById('answer').dataset.said")
    assert page.value("document.getElementById('said-a').textContent.includes('is 41')")


def test_a_link_shows_its_own_setting_and_never_first_that_of_the_study(tab, pages):
    path = pages("cs336-a2-xxl")
    watch = """globalThis.seen_ = new Set();
        (function look() {
            const page = document.getElementById('page');
            if (page) seen_.add(document.documentElement.hidden ? 'hidden' : document.getElementById('answer').textContent.match(/is (\\d+)/)[1]);
            requestAnimationFrame(look);
        })();"""
    page = asleep(tab, path, script=watch, url=f"{path.as_uri()}?again#B=64")
    assert awake(page)
    assert page.value(
        "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done([...seen_]))))"
    )[-1:] == ["41"]
    assert page.value("seen_.has('46')") is False


@pytest.mark.parametrize(("name", "width"), [("cs336-a2-xxl", 1280), ("deepseek-v3", 390)])
def test_an_accessibility_checker_finds_nothing_before_the_script_runs(tab, pages, accessible, name, width):
    page = asleep(tab, pages(name), width=width)
    accessible(page)
    assert page.value("typeof explorer") == "undefined"


@pytest.mark.parametrize(("name", "values"), [*MAIN, *GIVEN[:2]])
def test_a_page_loads_within_six_times_a_blank_one(blanks, pages, name, values):
    """Until its answer, its figures and its fields stand; the script comes at a sign of the reader, or a second later."""
    assert blanks(pages(name, **values), 6) < 6
