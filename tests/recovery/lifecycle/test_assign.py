import pytest
from django.contrib.auth.models import User

from recovery.lifecycle import Refused, Stale, assign, resolve
from recovery.models import Leave, Team
from surveys.models import Message
from tests.make import HOUR, MONDAY, Cast, make_calendar


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
    [("lina", "owner_unchanged"), ("gone", "owner_not_staff"), ("away", "owner_away")],
)
def test_it_refuses(cast: Cast, who: str, code: str) -> None:
    ticket = cast.ticket()
    to = {"lina": cast.lina, "gone": cast.ann, "away": cast.majun}[who]
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
