"""Who else has the ticket open: said while it is fresh, and without touching the ticket."""

from datetime import timedelta

from django.test import Client
from pytest_django import DjangoAssertNumQueries

from recovery.models import Looking, Ticket
from tests.make import DAY, MINUTE, MONDAY, Cast, make_user
from tests.recovery.views.conftest import Clock, SignIn

NOW = MONDAY + 30 * MINUTE


def look(client: Client, ticket: Ticket, **values: str) -> str:
    response = client.post(f"/tickets/{ticket.number}/looking/", values)
    assert response.status_code == 200
    return response.content.decode()


def test_it_tells_the_others_and_not_oneself(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    assert "looking</" not in look(sign_in(cast.majun), ticket)
    assert "Ma Jun is looking" in look(sign_in(cast.lina), ticket)
    assert "Li Na is looking" in look(sign_in(cast.majun), ticket)


def test_it_says_who_is_writing(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    look(sign_in(cast.majun), ticket, writing="1")
    assert "Ma Jun is writing" in look(sign_in(cast.lina), ticket)
    look(sign_in(cast.majun), ticket)
    assert "Ma Jun is looking" in look(sign_in(cast.lina), ticket)


def test_it_forgets_who_was_last_seen_a_minute_ago(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    ticket = cast.ticket()
    look(sign_in(cast.majun), ticket)
    clock(NOW + timedelta(seconds=59))
    assert "Ma Jun" in look(sign_in(cast.lina), ticket)
    clock(NOW + timedelta(seconds=60))
    assert "Ma Jun" not in look(sign_in(cast.lina), ticket)


def test_it_keeps_one_row_and_leaves_the_ticket_alone(cast: Cast, sign_in: SignIn) -> None:
    ticket, client = cast.ticket(), sign_in(cast.lina)
    for _time in range(3):
        look(client, ticket)
    assert Looking.objects.count() == 1
    assert Ticket.objects.get(pk=ticket.pk).version == ticket.version
    assert ticket.events.count() == 1


def test_it_keeps_no_row_of_ones_own_longer_than_a_day(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    old, ticket = cast.ticket(), cast.ticket()
    client = sign_in(cast.lina)
    look(client, old)
    clock(NOW + DAY)
    look(client, ticket)
    assert Looking.objects.count() == 2
    clock(NOW + DAY + MINUTE)
    look(client, ticket)
    assert Looking.objects.get().ticket == ticket


def test_fetching_the_page_is_not_looking(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    page = sign_in(cast.lina).get(f"/tickets/{ticket.number}/").content.decode()
    assert 'hx-trigger="load, every 20s"' in page
    assert not Looking.objects.exists()


def test_it_asks_the_database_no_more_for_a_crowd(
    cast: Cast, sign_in: SignIn, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    ticket, client = cast.ticket(), sign_in(cast.lina)
    crowd = [make_user(f"agent{each}") for each in range(30)]
    Looking.objects.bulk_create(Looking(ticket=ticket, user=each, at=NOW) for each in crowd)
    look(client, ticket)
    with django_assert_max_num_queries(12):
        assert look(client, ticket).count("is looking") == 5


def test_it_does_not_exist_for_somebody_elses_ticket(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    client = sign_in(cast.ann)
    assert client.post(f"/tickets/{ticket.number}/looking/").status_code == 404
    assert client.get(f"/tickets/{ticket.number}/looking/").status_code == 405
    assert not Looking.objects.exists()
