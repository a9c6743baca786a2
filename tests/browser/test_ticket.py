"""The ticket page in a browser: nothing to scroll for, ten seconds to undo, the keyboard alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils.timezone import now
from playwright.sync_api import Browser, Locator, Page, expect

from recovery import lifecycle
from recovery.models import (
    Cadence,
    CadenceStep,
    CannedText,
    Playbook,
    PlaybookStep,
    Reply,
    StepDone,
    Ticket,
)
from surveys.messages import send
from surveys.models import Message
from tests.browser.conftest import Watch, barriers
from tests.browser.test_loop import sign_in
from tests.make import HOUR, Cast

pytestmark = pytest.mark.django_db(transaction=True)
WIDTH, HEIGHT = 1366, 768
SECOND = timedelta(seconds=1)


@pytest.fixture
def ticket(firm: Cast) -> Ticket:
    """Li Na's, with a playbook and a long story."""
    book = Playbook.objects.create(name="Late delivery", name_zh="送货晚了", guide="Say sorry first.")
    for position in range(5):
        PlaybookStep.objects.create(playbook=book, position=position, text=f"Ask the {position}. thing")
    firm.late.playbook = book
    firm.late.save()
    CannedText.objects.create(name="Sorry, late", text="Dear {customer}, we are sorry. {agent}")
    at = now() - HOUR
    ticket = firm.ticket(at=at, comment="送货晚了两天，打电话没人接。" * 4, customer=firm.customer("张伟"))
    Ticket.objects.filter(pk=ticket.pk).update(owner=firm.lina)
    ticket = Ticket.objects.get(pk=ticket.pk)
    ticket = lifecycle.name_cause(ticket, by=firm.lina, at=at, cause=firm.late)
    for _each in range(12):
        ticket = lifecycle.note(ticket, by=firm.majun, at=at, text="Asked the warehouse again.")
    return ticket


def in_sight(element: Locator) -> bool:
    box = element.bounding_box()
    return box is not None and box["y"] >= 0 and box["y"] + box["height"] <= HEIGHT


def top_of(element: Locator) -> float:
    box = element.bounding_box()
    assert box is not None
    return box["y"]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_there_is_nothing_to_scroll_for_on_a_small_screen(
    page: Page, site: str, firm: Cast, ticket: Ticket, language: str
) -> None:
    firm.ticket()
    Ticket.objects.update(owner=firm.lina)
    firm.lina.staff.locale = language
    firm.lina.staff.save()
    cookie = {"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": site}
    page.context.add_cookies([cookie])  # type: ignore[list-item]
    sign_in(page, "lina")
    page.goto(f"/tickets/{ticket.number}/")
    assert page.evaluate("document.documentElement.scrollHeight") <= HEIGHT
    for key in "cbenwra":
        assert in_sight(page.locator(f'.action-bar summary[data-key="{key}"]')), key
    for sought in (
        ".words",
        ".owe dd >> nth=0",
        ".owe dd >> nth=2",
        ".playbook h2",
        ".checklist li >> nth=4",
    ):
        assert in_sight(page.locator(sought).first), sought
    expect(page.locator(".act-next")).to_be_visible()
    tops = [top_of(each) for each in page.locator(".action-bar > *").all()]
    assert max(tops) - min(tops) < 4, "the bar has one line"
    assert barriers(page) == []
    page.keyboard.press("e")
    assert barriers(page) == []


def test_a_reply_is_written_by_keyboard_and_taken_back_in_time(
    page: Page, firm: Cast, ticket: Ticket
) -> None:
    sign_in(page, "lina")
    page.goto(f"/tickets/{ticket.number}/")
    page.keyboard.press("e")
    expect(page.get_by_label("What the customer reads")).to_be_focused()
    page.keyboard.type("We call you.")
    page.keyboard.press("Control+Enter")
    undo = page.locator(".undo button")
    expect(undo).to_contain_text("10 s")
    head, edge = top_of(page.locator(".ticket-head")), undo.bounding_box()
    expect(undo).to_contain_text("8 s")
    assert top_of(page.locator(".ticket-head")) == head
    assert undo.bounding_box() == edge, "the button keeps its place and its width"
    assert barriers(page) == []
    undo.click()
    expect(page.get_by_text("The reply is taken back: the customer never gets it.")).to_be_visible()
    assert Reply.objects.get().state == Reply.TAKEN_BACK
    assert Message.objects.get(kind="ticket_reply").state == Message.CANCELLED
    expect(page.get_by_label("What the customer reads")).to_have_value("We call you.")
    expect(page.get_by_label("What the customer reads")).to_be_visible()


