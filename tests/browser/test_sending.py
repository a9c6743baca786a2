"""The page on which sending to customers is stopped and released, in a real browser."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.utils.timezone import now
from playwright.sync_api import Browser, Page, expect

from surveys.messages import rules
from tests.browser.conftest import Watch
from tests.browser.test_loop import sign_in
from tests.browser.test_pages import check
from tests.make import Cast

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = "/messages/sending/"


@pytest.mark.parametrize(
    ("name", "width", "scheme", "language"),
    [
        ("chen", 360, "dark", "en"),
        ("admin", 360, "light", "zh-hans"),
        ("admin", 1366, "dark", "en"),
    ],
)
def test_it_fits_its_width_in_every_state(
    browser: Browser, watch: Watch, site: str, firm: Cast, name: str, width: int, scheme: str, language: str
) -> None:
    context = browser.new_context(
        base_url=site,
        viewport={"width": width, "height": 768},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    context.add_cookies([{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": site}])
    page = watch.over(context.new_page())
    sign_in(page, name)
    check(page, ADDRESS)
    rules.hold(rules.VOLUME, {"due": 123_456, "usual": 9_876}, now())
    check(page, ADDRESS)
    rules.stop(firm.admin, "Averyveryverylongwordwithoutanyplacetobreakit" * 3, now())
    check(page, ADDRESS)
    context.close()


def test_an_administrator_stops_and_lets_go_again(page: Page, watch: Watch, firm: Cast) -> None:
    admin = watch.over(page)
    sign_in(admin, "admin")
    admin.goto(ADDRESS)
    admin.get_by_text("Stop all", exact=True).click()
    admin.get_by_label("Why").fill("The wrong text")
    admin.get_by_role("button", name="Yes, stop all").click()
    expect(admin.get_by_text("Stopped by Ada Min")).to_be_visible()
    expect(admin.get_by_text("The wrong text")).to_be_visible()
    admin.get_by_text("Let them go again", exact=True).click()
    admin.get_by_role("button", name="Yes, let them go").click()
    expect(admin.get_by_role("heading", name="They go out")).to_be_visible()
    assert rules.rest() is None
