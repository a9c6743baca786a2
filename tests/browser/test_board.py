"""A supervisor's morning on the board in a real browser: by keyboard, by drag, and fifty at a time."""

from __future__ import annotations

import re

import pytest
from django.utils.timezone import now
from playwright.sync_api import Page, expect

from recovery.models import Deadline, Ticket
from tests.browser.test_loop import sign_in
from tests.make import DAY, Cast

pytestmark = pytest.mark.django_db(transaction=True)


def late(firm: Cast, number: int) -> list[Ticket]:
    tickets = [firm.ticket(at=now() - DAY, priority=1) for _each in range(number)]
    Ticket.objects.update(owner=firm.lina)
    return tickets


def owners(firm: Cast) -> dict[str, int]:
    people = (firm.lina, firm.majun, firm.chen)
    return {each.username: Ticket.objects.filter(owner=each).count() for each in people}


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_she_hands_over_extends_nudges_and_takes_over_by_key_alone(firm: Cast, page: Page) -> None:
    late(firm, 4)
    sign_in(page, "chen")
    page.goto("/overdue/")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text(re.compile("Overdue 4"))

    press(page, "j", "a")
    expect(page.locator("#assign-owner")).to_be_focused()
    page.keyboard.type("Ma Jun")
    press(page, "Tab", "Tab", "Enter")
    expect(page.locator(".message-success")).to_contain_text("is handed over.")
    assert owners(firm)["majun"] == 1

    press(page, "j", "j", "x")
    expect(page.locator("#extend-kind")).to_be_focused()
    press(page, "Tab", "Tab", "Tab", "Enter")
    expect(page.locator("#extend-reason")).to_be_focused()  # it cannot be empty
    page.keyboard.type("Strike at the port")
    press(page, "Enter")
    expect(page.locator(".message-success")).to_contain_text("is extended: it falls due")
    assert Deadline.objects.filter(kind="resolution", extra_minutes=60).count() == 1

    press(page, "j", "j", "j", "u")
    expect(page.locator("#nudge-reason")).to_be_focused()
    page.keyboard.type("She called me twice")
    press(page, "Control+Enter")
    expect(page.locator(".message-success")).to_contain_text("is nudged.")

    press(page, "j", "j", "t")
    expect(page.locator("#take-over-reason")).to_be_focused()
    press(page, "Enter")
    expect(page.locator(".message-success")).to_contain_text("is yours.")
    assert owners(firm) == {"lina": 2, "majun": 1, "chen": 1}


def test_escape_closes_the_sheet_where_it_was_opened(firm: Cast, page: Page) -> None:
    (ticket,) = late(firm, 1)
    sign_in(page, "chen")
    page.goto("/overdue/")
    press(page, "j", "a")
    expect(page.locator("#board-sheet")).to_be_visible()
    press(page, "Escape")
    expect(page.locator("#board-sheet")).to_be_hidden()
    expect(page.locator(f'tr[data-ticket^="{ticket.number}:"] [data-row]')).to_be_focused()


def test_a_row_dropped_on_an_owner_is_handed_over(firm: Cast, page: Page) -> None:
    (ticket,) = late(firm, 1)
    sign_in(page, "chen")
    page.goto("/overdue/")
    row = page.locator(f'tr[data-ticket^="{ticket.number}:"]')
    row.drag_to(page.locator(f'tr[data-owner="{firm.majun.pk}"] th'))
    expect(page.locator(".message-success")).to_contain_text(f"{ticket.number} is handed over.")
    assert owners(firm)["majun"] == 1


def test_a_run_of_many_goes_on_by_itself(firm: Cast, page: Page) -> None:
    late(firm, 55)
    sign_in(page, "chen")
    page.goto("/overdue/")
    page.get_by_label("or with all 55 of this list").check()
    page.locator("#bulk-reason").fill("Please call today")
    page.get_by_role("button", name="Nudge").click()
    page.get_by_role("button", name="Do it with 55 tickets").click()
    expect(page.get_by_text("55 tickets were changed.")).to_be_visible()


def test_a_key_for_what_is_not_offered_says_why(firm: Cast, page: Page) -> None:
    late(firm, 1)
    Ticket.objects.update(owner=firm.chen)
    sign_in(page, "chen")
    page.goto("/overdue/")
    press(page, "j", "u")
    expect(page.locator("#do-nudge")).to_be_focused()
    expect(page.locator("#do-nudge")).to_contain_text("You own this ticket yourself.")