def test_a_canned_text_is_put_in_and_seen_before_it_is_sent(page: Page, firm: Cast, ticket: Ticket) -> None:
    sign_in(page, "lina")
    page.goto(f"/tickets/{ticket.number}/")
    page.keyboard.press("e")
    page.get_by_label("What the customer reads").fill("Hello!")
    page.get_by_role("button", name="Sorry, late").click()
    words = "Hello!\n\nDear 张伟, we are sorry. Li Na"
    expect(page.get_by_label("What the customer reads")).to_have_value(words)
    expect(page.get_by_label("What the customer reads")).to_be_focused()
    page.keyboard.type("!")
    words += "!"
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".preview-body")).to_contain_text("Dear 张伟, we are sorry. Li Na")
    expect(page.get_by_label("What the customer reads")).to_have_value(words)
    assert barriers(page) == []
    page.locator("body").evaluate("() => document.activeElement.blur()")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".undo")).to_be_visible()
    assert Reply.objects.get().text == words


def test_after_ten_seconds_the_page_says_what_became_of_a_reply(
    page: Page, firm: Cast, ticket: Ticket
) -> None:
    sign_in(page, "lina")
    page.clock.install()
    page.goto(f"/tickets/{ticket.number}/")
    page.keyboard.press("e")
    page.keyboard.type("We call you.")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".undo button")).to_be_visible()
    send(Message.objects.get(kind="ticket_reply").pk, now() + 11 * SECOND)
    page.clock.fast_forward(13_000)
    expect(page.locator(".undo")).to_contain_text("Sent today")
    expect(page.locator(".undo button")).to_have_count(0)
    expect(page.locator(".reply-state")).to_contain_text("Sent today")
    assert barriers(page) == []


def test_an_unsent_reply_is_there_again(page: Page, firm: Cast, ticket: Ticket) -> None:
    sign_in(page, "lina")
    page.goto(f"/tickets/{ticket.number}/")
    page.keyboard.press("e")
    page.keyboard.type("We call you")
    page.goto("/desk/")
    page.goto(f"/tickets/{ticket.number}/")
    expect(page.get_by_label("What the customer reads")).to_have_value("We call you")


def test_two_keys_log_a_call_and_enter_takes_the_next_attempt(page: Page, firm: Cast, ticket: Ticket) -> None:
    Cadence.objects.all().delete()
    cadence = Cadence.objects.create(name="Usual attempts", is_default=True)
    CadenceStep.objects.create(cadence=cadence, outcome="no_answer", attempt=1, when="afternoon")
    sign_in(page, "lina")
    page.goto(f"/tickets/{ticket.number}/")
    page.keyboard.press("c")
    page.keyboard.press("2")
    expect(page.get_by_text("The contact is logged.")).to_be_visible()
    assert ticket.contacts.get().outcome == "no_answer"
    page.keyboard.press("Enter")
    expect(page.get_by_text("The next attempt is booked.")).to_be_visible()
    assert ticket.callbacks.get().origin == "cadence"


def test_a_tick_is_kept_without_a_new_page(page: Page, firm: Cast, ticket: Ticket) -> None:
    sign_in(page, "lina")
    page.goto(f"/tickets/{ticket.number}/")
    page.get_by_label("Ask the 1. thing").check()
    expect(page.locator(".playbook .count")).to_have_text("1/5")
    expect(page.get_by_label("Ask the 1. thing")).to_be_checked()
    assert StepDone.objects.get().by == firm.lina


def test_colleagues_see_each_other_on_a_ticket(
    page: Page, browser: Browser, watch: Watch, site: str, firm: Cast, ticket: Ticket
) -> None:
    sign_in(page, "majun")
    page.goto(f"/tickets/{ticket.number}/")
    page.wait_for_load_state("networkidle")
    context = browser.new_context(base_url=site, viewport={"width": WIDTH, "height": HEIGHT})
    other = watch.over(context.new_page())
    sign_in(other, "lina")
    other.goto(f"/tickets/{ticket.number}/")
    expect(other.get_by_text("Ma Jun is looking")).to_be_visible()
    context.close()


def test_without_script_it_is_taken_back_all_the_same(
    browser: Browser, site: str, firm: Cast, ticket: Ticket
) -> None:
    context = browser.new_context(base_url=site, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, "lina")
    page.goto(f"/tickets/{ticket.number}/")
    page.locator("summary", has_text="Reply").click()
    page.get_by_role("button", name="Sorry, late").click()
    expect(page.get_by_label("What the customer reads")).to_have_value("Dear 张伟, we are sorry. Li Na")
    page.get_by_role("button", name="Send").click()
    page.locator(".undo button").click()
    expect(page.get_by_text("The reply is taken back: the customer never gets it.")).to_be_visible()
    context.close()
