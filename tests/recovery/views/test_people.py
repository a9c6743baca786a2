"""Callbacks and customers."""

from recovery import lifecycle
from recovery.models import Ticket
from surveys.models import Account, Customer
from tests.make import HOUR, MONDAY, Cast
from tests.recovery.views.conftest import Clock, SignIn


def booked(
    cast: Cast, time: str = "2026-03-02T15:00", zone: str = "Asia/Shanghai", **fields: object
) -> Ticket:
    ticket = cast.ticket(**fields)  # type: ignore[arg-type]
    return lifecycle.book_callback(
        ticket, by=None, at=MONDAY, local_time=time, time_zone=zone, note="The invoice"
    )


def test_it_lists_my_callbacks_by_time_and_my_teams_beside(cast: Cast, sign_in: SignIn) -> None:
    second, first = booked(cast), booked(cast, "2026-03-02T14:00")
    Ticket.objects.update(owner=cast.lina)
    theirs = booked(cast, "2026-03-03T09:00")
    Ticket.objects.filter(pk=theirs.pk).update(owner=cast.majun)
    booked(cast, team=cast.west)
    client = sign_in(cast.lina)
    mine, all_of_us = client.get("/callbacks/"), client.get("/callbacks/", {"of": "teams"})
    assert [call.callback.ticket for call in mine.context["calls"]] == [first, second]
    assert [call.callback.ticket for call in all_of_us.context["calls"]] == [first, second, theirs]
    assert (mine.context["mine"], mine.context["all"]) == (2, 3)


def test_it_shows_a_callback_on_both_clocks_and_how_late_it_is(
    cast: Cast, sign_in: SignIn, clock: Clock
) -> None:
    booked(cast, "2026-03-02T09:00", "Europe/London")
    Ticket.objects.update(owner=cast.lina)
    client = sign_in(cast.lina)
    (call,) = client.get("/callbacks/").context["calls"]
    assert (call.here, call.there, call.late) == ("17:00", "09:00 London", None)
    clock(MONDAY + 8 * HOUR)
    (call,) = client.get("/callbacks/").context["calls"]
    assert call.late.text == "late 1 h 00"


def test_it_forgets_a_callback_that_was_cancelled(cast: Cast, sign_in: SignIn) -> None:
    ticket = booked(cast)
    lifecycle.cancel_callback(ticket, by=cast.lina, at=MONDAY)
    assert sign_in(cast.lina).get("/callbacks/", {"of": "teams"}).context["calls"] == []


def test_it_finds_a_customer_of_my_team_and_no_other(cast: Cast, sign_in: SignIn) -> None:
    account = Account.objects.create(name="Acme Trading")
    mine = cast.ticket(customer=cast.customer("李秀英", phone="+8613800138000", account=account)).customer
    theirs = cast.ticket(team=cast.west, customer=cast.customer("李雷")).customer
    client = sign_in(cast.lina)
    for words in ("", "李", "8001 3800", "acme"):
        assert list(client.get("/customers/", {"q": words}).context["page_obj"].object_list) == [mine], words
    everybody = sign_in(cast.vera).get("/customers/", {"q": "李"}).context["page_obj"].object_list
    assert set(everybody) == {mine, theirs}


def test_it_counts_only_the_tickets_one_sees(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    other = cast.ticket(team=cast.west)
    Ticket.objects.filter(pk=other.pk).update(customer=ticket.customer, line="other")
    (person,) = sign_in(cast.lina).get("/customers/").context["page_obj"].object_list
    assert (person.all_tickets, person.open_tickets) == (1, 1)


def test_it_tells_a_customers_whole_story(cast: Cast, sign_in: SignIn) -> None:
    customer = cast.customer("张伟", phone="+8613800138000", tier="Gold")
    for score in (9, 8):
        cast.response(score, customer=customer, comment=f"Gave {score}")
    ticket = cast.ticket(2, customer=customer, comment="送货晚了两天")
    page = sign_in(cast.lina).get(f"/customers/{customer.pk}/").content.decode()
    for shown in ("张伟", "+8613800138000", "Gold", ticket.number, "送货晚了两天", "Gave 9", "9 8 2"):
        assert shown in page


def test_it_keeps_the_words_of_another_teams_ticket(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket(comment="Ours")
    hidden = cast.ticket(team=cast.west, customer=cast.customer("Kim"), comment="A secret")
    Customer.objects.filter(tickets=hidden).update(name="moved")
    hidden.response.customer = ticket.customer
    hidden.response.save()
    page = sign_in(cast.lina).get(f"/customers/{ticket.customer_id}/").content.decode()
    assert "Ours" in page
    assert "A secret" not in page
    assert "A secret" in sign_in(cast.vera).get(f"/customers/{ticket.customer_id}/").content.decode()


def test_it_shows_a_customer_with_no_name_by_what_is_known(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket(customer=cast.customer("", email="who@example.com"))
    client = sign_in(cast.lina)
    assert "who@example.com" in client.get("/customers/").content.decode()
    assert "who@example.com" in client.get(f"/tickets/{ticket.number}/").content.decode()
