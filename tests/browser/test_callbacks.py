"""Calls as customers and colleagues see them: the customer's own page on a phone, and the calls of a day."""

from __future__ import annotations

from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from django.utils.timezone import now
from playwright.sync_api import Browser, Page, expect

from recovery.lifecycle import customer_url
from recovery.models import Callback, StaffProfile, Ticket
from tests.browser.conftest import barriers
from tests.browser.test_loop import sign_in
from tests.make import MINUTE, SHANGHAI, Cast

pytestmark = pytest.mark.django_db(transaction=True)


def own_page(ticket: Ticket) -> str:
    return urlsplit(customer_url(ticket, now())).path


def call(cast: Cast, minutes: int, name: str) -> Ticket:
    """A ticket of Li Na's with a call promised in so many minutes."""
    at = now()
    ticket = cast.ticket(at=at, customer=cast.customer(name))
    Ticket.objects.filter(pk=ticket.pk).update(owner=cast.lina)
    Callback.objects.create(
        ticket=ticket, cycle=1, local_time="", time_zone=SHANGHAI, due_at=at + minutes * MINUTE
    )
    return ticket


def test_a_customer_chooses_a_time_moves_it_and_adds_a_word_without_any_script(
    browser: Browser, site: str, firm: Cast
) -> None:
    ticket = firm.ticket(at=now())
    context = browser.new_context(
        base_url=site, viewport={"width": 360, "height": 740}, java_script_enabled=False, has_touch=True
    )
    page = context.new_page()
    page.goto(own_page(ticket))
    for time in (2, 4):
        page.locator(".point").nth(time).tap()
        page.locator("button.button-send").tap()
        expect(page.locator(".notice")).to_have_text("Thank you. We have noted your time.")
    expect(page.locator("h1")).to_contain_text("will call you")
    page.locator("textarea").fill("请打这个号码")
    page.get_by_role("button", name="Send", exact=True).tap()
    expect(page.locator(".notice")).to_have_text("Thank you. Your words have reached us.")
    context.close()
    assert ticket.callbacks.get().origin == "customer"
    kinds = ["callback_booked", "callback_moved", "customer_wrote"]
    assert [event.kind for event in ticket.events.exclude(kind="opened")] == kinds


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_nothing_bars_a_customers_way(phone: Page, firm: Cast, language: str) -> None:
    ticket = call(firm, 90, "Kim")
    phone.goto(f"{own_page(ticket)}?lang={language}")
    assert barriers(phone) == []
    assert phone.evaluate("document.documentElement.scrollWidth") == 360
    small = phone.locator("main :is(button, .point span, summary, textarea, input[type=tel])")
    heights = [box["height"] for box in (each.bounding_box() for each in small.all()) if box]
    assert heights
    assert min(heights) >= 44


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_calls_of_a_day_are_read_by_keyboard_and_bar_nobodys_way(
    page: Page, firm: Cast, language: str
) -> None:
    StaffProfile.objects.update(locale=language)
    ticket = call(firm, 1, "Kim")
    day = f"{ticket.callbacks.get().due_at.astimezone(ZoneInfo(SHANGHAI)):%Y-%m-%d}"
    sign_in(page, "chen")
    page.goto(f"/callbacks/?day={day}")
    assert barriers(page) == []
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/tickets/{ticket.number}/")
    page.goto(f"/callbacks/?day={day}")
    page.keyboard.press("]")
    expect(page.locator(".empty-title")).to_be_visible()


def test_a_due_call_is_said_on_whatever_page_is_open(page: Page, firm: Cast) -> None:
    ticket = call(firm, 0, "Kim")
    sign_in(page, "lina")
    page.goto("/customers/")
    said = page.locator("#calls-due")
    expect(said).to_contain_text("Callback due now: Kim")
    assert barriers(page) == []
    said.get_by_role("link").click()
    page.wait_for_url(f"**/tickets/{ticket.number}/")
