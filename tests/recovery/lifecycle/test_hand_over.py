"""When a colleague leaves, everything they have goes on, ticket by ticket, and nothing is lost half-way."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recovery.lifecycle import Refused, book_callback, hand_over, ownership, place, resolve
from recovery.lifecycle.hand_over import everything, preview
from recovery.models import DigestLine, Leave, Membership, Team, Ticket
from surveys.models import Account, Message
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast, join, make_user


def tickets_of(cast: Cast, owner: User, number: int) -> list[Ticket]:
    tickets = [cast.ticket(at=MONDAY + n * MINUTE) for n in range(number)]
    Ticket.objects.filter(pk__in=[ticket.pk for ticket in tickets]).update(owner=owner)
    return tickets


def owners(tickets: list[Ticket]) -> list[str]:
    found = Ticket.objects.in_bulk([ticket.pk for ticket in tickets])
    return [found[ticket.pk].owner.username for ticket in tickets]


def test_all_of_it_goes_to_one_person_with_the_calls_promised(cast: Cast) -> None:
    tickets = tickets_of(cast, cast.lina, 3)
    book_callback(
        Ticket.objects.get(pk=tickets[0].pk),
        by=cast.lina,
        at=MONDAY,
        local_time="2026-03-03T10:00",
        time_zone="Asia/Shanghai",
    )
    account = Account.objects.create(name="Acme", owner=cast.lina)
    Message.objects.all().delete()
    done = everything(cast.lina, by=cast.chen, at=MONDAY + HOUR, to=cast.majun)
    assert owners(tickets) == ["majun"] * 3
    assert Ticket.objects.get(pk=tickets[0].pk).callbacks.get().state == "booked"
    account.refresh_from_db()
    assert (account.owner, done.accounts, done.places) == (cast.majun, [account], 1)
    assert not Membership.objects.filter(user=cast.lina).exists()
    event = tickets[1].events.get(kind="assigned")
    assert (event.by, event.data["because"]["code"]) == (cast.chen, "handed_over")
    assert not Message.objects.exists()
    assert DigestLine.objects.filter(user=cast.majun, kind="ticket_assigned").count() == 3
    assert done.left_behind == []


def test_by_the_rules_it_goes_to_who_has_room_and_the_rest_waits(cast: Cast) -> None:
    tickets = tickets_of(cast, cast.lina, 4)
    Membership.objects.filter(user=cast.majun).update(capacity=2)
    done = everything(cast.lina, by=cast.chen, at=MONDAY + HOUR)
    assert owners(tickets) == ["majun", "majun", "chen", "chen"]
    assert [ticket.awaits_room for ticket in Ticket.objects.order_by("pk")] == [False, False, True, True]
    assert [each.because["code"] for each in done.moved] == [
        *(["least_loaded"] * 2),
        *(["supervisor_no_room"] * 2),
    ]


def test_what_one_person_cannot_carry_stays_and_says_why(cast: Cast) -> None:
    tickets = tickets_of(cast, cast.lina, 3)
    Membership.objects.filter(user=cast.majun).update(capacity=2)
    done = everything(cast.lina, by=cast.chen, at=MONDAY + HOUR, to=cast.majun)
    assert owners(tickets) == ["majun", "majun", "lina"]
    (left,) = done.left_behind
    assert (left.ticket, left.refused) == (
        tickets[2],
        "Ma Jun carries 2 of 2. Choose somebody who has room.",
    )
    # What is left goes another way.
    again = everything(cast.lina, by=cast.chen, at=MONDAY + HOUR)
    assert [each.ticket for each in again.moved] == [tickets[2]]
    assert owners(tickets)[2] == "chen"


def test_nothing_is_lost_when_it_dies_half_way(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    tickets = tickets_of(cast, cast.lina, 3)
    tell, told = ownership.tell_assigned, []

    def dies(change: Any, *args: Any, **kwargs: Any) -> None:
        told.append(change.ticket.pk)
        if len(told) == 2:
            raise ConnectionError("gone")
        tell(change, *args, **kwargs)

    monkeypatch.setattr(ownership, "tell_assigned", dies)
    with pytest.raises(ConnectionError):
        everything(cast.lina, by=cast.chen, at=MONDAY + HOUR, to=cast.majun)
    assert owners(tickets) == ["majun", "lina", "lina"]
    assert tickets[1].events.count() == 1
    done = everything(cast.lina, by=cast.chen, at=MONDAY + HOUR, to=cast.majun)
    assert owners(tickets) == ["majun"] * 3
    assert len(done.moved) == 2
    assert [ticket.events.filter(kind="assigned").count() for ticket in tickets] == [1, 1, 1]


def test_a_ticket_somebody_changed_meanwhile_stays_for_the_next_time(cast: Cast) -> None:
    tickets = tickets_of(cast, cast.lina, 2)
    rows = list(hand_over.tickets_of(cast.lina))
    Ticket.objects.filter(pk=tickets[0].pk).update(version=7)
    moved = [hand_over.move(ticket, cast.lina, cast.chen, MONDAY + HOUR, None) for ticket in rows]
    assert [bool(each.refused) for each in moved] == [True, False]
    assert "meanwhile" in moved[0].refused


def test_what_is_resolved_stays_in_their_name(cast: Cast) -> None:
    ticket = cast.ticket()
    resolve(ticket, by=cast.lina, at=MONDAY, cause_found=cast.late, what_was_done="x")
    done = everything(cast.lina, by=cast.chen, at=MONDAY + HOUR)
    assert done.tickets == []
    assert owners([ticket]) == ["lina"]


class TestSupervisor:
    def test_their_teams_go_to_whoever_is_above(self, cast: Cast) -> None:
        tickets = tickets_of(cast, cast.chen, 1)
        Membership.objects.filter(team=cast.east).delete()
        done = everything(cast.chen, by=cast.wu, at=MONDAY + HOUR)
        assert done.teams == [cast.east]
        assert Team.objects.get(pk=cast.east.pk).supervisor == cast.wu
        assert owners(tickets) == ["wu"]

    def test_they_go_to_who_takes_over_and_may(self, cast: Cast) -> None:
        everything(cast.chen, by=cast.admin, at=MONDAY, to=cast.bob)
        assert Team.objects.get(pk=cast.east.pk).supervisor == cast.bob

    @pytest.mark.parametrize("by", ["admin", "wu"])
    def test_what_waits_for_room_waits_on_with_who_takes_over(self, cast: Cast, by: str) -> None:
        Membership.objects.filter(team=cast.east).update(capacity=0)
        tickets = [cast.ticket(), cast.ticket()]
        Ticket.objects.filter(pk=tickets[1].pk).update(awaits_room=False)
        everything(cast.chen, by=getattr(cast, by), at=MONDAY + HOUR, to=cast.wu)
        assert owners(tickets) == ["wu", "wu"]
        assert [ticket.awaits_room for ticket in Ticket.objects.order_by("pk")] == [True, False]
        Membership.objects.filter(user=cast.majun).update(capacity=5)
        assert place(tickets[0].pk, at=MONDAY + DAY) == tickets[0]
        assert owners(tickets) == ["majun", "wu"]

    def test_an_agent_who_takes_over_takes_on_what_waited(self, cast: Cast) -> None:
        Membership.objects.filter(team=cast.east).update(capacity=0)
        ticket = cast.ticket()
        Membership.objects.filter(user=cast.majun).update(capacity=5)
        everything(cast.chen, by=cast.admin, at=MONDAY + HOUR, to=cast.majun)
        assert not Ticket.objects.get(pk=ticket.pk).awaits_room

    def test_an_agent_who_takes_over_supervises_nothing(self, cast: Cast) -> None:
        everything(cast.chen, by=cast.admin, at=MONDAY, to=cast.lina)
        assert Team.objects.get(pk=cast.east.pk).supervisor == cast.wu

    def test_it_says_what_nobody_else_could_supervise(self, cast: Cast) -> None:
        ticket = tickets_of(cast, cast.bob, 1)[0]
        Ticket.objects.update(team=cast.west)
        Membership.objects.filter(team=cast.west).delete()
        done = everything(cast.bob, by=cast.admin, at=MONDAY + HOUR)
        assert (done.teams, done.unsupervised) == ([], [cast.west])
        assert owners([ticket]) == ["bob"]
        assert "Nobody else works in or above West" in done.left_behind[0].refused


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("lina", "successor_same"),
        ("vera", "owner_only_reads"),
        ("majun", "owner_away"),
        ("ann", "owner_not_staff"),
    ],
)
def test_it_refuses_who_cannot_take_over_and_changes_nothing(cast: Cast, name: str, code: str) -> None:
    tickets = tickets_of(cast, cast.lina, 1)
    Leave.objects.create(user=cast.majun, starts_at=MONDAY, ends_at=MONDAY + DAY)
    User.objects.filter(pk=cast.ann.pk).update(is_active=False)
    to = User.objects.get(username=name)
    for act in (
        lambda: everything(cast.lina, by=cast.chen, at=MONDAY, to=to),
        lambda: preview(cast.lina, at=MONDAY, to=to),
    ):
        with pytest.raises(Refused) as refused:
            act()
        assert (refused.value.code, refused.value.field) == (code, "to")
    assert owners(tickets) == ["lina"]
    assert Membership.objects.filter(user=cast.lina).exists()


class TestPreview:
    @pytest.mark.parametrize("to", ["majun", None, "chen"])
    def test_it_says_what_will_become_of_each(self, cast: Cast, to: str | None) -> None:
        join(cast.east, make_user("mei"), capacity=1)
        Membership.objects.filter(user=cast.majun).update(capacity=2)
        tickets_of(cast, cast.lina, 5)
        account = Account.objects.create(name="Acme", owner=cast.lina)
        Ticket.objects.first().customer.__class__.objects.update(account=account)  # type: ignore[union-attr]
        heir = getattr(cast, to) if to else None
        before = list(Ticket.objects.order_by("pk").values())
        seen = preview(cast.lina, at=MONDAY + HOUR, to=heir)
        assert list(Ticket.objects.order_by("pk").values()) == before
        done = everything(cast.lina, by=cast.chen, at=MONDAY + HOUR, to=heir)
        assert [(each.ticket, each.to, each.refused) for each in seen] == [
            (each.ticket, each.to, each.refused) for each in done.tickets
        ]

    @pytest.mark.parametrize("number", [1, 40])
    def test_it_asks_the_same_for_many(self, cast: Cast, number: int) -> None:
        tickets_of(cast, cast.lina, number)
        with CaptureQueriesContext(connection) as queries:
            assert len(preview(cast.lina, at=MONDAY + HOUR)) == number
        assert len(queries) <= 5, [each["sql"][:300] for each in queries]
