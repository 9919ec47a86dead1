"""What a page of play shows before its script runs: the same answer, fields and figures' words as after; then it wakes."""

from __future__ import annotations

import json
import time

import pytest

from symbolic_mem.explore.page import explorer
from symbolic_mem.library.read import load_study

pytestmark = pytest.mark.system
MAIN = ["cs336-a2-xxl", "llama-3.1-8b", "mixtral-8x7b", "deepseek-v3"]  # of the last, no number of devices is enough
READ = """(() => {
    const text = (id) => document.getElementById(id).textContent.trim(), answer = document.getElementById('answer');
    const place = (one) => ['left', 'top', 'width', 'height'].map((side) => Math.round(one.getBoundingClientRect()[side]));
    return JSON.stringify({
        answer: [answer.textContent, answer.dataset.said], bar: [text('bar-caption'), document.getElementById('legend').innerHTML],
        fields: [...document.querySelectorAll('#fields input')].map(one => [one.id, one.value, one.max, one.getAttribute('aria-valuetext'), one.getAttribute('aria-label'), ...place(one)]),
        chosen: [...document.querySelectorAll('#fields select')].map(one => [one.id, one.selectedOptions[0]?.text, ...place(one)]),

    }); })()"""
NEVER = "globalThis.setTimeout = () => 1"  # no second passes


def asleep(tab, path, script=NEVER, url=None):
    """A page that is open, and whose script has not begun."""
    page = tab(path)
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


@pytest.mark.parametrize("name", MAIN)
def test_what_stands_first_is_what_the_script_shows(tab, pages, name):
    page = asleep(tab, pages(name))
    assert page.value("typeof explorer") == "undefined"
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
            if (page) seen_.add(page.hidden ? 'hidden' : document.getElementById('answer').textContent.match(/is (\\d+)/)[1]);
            requestAnimationFrame(look);
        })();"""
    page = asleep(tab, path, script=watch, url=f"{path.as_uri()}?again#B=64")
    assert awake(page)
    assert page.value(
        "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done([...seen_]))))"
    )[-1:] == ["41"]
    assert page.value("seen_.has('46')") is False


def test_a_page_with_a_degree_that_is_given_is_drawn_by_its_script_alone(tab, tmp_path):
    path = tmp_path / "given.html"
    explorer(load_study("cs336-a2-xxl").change(values={"n_fsdp": 45})).save(path)
    page = asleep(tab, path)
    assert awake(page)
    assert page.value("document.getElementById('page').hidden") is False
    assert "45" in page.value("document.getElementById('answer').textContent").split("smallest")[0]
    assert page.complaints == []


@pytest.mark.parametrize("name", MAIN)
def test_a_page_loads_within_six_times_a_blank_one(blanks, pages, name):
    """Until its answer, its figures and its fields stand; the script comes at a sign of the reader, or a second later."""
    assert blanks(pages(name), 6) < 6


def test_a_page_that_its_script_draws_loads_within_ten_times_a_blank_one(blanks, pages):
    """One of a study that gives the degree: what it shows first is what its script finds."""
    assert blanks(pages("cluster-gpt-3-175b"), 10) < 10
