"""Every page of the menu, for every role: it answers, fits its width, and the browser does not complain."""

from __future__ import annotations

import re
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.utils.timezone import now
from playwright.sync_api import Browser, Page, expect

from recovery.lifecycle import (
    ask_department,
    book_callback,
    customer_url,
    give_goodwill,
    log_contact,
    resolve,
    start_waiting,
)
from recovery.models import (
    Department,
    GoodwillKind,
    GoodwillLimit,
    Leave,
    Request,
    SavedView,
    StaffProfile,
)
from surveys import invitations
from surveys.models import Invitation, Message
from tests.browser.conftest import Watch, barriers
from tests.browser.test_loop import sign_in
from tests.make import DAY, HOUR, Cast

pytestmark = pytest.mark.django_db(transaction=True)

LOOKS = [
    pytest.param("chen", 1366, "light", "en", id="supervisor, desktop, light, English"),
    pytest.param("chen", 1366, "dark", "zh-hans", id="supervisor, desktop, dark, Chinese"),
    pytest.param("chen", 360, "light", "zh-hans", id="supervisor, phone, light, Chinese"),
    pytest.param("chen", 360, "dark", "en", id="supervisor, phone, dark, English"),
    pytest.param("lina", 360, "light", "en", id="agent, phone, light, English"),
    pytest.param("vera", 1366, "light", "zh-hans", id="analyst, desktop, light, Chinese"),
    pytest.param("admin", 768, "light", "en", id="administrator, tablet, light, English"),
]


@pytest.fixture
def lived_in(firm: Cast) -> Cast:
    """A desk with something of everything on it."""
    at = now()
    long_words = "送货晚了两天，打电话没人接。" * 12
    firm.ticket(comment=long_words, customer=firm.customer("欧阳娜娜", locale="zh-hans"), at=at - 9 * DAY)
    ticket = log_contact(
        firm.ticket(at=at - HOUR), by=firm.lina, at=at, outcome="no_answer", note="Rang long"
    )
    tomorrow = (at + DAY).strftime("%Y-%m-%dT%H:%M")
    book_callback(ticket, by=firm.lina, at=at, local_time=tomorrow, time_zone="Asia/Shanghai")
    start_waiting(firm.ticket(at=at - HOUR), by=firm.majun, at=at, reason="Customer sends the receipt")
    resolve(firm.ticket(at=at - DAY), by=firm.lina, at=at, cause_found=firm.late, what_was_done="Sent again")
    invitations.ask(firm.customer(), firm.survey, at=at, purpose=Invitation.SURVEY)
    return firm


def menu(page: Page) -> list[str]:
    """Every address the frame offers."""
    hrefs = page.eval_on_selector_all("nav a[href^='/']", "links => links.map(link => link.href)")
    return sorted({urlsplit(href).path for href in hrefs})


def check(page: Page, path: str) -> None:
    answer = page.goto(path)
    assert answer is not None
    assert answer.status == 200, path
    page.wait_for_load_state("networkidle")
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, f"{path} is {wider} px wider than the window"
    assert not barriers(page), path


