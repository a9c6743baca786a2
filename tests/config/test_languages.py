"""Every page in Chinese is Chinese: no sentence and no known word of ours stays English.

What people typed is kept out by a cast of Chinese names and words. The catalogues must have been compiled,
as `run.py test` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation
from django.utils.timezone import now

from config import catalogues
from recovery.lifecycle import (
    assign,
    book_callback,
    change_priority,
    escalate,
    extend,
    log_contact,
    note,
    resolve,
    start_waiting,
)
from recovery.models import Calendar, SlaPolicy, StaffProfile, Team, Ticket
from surveys import invitations
from surveys.models import Invitation, Message, Response, Survey
from tests.make import DAY, HOUR, Cast

CHINESE = "zh-hans"
# Three Latin words in a row, or one that only an English sentence has.
SENTENCE = re.compile(r"[A-Za-z][a-z’']+(?:,? [A-Za-z][a-z’']+){2}")
LITTLE_WORD = re.compile(r"\b(?:the|is|are|was|were|and|not|you|your|of|for|with|this|that|by|until)\b")
READ_ALOUD = ("title", "aria-label", "placeholder")
SILENT = {"script", "style", "code", "kbd", "template"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Reader(HTMLParser):
    """The texts of a page one by one, without those marked as being in another language."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        foreign = tag in SILENT or (tag != "html" and (given.get("lang") or "zh").startswith("en"))
        silent = foreign or any(silent for _tag, silent in self.open)
        if not silent:
            self.texts += [given[name] or "" for name in READ_ALOUD if name in given]
        if tag not in VOID:
            self.open.append((tag, foreign))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not any(silent for _tag, silent in self.open):
            self.texts.append(" ".join(data.split()))


def texts_of(page: str) -> list[str]:
    reader = Reader()
    reader.feed(page)
    return [text for text in reader.texts if text]


def known_words() -> set[str]:
    """Our own English texts that have another form in Chinese; languages are offered by their own names."""
    said = (key for room in catalogues.ROOMS for key in catalogues.texts(room))
    with translation.override(CHINESE):
        known = {text for context, text in said if not context and translation.gettext(text) != text}
    return known - {"English"}


def english_in(texts: list[str], known: set[str]) -> list[str]:
    plain = [re.sub(r"\S+@\S+|https?://\S+", "", text) for text in texts]
    return [text for text in plain if text in known or SENTENCE.search(text) or LITTLE_WORD.search(text)]


@pytest.fixture(scope="module")
def known() -> set[str]:
    return known_words()


@pytest.fixture(autouse=True)
def own_language() -> Iterator[None]:
    """A request leaves its language behind in the thread; the next test begins in its own."""
    with translation.override(None):
        yield


@pytest.fixture
def firm(cast: Cast) -> Cast:
    """The cast with Chinese names, and a ticket in every state."""
    names = {"wu": "吴梅", "chen": "陈浩", "lina": "李娜", "majun": "马俊", "ann": "安娜"}
    names |= {"bob": "鲍勃", "vera": "薇拉", "admin": "艾达"}
    for username, name in names.items():
        User.objects.filter(username=username).update(first_name=name, last_name="")
    StaffProfile.objects.update(locale=CHINESE)
    for model in (Team, SlaPolicy, Calendar):
        for number, row in enumerate(model.objects.all()):
            model.objects.filter(pk=row.pk).update(name=f"第{number}个")
    Survey.objects.update(name="送货", name_zh="送货")
    for row in vars(cast).values():
        row.refresh_from_db()
    # Open around the clock: what is told when must not hang on the hour at which the tests run.
    cast.calendar.hours.update(days=list(range(7)), opens="00:00", closes="00:00")
    tell_stories(cast)
    return cast


