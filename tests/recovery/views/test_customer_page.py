"""The customer's own page: what was promised, a time for a call, a word to us; and nothing of ours."""

import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from recovery import lifecycle
from recovery.lifecycle.customer_link import live_token
from recovery.models import CalendarDay, Callback, Ticket
from surveys.intake.signals import promise_for
from surveys.messages.links import hide_tokens
from surveys.models import PublicLink
from tests.make import DAY, HOUR, MINUTE, MONDAY, SHANGHAI, Cast
from tests.recovery.views.conftest import Clock, SignIn
from tests.recovery.views.test_acts import fresh
from tests.surveys.make import make_survey

NOW = MONDAY + 30 * MINUTE


def url_of(ticket: Ticket) -> str:
    return f"/c/{live_token(ticket, NOW)}/"


def page_of(client: Client, ticket: Ticket, query: str = "") -> str:
    response = client.get(url_of(ticket) + query)
    assert response.status_code == 200
    return response.content.decode()


def choose(client: Client, ticket: Ticket, time: str, **more: str) -> HttpResponse:
    response: HttpResponse = client.post(url_of(ticket), {"time": time, **more})  # type: ignore[assignment]
    return response


# --- who may come in ---


@pytest.mark.parametrize("token", ["", "1", "1.abc", "x" * 400, "1.%00", "%E4%B8%AD"])
def test_a_token_nobody_gave_out_says_the_same_as_one_that_is_over(
    cast: Cast, client: Client, clock: Clock, token: str
) -> None:
    ticket = cast.ticket()
    Ticket.objects.filter(pk=ticket.pk).update(status="closed", closed_at=NOW)
    clock(NOW + 91 * DAY)
    over = client.get(url_of(ticket))
    assert over.status_code == 404
    if token:
        never = client.get(f"/c/{token}/")
        assert never.status_code == 404
        assert never.content == over.content


def test_a_token_is_of_one_ticket_and_the_same_in_every_mail(cast: Cast, client: Client) -> None:
    one, other = cast.ticket(comment="One matter"), cast.ticket(comment="Another matter")
    assert url_of(one) == url_of(one) != url_of(other)
    assert "Another matter" not in page_of(client, one)
    assert PublicLink.objects.filter(purpose=PublicLink.CUSTOMER).count() == 2


def test_a_token_no_row_stands_for_opens_nothing(cast: Cast, client: Client) -> None:
    url = url_of(cast.ticket())
    PublicLink.objects.all().delete()
    assert client.get(url).status_code == 404


def test_one_link_is_revoked_and_the_next_mail_brings_another(cast: Cast, client: Client) -> None:
    ticket, other = cast.ticket(), cast.ticket()
    old, untouched = url_of(ticket), url_of(other)
    PublicLink.objects.filter(about=f"ticket:{ticket.number}").update(revoked_at=NOW)
    gone, never = client.get(old), client.get(f"/c/{'x' * 32}/")
    assert (gone.status_code, gone.content) == (404, never.content)
    assert client.post(old, {"word": "Still here"}).status_code == 404
    assert client.get(untouched).status_code == 200
    assert url_of(ticket) != old
    assert client.get(url_of(ticket)).status_code == 200
    assert client.get(old).status_code == 404


def test_a_link_ends_after_two_years_and_is_renewed(cast: Cast, client: Client, clock: Clock) -> None:
    ticket = cast.ticket()
    old, later = url_of(ticket), NOW + 731 * DAY
    clock(later)
    assert client.get(old).status_code == 404
    assert client.get(f"/c/{live_token(ticket, later)}/").status_code == 200


def test_a_link_of_another_purpose_opens_no_page(cast: Cast, client: Client) -> None:
    url = url_of(cast.ticket())
    PublicLink.objects.update(purpose=PublicLink.REQUEST)
    assert client.get(url).status_code == 404


@pytest.mark.parametrize("who", ["admin", "chen"])
def test_an_administrator_revokes_a_link(cast: Cast, client: Client, sign_in: SignIn, who: str) -> None:
    url = url_of(cast.ticket())
    link = PublicLink.objects.get()
    staff = sign_in(getattr(cast, who))
    staff.post("/admin/surveys/publiclink/", {"action": "revoke", "_selected_action": [link.pk]})
    link.refresh_from_db()
    assert (link.revoked_at is not None) is (who == "admin")
    assert client.get(url).status_code == (404 if who == "admin" else 200)


