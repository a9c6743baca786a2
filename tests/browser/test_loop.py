"""The loop as people see it: sign in, call, resolve; answer on a phone; read the report."""

from __future__ import annotations

import pytest
from django.utils.timezone import now
from playwright.sync_api import Page, expect

from dispatch import tasks
from recovery.lifecycle import change_priority
from recovery.models import Ticket
from surveys import invitations
from surveys.models import Invitation
from tests.make import PASSWORD, Cast
from tests.post import Mailbox, eventually, link_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("worker")]


def sign_in(page: Page, username: str) -> None:
    page.goto("/login/")
    page.locator("[name=username]").fill(username)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main form button, form button[type=submit]").last.click()
    page.wait_for_url(lambda url: "/login/" not in url)


def score(phone: Page, link: str, points: int, why: str) -> None:
    """The number in the mail preselects; nothing is recorded before *Send*."""
    phone.goto(f"{link.split('?')[0]}?score={points}")
    expect(phone.get_by_role("radio", name=str(points), exact=True)).to_be_checked()
    phone.locator("textarea").first.fill(why)
    phone.get_by_role("button", name="Send").click()
    phone.wait_for_url("**/thanks/")


def test_a_low_score_is_heard_put_right_asked_again_and_counted(
    page: Page, phone: Page, firm: Cast, mailbox: Mailbox
) -> None:
    kim = firm.customer("Kim Lee", email="kim@example.org")
    assert isinstance(invitations.ask(kim, firm.survey, at=now(), purpose=Invitation.SURVEY), Invitation)
    score(phone, link_in(mailbox.wait_for("kim@example.org"), "/s/"), 2, "Two boxes missing")
    ticket = Ticket.objects.select_related("owner").get()
    expect(phone.get_by_text(ticket.owner.get_full_name())).to_be_visible()

    sign_in(page, ticket.owner.username)
    page.locator(f'main a[href="/tickets/{ticket.number}/"]').first.press("Enter")
    page.wait_for_url(f"**/tickets/{ticket.number}/")
    page.keyboard.press("c")
    page.get_by_label("What was said").fill("Boxes go out today")
    page.get_by_role("button", name="reached").click()
    expect(page.get_by_text("The contact is logged.")).to_be_visible()

    page.locator("summary", has_text="Resolve").click()
    page.get_by_label("What did we find?").select_option(label="Late delivery")
    page.get_by_label("What was done").fill("Sent by courier")
    page.get_by_role("button", name="Resolve").click()
    expect(page.get_by_text("The ticket is resolved.")).to_be_visible()

    tasks.tick.delay()
    eventually(lambda: len(mailbox.to("kim@example.org")) == 2, "the second mail to Kim")
    score(phone, link_in(mailbox.to("kim@example.org")[1], "/s/"), 9, "All good now")
    page.reload()
    expect(page.get_by_text("promoter").first).to_be_visible()
    ticket.refresh_from_db()
    assert (ticket.status, ticket.outcome) == ("closed", "promoter")

    page.context.clear_cookies()
    sign_in(page, "vera")
    page.goto("/insight/")
    expect(page.locator("main")).to_contain_text("1")


def test_what_was_typed_is_kept_when_somebody_was_faster(page: Page, firm: Cast, mailbox: Mailbox) -> None:
    ticket = firm.ticket()
    sign_in(page, "lina")
    page.goto(f"/tickets/{ticket.number}/")
    change_priority(ticket, by=firm.chen, at=now(), priority=1, reason="They called me")
    page.keyboard.press("c")
    page.get_by_label("What was said").fill("A long talk about boxes")
    page.get_by_role("button", name="reached").click()
    expect(page.get_by_text("Somebody changed this ticket meanwhile").first).to_be_visible()
    expect(page.get_by_label("What was said")).to_have_value("A long talk about boxes")
    expect(page.get_by_text("They called me").first).to_be_visible()
    page.get_by_role("button", name="reached").click()
    expect(page.get_by_text("The contact is logged.")).to_be_visible()


def test_a_space_typed_blindly_presses_no_outcome_and_a_digit_does(page: Page, firm: Cast) -> None:
    ticket = firm.ticket()
    sign_in(page, "lina")
    page.goto(f"/tickets/{ticket.number}/")
    page.keyboard.press("c")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="no answer")).to_be_visible()
    assert not ticket.contacts.exists()
    page.keyboard.press("2")
    expect(page.get_by_text("The contact is logged.")).to_be_visible()
    assert [each.outcome for each in ticket.contacts.all()] == ["no_answer"]
