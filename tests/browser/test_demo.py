"""The demo as a visitor sees it: their mail, the survey behind it, and the desk of whoever they become."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils.timezone import now
from playwright.sync_api import Page, expect
from pytest_django import Settings

from recovery.demo import mailbox, visitor
from surveys.messages.email import as_mail
from surveys.models import Message, Response
from tests.browser.test_pages import check, menu

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def demo(site: str, settings: Settings, tmp_path: Path) -> None:
    """A tiny demo, with the visitor's first mail in its mailbox."""
    settings.DEMO, settings.DEMO_DIR = True, tmp_path
    call_command("demo_load", months=1, scale=0.1)
    visitor.ask(now())
    for message in Message.objects.filter(to_address__endswith="@demo.example"):
        mailbox.keep(as_mail(message).message().as_bytes())


@pytest.mark.usefixtures("demo")
def test_a_visitor_answers_their_mail_and_becomes_the_agent(page: Page) -> None:
    page.goto("/demo/inbox/")
    page.locator(".demo-mails a").click()
    with page.expect_popup() as popup:
        page.frame_locator(".demo-html").get_by_role("link", name="2", exact=True).click()
    survey = popup.value
    expect(survey.locator("input[name=score][value='2']")).to_be_checked()
    survey.locator("textarea").first.fill("Nobody called")
    survey.get_by_role("button", name="Send").click()
    survey.wait_for_url("**/thanks/")
    assert Response.objects.get(survey__slug="demo").score == 2
    expect(survey.get_by_text("Li Na")).to_be_visible()

    with page.expect_popup() as popup:
        page.get_by_role("button", name="Be Li Na").click()
    desk = popup.value
    desk.wait_for_url("**/desk/")
    expect(desk.get_by_text("Nobody called")).to_be_visible()


@pytest.mark.usefixtures("demo")
def test_every_page_of_the_menu_has_room_for_the_demos_data(page: Page, phone: Page) -> None:
    for pane in (page, phone):
        check(pane, "/demo/inbox/")
        pane.goto("/demo/inbox/")
        with pane.expect_popup() as popup:
            pane.get_by_role("button", name="Be Chen Hao").click()
        popup.value.wait_for_url("**/overdue/")
        for path in menu(popup.value):
            check(pane, path)