def test_opening_the_page_asks_no_more_than_it_did(
    cast: Cast, client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    url = url_of(cast.ticket())
    client.get(url)
    with django_assert_max_num_queries(12):
        assert client.get(url).status_code == 200


def test_it_is_kept_by_nobody_on_the_way(cast: Cast, client: Client) -> None:
    response = client.get(url_of(cast.ticket()))
    assert response["Cache-Control"] == "no-store"
    assert "noindex" in response["X-Robots-Tag"]
    assert response["Referrer-Policy"] == "no-referrer"
    assert response.cookies == {}


def test_colleagues_do_not_read_the_token_in_a_message(cast: Cast) -> None:
    url = lifecycle.customer_url(cast.ticket(), NOW)
    assert url.split("/")[-2] not in hide_tokens(f"Choose a time: {url}")


def test_the_link_of_a_merged_ticket_leads_to_where_the_work_goes_on(cast: Cast, client: Client) -> None:
    person = cast.customer()
    into = cast.ticket(customer=person, survey=make_survey("store"))
    ticket = lifecycle.merge(cast.ticket(customer=person), by=cast.lina, at=MONDAY, into=into)
    choose(client, ticket, "2026-03-02T15:00")
    assert into.callbacks.get().local_time == "2026-03-02T15:00"


def test_the_link_of_one_person_shows_nothing_of_another_they_were_merged_with(
    cast: Cast, client: Client
) -> None:
    into = cast.ticket(comment="They were rude to my wife.")
    ticket = lifecycle.merge(cast.ticket(), by=cast.lina, at=MONDAY, into=into)
    assert "rude to my wife" not in page_of(client, ticket)
    choose(client, ticket, "2026-03-02T15:00")
    assert not into.callbacks.exists()


# --- what it says ---


def test_it_says_who_and_by_when(cast: Cast, client: Client) -> None:
    ticket = cast.ticket()
    page = page_of(client, ticket)
    assert f"{ticket.owner.get_full_name()} looks after this." in page
    assert "We get in touch with you by today, 14:00" in page
    assert "still ahead" in page
    assert "Nobody called." in page


@pytest.mark.parametrize(("hours", "said"), [(1, "kept, today, 11:00"), (6, "kept late, today, 16:00")])
def test_it_says_whether_the_promise_was_kept(
    cast: Cast, client: Client, clock: Clock, hours: int, said: str
) -> None:
    ticket = lifecycle.log_contact(cast.ticket(), by=cast.lina, at=MONDAY + hours * HOUR, outcome="reached")
    clock(MONDAY + hours * HOUR + MINUTE)
    page = page_of(client, ticket)
    assert said in page
    assert "We get in touch with you by today, 14:00" in page
    assert "is putting it right." in page


def test_it_owns_up_to_a_promise_not_kept(cast: Cast, client: Client, clock: Clock) -> None:
    ticket = lifecycle.book_callback(
        cast.ticket(), by=cast.lina, at=MONDAY, local_time="2026-03-02T13:00", time_zone=SHANGHAI
    )
    clock(MONDAY + 5 * HOUR)
    assert page_of(client, ticket).count("not kept yet, we are sorry") == 2


def test_it_never_shows_what_is_said_among_ourselves(cast: Cast, client: Client) -> None:
    ticket = lifecycle.note(cast.ticket(), by=cast.chen, at=MONDAY, text="He is a judge")
    ticket = lifecycle.log_contact(ticket, by=cast.majun, at=MONDAY, outcome="no_answer", note="Rude voice")
    ticket = lifecycle.start_waiting(ticket, by=cast.lina, at=MONDAY, reason="Receipt or he is lying")
    waiting = page_of(client, ticket)
    ticket = lifecycle.resolve(
        ticket, by=cast.lina, at=MONDAY, cause_found=cast.rude, what_was_done="Gave the usual voucher"
    )
    pages = waiting + page_of(client, ticket)
    for secret in ("judge", "Rude", "lying", "voucher", "Chen", "Unfriendly", ticket.number):
        assert secret not in pages
    assert "We are waiting for something from you." in waiting
    assert "This is settled." in pages


def test_it_is_in_the_customers_language_and_in_the_other_on_request(cast: Cast, client: Client) -> None:
    ticket = cast.ticket(customer=cast.customer("张伟", locale="zh-hans"))
    response = client.get(url_of(ticket))
    assert re.search(r'<html lang="zh-hans"', response.content.decode(), re.IGNORECASE)
    assert "Add a word" in page_of(client, ticket, "?lang=en")


def test_it_names_the_city_where_the_customers_clock_is_not_known(cast: Cast, client: Client) -> None:
    assert "Times are those of Shanghai." in page_of(
        client, cast.ticket(customer=cast.customer(time_zone=""))
    )
    assert "Times are those of" not in page_of(client, cast.ticket())


# --- a time ---


def times_of(page: str) -> list[str]:
    return re.findall(r'name="time" value="([^"]+)"', page)


def test_it_offers_open_hours_of_the_customers_own_day(cast: Cast, client: Client) -> None:
    times = times_of(page_of(client, cast.ticket()))
    assert times[:6] == [f"2026-03-02T{hour}:00" for hour in range(12, 17)] + ["2026-03-03T09:00"]
    assert len(times) == 40
    assert not [time for time in times if time.startswith(("2026-03-07", "2026-03-08"))]
    paris = times_of(page_of(client, cast.ticket(customer=cast.customer(time_zone="Europe/Paris"))))
    assert {time[-5:] for time in paris} == {"08:00", "09:00"}


def test_it_does_not_offer_what_the_owner_promised_to_another(cast: Cast, client: Client) -> None:
    one, other = cast.ticket(), cast.ticket()
    Ticket.objects.filter(pk__in=[one.pk, other.pk]).update(owner=cast.lina)
    choose(client, one, "2026-03-02T15:00")
    assert "2026-03-02T15:00" not in times_of(page_of(client, other))
    response = choose(client, other, "2026-03-02T15:00")
    assert response.status_code == 409
    assert "That time was taken just now." in response.content.decode()


def test_while_nobody_has_room_every_open_hour_is_offered(cast: Cast, client: Client) -> None:
    """The supervisor keeps those tickets and makes none of their calls."""
    waiting, other, placed = cast.ticket(), cast.ticket(), cast.ticket()
    Ticket.objects.update(owner=cast.chen, awaits_room=True)
    Ticket.objects.filter(pk=placed.pk).update(awaits_room=False)
    choose(client, waiting, "2026-03-02T15:00")
    assert choose(client, other, "2026-03-02T15:00").status_code == 302
    assert "2026-03-02T15:00" in times_of(page_of(client, placed))


def test_choosing_a_time_books_it_as_the_customers_own_act(
    cast: Cast, client: Client, sign_in: SignIn
) -> None:
    ticket = cast.ticket()
    response = choose(client, ticket, "2026-03-02T15:00", number="+86 139 0000 0000")
    assert response.status_code == 302
    callback = ticket.callbacks.get()
    assert (callback.local_time, callback.origin, callback.note) == (
        "2026-03-02T15:00",
        "customer",
        "+86 139 0000 0000",
    )
    event = ticket.events.get(kind="callback_booked")
    assert (event.by, event.by_name) == (None, "")
    assert fresh(ticket).status == "new"
    page = page_of(client, ticket, "?done=time")
    assert "We have noted your time." in page
    assert "will call you: today, 15:00." in page
    staff = sign_in(cast.chen).get(f"/tickets/{ticket.number}/").content.decode()
    assert "The customer booked a callback for today 15:00" in staff


def test_choosing_another_moves_it(cast: Cast, client: Client) -> None:
    ticket = lifecycle.book_callback(
        cast.ticket(), by=cast.lina, at=MONDAY, local_time="2026-03-02T15:00", time_zone=SHANGHAI
    )
    assert choose(client, ticket, "2026-03-03T10:00").status_code == 302
    assert [each.local_time for each in ticket.callbacks.all()] == ["2026-03-03T10:00"]
    assert ticket.callbacks.get().origin == "customer"
    assert ticket.events.get(kind="callback_moved").by is None


def test_a_number_given_with_another_time_is_the_one_to_call(
    cast: Cast, client: Client, sign_in: SignIn
) -> None:
    ticket = cast.ticket()
    choose(client, ticket, "2026-03-02T15:00", number="+86 139 0000 0000")
    choose(client, ticket, "2026-03-03T10:00", number="+86 138 1111 1111")
    assert ticket.callbacks.get().note == "+86 138 1111 1111"
    choose(client, ticket, "2026-03-03T11:00")
    assert ticket.callbacks.get().note == "+86 138 1111 1111"
    staff = sign_in(cast.chen).get(f"/tickets/{ticket.number}/").content.decode()
    assert "+86 138 1111 1111" in staff


def test_a_time_to_be_called_is_a_call_whatever_was_planned(cast: Cast, client: Client) -> None:
    ticket = lifecycle.book_callback(
        cast.ticket(),
        by=cast.lina,
        at=MONDAY,
        local_time="2026-03-02T15:00",
        time_zone=SHANGHAI,
        channel="email",
        origin=Callback.CADENCE,
    )
    choose(client, ticket, "2026-03-03T10:00")
    assert ticket.callbacks.get().channel == "phone"
    assert ticket.events.get(kind="callback_moved").data["channel"] == "phone"


@pytest.mark.parametrize(
    ("time", "said"),
    [
        ("", "Please choose a time first."),
        ("soon", "Please choose a time first."),
        ("2026-03-02T10:00", "That time has passed."),
        ("2026-03-02T21:00", "We are not here then."),
        ("2026-03-08T10:00", "We are not here then."),
        ("2026-03-04T10:00", "We are not here then."),
        ("2026-03-17T10:00", "That is too far ahead."),
        ("2199-03-04T10:00", "That is too far ahead."),
    ],
)
def test_it_says_kindly_what_cannot_be(cast: Cast, client: Client, time: str, said: str) -> None:
    CalendarDay.objects.create(calendar=cast.calendar, date="2026-03-04", name="Spring clean")
    ticket = cast.ticket()
    response = choose(client, ticket, time, number="+86 139")
    page = response.content.decode()
    assert response.status_code == 409
    assert said in page
    assert "Spring clean" not in page
    assert 'value="+86 139"' in page
    assert not ticket.callbacks.exists()


def test_looking_changes_nothing(cast: Cast, client: Client) -> None:
    ticket = cast.ticket()
    client.get(url_of(ticket) + "?time=2026-03-02T15:00")
    client.head(url_of(ticket))
    assert fresh(ticket).version == ticket.version


def test_a_settled_matter_offers_no_time_and_takes_none(cast: Cast, client: Client) -> None:
    ticket = lifecycle.resolve(
        cast.ticket(), by=cast.lina, at=MONDAY, cause_found=cast.late, what_was_done="Sent"
    )
    assert times_of(page_of(client, ticket)) == []
    assert choose(client, ticket, "2026-03-02T15:00").status_code == 409
    assert not ticket.callbacks.exists()


def test_choosing_a_time_takes_back_that_we_gave_up(cast: Cast, client: Client) -> None:
    ticket = lifecycle.give_up_reaching(cast.ticket(), by=cast.lina, at=MONDAY, reason="Dead line")
    assert "We could not reach you." in page_of(client, ticket)
    choose(client, ticket, "2026-03-02T15:00")
    assert fresh(ticket).unreachable_at is None


# --- a word ---


def test_a_word_reaches_the_owner(cast: Cast, client: Client) -> None:
    ticket = cast.ticket()
    response = client.post(url_of(ticket), {"word": " 请下午打来 "})
    assert response.status_code == 302
    assert ticket.events.get(kind="customer_wrote").text == "请下午打来"
    assert "Your words have reached us." in page_of(client, ticket, "?done=word")


def test_an_empty_word_is_refused_kindly(cast: Cast, client: Client) -> None:
    response = client.post(url_of(cast.ticket()), {"word": "  "})
    assert response.status_code == 409
    assert "Write something first." in response.content.decode()


def test_nobody_floods_the_desk_from_here(cast: Cast, client: Client) -> None:
    ticket = cast.ticket()
    answers = [client.post(url_of(ticket), {"word": f"Again {n}"}).status_code for n in range(21)]
    assert answers == [302] * 20 + [409]


# --- from the survey page ---


def test_who_gave_a_low_score_is_led_here_to_change_the_time(cast: Cast) -> None:
    ticket = cast.ticket()
    promise: Any = promise_for(ticket.response_id, NOW)
    assert promise.url == lifecycle.customer_url(ticket, NOW)
    lifecycle.book_callback(ticket, by=None, at=MONDAY, local_time="2026-03-03T10:00", time_zone=SHANGHAI)
    promise = promise_for(ticket.response_id, NOW)
    assert promise.by.isoformat() == "2026-03-03T02:00:00+00:00"


@pytest.mark.parametrize(
    ("channel", "headline", "promise"),
    [
        ("phone", "will call you: tomorrow, 10:00.", "We call you: tomorrow, 10:00"),
        ("email", "will write to you: tomorrow, 10:00.", "We write to you: tomorrow, 10:00"),
        ("sms", "will write to you: tomorrow, 10:00.", "We write to you: tomorrow, 10:00"),
        ("visit", "will get in touch with you: tomorrow, 10:00.", "We get in touch with you: tomorrow"),
    ],
)
def test_it_promises_by_the_channel_that_was_agreed(
    cast: Cast, client: Client, channel: str, headline: str, promise: str
) -> None:
    slot = {"local_time": "2026-03-03T10:00", "time_zone": SHANGHAI, "channel": channel}
    ticket = lifecycle.book_callback(cast.ticket(), by=cast.lina, at=MONDAY, **slot)
    page = page_of(client, ticket)
    assert headline in page
    assert promise in page
    said: Any = promise_for(ticket.response_id, NOW)
    assert said.channel == channel
