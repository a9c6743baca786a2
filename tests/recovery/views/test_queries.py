"""A longer list asks the database no more often than a short one."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recovery.models import Callback, Ticket
from surveys.models import Message
from tests.make import HOUR, Cast

LISTS = {
    "/desk/": "lina",
    "/tickets/": "lina",
    "/tickets/?q=nobody": "lina",
    "/tickets/?answered=1&breached=2&cols=email,cause": "chen",
    "/tickets/views/menu/": "chen",
    "/jump/?q=nobody": "lina",
    "/callbacks/": "lina",
    "/customers/": "lina",
    "/customers/?q=wei": "lina",
    "/overdue/?tab=silent": "chen",
    "/responses/": "admin",
    "/responses/?q=nobody": "admin",
    "/messages/": "admin",
    "/api/v1/tickets/?limit=200": "lina",
    "/api/v1/callbacks/?limit=200": "lina",
    "/api/v1/customers/?limit=200": "lina",
    "/api/v1/responses/?limit=200": "lina",
}


def fill(cast: Cast, number: int) -> None:
    """Tickets of Li Na, each with a promised callback and a message to her."""
    at = timezone.now()
    for _each in range(number):
        ticket = cast.ticket(at=at)
        Ticket.objects.filter(pk=ticket.pk).update(owner=cast.lina)
        Message.objects.create(
            dedup_key=f"to {ticket.number}",
            kind="invitation",
            to_address="a@b.c",
            customer=ticket.customer,
            state="sent",
            send_at=at,
            created_at=at,
        )
        Callback.objects.create(
            ticket=ticket, cycle=1, local_time="2026-03-03T10:00", time_zone="UTC", due_at=at + HOUR
        )


def queries(user: User, url: str) -> int:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@pytest.fixture
def few_and_many(cast: Cast) -> dict[str, tuple[int, int]]:
    people = {url: getattr(cast, name) for url, name in LISTS.items()}
    fill(cast, 5)
    few = {url: queries(user, url) for url, user in people.items()}
    fill(cast, 55)
    assert Message.objects.count() >= 60
    return {url: (few[url], queries(user, url)) for url, user in people.items()}


def test_it_asks_no_more_often_for_sixty_rows_than_for_five(few_and_many: dict[str, tuple[int, int]]) -> None:
    assert {url: counts for url, counts in few_and_many.items() if counts[1] > counts[0]} == {}


LISTS_OF_WORK = (
    "/desk/",
    "/tickets/",
    "/tickets/?q=nobody",
    "/customers/",
    "/customers/?q=wei",
    "/callbacks/",
)
MOST = 12


@pytest.mark.parametrize("number", [1, 60])
def test_it_asks_at_most_twelve_times_for_every_role(cast: Cast, number: int) -> None:
    fill(cast, number)
    people = [cast.lina, cast.chen, cast.wu, cast.vera, cast.admin]
    asked = {
        (user.username, url): queries(user, url)
        for user in people
        for url in LISTS_OF_WORK
        if user != cast.vera or url != "/desk/"  # who only reads owns no work
    }
    assert {page: count for page, count in asked.items() if count > MOST} == {}
