"""The list of work, the views and the field at the top, with the keyboard alone."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils.timezone import now
from playwright.sync_api import Page, expect

from recovery.lifecycle import note
from recovery.models import Contact, SavedView, Ticket
from tests.browser.conftest import barriers
from tests.browser.test_loop import sign_in
from tests.make import Cast

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def morning(firm: Cast, page: Page) -> list[Ticket]:
    """Three tickets of Li Na in the order of her list, and the list before her."""
    at = now()
    rows = []
    for name, priority in (("张伟", 1), ("Kim", 2), ("Duval", 3)):
        ticket = firm.ticket(customer=firm.customer(name), priority=priority, at=at)
        Ticket.objects.filter(pk=ticket.pk).update(owner=firm.lina)
        rows.append(Ticket.objects.get(pk=ticket.pk))
    sign_in(page, "lina")
    page.goto("/desk/")
    return rows


def beside(page: Page, ticket: Ticket) -> None:
    expect(page.locator("#detail .ticket-number")).to_have_text(ticket.number)


def open_act(page: Page) -> str:
    expect(page.locator("details.act[open]")).to_have_count(1)
    return page.locator("details.act[open] > summary").get_attribute("data-key") or ""


def test_it_works_the_list_by_key(page: Page, morning: list[Ticket], firm: Cast) -> None:
    first, second, _third = morning
    page.keyboard.press("c")  # nothing is picked yet: the first row
    beside(page, first)
    assert open_act(page) == "c"
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("n")  # at once, while the ticket beside may still be the first
    beside(page, second)
    assert open_act(page) == "n"
    words = page.locator("details.act[open] textarea").first
    expect(words).to_be_focused()
    page.keyboard.type("jc1k")
    expect(words).to_have_value("jc1k")
    beside(page, second)
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    page.keyboard.press("1")
    expect(page.locator("#messages .message-success")).to_be_visible()
    contact = Contact.objects.get()
    assert (contact.ticket, contact.by) == (second, firm.lina)


def test_it_brings_the_list_up_to_date_after_an_act(page: Page, morning: list[Ticket]) -> None:
    _first, _second, third = morning
    note(third, by=None, at=now() - timedelta(minutes=5), text="Where is my refund?")
    page.goto("/desk/")
    row = page.locator(f'.work-link[href*="{third.number}"]')
    expect(row).to_contain_text("answered 5 min ago")
    row.focus()
    page.keyboard.press("n")
    assert open_act(page) == "n"
    page.keyboard.type("I look into it")
    page.locator("details.act[open] .form-foot button").first.click()
    expect(row).not_to_contain_text("answered")
    expect(page.locator("#desk-list .is-picked")).to_contain_text("Duval")
    assert page.locator("#desk-total").inner_text() == "3"


def test_it_finds_a_page_a_view_and_a_ticket_by_key(page: Page, morning: list[Ticket], firm: Cast) -> None:
    SavedView.objects.create(user=firm.lina, name="Gold in Pudong", query="tier=gold")
    field = page.locator("#search")
    for words, arrives in (
        ("callb", r"/callbacks/$"),
        ("gold in", r"/tickets/\?tier=gold$"),
        ("张伟", rf"/tickets/{morning[0].number}/$"),
    ):
        page.keyboard.press("Control+k")
        expect(field).to_be_focused()
        expect(field).to_have_attribute("aria-expanded", "true")
        page.keyboard.type(words)
        expect(page.locator("#palette-search-1")).to_contain_text(words)
        page.keyboard.press("ArrowDown")
        chosen = field.get_attribute("aria-activedescendant")
        expect(page.locator("#palette [aria-selected=true]")).to_have_id(chosen or "")
        assert barriers(page) == []
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(arrives))
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()


def test_it_opens_the_act_on_its_own_page_from_a_list_without_room(page: Page, morning: list[Ticket]) -> None:
    page.goto("/tickets/?owner=me")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("r")
    expect(page).to_have_url(re.compile(rf"/tickets/{morning[1].number}/$"))
    assert open_act(page) == "r"


def test_it_keeps_a_view_under_a_name(page: Page, morning: list[Ticket], firm: Cast) -> None:
    page.goto("/tickets/")
    page.locator("select[name=priority]").select_option("1")
    expect(page).to_have_url(re.compile(r"/tickets/\?status=open_work&priority=1$"))
    page.get_by_text("Save this view").click()
    page.locator("#view-name").fill("Urgent ones")
    page.keyboard.press("Enter")
    shown = page.locator("#views [aria-current]")
    expect(shown).to_have_text(re.compile(r"Urgent ones\s+1"))
    page.goto("/tickets/views/")
    assert barriers(page) == []
    expect(page.get_by_role("link", name="Urgent ones")).to_be_visible()
