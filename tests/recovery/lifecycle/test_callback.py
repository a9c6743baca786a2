from datetime import UTC, datetime

import pytest

from recovery.lifecycle import (
    Refused,
    announce_callback,
    assign,
    book_callback,
    cancel_callback,
    log_contact,
    move_callback,
    resolve,
)
from recovery.lifecycle.contact import instant_of
from recovery.models import Callback, Leave, Ticket
from surveys.models import Message
from tests.due import kind
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast

AT_SIX = {"local_time": "2026-03-02T18:00", "time_zone": "Asia/Shanghai"}


@pytest.fixture
def booked(cast: Cast) -> Ticket:
    return book_callback(cast.ticket(), by=cast.lina, at=MONDAY, note="after work", **AT_SIX)


def test_it_keeps_the_promised_wall_time_and_derives_the_instant(booked: Ticket) -> None:
    callback = booked.callbacks.get()
    assert (callback.local_time, callback.time_zone) == ("2026-03-02T18:00", "Asia/Shanghai")
    assert callback.due_at == datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
    assert booked.status == "open"
    assert booked.events.get(kind="callback_booked").data["local_time"] == "2026-03-02T18:00"


@pytest.mark.parametrize(
    ("local", "zone", "instant"),
    [
        pytest.param(
            "2026-03-29T02:30", "Europe/Berlin", "2026-03-29T01:00+00:00", id="in a gap: first valid instant"
        ),
        pytest.param("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30+00:00", id="twice: the first"),
        pytest.param(
            "2026-10-04T02:15", "Australia/Lord_Howe", "2026-10-03T15:30+00:00", id="a gap of 30 minutes"
        ),
        pytest.param(
            "2026-07-01T09:00", "Asia/Kathmandu", "2026-07-01T03:15+00:00", id="an offset of 45 minutes"
        ),
        pytest.param("2011-12-30T12:00", "Pacific/Apia", "2011-12-30T10:00+00:00", id="a day that never was"),
    ],
)
def test_a_local_time_is_one_instant(local: str, zone: str, instant: str) -> None:
    assert instant_of(local, zone) == datetime.fromisoformat(instant)


