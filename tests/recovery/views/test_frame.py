"""The menu, and every page in the reader's zone and language."""

import pytest
from django.conf import settings
from django.test import Client, RequestFactory

from recovery import lifecycle
from recovery.models import Ticket
from recovery.views.frame import frame
from surveys.models import Message
from tests.make import MINUTE, MONDAY, Cast
from tests.recovery.views.conftest import Clock, SignIn


def menu(client: Client) -> dict[str, dict[str, object]]:
    return {item["url"]: item for item in client.get("/tickets/").context["menu"]}


@pytest.mark.parametrize(
    ("name", "shown", "hidden"),
    [
        ("lina", {"/desk/", "/callbacks/", "/tickets/", "/customers/"}, {"/overdue/", "/admin/"}),
        ("chen", {"/desk/", "/callbacks/", "/overdue/", "/tickets/"}, {"/admin/"}),
        ("vera", {"/overdue/", "/tickets/", "/customers/"}, {"/desk/", "/callbacks/", "/admin/"}),
        ("admin", {"/desk/", "/overdue/", "/tickets/", "/admin/"}, set()),
    ],
)
def test_it_shows_what_the_role_can_use(
    cast: Cast, sign_in: SignIn, name: str, shown: set[str], hidden: set[str]
) -> None:
    items = menu(sign_in(getattr(cast, name)))
    assert shown <= set(items)
    assert not hidden & set(items)


def test_it_shows_nothing_to_a_stranger(rf: RequestFactory) -> None:
    request = rf.get("/login/")
    assert list(frame(request)["menu"]) == []


def test_it_counts_work_callbacks_and_lateness(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    ticket, _other = cast.ticket(priority=1), cast.ticket(priority=3)
    cast.ticket(priority=1, team=cast.west)
    Ticket.objects.filter(team=cast.east).update(owner=cast.chen)
    lifecycle.book_callback(
        Ticket.objects.get(pk=ticket.pk),
        by=cast.chen,
        at=MONDAY,
        local_time="2026-03-02T15:00",
        time_zone="Asia/Shanghai",
    )
    clock(MONDAY + 90 * MINUTE)
    items = menu(sign_in(cast.chen))
    assert [items[url]["count"] for url in ("/desk/", "/callbacks/", "/overdue/")] == [2, 1, 1]


def test_it_alarms_when_a_message_needs_a_person(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.lina)
    assert menu(client)["/messages/"]["alarm"] is False
    Message.objects.create(
        dedup_key="x",
        kind="invitation",
        to_address="a@b.c",
        customer=cast.ticket().customer,
        state="dead",
        send_at=MONDAY,
        created_at=MONDAY,
    )
    item = menu(client)["/messages/"]
    assert (item["alarm"], item["count"]) == (True, 1)


def test_it_marks_the_place_one_stands_in(cast: Cast, sign_in: SignIn) -> None:
    ticket, client = cast.ticket(), sign_in(cast.lina)
    items = client.get(f"/tickets/{ticket.number}/").context["menu"]
    assert [item["url"] for item in items if item["active"]] == ["/tickets/"]


def test_it_shows_times_on_the_readers_clock(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    assert "today 10:00" in sign_in(cast.lina).get(f"/tickets/{ticket.number}/").content.decode()
    cast.ann.memberships.create(team=cast.east)
    assert "today 02:00" in sign_in(cast.ann).get(f"/tickets/{ticket.number}/").content.decode()


def test_it_speaks_the_readers_language_until_another_is_chosen(cast: Cast, sign_in: SignIn) -> None:
    cast.lina.staff.locale = "zh-hans"
    cast.lina.staff.save()
    client = sign_in(cast.lina)
    assert '<html lang="zh-hans"' in client.get("/tickets/").content.decode()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    assert '<html lang="en"' in client.get("/tickets/").content.decode()
