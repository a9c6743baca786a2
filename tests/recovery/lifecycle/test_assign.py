import pytest
from django.contrib.auth.models import User

from recovery.lifecycle import Refused, Stale, assign, resolve
from recovery.models import Leave, Membership, Team, Ticket
from surveys.models import Message
from tests.make import HOUR, MONDAY, Cast, join, make_calendar, make_user


def test_it_moves_the_ticket_with_one_event_and_one_notice(cast: Cast) -> None:
    ticket = cast.ticket()
    moved = assign(ticket, by=cast.chen, at=MONDAY + HOUR, to=cast.majun, reason="Li Na is busy")
    assert moved.owner == cast.majun
    event = moved.events.get(kind="assigned")
    assert (event.data["from"], event.data["to"], event.text) == ("Li Na", "Ma Jun", "Li Na is busy")
    assert event.by == cast.chen
    notice = Message.objects.get(kind="ticket_assigned", user=cast.majun)
    assert "because Chen Hao gave it to you" in notice.text


def test_it_tells_nobody_who_takes_a_ticket_over(cast: Cast) -> None:
    ticket = cast.ticket()
    assign(ticket, by=cast.majun, at=MONDAY, to=cast.majun)
    assert not Message.objects.filter(user=cast.majun).exists()


def test_it_brings_the_new_teams_calendar(cast: Cast) -> None:
    ticket = cast.ticket()
    cast.west.calendar = make_calendar("London", "Europe/London")
    cast.west.save()
    moved = assign(ticket, by=cast.wu, at=MONDAY, to=cast.ann, team=cast.west)
    rows = {row["kind"]: row for row in moved.events.get(kind="assigned").data["deadlines"]}
    assert rows["first_contact"]["from"] == "2026-03-02T06:00:00+00:00"
    assert rows["first_contact"]["to"] == "2026-03-02T13:00:00+00:00"


@pytest.mark.parametrize(
    ("who", "code"),
    [
        ("lina", "owner_unchanged"),
        ("gone", "owner_not_staff"),
        ("away", "owner_away"),
        ("vera", "owner_only_reads"),
    ],
)
def test_it_refuses(cast: Cast, who: str, code: str) -> None:
    ticket = cast.ticket()
    to = {"lina": cast.lina, "gone": cast.ann, "away": cast.majun, "vera": cast.vera}[who]
    if who == "gone":
        to.is_active = False
    if who == "away":
        Leave.objects.create(user=to, starts_at=MONDAY - HOUR, ends_at=MONDAY + HOUR)
    with pytest.raises(Refused) as refused:
        assign(ticket, by=cast.chen, at=MONDAY, to=to)
    assert refused.value.code == code
    assert refused.value.field == "owner"
    assert ticket.events.count() == 1


def test_it_refuses_a_ticket_that_somebody_else_changed(cast: Cast) -> None:
    ticket = cast.ticket()
    assign(ticket, by=cast.chen, at=MONDAY, to=cast.majun)
    with pytest.raises(Stale) as stale:
        assign(ticket, by=cast.chen, at=MONDAY, to=cast.chen)
    assert (stale.value.expected, stale.value.actual) == (1, 2)


@pytest.mark.parametrize("missing", ["address", "desk"])
def test_it_writes_to_nobody_who_cannot_be_written_to(cast: Cast, missing: str) -> None:
    User.objects.filter(pk=cast.lina.pk).update(**({"email": ""} if missing == "address" else {}))
    if missing == "desk":
        User.objects.filter(username__in=["lina", "majun", "chen", "wu"]).update(is_active=False)
    ticket = cast.ticket(team=Team.objects.get(pk=cast.east.pk))
    assert ticket.owner in (cast.lina, cast.chen)
    assert not Message.objects.exists()


def test_it_takes_its_owner_along_to_another_team(cast: Cast) -> None:
    moved = assign(cast.ticket(), by=cast.chen, at=MONDAY, to=cast.lina, team=cast.west)
    assert (moved.owner, moved.team) == (cast.lina, cast.west)
    event = moved.events.get(kind="assigned")
    assert (event.data["team_from"], event.data["team_to"]) == ("East", "West")


def test_a_resolved_ticket_goes_to_another_team_without_deadlines(cast: Cast) -> None:
    done = resolve(cast.ticket(), by=cast.lina, at=MONDAY, cause_found=cast.late, what_was_done="x")
    before = list(done.deadlines.values())
    moved = assign(done, by=cast.chen, at=MONDAY, to=cast.ann, team=cast.west)
    assert moved.events.get(kind="assigned").data["deadlines"] == []
    assert list(moved.deadlines.values()) == before


class TestCapacity:
    @pytest.fixture
    def ticket(self, cast: Cast) -> Ticket:
        """Li Na's; Ma Jun carries all he can."""
        Membership.objects.filter(user=cast.majun).update(capacity=1)
        ticket = cast.ticket()
        assert cast.ticket().owner == cast.majun
        return ticket

    @pytest.mark.parametrize("by", ["lina", "chen", "admin", "majun"])
    def test_nobody_is_given_more_than_they_can_carry_by_anybody(
        self, cast: Cast, ticket: Ticket, by: str
    ) -> None:
        with pytest.raises(Refused, match="Ma Jun carries 1 of 1") as refused:
            assign(ticket, by=getattr(cast, by), at=MONDAY, to=cast.majun)
        assert (refused.value.code, refused.value.field) == ("owner_full", "owner")
        assert ticket.events.count() == 1

    def test_one_more_is_given_to_who_has_room_for_one(self, cast: Cast, ticket: Ticket) -> None:
        Membership.objects.filter(user=cast.majun).update(capacity=2)
        assert assign(ticket, by=cast.chen, at=MONDAY, to=cast.majun).owner == cast.majun

    @pytest.mark.parametrize("name", ["chen", "wu"])
    def test_who_supervises_takes_what_they_must(self, cast: Cast, ticket: Ticket, name: str) -> None:
        join(cast.east, getattr(cast, name), capacity=1)
        Ticket.objects.exclude(pk=ticket.pk).update(owner=getattr(cast, name))
        assert assign(ticket, by=cast.lina, at=MONDAY, to=getattr(cast, name)).owner.username == name

    def test_a_supervisor_of_another_team_carries_as_a_member(self, cast: Cast, ticket: Ticket) -> None:
        join(cast.west, cast.bob, capacity=1)
        Ticket.objects.exclude(pk=ticket.pk).update(owner=cast.bob)
        with pytest.raises(Refused, match="Bob Jones carries 1 of 1"):
            assign(ticket, by=cast.chen, at=MONDAY, to=cast.bob)

    def test_who_works_in_no_team_and_is_no_supervisor_has_no_room(self, cast: Cast, ticket: Ticket) -> None:
        with pytest.raises(Refused, match="carries 0 of 0"):
            assign(ticket, by=cast.chen, at=MONDAY, to=make_user("loose"))

    def test_its_own_ticket_is_not_counted_when_only_the_team_changes(
        self, cast: Cast, ticket: Ticket
    ) -> None:
        Membership.objects.filter(user=cast.lina).update(capacity=1)
        assert assign(ticket, by=cast.chen, at=MONDAY, to=cast.lina, team=cast.west).team == cast.west

    def test_what_is_resolved_is_carried_by_nobody(self, cast: Cast, ticket: Ticket) -> None:
        done = resolve(ticket, by=cast.lina, at=MONDAY, cause_found=cast.late, what_was_done="x")
        assert assign(done, by=cast.chen, at=MONDAY, to=cast.majun).owner == cast.majun