def tell_stories(cast: Cast) -> None:
    at = now()
    called = log_contact(ticket(cast, at - HOUR), by=cast.lina, at=at, outcome="no_answer", note="没人接")
    there = f"{at + DAY:%Y-%m-%dT%H:%M}"
    called = book_callback(called, by=cast.lina, at=at, local_time=there, time_zone="Europe/Paris")
    called = note(called, by=cast.lina, at=at, text="稍后再试")
    called = change_priority(called, by=cast.chen, at=at, priority=1)
    called = extend(called, by=cast.chen, at=at, minutes=60, reason="等货")
    called = assign(called, by=cast.chen, at=at, to=cast.majun)
    escalate(called, by=cast.majun, at=at, reason="要退款")
    start_waiting(ticket(cast, at - HOUR), by=cast.lina, at=at, reason="等发票")
    done = ticket(cast, at - DAY)
    resolve(done, by=cast.lina, at=at, cause_found=cast.late, what_was_done="已补发")
    ticket(cast, at - 9 * DAY)
    person = cast.customer("王芳", locale=CHINESE)
    invitations.ask(person, cast.survey, at=at, purpose=Invitation.SURVEY)


def ticket(cast: Cast, at: datetime) -> Ticket:
    return cast.ticket(
        comment="太慢了", at=at, customer=cast.customer("张伟", locale=CHINESE), touchpoint="上海门店"
    )


PAGES: dict[str, list[str]] = {
    "lina": ["/desk/", "/tickets/", "/callbacks/", "/customers/"],
    "chen": ["/overdue/", "/overdue/?tab=waiting", "/callbacks/?of=teams", "/tickets/?status=any", "/desk/"],
    "vera": [
        *(
            "/insight/",
            "/insight/loop/",
            "/insight/times/",
            "/insight/causes/",
            "/insight/tickets/",
            "/surveys/",
        ),
        *("/surveys/delivery/", "/surveys/delivery/preview/", "/responses/", "/messages/"),
    ],
    "admin": [
        *("/admin/", "/admin/recovery/triagerule/add/", "/admin/recovery/slapolicy/add/"),
        *("/admin/recovery/ticket/", "/admin/surveys/survey/add/", "/admin/surveys/customer/add/"),
        *("/admin/recovery/calendar/add/", "/admin/recovery/team/add/", "/admin/auth/user/add/"),
        *("/dispatch/", "/messages/sending/", "/admin/surveys/consent/add/"),
    ],
}


def signed_in(client: Client, user: User) -> Client:
    client.force_login(user)
    client.cookies["django_language"] = CHINESE
    return client


def leaks(client: Client, paths: list[str], known: set[str]) -> dict[str, list[str]]:
    found = {}
    for path in paths:
        answer = client.get(path)
        assert answer.status_code == 200, path
        if english := english_in(texts_of(answer.content.decode()), known):
            found[path] = english
    return found


@pytest.mark.parametrize("name", PAGES)
def test_its_pages_are_chinese(name: str, client: Client, firm: Cast, known: set[str]) -> None:
    assert leaks(signed_in(client, getattr(firm, name)), PAGES[name], known) == {}


def test_its_records_are_chinese(client: Client, firm: Cast, known: set[str]) -> None:
    paths = [f"/tickets/{row.number}/" for row in Ticket.objects.all()]
    paths += [f"/responses/{pk}/" for pk in Response.objects.values_list("pk", flat=True)]
    paths += [f"/messages/{pk}/" for pk in Message.objects.values_list("pk", flat=True)]
    paths += [f"/customers/{row.customer_id}/" for row in Ticket.objects.all()]
    assert len(paths) > 10
    assert leaks(signed_in(client, firm.admin), paths, known) == {}


def test_its_pages_for_everybody_are_chinese(client: Client, firm: Cast, known: set[str]) -> None:
    client.cookies["django_language"] = CHINESE
    assert leaks(client, ["/login/", *public_paths()], known) == {}


def public_paths() -> list[str]:
    mail = Message.objects.get(kind="invitation")
    return re.findall(r"https?://[^/\s]+(/[su]/\S+)", mail.text)


def test_its_mails_are_chinese(firm: Cast, known: set[str]) -> None:
    mails = Message.objects.filter(locale=CHINESE)
    assert {"invitation", "ticket_assigned", "ticket_escalated"} <= set(mails.values_list("kind", flat=True))
    lines = [line.strip() for mail in mails for line in (mail.subject, *mail.text.splitlines())]
    assert english_in(lines, known) == []


def test_it_hears_the_same_pages_in_english(client: Client, firm: Cast, known: set[str]) -> None:
    StaffProfile.objects.update(locale="en")
    client.force_login(firm.lina)
    found = leaks(client, PAGES["lina"], known)
    assert set(found) == set(PAGES["lina"])
    assert "My work" in found["/desk/"]
