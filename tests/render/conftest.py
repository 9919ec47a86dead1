"""A real browser for tests: headless Chromium, spoken to in its DevTools protocol over a pipe; no package is needed."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from symbolic_mem.explore.page import explorer
from symbolic_mem.library.read import load_study

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
# The protocol is spoken on the file descriptors 3 and 4.
LAUNCH = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execvp(sys.argv[3], sys.argv[3:])"
)
PATIENCE = 60


class Chromium:
    """One browser process; messages are JSON, each ended by a zero byte."""

    def __init__(self, profile: Path) -> None:
        theirs_in, self.writing = os.pipe()
        self.reading, theirs_out = os.pipe()
        given = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (theirs_in, theirs_out)]
        command = [sys.executable, "-c", LAUNCH, *map(str, given), "chromium", *FLAGS, f"--user-data-dir={profile}"]
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(command, pass_fds=given, stdin=quiet, stdout=quiet, stderr=quiet)
        for end in (theirs_in, theirs_out, *given):
            os.close(end)
        self.buffer, self.events, self.sent = b"", [], 0

    def call(self, method: str, session: str | None = None, **params: object) -> dict:
        self.sent += 1
        message = {"id": self.sent, "method": method, "params": params} | ({"sessionId": session} if session else {})
        os.write(self.writing, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self.sent:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self.events.append(answer)

    def wait(self, method: str, session: str) -> None:
        wanted = {"method": method, "sessionId": session}
        while not any(wanted.items() <= event.items() for event in self.events):
            self.events.append(self._next())

    def _next(self) -> dict:
        end = time.monotonic() + PATIENCE
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.reading], [], [], max(end - time.monotonic(), 0))
            assert ready, f"Chromium said nothing for {PATIENCE} s"
            received = os.read(self.reading, 1 << 20)
            assert received, "Chromium ended"
            self.buffer += received
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def close(self) -> None:
        self.call("Browser.close")
        self.process.wait(PATIENCE)
        os.close(self.reading)
        os.close(self.writing)


class Tab:
    """A page that is open: what it computes, what it asked the network for, what it complained about."""

    def __init__(self, browser: Chromium, url: str, width: int, scheme: str, medium: str) -> None:
        self.browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log", "DOM", "CSS"):
            self.call(f"{domain}.enable")
        size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=medium, features=features)
        self.call("Page.navigate", url=url)
        browser.wait("Page.loadEventFired", self.session)
        # What is not near the window asks for no font, and is measured by tests all the same.
        self.value("Promise.all([...document.fonts].map(font => font.load())).then(() => globalThis.wake?.())")

    def call(self, method: str, **params: object) -> dict:
        return self.browser.call(method, self.session, **params)

    def value(self, script: str) -> object:
        """What a script of the test evaluates to in the page."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def happened(self, *methods: str) -> list[dict]:
        mine = [event for event in self.browser.events if event.get("sessionId") == self.session]
        return [event["params"] for event in mine if event["method"] in methods]

    @property
    def requests(self) -> set[str]:
        return {event["request"]["url"] for event in self.happened("Network.requestWillBeSent")}

    @property
    def complaints(self) -> list[dict]:
        return self.happened("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")

    def fonts_of(self, selector: str) -> list[tuple[str, bool]]:
        """The fonts that the glyphs of the first element of that kind come from, and whether the page brought them."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        fonts = self.call("CSS.getPlatformFontsForNode", nodeId=node)["fonts"]
        return [(font["familyName"], font["isCustomFont"]) for font in fonts]

    def metric(self, name: str) -> float:
        return {one["name"]: one["value"] for one in self.call("Performance.getMetrics")["metrics"]}[name]

    def write(self, field: str, text: str) -> None:
        """Put a text into a field, as someone who types it, and let the page draw what follows."""
        self.value(
            f"(field => {{ field.dispatchEvent(new KeyboardEvent('keydown', {{bubbles: true}})); field.value = {json.dumps(text)};"
            " field.dispatchEvent(new Event('input', {bubbles: true})); return new Promise((done) => setTimeout(done, 200)); })"
            f"(document.getElementById({json.dumps(field)}))"
        )

    def follow(self, link: str) -> None:
        """Go to a link into the page, and wait until the page has been told of it."""
        self.value(
            "new Promise((done) => { addEventListener('hashchange', done, {once: true}); const before = location.href;"
            f" location.hash = {json.dumps(link)}; if (location.href === before) done(); }}).then(() => null)"
        )

    def screenshot(self, path: Path) -> None:
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))


@pytest.fixture(scope="session")
def chromium(needs: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """Give a browser that is closed at the end."""
    needs("chromium")
    browser = Chromium(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def tab(chromium: Chromium) -> Callable[..., Tab]:
    """Give `tab(path, width=1000, scheme="light", medium="screen")`: the file opened in the browser."""

    def opened(path: Path, width: int = 1000, scheme: str = "light", medium: str = "screen") -> Tab:
        return Tab(chromium, path.as_uri(), width, scheme, medium)

    return opened


BLANK = "<!doctype html><html lang=en><meta charset=utf-8><title>blank</title><p>blank"
PAIRS = (3, 10)  # loads of each, at least and at most


@pytest.fixture(scope="session")
def blanks(tab: Callable[..., Tab], tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, float], float]:
    """Give `blanks(path, bar)`: the work of the main thread while a page loads, in loads of a blank page, the least of each.

    A blank page is loaded after each, since the machine is not always as busy; it ends when the bar is met.
    """
    blank = tmp_path_factory.mktemp("blank") / "blank.html"
    blank.write_text(BLANK, encoding="utf-8")

    def work(path: Path) -> float:
        page = tab(blank)
        page.call("Performance.enable", timeDomain="threadTicks")
        before = page.metric("TaskDuration")
        page.browser.events.clear()
        page.call("Page.navigate", url=path.as_uri())
        page.browser.wait("Page.loadEventFired", page.session)
        page.value("new Promise(done => setTimeout(done, 400))")
        worked = page.metric("TaskDuration") - before
        page.call("Page.close")
        return worked

    def measured(path: Path, bar: float) -> float:
        pairs = []
        while len(pairs) < PAIRS[0] or (least(pairs) >= bar and len(pairs) < PAIRS[1]):
            pairs.append((work(path), work(blank)))
        return least(pairs)

    def least(pairs: list[tuple[float, float]]) -> float:
        return min(one for one, _ in pairs) / min(one for _, one in pairs)

    return measured


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Give `pages("llama-3.1-8b", n_fsdp=8)`: the page of play of a study with some values, made once for all processes."""
    shared = "PYTEST_XDIST_WORKER" in os.environ
    folder = tmp_path_factory.getbasetemp().parent / "explorers" if shared else tmp_path_factory.mktemp("explorers")
    folder.mkdir(exist_ok=True)

    def page(name: str, **values: int) -> Path:
        path = folder / f"{'-'.join([name, *(f'{symbol}-{value}' for symbol, value in values.items())])}.html"
        with path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                explorer(load_study(name).change(values=values)).save(path)
        return path

    return page