@pytest.mark.parametrize(
    ("local", "zone", "code"),
    [
        ("2026-03-02T10:00", "Asia/Shanghai", "callback_in_the_past"),
        ("tomorrow", "Asia/Shanghai", "time_malformed"),
        ("2026-02-30T10:00", "Asia/Shanghai", "time_malformed"),
        ("2026-03-02T18:00", "Mars/Olympus", "time_zone_unknown"),
        ("9999-12-31T23:59", "America/New_York", "time_malformed"),
        ("0001-01-01T00:00", "Asia/Shanghai", "time_malformed"),
    ],
)
def test_it_refuses_a_time_that_cannot_be_kept(cast: Cast, local: str, zone: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        book_callback(cast.ticket(), by=cast.lina, at=MONDAY, local_time=local, time_zone=zone)
    assert refused.value.code == code
    assert not Callback.objects.exists()


@pytest.mark.parametrize("origin", ["staff", "cadence", "customer"])
def test_it_keeps_who_chose_the_time(cast: Cast, origin: str) -> None:
    ticket = book_callback(cast.ticket(), by=None, at=MONDAY, origin=origin, **AT_SIX)
    assert ticket.callbacks.get().origin == origin
    assert ticket.events.get(kind="callback_booked").data["origin"] == origin


def test_who_moves_it_chose_the_new_time(cast: Cast, booked: Ticket) -> None:
    later = {"local_time": "2026-03-03T09:00", "time_zone": "Asia/Shanghai"}
    ticket = move_callback(booked, by=None, at=MONDAY, origin="customer", **later)
    assert ticket.callbacks.get().origin == "customer"


def test_it_moves_with_the_ticket_to_another_owner_and_team(cast: Cast, booked: Ticket) -> None:
    ticket = assign(booked, by=cast.chen, at=MONDAY, to=cast.ann, team=cast.west)
    announce_callback(ticket.callbacks.get().pk, at=datetime(2026, 3, 2, 10, 0, tzinfo=UTC))
    assert ticket.callbacks.get().local_time == "2026-03-02T18:00"
    assert Message.objects.get(kind="callback_due").user == cast.ann


def test_it_refuses_a_second_promise(cast: Cast, booked: Ticket) -> None:
    with pytest.raises(Refused, match="Move or cancel"):
        book_callback(booked, by=cast.lina, at=MONDAY, local_time="2026-03-03T09:00", time_zone="UTC")


def test_it_moves(cast: Cast, booked: Ticket) -> None:
    ticket = move_callback(
        booked, by=cast.lina, at=MONDAY, local_time="2026-03-03T09:00", time_zone="Asia/Shanghai"
    )
    assert ticket.callbacks.get().due_at == datetime(2026, 3, 3, 1, 0, tzinfo=UTC)
    event = ticket.events.get(kind="callback_moved")
    assert event.data["from"] == "2026-03-02T10:00:00+00:00"


def test_it_is_cancelled(cast: Cast, booked: Ticket) -> None:
    ticket = cancel_callback(booked, by=cast.lina, at=MONDAY, reason="They wrote instead")
    assert ticket.callbacks.get().state == "cancelled"
    assert kind("callbacks").ids(MONDAY + DAY) == []


@pytest.mark.parametrize("act", [move_callback, cancel_callback])
def test_it_refuses_to_change_a_promise_nobody_made(cast: Cast, act: object) -> None:
    given = AT_SIX if act is move_callback else {}
    with pytest.raises(Refused, match="No callback is booked"):
        act(cast.ticket(), by=cast.lina, at=MONDAY, **given)  # type: ignore[operator]


def test_it_is_announced_once_at_its_time_to_whoever_owns_it_then(cast: Cast, booked: Ticket) -> None:
    due = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
    assert kind("callbacks").ids(due - MINUTE) == []
    ticket = assign(booked, by=cast.chen, at=MONDAY, to=cast.majun)
    [pk] = kind("callbacks").ids(due)
    assert announce_callback(pk, at=due)
    with pytest.raises(Refused):
        announce_callback(pk, at=due)
    assert kind("callbacks").ids(due) == []
    assert ticket.events.filter(kind="callback_due").count() == 1
    notice = Message.objects.get(kind="callback_due")
    assert notice.user == cast.majun
    assert "Promised for 18:00 where the customer is (Asia/Shanghai)" in notice.text


def test_a_moved_one_is_not_announced_at_the_old_time(cast: Cast, booked: Ticket) -> None:
    pk = booked.callbacks.get().pk
    move_callback(booked, by=cast.lina, at=MONDAY, local_time="2026-03-03T09:00", time_zone="Asia/Shanghai")
    with pytest.raises(Refused):
        announce_callback(pk, at=datetime(2026, 3, 2, 10, 0, tzinfo=UTC))
    assert not Message.objects.filter(kind="callback_due").exists()


def test_a_moved_one_is_announced_again_at_the_new_time(cast: Cast, booked: Ticket) -> None:
    due = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
    pk = booked.callbacks.get().pk
    announce_callback(pk, at=due)
    booked.refresh_from_db()
    move_callback(booked, by=cast.lina, at=due, local_time="2026-03-03T09:00", time_zone="Asia/Shanghai")
    assert announce_callback(pk, at=datetime(2026, 3, 3, 1, 0, tzinfo=UTC))
    assert Message.objects.filter(kind="callback_due").count() == 2


def test_an_id_that_is_gone_does_nothing(cast: Cast) -> None:
    assert announce_callback(4711, at=MONDAY) is False


def test_resolving_ends_the_promise(cast: Cast, booked: Ticket) -> None:
    ticket = resolve(
        booked, by=cast.lina, at=MONDAY + HOUR, cause_found=cast.late, what_was_done="Sent again"
    )
    assert ticket.callbacks.get().state == "cancelled"
    assert ticket.events.get(kind="resolved").data["callback_cancelled"] == "2026-03-02T18:00"


def test_another_can_be_booked_after_the_first_was_kept(cast: Cast, booked: Ticket) -> None:
    at = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
    ticket = log_contact(booked, by=cast.lina, at=at, outcome="no_answer")
    book_callback(ticket, by=cast.lina, at=at, local_time="2026-03-03T09:00", time_zone="Asia/Shanghai")
    assert ticket.callbacks.count() == 2


def test_it_writes_the_promised_time_in_one_way(cast: Cast) -> None:
    ticket = book_callback(
        cast.ticket(), by=cast.lina, at=MONDAY, local_time="2026-3-2T18:0", time_zone="Asia/Shanghai"
    )
    assert ticket.callbacks.get().local_time == "2026-03-02T18:00"
    ticket = move_callback(
        ticket, by=cast.lina, at=MONDAY, local_time="2026-3-3T9:0", time_zone="Asia/Shanghai"
    )
    assert ticket.callbacks.get().local_time == "2026-03-03T09:00"


def test_a_cancelled_one_is_not_announced(cast: Cast, booked: Ticket) -> None:
    cancel_callback(booked, by=cast.lina, at=MONDAY)
    with pytest.raises(Refused, match="not due"):
        announce_callback(booked.callbacks.get().pk, at=MONDAY + DAY)


@pytest.mark.parametrize(
    ("away", "told", "because"),
    [
        (["lina"], "chen", "because you supervise East"),
        (["lina", "chen"], "wu", "because you are above the supervisor of East"),
    ],
)
def test_somebody_above_is_told_to_call_where_the_owner_is_away(
    cast: Cast, booked: Ticket, away: list[str], told: str, because: str
) -> None:
    for name in away:
        Leave.objects.create(user=getattr(cast, name), starts_at=MONDAY, ends_at=MONDAY + DAY)
    announce_callback(booked.callbacks.get().pk, at=datetime(2026, 3, 2, 10, 0, tzinfo=UTC))
    notice = Message.objects.get(kind="callback_due")
    assert notice.user == getattr(cast, told)
    assert because in notice.text


def test_the_owner_is_told_to_call_because_it_is_theirs(cast: Cast, booked: Ticket) -> None:
    announce_callback(booked.callbacks.get().pk, at=datetime(2026, 3, 2, 10, 0, tzinfo=UTC))
    assert "because you own the ticket" in Message.objects.get(kind="callback_due").text
