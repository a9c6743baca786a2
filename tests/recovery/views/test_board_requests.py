"""Late requests: what departments have not answered in time, beside the board's other tabs."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from recovery import lifecycle
from recovery.models import Department, Request, Ticket
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast
from tests.recovery.views.conftest import Clock, SignIn

URL = "/overdue/requests/"


@pytest.fixture
def stock(cast: Cast) -> Department:
    return Department.objects.create(name="Warehouse", email="w@example.org", calendar=cast.calendar)


def asked(cast: Cast, stock: Department, hours: int = 1, **fields: object) -> Request:
    ticket = cast.ticket(**fields)  # type: ignore[arg-type]
    lifecycle.ask_department(
        ticket,
        by=cast.lina,
        at=MONDAY,
        department=stock,
        title="Find parcel 4711",
        due_at=MONDAY + hours * HOUR,
        holds_ticket=True,
    )
    return Request.objects.latest("pk")


def listed(client: Client) -> list[int]:
    """The rows; the tab counts as many."""
    context = client.get(URL).context
    (tab,) = [each for each in context["more"] if each.name == "overdue-requests"]
    assert tab.count == len(context["rows"])
    return [row.pk for row, _chip in context["rows"]]


def test_it_lists_what_is_late_the_latest_first(
    cast: Cast, sign_in: SignIn, clock: Clock, stock: Department
) -> None:
    second, first, ahead = (asked(cast, stock, hours) for hours in (2, 1, 30))
    answered, elsewhere = asked(cast, stock), asked(cast, stock, team=cast.west)
    Request.objects.filter(pk=answered.pk).update(state=Request.DONE)
    clock(MONDAY + 2 * HOUR)
    client = sign_in(cast.chen)
    assert listed(client) == [first.pk, second.pk]
    assert ahead.pk not in listed(client)
    assert listed(sign_in(cast.vera)) == [first.pk, elsewhere.pk, second.pk]


def test_a_row_says_what_is_late_and_leads_to_the_ticket(
    cast: Cast, sign_in: SignIn, clock: Clock, stock: Department
) -> None:
    row = asked(cast, stock)
    clock(MONDAY + HOUR + 35 * MINUTE)
    page = sign_in(cast.chen).get(URL).content.decode()
    for words in ("Warehouse", "Find parcel 4711", "the ticket waits for it", "late 35 min", "today 11:00"):
        assert words in page, words
    assert f'<a data-row href="/tickets/{row.ticket.number}/">' in page


def test_the_board_counts_them(cast: Cast, sign_in: SignIn, clock: Clock, stock: Department) -> None:
    asked(cast, stock)
    clock(MONDAY + DAY)
    page = sign_in(cast.chen).get("/overdue/")
    assert {each.name: each.count for each in page.context["more"]} == {
        "overdue-goodwill": 0,
        "overdue-requests": 1,
    }
    assert 'href="/overdue/requests/"' in page.content.decode()


def test_agents_do_not_open_it(cast: Cast, sign_in: SignIn) -> None:
    assert sign_in(cast.lina).get(URL).status_code == 403


@pytest.mark.parametrize("who", ["chen", "vera", "admin"])
@pytest.mark.parametrize("rows", [1, 55])
def test_it_asks_the_database_at_most_twelve_times(
    cast: Cast,
    sign_in: SignIn,
    clock: Clock,
    stock: Department,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    who: str,
    rows: int,
) -> None:
    tickets: list[Ticket] = [cast.ticket() for _each in range(min(rows, 5))]
    for n in range(rows):
        Request.objects.create(
            ticket=tickets[n % len(tickets)],
            cycle=1,
            department=stock,
            owner_email="w@example.org",
            title=f"Parcel {n}",
            asked_at=MONDAY,
            due_at=MONDAY + MINUTE,
        )
    clock(MONDAY + HOUR)
    client = sign_in(getattr(cast, who))
    with django_assert_max_num_queries(12):
        assert len(client.get(URL).context["rows"]) == min(rows, 50)