@pytest.fixture(scope="session")
def axe() -> str:
    """Give the accessibility checker of Deque, as the package `axe-core-python` brings it."""
    found = find_spec("axe_core_python")
    if found is None:
        if os.environ.get("SYMBOLIC_MEM_NO_SKIP") == "1":
            pytest.fail("needs axe-core-python, and SYMBOLIC_MEM_NO_SKIP=1 forbids skipping")
        pytest.skip("axe-core-python is not installed")
    return Path(found.submodule_search_locations[0], "axe.min.js").read_text(encoding="utf-8")


LIGHTS = [
    {"prefers-color-scheme": "light"},
    {"prefers-color-scheme": "dark"},
    {"prefers-color-scheme": "dark", "forced-colors": "active"},
]


@pytest.fixture(scope="session")
def accessible(axe: str) -> Callable[[Tab], None]:
    """Give `accessible(page)`: the checker finds nothing in light, in dark and in forced colours."""

    def check(page: Tab) -> None:
        page.value(f"{axe}; true")
        for light in LIGHTS:
            features = [{"name": key, "value": value} for key, value in light.items()]
            page.call("Emulation.setEmulatedMedia", features=features)
            found = page.value("""axe.run().then(({violations, passes}) => [passes.length,
                violations.flatMap(({id, nodes}) => nodes.map(({html}) => `${id}: ${html.slice(0, 200)}`))])""")
            assert found[0] > 25 and found[1] == [], light

    return check
