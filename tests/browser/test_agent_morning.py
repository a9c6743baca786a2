"""An agent's morning in a real browser, with the keyboard alone: the mouse is never touched."""

from __future__ import annotations

import re

import pytest
from django.utils.timezone import now
from playwright.sync_api import Page, expect

from recovery.lifecycle import book_callback
from recovery.models import Cadence, CadenceStep, Callback, Ticket
from tests.browser.conftest import barriers
from tests.make import HOUR, MINUTE, PASSWORD, SHANGHAI, Cast

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def morning(firm: Cast) -> list[Ticket]:
    """Li Na promised to call the first at this hour; the second and the third fall due after it."""
    cadence, _made = Cadence.objects.get_or_create(is_default=True, defaults={"name": "Usual attempts"})
    CadenceStep.objects.update_or_create(
        cadence=cadence, outcome="no_answer", attempt=1, defaults={"when": "afternoon"}
    )
    at = now()
    for minutes, name in ((30, "Gao Li"), (20, "Sun Yang"), (10, "Hu Jing")):
        customer = firm.customer(name, phone=f"+86138001380{minutes}")
        firm.ticket(at=at - minutes * MINUTE, customer=customer)
    Ticket.objects.update(owner=firm.lina)
    first = Ticket.objects.order_by("pk")[0]
    promised = (at - 2 * MINUTE + 8 * HOUR).strftime("%Y-%m-%dT%H:%M")
    book_callback(first, by=firm.lina, at=at - 20 * MINUTE, local_time=promised, time_zone=SHANGHAI)
    return list(Ticket.objects.order_by("pk"))


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def sign_in_by_key(page: Page, username: str) -> None:
    page.goto("/login/")
    expect(page.locator("[name=username]")).to_be_focused()
    page.keyboard.type(username)
    press(page, "Tab")
    page.keyboard.type(PASSWORD)
    press(page, "Enter")
    page.wait_for_url("**/desk/")


def heard(ticket: Ticket) -> list[str]:
    return [each.outcome for each in ticket.contacts.order_by("id")]


def test_she_calls_tries_again_later_and_puts_right_by_key_alone(
    page: Page, firm: Cast, morning: list[Ticket]
) -> None:
    first, second, third = morning
    sign_in_by_key(page, "lina")
    expect(page.get_by_role("heading", name="My work")).to_have_text("My work 3")
    expect(page.locator(".message", has_text="Callback due now: Gao Li")).to_be_visible()

    # the call that is due stands first, and beside the list
    press(page, "j", "j", "k")
    expect(page.locator(".work-link:focus .work-who")).to_have_text("Gao Li")
    expect(page.locator("#detail .ticket-name")).to_have_text("Gao Li")
    press(page, "Enter")
    page.wait_for_url(f"**/tickets/{first.number}/")

    # nobody answers: the cadence proposes the next attempt, and Enter takes it
    press(page, "c")
    expect(page.get_by_role("button", name="no answer")).to_be_visible()
    press(page, "2")
    expect(page.get_by_text("The contact is logged.")).to_be_visible()
    expect(page.locator("#next-attempt")).to_contain_text(re.compile(r"Next: .+ 15:00.*, by phone"))
    expect(page.get_by_role("button", name="Book it")).to_be_focused()
    assert not barriers(page)
    press(page, "Enter")
    expect(page.get_by_text("The next attempt is booked.")).to_be_visible()
    expect(page.locator(".calls-due")).to_have_count(0)
    expect(page.get_by_role("heading", name="Callback promised")).to_be_visible()
    assert heard(first) == ["no_answer"]
    called, booked = Callback.objects.filter(ticket=first).order_by("id")
    assert (called.state, called.contact) == ("done", first.contacts.get())
    assert (booked.state, booked.origin, booked.local_time[-5:]) == ("booked", "cadence", "15:00")
    first.refresh_from_db()
    assert first.status == "open"

    # the next one answers, and it is put right on the same call
    press(page, "j")
    page.wait_for_url(f"**/tickets/{second.number}/")
    press(page, "c", "1")
    expect(page.get_by_text("The contact is logged.")).to_be_visible()
    press(page, "r")
    expect(page.get_by_label("What did the customer say was wrong?")).to_be_focused()
    press(page, "Tab")
    page.keyboard.type("Late")
    press(page, "Tab")
    page.keyboard.type("Sent again by courier, refunded the fee")
    assert not barriers(page)
    press(page, "Tab", "Enter")
    expect(page.get_by_text("The ticket is resolved.")).to_be_visible()
    second.refresh_from_db()
    assert (heard(second), second.status) == (["reached"], "resolved")
    assert second.cause_found == firm.late
    assert second.what_was_done == "Sent again by courier, refunded the fee"

    press(page, "j")
    page.wait_for_url(f"**/tickets/{third.number}/")


def settled(page: Page) -> None:
    """What was asked for beside the list has arrived and is live."""
    expect(page.locator("#detail:is(.htmx-request, .htmx-swapping, .htmx-settling)")).to_have_count(0)
    expect(page.locator("#detail .htmx-added")).to_have_count(0)


def test_she_works_beside_the_list_without_leaving_it(page: Page, firm: Cast, morning: list[Ticket]) -> None:
    first, second, _third = morning
    sign_in_by_key(page, "lina")
    detail = page.locator("#detail")

    # a key on the row one stands on waits for its ticket
    press(page, "j", "c")
    expect(detail.get_by_role("button", name="no answer")).to_be_visible()
    press(page, "2")
    expect(detail.get_by_role("button", name="Book it")).to_be_focused()
    settled(page)
    press(page, "Enter")
    expect(detail.get_by_role("heading", name="Callback promised")).to_be_visible()
    assert Callback.objects.get(ticket=first, state="booked").origin == "cadence"
    settled(page)

    press(page, "j", "c")
    expect(detail.locator(".ticket-name")).to_have_text("Sun Yang")
    expect(detail.get_by_role("button", name="reached")).to_be_visible()
    press(page, "1")
    expect(detail.get_by_text("First contact made in time")).to_be_visible()
    settled(page)
    press(page, "r")
    expect(detail.locator("#resolve-cause_said")).to_be_focused()
    expect(detail.locator("form .hint", has_text="They will be asked again")).to_be_visible()
    press(page, "Tab")
    page.keyboard.type("Unf")
    press(page, "Tab")
    page.keyboard.type("Said sorry")
    press(page, "Control+Enter")
    expect(page.locator("#desk-total")).to_have_text("2")
    expect(page.locator(".calls-due")).to_have_count(0)
    assert page.url.endswith("/desk/")
    second.refresh_from_db()
    assert (heard(second), second.status, second.cause_found) == (["reached"], "resolved", firm.rude)