@pytest.mark.parametrize(("name", "width", "scheme", "language"), LOOKS)
def test_every_page_of_the_menu_works(
    browser: Browser,
    watch: Watch,
    site: str,
    lived_in: Cast,
    name: str,
    width: int,
    scheme: str,
    language: str,
) -> None:
    profile = getattr(lived_in, name).staff
    profile.locale = language
    profile.save()
    context = browser.new_context(
        base_url=site,
        viewport={"width": width, "height": 768},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    context.add_cookies([{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": site}])
    page = watch.over(context.new_page())
    sign_in(page, name)
    paths = menu(page)
    assert len(paths) >= 6
    for path in paths:
        if not path.startswith("/admin/"):
            check(page, path)
    # the words that run on and the promised call for everybody; every kind of ticket for the supervisor
    for ticket in lived_in.east.tickets.order_by("pk")[: None if name == "chen" else 2]:
        check(page, f"/tickets/{ticket.number}/")
    context.close()


# What the menu does not name: reached from another page, with something on it.
BESIDE_THE_MENU = (
    ("lina", ("/leave/", "/coaching/")),
    (
        "chen",
        (
            "/callbacks/?day=",
            "/tickets/views/",
            "/hand-over/?user={lina}",
            "/coaching/?owner={lina}",
            "/overdue/weekly/",
            "/overdue/one/{ticket}/",
            "/overdue/goodwill/",
            "/overdue/requests/",
        ),
    ),
    ("admin", ("/rules/try/",)),
    ("vera", ("/insight/surveys/", "/insight/surveys/?by=tier")),
    ("vera", ("/insight/panel/", "/insight/panel/people/", "/insight/drivers/")),
    ("vera", ("/insight/loop/", "/insight/times/")),
    ("chen", ("/insight/value/", "/insight/value/customers/", "/insight/targets/", "/insight/causes/")),
    ("chen", ("/insight/fixes/",)),
    ("chen", ("/insight/board/", "/insight/mails/")),
)


def outside(firm: Cast, language: str) -> list[str]:
    """The links a customer and another department have."""
    calendar = firm.calendar
    stock = Department.objects.create(
        name="Stock", name_zh="仓库", email="stock@example.org", calendar=calendar, locale=language
    )
    person = firm.customer("欧阳娜娜", locale=language)
    ticket = firm.ticket(at=now() - HOUR, customer=person, comment="送货晚了两天")
    ask_department(ticket, by=firm.lina, at=now(), department=stock, title="Is the box there?")
    mail = Message.objects.get(to_address="stock@example.org")
    Request.objects.update(due_at=now() - HOUR)
    GoodwillLimit.objects.create(role="supervisor", cost=100)
    voucher = GoodwillKind.objects.create(name="Voucher", name_zh="代金券")
    for cost in (20, 50):
        give_goodwill(
            firm.ticket(),
            by=firm.lina,
            at=now(),
            kind=voucher,
            cost=Decimal(cost),
            note="等太久",
        )
    link = re.search(r"/r/[^/\s]+/", mail.text)
    assert link
    return [urlsplit(customer_url(ticket, now())).path, link[0]]


@pytest.mark.parametrize(("width", "language"), [(1366, "en"), (360, "zh-hans")])
def test_every_page_beside_the_menu_works(
    browser: Browser, watch: Watch, site: str, lived_in: Cast, width: int, language: str
) -> None:
    Leave.objects.create(user=lived_in.majun, starts_at=now(), ends_at=now() + 3 * DAY, cover=lived_in.lina)
    SavedView.objects.create(user=lived_in.chen, team=lived_in.east, name="Late", query="tab=late")
    StaffProfile.objects.update(locale=language)
    context = browser.new_context(base_url=site, viewport={"width": width, "height": 768})
    context.add_cookies([{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": site}])
    page = watch.over(context.new_page())
    for path in outside(lived_in, language):
        check(page, path)
    ticket = lived_in.east.tickets.in_work().first()
    for name, paths in BESIDE_THE_MENU:
        page.context.clear_cookies(name="sessionid")
        sign_in(page, name)
        for path in paths:
            check(page, path.format(lina=lived_in.lina.pk, ticket=ticket))
    context.close()


def test_every_field_of_a_row_in_the_admin_site_has_a_name(page: Page, watch: Watch, firm: Cast) -> None:
    admin = watch.over(page)
    sign_in(admin, "admin")
    admin.goto(f"/admin/recovery/calendar/{firm.calendar.pk}/change/")
    fields = admin.locator("#hours-0").get_by_role("textbox", name="Opens")
    expect(fields.first).to_be_visible()
    nameless = admin.eval_on_selector_all(
        "#content-main :is(input:not([type=hidden], [type=submit]), select, textarea)",
        "all => all.filter(field => !field.labels.length && !field.getAttribute('aria-label')).length",
    )
    assert nameless == 0
