"""The same stories in a real browser: the distribution's Chromium, against a live server."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.signals import request_finished, request_started
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.journeys.conftest import firm, mailbox, worker

__all__ = ["firm", "mailbox", "worker"]

# Playwright runs an event loop in this thread; Django's guard against that is meant for servers.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        reason = "NO BROWSER: Chromium was not found, so no page was tried in one (apt install chromium)"
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


class Watch:
    """What went wrong on a page without anybody seeing it."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def over(self, page: Page) -> Page:
        page.on("console", self.hear)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("response", self.see)
        return page

    def hear(self, message: ConsoleMessage) -> None:
        # A refused act answers 409 or 422 on purpose; the browser reports each as a failed load.
        # Going on before a row has loaded beside the list breaks that request off.
        expected = ("status of 4", "htmx:afterRequest", "htmx:sendAbort")
        if message.type in ("error", "warning") and not any(words in message.text for words in expected):
            self.problems.append(f"{message.type}: {message.text}")

    def see(self, response: Response) -> None:
        if response.status >= 500 or response.status == 404:
            self.problems.append(f"{response.status}: {response.url}")


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch()
    yield watch
    assert watch.problems == []


class Traffic:
    """Which requests the live server has begun and not ended."""

    def __init__(self) -> None:
        self.open = 0
        self.last = time.monotonic()

    def begin(self, **_: object) -> None:
        self.open, self.last = self.open + 1, time.monotonic()

    def end(self, **_: object) -> None:
        self.open, self.last = self.open - 1, time.monotonic()

    def settle(self, quiet: float = 0.1, limit: float = 10) -> None:
        """Wait until nothing has been asked for `quiet` seconds, for `limit` seconds at most."""
        self.last = time.monotonic()
        give_up = self.last + limit
        while time.monotonic() < give_up and (self.open > 0 or time.monotonic() < self.last + quiet):
            time.sleep(0.02)


@pytest.fixture
def traffic() -> Iterator[Traffic]:
    traffic = Traffic()
    request_started.connect(traffic.begin)
    request_finished.connect(traffic.end)
    yield traffic
    request_started.disconnect(traffic.begin)
    request_finished.disconnect(traffic.end)


@pytest.fixture
def site(live_server: LiveServer, settings: Settings, traffic: Traffic) -> Iterator[str]:
    """The live server's address, which mails link to as well.

    A page that closes says so to the server (who is looking at a ticket); emptying the tables in the
    middle of that would be a deadlock.
    """
    settings.PUBLIC_URL = live_server.url
    settings.CSRF_TRUSTED_ORIGINS = [live_server.url]
    yield str(live_server.url)
    traffic.settle()


@pytest.fixture
def page(browser: Browser, watch: Watch, site: str) -> Iterator[Page]:
    context = browser.new_context(base_url=site, viewport={"width": 1366, "height": 768})
    context.set_default_timeout(15_000)
    yield watch.over(context.new_page())
    context.close()


@pytest.fixture
def phone(browser: Browser, watch: Watch, site: str) -> Iterator[Page]:
    """A customer's phone, in no way signed in."""
    context = browser.new_context(base_url=site, viewport={"width": 360, "height": 740}, has_touch=True)
    context.set_default_timeout(15_000)
    yield watch.over(context.new_page())
    context.close()


# What axe calls serious or critical keeps somebody from using the page.
SEVERE = ("serious", "critical")


def barriers(page: Page, *, but: str = "") -> list[str]:
    """What axe finds serious on the page as it stands, outside the part `but` (a selector)."""
    context = {"exclude": [[but]]} if but else None
    found = Axe().run(page, context=context).response["violations"]
    return [
        f"{each['id']}: {node['html'][:160]}"
        for each in found
        if each["impact"] in SEVERE
        for node in each["nodes"][:3]
    ]
