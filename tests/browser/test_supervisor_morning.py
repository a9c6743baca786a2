"""A supervisor's morning in a real browser: three late tickets to two people, more time, a nudge, many."""

from __future__ import annotations

import re

import pytest
from django.utils.timezone import now
from playwright.sync_api import Page, expect

from recovery.lifecycle import change_priority, log_contact
from recovery.models import Deadline, Ticket
from tests.browser.conftest import barriers
from tests.browser.test_loop import sign_in
from tests.make import DAY, Cast, join

pytestmark = pytest.mark.django_db(transaction=True)


def late(firm: Cast, number: int) -> list[str]:
    """So many tickets of Li Na, resolution and first contact long past; their numbers."""
    for _each in range(number):
        firm.ticket(at=now() - 2 * DAY, priority=1)
    Ticket.objects.update(owner=firm.lina)
    return list(Ticket.objects.order_by("pk").values_list("number", flat=True))


def hand_over(page: Page, numbers: list[str], to: str) -> None:
    for number in numbers:
        page.get_by_role("checkbox", name=number, exact=True).check()
    page.get_by_label("hand over to").select_option(label=to)
    page.get_by_role("button", name="Hand over", exact=True).click()
    expect(page.get_by_role("heading", name="What became of them")).to_be_visible()


def test_she_gives_three_to_two_people_more_time_to_one_and_nudges_one(page: Page, firm: Cast) -> None:
    first, second, third, fourth, fifth = late(firm, 5)
    join(firm.east, firm.ann)
    sign_in(page, "chen")
    page.goto("/overdue/")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Overdue 5"))
    assert not barriers(page)

    hand_over(page, [first, second], "Ma Jun")
    expect(page.get_by_role("status").filter(has_text="2 tickets were changed.")).to_be_visible()
    assert not barriers(page)
    page.get_by_role("link", name="Back to the list").click()
    hand_over(page, [third], "Ann Smith")
    page.get_by_role("link", name="Back to the list").click()
    owners = dict(Ticket.objects.values_list("number", "owner__username"))
    assert owners == {first: "majun", second: "majun", third: "ann", fourth: "lina", fifth: "lina"}

    page.get_by_role("link", name=f"Do something with {fourth}").click()
    sheet = page.locator("#board-sheet")
    expect(sheet).to_be_visible()
    assert not barriers(page)
    sheet.locator("#extend-reason").fill("The part arrives tomorrow")
    sheet.get_by_role("button", name="Extend").click()
    expect(page.locator(".message-success")).to_contain_text(
        f"The deadline of {fourth} is extended: it falls due"
    )
    assert Deadline.objects.get(ticket__number=fourth, kind="resolution").extra_minutes == 60

    page.get_by_role("link", name=f"Do something with {fifth}").click()
    sheet.locator("#nudge-reason").fill("She called me twice")
    sheet.get_by_role("button", name="Nudge").click()
    expect(page.locator(".message-success")).to_contain_text(f"The owner of {fifth} is nudged.")
    page.goto(f"/tickets/{fifth}/")
    expect(page.get_by_text("She called me twice")).to_be_visible()


def test_of_thirty_ticked_each_that_was_not_moved_is_listed_with_its_reason(page: Page, firm: Cast) -> None:
    """One changed meanwhile, one left the teams she sees, and eight are more than Ma Jun can carry."""
    numbers = late(firm, 30)
    sign_in(page, "chen")
    page.goto("/overdue/")
    page.get_by_role("checkbox", name="All on this page").check()
    page.get_by_label("hand over to").select_option(label="Ma Jun")
    page.get_by_label("because").fill("Li Na is ill")

    changed, moved = Ticket.objects.order_by("pk")[:2]
    change_priority(changed, by=firm.lina, at=now(), priority=2, reason="They can wait a little")
    Ticket.objects.filter(pk=moved.pk).update(team=firm.west, owner=firm.ann)
    page.get_by_role("button", name="Hand over", exact=True).click()

    told = page.get_by_role("status").filter(has_text="20 tickets were changed.")
    expect(told).to_contain_text("10 were not.")
    refused = page.locator("h2:has-text('Not changed') ~ ul.lines li")
    expect(refused).to_have_count(10)
    expect(refused.filter(has_text=changed.number)).to_contain_text("Somebody changed this ticket meanwhile")
    expect(refused.filter(has_text=moved.number)).to_contain_text("There is no such ticket among yours.")
    expect(refused.filter(has_text="20 of 20")).to_have_count(8)
    page.locator("summary", has_text="Changed").click()
    expect(page.locator(".run-done li")).to_have_count(20)
    assert not barriers(page)
    assert Ticket.objects.filter(owner=firm.majun, number__in=numbers).count() == 20


def test_of_two_hundred_six_are_listed_with_their_reasons(page: Page, firm: Cast) -> None:
    """Three lie with a team she works in and does not lead, two have kept this promise, one changed."""
    numbers = late(firm, 200)
    join(firm.west, firm.chen)
    forbidden, kept, changed = numbers[:3], numbers[3:5], numbers[5]
    Ticket.objects.filter(number__in=forbidden).update(team=firm.west)
    for ticket in Ticket.objects.filter(number__in=kept):
        log_contact(ticket, by=firm.lina, at=now(), outcome="reached")
    sign_in(page, "chen")
    page.goto("/overdue/")
    page.get_by_label("or with all 200 of this list").check()
    page.get_by_label("because").fill("Strike at the port")
    page.locator("#bulk-kind").select_option("first_contact")
    page.get_by_role("button", name="Extend", exact=True).click()
    begin = page.get_by_role("button", name="Do it with 200 tickets")
    expect(begin).to_be_visible()
    seen = Ticket.objects.get(number=changed)
    change_priority(seen, by=firm.lina, at=now(), priority=2, reason="They can wait a little")
    begin.click()

    told = page.get_by_role("status").filter(has_text="194 tickets were changed.")
    expect(told).to_contain_text("6 were not.", timeout=60_000)
    refused = page.locator("h2:has-text('Not changed') ~ ul.lines li")
    expect(refused).to_have_count(6)
    for number in forbidden:
        expect(refused.filter(has_text=number)).to_contain_text("Your role does not allow this.")
    for number in kept:
        expect(refused.filter(has_text=number)).to_contain_text("This deadline is met already.")
    expect(refused.filter(has_text=changed)).to_contain_text("Somebody changed this ticket meanwhile")
    assert not barriers(page)
    moved = Deadline.objects.filter(kind="first_contact", extra_minutes=60)
    assert set(moved.values_list("ticket__number", flat=True)) == set(numbers[6:])
