"""Goodwill to approve: who sees which proposals, and deciding about them in their row."""

from decimal import Decimal

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from recovery import lifecycle
from recovery.models import Goodwill, GoodwillBudget, GoodwillKind, GoodwillLimit, Ticket
from tests.make import MONDAY, Cast
from tests.recovery.views.conftest import SignIn

URL = "/overdue/goodwill/"


@pytest.fixture
def voucher(db: None) -> GoodwillKind:
    """An agent gives 30 alone, a supervisor 200, an administrator anything."""
    GoodwillLimit.objects.create(role="agent", cost=Decimal(30))
    GoodwillLimit.objects.create(role="supervisor", cost=Decimal(200))
    return GoodwillKind.objects.create(name="Voucher")


def proposed(cast: Cast, voucher: GoodwillKind, cost: int = 100, **fields: object) -> Goodwill:
    by = fields.pop("by", cast.lina)
    ticket = cast.ticket(**fields)  # type: ignore[arg-type]
    lifecycle.give_goodwill(ticket, by=by, at=MONDAY, kind=voucher, cost=Decimal(cost), note="The wait")  # type: ignore[arg-type]
    return Goodwill.objects.latest("pk")


def listed(client: Client) -> list[int]:
    """The rows; the tab counts as many."""
    context = client.get(URL).context
    (tab,) = [each for each in context["more"] if each.name == "overdue-goodwill"]
    rows = [row.pk for row in context["page_obj"]]
    assert tab.count == len(rows) == context["page_obj"].paginator.count
    return rows


def decide(client: Client, row: Goodwill, do: str, reason: str = "") -> int:
    return client.post(f"{URL}{row.pk}/", {"do": do, "reason": reason}).status_code


def test_it_lists_what_one_may_decide(cast: Cast, sign_in: SignIn, voucher: GoodwillKind) -> None:
    first, second = proposed(cast, voucher), proposed(cast, voucher, 200)
    above = proposed(cast, voucher, 300)
    elsewhere = proposed(cast, voucher, by=cast.ann, team=cast.west)
    own = proposed(cast, voucher, 250, by=cast.chen)
    given = proposed(cast, voucher, 20)
    assert given.state == Goodwill.GIVEN
    assert listed(sign_in(cast.chen)) == [first.pk, second.pk]
    assert listed(sign_in(cast.bob)) == [elsewhere.pk]
    everything = [first.pk, second.pk, above.pk, elsewhere.pk, own.pk]
    assert listed(sign_in(cast.admin)) == everything


def test_without_a_limit_of_their_own_supervisors_decide_nothing(
    cast: Cast, sign_in: SignIn, voucher: GoodwillKind
) -> None:
    GoodwillLimit.objects.filter(role="supervisor").delete()
    proposed(cast, voucher)
    assert listed(sign_in(cast.chen)) == []
    assert "Nothing waits for you" in sign_in(cast.chen).get(URL).content.decode()


def test_it_approves_in_the_row(cast: Cast, sign_in: SignIn, voucher: GoodwillKind) -> None:
    row, client = proposed(cast, voucher), sign_in(cast.chen)
    page = client.get(URL).content.decode()
    assert f'href="/tickets/{row.ticket.number}/"' in page
    assert "The wait" in page
    assert decide(client, row, "approve") == 302
    row.refresh_from_db()
    assert (row.state, row.decided_by) == (Goodwill.GIVEN, cast.chen)
    assert f"The goodwill of {row.ticket.number} is approved." in client.get(URL).content.decode()
    assert listed(client) == []
    assert row.ticket.events.filter(kind="goodwill_given").count() == 1


def test_it_refuses_with_a_reason_only(cast: Cast, sign_in: SignIn, voucher: GoodwillKind) -> None:
    row, client = proposed(cast, voucher), sign_in(cast.chen)
    answer = client.post(f"{URL}{row.pk}/", {"do": "refuse", "reason": " "})
    assert answer.status_code == 409
    assert f"{row.ticket.number}: Say why not." in answer.content.decode()
    assert decide(client, row, "refuse", "Too much for a late parcel") == 302
    row.refresh_from_db()
    assert (row.state, row.reason) == (Goodwill.REFUSED, "Too much for a late parcel")


def test_it_says_why_it_cannot_be_approved_and_loses_nothing(
    cast: Cast, sign_in: SignIn, voucher: GoodwillKind
) -> None:
    row, client = proposed(cast, voucher), sign_in(cast.chen)
    GoodwillBudget.objects.create(team=cast.east, monthly=Decimal(50))
    answer = client.post(f"{URL}{row.pk}/", {"do": "approve", "reason": "Half of it"})
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "budget of this month does not hold it" in page
    assert 'value="Half of it"' in page
    row.refresh_from_db()
    assert row.state == Goodwill.PROPOSED


def test_nobody_decides_twice_above_their_limit_or_elsewhere(
    cast: Cast, sign_in: SignIn, voucher: GoodwillKind
) -> None:
    row, above = proposed(cast, voucher), proposed(cast, voucher, 300)
    elsewhere = proposed(cast, voucher, by=cast.ann, team=cast.west)
    client = sign_in(cast.chen)
    assert decide(client, row, "approve") == 302
    assert decide(client, row, "approve") == 409
    assert decide(client, above, "approve") == 409
    assert decide(client, elsewhere, "approve") == 404
    assert client.get(f"{URL}{row.pk}/").status_code == 405
    assert Goodwill.objects.filter(state=Goodwill.PROPOSED).count() == 2


def test_agents_and_analysts_have_no_such_tab(cast: Cast, sign_in: SignIn, voucher: GoodwillKind) -> None:
    row = proposed(cast, voucher)
    for person in (cast.majun, cast.vera):
        client = sign_in(person)
        assert client.get(URL).status_code == 403
        assert decide(client, row, "approve") == 403
    more = [each.name for each in sign_in(cast.vera).get("/overdue/").context["more"]]
    assert more == ["overdue-requests"]


@pytest.mark.parametrize("who", ["chen", "admin"])
@pytest.mark.parametrize("rows", [1, 55])
def test_it_asks_the_database_at_most_twelve_times(
    cast: Cast,
    sign_in: SignIn,
    voucher: GoodwillKind,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    who: str,
    rows: int,
) -> None:
    common = {"kind": voucher, "cost": 100, "state": Goodwill.PROPOSED, "at": MONDAY, "by": cast.lina}
    tickets = [cast.ticket() for _each in range(min(rows, 5))]
    for n in range(rows):
        ticket: Ticket = tickets[n % len(tickets)]
        Goodwill.objects.create(ticket=ticket, cycle=1, team=ticket.team, **common)
    client = sign_in(getattr(cast, who))
    with django_assert_max_num_queries(12):
        assert len(client.get(URL).context["page_obj"].object_list) == min(rows, 50)
